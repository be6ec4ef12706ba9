#include <gtest/gtest.h>

#include <string>

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
      {"/lxc/web1", "lxc", "web1"},
      {"/docker/buildkit/abcdefghij0123456789klmno", "buildkit", "abcdefghij0123456789klmno"},
      // kind: a node is a container, the pod's container is in it
      {"/docker/" + outer + "/kubelet.slice/kubelet-kubepods.slice/cri-containerd-" + id + ".scope", "containerd", id},
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

}  // namespace
}  // namespace nslookout::identity
