#!/usr/bin/env -S python3 -B
"""The memory of lookups: the history, what is hunted in it later, and what a run has that another has not."""

import json
import os
import shutil
import signal
import stat
import subprocess
import sys

from harness import RULES, AgentCase, Prober, SmallDisk, binary, main, run_client, wait_until, work_folder


def command(*arguments):
    return subprocess.run([binary(), *arguments], capture_output=True, check=False, text=True)


# Others use this machine too, and a history has their lookups: names that nobody else asks for.
TOKEN = f"t{os.getpid()}-{os.urandom(4).hex()}"
EVIL = f"evil.{TOKEN}.example"


def rule_file(name, text):
    path = work_folder() / name
    path.write_text(text)
    return path


def late_rules():
    return rule_file("late.yml", RULE)


def hunted(*arguments):
    """What hunting for the rule finds, one object a lookup."""
    result = command("hunt", "--rules", late_rules(), "--format", "json", *arguments)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()]


class History(AgentCase):
    def setUp(self):
        super().setUp()
        self.history = work_folder() / f"{self.id().rsplit('.', 1)[-1]}.db"

    def run_agent(self, *arguments, **options):
        return self.agent("--history", self.history, *arguments, **options)

    def test_rules_that_came_later_find_what_was_asked_before_with_its_process(self):
        agent = self.run_agent("--observe", "all", rules=None)
        run_client(["dig", "example.com"])
        client = run_client(["curl", "-s", "-m", "1", f"http://{EVIL}/x"])
        events = self.of_resolver(agent.finish())
        self.assertEqual({event["kind"] for event in events}, {"KIND_QUERY"}, "no rule was there")
        self.assertEqual(stat.S_IMODE(self.history.stat().st_mode), 0o600)

        found = hunted("--history", self.history)
        self.assertEqual({lookup["name"] for lookup in found}, {EVIL})
        asked = {event["dns"]["record_type"] for event in events if event["process"]["pid"] == client.pid}
        self.assertEqual({lookup["type"] for lookup in found}, asked)
        for lookup in found:
            self.assertEqual(os.path.basename(lookup["process"]), "curl")
            self.assertIn(f"http://{EVIL}/x", lookup["command_line"])
            self.assertEqual(lookup["count"], 1)
            self.assertTrue(lookup["rules"][0]["title"])
        self.assertEqual(hunted("--history", self.history, "--since", "1h"), found)
        self.assertEqual(hunted("--history", self.history, "--since", "0s"), [])
        self.assertEqual([lookup["name"] for lookup in hunted(agent.events_file)], [lookup["name"] for lookup in found])
        for options, there in ((("--history", self.history), True), (("--history", self.history, "--since", "0s"), False),
                               ((self.history, agent.events_file), True)):
            page = command("report", *options, "--html", "-")
            self.assertEqual((page.returncode, page.stderr), (0, ""))
            self.assertEqual(f'"name":"{EVIL}"' in page.stdout, there, options)
        device = work_folder() / "device"
        os.mknod(device, stat.S_IFCHR | 0o666, os.makedev(1, 3))  # null(4)
        self.assertEqual(command("report", "--history", self.history, "--html", device).returncode, 0)
        self.assertTrue(stat.S_ISCHR(device.stat().st_mode), "a device is written, not replaced")
        self.assertEqual(command("hunt", "--rules", late_rules(), "--history", self.history, "--fail-on-match").returncode, 1)

    def test_a_history_is_read_while_it_is_written_and_goes_on_in_the_next_run(self):
        agent = self.run_agent(rules=late_rules())
        for _ in range(3):
            run_client(["dig", EVIL])
        counts = lambda: [lookup["count"] for lookup in hunted("--history", self.history)]  # noqa: E731
        wait_until(lambda: counts() == [3], "the history has what was asked")
        agent.finish()
        agent = self.run_agent(rules=late_rules())
        run_client(["dig", EVIL])
        agent.finish()
        self.assertEqual(counts(), [4])

    def test_rules_that_change_are_held_against_the_history_once(self):
        rules = work_folder() / "changing"
        rules.mkdir()
        shutil.copy(RULES / os.listdir(RULES)[0], rules)
        agent = self.run_agent("--observe", "unique", "--hunt-on-reload", "1h", rules=rules)
        client = run_client(["dig", EVIL])
        wait_until(lambda: [lookup["name"] for lookup in hunted("--history", self.history)] == [EVIL], "it is in the history")
        (rules / ".new").write_text(RULE)
        (rules / ".new").rename(rules / "late.yml")
        wait_until(lambda: self.past(agent), "the past is told")
        agent.send_signal(signal.SIGHUP)
        wait_until(lambda: "generation 3" in agent.stderr(), "the same rules are loaded again")
        events = agent.finish()
        past, = [event for event in events if event.get("from_history")]
        self.assertEqual((past["kind"], past["dns"]["query"], past["alert"]), ("KIND_MATCH", EVIL, True))
        self.assertEqual(past["process"]["pid"], client.pid)
        self.assertEqual(hunted("--history", self.history)[0]["count"], 1, "what is told of the past is no lookup")

    def past(self, agent):
        return [event for event in agent.events() if event.get("from_history")]

    def test_a_damaged_history_is_moved_aside_and_detection_goes_on(self):
        self.history.write_bytes(b"SQLite format 3\0" + b"\xff" * 9000)
        agent = self.run_agent(rules=late_rules())
        run_client(["dig", EVIL])
        self.assertEqual(len(self.of_resolver(agent.finish())), 1)
        error, = [line for line in agent.stderr().splitlines() if "error: " in line]
        self.assertIn(f"{self.history}.corrupt-", error)
        self.assertEqual(len(hunted("--history", self.history)), 1)

    def test_a_full_disk_is_said_once_counted_and_costs_no_event(self):
        disk = SmallDisk(work_folder() / "small", "192k")
        self.addCleanup(disk.remove)
        self.history = disk.folder / "history.db"
        agent = self.run_agent("--observe", "all")
        prober = Prober(self.resolver.address)
        for number in range(300):
            prober.send([b"%d" % number, b"example", b"com"])
        run_client(["dig", EVIL])
        wait_until(lambda: any(event["kind"] == "KIND_LOSS" for event in agent.events()), "the loss is reported")
        events = agent.finish()
        losses = [loss for event in events for loss in event.get("losses", [])]
        self.assertEqual({loss["stage"] for loss in losses}, {"history"})
        self.assertEqual(len([event for event in self.of_this_test(events) if "dns" in event]), 301)
        errors = [line for line in agent.stderr().splitlines() if "error: " in line]
        self.assertEqual(len(errors), 1, errors)
        self.assertIn("detection goes on", errors[0])

    def test_two_runs_compared(self):
        runs = []
        program = shutil.copy(shutil.which("getent"), work_folder() / f"getent-{TOKEN}")
        for names in (["example.com", f"gone.{TOKEN}.example"], ["example.com", f"new.{TOKEN}.example"]):
            self.history = work_folder() / f"run-{len(runs)}.db"
            agent = self.run_agent("--observe", "all", rules=None)
            for name in names:
                run_client(["dig", name])
            if runs:
                run_client([program, "ahosts", "example.com"])
            agent.finish()
            runs.append((agent.events_file, self.history))
        for before, after in zip(*runs):
            difference = json.loads(command("diff", before, after, "--format", "json").stdout)
            names = {entry["name"] for entry in difference["new"]["names"]}
            self.assertIn(f"new.{TOKEN}.example", names)
            self.assertNotIn("example.com", names)
            self.assertTrue(any(process.endswith(f"/getent-{TOKEN}") for process in difference["new"]["processes"]))
            self.assertIn(f"gone.{TOKEN}.example", {entry["name"] for entry in difference["vanished"]["names"]})
            self.assertEqual(command("diff", before, after).returncode, 0)
            self.assertEqual(command("diff", before, after, "--fail-on", "new").returncode, 1)
            self.assertEqual(command("diff", before, before, "--fail-on", "new").returncode, 0)
        mixed = command("diff", runs[0][0], runs[0][1])
        self.assertEqual(mixed.stdout, "the same names, processes and packages\n")

    def test_unique_tells_a_lookup_of_a_program_once_and_keeps_the_count(self):
        agent = self.run_agent("--observe", "unique", rules=None)
        for _ in range(5):
            run_client([sys.executable, "-c", ASK_OFTEN, self.resolver.address, EVIL, "20"])
        events = [event for event in self.of_this_test(agent.finish()) if event.get("dns", {}).get("query") == EVIL]
        self.assertEqual([event["kind"] for event in events], ["KIND_QUERY"])
        self.assertEqual([lookup["count"] for lookup in hunted("--history", self.history)], [100])

    def test_a_match_is_reported_each_time_also_with_unique(self):
        agent = self.run_agent("--observe", "unique", rules=late_rules())
        run_client([sys.executable, "-c", ASK_OFTEN, self.resolver.address, EVIL, "20"])
        events = [event for event in self.of_this_test(agent.finish()) if event.get("dns", {}).get("query") == EVIL]
        self.assertEqual([event["kind"] for event in events], ["KIND_MATCH"] * 20)

    def test_a_flood_of_lookups_that_nothing_matches_costs_no_match(self):
        agent = self.run_agent("--observe", "all", "--observe-rate", "100", rules=late_rules())
        prober = Prober(self.resolver.address)
        labels = [label.encode() for label in EVIL.split(".")]
        for number in range(20000):
            prober.send([b"%d" % number, b"flood", TOKEN.encode()])
            if number % 100 == 0:
                prober.send(labels)
        events = agent.finish()
        matches = [event for event in self.of_this_test(events) if event["kind"] == "KIND_MATCH"]
        self.assertEqual(len(matches), 200)
        losses = {loss["stage"]: int(loss["count"]) for event in events for loss in event.get("losses", [])}
        self.assertIn("telemetry rate", losses)
        self.assertNotIn("ring", losses)

    def test_correlations_are_said_not_to_be_hunted(self):
        rules = rule_file("correlation.yml", CORRELATION)
        self.run_agent(rules=late_rules()).finish()
        result = command("hunt", "--rules", rules, "--history", self.history)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("1 correlation is not hunted", result.stderr)


ASK_OFTEN = """
import socket, struct, sys
name = b"".join(bytes([len(label)]) + label.encode() for label in sys.argv[2].split(".")) + bytes(1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    for number in range(int(sys.argv[3])):
        sender.sendto(struct.pack(">6H", number, 0x0100, 1, 0, 0, 0) + name + struct.pack(">2H", 1, 1), (sys.argv[1], 53))
"""

RULE = f"""
title: A Name That Was Found Out Later
id: 1b1f4d6e-6f62-4d0c-9d0a-6f3f5b6b6c11
status: test
level: high
logsource: {{category: dns_query, product: linux}}
detection:
  selection: {{QueryName: {EVIL}}}
  condition: selection
"""

CORRELATION = """
title: Any name
name: any_name
status: test
logsource: {category: dns_query, product: linux}
detection:
  selection: {QueryName|endswith: .example}
  condition: selection
---
title: Many names
status: test
level: high
correlation:
  type: event_count
  rules: [any_name]
  group-by: [Image]
  timespan: 1m
  condition: {gte: 3}
"""

if __name__ == "__main__":
    main()
