#!/usr/bin/env -S python3 -B
"""A forwarder on this host asks on for a client: two events, one alert, and never a link between strangers."""

import os
import pathlib
import socket
import subprocess

from harness import AgentCase, Prober, Resolver, main, run_client, wait_until
from harness.sandbox import end_with_parent, resolver_address

LABELS = [b"sfrclak", b"com"]


def roles(events):
    """What each event says about its part in the lookup."""
    return [(event["process"]["pid"], event.get("role", ""), event["alert"]) for event in events]


class Forwarders(AgentCase):
    def forwarder(self, **options):
        forwarder = Resolver([], **{"address": resolver_address(1), "upstream": self.resolver.address, **options})
        self.addCleanup(forwarder.stop)
        return forwarder

    def assert_copy(self, copy, client_event):
        self.assertEqual((copy["role"], copy["alert"], copy["duplicate_of"]),
                         ("ROLE_FORWARDER", False, client_event["event_id"]))

    def test_a_client_and_its_forwarder_are_two_events_and_one_alert(self):
        forwarder = self.forwarder()
        agent = self.agent()
        client = run_client(["dig", f"@{forwarder.address}", "sfrclak.com"])
        asked, copied = self.of_this_test(agent.finish())
        self.assertEqual(roles([asked, copied]), [(client.pid, "", True), (forwarder.pid, "ROLE_FORWARDER", False)])
        self.assertEqual([asked["process"]["comm"], copied["process"]["comm"]], ["dig", "dnsmasq"])
        self.assertEqual(self.of_resolver([asked, copied]), [copied])
        self.assert_copy(copied, asked)

    def test_a_client_over_tcp(self):
        forwarder = self.forwarder()
        agent = self.agent()
        client = run_client(["dig", "+tcp", f"@{forwarder.address}", "sfrclak.com"])
        asked, copied = self.of_this_test(agent.finish())
        self.assertEqual(asked["process"]["pid"], client.pid)
        self.assert_copy(copied, asked)

    def test_a_forwarder_of_a_forwarder(self):
        inner = self.forwarder()
        outer = self.forwarder(address=resolver_address(2), upstream=inner.address)
        agent = self.agent()
        run_client(["dig", f"@{outer.address}", "sfrclak.com"])
        asked, outer_copy, inner_copy = self.of_this_test(agent.finish())
        self.assertEqual([outer_copy["process"]["pid"], inner_copy["process"]["pid"]], [outer.pid, inner.pid])
        self.assert_copy(outer_copy, asked)
        self.assert_copy(inner_copy, asked)

    def test_both_record_types_of_one_lookup(self):
        forwarder = self.forwarder()
        agent = self.agent()
        resolv_conf = pathlib.Path("/etc/resolv.conf")
        before = resolv_conf.read_text()
        resolv_conf.write_text(f"nameserver {forwarder.address}\n")
        self.addCleanup(resolv_conf.write_text, before)
        client = run_client(["getent", "ahosts", "sfrclak.com"])
        events = self.of_this_test(agent.finish())
        self.assertEqual(sorted((event["process"]["pid"] == client.pid, event["dns"]["record_type"])
                                for event in events), [(False, "A"), (False, "AAAA"), (True, "A"), (True, "AAAA")])
        self.assert_one_alert(events)

    def test_an_unrelated_process_has_an_alert_of_its_own(self):
        """It asks for the same name at the same time, of the server that the forwarder asks too."""
        forwarder = self.forwarder()
        agent = self.agent()
        other = Prober(self.resolver.address)
        client = run_client(["dig", f"@{forwarder.address}", "sfrclak.com"])
        other.send(LABELS)
        events = self.of_this_test(agent.finish())
        self.assertEqual(roles(events), [(client.pid, "", True), (forwarder.pid, "ROLE_FORWARDER", False),
                                         (other.pid, "", True)])
        self.assertNotIn("duplicate_of", events[2])

    def test_holding_port_53_does_not_make_a_forwarder(self):
        """A process listens on the wildcard address; the client asked another server, which does not hear of it."""
        agent = self.agent()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            listener.bind(("0.0.0.0", 53))
            client = run_client(["dig", f"@{self.resolver.address}", "sfrclak.com"])
            impostor = Prober(self.resolver.address)
            impostor.send(LABELS)
        self.assertEqual(roles(self.of_this_test(agent.finish())), [(client.pid, "", True), (impostor.pid, "", True)])


