#include "identity/environment_names.h"

#include <algorithm>
#include <array>

namespace nslookout::identity {
namespace {

constexpr auto names = std::to_array<std::string_view>({
    "AGENT_JOBNAME",
    "BUILDKITE",
    "BUILDKITE_BUILD_NUMBER",
    "BUILDKITE_JOB_ID",
    "BUILDKITE_LABEL",
    "BUILDKITE_ORGANIZATION_SLUG",
    "BUILDKITE_PIPELINE_SLUG",
    "BUILDKITE_STEP_KEY",
    "BUILD_BUILDID",
    "BUILD_DEFINITIONNAME",
    "BUILD_NUMBER",
    "BUILD_REPOSITORY_NAME",
    "CARGO_MANIFEST_DIR",
    "CARGO_PKG_NAME",
    "CARGO_PKG_VERSION",
    "CIRCLECI",
    "CIRCLE_BUILD_NUM",
    "CIRCLE_JOB",
    "CIRCLE_PROJECT_REPONAME",
    "CIRCLE_PROJECT_USERNAME",
    "CIRCLE_WORKFLOW_ID",
    "CI_JOB_ID",
    "CI_JOB_NAME",
    "CI_JOB_STAGE",
    "CI_PIPELINE_ID",
    "CI_PIPELINE_NAME",
    "CI_PROJECT_PATH",
    "DPKG_MAINTSCRIPT_NAME",
    "DPKG_MAINTSCRIPT_PACKAGE",
    "GITEA_ACTIONS",
    "GITHUB_ACTION",
    "GITHUB_ACTIONS",
    "GITHUB_ACTION_REF",
    "GITHUB_ACTION_REPOSITORY",
    "GITHUB_JOB",
    "GITHUB_REPOSITORY",
    "GITHUB_RUN_ATTEMPT",
    "GITHUB_RUN_ID",
    "GITHUB_WORKFLOW",
    "GITLAB_CI",
    "GOFILE",
    "GOPACKAGE",
    "JENKINS_URL",
    "JOB_NAME",
    "MAKELEVEL",
    "PEP517_BUILD_BACKEND",
    "PIP_BUILD_TRACKER",
    "PIP_REQ_TRACKER",
    "STAGE_NAME",
    "SYSTEM_JOBATTEMPT",
    "SYSTEM_JOBDISPLAYNAME",
    "SYSTEM_JOBID",
    "SYSTEM_STAGENAME",
    "SYSTEM_TASKDISPLAYNAME",
    "TF_BUILD",
    "_PYPROJECT_HOOKS_BUILD_BACKEND",
    "npm_config_user_agent",
    "npm_execpath",
    "npm_lifecycle_event",
    "npm_package_json",
    "npm_package_name",
    "npm_package_version",
});

static_assert(std::is_sorted(names.begin(), names.end()));
static_assert(std::all_of(names.begin(), names.end(),
                          [](std::string_view name) { return name.size() <= environment_name_max; }));

}  // namespace

std::span<const std::string_view> allowed_environment() { return names; }

}  // namespace nslookout::identity
