// Comparison without case, as Sigma wants it for every text: Unicode simple case folding, one code point for one
// (CaseFolding.txt, status C and S; the dotless i and the dotted capital I fold to themselves). Names need less (RFC
// 4343 folds ASCII alone), and for ASCII the result is the same.
#pragma once

#include <string>
#include <string_view>

namespace nslookout {

// Octets that are not UTF-8 are kept. Never fails; the result may be longer or shorter than the text.
[[nodiscard]] std::string fold_case(std::string_view text);

}  // namespace nslookout
