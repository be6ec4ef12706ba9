// The name of this host, the same in events, in the headers of outputs and as their partition key.
// Thread rule: any thread.
#pragma once

#include <string>

namespace nslookout {

// NODE_NAME of the environment, which a pod's manifest gives: its own host name says nothing. Else nodename of uname(2).
[[nodiscard]] std::string host_name();

}  // namespace nslookout
