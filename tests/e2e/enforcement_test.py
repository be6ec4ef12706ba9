#!/usr/bin/env -S python3 -B
"""--mode dry-run and enforce: with real clients, a blocked lookup fails with an answer, and nobody else notices anything."""

import collections
import socket

from harness import AgentCase, main, run_client, wait_until, work_folder

NODE_LOOKUP = "require('dns').lookup('sfrclak.com', error => console.log(error ? error.code : 'found'))"
NODE_RESOLVE = "require('dns').resolve4('sfrclak.com', error => console.log(error ? error.code : 'found'))"
PYTHON = """
import socket
try:
    socket.getaddrinfo('sfrclak.com', 80)
    print('found')
except socket.gaierror as error:
    print({socket.EAI_AGAIN: 'EAI_AGAIN', socket.EAI_NONAME: 'EAI_NONAME'}[error.errno])
"""

# What each client says; none of these is what it says after a time-out.
BLOCKED = {
    "dig": (["dig", "+tries=1", "sfrclak.com"], "status: NXDOMAIN"),
    "dig, another type": (["dig", "+tries=1", "sfrclak.com", "HTTPS"], "status: NXDOMAIN"),
    "dig over TCP": (["dig", "+tries=1", "+tcp", "sfrclak.com"], "connection reset"),
    "node dns.resolve4": (["node", "-e", NODE_RESOLVE], "ENOTFOUND"),
    "node dns.lookup": (["node", "-e", NODE_LOOKUP], "EAI_AGAIN"),
    "python3": (["python3", "-c", PYTHON], "EAI_AGAIN"),
    "busybox nslookup": (["busybox", "nslookup", "sfrclak.com"], "NXDOMAIN"),
    "curl": (["curl", "--max-time", "20", "http://sfrclak.com:1/"], "Could not resolve host"),
}


