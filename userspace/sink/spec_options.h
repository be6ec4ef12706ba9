// The options behind the '?' of an output's specification: which kinds have which, and what their values are.
// Thread rule: any thread.
#pragma once

#include <string_view>

#include "base/result.h"
#include "sink/spec.h"

namespace nslookout::sink {

// Errors are of class usage, one sentence each; text is the whole specification, for the sentence.
[[nodiscard]] Result<void> apply_option(Spec& spec, std::string_view key, std::string_view value,
                                        std::string_view text);

// What no option alone can tell: options that exclude or need each other.
[[nodiscard]] Result<void> check_options(const Spec& spec, std::string_view text);

}  // namespace nslookout::sink
