// Any text as a rule file: it loads or is refused with a place, in bounded time, and what loads can be planned.
#include <string>

#include "compile/plan.h"
#include "octets.h"
#include "sigma/load.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using nslookout::fuzz::require;
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  nslookout::sigma::RuleSet set = nslookout::sigma::parse_rules(text, "fuzzed.yml");
  for (const auto& finding : set.findings) {
    require(!finding.what.empty(), "a finding says what");
    const bool whole_file = finding.document == 0 && finding.place.line == 0 && finding.place.column == 0;
    require(whole_file || (finding.place.line >= 1 && finding.place.column >= 1), "a finding has a place");
  }
  require(!set.rules.empty() || !set.usable(), "without a rule the set is not usable");
  const auto plan = nslookout::compile::make_plan(std::move(set.rules), {});
  require(plan.rules().size() == plan.rule_plans().size(), "each rule has a plan");
  return 0;
}
