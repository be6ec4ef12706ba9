#include "match/text.h"

#include <algorithm>
#include <cstddef>
#include <string>
#include <vector>

namespace nslookout::match {
namespace {

using sigma::Pattern;
using sigma::Token;

// Octets of the code point at the start of a text that is not empty; one where it is not UTF-8.
std::size_t character_length(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  std::size_t length = 1;
  for (const unsigned longer : {0xC0U, 0xE0U, 0xF0U}) length += first >= longer ? 1 : 0;
  return std::min(length, text.size());
}
std::size_t character_length(std::u32string_view /*text*/) { return 1; }

// The classic walk: the last run is the only place to go back to, because whatever an earlier run could take, it can
// take as well.
template <typename Char>
class Matcher {
 public:
  using View = std::basic_string_view<Char>;

  // literals is parallel to tokens; entries of wildcards are not looked at.
  Matcher(const std::vector<Token>& tokens, const std::vector<View>& literals) : tokens_(tokens), literals_(literals) {}

  bool matches(View text) const {
    std::size_t token = 0;
    std::size_t at = 0;
    std::size_t run = npos;  // token behind the last run
    std::size_t run_at = 0;  // where that token was tried
    while (true) {
      if (token == tokens_.size()) {
        if (at == text.size()) return true;
      } else if (tokens_[token].kind == Token::Kind::run) {
        if (token + 1 == tokens_.size()) return true;
        if (last_literal(token + 1)) return ends_after(text, at, literals_[token + 1]);
        run = ++token;
        run_at = at;
        if (!seek(text, token, run_at)) return false;
        at = run_at;
        continue;
      } else if (step(text, token, at)) {
        ++token;
        continue;
      }
      if (run == npos || run_at >= text.size()) return false;
      run_at += character_length(text.substr(run_at));
      if (!seek(text, run, run_at)) return false;
      token = run;
      at = run_at;
    }
  }

 private:
  static constexpr std::size_t npos = static_cast<std::size_t>(-1);

  [[nodiscard]] bool last_literal(std::size_t token) const {
    return token + 1 == tokens_.size() && tokens_[token].kind == Token::Kind::literal;
  }

  static bool ends_after(View text, std::size_t at, View literal) {
    return text.size() - at >= literal.size() && text.ends_with(literal);
  }

  // Behind a run: moves at to the next place where the token can stand at all.
  bool seek(View text, std::size_t token, std::size_t& at) const {
    if (tokens_[token].kind != Token::Kind::literal) return true;
    at = text.find(literals_[token], at);
    return at != View::npos;
  }

  bool step(View text, std::size_t token, std::size_t& at) const {
    if (tokens_[token].kind == Token::Kind::one) {
      if (at >= text.size()) return false;
      at += character_length(text.substr(at));
      return true;
    }
    if (!text.substr(at).starts_with(literals_[token])) return false;
    at += literals_[token].size();
    return true;
  }

  const std::vector<Token>& tokens_;
  const std::vector<View>& literals_;
};

// Presentation form as characters: a code point stands for itself, an escape for a number beyond Unicode.
std::u32string name_characters(std::string_view name) {
  constexpr char32_t escaped = 0x200000;          // "\\." and "\\\\"
  constexpr char32_t escaped_decimal = 0x200100;  // "\\DDD": never the other form of the same octet
  const auto digit = [&](std::size_t i) { return i < name.size() && name[i] >= '0' && name[i] <= '9'; };
  std::u32string out;
  for (std::size_t i = 0; i < name.size();) {
    if (name[i] == '\\' && digit(i + 1) && digit(i + 2) && digit(i + 3)) {
      const int value = (name[i + 1] - '0') * 100 + (name[i + 2] - '0') * 10 + (name[i + 3] - '0');
      out += escaped_decimal + static_cast<char32_t>(value);
      i += 4;
    } else if (name[i] == '\\' && i + 1 < name.size()) {
      out += escaped + static_cast<char32_t>(static_cast<unsigned char>(name[i + 1]));
      i += 2;
    } else {
      const std::size_t length = character_length(name.substr(i));
      char32_t character = 0;
      for (const char octet : name.substr(i, length)) character = character << 8 | static_cast<unsigned char>(octet);
      // Unlike a real code point this keeps all octets, which is all that a comparison needs; it stays clear of the
      // escapes because a first octet of four is at least 0xF0.
      out += length == 1 ? character : 0x80000000U | character;
      i += length;
    }
  }
  return out;
}

}  // namespace

std::size_t name_length(std::string_view name) { return name_characters(name).size(); }

bool matches_text(const Pattern& pattern, std::string_view text) {
  const std::vector<Token>& tokens = pattern.tokens;
  if (pattern.is_literal()) return tokens.empty() ? text.empty() : text == tokens[0].text;
  std::vector<std::string_view> literals;
  literals.reserve(tokens.size());
  for (const Token& token : tokens) literals.push_back(token.text);
  return Matcher<char>(tokens, literals).matches(text);
}

bool matches_name(const Pattern& pattern, std::string_view name) {
  // Almost no name has an escape, and without one a literal with an escape finds nothing either way.
  if (name.find('\\') == std::string_view::npos) return matches_text(pattern, name);
  std::vector<std::u32string> characters;
  characters.reserve(pattern.tokens.size());
  for (const Token& token : pattern.tokens) characters.push_back(name_characters(token.text));
  const std::vector<std::u32string_view> literals(characters.begin(), characters.end());
  return Matcher<char32_t>(pattern.tokens, literals).matches(name_characters(name));
}

}  // namespace nslookout::match
