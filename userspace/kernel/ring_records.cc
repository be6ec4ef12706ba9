#include "kernel/ring_records.h"

#include "kernel/unix_request.h"

namespace nslookout::kernel {

std::size_t take_candidates(std::string_view record, const CandidateHandler& handler) {
  if (record.size() < sizeof(nsl_candidate)) return 0;
  if (record.size() < sizeof(nsl_unix_request)) {
    handler(*reinterpret_cast<const nsl_candidate*>(record.data()));
    return 0;
  }
  const UnixLookups found = lookups_of(*reinterpret_cast<const nsl_unix_request*>(record.data()));
  for (const nsl_candidate& lookup : found.lookups) handler(lookup);
  return found.unread;
}

void take_response(std::string_view record, const ResponseHandler& handler) {
  if (record.size() < sizeof(nsl_response)) return;
  const auto& response = *reinterpret_cast<const nsl_response*>(record.data());
  handler(response, record.substr(sizeof response, response.length));
}

void take_bypass(std::string_view record, const BypassHandler& handler) {
  if (record.size() >= sizeof(nsl_bypass)) handler(*reinterpret_cast<const nsl_bypass*>(record.data()));
}

}  // namespace nslookout::kernel
