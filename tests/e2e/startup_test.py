#!/usr/bin/env -S python3 -B
"""What the agent tells on stderr when it starts, as the person reads it who has just typed ./dev run."""

import json
import os
import pathlib
import shlex
import shutil
import signal

from harness import AgentCase, main, run_client, work_folder
from harness.sandbox import SOURCE

SUBSTRING_RULE = """
title: A rule that needs every query
logsource:
    category: dns
detection:
    selection:
        query|contains: frcla
    condition: selection
level: low
"""


def rule_file(name, text):
    path = work_folder() / name
    path.write_text(text)
    return path


class Startup(AgentCase):
    def test_it_names_the_backend_the_rules_and_a_line_to_try_which_works(self):
        # As ./dev run does it.
        agent = self.agent("--backend", "auto", rules="rules", output=False, cwd=SOURCE)
        backend_line, loaded_line, try_line = agent.stderr().splitlines()
        self.assertRegex(backend_line, r"\Anslookout: backend (fentry|cgroup|kprobe) \(the first \S.+\)\Z")
        self.assertIn("1 rule and 0 lists loaded, 3 names in the kernel", loaded_line)
        self.assertTrue(try_line.endswith(": getent hosts sfrclak.com"), try_line)
        self.assertEqual(agent.stdout(), b"", "nothing but events on stdout")

        run_client(shlex.split(try_line.rpartition(": ")[2]))
        agent.send_signal(signal.SIGTERM)
        self.assertEqual(agent.wait(), 0)
        events = self.of_resolver([json.loads(line) for line in agent.stdout().splitlines()])
        self.assert_one_event_each(self.queries(), events)
        self.assertTrue(events)
        for event in events:
            self.assertEqual(event["sensor"]["backend"], backend_line.split()[2])
            self.assertEqual(event["rules"][0]["file"], "rules/axios_npm_compromise_lookup.yml")
        self.assertEqual(len(agent.stderr().splitlines()), 3, "and nothing more on stderr")

    def test_a_line_to_try_stands_only_where_it_would_show_an_event(self):
        for name, shown in (("frcla", True), ("other.example", False)):
            with self.subTest(name):
                agent = self.agent(rules=rule_file("one.yml", SUBSTRING_RULE.replace("frcla", name)))
                self.assertEqual("try in another shell" in agent.stderr(), shown, agent.stderr())
                agent.finish()

    def test_a_backend_that_was_asked_for(self):
        agent = self.agent()
        self.assertRegex(agent.stderr(), r"backend \w+ \(asked for\)\n")

    def test_a_rule_that_needs_every_query_is_told_and_matches(self):
        everything_but = SUBSTRING_RULE.replace("query|contains: frcla", "query|neq: example.com")
        agent = self.agent(rules=rule_file("all_but_one.yml", everything_but))
        self.assertIn("nslookout explain", agent.stderr())
        for name in ("sfrclak.com", "frcla.example", "example.com"):
            run_client(["dig", name])
        events = self.of_resolver(agent.finish())
        self.assertEqual([event["dns"]["query"] for event in events], ["sfrclak.com", "frcla.example"])

    def test_a_rule_on_a_part_of_the_name_needs_no_other_query(self):
        agent = self.agent(rules=rule_file("substring.yml", SUBSTRING_RULE))
        self.assertNotIn("nslookout explain", agent.stderr())
        for name in ("sfrclak.com", "FRCLA.example", "example.com"):
            run_client(["dig", name])
        events = self.of_resolver(agent.finish())
        self.assertEqual([event["dns"]["query"] for event in events], ["sfrclak.com", "frcla.example"])

    def test_a_rule_that_is_left_out_is_told_with_its_place(self):
        left_out = rule_file("windows.yml", SUBSTRING_RULE.replace("category: dns", "category: process_creation"))
        agent = self.agent("--rules", left_out)
        warning, = [line for line in agent.stderr().splitlines() if "warning: " in line]
        self.assertRegex(warning, rf"{left_out}:\d+:\d+: ")
        self.assertIn("1 rule and", agent.stderr())

    def test_observe_all_reports_every_query_and_only_matches_alert(self):
        agent = self.agent("--observe", "all")
        for name in ("example.com", "sfrclak.com"):
            run_client(["dig", name])
        events = self.of_this_test(self.of_resolver(agent.finish()))
        # matches have a ring of their own, so that the order is not that of asking
        self.assertCountEqual([(event["dns"]["query"], event["kind"], event.get("alert", False)) for event in events],
                              [("example.com", "KIND_QUERY", False), ("sfrclak.com", "KIND_MATCH", True)])

    def test_observe_unique_reports_a_name_and_type_of_a_program_once(self):
        agent = self.agent("--observe", "unique", rules=None)
        for command in (["dig", "example.com"], ["dig", "example.com"], ["dig", "example.org"],
                        ["getent", "ahosts", "example.com"]):
            run_client(command)
        events = self.of_resolver(agent.finish())
        events = self.of_this_test(events)
        self.assertEqual([(event["process"]["comm"], event["dns"]["query"]) for event in events],
                         [("dig", "example.com"), ("dig", "example.org"), ("getent", "example.com"),
                          ("getent", "example.com")])

    def test_a_port_beside_53(self):
        agent = self.agent("--port", "53", "--port", "5353")
        run_client(["dig", "-p", "5353", "+tries=1", "+time=1", "sfrclak.com"])
        self.assertEqual(len(self.of_resolver(agent.finish(), port=5353)), 1)

    def test_an_agent_in_a_pid_namespace_says_so_and_reports_the_pids_of_the_host(self):
        agent = self.agent(within=["unshare", "--pid", "--fork", "--kill-child"])
        self.assertIn("pid namespace", agent.stderr())
        command = ["getent", "ahosts", "sfrclak.com"]
        client = run_client(command)
        children = pathlib.Path(f"/proc/{agent.pid}/task/{agent.pid}/children").read_text().split()
        os.kill(int(children[0]), signal.SIGTERM)
        self.assertEqual(agent.wait(), 0)
        processes = [event["process"] for event in self.of_resolver(agent.events())]
        self.assertEqual([(process["pid"], process["executable"], process["command_line"]) for process in processes],
                         [(client.pid, os.path.realpath(shutil.which("getent")), command)] * 2)

    def test_quiet(self):
        agent = self.agent("--log-level", "error")
        self.assertEqual(agent.stderr(), "")


if __name__ == "__main__":
    main()
