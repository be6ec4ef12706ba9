#include "sigma/correlation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <set>
#include <utility>

#include "sigma/values.h"

namespace nslookout::sigma {
namespace {

using Kind = YamlNode::Kind;
using Type = Correlation::Type;

constexpr std::array<std::pair<std::string_view, Type>, 7> types = {{{"event_count", Type::event_count},
                                                                     {"value_count", Type::value_count},
                                                                     {"temporal", Type::temporal},
                                                                     {"temporal_ordered", Type::temporal_ordered},
                                                                     {"value_sum", Type::value_sum},
                                                                     {"value_avg", Type::value_avg},
                                                                     {"value_percentile", Type::value_percentile}}};

constexpr std::array<std::pair<std::string_view, Correlation::Order>, 6> orders = {{{"gt", Correlation::Order::gt},
                                                                                    {"gte", Correlation::Order::gte},
                                                                                    {"lt", Correlation::Order::lt},
                                                                                    {"lte", Correlation::Order::lte},
                                                                                    {"eq", Correlation::Order::eq},
                                                                                    {"neq", Correlation::Order::neq}}};

constexpr std::array<std::string_view, 7> known_keys = {"type",    "rules",     "group-by", "timespan",
                                                        "aliases", "condition", "generate"};

bool is_temporal(Type type) { return type == Type::temporal || type == Type::temporal_ordered; }

// "90m": a whole number and one unit.
std::optional<std::chrono::seconds> span_of(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number <= 0 || end + 1 != text.data() + text.size()) return std::nullopt;
  constexpr std::pair<char, std::int64_t> units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
  for (const auto& [letter, seconds] : units) {
    if (*end == letter && number <= 10LL * 366 * 86400 / seconds) return std::chrono::seconds(number * seconds);
  }
  return std::nullopt;
}

class CorrelationParser {
 public:
  CorrelationParser(const YamlNode& node, Correlation& made, Findings& findings)
      : node_(node), made_(made), findings_(findings) {}

  bool parse() {
    if (node_.kind != Kind::map)
      return refuse(node_, "correlation must be a map, this one is {}", describe(node_.kind));
    for (const YamlNode& key : node_.keys) {
      if (std::ranges::find(known_keys, key.text) == known_keys.end()) {
        return refuse(key, "'{}' is no key of a correlation", key.text);
      }
    }
    return type() && rules() && group_by() && aliases() && timespan() && condition() && generate();
  }

 private:
  template <typename... Args>
  bool refuse(const YamlNode& at, fmt::format_string<Args...> format, Args&&... args) {
    findings_.broken(at.place, format, std::forward<Args>(args)...);
    return false;
  }

  bool type() {
    const YamlNode* node = node_.find("type");
    if (node == nullptr) return refuse(node_, "the correlation has no type");
    const auto found = std::ranges::find(types, node->text, [](const auto& known) { return known.first; });
    if (found == types.end()) return refuse(*node, "'{}' is no type of correlation that nslookout knows", node->text);
    made_.type = found->second;
    return true;
  }

  // A text, or a list of texts; visit gets each with its node.
  template <typename Visit>
  bool texts(const YamlNode& node, std::string_view what, const Visit& visit) {
    if (node.kind == Kind::scalar) {
      visit(node);
      return true;
    }
    if (node.kind != Kind::sequence || node.items.empty()) {
      return refuse(node, "{} must be a text or a list of texts", what);
    }
    for (const YamlNode& item : node.items) {
      if (item.kind != Kind::scalar) return refuse(item, "an element of {} must be a text", what);
      visit(item);
    }
    return true;
  }

  bool rules() {
    const YamlNode* node = node_.find("rules");
    if (node == nullptr) return refuse(node_, "the correlation names no rules");
    return texts(*node, "rules",
                 [&](const YamlNode& item) { made_.sources.push_back({item.text, item.place, {}, {}, {}}); });
  }

