#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include "agent/search_suffixes.h"

namespace nslookout::agent {
namespace {

namespace fs = std::filesystem;
using Texts = std::vector<std::string>;

constexpr std::uint64_t after_every_look = ~std::uint64_t{0};

nsl_sender sender_of(std::uint32_t pid, std::uint64_t cgroup = 1) {
  nsl_sender sender{};
  sender.process = {.start_boottime = 7, .tgid = pid, .exec_id = 0};
  sender.cgroup_id = cgroup;
  return sender;
}

Texts texts_of(const std::vector<SearchSuffix>& suffixes) {
  Texts texts;
  for (const SearchSuffix& suffix : suffixes) texts.push_back(search_suffix_text(suffix));
  return texts;
}

class SearchSuffixFiles : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "nslookout-search-XXXXXX").native();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    root_ = pattern;
    files_.resolv_conf = root_ / "resolv.conf";
    files_.kubelet_config = root_ / "config.yaml";
    files_.proc = root_ / "proc";
  }
  void TearDown() override { fs::remove_all(root_); }

  void write(const fs::path& path, const std::string& text) const {
    fs::create_directories((root_ / path).parent_path());
    std::ofstream(root_ / path) << text;
  }

  // A process as /proc shows it.
  void add_process(std::uint32_t pid, const std::string& mounts, const std::string& resolv_conf) const {
    const fs::path folder = fs::path("proc") / std::to_string(pid);
    write(folder / "root/etc/resolv.conf", resolv_conf);
    write(folder / "stat", std::to_string(pid) + " (x) S 7 8 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 0 1000 20 1\n");
    fs::create_directories(root_ / folder / "ns");
    fs::create_symlink(mounts, root_ / folder / "ns/mnt");
  }

  fs::path root_;
  ResolverFiles files_;
};

TEST_F(SearchSuffixFiles, OfAHost) {
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)), Texts{}) << "no file is there";
  write("resolv.conf", "search corp.test lan corp.test\n");
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)), (Texts{"corp.test", "lan"}));
}

TEST_F(SearchSuffixFiles, OfANodeOfKubernetes) {
  write("resolv.conf", "search corp.test\n");
  write("config.yaml", "kind: KubeletConfiguration\nclusterDomain: \"blue.test\"\n");
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)),
            (Texts{"corp.test", "*.svc.blue.test", "svc.blue.test", "blue.test"}));
  write("config.yaml", "kind: KubeletConfiguration\n");
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)),
            (Texts{"corp.test", "*.svc.cluster.local", "svc.cluster.local", "cluster.local"}));
}

TEST_F(SearchSuffixFiles, OfAPod) {
  write("resolv.conf", "search ns.svc.blue.test svc.blue.test blue.test\noptions ndots:5\n");
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)),
            (Texts{"ns.svc.blue.test", "svc.blue.test", "blue.test", "*.svc.blue.test"}));
  write("resolv.conf", "nameserver 10.0.0.10\n");
  files_.in_pod = true;  // on the host's network, with the host's resolv.conf
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)),
            (Texts{"*.svc.cluster.local", "svc.cluster.local", "cluster.local"}));
}

TEST_F(SearchSuffixFiles, OfAConfiguration) {
  write("resolv.conf", "search corp.test\n");
  const auto of = [&](const Texts& values) {
    const auto suffixes = search_suffixes_of(values, files_);
    return suffixes ? texts_of(*suffixes) : Texts{suffixes.error().message};
  };
  EXPECT_EQ(of({}), Texts{});
  EXPECT_EQ(of({"none"}), Texts{});
  EXPECT_EQ(of({"auto"}), Texts{"corp.test"});
  EXPECT_EQ(of({"a.test", "auto", "A.test"}), (Texts{"a.test", "corp.test"}));
  EXPECT_EQ(of({"a..test"}).size(), 1U);
}

TEST_F(SearchSuffixFiles, OfProcessesInContainers) {
  add_process(1, "mnt:[2]", "search one.test\n");
  add_process(2, "mnt:[2]", "search of.the.same.namespace.test\n");
  add_process(3, "mnt:[3]", "search three.test\n");
  add_process(4, "mnt:[1]", "search of.the.agent.test\n");
  fs::create_directory(files_.proc + "/self");
  fs::create_directory(files_.proc + "/self/ns");
  fs::create_symlink("mnt:[1]", files_.proc + "/self/ns/mnt");

  SenderSearchSuffixes suffixes(files_.proc, 2);
  const auto of = [&](std::uint32_t pid) { return texts_of(suffixes.of(sender_of(pid), after_every_look)); };
  EXPECT_EQ(of(1), Texts{"one.test"});
  EXPECT_EQ(of(1), Texts{"one.test"});
  EXPECT_EQ(of(2), Texts{"one.test"});
  EXPECT_EQ(of(3), Texts{"three.test"});
  EXPECT_EQ(of(4), Texts{});
  EXPECT_EQ(of(5), Texts{}) << "it has ended";
  EXPECT_EQ(of(0), Texts{}) << "the sender is not known";
  EXPECT_EQ(suffixes.size(), 2U);

  add_process(6, "mnt:[6]", "search six.test\n");
  EXPECT_EQ(of(6), Texts{"six.test"});
  EXPECT_EQ(of(3), Texts{"three.test"});
  EXPECT_LE(suffixes.size(), 2U);
}

