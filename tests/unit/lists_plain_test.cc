// lists/plain.h and lists/name_table.h: lines -> names, and which names a list covers.
#include "lists/plain.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "base/dns_name.h"

namespace nslookout::lists {
namespace {

// The entries of a table in a notation: "=name" exact, "<name" below, "=<name" both; sorted.
std::vector<std::string> shown(const NameTable& table) {
  std::vector<std::string> out;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const NameEntry entry = table.entry(i);
    out.push_back((entry.exact ? std::string("=") : std::string()) + (entry.below ? "<" : "") +
                  wire_to_presentation(entry.wire));
  }
  std::ranges::sort(out);
  return out;
}

using Names = std::vector<std::string>;

TEST(PlainList, Lines) {
  const struct {
    std::string text;
    Names exact;
    Names suffix;
  } cases[] = {
      {"evil.test\n", {"=evil.test"}, {"=<evil.test"}},
      {"evil.test", {"=evil.test"}, {"=<evil.test"}},
      {"EVIL.Test.\r\n", {"=evil.test"}, {"=<evil.test"}},
      {"\xEF\xBB\xBF"
       "evil.test\n",
       {"=evil.test"},
       {"=<evil.test"}},
      {"  evil.test \t# why\n# all\n; all\n\n \t\nb.test;x\n", {"=b.test", "=evil.test"}, {"=<b.test", "=<evil.test"}},
      {"*.evil.test\n", {"<evil.test"}, {"<evil.test"}},
      {".evil.test\n", {"<evil.test"}, {"<evil.test"}},
      {"evil.test\n*.evil.test\nEVIL.test\n", {"=<evil.test"}, {"=<evil.test"}},
      {"_dmarc.evil.test\n0-a.test\n", {"=0-a.test", "=_dmarc.evil.test"}, {"=<0-a.test", "=<_dmarc.evil.test"}},
      {"b\xC3\xBC"
       "cher.test\n",
       {"=xn--bcher-kva.test"},
       {"=<xn--bcher-kva.test"}},
      {"My\\032Printer.test\n", {"=my\\032printer.test"}, {"=<my\\032printer.test"}},
      {"0.0.0.0 a.test b.test # c\n::1 d.test\n",
       {"=a.test", "=b.test", "=d.test"},
       {"=<a.test", "=<b.test", "=<d.test"}},
      {"127.0.0.1 localhost localhost.localdomain\n255.255.255.255 broadcasthost\n::1 ip6-localhost ip6-loopback\n"
       "fe80::1%lo0 localhost\n0.0.0.0 0.0.0.0\n127.0.0.1 a.test\n",
       {"=a.test"},
       {"=<a.test"}},
  };
  for (const auto& c : cases) {
    for (const Scope scope : {Scope::exact, Scope::suffix}) {
      NameTable table;
      const PlainReport report = parse_plain(c.text, scope, table);
      EXPECT_EQ(report.bad_lines, 0u) << c.text << report.first_bad_reason;
      EXPECT_EQ(shown(table), scope == Scope::exact ? c.exact : c.suffix) << c.text;
    }
  }
}

TEST(PlainList, BadLinesAreCountedAndTheFirstIsNamed) {
  const struct {
    std::string line;
    const char* words;
  } cases[] = {
      {"evil test", "more than one word"},
      {"http://evil.test/x", "cannot stand in a name"},
      {"a..test", "empty label"},
      {".", "the root"},
      {"*.", "the root"},
      {"..", "the root"},
      {std::string(64, 'x') + ".test", "at most 63"},
      {"10.1.2.3", "an address"},
      {"2001:db8::1", "an address"},
      {"a\\", "backslash"},
      {"\xFF\xFE.test", ""},
      {"0.0.0.0 good.test bad/name", "cannot stand"},
      {"*", "cannot stand"},
      {"a.*.test", "cannot stand"},
  };
  for (const auto& c : cases) {
    NameTable table;
    const PlainReport report =
        parse_plain("ok.test\n\n" + c.line + "\n" + c.line + "\nalso.test\n", Scope::exact, table);
    EXPECT_EQ(report.bad_lines, 2u) << c.line;
    EXPECT_EQ(report.first_bad_line, 3u) << c.line;
    EXPECT_NE(report.first_bad_reason.find(c.words), std::string::npos) << c.line << ": " << report.first_bad_reason;
    EXPECT_GE(table.size(), 2u);
  }
}

TEST(NameTable, CoversWholeLabelsOnly) {
  NameTable table;
  ASSERT_EQ(parse_plain("exact.test\n*.below.test\n*.deep.below.test\n", Scope::exact, table).bad_lines, 0u);
  const struct {
    const char* name;
    const char* covered_by;  // nullptr: not covered
  } cases[] = {
      {"exact.test", "exact.test"},
      {"www.exact.test", nullptr},
      {"below.test", nullptr},
      {"a.below.test", "below.test"},
      {"a.b.below.test", "below.test"},
      {"notbelow.test", nullptr},
      {"x.deep.below.test", "deep.below.test"},
      {"deep.below.test", "below.test"},
      {"test", nullptr},
      {".", nullptr},
  };
  for (const auto& c : cases) {
    const NameEntry entry = table.covering(presentation_to_wire(c.name).value());
    if (c.covered_by == nullptr) {
      EXPECT_TRUE(entry.wire.empty()) << c.name;
    } else {
      ASSERT_FALSE(entry.wire.empty()) << c.name;
      EXPECT_EQ(wire_to_presentation(entry.wire), c.covered_by) << c.name;
    }
  }
  EXPECT_TRUE(NameTable().covering(presentation_to_wire("a.test").value()).wire.empty());
}

TEST(NameTable, GrowsWithoutLosingANameAndSurvivesAMove) {
  NameTable table;
  for (int i = 0; i < 5000; ++i) {
    const std::string wire = presentation_to_wire("host" + std::to_string(i) + ".test").value();
    ASSERT_EQ(table.add(wire, true, false), NameTable::Added::yes);
    ASSERT_EQ(table.add(wire, true, false), NameTable::Added::known);
  }
  const NameEntry before = table.entry(17);
  const NameTable moved = std::move(table);
  ASSERT_EQ(moved.size(), 5000u);
  EXPECT_EQ(before.wire.data(), moved.entry(17).wire.data());
  for (int i = 0; i < 5000; ++i) {
    ASSERT_TRUE(moved.covering(presentation_to_wire("host" + std::to_string(i) + ".test").value()).exact);
  }
}

}  // namespace
}  // namespace nslookout::lists
