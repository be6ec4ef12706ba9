"""Debian packages that a test needs unpacked and not installed: installing them would change how this host resolves names."""

import subprocess
import sys
import unittest

from .sandbox import SOURCE

CACHE = SOURCE / ".cache" / "packages"


def fetch(*names):
    """Unpacks the packages that are not there yet. Before the namespaces: it needs the archive."""
    for name in names:
        folder = CACHE / name
        if (folder / "usr").exists():
            continue
        folder.mkdir(parents=True, exist_ok=True)
        try:
            subprocess.run(["apt-get", "-q", "-o", "APT::Sandbox::User=root", "download", name], cwd=folder, check=True,
                           capture_output=True, timeout=120)
            subprocess.run(["dpkg", "-x", next(folder.glob(f"{name}_*.deb")), folder], check=True)
        except (OSError, StopIteration, subprocess.SubprocessError) as error:
            print(f"the package {name} cannot be fetched: {error}", file=sys.stderr)


def unpacked(name):
    """The folder that a fetched package's files are in, as of /."""
    folder = CACHE / name
    if not (folder / "usr").exists():
        raise unittest.SkipTest(f"the package {name} is not there: see above")
    return folder