TEST_F(SearchSuffixFiles, LookupsFromBeforeALookShareIt) {
  fs::create_directories(files_.proc + "/self/ns");
  fs::create_symlink("mnt:[1]", files_.proc + "/self/ns/mnt");
  add_process(1, "mnt:[1]", "");
  const nsl_sender process = sender_of(1);
  SenderSearchSuffixes suffixes(files_.proc);
  EXPECT_EQ(texts_of(suffixes.of(process, 1)), Texts{});
  fs::remove(files_.proc + "/1/ns/mnt");
  fs::create_symlink("mnt:[2]", files_.proc + "/1/ns/mnt");  // it has gone into a container since
  write("proc/1/root/etc/resolv.conf", "search one.test\n");
  EXPECT_EQ(texts_of(suffixes.of(process, 1)), Texts{});
  EXPECT_EQ(texts_of(suffixes.of(process, after_every_look)), Texts{"one.test"});
}

// The kernel gives the number of a namespace that has ended to the next one.
TEST_F(SearchSuffixFiles, AContainerHasItsOwnListThoughItHasTheNumberOfOneThatEnded) {
  add_process(1, "mnt:[2]", "search one.test\n");
  SenderSearchSuffixes suffixes(files_.proc);
  EXPECT_EQ(texts_of(suffixes.of(sender_of(1, 10), after_every_look)), Texts{"one.test"});
  fs::remove_all(files_.proc + "/1");
  add_process(3, "mnt:[2]", "search three.test\n");
  EXPECT_EQ(texts_of(suffixes.of(sender_of(3, 30), after_every_look)), Texts{"three.test"});
}

TEST_F(SearchSuffixFiles, AListThatChangedIsReadAnewAfterAWhile) {
  add_process(1, "mnt:[2]", "search one.test\n");
  SenderSearchSuffixes kept(files_.proc);
  SenderSearchSuffixes short_lived(files_.proc, 1024, std::chrono::nanoseconds{0});
  for (SenderSearchSuffixes* suffixes : {&kept, &short_lived}) {
    EXPECT_EQ(texts_of(suffixes->of(sender_of(1), after_every_look)), Texts{"one.test"});
  }
  write("proc/1/root/etc/resolv.conf", "search two.test\n");
  EXPECT_EQ(texts_of(kept.of(sender_of(1), after_every_look)), Texts{"one.test"});
  EXPECT_EQ(texts_of(short_lived.of(sender_of(1), 1)), Texts{"one.test"}) << "a lookup from before the look";
  EXPECT_EQ(texts_of(short_lived.of(sender_of(1), after_every_look)), Texts{"two.test"});
}

TEST_F(SearchSuffixFiles, TheFileOfAnotherProcessWithTheNumberIsNotTheSenders) {
  add_process(1, "mnt:[2]", "search another.test\n");
  write("proc/1/stat", "1 (x) S 7 8 9 0 -1 0 1 2 3 4 5 6 7 8 20 0 1 0 5000 1000 20 1\n");
  SenderSearchSuffixes suffixes(files_.proc);
  EXPECT_EQ(texts_of(suffixes.of(sender_of(1), after_every_look)), Texts{});
  EXPECT_EQ(suffixes.size(), 0U);
}

TEST_F(SearchSuffixFiles, AContainersLinksLeadNowhereOutside) {
  write("secret", "search secret.test\n");
  add_process(1, "mnt:[2]", "");
  fs::remove(files_.proc + "/1/root/etc/resolv.conf");
  fs::create_symlink(root_ / "secret", files_.proc + "/1/root/etc/resolv.conf");
  SenderSearchSuffixes suffixes(files_.proc);
  const nsl_sender process = sender_of(1);
  EXPECT_EQ(texts_of(suffixes.of(process, after_every_look)), Texts{});
  write("proc/1/root" + (root_ / "secret").native(), "search inside.test\n");
  EXPECT_EQ(texts_of(SenderSearchSuffixes(files_.proc).of(process, after_every_look)), Texts{"inside.test"});
}

TEST_F(SearchSuffixFiles, WhatIsNoSmallFileCountsAsEmpty) {
  write("resolv.conf", "search big.test\n" + std::string(70'000, '#') + "\n");
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)), Texts{});
  fs::remove(files_.resolv_conf);
  ASSERT_EQ(mkfifo(files_.resolv_conf.c_str(), 0600), 0);
  EXPECT_EQ(texts_of(search_suffixes_of_host(files_)), Texts{}) << "and nobody waits for a writer";
}

}  // namespace
}  // namespace nslookout::agent
