// Which rules and lists keep a lookup from leaving, and why the others cannot.
//
// The kernel decides alone there, so a rule may block only if the names in the kernel's table are the rule: equality and a
// fixed end on a label boundary, of names that the table tells apart. Anything else is refused for blocking, with the reason;
// it still alerts. What is allowed is never blocked: the exceptions of every list (`@@`, RPZ passthru), and the lists that
// were given to allow.
// Thread rule: values, read-only once made.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "lists/name_list.h"
#include "sigma/ast.h"

namespace nslookout::compile {

struct RulePlan;

struct BlockPolicy {
  std::string level = "high";           // rules and lists of this level and above; "none": those that are named alone
  std::vector<std::string> rules = {};  // ids
  std::vector<std::string> lists = {};  // ids ("list/<file name>"), or without "list/"
};

struct BlockDecision {
  enum class Kind {
    blocks,
    not_asked,  // below the level, and not named
    refused,    // asked for, and impossible
  };
  Kind kind = Kind::not_asked;
  bool named = false;  // by its id
  std::string reason;  // of refused: one sentence
};

// Why the kernel cannot decide the rule exactly; empty: it can. (explain says so without any policy.)
[[nodiscard]] std::string why_not_blockable(const sigma::Rule& rule, const RulePlan& plan);

// Names of a list that have more labels than the kernel tells apart: those that are listed are not blocked, and those that are
// allowed allow whatever is below their last labels.
struct DeepNames {
  std::size_t listed = 0;
  std::size_t excepted = 0;
  std::string first_listed;  // in presentation form; empty: none
  std::string first_excepted;
};
[[nodiscard]] DeepNames deep_names(const lists::NameList& list);

// Whether a name of BlockPolicy::lists is this list's.
[[nodiscard]] bool names_list(std::string_view name, const lists::NameList& list);

[[nodiscard]] BlockDecision decide_rule(const BlockPolicy& policy, const sigma::Rule& rule, const RulePlan& plan);
[[nodiscard]] BlockDecision decide_list(const BlockPolicy& policy, const lists::NameList& list);

// The decisions for a plan's rules and lists, and what is allowed.
struct Blocking {
  std::vector<BlockDecision> rules;  // parallel to the plan's
  std::vector<BlockDecision> lists;
  std::vector<lists::NameList> allowed;
  bool only_allowed = false;  // whatever is not allowed is blocked

  [[nodiscard]] std::size_t blocking_rules() const;
  [[nodiscard]] std::size_t blocking_lists() const;
};

}  // namespace nslookout::compile
