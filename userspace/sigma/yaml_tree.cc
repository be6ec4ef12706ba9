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

// What is wrong with a document. Thrown through yaml-cpp's parser where that cannot go on, and caught in parse_yaml.
struct Refused {
  FindingKind kind;
  YAML::Mark mark;
  std::string what;
};

// yaml-cpp's columns count octets. Code points are counted up to every 256th octet, so that a place costs no walk over its line.
class Places {
 public:
  explicit Places(std::string_view text) : text_(text) {
    for (std::size_t at = 0; at < text.size(); at += step) {
      before_.push_back(before_.empty() ? 0 : before_.back() + columns_of(text.substr(at - step, step)));
    }
  }

  [[nodiscard]] Place of(const YAML::Mark& mark) const {
    if (mark.is_null()) return {};
    const std::size_t at = octet_of(mark);
    const auto column = std::min(static_cast<std::size_t>(mark.column), at);
    return {mark.line + 1, code_points_before(at) - code_points_before(at - column) + 1};
  }

  // Whether the file has this text there.
  [[nodiscard]] bool has_at(const YAML::Mark& mark, std::size_t behind, std::string_view text) const {
    const std::size_t at = octet_of(mark) + behind;
    return !mark.is_null() && at <= text_.size() && text_.substr(at).starts_with(text) &&
           text.find('\n') == std::string_view::npos;
  }

  // Whether another document begins behind the one that begins there.
  [[nodiscard]] bool goes_on_behind(int document_at) const {
    return text_.find("\n---", static_cast<std::size_t>(std::max(document_at, 0))) != std::string_view::npos;
  }

 private:
  static constexpr std::size_t step = 256;

  [[nodiscard]] std::size_t octet_of(const YAML::Mark& mark) const {
    return std::min(static_cast<std::size_t>(std::max(mark.pos, 0)), text_.size());
  }
  [[nodiscard]] int code_points_before(std::size_t at) const {
    if (before_.empty()) return 0;
    const std::size_t whole = std::min(at / step, before_.size() - 1);
    return before_[whole] + columns_of(text_.substr(whole * step, at - whole * step));
  }

  std::string_view text_;
  std::vector<int> before_;  // code points before each step
};

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
  explicit TreeBuilder(const Places& places) : places_(places) {}

  // yaml-cpp leaves a token that begins no value where it is, and finds empty documents there for ever.
  void OnDocumentStart(const YAML::Mark& mark) override {
    if (mark.pos == document_at_) {
      throw Refused{FindingKind::broken, mark, "this is not YAML: no value begins like this"};
    }
    document_at_ = mark.pos;
    open_.clear();
    anchors_.clear();
    root_.reset();
    refused_.reset();
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    YamlNode node;
    node.place = places_.of(mark);
    add(mark, std::move(node), anchor);
  }

  void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    const auto found = anchors_.find(anchor);
    if (found == anchors_.end()) {
      refuse(FindingKind::broken, mark, "the alias stands inside the value that it names");
      return OnNull(mark, 0);
    }
    count(mark, found->second.nodes);
    if (open_.size() + found->second.depth > max_yaml_depth) too_deep(mark);
    attach(mark, YamlNode(found->second.node));
  }

  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    const bool is_string = tag == "!" || tag == "tag:yaml.org,2002:str";
    if (!is_string) check_tag(mark, tag, "");
    YamlNode node;
    node.kind = YamlNode::Kind::scalar;
    node.place = places_.of(mark);
    node.quoted = is_string;
    node.text = as_utf8(value);
    node.in_place = places_.has_at(mark, is_string ? 1 : 0, node.text);
    add(mark, std::move(node), anchor);
  }

  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    check_tag(mark, tag, "tag:yaml.org,2002:seq");
    open(YamlNode::Kind::sequence, mark, anchor);
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    check_tag(mark, tag, "tag:yaml.org,2002:map");
    open(YamlNode::Kind::map, mark, anchor);
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] std::optional<YamlNode> take_root() { return std::exchange(root_, std::nullopt); }
  [[nodiscard]] int document_at() const { return document_at_; }
  [[nodiscard]] std::optional<Refused> take_refusal() { return std::exchange(refused_, std::nullopt); }

 private:
  struct Open {
    YamlNode node;
    YAML::Mark mark;
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

  // The parser goes on, so that the documents behind this one are read.
  void refuse(FindingKind kind, const YAML::Mark& mark, std::string what) {
    if (!refused_) refused_ = Refused{kind, mark, std::move(what)};
  }

  // yaml-cpp: "?" is a plain value, "!" a quoted or block one; anything else was written by the author. own: what says no more
  // than that the value is what it is.
  void check_tag(const YAML::Mark& mark, const std::string& tag, std::string_view own) {
    if (tag.empty() || tag == "?" || tag == "!" || tag == own) return;
    refuse(FindingKind::not_evaluated, mark, fmt::format("nslookout does not read the YAML tag '{}'; remove it", tag));
  }

  [[noreturn]] static void too_deep(const YAML::Mark& mark) {
    throw Refused{FindingKind::broken, mark, fmt::format("the YAML is nested deeper than {} levels", max_yaml_depth)};
  }

  void count(const YAML::Mark& mark, std::size_t nodes) {
    nodes_ += nodes;
    if (nodes_ > max_yaml_nodes) {
      throw Refused{
          FindingKind::broken, mark,
          fmt::format("the file has more than {} values, aliases counted each time; split it", max_yaml_nodes)};
    }
  }

  void open(YamlNode::Kind kind, const YAML::Mark& mark, YAML::anchor_t anchor) {
    if (open_.size() >= max_yaml_depth) too_deep(mark);
    Open level;
    level.node.kind = kind;
    level.node.place = places_.of(mark);
    level.mark = mark;
    level.anchor = anchor;
    level.first_node = nodes_;
    count(mark, 1);
    open_.push_back(std::move(level));
  }

  void close() {
    Open level = std::move(open_.back());
    open_.pop_back();
    if (level.anchor != 0) anchors_[level.anchor] = {level.node, nodes_ - level.first_node, max_depth(level.node)};
    attach(level.mark, std::move(level.node));
  }

  static std::size_t max_depth(const YamlNode& node) {
    std::size_t deepest = 0;
    for (const YamlNode& item : node.items) deepest = std::max(deepest, max_depth(item));
    return deepest + 1;
  }

  void add(const YAML::Mark& mark, YamlNode node, YAML::anchor_t anchor) {
    count(mark, 1);
    if (anchor != 0) anchors_[anchor] = {node, 1, 1};
    attach(mark, std::move(node));
  }

  void attach(const YAML::Mark& mark, YamlNode node) {
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
    check_key(mark, parent, node);
    if (node.kind != YamlNode::Kind::scalar) {
      YamlNode key;
      key.kind = YamlNode::Kind::scalar;
      key.place = node.place;
      node = std::move(key);
    }
    parent.node.keys.push_back(std::move(node));
    parent.key_pending = true;
  }

  void check_key(const YAML::Mark& mark, Open& parent, const YamlNode& key) {
    if (key.kind != YamlNode::Kind::scalar) {
      refuse(FindingKind::broken, mark,
             fmt::format("a key of a map must be a text, this one is {}", describe(key.kind)));
    } else if (key.text == "<<" && !key.quoted) {
      refuse(FindingKind::not_evaluated, mark, "nslookout does not read YAML merge keys (<<); write the values out");
    } else if (!parent.seen_keys.insert(key.text).second) {
      refuse(FindingKind::broken, mark,
             fmt::format("the key '{}' occurs twice in one map; only one of the two could count", key.text));
    }
  }

  const Places& places_;
  std::vector<Open> open_;
  std::map<YAML::anchor_t, Anchored> anchors_;
  std::optional<YamlNode> root_;
  std::optional<Refused> refused_;  // the first of the document
  int document_at_ = -1;            // where the document begins, in characters
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
  return {1 + static_cast<int>(std::ranges::count(before, '\n')), 1 + columns_of(before.substr(line))};
}

