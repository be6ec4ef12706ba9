// Any octets as a file of events (`match`, `diff`, `report` read them): read, or lines are counted as bad; an event that was
// read is the same after another writing.
#include "events.h"
#include "inventory/read_events.h"
#include "memory_file.h"
#include "octets.h"

namespace {

using nslookout::fuzz::require;

nslookout::Result<void> check(const nslookout::event::Event& event) {
  const auto again = nslookout::event::from_json_line(nslookout::fuzz::require_whole(event));
  require(again.has_value(), "a line that was written can be read");
  require(*nslookout::event::to_protobuf(*again) == *nslookout::event::to_protobuf(event),
          "an event is the same after another writing");
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const nslookout::fuzz::MemoryFile file({reinterpret_cast<const char*>(octets), size});
  std::uint64_t seen = 0;
  const auto outcome = nslookout::inventory::read_events(file.get(), "fuzzed", [&](const auto& event) {
    ++seen;
    return check(event);
  });
  if (!outcome) {
    require(seen == 0 && outcome.error().kind == nslookout::ErrorClass::invalid,
            "what has an event is a file of events");
    return 0;
  }
  require(outcome->events == seen, "every event is counted");
  require((outcome->bad == 0) == !outcome->first_bad, "a bad line has a reason");
  return 0;
}
