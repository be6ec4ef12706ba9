// lists/name_list.h: specs, files, and the large feeds.
#include "lists/name_list.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <utility>
#include <vector>

#include "base/dns_name.h"
#include "lists_notation.h"
#include "shared_material.h"

namespace nslookout::lists {
namespace {

namespace fs = std::filesystem;

class NameListFile : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "nslookout-list-XXXXXX").native();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    std::ofstream(folder_ / name, std::ios::binary) << text;
    return (folder_ / name).native();
  }
  std::string unpack(const fs::path& archive) {
    const std::string file = (folder_ / archive.stem()).native();
    EXPECT_EQ(std::system(("gzip -dc '" + archive.native() + "' > '" + file + "'").c_str()), 0);
    return file;
  }

  fs::path folder_;
};

TEST_F(NameListFile, SpecsNameTheScopeAndTheId) {
  const std::string file = write("bad.txt", "evil.test\n");
  const Result<NameList> exact = load_list("exact:" + file);
  ASSERT_TRUE(exact) << exact.error().message;
  EXPECT_EQ(exact->id, "list/bad.txt");
  EXPECT_EQ(exact->level, "high");
  EXPECT_EQ(exact->scope, Scope::exact);
  EXPECT_FALSE(exact->table.entry(0).below);
  const Result<NameList> suffix = load_list("suffix:" + file);
  ASSERT_TRUE(suffix);
  EXPECT_TRUE(suffix->table.entry(0).exact);
  EXPECT_TRUE(suffix->table.entry(0).below);
}

TEST_F(NameListFile, TheFormatIsDetectedOrGiven) {
  const std::string zone = write("zone", "$TTL 60\n@ SOA a b 1 2 3 4 5\nevil.test CNAME .\n");
  const Result<NameList> detected = load_list("exact:" + zone);
  ASSERT_TRUE(detected) << detected.error().message;
  EXPECT_EQ(detected->format, Format::rpz);
  EXPECT_EQ(shown(detected->table), Names{"=evil.test"});
  EXPECT_FALSE(load_list("exact:" + zone + "?format=hosts"));

  const std::string table = write("table.csv",
                                  "\xEF\xBB\xBF"
                                  "wer,was\r\na.test,b.test\r\n");
  const Result<NameList> column = load_list("suffix:" + table + "?column=was&level=low");
  ASSERT_TRUE(column) << column.error().message;
  EXPECT_EQ(shown(column->table), Names{"=<b.test"});
  EXPECT_EQ(column->level, "low");
  EXPECT_EQ(column->id, "list/table.csv");
  const Result<NameList> missing = load_list("suffix:" + table + "?column=wo");
  ASSERT_FALSE(missing);
  EXPECT_TRUE(missing.error().message.starts_with(table + ": ")) << missing.error().message;
}

TEST_F(NameListFile, WarningsSayWhatIsLeftOutOrTooBroad) {
  const struct {
    std::string scope;
    std::string text;
    std::vector<std::string> warnings;  // FILE stands for the file
  } cases[] = {
      {"exact", "evil.test\n", {}},
      {"exact",
       "evil.test\nnot a name\n",
       {"1 line left out of FILE (read as plain); the first: FILE:2:5: more than one word"}},
      {"exact",
       "\xEF\xBB\xBF/\nevil.test\n.\n",
       {"2 lines left out of FILE (read as plain); the first: FILE:1:1: the character '/' cannot stand in a name "
        "unescaped"}},
      {"suffix",
       "||evil.test^\nevil.test##.ad\n",
       {"FILE: 1 line of the list passed over: not about lookups of whole names"}},
      {"suffix",
       "evil.com\ncom.br\n",
       {"FILE: 'com.br' is a public suffix: the list hits every name that anybody registers below it"}},
      {"suffix",
       "com.br\nzip\nevil.com\n",
       {"FILE: 'com.br', like 1 more of its names, is a public suffix: the list hits every name that anybody registers "
        "below it"}},
      {"exact", "com.br\n", {}},
      {"exact",
       "*.com.br\n",
       {"FILE: 'com.br' is a public suffix: the list hits every name that anybody registers below it"}},
      {"suffix", "evil.com\n@@||com.br^\n", {}},
  };
  for (const auto& c : cases) {
    const std::string file = write("mixed.txt", c.text);
    const Result<NameList> list = load_list(c.scope + ":" + file);
    ASSERT_TRUE(list) << c.text << list.error().message;
    std::vector<std::string> warnings = list->warnings;
    for (std::string& warning : warnings) {
      for (std::size_t at = 0; (at = warning.find(file)) != std::string::npos;)
        warning.replace(at, file.size(), "FILE");
    }
    EXPECT_EQ(warnings, c.warnings) << c.text;
  }
}

