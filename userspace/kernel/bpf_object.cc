#include "kernel/bpf_object.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>

#include "base/log.h"
#include "kernel/host.h"

namespace nslookout::kernel {
namespace {

constexpr std::uint32_t log_statistics = 4;  // BPF_LOG_STATS: one line per program, whatever its size
constexpr std::size_t log_octets = 64u << 10;

int print_to_debug_log(libbpf_print_level /*level*/, const char* format, va_list arguments) {
  if (!log::enabled(log::Level::debug)) return 0;
  char line[1024];
  const int length = std::vsnprintf(line, sizeof line, format, arguments);
  if (length <= 0) return 0;
  std::string_view text(line, std::min<std::size_t>(static_cast<std::size_t>(length), sizeof line - 1));
  while (!text.empty() && text.back() == '\n') text.remove_suffix(1);
  log::debug("{}", text);
  return 0;
}

// The number behind a word in the verifier's statistics ("processed 12345 insns …"), or 0.
std::uint32_t number_after(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return 0;
  std::uint32_t number = 0;
  const std::string_view digits = text.substr(at + word.size());
  std::from_chars(digits.data(), digits.data() + digits.size(), number);
  return number;
}

// Those of the needed capabilities that this process lacks; CAP_SYS_ADMIN stands for all of them (capabilities(7)).
std::string missing_privileges(const Host& host) {
  std::string missing;
  for (const Capability& capability : host.capabilities()) {
    if (capability.name == "CAP_SYS_ADMIN" && capability.effective) return {};
    if (capability.effective || capability.name.starts_with("CAP_SYS_")) continue;
    if (!missing.empty()) missing += ", ";
    missing += capability.name;
  }
  return missing;
}

// What an errno of BPF_PROG_LOAD or BPF_MAP_CREATE means here, from the facts of the host.
std::string cause_of(int error) {
  const Host host;
  if (!host.has_btf()) {
    return "the kernel has no BTF (/sys/kernel/btf/vmlinux), without which its structures cannot be read; use a kernel "
           "built with CONFIG_DEBUG_INFO_BTF";
  }
  if (error == EPERM || error == EACCES) {
    if (host.lockdown() == Lockdown::confidentiality) {
      return "lockdown is in confidentiality mode, which forbids BPF programs to read kernel memory; boot with "
             "lockdown=integrity";
    }
    if (const std::string missing = missing_privileges(host); !missing.empty()) {
      return fmt::format("missing privilege: {}; run as root, or with CAP_BPF, CAP_PERFMON and CAP_NET_ADMIN", missing);
    }
    return "the kernel refuses them, by lockdown, a security module or a distribution's policy";
  }
  if (error == ENOMEM) {
    return "no memory for them; the limit of locked memory (ulimit -l) or that of the cgroup's memory may be too low";
  }
  return "this kernel cannot run them";
}

// libbpf says const, but the memory is the map's own, shared with the programs and writable.
void* globals_of(bpf_map* map, std::size_t& octets) {
  return const_cast<void*>(bpf_map__initial_value(map, &octets));  // NOLINT(cppcoreguidelines-pro-type-const-cast)
}

}  // namespace

void route_libbpf_messages() { libbpf_set_print(print_to_debug_log); }

Result<BpfObject> BpfObject::open(std::string name, std::string_view bytes) {
  route_libbpf_messages();
  LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name.c_str());
  BpfObject object;
  object.object_.reset(bpf_object__open_mem(bytes.data(), bytes.size(), &options));
  if (!object.object_) {
    return fail(ErrorClass::runtime, "the embedded object {} cannot be read: {}", name, errno_text(errno));
  }
  object.name_ = std::move(name);
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object.object_.get()) {
    object.logs_.push_back(std::make_unique<std::string>(log_octets, '\0'));
    bpf_program__set_log_buf(program, object.logs_.back()->data(), log_octets);
    bpf_program__set_log_level(program, log_statistics);
  }
  return object;
}

Result<void> BpfObject::set_entries(const char* map, std::uint32_t entries) {
  bpf_map* found = bpf_object__find_map_by_name(object_.get(), map);
  if (found == nullptr) return fail(ErrorClass::runtime, "the object {} has no map {}", name_, map);
  if (const int error = bpf_map__set_max_entries(found, entries); error != 0) {
    return fail(ErrorClass::runtime, "sizing the map {}: {}", map, errno_text(-error));
  }
  return {};
}

Result<void> BpfObject::share_map(const char* map, const BpfObject& owner) {
  bpf_map* found = bpf_object__find_map_by_name(object_.get(), map);
  if (found == nullptr) return fail(ErrorClass::runtime, "the object {} has no map {}", name_, map);
  if (const int error = bpf_map__reuse_fd(found, owner.map_fd(map)); error != 0) {
    return fail(ErrorClass::runtime, "sharing the map {}: {}", map, errno_text(-error));
  }
  return {};
}

Result<void> BpfObject::share_maps(const BpfObject& owner) {
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    const char* map_name = bpf_map__name(map);
    if (std::string_view(map_name).find('.') != std::string_view::npos || owner.map_fd(map_name) < 0) continue;
    if (const auto shared = share_map(map_name, owner); !shared) return shared;
  }
  return {};
}

Result<void> BpfObject::leave_out(const char* program) {
  bpf_program* found = bpf_object__find_program_by_name(object_.get(), program);
  if (found == nullptr) return fail(ErrorClass::runtime, "the object {} has no program {}", name_, program);
  bpf_program__set_autoload(found, false);
  return {};
}

