#!/usr/bin/env -S python3 -B
"""From start to end: ready, watching, drained; and what is left after an end that nobody could handle."""

import os
import pathlib
import signal
import subprocess

from harness import AgentCase, Prober, ids_held_by, main, programs_present, run_client, wait_until, work_folder
from harness.sandbox import end_with_parent

CLOCK_TICKS = os.sysconf("SC_CLK_TCK")
NAME = [b"sfrclak", b"com"]


def cpu_ticks(pid):
    """utime + stime of /proc/PID/stat; the fields are counted behind the name in parentheses (proc(5))."""
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def handles(pid, number):
    """Whether the process has a handler for the signal: SigCgt of /proc/PID/status (proc(5))."""
    line, = [line for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines() if line.startswith("SigCgt:")]
    return int(line.split()[1], 16) >> number - 1 & 1


def attached_to_cgroups():
    return subprocess.run(["bpftool", "cgroup", "tree"], check=True, capture_output=True, text=True).stdout


class Lifecycle(AgentCase):
    def assert_drained(self, agent, *signals):
        """Queries of the time when the agent did not run at all, then the signals: none of them is lost."""
        agent.stand_still()
        prober = Prober(self.resolver.address)
        sent = [(identifier, prober.send(NAME, identifier=identifier)) for identifier in range(1, 1001)]
        for number in signals:
            agent.send_signal(number)
        agent.send_signal(signal.SIGCONT)
        events = self.of_resolver(agent.finish())
        self.assertEqual([(event["dns"]["id"], event["dns"]["source"]["port"]) for event in events], sent)

    def test_sigterm_drains(self):
        self.assert_drained(self.agent(), signal.SIGTERM)
        self.assert_nothing_left_behind()

    def test_sigint_drains(self):
        self.assert_drained(self.agent(), signal.SIGINT)
        self.assert_nothing_left_behind()

    def test_a_second_signal_does_not_cut_the_draining_short(self):
        self.assert_drained(self.agent(), signal.SIGINT, signal.SIGTERM)

    def test_ready_comes_after_attaching_and_goes_with_the_agent(self):
        agent = self.agent(ready=False)
        agent.wait_ready()
        run_client(["dig", "sfrclak.com"])  # the first query after it is seen
        self.assertTrue(ids_held_by(agent.pid))
        self.assert_one_event_each(self.queries(), self.of_resolver(agent.finish()))
        self.assertFalse(agent.ready_file.exists(), "an agent that has ended is not ready")

    def test_a_ready_file_of_an_earlier_run_is_not_believed(self):
        killed = self.agent()
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        self.assertTrue(killed.ready_file.exists(), "kill -9 leaves the file")

        agent = self.agent("--rules", "/nonexistent/rule.yml", rules=None, ready=False, ready_file=killed.ready_file)
        self.assertEqual(agent.wait(), 3)
        self.assertFalse(killed.ready_file.exists(), "a run that did not come up is not ready")

    def agent_that_loads(self):
        """One that reads a list of half a million names, or handles signals already."""
        names = work_folder() / "half-a-million.txt"
        if not names.exists():
            names.write_text("".join(f"n{number}.example\n" for number in range(500_000)))
        agent = self.agent("--list", f"suffix:{names}", ready=False)

        def loads():
            if handles(agent.pid, signal.SIGHUP):
                return True
            folder = pathlib.Path(f"/proc/{agent.pid}/fd")
            return any(os.path.realpath(link) == str(names) for link in folder.iterdir())
        wait_until(loads, "the agent reads its list", seconds=60)
        return agent

    def test_signals_while_it_starts_are_heeded(self):
        """Whoever renews a list or moves a file does not know that the agent is being started."""
        agent = self.agent_that_loads()
        agent.send_signal(signal.SIGUSR1)
        agent.send_signal(signal.SIGHUP)
        agent.wait_ready()
        wait_until(lambda: agent.status()["generation"]["reloads"] == 1, lambda: agent.status()["generation"])
        run_client(["dig", "sfrclak.com"])
        self.assert_one_event_each(self.queries(), self.of_resolver(agent.finish()))

    def test_one_that_is_ended_while_it_starts_has_not_failed(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                agent = self.agent_that_loads()
                agent.send_signal(number)
                self.assertEqual(agent.wait(), 0)
                self.assert_nothing_left_behind()

    def test_kill_9_leaves_nothing_and_a_restart_works(self):
        agent = self.agent()
        held = ids_held_by(agent.pid)
        self.assertTrue(held)
        self.assertLessEqual(held, programs_present())
        agent.send_signal(signal.SIGKILL)
        self.assertEqual(agent.wait(), -signal.SIGKILL)
        wait_until(lambda: not held & programs_present(), "the kernel has freed the programs")
        self.assert_nothing_left_behind()
        for number in held:
            self.assertNotRegex(attached_to_cgroups(), rf"(?m)^\s*{number}\s")
        pins = subprocess.run(["find", "/sys/fs/bpf", "-name", "*nsl*"], capture_output=True, text=True, check=False)
        self.assertEqual(pins.stdout, "")

        restarted = self.agent()
        run_client(["getent", "ahosts", "sfrclak.com"])
        events = self.of_resolver(restarted.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual(len(events), 2)

    def test_two_agents_see_everything_each_and_one_may_end(self):
        first = self.agent()
        second = self.agent()
        run_client(["getent", "ahosts", "sfrclak.com"])
        of_first = self.of_resolver(first.finish())
        self.assert_one_event_each(self.queries(), of_first)
        run_client(["dig", "calltan.com"])
        of_second = self.of_resolver(second.finish())
        self.assert_one_event_each(self.queries(), of_second)
        self.assertEqual(len(of_first), 2)
        self.assertFalse({event["event_id"] for event in of_first} & {event["event_id"] for event in of_second})

    def test_an_idle_agent_uses_hardly_any_cpu(self):
        agent = self.agent()
        idle = subprocess.Popen(["sleep", "2"], preexec_fn=end_with_parent)
        before = cpu_ticks(agent.pid)
        idle.wait()
        used = cpu_ticks(agent.pid) - before
        # A reader that spins uses all of two seconds; one that sleeps, a tick or two even on a busy machine.
        self.assertLess(used, CLOCK_TICKS // 5)

    def test_names_that_do_not_match_cost_the_agent_nothing(self):
        agent = self.agent()
        prober = Prober(self.resolver.address)
        before = cpu_ticks(agent.pid)
        for number in range(10_000):
            prober.send([b"n%d" % number, b"example", b"com"])
        used = cpu_ticks(agent.pid) - before
        run_client(["dig", "sfrclak.com"])
        self.assertLess(used, CLOCK_TICKS // 10)
        self.assert_one_event_each(self.queries(), self.of_resolver(agent.finish()))

    def test_a_reader_of_standard_output_that_leaves_ends_the_agent(self):
        reading, writing = os.pipe()
        agent = self.agent("--output", "stdout", output=False, stdout=writing)
        os.close(writing)
        os.close(reading)
        run_client(["dig", "sfrclak.com"])
        self.assertEqual(agent.wait(), 1)
        self.assertIn("standard output", agent.stderr())
        self.assert_nothing_left_behind()


if __name__ == "__main__":
    main()
