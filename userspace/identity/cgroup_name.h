// Which container a cgroup is, by the names that runtimes give their cgroups.
//
// Understood, in a path or as a leaf alone, on every version of cgroups:
//   docker-<id>.scope  libpod-<id>.scope  cri-containerd-<id>.scope  nerdctl-<id>.scope  crio-<id>.scope   systemd's driver
//   /docker/<id>  /libpod_parent/libpod-<id>  /k8s.io/<id>  …/pod<uid>/<id>  …/pod<uid>/crio-<id>  cgroupfs's driver
//   <slice>:cri-containerd:<id>  <slice>:docker:<id> …                                             runc without systemd
//   /buildkit/<id>  lxc.payload.<name>  lxc.payload/<name>  /lxc/<name>
//   systemd-nspawn@<name>.service  machine-<name>.scope/payload
// <id> is 64 lower-case hexadecimal digits (25 of [0-9a-z] for buildkit); <name> is unescaped as systemd.unit(5) says.
//
// The innermost container counts: in a pod of kind, the pod's container and not the node's; of docker in docker, the
// inner one. Monitors (libpod-conmon-…, crio-conmon-…, lxc.monitor.…) and the pods of podman, in whose cgroup only its
// monitors are, are no containers; nor are virtual machines (machine-qemu…). Thread rule: any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace nslookout::identity {

struct ContainerName {
  std::string id;
  std::string runtime;  // as event.proto's Container.runtime; empty where the names do not tell
  // The user whose manager (user@UID.service) the cgroup is below, and who can thus give it any name: the id is that user's word.
  std::optional<std::uint32_t> user = {};

  friend bool operator==(const ContainerName&, const ContainerName&) = default;
};

[[nodiscard]] std::optional<ContainerName> container_of_cgroup(std::string_view path_or_leaf);

// The uid of the Kubernetes pod that the cgroup is in, with dashes: of "pod<uid>" and "kubepods-…-pod<uid>.slice". That
// of a static pod is 32 hexadecimal digits. Empty where there is none, and below a user's manager.
[[nodiscard]] std::string pod_uid_of_cgroup(std::string_view path);

}  // namespace nslookout::identity