  bool group_by() {
    const YamlNode* node = node_.find("group-by");
    if (node == nullptr) return true;
    return texts(*node, "group-by", [&](const YamlNode& item) { made_.group_by.push_back(item.text); });
  }

  bool aliases() {
    const YamlNode* node = node_.find("aliases");
    if (node == nullptr) return true;
    if (node->kind != Kind::map) return refuse(*node, "aliases must be a map of names");
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const YamlNode& fields = node->items[i];
      if (fields.kind != Kind::map) return refuse(fields, "an alias must be a map from rules to fields");
      for (std::size_t j = 0; j < fields.items.size(); ++j) {
        if (fields.items[j].kind != Kind::scalar)
          return refuse(fields.items[j], "the field of an alias must be a text");
        made_.aliases.push_back({node->keys[i].text, fields.keys[j].text, fields.items[j].text, fields.keys[j].place});
      }
    }
    return true;
  }

  bool timespan() {
    const YamlNode* node = node_.find("timespan");
    if (node == nullptr) return refuse(node_, "the correlation has no timespan");
    const auto span = span_of(node->text);
    if (!span) {
      return refuse(*node, "'{}' is no timespan; write a number and one of s, m, h, d, w, such as 90m", node->text);
    }
    made_.timespan = *span;
    return true;
  }

  bool condition() {
    const YamlNode* node = node_.find("condition");
    if (node == nullptr) {
      if (!is_temporal(made_.type)) return refuse(node_, "the correlation has no condition");
      made_.limits.push_back({Correlation::Order::gte, static_cast<double>(made_.sources.size())});
      return true;
    }
    if (node->kind != Kind::map) return refuse(*node, "the condition of a correlation must be a map, such as gte: 10");
    bool percentile = false;
    for (std::size_t i = 0; i < node->items.size(); ++i) {
      const std::string& key = node->keys[i].text;
      const YamlNode& value = node->items[i];
      if (key == "field") {
        if (!texts(value, "field",
                   [&](const YamlNode& item) { made_.fields.push_back({field_from_name(item.text), item.text}); })) {
          return false;
        }
      } else if (key == "percentile") {
        const auto number = value.quoted ? std::nullopt : plain_number(value.text);
        if (!number || *number < 0 || *number > 100) return refuse(value, "percentile must be a number from 0 to 100");
        made_.percentile = *number;
        percentile = true;
      } else if (!limit(node->keys[i], value)) {
        return false;
      }
    }
    return check_condition(*node, percentile);
  }

  bool limit(const YamlNode& key, const YamlNode& value) {
    const auto order = std::ranges::find(orders, key.text, [](const auto& known) { return known.first; });
    if (order == orders.end()) {
      return refuse(key, "'{}' is no part of a condition; use gt, gte, lt, lte, eq, neq or field", key.text);
    }
    const auto number = value.kind == Kind::scalar && !value.quoted ? plain_number(value.text) : std::nullopt;
    if (!number) return refuse(value, "'{}' needs a number", key.text);
    made_.limits.push_back({order->second, *number});
    return true;
  }

  bool check_condition(const YamlNode& node, bool percentile) {
    const bool counts_values = !is_temporal(made_.type) && made_.type != Type::event_count;
    if (made_.limits.empty())
      return refuse(node, "the condition compares with nothing; use gt, gte, lt, lte, eq or neq");
    if (counts_values && made_.fields.empty())
      return refuse(node, "this type of correlation needs the field to look at");
    if (!counts_values && !made_.fields.empty()) return refuse(node, "this type of correlation looks at no field");
    if (made_.type != Type::value_count && made_.fields.size() > 1) {
      return refuse(node, "only value_count can look at several fields");
    }
    if (percentile != (made_.type == Type::value_percentile)) {
      return refuse(node, "percentile belongs to value_percentile, which needs it");
    }
    return true;
  }

  bool generate() {
    const YamlNode* node = node_.find("generate");
    if (node == nullptr) return true;
    if (node->text != "true" && node->text != "false") return refuse(*node, "generate must be true or false");
    made_.generate = node->text == "true";
    return true;
  }

