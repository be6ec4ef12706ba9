// Sigma's corner cases (rule, event, expected verdict) and SigmaHQ's rules about DNS, both read as data at test time.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "compile/plan.h"
#include "match/reference.h"
#include "match/verifier.h"
#include "shared_material.h"
#include "sigma/load.h"

namespace nslookout::match {
namespace {

using nlohmann::json;

void set_value(Query& query, const std::string& field, const json& value) {
  if (value.is_array()) {
    for (const json& element : value) set_value(query, field, element);
  } else if (value.is_string()) {
    query.set_named(field, value.get<std::string>());
  } else if (!value.is_null()) {  // null is the same as missing for every test that is evaluated
    query.set_named(field, value.dump());
  }
}

Query query_of(const json& event) {
  Query query;
  for (const auto& [field, value] : event.items()) set_value(query, field, value);
  return query;
}

TEST(SigmaCases, EveryVerdictIsRightOrTheRuleIsRefused) {
  const std::filesystem::path file = shared_material() / "sigma" / "sigma_cases.json";
  NSLOOKOUT_SKIP_WITHOUT(file);
  const json cases = json::parse(std::ifstream(file));
  std::size_t right = 0;
  std::size_t refused = 0;
  std::string refused_ids;
  for (const json& entry : cases) {
    const std::string id = entry["id"];
    sigma::RuleSet set = sigma::parse_rules(entry["rule"].get<std::string>(), id);
    const bool accepted = set.error_count() == 0;
    EXPECT_TRUE(accepted || set.rules.empty()) << id;
    const compile::Plan plan = compile::make_plan(std::move(set.rules), {});
    const Verifier verifier(plan);
    bool rejection_expected = false;
    for (const json& one : entry["cases"]) {
      if (one["expect"] == "reject") {
        rejection_expected = true;
        EXPECT_FALSE(accepted) << id << " must be refused";
        continue;
      }
      if (!accepted) continue;
      const Query query = query_of(one["event"]);
      EXPECT_EQ(!verifier.matches(query).empty(), one["expect"].get<bool>()) << id << " on " << one["event"];
      EXPECT_EQ(!reference_matches(plan.rules(), {}, query).rules.empty(), one["expect"].get<bool>()) << id;
      ++right;
    }
    if (accepted || rejection_expected) continue;
    const sigma::Finding& finding = set.findings.front();
    EXPECT_EQ(finding.kind, sigma::FindingKind::not_evaluated) << finding.text();
    ++refused;
    refused_ids += " " + id;
  }
  std::cout << right << " verdicts; " << refused << " rules use what nslookout does not evaluate:" << refused_ids
            << "\n";
  EXPECT_GT(right, 80u);
}

TEST(SigmaCorpus, EveryRuleLoadsOrIsRefusedForAReason) {
  const std::filesystem::path folder = shared_material() / "sigma" / "rules";
  NSLOOKOUT_SKIP_WITHOUT(folder);
  for (const bool windows : {false, true}) {
    sigma::RuleSet set = sigma::load_rules({folder.native()}, {.windows = windows});
    EXPECT_EQ(set.files, 63u);
    std::size_t errors[4] = {};
    for (const sigma::Finding& finding : set.findings) {
      ++errors[static_cast<int>(finding.kind)];
      EXPECT_GT(finding.place.line, 0) << finding.text();
      EXPECT_NE(finding.kind, sigma::FindingKind::broken) << finding.text();
    }
    const compile::Plan plan = compile::make_plan(std::move(set.rules), {});
    std::size_t reach[3] = {};
    for (const compile::RulePlan& rule : plan.rule_plans()) ++reach[static_cast<int>(rule.reach)];
    std::cout << (windows ? "with" : "without") << " rules for Windows: " << plan.rules().size() << " loaded ("
              << reach[0] << " by name, " << reach[1] << " every query, " << reach[2] << " never), " << errors[1]
              << " constructs not evaluated, " << errors[2] << " of another log source, " << errors[3] << " warnings\n";
    EXPECT_GE(plan.rules().size(), windows ? 20u : 10u);
  }
}

TEST(ShippedRules, LoadWithoutAWordAndStayInTheKernel) {
  const std::filesystem::path folder = std::filesystem::path(NSLOOKOUT_SOURCE_DIR) / "rules";
  sigma::RuleSet set = sigma::load_rules({folder.native()});
  for (const sigma::Finding& finding : set.findings) ADD_FAILURE() << finding.text();
  ASSERT_TRUE(set.usable());
  const compile::Plan plan = compile::make_plan(std::move(set.rules), {});
  EXPECT_FALSE(plan.every_query());
  const Verifier verifier(plan);
  for (const char* name : {"sfrclak.com", "calltan.com", "callnrwise.com"}) {
    const std::vector<Hit> hits = verifier.matches(Query::of_name(name).value());
    ASSERT_EQ(hits.size(), 1u) << name;
    EXPECT_EQ(hits[0].level(), "high");
    EXPECT_EQ(hits[0].matched, (std::vector<MatchedField>{{"query", name}}));
    EXPECT_TRUE(verifier.matches(Query::of_name(std::string("www.") + name).value()).empty());
  }
}

}  // namespace
}  // namespace nslookout::match
