#include "event/weight.h"

#include <string>

namespace nslookout::event {
namespace {

std::size_t weight_of(const std::string& text) { return sizeof(std::string) + text.size(); }

template <typename Texts>
std::size_t weight_of_each(const Texts& texts) {
  std::size_t octets = 0;
  for (const auto& text : texts) octets += weight_of(text);
  return octets;
}

}  // namespace

std::size_t weight_of(const Process& process) {
  std::size_t octets = sizeof process + process.executable.size() + process.cwd.size() + process.cgroup.size() +
                       process.script.size() + weight_of_each(process.command_line);
  for (const Process& ancestor : process.ancestors) octets += weight_of(ancestor);
  return octets;
}

std::size_t weight_of(const Event& event) {
  std::size_t octets = sizeof event;
  if (event.process) octets += weight_of(*event.process);
  if (event.pod) {
    for (const auto& [name, value] : event.pod->labels) octets += weight_of(name) + weight_of(value);
  }
  for (const Rule& rule : event.rules) {
    octets += sizeof rule + weight_of_each(rule.tags) + weight_of_each(rule.references);
    for (const Matched& matched : rule.matched) octets += weight_of(matched.field) + weight_of(matched.value);
  }
  return octets;
}

}  // namespace nslookout::event
