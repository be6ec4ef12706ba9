#include "compile/name_buckets.h"

#include <cstdint>
#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace nslookout::compile {
namespace {

struct Hashes {
  std::uint64_t first;
  std::uint64_t second;
};

std::vector<Hashes> random_hashes(std::size_t count) {
  std::mt19937_64 generator(1);
  std::vector<Hashes> hashes(count);
  for (Hashes& one : hashes) one = {generator(), generator()};
  return hashes;
}

std::size_t entries_of(const NameBuckets& names) { return names.buckets().size() * NSL_NAME_BUCKET_ENTRIES; }

// Whatever room was asked for: the table grows where it was too little.
TEST(NameBuckets, HoldsWhatWasAddedAndNothingElse) {
  const auto hashes = random_hashes(200'000);
  for (const std::size_t count : {0, 1, 3, 4, 5, 100, 100'000}) {
    for (const std::size_t room : {std::size_t{0}, count / 2, count}) {
      NameBuckets names(room);
      for (std::size_t i = 0; i < count; ++i) names.add(hashes[i].first, hashes[i].second, 1 + i % 3);
      EXPECT_EQ(names.size(), count);
      for (std::size_t i = 0; i < count; ++i) ASSERT_EQ(names.kinds(hashes[i].first, hashes[i].second), 1 + i % 3);
      for (std::size_t i = count; i < 200'000; ++i) ASSERT_EQ(names.kinds(hashes[i].first, hashes[i].second), 0U);
    }
  }
}

TEST(NameBuckets, BothHashesCount) {
  NameBuckets names(1);
  names.add(0x1234'0000'0000'0010, 0x5678'0000'0000'0010, NSL_NAME_EXACT);
  EXPECT_EQ(names.kinds(0x1234'0000'0000'0010, 0x5678'0000'0000'0010), NSL_NAME_EXACT);
  EXPECT_EQ(names.kinds(0x1234'0000'0000'0010, 0x5678'0000'0000'0011), 0U);
  EXPECT_EQ(names.kinds(0x1234'0000'0000'0110, 0x5678'0000'0000'0010), 0U);
  EXPECT_EQ(names.kinds(0, 0), 0U) << "an empty entry is no name";
}

TEST(NameBuckets, KindsOfOneNameAreUnited) {
  NameBuckets names(2);
  names.add(8, 9, NSL_NAME_EXACT);
  names.add(8, 9, NSL_NAME_BELOW);
  EXPECT_EQ(names.size(), 1U);
  EXPECT_EQ(names.kinds(8, 9), NSL_NAME_EXACT | NSL_NAME_BELOW);
}

TEST(NameBuckets, ANameTakesEighteenOctets) {
  const auto hashes = random_hashes(100'000);
  NameBuckets once(hashes.size());
  for (const Hashes& one : hashes) once.add(one.first, one.second, NSL_NAME_EXACT);
  EXPECT_LE(once.buckets().size_bytes(), hashes.size() * 18);

  NameBuckets thrice(3 * hashes.size());
  for (int i = 0; i < 3; ++i) {
    for (const Hashes& one : hashes) thrice.add(one.first, one.second, NSL_NAME_EXACT);
  }
  const std::size_t before = entries_of(thrice);
  thrice.fit();
  EXPECT_LT(entries_of(thrice), before / 2);
  EXPECT_LE(thrice.buckets().size_bytes(), hashes.size() * 18);
  for (const Hashes& one : hashes) ASSERT_EQ(thrice.kinds(one.first, one.second), NSL_NAME_EXACT);
}

}  // namespace
}  // namespace nslookout::compile
