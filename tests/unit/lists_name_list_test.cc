// lists/name_list.h: specs, files, and the large feeds.
#include "lists/name_list.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>

#include "base/dns_name.h"
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

TEST_F(NameListFile, BadLinesAreShownAndNotFatal) {
  const std::string file = write("mixed.txt", "evil.test\nnot a name\n");
  const Result<NameList> list = load_list("exact:" + file);
  ASSERT_TRUE(list);
  EXPECT_EQ(list->table.size(), 1u);
  EXPECT_EQ(list->bad_lines, 1u);
  EXPECT_EQ(list->first_bad, file + ":2: more than one word, and the first is no address");
}

TEST_F(NameListFile, WhatCannotBeUsedIsAnErrorWithItsClass) {
  const struct {
    std::string spec;
    ErrorClass kind;
    const char* words;
  } cases[] = {
      {"", ErrorClass::usage, "exact:FILE or suffix:FILE"},
      {"exact:", ErrorClass::usage, "exact:FILE or suffix:FILE"},
      {"file.txt", ErrorClass::usage, "exact:FILE or suffix:FILE"},
      {"exact:" + (folder_ / "missing").native(), ErrorClass::invalid, "No such file"},
      {"exact:" + folder_.native(), ErrorClass::invalid, "not a regular file"},
      {"suffix:" + write("empty", ""), ErrorClass::invalid, "holds no name"},
      {"suffix:" + write("comments", "# a\n; b\n"), ErrorClass::invalid, "holds no name"},
      {"suffix:" + write("bad", "a b\n"), ErrorClass::invalid, "no line of the list holds a name"},
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

TEST_F(NameListFile, PlainAndHostsFormsOfOneFeedAreEqual) {
  const fs::path feeds = shared_material() / "feeds";
  NSLOOKOUT_SKIP_WITHOUT(feeds / "100k.hosts.gz");
  std::set<std::string> names[2];
  const char* archives[] = {"100k.domains.txt.gz", "100k.hosts.gz"};
  for (int i = 0; i < 2; ++i) {
    const Result<NameList> list = load_list("exact:" + unpack(feeds / archives[i]));
    ASSERT_TRUE(list) << list.error().message;
    EXPECT_EQ(list->bad_lines, 0u) << list->first_bad;
    for (std::size_t k = 0; k < list->table.size(); ++k) names[i].emplace(list->table.entry(k).wire);
  }
  EXPECT_EQ(names[0].size(), 100'000u);
  EXPECT_TRUE(names[0] == names[1]);
}

}  // namespace
}  // namespace nslookout::lists
