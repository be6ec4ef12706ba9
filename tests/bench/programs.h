// The measured programs, loaded through userspace/kernel, with tables that were filled once: the sensor's own object as
// the agent loads it, and programs.bpf.c.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "bpf/abi.h"
#include "compile/kernel_tables.h"
#include "kernel/bpf_object.h"
#include "salt.h"

namespace nslookout::bench {

// The sensor's own object, opened, with its egress program alone.
[[nodiscard]] Result<kernel::BpfObject> open_sensor();

// Of all CPUs.
[[nodiscard]] Result<std::uint64_t> read_counter(const kernel::BpfObject& sensor, nsl_counter counter);

class Programs {
 public:
  // compiled: the object made of programs.bpf.c. The tables are published to the sensor, and the same names put into the
  // plain hash map.
  [[nodiscard]] static Result<Programs> with_tables(std::string_view compiled,
                                                    const std::vector<compile::KernelName>& names);
  // Fills the sensor's tables anew, under other seeds; they are those of programs on these tables at their next load.
  [[nodiscard]] Result<void> fill_sensor(const std::vector<compile::KernelName>& names);
  // Loads the programs afresh, on the tables of others, which must outlive it.
  [[nodiscard]] static Result<Programs> on_tables_of(std::string_view compiled, const Programs& owner);

  [[nodiscard]] int sensor() const;        // the sensor's own program
  [[nodiscard]] int named_sensor() const;  // the same with a salt
  [[nodiscard]] int plain_hash() const;
  // One of the programs of other_ways.bpf.h.
  [[nodiscard]] int other_way(const char* name) const;
  [[nodiscard]] int empty() const;
  [[nodiscard]] bench_salt* salt() const { return salt_; }

  [[nodiscard]] std::uint64_t plain_hash_hits() const { return *hits_; }

  // Of both sensors.
  [[nodiscard]] Result<std::uint64_t> counter(nsl_counter counter) const;

 private:
  Programs(kernel::BpfObject sensor, kernel::BpfObject others);
  [[nodiscard]] static Result<Programs> open(std::string_view compiled);
  [[nodiscard]] Result<void> load();
  [[nodiscard]] Result<void> set_globals(const nsl_settings& settings,
                                         const std::array<nsl_generation, 2>& generations);
  [[nodiscard]] Result<void> fill_plain_hash(const std::vector<compile::KernelName>& names);
  [[nodiscard]] Result<void> fill_other_ways(const std::vector<compile::KernelName>& names);

  kernel::BpfObject sensor_;
  kernel::BpfObject others_;
  bench_salt* salt_ = nullptr;
  std::uint64_t* hits_ = nullptr;
};

}  // namespace nslookout::bench
