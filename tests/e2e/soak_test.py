#!/usr/bin/env -S python3 -B
"""Running for long: tens of thousands of queries a second and a reload every five seconds. Nothing grows, and each match is
an event or is counted as lost.

NSLOOKOUT_SOAK_SECONDS: how long (20 unless given).
"""

import os
import pathlib
import re
import statistics
import time

from harness import AgentCase, Flood, main, maps_of, wait_until, work_folder
from harness.sandbox import resolver_address

SECONDS = int(os.environ.get("NSLOOKOUT_SOAK_SECONDS", "20"))
RATE = 20_000  # queries a second
EVERY = 1000  # one of so many matches
RELOAD_SECONDS = 5
NAMES = 20_000  # of the list, all others at each reload


class Resources:
    """What the agent holds at a moment."""

    def __init__(self, pid):
        status = pathlib.Path(f"/proc/{pid}/status").read_text()
        self.resident = int(re.search(r"VmRSS:\s+(\d+)", status)[1])  # kB
        self.threads = int(re.search(r"Threads:\s+(\d+)", status)[1])
        self.descriptors = len(os.listdir(f"/proc/{pid}/fd"))
        maps = maps_of(pid)
        self.maps, self.map_octets = len(maps), sum(maps.values())


def typical(samples, what):
    return statistics.median(getattr(sample, what) for sample in samples)


class Soak(AgentCase):
    def write(self, generation):
        """As an editor does: the file is whole at every moment."""
        new = self.listed.with_suffix(".new")
        new.write_text("".join(f"n{number}.g{generation}.test\n" for number in range(NAMES)) + "sfrclak.com\n")
        new.rename(self.listed)

    def run_for(self, agent, seconds):
        """Reloads, and samples between them."""
        samples, generation, begin = [], 1, time.monotonic()
        while (now := time.monotonic()) < begin + seconds:
            if now > begin + generation * RELOAD_SECONDS:
                generation += 1
                self.write(generation)
                wait_until(lambda number=generation: f"generation {number}: " in agent.stderr(), agent.stderr, seconds=120)
            self.assertTrue(agent.running(), agent.stderr())
            self.assertTrue(self.flood.running())
            samples.append(Resources(agent.pid))
            time.sleep(0.5)  # between two samples
        return samples, generation

    def test_nothing_grows_and_nothing_is_lost_uncounted(self):
        self.listed = work_folder() / "names.txt"
        self.write(1)
        agent = self.agent("--list", f"exact:{self.listed}", rules=None)
        address = resolver_address(1)
        self.flood = Flood(address, RATE, EVERY, "sfrclak.com")
        self.addCleanup(self.flood.kill)
        samples, generations = self.run_for(agent, SECONDS)
        sent = self.flood.stop()
        events = agent.finish(seconds=120)
        matches = [event for event in events if event.get("dns", {}).get("server") == {"ip": address, "port": 53}]
        lost = sum(int(loss["count"]) for event in events for loss in event.get("losses", []))
        warm, end = samples[len(samples) // 4:len(samples) // 2], samples[-len(samples) // 4:]
        figures = {what: (typical(warm, what), typical(end, what))
                   for what in ("resident", "threads", "descriptors", "maps", "map_octets")}
        print(f"{sent['sent']} queries in {sent['seconds']:.0f} s, {sent['matching']} of them matching, {len(matches)} events, "
              f"{lost} lost, {generations} generations; at a quarter and at the end: {figures}", flush=True)
        self.assertGreaterEqual(generations, SECONDS // RELOAD_SECONDS)
        self.assertEqual(len(matches) + lost, sent["matching"])
        self.assertEqual([event["dns"]["id"] for event in matches] if not lost else [],
                         [number & 0xFFFF for number in range(sent["matching"])] if not lost else [], "in order, each once")
        for what in ("threads", "descriptors", "maps"):
            self.assertLessEqual(figures[what][1], figures[what][0], what)
        for what in ("resident", "map_octets"):
            self.assertLess(figures[what][1], 1.2 * figures[what][0], what)


if __name__ == "__main__":
    main()
