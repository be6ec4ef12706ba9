// The options behind the '?' of an output's specification: which kinds have which, and what their values are.
// Thread rule: any thread.
#pragma once

#include <set>
#include <string_view>

#include "base/result.h"
#include "sink/spec.h"

namespace nslookout::sink {

// Errors are of class usage, one sentence each; text is the whole specification, for the sentence.
[[nodiscard]] Result<void> apply_option(Spec& spec, std::string_view key, std::string_view value,
                                        std::string_view text);

// The keys that are written out, each once.
using GivenOptions = std::set<std::string_view>;

// What no option alone can tell: options that exclude or need each other.
[[nodiscard]] Result<void> check_options(const Spec& spec, const GivenOptions& given, std::string_view text);

}  // namespace nslookout::sink
