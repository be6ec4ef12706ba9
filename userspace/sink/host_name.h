// The name of this host, for outputs whose messages have to carry one.
// Thread rule: any thread.
#pragma once

#include <string>

namespace nslookout::sink {

[[nodiscard]] std::string host_name();

}  // namespace nslookout::sink
