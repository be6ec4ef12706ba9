#!/usr/bin/env -S python3 -B
"""`nslookout top` in a terminal of tmux: what it shows, keys, sizes, and that the terminal is given back."""

import os
import pathlib
import re
import shutil
import subprocess
import sys

from harness import AgentCase, binary, main, run_client, wait_until, work_folder
from harness.sample_job import CALLS_HOME, SampleJob, sample_job
from harness.sandbox import RULES, SKIPPED


class Terminal:
    """A shell in a tmux of its own."""

    def __init__(self, folder, width=80, height=24):
        self.socket = folder / "tmux"
        environment = {name: value for name, value in os.environ.items() if name not in ("TMUX", "NO_COLOR")}
        self.run("new-session", "-d", "-x", str(width), "-y", str(height), "env", "PS1=ready> ", "LC_ALL=C.UTF-8", "sh",
                 env=environment)
        self.until("ready>")

    def run(self, *words, **options):
        return subprocess.run(["tmux", "-S", self.socket, "-f", "/dev/null", *words], check=True, capture_output=True,
                              text=True, timeout=30, **options).stdout

    def close(self):
        self.run("kill-server")

    def type(self, text):
        self.run("send-keys", "-l", text)

    def key(self, *keys):
        self.run("send-keys", *keys)

    def command(self, line):
        self.type(line)
        self.key("Enter")

    def screen(self, colours=False):
        return self.run("capture-pane", "-p", *(["-e"] if colours else []))

    def until(self, pattern):
        """The screen once it has the pattern."""
        seen = []

        def there():
            seen[:] = [self.screen()]
            return re.search(pattern, seen[0], re.M)

        wait_until(there, lambda: f"{pattern} on the screen:\n{seen[0]}")
        return seen[0]

    def pane(self, variable):
        return self.run("display-message", "-p", f"#{{{variable}}}").strip()


