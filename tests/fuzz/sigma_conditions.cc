// The grammar of conditions, on any text, against a second reader of it with two stacks and no recursion. Both make a
// table of truth over the selections, one bit for each way in which they may hold, so that what is compared is the
// meaning. Conditions of a list are divided by ';'.
#include <array>
#include <optional>
#include <string>
#include <vector>

#include "octets.h"
#include "sigma/condition.h"

namespace nslookout::fuzz {
namespace {

using Table = std::uint64_t;  // of the truth, one bit for each of the 2^6 ways

constexpr std::array<std::string_view, 6> names = {"selection", "sel_one", "sel_two", "filter", "_hidden", "notepad"};
constexpr std::array<Table, 6> columns = {0xAAAAAAAAAAAAAAAA, 0xCCCCCCCCCCCCCCCC, 0xF0F0F0F0F0F0F0F0,
                                          0xFF00FF00FF00FF00, 0xFFFF0000FFFF0000, 0xFFFFFFFF00000000};

std::vector<std::string> words_of(std::string_view text) {
  std::vector<std::string> words(1);
  for (const char c : text) {
    const bool blank = c == ' ' || c == '\t' || c == '\r' || c == '\n';
    const bool single = c == '(' || c == ')' || c == '|';
    if (blank || single) {
      words.emplace_back();
      if (single) words.back() = c;
      if (single) words.emplace_back();
    } else {
      words.back() += c;
    }
  }
  std::erase(words, "");
  return words;
}

std::string lower(std::string text) {
  for (char& c : text) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return text;
}

// Of the name's prefixes, as bits, those that the pattern so far can be.
bool glob(std::string_view pattern, std::string_view name) {
  std::uint32_t reached = 1;
  for (const char c : pattern) {
    std::uint32_t next = 0;
    for (std::size_t i = 0; i < name.size() && c != '*'; ++i) {
      if (name[i] == c) next |= (reached >> i & 1U) << (i + 1);
    }
    if (c == '*') next = ~((reached & (~reached + 1)) - 1);  // from the shortest on
    reached = next;
    if (reached == 0) return false;
  }
  return (reached >> name.size() & 1U) != 0;
}

std::optional<Table> quantified(const std::string& amount, const std::string& target) {
  const bool all = lower(amount) == "all";
  if (!all && amount != "1" && lower(amount) != "any") return std::nullopt;
  const std::string_view pattern = target == "them" ? std::string_view("*") : target;
  Table table = all ? ~Table{0} : Table{0};
  std::size_t found = 0;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if ((names[i][0] == '_' && !pattern.starts_with('_')) || !glob(pattern, names[i])) continue;
    table = all ? table & columns[i] : table | columns[i];
    ++found;
  }
  if (all && found == 0) return std::nullopt;
  return table;
}

class TwoStacks {
 public:
  std::optional<Table> read(const std::vector<std::string>& words) {
    for (std::size_t i = 0; i < words.size(); ++i) {
      const std::string keyword = lower(words[i]);
      if (!wants_operand_) {
        if (!take_operator(keyword)) return std::nullopt;
        continue;
      }
      if (depth_ >= sigma::max_condition_depth) return std::nullopt;
      if (keyword == "not" || words[i] == "(") {
        push(keyword == "not" ? '!' : '(');
      } else if (i + 1 < words.size() && words[i + 1] == "of") {
        if (i + 2 >= words.size() || words[i + 2] == "(" || words[i + 2] == ")" || words[i + 2] == "|") {
          return std::nullopt;
        }
        const auto table = quantified(words[i], words[i + 2]);
        if (!table) return std::nullopt;
        operand(*table);
        i += 2;
      } else {
        const auto* name = std::find(names.begin(), names.end(), words[i]);
        if (name == names.end()) return std::nullopt;
        operand(columns[static_cast<std::size_t>(name - names.begin())]);
      }
    }
    if (wants_operand_) return std::nullopt;
    while (!operators_.empty()) {
      if (operators_.back() == '(') return std::nullopt;
      apply();
    }
    return values_.back();
  }

