#!/usr/bin/env -S python3 -B
"""Clients that ask a resolver over its Unix socket and send no DNS query: nss-resolve and nscd, the real ones."""

import os
import pathlib
import subprocess
import textwrap

from harness import (DAEMON_PACKAGES, AgentCase, Nscd, Resolved, fetch, main, run_client, wait_until,
                     work_folder)
from harness.sandbox import end_with_parent

NSSWITCH = pathlib.Path("/etc/nsswitch.conf")
NSCD_SOCKET = "/var/run/nscd/socket"
NO_HOOK = "needs a hook of Linux 6.7"

CONNECT = """
client = socket.socket(socket.AF_UNIX)
try:
    client.connect("{}")
    print("connected")
except PermissionError:
    print("denied")
"""


def connecting(path):
    """What becomes of a process that connects to the socket."""
    return run_client(["python3", "-c", "import socket\n" + CONNECT.format(path)]).stdout.decode().strip()


def brief(events):
    """Of each event: who, in which part, over which way, and whether it alerts."""
    return [(event["process"]["pid"], event.get("role", ""), event["dns"]["transport"], event["dns"]["record_type"],
             event["alert"]) for event in events]


def watches(agent):
    return "who asks over it is watched" in agent.stderr()


class HiddenCase(AgentCase):
    ttl = 600  # the daemons have a cache
    daemon = None

    def watching_agent(self):
        agent = self.agent()
        if "stays hidden" in agent.stderr():
            self.skipTest(f"this kernel does not show the clients: {agent.stderr()}")
        self.assertTrue(watches(agent), agent.stderr())
        return agent

    def assert_copies(self, events, client_event):
        """The resolver's own packets, of the client's lookup."""
        for event in events:
            self.assertEqual((event["process"]["pid"], event["role"], event["alert"], event["duplicate_of"]),
                             (self.daemon.pid, "ROLE_FORWARDER", False, client_event["event_id"]))
            self.assertNotIn("client_hidden", event)


