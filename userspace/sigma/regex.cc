#include "sigma/regex.h"

#include <re2/re2.h>

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

bool Regex::found_in(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), *compiled_);
}

}  // namespace nslookout::sigma
