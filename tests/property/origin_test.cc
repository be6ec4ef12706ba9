// origin_of on random and hostile facts: it invents nothing, reads nothing that is not allowed, and a process about
// which nothing is known changes nothing. NSLOOKOUT_PROPERTY_SEED and NSLOOKOUT_PROPERTY_ROUNDS repeat or extend a run.
#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "event/codec.h"
#include "identity/environment_names.h"
#include "identity/origin.h"
#include "tests/property/environment.h"

namespace nslookout::identity {
namespace {

using Random = std::mt19937_64;
using Words = std::vector<std::string>;

std::size_t below(Random& random, std::size_t limit) {
  return std::uniform_int_distribution<std::size_t>(0, limit - 1)(random);
}

const std::string& pick(Random& random, const Words& words) { return words[below(random, words.size())]; }

const Words hostile = {"",
                       "\xff\xfe",
                       "\"},\"pid\":1,{\"",
                       "a\nb\r\n",
                       std::string("nul\0nul", 7),
                       "\x1b[2J",
                       "\xe2\x80\xa8",
                       "../../..",
                       "-",
                       "==",
                       "/",
                       "@",
                       std::string(70'000, 'x'),
                       std::string(5'000, '-'),
                       std::string(5'000, '/')};
const Words arguments = {"pip",
                         "/usr/bin/pip3",
                         "-m",
                         "install",
                         "wheel",
                         "-c",
                         "-r",
                         "-t",
                         "./evil-1.0.tar.gz",
                         "evil==1.0",
                         "evil[x]==2.0",
                         "_in_process.py",
                         "build_wheel",
                         "<pip-setuptools-caller>",
                         "gem",
                         "/usr/bin/bundle",
                         "extconf.rb",
                         "make",
                         "node",
                         "npm",
                         "yarn.js",
                         "/usr/bin/uv",
                         "/c/builds-v0/x/bin/python",
                         "import x as backend",
                         "build-script-build"};
const Words folders = {"",
                       "/",
                       "/tmp/pip-install-1/evil_0123456789abcdef0123456789abcdef",
                       "/tmp/pip-req-build-1",
                       "/g/gems/evil-1.0/ext",
                       "/g/gems",
                       "/g/gems/gems/a-1.0",
                       "/c/sdists-v9/pypi/evil/1.0/x/src",
                       "/c/sdists-v9/index/d/evil",
                       "/c/sdists-v9/pypi",
                       "/h/pkg/mod/a.test/!m@v1/x",
                       "/h/pkg/mod/@",
                       "/home/dev/evil-1.0",
                       "relative-1.0",
                       "/tmp/pip-install-1",
                       "/tmp/pip-wheel-1/"};
const Words values = {"true",   "True",           "1", "2", "npx", "postinstall", "evil", "1.0", "npm/1",
                      "yarn/1", "/a/package.json"};

std::string text(Random& random, const Words& usual) {
  return below(random, 6) == 0 ? pick(random, hostile) : pick(random, usual);
}

ProgramFacts random_program(Random& random) {
  ProgramFacts program;
  program.executable = text(random, arguments);
  for (std::size_t i = below(random, 6); i > 0; --i) program.command_line.push_back(text(random, arguments));
  program.cwd = text(random, folders);
  const auto names = allowed_environment();
  for (std::size_t i = below(random, 12); i > 0; --i) {
    program.environment.emplace_back(names[below(random, names.size())], text(random, values));
  }
  return program;
}

std::vector<ProgramFacts> random_chain(Random& random) {
  std::vector<ProgramFacts> chain(below(random, 6));
  for (ProgramFacts& program : chain) program = random_program(random);
  // Half of the variables are inherited, as they are on a real machine.
  for (std::size_t i = chain.size(); i-- > 1;) {
    if (below(random, 2) == 0) chain[i - 1].environment = chain[i].environment;
  }
  return chain;
}

Words texts_of(const std::optional<event::Origin>& origin) {
  Words out;
  if (!origin) return out;
  if (const auto& package = origin->package) {
    out.insert(out.end(), {package->manager, package->name, package->version, package->script, package->path});
  }
  if (const auto& ci = origin->ci) {
    out.insert(out.end(), {ci->system, ci->repository, ci->workflow, ci->stage, ci->job, ci->step, ci->action,
                           ci->run_id, ci->job_id, ci->attempt});
  }
  return out;
}

bool is_a_fact(std::string_view piece, const std::vector<ProgramFacts>& chain) {
  for (const ProgramFacts& program : chain) {
    if (program.executable.find(piece) != std::string::npos || program.cwd.find(piece) != std::string::npos)
      return true;
    const auto holds = [piece](const std::string& whole) { return whole.find(piece) != std::string::npos; };
    if (std::ranges::any_of(program.command_line, holds)) return true;
    if (std::ranges::any_of(program.environment, [&](const auto& one) { return holds(one.second); })) return true;
  }
  return false;
}

// Part of a fact, or a word of the schema, or two facts with what joins them; "!m" of the module cache is "M".
bool is_invented(const std::string& shown, const std::vector<ProgramFacts>& chain) {
  const Words own = {"npm",   "pnpm", "yarn", "bun",  "pip",  "pep517",   "uv",
                     "cargo", "gem",  "go",   "dpkg", "make", "generate", "a.test/M"};
  const Words systems = {"github-actions", "gitea-actions", "gitlab-ci",      "jenkins",
                         "buildkite",      "circleci",      "azure-pipelines"};
  if (std::ranges::count(own, shown) + std::ranges::count(systems, shown) > 0 || is_a_fact(shown, chain)) return false;
  for (std::size_t i = 0; i < shown.size(); ++i) {
    if (shown[i] != '/' && shown[i] != '@') continue;
    if (is_a_fact(shown.substr(0, i), chain) && is_a_fact(shown.substr(i + 1), chain)) return false;
  }
  return true;
}

TEST(OriginProperty, HostileFactsGiveOneLineAndNothingInvented) {
  Random random(from_environment("NSLOOKOUT_PROPERTY_SEED", 4));
  std::size_t packages = 0, runs = 0;
  for (std::uint64_t round = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 4'000); round > 0; --round) {
    const std::vector<ProgramFacts> chain = random_chain(random);
    const auto origin = origin_of(chain);
    packages += origin && origin->package ? 1 : 0;
    runs += origin && origin->ci ? 1 : 0;
    for (const std::string& shown : texts_of(origin)) {
      ASSERT_FALSE(is_invented(shown, chain)) << shown.substr(0, 200);
    }
    if (round % 16 != 0) continue;
    event::Event event;
    event.origin = origin;
    const std::string line = event::to_json_line(event);
    ASSERT_EQ(line.find('\n'), std::string::npos);
    ASSERT_TRUE(nlohmann::json::accept(line));
  }
  EXPECT_GT(packages, 100U) << "the facts are such that packages are found";
  EXPECT_GT(runs, 100U);
}

TEST(OriginProperty, VariablesThatAreNotAllowedAndUnknownChildrenChangeNothing) {
  Random random(from_environment("NSLOOKOUT_PROPERTY_SEED", 5));
  for (std::uint64_t round = from_environment("NSLOOKOUT_PROPERTY_ROUNDS", 2'000); round > 0; --round) {
    std::vector<ProgramFacts> chain = random_chain(random);
    const Words before = texts_of(origin_of(chain));
    for (ProgramFacts& program : chain) {
      for (const char* name : {"GITHUB_TOKEN", "npm_package_name_", "NPM_PACKAGE_NAME", "CI", ""}) {
        const auto at = static_cast<std::ptrdiff_t>(below(random, program.environment.size() + 1));
        program.environment.insert(program.environment.begin() + at, {name, "true"});
      }
    }
    ASSERT_EQ(texts_of(origin_of(chain)), before);
    chain.insert(chain.begin(), ProgramFacts{});
    ASSERT_EQ(texts_of(origin_of(chain)), before);
  }
}

}  // namespace
}  // namespace nslookout::identity
