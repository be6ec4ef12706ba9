// The kernel's process table and the variables of environments: their programs, loaded and attached, and their maps.
//
// Processes older than the programs are put into the table by a task iterator, once, at the start; where the kernel does
// not take the iterator they get there at their first fork, exec or candidate. What the iterator cannot read (command
// lines and environments are in the processes' own memory) is added with complete().
// Thread rule: start once; the look-ups from any thread; complete() before events are made.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"
#include "kernel/bpf_object.h"

namespace nslookout::kernel {

class Processes {
 public:
  // entries: of the table; names: of the variables that are kept, each shorter than NSL_VARIABLE_NAME.
  [[nodiscard]] static Result<Processes> start(std::uint32_t entries, std::span<const std::string_view> names);

  // Nothing when the entry was evicted or never made.
  [[nodiscard]] std::optional<nsl_process> find(const nsl_process_key& key) const;
  [[nodiscard]] std::optional<nsl_environment> environment(std::uint64_t key) const;

  // The processes that the iterator found, and why it could not run (empty if it could).
  [[nodiscard]] const std::vector<nsl_process_key>& seeded() const { return seeded_; }
  [[nodiscard]] const std::string& seeding_refused() const { return seeding_refused_; }
  // Adds what was read of a seeded process: arguments each closed by NUL, and "NAME=value" each closed by NUL. Does
  // nothing when the process has run another program since, or has left the table.
  void complete(const nsl_process_key& key, std::string_view arguments, std::string_view variables) const;

  [[nodiscard]] const BpfObject& object() const { return object_; }

 private:
  Processes(BpfObject object, std::vector<Link> links) : object_(std::move(object)), links_(std::move(links)) {}

  [[nodiscard]] Result<void> seed();
  [[nodiscard]] std::uint64_t add_environment(std::string_view variables) const;

  BpfObject object_;
  std::vector<Link> links_;
  std::vector<nsl_process_key> seeded_;
  std::string seeding_refused_;
  std::uint64_t environment_seed_ = 0;
};

}  // namespace nslookout::kernel
