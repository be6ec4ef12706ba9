#include "agent/told_lookups.h"

#include <gtest/gtest.h>

#include <fmt/format.h>

namespace nslookout::agent {
namespace {

using Texts = std::vector<std::string>;

// What count() hands on, as "event +more @last".
Texts counted(ToldLookups& told, const std::vector<kernel::Repeats>& repeats) {
  Texts texts;
  told.count(repeats, [&](const std::string& event_id, std::uint64_t more, std::uint64_t last) {
    texts.push_back(fmt::format("{} +{} @{}", event_id, more, last));
  });
  return texts;
}

TEST(ToldLookups, WhatCameSinceTheLastCount) {
  ToldLookups told;
  told.tell(7, "a");
  told.recorded(7, "a");
  EXPECT_EQ(counted(told, {{.told = 7, .count = 1, .last = 5}}), Texts{});
  EXPECT_EQ(counted(told, {{.told = 7, .count = 4, .last = 9}}), Texts{"a +3 @9"});
  EXPECT_EQ(counted(told, {{.told = 7, .count = 4, .last = 9}}), Texts{});
}

TEST(ToldLookups, OneThatIsHeldPutsOffItsOwnCountAlone) {
  ToldLookups told;
  told.tell(7, "held");
  told.tell(8, "b");
  told.recorded(8, "b");
  const std::vector<kernel::Repeats> repeats = {{.told = 7, .count = 3, .last = 5}, {.told = 8, .count = 2, .last = 6}};
  EXPECT_EQ(counted(told, repeats), Texts{"b +1 @6"});
  told.recorded(7, "another event");
  EXPECT_EQ(counted(told, repeats), Texts{});
  told.recorded(7, "held");
  EXPECT_EQ(counted(told, repeats), Texts{"held +2 @5"}) << "what came meanwhile, too";
}

TEST(ToldLookups, WhatTheKernelForgotIsForgottenWhetherItIsHeldOrNot) {
  ToldLookups told;
  for (std::uint32_t i = 1; i <= 1000; ++i) told.tell(i, "held");
  EXPECT_EQ(counted(told, {{.told = 7, .count = 3, .last = 5}}), Texts{});
  EXPECT_EQ(told.size(), 1U);
}

}  // namespace
}  // namespace nslookout::agent
