// Sigma's corner cases (rule, event, expected verdict) and SigmaHQ's rules about DNS, both read as data at test time.
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iostream>
#include <string>

#include <nlohmann/json.hpp>

#include "cli/match_events.h"
#include "compile/plan.h"
#include "match/reference.h"
#include "match/verifier.h"
#include "shared_material.h"
#include "sigma/load.h"
#include "tests/support/source_dir.h"

namespace nslookout::match {
namespace {

using nlohmann::json;

TEST(SigmaCases, EveryVerdictIsRight) {
  const std::filesystem::path file = shared_material() / "sigma" / "sigma_cases.json";
  NSLOOKOUT_SKIP_WITHOUT(file);
  const json cases = json::parse(std::ifstream(file));
  std::size_t verdicts = 0;
  for (const json& entry : cases) {
    const std::string id = entry["id"];
    sigma::RuleSet set = sigma::parse_rules(entry["rule"].get<std::string>(), id);
    const bool accepted = set.usable().has_value();
    const std::string error = accepted ? "" : set.usable().error().message;
    const compile::Plan plan = compile::make_plan(std::move(set.rules), {});
    const Verifier verifier(plan);
    for (const json& one : entry["cases"]) {
      ++verdicts;
      const bool rejection_expected = one["expect"] == "reject";
      ASSERT_EQ(accepted, !rejection_expected) << id << " " << error;
      if (rejection_expected) continue;
      const Result<Query> query = cli::query_of_event(one["event"].dump());
      ASSERT_TRUE(query) << id;
      EXPECT_EQ(!verifier.matches(*query).empty(), one["expect"].get<bool>()) << id << " on " << one["event"];
      EXPECT_EQ(!reference_matches(plan.rules(), {}, *query).rules.empty(), one["expect"].get<bool>()) << id;
    }
  }
  std::cout << cases.size() << " rules, " << verdicts << " verdicts\n";
  EXPECT_GT(verdicts, 100u);
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
      // Of what is refused as broken, the corpus has only a rule that its users have to complete.
      if (finding.kind == sigma::FindingKind::broken) {
        EXPECT_NE(finding.what.find("%internal_domains%"), std::string::npos) << finding.text();
      }
    }
    const compile::Plan plan = compile::make_plan(std::move(set.rules), {});
    std::size_t reach[3] = {};
    for (const compile::RulePlan& rule : plan.rule_plans()) ++reach[static_cast<int>(rule.reach)];
    std::cout << (windows ? "with" : "without") << " rules for Windows: " << plan.rules().size() << " loaded ("
              << reach[0] << " by name, " << reach[1] << " every query, " << reach[2] << " never), " << errors[1]
              << " constructs not evaluated, " << errors[2] << " of another log source, " << errors[3] << " warnings\n";
    EXPECT_GE(plan.rules().size(), windows ? 50u : 16u);
  }
}

TEST(ShippedRules, LoadWithoutAWordAndStayInTheKernel) {
  const std::filesystem::path folder = source_dir() / "rules";
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
