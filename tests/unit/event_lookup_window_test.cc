#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "event/lookup_window.h"

namespace nslookout::event {
namespace {

constexpr std::uint64_t second = 1'000'000'000;
constexpr std::uint64_t start = 100 * second;
constexpr nsl_process_key curl{.start_boottime = 77, .tgid = 4711, .exec_id = 3};

using Answer = std::optional<std::string>;

struct SecondSight {
  const char* name;
  nsl_process_key process;
  const char* query;
  std::uint64_t time;
  Answer expected;
};

class LookupWindowSecond : public testing::TestWithParam<SecondSight> {};

TEST_P(LookupWindowSecond, AfterCurlAskedForEvilTest) {
  LookupWindow window;
  ASSERT_EQ(window.see(curl, "evil.test", start, "first"), Answer());
  EXPECT_EQ(window.see(GetParam().process, GetParam().query, GetParam().time, "second"), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(
    Cases, LookupWindowSecond,
    testing::Values(SecondSight{"same_lookup", curl, "evil.test", start + 1, "first"},
                    SecondSight{"end_of_the_window", curl, "evil.test", start + 5 * second, "first"},
                    SecondSight{"after_the_window", curl, "evil.test", start + 5 * second + 1, std::nullopt},
                    SecondSight{"a_little_out_of_order", curl, "evil.test", start - 1000, "first"},
                    SecondSight{"another_name", curl, "www.evil.test", start + 1, std::nullopt},
                    SecondSight{"another_pid", {77, 4712, 3}, "evil.test", start + 1, std::nullopt},
                    SecondSight{"reused_pid", {78, 4711, 3}, "evil.test", start + 1, std::nullopt},
                    SecondSight{"another_program", {77, 4711, 4}, "evil.test", start + 1, std::nullopt}),
    [](const auto& info) { return info.param.name; });

TEST(LookupWindow, DoesNotSlide) {
  LookupWindow window;
  std::vector<std::string> firsts;
  // A beacon every two seconds for a minute: a report at 0, 6, 12, …
  for (std::uint64_t at = 0; at < 60; at += 2) {
    const std::string id = std::to_string(at);
    if (!window.see(curl, "c2.test", start + at * second, id)) firsts.push_back(id);
  }
  EXPECT_EQ(firsts, (std::vector<std::string>{"0", "6", "12", "18", "24", "30", "36", "42", "48", "54"}));
}

TEST(LookupWindow, AnUnknownSenderIsNeverADuplicate) {
  LookupWindow window;
  EXPECT_EQ(window.see({}, "evil.test", start, "a"), Answer());
  EXPECT_EQ(window.see({}, "evil.test", start, "b"), Answer());
  EXPECT_EQ(window.size(), 0U);
}

TEST(LookupWindow, TheWindowIsConfigurable) {
  LookupWindow window({.window = std::chrono::seconds{1}});
  EXPECT_EQ(window.see(curl, "evil.test", start, "a"), Answer());
  EXPECT_EQ(window.see(curl, "evil.test", start + second, "b"), Answer("a"));
  EXPECT_EQ(window.see(curl, "evil.test", start + 2 * second, "c"), Answer());
}

TEST(LookupWindow, MemoryIsBoundedAndEvictionsAreCounted) {
  LookupWindow window({.capacity = 3});
  for (const char* name : {"a", "b", "c", "d"}) EXPECT_EQ(window.see(curl, name, start, name), Answer());
  EXPECT_EQ(window.size(), 3U);
  EXPECT_EQ(window.evicted(), 1U);
  EXPECT_EQ(window.see(curl, "d", start, "again"), Answer("d"));
  EXPECT_EQ(window.see(curl, "a", start, "again"), Answer()) << "evicted, so it is a first again: hidden is worse";
}

TEST(LookupWindow, WhatExpiredIsNoEviction) {
  LookupWindow window({.capacity = 3});
  for (const char* name : {"a", "b", "c"}) EXPECT_EQ(window.see(curl, name, start, name), Answer());
  EXPECT_EQ(window.see(curl, "d", start + 6 * second, "d"), Answer());
  EXPECT_EQ(window.size(), 1U);
  EXPECT_EQ(window.evicted(), 0U);
}

struct SuffixCase {
  const char* name;
  const char* query;
  const char* expected;
};

class SearchSuffix : public testing::TestWithParam<SuffixCase> {};

TEST_P(SearchSuffix, IsTakenOffOnALabelBoundary) {
  const std::vector<std::string> suffixes = {"svc.cluster.local", "cluster.local", "default.svc.cluster.local"};
  EXPECT_EQ(without_search_suffix(GetParam().query, suffixes), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, SearchSuffix,
                         testing::Values(SuffixCase{"longest", "evil.test.default.svc.cluster.local", "evil.test"},
                                         SuffixCase{"shortest", "evil.test.cluster.local", "evil.test"},
                                         SuffixCase{"none", "evil.test", "evil.test"},
                                         SuffixCase{"not_a_label", "evil.testcluster.local", "evil.testcluster.local"},
                                         SuffixCase{"escaped_dot", R"(evil\.cluster.local)", R"(evil\.cluster.local)"},
                                         SuffixCase{"escaped_backslash", R"(evil\\.cluster.local)", R"(evil\\)"},
                                         SuffixCase{"nothing_left", "cluster.local", "cluster.local"}),
                         [](const auto& info) { return info.param.name; });

TEST(SearchSuffixes, TheLastLineOfAResolvConfCounts) {
  EXPECT_EQ(search_suffixes(
                "nameserver 10.0.0.10\nsearch a.test\nsearch NS.svc.Cluster.local. cluster.local\noptions ndots:5\n"),
            (std::vector<std::string>{"ns.svc.cluster.local", "cluster.local"}));
  EXPECT_EQ(search_suffixes("domain corp.test"), std::vector<std::string>{"corp.test"});
  EXPECT_EQ(search_suffixes("# search no.test\nsearch .\n"), std::vector<std::string>{});
}

}  // namespace
}  // namespace nslookout::event
