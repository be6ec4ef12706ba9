// Rules and lists -> one plan: what the kernel's tables hold, what the verifier decides, and why (explain, check).
//
//   Plan plan = make_plan(std::move(rules), std::move(lists));
//   KernelTables tables = build_kernel_tables(plan.predicates(), Seeds::random());
//
// Invariant: a lookup for which a rule or a list matches, by its name or by what comes before a search suffix, is covered by
// one of predicates().
// The plan owns all its parts; names are views into them, so it moves but is never copied. Thread rule: read-only once
// made. Making it cannot fail: what is wrong with a rule was said when it was loaded.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/search_suffix.h"
#include "compile/blocking.h"
#include "compile/firing.h"
#include "compile/kernel_tables.h"
#include "compile/witness.h"
#include "lists/name_list.h"
#include "sigma/ast.h"
#include "sigma/correlation.h"

namespace nslookout::compile {

enum class Reach {
  by_name,      // the kernel lets out the lookups of some names, record types or flags
  every_query,  // the kernel must let out every lookup
  never,        // no lookup can make the rule true
};

// How one rule is divided between the kernel and the verifier.
struct RulePlan {
  Reach reach = Reach::by_name;
  std::vector<Witness> witnesses;  // each name once
  std::vector<NameText> texts;
  std::vector<std::uint16_t> record_types;
  HeaderFlags flags;
  bool kernel_decides = false;     // the kernel's answer is the rule's, nothing is left to the verifier
  bool reads_response = false;     // the rule tests a field of the response, or is counted by one (the next line)
  bool counts_response = false;    // a correlation of the rule groups by or counts a field of the response
  FiringReport firing;             // whether lookups here can make the rule true at all
  std::string kernel;              // one sentence: what the kernel does for this rule, and why
  std::string verifier;            // one sentence: what is left
  std::vector<std::string> notes;  // values that never match, names that cover a great deal

  // Whether the names are all that lets a lookup out for the rule.
  [[nodiscard]] bool by_names_alone() const { return texts.empty() && record_types.empty() && flags.empty(); }
};

class Plan {
 public:
  Plan(std::vector<sigma::Rule> rules, std::vector<lists::NameList> lists,
       std::vector<sigma::Correlation> correlations);
  Plan(Plan&&) noexcept = default;
  Plan& operator=(Plan&&) noexcept = default;
  Plan(const Plan&) = delete;
  Plan& operator=(const Plan&) = delete;
  ~Plan() = default;

  [[nodiscard]] const std::vector<sigma::Rule>& rules() const { return rules_; }
  [[nodiscard]] const std::vector<RulePlan>& rule_plans() const { return rule_plans_; }  // parallel to rules()
  // Their sources are indexes into rules() and into themselves.
  [[nodiscard]] const std::vector<sigma::Correlation>& correlations() const { return correlations_; }
  [[nodiscard]] const std::vector<lists::NameList>& lists() const { return lists_; }
  // Correlations that never fire because of what their rules are; sentences with their places.
  [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }

  // What resolvers append to names, here: the kernel and the verifier see through it. None unless given.
  void set_search_suffixes(std::vector<SearchSuffix> suffixes) { search_suffixes_ = std::move(suffixes); }
  [[nodiscard]] const std::vector<SearchSuffix>& search_suffixes() const { return search_suffixes_; }

  // What keeps lookups from leaving. Nothing does unless this was called; allowed: lists of names that are never blocked;
  // only_allowed: everything else is.
  void set_blocking(const BlockPolicy& policy, std::vector<lists::NameList> allowed, bool only_allowed);
  [[nodiscard]] const Blocking& blocking() const { return blocking_; }

  // Made anew by each call. Names of rules are united with one another; those of lists are not copied, and a name may
  // occur once more for each list (build_kernel_tables unites them). Views into the plan.
  [[nodiscard]] KernelPredicates predicates() const;
  [[nodiscard]] bool every_query() const { return every_query_; }
  [[nodiscard]] bool reads_response() const;  // some rule does

 private:
  void find_correlations_out_of_reach();
  void find_rules_that_wait();

  std::vector<sigma::Rule> rules_;
  std::vector<RulePlan> rule_plans_;
  std::vector<lists::NameList> lists_;
  std::vector<sigma::Correlation> correlations_;
  std::vector<std::string> warnings_;
  std::vector<SearchSuffix> search_suffixes_;
  Blocking blocking_;
  bool every_query_ = false;
};

[[nodiscard]] inline Plan make_plan(std::vector<sigma::Rule> rules, std::vector<lists::NameList> lists,
                                    std::vector<sigma::Correlation> correlations = {}) {
  return {std::move(rules), std::move(lists), std::move(correlations)};
}

}  // namespace nslookout::compile