std::string text_of(const YAML::Exception& error) {
  const bool star = error.msg.starts_with(YAML::ErrorMsg::UNKNOWN_ANCHOR);
  return fmt::format("this is not YAML: {}{}", error.msg, star ? "; put values that begin with * in quotes" : "");
}

class DocumentReader {
 public:
  DocumentReader(std::string_view text, Findings& findings) : text_(text), places_(text), findings_(findings) {}

  std::vector<YamlNode> read() {
    TreeBuilder builder(places_);
    try {
      ViewBuffer buffer(text_);
      std::istream stream(&buffer);
      YAML::Parser parser(stream);
      while (parser.HandleNextDocument(builder)) add(builder.take_root(), builder.take_refusal());
    } catch (const Refused& refused) {
      stop(builder, refused.kind, refused.mark, refused.what);
    } catch (const YAML::Exception& error) {
      stop(builder, FindingKind::broken, error.mark, text_of(error));
    }
    return std::move(documents_);
  }

 private:
  void add(std::optional<YamlNode> root, const std::optional<Refused>& refused) {
    if (!refused && (!root || root->kind == YamlNode::Kind::null)) return;
    YamlNode document = root ? std::move(*root) : YamlNode{};
    if (refused) {
      findings_.at_document(documents_.size() + 1);
      findings_.add(refused->kind, places_.of(refused->mark), "{}", refused->what);
      findings_.at_document(0);
      document.refused = true;
    }
    documents_.push_back(std::move(document));
  }

  // The parser cannot go on.
  void stop(TreeBuilder& builder, FindingKind kind, const YAML::Mark& mark, std::string_view what) {
    if (const std::optional<Refused> before = builder.take_refusal()) {
      findings_.add(before->kind, places_.of(before->mark), "{}", before->what);
    }
    const bool rest_is_lost = !documents_.empty() || places_.goes_on_behind(builder.document_at());
    findings_.add(kind, places_.of(mark), "{}{}", what, rest_is_lost ? "; what follows in the file is not read" : "");
  }

  std::string_view text_;
  Places places_;
  Findings& findings_;
  std::vector<YamlNode> documents_;
};

}  // namespace

std::vector<YamlNode> parse_yaml(std::string_view text, Findings& findings) {
  if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
  if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF")) {
    findings.broken({}, "the file is UTF-16; save it as UTF-8");
    return {};
  }
  if (const std::optional<std::size_t> bad = first_octet_of_no_text(text)) {
    findings.broken(place_of(text, *bad), "the octet 0x{:02X} is no part of UTF-8 text; save the file as UTF-8",
                    static_cast<unsigned char>(text[*bad]));
    return {};
  }
  return DocumentReader(text, findings).read();
}

}  // namespace nslookout::sigma
