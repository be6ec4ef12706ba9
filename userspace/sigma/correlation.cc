#include "sigma/correlation.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <set>
#include <unordered_map>
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

// The least and the most that can be measured, and what the condition leaves of it.
class Reach {
 public:
  Reach(double least, double most, bool whole) : least_(least), most_(most), whole_(whole) {}

  void narrow(const Correlation::Limit& limit) {
    using Order = Correlation::Order;
    const double value = limit.value;
    switch (limit.order) {
      case Order::gt:
        return from(whole_ ? std::floor(value) + 1 : value, !whole_);
      case Order::gte:
        return from(whole_ ? std::ceil(value) : value, false);
      case Order::lt:
        return to(whole_ ? std::ceil(value) - 1 : value, !whole_);
      case Order::lte:
        return to(whole_ ? std::floor(value) : value, false);
      case Order::eq:
        from(value, false);
        to(value, false);
        if (whole_ && value != std::floor(value)) empty_ = true;
        return;
      case Order::neq:
        excluded_.push_back(value);
        return;
    }
  }

  [[nodiscard]] bool empty() const {
    if (empty_ || least_ > most_) return true;
    if (least_ < most_) return false;
    return above_ || below_ || std::ranges::find(excluded_, least_) != excluded_.end();
  }

 private:
  // open: the end itself is not in it.
  void from(double value, bool open) {
    if (value < least_) return;
    above_ = open || (value == least_ && above_);
    least_ = value;
  }
  void to(double value, bool open) {
    if (value > most_) return;
    below_ = open || (value == most_ && below_);
    most_ = value;
  }

  double least_;
  double most_;
  bool whole_;  // whole numbers alone
  bool empty_ = false;
  bool above_ = false;
  bool below_ = false;
  std::vector<double> excluded_;
};

bool is_counted(Type type) { return is_temporal(type) || type == Type::event_count || type == Type::value_count; }

double most_counted(const Correlation& correlation, const std::vector<bool>& live) {
  // Sources that are to come in an order stop at the first that never comes.
  const auto in_order = std::ranges::find(live, false) - live.begin();
  if (correlation.type == Type::temporal_ordered) return static_cast<double>(in_order);
  if (correlation.type == Type::temporal) return static_cast<double>(std::ranges::count(live, true));
  return is_counted(correlation.type) ? static_cast<double>(max_counted_events)
                                      : std::numeric_limits<double>::infinity();
}

// The condition is looked at when there is an event; the first of an order may be missing then.
double least_counted(Type type) {
  if (!is_counted(type)) return -std::numeric_limits<double>::infinity();
  return type == Type::temporal_ordered ? 0 : 1;
}

bool is_beyond(const Correlation::Limit& limit, double most) {
  using Order = Correlation::Order;
  if (limit.order == Order::gt) return limit.value >= most;
  return (limit.order == Order::gte || limit.order == Order::eq) && limit.value > most;
}

// What has an id or a name, by both.
class Named {
 public:
  void add(const Rule& head, std::size_t index) {
    enter(head.id, index);
    if (head.name != head.id) enter(head.name, index);
  }
  [[nodiscard]] const std::vector<std::size_t>& by(const std::string& name) const {
    static const std::vector<std::size_t> none;
    const auto found = indexes_.find(name);
    return found == indexes_.end() ? none : found->second;
  }

 private:
  void enter(const std::string& name, std::size_t index) {
    if (!name.empty()) indexes_[name].push_back(index);
  }

  std::unordered_map<std::string, std::vector<std::size_t>> indexes_;
};

