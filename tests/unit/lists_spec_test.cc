// lists/spec.h and lists/format.h: what --list says, and which format a text is in.
#include "lists/spec.h"

#include <gtest/gtest.h>

#include <string>

namespace nslookout::lists {
namespace {

TEST(ListSpec, Reads) {
  const struct {
    const char* text;
    Spec spec;
  } cases[] = {
      {"exact:a.txt", {.scope = Scope::exact, .file = "a.txt", .format = {}, .column = "", .level = "high"}},
      {"suffix:/x/a:b", {.scope = Scope::suffix, .file = "/x/a:b", .format = {}, .column = "", .level = "high"}},
      {"exact:a?format=rpz",
       {.scope = Scope::exact, .file = "a", .format = Format::rpz, .column = "", .level = "high"}},
      {"exact:a?format=wildcard",
       {.scope = Scope::exact, .file = "a", .format = Format::plain, .column = "", .level = "high"}},
      {"suffix:a?column=Name of host&level=low",
       {.scope = Scope::suffix, .file = "a", .format = Format::csv, .column = "Name of host", .level = "low"}},
      {"exact:a?format=csv&column=2",
       {.scope = Scope::exact, .file = "a", .format = Format::csv, .column = "2", .level = "high"}},
  };
  for (const auto& c : cases) {
    const Result<Spec> spec = parse_spec(c.text);
    ASSERT_TRUE(spec) << spec.error().message;
    EXPECT_EQ(*spec, c.spec) << c.text;
  }
}

TEST(ListSpec, Refuses) {
  const struct {
    const char* text;
    const char* words;
  } cases[] = {
      {"", "neither exact:FILE nor suffix:FILE"},
      {"a.txt", "neither exact:FILE nor suffix:FILE"},
      {"exact:", "neither exact:FILE nor suffix:FILE"},
      {"exact:?format=csv", "neither exact:FILE nor suffix:FILE"},
      {"exact:a?format=xml", "there are plain, wildcard, hosts, rpz, adblock, dnsmasq, csv"},
      {"exact:a?level=huge", "there are informational, low, medium, high, critical"},
      {"exact:a?colour=red", "unknown option \"colour=red\""},
      {"exact:a?column=", "unknown option \"column=\""},
      {"exact:a?format=rpz&column=2", "only format=csv has columns"},
  };
  for (const auto& c : cases) {
    const Result<Spec> spec = parse_spec(c.text);
    ASSERT_FALSE(spec) << c.text;
    EXPECT_EQ(spec.error().kind, ErrorClass::usage);
    EXPECT_NE(spec.error().message.find(c.words), std::string::npos) << spec.error().message;
  }
}

TEST(ListFormat, IsDetected) {
  const struct {
    std::string text;
    Format format;
  } cases[] = {
      {"", Format::plain},
      {"# all\n", Format::plain},
      {"evil.test\nb.test # a, b\nc.test ; d, e\n", Format::plain},
      {"*.evil.test\n*.b.test\n", Format::plain},
      {"evil.test ## two, three\n", Format::plain},
      {"these are words\nof a text\n", Format::plain},
      {"127.0.0.1 localhost\n0.0.0.0 evil.test\n", Format::hosts},
      {"a.test\nb.test\n::1 evil.test # a, b\n", Format::hosts},
      {"$TTL 60\n", Format::rpz},
      {"; zone\n@ IN SOA a b 1 2 3 4 5\n   NS localhost.\nevil.test CNAME .\n", Format::rpz},
      {"evil.test 60 IN CNAME .\n", Format::rpz},
      {"evil.test CNAME . ; a, b\n", Format::rpz},
      {"[Adblock Plus]\nevil.test\n", Format::adblock},
      {"! title\n||evil.test^\n", Format::adblock},
      {"@@||evil.test^$important,all\n", Format::adblock},
      {"x.test##.ad, .banner\n", Format::adblock},
      {"address=/evil.test/0.0.0.0\n", Format::dnsmasq},
      {"# a\nlocal=/evil.test/\nserver=8.8.8.8\n", Format::dnsmasq},
      {"evil.test\n||b.test^\n", Format::adblock},
      {"id,host\n1,evil.test\n", Format::csv},
      {"\"host\"\n\"evil.test\"\n", Format::csv},
      {"# id,host\n1,evil.test\n2,b.test\n", Format::csv},
      {"a.test\nb.test\nc.test, d.test\n", Format::plain},
  };
  for (const auto& c : cases) EXPECT_EQ(format_name(detect_format(c.text)), format_name(c.format)) << c.text;
}

}  // namespace
}  // namespace nslookout::lists
