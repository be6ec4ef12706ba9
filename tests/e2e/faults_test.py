#!/usr/bin/env -S python3 -B
"""What goes wrong on a machine, and what then still holds: every lookup is an event or is counted, and no client notices.

NSLOOKOUT_FAULT_ROUNDS: how often the agent is killed (20 unless given).
"""

import collections
import os
import pathlib
import random
import signal
import socket
import subprocess
import sys
import threading
import time

from harness import AgentCase, dns_query, main, programs_present, run_client, wait_until, work_folder
from harness.cgroup import cgroup2
from harness.sandbox import end_with_parent

ROUNDS = int(os.environ.get("NSLOOKOUT_FAULT_ROUNDS", "20"))
# One lookup each, from processes that leave at once: $1 is the server, $2 the number of processes, $3 the parallel parents.
FORKS = r"""
import os, socket, struct, sys
server, count, parents = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
name = b"\7sfrclak\3com\0\0\1\0\1"
def one(number):
    pid = os.fork()
    if pid == 0:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.sendto(struct.pack(">6H", number & 0xFFFF, 0x0100, 1, 0, 0, 0) + name, (server, 53))
        os._exit(0)
    os.waitpid(pid, 0)
    return pid
children = []
for parent in range(parents):
    pid = os.fork()
    if pid == 0:
        lines = [f"{one(number)} {number}" for number in range(parent, count, parents)]
        os.write(1, ("\n".join(lines) + "\n").encode())
        os._exit(0)
    children.append(pid)
for pid in children:
    os.waitpid(pid, 0)
"""
# One listed name to the address $1 for as long as it runs; nobody reads it.
FLOOD = r"""
import socket, sys
server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
server.bind((sys.argv[1], 53))
client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
client.connect((sys.argv[1], 53))
query = b"\0\1\1\0\0\1\0\0\0\0\0\0\7sfrclak\3com\0\0\1\0\1"
while True:
    client.send(query)
"""


