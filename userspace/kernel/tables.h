// The kernel's tables: two slots, one in use. Publishing fills the other one completely, then switches with one
// store, waits until no program can still be in the old one, and frees it.
//
// Memory of a generation: four MiB for the filter's words, 18 octets a name, and one MiB for the texts' automaton if there
// are texts.
// Thread rule: one publisher at a time; the kernel programs run at any time.
#pragma once

#include <cstdint>

#include "base/result.h"
#include "bpf/abi.h"
#include "compile/kernel_tables.h"
#include "kernel/bpf_object.h"

namespace nslookout::kernel {

class Tables {
 public:
  // Of a loaded object that has nsl_filters, nsl_names, nsl_texts and the globals.
  [[nodiscard]] static Result<Tables> of(const BpfObject& object);

  [[nodiscard]] Result<void> publish(const compile::KernelTables& tables, std::uint32_t number);
  [[nodiscard]] nsl_settings& settings() { return *settings_; }

 private:
  int filters_fd_ = -1;  // outer maps, owned by the object
  int names_fd_ = -1;
  int texts_fd_ = -1;
  nsl_settings* settings_ = nullptr;
  nsl_generation* generations_ = nullptr;  // two
};

}  // namespace nslookout::kernel
