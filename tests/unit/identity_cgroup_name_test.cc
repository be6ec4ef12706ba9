#include <gtest/gtest.h>

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "identity/cgroup_name.h"

namespace nslookout::identity {
namespace {

const std::string id = "4f1c3a9b0d2e5f6a7b8c9d0e1f2a3b4c5d6e7f8091a2b3c4d5e6f708192a3b4c";
const std::string outer = "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff";
const std::string pod = "pod3f0c1b5e_5f0e_4b0a_9b0e_1234567890ab";

struct CgroupCase {
  std::string cgroup;
  std::string runtime;
  std::string found;  // the id; empty: not a container
};

TEST(CgroupName, TellsTheContainer) {
  const CgroupCase cases[] = {
      // leaves, as the kernel's process table has them
      {"docker-" + id + ".scope", "docker", id},
      {"libpod-" + id + ".scope", "podman", id},
      {"cri-containerd-" + id + ".scope", "containerd", id},
      {"crio-" + id + ".scope", "cri-o", id},
      {"crio-" + id, "cri-o", id},
      {id, "", id},
      {"lxc.payload.web1", "lxc", "web1"},
      {"nerdctl-" + id + ".scope", "containerd", id},
      {"system.slice:docker:" + id, "docker", id},
      {"machine.slice:libpod:" + id, "podman", id},
      {"kubepods-besteffort-" + pod + ".slice:cri-containerd:" + id, "containerd", id},
      // paths
      {"/system.slice/docker-" + id + ".scope", "docker", id},
      {"/docker/" + id, "docker", id},
      {"/docker/" + id + "/init.scope", "docker", id},
      {"/machine.slice/libpod-" + id + ".scope/container", "podman", id},
      {"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" + id + ".scope/container", "podman", id},
      {"/libpod_parent/libpod-" + id, "podman", id},
      {"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" + pod + ".slice/cri-containerd-" + id + ".scope",
       "containerd", id},
      {"/kubepods.slice/kubepods-" + pod + ".slice/crio-" + id + ".scope/container", "cri-o", id},
      {"/kubepods/besteffort/" + pod + "/" + id, "", id},
      {"/../../docker/" + id, "docker", id},
      {"/kubepods/" + pod + "/crio-" + id, "cri-o", id},
      {"/kubepods.slice/kubepods-" + pod + ".slice/docker-" + id + ".scope", "docker", id},  // cri-dockerd
      {"/k8s.io/" + id, "containerd", id},
      {"/actions_job/" + id, "", id},
      {"/ecs/0f9a/" + id, "", id},
      {"/libpod_parent/" + outer + "/libpod-" + id, "podman", id},  // in a pod of podman
      {"/machine.slice/machine-libpod_pod_" + outer + ".slice/libpod-" + id + ".scope", "podman", id},
      {"/machine.slice/systemd-nspawn@web\\x2d1.service/payload", "systemd-nspawn", "web-1"},
      {"/machine.slice/systemd-nspawn@web.service/payload/system.slice/nginx.service", "systemd-nspawn", "web"},
      {"/machine.slice/machine-web\\x2d1.scope/payload/init.scope", "systemd-nspawn", "web-1"},
      {"/lxc.payload/web1/system.slice", "lxc", "web1"},
      {"/lxc.payload.web1/init.scope", "lxc", "web1"},
      {"/lxc/web1", "lxc", "web1"},
      {"/docker/buildkit/abcdefghij0123456789klmno", "buildkit", "abcdefghij0123456789klmno"},
      // kind: a node is a container, the pod's container is in it
      {"/docker/" + outer + "/kubelet.slice/kubelet-kubepods.slice/cri-containerd-" + id + ".scope", "containerd", id},
      // docker in docker, containerd in docker, docker in a system container
      {"/docker/" + outer + "/docker/" + id, "docker", id},
      {"/system.slice/docker-" + outer + ".scope/k8s.io/" + id, "containerd", id},
      {"/system.slice/docker-" + outer + ".scope/system.slice/ssh.service", "docker", outer},
      {"/lxc.payload.host1/system.slice/docker-" + id + ".scope", "docker", id},
      // not containers
      {"", "", ""},
      {"/", "", ""},
      {"/user.slice/user-1000.slice/session-3.scope", "", ""},
      {"/system.slice/docker.service", "", ""},
      {"libpod-conmon-" + id + ".scope", "", ""},
      {"crio-conmon-" + id + ".scope", "", ""},
      {"docker-" + id.substr(1) + ".scope", "", ""},
      {"docker-" + id + "0.scope", "", ""},
      {"docker-" + id.substr(0, 63) + "G.scope", "", ""},
      {"/process_api/016451141ccddf639fb349305832aea4", "", ""},
      {"lxc.payload.", "", ""},
      {"/lxc.monitor.web1", "", ""},
      {"/libpod_parent/" + outer + "/conmon", "", ""},
      {"/machine.slice/machine-libpod_pod_" + outer + ".slice", "", ""},
      {"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope/libvirt/emulator", "", ""},
      {"/machine.slice/systemd-nspawn@.service", "", ""},
      {"/foo-" + id + ".scope", "", ""},
      {"payload", "", ""},
      {"/buildkit/short", "", ""},
  };
  for (const CgroupCase& wanted : cases) {
    const auto name = container_of_cgroup(wanted.cgroup);
    ASSERT_EQ(name.has_value(), !wanted.found.empty()) << wanted.cgroup;
    if (!name) continue;
    EXPECT_EQ(name->id, wanted.found) << wanted.cgroup;
    EXPECT_EQ(name->runtime, wanted.runtime) << wanted.cgroup;
  }
}

TEST(CgroupName, TellsWhoseWordItIs) {
  const std::string scope = "/docker-" + id + ".scope";
  const std::string manager = "/user.slice/user-1000.slice/user@1000.service";
  const std::pair<std::string, std::optional<std::uint32_t>> cases[] = {
      {"/system.slice" + scope, std::nullopt},
      {scope, std::nullopt},
      {manager + "/app.slice" + scope, 1000U},
      {manager + "/user.slice/user@0.service" + scope, 1000U},  // a folder that the user made
      {"/user.slice/user-1000.slice/session-3.scope" + scope, std::nullopt},
      {"/user@x.service" + scope, std::nullopt},
      {"/system.slice" + scope + manager + "/app.slice", std::nullopt},  // users of the container
  };
  for (const auto& [cgroup, user] : cases) {
    const auto name = container_of_cgroup(cgroup);
    ASSERT_TRUE(name) << cgroup;
    EXPECT_EQ(name->user, user) << cgroup;
  }
}

TEST(CgroupName, TellsThePod) {
  const std::string uid = "3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab";
  const std::string with_underscores = "3f0c1b5e_5f0e_4b0a_9b0e_1234567890ab";
  const std::string of_static_pod = "0123456789abcdef0123456789abcdef";
  const std::pair<std::string, std::string> cases[] = {
      {"/kubepods/besteffort/pod" + uid + "/" + id, uid},
      {"/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-pod" + with_underscores +
           ".slice/cri-containerd-" + id + ".scope",
       uid},
      {"/kubepods.slice/kubepods-pod" + of_static_pod + ".slice/crio-" + id + ".scope/container", of_static_pod},
      {"kubepods-burstable-pod" + with_underscores + ".slice:cri-containerd:" + id, uid},
      // kind: the node's kubelet has its own root
      {"/docker/" + outer + "/kubelet/kubepods/pod" + uid + "/" + id, uid},
      {"/kubelet.slice/kubelet-kubepods-burstable-pod" + with_underscores + ".slice/cri-containerd-" + id + ".scope",
       uid},
      // not pods of Kubernetes
      {"", ""},
      {"/docker/" + id, ""},
      {"/libpod_parent/libpod-" + id, ""},
      {"/machine.slice/machine-libpod_pod_" + outer + ".slice/libpod-" + id + ".scope", ""},
      // a user's own folder of that name
      {"/user.slice/user-1000.slice/user@1000.service/kubepods-pod" + with_underscores + ".slice/crio-" + id + ".scope",
       ""},
      {"/podinfo.service", ""},
      {"/pod" + uid.substr(1), ""},
      {"/kubepods.slice", ""},
  };
  for (const auto& [cgroup, wanted] : cases) EXPECT_EQ(pod_uid_of_cgroup(cgroup), wanted) << cgroup;
}

}  // namespace
}  // namespace nslookout::identity
