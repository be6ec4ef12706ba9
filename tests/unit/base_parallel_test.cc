#include "base/parallel.h"

#include <atomic>
#include <stdexcept>
#include <vector>

#include <gtest/gtest.h>

namespace nslookout {
namespace {

TEST(Parallel, EveryItemIsInExactlyOnePart) {
  for (const std::size_t items : {0U, 1U, 2U, 3U, 7U, 1000U}) {
    for (const std::size_t parts : {1U, 2U, 3U, 4U}) {
      std::vector<std::atomic<int>> seen(items);
      std::vector<std::atomic<int>> of_part(parts);
      in_parts(items, parts, [&](std::size_t part, std::size_t begin, std::size_t end) {
        ++of_part[part];
        for (std::size_t i = begin; i < end; ++i) ++seen[i];
      });
      for (const auto& times : seen) EXPECT_EQ(times, 1) << items << " items, " << parts << " parts";
      for (const auto& times : of_part) EXPECT_EQ(times, 1) << items << " items, " << parts << " parts";
    }
  }
}

TEST(Parallel, FewItemsAreNotWorthAThread) {
  EXPECT_EQ(parts_for(0), 1U);
  EXPECT_EQ(parts_for(1000), 1U);
  EXPECT_GE(parts_for(10'000'000), 1U);
  EXPECT_LE(parts_for(10'000'000), 4U);
}

TEST(Parallel, WhatAPartThrowsComesOut) {
  for (const std::size_t thrower : {0U, 1U, 3U}) {
    std::atomic<int> ended = 0;
    const auto work = [&](std::size_t part, std::size_t, std::size_t) {
      ++ended;
      if (part == thrower) throw std::runtime_error("part");
    };
    EXPECT_THROW(in_parts(4, 4, work), std::runtime_error);
    EXPECT_EQ(ended, 4) << "thrower " << thrower;
  }
}

}  // namespace
}  // namespace nslookout
