// base/ascii_json.h: JSON that a terminal obeys nothing of.
#include "base/ascii_json.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

namespace nslookout {
namespace {

TEST(AsciiJson, HasNothingButPrintableAsciiAndSaysTheSame) {
  const std::string hostile = "c0\x1b[2J c1\u009b31m del\x7f bidi\u202e zero\u200b line\u2028 caf\u00e9 \U0001f600";
  const nlohmann::ordered_json object = {{"z", hostile}, {hostile, 1}};
  for (const int indent : {-1, 2}) {
    const std::string text = ascii_json(object, indent);
    EXPECT_TRUE(std::ranges::all_of(text, [](char c) { return c == '\n' || (c >= ' ' && c <= '~'); })) << text;
    EXPECT_EQ(nlohmann::ordered_json::parse(text), object);
  }
}

TEST(AsciiJson, KeepsOrderAndIndent) {
  EXPECT_EQ(ascii_json(nlohmann::ordered_json{{"b", 1}, {"a", 2}}), R"({"b":1,"a":2})");
  EXPECT_EQ(ascii_json(nlohmann::json{{"b", 1}}, 2), "{\n  \"b\": 1\n}");
}

TEST(AsciiJson, OctetsThatAreNotUtf8AreReplaced) { EXPECT_EQ(ascii_json(nlohmann::json("a\xff")), R"("a\ufffd")"); }

}  // namespace
}  // namespace nslookout
