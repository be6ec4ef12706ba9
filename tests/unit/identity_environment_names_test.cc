// Which variables of other processes are read, and above all which are not.
#include <algorithm>
#include <cctype>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "identity/environment_names.h"
#include "tests/support/source_dir.h"

namespace nslookout::identity {
namespace {

bool is_allowed(std::string_view name) { return std::ranges::count(allowed_environment(), name) != 0; }

TEST(EnvironmentNames, FitAKeyOf32OctetsAndAreSortedWithoutRepetition) {
  const auto names = allowed_environment();
  for (const std::string_view name : names) {
    EXPECT_FALSE(name.empty());
    EXPECT_LE(name.size(), environment_name_max) << name;
  }
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(std::ranges::adjacent_find(names), names.end());
}

TEST(EnvironmentNames, NoNameLooksLikeASecretOrAnAddressThatMayHoldOne) {
  for (const std::string_view name : allowed_environment()) {
    std::string upper(name);
    std::ranges::transform(upper, upper.begin(), [](unsigned char octet) { return std::toupper(octet); });
    for (const char* word : {"TOKEN", "SECRET", "PASS", "KEY_", "_KEY", "CREDENTIAL", "AUTH", "COOKIE", "PROXY",
                             "REPO_URL", "GIT_URL", "BUILDKITE_REPO", "REGISTRY", "_ACCESS"}) {
      // The one exception is the name of a step in a Buildkite pipeline.
      if (name == "BUILDKITE_STEP_KEY") continue;
      EXPECT_EQ(upper.find(word), std::string::npos) << name << " contains " << word;
    }
  }
}

TEST(EnvironmentNames, SecretsOfEachCiAndPackageManagerAreNotRead) {
  for (const char* name : {"GITHUB_TOKEN",
                           "ACTIONS_RUNTIME_TOKEN",
                           "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
                           "NPM_TOKEN",
                           "NODE_AUTH_TOKEN",
                           "npm_config__auth",
                           "npm_config__authToken",
                           "npm_config_proxy",
                           "npm_config_registry",
                           "CI_JOB_TOKEN",
                           "CI_REGISTRY_PASSWORD",
                           "CI_JOB_JWT",
                           "CI_REPOSITORY_URL",
                           "CI_DEPLOY_PASSWORD",
                           "BUILDKITE_AGENT_ACCESS_TOKEN",
                           "BUILDKITE_REPO",
                           "CIRCLE_TOKEN",
                           "CIRCLE_REPOSITORY_URL",
                           "CIRCLE_OIDC_TOKEN",
                           "SYSTEM_ACCESSTOKEN",
                           "BUILD_REPOSITORY_URI",
                           "GIT_URL",
                           "PIP_INDEX_URL",
                           "UV_INDEX_URL",
                           "UV_PUBLISH_TOKEN",
                           "CARGO_REGISTRY_TOKEN",
                           "GEM_HOST_API_KEY",
                           "AWS_SECRET_ACCESS_KEY",
                           "HTTPS_PROXY",
                           "PATH",
                           "HOME",
                           "LD_PRELOAD",
                           ""}) {
    EXPECT_FALSE(is_allowed(name)) << name;
  }
}

TEST(EnvironmentNames, NamesAreExact) {
  EXPECT_TRUE(is_allowed("npm_package_name"));
  EXPECT_FALSE(is_allowed("NPM_PACKAGE_NAME"));
  EXPECT_FALSE(is_allowed("npm_package_name_"));
  EXPECT_FALSE(is_allowed("npm_package_"));
}

TEST(EnvironmentNames, TheDocumentationHasTheSameList) {
  std::ifstream file(source_dir() / "docs/origin.md");
  ASSERT_TRUE(file.is_open());
  std::vector<std::string> documented;
  bool announced = false, inside = false;
  for (std::string line; std::getline(file, line);) {
    if (line == "```") {
      inside = announced && !inside;
      announced = inside;
    } else if (inside) {
      documented.push_back(line);
    }
    announced = announced || line.starts_with("<!-- list:");
  }
  EXPECT_THAT(documented, testing::ElementsAreArray(allowed_environment()));
}

}  // namespace
}  // namespace nslookout::identity
