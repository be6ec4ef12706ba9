#include "identity/origin_package.h"

#include <algorithm>
#include <array>
#include <string>
#include <string_view>

namespace nslookout::identity {
namespace {

// "npm", "npm-cli.js", "npx", "pnpm.cjs", "yarn-4.1.0.cjs", "yarnpkg", "bun.exe": the manager that a program is.
std::string_view manager_called(std::string_view program) {
  struct Called {
    std::string_view begin, manager;
  };
  constexpr auto known = std::to_array<Called>({{"npm", "npm"},
                                                {"npx", "npm"},
                                                {"pnpm", "pnpm"},
                                                {"pnpx", "pnpm"},
                                                {"yarnpkg", "yarn"},
                                                {"yarn", "yarn"},
                                                {"bunx", "bun"},
                                                {"bun", "bun"}});
  const std::string_view name = base_name(program);
  for (const Called& called : known) {
    if (!name.starts_with(called.begin)) continue;
    if (name.size() == called.begin.size() ||
        std::string_view(".-").find(name[called.begin.size()]) != std::string_view::npos) {
      return called.manager;
    }
  }
  return {};
}

// A manager that another one's script started does not replace all of the other's variables: npm keeps the
// user agent, yarn the path, bun both. The program that started the script is the manager, where it shows; the
// variables are believed where they do not contradict each other.
std::string_view manager_that_started(Chain chain, std::size_t started) {
  if (started + 1 >= chain.size()) return {};
  const ProgramFacts& starter = chain[started + 1];
  std::string_view manager = manager_called(starter.executable);
  for (std::size_t i = 0; manager.empty() && i < std::min<std::size_t>(starter.command_line.size(), 2); ++i) {
    manager = manager_called(starter.command_line[i]);
  }
  return manager;
}

std::string_view node_manager(Chain chain, std::size_t started) {
  if (const std::string_view manager = manager_that_started(chain, started); !manager.empty()) return manager;
  // "pnpm/9.15.9 npm/? node/v20.20.2 linux x64"; a user may have configured any text.
  const std::string_view agent = variable(chain[started], "npm_config_user_agent");
  const std::string_view by_agent = manager_called(agent.substr(0, agent.find('/')));
  const std::string_view by_path = manager_called(variable(chain[started], "npm_execpath"));
  if (by_agent.empty() || by_path.empty()) return by_agent.empty() ? by_path : by_agent;
  return by_agent == by_path ? by_agent : std::string_view();
}

std::string folder_of(std::string_view file) {
  const std::size_t slash = file.rfind('/');
  return std::string(slash == std::string_view::npos ? std::string_view() : file.substr(0, slash));
}

// pnpm and yarn 1 do not say the package's folder, and yarn 1 leaves what an outer manager said of another package. They
// start each script in the folder of its package.
std::string node_folder(Chain chain, std::size_t started) {
  const std::string_view said = variable(chain[started], "npm_package_json");
  const std::string_view manager = manager_that_started(chain, started);
  if (manager != "pnpm" && manager != "yarn") return folder_of(said);
  return said == variable(chain[started + 1], "npm_package_json") ? chain[started].cwd : folder_of(said);
}

// ".../pkg/mod/github.com/owner/module@v1.2.3/sub" -> the module, and its version without the "v" being cut: it is part
// of it. In the module cache an upper-case letter is '!' and the lower-case one (golang.org/ref/mod, module cache).
std::optional<NameVersion> cached_module(std::string_view folder) {
  constexpr std::string_view cache = "/pkg/mod/";
  const std::size_t at_cache = folder.find(cache);
  if (at_cache == std::string_view::npos) return std::nullopt;
  const std::string_view module = folder.substr(at_cache + cache.size());
  const std::size_t at = module.find('@');
  if (at == std::string_view::npos || at == 0) return std::nullopt;
  const std::string_view version = module.substr(at + 1);
  return NameVersion{module.substr(0, at), version.substr(0, version.find('/'))};
}

std::string unescape_module(std::string_view path) {
  std::string out;
  bool upper = false;
  for (const char octet : path) {
    if (octet == '!' && !upper) {
      upper = true;
      continue;
    }
    out += upper && octet >= 'a' && octet <= 'z' ? static_cast<char>(octet - 'a' + 'A') : octet;
    upper = false;
  }
  return out;
}

}  // namespace

// `npx` and `npm exec` run another package's program, but say the name of the project they were called in.
std::optional<PackageEvidence> node_script(Chain chain) {
  const auto nearest = nearest_with(chain, "npm_lifecycle_event");
  if (!nearest) return std::nullopt;
  const ProgramFacts& program = chain[*nearest];
  PackageEvidence evidence;
  evidence.started = first_with_same(
      chain, *nearest, {"npm_package_name", "npm_package_version", "npm_lifecycle_event", "npm_package_json"});
  event::Package& package = evidence.package;
  package.manager = node_manager(chain, evidence.started);
  package.script = variable(program, "npm_lifecycle_event");
  if (package.script == "npx") return evidence;
  package.name = variable(program, "npm_package_name");
  package.version = variable(program, "npm_package_version");
  package.path = node_folder(chain, evidence.started);
  return evidence;
}

// Set for build scripts, for rustc, and for what `cargo run` and `cargo test` start.
std::optional<PackageEvidence> cargo_program(Chain chain) {
  const auto nearest = nearest_with(chain, "CARGO_PKG_NAME");
  if (!nearest) return std::nullopt;
  const ProgramFacts& program = chain[*nearest];
  PackageEvidence evidence;
  evidence.started = first_with_same(chain, *nearest, {"CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_MANIFEST_DIR"});
  event::Package& package = evidence.package;
  package.manager = "cargo";
  package.name = variable(program, "CARGO_PKG_NAME");
  package.version = variable(program, "CARGO_PKG_VERSION");
  package.path = variable(program, "CARGO_MANIFEST_DIR");
  const std::string_view started = base_name(chain[evidence.started].executable);
  if (started.starts_with("build-script-")) package.script = started;
  return evidence;
}

// A Go package does not say its import path; only the module cache does. Directives run in the package's folder.
std::optional<PackageEvidence> go_generate(Chain chain) {
  const auto nearest = nearest_with(chain, "GOPACKAGE");
  if (!nearest || !has_variable(chain[*nearest], "GOFILE")) return std::nullopt;
  PackageEvidence evidence;
  evidence.started = first_with_same(chain, *nearest, {"GOPACKAGE", "GOFILE"});
  event::Package& package = evidence.package;
  package.manager = "go";
  package.name = variable(chain[*nearest], "GOPACKAGE");
  package.script = "generate";
  package.path = chain[evidence.started].cwd;
  if (const auto module = cached_module(package.path)) {
    package.version = module->version;
    package.name = unescape_module(module->name);
  }
  return evidence;
}

std::optional<PackageEvidence> dpkg_script(Chain chain) {
  const auto nearest = nearest_with(chain, "DPKG_MAINTSCRIPT_PACKAGE");
  if (!nearest) return std::nullopt;
  PackageEvidence evidence;
  evidence.started = first_with_same(chain, *nearest, {"DPKG_MAINTSCRIPT_PACKAGE", "DPKG_MAINTSCRIPT_NAME"});
  evidence.package.manager = "dpkg";
  evidence.package.name = variable(chain[*nearest], "DPKG_MAINTSCRIPT_PACKAGE");
  evidence.package.script = variable(chain[*nearest], "DPKG_MAINTSCRIPT_NAME");
  return evidence;
}

// What the outermost make starts has level 1, and starts in make's own folder (after its -C).
std::optional<PackageEvidence> make_recipe(Chain chain) {
  std::optional<PackageEvidence> evidence;
  for (std::size_t i = 0; i < chain.size(); ++i) {
    if (variable(chain[i], "MAKELEVEL") != "1" || chain[i].cwd.empty()) continue;
    evidence.emplace();
    evidence->package.manager = "make";
    evidence->package.path = chain[i].cwd;
    evidence->started = i;
  }
  return evidence;
}

std::optional<event::Package> package_of(Chain chain) {
  std::optional<PackageEvidence> innermost;
  bool ambiguous = false;
  for (const auto find : {node_script, cargo_program, go_generate, dpkg_script, pip_build, uv_build, gem_extension}) {
    auto evidence = find(chain);
    if (!evidence || (innermost && evidence->started > innermost->started)) continue;
    ambiguous = innermost && evidence->started == innermost->started;
    innermost = std::move(evidence);
  }
  if (!innermost) innermost = make_recipe(chain);
  if (!innermost || ambiguous) return std::nullopt;
  return std::move(innermost->package);
}

}  // namespace nslookout::identity