class Enforcement(AgentCase):
    def setUp(self):
        super().setUp()
        self.folder = work_folder() / self.id().rsplit(".", 1)[1]
        self.folder.mkdir()

    def listed(self, name, *names):
        path = self.folder / name
        path.write_text("".join(f"{one}\n" for one in names))
        return path

    def actions(self, events):
        return [(event["dns"]["query"], event["action"]) for event in events if event["kind"] == "KIND_MATCH"]

    def test_every_client_gets_an_answer_and_no_query_comes_to_the_server(self):
        agent = self.agent("--mode", "enforce")
        told, pids = {}, {}
        for title, (command, expected) in BLOCKED.items():
            client = run_client(command)
            pids[title] = client.pid
            told[title] = expected if expected in client.stdout.decode() else client.stdout.decode()
        self.assertEqual(told, {title: expected for title, (_, expected) in BLOCKED.items()})
        run_client(["getent", "hosts", "sfrclak.com"])
        # The server is as it was: it does not wait for the query of the connection that was reset.
        unlisted = run_client(["dig", "+tries=1", "unlisted.example"])
        self.assertIn("status: NXDOMAIN", unlisted.stdout.decode())
        events = self.of_resolver(agent.finish())
        self.assertEqual(self.queries(), [], "queries that left all the same")
        self.assertEqual({event["action"] for event in events}, {"ACTION_BLOCKED"})
        self.assertEqual({event["sensor"]["mode"] for event in events}, {"enforce"})
        for title, pid in pids.items():
            self.assertIn(pid, {event["process"]["pid"] for event in events}, title)
        self.assertNotIn("got no answer", agent.stderr())

    def test_the_other_modes_change_nothing(self):
        for mode, action in (("audit", "ACTION_AUDITED"), ("dry-run", "ACTION_WOULD_BLOCK")):
            with self.subTest(mode):
                agent = self.agent("--mode", mode)
                before = len(self.queries())
                self.assertIn("NOERROR", run_client(["dig", "sfrclak.com"]).stdout.decode())
                self.assertEqual(len(self.queries()), before + 1)
                self.assertEqual(self.actions(self.of_resolver(agent.finish())), [("sfrclak.com", action)])

    def test_ipv6_and_a_network_namespace_of_its_own(self):
        agent = self.agent("--mode", "enforce")
        # Nobody listens there, so an answer can only be ours; without one dig says that it was refused, or times out.
        for server in ("127.0.0.9", "::1"):
            inside = f"ip link set lo up && exec dig +tries=1 @{server} sfrclak.com"
            self.assertIn("status: NXDOMAIN", run_client(["unshare", "--net", "sh", "-c", inside]).stdout.decode(), server)
        self.assertIn("status: NXDOMAIN", run_client(["dig", "+tries=1", "@::1", "sfrclak.com"]).stdout.decode())
        actions = self.actions(self.of_this_test(agent.finish()))
        self.assertEqual(actions, [("sfrclak.com", "ACTION_BLOCKED")] * 3)

    def test_the_answer_is_a_choice(self):
        agent = self.agent("--mode", "enforce", "--answer", "refused")
        self.assertIn("status: REFUSED", run_client(["dig", "+tries=1", "sfrclak.com"]).stdout.decode())
        agent.finish()
        agent = self.agent("--mode", "enforce", "--answer", "none")
        client = run_client(["dig", "+tries=1", "+time=1", "sfrclak.com"])
        self.assertNotIn("status:", client.stdout.decode())
        agent.finish()
        self.assertEqual(self.queries(), [])

    def test_which_rules_and_lists_block(self):
        low = self.listed("low.txt", "calltan.com")
        named = self.listed("named.txt", "callnrwise.com")
        cases = [
            ((), ["sfrclak.com"]),
            (("--block-list", "low.txt"), ["calltan.com", "sfrclak.com"]),
            (("--block-level", "none"), []),
            (("--block-level", "none", "--block-rule", "4cac326f-7f7c-4a3f-85a1-301e56be0506"), ["sfrclak.com"]),
            (("--block-level", "low"), ["callnrwise.com", "calltan.com", "sfrclak.com"]),
            (("--allow", f"exact:{self.listed('allow.txt', 'sfrclak.com')}"), []),
        ]
        rule = self.folder / "rule.yml"
        rule.write_text(RULE)
        for options, blocked in cases:
            with self.subTest(options):
                agent = self.agent("--mode", "enforce", "--list", f"exact:{low}?level=low",
                                   "--list", f"exact:{named}?level=medium", *options, rules=rule)
                for name in ("sfrclak.com", "calltan.com", "callnrwise.com"):
                    run_client(["dig", "+tries=1", name])
                events = self.of_resolver(agent.finish())
                self.assertEqual(len(events), 3, "what does not block alerts all the same")
                self.assertEqual(sorted(event["dns"]["query"] for event in events if event["action"] == "ACTION_BLOCKED"),
                                 blocked)

    def test_only_these_names(self):
        agent = self.agent("--mode", "enforce", "--allow-only", f"suffix:{self.listed('only.txt', 'calltan.com')}", rules=None)
        self.assertIn("NOERROR", run_client(["dig", "calltan.com"]).stdout.decode())
        for name in ("sfrclak.com", "unknown.example"):
            self.assertIn("status: NXDOMAIN", run_client(["dig", "+tries=1", name]).stdout.decode())
        events = self.of_resolver(agent.finish())
        self.assertEqual(self.actions(events), [("sfrclak.com", "ACTION_BLOCKED"), ("unknown.example", "ACTION_BLOCKED")])
        self.assertEqual([rule["id"] for event in events for rule in event["rules"]], ["allow-list", "allow-list"])

    def test_a_rule_that_cannot_block_is_refused_when_it_is_named(self):
        rule = self.folder / "rule.yml"
        rule.write_text(RULE.replace("query: sfrclak.com", "query: sfrclak.com\n    Image|endswith: /curl"))
        agent = self.agent("--mode", "enforce", "--block-rule", "4cac326f-7f7c-4a3f-85a1-301e56be0506", rules=rule,
                           ready=False)
        self.assertEqual(agent.wait(), 3)
        self.assertIn(f"{rule}:9:5: the kernel cannot decide 'Image|endswith'", agent.stderr())
        # Where the level alone asks for it, it alerts, and that is said.
        agent = self.agent("--mode", "enforce", rules=rule)
        self.assertIn("cannot block", agent.stderr())
        run_client(["curl", "--silent", "--max-time", "20", "http://sfrclak.com:1/"])
        actions = collections.Counter(self.actions(self.of_resolver(agent.finish())))
        self.assertEqual(set(actions), {("sfrclak.com", "ACTION_AUDITED")})

    def test_a_killed_agent_leaves_lookups_free(self):
        agent = self.agent("--mode", "enforce")
        self.assertIn("status: NXDOMAIN", run_client(["dig", "+tries=1", "sfrclak.com"]).stdout.decode())
        agent.kill()
        self.assert_nothing_left_behind()
        self.assertIn("NOERROR", run_client(["dig", "sfrclak.com"]).stdout.decode())

    def test_a_burst_is_blocked_whole(self):
        agent = self.agent("--mode", "enforce")
        query = b"\0\1\1\0\0\1\0\0\0\0\0\0\7sfrclak\3com\0\0\1\0\1"
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(10)
            client.connect((self.resolver.address, 53))
            for number in range(200):
                client.send(number.to_bytes(2, "big") + query[2:])
            answers = [client.recv(512) for _ in range(200)]
        self.assertEqual(sorted(int.from_bytes(answer[:2], "big") for answer in answers), list(range(200)))
        self.assertEqual({answer[3] & 15 for answer in answers}, {3})
        wait_until(lambda: len(self.of_resolver(agent.events())) == 200, "an event for each")
        agent.finish()
        self.assertEqual(self.queries(), [])


RULE = """title: A name
id: 4cac326f-7f7c-4a3f-85a1-301e56be0506
level: high
logsource:
  category: dns
detection:
  selection:
    query: sfrclak.com
  condition: selection
"""

if __name__ == "__main__":
    main()
