// Any octets as a stream of events: decoded or refused; what decodes survives another encoding, and its JSON is one line.
#include "events.h"
#include "memory_file.h"
#include "octets.h"
#include "sink/frame.h"

namespace {

using nslookout::fuzz::require;

nslookout::Result<void> check(const nslookout::event::Event& event) {
  (void)nslookout::fuzz::require_whole(event);
  const auto octets = *nslookout::event::to_protobuf(event);
  const auto again = *nslookout::event::from_protobuf(octets);
  require(nslookout::event::to_protobuf(again) == octets, "an event is the same after another encoding");
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const nslookout::fuzz::MemoryFile file({reinterpret_cast<const char*>(octets), size});
  (void)nslookout::sink::decode_stream(file.get(), check);
  return 0;
}
