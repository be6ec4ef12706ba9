#include "base/text.h"

#include <gtest/gtest.h>

#include <vector>

namespace nslookout {
namespace {

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words;
  for (std::string_view word = take_word(text); !word.empty(); word = take_word(text)) words.emplace_back(word);
  EXPECT_EQ(text, "");
  return words;
}

TEST(TakeWord, WordsAreCutAtAnyWhiteSpace) {
  EXPECT_EQ(words_of("Uid:\t0\t 1  2\n"), (std::vector<std::string>{"Uid:", "0", "1", "2"}));
  EXPECT_EQ(words_of("one"), std::vector<std::string>{"one"});
  EXPECT_EQ(words_of(" \v\f\r"), std::vector<std::string>{});
  EXPECT_EQ(words_of(""), std::vector<std::string>{});
}

TEST(TakeUntil, TheSeparatorGoesWithTheHead) {
  std::string_view rest = "a::b";
  EXPECT_EQ(take_until(rest, ':'), "a");
  EXPECT_EQ(take_until(rest, ':'), "");
  EXPECT_EQ(take_until(rest, ':'), "b");
  EXPECT_EQ(rest, "");
}

}  // namespace
}  // namespace nslookout
