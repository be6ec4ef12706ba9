#include "agent/past_rules.h"

#include <utility>

#include "agent/describe.h"

namespace nslookout::agent {

std::vector<event::Rule> PastRules::of(const event::Event& event) {
  auto query = query_of(event);
  if (!query) {
    ++unreadable_;
    return {};
  }
  query->read_also(readings_of(query->wire(), suffixes_of(event)));
  auto hits = verifier_.matches(*query);
  std::erase_if(hits, [](const match::Hit& hit) { return hit.rule != nullptr && !hit.rule->alerts; });
  std::vector<event::Rule> rules;
  for (const match::Hit& hit : hits) rules.push_back(describe_rule(hit));
  return rules;
}

// Also the suffix that was seen through then: that of a container, say.
std::vector<SearchSuffix> PastRules::suffixes_of(const event::Event& event) const {
  std::vector<SearchSuffix> suffixes = plan_.search_suffixes();
  if (event.dns->search_suffix.empty()) return suffixes;
  if (auto suffix = parse_search_suffix(event.dns->search_suffix); suffix) suffixes.push_back(std::move(*suffix));
  return suffixes;
}

}  // namespace nslookout::agent
