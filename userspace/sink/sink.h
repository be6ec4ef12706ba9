// Where events go: one interface, and one factory for each of the two ways to use it.
//
//   auto sink = sink::open_queued_sink("jsonl:/var/log/nslookout/events.jsonl");
//   (*sink)->write(event);   // never waits; what had no room is in (*sink)->status().lost
//
// Specifications (KIND[:TARGET][?KEY=VALUE[&KEY=VALUE]…]; a target therefore cannot hold a '?'):
//   stdout               JSON lines on standard output
//   jsonl:FILE           JSON lines, appended; a new file gets mode 0600; "-" is standard output
//   protobuf:FILE        length-delimited protobuf, appended; one writer at a time; "-" is standard output
//   unix:SOCKET          client of a stream socket that somebody listens on: JSON lines, or "?encoding=protobuf" frames
//   syslog:udp://HOST[:PORT], syslog:tcp://…, syslog:tls://…   RFC 5424 messages
//   journald[:SOCKET]    the journal, by its native protocol
//   otlp:URL             OpenTelemetry logs over HTTP
//   kafka:BROKERS/TOPIC  one message an event
// Options: format=native|ecs|ocsf where JSON is written, and those of docs/outputs.md.
//
// Invariants: an event is whole on the sink or not there; never is an event glued to a cut one. After trouble a sink
// stays usable: it picks up when space, the reader or the receiver is back, unless finished().
// Opening ignores SIGPIPE for the process where it still has its default, so that a reader's end is an error, not the
// agent's. Thread rule: one thread per sink, but for status() and reopen().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"
#include "event/event.h"

namespace nslookout::sink {

// Of one output since it was opened, for losses, metrics and status.
struct SinkStatus {
  std::string name;             // as given, without its options
  std::uint64_t delivered = 0;  // events
  std::uint64_t lost = 0;       // events that write() took and no longer reach the destination
  std::uint64_t waiting = 0;    // events in memory and in the spool
  std::uint64_t spool_octets = 0;
  std::string trouble = {};  // why the last try failed; empty: it did not
};

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  Sink(Sink&&) = delete;
  Sink& operator=(Sink&&) = delete;
  virtual ~Sink() = default;

  // An error (runtime) says what failed and what becomes of the sink; the event is then lost to it, and not counted in
  // status().lost.
  [[nodiscard]] virtual Result<void> write(const event::Event& event) = 0;

  // What write() accepted reaches its destination before this returns; an error where it does not in a reasonable time.
  [[nodiscard]] virtual Result<void> flush() = 0;

  // No later write can succeed: the reader of standard output has gone, say. Worth ending a run that has no other sink.
  [[nodiscard]] virtual bool finished() const = 0;

  // A file is to be opened anew, since it was renamed.
  virtual void reopen() {}

  // close() comes next: what waits between two tries is tried at once. So outputs that are closed one after the other all have
  // their time.
  virtual void hurry() {}

  // The last call: delivers what waits until the time is up. What is left then stays in the spool, or is lost.
  virtual void close(std::chrono::steady_clock::time_point /*until*/) {}

  [[nodiscard]] virtual SinkStatus status() const = 0;
};

// For one that has the time to wait for its readers: local outputs are written at once, by the caller's thread, and
// network outputs make write() wait where their queue is full.
// Errors: usage for a specification that names nothing known; runtime for a path that cannot be written, a socket that
// nobody listens on, a certificate that cannot be read. Each is one sentence with what to do. A receiver on the network
// that is not there is no error: what is for it waits.
[[nodiscard]] Result<std::unique_ptr<Sink>> open_sink(std::string_view spec);

// For the agent: every output has a bounded queue and a thread of its own, and write() never waits.
[[nodiscard]] Result<std::unique_ptr<Sink>> open_queued_sink(std::string_view spec);

}  // namespace nslookout::sink
