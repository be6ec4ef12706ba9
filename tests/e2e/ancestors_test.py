#!/usr/bin/env -S python3 -B
"""Who started the process that asks: scripts, processes older than the agent, ones that have gone, and what is never told."""

import json
import os
import pathlib
import re
import shutil
import subprocess

from harness import AgentCase, main, run_client, wait_until, work_folder

ASK = "getent ahosts sfrclak.com"
RULE_TITLE = "Lookup of a Host of the Axios npm Compromise"
SECRET = "hunter2-" + "s3cr3t"


class Ancestors(AgentCase):
    def setUp(self):
        super().setUp()
        self.folder = work_folder() / self.id().rsplit(".", 1)[1]
        self.folder.mkdir()

    def script(self, text):
        path = self.folder / "script.sh"
        path.write_text(text)
        path.chmod(0o755)

    def ask(self, agent):
        """The events, which are one lookup's: A and AAAA."""
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual(len(events), 2)
        return events

    def test_a_shell_that_runs_a_script_that_asks(self):
        self.script(f"#!/bin/sh -e\n{ASK}\nexit 0\n")
        agent = self.agent()
        outer = run_client(["sh", "-c", "./script.sh; exit 0"], cwd=self.folder)
        for event in self.ask(agent):
            process = event["process"]
            script, shell, test = process["ancestors"][:3]
            self.assertEqual(process["command_line"], ASK.split())
            self.assertEqual(script["script"], "./script.sh")
            self.assertEqual(script["executable"], os.path.realpath("/bin/sh"))
            self.assertEqual(script["command_line"], ["/bin/sh", "-e", "./script.sh"])
            self.assertEqual(script["pid"], process["parent_pid"])
            self.assertEqual(shell["command_line"], ["sh", "-c", "./script.sh; exit 0"])
            self.assertEqual((shell["pid"], shell["parent_pid"]), (outer.pid, os.getpid()))
            self.assertEqual(test["pid"], os.getpid())
            for one in (process, script, shell):
                self.assertEqual(one["cwd"], str(self.folder))
                self.assertEqual((one["uid"], one["user"]), (0, "root"))
            self.assertEqual(process["ancestors"][-1]["pid"], 1)
            self.assertNotIn("ancestors_truncated", process)

    def test_a_program_under_more_mounts_than_the_kernel_programs_follow(self):
        """It lives while it is told of: its path is in /proc, and not in the kernel's table."""
        shutil.copy(shutil.which("getent"), self.folder / "program")
        agent = self.agent()
        mounts = "for number in $(seq 45); do mount --bind program program; done; ./program ahosts sfrclak.com; exit 0"
        run_client(["unshare", "-m", "sh", "-c", mounts], cwd=self.folder)
        for event in self.ask(agent):
            process = event["process"]
            self.assertEqual(process["comm"], "program")
            self.assertIn(process.get("executable", ""), ("", str(self.folder / "program")))

    def test_ancestors_with_long_command_lines_make_no_line_that_readers_cut(self):
        """journald begins another record after 48K of a line that a service writes."""
        self.script(f'#!/bin/sh\nif [ "$1" -gt 0 ]; then "$0" $(($1 - 1)) "$2"; else {ASK}; fi\nexit 0\n')
        agent = self.agent()
        run_client(["./script.sh", "12", "\x1b" * 7000], cwd=self.folder)
        for event in self.ask(agent):
            self.assertLess(len(json.dumps(event)), 48 << 10)
            nearest = event["process"]["ancestors"][0]
            self.assertEqual(nearest["command_line"][:3], ["/bin/sh", "./script.sh", "0"])
            self.assertTrue(nearest["command_line_truncated"])
            self.assertEqual(event["process"]["ancestors"][12]["command_line"][2], "12")

    def test_a_script_given_to_a_shell(self):
        self.script(f"{ASK}\nexit 0\n")
        agent = self.agent()
        run_client(["sh", "-c", "sh ./script.sh; exit 0"], cwd=self.folder)
        for event in self.ask(agent):
            inner, outer = event["process"]["ancestors"][:2]
            self.assertEqual(inner["command_line"], ["sh", "./script.sh"])
            self.assertEqual(outer["command_line"], ["sh", "-c", "sh ./script.sh; exit 0"])

    def test_a_starter_older_than_the_agent_that_has_gone(self):
        command = ["sh", "-c", f"read go; setsid {ASK} & exit 0"]
        starter = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=self.folder)
        agent = self.agent()
        starter.communicate(b"go\n", timeout=30)
        wait_until(lambda: len(self.queries()) == 2, "getent has asked")
        for event in self.ask(agent):
            oldest = event["process"]["ancestors"]
            self.assertEqual(oldest[0]["pid"], starter.pid)
            self.assertEqual(oldest[0]["command_line"], command)
            self.assertEqual(oldest[0]["executable"], os.path.realpath("/bin/sh"))
            self.assertEqual(oldest[1]["pid"], os.getpid())
            self.assertEqual(oldest[-1]["pid"], 1)

    def test_a_program_without_a_file(self):
        agent = self.agent()
        getent = pathlib.Path(shutil.which("getent")).read_bytes()
        fd = os.memfd_create("evil", 0)
        os.write(fd, getent)
        run_client(["getent", "ahosts", "sfrclak.com"], executable=f"/proc/self/fd/{fd}", pass_fds=[fd])
        os.close(fd)
        for event in self.ask(agent):
            self.assertEqual(event["process"]["executable"], "/memfd:evil")
            self.assertTrue(event["process"]["executable_deleted"])

    def test_a_rule_about_the_parent(self):
        self.script(f"{ASK}\nexit 0\n")
        (self.folder / "rule.yml").write_text("""
title: A shell script that asks
id: 5b1d3c52-4c1e-4f43-9f0f-4d2f8d5a0a01
logsource: {product: linux, category: dns_query}
detection:
  selection:
    QueryName: sfrclak.com
    ParentImage|endswith: /%s
    ParentCommandLine: sh ./script.sh
  condition: selection
""" % os.path.basename(os.path.realpath("/bin/sh")))
        agent = self.agent(rules=self.folder / "rule.yml")
        run_client(["getent", "ahosts", "sfrclak.com"])
        run_client(["sh", "-c", "sh ./script.sh; exit 0"], cwd=self.folder)
        events = self.of_resolver(agent.finish())
        self.assertEqual(len(events), 2, "not the lookup that no script made")
        for event in events:
            self.assertEqual(event["process"]["ancestors"][0]["command_line"], ["sh", "./script.sh"])


