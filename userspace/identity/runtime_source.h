// Whoever can tell the name, image and pod of a container: a runtime's socket or the kubelet.
//
// What a source says is not trusted: it is asked by the id that the kernel's cgroup gave, an answer about another id is
// an error, and texts are cut to bounds (bounded() below) before they are kept.
// Thread rule: ask and list from one thread, watch from one other; cancel from any.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "event/event.h"

namespace nslookout::identity {

struct ContainerFacts {
  std::string id;
  std::string runtime;  // empty: the source does not say
  std::string name;
  std::string image;
  std::optional<event::Pod> pod;
  std::uint32_t told_by = 0;  // RuntimeSource::owner() of whoever told it
};

class RuntimeSource {
 public:
  RuntimeSource() = default;
  RuntimeSource(const RuntimeSource&) = delete;
  RuntimeSource& operator=(const RuntimeSource&) = delete;
  virtual ~RuntimeSource() = default;

  // The socket's path or the URL, for the log.
  [[nodiscard]] virtual std::string place() const = 0;

  // Whether a container of that runtime (event.proto's name; empty: not known) can be known here.
  [[nodiscard]] virtual bool may_know(std::string_view runtime) const = 0;

  // The user whose socket it is, and so whose word it is; root where that is not known.
  [[nodiscard]] virtual std::uint32_t owner() const { return 0; }

  // Whether it is worth asking: somebody named it, or there is a socket at its usual path.
  [[nodiscard]] virtual bool there() const = 0;

  // Whether a container may be running for a while before the source knows it.
  [[nodiscard]] virtual bool lags() const { return false; }

  // Nothing: it has no such container. Errors: unsupported (nobody listens), runtime.
  [[nodiscard]] virtual Result<std::optional<ContainerFacts>> ask(const std::string& id) = 0;

  // All that it has, those that can be told in one go.
  [[nodiscard]] virtual Result<std::vector<ContainerFacts>> list() = 0;

  // Reports containers as they come into being, until the source ends the stream or cancel() is called, so that one that
  // is gone before anybody asks is known all the same. False: this source has no such stream.
  using Report = std::function<void(ContainerFacts)>;
  [[nodiscard]] virtual Result<bool> watch(const Report& report) = 0;

  virtual void cancel() = 0;
};

// Whether there is a file (a socket, if all is well) at that path.
[[nodiscard]] bool exists(const std::string& path);

// The user who owns the file; root where there is none.
[[nodiscard]] std::uint32_t owner_of(const std::string& path);

// The same facts with texts that are too long cut, and labels beyond a number left out: an event stays an event however
// large the labels are that somebody could give a container.
[[nodiscard]] ContainerFacts bounded(ContainerFacts facts);

// Whether the text can be a container's id: [0-9A-Za-z_.-], at most 128 octets. Only such a text goes into a URL.
[[nodiscard]] bool is_container_id(std::string_view text);

// The pod that a runtime's labels of a container tell (those that the kubelet gives); nothing without them.
[[nodiscard]] std::optional<event::Pod> pod_of_labels(const std::map<std::string, std::string>& labels);

}  // namespace nslookout::identity
