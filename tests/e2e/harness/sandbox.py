"""The surroundings of a test file: a network and a mount namespace of its own, so that port 53 is always free, nothing
leaves the machine and /etc/resolv.conf is the test's. They end with the process.
"""

import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

SOURCE = pathlib.Path(__file__).resolve().parents[3]
RULES = SOURCE / "rules"

INSIDE = "NSLOOKOUT_E2E_INSIDE"
SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt
INITIAL_PID_NAMESPACE = "pid:[4026531836]"  # include/linux/proc_ns.h
PR_SET_PDEATHSIG = 1  # prctl(2)

_libc = ctypes.CDLL(None, use_errno=True)
_work = None


def work_folder():
    """A folder of this run that every user may enter; it goes when the run ends."""
    return _work


def resolver_address(index=0):
    """On loopback, and another one for every test process: events of other tests are told apart by it."""
    pid = os.getpid()
    return f"127.{64 + index}.{pid // 250 % 250 + 1}.{pid % 250 + 1}"


def wait_until(condition, what, seconds=30):
    """The condition's first true value; AssertionError when it does not become true in time."""
    end = time.monotonic() + seconds
    while not (value := condition()):
        if time.monotonic() > end:
            raise AssertionError(f"not within {seconds} s: {what() if callable(what) else what}")
        time.sleep(0.005)
    return value


def end_with_parent():
    """For preexec_fn: a test that is killed leaves no process behind."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def _skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)


def _mount_over(path, content):
    source = _work / pathlib.Path(path).name
    source.write_text(content)
    source.chmod(0o644)
    subprocess.run(["mount", "--bind", source, path], check=True)


def _furnish():
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    _mount_over("/etc/resolv.conf", f"nameserver {resolver_address()}\noptions timeout:5 attempts:2\n")
    if os.path.exists("/etc/nsswitch.conf"):
        _mount_over("/etc/nsswitch.conf", "passwd: files\ngroup: files\nhosts: files dns\n")
    for caching_daemon in ("/run/nscd", "/var/run/nscd"):
        if os.path.isdir(caching_daemon):
            subprocess.run(["mount", "-t", "tmpfs", "none", caching_daemon], check=True)


def main(before=lambda: None):
    """Runs the tests of the calling file inside the namespaces. before: what needs the world outside them."""
    global _work
    if os.geteuid() != 0:
        _skip("the agent and the namespaces of the test need root")
    if os.readlink("/proc/self/ns/pid") != INITIAL_PID_NAMESPACE:
        _skip("in a pid namespace of its own the test does not know the pids that the agent reports")
    if INSIDE not in os.environ:
        before()
        inside = {**os.environ, INSIDE: "1"}
        os.execvpe("unshare", ["unshare", "--net", "--mount", sys.executable, "-B", *sys.argv], inside)
    _work = pathlib.Path(tempfile.mkdtemp(prefix="nslookout-e2e-"))
    _work.chmod(0o755)
    try:
        _furnish()
        unittest.main(module="__main__", verbosity=2)
    finally:
        shutil.rmtree(_work, ignore_errors=True)
