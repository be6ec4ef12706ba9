// The slow reference: plain Sigma straight over the AST and the lists, with no index, no witness, and with matching of
// its own: of patterns, regular expressions (std::regex), numbers, times, networks and references. It is simple enough to be read at a glance; tests hold the verifier and the kernel's tables
// against it. Shares only the AST, Query with its derived fields, and the tables' entries with the code it checks.
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
