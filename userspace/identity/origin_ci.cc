#include "identity/origin_ci.h"

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace nslookout::identity {
namespace {

using Names = std::array<std::string_view, 2>;  // the first that has a value counts

// Where each field of event::Ci comes from.
struct System {
  std::string_view name;
  std::string_view marker, marker_value;  // the variable that says so; any value where the second is empty
  Names repository, workflow, stage, job, step, action, run_id, job_id, attempt;
};

constexpr auto systems = std::to_array<System>({
    {.name = "github-actions",
     .marker = "GITHUB_ACTIONS",
     .marker_value = "true",
     .repository = {"GITHUB_REPOSITORY"},
     .workflow = {"GITHUB_WORKFLOW"},
     .stage = {},
     .job = {"GITHUB_JOB"},
     .step = {"GITHUB_ACTION"},
     .action = {"GITHUB_ACTION_REPOSITORY", "GITHUB_ACTION"},
     .run_id = {"GITHUB_RUN_ID"},
     .job_id = {},
     .attempt = {"GITHUB_RUN_ATTEMPT"}},
    {.name = "gitlab-ci",
     .marker = "GITLAB_CI",
     .marker_value = "true",
     .repository = {"CI_PROJECT_PATH"},
     .workflow = {"CI_PIPELINE_NAME"},
     .stage = {"CI_JOB_STAGE"},
     .job = {"CI_JOB_NAME"},
     .step = {},
     .action = {},
     .run_id = {"CI_PIPELINE_ID"},
     .job_id = {"CI_JOB_ID"},
     .attempt = {}},
    {.name = "jenkins",
     .marker = "JENKINS_URL",
     .marker_value = {},
     .repository = {},
     .workflow = {},
     .stage = {},
     .job = {"JOB_NAME"},
     .step = {"STAGE_NAME"},
     .action = {},
     .run_id = {"BUILD_NUMBER"},
     .job_id = {},
     .attempt = {}},
    {.name = "buildkite",
     .marker = "BUILDKITE",
     .marker_value = "true",
     .repository = {},
     .workflow = {"BUILDKITE_PIPELINE_SLUG"},
     .stage = {},
     .job = {},
     .step = {"BUILDKITE_LABEL", "BUILDKITE_STEP_KEY"},
     .action = {},
     .run_id = {"BUILDKITE_BUILD_NUMBER"},
     .job_id = {"BUILDKITE_JOB_ID"},
     .attempt = {}},
    {.name = "circleci",
     .marker = "CIRCLECI",
     .marker_value = "true",
     .repository = {},
     .workflow = {},
     .stage = {},
     .job = {"CIRCLE_JOB"},
     .step = {},
     .action = {},
     .run_id = {"CIRCLE_WORKFLOW_ID"},
     .job_id = {"CIRCLE_BUILD_NUM"},
     .attempt = {}},
    {.name = "azure-pipelines",
     .marker = "TF_BUILD",
     .marker_value = "True",
     .repository = {"BUILD_REPOSITORY_NAME"},
     .workflow = {"BUILD_DEFINITIONNAME"},
     .stage = {"SYSTEM_STAGENAME"},
     .job = {"SYSTEM_JOBDISPLAYNAME", "AGENT_JOBNAME"},
     .step = {"SYSTEM_TASKDISPLAYNAME"},
     .action = {},
     .run_id = {"BUILD_BUILDID"},
     .job_id = {"SYSTEM_JOBID"},
     .attempt = {"SYSTEM_JOBATTEMPT"}},
});

bool is_marked(const System& system, const ProgramFacts& program) {
  return system.marker_value.empty() ? has_variable(program, system.marker)
                                     : variable(program, system.marker) == system.marker_value;
}

std::string first_value(const ProgramFacts& program, const Names& names) {
  for (const std::string_view name : names) {
    if (!name.empty() && has_variable(program, name)) return std::string(variable(program, name));
  }
  return {};
}

// "owner/name" of two variables that have half of it each; nothing where one is missing.
std::string joined(const ProgramFacts& program, std::string_view owner, char between, std::string_view name) {
  const std::string_view first = variable(program, owner);
  const std::string_view second = variable(program, name);
  if (first.empty() || second.empty()) return {};
  return std::string(first).append(1, between).append(second);
}

// What two variables say together, where both are there.
void join_halves(event::Ci& ci, const ProgramFacts& program) {
  const auto prefer = [](std::string& field, std::string whole) {
    if (!whole.empty()) field = std::move(whole);
  };
  if (ci.system == "github-actions") {
    prefer(ci.action, joined(program, "GITHUB_ACTION_REPOSITORY", '@', "GITHUB_ACTION_REF"));
  } else if (ci.system == "circleci") {
    prefer(ci.repository, joined(program, "CIRCLE_PROJECT_USERNAME", '/', "CIRCLE_PROJECT_REPONAME"));
  } else if (ci.system == "buildkite") {
    prefer(ci.workflow, joined(program, "BUILDKITE_ORGANIZATION_SLUG", '/', "BUILDKITE_PIPELINE_SLUG"));
  }
}

event::Ci describe(const System& system, const ProgramFacts& program) {
  event::Ci ci;
  ci.system = system.name;
  ci.repository = first_value(program, system.repository);
  ci.workflow = first_value(program, system.workflow);
  ci.stage = first_value(program, system.stage);
  ci.job = first_value(program, system.job);
  ci.step = first_value(program, system.step);
  ci.action = first_value(program, system.action);
  ci.run_id = first_value(program, system.run_id);
  ci.job_id = first_value(program, system.job_id);
  ci.attempt = first_value(program, system.attempt);
  join_halves(ci, program);
  // Gitea sets GitHub's variables, and this one of its own.
  if (ci.system == "github-actions" && variable(program, "GITEA_ACTIONS") == "true") ci.system = "gitea-actions";
  return ci;
}

}  // namespace

// A runner of one system may itself be a job of another: the inner one's variables came in nearer to the process.
std::optional<event::Ci> ci_of(Chain chain) {
  std::optional<event::Ci> found;
  std::size_t found_at = 0;
  bool ambiguous = false;
  for (const System& system : systems) {
    for (std::size_t i = 0; i < chain.size(); ++i) {
      if (!is_marked(system, chain[i])) continue;
      const std::size_t started = first_with_same(chain, i, {system.marker, system.run_id[0], system.job[0]});
      if (found && started > found_at) break;
      ambiguous = found && started == found_at;
      found = describe(system, chain[i]);
      found_at = started;
      break;
    }
  }
  if (ambiguous) return std::nullopt;
  return found;
}

}  // namespace nslookout::identity
