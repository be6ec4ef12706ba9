// What a host with `--allow-only` needs to look up for itself, and the list may have forgotten: the servers of the agent's own
// outputs, and the service that the CI job reports to. Others cannot be known: package registries are the job's.
//
// Sources: the options, and the variables by which CI systems name their service (each system's documentation of predefined
// variables). Thread rule: pure, but for `environment`.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "compile/blocking.h"

namespace nslookout::agent {

struct Need {
  std::string name;  // presentation form, lower case
  std::string whose;

  bool operator==(const Need&) const = default;
};

// The value of a variable; nullptr: it is not set.
using Environment = std::function<const char*(const char* name)>;

// The variables that are read.
[[nodiscard]] std::vector<std::string_view> service_variables();

// Each name once. Addresses, and names without a dot, which are looked up in files or with a search suffix, are none.
[[nodiscard]] std::vector<Need> needs_of(const std::vector<std::string>& outputs, const std::string& kubelet_url,
                                         const Environment& environment);

struct RunningResolver {
  std::string name;
  std::uint32_t pid = 0;

  bool operator==(const RunningResolver&) const = default;
};

// Programs on this host that are known to ask name servers themselves. They need the names of servers and, with QNAME
// minimisation (RFC 9156), names shorter than the one looked up, which no list of what is looked up has. Ordered by pid.
[[nodiscard]] std::vector<RunningResolver> recursing_resolvers(const std::string& proc_root);

// Those that would be blocked.
[[nodiscard]] std::vector<Need> not_allowed(const compile::Blocking& blocking, std::vector<Need> needs);

}  // namespace nslookout::agent
