// What a program writes to systemd-resolved (varlink) or nscd, any octets: lookups with well-formed names, or counted as
// not read.
//
// Input: an octet that chooses between the two, then what the program wrote.
#include <algorithm>
#include <cstring>
#include <memory>

#include "base/dns_name.h"
#include "kernel/unix_request.h"
#include "octets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using namespace nslookout;
  using fuzz::require;
  fuzz::Octets input(octets, size);
  const auto request = std::make_unique<nsl_unix_request>();
  request->candidate.transport = (input.octet() & 1) != 0 ? NSL_NSCD : NSL_VARLINK;
  request->length = static_cast<nsl_u32>(input.rest().size());
  std::memcpy(request->octets, input.rest().data(), std::min<std::size_t>(input.rest().size(), NSL_REQUEST_MAX));
  const kernel::UnixLookups found = kernel::lookups_of(*request);
  const auto calls = static_cast<std::size_t>(std::ranges::count(input.rest(), '\0')) + 1;
  require(found.lookups.size() + found.unread <= calls, "no more lookups than calls");
  for (const nsl_candidate& lookup : found.lookups) {
    const std::string_view name(reinterpret_cast<const char*>(lookup.name), lookup.name_length);
    require(lookup.name_length <= max_name_octets && is_wire_name(name), "the name of a lookup is well formed");
    require(lookup.record_class == 1 && lookup.question_count == 1, "a lookup asks one question");
    require(lookup.transport == request->candidate.transport, "a lookup keeps what the kernel said of it");
  }
  return 0;
}