  const YamlNode& node_;
  Correlation& made_;
  Findings& findings_;
};

class Resolver {
 public:
  Resolver(std::vector<Correlation>& correlations, std::vector<Rule>& rules, std::vector<Finding>& findings)
      : correlations_(correlations),
        rules_(rules),
        findings_(findings),
        state_(correlations.size(), State::untouched) {}

  void resolve() {
    for (std::size_t i = 0; i < correlations_.size(); ++i) visit(i);
    // In the order of their visits each stands behind those it refers to.
    std::vector<std::size_t> place(correlations_.size());
    for (std::size_t i = 0; i < order_.size(); ++i) place[order_[i]] = i;
    std::vector<Correlation> ordered;
    for (const std::size_t index : order_) {
      Correlation& correlation = correlations_[index];
      for (Correlation::Source& source : correlation.sources) {
        for (std::size_t& inner : source.correlations) inner = place[inner];
      }
      ordered.push_back(std::move(correlation));
    }
    correlations_ = std::move(ordered);
    silence_rules();
  }

 private:
  enum class State : std::uint8_t { untouched, open, good, bad };

  bool visit(std::size_t index) {
    if (state_[index] == State::good) return true;
    if (state_[index] != State::untouched) return false;
    state_[index] = State::open;
    const bool good = find_sources(index) && find_group_fields(correlations_[index]);
    if (good) see_whether_it_can_fire(correlations_[index]);
    state_[index] = good ? State::good : State::bad;
    if (good) order_.push_back(index);
    return good;
  }

  bool refuse(const Correlation& correlation, Place place, std::string what) {
    findings_.push_back(
        {FindingKind::broken, correlation.head.file, correlation.head.document, place, std::move(what)});
    return false;
  }

  static bool is_named(const Rule& head, const std::string& name) {
    return !name.empty() && (head.id == name || head.name == name);
  }

  bool find_sources(std::size_t index) {
    for (std::size_t s = 0; s < correlations_[index].sources.size(); ++s) {
      Correlation::Source& source = correlations_[index].sources[s];
      for (std::size_t i = 0; i < rules_.size(); ++i) {
        if (is_named(rules_[i], source.name)) source.rules.push_back(i);
      }
      for (std::size_t i = 0; i < correlations_.size(); ++i) {
        if (!is_named(correlations_[i].head, source.name)) continue;
        if (state_[i] == State::open) {
          return refuse(correlations_[index], source.place,
                        fmt::format("the correlation refers to itself by '{}'", source.name));
        }
        if (!visit(i)) {
          return refuse(correlations_[index], source.place,
                        fmt::format("the correlation '{}' that this one refers to is not loaded", source.name));
        }
        source.correlations.push_back(i);
      }
      if (source.rules.empty() && source.correlations.empty()) {
        return refuse(correlations_[index], source.place,
                      fmt::format("no rule that is loaded has the id or name '{}'", source.name));
      }
    }
    return true;
  }

  bool find_group_fields(Correlation& correlation) {
    for (const Correlation::Alias& alias : correlation.aliases) {
      if (std::ranges::none_of(correlation.sources, [&](const auto& source) { return source.name == alias.source; })) {
        return refuse(correlation, alias.place,
                      fmt::format("the alias is about '{}', which is none of the rules", alias.source));
      }
    }
    for (Correlation::Source& source : correlation.sources) {
      for (const std::string& key : correlation.group_by) {
        std::string name = key;
        for (const Correlation::Alias& alias : correlation.aliases) {
          if (alias.name == key && alias.source == source.name) name = alias.field;
        }
        source.group_by.push_back({field_from_name(name), name});
      }
    }
    return true;
  }

