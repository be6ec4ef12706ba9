#include "compile/kernel_tables.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

namespace nslookout::compile {
namespace {

// "n<number>.test"
std::string numbered(std::size_t number) {
  std::string label = "n" + std::to_string(number);
  label.insert(label.begin(), static_cast<char>(label.size()));
  return label + std::string("\4test\0", 6);
}

// The second half is the first once more, as the names above.
TEST(KernelTables, EqualNamesAreUnitedWhereverTheyStand) {
  constexpr std::size_t distinct = 60'000;
  std::vector<std::string> wires;
  for (std::size_t i = 0; i < distinct; ++i) wires.push_back(numbered(i));
  std::vector<KernelName> names;
  for (const std::string& wire : wires) names.push_back({.wire = wire, .exact = true});
  for (const std::string& wire : wires) names.push_back({.wire = wire, .below = true});

  const KernelTables tables = build_kernel_tables({.names = names}, {1, 2});
  EXPECT_EQ(tables.names.size(), distinct);
  for (const std::string& wire : wires) {
    EXPECT_TRUE(tables.lets_pass(wire, 1));
    EXPECT_TRUE(tables.lets_pass(std::string("\1w") + wire, 1));
  }
  for (std::size_t i = distinct; i < distinct + 1000; ++i) EXPECT_FALSE(tables.lets_pass(numbered(i), 1));
}

TEST(KernelTables, TheSameSeedsGiveTheSameTables) {
  std::vector<std::string> wires;
  for (std::size_t i = 0; i < 150'000; ++i) wires.push_back(numbered(i));
  std::vector<KernelName> names;
  for (const std::string& wire : wires) names.push_back({.wire = wire, .exact = true});
  const KernelTables once = build_kernel_tables({.names = names}, {3, 4});
  const KernelTables again = build_kernel_tables({.names = names}, {3, 4});
  EXPECT_EQ(once.filter, again.filter);
  ASSERT_EQ(once.names.buckets().size(), again.names.buckets().size());
  EXPECT_EQ(std::memcmp(once.names.buckets().data(), again.names.buckets().data(), once.names.buckets().size_bytes()),
            0);
}

TEST(KernelTables, TheFilterStaysWithinTheKernelsRoom) {
  EXPECT_EQ(build_kernel_tables({.names = {}}, {1, 2}).filter.size(), 1U);
  const std::string wire = numbered(1);
  const std::vector<KernelName> names(3'000'000, KernelName{.wire = wire, .exact = true});
  EXPECT_EQ(build_kernel_tables({.names = names}, {1, 2}).filter.size(), NSL_FILTER_WORDS);
}

}  // namespace
}  // namespace nslookout::compile
