// sigma/load.h: files and folders, and what is said about those that cannot be used.
#include "sigma/load.h"

#include <gtest/gtest.h>

#include <sys/stat.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "sigma_rule_text.h"

namespace nslookout::sigma {
namespace {

namespace fs = std::filesystem;

class SigmaLoad : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = (fs::temp_directory_path() / "nslookout-load-XXXXXX").native();
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
  }
  void TearDown() override { fs::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& text) {
    const fs::path path = folder_ / name;
    fs::create_directories(path.parent_path());
    std::ofstream(path, std::ios::binary) << text;
    return path.native();
  }
  static std::string error_of(const RuleSet& set) {
    const Result<void> usable = set.usable();
    EXPECT_FALSE(usable);
    if (usable) return "";
    EXPECT_EQ(usable.error().kind, ErrorClass::invalid);
    return usable.error().message;
  }
  void expect_error(const std::string& path, const std::string& words) {
    const std::string message = error_of(load_rules({path}));
    EXPECT_NE(message.find(words), std::string::npos) << message;
    EXPECT_NE(message.find(path), std::string::npos) << message;
  }

  fs::path folder_;
};

TEST_F(SigmaLoad, FoldersAreReadWithTheirSubFoldersInOrder) {
  write("b.yml", rule_with_test("query: b"));
  write("a/z.yaml", rule_with_test("query: z"));
  write("a/notes.txt", "not a rule: [");
  write(".hidden.yml", "not a rule: [");
  write(".git/x.yml", "not a rule: [");
  const RuleSet set = load_rules({folder_.native()});
  ASSERT_TRUE(set.usable());
  EXPECT_EQ(set.files, 2u);
  ASSERT_EQ(set.rules.size(), 2u);
  EXPECT_EQ(set.rules[0].file, (folder_ / "a/z.yaml").native());
  EXPECT_EQ(set.rules[1].file, (folder_ / "b.yml").native());
}

TEST_F(SigmaLoad, AFileReachedTwiceIsOneFile) {
  const std::string file = write("a.yml", rule_with_test("query: a"));
  EXPECT_EQ(load_rules({file, folder_.native(), file}).rules.size(), 1u);
}

TEST_F(SigmaLoad, ByteOrderMarkAndCarriageReturns) {
  const std::string file = write("bom.yml",
                                 "\xEF\xBB\xBFtitle: t\r\nlogsource:\r\n  category: dns\r\ndetection:\r\n  s:\r\n"
                                 "    query: a.com\r\n  condition: s\r\n");
  const Result<std::vector<Rule>> rules = load_rule_file(file);
  ASSERT_TRUE(rules) << rules.error().message;
  EXPECT_EQ(rules->at(0).tests.at(0).values.at(0).source, "a.com");
}

TEST_F(SigmaLoad, AFolderForRulesStillToComeIsNoMistakeBesideOthers) {
  const std::string empty = (folder_ / "to-come").native();
  std::filesystem::create_directory(empty);
  EXPECT_NE(error_of(load_rules({empty})).find("no rule file"), std::string::npos);
  const std::string file = write("one.yml",
                                 "title: t\nlogsource:\n  category: dns\ndetection:\n  s:\n    query: a.com\n"
                                 "  condition: s\n");
  for (const auto& paths : {std::vector{empty, file}, std::vector{file, empty}}) {
    const RuleSet set = load_rules(paths);
    EXPECT_EQ(set.rules.size(), 1u);
    EXPECT_TRUE(set.usable()) << error_of(set);
  }
}

TEST_F(SigmaLoad, WhatCannotBeUsedIsNamed) {
  expect_error((folder_ / "missing.yml").native(), "No such file");
  expect_error(folder_.native(), "no rule file");
  expect_error(write("empty.yml", ""), "holds no rule");
  expect_error(write("comment.yml", "# nothing\n"), "holds no rule");
  expect_error(write("broken.yml", "title: [\n"), "not YAML");
  expect_error(write("huge.yml", std::string(max_rule_file_octets + 1, '#')), "larger than 8 MiB");
  const std::string fifo = (folder_ / "fifo.yml").native();
  ASSERT_EQ(mkfifo(fifo.c_str(), 0600), 0);
  expect_error(fifo, "not a regular file");
  EXPECT_NE(error_of(load_rules({})).find("no rule was given"), std::string::npos);
}

TEST_F(SigmaLoad, ErrorsCarryFileLineAndColumn) {
  const std::string file = write("bad.yml", rule_with_test("query|cidr: x"));
  EXPECT_EQ(error_of(load_rules({file})), file + ":6:17: 'x' is no network: 'x' is no address");
}

TEST_F(SigmaLoad, GoodRulesAreKeptBesideBadOnesAndEveryErrorIsCounted) {
  write("a.yml", rule_with_test("query: a"));
  write("b.yml", rule_with_test("query|cidr: x"));
  write("c.yml", rule_with_test("query|re: x("));
  const RuleSet set = load_rules({folder_.native()});
  EXPECT_EQ(set.rules.size(), 1u);
  EXPECT_EQ(set.error_count(), 2u);
  EXPECT_NE(error_of(set).find("(and 1 more)"), std::string::npos);
  EXPECT_TRUE(set.usable(true));
}