class ResolvedCase(HiddenCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon = Resolved(cls.resolver.address)
        cls.addClassCleanup(cls.daemon.stop)
        before = NSSWITCH.read_text()
        NSSWITCH.write_text("passwd: files\ngroup: files\nhosts: files resolve [!UNAVAIL=return] dns\n")
        cls.addClassCleanup(NSSWITCH.write_text, before)


class SystemdResolved(ResolvedCase):
    def getent(self, database, name):
        client = run_client(["getent", database, name],
                            env={**os.environ, "LD_LIBRARY_PATH": str(self.daemon.libraries)})
        self.assertEqual(client.status, 0, client.stdout)
        return client

    def flush(self):
        """The resolver forgets what it knows: SIGUSR2, systemd-resolved.service(8)."""
        os.kill(self.daemon.pid, 12)

    def test_the_client_alerts_and_the_resolvers_packets_are_copies(self):
        agent = self.watching_agent()
        self.flush()
        client = self.getent("ahosts", "sfrclak.com")
        events = self.of_this_test(agent.finish())
        self.assertEqual(brief(events[:1]), [(client.pid, "", "varlink", "A+AAAA", True)])
        self.assertEqual(events[0]["process"]["comm"], "getent")
        self.assertEqual(events[0]["process"]["command_line"], ["getent", "ahosts", "sfrclak.com"])
        self.assertEqual(events[0]["process"]["ancestors"][0]["pid"], os.getpid())
        self.assertEqual(sorted(event["dns"]["record_type"] for event in events[1:]), ["A", "AAAA"])
        self.assert_copies(events[1:], events[0])

    def test_an_answer_from_the_resolvers_cache_is_seen_too(self):
        agent = self.watching_agent()
        self.getent("ahosts", "calltan.com")
        asked = len(self.queries())
        client = self.getent("ahosts", "calltan.com")
        self.assertEqual(len(self.queries()), asked, "the second answer came from the cache")
        last = self.of_this_test(agent.finish())[-1]
        self.assertEqual(brief([last]), [(client.pid, "", "varlink", "A+AAAA", True)])

    def test_the_family_that_is_asked_for_is_the_record_type(self):
        agent = self.watching_agent()
        client = self.getent("ahostsv4", "callnrwise.com")
        event = self.of_this_test(agent.finish())[0]
        self.assertEqual(brief([event]), [(client.pid, "", "varlink", "A", True)])
        self.assertEqual(event["dns"]["record_type_id"], 1)

    def test_a_name_that_no_rule_lists_is_no_event(self):
        agent = self.watching_agent()
        self.getent("ahosts", "localhost")
        self.assertEqual(self.of_this_test(agent.finish()), [])

    def test_a_client_of_the_stub_is_linked_as_of_any_forwarder(self):
        agent = self.watching_agent()
        self.flush()
        client = run_client(["dig", "@127.0.0.53", "sfrclak.com"])
        self.assertIn(b"NOERROR", client.stdout)
        events = self.of_this_test(agent.finish())
        self.assertEqual(brief(events[:1]), [(client.pid, "", "udp", "A", True)])
        self.assertEqual(len(events), 2)
        self.assert_copies(events[1:], events[0])

    def test_a_request_in_pieces_leaves_the_resolvers_packet_with_the_alert(self):
        """Written by hand, so that no single send has the whole of it: the client is hidden, the lookup is not."""
        agent = self.watching_agent()
        self.flush()
        call = (b'{"method":"io.systemd.Resolve.ResolveHostname","parameters":'
                b'{"name":"sfrclak.com","family":2,"flags":0}}\0')
        script = ("import socket,sys,time\ns=socket.socket(socket.AF_UNIX)\n"
                  f"s.connect({str(self.daemon.socket)!r})\n"
                  f"for piece in ({call[:70]!r}, {call[70:]!r}): s.sendall(piece)\n"
                  "s.recv(4096)\n")
        run_client(["python3", "-c", script])
        events = self.of_this_test(agent.finish())
        self.assertEqual(brief(events), [(self.daemon.pid, "ROLE_FORWARDER", "udp", "A", True)])
        self.assertTrue(events[0]["client_hidden"])


class DeniedResolved(ResolvedCase):
    """Where the connection to systemd-resolved is denied, the program's own packet is judged."""

    def enforcing_agent(self, *arguments):
        agent = self.agent("--mode", "enforce", *arguments)
        if NO_HOOK in agent.stderr():
            self.skipTest("this kernel cannot deny the connection")
        return agent

    def getent(self, name):
        return run_client(["getent", "ahosts", name],
                          env={**os.environ, "LD_LIBRARY_PATH": str(self.daemon.libraries)})

    def test_the_clients_own_packet_is_blocked(self):
        agent = self.enforcing_agent()
        self.assertIn("connecting to the socket of systemd-resolved is denied", agent.stderr())
        client = self.getent("sfrclak.com")
        self.assertNotEqual(client.status, 0)
        events = self.of_this_test(agent.finish())
        self.assertEqual({(event["process"]["pid"], event["dns"]["transport"], event["action"]) for event in events},
                         {(client.pid, "udp", "ACTION_BLOCKED")})
        self.assertEqual(self.queries(), [])

    def test_a_name_that_is_not_blocked_is_found_all_the_same(self):
        allowed = work_folder() / "allowed.txt"
        allowed.write_text("calltan.com\n")
        agent = self.enforcing_agent("--allow", f"exact:{allowed}")
        client = self.getent("calltan.com")
        self.assertEqual(client.status, 0)
        events = self.of_this_test(agent.finish())
        self.assertEqual({(event["process"]["pid"], event["dns"]["transport"]) for event in events}, {(client.pid, "udp")})

    def test_when_it_is_denied(self):
        told = {}
        for options in ("enforce", "enforce --hidden-clients observe", "dry-run", "audit"):
            agent = self.agent("--mode", *options.split())
            if NO_HOOK in agent.stderr():
                self.skipTest("this kernel cannot deny the connection")
            told[options] = connecting(self.daemon.socket)
            agent.finish()
        self.assertEqual(told, {"enforce": "denied",
                                "enforce --hidden-clients observe": "connected", "dry-run": "connected",
                                "audit": "connected"})
        self.assertEqual(connecting(self.daemon.socket), "connected", "the agent took it along")

    def test_where_no_dns_stands_in_it_is_denied_only_when_asked_for(self):
        before = NSSWITCH.read_text()
        NSSWITCH.write_text("hosts: files resolve\n")
        self.addCleanup(NSSWITCH.write_text, before)
        agent = self.enforcing_agent()
        self.assertIn("has no `dns` that stands in for `resolve`", agent.stderr())
        self.assertEqual(connecting(self.daemon.socket), "connected")
        agent.finish()
        self.enforcing_agent("--hidden-clients", "deny")
        self.assertEqual(connecting(self.daemon.socket), "denied")


class StandIn:
    """For nscd: it listens where nscd does, and connects to itself when it is told to."""

    PROGRAM = f"""
import os, socket, sys
listening = socket.socket(socket.AF_UNIX)
listening.bind({NSCD_SOCKET!r})
listening.listen()
print("listens", flush=True)
for line in sys.stdin:
    if line == "give up\\n":
        listening.close()
        os.unlink({NSCD_SOCKET!r})
        print("gave up", flush=True)
        continue
{textwrap.indent(CONNECT.format(NSCD_SOCKET), "    ")}
    sys.stdout.flush()
"""

    def __init__(self, test):
        self.process = subprocess.Popen(["python3", "-c", self.PROGRAM], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, bufsize=1, preexec_fn=end_with_parent)
        test.addCleanup(self.process.communicate)
        test.assertEqual(self.process.stdout.readline(), "listens\n")

    def told_to(self, what):
        self.process.stdin.write(f"{what}\n")
        return self.process.stdout.readline().strip()


class DeniedNscd(AgentCase):
    def setUp(self):
        super().setUp()
        folder = os.path.dirname(NSCD_SOCKET)
        os.makedirs(folder, exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", folder], check=True)
        self.addCleanup(subprocess.run, ["umount", folder], check=True)

    def denying_agent(self):
        agent = self.agent("--mode", "enforce")
        if NO_HOOK in agent.stderr():
            self.skipTest("this kernel cannot deny the connection")
        self.assertIn("connecting to the socket of nscd is denied", agent.stderr())
        return agent

    def test_everybody_but_the_resolver_itself(self):
        resolver = StandIn(self)
        self.denying_agent()
        self.assertEqual(connecting(NSCD_SOCKET), "denied")
        self.assertEqual(connecting(NSCD_SOCKET.removeprefix("/var")), "denied")
        self.assertEqual(resolver.told_to("connect"), "connected")

    def test_a_resolver_that_is_one_no_longer(self):
        before = StandIn(self)
        self.denying_agent()
        self.assertEqual(before.told_to("connect"), "connected")
        self.assertEqual(before.told_to("give up"), "gave up")
        after = StandIn(self)
        wait_until(lambda: after.told_to("connect") == "connected", "the resolver of now may not connect to itself")
        self.assertEqual(before.told_to("connect"), "denied")


class ResolverThatComesAndGoes(AgentCase):
    def test_the_watch_follows_the_socket(self):
        agent = self.agent()
        self.assertFalse(watches(agent), agent.stderr())
        daemon = Resolved(self.resolver.address)
        try:
            wait_until(lambda: watches(agent) or "stays hidden" in agent.stderr(), agent.stderr)
        finally:
            daemon.stop()
        if "stays hidden" in agent.stderr():
            self.skipTest("this kernel does not show the clients")
        wait_until(lambda: "no resolver's Unix socket is there any more" in agent.stderr(), agent.stderr)

    def test_an_agent_without_the_administrators_capability_follows_too(self):
        agent = self.agent(within=("setpriv", "--bounding-set", "-sys_admin"))
        daemon = Resolved(self.resolver.address)
        try:
            wait_until(lambda: watches(agent) or "stays hidden" in agent.stderr(), agent.stderr)
        finally:
            daemon.stop()
        self.assertNotIn("not permitted", agent.stderr())


class NameServiceCache(HiddenCase):
    shared = False

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.daemon = Nscd(shared=cls.shared)
        cls.addClassCleanup(cls.daemon.stop)

    def getent(self, name):
        client = run_client(["getent", "ahosts", name])
        self.assertEqual(client.status, 0, client.stdout)
        return client

    def test_the_client_alerts_and_the_caches_packets_are_copies(self):
        agent = self.watching_agent()
        client = self.getent("sfrclak.com")
        events = self.of_this_test(agent.finish())
        self.assertEqual(brief(events[:1]), [(client.pid, "", "nscd", "A+AAAA", True)])
        self.assertEqual(sorted(event["dns"]["record_type"] for event in events[1:]), ["A", "AAAA"])
        self.assert_copies(events[1:], events[0])

    def test_a_cached_name_is_seen_too(self):
        agent = self.watching_agent()
        self.getent("calltan.com")
        client = self.getent("calltan.com")
        self.assertEqual(brief(self.of_this_test(agent.finish())[-1:]), [(client.pid, "", "nscd", "A+AAAA", True)])


class SharedNameServiceCache(NameServiceCache):
    """Debian's default: a cached name is read from nscd's memory, and nobody is asked (docs/hidden-clients.md)."""

    shared = True

    def test_a_cached_name_is_seen_too(self):
        agent = self.watching_agent()
        first = self.getent("calltan.com")
        second = self.getent("calltan.com")
        clients = {event["process"]["pid"] for event in self.of_this_test(agent.finish())} - {self.daemon.pid}
        self.assertIn(first.pid, clients)
        self.assertNotIn(second.pid, clients, "nobody can see a read of shared memory")


if __name__ == "__main__":
    main(before=lambda: fetch(*DAEMON_PACKAGES))
