// Rules and lists that change while the agent runs: noticed, loaded and compiled beside the reading of the ring.
//
// Files and folders are watched by the folders that hold them, so that a file that is replaced, and a folder of symbolic links
// that is swapped as a whole (a ConfigMap of Kubernetes), are seen. What an editor leaves behind on its way changes nothing:
// only when the files differ from those that are loaded, and have been quiet for a moment, are they read. A set that is broken
// leaves the one in use as it is.
//
//   Reloader reloader(watched, load);
//   while (running) { if (auto outcome = reloader.take()) …; }
//
// Thread rule: one thread calls; load runs in a thread of the reloader's, one call at a time.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "compile/kernel_tables.h"
#include "compile/plan.h"

namespace nslookout::agent {

struct Loaded {
  std::shared_ptr<const compile::Plan> plan;
  compile::KernelTables tables;
  std::chrono::nanoseconds load_time{0};  // it took to read and compile them
};

using Load = std::function<Result<Loaded>()>;

class Reloader {
 public:
  // paths: files and folders (their sub-folders, too).
  Reloader(std::vector<std::string> paths, Load load);
  Reloader(const Reloader&) = delete;
  Reloader& operator=(const Reloader&) = delete;
  ~Reloader();

  // Loads again even if no file has changed.
  void request();

  // What a load came to, once.
  [[nodiscard]] std::optional<Result<Loaded>> take();

  // Why changes are not noticed by themselves; empty: they are.
  [[nodiscard]] const std::string& not_watched() const;

 private:
  class Worker;
  std::unique_ptr<Worker> worker_;
};

}  // namespace nslookout::agent
