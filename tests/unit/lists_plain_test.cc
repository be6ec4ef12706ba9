// lists/plain.h and lists/hosts.h: lines -> names. What a name may look like is tested here for every format.
#include "lists/plain.h"

#include <gtest/gtest.h>

#include <string>

#include "lists/hosts.h"
#include "lists_notation.h"

namespace nslookout::lists {
namespace {

TEST(PlainList, Lines) {
  const struct {
    std::string text;
    Names exact;
    Names suffix;
  } cases[] = {
      {"evil.test\n", {"=evil.test"}, {"=<evil.test"}},
      {"evil.test", {"=evil.test"}, {"=<evil.test"}},
      {"EVIL.Test.\r\n", {"=evil.test"}, {"=<evil.test"}},
      {"  evil.test \t# why\n# all\n; all\n\n \t\nb.test;x\n", {"=b.test", "=evil.test"}, {"=<b.test", "=<evil.test"}},
      {"*.evil.test\n", {"<evil.test"}, {"<evil.test"}},
      {".evil.test\n", {"<evil.test"}, {"<evil.test"}},
      {"evil.test\n*.evil.test\nEVIL.test\n", {"=<evil.test"}, {"=<evil.test"}},
      {"_dmarc.evil.test\n0-a.test\n", {"=0-a.test", "=_dmarc.evil.test"}, {"=<0-a.test", "=<_dmarc.evil.test"}},
      {"b\xC3\xBC"
       "cher.test\n*.B\xC3\x9C"
       "cher.test\n",
       {"=<xn--bcher-kva.test"},
       {"=<xn--bcher-kva.test"}},
      {"XN--BCHER-KVA.test\n", {"=xn--bcher-kva.test"}, {"=<xn--bcher-kva.test"}},
      {"My\\032Printer.test\n", {"=my\\032printer.test"}, {"=<my\\032printer.test"}},
      {std::string(63, 'x') + ".test\n",
       {"=" + std::string(63, 'x') + ".test"},
       {"=<" + std::string(63, 'x') + ".test"}},
  };
  for (const auto& c : cases) {
    for (const Scope scope : {Scope::exact, Scope::suffix}) {
      NameTable table;
      const Report report = parse_plain(c.text, scope, table);
      EXPECT_EQ(report.bad_lines, 0u) << c.text << report.first_bad_reason;
      EXPECT_EQ(shown(table), scope == Scope::exact ? c.exact : c.suffix) << c.text;
    }
  }
}

TEST(PlainList, BadLinesAreCountedAndTheFirstIsNamed) {
  std::string too_long;
  for (int i = 0; i < 127; ++i) too_long += "a.";
  const struct {
    std::string line;
    std::size_t column;
    const char* words;
  } cases[] = {
      {"evil test", 6, "more than one word"},
      {"0.0.0.0 evil.test", 9, "more than one word"},
      {"  http://evil.test/x", 3, "':' cannot stand in a name"},
      {"a..test", 1, "empty label"},
      {".", 1, "the root"},
      {"*.", 1, "the root"},
      {"..", 1, "the root"},
      {std::string(64, 'x') + ".test", 1, "a label has 64 octets, at most 63"},
      {too_long + "a", 1, "257 octets on the wire, at most 255"},
      {"10.1.2.3", 1, "an address"},
      {"2001:db8::1", 1, "an address"},
      {"a\\", 1, "backslash"},
      {"\xFF\xFE.test", 1, "not a label"},
      {"*", 1, "cannot stand"},
      {"a.*.test", 1, "cannot stand"},
      {std::string("a\0b.test", 8), 1, "cannot stand"},
  };
  for (const auto& c : cases) {
    NameTable table;
    const Report report = parse_plain("ok.test\n\n" + c.line + "\n" + c.line + "\nalso.test\n", Scope::exact, table);
    EXPECT_EQ(report.bad_lines, 2u) << c.line;
    EXPECT_EQ(report.first_bad_line, 3u) << c.line;
    EXPECT_EQ(report.first_bad_column, c.column) << c.line;
    EXPECT_NE(report.first_bad_reason.find(c.words), std::string::npos) << c.line << ": " << report.first_bad_reason;
    EXPECT_EQ(shown(table), (Names{"=also.test", "=ok.test"})) << c.line;
  }
}

TEST(HostsList, Lines) {
  const struct {
    std::string text;
    Names names;
    std::size_t bad_lines;
    std::string reason;
  } cases[] = {
      {"0.0.0.0 a.test b.test # c\n::1\td.test\n", {"=a.test", "=b.test", "=d.test"}, 0, ""},
      {"127.0.0.1 localhost localhost.localdomain\n255.255.255.255 broadcasthost\n::1 ip6-localhost ip6-loopback\n"
       "fe80::1%lo0 LocalHost\n0.0.0.0 0.0.0.0\n127.0.0.1 a.test\n",
       {"=a.test"},
       0,
       ""},
      {"0.0.0.0 a.test\nb.test\n", {"=a.test", "=b.test"}, 0, ""},
      {"0.0.0.0 localhost.test\n0.0.0.0 local.test\n", {"=local.test", "=localhost.test"}, 0, ""},
      {"0.0.0.0 good.test bad/name also.test\n", {"=also.test", "=good.test"}, 1, "1:19: the character '/'"},
      {"0.0.0.0 a/b c/d\n", {}, 1, "1:9: the character '/'"},
      {"0.0.0.0 a.test\n0.0.0 b.test\n", {"=a.test"}, 1, "2:1: not an address"},
      {"0.0.0.0 1.2.3.4\n", {}, 1, "1:9: an address"},
  };
  for (const auto& c : cases) {
    NameTable table;
    const Report report = parse_hosts(c.text, Scope::exact, table);
    EXPECT_EQ(shown(table), c.names) << c.text;
    EXPECT_EQ(report.bad_lines, c.bad_lines) << c.text << report.first_bad_reason;
    if (c.bad_lines == 0) continue;
    EXPECT_TRUE(bad_text(report).starts_with(c.reason)) << bad_text(report);
  }
}

}  // namespace
}  // namespace nslookout::lists
