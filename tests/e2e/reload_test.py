#!/usr/bin/env -S python3 -B
"""Rules and lists that change under a running agent: what is new hits, what is broken changes nothing, nothing is lost."""

import os
import pathlib
import re
import signal
import socket
import threading

from harness import AgentCase, dns_query, main, run_client, wait_until, work_folder

RULE = """title: Names of a test
id: {id}
logsource: {{category: dns}}
detection:
  selection: {{query: {names}}}
  condition: selection
"""
ID = "0c1d9d3e-6f2a-4f35-9d1f-2a4e7c1b0a{:02}"


def rule(names, number=1):
    return RULE.format(id=ID.format(number), names=names)


class Reload(AgentCase):
    def setUp(self):
        super().setUp()
        self.folder = work_folder() / self.id().rsplit(".", 1)[1]
        self.folder.mkdir()
        self.path = self.folder / "rule.yml"

    def put(self, path, text):
        """As an editor does: the file is whole at every moment."""
        new = path.with_name(".new")
        new.write_text(text)
        new.rename(path)

    def wait_generation(self, agent, number):
        wait_until(lambda: f"generation {number}: " in agent.stderr(), lambda: f"generation {number}: {agent.stderr()}")

    def names(self, agent):
        return [event["dns"]["query"] for event in self.of_resolver(agent.finish())]

    def ask(self, *names):
        for name in names:
            run_client(["dig", name])

    def test_a_changed_file(self):
        self.put(self.path, rule("sfrclak.com"))
        agent = self.agent(rules=self.folder)
        self.ask("sfrclak.com", "calltan.com")
        self.put(self.path, rule("calltan.com"))
        self.wait_generation(agent, 2)
        self.ask("sfrclak.com", "calltan.com")
        self.assertEqual(self.names(agent), ["sfrclak.com", "calltan.com"])

    def test_a_name_that_was_wrongly_blocked_is_allowed(self):
        self.put(self.path, rule("[sfrclak.com, calltan.com]") + "level: high\n")
        for option in ("--allow", "--allow-only"):
            lists = self.folder / option.strip("-")
            lists.mkdir()
            self.put(lists / "list.txt", "example.com\n")
            agent = self.agent("--mode", "enforce", option, f"exact:{lists / 'list.txt'}", rules=self.path)
            self.ask("sfrclak.com")
            self.put(lists / "list.txt", "example.com\nsfrclak.com\n")
            self.wait_generation(agent, 2)
            self.ask("sfrclak.com", "calltan.com")
            actions = [(event["dns"]["query"], event["action"]) for event in self.of_resolver(agent.finish())]
            self.assertEqual(actions[0], ("sfrclak.com", "ACTION_BLOCKED"), option)
            self.assertNotIn(("sfrclak.com", "ACTION_BLOCKED"), actions[-2:], option)
            self.assertEqual(actions[-1], ("calltan.com", "ACTION_BLOCKED"), option)

    def test_a_new_file_in_a_new_folder_and_one_that_is_gone(self):
        self.put(self.path, rule("sfrclak.com"))
        agent = self.agent(rules=self.folder)
        below = self.folder / "more"
        below.mkdir()
        self.put(below / "rule.yml", rule("calltan.com", 2))
        self.wait_generation(agent, 2)
        self.path.unlink()
        self.wait_generation(agent, 3)
        self.put(below / "rule.yml", rule("callnrwise.com", 2))  # in a folder that is watched since the reload alone
        self.wait_generation(agent, 4)
        self.ask("sfrclak.com", "calltan.com", "callnrwise.com")
        self.assertEqual(self.names(agent), ["callnrwise.com"])

    def test_a_folder_of_links_that_is_swapped(self):
        """A ConfigMap: rule.yml -> ..data/rule.yml, ..data -> ..1, and ..data is renamed over."""
        for number, name in (("..1", "sfrclak.com"), ("..2", "calltan.com")):
            (self.folder / number).mkdir()
            (self.folder / number / "rule.yml").write_text(rule(name))
        (self.folder / "..data").symlink_to("..1")
        self.path.symlink_to("..data/rule.yml")
        agent = self.agent(rules=self.path)
        (self.folder / "..tmp").symlink_to("..2")
        (self.folder / "..tmp").rename(self.folder / "..data")
        self.wait_generation(agent, 2)
        self.ask("sfrclak.com", "calltan.com")
        self.assertEqual(self.names(agent), ["calltan.com"])

    def test_a_broken_file_changes_nothing_until_it_is_mended(self):
        self.put(self.path, rule("sfrclak.com"))
        agent = self.agent(rules=self.folder)
        self.put(self.path, rule("calltan.com").replace("condition: selection", "condition: selektion"))
        wait_until(lambda: "reload refused" in agent.stderr(), "the refusal is told")
        refusal, = (line for line in agent.stderr().splitlines() if "reload refused" in line)
        self.assertIn(f"{self.path}:6:14: ", refusal)
        self.ask("sfrclak.com", "calltan.com")
        self.put(self.path, rule("calltan.com"))
        self.wait_generation(agent, 2)
        self.ask("sfrclak.com", "calltan.com")
        self.assertEqual(self.names(agent), ["sfrclak.com", "calltan.com"])

    def test_sighup_loads_even_what_has_not_changed(self):
        self.put(self.path, rule("sfrclak.com"))
        agent = self.agent(rules=self.folder)
        agent.send_signal(signal.SIGHUP)
        self.wait_generation(agent, 2)
        self.ask("sfrclak.com")
        self.assertEqual(self.names(agent), ["sfrclak.com"])

    def test_ten_reloads_add_nothing(self):
        """A rule is there once however often it is read, and not at all when its file has gone."""
        self.put(self.path, rule("sfrclak.com"))
        other = self.folder / "other.yml"
        self.put(other, rule("calltan.com", 2))
        agent = self.agent(rules=self.folder)
        for generation in range(2, 12):
            agent.send_signal(signal.SIGHUP)
            self.wait_generation(agent, generation)
        self.assertEqual({line.partition("generation ")[2].partition(": ")[2].partition(",")[0]
                          for line in agent.stderr().splitlines() if "generation " in line}, {"2 rules and 0 lists"})
        self.ask("sfrclak.com", "calltan.com")
        other.unlink()
        self.wait_generation(agent, 12)
        self.ask("calltan.com", "sfrclak.com")
        events = self.of_resolver(agent.finish())
        self.assertEqual([[rule["id"] for rule in event["rules"]] for event in events],
                         [[ID.format(1)], [ID.format(2)], [ID.format(1)]])

    def test_what_an_editor_leaves_behind_is_no_change(self):
        self.put(self.path, rule("sfrclak.com"))
        listed = self.folder / "names.txt"
        self.put(listed, "calltan.com\n")
        agent = self.agent("--list", f"exact:{listed}", rules=self.path)
        (self.folder / ".rule.yml.swp").write_text("x")
        (self.folder / ".rule.yml.swp").unlink()
        self.put(listed, "callnrwise.com\n")
        self.wait_generation(agent, 2)
        self.assertNotIn("generation 3", agent.stderr())
        self.ask("calltan.com", "callnrwise.com", "sfrclak.com")
        self.assertEqual(self.names(agent), ["callnrwise.com", "sfrclak.com"])

    def test_two_hundred_thousand_names_under_queries(self):
        """A query every 10 ms of a name that is listed before and after: none is lost, none is reported twice."""
        listed = self.folder / "names.txt"

        def write(generation):
            names = "".join(f"n{number}.g{generation}.test\n" for number in range(200_000))
            self.put(listed, names + "sfrclak.com\n")

        write(0)
        agent = self.agent("--list", f"exact:{listed}", rules=None)
        fds = self.descriptors(agent)
        stop = threading.Event()
        sent = []

        def ask():
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
                while not stop.wait(0.01):
                    client.sendto(dns_query("sfrclak.com", len(sent) & 0xFFFF), (self.resolver.address, 53))
                    sent.append(len(sent) & 0xFFFF)

        asking = threading.Thread(target=ask)
        asking.start()
        resident = self.resident(agent)
        try:
            for generation in range(2, 12):
                write(generation)
                self.wait_generation(agent, generation)
        finally:
            stop.set()
            asking.join()
        # files that it reads at this moment (a process's, the list's) are open too; what a reload left would stay
        wait_until(lambda: self.descriptors(agent) <= fds,
                   lambda: f"{self.descriptors(agent)} descriptors after ten reloads, {fds} before")
        # the sets before are kept for a moment, for lookups that are theirs
        wait_until(lambda: self.resident(agent) < 1.3 * resident,
                   lambda: f"{self.resident(agent)} kB resident after ten reloads, {resident} before")
        ids = [event["dns"]["id"] for event in self.of_resolver(agent.finish())]
        self.assertEqual(ids, sent)
        self.assertGreater(len(ids), 100)

    def descriptors(self, agent):
        return len(os.listdir(f"/proc/{agent.pid}/fd"))

    def resident(self, agent):
        return int(re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{agent.pid}/status").read_text())[1])


if __name__ == "__main__":
    main()
