#include "sigma/regex.h"

#include <re2/filtered_re2.h>
#include <re2/re2.h>

#include <algorithm>
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

bool Regex::found_in(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace nslookout::sigma
