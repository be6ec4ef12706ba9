#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "identity/kernel_process.h"

namespace nslookout::identity {
namespace {

struct PathCase {
  std::string reversed;
  bool truncated;
  const char* path;
};

TEST(PathFromReversed, TurnsTheComponentsRound) {
  const PathCase cases[] = {
      {"curl/bin/usr/", false, "/usr/bin/curl"},
      {"init/", false, "/init"},
      {"", false, ""},
      {"", true, ""},
      {"curl/bin/", true, ".../bin/curl"},
      {"curl/bin/us", true, ".../bin/curl"},
      {"a b\n/\xff/", false, "/\xff/a b\n"},
      {"nothing closed", true, ""},
  };
  for (const PathCase& c : cases) EXPECT_EQ(path_from_reversed(c.reversed, c.truncated), c.path) << c.reversed;
}

struct ArgvCase {
  std::string octets;
  std::vector<std::string> arguments;
};

TEST(SplitCommandLine, KeepsEveryArgument) {
  const ArgvCase cases[] = {
      {"", {}},
      {std::string("a\0", 2), {"a"}},
      {std::string("a\0\0b c\0", 7), {"a", "", "b c"}},
      {std::string("a\0\0", 3), {"a", ""}},
      {std::string("\0", 1), {""}},
      {std::string("cut\0he", 6), {"cut", "he"}},
      {"nginx: worker process", {"nginx: worker process"}},
  };
  for (const ArgvCase& c : cases) EXPECT_EQ(split_command_line(c.octets), c.arguments);
}

TEST(KernelProcess, ALineOfNothingButEmptyArgumentsIsCut) {
  bool cut = true;
  EXPECT_EQ(split_command_line(std::string(max_arguments, '\0'), &cut).size(), max_arguments);
  EXPECT_FALSE(cut);
  EXPECT_EQ(split_command_line(std::string(8192, '\0'), &cut).size(), max_arguments);
  EXPECT_TRUE(cut);
}

TEST(SplitVariables, AValueThatMayHaveBeenCutIsNotKnown) {
  struct Case {
    std::string octets;
    std::vector<std::pair<std::string, std::string>> variables;
  };
  const std::string longest(NSL_VARIABLE_MAX - 2 - 3, 'v');  // with "CI=" and the closing NUL, one octet is left
  const Case cases[] = {
      {"", {}},
      {std::string("CI=1\0JOB_NAME=\0", 15), {{"CI", "1"}, {"JOB_NAME", ""}}},
      {std::string("CI=1\0CI=2\0no variable\0", 22), {{"CI", "1"}}},
      {"CI=" + longest + '\0', {{"CI", longest}}},
      {"CI=" + longest + "v" + std::string("\0JOB_NAME=a\0", 12), {{"CI", std::string(cut_value)}, {"JOB_NAME", "a"}}},
      {"CI=" + longest + "v" + std::string("\0CI=1\0", 6), {{"CI", std::string(cut_value)}}},
  };
  for (const Case& c : cases) EXPECT_EQ(split_variables(c.octets), c.variables);
}

TEST(TextOf, AFullFieldHasNoNul) {
  const char full[4] = {'a', 'b', 'c', 'd'};
  const char shorter[4] = {'a', '\0', 'x', 'x'};
  EXPECT_EQ(text_of(full), "abcd");
  EXPECT_EQ(text_of(shorter), "a");
}

}  // namespace
}  // namespace nslookout::identity
