// The slow reference: plain Sigma straight over the AST and the lists, with no index, no witness, and a pattern matcher
// of its own. It is simple enough to be read at a glance; tests hold the verifier and the kernel's tables
// against it. Shares only the AST, Query and the tables' entries with the code it checks.
#pragma once

#include <cstddef>
#include <vector>

#include "lists/name_list.h"
#include "match/query.h"
#include "sigma/ast.h"

namespace nslookout::match {

struct ReferenceHits {
  std::vector<std::size_t> rules;  // indexes, ascending
  std::vector<std::size_t> lists;

  bool operator==(const ReferenceHits&) const = default;
};

[[nodiscard]] ReferenceHits reference_matches(const std::vector<sigma::Rule>& rules,
                                              const std::vector<lists::NameList>& lists, const Query& query);

}  // namespace nslookout::match
