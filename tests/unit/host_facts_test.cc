// kernel/host.h against trees of files that stand for other hosts.
#include "kernel/host.h"

#include <gtest/gtest.h>

#include "tests/unit/host_fake_tree.h"

namespace nslookout::kernel {
namespace {

using tests::FakeTree;

constexpr const char* hybrid_mounts =
    "31 23 0:28 / /sys/fs/cgroup rw,relatime shared:4 - tmpfs tmpfs rw,mode=755\n"
    "32 31 0:29 / /sys/fs/cgroup/cpu rw,relatime shared:5 - cgroup cgroup rw,cpu\n"
    "41 31 0:38 / /sys/fs/cgroup/unified rw,relatime shared:6 master:2 - cgroup2 cgroup2 rw,nsdelegate\n";

struct CgroupCase {
  const char* what;
  std::string mountinfo;
  std::vector<std::string> roots;  // directories that are the root cgroup
  std::vector<std::string> parts;  // directories that are a cgroup further down
  std::string expected;            // the mount point, or a part of the error's text
  bool found;
};

TEST(HostCgroup, RootCgroup2IsFoundFromTheMounts) {
  const std::vector<CgroupCase> cases = {
      {"cgroup2 only",
       "30 23 0:26 / /sys/fs/cgroup rw shared:9 - cgroup2 cgroup2 rw\n",
       {"/sys/fs/cgroup"},
       {},
       "/sys/fs/cgroup",
       true},
      {"hybrid", hybrid_mounts, {"/sys/fs/cgroup/unified"}, {}, "/sys/fs/cgroup/unified", true},
      {"v1 only", "32 31 0:29 / /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n", {}, {}, "mount it with", false},
      {"no mounts at all", "", {}, {}, "no cgroup2 file system is mounted", false},
      {"a space and a backslash in the path",
       "30 23 0:26 / /mnt/a\\040b\\134c rw - cgroup2 none rw\n",
       {"/mnt/a b\\c"},
       {},
       "/mnt/a b\\c",
       true},
      {"no optional fields, source of several kinds", "30 23 0:26 / /c rw - cgroup2 - rw\n", {"/c"}, {}, "/c", true},
      {"cgroup namespace: the root field is / all the same",
       "30 23 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
       {},
       {"/sys/fs/cgroup"},
       "--cgroupns=host",
       false},
      {"cgroup namespace, mounted from outside: the root field leads up",
       "30 23 0:26 /../../.. /sys/fs/cgroup rw - cgroup2 cgroup rw\n",
       {"/sys/fs/cgroup"},
       {},
       "/sys/fs/cgroup",
       true},
      {"bind mount of a part before the root itself",
       "29 23 0:26 /user.slice /part rw - cgroup2 cgroup2 rw\n30 23 0:26 / /whole rw - cgroup2 cgroup2 rw\n",
       {"/whole"},
       {"/part"},
       "/whole",
       true},
      {"bind mount of a part alone",
       "29 23 0:26 /user.slice /part rw - cgroup2 cgroup2 rw\n",
       {},
       {"/part"},
       "/part is not the root",
       false},
      {"a mount that another hides is passed over",
       "29 23 0:26 / /hidden rw - cgroup2 cgroup2 rw\n30 23 0:26 / /seen rw - cgroup2 cgroup2 rw\n",
       {"/seen"},
       {},
       "/seen",
       true},
      {"lines that are cut",
       "41\n41 31 0:38 /\n41 31 0:38 / /x rw\n41 31 0:38 / /x rw -\n",
       {"/x"},
       {},
       "no cgroup2 file system is mounted",
       false},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    FakeTree tree;
    tree.write("/proc/self/mountinfo", test.mountinfo);
    for (const auto& root : test.roots) tree.write(root + "/cgroup.controllers", "");
    for (const auto& part : test.parts) {
      tree.write(part + "/cgroup.controllers", "");
      tree.write(part + "/cgroup.events", "populated 1\n");
    }
    const auto found = Host(tree.root()).root_cgroup2();
    ASSERT_EQ(found.has_value(), test.found) << (found ? *found : found.error().message);
    if (found) {
      EXPECT_EQ(*found, test.expected);
    } else {
      EXPECT_EQ(found.error().kind, ErrorClass::unsupported);
      EXPECT_NE(found.error().message.find(test.expected), std::string::npos) << found.error().message;
    }
  }
}

TEST(HostCgroup, WithoutProcTheErrorNamesIt) {
  const FakeTree tree;
  const auto found = Host(tree.root()).root_cgroup2();
  ASSERT_FALSE(found);
  EXPECT_NE(found.error().message.find("/proc/self/mountinfo"), std::string::npos);
}

TEST(HostLockdown, IsTheWordInBrackets) {
  const std::vector<std::pair<const char*, Lockdown>> cases = {
      {"[none] integrity confidentiality\n", Lockdown::none},
      {"none [integrity] confidentiality\n", Lockdown::integrity},
      {"none integrity [confidentiality]\n", Lockdown::confidentiality},
      {"none integrity confidentiality\n", Lockdown::unknown},
      {"] [\n", Lockdown::unknown},
      {"", Lockdown::unknown},
  };
  for (const auto& [text, expected] : cases) {
    FakeTree tree;
    tree.write("/sys/kernel/security/lockdown", text);
    EXPECT_EQ(Host(tree.root()).lockdown(), expected) << text;
  }
}

TEST(HostLockdown, UnknownWithoutSecurityfsNoneWithoutTheModule) {
  FakeTree tree;
  EXPECT_EQ(Host(tree.root()).lockdown(), Lockdown::unknown);
  tree.write("/sys/kernel/security/lsm", "capability,apparmor");
  EXPECT_EQ(Host(tree.root()).lockdown(), Lockdown::none);
}

TEST(HostLsm, BpfIsAModuleOfItsOwnName) {
  const std::vector<std::pair<const char*, bool>> cases = {
      {"lockdown,capability,bpf", true}, {"bpf\n", true}, {"capability,bpfx,xbpf", false}, {"", false}};
  for (const auto& [text, expected] : cases) {
    FakeTree tree;
    tree.write("/sys/kernel/security/lsm", text);
    EXPECT_EQ(Host(tree.root()).has_bpf_lsm(), expected) << text;
  }
  const FakeTree empty;
  EXPECT_EQ(Host(empty.root()).has_bpf_lsm(), std::nullopt);
}

TEST(HostCapabilities, AreTheEffectiveOnes) {
  struct Case {
    const char* mask;
    std::vector<std::string> effective;
  };
  const std::vector<Case> cases = {
      {"0000000000000000", {}},
      {"000001ffffffffff", {"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN", "CAP_SYS_RESOURCE"}},
      {"000001fffeffffff", {"CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN", "CAP_SYS_ADMIN"}},
      {"0000008000000000", {"CAP_BPF"}},
      {"0000004000001000", {"CAP_PERFMON", "CAP_NET_ADMIN"}},
      {"0000000000200000", {"CAP_SYS_ADMIN"}},
  };
  for (const auto& test : cases) {
    FakeTree tree;
    tree.write("/proc/self/status",
               fmt::format("Name:\tx\nCapPrm:\t000001ffffffffff\nCapEff:\t{}\nCapBnd:\t0\n", test.mask));
    std::vector<std::string> effective;
    for (const auto& capability : Host(tree.root()).capabilities()) {
      if (capability.effective) effective.emplace_back(capability.name);
    }
    EXPECT_EQ(effective, test.effective) << test.mask;
  }
}

TEST(HostCapabilities, UnknownWhenUnreadable) {
  FakeTree tree;
  EXPECT_TRUE(Host(tree.root()).capabilities().empty());
  tree.write("/proc/self/status", "CapEff:\tzz\n");
  EXPECT_TRUE(Host(tree.root()).capabilities().empty());
}

TEST(HostNamespaces, InitialOnesAreKnownByTheirInode) {
  FakeTree tree;
  EXPECT_EQ(Host(tree.root()).in_initial_pid_namespace(), std::nullopt);
  tree.link("/proc/self/ns/pid", "pid:[4026531836]");
  tree.link("/proc/self/ns/user", "user:[4026531837]");
  EXPECT_EQ(Host(tree.root()).in_initial_pid_namespace(), true);
  EXPECT_EQ(Host(tree.root()).in_initial_user_namespace(), true);

  FakeTree container;
  container.link("/proc/self/ns/pid", "pid:[4026532201]");
  container.link("/proc/self/ns/user", "user:[4026532198]");
  EXPECT_EQ(Host(container.root()).in_initial_pid_namespace(), false);
  EXPECT_EQ(Host(container.root()).in_initial_user_namespace(), false);
}

TEST(HostNumbers, ReleaseSysctlsBtfAndMemlock) {
  FakeTree tree;
  const Host host(tree.root());
  EXPECT_EQ(host.kernel_release(), std::nullopt);
  EXPECT_EQ(host.perf_event_paranoid(), std::nullopt);
  EXPECT_EQ(host.memlock().kind, MemlockKind::unknown);
  EXPECT_FALSE(host.has_btf());

  tree.write("/proc/sys/kernel/osrelease", "6.1.0-30-cloud-amd64\n");
  tree.write("/proc/sys/kernel/perf_event_paranoid", "-1\n");
  tree.write("/proc/sys/kernel/unprivileged_bpf_disabled", "2\n");
  tree.write("/sys/kernel/btf/vmlinux", "");
  tree.write("/proc/self/limits",
             "Limit                     Soft Limit           Hard Limit           Units     \n"
             "Max locked memory         8388608              unlimited            bytes     \n");
  EXPECT_EQ(host.kernel_release(), "6.1.0-30-cloud-amd64");
  EXPECT_EQ(host.perf_event_paranoid(), -1);
  EXPECT_EQ(host.unprivileged_bpf_disabled(), 2);
  EXPECT_TRUE(host.has_btf());
  EXPECT_EQ(host.memlock().kind, MemlockKind::limited);
  EXPECT_EQ(host.memlock().octets, 8388608u);

  tree.write("/proc/self/limits", "Max locked memory         unlimited            unlimited            bytes     \n");
  EXPECT_EQ(host.memlock().kind, MemlockKind::unlimited);
}

TEST(HostReal, ThisHostHasTheFactsThatEveryLinuxHas) {
  const Host host;
  EXPECT_TRUE(host.kernel_release());
  EXPECT_FALSE(host.capabilities().empty());
  EXPECT_NE(host.memlock().kind, MemlockKind::unknown);
  EXPECT_TRUE(host.in_initial_pid_namespace());
}

}  // namespace
}  // namespace nslookout::kernel
