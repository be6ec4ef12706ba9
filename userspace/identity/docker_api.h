// The API of docker and podman over their Unix socket: GET /containers/ID/json, /containers/json, /events.
// Source: Docker Engine API (podman's is compatible with it). Only GET is ever sent.
// Thread rule: see identity/runtime_source.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/http_client.h"
#include "identity/runtime_source.h"

namespace nslookout::identity {

class DockerApi : public RuntimeSource {
 public:
  // runtime: of the containers behind this socket, "docker" or "podman"; empty: either.
  DockerApi(std::string socket, std::string runtime, bool required);

  [[nodiscard]] std::string place() const override { return socket_; }
  [[nodiscard]] bool may_know(std::string_view runtime) const override;
  [[nodiscard]] std::uint32_t owner() const override { return owner_of(socket_); }
  [[nodiscard]] bool there() const override { return required_ || exists(socket_); }
  [[nodiscard]] Result<std::optional<ContainerFacts>> ask(const std::string& id) override;
  [[nodiscard]] Result<std::vector<ContainerFacts>> list() override;
  [[nodiscard]] Result<bool> watch(const Report& report) override;
  // One that was removed at once is known from the stream alone, which is behind the answer that there is none.
  [[nodiscard]] bool lags() const override { return true; }
  void cancel() override;

 private:
  std::string socket_;
  std::string runtime_;
  bool required_;
  HttpClient questions_;
  HttpClient events_;
  std::int64_t told_until_;  // seconds since the epoch: the stream is asked for what happened since
};

// The answers. Errors: runtime, what is wrong with the text.
[[nodiscard]] Result<ContainerFacts> parse_docker_inspect(std::string_view text);
[[nodiscard]] Result<std::vector<ContainerFacts>> parse_docker_list(std::string_view text);

// One object of the stream of events; nothing where it does not tell of a container that comes into being.
[[nodiscard]] std::optional<ContainerFacts> parse_docker_event(std::string_view text);

}  // namespace nslookout::identity
