// The sensor's egress program by itself, as the agent loads it, with tables of one's own: for benchmarks that run it on packets.
// Thread rule: one thread.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <bpf/libbpf.h>

#include "base/result.h"
#include "compile/kernel_tables.h"
#include "compile/plan.h"
#include "kernel/bpf_object.h"
#include "kernel/tables.h"

namespace nslookout::bench {

// Of the rules in a folder. windows: those of Windows, too.
[[nodiscard]] compile::Plan plan_of(const std::filesystem::path& folder, bool windows);

class LoadedSensor {
 public:
  [[nodiscard]] static Result<LoadedSensor> load();

  [[nodiscard]] Result<void> publish(const compile::KernelTables& tables);
  [[nodiscard]] nsl_settings& settings() { return tables_.settings(); }

  [[nodiscard]] int program() const;

  // Queries that left the kernel, or would have if the ring had had room.
  [[nodiscard]] Result<std::uint64_t> let_out() const;
  [[nodiscard]] Result<std::uint64_t> counter(nsl_counter counter) const;
  // Reads the ring, and forgets what it has.
  [[nodiscard]] Result<void> drain();

 private:
  struct FreeRing {
    void operator()(ring_buffer* ring) const { ring_buffer__free(ring); }
  };

  LoadedSensor(kernel::BpfObject object, kernel::Tables tables);

  kernel::BpfObject object_;
  kernel::Tables tables_;
  std::unique_ptr<ring_buffer, FreeRing> ring_;
  std::uint32_t generation_ = 0;
};

}  // namespace nslookout::bench
