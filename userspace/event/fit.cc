#include "event/fit.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>
#include <vector>

#include "base/text.h"
#include "event/plain_octet.h"

namespace nslookout::event {
namespace {

constexpr std::size_t keys_of_process = 512;  // with its numbers and accounts
constexpr std::size_t quotes_and_comma = 3;
constexpr std::size_t ancestors_line = 512;
constexpr std::size_t own_line = 6U << 10;
constexpr std::size_t longest_path = 1U << 10;

// A plain octet is itself; a control character is \u001b; what is not UTF-8 becomes \xHH, with its backslash twice.
constexpr std::array<unsigned char, 256> costs() {
  std::array<unsigned char, 256> table{};
  for (std::size_t octet = 0; octet < table.size(); ++octet) {
    table[octet] = is_plain(static_cast<unsigned char>(octet)) ? 1 : octet >= 0x80 ? 5 : 6;
  }
  return table;
}
constexpr std::array<unsigned char, 256> table_of_costs = costs();
std::size_t cost_of(char octet) { return table_of_costs[static_cast<unsigned char>(octet)]; }

std::size_t octets_of(std::string_view text) {
  std::size_t octets = quotes_and_comma;
  for (const char octet : text) octets += cost_of(octet);
  return octets;
}

std::size_t octets_of(const std::vector<std::string>& texts) {
  std::size_t octets = 0;
  for (const std::string& text : texts) octets += octets_of(text);
  return octets;
}

std::size_t octets_of(const Process& process) {
  std::size_t octets = keys_of_process + octets_of(process.command_line);
  for (const std::string* text :
       {&process.comm, &process.thread_comm, &process.executable, &process.cwd, &process.cgroup, &process.script})
    octets += octets_of(*text);
  for (const Process& ancestor : process.ancestors) octets += octets_of(ancestor);
  return octets;
}

// The texts of a package that its author chose.
template <typename Package>
auto texts_of(Package& package) {
  return std::array{&package.name, &package.version, &package.script, &package.path};
}

// How much of the text, from its beginning or its end, takes no more than that; no character is cut in two.
std::size_t beginning_within(std::string_view text, std::size_t octets) {
  std::size_t taken = quotes_and_comma;
  std::size_t length = 0;
  while (length < text.size() && taken + cost_of(text[length]) <= octets) taken += cost_of(text[length++]);
  while (length > 0 && length < text.size() && !begins_code_point(text[length])) --length;
  return length;
}

std::size_t end_within(std::string_view text, std::size_t octets) {
  std::size_t taken = quotes_and_comma;
  std::size_t from = text.size();
  while (from > 0 && taken + cost_of(text[from - 1]) <= octets) taken += cost_of(text[--from]);
  while (from < text.size() && !begins_code_point(text[from])) ++from;
  return text.size() - from;
}

void cut_command_line(Process& process, std::size_t octets) {
  std::size_t taken = 0;
  for (auto argument = process.command_line.begin(); argument != process.command_line.end(); ++argument) {
    const std::size_t takes = octets_of(*argument);
    if (taken + takes > octets) {
      const std::size_t left = octets - taken;
      argument->resize(left > quotes_and_comma ? beginning_within(*argument, left) : 0);
      process.command_line.erase(argument + (argument->empty() ? 0 : 1), process.command_line.end());
      process.command_line_truncated = true;
      return;
    }
    taken += takes;
  }
}

// False: it is short enough.
bool cut_path(std::string& path) {
  if (octets_of(path) <= longest_path) return false;
  path.erase(0, path.size() - end_within(path, longest_path - cut_away.size()));
  path.insert(0, cut_away);
  return true;
}

void cut_paths(Process& process) {
  if (cut_path(process.executable)) process.executable_truncated = true;
  for (std::string* path : {&process.cwd, &process.cgroup, &process.script}) cut_path(*path);
}

}  // namespace

std::size_t chosen_octets(const Event& event) {
  std::size_t octets = event.process ? octets_of(*event.process) : 0;
  if (event.origin && event.origin->package) {
    for (const std::string* text : texts_of(*event.origin->package)) octets += octets_of(*text);
  }
  return octets;
}

void fit(Event& event) {
  if (!event.process || chosen_octets(event) <= max_chosen_octets) return;
  Process& process = *event.process;
  for (Process& ancestor : process.ancestors) cut_command_line(ancestor, ancestors_line);
  if (chosen_octets(event) <= max_chosen_octets) return;
  cut_command_line(process, own_line);
  if (chosen_octets(event) <= max_chosen_octets) return;
  cut_paths(process);
  for (Process& ancestor : process.ancestors) cut_paths(ancestor);
  if (event.origin && event.origin->package) {
    for (std::string* text : texts_of(*event.origin->package)) cut_path(*text);
  }
  std::size_t octets = chosen_octets(event);
  while (octets > max_chosen_octets && !process.ancestors.empty()) {
    octets -= octets_of(process.ancestors.back());
    process.ancestors.pop_back();
    process.ancestors_truncated = true;
  }
}

}  // namespace nslookout::event