class Secrets(AgentCase):
    """A variable that is not on the list is in no event, no log, no map and no core of the agent."""

    def assert_untold(self, octets, where):
        self.assertFalse(SECRET.encode() in octets, f"the secret is in {where}")

    def test_an_unlisted_variable(self):
        environment = {**os.environ, "API_TOKEN": SECRET, "npm_package_name": "told-by-name"}
        # One process that is older than the agent, and one that is not; both wait, so that their lookups are theirs.
        older = subprocess.Popen(["sh", "-c", f"read go; {ASK}; read go"], stdin=subprocess.PIPE,
                                 stdout=subprocess.DEVNULL, env=environment)
        agent = self.agent("--log-level", "debug", "--observe", "all")
        older.stdin.write(b"go\n")
        older.stdin.flush()
        run_client(ASK.split(), env=environment)
        wait_until(lambda: len(self.of_resolver(agent.events())) == 4, "the events have come")
        core = agent.folder / "core"
        dumped = subprocess.run(["gcore", "-o", core, str(agent.pid)], capture_output=True) if shutil.which(
            "gcore") else None
        if dumped is not None and dumped.returncode == 0:
            octets = (agent.folder / f"core.{agent.pid}").read_bytes()
            # the rule's title was read from its file, so it is in no part of the program that a core leaves out
            self.assertTrue(RULE_TITLE.encode() in octets, "the core has the agent's memory")
            self.assert_untold(octets, "the core")
            (agent.folder / f"core.{agent.pid}").unlink()
        dumps = [self.dump(name) for name in ("nsl_processes", "nsl_environments", "nsl_environment_room")]
        self.assertTrue(any(b"npm_package_name=told-by-name" in dump for dump in dumps), "what is listed is found")
        for dump in dumps:
            self.assert_untold(dump, "a map")
        older.communicate(b"\n", timeout=30)
        agent.finish()
        self.assert_untold(agent.events_file.read_bytes(), "an event")
        self.assert_untold(agent.stderr().encode(), "the log")

    def dump(self, name):
        """The map's octets as bpftool prints them, of every agent of this machine; a name has 15 octets in the kernel."""
        maps = json.loads(subprocess.run(["bpftool", "-j", "map", "list"], check=True, capture_output=True).stdout)
        octets = b""
        for found in (one for one in maps if one.get("name") == name[:15]):
            dump = subprocess.run(["bpftool", "map", "dump", "id", str(found["id"])], capture_output=True).stdout
            octets += re.sub(rb"[\s'\",]", b"", dump)
        return octets


if __name__ == "__main__":
    main()
