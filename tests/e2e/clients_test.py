#!/usr/bin/env -S python3 -B
"""Real clients, each with its own way to ask: every query that the name server saw is one event about the process that
sent it.
"""

import base64
import calendar
import os
import shutil
import subprocess
import sys
import time
from typing import NamedTuple

from harness import AgentCase, Resolver, backend, main, run_client, work_folder
from harness.sandbox import end_with_parent, resolver_address

PYTHON_LOOKUP = "import socket; socket.getaddrinfo('sfrclak.com', 80)"
NODE_LOOKUP = "require('dns').lookup('sfrclak.com', () => {})"
NODE_RESOLVE = "require('dns').resolve4('sfrclak.com', () => {})"
BOTH = ["A", "AAAA"]


class Row(NamedTuple):
    command: list
    record_types: list  # sorted
    transport: str = "udp"


CLIENTS = {
    "dig": Row(["dig", "sfrclak.com"], ["A"]),  # EDNS and a cookie, as dig does unasked
    "dig, any type": Row(["dig", "sfrclak.com", "TXT"], ["TXT"]),
    "dig, a type younger than the resolver": Row(["dig", "sfrclak.com", "HTTPS"], ["HTTPS"]),
    "dig over TCP": Row(["dig", "+tcp", "sfrclak.com"], ["A"], "tcp"),
    "getent hosts": Row(["getent", "hosts", "sfrclak.com"], ["AAAA"]),
    "getent ahosts": Row(["getent", "ahosts", "sfrclak.com"], BOTH),
    "getent, another name": Row(["getent", "ahosts", "calltan.com"], BOTH),
    "getent, the third name": Row(["getent", "ahosts", "callnrwise.com"], BOTH),
    "curl": Row(["curl", "--silent", "--max-time", "20", "http://sfrclak.com:1/"], BOTH),
    "python3": Row(["python3", "-c", PYTHON_LOOKUP], BOTH),
    "node dns.lookup": Row(["node", "-e", NODE_LOOKUP], BOTH),
    "node dns.resolve4": Row(["node", "-e", NODE_RESOLVE], ["A"]),
    "busybox nslookup": Row(["busybox", "nslookup", "sfrclak.com"], BOTH),
}

RULE_ABOUT_CURL = """
title: A rule that needs every query, and the sender of some
logsource:
    category: dns
detection:
    selection:
        query|contains: frcla
        Image|endswith: /curl
        CommandLine|contains: --silent
    condition: selection
level: low
"""

# /proc/self is the pid in the namespace that /proc was mounted in, here the host's.
TELL_PID_AND_RUN = "import os, sys; print(os.readlink('/proc/self'), flush=True); os.execvp(sys.argv[1], sys.argv[1:])"


def path_of(command):
    return os.path.realpath(shutil.which(command[0]))


