#include "kernel/tables.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>

#include "base/fd.h"

namespace nslookout::kernel {
namespace {

constexpr std::size_t batch_entries = 65536;

Result<Fd> make_filter(const compile::KernelTables& tables) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE | BPF_F_INNER_MAP);
  const auto words = static_cast<std::uint32_t>(tables.filter.size());
  Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, "nsl_filter", sizeof(std::uint32_t), sizeof(std::uint64_t), words, &options));
  if (!map.valid()) return fail(ErrorClass::runtime, "creating the filter of {} words: {}", words, errno_text(errno));
  const std::size_t page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t octets = (words * sizeof(std::uint64_t) + page - 1) / page * page;
  void* memory = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
  if (memory == MAP_FAILED) return fail(ErrorClass::runtime, "mapping the filter: {}", errno_text(errno));
  std::memcpy(memory, tables.filter.data(), words * sizeof(std::uint64_t));
  munmap(memory, octets);
  return map;
}

Result<Fd> make_names(const compile::KernelTables& tables) {
  const auto entries = static_cast<std::uint32_t>(std::max<std::size_t>(1, tables.name_keys.size()));
  Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, "nsl_names", sizeof(std::uint64_t), sizeof(nsl_name), entries, nullptr));
  if (!map.valid()) {
    return fail(ErrorClass::runtime, "creating the table of {} names: {}", entries, errno_text(errno));
  }
  for (std::size_t at = 0; at < tables.name_keys.size(); at += batch_entries) {
    auto count = static_cast<std::uint32_t>(std::min(batch_entries, tables.name_keys.size() - at));
    const std::uint32_t wanted = count;
    if (bpf_map_update_batch(map.get(), tables.name_keys.data() + at, tables.name_values.data() + at, &count, nullptr) !=
            0 ||
        count != wanted) {
      return fail(ErrorClass::runtime, "filling the table of {} names: {}", entries, errno_text(errno));
    }
  }
  return map;
}

}  // namespace

Result<Tables> Tables::of(const BpfObject& object) {
  Tables tables;
  tables.filters_fd_ = object.map_fd("nsl_filters");
  tables.names_fd_ = object.map_fd("nsl_names");
  auto settings = object.global<nsl_settings>("nsl_settings");
  if (!settings) return fail(settings.error());
  auto generations = object.global<std::array<nsl_generation, 2>>("nsl_generations");
  if (!generations) return fail(generations.error());
  tables.settings_ = *settings;
  tables.generations_ = (*generations)->data();
  return tables;
}

Result<void> Tables::publish(const compile::KernelTables& tables, std::uint32_t number) {
  const Result<Fd> filter = make_filter(tables);
  if (!filter) return fail(filter.error());
  const Result<Fd> names = make_names(tables);
  if (!names) return fail(names.error());

  std::atomic_ref<nsl_u32> active(settings_->active_slot);
  const std::uint32_t old_slot = active.load() & 1;
  const std::uint32_t slot = old_slot ^ 1;
  int filter_fd = filter->get();
  int names_fd = names->get();
  if (bpf_map_update_elem(filters_fd_, &slot, &filter_fd, BPF_ANY) != 0 ||
      bpf_map_update_elem(names_fd_, &slot, &names_fd, BPF_ANY) != 0) {
    return fail(ErrorClass::runtime, "putting the tables in place: {}", errno_text(errno));
  }
  generations_[slot] = nsl_generation{tables.seeds.first, tables.seeds.second,
                                      static_cast<std::uint32_t>(tables.filter.size() - 1), number,
                                      tables.every_query ? 1u : 0u, 0};
  active.store(slot, std::memory_order_seq_cst);

  // An update of a map of maps returns once every program that was running then has ended: after this one nobody is in
  // the old slot, and its tables can go. (On the first publication the old slot is empty: nothing to delete.)
  if (bpf_map_update_elem(names_fd_, &slot, &names_fd, BPF_ANY) != 0) {
    return fail(ErrorClass::runtime, "waiting for the old tables: {}", errno_text(errno));
  }
  for (const int outer : {filters_fd_, names_fd_}) {
    if (bpf_map_delete_elem(outer, &old_slot) != 0 && errno != ENOENT) {
      return fail(ErrorClass::runtime, "freeing the old tables: {}", errno_text(errno));
    }
  }
  return {};
}

}  // namespace nslookout::kernel
