#include "sigma/pattern.h"

#include <utility>

#include "base/case_fold.h"
#include "base/idna.h"

namespace nslookout::sigma {
namespace {

class PatternBuilder {
 public:
  explicit PatternBuilder(bool cased) { pattern_.cased = cased; }

  void literal(char c) { literal_ += c; }
  void wildcard(Token::Kind kind) {
    flush();
    const bool repeated_run =
        kind == Token::Kind::run && !pattern_.tokens.empty() && pattern_.tokens.back().kind == Token::Kind::run;
    if (!repeated_run) pattern_.tokens.push_back({kind});
  }
  Pattern take() {
    flush();
    return std::move(pattern_);
  }

 private:
  void flush() {
    if (literal_.empty()) return;
    pattern_.tokens.push_back({Token::Kind::literal, pattern_.cased ? literal_ : fold_case(literal_)});
    literal_.clear();
  }

  Pattern pattern_;
  std::string literal_;
};

bool ends_in_separator(std::string_view text) {
  if (!text.ends_with('.')) return false;
  std::size_t backslashes = 0;
  while (backslashes + 1 < text.size() && text[text.size() - 2 - backslashes] == '\\') ++backslashes;
  return backslashes % 2 == 0;
}

void strip_trailing_dot(Pattern& pattern) {
  if (!pattern.anchored_end() || pattern.tokens.empty()) return;
  Token& last = pattern.tokens.back();
  if (last.kind == Token::Kind::literal && last.text != "." && ends_in_separator(last.text)) last.text.pop_back();
}

// open_start and open_end: the label there may go on, because a wildcard stands beside it.
Result<void> convert_labels(std::string& text, bool open_start, bool open_end) {
  const std::string first = text.substr(0, text.find('.'));
  const std::string last = text.substr(text.rfind('.') + 1);
  if ((open_start && !is_ascii(first)) || (open_end && !is_ascii(last))) {
    return fail(
        ErrorClass::invalid,
        "'{}' is only part of a label and not ASCII: on the wire such a label is in its xn-- form, which has no "
        "part that could be compared; write the whole label between dots",
        open_start && !is_ascii(first) ? first : last);
  }
  Result<std::string> converted = labels_to_ascii(text);
  if (!converted) return fail(converted.error());
  text = std::move(*converted);
  return {};
}

}  // namespace

bool Pattern::is_literal() const {
  return tokens.empty() || (tokens.size() == 1 && tokens[0].kind == Token::Kind::literal);
}

bool Pattern::anchored_end() const { return tokens.empty() || tokens.back().kind != Token::Kind::run; }

Pattern parse_pattern(std::string_view value, bool cased) {
  PatternBuilder builder(cased);
  for (std::size_t i = 0; i < value.size(); ++i) {
    const char c = value[i];
    const char next = i + 1 < value.size() ? value[i + 1] : '\0';
    if (c == '\\' && (next == '*' || next == '?' || next == '\\')) {
      builder.literal(next);
      ++i;
    } else if (c == '*') {
      builder.wildcard(Token::Kind::run);
    } else if (c == '?') {
      builder.wildcard(Token::Kind::one);
    } else {
      builder.literal(c);
    }
  }
  return builder.take();
}

Pattern literal_pattern(std::string_view text, bool cased) {
  PatternBuilder builder(cased);
  for (const char c : text) builder.literal(c);
  return builder.take();
}

void fold_pattern(Pattern& pattern) {
  pattern.cased = false;
  for (Token& token : pattern.tokens) token.text = fold_case(token.text);
}

void add_run_at_start(Pattern& pattern) {
  if (!pattern.tokens.empty() && pattern.tokens.front().kind == Token::Kind::run) return;
  pattern.tokens.insert(pattern.tokens.begin(), Token{Token::Kind::run});
}

void add_run_at_end(Pattern& pattern) {
  if (!pattern.tokens.empty() && pattern.tokens.back().kind == Token::Kind::run) return;
  pattern.tokens.push_back({Token::Kind::run});
}

Result<void> adapt_to_names(Pattern& pattern) {
  strip_trailing_dot(pattern);
  for (std::size_t i = 0; i < pattern.tokens.size(); ++i) {
    Token& token = pattern.tokens[i];
    if (token.kind != Token::Kind::literal || is_ascii(token.text)) continue;
    const bool last = i + 1 == pattern.tokens.size();
    if (Result<void> done = convert_labels(token.text, i > 0, !last); !done) return done;
  }
  return {};
}

}  // namespace nslookout::sigma