class Namespaces(AgentCase):
    """The client is in a network namespace of its own, joined to the forwarder's by a pair of devices."""

    def setUp(self):
        super().setUp()
        self._holder = subprocess.Popen(["unshare", "--net", "sleep", "infinity"], preexec_fn=end_with_parent)
        self.addCleanup(self._holder.wait)
        self.addCleanup(self._holder.kill)
        own = os.readlink("/proc/self/ns/net")
        wait_until(lambda: os.readlink(f"/proc/{self._holder.pid}/ns/net") != own, "the client's namespace is there")

    def inside(self, *command):
        return ["nsenter", f"--net=/proc/{self._holder.pid}/ns/net", *command]

    def join(self, bridge=None):
        """A pair of devices, 192.0.2.1 (or the bridge) here and 192.0.2.2 there."""
        subprocess.run(["ip", "link", "add", "here", "type", "veth", "peer", "name", "there", "netns",
                        str(self._holder.pid)], check=True)
        self.addCleanup(subprocess.run, ["ip", "link", "delete", "here"], check=True)
        if bridge:
            subprocess.run(["ip", "link", "add", bridge, "type", "bridge"], check=True)
            self.addCleanup(subprocess.run, ["ip", "link", "delete", bridge], check=True)
            subprocess.run(["ip", "link", "set", "here", "master", bridge, "up"], check=True)
        for command in (["ip", "address", "add", "192.0.2.1/24", "dev", bridge or "here"],
                        ["ip", "link", "set", bridge or "here", "up"],
                        self.inside("ip", "address", "add", "192.0.2.2/24", "dev", "there"),
                        self.inside("ip", "link", "set", "there", "up"),
                        self.inside("ip", "route", "add", "default", "via", "192.0.2.1")):
            subprocess.run(command, check=True)

    def cache(self):
        """A node's cache: on an address of its own, in the host's network."""
        subprocess.run(["ip", "address", "add", "169.254.20.10/32", "dev", "lo"], check=True)
        self.addCleanup(subprocess.run, ["ip", "address", "delete", "169.254.20.10/32", "dev", "lo"], check=True)
        cache = Resolver([], address="169.254.20.10", upstream=self.resolver.address)
        self.addCleanup(cache.stop)
        return cache

    def assert_linked(self, cache, events):
        asked, copied = events
        self.assertEqual(roles([copied]), [(cache.pid, "ROLE_FORWARDER", False)])
        self.assertEqual(copied["duplicate_of"], asked["event_id"])
        self.assertTrue(asked["alert"])

    def test_a_node_cache_is_linked_to_the_pod(self):
        self.join()
        cache = self.cache()
        agent = self.agent()
        client = run_client(self.inside("dig", "@169.254.20.10", "sfrclak.com"))
        self.assertIn(b"NOERROR", client.stdout)
        self.assert_linked(cache, self.of_this_test(agent.finish()))

    def test_a_node_cache_behind_a_bridge(self):
        self.join(bridge="bridge")
        cache = self.cache()
        agent = self.agent()
        client = run_client(self.inside("dig", "@169.254.20.10", "sfrclak.com"))
        self.assertIn(b"NOERROR", client.stdout)
        self.assert_linked(cache, self.of_this_test(agent.finish()))

    def test_the_same_address_in_two_namespaces_is_two_servers(self):
        """The client asks a server of its own namespace; the one here has the same address and asks at the same time."""
        self.join()
        here = self.cache()
        subprocess.run(self.inside("ip", "link", "set", "lo", "up"), check=True)
        subprocess.run(self.inside("ip", "address", "add", "169.254.20.10/32", "dev", "lo"), check=True)
        there = Resolver(["sfrclak.com"], address="169.254.20.10", within=self.inside())
        self.addCleanup(there.stop)
        agent = self.agent()
        client = run_client(self.inside("dig", "@169.254.20.10", "sfrclak.com"))
        stranger = run_client(["dig", "@169.254.20.10", "sfrclak.com"])
        events = self.of_this_test(agent.finish())
        self.assertIn(b"NOERROR", client.stdout)
        self.assertEqual(roles(events), [(client.pid, "", True), (stranger.pid, "", True),
                                         (here.pid, "ROLE_FORWARDER", False)])
        self.assertEqual(events[2]["duplicate_of"], events[1]["event_id"])


if __name__ == "__main__":
    main()
