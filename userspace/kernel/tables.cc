#include "kernel/tables.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <vector>

#include "base/fd.h"
#include "base/parallel.h"

namespace nslookout::kernel {
namespace {

constexpr std::size_t batch_entries = 65536;

// An array of one value of this size that begins with the items.
template <typename Item>
Result<Fd> make_block(const char* name, std::size_t octets, const std::vector<Item>& items) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE);
  Fd map(
      bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(std::uint32_t), static_cast<std::uint32_t>(octets), 1, &options));
  if (!map.valid()) return fail(ErrorClass::runtime, "creating the table {}: {}", name, errno_text(errno));
  void* memory = mmap(nullptr, octets, PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
  if (memory == MAP_FAILED) return fail(ErrorClass::runtime, "mapping the table {}: {}", name, errno_text(errno));
  std::memcpy(memory, items.data(), items.size() * sizeof(Item));
  munmap(memory, octets);
  return map;
}

// Enters the names from begin to end. 0, or an errno.
int fill_names(int map, const compile::KernelTables& tables, std::size_t begin, std::size_t end) {
  while (begin < end) {
    const auto wanted = static_cast<std::uint32_t>(std::min(batch_entries, end - begin));
    std::uint32_t count = wanted;
    if (bpf_map_update_batch(map, tables.name_keys.data() + begin, tables.name_values.data() + begin, &count,
                             nullptr) != 0) {
      return errno;
    }
    if (count != wanted) return EIO;
    begin += wanted;
  }
  return 0;
}

Result<Fd> make_names(const compile::KernelTables& tables) {
  const auto entries = static_cast<std::uint32_t>(std::max<std::size_t>(1, tables.name_keys.size()));
  Fd map(bpf_map_create(BPF_MAP_TYPE_HASH, "nsl_names", sizeof(std::uint64_t), sizeof(nsl_name), entries, nullptr));
  if (!map.valid()) {
    return fail(ErrorClass::runtime, "creating the table of {} names: {}", entries, errno_text(errno));
  }
  std::vector<int> errors(parts_for(tables.name_keys.size()), 0);
  in_parts(tables.name_keys.size(), errors.size(), [&](std::size_t part, std::size_t begin, std::size_t end) {
    errors[part] = fill_names(map.get(), tables, begin, end);
  });
  for (const int error : errors) {
    if (error != 0) return fail(ErrorClass::runtime, "filling the table of {} names: {}", entries, errno_text(error));
  }
  return map;
}

}  // namespace

Result<Tables> Tables::of(const BpfObject& object) {
  Tables tables;
  tables.filters_fd_ = object.map_fd("nsl_filters");
  tables.names_fd_ = object.map_fd("nsl_names");
  tables.texts_fd_ = object.map_fd("nsl_texts");
  auto settings = object.global<nsl_settings>("nsl_settings");
  if (!settings) return fail(settings.error());
  auto generations = object.global<std::array<nsl_generation, 2>>("nsl_generations");
  if (!generations) return fail(generations.error());
  tables.settings_ = *settings;
  tables.generations_ = (*generations)->data();
  return tables;
}

Result<void> Tables::publish(const compile::KernelTables& tables, std::uint32_t number) {
  const Result<Fd> filter = make_block("nsl_filter", NSL_FILTER_WORDS * sizeof(std::uint64_t), tables.filter);
  if (!filter) return fail(filter.error());
  const Result<Fd> texts = make_block("nsl_texts", NSL_TEXT_CELLS * sizeof(std::uint16_t), tables.texts.cells);
  if (!texts) return fail(texts.error());
  const Result<Fd> names = make_names(tables);
  if (!names) return fail(names.error());

  std::atomic_ref<nsl_u32> active(settings_->active_slot);
  const std::uint32_t old_slot = active.load() & 1;
  const std::uint32_t slot = old_slot ^ 1;
  int filter_fd = filter->get();
  int names_fd = names->get();
  int texts_fd = texts->get();
  if (bpf_map_update_elem(filters_fd_, &slot, &filter_fd, BPF_ANY) != 0 ||
      bpf_map_update_elem(texts_fd_, &slot, &texts_fd, BPF_ANY) != 0 ||
      bpf_map_update_elem(names_fd_, &slot, &names_fd, BPF_ANY) != 0) {
    return fail(ErrorClass::runtime, "putting the tables in place: {}", errno_text(errno));
  }
  generations_[slot] = tables.generation(number);
  active.store(slot, std::memory_order_seq_cst);

  // An update of a map of maps returns once every program that was running then has ended: after this one nobody is in
  // the old slot, and its tables can go. (On the first publication the old slot is empty: nothing to delete.)
  if (bpf_map_update_elem(names_fd_, &slot, &names_fd, BPF_ANY) != 0) {
    return fail(ErrorClass::runtime, "waiting for the old tables: {}", errno_text(errno));
  }
  for (const int outer : {filters_fd_, texts_fd_, names_fd_}) {
    if (bpf_map_delete_elem(outer, &old_slot) != 0 && errno != ENOENT) {
      return fail(ErrorClass::runtime, "freeing the old tables: {}", errno_text(errno));
    }
  }
  return {};
}

}  // namespace nslookout::kernel
