#include "inventory/lookup.h"

#include <initializer_list>
#include <string_view>

namespace nslookout::inventory {
namespace {

std::string joined(std::initializer_list<std::string_view> parts) {
  std::string text;
  for (const std::string_view part : parts) {
    if (part.empty()) continue;
    if (!text.empty()) text += ' ';
    text += part;
  }
  return text;
}

}  // namespace

Key key_of(const event::Event& event) {
  Key key;
  if (event.dns) {
    key[0] = event.dns->query;
    key[1] = event.dns->record_type;
  }
  if (event.process) {
    key[2] = event.process->executable;
    key[3] = event.process->script;
  }
  if (event.origin && event.origin->package) {
    const event::Package& package = *event.origin->package;
    key[4] = package.manager;
    key[5] = package.name;
    key[6] = package.version;
    key[7] = package.script;
  }
  if (event.origin && event.origin->ci) {
    key[8] = event.origin->ci->system;
    key[9] = event.origin->ci->job;
    key[10] = event.origin->ci->step;
  }
  key[11] = container_of(event);
  if (event.pod) {
    key[12] = event.pod->namespace_name;
    key[13] = event.pod->name;
  }
  return key;
}

std::string program_of(const event::Event& event) {
  if (!event.process) return "";
  const event::Process& process = *event.process;
  return joined({process.executable.empty() ? process.comm : process.executable, process.script});
}

std::string package_of(const event::Event& event) {
  if (!event.origin || !event.origin->package) return "";
  const event::Package& package = *event.origin->package;
  return joined({package.manager, package.name, package.version, package.script});
}

std::string container_of(const event::Event& event) {
  if (!event.container) return "";
  if (!event.container->image.empty()) return event.container->image;
  return event.container->name.empty() ? event.container->id : event.container->name;
}

}  // namespace nslookout::inventory
