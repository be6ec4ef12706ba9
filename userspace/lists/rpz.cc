#include "lists/rpz.h"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "base/dns_name.h"
#include "lists/lines.h"

namespace nslookout::lists {
namespace {

// A parenthesis that is never closed must not swallow the rest of the file unseen.
constexpr std::size_t max_record_lines = 64;

constexpr std::array<std::string_view, 17> record_types = {"cname", "soa",   "ns",     "a",     "aaaa", "txt",
                                                           "mx",    "ptr",   "srv",    "dname", "caa",  "hinfo",
                                                           "https", "rrsig", "dnskey", "naptr", "nsec"};
// Of the zone's machinery, no policy for a name.
constexpr std::array<std::string_view, 5> own_types = {"ns", "rrsig", "dnskey", "nsec", "dname"};
constexpr std::array<std::string_view, 4> other_triggers = {"rpz-ip", "rpz-client-ip", "rpz-nsdname", "rpz-nsip"};

bool equal(std::string_view text, std::string_view lower) {
  return text.size() == lower.size() && std::ranges::equal(text, lower, {}, [](char c) {
           return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
         });
}

template <typename Words>
bool is_one_of(std::string_view text, const Words& words) {
  return std::ranges::any_of(words, [&](std::string_view word) { return equal(text, word); });
}

bool is_ttl(std::string_view word) {
  return !word.empty() && word[0] >= '0' && word[0] <= '9' &&
         word.find_first_not_of("0123456789smhdwSMHDW") == std::string_view::npos;
}

bool is_class(std::string_view word) { return is_one_of(word, std::array<std::string_view, 3>{"in", "ch", "hs"}); }

bool is_absolute(std::string_view name) { return name.ends_with('.') && !name.ends_with("\\."); }

std::string_view without_dot(std::string_view name) {
  if (is_absolute(name)) name.remove_suffix(1);
  return name;
}

class Zone {
 public:
  explicit Zone(Collector& collector) : collector_(collector) {}

  void read(std::string_view text) {
    while (!text.empty()) {
      const std::string_view line = next_line(text);
      if (line.find_first_of("();\"") == std::string_view::npos) {
        collector_.begin_line(line);
        record(line);
      } else {
        long_record(line, text);
      }
    }
  }

 private:
  // One line of a record into joined_, comments left out and parentheses as blanks. Strings are kept apart from what
  // they contain by leaving that out: no name stands in one.
  void join(std::string_view line) {
    bool quoted = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
      const char c = line[i];
      if (c == '\\' && i + 1 < line.size()) {
        if (!quoted) joined_.append(line, i, 2);
        ++i;
      } else if (c == '"') {
        quoted = !quoted;
        joined_ += c;
      } else if (quoted) {
        continue;
      } else if (c == ';') {
        break;
      } else if (c == '(' || c == ')') {
        depth_ = c == '(' ? depth_ + 1 : std::max(depth_ - 1, 0);
        joined_ += ' ';
      } else {
        joined_ += c;
      }
    }
  }

  void long_record(std::string_view first, std::string_view& text) {
    joined_.clear();
    depth_ = 0;
    join(first);
    const std::string_view after_first = text;
    std::size_t lines = 1;
    while (depth_ > 0 && !text.empty() && lines < max_record_lines) {
      joined_ += ' ';
      join(next_line(text));
      ++lines;
    }
    if (depth_ > 0) {
      text = after_first;
      collector_.begin_line(first);
      return collector_.bad(first, "a parenthesis is not closed");
    }
    // Places are those of the first line, so it must be what columns are counted in.
    collector_.begin_line(first, lines);
    record(joined_);
  }

  void record(std::string_view line) {
    if (line.starts_with('$')) return directive(line);
    const bool has_owner = !line.empty() && blanks.find(line[0]) == std::string_view::npos;
    std::string_view rest = line;
    std::string_view word = next_word(rest);
    if (word.empty()) return;
    if (has_owner) {
      owner_ = word;
      word = next_word(rest);
    } else if (owner_.empty()) {
      return collector_.bad(word, "a record without an owner, and none before it");
    }
    for (int i = 0; i < 2 && (is_ttl(word) || is_class(word)); ++i) word = next_word(rest);
    if (!is_one_of(word, record_types)) {
      return collector_.bad(word.empty() ? line : word, "no type of a zone's record, such as CNAME");
    }
    if (equal(word, "soa")) {
      set_full(owner_);
      zone_ = full_;
      return;
    }
    if (!is_one_of(word, own_types)) policy(equal(word, "cname") ? next_word(rest) : std::string_view());
  }

  void directive(std::string_view line) {
    std::string_view rest = line;
    const std::string_view word = next_word(rest);
    if (equal(word, "$ttl")) return;
    const std::string_view value = next_word(rest);
    if (!equal(word, "$origin")) {
      return collector_.bad(word, "only $ORIGIN and $TTL are followed; give what it stands for as a list of its own");
    }
    if (value.empty()) return collector_.bad(word, "$ORIGIN without a name");
    set_full(value);
    origin_ = full_;
    if (zone_.empty()) zone_ = origin_;
  }

  // The name as an absolute one without its dot, in lower case, in full_.
  void set_full(std::string_view name) {
    full_.clear();
    if (name == "@") {
      full_ = origin_;
    } else {
      full_ = ascii_lower(without_dot(name));
      if (!is_absolute(name) && !origin_.empty()) full_.append(".").append(origin_);
    }
  }

  // The owner relative to the zone; empty for the zone itself. Nothing when it lies outside.
  std::optional<std::string_view> relative_owner() {
    if (owner_ != "@" && !is_absolute(owner_) && origin_ == zone_) return owner_;
    set_full(owner_);
    if (zone_.empty()) return full_;
    if (full_ == zone_) return std::string_view();
    const std::string_view full = full_;
    if (!full.ends_with(zone_) || full[full.size() - zone_.size() - 1] != '.') return std::nullopt;
    return full.substr(0, full.size() - zone_.size() - 1);
  }

  // target: of a CNAME, else empty.
  void policy(std::string_view target) {
    const std::optional<std::string_view> name = relative_owner();
    if (!name) return collector_.bad(owner_, fmt::format("outside the zone '{}'", zone_));
    if (name->empty()) return;
    if (*name == "*") return collector_.bad(owner_, "stands for every name; --observe all reports those");
    const std::string_view last_label = name->substr(name->rfind('.') + 1);
    if (last_label.starts_with("rpz-") || last_label.starts_with("RPZ-")) {
      if (is_one_of(last_label, other_triggers)) return collector_.other();
    }
    const std::string_view action = without_dot(target);
    if (equal(action, "rpz-passthru") || (!action.empty() && action != "*" && equal(action, ascii_lower(*name)))) {
      collector_.allow(*name);
    } else {
      collector_.list(*name);
    }
  }

  Collector& collector_;
  std::string owner_;  // of the record before, as written
  std::string origin_;
  std::string zone_;
  std::string full_;
  std::string joined_;
  int depth_ = 0;
};

}  // namespace

Report parse_rpz(std::string_view text, Scope scope, NameTable& table) {
  Collector collector(scope, table);
  Zone(collector).read(text);
  return collector.take();
}

}  // namespace nslookout::lists
