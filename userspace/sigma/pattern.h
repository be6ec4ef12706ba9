// The text of a Sigma value as a list of tokens: literals and the wildcards * and ? (Sigma rules specification 2.1,
// "Wildcards" and "Escaping").
//
// A backslash before *, ? or a backslash escapes it; before anything else, and at the end, it is itself. Modifiers work
// on tokens, never on text, so a value cannot escape the wildcard that a modifier adds.
//
// Patterns for names (Field::query) are compared with presentation form, where a dot or a backslash inside a label is
// escaped: such an escape is one character of the name. No literal and no wildcard ends in the middle of one, so
// `endswith: .b` means the label boundary and never the label "a\.b".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace nslookout::sigma {

struct Token {
  enum class Kind {
    literal,
    one,  // ?: exactly one character (code point, or escape of a name)
    run,  // *: any number of characters
  };
  Kind kind = Kind::literal;
  std::string text = {};  // of a literal; folded (base/case_fold.h) unless the pattern is cased

  bool operator==(const Token&) const = default;
};

// Invariant: no two literals and no two runs side by side, no empty literal. No token at all matches the empty text.
struct Pattern {
  std::vector<Token> tokens;
  bool cased = false;

  bool operator==(const Pattern&) const = default;

  [[nodiscard]] bool is_literal() const;    // no wildcard
  [[nodiscard]] bool anchored_end() const;  // the last token is not a run
};

[[nodiscard]] Pattern parse_pattern(std::string_view value, bool cased);

// The text as one literal, without wildcards.
[[nodiscard]] Pattern literal_pattern(std::string_view text, bool cased);

// Takes the case out of a pattern that was made cased, as the last step of what modifiers do to it.
void fold_pattern(Pattern& pattern);

// contains adds both, startswith the one at the end, endswith the one at the start; a run that is there already stays
// the only one.
void add_run_at_start(Pattern& pattern);
void add_run_at_end(Pattern& pattern);

// What a value for a name needs beyond other texts: one trailing dot of an end that is fixed goes away (the root "."
// stays), and labels outside ASCII become A-labels. Error: part of a label outside ASCII, which has no A-label.
[[nodiscard]] Result<void> adapt_to_names(Pattern& pattern);

}  // namespace nslookout::sigma
