#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "cli/diff_report.h"

namespace nslookout::cli {
namespace {

using testing::HasSubstr;
using testing::Not;

inventory::Inventory inventory_of(const std::vector<std::array<std::string, 3>>& lookups) {
  inventory::Inventory inventory;
  for (const auto& [name, executable, package] : lookups) {
    event::Event event;
    event.kind = event::Kind::query;
    event.dns.emplace().query = name;
    event.dns->record_type = "A";
    event.process.emplace().executable = executable;
    if (!package.empty()) {
      event.origin.emplace().package.emplace().manager = "npm";
      event.origin->package->name = package;
    }
    inventory.add(event);
  }
  return inventory;
}

TEST(Diff, SaysWhatIsNewAndWhatVanished) {
  const auto before = inventory_of({{"a.test", "/bin/a", ""}, {"gone.test", "/bin/gone", "old"}});
  const auto after = inventory_of({{"a.test", "/bin/a", ""}, {"a.test", "/bin/b", "axios"}, {"b.test", "/bin/a", ""}});
  const Difference fresh = difference(after, before);
  EXPECT_EQ(fresh.names.size(), 1U);
  EXPECT_TRUE(fresh.names.contains("b.test"));
  EXPECT_THAT(fresh.processes, testing::ElementsAre("/bin/b"));
  EXPECT_THAT(fresh.packages, testing::ElementsAre("npm axios"));
  const Difference vanished = difference(before, after);
  EXPECT_TRUE(vanished.names.contains("gone.test"));

  EXPECT_EQ(
      diff_text(fresh, vanished),
      "new names (1)\n  b.test (A, 1 lookup) by /bin/a\nnew processes (1)\n  /bin/b\nnew packages (1)\n  npm axios\n"
      "vanished names (1)\n  gone.test\nvanished processes (1)\n  /bin/gone\nvanished packages (1)\n  npm old\n");
  const auto json = nlohmann::json::parse(diff_json(fresh, vanished));
  EXPECT_EQ(json["new"]["names"][0]["name"], "b.test");
  EXPECT_EQ(json["new"]["names"][0]["processes"][0], "/bin/a");
  EXPECT_EQ(json["vanished"]["packages"][0], "npm old");
}

TEST(Diff, TheSameIsSaidAndNothingNewIsSaid) {
  const auto one = inventory_of({{"a.test", "/bin/a", ""}});
  const auto two = inventory_of({{"a.test", "/bin/a", ""}, {"b.test", "/bin/a", ""}});
  EXPECT_EQ(diff_text(difference(one, one), difference(one, one)), "the same names, processes and packages\n");
  EXPECT_THAT(diff_text(difference(one, two), difference(two, one)), HasSubstr("nothing new\nvanished names (1)\n"));
}

TEST(Diff, HostileTextsForgeNoLineAndMoveNoCursor) {
  const auto after = inventory_of({{"a\n\x1b[2Jb.test", "/bin/\nevil\x07", "p\r\xff\u202e\u200b\u009b"}});
  const std::string text = diff_text(difference(after, inventory_of({})), {});
  EXPECT_THAT(text, Not(HasSubstr("\x1b")));
  EXPECT_THAT(text, Not(HasSubstr("\x07")));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 6);
  const auto ascii = testing::Each(testing::AllOf(testing::Ge('\n'), testing::Le('~')));
  EXPECT_THAT(text, ascii);
  EXPECT_THAT(diff_json(difference(after, inventory_of({})), {}), ascii);
  EXPECT_FALSE(nlohmann::json::parse(diff_json(difference(after, inventory_of({})), {})).empty());
}

TEST(Diff, VanishedIsShort) {
  std::vector<std::array<std::string, 3>> many;
  for (int i = 0; i < 30; ++i) many.push_back({std::to_string(i) + ".test", "/bin/a", ""});
  EXPECT_THAT(diff_text({}, difference(inventory_of(many), inventory_of({{"x", "/bin/a", ""}}))),
              HasSubstr("and 20 more"));
}

}  // namespace
}  // namespace nslookout::cli
