// Containers and pods as the kubelet lists them: GET /pods, by https with the token of a service account, or by http from
// the read-only port. Source: Kubernetes, core/v1 PodList; the kubelet's authorisation (resource nodes/pods since KEP-2862,
// nodes/proxy before).
//
// A list names a container only some time (about a second) after it started, so this source lags. It is asked for all
// pods, since the kubelet has no way to ask for one, but not more often than five times a second. Thread rule: see identity/runtime_source.h.
#pragma once

#include <chrono>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/http_client.h"
#include "identity/runtime_source.h"

namespace nslookout::identity {

struct KubeletOptions {
  std::string url;         // "https://127.0.0.1:10250", without the path; empty: no kubelet
  std::string token_file;  // read anew for each request, since it is rotated; empty: none
  std::string ca_file;     // empty: the system's
  bool verify_peer = true;
};

class Kubelet : public RuntimeSource {
 public:
  explicit Kubelet(KubeletOptions options);

  [[nodiscard]] std::string place() const override { return options_.url; }
  [[nodiscard]] bool may_know(std::string_view runtime) const override;
  [[nodiscard]] bool there() const override { return true; }
  [[nodiscard]] bool lags() const override { return true; }
  [[nodiscard]] Result<std::optional<ContainerFacts>> ask(const std::string& id) override;
  [[nodiscard]] Result<std::vector<ContainerFacts>> list() override;
  [[nodiscard]] Result<bool> watch(const Report& report) override;
  void cancel() override;

 private:
  KubeletOptions options_;
  HttpClient client_;
  std::unordered_map<std::string, ContainerFacts> listed_;
  std::chrono::steady_clock::time_point listed_at_;
};

// Errors: runtime, what is wrong with the text.
[[nodiscard]] Result<std::vector<ContainerFacts>> parse_pod_list(std::string_view text);

}  // namespace nslookout::identity
