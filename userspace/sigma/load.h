// Rule files and folders -> rules, with everything that was wrong on the way.
//
//   RuleSet set = load_rules({"rules"});
//   for (const Finding& finding : set.findings) …
//   if (Result<void> usable = set.usable(); !usable) return fail(usable.error());
//
// A folder stands for its *.yml and *.yaml files, sub-folders and links to folders included, in the order of their paths; hidden
// ones (leading dot) are left out. A file named directly may have any name. Nothing here throws.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sigma/ast.h"
#include "sigma/correlation.h"
#include "sigma/filter.h"
#include "sigma/rule.h"

namespace nslookout::sigma {

inline constexpr std::size_t max_rule_file_octets = 8U << 20;

// What became of one document of a file.
struct Document {
  std::string file;
  std::size_t number = 1;  // within the file
  Place place;
  std::string id;  // as far as it could be read, like the title
  std::string title;
  enum class Kind : std::uint8_t { rule, correlation, filter } kind = Kind::rule;
  std::optional<std::size_t> rule;  // its index in RuleSet::rules; none for other kinds and for what is refused
};

struct RuleSet {
  std::vector<Rule> rules;          // in the order of files and documents
  std::vector<Document> documents;  // in the same order; those that only act on others (action: global) left out
  std::vector<Filter> filters;      // applied to rules already
  std::vector<Correlation> correlations;
  std::vector<Finding> findings;  // errors and warnings, in the same order
  std::size_t files = 0;          // that were read

  [[nodiscard]] std::size_t error_count() const;

  // Class invalid: the first error and how many there are, or that there is no rule at all. Rules about other log
  // sources do not make a set unusable as long as one rule is left; with keep_going, no other error does.
  [[nodiscard]] Result<void> usable(bool keep_going = false) const;
};

// The rules of one text; file is for messages.
[[nodiscard]] RuleSet parse_rules(std::string_view text, const std::string& file, const RuleOptions& options = {});

// A folder without a rule file is an error where no other path has one.
[[nodiscard]] RuleSet load_rules(const std::vector<std::string>& paths, const RuleOptions& options = {});

// load_rules for one path, strict: any error but other log sources fails.
[[nodiscard]] Result<std::vector<Rule>> load_rule_file(const std::string& path, const RuleOptions& options = {});

}  // namespace nslookout::sigma
