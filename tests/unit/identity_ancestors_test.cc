#include <gtest/gtest.h>

#include <cstring>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "identity/ancestors.h"
#include "identity_fake_proc.h"

namespace nslookout::identity {
namespace {

constexpr std::uint64_t tick = 10'000'000;

nsl_process_key key_of(std::uint32_t tgid, std::uint64_t start_ticks) {
  return {.start_boottime = start_ticks * tick + 7, .tgid = tgid, .exec_id = 1};
}

// A table of programs, each with its parent.
class Table {
 public:
  void add(const nsl_process_key& key, const nsl_process_key& parent, std::string_view program,
           std::uint32_t flags = 0) {
    nsl_process entry{};
    entry.parent = parent;
    entry.flags = flags;
    std::memcpy(entry.comm, program.data(), program.size());
    const std::string reversed = std::string(program) + "/bin/";
    std::memcpy(entry.paths_reversed, reversed.data(), reversed.size());
    entry.executable_length = static_cast<nsl_u16>(reversed.size());
    std::memcpy(entry.argv, program.data(), program.size());
    entry.argv_length = static_cast<nsl_u16>(program.size() + 1);
    entries_[key.tgid] = entry;
  }

  [[nodiscard]] ProcessTable lookup() const {
    return {.process =
                [this](const nsl_process_key& key) {
                  const auto found = entries_.find(key.tgid);
                  return found == entries_.end() ? std::optional<nsl_process>() : found->second;
                },
            .environment = [](std::uint64_t) { return std::optional<nsl_environment>(); }};
  }

 private:
  std::map<std::uint32_t, nsl_process> entries_;
};

std::string text_of(const Ancestry& ancestry) {
  std::string text;
  for (const Ancestor& ancestor : ancestry.nearest_first) {
    text += fmt::format("{}:{} ", ancestor.process.pid, ancestor.process.executable);
  }
  return text + (ancestry.truncated ? "..." : ".");
}

const nsl_process_key nobody{};

class AncestorsTest : public testing::Test {
 protected:
  [[nodiscard]] std::string chain(const nsl_process_key& process, const nsl_process_key& parent) const {
    return text_of(ancestors_of(process, parent, table_.lookup(), proc_.path()));
  }

  // A process in /proc alone.
  void add_live(std::uint32_t pid, std::uint32_t parent, std::uint64_t start_ticks) {
    proc_.add(pid, "live", start_ticks);
    proc_.write(fmt::format("{}/stat", pid),
                fmt::format("{} (live) S {} 8 9 0 -1 4194304 1 2 3 4 5 6 7 8 20 0 1 0 {} 1000 20 1\n", pid, parent,
                            start_ticks));
    proc_.write(fmt::format("{}/status", pid), "Name:\tlive\nUid:\t1000\t0\t0\t0\nGid:\t100\t0\t0\t0\n");
  }

