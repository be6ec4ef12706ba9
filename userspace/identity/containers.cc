#include "identity/containers.h"

#include <algorithm>
#include <utility>

#include "identity/cri_client.h"
#include "identity/docker_api.h"

namespace nslookout::identity {
namespace {

constexpr const char* usual_cri_sockets[] = {
    "/run/containerd/containerd.sock",
    "/run/k3s/containerd/containerd.sock",
    "/run/crio/crio.sock",
};

constexpr std::size_t most_other_sources = 6;  // the usual sockets and the kubelet
constexpr unsigned max_doublings = 6;

// Where Kubernetes puts the token of a pod's service account.
constexpr const char* service_account_token = "/var/run/secrets/kubernetes.io/serviceaccount/token";

KubeletOptions with_usual_token(KubeletOptions options) {
  const bool wanted = options.token_file.empty() && options.url.starts_with("https:");
  if (wanted && exists(service_account_token)) options.token_file = service_account_token;
  return options;
}

}  // namespace

std::vector<std::unique_ptr<RuntimeSource>> sources_of(const RuntimeOptions& options) {
  std::vector<std::unique_ptr<RuntimeSource>> sources;
  sources.reserve(options.cri_sockets.size() + options.docker_sockets.size() + most_other_sources);
  for (const std::string& socket : options.cri_sockets) sources.push_back(std::make_unique<CriClient>(socket, true));
  for (const std::string& socket : options.docker_sockets) {
    sources.push_back(std::make_unique<DockerApi>(socket, "", true));
  }
  if (options.usual_sockets && options.cri_sockets.empty()) {
    for (const char* socket : usual_cri_sockets) sources.push_back(std::make_unique<CriClient>(socket, false));
  }
  if (options.usual_sockets && options.docker_sockets.empty()) {
    sources.push_back(std::make_unique<DockerApi>("/run/docker.sock", "docker", false));
    sources.push_back(std::make_unique<DockerApi>("/run/podman/podman.sock", "podman", false));
  }
  if (!options.kubelet.url.empty()) sources.push_back(std::make_unique<Kubelet>(with_usual_token(options.kubelet)));
  return sources;
}

Containers::Containers(std::vector<std::unique_ptr<RuntimeSource>> sources, Limits limits, RuntimeWorker::Timing timing)
    : limits_(limits) {
  for (auto& source : sources) {
    const RuntimeWorker::Listener listener{
        .learned =
            [this, from = source.get()](ContainerFacts facts) {
              facts.told_by = from->owner();
              learned(std::move(facts));
            },
        .answered = [this](const std::string& id, SourceAnswer answer) { answered(id, answer); }};
    workers_.push_back(std::make_unique<RuntimeWorker>(std::move(source), listener, timing));
  }
  for (const auto& worker : workers_) worker->start_if_there();
}

std::vector<std::string> Containers::places() const {
  std::vector<std::string> places;
  for (const auto& worker : workers_) {
    if (worker->source().there()) places.push_back(worker->source().place());
  }
  return places;
}

// The one of an id, made where there is none, and now the youngest.
Containers::Entry& Containers::entry_of(const std::string& id) {
  if (const auto found = entries_.find(id); found != entries_.end()) {
    by_age_.splice(by_age_.end(), by_age_, found->second.age);
    return found->second;
  }
  if (entries_.size() >= limits_.known) {
    entries_.erase(by_age_.front());
    by_age_.pop_front();
  }
  Entry& entry = entries_[id];
  entry.age = by_age_.insert(by_age_.end(), id);
  return entry;
}

// A source that is asked answers later, on its own thread, which has to wait for the lock that the caller holds.
void Containers::ask(const ContainerName& container, Entry& entry) {
  entry.since = Clock::now();
  entry.unreachable = false;
  for (const auto& worker : workers_) {
    if (!worker->source().may_know(container.runtime)) continue;
    const RuntimeWorker::Asked asked = worker->ask(container.id);
    if (asked == RuntimeWorker::Asked::pending) ++entry.outstanding;
    if (asked == RuntimeWorker::Asked::unreachable) entry.unreachable = true;
  }
  if (entry.outstanding == 0) conclude(entry);
}

// Every source has answered.
void Containers::conclude(Entry& entry) {
  if (entry.answer == Answer::known) return;
  entry.answer = entry.unreachable ? Answer::unreachable : Answer::unknown;
  entry.in_vain = std::min(entry.in_vain + 1, max_doublings + 1);
  entry.since = Clock::now();
}

Containers::Found Containers::look_up(const ContainerName& container) {
  if (!is_container_id(container.id)) return {};
  const std::scoped_lock lock(mutex_);
  const bool is_new = !entries_.contains(container.id);
  Entry& entry = entry_of(container.id);
  if (is_new) {
    ask(container, entry);
  } else if (entry.outstanding == 0) {
    const auto age = Clock::now() - entry.since;
    const bool known = entry.answer == Answer::known;
    if (age > (known ? limits_.refresh : limits_.ask_again * (1U << (entry.in_vain - 1)))) {
      if (!known) entry.answer = Answer::waiting;
      ask(container, entry);
    }
  }
  if (entry.answer != Answer::known) return {entry.answer, ContainerFacts{}};
  // Users can give their cgroups the ids of others' containers.
  if (container.user && *container.user != entry.facts.told_by) return {};
  return {entry.answer, entry.facts};
}

void Containers::learned(ContainerFacts facts) {
  const std::scoped_lock lock(mutex_);
  const std::string id = facts.id;
  Entry& entry = entry_of(id);
  if (facts.runtime.empty()) facts.runtime = entry.facts.runtime;
  entry.facts = std::move(facts);
  entry.answer = Answer::known;
  entry.since = Clock::now();
}

void Containers::answered(const std::string& id, SourceAnswer answer) {
  const std::scoped_lock lock(mutex_);
  const auto found = entries_.find(id);
  if (found == entries_.end() || found->second.outstanding == 0) return;  // pushed out meanwhile
  Entry& entry = found->second;
  if (answer == SourceAnswer::unreachable) entry.unreachable = true;
  if (--entry.outstanding == 0) conclude(entry);
}

}  // namespace nslookout::identity
