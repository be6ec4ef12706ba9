// Builds whose tool sets no variables of the package: pip, uv and gem. They show by argv and cwd of the program that
// the tool starts for the build, which nothing inherits.
#include <algorithm>
#include <array>
#include <cctype>
#include <string>
#include <string_view>

#include "identity/origin_package.h"

namespace nslookout::identity {
namespace {

using Arguments = std::span<const std::string>;

// "pip", "pip3.11" for "pip".
bool is_program(std::string_view path, std::string_view program) {
  const std::string_view name = base_name(path);
  return name.starts_with(program) && name.find_first_not_of("0123456789.", program.size()) == std::string_view::npos;
}

// ---- paths ----------------------------------------------------------------------------------------------------------

// One component of a path, and where it ends in it.
struct Component {
  std::string_view name;
  std::size_t end = 0;
};

Component component_at(std::string_view path, std::size_t begin) {
  if (begin >= path.size()) return {{}, path.size()};
  const std::size_t end = std::min(path.find('/', begin), path.size());
  return {path.substr(begin, end - begin), end};
}

template <typename Condition>
std::optional<Component> find_component(std::string_view path, Condition condition) {
  for (std::size_t begin = 0; begin < path.size();) {
    const Component here = component_at(path, begin);
    if (condition(here.name)) return here;
    begin = here.end + 1;
  }
  return std::nullopt;
}

// The component that follows the first one for which the condition holds; it may be empty.
template <typename Condition>
std::optional<Component> component_after(std::string_view path, Condition condition) {
  const auto found = find_component(path, condition);
  if (!found) return std::nullopt;
  return component_at(path, found->end + 1);
}

// "sdists-v9" for "sdists-v".
bool is_numbered(std::string_view name, std::string_view prefix) {
  return name.starts_with(prefix) && name.size() > prefix.size() &&
         name.find_first_not_of("0123456789", prefix.size()) == std::string_view::npos;
}

// ---- pip and PEP 517 ------------------------------------------------------------------------------------------------

// PEP 503: runs of '-', '_' and '.' are one, and case does not matter.
std::string canonical_name(std::string_view name) {
  std::string out;
  for (const char octet : name) {
    const bool separator = octet == '-' || octet == '_' || octet == '.';
    if (!separator) {
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(octet)));
    } else if (!out.ends_with('-')) {
      out += '-';
    }
  }
  return out;
}

// What pip was told to do; nothing for another program. Its name is among the first arguments ("python3 -m pip
// install …", "python3 /usr/bin/pip3 install …").
std::optional<Arguments> pip_arguments(const ProgramFacts& program) {
  const Arguments all = program.command_line;
  for (std::size_t i = 0; i < std::min<std::size_t>(all.size(), 4); ++i) {
    const bool module = all[i] == "pip" && i > 0 && all[i - 1] == "-m";
    if (!module && !is_program(all[i], "pip") && base_name(all[i]) != "__pip-runner__.py") continue;
    const Arguments rest = all.subspan(i + 1);
    const auto command = std::ranges::find_if(
        rest, [](std::string_view word) { return word == "install" || word == "wheel" || word == "download"; });
    if (command == rest.end()) return std::nullopt;
    return rest.subspan(static_cast<std::size_t>(command - rest.begin()) + 1);
  }
  return std::nullopt;
}

// Of the options with a value those that name no package. The value of any other one counts as a requirement, so that
// with an unknown option nothing is named, rather than something wrong.
bool takes_unrelated_value(std::string_view option) {
  constexpr auto options = std::to_array<std::string_view>({"-t",
                                                            "--target",
                                                            "-i",
                                                            "--index-url",
                                                            "--extra-index-url",
                                                            "-f",
                                                            "--find-links",
                                                            "-c",
                                                            "--constraint",
                                                            "--prefix",
                                                            "--root",
                                                            "-w",
                                                            "--wheel-dir",
                                                            "-d",
                                                            "--dest",
                                                            "--cache-dir",
                                                            "--trusted-host",
                                                            "--timeout",
                                                            "--retries",
                                                            "--cert",
                                                            "--log",
                                                            "--python",
                                                            "-C",
                                                            "--config-settings"});
  return std::ranges::count(options, option) != 0;
}

std::vector<std::string_view> requirements(Arguments arguments) {
  std::vector<std::string_view> found;
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word = arguments[i];
    if (takes_unrelated_value(word)) {
      ++i;
    } else if (!word.starts_with('-')) {
      found.push_back(word);
    }
  }
  return found;
}

