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
