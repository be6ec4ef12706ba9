#include "sigma/modifiers.h"

#include <algorithm>
#include <array>

namespace nslookout::sigma {
namespace {

// What a modifier makes of a value. A key has one kind of value, and one comparison at most.
enum class Group : std::uint8_t {
  any_value,   // goes with every kind of value but exists
  text,        // turns a text into another one
  comparison,  // of texts: where the text stands in the value
  cased,
  regex,
  regex_flag,
  network,
  exists,
  reference,
  order,
  time_part,
};

struct Word {
  std::string_view text;
  Modifier kind;
  Group group;
};

constexpr auto words = std::to_array<Word>({
    {"all", Modifier::all, Group::any_value},
    {"neq", Modifier::neq, Group::any_value},
    {"cased", Modifier::cased, Group::cased},
    {"contains", Modifier::contains, Group::comparison},
    {"startswith", Modifier::startswith, Group::comparison},
    {"endswith", Modifier::endswith, Group::comparison},
    {"expand", Modifier::expand, Group::text},
    {"windash", Modifier::windash, Group::text},
    {"base64", Modifier::base64, Group::text},
    {"base64offset", Modifier::base64offset, Group::text},
    {"wide", Modifier::utf16le, Group::text},
    {"utf16le", Modifier::utf16le, Group::text},
    {"utf16be", Modifier::utf16be, Group::text},
    {"utf16", Modifier::utf16, Group::text},
    {"re", Modifier::re, Group::regex},
    {"i", Modifier::ignore_case, Group::regex_flag},
    {"ignorecase", Modifier::ignore_case, Group::regex_flag},
    {"m", Modifier::multiline, Group::regex_flag},
    {"multiline", Modifier::multiline, Group::regex_flag},
    {"s", Modifier::dot_all, Group::regex_flag},
    {"dotall", Modifier::dot_all, Group::regex_flag},
    {"cidr", Modifier::cidr, Group::network},
    {"exists", Modifier::exists, Group::exists},
    {"fieldref", Modifier::fieldref, Group::reference},
    {"gt", Modifier::gt, Group::order},
    {"gte", Modifier::gte, Group::order},
    {"lt", Modifier::lt, Group::order},
    {"lte", Modifier::lte, Group::order},
    {"minute", Modifier::minute, Group::time_part},
    {"hour", Modifier::hour, Group::time_part},
    {"day", Modifier::day, Group::time_part},
    {"week", Modifier::week, Group::time_part},
    {"month", Modifier::month, Group::time_part},
    {"year", Modifier::year, Group::time_part},
});

const Word* find_word(std::string_view text) {
  const auto found = std::ranges::find(words, text, &Word::text);
  return found == words.end() ? nullptr : &*found;
}

// Whether both may be in one key, whatever the order.
bool go_together(const Word& a, const Word& b) {
  if (a.kind == b.kind) return false;
  const auto either = [&](Group group) { return a.group == group || b.group == group; };
  const auto pair = [&](Group one, Group two) {
    return (a.group == one && b.group == two) || (a.group == two && b.group == one);
  };
  if (either(Group::exists)) return false;
  if (either(Group::any_value)) return true;
  if (either(Group::regex_flag)) return a.group == b.group || either(Group::regex) || either(Group::comparison);
  if (pair(Group::regex, Group::comparison)) return a.kind == Modifier::contains || b.kind == Modifier::contains;
  if (either(Group::reference)) return either(Group::comparison) || either(Group::cased);
  if (pair(Group::order, Group::time_part)) return true;
  if (pair(Group::text, Group::text) || pair(Group::text, Group::comparison)) return true;
  return either(Group::cased) && (either(Group::text) || either(Group::comparison));
}

class KeyParser {
 public:
  explicit KeyParser(Findings& findings) : findings_(findings) {}

  bool add(Key& key, std::string_view text, Place place) {
    const Word* word = find_word(text);
    if (word == nullptr) {
      findings_.broken(place, "'{}' is not a modifier of Sigma; check its spelling", text);
      return false;
    }
    if (!fits(*word, place)) return false;
    seen_.push_back(word);
    key.modifiers.push_back({word->kind, place});
    return true;
  }

 private:
  bool fits(const Word& word, Place place) {
    if (word.group == Group::regex && !seen_.empty()) {
      findings_.broken(place, "'re' must be the first modifier; the text of a regular expression is taken as it is");
      return false;
    }
    if (word.group == Group::regex_flag && (seen_.empty() || seen_.front()->group != Group::regex)) {
      findings_.broken(place, "'{}' is a flag of a regular expression and must follow 're'", word.text);
      return false;
    }
    for (const Word* before : seen_) {
      if (go_together(word, *before)) continue;
      const bool anchor = before->group == Group::regex && word.group == Group::comparison;
      findings_.broken(place, "the modifier '{}' cannot be combined with '{}' in one key{}", word.text, before->text,
                       anchor ? "; write ^ or $ into the expression" : "");
      return false;
    }
    return true;
  }

  Findings& findings_;
  std::vector<const Word*> seen_;
};

}  // namespace

bool Key::has(Modifier kind) const {
  return std::ranges::any_of(modifiers, [kind](const KeyModifier& modifier) { return modifier.kind == kind; });
}

std::optional<Key> parse_key(std::string_view text, Place place, Findings& findings) {
  Key key;
  KeyParser parser(findings);
  std::size_t bar = std::min(text.find('|'), text.size());
  key.field = text.substr(0, bar);
  bool usable = true;
  while (bar < text.size()) {
    const std::size_t start = bar + 1;
    bar = std::min(text.find('|', start), text.size());
    Place word_place = place;
    word_place.column += columns_of(text.substr(0, start));
    usable = parser.add(key, text.substr(start, bar - start), word_place) && usable;
  }
  if (!usable) return std::nullopt;
  return key;
}

}  // namespace nslookout::sigma
