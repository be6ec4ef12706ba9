// Which CI run a program belongs to. Names and values as each system documents them for a job.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "identity/environment_names.h"
#include "tests/unit/identity_origin_facts.h"

namespace nslookout::identity {
namespace {

const Environment github = {{"GITHUB_ACTIONS", "true"},          {"GITHUB_REPOSITORY", "axios/axios"},
                            {"GITHUB_WORKFLOW", "Build & test"}, {"GITHUB_JOB", "unit"},
                            {"GITHUB_ACTION", "__run_2"},        {"GITHUB_ACTION_REPOSITORY", ""},
                            {"GITHUB_RUN_ID", "1658821493"},     {"GITHUB_RUN_ATTEMPT", "3"}};
const Environment gitlab = {{"GITLAB_CI", "true"},        {"CI_PROJECT_PATH", "group/sub/project"},
                            {"CI_JOB_NAME", "rspec 1/2"}, {"CI_JOB_STAGE", "test"},
                            {"CI_PIPELINE_ID", "99"},     {"CI_PIPELINE_NAME", "nightly"},
                            {"CI_JOB_ID", "1001"}};
const Environment jenkins = {{"JENKINS_URL", "https://ci.example.test/"},
                             {"JOB_NAME", "folder/app/main"},
                             {"STAGE_NAME", "Install dependencies"},
                             {"BUILD_NUMBER", "41"}};
const Environment buildkite = {{"BUILDKITE", "true"},
                               {"BUILDKITE_ORGANIZATION_SLUG", "acme"},
                               {"BUILDKITE_PIPELINE_SLUG", "app"},
                               {"BUILDKITE_LABEL", ":npm: install"},
                               {"BUILDKITE_STEP_KEY", "install"},
                               {"BUILDKITE_BUILD_NUMBER", "1514"},
                               {"BUILDKITE_JOB_ID", "e44f9784"}};
const Environment circleci = {
    {"CIRCLECI", "true"},    {"CIRCLE_PROJECT_USERNAME", "acme"}, {"CIRCLE_PROJECT_REPONAME", "app"},
    {"CIRCLE_JOB", "build"}, {"CIRCLE_WORKFLOW_ID", "5f6a"},      {"CIRCLE_BUILD_NUM", "318"}};
const Environment azure = {{"TF_BUILD", "True"},
                           {"BUILD_REPOSITORY_NAME", "acme/app"},
                           {"BUILD_DEFINITIONNAME", "app-ci"},
                           {"SYSTEM_STAGENAME", "Build"},
                           {"SYSTEM_JOBDISPLAYNAME", "Linux"},
                           {"AGENT_JOBNAME", "Job"},
                           {"SYSTEM_TASKDISPLAYNAME", "npm ci"},
                           {"BUILD_BUILDID", "20260331"},
                           {"SYSTEM_JOBID", "12f1"},
                           {"SYSTEM_JOBATTEMPT", "1"}};

// "field=value", in the order of the schema, without those that are empty.
std::vector<std::string> ci_of(const std::vector<ProgramFacts>& nearest_first) {
  const auto origin = origin_of(nearest_first);
  if (!origin || !origin->ci) return {};
  const event::Ci& ci = *origin->ci;
  std::vector<std::string> out;
  const auto add = [&](const char* field, const std::string& value) {
    if (!value.empty()) out.push_back(std::string(field) + '=' + value);
  };
  add("system", ci.system);
  add("repository", ci.repository);
  add("workflow", ci.workflow);
  add("stage", ci.stage);
  add("job", ci.job);
  add("step", ci.step);
  add("action", ci.action);
  add("run_id", ci.run_id);
  add("job_id", ci.job_id);
  add("attempt", ci.attempt);
  return out;
}

Environment with(Environment environment, const std::string& name, const std::string& value) {
  for (auto& [existing, old] : environment) {
    if (existing == name) {
      old = value;
      return environment;
    }
  }
  environment.emplace_back(name, value);
  return environment;
}

TEST(OriginCi, EachSystem) {
  struct Case {
    const char* what;
    Environment environment;
    std::vector<std::string> ci;
  };
  const std::vector<Case> table = {
      {"GitHub, a step that runs a script",
       github,
       {"system=github-actions", "repository=axios/axios", "workflow=Build & test", "job=unit", "step=__run_2",
        "action=__run_2", "run_id=1658821493", "attempt=3"}},
      {"GitHub, a step that uses an action",
       with(with(with(github, "GITHUB_ACTION", "setup"), "GITHUB_ACTION_REPOSITORY", "actions/setup-node"),
            "GITHUB_ACTION_REF", "v4"),
       {"system=github-actions", "repository=axios/axios", "workflow=Build & test", "job=unit", "step=setup",
        "action=actions/setup-node@v4", "run_id=1658821493", "attempt=3"}},
      {"Gitea",
       with(github, "GITEA_ACTIONS", "true"),
       {"system=gitea-actions", "repository=axios/axios", "workflow=Build & test", "job=unit", "step=__run_2",
        "action=__run_2", "run_id=1658821493", "attempt=3"}},
      {"GitLab",
       gitlab,
       {"system=gitlab-ci", "repository=group/sub/project", "workflow=nightly", "stage=test", "job=rspec 1/2",
        "run_id=99", "job_id=1001"}},
      {"Jenkins", jenkins, {"system=jenkins", "job=folder/app/main", "step=Install dependencies", "run_id=41"}},
      {"Buildkite",
       buildkite,
       {"system=buildkite", "workflow=acme/app", "step=:npm: install", "run_id=1514", "job_id=e44f9784"}},
      {"Buildkite, a step without a label",
       with(buildkite, "BUILDKITE_LABEL", ""),
       {"system=buildkite", "workflow=acme/app", "step=install", "run_id=1514", "job_id=e44f9784"}},
      {"CircleCI", circleci, {"system=circleci", "repository=acme/app", "job=build", "run_id=5f6a", "job_id=318"}},
      {"CircleCI, of a project without an owner",
       with(circleci, "CIRCLE_PROJECT_USERNAME", ""),
       {"system=circleci", "job=build", "run_id=5f6a", "job_id=318"}},
      {"Azure",
       azure,
       {"system=azure-pipelines", "repository=acme/app", "workflow=app-ci", "stage=Build", "job=Linux", "step=npm ci",
        "run_id=20260331", "job_id=12f1", "attempt=1"}},
      {"variables without the marker", {{"GITHUB_REPOSITORY", "axios/axios"}, {"JOB_NAME", "x"}}, {}},
      {"a marker that says no", with(github, "GITHUB_ACTIONS", "false"), {}},
  };
  for (const Case& one : table) {
    EXPECT_EQ(ci_of({curl("/w", one.environment), program({"/bin/bash", "-e", "x.sh"}, "/w", one.environment)}), one.ci)
        << one.what;
  }
}

TEST(OriginCi, EveryVariableOfTheTestsIsAllowed) {
  for (const Environment& environment : {github, gitlab, jenkins, buildkite, circleci, azure}) {
    for (const auto& [name, value] : environment) {
      EXPECT_THAT(allowed_environment(), testing::Contains(name));
    }
  }
}

TEST(OriginCi, TheNearestProgramThatHasThemSpeaks) {
  EXPECT_THAT(ci_of({curl("/w"), program({"/bin/bash", "x.sh"}, "/w", github), program({"/runner"}, "/")}),
              testing::Contains("step=__run_2"));
  EXPECT_THAT(ci_of({curl("/w", with(github, "GITHUB_ACTION", "inner")), program({"/bin/bash", "x.sh"}, "/w", github)}),
              testing::Contains("step=inner"));
}

// A runner may be a job of another system: both systems' variables are there.
TEST(OriginCi, TheInnerSystemIsNamed) {
  const Environment both = gitlab + github;
  EXPECT_THAT(ci_of({curl("/w", both), program({"/runner"}, "/", gitlab), program({"/sbin/init"}, "/")}),
              testing::Contains("system=github-actions"));
  EXPECT_THAT(ci_of({curl("/w", both), program({"/runner"}, "/", github), program({"/sbin/init"}, "/")}),
              testing::Contains("system=gitlab-ci"));
  EXPECT_THAT(ci_of({curl("/w", both), program({"/sbin/init"}, "/")}), testing::IsEmpty())
      << "which of them is inside cannot be told";
}

TEST(OriginCi, PackageAndCiTogether) {
  const Environment npm = {{"npm_lifecycle_event", "postinstall"}, {"npm_package_name", "plain-crypto-js"}};
  const std::vector<ProgramFacts> chain = {curl("/w", github + npm),
                                           program({"node", "/usr/bin/npm", "ci"}, "/w", github)};
  EXPECT_EQ(package_text(chain), "npm plain-crypto-js - postinstall -");
  EXPECT_THAT(ci_of(chain), testing::Contains("workflow=Build & test"));
  EXPECT_FALSE(origin_of(std::vector<ProgramFacts>{}).has_value());
  EXPECT_FALSE(origin_of(std::vector<ProgramFacts>{curl("/w")}).has_value());
}

}  // namespace
}  // namespace nslookout::identity
