// Containers and pods by the Container Runtime Interface (CRI v1, and v1alpha2, which has the same numbers) of containerd
// and CRI-O. Only calls that read: Version, ListContainers, ListPodSandbox, ContainerStatus, GetContainerEvents.
// Messages: proto/cri/v1/runtime.proto. Thread rule: see identity/runtime_source.h.
#pragma once

#include <atomic>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/http_client.h"
#include "identity/runtime_source.h"

namespace nslookout::identity {

class CriClient : public RuntimeSource {
 public:
  CriClient(std::string socket, bool required);

  [[nodiscard]] std::string place() const override { return socket_; }
  [[nodiscard]] bool may_know(std::string_view runtime) const override;
  [[nodiscard]] std::uint32_t owner() const override { return owner_of(socket_); }
  [[nodiscard]] bool there() const override { return required_ || exists(socket_); }
  [[nodiscard]] Result<std::optional<ContainerFacts>> ask(const std::string& id) override;
  [[nodiscard]] Result<std::vector<ContainerFacts>> list() override;
  [[nodiscard]] Result<bool> watch(const Report& report) override;
  void cancel() override;

 private:
  template <typename Response, typename Request>
  [[nodiscard]] Result<std::optional<Response>> call(HttpClient& client, std::string_view method,
                                                     const Request& request, std::size_t max_octets = 1u << 20);
  struct Runtime {
    std::string name;  // as event.proto has it; empty for one that it does not name
    bool has_events = false;
  };
  [[nodiscard]] Result<Runtime> runtime(HttpClient& client);
  [[nodiscard]] Result<void> learn_runtime_name();
  [[nodiscard]] Result<std::optional<ContainerFacts>> sandbox(const std::string& id);
  [[nodiscard]] std::string method_path(std::string_view method) const;

  std::string socket_;
  bool required_;
  std::optional<std::string> runtime_name_;  // of the thread that asks
  std::atomic<bool> alpha_ = false;          // the runtime only has v1alpha2
  HttpClient questions_;
  HttpClient events_;
};

// Whether every caller of GetContainerEvents gets every event, by what Version answers: containerd from 2.0 on. Of others one
// gets what another does not, and the kubelet may be the other (containerd issue 7318).
[[nodiscard]] bool shares_events(std::string_view runtime_name, std::string_view runtime_version);

// The answers, serialised; runtime: of all containers in them. Errors: runtime, octets that are no message of CRI.
// ListPodSandbox and ListContainers together: the containers that can be told from them alone.
[[nodiscard]] Result<std::vector<ContainerFacts>> parse_cri_lists(std::string_view sandboxes,
                                                                  std::string_view containers,
                                                                  const std::string& runtime);
// One message of GetContainerEvents.
[[nodiscard]] Result<std::vector<ContainerFacts>> parse_cri_event(std::string_view event, const std::string& runtime);

}  // namespace nslookout::identity
