#!/usr/bin/env -S python3 -B
"""Ways around the sensor, taken by real clients: each is one event that names the process."""

import json
import pathlib
import socket
import subprocess
import sys
import urllib.error
import urllib.request

from harness import AgentCase, main, run_client, wait_until
from harness.sandbox import end_with_parent, work_folder

NAMES = pathlib.Path(__file__).resolve().parents[2] / "deploy/resolvers/names.txt"
PUBLIC = "192.0.2.1"  # RFC 5737; the test's own address, listed as a public resolver
OTHER = "192.0.2.2"   # the same, not listed


def bypasses(events):
    return [event for event in events if event["kind"] == "KIND_BYPASS"]


def words(event):
    bypass = event["bypass"]
    address = bypass.get("address", {})
    return [event["process"]["comm"], bypass["technique"].removeprefix("TECHNIQUE_"),
            *([address["ip"], address["port"], bypass["transport"]] if address else [])]


def link_of(pid, program):
    """The id of the link by which the process holds the program on its hook (/proc/PID/fdinfo)."""
    names = {str(known["id"]): known["name"] for known in json.loads(
        subprocess.run(["bpftool", "--json", "prog", "show"], check=True, capture_output=True).stdout) if "name" in known}
    for descriptor in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        facts = dict(line.split(":\t", 1) for line in descriptor.read_text().splitlines() if ":\t" in line)
        if facts.get("link_type") == "cgroup" and names.get(facts["prog_id"].strip()) == program:
            return facts["link_id"].strip()
    raise AssertionError(f"process {pid} has no link of {program}")


