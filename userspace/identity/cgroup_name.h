// Which container a cgroup is, by the names that runtimes give their cgroups.
//
// Understood (leaf or anywhere in a path; the innermost counts, so a container inside a container is itself):
//   docker-<id>.scope  libpod-<id>.scope  cri-containerd-<id>.scope  crio-<id>.scope      systemd's driver
//   /docker/<id>  /libpod_parent/libpod-<id>  …/pod<uid>/<id>  crio-<id>                  cgroupfs's driver
//   …:cri-containerd:<id>                                                                 runc without systemd
//   /buildkit/<id>  lxc.payload.<name>  /lxc/<name>
// <id> is 64 lower-case hexadecimal digits (25 of [0-9a-z] for buildkit). Monitors (libpod-conmon-…, crio-conmon-…) are
// not in the container and give nothing. Thread rule: any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace nslookout::identity {

struct ContainerName {
  std::string id;
  std::string runtime;  // as event.proto's Container.runtime; empty where the names do not tell

  friend bool operator==(const ContainerName&, const ContainerName&) = default;
};

[[nodiscard]] std::optional<ContainerName> container_of_cgroup(std::string_view path_or_leaf);

}  // namespace nslookout::identity