 private:
  void push(char op) {
    operators_.push_back(op);
    if (op == '!' || op == '(') ++depth_;
  }

  void apply() {
    const char op = operators_.back();
    operators_.pop_back();
    const Table right = values_.back();
    if (op == '!') {
      --depth_;
      values_.back() = ~right;
      return;
    }
    values_.pop_back();
    values_.back() = op == '&' ? values_.back() & right : values_.back() | right;
  }

  void negate() {
    while (!operators_.empty() && operators_.back() == '!') apply();
  }

  void operand(Table table) {
    values_.push_back(table);
    wants_operand_ = false;
    negate();
  }

  bool take_operator(const std::string& keyword) {
    if (keyword == ")") {
      while (!operators_.empty() && operators_.back() != '(') apply();
      if (operators_.empty()) return false;
      operators_.pop_back();
      --depth_;
      negate();
      return true;
    }
    if (keyword != "and" && keyword != "or") return false;
    while (!operators_.empty() && (operators_.back() == '&' || (keyword == "or" && operators_.back() == '|'))) apply();
    push(keyword == "and" ? '&' : '|');
    wants_operand_ = true;
    return true;
  }

  std::vector<Table> values_;
  std::vector<char> operators_;
  std::size_t depth_ = 0;
  bool wants_operand_ = true;
};

Table table_of(const sigma::Expression& expression) {
  using Kind = sigma::Expression::Kind;
  if (expression.kind == Kind::selection) {
    require(expression.index < columns.size(), "a selection is one of the rule's");
    return columns[expression.index];
  }
  require(expression.kind != Kind::test, "a condition is about selections");
  require(expression.kind != Kind::negation || expression.children.size() == 1, "one thing is negated");
  if (expression.kind == Kind::negation) return ~table_of(expression.children[0]);
  Table table = expression.kind == Kind::all ? ~Table{0} : Table{0};
  for (const sigma::Expression& child : expression.children) {
    table = expression.kind == Kind::all ? table & table_of(child) : table | table_of(child);
  }
  return table;
}

sigma::YamlNode text_node(std::string_view text) {
  sigma::YamlNode node;
  node.kind = sigma::YamlNode::Kind::scalar;
  node.place = {1, 1};
  node.text = text;
  return node;
}

void check(std::string_view text) {
  static const sigma::Rule rule = [] {
    sigma::Rule made;
    for (const std::string_view name : names) made.selections.push_back({std::string(name), {1, 1}, {}});
    return made;
  }();
  const bool list = text.find(';') != std::string_view::npos;
  sigma::YamlNode condition = text_node(text);
  std::optional<Table> expected = Table{0};
  if (list) {
    condition.kind = sigma::YamlNode::Kind::sequence;
    condition.text.clear();
  }
  for (std::string_view rest = text; expected;) {
    const std::string_view one = list ? rest.substr(0, rest.find(';')) : rest;
    if (list) condition.items.push_back(text_node(one));
    const std::optional<Table> table = TwoStacks().read(words_of(one));
    expected = table ? std::optional(*expected | *table) : std::nullopt;
    if (one.size() == rest.size()) break;
    rest.remove_prefix(one.size() + 1);
  }
  sigma::Findings findings("fuzzed.yml");
  const auto expression = sigma::parse_condition(condition, rule, findings);
  require(expression.has_value() == (findings.error_count() == 0), "a condition is read, or refused with a reason");
  for (const sigma::Finding& finding : findings.all()) {
    require(finding.place.line >= 1 && finding.place.column >= 1 && !finding.what.empty(), "a finding has a place");
  }
  // a limit on the parts that only a text of a million octets can reach
  require(expression.has_value() == expected.has_value(), "both read the condition, or neither");
  if (expression) require(table_of(*expression) == *expected, "the condition means the same to both");
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  nslookout::fuzz::check({reinterpret_cast<const char*>(octets), size});
  return 0;
}
