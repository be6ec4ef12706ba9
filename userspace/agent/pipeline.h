// From a candidate to events at the sinks: verify, describe the sender (before, where a rule asks about it), group, write.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "agent/observe.h"
#include "compile/plan.h"
#include "event/event.h"
#include "event/event_id.h"
#include "event/lookup_window.h"
#include "identity/resolver.h"
#include "kernel/sensor.h"
#include "match/correlator.h"
#include "match/verifier.h"
#include "sink/sink.h"

namespace nslookout::agent {

class Pipeline {
 public:
  // All of them must outlive the pipeline.
  Pipeline(const compile::Plan& plan, const kernel::Sensor& sensor, std::vector<std::unique_ptr<sink::Sink>>& sinks,
           const identity::Options& identity, event::EventIds ids, Observe observe);

  void handle(const nsl_candidate& candidate);
  void flush();

  // Writes a KIND_LOSS event when something was lost since the last call.
  void report_losses();

  [[nodiscard]] bool every_sink_finished() const;

 private:
  void describe_lookup(const nsl_candidate& candidate, event::Event& event);
  [[nodiscard]] bool seen_before(const event::Event& event);
  void write(event::Event& event);

  const kernel::Sensor& sensor_;
  std::vector<std::unique_ptr<sink::Sink>>& sinks_;
  match::Verifier verifier_;
  match::Correlator correlator_;
  identity::Resolver resolver_;
  event::EventIds ids_;
  event::LookupWindow window_;
  Observe observe_;
  event::Host host_;
  event::SensorInfo sensor_info_;
  std::unordered_set<std::string> unique_;
  std::uint64_t sequence_ = 0;
  std::uint64_t sink_lost_ = 0;
  std::vector<std::uint64_t> reported_losses_;
};

}  // namespace nslookout::agent
