// What is known about containers, from all sources there are; asks them, and never waits for one.
//
//   Containers containers(sources_of(options));
//   auto found = containers.look_up({id, "docker"});   // at once
//   // found.answer: known -> found.facts; waiting -> look again soon, it ends within RuntimeWorker::Timing::patience
//
// Facts are kept for Limits::known containers, those looked up last; ids are never given twice, so nothing is removed
// when a container ends: its last lookups are often read after it. Known facts are asked for again after
// Limits::refresh (a rename, new labels) and shown meanwhile.
// Thread rule: any thread.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "identity/cgroup_name.h"
#include "identity/kubelet.h"
#include "identity/runtime_source.h"
#include "identity/runtime_worker.h"

namespace nslookout::identity {

struct RuntimeOptions {
  bool usual_sockets = true;                // those of docker, podman, containerd, CRI-O and k3s, where they are
  std::vector<std::string> cri_sockets;     // instead of the usual ones of CRI
  std::vector<std::string> docker_sockets;  // instead of the usual ones of docker and podman
  KubeletOptions kubelet;
};

[[nodiscard]] std::vector<std::unique_ptr<RuntimeSource>> sources_of(const RuntimeOptions& options);

class Containers {
 public:
  enum class Answer {
    known,
    waiting,
    unknown,      // no source has it
    unreachable,  // a source that may have it does not answer
  };
  struct Found {
    Answer answer = Answer::unknown;
    ContainerFacts facts;  // with known
  };
  struct Limits {
    std::size_t known = 2048;
    std::chrono::milliseconds refresh{60'000};
    // After unknown and unreachable; twice as long each time, up to 64 times.
    std::chrono::milliseconds ask_again{5'000};
  };

  explicit Containers(std::vector<std::unique_ptr<RuntimeSource>> sources)
      : Containers(std::move(sources), Limits{}, RuntimeWorker::Timing{}) {}
  Containers(std::vector<std::unique_ptr<RuntimeSource>> sources, Limits limits, RuntimeWorker::Timing timing);

  [[nodiscard]] Found look_up(const ContainerName& container);

  // The sources' places, for the log: those that there are now.
  [[nodiscard]] std::vector<std::string> places() const;

 private:
  using Clock = std::chrono::steady_clock;
  struct Entry {
    Answer answer = Answer::waiting;
    ContainerFacts facts;
    Clock::time_point since;      // of the answer, or of the question
    std::size_t outstanding = 0;  // sources that have not answered
    unsigned in_vain = 0;         // how often nobody told anything
    bool unreachable = false;     // one of those that have answered did so
    std::list<std::string>::iterator age;
  };

  Entry& entry_of(const std::string& id);
  void ask(const ContainerName& container, Entry& entry);
  static void conclude(Entry& entry);
  void learned(ContainerFacts facts);
  void answered(const std::string& id, SourceAnswer answer);

  Limits limits_;
  std::mutex mutex_;
  std::unordered_map<std::string, Entry> entries_;
  std::list<std::string> by_age_;                        // ids, the one looked up longest ago first
  std::vector<std::unique_ptr<RuntimeWorker>> workers_;  // last: their threads use the rest
};

}  // namespace nslookout::identity
