// That both sides of bpf/abi.h mean the same octets: size, and offset and size of each member, as clang has them for the
// kernel (in the types that it describes in an object, BTF) and as this compiler has them.
#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>

#include <array>
#include <cstddef>
#include <fstream>
#include <iterator>
#include <memory>
#include <ostream>
#include <regex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "bpf/abi.h"
#include "bpf/objects.h"
#include "tests/support/source_dir.h"

namespace nslookout {
namespace {

struct Member {
  std::string name;
  std::size_t offset = 0, size = 0;

  friend bool operator==(const Member&, const Member&) = default;
  friend std::ostream& operator<<(std::ostream& out, const Member& member) {
    return out << member.name << " at " << member.offset << ", " << member.size << " octets";
  }
};

struct Layout {
  std::string name;
  std::size_t size = 0;
  std::vector<Member> members;
};

#define NSL_MEMBER(name) \
  Member { #name, offsetof(T, name), sizeof(T::name) }
#define NSL_LAYOUT(type, ...)                       \
  [] {                                              \
    using T = type;                                 \
    return Layout{#type, sizeof(T), {__VA_ARGS__}}; \
  }()

const std::vector<Layout>& layouts() {
  static const std::vector<Layout> all = {
      NSL_LAYOUT(nsl_name, NSL_MEMBER(first), NSL_MEMBER(second)),
      NSL_LAYOUT(nsl_name_bucket, NSL_MEMBER(entries)),
      NSL_LAYOUT(nsl_generation, NSL_MEMBER(seed1), NSL_MEMBER(seed2), NSL_MEMBER(filter_mask), NSL_MEMBER(number),
                 NSL_MEMBER(every_query), NSL_MEMBER(has_types), NSL_MEMBER(text_start), NSL_MEMBER(text_shift),
                 NSL_MEMBER(name_buckets), NSL_MEMBER(awaited), NSL_MEMBER(record_types), NSL_MEMBER(text_symbols),
                 NSL_MEMBER(blocks), NSL_MEMBER(block_unlisted), NSL_MEMBER(further), NSL_MEMBER(flags_set),
                 NSL_MEMBER(flags_clear)),
      NSL_LAYOUT(nsl_settings, NSL_MEMBER(active_slot), NSL_MEMBER(observe_all), NSL_MEMBER(wakeup_octets),
                 NSL_MEMBER(port_count), NSL_MEMBER(ports), NSL_MEMBER(agent_tgid), NSL_MEMBER(responses),
                 NSL_MEMBER(mode), NSL_MEMBER(reserved)),
      NSL_LAYOUT(nsl_telemetry, NSL_MEMBER(seed1), NSL_MEMBER(seed2), NSL_MEMBER(interval), NSL_MEMBER(unique),
                 NSL_MEMBER(wakeup_octets)),
      NSL_LAYOUT(nsl_told, NSL_MEMBER(count), NSL_MEMBER(last)),
      NSL_LAYOUT(nsl_process_key, NSL_MEMBER(start_boottime), NSL_MEMBER(tgid), NSL_MEMBER(exec_id)),
      NSL_LAYOUT(nsl_process, NSL_MEMBER(parent), NSL_MEMBER(uid), NSL_MEMBER(gid), NSL_MEMBER(session),
                 NSL_MEMBER(namespace_tgid), NSL_MEMBER(cgroup_id), NSL_MEMBER(environment), NSL_MEMBER(flags),
                 NSL_MEMBER(reserved), NSL_MEMBER(executable_length), NSL_MEMBER(cwd_length), NSL_MEMBER(argv_length),
                 NSL_MEMBER(script_at), NSL_MEMBER(comm), NSL_MEMBER(cgroup_leaf), NSL_MEMBER(paths_reversed),
                 NSL_MEMBER(argv)),
      NSL_LAYOUT(nsl_environment, NSL_MEMBER(length), NSL_MEMBER(truncated), NSL_MEMBER(text)),
      NSL_LAYOUT(nsl_sender, NSL_MEMBER(process), NSL_MEMBER(parent), NSL_MEMBER(tid), NSL_MEMBER(uid), NSL_MEMBER(gid),
                 NSL_MEMBER(reserved), NSL_MEMBER(cgroup_id), NSL_MEMBER(network_namespace), NSL_MEMBER(comm),
                 NSL_MEMBER(thread_comm)),
      NSL_LAYOUT(nsl_candidate, NSL_MEMBER(boottime), NSL_MEMBER(generation), NSL_MEMBER(reasons), NSL_MEMBER(flags),
                 NSL_MEMBER(told), NSL_MEMBER(socket), NSL_MEMBER(sender), NSL_MEMBER(server), NSL_MEMBER(source),
                 NSL_MEMBER(server_port), NSL_MEMBER(source_port), NSL_MEMBER(wire_port), NSL_MEMBER(family),
                 NSL_MEMBER(transport), NSL_MEMBER(id), NSL_MEMBER(dns_flags), NSL_MEMBER(record_type),
                 NSL_MEMBER(record_class), NSL_MEMBER(question_count), NSL_MEMBER(name_length), NSL_MEMBER(listener),
                 NSL_MEMBER(wire_server), NSL_MEMBER(tcp_sequence), NSL_MEMBER(tcp_acknowledged), NSL_MEMBER(name)),
      NSL_LAYOUT(nsl_exchange, NSL_MEMBER(socket), NSL_MEMBER(server), NSL_MEMBER(server_port), NSL_MEMBER(id),
                 NSL_MEMBER(family), NSL_MEMBER(transport), NSL_MEMBER(reserved)),
      NSL_LAYOUT(nsl_response, NSL_MEMBER(exchange), NSL_MEMBER(boottime), NSL_MEMBER(length), NSL_MEMBER(full_length)),
      NSL_LAYOUT(nsl_unix_request, NSL_MEMBER(candidate), NSL_MEMBER(length), NSL_MEMBER(reserved), NSL_MEMBER(octets)),
      NSL_LAYOUT(nsl_address, NSL_MEMBER(octets), NSL_MEMBER(family)),
      NSL_LAYOUT(nsl_bypass_key, NSL_MEMBER(process), NSL_MEMBER(address), NSL_MEMBER(technique),
                 NSL_MEMBER(transport)),
      NSL_LAYOUT(nsl_bypass, NSL_MEMBER(boottime), NSL_MEMBER(technique), NSL_MEMBER(port), NSL_MEMBER(transport),
                 NSL_MEMBER(reserved), NSL_MEMBER(address), NSL_MEMBER(reserved_too), NSL_MEMBER(sender)),
  };
  return all;
}

struct FreeBtf {
  void operator()(btf* types) const { btf__free(types); }
};
struct CloseObject {
  void operator()(bpf_object* object) const { bpf_object__close(object); }
};

// Of the structure, or of size 0 where it is not described.
Layout described(const btf* types, const std::string& name) {
  Layout layout{name, 0, {}};
  const int id = btf__find_by_name_kind(types, name.c_str(), BTF_KIND_STRUCT);
  if (id < 0) return layout;
  const btf_type* type = btf__type_by_id(types, static_cast<__u32>(id));
  layout.size = type->size;
  for (__u16 i = 0; i < btf_vlen(type); ++i) {
    const btf_member& member = btf_members(type)[i];
    layout.members.push_back({btf__name_by_offset(types, member.name_off), btf_member_bit_offset(type, i) / 8,
                              static_cast<std::size_t>(btf__resolve_size(types, member.type))});
  }
  return layout;
}

void expect_the_same(const Layout& kernel, const Layout& here) {
  EXPECT_EQ(kernel.size, here.size);
  EXPECT_THAT(kernel.members, testing::ElementsAreArray(here.members));
}

TEST(BpfLayout, TheTableHasEveryStructureOfTheHeader) {
  std::ifstream file(source_dir() / "bpf" / "abi.h");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  const std::regex structure("(?:^|\n)struct (\\w+) \\{");
  std::set<std::string> in_header;
  for (std::sregex_iterator found(text.begin(), text.end(), structure), end; found != end; ++found) {
    in_header.insert((*found)[1]);
  }
  std::set<std::string> in_table;
  for (const Layout& layout : layouts()) in_table.insert(layout.name);
  EXPECT_EQ(in_table, in_header);
}

TEST(BpfLayout, TheCompilerOfTheKernelSideLaysThemOutAlike) {
  const std::unique_ptr<btf, FreeBtf> types(btf__parse_elf(NSLOOKOUT_LAYOUT_OBJECT, nullptr));
  ASSERT_EQ(libbpf_get_error(types.get()), 0) << NSLOOKOUT_LAYOUT_OBJECT;
  for (const Layout& layout : layouts()) {
    SCOPED_TRACE(layout.name);
    expect_the_same(described(types.get(), layout.name), layout);
  }
}

struct Object {
  std::string_view name;
  const unsigned char *begin, *end;
};

// Each that describes a structure of the header, whatever it was compiled with.
TEST(BpfLayout, TheObjectsThatShipHaveThemAlike) {
  const std::array<Object, 11> objects = {{
      {"cgroup", nsl_object_cgroup, nsl_object_cgroup_end},
      {"sendmsg_fentry", nsl_object_sendmsg_fentry, nsl_object_sendmsg_fentry_end},
      {"sendmsg_kprobe", nsl_object_sendmsg_kprobe, nsl_object_sendmsg_kprobe_end},
      {"process", nsl_object_process, nsl_object_process_end},
      {"seed", nsl_object_seed, nsl_object_seed_end},
      {"unix_clients", nsl_object_unix_clients, nsl_object_unix_clients_end},
      {"unix_clients_fentry", nsl_object_unix_clients_fentry, nsl_object_unix_clients_fentry_end},
      {"unix_connect", nsl_object_unix_connect, nsl_object_unix_connect_end},
      {"bypass", nsl_object_bypass, nsl_object_bypass_end},
      {"sockets", nsl_object_sockets, nsl_object_sockets_end},
      {"ingress", nsl_object_ingress, nsl_object_ingress_end},
  }};
  std::set<std::string> seen;
  for (const Object& one : objects) {
    SCOPED_TRACE(one.name);
    const std::unique_ptr<bpf_object, CloseObject> object(
        bpf_object__open_mem(one.begin, static_cast<std::size_t>(one.end - one.begin), nullptr));
    ASSERT_EQ(libbpf_get_error(object.get()), 0);
    const btf* types = bpf_object__btf(object.get());
    ASSERT_NE(types, nullptr);
    for (const Layout& layout : layouts()) {
      const Layout kernel = described(types, layout.name);
      if (kernel.size == 0) continue;
      SCOPED_TRACE(layout.name);
      expect_the_same(kernel, layout);
      seen.insert(layout.name);
    }
  }
  EXPECT_THAT(seen, testing::IsSupersetOf({"nsl_candidate", "nsl_generation", "nsl_process", "nsl_settings"}));
}

}  // namespace
}  // namespace nslookout
