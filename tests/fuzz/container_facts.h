// What holds of everything that a runtime says of containers: it is bounded, and makes an event that can be written.
#pragma once

#include "events.h"
#include "identity/runtime_source.h"
#include "octets.h"

namespace nslookout::fuzz {

inline void require_bounded(const identity::ContainerFacts& facts) {
  require(facts.name.size() <= 512 && facts.image.size() <= 512, "texts of a container are bounded");
  event::Event event;
  event.container = event::Container{facts.id, facts.runtime, facts.name, facts.image};
  if (facts.pod) {
    std::size_t octets = 0;
    for (const auto& [key, value] : facts.pod->labels) octets += key.size() + value.size();
    require(facts.pod->labels.size() <= 64 && octets <= 8192, "labels of a pod are bounded");
    require(facts.pod->name.size() <= 512 && facts.pod->uid.size() <= 128, "texts of a pod are bounded");
    event.pod = facts.pod;
  }
  require_whole(event);
}

}  // namespace nslookout::fuzz
