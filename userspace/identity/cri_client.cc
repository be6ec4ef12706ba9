#include "identity/cri_client.h"

#include <algorithm>
#include <charconv>
#include <unordered_map>
#include <utility>

#include "base/grpc_call.h"
#include "cri/v1/runtime.pb.h"

namespace nslookout::identity {
namespace {

namespace cri = nslookout::cri::v1;

constexpr std::size_t max_list_octets = 16u << 20;  // the kubelet's own limit for a message of CRI

template <typename Labels>
std::map<std::string, std::string> texts_of(const Labels& labels) {
  std::map<std::string, std::string> texts;
  for (const cri::Label& label : labels) texts.emplace(label.key(), label.value());
  return texts;
}

// A PodSandbox and a PodSandboxStatus have the same fields.
template <typename Sandbox>
event::Pod pod_of(const Sandbox& sandbox) {
  event::Pod pod;
  pod.namespace_name = sandbox.metadata().namespace_();
  pod.name = sandbox.metadata().name();
  pod.uid = sandbox.metadata().uid();
  pod.labels = texts_of(sandbox.labels());
  // Those are the pod's identity once more, put there for the runtime.
  std::erase_if(pod.labels, [](const auto& label) { return label.first.starts_with("io.kubernetes.pod."); });
  return pod;
}

// The kubelet may hand the runtime an image by its digest alone; what the pod's author wrote is then in another field.
std::string image_of(const cri::ImageSpec& image) {
  if (!image.user_specified_image().empty()) return image.user_specified_image();
  return image.image();
}

bool is_digest(const std::string& image) { return image.empty() || image.starts_with("sha256:"); }

// A Container and a ContainerStatus have the same fields.
template <typename Container>
ContainerFacts facts_of(const Container& container, const std::string& runtime) {
  ContainerFacts facts;
  facts.id = container.id();
  facts.runtime = runtime;
  facts.name = container.metadata().name();
  facts.image = image_of(container.image());
  facts.pod = pod_of_labels(texts_of(container.labels()));
  return facts;
}

std::string event_runtime(std::string_view runtime_name) {
  return runtime_name == "containerd" || runtime_name == "cri-o" ? std::string(runtime_name) : std::string();
}

template <typename Message>
std::optional<Message> parsed(std::string_view octets) {
  Message message;
  if (!message.ParseFromArray(octets.data(), static_cast<int>(octets.size()))) return std::nullopt;
  return message;
}

// Containers whose image is only a digest here are left for ask().
std::vector<ContainerFacts> facts_of(const cri::ListPodSandboxResponse& sandboxes,
                                     const cri::ListContainersResponse& containers, const std::string& runtime) {
  std::unordered_map<std::string_view, const cri::PodSandbox*> by_id;
  for (const cri::PodSandbox& item : sandboxes.items()) by_id.emplace(item.id(), &item);
  std::vector<ContainerFacts> all;
  for (const cri::Container& container : containers.containers()) {
    const auto pod = by_id.find(container.pod_sandbox_id());
    ContainerFacts facts = facts_of(container, runtime);
    if (pod == by_id.end() || is_digest(facts.image) || !is_container_id(facts.id)) continue;
    facts.pod = pod_of(*pod->second);
    all.push_back(bounded(std::move(facts)));
  }
  return all;
}

}  // namespace

CriClient::CriClient(std::string socket, bool required) : socket_(std::move(socket)), required_(required) {}

bool CriClient::may_know(std::string_view runtime) const {
  return runtime.empty() || runtime == "containerd" || runtime == "cri-o";
}

std::string CriClient::method_path(std::string_view method) const {
  return fmt::format("/runtime.{}.RuntimeService/{}", alpha_ ? "v1alpha2" : "v1", method);
}

// Nothing: not found.
template <typename Response, typename Request>
Result<std::optional<Response>> CriClient::call(HttpClient& client, std::string_view method, const Request& request,
                                                std::size_t max_octets) {
  GrpcRequest grpc{.unix_socket = socket_,
                   .method = method_path(method),
                   .message = request.SerializeAsString(),
                   .max_octets = max_octets};
  Result<GrpcResponse> response = grpc_call(client, grpc);
  if (response && response->status == GrpcStatus::unimplemented && !alpha_) {
    alpha_ = true;
    grpc.method = method_path(method);
    response = grpc_call(client, grpc);
    if (!response || response->status == GrpcStatus::unimplemented) alpha_ = false;
  }
  if (!response) return fail(response.error());
  if (response->status == GrpcStatus::not_found) return std::nullopt;
  if (response->status != GrpcStatus::ok) {
    return fail(ErrorClass::runtime, "{}: {} fails with gRPC status {}: {}", socket_, method,
                static_cast<int>(response->status), response->status_text);
  }
  Response message;
  if (!message.ParseFromString(response->message)) {
    return fail(ErrorClass::runtime, "{}: the answer to {} is no message of CRI", socket_, method);
  }
  return message;
}

Result<CriClient::Runtime> CriClient::runtime(HttpClient& client) {
  cri::VersionRequest request;
  request.set_version("0.1.0");
  const auto response = call<cri::VersionResponse>(client, "Version", request);
  if (!response) return fail(response.error());
  if (!*response) return Runtime();
  const cri::VersionResponse& version = **response;
  return Runtime{.name = event_runtime(version.runtime_name()),
                 .has_events = shares_events(version.runtime_name(), version.runtime_version())};
}

Result<void> CriClient::learn_runtime_name() {
  if (runtime_name_) return {};
  Result<Runtime> found = runtime(questions_);
  if (!found) return fail(found.error());
  runtime_name_ = std::move(found->name);
  return {};
}

// A sandbox is a container too; nobody but the pause program runs in one, mostly.
Result<std::optional<ContainerFacts>> CriClient::sandbox(const std::string& id) {
  cri::ListPodSandboxRequest request;
  request.mutable_filter()->set_id(id);
  const auto response = call<cri::ListPodSandboxResponse>(questions_, "ListPodSandbox", request);
  if (!response) return fail(response.error());
  if (!*response) return std::nullopt;
  for (const cri::PodSandbox& item : (*response)->items()) {
    if (item.id() != id) continue;
    ContainerFacts facts;
    facts.id = id;
    facts.runtime = runtime_name_.value_or("");
    facts.pod = pod_of(item);
    return bounded(std::move(facts));
  }
  if ((*response)->items_size() == 0) return std::nullopt;
  return fail(ErrorClass::runtime, "{}: the answer is about another pod", socket_);
}

Result<std::optional<ContainerFacts>> CriClient::ask(const std::string& id) {
  if (const auto learned = learn_runtime_name(); !learned) return fail(learned.error());
  cri::ListContainersRequest request;
  request.mutable_filter()->set_id(id);
  const auto response = call<cri::ListContainersResponse>(questions_, "ListContainers", request);
  if (!response) return fail(response.error());
  if (!*response || (*response)->containers_size() == 0) return sandbox(id);
  const auto& containers = (*response)->containers();
  const auto found = std::find_if(containers.begin(), containers.end(), [&](const auto& c) { return c.id() == id; });
  if (found == containers.end()) {
    return fail(ErrorClass::runtime, "{}: the answer is about another container", socket_);
  }
  ContainerFacts facts = facts_of(*found, runtime_name_.value_or(""));
  auto pod = sandbox(found->pod_sandbox_id());
  if (!pod) return fail(pod.error());
  if (*pod) facts.pod = std::move((*pod)->pod);
  if (is_digest(facts.image)) {
    cri::ContainerStatusRequest status_request;
    status_request.set_container_id(id);
    const auto status = call<cri::ContainerStatusResponse>(questions_, "ContainerStatus", status_request);
    if (status && *status && (*status)->status().id() == id) {
      const std::string image = image_of((*status)->status().image());
      if (!image.empty()) facts.image = image;
    }
  }
  return bounded(std::move(facts));
}

Result<std::vector<ContainerFacts>> CriClient::list() {
  if (const auto learned = learn_runtime_name(); !learned) return fail(learned.error());
  const auto sandboxes =
      call<cri::ListPodSandboxResponse>(questions_, "ListPodSandbox", cri::ListPodSandboxRequest(), max_list_octets);
  if (!sandboxes) return fail(sandboxes.error());
  const auto containers =
      call<cri::ListContainersResponse>(questions_, "ListContainers", cri::ListContainersRequest(), max_list_octets);
  if (!containers) return fail(containers.error());
  if (!*sandboxes || !*containers) return std::vector<ContainerFacts>();
  return facts_of(**sandboxes, **containers, runtime_name_.value_or(""));
}

Result<bool> CriClient::watch(const Report& report) {
  const Result<Runtime> found = runtime(events_);
  if (!found) return fail(found.error());
  if (!found->has_events) return false;
  const GrpcRequest request{.unix_socket = socket_,
                            .method = method_path("GetContainerEvents"),
                            .message = cri::GetEventsRequest().SerializeAsString(),
                            .timeout = std::chrono::milliseconds{0}};
  const auto response = grpc_stream(events_, request, [&](std::string_view octets) {
    Result<std::vector<ContainerFacts>> containers = parse_cri_event(octets, found->name);
    if (!containers) return false;
    for (ContainerFacts& facts : *containers) report(std::move(facts));
    return true;
  });
  if (!response) return fail(response.error());
  return response->status == GrpcStatus::ok;
}

bool shares_events(std::string_view runtime_name, std::string_view runtime_version) {
  if (runtime_version.starts_with('v')) runtime_version.remove_prefix(1);
  unsigned major = 0;
  const char* end = runtime_version.data() + runtime_version.size();
  const auto parsed = std::from_chars(runtime_version.data(), end, major);
  return runtime_name == "containerd" && parsed.ec == std::errc{} && major >= 2;
}

Result<std::vector<ContainerFacts>> parse_cri_lists(std::string_view sandboxes, std::string_view containers,
                                                    const std::string& runtime) {
  const auto pods = parsed<cri::ListPodSandboxResponse>(sandboxes);
  const auto all = parsed<cri::ListContainersResponse>(containers);
  if (!pods || !all) return fail(ErrorClass::runtime, "the answer is no message of CRI");
  return facts_of(*pods, *all, runtime);
}

Result<std::vector<ContainerFacts>> parse_cri_event(std::string_view event, const std::string& runtime) {
  const auto message = parsed<cri::ContainerEventResponse>(event);
  if (!message) return fail(ErrorClass::runtime, "the event is no message of CRI");
  std::vector<ContainerFacts> all;
  for (const cri::ContainerStatus& status : message->containers_statuses()) {
    ContainerFacts facts = facts_of(status, runtime);
    if (!is_container_id(facts.id) || is_digest(facts.image)) continue;
    if (message->has_pod_sandbox_status()) facts.pod = pod_of(message->pod_sandbox_status());
    all.push_back(bounded(std::move(facts)));
  }
  return all;
}

void CriClient::cancel() {
  questions_.cancel();
  events_.cancel();
}

}  // namespace nslookout::identity
