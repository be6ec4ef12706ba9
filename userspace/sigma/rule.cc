#include "sigma/rule.h"

#include <algorithm>
#include <string_view>

#include "base/level.h"
#include "sigma/condition.h"
#include "sigma/detection.h"

namespace nslookout::sigma {
namespace {

using Kind = YamlNode::Kind;

// An optional text; adds an error for anything else.
bool read_text(const YamlNode& document, std::string_view key, std::string& out, Findings& findings) {
  const YamlNode* node = document.find(key);
  if (node == nullptr || node->kind == Kind::null) return true;
  if (node->kind != Kind::scalar) {
    findings.broken(node->place, "{} must be a text, this one is {}", key, describe(node->kind));
    return false;
  }
  out = node->text;
  return true;
}

// An optional list of texts, or one text.
bool read_texts(const YamlNode& document, std::string_view key, std::vector<std::string>& out, Findings& findings) {
  const YamlNode* node = document.find(key);
  if (node == nullptr || node->kind == Kind::null) return true;
  if (node->kind == Kind::scalar) {
    out.push_back(node->text);
    return true;
  }
  if (node->kind != Kind::sequence) {
    findings.broken(node->place, "{} must be a list of texts, this one is {}", key, describe(node->kind));
    return false;
  }
  for (const YamlNode& item : node->items) {
    if (item.kind != Kind::scalar) {
      findings.broken(item.place, "an element of {} must be a text, this one is {}", key, describe(item.kind));
      return false;
    }
    out.push_back(item.text);
  }
  return true;
}

}  // namespace

bool parse_metadata(const YamlNode& document, Rule& rule, Findings& findings) {
  bool usable = read_text(document, "title", rule.title, findings);
  if (usable && rule.title.empty()) {
    findings.broken(document.place, "the document has no title");
    usable = false;
  }
  usable = read_text(document, "id", rule.id, findings) && usable;
  usable = read_text(document, "name", rule.name, findings) && usable;
  usable = read_text(document, "status", rule.status, findings) && usable;
  usable = read_text(document, "level", rule.level, findings) && usable;
  usable = read_text(document, "description", rule.description, findings) && usable;
  usable = read_texts(document, "tags", rule.tags, findings) && usable;
  usable = read_texts(document, "references", rule.references, findings) && usable;
  if (!rule.level.empty() && !is_level(rule.level)) {
    findings.broken(document.find("level")->place, "'{}' is no level; use informational, low, medium, high or critical",
                    rule.level);
    usable = false;
  }
  return usable;
}

bool parse_log_source(const YamlNode& document, LogSource& source, Findings& findings) {
  const YamlNode* node = document.find("logsource");
  if (node == nullptr || node->kind != Kind::map) {
    findings.broken(node == nullptr ? document.place : node->place, "the {} has no logsource map",
                    document.find("filter") == nullptr ? "rule" : "filter");
    return false;
  }
  return read_text(*node, "category", source.category, findings) &&
         read_text(*node, "product", source.product, findings) && read_text(*node, "service", source.service, findings);
}

namespace {

enum class Origin { this_host, windows, elsewhere };

Origin origin_of(const LogSource& source) {
  if (source.product == "zeek") {
    return source.service == "dns" && source.category.empty() ? Origin::this_host : Origin::elsewhere;
  }
  const bool windows = source.product == "windows";
  if (!source.product.empty() && source.product != "linux" && !windows) return Origin::elsewhere;
  bool lookups = (source.category == "dns" || source.category == "dns_query") && source.service.empty();
  lookups = lookups || (source.category == "network" && source.service == "dns");
  lookups = lookups || (windows && source.category.empty() &&
                        (source.service == "dns-client" || source.service == "dns-server-analytic"));
  if (!lookups) return Origin::elsewhere;
  return windows ? Origin::windows : Origin::this_host;
}

std::string describe(const LogSource& source) {
  std::string text;
  const auto append = [&text](std::string_view attribute, const std::string& value) {
    if (!value.empty()) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", attribute, value);
  };
  append("category", source.category);
  append("product", source.product);
  append("service", source.service);
  return text.empty() ? "none named" : text;
}

// Whether the rule is about lookups that this sensor takes as such.
bool accept_source(const LogSource& source, Place place, const RuleOptions& options, Findings& findings) {
  const Origin origin = origin_of(source);
  if (origin == Origin::this_host || (origin == Origin::windows && options.windows)) return true;
  if (origin == Origin::windows) {
    findings.add(FindingKind::other_source, place,
                 "the rule is about lookups on Windows ({}); --product-windows loads it here", describe(source));
  } else {
    findings.add(FindingKind::other_source, place,
                 "the rule is about another log source ({}); nslookout sees category dns or dns_query of Linux",
                 describe(source));
  }
  return false;
}

bool parse_detection(const YamlNode& document, const RuleOptions& options, VariantBudget& variants, Rule& rule,
                     Findings& findings) {
  const YamlNode* detection = document.find("detection");
  if (detection == nullptr || detection->kind != Kind::map) {
    findings.broken(detection == nullptr ? document.place : detection->place, "the rule has no detection map");
    return false;
  }
  const bool selections_usable =
      parse_selections(*detection, {"condition"}, options.expansions, variants, rule, findings);
  const YamlNode* condition = detection->find("condition");
  if (condition == nullptr) {
    findings.broken(detection->place, "the detection has no condition");
    return false;
  }
  // After a refused selection the condition would only add errors about a selection that is there.
  if (!selections_usable) return false;
  std::optional<Expression> expression = parse_condition(*condition, rule, findings);
  if (!expression) return false;
  rule.condition = std::move(*expression);
  return true;
}

}  // namespace

std::optional<Rule> parse_rule(const YamlNode& document, std::size_t document_number, const RuleOptions& options,
                               VariantBudget& variants, Findings& findings) {
  Rule rule;
  rule.file = findings.file();
  rule.document = document_number;
  rule.place = document.place;
  const bool metadata_usable = parse_metadata(document, rule, findings);
  if (!parse_log_source(document, rule.source, findings)) return std::nullopt;
  if (!accept_source(rule.source, document.find("logsource")->place, options, findings)) {
    // Still worth telling its author, but a mistake in a rule about something else must not keep the others from running.
    Findings elsewhere(findings.file());
    elsewhere.at_document(document_number);
    if (!parse_detection(document, options, variants, rule, elsewhere)) {
      for (const Finding& finding : elsewhere.all()) {
        if (finding.kind == FindingKind::warning) continue;
        findings.add(FindingKind::other_source, finding.place, "{}", finding.what);
      }
    }
    return std::nullopt;
  }
  if (!parse_detection(document, options, variants, rule, findings) || !metadata_usable) return std::nullopt;
  return rule;
}

}  // namespace nslookout::sigma
