#!/usr/bin/env -S python3 -B
"""Packages whose scripts look a name up while they are installed or built, by the real package managers, without a
registry. Each event has the whole chain from the program that asked to this test, and names the package."""

import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import unittest

from harness import AgentCase, main, run_client, work_folder

NAME = "sfrclak.com"
# Nothing listens there: the lookup is all that happens. `|| true` keeps a shell between its parent and curl.
CURL = f"curl --silent --max-time 20 http://{NAME}:8000/"
PYTHON = "/usr/bin/python3"  # Debian's: python3-pip and python3-setuptools are packages of it

needs = {
    "cargo": "no cargo here (apt-get install cargo): the test of a build script needs it",
    "gem": "no gem here (apt-get install ruby): the test of a gem's extension needs it",
    "go": "no go here (apt-get install golang-go): the test of go generate needs it",
    "make": "no make here (apt-get install make): the test of a makefile needs it",
}


# What fetch_node_managers.sh puts there: `./dev test` runs it.
FETCHED = pathlib.Path(__file__).resolve().parents[2] / ".cache/node_managers"
MODULES = FETCHED / "node_modules"
PNPM = MODULES / "pnpm/bin/pnpm.cjs"
YARN = MODULES / "yarn/bin/yarn.js"
BERRY = MODULES / "@yarnpkg/cli-dist/bin/yarn.js"
BUN = MODULES / "@oven/bun-linux-x64/bin/bun"
needing_fetched = unittest.skipUnless(
    (FETCHED / "complete").exists(),
    f"no pnpm, yarn and bun here (tests/e2e/fetch_node_managers.sh {FETCHED}): their tests need them")


def needing(command):
    return unittest.skipUnless(shutil.which(command), needs[command])


def write(folder, files):
    """files: path below the folder -> text."""
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)


