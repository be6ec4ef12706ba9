// What is named where the variables of a program in the chain were lost.
#include <gtest/gtest.h>

#include <vector>

#include "tests/unit/identity_origin_facts.h"

namespace nslookout::identity {
namespace {

const Environment outer = {{"npm_lifecycle_event", "build"},
                           {"npm_package_name", "outer"},
                           {"npm_package_version", "1.0.0"},
                           {"GITHUB_ACTIONS", "true"},
                           {"GITHUB_RUN_ID", "7"}};

ProgramFacts lost(ProgramFacts program) {
  program.environment_lost = true;
  return program;
}

TEST(OriginOfLostVariables, NothingFartherAwayIsNamed) {
  const std::vector<ProgramFacts> known = {curl("/srv"), program({"/bin/sh"}, "/srv"),
                                           program({"/bin/sh"}, "/srv", outer)};
  ASSERT_TRUE(origin_of(known));
  EXPECT_EQ(origin_of(known)->package->name, "outer");
  EXPECT_FALSE(origin_of(std::vector{lost(known[0]), known[1], known[2]}));
  EXPECT_FALSE(origin_of(std::vector{known[0], lost(known[1]), known[2]}));
}

TEST(OriginOfLostVariables, WhatIsNearerIsNamed) {
  const auto origin = origin_of(std::vector{curl("/srv", outer), lost(program({"/bin/sh"}, "/srv")),
                                            program({"/bin/sh"}, "/srv", {{"npm_lifecycle_event", "test"}})});
  ASSERT_TRUE(origin && origin->package && origin->ci);
  EXPECT_EQ(origin->package->name, "outer");
  EXPECT_EQ(origin->ci->run_id, "7");
}

// pip starts the hook itself: its command line tells, and is there all the same.
TEST(OriginOfLostVariables, CommandLinesAreStillRead) {
  const auto origin = origin_of(
      std::vector{curl("/tmp/demo-1.4.0"), program({"python3", "/x/_in_process.py", "build_wheel"}, "/tmp/demo-1.4.0"),
                  lost(program({"python3", "-m", "pip", "install", "/tmp/demo-1.4.0"}, "/srv")),
                  program({"/bin/sh"}, "/srv", outer)});
  ASSERT_TRUE(origin && origin->package);
  EXPECT_EQ(origin->package->manager, "pip");
  EXPECT_EQ(origin->package->name, "demo");
  EXPECT_FALSE(origin->ci);
}

}  // namespace
}  // namespace nslookout::identity
