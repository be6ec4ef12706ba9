#include "cli/check_verdict.h"

#include <algorithm>
#include <map>
#include <utility>

namespace nslookout::cli {
namespace {

using sigma::FindingKind;

std::string_view firing_id(compile::Firing firing) {
  switch (firing) {
    case compile::Firing::always:
      return "always";
    case compile::Firing::degraded:
      return "degraded";
    case compile::Firing::never:
      return "never";
  }
  return "never";
}

void add_findings(Verdict& verdict, const std::vector<const sigma::Finding*>& findings) {
  const sigma::Finding* elsewhere =
      nullptr;  // the first says that the log source is another one, the others what is wrong
  for (const sigma::Finding* finding : findings) {
    if (finding->kind == FindingKind::warning) {
      verdict.warnings.push_back(finding);
    } else if (finding->kind == FindingKind::other_source && elsewhere == nullptr) {
      elsewhere = finding;
    } else {
      verdict.errors.push_back(finding);
    }
  }
  if (elsewhere != nullptr) {
    verdict.fires = "never";
    verdict.reason = elsewhere->what;
  }
  if (verdict.errors.empty()) return;
  verdict.valid = false;
  verdict.fires = "never";
  verdict.reason = verdict.errors.front()->what;
}

}  // namespace

sigma::Place Verdict::place() const {
  if (!errors.empty()) return errors.front()->place;
  return document != nullptr ? document->place : sigma::Place{};
}

bool Verdict::is_loaded() const {
  const bool correlation = document != nullptr && document->kind == sigma::Document::Kind::correlation;
  return valid && (plan != nullptr || correlation);
}

std::vector<Verdict> verdicts_of(const sigma::RuleSet& set, const compile::Plan& plan) {
  std::map<std::pair<std::string, std::size_t>, std::vector<const sigma::Finding*>> findings;
  for (const sigma::Finding& finding : set.findings) findings[{finding.file, finding.document}].push_back(&finding);
  std::vector<Verdict> verdicts;
  for (const sigma::Document& document : set.documents) {
    Verdict verdict;
    verdict.document = &document;
    verdict.file = document.file;
    if (document.rule) {
      verdict.plan = &plan.rule_plans()[*document.rule];
      verdict.rule = &plan.rules()[*document.rule];
      verdict.fires = firing_id(verdict.plan->firing.firing);
      verdict.reason = verdict.plan->firing.reason;
    }
    add_findings(verdict, findings[{document.file, document.number}]);
    const bool usable = verdict.valid && verdict.fires.empty();
    verdict.is_filter = usable && document.kind == sigma::Document::Kind::filter;
    if (usable && document.kind == sigma::Document::Kind::correlation) {
      // The plan knows more of them than the set: which rules never fire.
      const auto& correlations = plan.correlations().empty() ? set.correlations : plan.correlations();
      const auto found = std::ranges::find_if(correlations, [&](const sigma::Correlation& one) {
        return one.head.file == document.file && one.head.document == document.number;
      });
      const bool never = found != correlations.end() && !found->never.empty();
      verdict.fires = never ? "never" : "always";
      verdict.reason = never ? found->never : "a correlation, which fires as its rules do";
    }
    verdicts.push_back(std::move(verdict));
  }
  for (const auto& [of, about_file] : findings) {
    if (of.second != 0) continue;
    Verdict verdict;
    verdict.file = of.first;
    add_findings(verdict, about_file);
    verdicts.push_back(std::move(verdict));
  }
  std::ranges::sort(verdicts, {}, [](const Verdict& verdict) {
    return std::pair(verdict.file, verdict.document != nullptr ? verdict.document->number : 0);
  });
  return verdicts;
}

}  // namespace nslookout::cli
