#!/usr/bin/env -S python3 -B
"""Tables that are full, and limits of descriptors, of threads and of memory that are reached: what has no room is counted, what cannot
start says so in one sentence, and what ends leaves nothing behind. No client notices any of it."""

import os
import pathlib
import resource
import signal
import socket
import subprocess
import threading
import time

from harness import WATCHED, AgentCase, MemoryCgroup, PidsCgroup, dns_query, main, programs_present, run_client, wait_until, work_folder
from harness.sandbox import end_with_parent

# Processes that all live at once, of one lookup each: $1 is the server, $2 their number. They end with standard input.
CROWD = r"""
import os, socket, struct, sys
server, count = sys.argv[1], int(sys.argv[2])
name = b"\7sfrclak\3com\0\0\1\0\1"
pids = []
for number in range(count):
    pid = os.fork()
    if pid == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + name, (server, 53))
        os.read(0, 1)
        os._exit(0)
    pids.append(pid)
print(*pids, flush=True)
for pid in pids:
    os.waitpid(pid, 0)
"""


def descriptors(agent):
    return len(os.listdir(f"/proc/{agent.pid}/fd"))


def cpu_seconds(agent):
    fields = pathlib.Path(f"/proc/{agent.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def errors(agent):
    return [line for line in agent.stderr().splitlines() if "error: " in line]


class Limits(AgentCase):
    def lost(self, events):
        return sum(int(loss["count"]) for event in events for loss in event.get("losses", []))

    def assert_ends_with_a_sentence(self, agent, words):
        status = agent.wait()
        self.assertIn(status, (1, 4), agent.stderr())
        self.assertEqual(len(errors(agent)), 1, agent.stderr())
        self.assertRegex(errors(agent)[0], words)

    def put(self, path, names):
        new = path.with_suffix(".new")
        new.write_text("".join(f"{name}\n" for name in names))
        new.rename(path)


class Tables(Limits):
    def test_more_processes_than_the_process_table_has(self):
        count = 1500
        agent = self.agent("--process-entries", "1024")
        crowd = subprocess.Popen(["python3", "-c", CROWD, self.resolver.address, str(count)], stdin=subprocess.PIPE,
                                 stdout=subprocess.PIPE, preexec_fn=end_with_parent)
        self.addCleanup(crowd.wait)
        self.addCleanup(crowd.kill)
        pids = [int(pid) for pid in crowd.stdout.readline().split()]
        wait_until(lambda: len(self.of_resolver(agent.events())) >= count, "all are told", seconds=60)
        crowd.stdin.close()
        crowd.stdout.close()
        self.assertEqual(crowd.wait(30), 0)
        status = agent.status()
        events = agent.finish()
        told = sorted((event["dns"]["id"], event["process"]["pid"]) for event in self.of_resolver(events))
        self.assertEqual(told, list(enumerate(pids)))
        self.assertEqual(self.lost(events), 0)
        self.assertGreater(status["counters"]["process_entries"], 1024, "more than there is room for")
        for event in self.of_resolver(events):
            self.assertRegex(event["process"]["executable"], "python3")

    def accounted(self, status):
        return status["events"]["query"] + status["counters"]["telemetry_repeated"] + sum(status["lost"].values())

    def test_more_lookups_than_unique_remembers(self):
        count, step, again = 80_000, 20_000, 1_000  # it remembers 65,536, and the ring has room for a step
        agent = self.agent("--observe", "unique", "--observe-rate", "0", rules=None)
        for sent in range(step, count + 1, step):  # what the ring had no room for would be told anew in any case
            self.look_up(range(sent - step, sent))
            wait_until(lambda sent=sent: self.accounted(agent.status()) >= sent, "all are accounted for", seconds=120)
        before = agent.status()["counters"]["telemetry_repeated"]
        self.look_up(range(again))
        repeated = agent.status()["counters"]["telemetry_repeated"]
        self.assertLess(repeated - before, again, "what was not asked for the longest time is forgotten, and told anew")
        events = agent.finish(seconds=120)
        told = len(self.of_resolver(events))
        print(f"{told} told, {repeated} repeated, {self.lost(events)} lost", flush=True)
        self.assertEqual(told + repeated + self.lost(events), count + again)

    def look_up(self, numbers):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in numbers:
                client.sendto(dns_query(f"n{number}.unique.test", number & 0xFFFF), (self.resolver.address, 53))


class Descriptors(Limits):
    def test_every_limit_at_the_start(self):
        """It works, or says why not; where the hard limit is higher, the agent raises its own."""
        worked = []
        for limit in range(8, 160, 8):
            with self.subTest(limit):
                agent = self.agent(ready=False, within=["prlimit", f"--nofile={limit}"])
                wait_until(lambda agent=agent: not agent.running() or agent.ready_file.exists(), f"{limit}: it is ready, or ends")
                if agent.running():
                    worked.append(limit)
                    self.assertEqual(run_client(["dig", "sfrclak.com"]).status, 0)
                    agent.finish()
                else:
                    self.assert_ends_with_a_sentence(agent, "128 open files are needed")
        self.assertEqual(worked, list(range(128, 160, 8)))
        agent = self.agent(within=["prlimit", "--nofile=20:1024"])
        self.assertEqual(run_client(["dig", "sfrclak.com"]).status, 0)
        agent.finish()
        self.assert_nothing_left_behind()

    def limit(self, agent, count):
        hard = resource.prlimit(agent.pid, resource.RLIMIT_NOFILE)[1]
        resource.prlimit(agent.pid, resource.RLIMIT_NOFILE, (count, hard))

    def test_none_left_while_it_runs(self):
        """With so many left the list can or cannot be read, and its tables can or cannot be made: where a reload is refused
        the rules in use stay, also when what was refused would be in use by now."""
        for left in range(4):
            with self.subTest(left=left):
                listed = work_folder() / f"descriptors-{left}.txt"
                self.put(listed, ["sfrclak.com"])
                agent = self.agent("--list", f"exact:{listed}", rules=None)
                before = descriptors(agent)
                self.limit(agent, before + left)
                self.put(listed, ["calltan.com"])
                wait_until(lambda agent=agent: "reload refused" in agent.stderr() or "generation 2: " in agent.stderr(),
                           agent.stderr)
                refused = "reload refused" in agent.stderr()
                self.assert_sees(agent, "sfrclak.com" if refused else "calltan.com")
                self.limit(agent, 1024)
                agent.send_signal(signal.SIGHUP)
                number = 2 if refused else 3
                wait_until(lambda agent=agent, number=number: f"generation {number}: " in agent.stderr(), agent.stderr)
                self.assert_sees(agent, "calltan.com")
                wait_until(lambda agent=agent, before=before: descriptors(agent) <= before, "none is left open")
                agent.finish()
                print(f"with {left} left: {'refused' if refused else 'taken'}: {errors(agent)}", flush=True)

    def assert_sees(self, agent, name):
        """For longer than the rules before a reload are kept (3 s), whatever the other name would be."""
        earlier, asked = len(self.of_resolver(agent.events())), 0
        end = time.monotonic() + 4
        while time.monotonic() < end:
            self.assertEqual(run_client(["dig", "+short", *WATCHED]).status, 0)
            asked += 1
        names = lambda: [event["dns"]["query"] for event in self.of_resolver(agent.events())][earlier:]  # noqa: E731
        wait_until(lambda: len(names()) >= asked, lambda: f"{names()}: {agent.stderr()}")
        self.assertEqual(names(), [name] * asked)

    def test_a_client_of_the_status_socket_that_cannot_be_accepted_costs_no_time(self):
        agent = self.agent()
        self.limit(agent, descriptors(agent))
        with socket.socket(socket.AF_UNIX) as client:
            client.settimeout(30)
            client.connect(str(agent.status_socket))
            before = cpu_seconds(agent)
            time.sleep(3)
            self.assertLess(cpu_seconds(agent) - before, 1)
            self.limit(agent, 1024)
            self.assertTrue(client.recv(1), "it is answered when it can be")
        agent.finish()


class Threads(Limits):
    """As a fork bomb leaves the machine, but within one cgroup."""

    def setUp(self):
        super().setUp()
        self.cgroup = PidsCgroup()
        self.addCleanup(self.cgroup.remove)

    def test_every_limit_at_the_start(self):
        worked = []
        for limit in range(1, 17):
            with self.subTest(limit):
                self.cgroup.limit(limit)
                agent = self.agent(ready=False, within=self.cgroup.enter)
                wait_until(lambda agent=agent: not agent.running() or agent.ready_file.exists(), f"{limit}: it is ready, or ends")
                if agent.running():
                    worked.append(limit)
                    self.assertEqual(run_client(["dig", "sfrclak.com"]).status, 0)
                    self.assertEqual(len(self.of_resolver(agent.finish())), 1)
                else:
                    self.assert_ends_with_a_sentence(agent, "a thread cannot be started|starting a thread")
        print(f"works from {worked[0]} on", flush=True)
        self.assertEqual(worked, list(range(worked[0], 17)))
        self.assert_nothing_left_behind()

    def test_none_left_while_it_runs(self):
        """What needs one goes without, and is back when there is one: answers in a client's own network namespace."""
        listed = work_folder() / "threads.txt"
        self.put(listed, ["sfrclak.com"])
        agent = self.agent("--mode", "enforce", "--list", f"exact:{listed}?level=critical", rules=None, within=self.cgroup.enter)
        inside = "ip link set lo up && exec dig +tries=1 +time=2 @127.0.0.9 sfrclak.com"
        ask = lambda: run_client(["unshare", "--net", "sh", "-c", inside]).stdout.decode()  # noqa: E731
        self.cgroup.limit(self.cgroup.count())
        self.assertNotIn("NXDOMAIN", ask(), "no thread could go there to answer")
        self.assertGreater(self.cgroup.refused(), 0)
        self.put(listed, ["sfrclak.com"] + [f"n{number}.threads.test" for number in range(100_000)])  # worth a thread
        wait_until(lambda: not agent.running() or "generation 2: " in agent.stderr(), agent.stderr, seconds=60)
        self.assertTrue(agent.running(), agent.stderr())
        self.cgroup.limit("max")
        self.assertIn("status: NXDOMAIN", ask())
        events = agent.finish()
        self.assertEqual([event["action"] for event in events if event.get("dns", {}).get("query") == "sfrclak.com"],
                         ["ACTION_BLOCKED"] * 2)


class Memory(Limits):
    def cgroup(self, octets):
        cgroup = MemoryCgroup(octets)
        self.addCleanup(cgroup.remove)
        return cgroup

    def test_every_limit_at_the_start(self):
        outcomes = {}
        for megabytes in (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256):
            with self.subTest(megabytes=megabytes):
                cgroup = self.cgroup(megabytes << 20)
                agent = self.agent(ready=False, within=cgroup.enter)
                wait_until(lambda agent=agent: not agent.running() or agent.ready_file.exists(),
                           f"{megabytes} MiB: it is ready, or ends", seconds=60)
                if agent.running():
                    self.assertEqual(run_client(["dig", "sfrclak.com"]).status, 0)
                    self.assertEqual(len(self.of_resolver(agent.finish())), 1)
                    outcomes[megabytes] = "works"
                elif agent.wait() == -signal.SIGKILL:
                    outcomes[megabytes] = "killed by the kernel"
                else:
                    self.assert_ends_with_a_sentence(agent, "memory")
                    outcomes[megabytes] = errors(agent)[0]
        print(outcomes, flush=True)
        self.assertEqual(outcomes[256], "works")
        self.assert_nothing_left_behind()

    def test_no_address_space_for_a_list_that_is_new(self):
        listed = work_folder() / "address-space.txt"
        self.put(listed, ["sfrclak.com"])
        agent = self.agent("--list", f"exact:{listed}", rules=None)
        size = int(pathlib.Path(f"/proc/{agent.pid}/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE")
        hard = resource.prlimit(agent.pid, resource.RLIMIT_AS)[1]
        resource.prlimit(agent.pid, resource.RLIMIT_AS, (size + (16 << 20), hard))
        self.put(listed, [f"n{number}.space.test" for number in range(1_000_000)])
        wait_until(lambda: not agent.running() or "reload refused" in agent.stderr(), agent.stderr, seconds=120)
        self.assertTrue(agent.running(), agent.stderr())
        self.assertIn("there is no memory for the new ones", agent.stderr())
        self.assertEqual(run_client(["dig", "sfrclak.com"]).status, 0)
        self.assertEqual(len(self.of_resolver(agent.finish())), 1)

    def test_a_list_that_has_no_room_comes_while_it_runs(self):
        """A client asks all the while; it gets each answer, whatever becomes of the agent."""
        listed = work_folder() / "memory.txt"
        self.put(listed, ["sfrclak.com"])
        cgroup = self.cgroup(1 << 30)
        before = programs_present()
        agent = self.agent("--list", f"exact:{listed}", rules=None, within=cgroup.enter)
        stop, failures, asked = threading.Event(), [], [0]

        def ask():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(10)
                while not stop.wait(0.005):
                    number = asked[0] & 0xFFFF
                    client.sendto(dns_query("sfrclak.com", number), (self.resolver.address, 53))
                    if client.recv(512)[:2] != number.to_bytes(2, "big"):
                        failures.append(number)
                    asked[0] += 1

        asking = threading.Thread(target=ask)
        asking.start()
        try:
            cgroup.limit(cgroup.used() + (8 << 20))
            self.put(listed, [f"n{number}.memory.test" for number in range(1_000_000)] + ["sfrclak.com"])
            wait_until(lambda: not agent.running() or "reload refused" in agent.stderr() or "generation 2" in agent.stderr(),
                       agent.stderr, seconds=120)
            if agent.running():
                outcome = "the rules in use stay" if "reload refused" in agent.stderr() else "taken"
                agent.finish()
            else:
                outcome = f"ended with {agent.wait()}"
        finally:
            stop.set()
            asking.join()
        print(f"{outcome}; {asked[0]} asked", flush=True)
        self.assertGreater(asked[0], 10)
        self.assertEqual(failures, [])
        wait_until(lambda: programs_present() <= before, lambda: f"left: {programs_present() - before}")
        self.assert_nothing_left_behind()


if __name__ == "__main__":
    main()
