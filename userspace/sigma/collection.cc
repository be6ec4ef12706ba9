#include "sigma/collection.h"

#include <utility>

namespace nslookout::sigma {
namespace {

// from over onto, map by map.
void merge(YamlNode& onto, const YamlNode& from) {
  for (std::size_t i = 0; i < from.items.size(); ++i) {
    std::size_t at = 0;
    while (at < onto.keys.size() && onto.keys[at].text != from.keys[i].text) ++at;
    if (at == onto.keys.size()) {
      onto.keys.push_back(from.keys[i]);
      onto.items.push_back(from.items[i]);
    } else if (onto.items[at].kind == YamlNode::Kind::map && from.items[i].kind == YamlNode::Kind::map) {
      merge(onto.items[at], from.items[i]);
    } else {
      onto.keys[at] = from.keys[i];
      onto.items[at] = from.items[i];
    }
  }
}

YamlNode without(YamlNode document, std::string_view key) {
  for (std::size_t i = 0; i < document.keys.size(); ++i) {
    if (document.keys[i].text != key) continue;
    document.keys.erase(document.keys.begin() + static_cast<std::ptrdiff_t>(i));
    document.items.erase(document.items.begin() + static_cast<std::ptrdiff_t>(i));
    break;
  }
  return document;
}

std::size_t node_count(const YamlNode& node) {
  std::size_t count = 1;
  for (const YamlNode& item : node.items) count += node_count(item);
  return count;
}

}  // namespace

// What builds on such a document would mean something else without it.
void Collection::refuse(const YamlNode& document) {
  const YamlNode* action = document.find("action");
  if (action != nullptr && action->text == "reset") return;
  const bool global = action != nullptr && action->text == "global";
  if (global) global_.reset();
  global_refused_ = global_refused_ || global;
  previous_.reset();
  previous_refused_ = true;
}

std::optional<YamlNode> Collection::next(const YamlNode& document, Findings& findings) {
  if (document.refused) {
    refuse(document);
    return std::nullopt;
  }
  if (document.kind != YamlNode::Kind::map) {
    findings.broken(document.place, "a rule must be a map, this document is {}", describe(document.kind));
    return std::nullopt;
  }
  const YamlNode* action = document.find("action");
  YamlNode made = document;
  if (action != nullptr) {
    if (action->text == "global") {
      global_ = without(document, "action");
      global_refused_ = false;
      previous_.reset();
      previous_refused_ = false;
      return std::nullopt;
    }
    if (action->text == "reset") {
      global_.reset();
      global_refused_ = false;
      return std::nullopt;
    }
    if (action->text != "repeat") {
      findings.broken(action->place, "'action: {}' is no action of Sigma; use global, reset or repeat", action->text);
      return std::nullopt;
    }
    if (!previous_) {
      findings.broken(action->place, "{}",
                      previous_refused_ ? "the document that this one repeats is refused"
                                        : "there is no document before this one that could be repeated");
      return std::nullopt;
    }
    made = *previous_;
    made.place = document.place;
    merge(made, without(document, "action"));
  }
  previous_ = made;
  previous_refused_ = false;
  if (global_refused_) {
    findings.broken(document.place, "the document that goes into this one (action: global) is refused");
    return std::nullopt;
  }
  if (!global_ && action == nullptr) return made;
  if (global_) merge(made, *global_);
  added_ += node_count(made);
  if (added_ <= max_collection_nodes) return made;
  findings.broken(document.place, "the actions of this file write out more than {} values; split it",
                  max_collection_nodes);
  return std::nullopt;
}

}  // namespace nslookout::sigma
