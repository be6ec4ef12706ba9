#include "cgroup.h"

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>

#include "address.h"

namespace nslookout::kernel_test {

namespace {

long bpf(int command, bpf_attr& attributes) { return ::syscall(SYS_bpf, command, &attributes, sizeof(attributes)); }

std::uint64_t address_of(const void* pointer) { return reinterpret_cast<std::uintptr_t>(pointer); }

Result<Fd> open_root() {
  const auto root = cgroup_root();
  if (!root) return fail(root.error());
  Fd fd(::open(root->c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!fd.valid()) return fail_errno(*root);
  return fd;
}

Result<std::string> program_name(std::uint32_t id) {
  bpf_attr open{};
  open.prog_id = id;
  const Fd fd(static_cast<int>(bpf(BPF_PROG_GET_FD_BY_ID, open)));
  if (!fd.valid()) return fail_errno("BPF_PROG_GET_FD_BY_ID");
  bpf_prog_info info{};
  bpf_attr query{};
  query.info.bpf_fd = static_cast<std::uint32_t>(fd.get());
  query.info.info_len = sizeof(info);
  query.info.info = address_of(&info);
  if (bpf(BPF_OBJ_GET_INFO_BY_FD, query) != 0) return fail_errno("BPF_OBJ_GET_INFO_BY_FD");
  return std::string(info.name);
}

bpf_insn instruction(std::uint8_t code, std::uint8_t destination, std::uint8_t source, std::int16_t offset,
                     std::int32_t immediate) {
  return {.code = code,
          .dst_reg = static_cast<std::uint8_t>(destination & 0xf),
          .src_reg = static_cast<std::uint8_t>(source & 0xf),
          .off = offset,
          .imm = immediate};
}

// if ((value = lookup(map, 0))) lock *value += 1; return 1;
std::array<bpf_insn, 11> counting_program(int map) {
  return {
      instruction(BPF_ST | BPF_MEM | BPF_W, BPF_REG_10, 0, -4, 0),
      instruction(BPF_LD | BPF_DW | BPF_IMM, BPF_REG_1, BPF_PSEUDO_MAP_FD, 0, map),
      instruction(0, 0, 0, 0, 0),  // the second half of the 64-bit load
      instruction(BPF_ALU64 | BPF_MOV | BPF_X, BPF_REG_2, BPF_REG_10, 0, 0),
      instruction(BPF_ALU64 | BPF_ADD | BPF_K, BPF_REG_2, 0, 0, -4),
      instruction(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_map_lookup_elem),
      instruction(BPF_JMP | BPF_JEQ | BPF_K, BPF_REG_0, 0, 2, 0),
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_1, 0, 0, 1),
      instruction(BPF_STX | BPF_XADD | BPF_DW, BPF_REG_0, BPF_REG_1, 0, 0),
      instruction(BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 1),
      instruction(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
  };
}

}  // namespace

Result<std::string> cgroup_root() {
  std::ifstream mounts("/proc/self/mounts");
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream fields(line);
    std::string device;
    std::string path;
    std::string type;
    fields >> device >> path >> type;
    if (type == "cgroup2") return path;
  }
  return fail(ErrorClass::unsupported, "cgroup v2 is not mounted");
}

Result<OwnCgroup> OwnCgroup::make(const std::string& name) {
  const auto root = cgroup_root();
  if (!root) return fail(root.error());
  const auto path = *root + "/" + name;
  if (::mkdir(path.c_str(), 0755) != 0) return fail(ErrorClass::unsupported, "mkdir {}: {}", path, errno_text(errno));
  struct stat status{};
  if (::stat(path.c_str(), &status) != 0) return fail_errno("stat");
  return OwnCgroup(path, status.st_ino);
}

OwnCgroup::~OwnCgroup() {
  if (!path_.empty()) ::rmdir(path_.c_str());
}

Result<void> OwnCgroup::enter() const {
  const auto members = path_ + "/cgroup.procs";
  const Fd fd(::open(members.c_str(), O_WRONLY | O_CLOEXEC));
  if (!fd.valid() || ::write(fd.get(), "0", 1) != 1) return fail_errno(members);
  return {};
}

Result<std::set<std::uint32_t>> egress_programs() {
  const auto root = open_root();
  if (!root) return fail(root.error());
  std::array<std::uint32_t, 64> ids{};
  bpf_attr query{};
  query.query.target_fd = static_cast<std::uint32_t>(root->get());
  query.query.attach_type = BPF_CGROUP_INET_EGRESS;
  query.query.prog_ids = address_of(ids.data());
  query.query.prog_cnt = ids.size();
  if (bpf(BPF_PROG_QUERY, query) != 0) return fail_errno("BPF_PROG_QUERY");
  return std::set<std::uint32_t>(ids.begin(), ids.begin() + query.query.prog_cnt);
}

Result<std::set<std::uint32_t>> loaded_programs(const std::set<std::string>& names) {
  std::set<std::uint32_t> ids;
  bpf_attr next{};
  while (bpf(BPF_PROG_GET_NEXT_ID, next) == 0) {
    const auto name = program_name(next.next_id);
    if (name && (names.empty() || names.contains(*name)))
      ids.insert(next.next_id);  // a program may go between the two calls
    next.start_id = next.next_id;
  }
  if (errno != ENOENT) return fail_errno("BPF_PROG_GET_NEXT_ID");
  return ids;
}

Result<ForeignProgram> ForeignProgram::attach() {
  auto root = open_root();
  if (!root) return fail(root.error());
  bpf_attr create{};
  create.map_type = BPF_MAP_TYPE_ARRAY;
  create.key_size = sizeof(std::uint32_t);
  create.value_size = sizeof(std::uint64_t);
  create.max_entries = 1;
  Fd map(static_cast<int>(bpf(BPF_MAP_CREATE, create)));
  if (!map.valid()) return fail_errno("BPF_MAP_CREATE");

  const auto instructions = counting_program(map.get());
  bpf_attr load{};
  load.prog_type = BPF_PROG_TYPE_CGROUP_SKB;
  load.expected_attach_type = BPF_CGROUP_INET_EGRESS;
  load.insns = address_of(instructions.data());
  load.insn_cnt = instructions.size();
  load.license = address_of("GPL");
  Fd program(static_cast<int>(bpf(BPF_PROG_LOAD, load)));
  if (!program.valid()) return fail_errno("BPF_PROG_LOAD");

  bpf_attr attach{};
  attach.target_fd = static_cast<std::uint32_t>(root->get());
  attach.attach_bpf_fd = static_cast<std::uint32_t>(program.get());
  attach.attach_type = BPF_CGROUP_INET_EGRESS;
  attach.attach_flags = BPF_F_ALLOW_MULTI;
  if (bpf(BPF_PROG_ATTACH, attach) != 0) return fail_errno("BPF_PROG_ATTACH");
  return ForeignProgram(std::move(map), std::move(program), std::move(*root));
}

ForeignProgram::~ForeignProgram() {
  if (!program_.valid()) return;
  bpf_attr detach{};
  detach.target_fd = static_cast<std::uint32_t>(cgroup_.get());
  detach.attach_bpf_fd = static_cast<std::uint32_t>(program_.get());
  detach.attach_type = BPF_CGROUP_INET_EGRESS;
  bpf(BPF_PROG_DETACH, detach);
}

Result<std::uint64_t> ForeignProgram::packets() const {
  const std::uint32_t key = 0;
  std::uint64_t value = 0;
  bpf_attr lookup{};
  lookup.map_fd = static_cast<std::uint32_t>(map_.get());
  lookup.key = address_of(&key);
  lookup.value = address_of(&value);
  if (bpf(BPF_MAP_LOOKUP_ELEM, lookup) != 0) return fail_errno("BPF_MAP_LOOKUP_ELEM");
  return value;
}

}  // namespace nslookout::kernel_test