// The one archive that pip was given, if it was given nothing else: NAME-VERSION.tar.gz.
std::optional<NameVersion> only_archive(Arguments arguments) {
  const auto given = requirements(arguments);
  if (given.size() != 1) return std::nullopt;
  const std::string_view file = base_name(given.front());
  for (const std::string_view suffix : {".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".zip"}) {
    if (file.ends_with(suffix)) return split_name_version(file.substr(0, file.size() - suffix.size()));
  }
  return std::nullopt;
}

// The version in "NAME==VERSION", where exactly one argument asks for that name.
std::string pinned_version(Arguments arguments, std::string_view name) {
  std::string version;
  int asked = 0;
  for (const std::string_view requirement : requirements(arguments)) {
    const std::size_t end = std::min(requirement.find_first_of("=<>!~ ;@["), requirement.size());
    if (canonical_name(requirement.substr(0, end)) != canonical_name(name)) continue;
    ++asked;
    const std::string_view rest = requirement.substr(end);
    if (rest.starts_with("==") && rest.find_first_of(",;* ") == std::string_view::npos) version = rest.substr(2);
  }
  return asked == 1 ? version : std::string();
}

// A program that runs a hook of a build: its name ("build_wheel"), empty where argv was cut before it.
std::optional<std::string> build_hook(const ProgramFacts& program) {
  const Arguments all = program.command_line;
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (base_name(all[i]) == "_in_process.py") return i + 1 < all.size() ? all[i + 1] : std::string();
    if (i == 0 || all[i - 1] != "-c" || all[i].find("pip-setuptools-caller") == std::string::npos) continue;
    for (const std::string& word : all.subspan(i + 1)) {
      if (!word.starts_with('-')) return word;
    }
    return std::string();
  }
  return std::nullopt;
}

bool built_by_pip(const ProgramFacts& program) {
  return has_variable(program, "PIP_BUILD_TRACKER") || has_variable(program, "PIP_REQ_TRACKER");
}

// "evil-lib_2f8d1532f64845b6a6e0a605808a416e" -> evil-lib: where pip unpacks what it was asked for by name, in a
// folder pip-install-XXXXXXXX (pip-wheel-, pip-download-).
std::optional<std::string_view> unpacked_name(std::string_view folder) {
  constexpr std::size_t unique = 32;  // hexadecimal digits of a UUID
  if (folder.size() < unique + 2) return std::nullopt;
  const std::string_view digits = folder.substr(folder.size() - unique);
  if (digits.find_first_not_of("0123456789abcdef") != std::string_view::npos) return std::nullopt;
  const std::string_view name = folder.substr(0, folder.size() - unique);
  if (!name.ends_with('_')) return std::nullopt;
  return name.substr(0, name.size() - 1);
}

bool is_unpacking_folder(std::string_view name) {
  return name.starts_with("pip-install-") || name.starts_with("pip-wheel-") || name.starts_with("pip-download-");
}

void name_pip_package(event::Package& package, std::string_view cwd, const std::optional<Arguments>& pip) {
  package.path = cwd;
  const auto unpacked = component_after(cwd, is_unpacking_folder);
  if (const auto name = unpacked ? unpacked_name(unpacked->name) : std::nullopt) {
    package.path = cwd.substr(0, unpacked->end);
    package.name = *name;
    if (pip) package.version = pinned_version(*pip, *name);
    return;
  }
  // Files and addresses are unpacked in a folder without a name; a folder is built where it is.
  const bool nameless =
      find_component(cwd, [](std::string_view name) { return name.starts_with("pip-req-build-"); }).has_value();
  std::optional<NameVersion> found;
  if (!nameless) {
    found = split_name_version(base_name(cwd));
  } else if (pip) {
    found = only_archive(*pip);
  }
  if (!found) return;
  package.name = found->name;
  package.version = found->version;
}

// ---- uv -------------------------------------------------------------------------------------------------------------

// The name of the hook in the script that uv gives to Python; the longer names first, since they hold shorter ones.
std::string hook_in_script(std::string_view script) {
  for (const std::string_view hook :
       {"get_requires_for_build_wheel", "get_requires_for_build_editable", "get_requires_for_build_sdist",
        "prepare_metadata_for_build_wheel", "prepare_metadata_for_build_editable", "build_wheel", "build_editable",
        "build_sdist"}) {
    if (script.find(hook) != std::string_view::npos) return std::string(hook);
  }
  return {};
}

