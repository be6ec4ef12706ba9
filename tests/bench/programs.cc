#include "programs.h"

#include <bpf/bpf.h>

#include <algorithm>
#include <cerrno>
#include <numeric>
#include <utility>

#include "bpf/objects.h"
#include "kernel/tables.h"

namespace nslookout::bench {
namespace {

using Generations = std::array<nsl_generation, 2>;

constexpr std::uint32_t process_entries = 1024;
// Of names, in the programs that the sensor is measured against.
constexpr std::array other_maps = {"bench_names", "bench_bloom_names", "bench_padded_names", "bench_lpm_names"};

// Of other_ways.bpf.h.
struct PaddedKey {
  char octets[256] = {};
};
struct LpmKey {
  std::uint32_t bits = 0;
  char octets[248] = {};
};

template <typename Key>
Result<void> fill(int map, const std::vector<Key>& keys, std::string_view what) {
  const std::vector<std::uint64_t> values(keys.size(), 1);
  auto count = static_cast<std::uint32_t>(keys.size());
  if (bpf_map_update_batch(map, keys.data(), values.data(), &count, nullptr) != 0) {
    return fail(ErrorClass::runtime, "filling the {}: {}", what, errno_text(errno));
  }
  return {};
}

int descriptor(const kernel::BpfObject& object, const char* program) {
  return bpf_program__fd(object.program(program));
}

// Leaves out the other hooks, and the room for processes that nobody asks for.
Result<void> keep_egress(kernel::BpfObject& object) {
  for (const char* program : {"nsl_connect4", "nsl_connect6", "nsl_sendmsg4", "nsl_sendmsg6"}) {
    if (const auto left = object.leave_out(program); !left) return left;
  }
  return object.set_entries("nsl_processes", process_entries);
}

}  // namespace

Result<std::uint64_t> read_counter(const kernel::BpfObject& sensor, nsl_counter counter) {
  const std::uint32_t index = counter;
  std::vector<std::uint64_t> per_cpu(static_cast<std::size_t>(libbpf_num_possible_cpus()));
  if (bpf_map_lookup_elem(sensor.map_fd("nsl_counters"), &index, per_cpu.data()) != 0) {
    return fail(ErrorClass::runtime, "reading a counter: {}", errno_text(errno));
  }
  return std::accumulate(per_cpu.begin(), per_cpu.end(), std::uint64_t{0});
}

Result<kernel::BpfObject> open_sensor() {
  Result<kernel::BpfObject> sensor =
      kernel::BpfObject::open("cgroup", kernel::embedded(nsl_object_cgroup, nsl_object_cgroup_end));
  if (!sensor) return sensor;
  if (const auto kept = keep_egress(*sensor); !kept) return fail(kept.error());
  return sensor;
}

Programs::Programs(kernel::BpfObject sensor, kernel::BpfObject others)
    : sensor_(std::move(sensor)), others_(std::move(others)) {}

Result<Programs> Programs::open(std::string_view compiled) {
  Result<kernel::BpfObject> sensor = open_sensor();
  if (!sensor) return fail(sensor.error());
  Result<kernel::BpfObject> others = kernel::BpfObject::open("programs", compiled);
  if (!others) return fail(others.error());
  if (const auto kept = keep_egress(*others); !kept) return fail(kept.error());
  if (const auto left = others->leave_out("nsl_egress"); !left) return fail(left.error());
  return Programs(std::move(*sensor), std::move(*others));
}

Result<void> Programs::load() {
  for (kernel::BpfObject* object : {&sensor_, &others_}) {
    if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  }
  const auto salt = others_.global<bench_salt>("bench_salt");
  if (!salt) return fail(salt.error());
  salt_ = *salt;
  const auto hits = others_.global<std::uint64_t>("bench_hits");
  if (!hits) return fail(hits.error());
  hits_ = *hits;
  return {};
}

Result<void> Programs::set_globals(const nsl_settings& settings, const Generations& generations) {
  for (const kernel::BpfObject* object : {&sensor_, &others_}) {
    const auto own_settings = object->global<nsl_settings>("nsl_settings");
    if (!own_settings) return fail(own_settings.error());
    const auto own_generations = object->global<Generations>("nsl_generations");
    if (!own_generations) return fail(own_generations.error());
    **own_settings = settings;
    **own_generations = generations;
  }
  return {};
}

Result<void> Programs::fill_plain_hash(const std::vector<compile::KernelName>& names) {
  const compile::KernelTables hashes = compile::build_kernel_tables({.names = names}, {});
  std::vector<std::uint64_t> keys;
  for (const nsl_name_bucket& bucket : hashes.names.buckets()) {
    for (const nsl_name& entry : bucket.entries) {
      if (entry.first != 0) keys.push_back(entry.first | NSL_NAME_KINDS);
    }
  }
  for (const std::uint64_t key : keys) {
    if (bpf_map_update_elem(others_.map_fd("bench_bloom_names"), nullptr, &key, BPF_ANY) != 0) {
      return fail(ErrorClass::runtime, "filling the Bloom filter: {}", errno_text(errno));
    }
  }
  return fill(others_.map_fd("bench_names"), keys, "plain hash map");
}

Result<void> Programs::fill_other_ways(const std::vector<compile::KernelName>& names) {
  std::vector<PaddedKey> padded(names.size());
  std::vector<LpmKey> backwards(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) {
    const std::string_view wire = names[i].wire;
    std::ranges::copy(wire, padded[i].octets);
    std::ranges::reverse_copy(wire.substr(0, sizeof backwards[i].octets), backwards[i].octets);
    backwards[i].bits = static_cast<std::uint32_t>(8 * wire.size());
  }
  if (const auto filled = fill(others_.map_fd("bench_padded_names"), padded, "padded hash map"); !filled) return filled;
  return fill(others_.map_fd("bench_lpm_names"), backwards, "trie");
}

Result<Programs> Programs::with_tables(std::string_view compiled, const std::vector<compile::KernelName>& names) {
  Result<Programs> programs = open(compiled);
  if (!programs) return programs;
  const auto entries = static_cast<std::uint32_t>(names.size());
  for (const char* map : other_maps) {
    if (const auto sized = programs->others_.set_entries(map, entries); !sized) return fail(sized.error());
  }
  if (const auto loaded = programs->load(); !loaded) return fail(loaded.error());
  if (const auto filled = programs->fill_plain_hash(names); !filled) return fail(filled.error());
  if (const auto filled = programs->fill_other_ways(names); !filled) return fail(filled.error());

  if (const auto filled = programs->fill_sensor(names); !filled) return fail(filled.error());
  return programs;
}

Result<void> Programs::fill_sensor(const std::vector<compile::KernelName>& names) {
  Result<kernel::Tables> tables = kernel::Tables::of(sensor_);
  if (!tables) return fail(tables.error());
  tables->settings().port_count = 1;
  tables->settings().ports[0] = 53;
  return tables->publish(compile::build_kernel_tables({.names = names}, compile::Seeds::random()), 1);
}

Result<Programs> Programs::on_tables_of(std::string_view compiled, const Programs& owner) {
  Result<Programs> programs = open(compiled);
  if (!programs) return programs;
  for (kernel::BpfObject* object : {&programs->sensor_, &programs->others_}) {
    for (const char* map : {"nsl_filters", "nsl_names"}) {
      if (const auto shared = object->share_map(map, owner.sensor_); !shared) return fail(shared.error());
    }
  }
  for (const char* map : other_maps) {
    if (const auto shared = programs->others_.share_map(map, owner.others_); !shared) return fail(shared.error());
  }
  if (const auto loaded = programs->load(); !loaded) return fail(loaded.error());

  const auto settings = owner.sensor_.global<nsl_settings>("nsl_settings");
  if (!settings) return fail(settings.error());
  const auto generations = owner.sensor_.global<Generations>("nsl_generations");
  if (!generations) return fail(generations.error());
  if (const auto set = programs->set_globals(**settings, **generations); !set) return fail(set.error());
  return programs;
}

int Programs::sensor() const { return descriptor(sensor_, "nsl_egress"); }
int Programs::named_sensor() const { return descriptor(others_, "bench_sensor"); }
int Programs::plain_hash() const { return descriptor(others_, "bench_plain_hash"); }
int Programs::other_way(const char* name) const { return descriptor(others_, name); }
int Programs::empty() const { return descriptor(others_, "bench_empty"); }

Result<std::uint64_t> Programs::counter(nsl_counter counter) const {
  const auto own = read_counter(sensor_, counter);
  const auto salted = read_counter(others_, counter);
  if (!own) return own;
  if (!salted) return salted;
  return *own + *salted;
}

}  // namespace nslookout::bench
