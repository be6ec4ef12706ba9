#include "identity/docker_api.h"

#include <chrono>
#include <utility>

#include "base/text.h"
#include "identity/json_text.h"

namespace nslookout::identity {
namespace {

using Json = nlohmann::json;

constexpr std::size_t max_list_octets = 16u << 20;
constexpr std::size_t max_event_octets = 256u << 10;

// Docker's names are paths: "/web".
std::string plain_name(std::string name) {
  if (name.starts_with('/')) name.erase(0, 1);
  return name;
}

// Whether the name is one that the kubelet has dockershim or cri-dockerd give, k8s_CONTAINER_POD_NAMESPACE_UID_ATTEMPT: none
// of its parts has an underscore in it. Labels may be the image's, whose author can write anything there; a container's name is
// given by whoever starts it.
bool named_by_kubelet(std::string_view name, std::string_view container, const event::Pod& pod) {
  for (const std::string_view part : {std::string_view("k8s"), container, std::string_view(pod.name),
                                      std::string_view(pod.namespace_name), std::string_view(pod.uid)}) {
    if (part.empty() || take_until(name, '_') != part) return false;
  }
  return !name.empty();
}

// A container that the kubelet had made has a name of its own making, and the pod's in labels.
ContainerFacts facts_of(std::string id, std::string name, std::string image,
                        const std::map<std::string, std::string>& labels) {
  ContainerFacts facts;
  facts.id = std::move(id);
  facts.name = plain_name(std::move(name));
  facts.image = std::move(image);
  const auto in_pod = labels.find("io.kubernetes.container.name");
  std::optional<event::Pod> pod = pod_of_labels(labels);
  if (pod && in_pod != labels.end() && named_by_kubelet(facts.name, in_pod->second, *pod)) {
    facts.name = in_pod->second;
    facts.pod = std::move(pod);
  }
  return bounded(std::move(facts));
}

Result<Json> parsed(std::string_view text) {
  Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(ErrorClass::runtime, "the answer is no JSON");
  return json;
}

// A moment ago: the runtime counts in whole seconds, and the agent has just been started or cut off.
std::int64_t seconds_ago() {
  constexpr std::int64_t moment = 2;
  return std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch()).count() -
         moment;
}

HttpRequest request_of(const std::string& socket, std::string_view path) {
  return {.url = fmt::format("http://localhost{}", path), .unix_socket = socket};
}

}  // namespace

Result<ContainerFacts> parse_docker_inspect(std::string_view text) {
  const Result<Json> json = parsed(text);
  if (!json) return fail(json.error());
  const Json& config = part_of(*json, "Config");
  ContainerFacts facts = facts_of(text_of(*json, "Id"), text_of(*json, "Name"), text_of(config, "Image"),
                                  texts_of(part_of(config, "Labels")));
  if (facts.id.empty()) return fail(ErrorClass::runtime, "the answer has no Id");
  return facts;
}

Result<std::vector<ContainerFacts>> parse_docker_list(std::string_view text) {
  const Result<Json> json = parsed(text);
  if (!json) return fail(json.error());
  if (!json->is_array()) return fail(ErrorClass::runtime, "the answer is no list");
  std::vector<ContainerFacts> all;
  for (const Json& container : *json) {
    const Json& names = part_of(container, "Names");
    std::string name = names.is_array() && !names.empty() && names[0].is_string() ? names[0].get<std::string>() : "";
    ContainerFacts facts = facts_of(text_of(container, "Id"), std::move(name), text_of(container, "Image"),
                                    texts_of(part_of(container, "Labels")));
    if (is_container_id(facts.id)) all.push_back(std::move(facts));
  }
  return all;
}

std::optional<ContainerFacts> parse_docker_event(std::string_view text) {
  const Result<Json> json = parsed(text);
  if (!json || text_of(*json, "Type") != "container") return std::nullopt;
  const std::string action = text_of(*json, "Action");
  if (action != "create" && action != "start" && action != "rename") return std::nullopt;
  const Json& actor = part_of(*json, "Actor");
  // Labels and properties of the container share one object.
  const std::map<std::string, std::string> attributes = texts_of(part_of(actor, "Attributes"));
  const auto attribute = [&](const char* key) {
    const auto found = attributes.find(key);
    return found == attributes.end() ? std::string() : found->second;
  };
  ContainerFacts facts = facts_of(text_of(actor, "ID"), attribute("name"), attribute("image"), attributes);
  if (!is_container_id(facts.id) || facts.name.empty()) return std::nullopt;
  return facts;
}

DockerApi::DockerApi(std::string socket, std::string runtime, bool required)
    : socket_(std::move(socket)), runtime_(std::move(runtime)), required_(required), told_until_(seconds_ago()) {}

bool DockerApi::may_know(std::string_view runtime) const {
  if (runtime.empty()) return true;
  return runtime_.empty() ? runtime == "docker" || runtime == "podman" : runtime == runtime_;
}

Result<std::optional<ContainerFacts>> DockerApi::ask(const std::string& id) {
  const auto response = questions_.perform(request_of(socket_, fmt::format("/containers/{}/json", id)));
  if (!response) return fail(response.error());
  if (response->status == 404) return std::nullopt;
  if (response->status != 200) {
    return fail(ErrorClass::runtime, "{}: it answers with status {}", socket_, response->status);
  }
  Result<ContainerFacts> facts = parse_docker_inspect(response->body);
  if (!facts) return fail(facts.error().context(socket_));
  if (facts->id != id) return fail(ErrorClass::runtime, "{}: the answer is about another container", socket_);
  facts->runtime = runtime_;
  return std::move(*facts);
}

Result<std::vector<ContainerFacts>> DockerApi::list() {
  HttpRequest request = request_of(socket_, "/containers/json");
  request.max_octets = max_list_octets;
  const auto response = questions_.perform(request);
  if (!response) return fail(response.error());
  if (response->status != 200) {
    return fail(ErrorClass::runtime, "{}: it answers with status {}", socket_, response->status);
  }
  Result<std::vector<ContainerFacts>> all = parse_docker_list(response->body);
  if (!all) return fail(all.error().context(socket_));
  for (ContainerFacts& facts : *all) facts.runtime = runtime_;
  return all;
}

// Objects of the stream stand one after the other, each ended by a newline.
Result<bool> DockerApi::watch(const Report& report) {
  // {"type":["container"],"event":["create","start","rename"]}; from before the stream is there, so that none falls between.
  HttpRequest request = request_of(
      socket_, fmt::format("/events?since={}&filters=%7B%22type%22%3A%5B%22container%22%5D%2C%22event%22%3A%5B%22create"
                           "%22%2C%22start%22%2C%22rename%22%5D%7D",
                           told_until_));
  request.timeout = std::chrono::milliseconds{0};
  std::string pending;
  const auto response = events_.stream(request, [&](std::string_view octets) {
    pending.append(octets);
    std::size_t start = 0;
    for (std::size_t end = pending.find('\n'); end != std::string::npos; end = pending.find('\n', start)) {
      if (auto facts = parse_docker_event(std::string_view(pending).substr(start, end - start))) {
        facts->runtime = runtime_;
        report(std::move(*facts));
      }
      start = end + 1;
    }
    pending.erase(0, start);
    return pending.size() <= max_event_octets;
  });
  if (!response) return fail(response.error());  // what it was asked for is asked for again
  told_until_ = seconds_ago();
  return response->status == 200;
}

void DockerApi::cancel() {
  questions_.cancel();
  events_.cancel();
}

}  // namespace nslookout::identity
