#!/usr/bin/env -S python3 -B
"""--fail closed: what blocks outlives the agent, another agent takes it over without a gap, and release ends it."""

import pathlib
import subprocess
import threading

from harness import (AgentCase, binary, main, orphaned_programs, programs_present, run_client, wait_until,
                     work_folder)

BPF_FOLDER = "/sys/fs/bpf"
PINNED = pathlib.Path(BPF_FOLDER, "nslookout")


def mount_bpf():
    """A file system of this test's own: what it pins is nobody else's, and goes with the test."""
    subprocess.run(["mount", "-t", "bpf", "bpf", BPF_FOLDER], check=True)


def release():
    return run_client([binary(), "release"])


def resolved(name):
    """Whether dig got an answer, of the server or in its place."""
    return run_client(["dig", "+tries=1", "+time=1", name]).stdout.decode()


class Asking:
    """A client that asks for a blocked name over and over, until it is left."""

    def __init__(self):
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._ask)
        self.asked = 0

    def _ask(self):
        while not self._stop.is_set():
            run_client(["getent", "hosts", "sfrclak.com"])
            self.asked += 1

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join()


class FailClosed(AgentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        mount_bpf()

    def setUp(self):
        super().setUp()
        self.addCleanup(release)

    def assert_blocked_without_an_agent(self):
        before = len(self.queries())
        self.assertNotEqual(run_client(["getent", "hosts", "sfrclak.com"]).status, 0)
        # nobody answers in the server's place: dig waits
        self.assertIn("timed out", resolved("sfrclak.com"))
        self.assertEqual(len(self.queries()), before, "queries that left")
        self.assertIn("NOERROR", resolved("calltan.com"), "what no rule of this agent blocks")

    def blocking_agent(self, *arguments):
        listed = work_folder() / "blocked.txt"
        listed.write_text("sfrclak.com\n")
        return self.agent("--mode", "enforce", "--list", f"exact:{listed}", *arguments, rules=None)

    def closed_agent(self):
        return self.blocking_agent("--fail", "closed")

    def test_a_killed_agent_goes_on_blocking_until_release(self):
        agent = self.closed_agent()
        self.assertIn("status: NXDOMAIN", resolved("sfrclak.com"))
        agent.kill()
        self.assert_blocked_without_an_agent()
        said = release()
        self.assertEqual((said.status, said.stdout), (0, b"released 5 programs that blocked lookups without an agent\n"))
        self.assertIn("NOERROR", resolved("sfrclak.com"))
        self.assertFalse(PINNED.exists())
        self.assert_nothing_left_behind()

    def test_so_does_one_that_is_asked_to_end_and_says_so(self):
        agent = self.closed_agent()
        agent.finish()
        self.assertIn("lookups are blocked as before; `nslookout release` ends that", agent.stderr())
        self.assert_blocked_without_an_agent()
        release()
        self.assert_nothing_left_behind()

    def test_another_agent_takes_over_without_a_gap(self):
        first = self.closed_agent()
        with Asking() as client:
            first.kill()
            # what was not pinned takes a moment to go
            wait_until(lambda: len(orphaned_programs()) == 5, lambda: f"five programs are left: {orphaned_programs()}")
            left = orphaned_programs()
            second = self.closed_agent()
            wait_until(lambda: not left & programs_present(), "the first agent's programs are gone")
            asked = client.asked
            wait_until(lambda: client.asked > asked + 3, "some more lookups")
        self.assertEqual(self.queries(("sfrclak.com",)), [])
        self.assertIn("taken over from the programs that an earlier agent left", second.stderr())
        self.assertIn("status: NXDOMAIN", resolved("sfrclak.com"))
        second.kill()
        self.assert_blocked_without_an_agent()

    def test_an_agent_that_fails_open_takes_over_too(self):
        self.closed_agent().kill()
        agent = self.blocking_agent()
        self.assertFalse(PINNED.exists())
        agent.finish()
        self.assertIn("NOERROR", resolved("sfrclak.com"))
        self.assert_nothing_left_behind()

    def test_something_else_is_pinned_there(self):
        """A map of an older agent's, smaller than this one's: nobody takes it for his own, and release removes it."""
        for arguments in (("--mode", "audit"), ("--mode", "enforce", "--fail", "closed")):
            with self.subTest(arguments):
                PINNED.mkdir(exist_ok=True)
                subprocess.run(["bpftool", "map", "create", PINNED / "nsl_processes", "type", "hash", "key", "4", "value", "4",
                                "entries", "2", "name", "nsl_processes"], check=True)
                agent = self.agent(*arguments)
                run_client(["dig", "+tries=1", "+time=5", "sfrclak.com"])
                wait_until(lambda agent=agent: self.of_resolver(agent.events()), "the lookup is an event")
                agent.kill()
                self.assertEqual(release().status, 0)
                self.assertFalse(PINNED.exists())
                self.assert_nothing_left_behind()

    def test_the_other_modes_leave_it_and_warn(self):
        self.closed_agent().kill()
        for mode in ("audit", "dry-run"):
            with self.subTest(mode):
                agent = self.agent("--mode", mode)
                self.assertIn("an earlier agent failed closed and its programs still block", agent.stderr())
                agent.finish()
                self.assert_blocked_without_an_agent()

    def test_release_while_an_agent_runs(self):
        agent = self.closed_agent()
        self.assertIn(b"an agent that runs holds 5 of them: they block until it ends\n", release().stdout)
        self.assertIn("status: NXDOMAIN", resolved("sfrclak.com"))
        agent.finish()
        self.assertNotIn("blocked as before", agent.stderr())
        self.assertIn("NOERROR", resolved("sfrclak.com"))

    def test_nothing_to_release(self):
        said = release()
        self.assertEqual((said.status, said.stdout), (0, b"nothing is pinned: no blocking outlives an agent here\n"))

    def test_without_the_file_system_it_does_not_start(self):
        subprocess.run(["mount", "-t", "tmpfs", "none", BPF_FOLDER], check=True)
        self.addCleanup(subprocess.run, ["umount", BPF_FOLDER], check=True)
        agent = self.agent("--mode", "enforce", "--fail", "closed", ready=False)
        self.assertEqual(agent.wait(), 4)
        self.assertIn("mount it (mount -t bpf bpf /sys/fs/bpf)", agent.stderr())

    def test_only_where_something_blocks(self):
        agent = self.agent("--mode", "audit", "--fail", "closed", ready=False)
        self.assertEqual(agent.wait(), 2)
        self.assertIn("--fail closed is about what blocks: add --mode enforce", agent.stderr())


if __name__ == "__main__":
    main()
