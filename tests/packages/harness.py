"""What the tests of packages share: the packages that were built, and a Debian to install them in."""

import hashlib
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[2]
PACKAGES = pathlib.Path(os.environ.get("NSLOOKOUT_PACKAGES", SOURCE / "build/packages"))
CACHE = SOURCE / ".cache/roots"
SUITE = "bookworm"
# systemd for the unit; the rest for whoever looks into a machine that failed.
ALWAYS = ["systemd", "systemd-sysv", "dbus", "udev", "kmod", "iproute2", "procps", "ca-certificates"]
# What is there for people alone: a smaller root is unpacked in less time.
NOT_UNPACKED = ["./dev/*", "./usr/share/locale/*", "./usr/share/doc/*", "./usr/share/zoneinfo/*"]


def run(command, **options):
    """The output of a command that must succeed."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, **options}
    ended = subprocess.run([str(word) for word in command], text=True, check=False, **options)
    if ended.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {ended.returncode}:\n{ended.stdout}")
    return ended.stdout


def built(pattern):
    found = sorted(PACKAGES.glob(pattern))
    if len(found) != 1:
        raise AssertionError(f"{len(found)} files {pattern} in {PACKAGES}: ./dev package makes them")
    return found[0]


def dependencies(deb):
    fields = run(["dpkg-deb", "-f", deb, "Depends"])
    return [word.split("(")[0].split("|")[0].strip() for word in fields.split(",")]


def root_tar(deb):
    """A minimal Debian with systemd and what the package depends on, made once. Skips where the archive is out of reach."""
    included = ",".join(sorted({*dependencies(deb), *ALWAYS}))
    tar = CACHE / f"{SUITE}-{hashlib.sha256(included.encode()).hexdigest()[:12]}.tar"
    if not tar.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        new = tar.with_suffix(".new.tar")
        made = subprocess.run(["mmdebstrap", "--quiet", "--variant=minbase", f"--include={included}", SUITE, new],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
        if made.returncode != 0:
            print(f"skipped: no root file system could be made:\n{made.stdout}")
            sys.exit(77)
        new.rename(tar)
    return tar


def in_memory():
    """A package manager waits for the disk after each file; a file system in memory has none. None: it cannot be used."""
    shm = os.statvfs("/dev/shm") if os.path.isdir("/dev/shm") else None
    usable = shm and shm.f_bavail * shm.f_frsize > 1 << 30 and not shm.f_flag & os.ST_NOEXEC
    return "/dev/shm" if usable else None


class Root:
    """A root file system of its own, gone with close()."""

    def __init__(self, deb):
        tar = root_tar(deb)
        self.path = pathlib.Path(tempfile.mkdtemp(prefix="nslookout-root-", dir=in_memory()))
        run(["tar", "-C", self.path, "-xf", tar, *(f"--exclude={name}" for name in NOT_UNPACKED)])

    def close(self):
        shutil.rmtree(self.path)

    def __truediv__(self, name):
        return self.path / str(name).lstrip("/")

    def run(self, *command):
        """In the root, with process and mount namespaces of its own, so that nothing there reaches this machine."""
        environment = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"}
        mounts = 'mount -t proc proc "$0/proc" && mount --bind /dev "$0/dev" && exec chroot "$0" "$@"'
        return run(["unshare", "--mount", "--pid", "--net", "--fork", "--kill-child", "sh", "-c", mounts, self.path,
                    *command], env=environment)

    def files(self):
        """Every path with its kind, but for what a package manager keeps about itself."""
        own = ("var/lib/dpkg", "var/log", "var/cache", "proc", "dev", "tmp", "run", "debs")
        found = set()
        for path in self.path.rglob("*"):
            name = path.relative_to(self.path).as_posix()
            if not name.startswith(own):
                found.add(name)
        return found

    def take(self, file):
        """Copies a package into the root; its path there."""
        (self / "debs").mkdir(exist_ok=True)
        shutil.copy(file, self / "debs")
        return f"/debs/{pathlib.Path(file).name}"


def next_version(deb, folder, change=lambda tree: None):
    """The same package as a later version; change may alter its files first."""
    tree = pathlib.Path(folder) / "next"
    run(["dpkg-deb", "-R", deb, tree])
    control = tree / "DEBIAN/control"
    text = control.read_text()
    version = next(line for line in text.splitlines() if line.startswith("Version: "))
    control.write_text(text.replace(version, f"{version}+next"))
    change(tree)
    out = pathlib.Path(folder) / "next.deb"
    run(["dpkg-deb", "--root-owner-group", "-b", tree, out])
    shutil.rmtree(tree)
    return out


def main():
    unittest.main(verbosity=2)