class Resolver {
 public:
  Resolver(std::vector<Correlation>& correlations, std::vector<Rule>& rules, std::vector<Finding>& findings)
      : correlations_(correlations),
        rules_(rules),
        findings_(findings),
        state_(correlations.size(), State::untouched),
        depth_(correlations.size(), 1) {
    for (std::size_t i = 0; i < rules.size(); ++i) named_rules_.add(rules[i], i);
    for (std::size_t i = 0; i < correlations.size(); ++i) named_correlations_.add(correlations[i].head, i);
  }

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
    silence_rules(correlations_, rules_);
  }

 private:
  enum class State : std::uint8_t { untouched, open, good, bad };

  struct Visited {
    std::size_t index;
    std::vector<std::size_t> inner;  // correlations that it refers to
    std::size_t next = 0;
  };

  // What is referred to comes first. On a stack of its own: a chain may be as long as a file has room for.
  void visit(std::size_t first) {
    if (state_[first] != State::untouched) return;
    std::vector<Visited> stack;
    enter(stack, first);
    while (!stack.empty()) {
      Visited& top = stack.back();
      if (top.next < top.inner.size()) {
        const std::size_t inner = top.inner[top.next++];
        if (state_[inner] == State::untouched) enter(stack, inner);
        continue;
      }
      const std::size_t index = top.index;
      const bool good = find_sources(index) && find_group_fields(correlations_[index]);
      if (good) see_whether_it_can_fire(correlations_[index]);
      state_[index] = good ? State::good : State::bad;
      if (good) order_.push_back(index);
      stack.pop_back();
    }
  }

  void enter(std::vector<Visited>& stack, std::size_t index) {
    state_[index] = State::open;
    Visited visited{index, {}};
    for (const Correlation::Source& source : correlations_[index].sources) {
      const std::vector<std::size_t>& named = named_correlations_.by(source.name);
      visited.inner.insert(visited.inner.end(), named.begin(), named.end());
    }
    stack.push_back(std::move(visited));
  }

  bool refuse(const Correlation& correlation, Place place, std::string what) {
    findings_.push_back(
        {FindingKind::broken, correlation.head.file, correlation.head.document, place, std::move(what)});
    return false;
  }

  bool find_sources(std::size_t index) {
    for (Correlation::Source& source : correlations_[index].sources) {
      source.rules = named_rules_.by(source.name);
      for (const std::size_t inner : named_correlations_.by(source.name)) {
        if (!find_inner(index, source, inner)) return false;
      }
      if (source.rules.empty() && source.correlations.empty()) {
        return refuse(correlations_[index], source.place,
                      fmt::format("no rule that is loaded has the id or name '{}'", source.name));
      }
    }
    return true;
  }

  bool find_inner(std::size_t index, Correlation::Source& source, std::size_t inner) {
    if (state_[inner] == State::open) {
      return refuse(correlations_[index], source.place,
                    fmt::format("the correlation refers to itself by '{}'", source.name));
    }
    if (state_[inner] == State::bad) {
      return refuse(correlations_[index], source.place,
                    fmt::format("the correlation '{}' that this one refers to is not loaded", source.name));
    }
    depth_[index] = std::max(depth_[index], depth_[inner] + 1);
    if (depth_[index] > max_correlation_depth) {
      return refuse(correlations_[index], source.place,
                    fmt::format("correlations refer to one another over more than {} levels", max_correlation_depth));
    }
    source.correlations.push_back(inner);
    return true;
  }

  // Whether a name of an alias, an id or a name, is that of all that the source stands for.
  [[nodiscard]] bool is_about(const Correlation::Source& source, const std::string& name) const {
    if (source.name == name) return true;
    return std::ranges::all_of(source.rules, [&](std::size_t i) { return rules_[i].is_called(name); }) &&
           std::ranges::all_of(source.correlations,
                               [&](std::size_t i) { return correlations_[i].head.is_called(name); });
  }

  bool find_group_fields(Correlation& correlation) {
    for (const Correlation::Alias& alias : correlation.aliases) {
      if (std::ranges::none_of(correlation.sources,
                               [&](const auto& source) { return is_about(source, alias.source); })) {
        return refuse(correlation, alias.place,
                      fmt::format("the alias is about '{}', which is none of the rules", alias.source));
      }
    }
    for (Correlation::Source& source : correlation.sources) {
      for (const std::string& key : correlation.group_by) {
        std::string name = key;
        for (const Correlation::Alias& alias : correlation.aliases) {
          if (alias.name == key && is_about(source, alias.source)) name = alias.field;
        }
        source.group_by.push_back({field_from_name(name), name});
      }
    }
    return true;
  }

  // Lookups have fewer fields than the events that Sigma was made for, and a rule that never fires has to say so.
  void see_whether_it_can_fire(Correlation& correlation) {
    std::vector<FieldName> read = correlation.fields;
    std::vector<bool> live;
    for (const Correlation::Source& source : correlation.sources) {
      read.insert(read.end(), source.group_by.begin(), source.group_by.end());
      live.push_back(!source.rules.empty() || std::ranges::any_of(source.correlations, [&](std::size_t inner) {
        return correlations_[inner].never.empty();
      }));
    }
    const auto absent = std::ranges::find(read, Field::other, &FieldName::field);
    const std::string out_of_reach = why_out_of_reach(correlation, live);
    correlation.out_of_reach = !out_of_reach.empty();
    if (absent != read.end()) {
      correlation.never = fmt::format("lookups have no field '{}' here", absent->name);
    } else {
      correlation.never = out_of_reach;
    }
    if (correlation.never.empty()) return;
    const bool loud = correlation.out_of_reach || correlation.generate;
    findings_.push_back(
        {FindingKind::warning, correlation.head.file, correlation.head.document, correlation.head.place,
         fmt::format("the correlation never fires: {}; its rules {}", correlation.never,
                     loud ? "alert by themselves" : "do not alert by themselves, `generate: true` lets them")});
  }

  std::vector<Correlation>& correlations_;
  std::vector<Rule>& rules_;
  std::vector<Finding>& findings_;
  Named named_rules_;
  Named named_correlations_;
  std::vector<State> state_;
  std::vector<std::size_t> depth_;  // of those that are good: levels of correlations, itself included
  std::vector<std::size_t> order_;
};

}  // namespace

