#!/usr/bin/env -S python3 -B
"""Processes that ask and are gone at once, as the curl of a post-install script is: they are still described in full."""

import os
import shutil
import signal

from harness import AgentCase, main, run_client

COUNT = 100
BASH = shutil.which("bash")

# Bash sends one query by itself, with the id FIRST_ID + $0, and leaves without waiting for the answer. No octet of it is
# a newline, at which bash would cut the datagram.
FIRST_ID = 128
ASK = r"""printf -v id '\\x%02x' "$((128 + $0))"
printf "\0$id\1\0\0\1\0\0\0\0\0\0\7sfrclak\3com\0\0\1\0\1" >"/dev/udp/$1/53"
"""
# $1: how often; the rest: the command, which gets the number of the round. Prints a pid for each.
REPEAT = 'n=$1; shift; i=0; while [ $i -lt $n ]; do "$@" $i "$SERVER" & echo $!; wait $!; i=$((i+1)); done'


class ShortLived(AgentCase):
    def ask_and_leave(self):
        """The shell that started them all, and the pid of each."""
        shell = run_client(["sh", "-c", REPEAT, "sh", str(COUNT), BASH, "-c", ASK],
                           env={**os.environ, "SERVER": self.resolver.address})
        pids = [int(line) for line in shell.stdout.split()]
        self.resolver.wait_for(self._queries_before + COUNT)
        for pid in pids:
            self.assertFalse(os.path.exists(f"/proc/{pid}"), "the process is gone")
        return shell, pids

    def assert_described(self, events, shell, pids):
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual([(event["dns"]["id"], event["process"]["pid"]) for event in events],
                         list(enumerate(pids, FIRST_ID)))
        for number, event in enumerate(events):
            process = event["process"]
            self.assertEqual(process["executable"], os.path.realpath(BASH))
            self.assertEqual(process["command_line"], [BASH, "-c", ASK, str(number), self.resolver.address])
            self.assertEqual(process["comm"], "bash")
            self.assertEqual((process["uid"], process["parent_pid"]), (0, shell.pid))
            self.assertTrue(event["alert"], "each process is a lookup of its own")

    def test_a_hundred_that_leave_while_the_agent_runs(self):
        agent = self.agent()
        shell, pids = self.ask_and_leave()
        self.assert_described(self.of_resolver(agent.finish()), shell, pids)

    def test_a_hundred_that_are_gone_before_the_agent_wakes(self):
        agent = self.agent()
        agent.stand_still()
        shell, pids = self.ask_and_leave()
        agent.send_signal(signal.SIGCONT)
        self.assert_described(self.of_resolver(agent.finish()), shell, pids)

    def test_a_process_whose_parent_has_gone(self):
        agent = self.agent()
        command = ["getent", "ahosts", "sfrclak.com"]
        detached = run_client(["sh", "-c", 'echo $$; setsid sh -c "echo \\$\\$; exec getent ahosts sfrclak.com" & exit 0'])
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual(len(events), 2)
        for event in events:
            process = event["process"]
            shell, pid = map(int, detached.stdout.split()[:2])
            self.assertEqual(process["pid"], pid)
            self.assertEqual(process["command_line"], command)
            self.assertEqual(process["session"], pid)
            # The shell that started it has gone, and init has adopted it.
            self.assertIn(shell, [ancestor["pid"] for ancestor in process["ancestors"]])
            self.assertEqual(process["parent_pid"], process["ancestors"][0]["pid"])
            self.assertIn(os.getpid(), [ancestor["pid"] for ancestor in process["ancestors"]])
            self.assertEqual(process["ancestors"][-1]["pid"], 1)
            self.assertNotIn("ancestors_truncated", process)


if __name__ == "__main__":
    main()
