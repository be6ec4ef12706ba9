// The verifier: which rules and lists of a plan match a lookup that the kernel let out. Its answer is plain Sigma, the
// same as reference.h gives, for every lookup.
//
//   Verifier verifier(plan);
//   for (const Hit& hit : verifier.matches(query)) …
//
// Invariant: only rules of which a witness covers the name, and rules without witnesses, are evaluated; a lookup whose
// wire name is unknown, or that has fields which no lookup from the kernel has, is held against every rule.
// The plan must outlive the verifier and its hits. Thread rule: read-only, any number of threads.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "compile/plan.h"
#include "match/evaluate.h"
#include "match/query.h"

namespace nslookout::match {

// Exactly one of rule and list is set.
struct Hit {
  const sigma::Rule* rule = nullptr;
  const lists::NameList* list = nullptr;
  std::vector<MatchedField> matched;  // of a list: "query" and the listed name
  bool correlation = false;           // rule is the head of one (match/correlator.h)

  [[nodiscard]] std::string_view id() const { return rule != nullptr ? rule->id : list->id; }
  [[nodiscard]] std::string_view title() const { return rule != nullptr ? rule->title : list->id; }
  [[nodiscard]] std::string_view level() const { return rule != nullptr ? rule->level : list->level; }
  [[nodiscard]] std::string_view file() const { return rule != nullptr ? rule->file : list->file; }
};

// What can be said of a query before its response is there.
struct EarlyHits {
  std::vector<Hit> hits;            // of rules that are true whatever the response, and of lists
  std::vector<std::uint32_t> open;  // rules that the response decides: indexes, ascending
};

class Verifier {
 public:
  explicit Verifier(const compile::Plan& plan);

  // Rules in the plan's order, then lists in theirs.
  [[nodiscard]] std::vector<Hit> matches(const Query& query) const;

  // The same in two steps, of a lookup whose response is waited for: without answer and rcode, then with them, of the
  // rules that were left open.
  [[nodiscard]] EarlyHits matches_before_response(const Query& query) const;
  [[nodiscard]] std::vector<Hit> matches_of(const std::vector<std::uint32_t>& rules, const Query& query) const;

 private:
  using RuleIndexes = std::vector<std::uint32_t>;

  [[nodiscard]] RuleIndexes candidates(const Query& query) const;
  void add_candidates(std::string_view wire, RuleIndexes& rules) const;
  void add_list_hits(const Query& query, std::vector<Hit>& hits) const;

  const compile::Plan* plan_;
  std::unordered_map<std::string_view, RuleIndexes> exact_;  // by wire name, views into the plan
  std::unordered_map<std::string_view, RuleIndexes> below_;
  RuleIndexes any_query_;
};

}  // namespace nslookout::match
