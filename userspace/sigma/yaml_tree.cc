#include "sigma/yaml_tree.h"

#include <algorithm>
#include <istream>
#include <map>
#include <streambuf>
#include <unordered_set>
#include <utility>

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/parser.h>

#include "base/escape.h"

namespace nslookout::sigma {
namespace {

// Thrown through yaml-cpp's parser to stop it, and caught in parse_yaml.
struct Refused {
  FindingKind kind;
  Place place;
  std::string what;
};

Place place_of(const YAML::Mark& mark) {
  if (mark.is_null()) return {};
  return {mark.line + 1, mark.column + 1};
}

// yaml-cpp makes one octet, U+0085's or U+00A0's of Latin-1, of the escapes \N and \_. All else in a scalar is UTF-8, so that
// they stand where a character would begin.
std::string as_utf8(const std::string& text) {
  if (text.find_first_of("\x85\xA0") == std::string::npos) return text;
  std::string whole;
  for (std::size_t at = 0; at < text.size();) {
    const auto first = static_cast<unsigned char>(text[at]);
    if (first == 0x85 || first == 0xA0) whole += '\xC2';
    const std::size_t octets = first < 0xC0 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    whole.append(text, at, octets);
    at += octets;
  }
  return whole;
}

// Builds the tree from the parser's events. Open collections are kept as a stack of nodes that are moved into their
// parent when they are closed, so an anchor that is not closed yet has no value that an alias could use.
class TreeBuilder : public YAML::EventHandler {
 public:
  // yaml-cpp leaves a token that begins no value where it is, and finds empty documents there for ever.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == document_at_) {
      throw Refused{FindingKind::broken, place_of(mark), "this is not YAML: no value begins like this"};
    }
    document_at_ = mark.pos;
    open_.clear();
    anchors_.clear();
    root_.reset();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.place = place_of(mark);
    add(mark, std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      throw Refused{FindingKind::broken, place_of(mark), "the alias stands inside the value that it names"};
    }
    count(mark, found->second.nodes);
    if (open_.size() + found->second.depth > max_yaml_depth) too_deep(mark);
    attach(YamlNode(found->second.node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    // yaml-cpp: "?" is a plain scalar, "!" a quoted or block one; anything else was written by the author.
    const bool is_string = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!is_string && tag != "?") {
      throw Refused{FindingKind::not_evaluated, place_of(mark),
                    fmt::format("nslookout does not read the YAML tag '{}'; remove it", tag)};
    }
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.place = place_of(mark);
    node.quoted = is_string;
    node.text = as_utf8(value);
    add(mark, std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& /*tag*/, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] std::optional<YamlNode> take_root() { return std::exchange(root_, std::nullopt); }

 private:
  struct Open {
    YamlNode node;
    YAML::anchor_t anchor = 0;
    std::size_t first_node = 0;  // value of nodes_ when it was opened
    bool key_pending = false;    // of a map: the next node is a value
    std::unordered_set<std::string> seen_keys;
  };
  struct Anchored {
    YamlNode node;
    std::size_t nodes = 1;
    std::size_t depth = 1;
  };

  [[noreturn]] static void too_deep(const YAML::Mark& mark) {
    throw Refused{FindingKind::broken, place_of(mark),
                  fmt::format("the YAML is nested deeper than {} levels", max_yaml_depth)};
  }

  void count(const YAML::Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > max_yaml_nodes) {
      throw Refused{
          FindingKind::broken, place_of(mark),
          fmt::format("the file has more than {} values, aliases counted each time; split it", max_yaml_nodes)};
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= max_yaml_depth) too_deep(mark);
    Open level;
    level.node.kind = kind;
    level.node.place = place_of(mark);
    level.anchor = anchor;
    level.first_node = nodes_;
    count(mark, 1);
    open_.push_back(std::move(level));
  }

  void close() {
    Open level = std::move(open_.back());
    open_.pop_back();
    if (level.anchor != 0) anchors_[level.anchor] = {level.node, nodes_ - level.first_node, max_depth(level.node)};
    attach(std::move(level.node));
  }

  static std::size_t max_depth(const YamlNode& node) {
    std::size_t deepest = 0;
    for (const YamlNode& item : node.items) deepest = std::max(deepest, max_depth(item));
    return deepest + 1;
  }

  void add(const YAML::Mark& mark, YamlNode node, YAML::anchor_t anchor) {
    count(mark, 1);
    if (anchor != 0) anchors_[anchor] = {node, 1, 1};
    attach(std::move(node));
  }

