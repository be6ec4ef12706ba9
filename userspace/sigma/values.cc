#include "sigma/values.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string_view>
#include <utility>

#include "base/base64.h"
#include "base/idna.h"
#include "base/rcode.h"
#include "base/record_type.h"
#include "sigma/encodings.h"

namespace nslookout::sigma {
namespace {

std::optional<double> parse_based(std::string_view digits, int base) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value, base);
  if (error != std::errc() || end != digits.data() + digits.size()) return std::nullopt;
  return static_cast<double>(value);
}

std::optional<bool> plain_boolean(const YamlNode& node) {
  if (node.kind != YamlNode::Kind::scalar || node.quoted) return std::nullopt;
  if (node.text == "true" || node.text == "True" || node.text == "TRUE") return true;
  if (node.text == "false" || node.text == "False" || node.text == "FALSE") return false;
  return std::nullopt;
}

Comparison comparison_of(const Key& key) {
  if (key.has(Modifier::contains)) return Comparison::contains;
  if (key.has(Modifier::startswith)) return Comparison::startswith;
  return key.has(Modifier::endswith) ? Comparison::endswith : Comparison::equals;
}

std::optional<Order> order_of(const Key& key) {
  if (key.has(Modifier::gt)) return Order::greater;
  if (key.has(Modifier::gte)) return Order::greater_or_equal;
  if (key.has(Modifier::lt)) return Order::less;
  return key.has(Modifier::lte) ? std::optional(Order::less_or_equal) : std::nullopt;
}

NumberOf time_part_of(const Key& key) {
  constexpr std::pair<Modifier, NumberOf> parts[] = {
      {Modifier::minute, NumberOf::minute}, {Modifier::hour, NumberOf::hour},   {Modifier::day, NumberOf::day},
      {Modifier::week, NumberOf::week},     {Modifier::month, NumberOf::month}, {Modifier::year, NumberOf::year}};
  for (const auto& [modifier, part] : parts) {
    if (key.has(modifier)) return part;
  }
  return NumberOf::value;
}

// Only modifiers that leave a number what it is.
bool keeps_numbers(const Key& key) {
  return std::ranges::all_of(key.modifiers, [](const KeyModifier& modifier) {
    return modifier.kind == Modifier::all || modifier.kind == Modifier::neq;
  });
}

class ValueParser {
 public:
  ValueParser(const YamlNode& node, const Key& key, Field field, const Expansions& expansions, VariantBudget& variants,
              Findings& findings)
      : node_(node), key_(key), field_(field), expansions_(expansions), variants_(variants), findings_(findings) {
    value_.place = node.place;
    value_.source = node.kind == YamlNode::Kind::null ? "null" : node.text;
  }

  std::optional<Value> parse() {
    if (!parse_kind()) return std::nullopt;
    return std::move(value_);
  }

 private:
  bool parse_kind() {
    if (key_.has(Modifier::exists)) return exists();
    if (node_.kind == YamlNode::Kind::null) return null();
    if (key_.has(Modifier::re)) return regex();
    if (key_.has(Modifier::cidr)) return network();
    if (key_.has(Modifier::fieldref)) return reference();
    value_.number_of = time_part_of(key_);
    if (order_of(key_) || value_.number_of != NumberOf::value) return number();
    return text();
  }

  template <typename... Args>
  bool refuse(fmt::format_string<Args...> format, Args&&... args) {
    findings_.broken(node_.place, format, std::forward<Args>(args)...);
    return false;
  }

  bool exists() {
    const std::optional<bool> wanted = plain_boolean(node_);
    if (!wanted) return refuse("'exists' takes true or false without quotes, this is '{}'", value_.source);
    value_.kind = Value::Kind::exists;
    value_.exists = *wanted;
    return true;
  }

  bool null() {
    if (!keeps_numbers(key_) || key_.has(Modifier::all)) return refuse("null cannot be combined with modifiers");
    if (field_ == Field::any) return refuse("null is no keyword; name a field");
    if (field_ == Field::record_type) {
      findings_.warning(node_.place,
                        "null means that the field is missing; for the record type write 'NULL' in quotes");
    }
    value_.kind = Value::Kind::null;
    return true;
  }

