// The parser of bpf/dns.h, which the kernel programs run, from user space.
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "bpf/dns_reader.h"
// dns_reader.h first: it provides what dns.h needs
#include "bpf/dns.h"

namespace nslookout {
namespace {

std::string label(std::size_t length) { return std::string(1, static_cast<char>(length)) + std::string(length, 'x'); }

nsl_reader reader_of(const std::string& message) {
  return {reinterpret_cast<const nsl_u8*>(message.data()), static_cast<nsl_u32>(message.size())};
}

struct NameCase {
  std::string_view what;
  std::string before;  // octets in front of the name, behind the header
  std::string name;
  bool found;
};

TEST(BpfDns, WhereANameMayLie) {
  const std::string longest = label(63) + label(63) + label(63) + label(61) + '\0';
  const std::vector<NameCase> cases = {
      {"the root", "", std::string(1, '\0'), true},
      {"the longest name", "", longest, true},
      {"an octet more", "", label(63) + label(63) + label(63) + label(62) + '\0', false},
      {"a name that is cut off", "", label(63), false},
      {"a compression pointer", "", "\xc0\x0c", false},
      {"a name that ends with the octet at 511", std::string(512 - 12 - 255, 'b'), longest, true},
      {"a name that ends behind it: its end must not be looked for at the message's beginning",
       std::string(512 - 12 - 254, 'b'), longest, false},
  };
  for (const NameCase& one : cases) {
    SCOPED_TRACE(one.what);
    // zero octets in front: an offset that wraps around would find the end of a name there
    const std::string message = std::string(NSL_DNS_HEADER, '\0') + one.before + one.name;
    const nsl_reader reader = reader_of(message);
    nsl_labels labels{};
    const auto at = static_cast<nsl_u32>(NSL_DNS_HEADER + one.before.size());
    EXPECT_EQ(nsl_find_labels(&reader, at, &labels) == 0, one.found);
    if (!one.found) continue;
    EXPECT_EQ(labels.length, one.name.size());
  }
}

TEST(BpfDns, TypeAndClassLieWithinTheFirst512Octets) {
  const std::string message(600, '\1');
  const nsl_reader reader = reader_of(message);
  nsl_question_tail tail{};
  EXPECT_EQ(nsl_read_question_tail(&reader, 508, &tail), 0);
  EXPECT_EQ(nsl_read_question_tail(&reader, 509, &tail), -1);
}

}  // namespace
}  // namespace nslookout
