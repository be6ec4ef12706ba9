// How origin_package.cc, origin_build.cc and origin_ci.cc read the facts of a chain of programs.
// Views are of the chain: they live as long as it does. Thread rule: any thread.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <span>
#include <string_view>

#include "identity/origin.h"

namespace nslookout::identity {

using Chain = std::span<const ProgramFacts>;  // nearest first

// Empty for a variable that is not there, as for one that is empty or was cut: no fact is in any of them.
[[nodiscard]] std::string_view variable(const ProgramFacts& program, std::string_view name);

// Whether the variable is there and not empty. One that was cut is: a program has it, whatever its value.
[[nodiscard]] bool has_variable(const ProgramFacts& program, std::string_view name);

// The nearest program that has the variable.
[[nodiscard]] std::optional<std::size_t> nearest_with(Chain chain, std::string_view name);

// Variables are inherited: the farthest ancestor of chain[nearest] that has the same values of all names, with none
// in between that has others. The program that was started with them first, and so the one they were set for.
// Programs that have none of the names (not known, or taken away) are passed over.
[[nodiscard]] std::size_t first_with_same(Chain chain, std::size_t nearest,
                                          std::initializer_list<std::string_view> names);

// After the last '/'.
[[nodiscard]] std::string_view base_name(std::string_view path);

// "curl-7.88.1" -> curl, 7.88.1. A version begins with a digit and has a dot; where two places could divide the text
// nothing is returned.
struct NameVersion {
  std::string_view name, version;
};
[[nodiscard]] std::optional<NameVersion> split_name_version(std::string_view text);

}  // namespace nslookout::identity
