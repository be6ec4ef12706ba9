// Rules for tests in the fewest lines: a detection section, or only the map of one selection.
#pragma once

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "sigma/load.h"

namespace nslookout::sigma {

// detection: the lines below "detection:", indented by at least one blank.
inline std::string rule_with_detection(const std::string& detection) {
  return "title: t\nlogsource:\n  category: dns\ndetection:\n" + detection;
}

// test: one "key: value" of the only selection.
inline std::string rule_with_test(const std::string& test) {
  return rule_with_detection("  sel:\n    " + test + "\n  condition: sel\n");
}

inline std::vector<Rule> rules_of(const std::string& text) {
  RuleSet set = parse_rules(text, "t.yml");
  EXPECT_EQ(set.error_count(), 0u) << (set.findings.empty() ? "" : set.findings.front().text()) << "\n" << text;
  return std::move(set.rules);
}

inline std::vector<Rule> rules_with_test(const std::string& test) { return rules_of(rule_with_test(test)); }

}  // namespace nslookout::sigma