TEST_F(NameListFile, WhatCannotBeUsedIsAnErrorWithItsClass) {
  const struct {
    std::string spec;
    ErrorClass kind;
    const char* words;
  } cases[] = {
      {"", ErrorClass::usage, "exact:FILE nor suffix:FILE"},
      {"exact:", ErrorClass::usage, "exact:FILE nor suffix:FILE"},
      {"file.txt", ErrorClass::usage, "exact:FILE nor suffix:FILE"},
      {"exact:" + (folder_ / "missing").native(), ErrorClass::invalid, "No such file"},
      {"exact:" + folder_.native(), ErrorClass::invalid, "not a regular file"},
      {"suffix:" + write("empty", ""), ErrorClass::invalid, "holds no name"},
      {"suffix:" + write("comments", "# a\n; b\n"), ErrorClass::invalid, "holds no name"},
      {"suffix:" + write("bad", "a b\n"), ErrorClass::invalid, "no line of the list (read as plain) holds a name"},
      {"suffix:" + write("allowed", "@@||a.test^\n"), ErrorClass::invalid, "(read as adblock) holds no name"},
      {"suffix:" + write("packed", "\x1F\x8B\x08 and so on"), ErrorClass::invalid, "compressed"},
      {"suffix:" + write("utf16", std::string("\xFF\xFE"
                                              "a\0",
                                              4)),
       ErrorClass::invalid, "UTF-16"},
      {"exact:" + write("any", "a.test\n") + "?format=xml", ErrorClass::usage, "no format"},
  };
  for (const auto& c : cases) {
    const Result<NameList> list = load_list(c.spec);
    ASSERT_FALSE(list) << c.spec;
    EXPECT_EQ(list.error().kind, c.kind) << list.error().message;
    EXPECT_NE(list.error().message.find(c.words), std::string::npos) << list.error().message;
  }
}

TEST_F(NameListFile, AMillionNames) {
  const fs::path archive = shared_material() / "feeds" / "domains_1160k.txt.gz";
  NSLOOKOUT_SKIP_WITHOUT(archive);
  const std::string file = unpack(archive);
  const Result<NameList> list = load_list("suffix:" + file);
  ASSERT_TRUE(list) << list.error().message;
  EXPECT_EQ(list->table.size(), 1'160'380u);
  EXPECT_EQ(list->bad_lines, 0u) << list->first_bad;

  std::ifstream lines(file);
  std::string line;
  for (std::size_t i = 0; std::getline(lines, line); ++i) {
    if (i % 997 != 0) continue;
    const std::string below = presentation_to_wire("www." + line).value();
    ASSERT_FALSE(list->table.covering(below).wire.empty()) << line;
  }
  EXPECT_TRUE(list->table.covering(presentation_to_wire("www.nslookout-absent.test").value()).wire.empty());
}

TEST_F(NameListFile, FiveFormsOfOneFeedAreEqual) {
  const fs::path feeds = shared_material() / "feeds";
  NSLOOKOUT_SKIP_WITHOUT(feeds / "100k.rpz.gz");
  Names first;
  for (const auto& [name, format] :
       {std::pair{"domains.txt", Format::plain}, std::pair{"hosts", Format::hosts}, std::pair{"rpz", Format::rpz},
        std::pair{"adblock.txt", Format::adblock}, std::pair{"dnsmasq.conf", Format::dnsmasq}}) {
    const Result<NameList> list = load_list("suffix:" + unpack(feeds / ("100k." + std::string(name) + ".gz")));
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_EQ(list->format, format) << name;
    EXPECT_EQ(list->bad_lines, 0u) << list->first_bad;
    if (first.empty()) first = shown(list->table);
    EXPECT_TRUE(shown(list->table) == first) << name;
  }
  EXPECT_EQ(first.size(), 100'000u);
}

}  // namespace
}  // namespace nslookout::lists