  bool regex() {
    const RegexFlags flags = {key_.has(Modifier::ignore_case), key_.has(Modifier::multiline),
                              key_.has(Modifier::dot_all)};
    Result<Regex> compiled = Regex::compile(node_.text, flags);
    if (!compiled) return refuse("{}", compiled.error().message);
    value_.kind = Value::Kind::regex;
    value_.regex = std::move(*compiled);
    return true;
  }

  bool network() {
    const Result<IpNetwork> network = parse_ip_network(node_.text);
    if (!network) return refuse("{}", network.error().message);
    value_.kind = Value::Kind::network;
    value_.network = *network;
    return true;
  }

  bool reference() {
    if (node_.text.empty()) return refuse("'fieldref' takes the name of a field");
    if (field_ == Field::any) return refuse("a keyword cannot refer to a field; name the field to compare");
    value_.kind = Value::Kind::reference;
    value_.reference = {field_from_name(node_.text), node_.text, comparison_of(key_), key_.has(Modifier::cased)};
    return true;
  }

  bool number() {
    const std::optional<double> number = node_.quoted ? std::nullopt : plain_number(node_.text);
    if (!number) return refuse("'{}' must be a number without quotes", node_.text);
    value_.kind = Value::Kind::number;
    value_.number = *number;
    value_.order = order_of(key_).value_or(Order::equal);
    return true;
  }

  bool text() {
    const std::optional<double> number = node_.quoted ? std::nullopt : plain_number(node_.text);
    if (number && keeps_numbers(key_) && !is_name(field_) && field_ != Field::any) {
      value_.kind = Value::Kind::number;
      value_.number = *number;
    }
    if (!start_patterns()) return false;
    for (const KeyModifier& modifier : key_.modifiers) {
      if (!apply(modifier)) return false;
    }
    if (field_ == Field::any && comparison_of(key_) == Comparison::equals) add_runs(true, true);
    if (!charge_variants()) return false;
    // Before the case is gone: a label outside ASCII has its A-label from what was written, a final sigma from one.
    if (is_name(field_) && !adapt_patterns_to_names()) return false;
    if (!key_.has(Modifier::cased)) {
      for (Pattern& pattern : value_.patterns) fold_pattern(pattern);
    }
    warn_of_operators();
    use_canonical_names();
    return true;
  }

  bool charge_variants() {
    std::size_t octets = 0;
    for (std::size_t i = 1; i < value_.patterns.size(); ++i) octets += octets_of(value_.patterns[i]);
    if (octets > variants_.octets) {
      return refuse("the modifiers make more than {} MiB of variants of the values of this file; split it",
                    max_variant_octets >> 20);
    }
    variants_.octets -= octets;
    return true;
  }

  // Values were once written with their operator inside; Sigma takes it as text.
  void warn_of_operators() {
    if (value_.source.empty() || (value_.source[0] != '<' && value_.source[0] != '>')) return;
    const std::size_t behind = value_.source.find_first_not_of("<>= ");
    if (behind == std::string::npos || !plain_number(std::string_view(value_.source).substr(behind))) return;
    findings_.warning(node_.place, "'{}' is compared as text; for a number use the modifiers gt, gte, lt and lte",
                      value_.source);
  }

  bool start_patterns() {
    if (!key_.has(Modifier::expand)) {
      value_.patterns.push_back(parse_pattern(node_.text, true));
      return true;
    }
    std::vector<std::string> texts;
    if (!expand(texts)) return false;
    for (const std::string& text : texts) value_.patterns.push_back(parse_pattern(text, true));
    return true;
  }

