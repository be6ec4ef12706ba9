#include "identity/kubelet.h"

#include <cerrno>
#include <fstream>
#include <utility>

#include "identity/json_text.h"

namespace nslookout::identity {
namespace {

constexpr std::size_t max_list_octets = 64u << 20;
constexpr std::size_t max_token_octets = 64u << 10;
constexpr std::chrono::milliseconds list_age{200};

// "containerd://<id>": the runtime and the id.
void split_container_id(const std::string& text, ContainerFacts& facts) {
  const std::size_t colon = text.find("://");
  if (colon == std::string::npos) return;
  facts.runtime = text.substr(0, colon);
  facts.id = text.substr(colon + 3);
}

event::Pod pod_of(const nlohmann::json& metadata) {
  event::Pod pod;
  pod.namespace_name = text_of(metadata, "namespace");
  pod.name = text_of(metadata, "name");
  pod.uid = text_of(metadata, "uid");
  pod.labels = texts_of(part_of(metadata, "labels"));
  return pod;
}

Result<std::string> token_of(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ErrorClass::runtime, "{}: the kubelet's token cannot be read: {}", file, errno_text(errno));
  std::string token;
  for (char c = 0; token.size() < max_token_octets && in.get(c);) token += c;
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r' || token.back() == ' ')) token.pop_back();
  if (token.find_first_of("\r\n") != std::string::npos) {
    return fail(ErrorClass::runtime, "{}: the kubelet's token has more than one line", file);
  }
  return token;
}

}  // namespace

Result<std::vector<ContainerFacts>> parse_pod_list(std::string_view text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return fail(ErrorClass::runtime, "the answer is no JSON");
  if (!part_of(json, "items").is_array()) return fail(ErrorClass::runtime, "the answer is no list of pods");
  std::vector<ContainerFacts> all;
  for (const nlohmann::json& item : part_of(json, "items")) {
    const event::Pod pod = pod_of(part_of(item, "metadata"));
    const nlohmann::json& status = part_of(item, "status");
    for (const char* kind : {"containerStatuses", "initContainerStatuses", "ephemeralContainerStatuses"}) {
      const nlohmann::json& containers = part_of(status, kind);
      if (!containers.is_array()) continue;
      for (const nlohmann::json& container : containers) {
        ContainerFacts facts;
        split_container_id(text_of(container, "containerID"), facts);
        if (!is_container_id(facts.id)) continue;
        facts.name = text_of(container, "name");
        facts.image = text_of(container, "image");
        facts.pod = pod;
        all.push_back(bounded(std::move(facts)));
      }
    }
  }
  return all;
}

Kubelet::Kubelet(KubeletOptions options) : options_(std::move(options)) {
  while (options_.url.ends_with('/')) options_.url.pop_back();
}

bool Kubelet::may_know(std::string_view runtime) const {
  return runtime.empty() || runtime == "containerd" || runtime == "cri-o" || runtime == "docker";
}

Result<std::vector<ContainerFacts>> Kubelet::list() {
  HttpRequest request{.url = options_.url + "/pods",
                      .max_octets = max_list_octets,
                      .ca_file = options_.ca_file,
                      .verify_peer = options_.verify_peer};
  if (!options_.token_file.empty()) {
    const Result<std::string> token = token_of(options_.token_file);
    if (!token) return fail(token.error());
    request.headers.push_back("Authorization: Bearer " + *token);
  }
  const auto response = client_.perform(request);
  if (!response) return fail(response.error());
  if (response->status != 200) {
    return fail(ErrorClass::runtime, "{}: it answers with status {}{}", request.url, response->status,
                response->status == 401 || response->status == 403
                    ? "; the token needs the right to get nodes/pods (before Kubernetes 1.33: nodes/proxy)"
                    : "");
  }
  auto all = parse_pod_list(response->body);
  if (!all) return fail(all.error().context(request.url));
  return all;
}

Result<std::optional<ContainerFacts>> Kubelet::ask(const std::string& id) {
  const auto now = std::chrono::steady_clock::now();
  if (listed_.empty() || now - listed_at_ > list_age) {
    auto all = list();
    if (!all) return fail(all.error());
    listed_.clear();
    for (ContainerFacts& facts : *all) listed_.insert_or_assign(facts.id, facts);
    listed_at_ = now;
  }
  const auto found = listed_.find(id);
  if (found == listed_.end()) return std::nullopt;
  return found->second;
}

Result<bool> Kubelet::watch(const Report& /*report*/) { return false; }

void Kubelet::cancel() { client_.cancel(); }

}  // namespace nslookout::identity
