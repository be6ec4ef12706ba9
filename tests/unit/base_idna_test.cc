// base/idna.h: labels outside ASCII.
#include "base/idna.h"

#include <gtest/gtest.h>

namespace nslookout {
namespace {

TEST(Idna, LabelsBecomeALabels) {
  EXPECT_EQ(labels_to_ascii("b\xC3\xBC"
                            "cher.test")
                .value(),
            "xn--bcher-kva.test");
  EXPECT_EQ(labels_to_ascii("B\xC3\x9C"
                            "CHER.Test")
                .value(),
            "xn--bcher-kva.Test");
  EXPECT_EQ(label_to_ascii("stra\xC3\x9F"
                           "e")
                .value(),
            "xn--strae-oqa");
  EXPECT_EQ(labels_to_ascii("plain_name.test.").value(), "plain_name.test.");
  EXPECT_EQ(labels_to_ascii("").value(), "");
}

TEST(Idna, WhatHasNoALabelIsAnError) {
  const Result<std::string> wrong = labels_to_ascii("\xFF.test");
  ASSERT_FALSE(wrong);
  EXPECT_EQ(wrong.error().kind, ErrorClass::invalid);
}

}  // namespace
}  // namespace nslookout