TEST_F(SigmaLoad, RulesOfOtherLogSourcesDoNotSpoilASet) {
  write("a.yml", rule_with_test("query: a"));
  const std::string other = write(
      "w.yml", "title: t\nlogsource:\n  category: process_creation\ndetection:\n  s:\n    Image: x\n  condition: s\n");
  const RuleSet set = load_rules({folder_.native()});
  EXPECT_TRUE(set.usable());
  EXPECT_EQ(set.error_count(), 1u);
  expect_error(other, "another log source");
}

TEST_F(SigmaLoad, KeepGoingStillNeedsARule) {
  EXPECT_FALSE(load_rules({write("b.yml", rule_with_test("query|cidr: x"))}).usable(true));
}

TEST_F(SigmaLoad, EveryDocumentIsAccountedFor) {
  write("a.yml", rule_with_test("query: a") + "---\nid: some\ntitle: bad\n---\n" + rule_with_test("query: b"));
  write("b.yml", rule_with_test("query: c"));
  const RuleSet set = load_rules({folder_.native()});
  ASSERT_EQ(set.documents.size(), 4u);
  EXPECT_EQ(set.documents[1].number, 2u);
  EXPECT_EQ(set.documents[1].id, "some");
  EXPECT_EQ(set.documents[1].title, "bad");
  EXPECT_FALSE(set.documents[1].rule);
  EXPECT_EQ(set.findings.at(0).document, 2u);
  EXPECT_EQ(set.documents[2].rule, 1u);
  EXPECT_EQ(set.documents[3].rule, 2u);
}

TEST_F(SigmaLoad, AFilterOfOneFileIsForTheRulesOfAnother) {
  write("a.yml", "title: f\nlogsource: {category: dns}\nfilter: {rules: [wanted], s: {query: x}, condition: not s}\n");
  write("b.yml", "name: wanted\n" + rule_with_test("query: x"));
  const RuleSet set = load_rules({folder_.native()});
  ASSERT_TRUE(set.usable());
  ASSERT_EQ(set.rules.size(), 1u);
  EXPECT_EQ(set.rules[0].tests.size(), 2u);
  EXPECT_TRUE(set.findings.empty());
}

TEST_F(SigmaLoad, ARefusedDocumentTakesNoOtherWithIt) {
  const std::string bad = "title: bad\nid: bad-id\nlogsource: {category: dns}\ndetection:\n  s: {query: b}\n";
  for (const char* fault : {"  s: {query: c}\n", "  t: {query: !x d}\n", "  t: !x {query: d}\n"}) {
    const RuleSet set = parse_rules(
        rule_with_test("query: a") + "---\n" + bad + fault + "  condition: s\n---\n" + rule_with_test("query: z"),
        "t.yml");
    ASSERT_EQ(set.rules.size(), 2u) << fault;
    EXPECT_EQ(set.rules[1].document, 3u);
    ASSERT_EQ(set.documents.size(), 3u);
    EXPECT_EQ(set.documents[1].id, "bad-id");
    EXPECT_FALSE(set.documents[1].rule);
    ASSERT_EQ(set.findings.size(), 1u);
    EXPECT_EQ(set.findings[0].document, 2u);
    EXPECT_FALSE(set.usable());
    EXPECT_TRUE(set.usable(true));
  }
}

TEST_F(SigmaLoad, WhatBuildsOnARefusedDocumentIsRefusedToo) {
  const std::string part = "title: part\ndetection:\n  s: {query: a}\n---\n";
  const std::string global = "action: global\nlogsource: {category: dns}\nlogsource: {category: dns}\n---\n";
  const RuleSet set = parse_rules(global + part + "action: reset\n---\n" + rule_with_test("query: b") + "---\n" +
                                      rule_with_test("query: !x c") + "---\naction: repeat\ntitle: again\n---\n" +
                                      rule_with_test("query: d"),
                                  "t.yml");
  ASSERT_EQ(set.rules.size(), 2u);
  EXPECT_EQ(set.rules[0].document, 4u);
  EXPECT_EQ(set.rules[1].document, 7u);
  ASSERT_EQ(set.findings.size(), 4u);
  EXPECT_NE(set.findings[1].what.find("(action: global) is refused"), std::string::npos);
  EXPECT_NE(set.findings[3].what.find("this one repeats is refused"), std::string::npos);
}

// As the kubelet publishes items of a ConfigMap that have a path.
TEST_F(SigmaLoad, FoldersBehindLinksAreReadOnce) {
  write("rules/..2026/sub/a.yml", rule_with_test("query: a"));
  write("elsewhere/b.yml", rule_with_test("query: b"));
  fs::create_directory_symlink("..2026", folder_ / "rules/..data");
  fs::create_directory_symlink("..data/sub", folder_ / "rules/sub");
  fs::create_directory_symlink(folder_ / "elsewhere", folder_ / "rules/other");
  fs::create_directory_symlink(folder_ / "rules", folder_ / "elsewhere/loop");
  fs::create_directory_symlink("nowhere", folder_ / "rules/dangling");
  const RuleSet set = load_rules({(folder_ / "rules").native()});
  ASSERT_TRUE(set.usable()) << error_of(set);
  ASSERT_EQ(set.rules.size(), 2u);
  EXPECT_EQ(set.rules[0].file, (folder_ / "rules/other/b.yml").native());
  EXPECT_EQ(set.rules[1].file, (folder_ / "rules/sub/a.yml").native());
}

}  // namespace
}  // namespace nslookout::sigma
