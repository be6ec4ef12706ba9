#include <gtest/gtest.h>

#include <string>

#include "agent/hold.h"

namespace nslookout::agent {
namespace {

using Times = std::chrono::milliseconds;

Held held_of(const std::string& container, const std::string& name) {
  Held held;
  held.event.event_id = name;
  held.event.container = event::Container{.id = container, .runtime = {}, .name = {}, .image = {}};
  return held;
}

Hold::Settled only(const std::string& id) {
  return [id](const event::Container& container) { return container.id == id; };
}
const Hold::Settled nothing = [](const event::Container&) { return false; };

std::string names(const std::vector<Held>& all) {
  std::string joined;
  for (const Held& held : all) joined += held.event.event_id;
  return joined;
}

class HoldTest : public testing::Test {
 protected:
  void add(const std::string& container, const std::string& name, Times at = Times{0}) {
    Held held = held_of(container, name);
    ASSERT_TRUE(hold_.add(held, start_ + at));
  }

  Hold::Clock::time_point start_ = Hold::Clock::now();
  Hold hold_{{.events = 4, .time = Times{2000}}};
};

TEST_F(HoldTest, WhatIsSettledLeavesInItsOrderAndTheRestStays) {
  add("x", "1");
  add("y", "2");
  add("x", "3");
  EXPECT_EQ(names(hold_.take(start_, nothing)), "");
  EXPECT_EQ(names(hold_.take(start_, only("x"))), "13");
  EXPECT_FALSE(hold_.has("x"));
  EXPECT_TRUE(hold_.has("y"));
  EXPECT_EQ(names(hold_.take(start_, only("y"))), "2");
  EXPECT_TRUE(hold_.empty());
}

TEST_F(HoldTest, NothingStaysLongerThanItsTime) {
  add("x", "1");
  add("x", "2", Times{1500});
  EXPECT_EQ(names(hold_.take(start_ + Times{1999}, nothing)), "");
  EXPECT_EQ(names(hold_.take(start_ + Times{2000}, nothing)), "1");
  EXPECT_TRUE(hold_.has("x"));
  EXPECT_EQ(names(hold_.take(Hold::Clock::time_point::max(), nothing)), "2");
}

TEST_F(HoldTest, WhereThereIsNoRoomWhatIsRefusedIsAsItWas) {
  for (const char* name : {"1", "2", "3", "4"}) add("x", name);
  Held refused = held_of("x", "5");
  EXPECT_FALSE(hold_.add(refused, start_));
  EXPECT_EQ(refused.event.event_id, "5");
  EXPECT_EQ(names(hold_.take(start_, only("x"))), "1234");
}

TEST_F(HoldTest, EachContainerIsAskedForOnce) {
  add("x", "1");
  add("y", "2");
  add("x", "3");
  int asked = 0;
  static_cast<void>(hold_.take(start_, [&](const event::Container&) {
    ++asked;
    return false;
  }));
  EXPECT_EQ(asked, 2);
}

// A forwarder's copy, which has no container here, behind its client.
TEST_F(HoldTest, WhatIsBehindAnothersContainerLeavesAfterWhatCameBefore) {
  add("x", "1");
  Held copy;
  copy.event.event_id = "2";
  copy.behind = event::Container{.id = "x", .runtime = {}, .name = {}, .image = {}};
  ASSERT_TRUE(hold_.add(copy, start_));
  EXPECT_TRUE(hold_.has("x"));
  EXPECT_EQ(names(hold_.take(start_, nothing)), "");
  EXPECT_EQ(names(hold_.take(start_, only("x"))), "12");
  EXPECT_FALSE(hold_.has("x"));
}

TEST_F(HoldTest, ACandidateStaysWithItsEvent) {
  Held held = held_of("x", "1");
  held.undecided.emplace().id = 7;
  ASSERT_TRUE(hold_.add(held, start_));
  const auto taken = hold_.take(start_, only("x"));
  ASSERT_EQ(taken.size(), 1U);
  ASSERT_TRUE(taken[0].undecided);
  EXPECT_EQ(taken[0].undecided->id, 7);
}

}  // namespace
}  // namespace nslookout::agent
