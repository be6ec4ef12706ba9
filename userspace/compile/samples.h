// Lookups that may make a rule true, for a test of the whole way from the kernel to the event: names put together from what
// the rule's tests have, each with the record types that rules ask for.
//
// Invariant: none; a sample may fail the rule, and a rule may have none that holds. Whoever uses them asks the verifier.
// Nothing below is a name of somebody's unless the rule itself names it. Thread rule: any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "compile/plan.h"
#include "sigma/ast.h"

namespace nslookout::compile {

inline constexpr std::size_t most_sample_names = 512;  // of a rule

// Wire form, lower case but for values that a rule compares with case.
[[nodiscard]] std::vector<std::string> sample_names(const sigma::Rule& rule, const RulePlan& plan);

// The likeliest first.
[[nodiscard]] std::vector<std::uint16_t> sample_record_types(const RulePlan& plan);

// Adds one label before a name in wire form; the name itself where that would be too long.
[[nodiscard]] std::string name_below(const std::string& wire);

}  // namespace nslookout::compile