  // Lookups have fewer fields than the events that Sigma was made for, and a rule that never fires has to say so.
  void see_whether_it_can_fire(Correlation& correlation) {
    std::vector<FieldName> read = correlation.fields;
    for (const Correlation::Source& source : correlation.sources) {
      read.insert(read.end(), source.group_by.begin(), source.group_by.end());
    }
    const auto absent = std::ranges::find(read, Field::other, &FieldName::field);
    const bool out_of_reach = is_out_of_reach(correlation);
    if (absent != read.end()) {
      correlation.never = fmt::format("lookups have no field '{}' here", absent->name);
    } else if (out_of_reach) {
      correlation.never =
          fmt::format("its condition asks for more than the {} that can be counted", most_counted(correlation));
    } else {
      return;
    }
    const bool loud = out_of_reach || correlation.generate;
    findings_.push_back(
        {FindingKind::warning, correlation.head.file, correlation.head.document, correlation.head.place,
         fmt::format("the correlation never fires: {}; its rules {}", correlation.never,
                     loud ? "alert by themselves" : "do not alert by themselves, `generate: true` lets them")});
  }

  static bool is_out_of_reach(const Correlation& correlation) {
    const double most = most_counted(correlation);
    return std::ranges::any_of(correlation.limits, [&](const auto& limit) { return is_beyond(limit, most); });
  }

  static double most_counted(const Correlation& correlation) {
    if (is_temporal(correlation.type)) return static_cast<double>(correlation.sources.size());
    const bool counts = correlation.type == Type::event_count || correlation.type == Type::value_count;
    return counts ? static_cast<double>(max_counted_events) : std::numeric_limits<double>::infinity();
  }

  static bool is_beyond(const Correlation::Limit& limit, double most) {
    using Order = Correlation::Order;
    if (limit.order == Order::gt) return limit.value >= most;
    return (limit.order == Order::gte || limit.order == Order::eq) && limit.value > most;
  }

  void silence_rules() {
    std::set<std::size_t> used;
    std::set<std::size_t> used_correlations;
    std::set<std::size_t> loud;
    std::set<std::size_t> loud_correlations;
    for (const Correlation& correlation : correlations_) {
      if (is_out_of_reach(correlation)) continue;  // it would take a detection away, and put none in its place
      for (const Correlation::Source& source : correlation.sources) {
        used.insert(source.rules.begin(), source.rules.end());
        used_correlations.insert(source.correlations.begin(), source.correlations.end());
        if (!correlation.generate) continue;
        loud.insert(source.rules.begin(), source.rules.end());
        loud_correlations.insert(source.correlations.begin(), source.correlations.end());
      }
    }
    for (const std::size_t rule : used) rules_[rule].alerts = loud.contains(rule);
    for (const std::size_t i : used_correlations) correlations_[i].head.alerts = loud_correlations.contains(i);
  }

  std::vector<Correlation>& correlations_;
  std::vector<Rule>& rules_;
  std::vector<Finding>& findings_;
  std::vector<State> state_;
  std::vector<std::size_t> order_;
};

}  // namespace

bool reads_field(const Correlation& correlation, bool (*holds)(Field)) {
  const auto any = [&](const std::vector<FieldName>& fields) {
    return std::ranges::any_of(fields, holds, &FieldName::field);
  };
  return any(correlation.fields) || std::ranges::any_of(correlation.sources, any, &Correlation::Source::group_by);
}

std::optional<Correlation> parse_correlation(const YamlNode& document, std::size_t document_number,
                                             Findings& findings) {
  Correlation made;
  made.head.file = findings.file();
  made.head.document = document_number;
  made.head.place = document.place;
  const bool metadata_usable = parse_metadata(document, made.head, findings);
  if (!CorrelationParser(*document.find("correlation"), made, findings).parse() || !metadata_usable)
    return std::nullopt;
  return made;
}

void resolve_correlations(std::vector<Correlation>& correlations, std::vector<Rule>& rules,
                          std::vector<Finding>& findings) {
  Resolver(correlations, rules, findings).resolve();
}

}  // namespace nslookout::sigma
