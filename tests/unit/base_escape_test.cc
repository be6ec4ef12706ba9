// base/escape.h: hostile text on its way to a person or to protobuf.
#include "base/escape.h"

#include <gtest/gtest.h>

#include <string>

namespace nslookout {
namespace {

using namespace std::string_literals;

TEST(Escape, ControlsAndInvalidUtf8) {
  const struct {
    std::string text;
    std::string controls;  // escape_controls
    std::string utf8;      // escape_invalid_utf8
  } cases[] = {
      {"", "", ""},
      {"plain ~", "plain ~", "plain ~"},
      {"a\nb", "a\\x0ab", "a\nb"},
      {"\x1B[31m", "\\x1b[31m", "\x1B[31m"},
      {"nul\0x"s, "nul\\x00x", "nul\0x"s},
      {"del\x7F", "del\\x7f", "del\x7F"},
      {"caf\xC3\xA9", "caf\xC3\xA9", "caf\xC3\xA9"},
      {"\xE2\x82\xAC\xF0\x9F\x98\x80", "\xE2\x82\xAC\xF0\x9F\x98\x80", "\xE2\x82\xAC\xF0\x9F\x98\x80"},
      {"c1\xC2\x9B", "c1\\xc2\\x9b", "c1\xC2\x9B"},
      {"\xFF", "\\xff", "\\xff"},
      {"cut\xC3", "cut\\xc3", "cut\\xc3"},
      {"cut\xE2\x82", "cut\\xe2\\x82", "cut\\xe2\\x82"},
      {"overlong\xC0\xAF", "overlong\\xc0\\xaf", "overlong\\xc0\\xaf"},
      {"overlong\xE0\x80\xAF", "overlong\\xe0\\x80\\xaf", "overlong\\xe0\\x80\\xaf"},
      {"surrogate\xED\xA0\x80", "surrogate\\xed\\xa0\\x80", "surrogate\\xed\\xa0\\x80"},
      {"bidi\u202E", "bidi\\u{202E}", "bidi\u202E"},
      {"isolate\u2066", "isolate\\u{2066}", "isolate\u2066"},
      {"nothing\u200B", "nothing\\u{200B}", "nothing\u200B"},
      {"line\u2028", "line\\u{2028}", "line\u2028"},
      {"tag\U000E0041", "tag\\u{E0041}", "tag\U000E0041"},
      {"beyond\xF4\x90\x80\x80", "beyond\\xf4\\x90\\x80\\x80", "beyond\\xf4\\x90\\x80\\x80"},
  };
  for (const auto& c : cases) {
    EXPECT_EQ(escape_controls(c.text), c.controls);
    EXPECT_EQ(escape_invalid_utf8(c.text), c.utf8);
  }
}

}  // namespace
}  // namespace nslookout
