"""The agent under test: the built binary, started as a user would start it."""

import json
import os
import pathlib
import signal
import subprocess

from .sandbox import RULES, SOURCE, end_with_parent, wait_until, work_folder


def binary():
    return pathlib.Path(os.environ.get("NSLOOKOUT_BINARY", SOURCE / "build" / "nslookout"))


def backend():
    return os.environ.get("NSLOOKOUT_TEST_BACKEND", "cgroup")


class Agent:
    """`nslookout run`. arguments come after those that every run gets (a ready file, the backend).

    ready: whether the constructor waits until the agent says that it watches. output: whether events go to a file.
    within: a command that the agent is started with. Other options go to Popen.
    """

    _count = 0

    def __init__(self, *arguments, rules=RULES, output=True, ready=True, ready_file=None, within=(), **options):
        Agent._count += 1
        self.folder = work_folder() / f"agent-{Agent._count}"
        self.folder.mkdir()
        self.folder.chmod(0o777)  # for an agent that does not run as root
        self.ready_file = ready_file or self.folder / "ready"
        self.events_file = self.folder / "events.jsonl"
        self.status_socket = self.folder / "status.sock"
        command = [binary(), "run", "--ready-file", self.ready_file]
        if "--status-socket" not in arguments:
            command += ["--status-socket", self.status_socket]
        if "--backend" not in arguments:
            command += ["--backend", backend()]
        if "--bypass" not in arguments:  # its events are in the way of those who count lookups
            command += ["--bypass", "off"]
        if rules:
            command += ["--rules", rules]
        if output:
            command += ["--output", f"jsonl:{self.events_file}"]
        with (self.folder / "stdout").open("wb") as stdout, (self.folder / "stderr").open("wb") as stderr:
            self._process = subprocess.Popen(
                [*within, *command, *arguments],
                **{"stdin": subprocess.DEVNULL, "stdout": stdout, "stderr": stderr, **options},
                preexec_fn=end_with_parent)
        self.pid = self._process.pid
        if ready:
            self.wait_ready()

    def wait_ready(self):
        wait_until(lambda: self._process.poll() is not None or self.ready_file.exists(), "the agent is ready")
        if self._process.returncode is not None:
            raise AssertionError(f"the agent ended with {self._process.returncode}: {self.stderr()}")

    def stderr(self):
        return (self.folder / "stderr").read_text()

    def stdout(self):
        return (self.folder / "stdout").read_bytes()

    def send_signal(self, number):
        self._process.send_signal(number)

    def stand_still(self):
        """Stops it until SIGCONT. A thread that runs at this moment takes a while to stop, and could still do something."""
        self.send_signal(signal.SIGSTOP)
        wait_until(lambda: all(state == "T" for state in self._thread_states()), "the agent stands still")

    def _thread_states(self):
        """Of /proc/PID/task/TID/stat; the fields are counted behind the name in parentheses (proc(5))."""
        for stat in pathlib.Path(f"/proc/{self.pid}/task").glob("*/stat"):
            try:
                yield stat.read_text().rpartition(")")[2].split()[0]
            except OSError:
                yield "ended"  # meanwhile: look again

    def wait(self, seconds=30):
        """The exit status; negative for the signal that ended it."""
        return self._process.wait(seconds)

    def running(self):
        return self._process.poll() is None

    def events(self):
        """The whole lines written so far."""
        text = self.events_file.read_bytes()
        return [json.loads(line) for line in text[: text.rfind(b"\n") + 1].split(b"\n") if line]

    def status(self):
        """What `nslookout status` knows of it."""
        answer = subprocess.run([binary(), "status", "--status-socket", self.status_socket, "--format", "json"],
                                stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
        if answer.returncode != 0:
            raise AssertionError(f"status: {answer.stderr}")
        return json.loads(answer.stdout)

    def finish(self, number=signal.SIGTERM, seconds=30):
        """Ends the agent as an operator would, and returns all its events: it drains, so none can come later."""
        self.send_signal(number)
        status = self.wait(seconds)
        if status != 0:
            raise AssertionError(f"the agent ended with {status}: {self.stderr()}")
        return self.events()

    def kill(self):
        """For the end of a test, whatever became of it."""
        if self.running():
            self._process.kill()
        self._process.wait()