class Clients(AgentCase):
    def assert_process(self, event, pid, command, parent=None, uid=0):
        process = event["process"]
        self.assertEqual(process["pid"], pid)
        self.assertEqual(process["executable"], path_of(command))
        self.assertEqual(process["command_line"], command)
        self.assertEqual(process["comm"], command[0])
        self.assertEqual(process["uid"], uid)
        self.assertEqual(process["parent_pid"], parent or os.getpid())

    def test_every_query_of_a_client_is_one_event_with_its_process(self):
        agent = self.agent()
        ran = {}
        for title, row in CLIENTS.items():
            if row.transport == "tcp" and backend() != "cgroup":
                continue
            before = len(self.queries())
            started = time.time()
            client = run_client(row.command)
            ran[title] = (row, client, started, self.queries()[before:])
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)

        for title, (row, client, started, queries) in ran.items():
            with self.subTest(title):
                ours = [event for event in events if event["process"]["pid"] == client.pid]
                self.assert_one_event_each(queries, ours)
                self.assertEqual(sorted(event["dns"]["record_type"] for event in ours), row.record_types)
                self.assert_one_alert(ours)
                for event in ours:
                    self.assert_process(event, client.pid, row.command)
                    self.assertEqual(event["kind"], "KIND_MATCH")
                    self.assertEqual(event["action"], "ACTION_AUDITED")
                    self.assertEqual(event["dns"]["transport"], row.transport)
                    self.assertEqual(event["rules"][0]["id"], "4cac326f-7f7c-4a3f-85a1-301e56be0506")
                    self.assertLess(abs(seconds_of(event["time"]) - started), 10)

    def test_names_beside_the_listed_ones_are_no_event(self):
        agent = self.agent()
        for name in ("www.sfrclak.com", "notsfrclak.com", "sfrclak.com.example", "sfrclak.co", "com", "example.com"):
            before = len(self.resolver.queries())
            run_client(["dig", name])
            self.assertEqual([query.name for query in self.resolver.queries()[before:]], [name])
        run_client(["dig", "sfrclak.com"])
        self.assertEqual([event["dns"]["query"] for event in self.of_resolver(agent.finish())], ["sfrclak.com"])

    def test_a_name_in_mixed_case_is_reported_lower_with_its_octets_as_sent(self):
        agent = self.agent()
        for _ in range(2):
            run_client(["dig", "SfRcLaK.cOm"])
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual({event["dns"]["query"] for event in events}, {"sfrclak.com"})
        self.assertEqual({base64.b64decode(event["dns"]["query_wire"]) for event in events}, {b"\7SfRcLaK\3cOm\0"})

    def test_a_trailing_dot_is_the_same_name(self):
        agent = self.agent()
        run_client(["getent", "ahosts", "sfrclak.com."])
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual([event["dns"]["query"] for event in events], ["sfrclak.com"] * 2)

    def test_a_search_list_adds_queries_but_no_events(self):
        agent = self.agent()
        client = run_client(["getent", "ahosts", "sfrclak.com"],
                            env={**os.environ, "RES_OPTIONS": "ndots:5", "LOCALDOMAIN": "default.svc.test svc.test"})
        asked = [query.name for query in self.resolver.queries()[self._queries_before:]]
        with_suffixes = ("sfrclak.com.default.svc.test", "sfrclak.com.svc.test", "sfrclak.com")
        self.assertEqual(asked, [name for name in with_suffixes for _ in BOTH], "what the search list of a pod does")
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assert_one_alert(events)
        self.assertEqual({event["process"]["pid"] for event in events}, {client.pid})

    def test_a_server_with_an_ipv6_address(self):
        if not os.path.exists("/proc/net/if_inet6"):
            self.skipTest("this kernel has no IPv6")
        resolver = Resolver(["sfrclak.com"], address="::1")
        self.addCleanup(resolver.stop)
        agent = self.agent()
        client = run_client(["dig", "@::1", "sfrclak.com"])
        events = self.of_resolver(agent.finish(), resolver)
        events = [event for event in events if event["process"]["pid"] == client.pid]  # others may ask ::1 too
        self.assert_one_event_each(resolver.queries(), events)
        self.assertEqual([event["dns"]["source"]["ip"] for event in events], ["::1"])

    def test_a_program_with_a_misleading_name_is_told_by_its_path(self):
        program = shutil.copy(shutil.which("getent"), work_folder() / "https")  # as apt's helpers are called
        agent = self.agent()
        run_client([str(program), "ahosts", "sfrclak.com"])
        processes = [event["process"] for event in self.of_resolver(agent.finish())]
        self.assertEqual([(process["comm"], process["executable"]) for process in processes],
                         [("https", str(program))] * 2)

    def test_a_client_of_another_user(self):
        agent = self.agent()
        command = ["getent", "ahosts", "sfrclak.com"]
        client = run_client(command, user=65534, group=65534, extra_groups=[])
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        for event in events:
            self.assert_process(event, client.pid, command, uid=65534)
            self.assertEqual((event["process"]["user"], event["process"]["gid"]), ("nobody", 65534))

    def test_a_client_in_a_pid_namespace_has_the_pid_of_the_host(self):
        agent = self.agent()
        command = ["getent", "ahosts", "sfrclak.com"]
        client = run_client(["unshare", "--pid", "--fork", sys.executable, "-c", TELL_PID_AND_RUN, *command])
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual(len(events), 2)
        for event in events:
            self.assert_process(event, int(client.stdout.split()[0]), command, parent=client.pid)

    def test_a_client_in_a_network_namespace(self):
        agent = self.agent()
        holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, preexec_fn=end_with_parent)
        self.addCleanup(holder.communicate)
        own = os.readlink("/proc/self/ns/net")
        while os.readlink(f"/proc/{holder.pid}/ns/net") == own:
            time.sleep(0.005)
        within = ["nsenter", f"--net=/proc/{holder.pid}/ns/net"]
        subprocess.run([*within, "ip", "link", "set", "lo", "up"], check=True)
        there = Resolver(["sfrclak.com"], within=within)
        self.addCleanup(there.stop)

        command = ["getent", "ahosts", "sfrclak.com"]
        client = run_client([*within, *command])
        events = self.of_resolver(agent.finish(), there)
        self.assertEqual(self.queries(), [])
        self.assert_one_event_each(there.queries(), events)
        self.assertEqual(len(events), 2)
        for event in events:
            self.assert_process(event, client.pid, command)

    def test_a_rule_about_the_sender(self):
        rule = work_folder() / "curl_only.yml"
        rule.write_text(RULE_ABOUT_CURL)
        agent = self.agent(rules=rule)
        run_client(["getent", "ahosts", "sfrclak.com"])
        client = run_client(CLIENTS["curl"].command)
        run_client(["curl", "--silent", "http://localhost:1/"])
        events = self.of_resolver(agent.finish())
        self.assertEqual([event["process"]["pid"] for event in events], [client.pid] * 2)
        self.assertEqual(events[0]["rules"][0]["matched"],
                         [{"field": "query", "value": "frcla"}, {"field": "Image", "value": "/curl"},
                          {"field": "CommandLine", "value": "--silent"}])

    def test_answers_are_no_queries(self):
        agent = self.agent()
        client = run_client(["dig", "+short", "calltan.com"])
        self.assertEqual(client.stdout, b"127.0.0.1\n", "it was answered")
        address = self.resolver.address
        ours = [event for event in agent.finish()
                if address in [event.get("dns", {}).get(end, {}).get("ip") for end in ("server", "source")]]
        self.assertEqual([(event["dns"]["server"]["ip"], event["process"]["pid"]) for event in ours],
                         [(address, client.pid)])


def seconds_of(time_text):
    """Of "2026-11-25T07:05:06.610255063Z"."""
    return calendar.timegm(time.strptime(time_text[:19], "%Y-%m-%dT%H:%M:%S"))


if __name__ == "__main__":
    main()
