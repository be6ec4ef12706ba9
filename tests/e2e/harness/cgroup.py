"""Cgroups of the test's own, named as a runtime names those of its containers, and processes in them."""

import os
import pathlib
import uuid

from .client import run_client


def cgroup2():
    """Where it is mounted."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, place, kind, *_ = line.split()
            if kind == "cgroup2":
                return pathlib.Path(place)
    raise AssertionError("no cgroup2 is mounted")


def new_id():
    return uuid.uuid4().hex + uuid.uuid4().hex


class Cgroup:
    """A container's cgroup, without a container: /nslookout-…/PARENT/ID. Removed by remove()."""

    def __init__(self, parent="docker", container_id=None):
        self.id = container_id or new_id()
        self._top = cgroup2() / f"nslookout-{self.id[:12]}"
        self.path = self._top / parent / self.id
        self.path.mkdir(parents=True)

    def run(self, command):
        """Runs the command in it, to its end."""
        procs = self.path / "cgroup.procs"
        return run_client(["sh", "-c", 'echo $$ >"$0" && exec "$@"', procs, *command])

    def remove(self):
        folder = self.path
        while folder != self._top.parent:
            os.rmdir(folder)
            folder = folder.parent


class MemoryCgroup:
    """A cgroup whose processes have so much memory together, with whichever version of cgroups has the controller here.
    Removed by remove()."""

    def __init__(self, octets):
        name = f"nslookout-{new_id()[:12]}"
        first = _version_1("memory")
        self.path = (first or cgroup2()) / name
        if not first:
            (cgroup2() / "cgroup.subtree_control").write_text("+memory")
        self.path.mkdir()
        self._limit = self.path / ("memory.limit_in_bytes" if first else "memory.max")
        self._used = self.path / ("memory.usage_in_bytes" if first else "memory.current")
        self.limit(octets)
        for swap in ("memory.memsw.limit_in_bytes", "memory.swap.max"):  # not there where the kernel does not count it
            if (self.path / swap).exists():
                (self.path / swap).write_text(str(octets) if first else "0")

    @property
    def enter(self):
        """A command that another one is started with, to run in it under the same pid."""
        return _enter(self.path)

    def limit(self, octets):
        self._limit.write_text(str(octets))

    def used(self):
        return int(self._used.read_text())

    def remove(self):
        self.path.rmdir()


class PidsCgroup:
    """A cgroup that holds only so many threads, once limit() has said how many. Removed by remove()."""

    def __init__(self):
        first = _version_1("pids")
        self.path = (first or cgroup2()) / f"nslookout-{new_id()[:12]}"
        if not first:
            (cgroup2() / "cgroup.subtree_control").write_text("+pids")
        self.path.mkdir()

    @property
    def enter(self):
        return _enter(self.path)

    def limit(self, threads):
        (self.path / "pids.max").write_text(str(threads))

    def count(self):
        return int((self.path / "pids.current").read_text())

    def refused(self):
        return int((self.path / "pids.events").read_text().split()[1])

    def remove(self):
        self.path.rmdir()


def _enter(path):
    return ["sh", "-c", 'echo $$ >"$0" && exec "$@"', path / "cgroup.procs"]


def _version_1(controller):
    """Where the controller is mounted by itself, or None."""
    with open("/proc/self/mounts", encoding="utf-8") as mounts:
        for line in mounts:
            _, place, kind, options, *_ = line.split()
            if kind == "cgroup" and controller in options.split(","):
                return pathlib.Path(place)
    return None
