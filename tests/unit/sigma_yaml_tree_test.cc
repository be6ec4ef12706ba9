// sigma/yaml_tree.h: what the tree keeps, and what of YAML is refused.
#include "sigma/yaml_tree.h"

#include <gtest/gtest.h>

#include <string>

namespace nslookout::sigma {
namespace {

using Kind = YamlNode::Kind;

std::vector<YamlNode> parse(const std::string& text) {
  Findings findings("t.yml");
  std::vector<YamlNode> documents = parse_yaml(text, findings);
  EXPECT_TRUE(findings.all().empty()) << findings.all().front().text();
  return documents;
}

Finding first_error(const std::string& text) {
  Findings findings("t.yml");
  (void)parse_yaml(text, findings);
  EXPECT_EQ(findings.error_count(), 1u) << text.substr(0, 200);
  return findings.all().empty() ? Finding{} : findings.all().front();
}

TEST(YamlTree, KeepsTheStyleAndTheSourceOfScalars) {
  const auto documents = parse("a: NULL\nb: 'NULL'\nc: ~\nd:\ne: \"0\"\nf: 010\ng: no\nh: |\n  x\ni: !!str 5\n");
  ASSERT_EQ(documents.size(), 1u);
  const YamlNode& map = documents[0];
  EXPECT_EQ(map.find("a")->kind, Kind::null);
  EXPECT_EQ(map.find("b")->kind, Kind::scalar);
  EXPECT_TRUE(map.find("b")->quoted);
  EXPECT_EQ(map.find("b")->text, "NULL");
  EXPECT_EQ(map.find("c")->kind, Kind::null);
  EXPECT_EQ(map.find("d")->kind, Kind::null);
  EXPECT_TRUE(map.find("e")->quoted);
  EXPECT_FALSE(map.find("f")->quoted);
  EXPECT_EQ(map.find("f")->text, "010");
  EXPECT_EQ(map.find("g")->text, "no");
  EXPECT_TRUE(map.find("h")->quoted);
  EXPECT_TRUE(map.find("i")->quoted);
  EXPECT_EQ(map.find("missing"), nullptr);
}

TEST(YamlTree, EscapesAreUtf8) {
  const auto documents = parse(R"(["\N\_\x85", "é\N\_€\L\U0001F600", "\N"])");
  ASSERT_EQ(documents.size(), 1u);
  EXPECT_EQ(documents[0].items[0].text, "\xC2\x85\xC2\xA0\xC2\x85");
  EXPECT_EQ(documents[0].items[1].text, "é\xC2\x85\xC2\xA0€\u2028\U0001F600");
  EXPECT_EQ(documents[0].items[2].text, "\xC2\x85");
}

TEST(YamlTree, PlacesCountFromOne) {
  for (const std::string prefix : {"", "\xEF\xBB\xBF"}) {
    const auto documents = parse(prefix + "top: x\r\nlist:\r\n  - a\r\n  - b\r\n");
    ASSERT_EQ(documents.size(), 1u);
    EXPECT_EQ(documents[0].keys[0].place.line, 1);
    EXPECT_EQ(documents[0].keys[0].place.column, 1);
    const YamlNode& second = documents[0].find("list")->items[1];
    EXPECT_EQ(second.place.line, 4);
    EXPECT_EQ(second.place.column, 5);
    EXPECT_EQ(second.text, "b");
  }
}

TEST(YamlTree, SeveralDocumentsAndEmptyOnes) {
  EXPECT_EQ(parse("a: 1\n---\nb: 2\n").size(), 2u);
  EXPECT_EQ(parse("---\n---\na: 1\n---\n").size(), 1u);
  EXPECT_EQ(parse("").size(), 0u);
  EXPECT_EQ(parse("# only a comment\n").size(), 0u);
}

TEST(YamlTree, AliasesAreWrittenOut) {
  const auto documents = parse("a: &x [1, 2]\nb: *x\n");
  EXPECT_EQ(documents[0].find("b")->items.size(), 2u);
}

TEST(YamlTree, WhatIsRefused) {
  const struct {
    std::string text;
    int line;
    int column;
    std::string_view words;
  } cases[] = {
      {"a: 1\nb: 2\na: 3\n", 3, 1, "occurs twice"},
      {"x:\n  q|contains: a\n  q|contains: b\n", 3, 3, "occurs twice"},
      {"a: &x\n  b: *x\n", 2, 6, "inside the value"},
      {"a: *nowhere\n", 1, 4, "not YAML"},
      {"[a]: 1\n", 1, 1, "key of a map must be a text"},
      {"a:\n  <<: {b: 1}\n", 2, 3, "merge keys"},
      {"a: !!binary aGk=\n", 1, 4, "YAML tag"},
      {"a: [1, 2\nb: 3\n", 2, 2, "not YAML"},
      {"a: 'open", 1, 9, "not YAML"},
      {", a", 1, 1, "no value begins like this"},  // an empty document, and another, and so on
      {"a: 1\n---\n]\n", 3, 1, "not YAML"},
      {"a: 1\n---\n, b\n", 3, 1, "no value begins like this"},
      {"a: \xFF\n", 1, 4, "0xFF is no part of UTF-8"},
      {"a: é\nbü: \xC3\n", 2, 5, "0xC3 is no part of UTF-8"},
      {std::string("a: b\0c\n", 7), 1, 5, "0x00 is no part of UTF-8"},
      {"a: 1\n---\n[b\n---\nc: 1\n", 4, 1, "what follows in the file is not read"},
      {std::string("\xFF\xFE"
                   "a\0:\0",
                   6),
       0, 0, "is UTF-16"},
  };
  for (const auto& c : cases) {
    const Finding finding = first_error(c.text);
    EXPECT_NE(finding.what.find(c.words), std::string::npos) << finding.text() << "\n" << c.text;
    EXPECT_EQ(finding.place.line, c.line) << finding.text();
    EXPECT_EQ(finding.place.column, c.column) << finding.text();
  }
}

TEST(YamlTree, BombsAndDepthAreBounded) {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 10; ++k) bomb += (k > 0 ? ", *a" : "*a") + std::to_string(i - 1);
    bomb += "]\n";
  }
  EXPECT_NE(first_error(bomb).what.find("more than"), std::string::npos);

