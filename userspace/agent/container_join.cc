#include "agent/container_join.h"

#include <utility>

namespace nslookout::agent {

using Answer = identity::Containers::Answer;

namespace {

// Below whose manager the container is, if it is below one.
std::optional<std::uint32_t> user_of(const event::Event& event) {
  const auto name = event.process ? identity::container_of_cgroup(event.process->cgroup) : std::nullopt;
  return name && name->id == event.container->id ? name->user : std::nullopt;
}

}  // namespace

ContainerJoin::ContainerJoin(std::vector<std::unique_ptr<identity::RuntimeSource>> sources, Hold::Limits limits)
    : containers_(std::make_unique<identity::Containers>(std::move(sources))), hold_(limits) {}

Answer ContainerJoin::fill(event::Event& event) {
  event::Container& container = *event.container;
  identity::Containers::Found found = containers_->look_up({container.id, container.runtime, user_of(event)});
  if (found.answer != Answer::known) return found.answer;
  if (container.runtime.empty()) container.runtime = std::move(found.facts.runtime);
  container.name = std::move(found.facts.name);
  container.image = std::move(found.facts.image);
  if (found.facts.pod) {
    if (event.pod && found.facts.pod->uid.empty()) found.facts.pod->uid = event.pod->uid;
    event.pod = std::move(found.facts.pod);
  }
  return found.answer;
}

Joined ContainerJoin::describe(event::Event& event) {
  if (!event.container) return Joined::done;
  const Answer answer = fill(event);
  if (answer == Answer::waiting || hold_.has(event.container->id)) return Joined::waiting;
  return answer == Answer::unreachable ? Joined::unanswered : Joined::done;
}

bool ContainerJoin::hold(Held& held) { return hold_.add(held, Hold::Clock::now()); }

std::vector<Held> ContainerJoin::released(Hold::Clock::time_point now) {
  std::vector<Held> taken = hold_.take(now, [&](const event::Container& container) {
    return containers_->look_up({container.id, container.runtime}).answer != Answer::waiting;
  });
  for (Held& held : taken) {
    held.answered = true;
    if (!held.event.container) continue;
    const Answer answer = fill(held.event);
    held.answered = answer == Answer::known || answer == Answer::unknown;
  }
  return taken;
}

std::vector<Held> ContainerJoin::release() {
  if (hold_.empty()) return {};
  return released(Hold::Clock::now());
}

std::vector<Held> ContainerJoin::release_all() { return released(Hold::Clock::time_point::max()); }

}  // namespace nslookout::agent
