// Packages of builds that show by argv and cwd: pip and PEP 517 (pip 23.0), gem (3.3), recorded; uv, made after its
// documentation.
#include <string>
#include <vector>

#include "gmock/gmock.h"
#include "tests/unit/identity_origin_facts.h"

namespace nslookout::identity {
namespace {

const std::string in_process = "/usr/lib/python3/dist-packages/pip/_vendor/pyproject_hooks/_in_process/_in_process.py";
const std::string unpacked = "/tmp/pip-install-1ovc78w1/evil-lib_2f8d1532f64845b6a6e0a605808a416e";
const std::string nameless = "/tmp/pip-req-build-1y3yqyqs";

const Environment tracker = {{"PIP_BUILD_TRACKER", "/tmp/pip-build-tracker-baxuo6q5"}};
const Environment hook_variables = tracker + Environment{{"PEP517_BUILD_BACKEND", "setuptools.build_meta"}};

// curl, started by setup.py, in a hook of a build in cwd, asked for by a command.
std::vector<ProgramFacts> built(const std::string& cwd, std::vector<std::string> command) {
  return {curl(cwd, hook_variables),
          program({"/usr/bin/python3", in_process, "build_wheel", "/tmp/tmponj8b_tl"}, cwd, hook_variables),
          program(std::move(command), "/home/dev"), program({"-bash"}, "/home/dev")};
}

TEST(OriginBuild, WhatPipWasAskedFor) {
  struct Case {
    const char* what;
    std::string cwd;
    std::vector<std::string> command;
    std::string package;
  };
  const std::vector<Case> table = {
      {"by name",
       unpacked,
       {"/usr/bin/python3", "-m", "pip", "install", "evil-lib"},
       "pip evil-lib - build_wheel " + unpacked},
      {"by name and version, in another spelling of the name",
       unpacked,
       {"/usr/bin/python3", "/usr/bin/pip3.11", "install", "--no-cache-dir", "other", "Evil__Lib==1.2.3"},
       "pip evil-lib 1.2.3 build_wheel " + unpacked},
      {"a dependency: nothing says the version",
       unpacked,
       {"/usr/bin/python3", "/usr/bin/pip", "install", "other==9.9"},
       "pip evil-lib - build_wheel " + unpacked},
      {"a range is no version",
       unpacked,
       {"/usr/bin/pip", "install", "evil-lib>=1"},
       "pip evil-lib - build_wheel " + unpacked},
      {"a pattern is no version",
       unpacked,
       {"/usr/bin/pip", "install", "evil-lib==1.*"},
       "pip evil-lib - build_wheel " + unpacked},
      {"two versions are none",
       unpacked,
       {"/usr/bin/pip", "install", "evil-lib==1", "evil-lib==2"},
       "pip evil-lib - build_wheel " + unpacked},
      {"in a folder below the unpacked one",
       unpacked + "/python",
       {"/usr/bin/pip", "install", "evil-lib"},
       "pip evil-lib - build_wheel " + unpacked},
      {"pip wheel",
       "/tmp/pip-wheel-0_vrk1lj/evil-lib_8ab962f57f0b4265aae242db42072809",
       {"/usr/bin/python3", "-m", "pip", "wheel", "-w", "out", "evil-lib==1.2.3"},
       "pip evil-lib 1.2.3 build_wheel /tmp/pip-wheel-0_vrk1lj/evil-lib_8ab962f57f0b4265aae242db42072809"},
      {"an archive",
       nameless,
       {"/usr/bin/python3", "-m", "pip", "install", "--no-index", "--target", "/srv/t", "./dist/evil-lib-1.2.3.tar.gz"},
       "pip evil-lib 1.2.3 build_wheel " + nameless},
      {"two archives: which of them cannot be told",
       nameless,
       {"/usr/bin/python3", "-m", "pip", "install", "./a-1.0.tar.gz", "./b-1.0.tar.gz"},
       "pip - - build_wheel " + nameless},
      {"an archive, and what a file asks for",
       nameless,
       {"/usr/bin/python3", "-m", "pip", "install", "./a-1.0.tar.gz", "-r", "requirements.txt"},
       "pip - - build_wheel " + nameless},
      {"an archive whose name may be divided at two places",
       nameless,
       {"/usr/bin/pip", "install", "./evil-2-lib-1.0.tar.gz"},
       "pip - - build_wheel " + nameless},
      {"an address",
       nameless,
       {"/usr/bin/pip", "install", "git+https://example.test/evil"},
       "pip - - build_wheel " + nameless},
      {"an unpacked archive",
       "/home/dev/evil_lib-1.2.3",
       {"/usr/bin/pip", "install", "."},
       "pip evil_lib 1.2.3 build_wheel /home/dev/evil_lib-1.2.3"},
      {"a project of the developer's: its folder's name is none of the package's",
       "/home/dev/project-2024",
       {"/usr/bin/pip", "install", "-e", "."},
       "pip - - build_wheel /home/dev/project-2024"},
  };
  for (const Case& one : table) EXPECT_EQ(package_text(built(one.cwd, one.command)), one.package) << one.what;
}

TEST(OriginBuild, SetupPyWithoutPep517) {
  const std::string caller =
      "\nexec(compile('''\n# This is <pip-setuptools-caller> -- a caller that pip uses to run setup.py\n";
  const std::vector<std::string> pip = {"/usr/bin/python3", "-m", "pip", "install", "./evil-lib-1.2.3.tar.gz"};
  const auto chain = [&](std::vector<std::string> command) -> std::vector<ProgramFacts> {
    return {curl(nameless, tracker), program(std::move(command), nameless, tracker), program(pip, "/home/dev")};
  };
  EXPECT_EQ(
      package_text(chain({"/usr/bin/python3", "-u", "-c", caller, "bdist_wheel", "-d", "/tmp/pip-wheel-rchh5je9"})),
      "pip evil-lib 1.2.3 bdist_wheel " + nameless);
  EXPECT_EQ(package_text(chain({"/usr/bin/python3", "-c", caller})), "pip evil-lib 1.2.3 - " + nameless)
      << "argv was cut";
}

TEST(OriginBuild, OtherFrontEndsOfPep517AndPipItself) {
  const std::string hooks = "/usr/lib/python3/dist-packages/pyproject_hooks/_in_process/_in_process.py";
  const Environment variables = {{"_PYPROJECT_HOOKS_BUILD_BACKEND", "setuptools.build_meta"}};
  EXPECT_EQ(package_text({curl("/home/dev/app", variables),
                          program({"/usr/bin/python3", hooks, "build_sdist", "/tmp/x"}, "/home/dev/app", variables),
                          program({"/usr/bin/python3", "-m", "build"}, "/home/dev/app")}),
            "pep517 - - build_sdist /home/dev/app");
  EXPECT_EQ(package_text({program({"/usr/bin/python3", "-m", "pip", "install", "evil-lib"}, "/home/dev")}), "none")
      << "pip, at the index";
  EXPECT_EQ(package_text({program({"/usr/bin/python3", "/usr/lib/python3/dist-packages/pip/__pip-runner__.py",
                                   "install", "--", "setuptools"},
                                  "/home/dev", tracker),
                          program({"/usr/bin/pip", "install", "evil-lib"}, "/home/dev")}),
            "none")
      << "pip in pip, which installs what a build needs";
}

TEST(OriginBuild, PipInsideAnNpmScript) {
  const Environment npm = {{"npm_lifecycle_event", "install"}, {"npm_package_name", "outer"}};
  std::vector<ProgramFacts> chain = built(unpacked, {"/usr/bin/pip", "install", "evil-lib==1.0"});
  for (ProgramFacts& one : chain) one.environment = one.environment + npm;
  EXPECT_EQ(package_text(chain), "pip evil-lib 1.0 build_wheel " + unpacked);
}

TEST(OriginBuild, Uv) {
  const std::string python = "/home/dev/.cache/uv/builds-v0/.tmpBKaW2t/bin/python";
  const std::string script =
      "import setuptools.build_meta as backend\nwheel_filename = backend.build_wheel(\"/x\", {}, None)\n";
  const std::string cached = "/home/dev/.cache/uv/sdists-v9/pypi/evil-lib/1.2.3/Xb1/src";
  const ProgramFacts uv = program({"/usr/local/bin/uv", "pip", "install", "evil-lib"}, "/home/dev");
  const auto chain = [&](const std::string& interpreter, const std::string& cwd) -> std::vector<ProgramFacts> {
    return {curl(cwd), program({interpreter, "-c", script}, cwd), uv};
  };
  EXPECT_EQ(package_text(chain(python, cached)), "uv evil-lib 1.2.3 build_wheel " + cached);
  const std::string index = "/home/dev/.cache/uv/sdists-v9/index/e1ab/evil-lib/1.2.3/Xb1/src";
  EXPECT_EQ(package_text(chain(python, index)), "uv evil-lib 1.2.3 build_wheel " + index);
  EXPECT_EQ(package_text(chain("/usr/bin/python3", cached)), "uv evil-lib 1.2.3 build_wheel " + cached);
  EXPECT_EQ(package_text(chain(python, "/home/dev/lib")), "uv - - build_wheel /home/dev/lib");
  EXPECT_EQ(package_text(chain("/usr/bin/python3", "/home/dev/lib")), "none") << "uv run python -c …";
  EXPECT_EQ(package_text({curl(cached), program({python, "-c", script}, cached)}), "none")
      << "nothing says that it is uv";
}

TEST(OriginBuild, ExtensionsOfGems) {
  const std::string gem = "/var/lib/gems/gems/evil-gem-2.0.1";
  const std::string ext = gem + "/ext/evil_gem";
  const ProgramFacts install = program({"ruby", "/usr/bin/gem", "install", "./evil-gem-2.0.1.gem"}, "/home/dev");
  const ProgramFacts extconf = program(
      {"/usr/bin/ruby3.1", "-I", "/usr/lib/ruby/vendor_ruby", "-r", "./siteconf20261125-28940-4vzikv.rb", "extconf.rb"},
      ext);
  const Environment level = {{"MAKELEVEL", "1"}};
  EXPECT_EQ(package_text({curl(ext), extconf, install}), "gem evil-gem 2.0.1 extconf.rb " + gem);
  EXPECT_EQ(package_text({curl("/tmp"), extconf, install}), "gem evil-gem 2.0.1 extconf.rb " + gem);
  EXPECT_EQ(package_text({curl(ext, level), program({"make", "DESTDIR="}, ext), install}),
            "gem evil-gem 2.0.1 make " + gem);
  EXPECT_EQ(package_text({curl(ext), extconf, program({"ruby3.1", "/usr/bin/bundle3.1", "install"}, "/home/dev")}),
            "gem evil-gem 2.0.1 extconf.rb " + gem);
  EXPECT_EQ(package_text({curl(ext), program({"/usr/bin/ruby3.1", "server.rb"}, ext)}), "none") << "nothing installs";
  EXPECT_EQ(package_text({curl("/home/dev"), install}), "none") << "gem itself";
  EXPECT_EQ(package_text({curl("/var/lib/gems/a-1-b-2.0/ext"), install}), "none") << "two places could divide the name";
}

}  // namespace
}  // namespace nslookout::identity