std::string why_out_of_reach(const Correlation& correlation, const std::vector<bool>& live) {
  const std::vector<bool> all(live.size(), true);
  const double most = most_counted(correlation, all);
  if (std::ranges::any_of(correlation.limits, [&](const auto& limit) { return is_beyond(limit, most); })) {
    return fmt::format("its condition asks for more than the {} that can be counted", most);
  }
  const auto holds_for = [&](double limit) {
    Reach reach(least_counted(correlation.type), limit, is_counted(correlation.type));
    for (const Correlation::Limit& one : correlation.limits) reach.narrow(one);
    return !reach.empty();
  };
  if (!holds_for(most)) return "nothing that can be measured fulfils its condition";
  if (std::ranges::find(live, true) == live.end()) return "no lookup here makes any of its rules true";
  if (holds_for(most_counted(correlation, live))) return {};
  const auto dead = static_cast<std::size_t>(std::ranges::find(live, false) - live.begin());
  return fmt::format("no lookup here makes '{}' true, and its condition needs it", correlation.sources[dead].name);
}

void silence_rules(std::vector<Correlation>& correlations, std::vector<Rule>& rules) {
  std::set<std::size_t> named;
  std::set<std::size_t> named_correlations;
  std::set<std::size_t> silent;
  std::set<std::size_t> silent_correlations;
  std::set<std::size_t> loud;
  std::set<std::size_t> loud_correlations;
  for (const Correlation& correlation : correlations) {
    for (const Correlation::Source& source : correlation.sources) {
      named.insert(source.rules.begin(), source.rules.end());
      named_correlations.insert(source.correlations.begin(), source.correlations.end());
      if (correlation.out_of_reach) continue;
      (correlation.generate ? loud : silent).insert(source.rules.begin(), source.rules.end());
      (correlation.generate ? loud_correlations : silent_correlations)
          .insert(source.correlations.begin(), source.correlations.end());
    }
  }
  for (const std::size_t i : named) rules[i].alerts = loud.contains(i) || !silent.contains(i);
  for (const std::size_t i : named_correlations) {
    correlations[i].head.alerts = loud_correlations.contains(i) || !silent_correlations.contains(i);
  }
}

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
