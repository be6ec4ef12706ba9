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

using Names = std::vector<std::string>;

struct SearchVariant {
  const char* name;
  Names second;
  Answer expected;
};

class LookupWindowVariants : public testing::TestWithParam<SearchVariant> {};

TEST_P(LookupWindowVariants, AfterANameWithASearchSuffix) {
  LookupWindow window;
  const Names first = {"evil.test.default.svc.test", "evil.test", "evil.test.default"};
  ASSERT_EQ(window.see(curl, first, start, "first"), Answer());
  EXPECT_EQ(window.see(curl, GetParam().second, start + 1, "second"), GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Cases, LookupWindowVariants,
                         testing::Values(SearchVariant{"the_bare_name", {"evil.test"}, "first"},
                                         SearchVariant{"another_suffix", {"evil.test.svc.test", "evil.test"}, "first"},
                                         SearchVariant{"the_same_name_alone", {"evil.test.default.svc.test"}, "first"},
                                         SearchVariant{"another_name", {"other.test.svc.test", "other.test"}, {}},
                                         SearchVariant{"a_name_given_twice", {"other.test", "other.test"}, {}}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace nslookout::event