class Top(AgentCase):
    def terminal(self, **size):
        folder = work_folder() / self.id().rpartition(".")[2]
        folder.mkdir()
        terminal = Terminal(folder, **size)
        self.addCleanup(terminal.close)
        return terminal

    def shown(self, *options, job=None, **size):
        terminal = self.terminal(**size)
        events = (job or sample_job()).write(work_folder() / f"{self.id().rpartition('.')[2]}.jsonl")
        terminal.command(f"{binary()} top --events {events} {' '.join(options)}; echo ended $?")
        terminal.until(r"^q quit")
        return terminal, events

    def assert_given_back(self, terminal, status):
        terminal.until(rf"^ended {status}")
        self.assertEqual((terminal.pane("alternate_on"), terminal.pane("cursor_flag"), terminal.pane("wrap_flag")), ("0", "1", "1"))
        terminal.command("stty -a | grep -c -- '-icanon\\|-echo \\|-isig'; echo checked")
        self.assertRegex(terminal.until(r"^checked"), r"\n0\nchecked")

    def test_what_it_shows(self):
        terminal, _ = self.shown()
        lines = terminal.screen().rstrip("\n").split("\n")
        self.assertEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 80)
        self.assertIn("51 lookups  4 matched  3 blocked", lines[0])
        terminal.key("b")
        row = terminal.until(r"sort by r c m b l a: blocked").split("\n")[3]
        self.assertRegex(row, r" +0\.0 +2 +2 +2 +4311 node setup\.js +sfrclak\.com +npm plain")
        terminal.key("n")
        self.assertRegex(terminal.until(r"BLOCK  NAME").split("\n")[3], r" 3 +3 +3 +sfrclak\.com")
        self.assertIn("\x1b[31m", terminal.screen(colours=True))
        terminal.key("q")
        self.assert_given_back(terminal, 0)

    def test_a_filter_and_the_list_of_keys(self):
        terminal, _ = self.shown()
        terminal.type("/mirror3q")
        terminal.until(r"^Filter: mirror3q_")
        terminal.key("BSpace", "Enter")
        screen = terminal.until(r"^Filter: mirror3 \(Esc")
        self.assertEqual(sum("curl" in line for line in screen.split("\n")), 1)
        terminal.key("Escape")
        terminal.until("4311 node")
        terminal.key("?")
        terminal.until("Any key goes back")
        terminal.key("x")
        terminal.until(r"^q quit")

    def test_another_size(self):
        terminal, _ = self.shown()
        for width, height in ((120, 40), (50, 12), (80, 24)):
            terminal.run("resize-window", "-x", str(width), "-y", str(height))
            wait_until(lambda: (lambda lines: len(lines) == height and lines[-1].startswith("q quit") and
                                len(lines[2]) in range(width - 2, width + 1))(terminal.screen().rstrip("\n").split("\n")),
                       lambda: f"{width}x{height}:\n{terminal.screen()}")

    def test_a_file_that_grows_and_is_rotated(self):
        terminal, events = self.shown()
        more = SampleJob()
        fresh = more.process(7000, "/usr/bin/dig", ["dig"])
        more.ask(fresh, "later.example", 90)
        with events.open("a") as file:
            file.write(more.write(work_folder() / "more.jsonl").read_text())
        terminal.until("52 lookups")
        events.rename(f"{events}.1")
        more.write(events)
        terminal.until("53 lookups")

    def test_hostile_names_do_nothing(self):
        job = SampleJob()
        hostile = "\x1b]2;owned\x07\x1b[2J\x1b[5;5Howned\r\n\u202e"
        job.ask(job.process(9, f"/tmp/{hostile}", [hostile, hostile]), f"a.{hostile}", 1, hostile, CALLS_HOME)
        terminal, _ = self.shown(job=job)
        terminal.until(r"\\x1b")
        self.assertNotIn("owned", terminal.pane("pane_title"))
        self.assertTrue(terminal.screen().startswith("nslookout top"))
        self.assertNotIn("\u202e", terminal.screen())

    def test_no_colour(self):
        terminal = self.terminal()
        events = sample_job().write(work_folder() / "plain.jsonl")
        terminal.command(f"NO_COLOR=1 {binary()} top --events {events}")
        terminal.until("sfrclak")
        self.assertNotRegex(terminal.screen(colours=True), r"\x1b\[(3[0-8]|9\d)m")

    def test_it_gives_the_terminal_back_however_it_ends(self):
        for signal, status in (("TERM", 0), ("HUP", 0), ("INT", 0), ("ABRT", 134)):
            with self.subTest(signal):
                terminal, events = self.shown() if signal == "TERM" else (terminal, events)
                if signal != "TERM":
                    terminal.command(f"clear; {binary()} top --events {events}; echo ended $?")
                    terminal.until(r"^q quit")
                shell = pathlib.Path(f"/proc/{terminal.pane('pane_pid')}")
                shell_children = (shell / "task" / shell.name / "children").read_text().split()
                self.assertEqual(len(shell_children), 1)
                subprocess.run(["kill", f"-{signal}", shell_children[0]], check=True)
                self.assert_given_back(terminal, status)

    def test_live(self):
        terminal = self.terminal(width=120)
        terminal.command(f"{binary()} top --backend cgroup --rules {RULES}; echo ended $?")
        terminal.until("try in another shell")
        run_client(["getent", "ahosts", "sfrclak.com"])
        terminal.until(r"getent ahosts sfrclak.com +sfrclak.com")
        terminal.key("q")
        self.assert_given_back(terminal, 0)
        self.assert_nothing_left_behind()

    def test_why_it_does_not_begin(self):
        terminal = self.terminal()
        protobuf = work_folder() / "events.pb"
        protobuf.write_bytes(b"\x04\x08\x01\x12\x00\n")
        tries = ((f"TERM=dumb {binary()} top --events x", "TERM says"),
                 (f"{binary()} top --events {protobuf}", "nslookout decode"),
                 (f"{binary()} top --rules /nonexistent", "the sensor has ended"))
        for number, (command, said) in enumerate(tries):
            with self.subTest(said):
                # the number: what the command before left may still be on the screen
                terminal.command(f"clear; {command}; echo ended $? as number {number}")
                screen = terminal.until(rf"^ended [1-4] as number {number}$")
                self.assertIn(said, screen.replace("\n", " ").replace("  ", " "))
        done = subprocess.run(["setsid", binary(), "top"], capture_output=True, text=True, stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 2)
        self.assertIn("needs a terminal", done.stderr)


if __name__ == "__main__":
    if shutil.which("tmux") is None:
        print("skipped: there is no tmux")
        sys.exit(SKIPPED)
    main()
