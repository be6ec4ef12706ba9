// Which names the automaton of texts lets out: the walk of bpf/texts.h over tables built from texts alone.
#include "compile/automaton.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/dns_name.h"
#include "bpf/abi.h"
#include "compile/kernel_tables.h"

namespace nslookout::compile {
namespace {

bool found(const std::vector<NameText>& texts, std::string_view name) {
  const KernelTables tables = build_kernel_tables({.texts = texts}, Seeds{1, 2});
  return tables.lets_pass(presentation_to_wire(name).value(), 1);
}

struct Case {
  const char* what;
  std::vector<NameText> texts;
  const char* name;
  bool found;
};

TEST(Automaton, FindsTextsInNames) {
  const std::vector<NameText> evil = {{"evil", false, false}};
  const std::vector<NameText> begins = {{"evil", true, false}};
  const std::vector<NameText> ends = {{"evil", false, true}};
  const std::vector<NameText> whole = {{"a.evil", true, true}};
  const std::vector<NameText> overlapping = {{"ababc", false, false}, {"bab", true, false}, {"abd", false, true}};
  const std::vector<Case> cases = {
      {"in the middle", evil, "an.evil.test", true},
      {"inside a label", evil, "medevilish.test", true},
      {"first", evil, "evil.test", true},
      {"last", evil, "test.evil", true},
      {"either case", evil, "x.eViL.test", true},
      {"not there", evil, "evi.l.test", false},
      {"cut off", evil, "test.evi", false},
      {"a dot between labels", {{"l.te", false, false}}, "evil.test", true},
      {"a dot where there is none", {{"l.te", false, false}}, "evilte.x", false},
      {"a digit is no letter", {{"p1", false, false}}, "pq.test", false},
      {"beginning", begins, "evilest.test", true},
      {"beginning, of a label only", begins, "x.evil.test", false},
      {"end", ends, "x.devil", true},
      {"end, of a label only", ends, "x.evil.test", false},
      {"the whole name", whole, "a.evil", true},
      {"more in front", whole, "aa.evil", false},
      {"more behind", whole, "a.evilx", false},
      {"a text behind the beginning of itself", overlapping, "xabababc.test", true},
      {"of the beginning, not there", overlapping, "xbab.test", false},
      {"of the end, after a false start", overlapping, "test.ababd", true},
      {"of the end, not there", overlapping, "ababd.test", false},
      {"no texts", {}, "evil.test", false},
      {"the root, which is written as a dot", {{".", false, false}}, ".", true},
      {"octets that are written with an escape", evil, "a\\000b.test", true},
      {"a dot in a label", evil, "a\\.b.test", true},
      {"a text with an escape", {{"a\\.b", false, false}}, "a\\.b.test", true},
      {"a text with an escape, and a name without", {{"a\\.b", false, false}}, "a.b.test", false},
      {"a text of no name", {{"b\xC3\xBC", false, false}}, "bucher.test", false},
  };
  for (const Case& c : cases) EXPECT_EQ(found(c.texts, c.name), c.found) << c.what;
}

TEST(Automaton, LongNamesAreReadToTheirEnd) {
  const std::string label(63, 'a');
  const std::string name = label + "." + label + "." + label + "." + std::string(57, 'a') + "evil";
  EXPECT_TRUE(found({{"evil", false, true}}, name));
  EXPECT_FALSE(found({{"evil", true, false}}, name));
}

// Many long texts do not fit: their beginnings do, and nothing is missed.
TEST(Automaton, ShortensTextsThatDoNotFit) {
  std::vector<NameText> texts;
  for (int i = 0; i < 4000; ++i)
    texts.push_back({std::to_string(100000 + i * 17) + std::string(40, 'x') + "y", false, true});
  const Automaton automaton = build_automaton(texts);
  EXPECT_LE(automaton.cells.size(), NSL_TEXT_CELLS);
  EXPECT_LT(automaton.longest, 47u);
  EXPECT_GE(automaton.longest, 6u);
  const KernelTables tables = build_kernel_tables({.texts = texts}, Seeds{1, 2});
  for (const NameText& text : texts) {
    ASSERT_TRUE(tables.lets_pass(presentation_to_wire("a." + text.text).value(), 1)) << text.text;
  }
  EXPECT_FALSE(tables.lets_pass(presentation_to_wire("www.example.test").value(), 1));
}

TEST(KernelTables, ForwardsRecordTypes) {
  const KernelTables tables = build_kernel_tables({.record_types = {16, 255, 65535}}, Seeds{1, 2});
  const std::string name = presentation_to_wire("www.example.test").value();
  for (const std::uint16_t type : {16, 255, 65535}) EXPECT_TRUE(tables.lets_pass(name, type)) << type;
  for (const std::uint16_t type : {1, 28, 15, 254}) EXPECT_FALSE(tables.lets_pass(name, type)) << type;
}

}  // namespace
}  // namespace nslookout::compile