class Bypass(AgentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for address in (PUBLIC, OTHER):
            subprocess.run(["ip", "address", "add", f"{address}/32", "dev", "lo"], check=True)

    def watching(self, *arguments, **options):
        listed = work_folder() / "resolvers"
        listed.write_text(f"# ours\n{PUBLIC}  # the test\n")
        return self.agent("--bypass", "on", "--resolvers", listed, *arguments, **options)

    def told_of(self, agent, client):
        return [words(event) for event in bypasses(agent.finish()) if event["process"]["pid"] == client.pid]

    def test_the_name_of_a_public_resolver(self):
        """The list that comes with the packages: its names are read by the agent, and found below them too."""
        agent = self.watching("--list", f"suffix:{NAMES}?level=low", rules=None)
        for name in ("dns.google", "mozilla.cloudflare-dns.com", "_dns.resolver.arpa", "google.com"):
            run_client(["dig", "+tries=1", name])
        events = [event for event in self.of_resolver(agent.finish()) if event["kind"] == "KIND_MATCH"]
        self.assertEqual([(event["dns"]["query"], event["rules"][0]["level"]) for event in events],
                         [("dns.google", "low"), ("mozilla.cloudflare-dns.com", "low"), ("_dns.resolver.arpa", "low")])

    def test_curl_over_https(self):
        agent = self.watching()
        curl = run_client(["curl", "--silent", "--max-time", "5", "--doh-url", f"https://{PUBLIC}/dns-query",
                           "http://sfrclak.com/"])
        self.assertEqual(self.told_of(agent, curl), [["curl", "DNS_OVER_HTTPS", PUBLIC, 443, "tcp"]])

    def test_openssl_over_tls(self):
        agent = self.watching()
        client = run_client(["openssl", "s_client", "-connect", f"{OTHER}:853"])
        self.assertEqual(self.told_of(agent, client), [["openssl", "DNS_OVER_TLS", OTHER, 853, "tcp"]])

    def test_dig_asks_somebody_else(self):
        agent = self.watching()
        dig = run_client(["dig", "+tries=1", "+time=1", f"@{OTHER}", "example.org"])
        events = [event for event in bypasses(agent.finish()) if event["process"]["pid"] == dig.pid]
        self.assertEqual({tuple(words(event)[1:]) for event in events}, {("OTHER_RESOLVER", OTHER, 53, "udp")})
        self.assertEqual(len(events), 1)
        self.assertEqual(events[0]["process"]["command_line"][-1], "example.org")
        self.assertNotIn("dns", events[0])

    def test_the_configured_resolver_is_no_way_around(self):
        resolv_conf = pathlib.Path("/etc/resolv.conf")
        before = resolv_conf.read_text()
        resolv_conf.write_text(f"nameserver {OTHER}\n")
        self.addCleanup(resolv_conf.write_text, before)
        agent = self.watching()
        dig = run_client(["dig", "+tries=1", "+time=1", f"@{OTHER}", "example.org"])
        self.assertEqual(self.told_of(agent, dig), [])

    def test_an_own_resolver_is_no_way_around(self):
        agent = self.watching("--own-resolver", OTHER)
        dig = run_client(["dig", "+tries=1", "+time=1", f"@{OTHER}", "example.org"])
        self.assertEqual(self.told_of(agent, dig), [])

    def test_a_resolver_may_ask_whom_it_likes(self):
        """It holds port 53 itself."""
        script = ("import socket; s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.9', 53)); "
                  f"t = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); t.sendto(b'x' * 20, ('{OTHER}', 53)); "
                  "print('sent', flush=True); import sys; sys.stdin.read()")
        agent = self.watching()
        server = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  preexec_fn=end_with_parent)
        self.addCleanup(server.communicate)
        self.assertEqual(server.stdout.readline(), b"sent\n")
        stranger = run_client(["dig", "+tries=1", "+time=1", f"@{OTHER}", "example.org"])
        told = wait_until(lambda: [event["process"]["pid"] for event in bypasses(agent.events())
                                   if event["bypass"]["technique"] == "TECHNIQUE_OTHER_RESOLVER"], "dig is told of")
        self.assertEqual(told, [stranger.pid])

    def test_raw_and_packet_sockets(self):
        agent = self.watching()
        raw = run_client([sys.executable, "-c", "import socket; socket.socket(socket.AF_INET, socket.SOCK_RAW, 17)"])
        frames = subprocess.Popen([sys.executable, "-c", "import socket; s = socket.socket(socket.AF_PACKET, "
                                   "socket.SOCK_RAW, 0); import sys; sys.stdin.read()"], stdin=subprocess.PIPE, preexec_fn=end_with_parent)
        self.addCleanup(frames.communicate)

        def told():
            return {event["process"]["pid"]: event["bypass"] for event in bypasses(agent.events())}

        wait_until(lambda: {raw.pid, frames.pid} <= told().keys(), lambda: f"both are told of: {told()}")
        self.assertEqual(told()[raw.pid], {"technique": "TECHNIQUE_RAW_SOCKET", "protocol": 17})
        self.assertEqual(told()[frames.pid], {"technique": "TECHNIQUE_PACKET_SOCKET"})

    def test_a_program_that_is_taken_off_its_hook(self):
        agent = self.watching("--metrics", "127.0.0.1:9477", "--backend", "cgroup")
        ready = "http://127.0.0.1:9477/readyz"
        with urllib.request.urlopen(ready, timeout=10) as answer:
            self.assertEqual(answer.status, 200)
        ours = link_of(agent.pid, "nsl_egress")
        subprocess.run(["bpftool", "link", "detach", "id", ours], check=True)
        told = wait_until(lambda: bypasses(agent.events()), "the agent tells")
        self.assertEqual(told[0]["bypass"], {"technique": "TECHNIQUE_DETACHED", "program": "nsl_egress"})
        with self.assertRaises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(ready, timeout=10)
        self.assertEqual(refused.exception.code, 503)
        self.assertIn("nsl_egress off its hook", agent.stderr())
        agent.finish()

    def test_off_tells_nothing(self):
        agent = self.agent("--bypass", "off")
        run_client(["curl", "--silent", "--max-time", "5", f"https://{PUBLIC}/"])
        run_client(["dig", "+tries=1", "+time=1", f"@{OTHER}", "example.org"])
        self.assertEqual(bypasses(agent.finish()), [])

    def test_a_list_that_is_none(self):
        listed = work_folder() / "broken"
        listed.write_text("192.0.2.1\n  dns.example\n")
        agent = self.agent("--bypass", "on", "--resolvers", listed, ready=False)
        self.assertNotEqual(agent.wait(), 0)
        self.assertIn(f"{listed}:2:3: 'dns.example' is no address", agent.stderr())


if __name__ == "__main__":
    main()
