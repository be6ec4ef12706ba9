#include "sigma/rule.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "sigma/condition.h"
#include "sigma/detection.h"

namespace nslookout::sigma {
namespace {

using Kind = YamlNode::Kind;

constexpr std::array<std::string_view, 5> levels = {"informational", "low", "medium", "high", "critical"};

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

bool parse_metadata(const YamlNode& document, Rule& rule, Findings& findings) {
  bool usable = read_text(document, "title", rule.title, findings);
  if (usable && rule.title.empty()) {
    findings.broken(document.place, "the rule has no title");
    usable = false;
  }
  usable = read_text(document, "id", rule.id, findings) && usable;
  usable = read_text(document, "name", rule.name, findings) && usable;
  usable = read_text(document, "status", rule.status, findings) && usable;
  usable = read_text(document, "level", rule.level, findings) && usable;
  usable = read_text(document, "description", rule.description, findings) && usable;
  usable = read_texts(document, "tags", rule.tags, findings) && usable;
  usable = read_texts(document, "references", rule.references, findings) && usable;
  if (!rule.level.empty() && std::ranges::find(levels, rule.level) == levels.end()) {
    findings.broken(document.find("level")->place, "'{}' is no level; use informational, low, medium, high or critical",
                    rule.level);
    usable = false;
  }
  return usable;
}

bool is_lookup_source(std::string_view category, std::string_view product, std::string_view service,
                      const RuleOptions& options) {
  if (product == "zeek") return service == "dns" && category.empty();
  if (!product.empty() && product != "linux" && !(product == "windows" && options.windows)) return false;
  if (category == "network") return service == "dns";
  return (category == "dns" || category == "dns_query") && service.empty();
}

bool check_log_source(const YamlNode& document, const RuleOptions& options, Findings& findings) {
  const YamlNode* node = document.find("logsource");
  if (node == nullptr || node->kind != Kind::map) {
    findings.broken(node == nullptr ? document.place : node->place, "the rule has no logsource map");
    return false;
  }
  std::string category;
  std::string product;
  std::string service;
  if (!read_text(*node, "category", category, findings) || !read_text(*node, "product", product, findings) ||
      !read_text(*node, "service", service, findings)) {
    return false;
  }
  if (is_lookup_source(category, product, service, options)) return true;
  std::string source;
  const auto append = [&source](std::string_view attribute, const std::string& value) {
    if (!value.empty()) source += fmt::format("{}{} {}", source.empty() ? "" : ", ", attribute, value);
  };
  append("category", category);
  append("product", product);
  append("service", service);
  findings.add(FindingKind::other_source, node->place,
               "the rule is about another log source ({}); nslookout sees category dns or dns_query of Linux",
               source.empty() ? "none named" : source);
  return false;
}

// Kinds of documents of the Sigma specification that are not rules.
bool is_other_document(const YamlNode& document, Findings& findings) {
  if (const YamlNode* action = document.find("action"); action != nullptr) {
    findings.not_evaluated(action->place, "nslookout does not evaluate rule collections ('action: {}')", action->text);
    return true;
  }
  for (const std::string_view key : {"correlation", "filter"}) {
    if (const YamlNode* node = document.find(key); node != nullptr) {
      findings.not_evaluated(node->place, "nslookout does not evaluate Sigma documents of the kind '{}'", key);
      return true;
    }
  }
  return false;
}

bool parse_detection(const YamlNode& document, Rule& rule, Findings& findings) {
  const YamlNode* detection = document.find("detection");
  if (detection == nullptr || detection->kind != Kind::map) {
    findings.broken(detection == nullptr ? document.place : detection->place, "the rule has no detection map");
    return false;
  }
  const bool selections_usable = parse_selections(*detection, rule, findings);
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
                               Findings& findings) {
  if (document.kind != Kind::map) {
    findings.broken(document.place, "a rule must be a map, this document is {}", describe(document.kind));
    return std::nullopt;
  }
  if (is_other_document(document, findings)) return std::nullopt;
  Rule rule;
  rule.file = findings.file();
  rule.document = document_number;
  rule.place = document.place;
  const bool metadata_usable = parse_metadata(document, rule, findings);
  if (!check_log_source(document, options, findings)) return std::nullopt;
  if (!parse_detection(document, rule, findings) || !metadata_usable) return std::nullopt;
  return rule;
}

}  // namespace nslookout::sigma
