#include "kernel/processes.h"

#include <bpf/bpf.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include "base/fd.h"
#include "bpf/environment_key.h"
#include "bpf/objects.h"

namespace nslookout::kernel {
namespace {

constexpr std::uint32_t min_environments = 64;
constexpr std::uint32_t processes_per_environment = 16;  // those of a CI job, or of a package's script, share one

using Filter = std::array<std::uint64_t, NSL_ENVIRONMENT_FILTER>;
using VariableName = std::array<char, NSL_VARIABLE_NAME>;

std::uint64_t first_octets(const VariableName& name) {
  std::uint64_t word = 0;
  std::memcpy(&word, name.data(), sizeof word);
  return word;
}

Result<std::uint64_t> list_variables(const BpfObject& object, std::span<const std::string_view> names) {
  const auto filter = object.global<Filter>("nsl_environment_filter");
  if (!filter) return fail(filter.error());
  const auto seed = object.global<std::uint64_t>("nsl_environment_seed");
  if (!seed) return fail(seed.error());
  const auto listed = object.global<std::uint32_t>("nsl_environment_listed");
  if (!listed) return fail(listed.error());
  for (const std::string_view name : names) {
    VariableName padded{};
    if (name.empty() || name.size() >= padded.size()) {
      return fail(ErrorClass::runtime, "the variable name '{}' has to have 1 to {} octets", name, padded.size() - 1);
    }
    std::ranges::copy(name, padded.begin());
    const std::uint8_t nothing = 0;
    if (bpf_map_update_elem(object.map_fd("nsl_environment_names"), padded.data(), &nothing, BPF_ANY) != 0) {
      return fail(ErrorClass::runtime, "listing the variable {}: {}", name, errno_text(errno));
    }
    const std::uint64_t bit = nsl_environment_bit(first_octets(padded));
    (**filter)[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
  std::random_device random;
  **seed = (std::uint64_t{random()} << 32) | random();
  **listed = static_cast<std::uint32_t>(names.size());
  return **seed;
}

Result<std::vector<nsl_process_key>> read_keys(int fd) {
  std::vector<nsl_process_key> keys;
  std::array<char, 4096> block{};
  std::string octets;
  for (;;) {
    const ssize_t got = ::read(fd, block.data(), block.size());
    if (got < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (got < 0) return fail(ErrorClass::runtime, "reading the task iterator: {}", errno_text(errno));
    if (got == 0) break;
    octets.append(block.data(), static_cast<std::size_t>(got));
  }
  keys.resize(octets.size() / sizeof(nsl_process_key));
  std::memcpy(keys.data(), octets.data(), keys.size() * sizeof(nsl_process_key));
  return keys;
}

}  // namespace

Result<Processes> Processes::start(std::uint32_t entries, std::span<const std::string_view> names) {
  Result<BpfObject> object = BpfObject::open("process", embedded(nsl_object_process, nsl_object_process_end));
  if (!object) return fail(object.error());
  const std::uint32_t environments = std::max(min_environments, entries / processes_per_environment);
  const auto listed = std::max(1U, static_cast<std::uint32_t>(names.size()));
  for (const auto& [map, size] : {std::pair{"nsl_processes", entries}, std::pair{"nsl_environments", environments},
                                  std::pair{"nsl_environment_names", listed}}) {
    if (const auto sized = object->set_entries(map, size); !sized) return fail(sized.error());
  }
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  const auto environment_seed = list_variables(*object, names);
  if (!environment_seed) return fail(environment_seed.error());
  auto links = object->attach();
  if (!links) return fail(links.error());
  Processes processes(std::move(*object), std::move(*links));
  processes.environment_seed_ = *environment_seed;
  if (const auto seeded = processes.seed(); !seeded) processes.seeding_refused_ = seeded.error().message;
  return processes;
}

Result<void> Processes::seed() {
  Result<BpfObject> object = BpfObject::open("seed", embedded(nsl_object_seed, nsl_object_seed_end));
  if (!object) return fail(object.error());
  for (const char* map : {"nsl_processes", "nsl_counters"}) {
    if (const auto shared = object->share_map(map, object_); !shared) return fail(shared.error());
  }
  if (const auto loaded = object->load(); !loaded) return fail(loaded.error());
  const Link link(bpf_program__attach_iter(object->program("nsl_seed"), nullptr));
  if (!link) {
    return fail(ErrorClass::unsupported, "attaching the task iterator: the kernel refuses it ({})", errno_text(errno));
  }
  const Fd iterator(bpf_iter_create(bpf_link__fd(link.get())));
  if (!iterator.valid()) return fail(ErrorClass::unsupported, "running the task iterator: {}", errno_text(errno));
  auto keys = read_keys(iterator.get());
  if (!keys) return fail(keys.error());
  seeded_ = std::move(*keys);
  return {};
}

std::optional<nsl_process> Processes::find(const nsl_process_key& key) const {
  nsl_process process{};
  if (bpf_map_lookup_elem(object_.map_fd("nsl_processes"), &key, &process) != 0) return std::nullopt;
  return process;
}

std::optional<nsl_environment> Processes::environment(std::uint64_t key) const {
  nsl_environment environment{};
  if (key == 0 || bpf_map_lookup_elem(object_.map_fd("nsl_environments"), &key, &environment) != 0) return std::nullopt;
  return environment;
}

std::uint64_t Processes::add_environment(std::string_view variables) const {
  nsl_environment environment{};
  constexpr std::size_t room = NSL_VARIABLES_AT + NSL_VARIABLE_MAX;
  const std::size_t length = std::min(variables.size(), room);
  if (length == 0) return 0;
  std::memcpy(environment.text, variables.data(), length);
  environment.length = static_cast<nsl_u32>(length);
  environment.truncated = variables.size() > room ? 1 : 0;
  std::uint64_t key = nsl_environment_mix(environment_seed_, nsl_environment_head(&environment));
  for (std::size_t at = 0; at < length; at += 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, environment.text + at, sizeof word);
    key = nsl_environment_mix(key, word);
  }
  key = key == 0 ? 1 : key;
  if (bpf_map_update_elem(object_.map_fd("nsl_environments"), &key, &environment, BPF_ANY) != 0) return 0;
  return key;
}

void Processes::complete(const nsl_process_key& key, std::string_view arguments, std::string_view variables) const {
  nsl_process_key next = key;
  ++next.exec_id;
  if (find(next)) return;
  std::optional<nsl_process> entry = find(key);
  if (!entry || (entry->flags & NSL_PROCESS_SEEDED) == 0) return;
  const std::size_t length = std::min<std::size_t>(arguments.size(), NSL_ARGV_MAX);
  std::memcpy(entry->argv, arguments.data(), length);
  entry->argv_length = static_cast<nsl_u16>(length);
  if (arguments.size() > length) entry->flags |= NSL_PROCESS_ARGV_TRUNCATED;
  entry->environment = add_environment(variables);
  // Refused when the entry has left the table: nothing to complete then.
  bpf_map_update_elem(object_.map_fd("nsl_processes"), &key, &*entry, BPF_EXIST);
}

}  // namespace nslookout::kernel
