#!/usr/bin/python3 -B
"""Disks that are full, and a receiver that is down for longer than its spool has room: detection goes on, every other output
gets everything, each event that an output did not get is counted as lost to it, and it takes events again when it can."""

import json
import re
import subprocess
import time

from harness import AgentCase, Collector, Prober, SmallDisk, binary, main, wait_until, work_folder

WAITS = "; events wait"
FULL = "No space left on device"


def whole_lines(path):
    """The lines that are JSON, and how many are not."""
    lines = path.read_bytes().split(b"\n")
    events, broken = [], 0
    for line in lines:
        try:
            events += [json.loads(line)] if line else []
        except ValueError:
            broken += 1
    return events, broken


def ids(events):
    return [event["event_id"] for event in events]


class Disks(AgentCase):
    def small_disk(self, size):
        disk = SmallDisk(work_folder() / self.id().rsplit(".", 1)[1], size)
        self.addCleanup(disk.remove)
        return disk

    def look_up(self, count):
        """Each of a port of its own, and nobody waits for the answer."""
        prober = Prober(self.resolver.address)
        for number in range(count):
            prober.send([b"calltan", b"com"], identifier=number)

    def wait_events(self, agent, count):
        """In the file of the output that is well."""
        wait_until(lambda: len(self.of_resolver(agent.events())) >= count,
                   lambda: f"{len(self.of_resolver(agent.events()))} of {count} events: {agent.stderr()}", seconds=60)

    def lost(self, agent, output):
        """What the log counted, also while the agent ended."""
        counts = re.findall(f"lost at the stage sink of {re.escape(output)}: (\\d+)", agent.stderr())
        return sum(int(count) for count in counts)

    def output(self, agent, output):
        state, = [state for state in agent.status()["outputs"] if state["output"] == output]
        return state

    def wait_delivered(self, agent, outputs):
        wait_until(lambda: not any(self.output(agent, output)["waiting"] for output in outputs),
                   lambda: f"nothing waits: {agent.status()['outputs']}")

    def said(self, agent, text, output):
        return [line for line in agent.stderr().splitlines() if text in line and f"output {output}" in line]

    def assert_told_as_events(self, agent, events, output):
        """The same numbers as in the log, but for what was lost at the very end."""
        told = sum(int(loss["count"]) for event in events for loss in event.get("losses", []) if loss["output"] == output)
        self.assertGreater(told, 0)
        self.assertLessEqual(told, self.lost(agent, output))

    def test_a_full_disk_under_files_of_events(self):
        disk = self.small_disk("64k")
        lines, frames = disk.folder / "events.jsonl", disk.folder / "events.pb"
        outputs = [f"jsonl:{lines}", f"protobuf:{frames}"]
        agent = self.agent(*[word for output in outputs for word in ("--output", f"{output}?queue=64K")])
        self.look_up(500)
        self.wait_events(agent, 500)
        losers = lambda: {loss["output"] for event in agent.events() for loss in event.get("losses", [])}  # noqa: E731
        wait_until(lambda: losers() == set(outputs), lambda: f"both losses are events: {losers()}")
        disk.grow("16m")
        for output in outputs:
            wait_until(lambda output=output: f"output {output} takes events again" in agent.stderr(), agent.stderr)
        # one by one: beside what waits still, or on a slow machine, ten are more than a queue of 64K holds
        for count in range(501, 511):
            self.wait_delivered(agent, outputs)
            self.look_up(1)
            self.wait_events(agent, count)
        events = agent.finish()
        self.assertEqual(len(self.of_resolver(events)), 510, "detection went on")
        in_lines, broken = whole_lines(lines)
        decoded = subprocess.run([binary(), "decode", frames], check=True, capture_output=True).stdout.splitlines()
        for output, got in ((outputs[0], in_lines), (outputs[1], [json.loads(line) for line in decoded])):
            with self.subTest(output):
                self.assertEqual(len(got) + self.lost(agent, output), len(events))
                kept = set(ids(got))
                self.assertEqual(ids(got), [event_id for event_id in ids(events) if event_id in kept], "in order, once")
                self.assertEqual(ids(got)[-10:], ids(events)[-10:], "it takes events again")
                self.assert_told_as_events(agent, events, output)
                self.assertEqual(len(self.said(agent, WAITS, output)), 1, agent.stderr())
                # a full queue may have room for the report of its losses, which is smaller, and is full again after it
                self.assertLessEqual(len(self.said(agent, "its queue is full", output)), 3, agent.stderr())
        self.assertLessEqual(broken, 1, "one line may be cut where the disk was full")

    def test_an_output_that_refuses_everything_is_not_told_of_for_ever(self):
        """It loses the reports of its losses, too."""
        collector = Collector()
        collector.answers = [(400, {}, b"never")] * 1000
        collector.start()
        self.addCleanup(collector.stop)
        output = f"otlp:{collector.url}"
        agent = self.agent("--output", output)
        self.look_up(100)
        self.wait_events(agent, 100)
        reports = lambda: len([event for event in agent.events() if event["kind"] == "KIND_LOSS"])  # noqa: E731
        wait_until(lambda: reports() > 0, agent.stderr)
        time.sleep(16)  # of a report every five seconds, three
        self.assertLessEqual(reports(), 2)
        events = agent.finish()
        self.assertEqual(self.lost(agent, output), len(events), "the last report was lost, too, and is counted")

    def test_a_full_disk_under_a_spool(self):
        disk = self.small_disk("256k")
        self.check_spooled(f"spool={disk.folder / 'spool'}&spool_cap=16M", 500, FULL)

    def test_a_receiver_that_is_down_for_longer_than_its_spool_has_room(self):
        self.check_spooled(f"spool={work_folder() / 'spool-of-a-cap'}&spool_cap=256K", 2000, "full (262144 octets)")

    def check_spooled(self, spool, before, reason):
        """The receiver comes when the spool has had no room for a while: what came first was kept and is delivered, then what is
        new; the rest is counted."""
        collector = Collector()
        self.addCleanup(collector.stop)
        output = f"otlp:{collector.url}"
        agent = self.agent("--output", f"{output}?{spool}&queue=16M")
        self.look_up(before)
        self.wait_events(agent, before)
        wait_until(lambda: self.lost(agent, output) > 0, agent.stderr)
        collector.start()
        wait_until(lambda: f"output {output} takes events again" in agent.stderr(), agent.stderr)
        self.wait_delivered(agent, [output])
        received = lambda: list(dict.fromkeys(json.loads(body)["event_id"] for body in collector.bodies()))  # noqa: E731
        self.look_up(10)
        self.wait_events(agent, before + 10)
        wait_until(lambda: ids(self.of_resolver(agent.events()))[-1] in received(),
                   lambda: f"what is new arrives: {len(received())} {agent.stderr()}")
        events = agent.finish()
        self.assertEqual(len(self.of_resolver(events)), before + 10, "detection went on")
        self.assertEqual(len(received()) + self.lost(agent, output), len(events))
        self.assertEqual(received()[:20], ids(events)[:20], "what came first")
        self.assertEqual(received(), [event_id for event_id in ids(events) if event_id in set(received())], "in order")
        self.assert_told_as_events(agent, events, output)
        # a disk that is full for an event may have room for the report of its loss
        self.assertLessEqual(len(self.said(agent, reason, output)), 2, agent.stderr())
        self.assertEqual(len(self.said(agent, WAITS, output)), 1, agent.stderr())
        self.assertEqual(agent.stderr().count("position cannot be written"), 0, agent.stderr())


if __name__ == "__main__":
    main()
