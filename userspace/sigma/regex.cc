#include "sigma/regex.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
#include <bitset>
#include <numeric>

namespace nslookout::sigma {

Result<Regex> Regex::compile(std::string_view source, RegexFlags flags) {
  RE2::Options options;
  options.set_log_errors(false);
  options.set_max_mem(max_regex_memory);
  std::string letters;
  if (flags.ignore_case) letters += 'i';
  if (flags.multiline) letters += 'm';
  if (flags.dot_all) letters += 's';
  std::string with_flags = letters.empty() ? std::string() : "(?" + letters + ")";
  with_flags += source;
  auto compiled = std::make_shared<const RE2>(with_flags, options);
  if (!compiled->ok()) {
    return fail(ErrorClass::invalid, "'{}' is no regular expression that RE2 can compile: {}", source,
                compiled->error());
  }
  return Regex(std::string(source), flags, std::move(compiled));
}

std::vector<std::string> Regex::needs_one_of() const {
  constexpr int shortest = 3;
  re2::FilteredRE2 filtered(shortest);
  int id = 0;
  RE2::Options options;
  options.set_log_errors(false);
  if (filtered.Add(compiled_->pattern(), options, &id) != RE2::NoError) return {};
  std::vector<std::string> texts;
  filtered.Compile(&texts);
  // One text that the expression cannot do without says more than all of them together.
  const auto possible_without = [&](int left_out) {
    std::vector<int> found(texts.size());
    std::iota(found.begin(), found.end(), 0);
    std::erase(found, left_out);
    std::vector<int> possible;
    filtered.AllPotentials(found, &possible);
    return !possible.empty();
  };
  std::string needed;
  for (int i = 0; i < static_cast<int>(texts.size()); ++i) {
    const auto at = static_cast<std::size_t>(i);
    if (texts[at].size() > needed.size() && !possible_without(i)) needed = texts[at];
  }
  return needed.empty() ? texts : std::vector<std::string>{needed};
}

namespace {

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// Reads an expression that RE2 has compiled for the letters that stand for themselves.
class CaseReader {
 public:
  explicit CaseReader(std::string_view source) : source_(source) {}

  bool tells_cases() {
    for (; at_ < source_.size(); ++at_) {
      if (source_[at_] == '\\') {
        skip_escape();
      } else if (source_.substr(at_).starts_with("(?")) {
        if (group_ignores_case()) return false;
      } else if (source_[at_] == '[') {
        if (class_tells_cases()) return true;
      } else if (is_letter(source_[at_])) {
        return true;
      }
    }
    return false;
  }

 private:
  // To its last character: \d, \x{41}, \pL, \p{Lu}.
  void skip_escape() {
    ++at_;
    const bool named = at_ + 1 < source_.size() && (source_[at_] == 'x' || source_[at_] == 'p' || source_[at_] == 'P');
    if (!named) return;
    at_ = source_[at_ + 1] == '{' ? std::min(source_.find('}', at_), source_.size()) : at_ + 1;
  }

  // To the end of its flags or its name: (?i), (?s:…), (?P<name>…).
  bool group_ignores_case() {
    const std::size_t end = std::min(source_.find_first_of(":)>", at_), source_.size());
    const std::string_view flags = source_.substr(at_ + 2, end - at_ - 2);
    at_ = end;
    return flags.find('<') == std::string_view::npos &&
           flags.substr(0, flags.find('-')).find('i') != std::string_view::npos;
  }

  // To its bracket. A class that has each of its letters in both cases does not tell them apart.
  bool class_tells_cases() {
    std::bitset<128> letters;
    ++at_;
    if (at_ < source_.size() && source_[at_] == '^') ++at_;
    const std::size_t first = at_;
    for (; at_ < source_.size() && (source_[at_] != ']' || at_ == first); ++at_) {
      if (source_[at_] == '\\') {
        skip_escape();
      } else if (source_.substr(at_).starts_with("[:")) {
        const std::size_t end = std::min(source_.find(":]", at_), source_.size());
        const std::string_view name = source_.substr(at_, end - at_);
        if (name.ends_with("lower") || name.ends_with("upper")) return true;
        at_ = end + 1;
      } else {
        add(letters);
      }
    }
    for (std::size_t c = 'a'; c <= 'z'; ++c) {
      if (letters[c] != letters[c - 'a' + 'A']) return true;
    }
    return false;
  }

  void add(std::bitset<128>& letters) {
    const auto from = static_cast<unsigned char>(source_[at_]);
    unsigned char to = from;
    if (at_ + 2 < source_.size() && source_[at_ + 1] == '-' && source_[at_ + 2] != ']' && source_[at_ + 2] != '\\') {
      at_ += 2;
      to = static_cast<unsigned char>(source_[at_]);
    }
    for (std::size_t c = from; c <= to && c < letters.size(); ++c) letters.set(c);
  }

  std::string_view source_;
  std::size_t at_ = 0;
};

}  // namespace

bool Regex::tells_cases() const { return !flags_.ignore_case && CaseReader(source_).tells_cases(); }

bool Regex::found_in(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace nslookout::sigma