def archive(path, files):
    """A .tar.gz at the path. files: path in the archive -> text."""
    with tarfile.open(path, "w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return path


def program(process):
    """What a reader of the event sees first: the program's name, and its arguments from the second on."""
    return os.path.basename(process["executable"]), process["command_line"][1:]


class Packages(AgentCase):
    def setUp(self):
        super().setUp()
        self.folder = work_folder() / self._testMethodName
        self.folder.mkdir()
        # The managers must not see the settings of whoever runs the tests.
        own = ("npm_", "NPM_", "PIP_", "GEM_", "RUBY", "GITHUB_", "MAKE", "CARGO_PKG", "CARGO_MANIFEST")
        self.environment = {name: value for name, value in os.environ.items() if not name.startswith(own)}

    def events_of(self, command, cwd=None, **environment):
        """Runs the command from a shell, as a person would, and returns the events, the shell and the command's output."""
        agent = self.agent()
        shell = run_client(["sh", "-c", f"{command} || exit 1"], cwd=cwd or self.folder,
                           env={**self.environment, **environment})
        events = self.of_resolver(agent.finish())
        self.assertEqual(shell.status, 0, shell.stdout.decode())
        self.assert_one_event_each(self.queries(), events)
        self.assertTrue(events, shell.stdout.decode())
        for event in events:
            ancestors = event["process"]["ancestors"]
            pids = [ancestor["pid"] for ancestor in ancestors]
            self.assertIn(shell.pid, pids, "the chain reaches the shell that the manager was called from")
            self.assertEqual(pids[pids.index(shell.pid) + 1], os.getpid())
            self.assertEqual(pids[-1], 1)
        return events, shell

    def chain(self, event, shell):
        """The programs from the one that asked up to the shell that the manager was called from."""
        process = event["process"]
        pids = [ancestor["pid"] for ancestor in process["ancestors"]]
        return [program(each) for each in [process, *process["ancestors"][: pids.index(shell.pid) + 1]]]

    def assert_package(self, events, **package):
        for event in events:
            self.assertEqual(event.get("origin"), {"package": package})

    def npm(self, **environment):
        return {"HOME": str(self.folder), "npm_config_cache": str(self.folder / "cache"), "npm_config_audit": "false",
                "npm_config_fund": "false", "npm_config_update_notifier": "false", "npm_config_offline": "true",
                "npm_config_ignore_scripts": "false", **environment}

    def test_npm_install_of_a_package_with_a_postinstall_script(self):
        script = f"sh -c '{CURL} || true'"
        tarball = archive(self.folder / "plain-crypto-js-4.2.1.tgz", {"package/package.json": json.dumps(
            {"name": "plain-crypto-js", "version": "4.2.1", "scripts": {"postinstall": script}})})
        app = self.folder / "app"
        write(app, {"package.json": json.dumps({"name": "shop", "version": "1.0.0"})})
        events, shell = self.events_of(f"npm install {tarball}", cwd=app, **self.npm())
        self.assertEqual({event["dns"]["record_type"] for event in events}, {"A", "AAAA"})
        self.assert_one_alert(events)
        for event in events:
            self.assertEqual(self.chain(event, shell), [
                ("curl", CURL.split()[1:]),
                ("dash", ["-c", f"{CURL} || true"]),
                ("dash", ["-c", script]),
                ("node", [shutil.which("npm"), "install", str(tarball)]),
                ("dash", ["-c", f"npm install {tarball} || exit 1"]),
            ])
        self.assert_package(events, manager="npm", name="plain-crypto-js", version="4.2.1", script="postinstall",
                            path=str(app / "node_modules/plain-crypto-js"))

    def install_with(self, command, own_shell=False, folder="node_modules/plain-crypto-js", files=(), **environment):
        """Installs a package with a postinstall script, from a tarball, without a network, and checks what the events
        say of it. own_shell: the manager reads the script itself."""
        script = f"sh -c '{CURL} || true'"
        archive(self.folder / "plain-crypto-js-4.2.1.tgz", {"package/package.json": json.dumps(
            {"name": "plain-crypto-js", "version": "4.2.1", "scripts": {"postinstall": script}})})
        app = self.folder / "app"
        write(app, {"package.json": json.dumps({
            "name": "shop", "version": "1.0.0", "trustedDependencies": ["plain-crypto-js"],
            "dependencies": {"plain-crypto-js": "file:../plain-crypto-js-4.2.1.tgz"},
            "pnpm": {"onlyBuiltDependencies": ["plain-crypto-js"]}}), **dict(files)})
        events, started = self.events_of(" ".join(map(str, command)), cwd=app,
                                         **{"HOME": str(self.folder), "CI": "1", **environment})
        self.assert_one_alert(events)
        for event in events:
            between = [] if own_shell else [("dash", ["-c", script])]
            self.assertEqual(self.chain(event, started)[:2 + len(between)],
                             [("curl", CURL.split()[1:]), ("dash", ["-c", f"{CURL} || true"]), *between])
        return events, str(app / folder)

    @needing_fetched
    def test_pnpm_install(self):
        events, path = self.install_with(
            ["node", PNPM, "install", "--offline"],
            folder="node_modules/.pnpm/plain-crypto-js@file+..+plain-crypto-js-4.2.1.tgz/node_modules/plain-crypto-js")
        self.assert_package(events, manager="pnpm", name="plain-crypto-js", version="4.2.1", script="postinstall",
                            path=path)

    @needing_fetched
    def test_yarn_1_install(self):
        events, path = self.install_with(["node", YARN, "install", "--offline", "--no-progress"])
        self.assert_package(events, manager="yarn", name="plain-crypto-js", version="4.2.1", script="postinstall",
                            path=path)

    @needing_fetched
    def test_yarn_1_in_an_npm_script(self):
        """yarn 1 leaves what npm said of the project, npm_package_json, to the scripts of other packages."""
        write(self.folder, {"outer/package.json": json.dumps(
            {"name": "outer", "version": "3.0.0",
             "scripts": {"setup": f"cd ../app && node {YARN} install --offline --no-progress"}})})
        events, path = self.install_with(["npm", "--prefix", "../outer", "run", "setup"],
                                         **self.npm())
        self.assert_package(events, manager="yarn", name="plain-crypto-js", version="4.2.1", script="postinstall",
                            path=path)

    @needing_fetched
    def test_yarn_4_install(self):
        settings = {"YARN_ENABLE_NETWORK": "0", "YARN_ENABLE_TELEMETRY": "0", "YARN_NODE_LINKER": "node-modules",
                    "YARN_ENABLE_SCRIPTS": "1", "YARN_ENABLE_IMMUTABLE_INSTALLS": "0", "YARN_IGNORE_PATH": "1"}
        events, path = self.install_with(["node", BERRY, "install"], own_shell=True, files={"yarn.lock": ""}, **settings)
        self.assert_package(events, manager="yarn", name="plain-crypto-js", version="4.2.1", script="postinstall",
                            path=path)

    @needing_fetched
    def test_bun_install(self):
        events, path = self.install_with([BUN, "install", "--no-progress"], own_shell=True)
        self.assert_package(events, manager="bun", name="plain-crypto-js", version="4.2.1", script="postinstall",
                            path=path)

    def test_of_nested_managers_the_innermost_is_named(self):
        """A script of the project installs a package that has a script of its own."""
        inner = archive(self.folder / "inner-0.0.9.tgz", {"package/package.json": json.dumps(
            {"name": "@scope/inner", "version": "0.0.9", "scripts": {"install": f"{CURL} || true"}})})
        write(self.folder, {"other/package.json": "{}", "package.json": json.dumps(
            {"name": "outer", "version": "1.0.0",
             "scripts": {"setup": f"npm install --prefix other {inner}"}})})
        events, _ = self.events_of("npm run setup", **self.npm())
        self.assert_package(events, manager="npm", name="@scope/inner", version="0.0.9", script="install",
                            path=str(self.folder / "other/node_modules/@scope/inner"))

    def sdist(self, look_up=f"subprocess.run({CURL.split()!r})"):
        """A source distribution of lookup-demo 1.4.0, whose setup.py looks the name up."""
        setup = ("import os, socket, subprocess\nfrom setuptools import setup\n"
                 f"{look_up}\nsetup(name='lookup-demo', version='1.4.0', py_modules=[])\n")
        top = "lookup-demo-1.4.0"
        return archive(self.folder / f"{top}.tar.gz", {
            f"{top}/setup.py": setup,
            f"{top}/PKG-INFO": "Metadata-Version: 2.1\nName: lookup-demo\nVersion: 1.4.0\n"})

    def pip(self, arguments):
        return self.events_of(f"{PYTHON} -m pip install --quiet --root-user-action=ignore --no-index --no-deps "
                              f"--no-build-isolation --target target {arguments}",
                              HOME=str(self.folder), PIP_DISABLE_PIP_VERSION_CHECK="1", TMPDIR=str(self.folder))

    def assert_pip_package(self, events, scripts):
        packages = [event.get("origin", {}).get("package", {}) for event in events]
        for package in packages:
            self.assertEqual({**package, "script": "", "path": ""},
                             {"manager": "pip", "name": "lookup-demo", "version": "1.4.0", "script": "", "path": ""})
            self.assertTrue(package["path"].startswith(f"{self.folder}/pip-"), package)
        self.assertEqual({package["script"] for package in packages}, scripts)

    def test_pip_install_of_an_archive(self):
        sdist = self.sdist()
        events, shell = self.pip(f"--use-pep517 {sdist}")
        for event in events:
            chain = self.chain(event, shell)
            self.assertEqual([name for name, _ in chain], ["curl", "python3.11", "python3.11", "dash"])
            self.assertTrue(chain[1][1][0].endswith("/_in_process.py"), chain)
            self.assertEqual(chain[2][1][:3], ["-m", "pip", "install"])
        self.assert_pip_package(events, {"prepare_metadata_for_build_wheel", "build_wheel"})

    def test_pip_install_of_a_named_version_by_setup_py(self):
        self.sdist()
        events, _ = self.pip(f"--no-use-pep517 --find-links {self.folder} lookup-demo==1.4.0")
        self.assert_pip_package(events, {"egg_info", "bdist_wheel"})

    def test_a_setup_py_that_goes_where_another_package_is(self):
        """It asks by itself, from there, and goes back."""
        other = self.folder / "requests-2.31.0"
        other.mkdir()
        self.sdist(f"here = os.getcwd(); os.chdir({str(other)!r}); "
                   f"socket.getaddrinfo({NAME!r}, 8000); os.chdir(here)")
        events, _ = self.pip(f"--no-use-pep517 --find-links {self.folder} lookup-demo==1.4.0")
        self.assert_pip_package(events, {"egg_info", "bdist_wheel"})

    @needing("cargo")
    def test_a_cargo_build_script(self):
        command = ", ".join(json.dumps(argument) for argument in CURL.split()[1:])
        write(self.folder, {
            "app/Cargo.toml": '[package]\nname = "app"\nversion = "9.9.9"\nedition = "2021"\n'
                              '[dependencies]\nlookup-dep = { path = "../lookup-dep" }\n',
            "app/src/main.rs": "fn main() {}\n",
            "lookup-dep/Cargo.toml": '[package]\nname = "lookup-dep"\nversion = "0.3.1"\nedition = "2021"\n',
            "lookup-dep/src/lib.rs": "",
            "lookup-dep/build.rs": f'fn main() {{ let _ = std::process::Command::new("curl").args([{command}]).status(); }}\n',
        })
        events, shell = self.events_of("cargo build --quiet --offline", cwd=self.folder / "app")
        for event in events:
            self.assertEqual([name for name, _ in self.chain(event, shell)],
                             ["curl", "build-script-build", "cargo", "dash"])
        self.assert_package(events, manager="cargo", name="lookup-dep", version="0.3.1", script="build-script-build",
                            path=str(self.folder / "lookup-dep"))

    @needing("gem")
    @needing("make")
    def test_the_extension_of_a_gem(self):
        write(self.folder, {
            "lookup_gem.gemspec": "Gem::Specification.new { |s| s.name = 'lookup_gem'; s.version = '2.3.4'; s.summary = 'x'; "
                                  "s.authors = ['a']; s.files = ['ext/look/extconf.rb']; s.extensions = s.files }\n",
            "ext/look/extconf.rb": f"system('{CURL} || true')\n"
                                   "File.write('Makefile', \"all install clean:\\n\\ttrue\\n\")\n",
        })
        home = {"GEM_HOME": str(self.folder / "home"), "HOME": str(self.folder)}
        subprocess.run(["gem", "build", "--quiet", "lookup_gem.gemspec"], cwd=self.folder, check=True,
                       env={**self.environment, **home}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        events, _ = self.events_of("gem install --local --no-document lookup_gem-2.3.4.gem", **home)
        self.assert_package(events, manager="gem", name="lookup_gem", version="2.3.4", script="extconf.rb",
                            path=str(self.folder / "home/gems/lookup_gem-2.3.4"))

    @needing("go")
    def test_go_generate(self):
        write(self.folder, {"go.mod": "module example.com/look\n",
                            "doc.go": f'package look\n\n//go:generate sh -c "{CURL} || true"\n'})
        events, _ = self.events_of("go generate", HOME=str(self.folder))
        self.assert_package(events, manager="go", name="look", script="generate", path=str(self.folder))

    @needing("make")
    def test_a_makefile(self):
        write(self.folder, {"sub/Makefile": f"all:\n\t@{CURL} || true\n"})
        events, _ = self.events_of("make -C sub")
        self.assert_package(events, manager="make", path=str(self.folder / "sub"))

    def test_no_package(self):
        events, _ = self.events_of(f"{CURL} || true")
        self.assert_package_absent(events)

    def assert_package_absent(self, events):
        for event in events:
            self.assertNotIn("origin", event)


if __name__ == "__main__":
    main()