Result<void> BpfObject::expect_attach_type(const char* program, int type) {
  bpf_program* found = bpf_object__find_program_by_name(object_.get(), program);
  if (found == nullptr) return fail(ErrorClass::runtime, "the object {} has no program {}", name_, program);
  bpf_program__set_expected_attach_type(found, static_cast<bpf_attach_type>(type));
  return {};
}

Result<void> BpfObject::share_globals() {
  // After loading, libbpf's memory for the globals is a copy that only generated skeletons replace by the map's own.
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    const std::string_view map_name = bpf_map__name(map);
    if (!map_name.ends_with(".bss")) continue;
    std::size_t octets = 0;
    void* base = globals_of(map, octets);
    if (base == nullptr) continue;
    octets = (octets + page - 1) / page * page;
    if (mmap(base, octets, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, bpf_map__fd(map), 0) == MAP_FAILED) {
      return fail(ErrorClass::runtime, "mapping the globals of {}: {}", name_, errno_text(errno));
    }
  }
  return {};
}

Result<void> BpfObject::load() {
  const int error = bpf_object__load(object_.get());
  if (error == 0) return share_globals();
  for (const auto& log : logs_) {
    const std::string_view text = log->data();  // NOLINT(readability-redundant-string-cstr): up to the NUL
    if (text.empty()) continue;
    log::debug("verifier: {}", text);
    // a statement about a register or a size is the verifier's own refusal, whatever the errno
    if (error == -EACCES || error == -E2BIG || error == -EINVAL) {
      const std::string_view first = text.substr(0, text.find('\n'));
      if (!first.starts_with("processed")) {
        return fail(ErrorClass::unsupported, "loading the programs: this kernel's verifier refuses them: {}", first);
      }
    }
  }
  return fail(ErrorClass::unsupported, "loading the programs: {} ({})", cause_of(-error), errno_text(-error));
}

int BpfObject::map_fd(const char* map) const { return bpf_object__find_map_fd_by_name(object_.get(), map); }

bpf_program* BpfObject::program(const char* name) const {
  return bpf_object__find_program_by_name(object_.get(), name);
}

Result<void*> BpfObject::global_address(const char* variable, std::size_t size) const {
  const btf* types = bpf_object__btf(object_.get());
  const int section = btf__find_by_name_kind(types, ".bss", BTF_KIND_DATASEC);
  if (section < 0) return fail(ErrorClass::runtime, "the object {} has no globals", name_);
  const btf_type* datasec = btf__type_by_id(types, static_cast<std::uint32_t>(section));
  const btf_var_secinfo* info = btf_var_secinfos(datasec);
  bpf_map* bss = nullptr;
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_.get()) {
    const std::string_view map_name = bpf_map__name(map);
    if (map_name.ends_with(".bss")) bss = map;
  }
  std::size_t mapped = 0;
  auto* base = bss == nullptr ? nullptr : static_cast<char*>(globals_of(bss, mapped));
  for (int i = 0; base != nullptr && i < btf_vlen(datasec); ++i, ++info) {
    const btf_type* type = btf__type_by_id(types, info->type);
    if (std::strcmp(btf__name_by_offset(types, type->name_off), variable) != 0) continue;
    if (info->size != size || info->offset + size > mapped) break;
    return base + info->offset;
  }
  return fail(ErrorClass::runtime, "the object {} has no global {} of {} octets", name_, variable, size);
}

Result<std::vector<Link>> BpfObject::attach() const {
  std::vector<Link> links;
  for (const ProgramReport& loaded : report()) {
    Link link(bpf_program__attach(program(loaded.name.c_str())));
    if (!link) {
      return fail(ErrorClass::unsupported, "attaching {}: the kernel refuses it ({})", loaded.name, errno_text(errno));
    }
    links.push_back(std::move(link));
  }
  return links;
}

std::vector<ProgramReport> BpfObject::report() const {
  std::vector<ProgramReport> reports;
  std::size_t at = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_.get()) {
    const std::size_t log = at++;
    if (bpf_program__fd(program) < 0) continue;
    bpf_prog_info info{};
    std::uint32_t length = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) != 0) continue;
    // bpf_prog_info has the number from 5.16 on; the log has it on every kernel.
    // NOLINTNEXTLINE(readability-redundant-string-cstr): up to the NUL
    reports.push_back(ProgramReport{bpf_program__name(program), number_after(logs_[log]->data(), "processed "),
                                    static_cast<std::uint32_t>(info.xlated_prog_len / sizeof(bpf_insn))});
  }
  return reports;
}

std::vector<ProgramRuns> BpfObject::runs() const {
  std::vector<ProgramRuns> all;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_.get()) {
    if (bpf_program__fd(program) < 0) continue;
    bpf_prog_info info{};
    std::uint32_t length = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) != 0) continue;
    all.push_back({bpf_program__name(program), info.run_cnt, std::chrono::nanoseconds(info.run_time_ns)});
  }
  return all;
}

std::uint64_t BpfObject::recursion_misses() const {
  std::uint64_t misses = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_.get()) {
    if (bpf_program__fd(program) < 0) continue;
    bpf_prog_info info{};
    std::uint32_t length = sizeof info;
    if (bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &length) == 0) misses += info.recursion_misses;
  }
  return misses;
}

}  // namespace nslookout::kernel