  Table table_;
  FakeProc proc_;
};

TEST_F(AncestorsTest, TheTableLeadsToTheFirstProcess) {
  table_.add(key_of(30, 300), key_of(20, 200), "sh");
  table_.add(key_of(20, 200), key_of(1, 1), "npm");
  table_.add(key_of(1, 1), nobody, "init");
  EXPECT_EQ(chain(key_of(40, 400), key_of(30, 300)), "30:/bin/sh 20:/bin/npm 1:/bin/init .");
}

TEST_F(AncestorsTest, AProcessThatTheKernelStartedHasNone) { EXPECT_EQ(chain(key_of(1, 1), nobody), "."); }

TEST_F(AncestorsTest, WhatIsMissingIsReadFromProcIfItIsTheSameProcess) {
  table_.add(key_of(30, 300), key_of(20, 200), "sh");
  add_live(20, 1, 200);
  add_live(1, 0, 1);
  EXPECT_EQ(chain(key_of(40, 400), key_of(30, 300)), "30:/bin/sh 20:/usr/bin/from-proc 1:/usr/bin/from-proc .");
}

TEST_F(AncestorsTest, AReusedPidEndsTheChainAndSaysSo) {
  table_.add(key_of(30, 300), key_of(20, 200), "sh");
  add_live(20, 1, 201);
  EXPECT_EQ(chain(key_of(40, 400), key_of(30, 300)), "30:/bin/sh ...");
}

TEST_F(AncestorsTest, AParentThatHasGoneEndsTheChainAndSaysSo) {
  add_live(20, 19, 200);
  EXPECT_EQ(chain(key_of(40, 400), key_of(20, 200)), "20:/usr/bin/from-proc ...");
  EXPECT_EQ(chain(key_of(40, 400), key_of(21, 200)), "...");
}

TEST_F(AncestorsTest, AYoungerParentInProcIsNotBelieved) {
  add_live(20, 19, 200);
  add_live(19, 1, 201);
  EXPECT_EQ(chain(key_of(40, 400), key_of(20, 200)), "20:/usr/bin/from-proc ...");
}

TEST_F(AncestorsTest, NoLoopIsFollowed) {
  table_.add(key_of(30, 300), key_of(20, 200), "a");
  table_.add(key_of(20, 200), key_of(30, 300), "b");
  EXPECT_EQ(chain(key_of(40, 400), key_of(30, 300)), "30:/bin/a 20:/bin/b ...");
  EXPECT_EQ(chain(key_of(40, 400), key_of(40, 400)), "...");
}

TEST_F(AncestorsTest, SixtyFourAreListed) {
  constexpr std::uint32_t deepest = 200;
  for (std::uint32_t i = 1; i < deepest; ++i) {
    table_.add(key_of(i, i), i == 1 ? nobody : key_of(i - 1, i - 1), "sh");
    add_live(1000 + i, i == 1 ? 0 : 999 + i, i);
  }
  for (const std::uint32_t base : {0U, 1000U}) {
    const auto of = [&](std::uint32_t parent) {
      return ancestors_of(key_of(deepest, deepest), key_of(base + parent, parent), table_.lookup(), proc_.path());
    };
    EXPECT_EQ(of(199).nearest_first.size(), max_ancestors);
    EXPECT_TRUE(of(199).truncated);
    EXPECT_EQ(of(64).nearest_first.size(), 64U);
    EXPECT_FALSE(of(64).truncated);
  }
}

// Kilobytes of arguments each: the nearest are told, and that there were more.
TEST_F(AncestorsTest, LongAncestorsAreFewer) {
  constexpr std::uint32_t first = 100;
  for (std::uint32_t pid = first; pid < first + 60; ++pid) {
    add_live(pid, pid == first ? 0 : pid - 1, pid);
    proc_.write(fmt::format("{}/cmdline", pid), std::string(8000, 'x') + '\0');
  }
  const auto of = [&](std::uint32_t pid) {
    return ancestors_of(key_of(pid + 1, pid + 1), key_of(pid, pid), table_.lookup(), proc_.path());
  };
  EXPECT_FALSE(of(first + 9).truncated);
  const Ancestry many = of(first + 59);
  EXPECT_TRUE(many.truncated);
  EXPECT_LT(many.octets, max_ancestors_octets + 20'000);
  EXPECT_EQ(many.nearest_first.front().process.pid, first + 59);
  EXPECT_GT(many.nearest_first.size(), 10U);
}

TEST_F(AncestorsTest, AnAncestorIsDescribedWithItsIds) {
  add_live(20, 1, 200);
  const Ancestry ancestry = ancestors_of(key_of(40, 400), key_of(20, 200), table_.lookup(), proc_.path());
  ASSERT_EQ(ancestry.nearest_first.size(), 1U);
  const event::Process& process = ancestry.nearest_first.front().process;
  EXPECT_EQ(process.comm, "live");
  EXPECT_EQ(process.uid, 1000U);
  EXPECT_EQ(process.gid, 100U);
  EXPECT_EQ(process.parent_pid, 1U);
  EXPECT_EQ(process.session, 9U);
  EXPECT_EQ(process.cwd, "/srv/shop");
  EXPECT_EQ(process.command_line, (std::vector<std::string>{"from-proc", "--flag"}));
}

TEST_F(AncestorsTest, WithoutProcTheTableAloneSpeaks) {
  table_.add(key_of(30, 300), key_of(20, 200), "sh");
  add_live(20, 0, 200);
  EXPECT_EQ(text_of(ancestors_of(key_of(40, 400), key_of(30, 300), table_.lookup(), "")), "30:/bin/sh ...");
}

}  // namespace
}  // namespace nslookout::identity
