#include "base/base64.h"

#include <gtest/gtest.h>

namespace nslookout {
namespace {

TEST(Base64, IsPadded) {
  // RFC 4648 section 10.
  EXPECT_EQ(to_base64(""), "");
  EXPECT_EQ(to_base64("f"), "Zg==");
  EXPECT_EQ(to_base64("fo"), "Zm8=");
  EXPECT_EQ(to_base64("foobar"), "Zm9vYmFy");
  EXPECT_EQ(to_base64("\xFF\xFE\xFD"), "//79");
}

}  // namespace
}  // namespace nslookout
