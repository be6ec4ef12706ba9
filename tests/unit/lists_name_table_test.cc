// lists/name_table.h: which entry decides about a name.
#include "lists/name_table.h"

#include <gtest/gtest.h>

#include <string>
#include <utility>

#include "lists/adblock.h"
#include "lists/plain.h"
#include "lists_notation.h"

namespace nslookout::lists {
namespace {

std::string deciding(const NameTable& table, const std::string& name) {
  const NameEntry entry = table.covering(presentation_to_wire(name).value());
  return entry.wire.empty() ? "" : wire_to_presentation(entry.wire);
}

TEST(NameTable, CoversWholeLabelsOnly) {
  NameTable table;
  ASSERT_EQ(parse_plain("exact.test\n*.below.test\n*.deep.below.test\n", Scope::exact, table).bad_lines, 0u);
  const std::pair<const char*, const char*> cases[] = {
      {"exact.test", "exact.test"},
      {"www.exact.test", ""},
      {"below.test", ""},
      {"a.below.test", "below.test"},
      {"a.b.below.test", "below.test"},
      {"notbelow.test", ""},
      {"x.deep.below.test", "deep.below.test"},
      {"deep.below.test", "below.test"},
      {"test", ""},
      {".", ""},
  };
  for (const auto& [name, decides] : cases) EXPECT_EQ(deciding(table, name), decides) << name;
  EXPECT_EQ(deciding(NameTable(), "a.test"), "");
}

TEST(NameTable, TheEntryWithTheMostLabelsDecidesAndAllowedGoesBeforeListed) {
  NameTable table;
  ASSERT_EQ(parse_adblock("||evil.test^\n@@||good.evil.test^\n||bad.good.evil.test^\n"  // one inside the other
                          "||both.test^\n@@||both.test^\n"
                          "@@||only.test^\n||under.only.test^\n@@||*.half.test^\n||half.test^\n",
                          Scope::suffix, table)
                .bad_lines,
            0u);
  const std::pair<const char*, const char*> cases[] = {
      {"evil.test", "evil.test"},
      {"x.evil.test", "evil.test"},
      {"good.evil.test", ""},
      {"x.good.evil.test", ""},
      {"notgood.evil.test", "evil.test"},
      {"bad.good.evil.test", "bad.good.evil.test"},
      {"x.bad.good.evil.test", "bad.good.evil.test"},
      {"both.test", ""},
      {"x.both.test", ""},
      {"only.test", ""},
      {"under.only.test", "under.only.test"},
      {"half.test", "half.test"},
      {"x.half.test", ""},
  };
  for (const auto& [name, decides] : cases) EXPECT_EQ(deciding(table, name), decides) << name;
}

TEST(NameTable, GrowsWithoutLosingANameAndSurvivesAMove) {
  NameTable table;
  const auto wire = [](int i) {
    return presentation_to_wire(std::string(static_cast<std::size_t>(i % 23), 'x') + std::to_string(i) + ".t").value();
  };
  for (int i = 0; i < 5000; ++i) {
    ASSERT_EQ(table.add(wire(i), true, false), NameTable::Added::yes);
    ASSERT_EQ(table.add(wire(i), true, false), NameTable::Added::known);
  }
  const NameEntry before = table.entry(17);
  const NameTable moved = std::move(table);
  ASSERT_EQ(moved.size(), 5000u);
  EXPECT_EQ(before.wire.data(), moved.entry(17).wire.data());
  for (int i = 0; i < 5000; ++i) ASSERT_TRUE(moved.covering(wire(i)).exact);
}

TEST(NameTable, TooMuchIsSaidAndLeavesTheRestUsable) {
  NameTable table;
  std::string wire = presentation_to_wire(std::string(63, 'a') + "." + std::string(63, 'a') + "." +
                                          std::string(63, 'a') + "." + std::string(61, 'a'))
                         .value();
  const std::size_t fitting = NameTable::max_octets / wire.size();
  for (std::size_t i = 0; i < fitting; ++i) {
    for (std::size_t digit = 0, rest = i; digit < 5; ++digit, rest /= 26)
      wire[1 + digit] = static_cast<char>('a' + rest % 26);
    ASSERT_EQ(table.add(wire, true, false), NameTable::Added::yes);
  }
  wire[60] = 'b';
  EXPECT_EQ(table.add(wire, true, false), NameTable::Added::full);
  EXPECT_EQ(table.size(), fitting);
  EXPECT_TRUE(table.covering(wire).wire.empty());
}

}  // namespace
}  // namespace nslookout::lists