  EXPECT_NE(first_error(std::string(100, '[') + std::string(100, ']')).what.find("deeper"), std::string::npos);
  EXPECT_NE(first_error(std::string(100000, '[')).what.find("deeper"), std::string::npos);

  // Depth by aliases: each level is flat in the text and deep in the tree.
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 100; ++i) {
    deep += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [*a" + std::to_string(i - 1) + "]\n";
  }
  EXPECT_NE(first_error(deep).what.find("deeper"), std::string::npos);
}

TEST(YamlTree, ADocumentIsRefusedByItself) {
  const struct {
    std::string document;
    int line;  // within it
    int column;
    std::string_view words;
  } cases[] = {
      {"a: 1\nb: 2\na: 3\n", 3, 1, "'a' occurs twice"},  {"a: &x\n  b: *x\n", 2, 6, "inside the value"},
      {"[a]: 1\n", 1, 1, "key of a map must be a text"}, {"a:\n  <<: {b: 1}\n", 2, 3, "merge keys"},
      {"a: !!binary aGk=\n", 1, 4, "YAML tag"},          {"a: !foo [b, c]\n", 1, 4, "YAML tag '!foo'"},
      {"a: !bar\n  b: c\n", 1, 4, "YAML tag '!bar'"},    {"a: !x b\na: c\n", 1, 4, "YAML tag"},  // the first of two
  };
  for (const auto& c : cases) {
    Findings findings("t.yml");
    const auto documents = parse_yaml("first: 1\n---\n" + c.document + "---\nlast: 1\n", findings);
    ASSERT_EQ(documents.size(), 3u) << c.document;
    EXPECT_FALSE(documents[0].refused);
    EXPECT_TRUE(documents[1].refused) << c.document;
    EXPECT_FALSE(documents[2].refused);
    EXPECT_NE(documents[2].find("last"), nullptr);
    ASSERT_EQ(findings.error_count(), 1u) << c.document;
    const Finding& finding = findings.all().front();
    EXPECT_EQ(finding.document, 2u);
    EXPECT_EQ(finding.place.line, c.line + 2) << finding.text();
    EXPECT_EQ(finding.place.column, c.column) << finding.text();
    EXPECT_NE(finding.what.find(c.words), std::string::npos) << finding.text();
    EXPECT_EQ(finding.what.find("not read;"), std::string::npos);
  }
  EXPECT_EQ(parse("a: !!seq [b]\nc: !!map {d: e}\n").size(), 1u);
}

TEST(YamlTree, WhatIsLostBehindASyntaxErrorIsSaid) {
  constexpr std::string_view lost = "what follows in the file is not read";
  EXPECT_NE(first_error("[b\n---\nc: 1\n").what.find(lost), std::string::npos);
  EXPECT_NE(first_error(std::string(100, '[') + "\n---\nc: 1\n").what.find(lost), std::string::npos);
  EXPECT_EQ(first_error("a: [1, 2\nb: 3\n").what.find(lost), std::string::npos);
}

TEST(YamlTree, ColumnsCountCodePoints) {
  const auto documents = parse("{\xC3\xA4\xC3\xB6: x, y: z}\n---\na: [" + std::string(400, ' ') + "\xE2\x82\xAC, b]\n");
  ASSERT_EQ(documents.size(), 2u);
  EXPECT_EQ(documents[0].find("y")->place.column, 12);
  EXPECT_EQ(documents[1].find("a")->items[1].place.line, 3);
  EXPECT_EQ(documents[1].find("a")->items[1].place.column, 408);
  EXPECT_EQ(first_error("b\xC3\xBC: 1\n\xC3\xA4\xC3\xA4: {\xC3\xB6: *x}\n").place.column, 9);
}

TEST(YamlTree, AStarWithoutQuotesIsExplained) {
  EXPECT_NE(first_error("query: *.evil.com\n").what.find("put values that begin with * in quotes"), std::string::npos);
}

TEST(YamlTree, WhetherAScalarStandsInTheFileAsItIs) {
  const auto documents = parse("a: x y\nb: x\n  y\nc: 'x y'\nd: \"x\\ty\"\ne: >-\n  x\n  y\nf: 'x\n  y'\ng: |-\n  x\n");
  const YamlNode& map = documents.at(0);
  for (const auto& [key, in_place] : std::vector<std::pair<std::string, bool>>{
           {"a", true}, {"b", false}, {"c", true}, {"d", false}, {"e", false}, {"f", false}, {"g", false}}) {
    EXPECT_EQ(map.find(key)->in_place, in_place) << key;
  }
}

}  // namespace
}  // namespace nslookout::sigma
