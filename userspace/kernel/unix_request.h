// What a program asks of a resolver over its Unix socket, read out of the octets it wrote.
//
// varlink: JSON objects, each closed by a zero octet (the methods ResolveHostname, ResolveAddress, ResolveRecord and
// ResolveService of io.systemd.Resolve). nscd: a header of three 32-bit numbers (version, type, octets of the key) and the
// key, as glibc writes it. A request that does not come whole in one send is not read.
// The octets are anybody's: nothing in them is trusted, and what is no request is none.
// Thread rule: any thread.
#pragma once

#include <vector>

#include "bpf/abi.h"

namespace nslookout::kernel {

struct UnixLookups {
  // The request's candidate with the question filled in: name, record_type (0: addresses of both kinds), record_class.
  std::vector<nsl_candidate> lookups;
  std::size_t unread = 0;  // requests that could be a lookup and could not be read
};

[[nodiscard]] UnixLookups lookups_of(const nsl_unix_request& request);

}  // namespace nslookout::kernel
