// A regular expression of a rule (modifier `re`): an unanchored search, with case unless the flag `i` is given, in the
// language of RE2 (github.com/google/re2/wiki/Syntax): what Sigma asks of it is there, lookaround and backreferences are
// not. Time is linear in the text whatever the expression.
//
// Copies share the compiled program. Thread rule: read-only once made, any number of threads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace re2 {
class RE2;
}

namespace nslookout::sigma {

inline constexpr std::int64_t max_regex_memory = 1 << 20;  // octets, of one expression with what its search caches

struct RegexFlags {
  bool ignore_case = false;  // i
  bool multiline = false;    // m: ^ and $ at line ends too
  bool dot_all = false;      // s: . is a line end too

  bool operator==(const RegexFlags&) const = default;
};

class Regex {
 public:
  // Error: invalid, what RE2 objects to.
  [[nodiscard]] static Result<Regex> compile(std::string_view source, RegexFlags flags);

  [[nodiscard]] bool found_in(std::string_view text) const;
  // Texts of which at least one is in every text that the expression is found in, letters of either case; none: there are
  // no such texts of a useful length.
  [[nodiscard]] std::vector<std::string> needs_one_of() const;

  // Whether a text may be found and not be found with letters of the other case: as far as the expression itself says it, and not
  // where it sets the flag i for a part.
  [[nodiscard]] bool tells_cases() const;

  [[nodiscard]] const std::string& source() const { return source_; }
  [[nodiscard]] RegexFlags flags() const { return flags_; }

 private:
  Regex(std::string source, RegexFlags flags, std::shared_ptr<const re2::RE2> compiled)
      : source_(std::move(source)), flags_(flags), compiled_(std::move(compiled)) {}

  std::string source_;
  RegexFlags flags_;
  std::shared_ptr<const re2::RE2> compiled_;
};

}  // namespace nslookout::sigma
