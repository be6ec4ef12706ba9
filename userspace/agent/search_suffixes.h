// The search suffixes that resolvers of this host append to names (base/search_suffix.h): of the configuration, of the
// host, and of one process.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "base/search_suffix.h"
#include "bpf/abi.h"

namespace nslookout::agent {

// Where to look. The defaults are those of a host.
struct ResolverFiles {
  std::string resolv_conf = "/etc/resolv.conf";
  std::string kubelet_config = "/var/lib/kubelet/config.yaml";
  std::string proc = "/proc";
  bool in_pod = false;  // the agent itself runs in one
};

[[nodiscard]] ResolverFiles resolver_files_of_host();

// The search list of the agent's resolv.conf and, on a node of Kubernetes, what pods have: "*.svc.DOMAIN", "svc.DOMAIN" and
// "DOMAIN", for any namespace. A node is known by its kubelet's configuration, by a search list of a pod, or by being in_pod;
// the domain is the one of the configuration or of the search list, else cluster.local. Files that are missing say nothing.
[[nodiscard]] std::vector<SearchSuffix> search_suffixes_of_host(const ResolverFiles& files);

// Each of the values is a suffix, "auto" (those of the host) or "none". Each suffix once. Error: usage.
[[nodiscard]] Result<std::vector<SearchSuffix>> search_suffixes_of(const std::vector<std::string>& values,
                                                                   const ResolverFiles& files);

// The search lists of processes whose files are not the agent's: those in containers. Kept for some seconds by mount namespace and
// cgroup, since a container's processes share these, and the number of a namespace is given out anew when it has ended; forgotten
// all at once when there are too many. A process that has ended has none, and
// neither has one in the agent's own namespace. Lookups that a process had made before it was looked at share that look. A file
// larger than 64 KiB counts as empty. Thread rule: one thread.
class SenderSearchSuffixes {
 public:
  // lifetime: what was read is read anew after that.
  explicit SenderSearchSuffixes(std::string proc = "/proc", std::size_t capacity = 1024,
                                std::chrono::nanoseconds lifetime = std::chrono::seconds{10});

  // boottime: of the lookup, nanoseconds since boot.
  [[nodiscard]] const std::vector<SearchSuffix>& of(const nsl_sender& sender, std::uint64_t boottime);
  [[nodiscard]] std::size_t size() const { return kept_.size(); }

 private:
  using Container = std::pair<std::string, std::uint64_t>;  // its mount namespace and cgroup
  struct Kept {
    std::vector<SearchSuffix> suffixes;
    std::uint64_t until = 0;  // ns since boot
  };

  [[nodiscard]] bool is_last(const nsl_sender& sender) const;
  [[nodiscard]] std::string mount_namespace(const std::string& process) const;

  std::string proc_;
  std::size_t capacity_;
  std::string own_namespace_;
  std::chrono::nanoseconds lifetime_;
  nsl_sender last_{};            // a process asks several times in a row
  std::uint64_t last_look_ = 0;  // before it, ns since boot
  const Kept* of_last_ = nullptr;
  std::map<Container, Kept> kept_;
};

}  // namespace nslookout::agent
