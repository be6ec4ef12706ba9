#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "bpf/abi.h"
#include "identity/variable_filter.h"

namespace nslookout::identity {
namespace {

// What is picked, with '|' for NUL on both sides.
std::string picked(std::string environment, std::size_t block) {
  for (char& octet : environment) octet = octet == '|' ? '\0' : octet;
  VariableFilter filter;
  for (std::string_view rest = environment; !rest.empty();) {
    filter.take(rest.substr(0, block));
    rest.remove_prefix(std::min(block, rest.size()));
  }
  std::string text = filter.finish();
  for (char& octet : text) octet = octet == '\0' ? '|' : octet;
  return text;
}

TEST(VariableFilter, OnlyAllowedNamesPass) {
  struct Case {
    const char* environment;
    const char* picked;
  };
  const std::vector<Case> cases = {
      {"", ""},
      {"||", ""},
      {"SECRET=1|PATH=/bin|", ""},
      {"CIRCLECI=true|", "CIRCLECI=true|"},
      {"CIRCLECI=true", "CIRCLECI=true|"},
      {"A=1|CIRCLECI=|npm_package_name=x=y|B=2|", "CIRCLECI=|npm_package_name=x=y|"},
      {"CIRCLECIX=1|XCIRCLECI=1|CIRCLEC=1|circleci=1|=CIRCLECI=1|CIRCLECI|", ""},
      {"A=CIRCLECI=1\nCIRCLECI=2|", ""},
      {"A_NAME_THAT_IS_LONGER_THAN_ALL_ALLOWED_ONES=CIRCLECI=1|CIRCLECI=2|", "CIRCLECI=2|"},
      {"A_NAME_THAT_IS_LONGER_THAN_31_OCIRCLECI=1|", ""},
      {"CIRCLECI=\n\xff\x1b|", "CIRCLECI=\n\xff\x1b|"},
  };
  for (const Case& one : cases) {
    for (const std::size_t block : {1U, 3U, 4096U}) EXPECT_EQ(picked(one.environment, block), one.picked) << block;
  }
}

TEST(VariableFilter, ValuesAndTheWholeAreBounded) {
  const std::string most = "CIRCLECI=" + std::string(NSL_VARIABLE_MAX - 10, 'v') + "|";
  ASSERT_EQ(most.size(), NSL_VARIABLE_MAX);
  EXPECT_EQ(picked("CIRCLECI=" + std::string(10'000'000, 'v') + "|", 4096), most);
  std::string many;
  for (int i = 0; i < 100; ++i) many += most;
  EXPECT_EQ(picked(many, 4096).size(), NSL_VARIABLES_AT);
}

}  // namespace
}  // namespace nslookout::identity
