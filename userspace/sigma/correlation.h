// A correlation: a Sigma document about several events, each of which makes a rule (or another correlation) true, in one
// group and within a span of time (Sigma correlation rules specification 2.1).
//
// Invariants (made by parse_correlation and resolve_correlations): sources are resolved and there is at least one; no
// correlation is reached from itself; every correlation stands behind those it refers to; every group key has one field
// for each source.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sigma/ast.h"
#include "sigma/rule.h"
#include "sigma/yaml_tree.h"

namespace nslookout::sigma {

struct FieldName {
  Field field = Field::other;
  std::string name;
};

struct Correlation {
  enum class Type : std::uint8_t {
    event_count,       // events
    value_count,       // distinct values of the fields (as tuples)
    temporal,          // sources of which there is an event, in any order
    temporal_ordered,  // sources, from the first on, of which there are events in this order
    value_sum,
    value_avg,
    value_percentile,  // the smallest value that percentile per cent of the values do not exceed
  };
  enum class Order : std::uint8_t { gt, gte, lt, lte, eq, neq };
  struct Limit {
    Order order = Order::gte;
    double value = 0;
  };
  // What one element of `rules` names; several where an id or a name is given twice.
  struct Source {
    std::string name;
    Place place;
    std::vector<std::size_t> rules;         // in RuleSet::rules
    std::vector<std::size_t> correlations;  // in RuleSet::correlations
    std::vector<FieldName> group_by;        // parallel to Correlation::group_by
  };
  struct Alias {
    std::string name;    // as group-by has it
    std::string source;  // the name of a rule
    std::string field;
    Place place;
  };

  Rule head;  // metadata and place; no tests
  Type type = Type::event_count;
  std::vector<Source> sources;
  std::vector<std::string> group_by;
  std::vector<Alias> aliases;
  std::chrono::seconds timespan{0};
  std::vector<Limit> limits;      // all of which must hold
  std::vector<FieldName> fields;  // of value_*
  double percentile = 0;
  bool generate = false;  // its rules alert by themselves too
  std::string never;      // why it cannot fire at a lookup; empty: it can
  // Of one that never fires: by its condition, or because of what it counts. It would take the alerts of its rules away and put
  // none in their place, so that it takes none.
  bool out_of_reach = false;
};

inline constexpr std::size_t max_correlation_depth = 100;  // of correlations that count correlations

// A group counts that many events of its window; a limit beyond can never be reached.
inline constexpr std::size_t max_counted_events = 10'000;

// Whether it counts, or groups by, a field of which this holds.
[[nodiscard]] bool reads_field(const Correlation& correlation, bool (*holds)(Field));

[[nodiscard]] std::optional<Correlation> parse_correlation(const YamlNode& document, std::size_t document_number,
                                                           Findings& findings);

// Why the correlation cannot fire by its condition where events come from these sources alone; empty: it can. live: parallel to
// sources.
[[nodiscard]] std::string why_out_of_reach(const Correlation& correlation, const std::vector<bool>& live);

// Takes the alerts from what is only there for correlations, of which none is out of reach (Rule::alerts).
void silence_rules(std::vector<Correlation>& correlations, std::vector<Rule>& rules);

// Finds what the sources name, puts correlations in order, and takes the alerts from rules that are only there for
// correlations (Rule::alerts). What cannot be resolved goes out, with an error.
void resolve_correlations(std::vector<Correlation>& correlations, std::vector<Rule>& rules,
                          std::vector<Finding>& findings);

}  // namespace nslookout::sigma
