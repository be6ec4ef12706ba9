#!/usr/bin/env -S python3 -B
"""What is in the packages, without installing them."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import SOURCE, built, main, run

FILES = {
    "/etc/nslookout/config.yaml": "-rw-r--r--",
    "/etc/nslookout/conf.d": "drwxr-xr-x",
    "/etc/nslookout/rules": "drwxr-xr-x",
    "/usr/bin/nslookout": "-rwxr-xr-x",
    "/usr/lib/systemd/system/nslookout.service": "-rw-r--r--",
    "/usr/share/bash-completion/completions/nslookout": "-rw-r--r--",
    "/usr/share/doc/nslookout/copyright": "-rw-r--r--",
    "/usr/share/man/man8/nslookout.8.gz": "-rw-r--r--",
    "/usr/share/nslookout/resolvers/names.txt": "-rw-r--r--",
    "/usr/share/nslookout/resolvers/public.txt": "-rw-r--r--",
    "/usr/share/nslookout/rules/axios_npm_compromise_lookup.yml": "-rw-r--r--",
}
# what the one package of Debian 12's glibc has
GLIBC = {"libc", "libm", "libresolv", "libdl", "libpthread", "librt", "libanl"}


class Deb(unittest.TestCase):
    def setUp(self):
        self.deb = built("*.deb")

    def test_files_and_their_modes(self):
        listed = {}
        for line in run(["dpkg-deb", "-c", self.deb]).splitlines():
            mode, owner, *_, name = line.split()
            self.assertEqual(owner, "root/root", line)
            listed["/" + name.removeprefix("./").rstrip("/")] = mode
        self.assertEqual({name: listed.get(name) for name in FILES}, FILES)

    def test_the_configuration_is_the_only_file_that_is_kept(self):
        self.assertEqual(run(["dpkg-deb", "--info", self.deb, "conffiles"]).split(), ["/etc/nslookout/config.yaml"])

    def test_dependencies_are_those_of_the_binary(self):
        depends = run(["dpkg-deb", "-f", self.deb, "Depends"])
        for library in ("libbpf1 (>=", "libc6 (>=", "libprotobuf32", "libyaml-cpp0.7"):
            self.assertIn(library, depends)

    def test_lintian_has_nothing_to_say(self):
        said = run(["lintian", "--allow-root", "--fail-on", "error,warning", self.deb])
        self.assertEqual([line for line in said.splitlines() if line[:2] in ("E:", "W:")], [])

    def test_the_binary_is_stripped_and_holds_no_path_of_the_build(self):
        with tempfile.TemporaryDirectory() as folder:
            run(["dpkg-deb", "-x", self.deb, folder])
            binary = pathlib.Path(folder, "usr/bin/nslookout")
            self.assertNotIn(".symtab", run(["readelf", "-SW", binary]))
            self.assertNotRegex(run(["readelf", "-dW", binary]), r"\((RPATH|RUNPATH)\)")
            self.assertRegex(run(["readelf", "-dW", binary]), r"FLAGS.*BIND_NOW|FLAGS_1.*NOW")


class Rpm(unittest.TestCase):
    def setUp(self):
        self.rpm = built("*.rpm")

    def test_files(self):
        listed = run(["rpm", "-qpl", self.rpm]).split()
        self.assertEqual([name for name in FILES if name not in listed], [])

    def test_a_changed_configuration_is_kept(self):
        self.assertEqual(run(["rpm", "-qp", "--configfiles", self.rpm]).split(), ["/etc/nslookout/config.yaml"])
        flags = run(["rpm", "-qp", "--qf", "[%{FILENAMES} %{FILEFLAGS:fflags}\n]", self.rpm])
        self.assertRegex(flags, r"(?m)^/etc/nslookout/config.yaml cn$")  # config(noreplace)

    def test_it_installs_and_goes(self):
        with tempfile.TemporaryDirectory() as root:
            run(["rpm", "--root", root, "--initdb"])
            # The database in that root knows of no glibc and no shell.
            run(["rpm", "--root", root, "-i", "--nodeps", "--noscripts", self.rpm])
            config = pathlib.Path(root, "etc/nslookout/config.yaml")
            config.write_text("observe: all\n")
            run(["rpm", "--root", root, "-U", "--force", "--nodeps", "--noscripts", self.rpm])
            self.assertEqual(config.read_text(), "observe: all\n")
            run(["rpm", "--root", root, "-e", "--nodeps", "--noscripts", "nslookout"])
            self.assertFalse(pathlib.Path(root, "usr/bin/nslookout").exists())

    def test_it_requires_a_glibc_and_offers_nothing_else(self):
        requires = set(run(["rpm", "-qpR", self.rpm]).splitlines())
        # its scripts' shell, and features of rpm
        others = {line for line in requires if line != "/bin/sh" and not line.startswith("rpmlib(")}
        tree = self.unpacked()
        elves = [tree / "usr/bin/nslookout", *tree.glob("usr/lib/nslookout/*")]
        needed = {tuple(map(int, version.split("."))) for version in
                  re.findall(r"GLIBC_(2\.\d+)", run(["objdump", "-T", *elves]))}
        newest = ".".join(map(str, max(needed)))
        self.assertEqual(others, {f"libc.so.6(GLIBC_{newest})(64bit)"})
        for line in run(["rpm", "-qp", "--provides", self.rpm]).splitlines():
            self.assertTrue(line.startswith("nslookout"), f"{line} is for the program alone")

    def test_it_runs_where_there_is_glibc_and_nothing_else(self):
        tree = self.unpacked()
        libraries = tree / "usr/lib/nslookout"
        said = run(["ldd", tree / "usr/bin/nslookout"])
        self.assertNotIn("not found", said)
        (loader,) = re.findall(r"(?m)^\s*(/\S*ld-linux\S*) \(", said)
        for file in {loader, *re.findall(r"=> (\S+)", said)}:
            if file.startswith(str(tree)):
                continue
            self.assertIn(pathlib.Path(file).name.split(".so")[0],
                          GLIBC | {pathlib.Path(loader).name.split(".so")[0]}, "this one is not of glibc")
            (tree / file.lstrip("/")).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, tree / file.lstrip("/"))
        self.assertRegex(run(["chroot", tree, "/usr/bin/nslookout", "version"]), r"^nslookout \d")
        checked = run(["chroot", tree, "/usr/bin/nslookout", "check", "/usr/share/nslookout/rules"])
        self.assertIn("axios_npm_compromise_lookup.yml", checked)
        self.assertGreater(len(list(libraries.iterdir())), 20)

    def test_its_libraries_are_found_where_the_loader_is_careful(self):
        # where SELinux changes the domain of a service, $ORIGIN counts for nothing
        path = run(["readelf", "-dW", self.unpacked() / "usr/bin/nslookout"])
        self.assertRegex(path, r"\(RPATH\).*\[\$ORIGIN/\.\./lib/nslookout:/usr/lib/nslookout\]")

    def unpacked(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        with subprocess.Popen(["rpm2cpio", self.rpm], stdout=subprocess.PIPE) as archive:
            run(["cpio", "-idm", "--quiet"], stdin=archive.stdout, cwd=folder.name)
        return pathlib.Path(folder.name)

    def test_the_scripts_are_shell(self):
        for script in sorted((SOURCE / "deploy/rpm").glob("*.sh")):
            run(["sh", "-n", script])


class Tarball(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        run(["tar", "-C", folder.name, "-xzf", built("*.tar.gz")])
        (cls.root,) = pathlib.Path(folder.name).iterdir()

    def test_every_library_but_those_of_glibc_is_its_own(self):
        strangers = []
        for line in run(["ldd", self.root / "bin/nslookout"]).splitlines():
            found = re.match(r"\s*(\S+) => (\S+)", line)
            self.assertNotIn("not found", line)
            if found and not found[2].startswith(str(self.root)):
                strangers.append(found[1].split(".so")[0])
        self.assertLessEqual(set(strangers), GLIBC)

    def test_it_runs_wherever_it_lies(self):
        said = run([self.root / "bin/nslookout", "check", self.root / "share/nslookout/rules"], env={}, cwd="/")
        self.assertIn("axios_npm_compromise_lookup.yml", said)

    def test_it_says_which_glibc_it_needs(self):
        self.assertRegex((self.root / "NEEDS_GLIBC").read_text(), r"^2\.\d+\n$")

    def test_the_kit_for_ci_takes_its_binary(self):
        # as the GitHub Action calls it: the input "binary" is a path
        with tempfile.TemporaryDirectory() as work:
            ended = subprocess.run(
                ["node", self.root / "ci/github-action/main.js"], capture_output=True, text=True, check=False, cwd=work,
                env={"PATH": os.environ["PATH"], "GITHUB_STATE": f"{work}/state", "GITHUB_OUTPUT": f"{work}/output",
                     "RUNNER_TEMP": work, "INPUT_BINARY":
                     str(self.root / "bin/nslookout"), "INPUT_TIMEOUT": "30", "INPUT_OPTIONS":
                     f"--work-dir={work}/sensor\n--backend=cgroup\n--rules={self.root}/share/nslookout/rules"})
            self.assertEqual(ended.returncode, 0, ended.stdout + ended.stderr)
            run([self.root / "bin/nslookout", "ci", "stop", "--work-dir", f"{work}/sensor"])


if __name__ == "__main__":
    main()
