// Random names written in every format give equal tables, and the format is detected; random octets in place of a list
// give no name that is none. NSLOOKOUT_PROPERTY_SEED and NSLOOKOUT_PROPERTY_ROUNDS repeat or extend a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/dns_name.h"
#include "lists/adblock.h"
#include "lists/csv.h"
#include "lists/dnsmasq.h"
#include "lists/format.h"
#include "lists/hosts.h"
#include "lists/plain.h"
#include "lists/rpz.h"
#include "tests/property/environment.h"

namespace nslookout::lists {
namespace {

using Random = std::mt19937_64;

std::size_t below(Random& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

constexpr Format formats[] = {Format::plain, Format::hosts, Format::rpz, Format::adblock, Format::dnsmasq, Format::csv};

Report parse(Format format, std::string_view text, Scope scope, NameTable& table) {
  switch (format) {
    case Format::plain:
      return parse_plain(text, scope, table);
    case Format::hosts:
      return parse_hosts(text, scope, table);
    case Format::rpz:
      return parse_rpz(text, scope, table);
    case Format::adblock:
      return parse_adblock(text, scope, table);
    case Format::dnsmasq:
      return parse_dnsmasq(text, scope, table);
    case Format::csv:
      break;
  }
  return parse_csv(text, scope, "1", table).value_or(Report{});
}

std::string random_name(Random& random) {
  static const std::vector<std::string> labels = {"a",
                                                  "b1",
                                                  "evil",
                                                  "_dmarc",
                                                  "x-y",
                                                  "Ns",
                                                  "in",
                                                  "B\xC3\xBC"
                                                  "cher",
                                                  "xn--bcher-kva",
                                                  std::string(63, 'z')};
  std::string name = labels[below(random, labels.size())];
  for (std::size_t more = below(random, 3); more > 0; --more) name += "." + labels[below(random, labels.size())];
  return name + (below(random, 2) == 0 ? ".test" : ".TEST");
}

// One line, or two, that list the name and all names below it in a list of scope suffix.
std::string line_of(Format format, const std::string& name) {
  switch (format) {
    case Format::plain:
      return name + "\n";
    case Format::hosts:
      return "0.0.0.0 " + name + "\n";
    case Format::rpz:
      return name + " CNAME .\n*." + name + " CNAME .\n";
    case Format::adblock:
      return "||" + name + "^\n";
    case Format::dnsmasq:
      return "address=/" + name + "/0.0.0.0\n";
    case Format::csv:
      break;
  }
  return name + ",why\n";
}

std::set<std::string> contents(const NameTable& table) {
  std::set<std::string> found;
  for (std::size_t i = 0; i < table.size(); ++i) {
    const NameEntry entry = table.entry(i);
    found.insert((entry.exact ? "=" : "") + std::string(entry.below ? "<" : "") + wire_to_presentation(entry.wire));
  }
  return found;
}

TEST(Lists, TheSameNamesInEveryFormatGiveEqualTables) {
  const std::uint64_t first_seed = from_environment("NSLOOKOUT_PROPERTY_SEED", 1);
  const std::uint64_t rounds = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 500);
  for (std::uint64_t seed = first_seed; seed < first_seed + rounds; ++seed) {
    Random random(seed);
    std::vector<std::string> names(1 + below(random, 20));
    for (std::string& name : names) name = random_name(random);
    NameTable plain;
    for (const Format format : formats) {
      std::string text;
      for (const std::string& name : names) text += line_of(format, name);
      SCOPED_TRACE("seed " + std::to_string(seed) + "\n" + text);
      ASSERT_EQ(format_name(detect_format(text)), format_name(format));
      NameTable table;
      const Report report = parse(format, text, Scope::suffix, format == Format::plain ? plain : table);
      ASSERT_EQ(report.bad_lines, 0u) << report.first_bad_reason;
      ASSERT_EQ(report.other_lines, 0u);
      ASSERT_EQ(contents(format == Format::plain ? plain : table), contents(plain));
    }
  }
}

TEST(Lists, WhateverTheTextTheTableHoldsNamesAlone) {
  static const std::vector<std::string> pieces = {"a.test",
                                                  "\na.test\n",
                                                  "\nc.test\n",
                                                  "\n||b.test^\n",
                                                  "\nb.test CNAME .\n",
                                                  "evil.test",
                                                  "*.",
                                                  "||",
                                                  "@@",
                                                  "^",
                                                  "$",
                                                  "/",
                                                  "address=/",
                                                  "server=/",
                                                  "local=/",
                                                  "#",
                                                  "##",
                                                  " CNAME ",
                                                  ".",
                                                  " SOA ",
                                                  "@",
                                                  "(",
                                                  ")",
                                                  ";",
                                                  "\"",
                                                  ",",
                                                  "\t",
                                                  " ",
                                                  "\\",
                                                  "\\065",
                                                  "\r\n",
                                                  "\n",
                                                  "\n",
                                                  "\n",
                                                  "\xC3",
                                                  "\xC3\xBC",
                                                  "0.0.0.0 ",
                                                  "::1",
                                                  "$ORIGIN ",
                                                  "$TTL 1",
                                                  "rpz-passthru.",
                                                  "rpz-ip",
                                                  std::string(1, '\0'),
                                                  std::string(64, 'l'),
                                                  std::string(300, '.'),
                                                  "\xEF\xBB\xBF",
                                                  "TXT "};
  const std::uint64_t first_seed = from_environment("NSLOOKOUT_PROPERTY_SEED", 1);
  const std::uint64_t rounds = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 2000);
  std::size_t names = 0;
  for (std::uint64_t seed = first_seed; seed < first_seed + rounds; ++seed) {
    Random random(seed);
    std::string text;
    for (std::size_t i = below(random, 60); i > 0; --i) text += pieces[below(random, pieces.size())];
    const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
    (void)detect_format(text);
    for (const Format format : formats) {
      SCOPED_TRACE("seed " + std::to_string(seed) + ", " + std::string(format_name(format)) + "\n" + text);
      NameTable table;
      const Report report = parse(format, text, below(random, 2) == 0 ? Scope::exact : Scope::suffix, table);
      ASSERT_LE(report.bad_lines + report.other_lines, lines);
      ASSERT_LE(report.first_bad_line, lines);
      ASSERT_EQ(report.bad_lines == 0, report.first_bad_reason.empty());
      for (std::size_t i = 0; i < table.size(); ++i) {
        const NameEntry entry = table.entry(i);
        ASSERT_TRUE(is_wire_name(entry.wire));
        ASSERT_GT(entry.wire.size(), 1u);
        ASSERT_EQ(ascii_lower(entry.wire), entry.wire);
        ASSERT_TRUE(entry.listed() || entry.allow_exact || entry.allow_below);
      }
      names += table.size();
    }
  }
  EXPECT_GT(names, rounds);
}

}  // namespace
}  // namespace nslookout::lists