class Faults(AgentCase):
    def send_many(self, count, name="sfrclak.com"):
        """From this process; a send that fails is a failure of the test."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            for number in range(count):
                client.sendto(dns_query(name, number & 0xFFFF), (self.resolver.address, 53))

    def lost(self, events):
        """Lookups that the agent counted as lost, by its own events."""
        return sum(int(loss["count"]) for event in events for loss in event.get("losses", []))

    def test_a_reader_that_stands_still_loses_nothing_uncounted(self):
        agent = self.agent()
        agent.stand_still()
        self.send_many(50_000)
        agent.send_signal(signal.SIGCONT)
        events = agent.finish(seconds=120)  # tens of thousands are still to be written
        reported = len(self.of_resolver(events))
        self.assertLess(reported, 50_000, "the ring is smaller than that, else this shows nothing")
        self.assertEqual(reported + self.lost(events), 50_000)

    def test_a_flood_of_hits_keeps_nothing_else_waiting(self):
        """More of them than the agent can tell, without a pause: it hears signals, tells of its losses, and ends."""
        # beside the file that others compare with: these events are some hundred megabytes
        events = work_folder() / "flood.jsonl"
        agent = self.agent("--output", f"jsonl:{events}?rotate=10M&keep=1", output=False)
        floods = [subprocess.Popen([sys.executable, "-c", FLOOD, f"127.0.0.{number}"], preexec_fn=end_with_parent) for number in (77, 78)]
        try:
            wait_until(lambda: "lost at the stage ring" in agent.stderr(), agent.stderr)
            agent.send_signal(signal.SIGHUP)
            wait_until(lambda: "generation 2: " in agent.stderr(), agent.stderr)
            agent.send_signal(signal.SIGTERM)
            self.assertEqual(agent.wait(60), 0, agent.stderr())
        finally:
            for flood in floods:
                flood.kill()
                flood.wait()

    def test_killed_at_any_moment_no_client_notices(self):
        listed = work_folder() / "faults.txt"
        listed.write_text("sfrclak.com\n")
        stop = threading.Event()
        sent = []

        def ask():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                client.settimeout(10)
                while not stop.wait(0.002):
                    client.sendto(dns_query("sfrclak.com", len(sent) & 0xFFFF), (self.resolver.address, 53))
                    answer = client.recv(512)
                    sent.append(answer[:2])

        asking = threading.Thread(target=ask)
        asking.start()
        generator = random.Random(20260330)
        before = programs_present()
        try:
            for number in range(ROUNDS):
                agent = self.agent("--list", f"exact:{listed}", "--output", f"jsonl:{work_folder()}/killed.jsonl",
                                   output=False, ready=False)
                time.sleep(generator.uniform(0, 0.8))  # the moment is what is tried, not what is waited for
                listed.write_text(f"sfrclak.com\nn{number}.test\n")
                agent.send_signal(signal.SIGKILL)
                agent.wait()
        finally:
            stop.set()
            asking.join()
        self.assertGreater(len(sent), ROUNDS)
        self.assertEqual([int.from_bytes(answer, "big") for answer in sent], [n & 0xFFFF for n in range(len(sent))])
        wait_until(lambda: programs_present() <= before, lambda: f"left: {programs_present() - before}")
        self.assert_nothing_left_behind()

    def test_a_machine_that_was_suspended(self):
        """In a time namespace the clock since boot is another than the kernel's programs have."""
        agent = self.agent(within=["unshare", "--time", "--boottime", "864000", "--fork", "--kill-child"])
        before = time.time_ns()
        run_client(["dig", "sfrclak.com"])
        after = time.time_ns()
        # the agent is a child of unshare, which does not pass signals on
        child, = pathlib.Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()
        os.kill(int(child), signal.SIGTERM)
        self.assertEqual(agent.wait(), 0)
        event, = self.of_resolver(agent.events())
        from_text = subprocess.run(["date", "-d", event["time"], "+%s%N"], check=True, capture_output=True, text=True)
        self.assertGreater(int(from_text.stdout), before - 1_000_000_000)
        self.assertLess(int(from_text.stdout), after + 1_000_000_000)
        self.assertEqual(event["process"]["comm"], "dig")

    def assert_each_process_is_told(self, count, parents):
        agent = self.agent("--process-entries", str(4 * count))
        # Debian's, and little of it: a fork of a larger one took three times as long
        started = subprocess.Popen(["/usr/bin/python3", "-I", "-S", "-c", FORKS, self.resolver.address, str(count), str(parents)],
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, preexec_fn=end_with_parent)
        out, _ = started.communicate(timeout=300)
        self.assertEqual(started.returncode, 0)
        expected = collections.Counter((int(pid), int(number) & 0xFFFF) for pid, number in
                                       (line.split() for line in out.decode().splitlines()))
        self.assertEqual(sum(expected.values()), count)
        events = agent.finish(seconds=120)
        told = collections.Counter((event["process"]["pid"], event["dns"]["id"]) for event in self.of_resolver(events))
        self.assertEqual(told - expected, collections.Counter(), "no lookup is another process's")
        self.assertEqual(sum(told.values()) + self.lost(events), count)
        self.assertEqual(self.lost(events), 0)

    def test_ten_thousand_processes_of_one_lookup_each(self):
        self.assert_each_process_is_told(10_000, 1)

    def test_a_bomb_of_such_processes(self):
        self.assert_each_process_is_told(4_000, 16)

    def test_another_program_at_the_same_place(self):
        """A firewall's program is there before the agent and stays after it; both see the packets."""
        program = work_folder() / "foreign.o"
        source = work_folder() / "foreign.c"
        source.write_text('__attribute__((section("cgroup_skb/egress"), used)) int nobody(void *skb) { return 1; }\n'
                          'char _license[] __attribute__((section("license"), used)) = "GPL";\n')
        subprocess.run(["clang-19", "-O2", "-g", "-target", "bpf", "-c", source, "-o", program], check=True)
        pin = f"/sys/fs/bpf/foreign-{os.getpid()}"
        subprocess.run(["bpftool", "prog", "load", program, pin], check=True)
        self.addCleanup(lambda: os.path.exists(pin) and os.unlink(pin))
        root = cgroup2()
        subprocess.run(["bpftool", "cgroup", "attach", root, "egress", "pinned", pin, "multi"], check=True)
        self.addCleanup(subprocess.run, ["bpftool", "cgroup", "detach", root, "egress", "pinned", pin], check=True)
        agent = self.agent()
        run_client(["dig", "sfrclak.com"])
        self.assert_one_event_each(self.queries(), self.of_resolver(agent.finish()))
        attached = subprocess.run(["bpftool", "cgroup", "show", root], check=True, capture_output=True, text=True)
        self.assertIn("nobody", attached.stdout, "the agent leaves what is not its own")

    def test_a_cgroup_that_is_removed_at_once(self):
        agent = self.agent()
        root = cgroup2()
        agent.stand_still()
        folder = root / f"gone-{os.getpid()}"
        folder.mkdir()
        client = run_client(["sh", "-c", 'echo $$ >"$0/cgroup.procs" && exec dig sfrclak.com', folder])
        self.assertEqual(client.status, 0)
        wait_until(lambda: _removed(folder), f"{folder} is removed")
        agent.send_signal(signal.SIGCONT)
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual(events[0]["process"]["pid"], client.pid)


def _removed(folder):
    try:
        folder.rmdir()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
