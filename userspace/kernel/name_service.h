// What the C library's resolver does on this host: the hosts line of /etc/nsswitch.conf, and nscd's part in it.
// Sources: nsswitch.conf(5), nscd.conf(5). Thread rule: any thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "kernel/host.h"

namespace nslookout::kernel {

// A source of the hosts line, and the [actions] behind it as they stand there.
struct HostsSource {
  std::string name;
  std::string actions;
};

// In order; of the last hosts line.
[[nodiscard]] std::vector<HostsSource> hosts_sources(const Host& host);

// Whether a lookup ends with this source when it has that status ("UNAVAIL", "NOTFOUND").
[[nodiscard]] bool ends_with(const HostsSource& source, std::string_view status);

// Whether a program whose `resolve` is not available asks by DNS itself: false where no `resolve` is listed.
[[nodiscard]] bool dns_stands_in_for_resolve(const Host& host);

// Whether /etc/nscd.conf says that nscd leaves host names alone.
[[nodiscard]] bool nscd_skips_hosts(const Host& host);

}  // namespace nslookout::kernel