  // The text with each %name% written out, \% being a percent sign.
  bool expand(std::vector<std::string>& texts) {
    const std::string_view text = node_.text;
    texts = {""};
    const auto append = [&](std::string_view part) {
      for (std::string& built : texts) built += part;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text[at] == '\\' && at + 1 < text.size()) {
        append(text[at + 1] == '%' ? text.substr(at + 1, 1) : text.substr(at, 2));
        ++at;
        continue;
      }
      const std::size_t end = text[at] == '%' ? text.find('%', at + 1) : std::string_view::npos;
      if (end == std::string_view::npos || end == at + 1) {
        append(text.substr(at, 1));
        continue;
      }
      if (!substitute(text.substr(at + 1, end - at - 1), texts)) return false;
      at = end;
    }
    return true;
  }

  bool substitute(std::string_view name, std::vector<std::string>& texts) {
    const auto found = std::ranges::find(expansions_, name, &Expansion::name);
    if (found == expansions_.end() || found->values.empty()) {
      return refuse("nothing says what %{}% stands for; define it (--expand {}=VALUE) or write the values out", name,
                    name);
    }
    if (texts.size() * found->values.size() > max_variants) return too_many();
    std::size_t longest = node_.text.size();
    longest += std::ranges::max_element(texts, {}, &std::string::size)->size();
    longest += std::ranges::max_element(found->values, {}, &std::string::size)->size();
    if (texts.size() * found->values.size() * longest > max_variant_octets) return too_large();
    std::vector<std::string> longer;
    longer.reserve(texts.size() * found->values.size());
    for (const std::string& text : texts) {
      for (const std::string& replacement : found->values) longer.push_back(text + replacement);
    }
    texts = std::move(longer);
    return true;
  }

  bool too_many() { return refuse("the modifiers make more than {} variants of this value", max_variants); }
  bool too_large() {
    return refuse("the modifiers make more than {} MiB of variants of this value", max_variant_octets >> 20);
  }

  void add_runs(bool at_start, bool at_end) {
    for (Pattern& pattern : value_.patterns) {
      if (at_start) add_run_at_start(pattern);
      if (at_end) add_run_at_end(pattern);
    }
  }

  bool apply(const KeyModifier& modifier) {
    switch (modifier.kind) {
      case Modifier::contains:
        add_runs(true, true);
        return true;
      case Modifier::startswith:
        add_runs(false, true);
        return true;
      case Modifier::endswith:
        add_runs(true, false);
        return true;
      case Modifier::windash:
        return windash();
      case Modifier::base64:
        return encode([](const std::string& text) { return std::vector<std::string>{to_base64(text)}; });
      case Modifier::base64offset:
        // One form of such a text is empty, and would be found everywhere.
        if (std::ranges::any_of(value_.patterns, is_too_short)) {
          return refuse("'base64offset' needs a text of two octets or more; a shorter one has no form at each offset");
        }
        return encode([](const std::string& text) {
          const auto offsets = to_base64_offsets(text);
          return std::vector<std::string>(offsets.begin(), offsets.end());
        });
      case Modifier::utf16le:
        return utf16(Utf16::little_endian);
      case Modifier::utf16be:
        return utf16(Utf16::big_endian);
      case Modifier::utf16:
        return utf16(Utf16::marked);
      default:
        return true;  // of the whole key, or applied already
    }
  }

  static bool is_too_short(const Pattern& pattern) {
    return pattern.is_literal() && (pattern.tokens.empty() || pattern.tokens[0].text.size() < 2);
  }

  // As it is kept, roughly.
  static std::size_t octets_of(const Pattern& pattern) {
    std::size_t octets = sizeof(Pattern);
    for (const Token& token : pattern.tokens) octets += sizeof(Token) + token.text.size();
    return octets;
  }

  bool windash() {
    std::vector<Pattern> made;
    std::size_t room = max_variant_octets;
    for (const Pattern& pattern : value_.patterns) {
      std::vector<Pattern> variants = {Pattern{{}, true}};
      const std::size_t fitting = room / octets_of(pattern);
      for (const Token& token : pattern.tokens) {
        if (append_dashed(variants, token, std::min(max_variants, fitting))) continue;
        return fitting < max_variants ? too_large() : too_many();
      }
      if (variants.size() > fitting) return too_large();
      room -= variants.size() * octets_of(pattern);
      if (made.size() + variants.size() > max_variants) return too_many();
      std::ranges::move(variants, std::back_inserter(made));
    }
    value_.patterns = std::move(made);
    return true;
  }

  static bool append_dashed(std::vector<Pattern>& variants, const Token& token, std::size_t most) {
    if (token.kind != Token::Kind::literal) {
      for (Pattern& variant : variants) variant.tokens.push_back(token);
      return true;
    }
    const std::vector<std::string> texts = dash_variants(token.text, most / variants.size());
    std::vector<Pattern> longer;
    for (const Pattern& variant : variants) {
      for (const std::string& text : texts) {
        longer.push_back(variant);
        longer.back().tokens.push_back({Token::Kind::literal, text});
      }
    }
    variants = std::move(longer);
    return !texts.empty();
  }

  template <typename Encode>
  bool encode(const Encode& encoded) {
    std::vector<Pattern> made;
    for (const Pattern& pattern : value_.patterns) {
      if (!pattern.is_literal()) return refuse("a value with wildcards has no Base64 form");
      for (const std::string& text : encoded(pattern.tokens.empty() ? std::string() : pattern.tokens[0].text)) {
        if (made.size() >= max_variants) return too_many();
        made.push_back(literal_pattern(text, true));
      }
    }
    value_.patterns = std::move(made);
    return true;
  }

  bool utf16(Utf16 form) {
    for (Pattern& pattern : value_.patterns) {
      for (Token& token : pattern.tokens) {
        if (token.kind == Token::Kind::one) return refuse("a value with the wildcard ? has no UTF-16 form");
        if (token.kind != Token::Kind::literal) continue;
        Result<std::string> encoded = to_utf16(token.text, form);
        if (!encoded) return refuse("{}", encoded.error().message);
        token.text = std::move(*encoded);
      }
    }
    return true;
  }

  void use_canonical_names() {
    if (field_ != Field::record_type && field_ != Field::rcode && !is_address(field_)) return;
    for (Pattern& pattern : value_.patterns) use_canonical_name(pattern);
  }

  bool adapt_patterns_to_names() {
    // A dash outside ASCII or the octets of UTF-16 were put there by a modifier and are in no name; whatever the author
    // wrote is refused instead.
    const bool made_by_modifier = is_ascii(node_.text) && !key_.has(Modifier::expand);
    std::vector<Pattern> adapted;
    for (Pattern& pattern : value_.patterns) {
      if (const Result<void> done = adapt_to_names(pattern); done) {
        adapted.push_back(std::move(pattern));
      } else if (!made_by_modifier) {
        return refuse("{}", done.error().message);
      }
    }
    value_.patterns = std::move(adapted);
    return true;
  }

  // TYPE16 and TXT are the same type (RFC 3597 section 5), ::FFFF:1.2.3.4 and 1.2.3.4 the same address.
  void use_canonical_name(Pattern& pattern) const {
    if (!pattern.is_literal() || pattern.tokens.empty() || pattern.cased) return;
    const std::string& text = pattern.tokens[0].text;
    std::string name;
    if (field_ == Field::record_type) {
      if (const auto number = record_type_number(text)) name = record_type_name(*number);
    } else if (field_ == Field::rcode) {
      if (const auto number = rcode_number(text)) name = rcode_name(*number);
    } else if (const auto address = parse_ip_address(text)) {
      name = address->text();
    }
    if (!name.empty()) pattern = literal_pattern(name, false);
  }

  const YamlNode& node_;
  const Key& key_;
  const Field field_;
  const Expansions& expansions_;
  VariantBudget& variants_;
  Findings& findings_;
  Value value_;
};

}  // namespace

std::optional<double> plain_number(std::string_view text) {
  if (text.starts_with("0x")) return parse_based(text.substr(2), 16);
  if (text.starts_with("0o")) return parse_based(text.substr(2), 8);
  std::string_view digits = text;
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const std::string_view unsigned_part = digits.starts_with('-') ? digits.substr(1) : digits;
  if (unsigned_part.empty() || unsigned_part.find_first_not_of("0123456789.eE+-") != std::string_view::npos) {
    return std::nullopt;
  }
  double value = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc() || end != digits.data() + digits.size() || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<Value> parse_value(const YamlNode& node, const Key& key, Field field, const Expansions& expansions,
                                 VariantBudget& variants, Findings& findings) {
  return ValueParser(node, key, field, expansions, variants, findings).parse();
}

}  // namespace nslookout::sigma
