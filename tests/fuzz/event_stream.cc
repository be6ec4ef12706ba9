// Any octets as a stream of events: decoded or refused; what decodes survives another encoding, and its JSON is one line.
#include <sys/mman.h>
#include <unistd.h>

#include "base/fd.h"
#include "event/codec.h"
#include "octets.h"
#include "sink/frame.h"

namespace {

using nslookout::fuzz::require;

nslookout::Result<void> check(const nslookout::event::Event& event) {
  const auto octets = nslookout::event::to_protobuf(event);
  require(octets.has_value(), "an event that was decoded can be encoded");
  const auto again = nslookout::event::from_protobuf(*octets);
  require(again.has_value(), "an event that was encoded can be decoded");
  require(nslookout::event::to_protobuf(*again) == *octets, "an event is the same after another encoding");
  const auto line = nslookout::event::to_json_line(event);
  for (const char character : line) {
    require(static_cast<unsigned char>(character) >= 0x20, "a line of JSON has no control character");
  }
  return {};
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  const nslookout::Fd file(memfd_create("events", MFD_CLOEXEC));
  require(file.valid() && write(file.get(), octets, size) == static_cast<ssize_t>(size) &&
              lseek(file.get(), 0, SEEK_SET) == 0,
          "a file in memory");
  (void)nslookout::sink::decode_stream(file.get(), check);
  return 0;
}
