// From a candidate to events at the sinks: verify, describe the sender (before, where a rule asks about it), group, write.
// What waits for a container's name (agent/container_join.h) is given to release(), which has to be called again and again;
// sequence numbers are those of writing, so held events come later than events of later lookups.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "agent/container_join.h"
#include "agent/forwarders.h"
#include "agent/generations.h"
#include "agent/observe.h"
#include "agent/responses.h"
#include "agent/search_suffixes.h"
#include "agent/tally.h"
#include "agent/told_lookups.h"
#include "compile/plan.h"
#include "event/event.h"
#include "event/event_id.h"
#include "event/lookup_window.h"
#include "history/recorder.h"
#include "identity/resolver.h"
#include "identity/servers.h"
#include "kernel/sensor.h"
#include "match/verifier.h"
#include "sink/sink.h"

namespace nslookout::agent {

class Pipeline {
 public:
  // All of them must outlive the pipeline. history: what keeps every event, or none.
  Pipeline(std::shared_ptr<const compile::Plan> plan, const kernel::Sensor& sensor,
           std::vector<std::unique_ptr<sink::Sink>>& sinks, const identity::Options& identity,
           std::vector<std::unique_ptr<identity::RuntimeSource>> runtimes, event::EventIds ids, Observe observe,
           bool every_response, history::Recorder* history = nullptr);

  // Other rules from here on; called before their tables are published, under that number (kernel::Sensor::publish).
  void adopt(std::shared_ptr<const compile::Plan> plan, std::uint32_t number);
  // They could not be published: the rules before them stay.
  void withdraw();

  void handle(const nsl_candidate& candidate);
  void handle(const nsl_response& response, std::string_view message);
  // ports: of DNS. Nothing is told of a process that asks whom it is configured to ask, or that is a resolver itself.
  void handle(const nsl_bypass& bypass, std::span<const std::uint16_t> ports);
  // Somebody took the program off its hook.
  void tell_detached(const std::string& program);

  // Decides the queries whose responses did not come in time; call it now and then. finish(): all, since none comes.
  void expire();
  void finish();

  void flush();

  // Writes the held events that have waited enough; at the end of a run, all of them.
  void release();
  void release_all();
  [[nodiscard]] bool holds() const { return join_.holds(); }
  [[nodiscard]] std::vector<std::string> runtime_places() const { return join_.places(); }

  // An event of the past, found by rules that are new (agent/history_hunt.h).
  void tell_of_past(event::Event event);

  // Tells the history how often lookups were repeated that the kernel let out once (--observe unique).
  void count_repeats();

  // Writes a KIND_LOSS event when something was lost since the last call.
  void report_losses();

  [[nodiscard]] bool every_sink_finished() const;

  // The files of the outputs are opened anew.
  void reopen();
  // The last call: the outputs deliver what waits, within a bound; what they lose meanwhile goes to the log.
  void close();

  // What was lost since the start, by stage; stages that lost nothing, too. counters: of the sensor, now.
  [[nodiscard]] std::vector<event::Loss> losses(const kernel::Counters& counters) const;
  // With what its write() refused among the lost.
  [[nodiscard]] sink::SinkStatus output(std::size_t index) const;
  [[nodiscard]] bool output_finished(std::size_t index) const { return sinks_[index]->finished(); }
  [[nodiscard]] const Tally& tally() const { return tally_; }
  [[nodiscard]] const compile::Plan& plan() const { return *generations_.current()->plan; }
  [[nodiscard]] const match::Verifier& verifier() const { return generations_.current()->verifier; }
  [[nodiscard]] std::size_t waiting() const { return join_.held() + responses_.waiting(); }
  [[nodiscard]] std::uint64_t incomplete() const { return unanswered_ + no_room_; }
  [[nodiscard]] std::uint64_t lost_variables() const { return resolver_.counters().lost_variables; }

  [[nodiscard]] const ResponseCounts& response_counts() const { return responses_.counts(); }

 private:
  // What is done with a candidate, and what is known of its event so far.
  struct Lookup {
    const nsl_candidate& candidate;
    event::Event event = {};
    bool described = false;
    Joined joined = Joined::done;
    std::optional<std::vector<NameReading>> readings = {};  // of its name
    std::shared_ptr<Generation> rules = {};
  };

  // Does the work on one record. A record is made of what processes say: none may end the agent, whatever was forgotten.
  template <typename Work>
  void guard(const Work& work);
  void judge(Lookup& lookup);
  [[nodiscard]] std::vector<NameReading> readings(const match::Query& query, const Lookup& lookup);
  // Whether it is one to be reported.
  [[nodiscard]] bool make_event(Lookup& lookup, const match::Query& query, const std::vector<match::Hit>& hits);
  void tell_of(const nsl_bypass& bypass, std::span<const std::uint16_t> ports);
  void decide(Awaiting& waited, const Answer* answer);
  void write_or_hold(Lookup& lookup);
  void describe(Lookup& lookup);
  void describe_sender(Lookup& lookup);
  void place_in_lookup(const nsl_candidate& candidate, const std::vector<NameReading>& readings, event::Event& event);
  [[nodiscard]] bool has_hidden_client(const nsl_candidate& candidate);
  [[nodiscard]] bool hold(Lookup& lookup, bool undecided, std::optional<event::Container> behind = {});
  [[nodiscard]] bool hold_undecided(Lookup& lookup, std::optional<event::Container> behind = {});
  void write_released(std::vector<Held> released);
  void write_described(event::Event& event, Joined joined);
  void report_incomplete();
  // For --observe unique.
  [[nodiscard]] bool is_first(const Lookup& lookup);
  [[nodiscard]] std::vector<event::Loss> losses_before_outputs(const kernel::Counters& counters) const;
  [[nodiscard]] std::vector<event::Loss> output_losses() const;
  // Whether nothing but the last report of losses can have been lost since it was written.
  [[nodiscard]] bool is_last_report(const std::vector<event::Loss>& losses) const;
  void write(event::Event& event);

  const kernel::Sensor& sensor_;
  std::string proc_root_;
  std::vector<std::unique_ptr<sink::Sink>>& sinks_;
  Generations generations_;
  identity::Resolver resolver_;
  identity::ProcessTable table_;
  ContainerJoin join_;
  std::uint64_t unanswered_ = 0;  // events without their container's name, since nobody answered in time
  std::uint64_t no_room_ = 0;     // the same, since too many waited already
  std::uint64_t reported_incomplete_ = 0;
  std::uint64_t unhandled_ = 0;  // records whose handling failed
  std::string unhandled_what_;
  event::EventIds ids_;
  event::LookupWindow window_;
  identity::Servers servers_;
  Forwarders forwarders_;
  SenderSearchSuffixes sender_search_suffixes_;
  Observe observe_;
  bool every_response_;  // of what is reported
  Responses responses_;
  event::Host host_;
  event::SensorInfo sensor_info_;
  std::unordered_set<std::string> unique_;  // of what the kernel does not compare
  ToldLookups told_;                        // where there is a history
  history::Recorder* history_;
  std::uint64_t sequence_ = 0;
  std::vector<std::uint64_t> unwritten_;        // by output: events that its write() refused
  std::vector<std::uint64_t> reported_output_;  // by output: events lost to it, as far as reported
  Tally tally_;
  std::vector<std::uint64_t> reported_losses_;
  std::uint64_t last_report_ = 0;  // its sequence
};

}  // namespace nslookout::agent
