// The formats with a syntax of their own: a text -> names, bad lines, and lines about something else.
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "lists/adblock.h"
#include "lists/csv.h"
#include "lists/dnsmasq.h"
#include "lists/rpz.h"
#include "lists_notation.h"

namespace nslookout::lists {
namespace {

struct Case {
  std::string text;
  Names names = {};
  std::string first_bad = "";  // how "line:column: reason" begins
  std::size_t bad_lines = 0;   // 1 where first_bad is given
  std::size_t other_lines = 0;
  Scope scope = Scope::suffix;
};

template <typename Parse>
void check(const std::vector<Case>& cases, Parse parse) {
  for (const Case& c : cases) {
    NameTable table;
    const Report report = parse(c.text, c.scope, table);
    EXPECT_EQ(shown(table), c.names) << c.text;
    EXPECT_EQ(report.bad_lines, c.first_bad.empty() ? 0 : std::max<std::size_t>(1, c.bad_lines)) << c.text;
    EXPECT_TRUE(bad_text(report).starts_with(c.first_bad)) << c.text << bad_text(report);
    EXPECT_TRUE(!c.first_bad.empty() || report.bad_lines == 0) << c.text << bad_text(report);
    EXPECT_EQ(report.other_lines, c.other_lines) << c.text;
  }
}

TEST(AdblockList, Rules) {
  check(
      {
          {.text = "[Adblock Plus 2.0]\n! title\n||Evil.test^\r\n\n", .names = {"=<evil.test"}},
          {.text = "||evil.test^\n", .names = {"=evil.test"}, .scope = Scope::exact},
          {.text = "@@||good.test^\n", .names = {"+^good.test"}},
          {.text = "@@||good.test^\n", .names = {"+^good.test"}, .scope = Scope::exact},
          {.text = "@@||good.test^|\n||a.test^|\n", .names = {"+^good.test", "=<a.test"}},
          {.text = "||a.test^$important\n||b.test^$all\n@@||c.test^$document,important\n",
           .names = {"+^c.test", "=<a.test", "=<b.test"}},
          {.text = "evil.test\n# comment\n#\n  ||b.test^  \n", .names = {"=<b.test", "=<evil.test"}},
          {.text = "||*.evil.test^\n", .names = {"<evil.test"}},
          {.text = "||b\xC3\xBC"
                   "cher.test^\n",
           .names = {"=<xn--bcher-kva.test"}},
          {.text = "evil.test##.banner\n##.ad\n###id\nx.test#@#.ad\nx.test#?#div\nx.test#$#y\n", .other_lines = 6},
          {.text =
               "||a.test^$third-party\n||a.test^$script,important\n@@||b.test^$domain=c.test\n||a.test^$badfilter\n",
           .other_lines = 4},
          {.text = "||a.test/path\n||a.test/path^\n|https://a.test^\n/banner/\n||ad*.test^\n||a.test\na.test^\n-ads-\n"
                   "&adslot=\n||a.test:8080^\n",
           .names = {"=<-ads-"},
           .other_lines = 9},
          {.text = "||ok.test^\n||1.2.3.4^\n||a..b^\n",
           .names = {"=<ok.test"},
           .first_bad = "2:3: an address",
           .bad_lines = 2},
          {.text = "||^\n", .first_bad = "1:3: the name is empty"},
          {.text = "two words\n", .first_bad = "1:1: the character ' '"},
      },
      parse_adblock);
}

TEST(DnsmasqList, Settings) {
  check(
      {
          {.text = "address=/Evil.test/0.0.0.0\naddress=/b.test/\naddress=/c.test/#\naddress=/d.test/::\n",
           .names = {"=<b.test", "=<c.test", "=<d.test", "=<evil.test"}},
          {.text = "server=/a.test/\nlocal=/b.test/\n", .names = {"=<a.test", "=<b.test"}},
          {.text = "local=/a.test/\n", .names = {"=a.test"}, .scope = Scope::exact},
          {.text = "server=/good.test/#\nlocal=/fine.test/#\n", .names = {"+^fine.test", "+^good.test"}},
          {.text = "address=/a.test/b.test/0.0.0.0 # both\n# all\n\n \r\n", .names = {"=<a.test", "=<b.test"}},
          {.text = " address = /a.test/0.0.0.0\n", .names = {"=<a.test"}},
          {.text = "local=/.a.test/\n", .names = {"=<a.test"}},
          {.text = "server=/a.test/10.0.0.1\nserver=8.8.8.8\nno-resolv\ncache-size=1000\n",
           .first_bad = "3:1: no KEY=/NAME/",
           .other_lines = 3},
          {.text = "address=/a.test\n", .first_bad = "1:9: the / that ends"},
          {.text = "address=a.test\n", .first_bad = "1:9: no /NAME/"},
          {.text = "address=/a.test/b c/0.0.0.0\n", .names = {"=<a.test"}, .first_bad = "1:17: the character ' '"},
          {.text = "address=/#/0.0.0.0\n", .first_bad = "1:10: the character '#'"},
          {.text = "address=//0.0.0.0\n", .first_bad = "1:10: the name is empty"},
      },
      parse_dnsmasq);
}

TEST(RpzList, Records) {
  const std::string soa = "$TTL 300\n@ SOA localhost. root.localhost. 1 43200 3600 86400 300\n  NS localhost.\n";
  check(
      {
          {.text = soa + "Evil.test CNAME .\n*.evil.test CNAME .\n", .names = {"=<evil.test"}, .scope = Scope::exact},
          {.text = soa + "evil.test CNAME .\n*.b.test CNAME *.\n",
           .names = {"<b.test", "=evil.test"},
           .scope = Scope::exact},
          {.text = soa + "evil.test CNAME .\n*.b.test CNAME .\n", .names = {"<b.test", "=<evil.test"}},
          {.text = soa + "evil.test 60 IN CNAME .\nb.test IN 1h cname rpz-drop.\nc.test A 10.0.0.1\n"
                         "d.test IN CNAME garden.example.\ne.test TXT \"why; (not) \\\" \"\n",
           .names = {"=b.test", "=c.test", "=d.test", "=e.test", "=evil.test"},
           .scope = Scope::exact},
          {.text = soa + "good.test CNAME rpz-passthru.\n*.fine.test CNAME RPZ-PASSTHRU.\nold.test CNAME Old.test.\n",
           .names = {"+^good.test", "+^old.test", "^fine.test"},
           .scope = Scope::exact},
          {.text = soa + "evil.test CNAME . ; why\n; all\n\n\t\n           A 10.0.0.1\n", .names = {"=<evil.test"}},
          {.text = "@ IN SOA ns.rpz.local. root.rpz.local. (\n  1 ; serial\n  2 3 4 5 )\n@ NS ns\nevil.test CNAME .\n",
           .names = {"=<evil.test"}},
          // A zone as transferred: absolute owners.
          {.text = "rpz.local. 60 IN SOA ns. root. 1 2 3 4 5\nrpz.local. 60 IN NS ns.\nevil.test.RPZ.local. CNAME .\n"
                   "*.b.test.rpz.local. CNAME rpz-passthru.\nrpz.local. 60 IN SOA ns. root. 1 2 3 4 5\n",
           .names = {"=<evil.test", "^b.test"}},
          {.text =
               "$ORIGIN rpz.local.\n@ SOA ns root 1 2 3 4 5\nevil.test CNAME .\n$ORIGIN test.rpz.local.\n*.b CNAME .\n"
               "$ORIGIN c\n@ CNAME .\n",
           .names = {"<b.test", "=<c.test", "=<evil.test"}},
          {.text = "evil.test CNAME .\n", .names = {"=<evil.test"}},
          {.text = "evil.test. CNAME .\n", .names = {"=<evil.test"}},
          {.text = "dot\\.ted.test CNAME .\n", .names = {"=<dot\\.ted.test"}},
          {.text = soa +
                   "32.1.0.0.10.rpz-ip CNAME .\n24.0.0.0.10.rpz-client-ip CNAME .\nns.evil.test.rpz-nsdname CNAME .\n"
                   "32.1.0.0.10.rpz-nsip CNAME .\n",
           .other_lines = 4},
          {.text = "$ORIGIN rpz.local.\n@ SOA ns root 1 2 3 4 5\nother.test. CNAME .\n",
           .first_bad = "3:1: outside the zone"},
          {.text = "a.test CNAME .\n$INCLUDE more.zone\n$GENERATE 1-9 a$ CNAME .\n",
           .names = {"=<a.test"},
           .first_bad = "2:1: only $ORIGIN and $TTL",
           .bad_lines = 2},
          {.text = "a.test CNAME .\nb.test\nc.test FROB .\n",
           .names = {"=<a.test"},
           .first_bad = "2:1: no type",
           .bad_lines = 2},
          {.text = "  CNAME .\n", .first_bad = "1:3: a record without an owner"},
          {.text = "* CNAME .\n", .first_bad = "1:1: stands for every name"},
          {.text = "a.test CNAME (\nb.test CNAME .\n", .names = {"=<b.test"}, .first_bad = "1:1: a parenthesis"},
          {.text = "@ SOA ns root (\n 1\n 2 3 4 5 )\na..b CNAME .\n", .first_bad = "4:1: the name has an empty label"},
      },
      parse_rpz);
}

struct CsvCase {
  std::string column;
  std::string text;
  Names names = {};
  std::string first_bad = "";
  std::size_t bad_lines = 0;
};

TEST(CsvList, Rows) {
  const CsvCase cases[] = {
      {"", "date,Domain,why\n2026-01-01,evil.test,\"a, b\"\n", {"=evil.test"}},
      {"domain", "date,Domain,why\n2026-01-01,evil.test,c2\n", {"=evil.test"}},
      {"2", "date,Domain,why\n2026-01-01,evil.test,c2\n", {"=evil.test"}},
      {"2", "2026-01-01,evil.test,c2\n2026-01-02,b.test,c2\n", {"=b.test", "=evil.test"}},
      {"", "1,evil.test\n2,b.test\n", {"=b.test", "=evil.test"}},
      {"", "evil.test\nb.test\n", {"=b.test", "=evil.test"}},
      {"", "host;why\r\nevil.test;x, y\r\n", {"=evil.test"}},
      {"", "why\thost\nx\tevil.test\n", {"=evil.test"}},
      {"", "\"id\",\"host\"\n\"1\",\"Evil.test\"\n", {"=evil.test"}},
      {"host", "# a list\n# \"id\",\"host\"\n\"1\",\"evil.test\"\n", {"=evil.test"}},
      {"", "host,why\nevil.test,\"two\nlines\"\nb.test,\"said \"\"no\"\"\"\n", {"=b.test", "=evil.test"}},
      {"host", "host,why\n*.evil.test,x\n", {"<evil.test"}},
      {"", "host,why\nevil.test,a\n10.0.0.1,b\n,c\n", {"=evil.test"}, "3:1: an address", 2},
      {"2", "1,evil.test\n2\n", {"=evil.test"}, "2:1: no column 2", 1},
      {"", "host,why\na.test,\"open\nb.test,x\n", {"=b.test"}, "2:1: a quote is not closed", 1},
      {"", "why,host\nx,http://a.test/\n", {}, "2:3: the character ':'", 1},
      {"", "why,host\n\"two\nlines\",a.test\nx,a b\n", {"=a.test"}, "4:3: the character ' '", 1},
      {"",
       "# \"id\",\"ioc_value\",\"fk_malware\"\n\"1\", \"203.0.113.9:443\", \"win.cobalt_strike\"\n"
       "\"2\", \"evil.test\", \"win.remcos\"\n",
       {"=evil.test"},
       "2:",
       1},
      {"", "category,type,value\nnetwork,domain,evil.test\n", {"=evil.test"}},
      {"", "url,dest_domain\nx,evil.test\n", {"=evil.test"}},
      {"", "# kept here, and there\n1,evil.test,x\n", {"=evil.test"}},
      {"", "# this is a comment of some length that has a comma, no titles\n1,evil.test\n", {"=evil.test"}},
  };
  for (const CsvCase& c : cases) {
    NameTable table;
    const Result<Report> report = parse_csv(c.text, Scope::exact, c.column, table);
    ASSERT_TRUE(report) << c.text << report.error().message;
    EXPECT_EQ(shown(table), c.names) << c.text;
    EXPECT_EQ(report->bad_lines, c.bad_lines) << c.text;
    EXPECT_TRUE(bad_text(*report).starts_with(c.first_bad)) << c.text << bad_text(*report);
    EXPECT_TRUE(!c.first_bad.empty() || report->bad_lines == 0) << c.text << bad_text(*report);
  }
}

TEST(CsvList, AColumnThatCannotBeFoundIsAnError) {
  const struct {
    const char* column;
    const char* text;
    const char* words;
  } cases[] = {
      {"nmae", "id,name\n1,a.test\n", "no column 'nmae'; its first row has: id, name;"},
      {"", "id,what\n1,a.test\n", "no column of the list is plainly one of names; its first row has: id, what;"},
      {"0", "1,a.test\n", "no column '0'"},
      {"", "# id,dateadded,malware\n1,now,win.remcos\n",
       "no column of the list is plainly one of names; its titles are: id, dateadded, malware;"},
  };
  for (const auto& c : cases) {
    NameTable table;
    const Result<Report> report = parse_csv(c.text, Scope::exact, c.column, table);
    ASSERT_FALSE(report) << c.text;
    EXPECT_EQ(report.error().kind, ErrorClass::invalid);
    EXPECT_NE(report.error().message.find(c.words), std::string::npos) << report.error().message;
  }
}

TEST(CsvList, TheColumnThatWasTakenIsTold) {
  const struct {
    const char* column;
    const char* text;
    const char* taken;
  } cases[] = {
      {"", "id,Host\n1,a.test\n", "'Host' (2)"},
      {"", "# id,host\n1,a.test\n", "'host' (2)"},
      {"", "1,a.test\n", "2"},
      {"host", "id,host\n1,a.test\n", ""},
      {"2", "1,a.test\n", ""},
  };
  for (const auto& c : cases) {
    NameTable table;
    const Result<Report> report = parse_csv(c.text, Scope::exact, c.column, table);
    ASSERT_TRUE(report) << c.text;
    EXPECT_EQ(report->column, c.taken) << c.text;
  }
}

}  // namespace
}  // namespace nslookout::lists
