// kernel/doctor.h: which blind spots the configuration of a (fake) host shows.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "kernel/doctor.h"
#include "tests/unit/host_fake_tree.h"

namespace nslookout::kernel {
namespace {

using tests::FakeTree;

using Files = std::map<std::string, std::string>;

FakeTree& fill(FakeTree& tree, const Files& files) {
  for (const auto& [path, content] : files) tree.write(path, content);
  return tree;
}

std::vector<std::string> found_ids(const std::vector<BlindSpot>& spots) {
  std::vector<std::string> ids;
  for (const auto& spot : spots) {
    if (spot.certainty == Certainty::found) ids.push_back(spot.id);
  }
  return ids;
}

struct SourcesCase {
  std::string nsswitch;
  std::vector<std::string> sources;
};

TEST(DoctorNsswitch, HostsSources) {
  const std::vector<SourcesCase> cases = {
      {"", {}},
      {"passwd: files resolve\n", {}},
      {"hosts: files dns\n", {"files", "dns"}},
      {"hosts:files dns", {"files", "dns"}},
      {"  hosts :\tfiles\tdns  # resolve\n", {"files", "dns"}},
      {"# hosts: resolve\nhosts: dns\n", {"dns"}},
      {"hosts: mymachines resolve [!UNAVAIL=return] files dns\n", {"mymachines", "resolve", "files", "dns"}},
      {"hosts: resolve[!UNAVAIL=return]dns\n", {"resolve", "dns"}},
      {"hosts: files [NOTFOUND=return SUCCESS=continue] dns\n", {"files", "dns"}},
      {"hosts: files\nhosts: dns\n", {"dns"}},
  };
  for (const auto& test : cases) {
    FakeTree tree;
    tree.write("/etc/nsswitch.conf", test.nsswitch);
    EXPECT_EQ(nss_hosts_sources(Host(tree.root())), test.sources) << test.nsswitch;
  }
}

struct TlsCase {
  const char* what;
  Files files;
  std::string value;  // empty: not set
  std::string file;
};

TEST(DoctorResolved, DnsOverTlsOfConfigurationAndDropIns) {
  const std::vector<TlsCase> cases = {
      {"no file", {}, "", ""},
      {"commented out", {{"/etc/systemd/resolved.conf", "[Resolve]\n#DNSOverTLS=yes\n"}}, "", ""},
      {"main file",
       {{"/etc/systemd/resolved.conf", "[Resolve]\nDNSOverTLS=opportunistic\n"}},
       "opportunistic",
       "/etc/systemd/resolved.conf"},
      {"truth values have several names",
       {{"/etc/systemd/resolved.conf", "[Resolve]\n DNSOverTLS = On \n"}},
       "yes",
       "/etc/systemd/resolved.conf"},
      {"another section", {{"/etc/systemd/resolved.conf", "[Other]\nDNSOverTLS=yes\n[Resolve]\n"}}, "", ""},
      {"a drop-in wins over the main file",
       {{"/etc/systemd/resolved.conf", "[Resolve]\nDNSOverTLS=no\n"},
        {"/usr/lib/systemd/resolved.conf.d/10-tls.conf", "[Resolve]\nDNSOverTLS=yes\n"}},
       "yes",
       "/usr/lib/systemd/resolved.conf.d/10-tls.conf"},
      {"the last drop-in by name wins, whatever its folder",
       {{"/etc/systemd/resolved.conf.d/10.conf", "[Resolve]\nDNSOverTLS=yes\n"},
        {"/run/systemd/resolved.conf.d/20.conf", "[Resolve]\nDNSOverTLS=no\n"}},
       "no",
       "/run/systemd/resolved.conf.d/20.conf"},
      {"/etc hides a drop-in of the same name",
       {{"/etc/systemd/resolved.conf.d/10.conf", "[Resolve]\n"},
        {"/run/systemd/resolved.conf.d/10.conf", "[Resolve]\nDNSOverTLS=yes\n"}},
       "",
       ""},
      {"only .conf counts", {{"/etc/systemd/resolved.conf.d/10.conf.off", "[Resolve]\nDNSOverTLS=yes\n"}}, "", ""},
      {"an empty value takes it back",
       {{"/etc/systemd/resolved.conf", "[Resolve]\nDNSOverTLS=yes\n"},
        {"/etc/systemd/resolved.conf.d/10.conf", "[Resolve]\nDNSOverTLS=\n"}},
       "",
       ""},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    FakeTree tree;
    const auto tls = resolved_dns_over_tls(Host(fill(tree, test.files).root()));
    EXPECT_EQ(tls ? tls->value : "", test.value);
    EXPECT_EQ(tls ? tls->file : "", test.file);
  }
}

struct SpotCase {
  const char* what;
  Files files;
  std::vector<std::string> found;
};

TEST(DoctorBlindSpots, FoundOnesComeFromTheFilesOfTheHost) {
  const std::string packet_heading = "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n";
  const std::vector<SpotCase> cases = {
      {"a plain host",
       {{"/etc/nsswitch.conf", "hosts: files dns\n"}, {"/etc/resolv.conf", "nameserver 192.0.2.1\n"}},
       {}},
      {"no files at all", {}, {}},
      {"nss-resolve", {{"/etc/nsswitch.conf", "hosts: files resolve [!UNAVAIL=return] dns\n"}}, {"nss-resolve"}},
      {"a name that only contains resolve", {{"/etc/nsswitch.conf", "hosts: files resolvex\n"}}, {}},
      {"mdns and sss",
       {{"/etc/nsswitch.conf", "hosts: files mdns4_minimal [NOTFOUND=return] dns sss\n"}},
       {"nss-mdns", "nss-sss"}},
      {"nscd", {{"/run/nscd/socket", ""}}, {"nscd"}},
      {"nscd at its old place", {{"/var/run/nscd/socket", ""}}, {"nscd"}},
      {"nscd at both places is one", {{"/run/nscd/socket", ""}, {"/var/run/nscd/socket", ""}}, {"nscd"}},
      {"nscd that leaves hosts alone",
       {{"/run/nscd/socket", ""}, {"/etc/nscd.conf", "enable-cache passwd yes\n\tenable-cache\thosts\tno # x\n"}},
       {}},
      {"nscd.conf with the line commented out",
       {{"/run/nscd/socket", ""}, {"/etc/nscd.conf", "# enable-cache hosts no\n"}},
       {"nscd"}},
      {"resolved's socket", {{"/run/systemd/resolve/io.systemd.Resolve", ""}}, {"resolved-varlink"}},
      {"DNS over TLS", {{"/etc/systemd/resolved.conf", "[Resolve]\nDNSOverTLS=yes\n"}}, {"resolved-tls"}},
      {"DNS over TLS switched off", {{"/etc/systemd/resolved.conf", "[Resolve]\nDNSOverTLS=no\n"}}, {}},
      {"the stub", {{"/etc/resolv.conf", "# x\nnameserver 127.0.0.53\noptions edns0\n"}}, {"local-forwarder"}},
      {"another forwarder", {{"/etc/resolv.conf", "nameserver ::1\n"}}, {"local-forwarder"}},
      {"a comment is no nameserver", {{"/etc/resolv.conf", "#nameserver 127.0.0.53\n"}}, {}},
      {"node-local cache by nameserver", {{"/etc/resolv.conf", "nameserver 169.254.20.10\n"}}, {"node-local-dns"}},
      {"node-local cache by interface", {{"/sys/class/net/nodelocaldns/address", ""}}, {"node-local-dns"}},
      {"node-local cache by address",
       {{"/proc/net/fib_trie", "Local:\n  |-- 169.254.20.10\n     /32 host LOCAL\n"}},
       {"node-local-dns"}},
      {"an address that begins alike", {{"/proc/net/fib_trie", "  |-- 169.254.20.101\n"}}, {}},
      {"no packet socket", {{"/proc/net/packet", packet_heading}}, {}},
      {"a packet socket", {{"/proc/net/packet", packet_heading + "0000 3 3 0003 2 1 0 0 1234\n"}}, {"packet-sockets"}},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    FakeTree tree;
    EXPECT_EQ(found_ids(find_blind_spots(Host(fill(tree, test.files).root()))), test.found);
  }
}

TEST(DoctorBlindSpots, WhereTheClientsOfUnixSocketsAreSeenLessIsHidden) {
  const std::vector<SpotCase> cases = {
      {"nss-resolve", {{"/etc/nsswitch.conf", "hosts: files resolve [!UNAVAIL=return] dns\n"}}, {}},
      {"resolved's socket", {{"/run/systemd/resolve/io.systemd.Resolve", ""}}, {"resolved-dbus"}},
      {"nscd, which shares its memory", {{"/run/nscd/socket", ""}}, {"nscd-shared"}},
      {"nscd, which does not",
       {{"/run/nscd/socket", ""}, {"/etc/nscd.conf", "shared passwd yes\n\tshared\thosts\tno\n"}},
       {}},
  };
  for (const auto& test : cases) {
    SCOPED_TRACE(test.what);
    FakeTree tree;
    const Host host(fill(tree, test.files).root());
    EXPECT_EQ(found_ids(find_blind_spots(host, {"unix-clients", true, "loads"})), test.found);
  }
}

TEST(DoctorBlindSpots, AHiddenClientSaysWhyItIsHidden) {
  FakeTree tree;
  tree.write("/run/nscd/socket", "");
  const auto spots = find_blind_spots(Host(tree.root()), {"unix-clients", false, "no tracepoint"});
  ASSERT_EQ(spots.front().id, "nscd");
  EXPECT_NE(spots.front().consequence.find("no tracepoint"), std::string::npos);
  EXPECT_NE(spots.front().consequence.find("client_hidden"), std::string::npos);
}

TEST(DoctorBlindSpots, EncryptedDnsIsAlwaysPossibleAndEverySpotSaysWhatToDo) {
  FakeTree tree;
  tree.write("/etc/nsswitch.conf", "hosts: resolve mdns sss\n");
  tree.write("/run/nscd/socket", "");
  tree.write("/run/systemd/resolve/io.systemd.Resolve", "");
  tree.write("/etc/systemd/resolved.conf", "[Resolve]\nDNSOverTLS=yes\n");
  tree.write("/etc/resolv.conf", "nameserver 127.0.0.53\nnameserver 169.254.20.10\n");
  const auto spots = find_blind_spots(Host(tree.root()));
  EXPECT_EQ(spots.size(), 11u);
  for (const char* id : {"encrypted-dns", "bpf-detach"}) {
    EXPECT_TRUE(std::any_of(spots.begin(), spots.end(), [&](const auto& spot) {
      return spot.id == id && spot.certainty == Certainty::possible;
    })) << id;
  }
  for (const auto& spot : spots) {
    EXPECT_FALSE(spot.consequence.empty()) << spot.id;
    EXPECT_FALSE(spot.remedy.empty()) << spot.id;
    EXPECT_EQ(spot.evidence.empty(), spot.certainty == Certainty::possible) << spot.id;
  }
}

TEST(DoctorDiagnosis, TheFirstUsableBackendIsChosen) {
  const FakeTree tree;
  const Host host(tree.root());
  EXPECT_EQ(diagnose(host, {}).chosen(), nullptr);
  EXPECT_EQ(diagnose(host, {{"fentry", false, "x"}, {"cgroup", false, "y"}}).chosen(), nullptr);
  const auto diagnosis = diagnose(host, {{"fentry", false, "x"}, {"cgroup", true, "y"}, {"kprobe", true, "z"}});
  ASSERT_NE(diagnosis.chosen(), nullptr);
  EXPECT_EQ(diagnosis.chosen()->name, "cgroup");
}

TEST(DoctorDiagnosis, TcpIsABlindSpotOfEveryBackendButCgroup) {
  const FakeTree tree;
  const Host host(tree.root());
  EXPECT_EQ(found_ids(diagnose(host, {{"fentry", true, "x"}}).blind_spots), std::vector<std::string>{"tcp"});
  EXPECT_TRUE(found_ids(diagnose(host, {{"cgroup", true, "x"}}).blind_spots).empty());
  EXPECT_EQ(found_ids(diagnose(host, {{"cgroup", true, "x", "no iterators here"}}).blind_spots),
            std::vector<std::string>{"older-processes"});
  EXPECT_TRUE(found_ids(diagnose(host, {{"fentry", false, "x"}}).blind_spots).empty());
}

TEST(DoctorDiagnosis, APidNamespaceIsSaidAndFoundSpotsComeFirst) {
  const FakeTree tree;
  tree.link("/proc/self/ns/pid", "pid:[4026532201]");
  const auto diagnosis = diagnose(Host(tree.root()), {});
  ASSERT_GE(diagnosis.blind_spots.size(), 2u);
  EXPECT_EQ(diagnosis.blind_spots.front().id, "pid-namespace");
  EXPECT_EQ(diagnosis.blind_spots.back().certainty, Certainty::possible);
}

}  // namespace
}  // namespace nslookout::kernel
