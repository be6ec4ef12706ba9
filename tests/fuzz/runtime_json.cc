// Any text as an answer of docker, podman or the kubelet: read or refused, and bounded.
#include "container_facts.h"
#include "identity/docker_api.h"
#include "identity/kubelet.h"
#include "octets.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  using namespace nslookout;
  using fuzz::require;
  using fuzz::require_bounded;
  const std::string_view text(reinterpret_cast<const char*>(octets), size);
  if (const auto facts = identity::parse_docker_inspect(text)) require_bounded(*facts);
  if (const auto facts = identity::parse_docker_event(text)) {
    require(identity::is_container_id(facts->id), "an event is about a container with an id");
    require_bounded(*facts);
  }
  for (const auto parse : {identity::parse_docker_list, identity::parse_pod_list}) {
    const auto all = parse(text);
    if (!all) continue;
    for (const auto& facts : *all) {
      require(identity::is_container_id(facts.id), "a container of a list has an id");
      require_bounded(facts);
    }
  }
  return 0;
}
