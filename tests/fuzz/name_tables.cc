// The walk of the kernel programs (bpf/match.h) through tables built by compile, against a plain set of names.
//
// Input: 16 octets of seeds, one with the number of listed names, then for each name an octet with its kind and labels;
// what is left is names that are asked for. Labels are built so that names often share suffixes.
#include <string>
#include <vector>

#include "base/dns_name.h"
#include "compile/kernel_tables.h"
#include "octets.h"

namespace nslookout::fuzz {
namespace {

struct Listed {
  std::string wire;
  bool exact = false;
  bool below = false;
};

// An octet with the number of labels; each an octet with its length and as many octets, or one of a few short ones.
std::string take_name(Octets& octets) {
  std::string wire;
  const unsigned labels = octets.octet() % 12;
  for (unsigned i = 0; i < labels; ++i) {
    const std::uint8_t kind = octets.octet();
    std::string label;
    if (kind < 192) {
      label.assign(1U + kind / 64, static_cast<char>('a' + kind % 3));
    } else {
      label = octets.take(1U + kind % 63);
    }
    if (label.empty()) break;
    if (wire.size() + label.size() + 2 > max_name_octets) break;
    wire.push_back(static_cast<char>(label.size()));
    wire += label;
  }
  wire.push_back('\0');
  return wire;
}

// What compile/kernel_tables.h says of names with more labels than the kernel tells apart.
Listed widened(Listed name) {
  std::size_t labels = label_count(name.wire);
  if (labels <= NSL_WALK_LABELS) return name;
  for (; labels > NSL_WALK_LABELS; --labels) name.wire.erase(0, 1U + static_cast<unsigned char>(name.wire[0]));
  return {name.wire, false, true};
}

bool covers(const Listed& name, const std::string& folded) {
  if (folded == name.wire) return name.exact;
  if (!name.below || folded.size() <= name.wire.size()) return false;
  for (std::size_t at = 0; folded.size() - at > name.wire.size();) {
    at += 1U + static_cast<unsigned char>(folded[at]);
    if (std::string_view(folded).substr(at) == name.wire) return true;
  }
  return false;
}

std::uint64_t take_seed(Octets& octets) {
  std::uint64_t seed = 0;
  for (int i = 0; i < 8; ++i) seed = seed << 8 | octets.octet();
  return seed;
}

void check(Octets octets) {
  const compile::Seeds seeds{take_seed(octets), take_seed(octets)};
  std::vector<Listed> list;
  const unsigned count = octets.octet() % 40;
  for (unsigned i = 0; i < count; ++i) {
    const std::uint8_t kind = octets.octet() % 3;
    const std::string wire = ascii_lower(take_name(octets));
    if (wire.size() > 1) list.push_back({wire, kind != 1, kind != 0});  // the root is never listed
  }
  std::vector<compile::KernelName> names;
  for (const Listed& name : list) names.push_back({name.wire, name.exact, name.below});
  const compile::KernelTables tables = compile::build_kernel_tables({.names = names}, seeds);
  while (!octets.empty()) {
    const std::string asked = take_name(octets);
    const std::string folded = ascii_lower(asked);
    bool covered = false;
    for (const Listed& name : list) covered = covered || covers(widened(name), folded);
    require(tables.lets_pass(asked, 1) == covered, "the tables let pass what the names cover, and nothing else");
  }
}

}  // namespace
}  // namespace nslookout::fuzz

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* octets, std::size_t size) {
  nslookout::fuzz::check({octets, size});
  return 0;
}