// In uv's cache sources lie in sdists-v9/pypi/NAME/VERSION/… or sdists-v9/index/DIGEST/NAME/VERSION/….
std::optional<NameVersion> in_uv_cache(std::string_view cwd) {
  auto component = component_after(cwd, [](std::string_view name) { return is_numbered(name, "sdists-v"); });
  if (!component) return std::nullopt;
  if (component->name == "index") {
    component = component_at(cwd, component->end + 1);
  } else if (component->name != "pypi") {
    return std::nullopt;
  }
  const Component name = component_at(cwd, component->end + 1);
  const Component version = component_at(cwd, name.end + 1);
  if (name.name.empty() || version.name.empty()) return std::nullopt;
  return NameVersion{name.name, version.name};
}

// ---- gem ------------------------------------------------------------------------------------------------------------

struct GemFolder {
  NameVersion gem;
  std::size_t end = 0;  // of the folder's path in the text that it was found in
};

// The innermost folder NAME-VERSION in one named "gems".
std::optional<GemFolder> gem_folder(std::string_view path) {
  std::optional<GemFolder> found;
  std::string_view parent;
  for (std::size_t begin = 0; begin < path.size();) {
    const Component here = component_at(path, begin);
    if (parent == "gems") {
      if (const auto gem = split_name_version(here.name)) found = GemFolder{*gem, here.end};
    }
    parent = here.name;
    begin = here.end + 1;
  }
  return found;
}

// "ruby /usr/bin/gem install …", "bundle install"
bool installs_gems(const ProgramFacts& program) {
  const Arguments all = program.command_line;
  return std::ranges::any_of(all.first(std::min<std::size_t>(all.size(), 3)), [](const std::string& word) {
    return is_program(word, "gem") || is_program(word, "bundle") || is_program(word, "bundler");
  });
}

// Which step of the build, of those that rubygems knows.
std::string gem_step(const ProgramFacts& program) {
  constexpr auto steps =
      std::to_array<std::string_view>({"extconf.rb", "mkrf_conf.rb", "rake", "make", "configure", "cmake", "cargo"});
  for (const std::string& word : program.command_line) {
    if (std::ranges::count(steps, base_name(word)) != 0) return std::string(base_name(word));
  }
  return {};
}

}  // namespace

std::optional<PackageEvidence> pip_build(Chain chain) {
  for (std::size_t i = 0; i < chain.size(); ++i) {
    const auto hook = build_hook(chain[i]);
    if (!hook) continue;
    // pip starts a hook itself: what is farther away did not ask for this package.
    const auto pip = i + 1 < chain.size() ? pip_arguments(chain[i + 1]) : std::nullopt;
    PackageEvidence evidence;
    evidence.started = i;
    evidence.package.manager = pip || built_by_pip(chain[i]) ? "pip" : "pep517";
    evidence.package.script = *hook;
    name_pip_package(evidence.package, chain[i].cwd, pip);
    return evidence;
  }
  return std::nullopt;
}

// Below a program named uv, `python -c SCRIPT` is a build where the source lies in uv's cache or Python in one of the
// environments that uv makes for builds (builds-v0/…). What `uv run` starts is neither.
std::optional<PackageEvidence> uv_build(Chain chain) {
  for (std::size_t i = 0; i + 1 < chain.size(); ++i) {
    const ProgramFacts& program = chain[i];
    if (base_name(chain[i + 1].executable) != "uv" || program.command_line.size() < 3) continue;
    if (program.command_line[1] != "-c") continue;
    const auto source = in_uv_cache(program.cwd);
    const bool own_python = find_component(program.command_line[0], [](std::string_view name) {
                              return is_numbered(name, "builds-v");
                            }).has_value();
    if (!source && !own_python) continue;
    PackageEvidence evidence;
    evidence.started = i;
    evidence.package.manager = "uv";
    evidence.package.script = hook_in_script(program.command_line[2]);
    evidence.package.path = program.cwd;
    if (source) {
      evidence.package.name = source->name;
      evidence.package.version = source->version;
    }
    return evidence;
  }
  return std::nullopt;
}

// An extension is built in …/gems/NAME-VERSION/ext/… by what gem or bundle starts there.
std::optional<PackageEvidence> gem_extension(Chain chain) {
  for (std::size_t i = 1; i < chain.size(); ++i) {
    if (!installs_gems(chain[i])) continue;
    for (std::size_t started = i; started-- > 0;) {  // what it started is the farthest below it in a gem's folder
      const auto gem = gem_folder(chain[started].cwd);
      if (!gem) continue;
      PackageEvidence evidence;
      evidence.started = started;
      evidence.package.manager = "gem";
      evidence.package.name = gem->gem.name;
      evidence.package.version = gem->gem.version;
      evidence.package.path = chain[started].cwd.substr(0, gem->end);
      evidence.package.script = gem_step(chain[started]);
      return evidence;
    }
  }
  return std::nullopt;
}

}  // namespace nslookout::identity
