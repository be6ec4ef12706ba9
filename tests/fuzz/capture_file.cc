// Any octets as a capture: opened or refused, read to an end or to the damage, and dissected.
#include "capture/capture_file.h"

#include "dissected.h"
#include "memory_file.h"
#include "octets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using namespace nslookout;
  using fuzz::require;
  const fuzz::MemoryFile memory({reinterpret_cast<const char*>(octets), size});
  auto file = capture::CaptureFile::open(memory.path());
  if (!file) {
    require(!file.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  capture::Dissector dissector({}, fuzz::require_lookup, fuzz::require_message);
  std::uint64_t packets = 0;
  while (true) {
    const auto frame = file->next();
    if (!frame || !*frame) break;
    require(++packets <= size, "no more packets than octets");
    require((*frame)->octets.size() <= std::max((*frame)->original_length, size), "a packet is of the file");
    require((*frame)->octets.size() <= (*frame)->original_length, "no more of a packet than there was");
    dissector.take(**frame);
  }
  dissector.finish();
  fuzz::require_counted(dissector.counts(), packets);
  return 0;
}
