// What became of one document of a rule file, put together from the set's findings and the plan: the common ground of
// the forms in which `nslookout check` prints it. Thread rule: pure functions; the set must outlive the verdicts.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "compile/plan.h"
#include "sigma/load.h"

namespace nslookout::cli {

struct Verdict {
  const sigma::Document* document = nullptr;  // none: the findings are about a whole file
  std::string file;
  bool valid = true;
  bool is_filter = false;
  std::string_view fires;  // "always", "degraded", "never"
  std::string reason;
  std::vector<const sigma::Finding*> errors;
  std::vector<const sigma::Finding*> warnings;
  const compile::RulePlan* plan = nullptr;  // of a rule that is loaded
  const sigma::Rule* rule = nullptr;        // the plan's

  [[nodiscard]] sigma::Place place() const;
  [[nodiscard]] bool is_loaded() const;  // as a rule or a correlation
};

// In the order of files and documents. plan is the one of the set's rules.
[[nodiscard]] std::vector<Verdict> verdicts_of(const sigma::RuleSet& set, const compile::Plan& plan);

}  // namespace nslookout::cli
