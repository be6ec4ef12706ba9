#include "compile/samples.h"

#include <algorithm>
#include <array>

#include "base/dns_name.h"

namespace nslookout::compile {
namespace {

constexpr const char* own_label = "selftest";
constexpr const char* own_domain = "selftest.nslookout.test";
constexpr std::size_t longest_wire = 255;

// What a name must have in it, and where.
struct Fragments {
  std::vector<std::string> whole = {};
  std::vector<std::string> starts = {""};
  std::vector<std::string> middles = {""};
  std::vector<std::string> ends = {""};
};

bool is_run(const sigma::Token& token) { return token.kind == sigma::Token::Kind::run; }

// The text of a pattern without the runs at its ends; those within stand for nothing, any one character for an x.
std::string text_of(const sigma::Pattern& pattern) {
  std::string text;
  for (const sigma::Token& token : pattern.tokens) {
    if (token.kind == sigma::Token::Kind::literal) text += token.text;
    if (token.kind == sigma::Token::Kind::one) text += "x";
  }
  return text;
}

void add_pattern(Fragments& fragments, const sigma::Pattern& pattern) {
  if (pattern.tokens.empty()) return;
  const bool open_start = is_run(pattern.tokens.front());
  const bool open_end = is_run(pattern.tokens.back());
  const std::string text = text_of(pattern);
  if (text.empty()) return;
  if (!open_start && !open_end) fragments.whole.push_back(text);
  if (!open_start && open_end) fragments.starts.push_back(text);
  if (open_start && open_end) fragments.middles.push_back(text);
  if (open_start && !open_end) fragments.ends.push_back(text);
}

Fragments fragments_of(const sigma::Rule& rule, const RulePlan& plan) {
  Fragments fragments;
  std::string all_middles;
  for (const sigma::Test& test : rule.tests) {
    if (!sigma::is_name(test.field) && test.field != sigma::Field::any) continue;
    for (const sigma::Value& value : test.values) {
      for (const sigma::Pattern& pattern : value.patterns) add_pattern(fragments, pattern);
    }
  }
  for (const NameText& text : plan.texts) {
    if (text.at_start) fragments.starts.push_back(text.text);
    if (text.at_end) fragments.ends.push_back(text.text);
    if (!text.at_start && !text.at_end) fragments.middles.push_back(text.text);
  }
  for (const std::string& middle : fragments.middles) all_middles += middle;
  if (fragments.middles.size() > 2) fragments.middles.insert(fragments.middles.begin() + 1, all_middles);
  return fragments;
}

class Names {
 public:
  void add_wire(const std::string& wire) {
    if (names_.size() >= most_sample_names || !is_wire_name(wire)) return;
    if (std::ranges::find(names_, wire) == names_.end()) names_.push_back(wire);
  }
  void add(const std::string& text) {
    if (const auto wire = presentation_to_wire(text); wire) add_wire(*wire);
  }
  [[nodiscard]] bool full() const { return names_.size() >= most_sample_names; }
  [[nodiscard]] std::vector<std::string> take() { return std::move(names_); }

 private:
  std::vector<std::string> names_;
};

// A start, a middle and an end with a dot or a label of its own between them, so that each may or may not be its own label.
void add_combinations(Names& names, const Fragments& fragments) {
  for (const std::string& start : fragments.starts) {
    for (const std::string& middle : fragments.middles) {
      for (const std::string& end : fragments.ends) {
        if (names.full()) return;
        const std::string tail = end.empty() ? "." + std::string(own_domain) : end;
        names.add(start + middle + tail);
        names.add(start + (start.empty() ? own_label : "") + middle + tail);
        names.add(start + middle + own_label + tail);
        names.add(start + middle + "." + own_domain + "." + tail);
      }
    }
  }
}

// For rules on the length of a name, or of what is before a registered domain.
void add_long_names(Names& names) {
  std::string text = own_domain;
  while (text.size() + 51 <= longest_wire - 2) {
    text = std::string(50, 'a') + "." + text;
    names.add(text);
  }
}

}  // namespace

std::string name_below(const std::string& wire) {
  const std::string label = own_label;
  if (wire.size() + label.size() + 1 > longest_wire) return wire;
  return static_cast<char>(label.size()) + label + wire;
}

std::vector<std::string> sample_names(const sigma::Rule& rule, const RulePlan& plan) {
  Names names;
  const Fragments fragments = fragments_of(rule, plan);
  for (const Witness& witness : plan.witnesses) {
    if (names.full()) break;
    if (witness.exact) names.add_wire(witness.wire);
    if (witness.below) names.add_wire(name_below(witness.wire));
    // what follows from the name may ask for more labels, and other tests for a text before it
    for (const std::string& middle : fragments.middles) {
      if (witness.below) names.add(middle + own_label + "." + wire_to_presentation(witness.wire));
    }
  }
  for (const std::string& text : fragments.whole) names.add(text);
  add_combinations(names, fragments);
  names.add(own_domain);
  add_long_names(names);
  return names.take();
}

std::vector<std::uint16_t> sample_record_types(const RulePlan& plan) {
  constexpr std::array<std::uint16_t, 12> usual = {1, 28, 16, 15, 5, 2, 6, 12, 33, 65, 10, 255};
  std::vector<std::uint16_t> types = plan.record_types;
  for (const std::uint16_t type : usual) {
    if (std::ranges::find(types, type) == types.end()) types.push_back(type);
  }
  return types;
}

}  // namespace nslookout::compile
