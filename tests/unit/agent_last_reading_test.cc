#include "agent/last_reading.h"

#include <gtest/gtest.h>

namespace nslookout::agent {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;

TEST(LastReading, ToTheEndOfWhatIsThere) {
  int left = 3;
  const Result<bool> all = read_to_the_end(hours{1}, [&]() -> Result<bool> { return --left > 0; });
  ASSERT_TRUE(all);
  EXPECT_TRUE(*all);
  EXPECT_EQ(left, 0);
}

TEST(LastReading, OfWhatComesWithoutEndForALimitedTime) {
  int turns = 0;
  const Result<bool> all = read_to_the_end(milliseconds{0}, [&]() -> Result<bool> {
    ++turns;
    return true;
  });
  ASSERT_TRUE(all);
  EXPECT_FALSE(*all);
  EXPECT_EQ(turns, 1) << "one turn there is always time for";
}

TEST(LastReading, AFailureEndsIt) {
  EXPECT_FALSE(read_to_the_end(hours{1}, []() -> Result<bool> { return fail(ErrorClass::runtime, "no ring"); }));
}

}  // namespace
}  // namespace nslookout::agent
