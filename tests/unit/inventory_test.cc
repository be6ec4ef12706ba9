#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <cstdlib>
#include <string>
#include <vector>

#include "inventory/inventory.h"

namespace nslookout::inventory {
namespace {

using testing::ElementsAre;
using testing::Pair;

WallTime at(int second) { return WallTime{std::chrono::seconds{second}}; }

event::Event query(const std::string& name, int second = 1) {
  event::Event event;
  event.kind = event::Kind::query;
  event.time = at(second);
  event.event_id = std::to_string(second);
  event.dns.emplace().query = name;
  event.dns->record_type = "A";
  event.process.emplace().executable = "/usr/bin/curl";
  return event;
}

event::Event hit(const std::string& name, const std::string& rule, event::Action action, int second = 1) {
  event::Event event = query(name, second);
  event.kind = event::Kind::match;
  event.action = action;
  event::Rule& matched = event.rules.emplace_back();
  matched.id = rule;
  matched.title = rule;
  return event;
}

std::vector<std::string> names(const Inventory& inventory) {
  std::vector<std::string> names;
  for (const auto& [key, lookup] : inventory.lookups()) names.push_back(lookup.event.dns->query);
  return names;
}

TEST(Inventory, EventsThatDifferInNoPartOfTheKeyAreOneLookup) {
  struct Case {
    const char* what;
    void (*change)(event::Event&);
    std::size_t lookups;
  };
  static const auto package_of = [](event::Event& event) -> event::Package& {
    return event.origin.emplace().package.emplace();
  };
  const Case cases[] = {
      {"pid", [](event::Event& e) { e.process->pid = 77; }, 1},
      {"user", [](event::Event& e) { e.process->user = "alice"; }, 1},
      {"arguments", [](event::Event& e) { e.process->command_line = {"curl", "-s"}; }, 1},
      {"server", [](event::Event& e) { e.dns->server = event::Endpoint{"192.0.2.1", 53}; }, 1},
      {"package path", [](event::Event& e) { package_of(e).path = "/srv"; }, 1},
      {"name", [](event::Event& e) { e.dns->query = "b.test"; }, 2},
      {"record type", [](event::Event& e) { e.dns->record_type = "AAAA"; }, 2},
      {"executable", [](event::Event& e) { e.process->executable = "/usr/bin/wget"; }, 2},
      {"script", [](event::Event& e) { e.process->script = "/srv/a.sh"; }, 2},
      {"package manager", [](event::Event& e) { package_of(e).manager = "npm"; }, 2},
      {"package name", [](event::Event& e) { package_of(e).name = "axios"; }, 2},
      {"package version", [](event::Event& e) { package_of(e).version = "1"; }, 2},
      {"package script", [](event::Event& e) { package_of(e).script = "postinstall"; }, 2},
      {"CI system", [](event::Event& e) { e.origin.emplace().ci.emplace().system = "gitlab"; }, 2},
      {"CI job", [](event::Event& e) { e.origin.emplace().ci.emplace().job = "test"; }, 2},
      {"CI step", [](event::Event& e) { e.origin.emplace().ci.emplace().step = "install"; }, 2},
      {"image", [](event::Event& e) { e.container.emplace().image = "nginx:1"; }, 2},
      {"container name", [](event::Event& e) { e.container.emplace().name = "web"; }, 2},
      {"container id", [](event::Event& e) { e.container.emplace().id = "cafe"; }, 2},
      {"pod namespace", [](event::Event& e) { e.pod.emplace().namespace_name = "prod"; }, 2},
      {"pod name", [](event::Event& e) { e.pod.emplace().name = "web-0"; }, 2},
  };
  for (const Case& c : cases) {
    event::Event other = query("a.test");
    c.change(other);
    Inventory inventory;
    inventory.add(query("a.test"));
    inventory.add(other);
    EXPECT_EQ(inventory.lookups().size(), c.lookups) << c.what;
  }
}

TEST(Inventory, ContainersOfOneImageAreOne) {
  Inventory inventory;
  for (const char* name : {"web-1", "web-2"}) {
    event::Event event = query("a.test");
    event.container = event::Container{name, "docker", name, "nginx:1"};
    inventory.add(event);
  }
  EXPECT_EQ(inventory.lookups().size(), 1U);
}

TEST(Inventory, KeepsTheFirstEventTheTimesTheCountTheRulesAndTheStrongestAction) {
  Inventory inventory;
  inventory.add(hit("a.test", "one", event::Action::would_block, 5));
  inventory.add(hit("a.test", "two", event::Action::audited, 3));
  inventory.add(hit("a.test", "one", event::Action::audited, 9));
  inventory.add(query("a.test", 4));
  ASSERT_EQ(inventory.lookups().size(), 1U);
  const Lookup& lookup = inventory.lookups().begin()->second;
  EXPECT_EQ(lookup.event.event_id, "3");
  EXPECT_EQ(lookup.first, at(3));
  EXPECT_EQ(lookup.last, at(9));
  EXPECT_EQ(lookup.count, 4U);
  ASSERT_EQ(lookup.rules.size(), 2U);
  EXPECT_EQ(lookup.rules[0].id, "one");
  EXPECT_EQ(lookup.rules[1].id, "two");
  EXPECT_EQ(lookup.action, event::Action::would_block);
}

TEST(Inventory, TheOrderIsThatOfNamesWhateverTheOrderOfEvents) {
  Inventory inventory;
  for (const char* name : {"c.test", "a.test", "b.test"}) inventory.add(query(name));
  EXPECT_THAT(names(inventory), ElementsAre("a.test", "b.test", "c.test"));
}

TEST(Inventory, WhatDoesNotFitIsCountedAndMatchesHaveRoomOfTheirOwn) {
  Inventory inventory(2);
  for (const char* name : {"a.test", "b.test", "c.test", "c.test", "a.test"}) inventory.add(query(name));
  for (const char* name : {"x.test", "y.test", "z.test"}) inventory.add(hit(name, "rule", event::Action::audited));
  EXPECT_THAT(names(inventory), ElementsAre("a.test", "b.test", "x.test", "y.test"));
  EXPECT_EQ(inventory.left_out(), 3U);
}

TEST(Inventory, AResponseAddsItsRulesToTheLookupThatItAnswers) {
  event::Event response = hit("a.test", "by answer", event::Action::audited);
  response.kind = event::Kind::response;
  response.duplicate_of = "1";
  Inventory inventory;
  inventory.add(query("a.test"));
  inventory.add(response);
  const Lookup& lookup = inventory.lookups().begin()->second;
  EXPECT_EQ(lookup.count, 1U);
  EXPECT_EQ(lookup.rules.size(), 1U);

  response.duplicate_of.clear();  // of a query that nobody reported
  Inventory alone;
  alone.add(response);
  EXPECT_EQ(alone.lookups().begin()->second.count, 1U);
}

TEST(Inventory, LossesAreSummedByStage) {
  event::Event loss;
  loss.kind = event::Kind::loss;
  loss.losses = {{"ring", 2}, {"sink", 1}};
  Inventory inventory;
  inventory.add(loss);
  inventory.add(loss);
  EXPECT_THAT(inventory.losses(), ElementsAre(Pair("ring", 4U), Pair("sink", 2U)));
  EXPECT_TRUE(inventory.lookups().empty());
}

TEST(Inventory, GroupedLookupsOfTwoPlacesBecomeOne) {
  Inventory one;
  one.add(query("a.test", 7));
  Inventory two;
  two.add(query("a.test", 2));
  two.add(query("a.test", 3));
  one.add(two.lookups().begin()->second);
  const Lookup& lookup = one.lookups().begin()->second;
  EXPECT_EQ(lookup.count, 3U);
  EXPECT_EQ(lookup.first, at(2));
  EXPECT_EQ(lookup.last, at(7));
  EXPECT_EQ(lookup.event.event_id, "2");
}

}  // namespace
}  // namespace nslookout::inventory