  void attach(YamlNode node) {
    if (open_.empty()) {
      root_ = std::move(node);
      return;
    }
    Open& parent = open_.back();
    if (parent.node.kind == YamlNode::Kind::sequence || parent.key_pending) {
      // yaml-cpp places a value that is not there at whatever follows it, perhaps lines below.
      if (parent.key_pending && node.kind == YamlNode::Kind::null &&
          node.place.line != parent.node.keys.back().place.line) {
        node.place = parent.node.keys.back().place;
      }
      parent.node.items.push_back(std::move(node));
      parent.key_pending = false;
      return;
    }
    check_key(parent, node);
    parent.node.keys.push_back(std::move(node));
    parent.key_pending = true;
  }

  static void check_key(Open& parent, const YamlNode& key) {
    if (key.kind != YamlNode::Kind::scalar) {
      throw Refused{FindingKind::broken, key.place,
                    fmt::format("a key of a map must be a text, this one is {}", describe(key.kind))};
    }
    if (key.text == "<<" && !key.quoted) {
      throw Refused{FindingKind::not_evaluated, key.place,
                    "nslookout does not read YAML merge keys (<<); write the values out"};
    }
    if (!parent.seen_keys.insert(key.text).second) {
      throw Refused{FindingKind::broken, key.place,
                    fmt::format("the key '{}' occurs twice in one map; only one of the two could count", key.text)};
    }
  }

  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::optional<YamlNode> root_;
  int document_at_ = -1;  // where the document begins, in characters
  std::size_t nodes_ = 0;
};

// A stream over the text in place: the standard string stream would copy it.
class ViewBuffer : public std::streambuf {
 public:
  explicit ViewBuffer(std::string_view text) {
    // setg takes char*, but only putback of another character writes there, and pbackfail is not overridden.
    char* begin = const_cast<char*>(text.data());  // NOLINT(cppcoreguidelines-pro-type-const-cast)
    setg(begin, begin, begin + text.size());
  }
};

}  // namespace

const YamlNode* YamlNode::find(std::string_view key) const {
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].text == key) return &items[i];
  }
  return nullptr;
}

std::string_view describe(YamlNode::Kind kind) {
  switch (kind) {
    case YamlNode::Kind::null:
      return "null";
    case YamlNode::Kind::scalar:
      return "a text";
    case YamlNode::Kind::sequence:
      return "a list";
    case YamlNode::Kind::map:
      return "a map";
  }
  return "";
}

namespace {

std::optional<std::size_t> first_octet_of_no_text(std::string_view text) {
  const std::string escaped = escape_invalid_utf8(text);
  const auto differs = static_cast<std::size_t>(std::ranges::mismatch(text, escaped).in1 - text.begin());
  const std::size_t first = std::min(differs, text.find('\0'));
  return first < text.size() ? std::optional(first) : std::nullopt;
}

Place place_of(std::string_view text, std::size_t at) {
  const std::string_view before = text.substr(0, at);
  const std::size_t line = before.rfind('\n') + 1;  // npos + 1: the first
  const auto begins_code_point = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  return {1 + static_cast<int>(std::ranges::count(before, '\n')),
          1 + static_cast<int>(std::ranges::count_if(before.substr(line), begins_code_point))};
}

}  // namespace

std::vector<YamlNode> parse_yaml(std::string_view text, Findings& findings) {
  std::vector<YamlNode> documents;
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    findings.broken({}, "the file is UTF-16; save it as UTF-8");
    return documents;
  }
  if (const std::optional<std::size_t> bad = first_octet_of_no_text(text)) {
    findings.broken(place_of(text, *bad), "the octet 0x{:02X} is no part of UTF-8 text; save the file as UTF-8",
                    static_cast<unsigned char>(text[*bad]));
    return documents;
  }
  try {
    ViewBuffer buffer(text);
    std::istream stream(&buffer);
    YAML::Parser parser(stream);
    TreeBuilder builder;
    while (parser.HandleNextDocument(builder)) {
      std::optional<YamlNode> root = builder.take_root();
      if (root && root->kind != YamlNode::Kind::null) documents.push_back(std::move(*root));
    }
  } catch (const Refused& refused) {
    findings.add(refused.kind, refused.place, "{}", refused.what);
  } catch (const YAML::Exception& error) {
    findings.broken(place_of(error.mark), "this is not YAML: {}{}", error.msg,
                    documents.empty() ? "" : "; what follows in the file is not read");
  }
  return documents;
}

}  // namespace nslookout::sigma
