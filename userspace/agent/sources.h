// What a run and a replay begin with: the plan, from rules and lists, and the sinks.
// Thread rule: any thread.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/blocking.h"
#include "compile/plan.h"
#include "lists/name_list.h"
#include "sigma/rule.h"
#include "sink/sink.h"

namespace nslookout::agent {

// Names of rules and lists together that the kernel's tables are made for: some 400 MB there, and in the lists.
inline constexpr std::size_t default_max_names = 4'000'000;

struct RuleLoading {
  sigma::RuleOptions options = {};
  bool keep_going = false;  // leave out rules that are invalid, instead of failing
  std::size_t max_names = default_max_names;
  std::vector<std::string> search_suffixes = {};  // values of search_suffixes_of (search_suffixes.h)
};

// What keeps lookups from leaving, as it was asked for.
struct BlockOptions {
  compile::BlockPolicy policy;
  std::vector<std::string> allow;       // specifications of lists: never blocked
  std::vector<std::string> allow_only;  // the same, and everything else is blocked
};

// Decides for each rule and list of the plan whether it blocks. A rule or list that is named and cannot block is an error
// (invalid), as is a name that no rule or list has; one that the level alone asks for is logged as a warning.
[[nodiscard]] Result<void> set_blocking(compile::Plan& plan, const BlockOptions& options);

// What is wrong with lists without making them useless is logged, and which column of a table was taken. Errors: invalid, usage
// (a specification).
[[nodiscard]] Result<std::vector<lists::NameList>> load_lists(const std::vector<std::string>& specs);

// Findings about rules are logged as warnings, and what load_lists says. Errors: as there; invalid, too, for more names than
// max_names.
[[nodiscard]] Result<compile::Plan> load_plan(const std::vector<std::string>& rule_paths,
                                              const std::vector<std::string>& list_specs, const RuleLoading& loading);

// Specifications of sink/sink.h. Errors: usage, runtime.
[[nodiscard]] Result<std::vector<std::unique_ptr<sink::Sink>>> open_sinks(const std::vector<std::string>& specs);
// The same with a queue and a thread for each, so that no write waits (sink/sink.h).
[[nodiscard]] Result<std::vector<std::unique_ptr<sink::Sink>>> open_queued_sinks(const std::vector<std::string>& specs);

}  // namespace nslookout::agent
