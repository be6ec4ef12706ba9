// base/system_authorities.h: where a host has its certificate authorities.
#include "base/system_authorities.h"

#include <gtest/gtest.h>

#include <array>

namespace nslookout {
namespace {

TEST(SystemAuthorities, AreWhatTheVariableNamesElseTheFirstThatIsThere) {
  constexpr std::array<const char*, 3> usual = {"/not/there", "/proc/self/status", "/proc/self/stat"};
  EXPECT_EQ(system_authorities("/also/not/there", usual), "/also/not/there");
  EXPECT_EQ(system_authorities(nullptr, usual), "/proc/self/status");
  EXPECT_EQ(system_authorities("", usual), "/proc/self/status");
  EXPECT_EQ(system_authorities(nullptr, std::span(usual).first(1)), "");
}

}  // namespace
}  // namespace nslookout
