#include "kernel/tables.h"

#include <bpf/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <span>
#include <utility>

#include "base/fd.h"
#include "base/log.h"

namespace nslookout::kernel {
namespace {

// An array of so many elements, written whole; what the items leave of it is 0.
template <typename Item>
Result<Fd> make_array(const char* name, std::size_t elements, std::size_t element_octets, std::uint32_t flags,
                      std::span<const Item> items) {
  LIBBPF_OPTS(bpf_map_create_opts, options, .map_flags = BPF_F_MMAPABLE | flags);
  Fd map(bpf_map_create(BPF_MAP_TYPE_ARRAY, name, sizeof(std::uint32_t), static_cast<std::uint32_t>(element_octets),
                        static_cast<std::uint32_t>(elements), &options));
  if (!map.valid()) {
    return fail(ErrorClass::runtime, "creating the table {} of {} octets: {}", name, elements * element_octets,
                errno_text(errno));
  }
  void* memory = mmap(nullptr, elements * element_octets, PROT_READ | PROT_WRITE, MAP_SHARED, map.get(), 0);
  if (memory == MAP_FAILED) return fail(ErrorClass::runtime, "mapping the table {}: {}", name, errno_text(errno));
  std::memcpy(memory, items.data(), items.size_bytes());
  munmap(memory, elements * element_octets);
  return map;
}

// The inner maps of a generation.
struct Blocks {
  Fd filter;
  Fd names;
  Fd texts;  // invalid: there are no texts
};

Result<Blocks> make_blocks(const compile::KernelTables& tables) {
  auto filter = make_array("nsl_filter", 1, NSL_FILTER_WORDS * sizeof(std::uint64_t), 0, std::span(tables.filter));
  if (!filter) return fail(filter.error());
  const auto buckets = tables.names.buckets();
  auto names = make_array("nsl_names", buckets.size(), sizeof(nsl_name_bucket), BPF_F_INNER_MAP, buckets);
  if (!names) return fail(names.error());
  Blocks blocks{std::move(*filter), std::move(*names), {}};
  if (tables.texts.shift == 0) return blocks;
  auto texts = make_array("nsl_texts", 1, NSL_TEXT_CELLS * sizeof(std::uint16_t), 0, std::span(tables.texts.cells));
  if (!texts) return fail(texts.error());
  blocks.texts = std::move(*texts);
  return blocks;
}

bool put(int outer, std::uint32_t slot, const Fd& inner) {
  const int fd = inner.get();
  return !inner.valid() || bpf_map_update_elem(outer, &slot, &fd, BPF_ANY) == 0;
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
  const Result<Blocks> blocks = make_blocks(tables);
  if (!blocks) return fail(blocks.error());

  const std::atomic_ref<nsl_u32> active(settings_->active_slot);
  const std::uint32_t old_slot = active.load() & 1;
  const std::uint32_t slot = old_slot ^ 1;
  if (!put(filters_fd_, slot, blocks->filter) || !put(texts_fd_, slot, blocks->texts) ||
      !put(names_fd_, slot, blocks->names)) {
    return fail(ErrorClass::runtime, "putting the tables in place: {}", errno_text(errno));
  }
  generations_[slot] = tables.generation(number);
  active.store(slot, std::memory_order_seq_cst);

  // An update of a map of maps returns once every program that was running then has ended: after this one nobody is in
  // the old slot, and its tables can go. (On the first publication the old slot is empty: nothing to delete.)
  // Whatever fails from here on, the new tables are in use: that is no refusal.
  if (!put(names_fd_, slot, blocks->names)) {
    log::warning("waiting for the old tables, which keep their memory: {}", errno_text(errno));
    return {};
  }
  for (const int outer : {filters_fd_, texts_fd_, names_fd_}) {
    if (bpf_map_delete_elem(outer, &old_slot) != 0 && errno != ENOENT) {
      log::warning("freeing the old tables, which keep their memory: {}", errno_text(errno));
    }
  }
  return {};
}

}  // namespace nslookout::kernel
