#include <gtest/gtest.h>

#include <regex>
#include <set>
#include <string>

#include "event/event_id.h"

namespace nslookout::event {
namespace {

using std::chrono::milliseconds;

TEST(EventIds, AreUuidsOfVersion7WithTheTimeInFront) {
  EventIds ids(0x123, 0x1000);
  // RFC 9562 appendix A.6 has this time: 0x017F22E279B0 ms.
  EXPECT_EQ(ids.next(WallTime{milliseconds{0x017F22E279B0}}), "017f22e2-79b0-7123-8000-000000001001");
}

TEST(EventIds, CountUpSoThatASteppedClockRepeatsNone) {
  EventIds ids(0, 0);
  const WallTime time{milliseconds{1'774'915'200'000}};
  std::set<std::string> seen;
  std::string last;
  for (int i = 0; i < 1000; ++i) {
    const std::string id = ids.next(time);
    EXPECT_GT(id, last);
    last = id;
    seen.insert(id);
    seen.insert(ids.next(time - milliseconds{5}));
  }
  EXPECT_EQ(seen.size(), 2000U);
}

TEST(EventIds, CarryIntoTheUpperBits) {
  EventIds ids(0x0FF, ~0ULL);
  EXPECT_EQ(ids.next(WallTime{}), "00000000-0000-7100-8000-000000000000");
}

TEST(EventIds, OfTwoRunsDiffer) {
  auto first = EventIds::create();
  auto second = EventIds::create();
  ASSERT_TRUE(first && second);
  const std::string id = first->next(WallTime{});
  EXPECT_TRUE(std::regex_match(id, std::regex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")))
      << id;
  EXPECT_NE(id, second->next(WallTime{}));
}

}  // namespace
}  // namespace nslookout::event
