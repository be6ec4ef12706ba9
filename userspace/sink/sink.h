// Where events go: one interface, one factory.
//
//   auto sink = sink::open_sink("jsonl:/var/log/nslookout/events.jsonl");
//   if (auto written = (*sink)->write(event); !written) { count the event as lost at stage "sink" }
//
// Specifications (an optional "?format=native" may follow; a path therefore cannot hold a '?'):
//   stdout         JSON lines on standard output
//   jsonl:FILE     JSON lines, appended; a new file gets mode 0600; "-" is standard output
//   protobuf:FILE  length-delimited protobuf, appended; one writer at a time; "-" is standard output
//   unix:SOCKET    client of a stream socket that somebody listens on: JSON lines, or with "?encoding=protobuf" frames
//
// Invariants: an event is whole on the sink or reported as an error by write(); never is an event glued to a cut one.
// After an error the sink stays usable: it picks up when space, the reader or the socket is back, unless finished().
// Nothing is buffered: what write() accepted has been handed to the kernel.
// open_sink ignores SIGPIPE for the process where it still has its default, so that a reader's end is an error, not the
// agent's. Thread rule: one thread per sink.
#pragma once

#include <memory>
#include <string_view>

#include "base/result.h"
#include "event/event.h"

namespace nslookout::sink {

class Sink {
 public:
  Sink() = default;
  Sink(const Sink&) = delete;
  Sink& operator=(const Sink&) = delete;
  Sink(Sink&&) = delete;
  Sink& operator=(Sink&&) = delete;
  virtual ~Sink() = default;

  // An error (runtime) says what failed and what becomes of the sink; the event is then lost to it.
  [[nodiscard]] virtual Result<void> write(const event::Event& event) = 0;

  // What write() accepted reaches its destination before this returns.
  [[nodiscard]] virtual Result<void> flush() = 0;

  // No later write can succeed: the reader of standard output has gone, say. Worth ending a run that has no other sink.
  [[nodiscard]] virtual bool finished() const = 0;
};

// Errors: usage for a specification that names nothing known; runtime for a path that cannot be written or a socket
// that nobody listens on. Each is one sentence with what to do.
[[nodiscard]] Result<std::unique_ptr<Sink>> open_sink(std::string_view spec);

}  // namespace nslookout::sink
