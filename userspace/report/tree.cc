#include "report/tree.h"

#include <algorithm>
#include <chrono>
#include <ranges>

#include <fmt/format.h>

#include "base/text.h"
#include "report/grouping.h"

namespace nslookout::report {
namespace {

// Rounds down, before 1970 too.
std::int64_t span_of(std::int64_t value, std::int64_t span) { return value / span - (value % span < 0 ? 1 : 0); }

std::int64_t milliseconds(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

bool is_same_start(const event::Process& a, const event::Process& b) {
  constexpr auto same = std::chrono::seconds(1);
  if (!a.start_time || !b.start_time) return !a.start_time && !b.start_time;
  return *a.start_time - *b.start_time < same && *b.start_time - *a.start_time < same;
}

}  // namespace

void Times::add(WallTime when, std::uint64_t count) {
  if (count == 0) return;
  counts_[span_of(milliseconds(when), span_ms_)] += count;
  while (counts_.size() > max_spans) {
    span_ms_ *= 2;
    std::map<std::int64_t, std::uint64_t> wider;
    for (const auto& [span, of_span] : counts_) wider[span_of(span, 2)] += of_span;
    counts_ = std::move(wider);
  }
}

void Tree::add(const event::Event& event, WallTime since) {
  losses_.add(event);
  if (!is_told(event) || event.time < since) return;
  merge(event, {.event = {},
                .first = event.time,
                .last = event.time,
                .count = asks(event.kind) ? 1U : 0U,
                .rules = event.rules,
                .action = event.action});
}

void Tree::add(const inventory::Lookup& lookup) {
  if (lookup.event.dns) merge(lookup.event, lookup);
}

// more.event is not looked at: it is event.
void Tree::merge(const event::Event& event, const inventory::Lookup& more) {
  TreeLookup* lookup = entry(event, !more.rules.empty());
  if (lookup == nullptr) {
    left_out_ += more.count;
    return;
  }
  const bool fresh = lookup->count == 0 && lookup->rules.empty();
  lookup->first = fresh ? more.first : std::min(lookup->first, more.first);
  lookup->last = fresh ? more.last : std::max(lookup->last, more.last);
  lookup->count += more.count;
  if (more.count > 0) {
    lookup->times.add(more.first, 1);
    lookup->times.add(more.last, more.count - 1);
  }
  if (!event.dns->record_type.empty()) lookup->types.insert(event.dns->record_type);
  if (more.rules.empty()) return;
  if (lookup->rules.empty()) ++matched_;
  lookup->action = std::max(lookup->action, more.action);
  add_rules(lookup->rules, more.rules);
}

TreeLookup* Tree::entry(const event::Event& event, bool matched) {
  const std::size_t process = place_of(event);
  const auto [found, fresh] = by_name_.try_emplace({process, asked_name(event)}, lookups_.size());
  if (!fresh) return &lookups_[found->second];
  if ((matched ? matched_ : lookups_.size() - matched_) >= max_lookups) {
    by_name_.erase(found);
    return nullptr;
  }
  TreeLookup& lookup = lookups_.emplace_back();
  lookup.process = process;
  lookup.name = asked_name(event);
  return &lookup;
}

std::size_t Tree::place_of(const event::Event& event) {
  if (event.host && !event.host->name.empty()) hosts_.insert(event.host->name);
  const event::Process unknown;
  const event::Process& process = event.process ? *event.process : unknown;
  std::optional<std::size_t> parent;
  for (const event::Process& ancestor : std::views::reverse(process.ancestors)) {
    parent = place(event, ancestor, parent);
  }
  const std::size_t own = place(event, process, parent);
  TreeProcess& node = processes_[own];
  const auto fill = [](std::string& known, std::string text) {
    if (known.empty()) known = std::move(text);
  };
  fill(node.package, inventory::package_of(event));
  fill(node.container, inventory::container_of(event));
  fill(node.step, step_of(event));
  if (event.pod) fill(node.pod, event.pod->namespace_name + "/" + event.pod->name);
  // An ancestor that asks later has more to tell of itself than its descendants' events had.
  if (node.process.command_line.empty()) node.process.command_line = process.command_line;
  if (node.process.user.empty()) node.process.user = process.user;
  if (node.process.cwd.empty()) node.process.cwd = process.cwd;
  if (node.process.script.empty()) node.process.script = process.script;
  return own;
}

std::size_t Tree::place(const event::Event& event, const event::Process& process, std::optional<std::size_t> parent) {
  const std::string host = event.host ? event.host->name : "";
  auto& known = by_key_[{host, event.host ? event.host->boot_id : "", process.pid,
                         process.executable.empty() ? process.comm : process.executable}];
  for (const std::size_t at : known) {
    if (is_same_start(processes_[at].process, process)) return at;
  }
  known.push_back(processes_.size());
  TreeProcess& node = processes_.emplace_back();
  node.parent = parent;
  node.process = process;
  node.process.ancestors.clear();
  node.host = host;
  return known.back();
}

std::vector<std::string> Tree::losses() const {
  std::vector<std::string> sentences = losses_.sentences();
  if (left_out_ > 0) {
    sentences.push_back(fmt::format("{} of further names are not shown: there are more than {} of them.",
                                    counted(left_out_, "lookup"), max_lookups));
  }
  return sentences;
}

}  // namespace nslookout::report
