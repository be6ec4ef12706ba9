#!/usr/bin/env -S python3 -B
"""Rules that read the response: dnsmasq answers, and the event has its answer and the process that asked."""

import socket
import struct
import threading

from harness import AgentCase, Resolver, backend, main, run_client, work_folder
from harness.sandbox import resolver_address

RULE = """
title: {title}
logsource:
    category: dns
detection:
    selection:
{tests}
    condition: {condition}
level: high
"""

RECORDS = [
    "--host-record=answered.test,192.0.2.1",
    "--host-record=elsewhere.test,198.51.100.1",
    "--host-record=end.chain.test,192.0.2.77,2001:db8::77",
    "--cname=middle.chain.test,end.chain.test",
    "--cname=www.chain.test,middle.chain.test",
    "--txt-record=txt.test,first half ,second half",
]


def rule(title, *tests, condition="selection"):
    path = work_folder() / f"{title}.yml"
    path.write_text(RULE.format(title=title, tests="\n".join(f"        {test}" for test in tests), condition=condition))
    return path


def dig(name, *arguments):
    return run_client(["dig", "+tries=1", "+time=5", name, *arguments])


class Responses(AgentCase):
    @classmethod
    def setUpClass(cls):
        cls.resolver = Resolver(["sfrclak.com"], records=RECORDS)
        cls.addClassCleanup(cls.resolver.stop)

    def outcome(self, agent):
        return self.of_resolver(agent.finish())

    def assert_answered(self, event, client, answers, rcode=0):
        self.assertEqual(event["kind"], "KIND_RESPONSE")
        self.assertEqual(event["process"]["pid"], client.pid)
        self.assertEqual(event["dns"]["rcode"], rcode)
        self.assertEqual(sorted(event["dns"].get("answers", [])), sorted(answers))
        self.assertRegex(event["dns"]["latency"], r"^0\.\d+s$")

    def test_an_address_that_getent_got(self):
        agent = self.agent(rules=rule("address", "answer: 192.0.2.1"))
        run_client(["getent", "ahosts", "elsewhere.test"])
        client = run_client(["getent", "ahosts", "answered.test"])
        (event,) = self.outcome(agent)
        self.assert_answered(event, client, ["192.0.2.1"])
        self.assertEqual(event["dns"]["query"], "answered.test")
        self.assertEqual(event["process"]["executable"], "/usr/bin/getent")
        self.assertTrue(event["alert"])
        self.assertEqual(event["rules"][0]["matched"], [{"field": "answer", "value": "192.0.2.1"}])

    def test_each_record_of_a_chain(self):
        chain = ["middle.chain.test", "end.chain.test"]
        rows = [("answer: middle.chain.test", "A", [*chain, "192.0.2.77"]),
                ("answer|endswith: end.chain.test", "AAAA", [*chain, "2001:db8::77"]),
                ("answer|cidr: 192.0.2.64/26", "A", [*chain, "192.0.2.77"]),
                ("answer|cidr: 2001:db8::/64", "AAAA", [*chain, "2001:db8::77"])]
        for test, record_type, answers in rows:
            with self.subTest(test):
                agent = self.agent(rules=rule("chain", f"'{test.partition(':')[0]}': '{test.partition(': ')[2]}'"))
                client = dig("www.chain.test", record_type)
                (event,) = self.outcome(agent)
                self.assert_answered(event, client, answers)

    def test_the_text_of_a_record(self):
        agent = self.agent(rules=rule("text", "record_type: TXT", "answer|contains: half second"))
        client = dig("txt.test", "TXT")
        (event,) = self.outcome(agent)
        self.assert_answered(event, client, ["first half second half"])

    def test_a_response_code(self):
        agent = self.agent(rules=rule("nxdomain", "rcode: NXDOMAIN", "query|endswith: .missing.test"))
        dig("answered.test")
        client = dig("a.missing.test")
        (event,) = self.outcome(agent)
        self.assert_answered(event, client, [], rcode=3)

    def test_over_tcp(self):
        if backend() != "cgroup":
            self.skipTest("the cgroup backend alone sees queries over TCP")
        agent = self.agent(rules=rule("tcp", "answer: 192.0.2.1"))
        client = dig("answered.test", "+tcp")
        (event,) = self.outcome(agent)
        self.assert_answered(event, client, ["192.0.2.1"])
        self.assertEqual(event["dns"]["transport"], "tcp")

    def test_a_rule_about_the_name_fires_at_the_query_and_once(self):
        agent = self.agent("--rules", rule("name", "query: answered.test"), rules=rule("both", "answer: 192.0.2.1"))
        client = dig("answered.test")
        query, response = self.outcome(agent)
        self.assertEqual([query["kind"], [hit["title"] for hit in query["rules"]]], ["KIND_MATCH", ["name"]])
        self.assertEqual([hit["title"] for hit in response["rules"]], ["both"])
        self.assert_answered(response, client, ["192.0.2.1"])
        self.assert_one_alert([query, response])

    def test_a_rule_that_the_response_cannot_change_fires_at_the_query(self):
        agent = self.agent(rules=rule("either", "- query: answered.test", "- answer: 203.0.113.9"))
        dig("answered.test")
        (event,) = self.outcome(agent)
        self.assertEqual(event["kind"], "KIND_MATCH")

    def test_no_response_decides_a_negation_when_the_agent_ends(self):
        address = resolver_address(index=7)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
            silent.bind((address, 53))
            path = work_folder() / "unanswered.yml"
            path.write_text(RULE.format(title="unanswered", condition="selection and not answered",
                                        tests="        query|endswith: .test\n    answered:\n        answer|exists: true"))
            agent = self.agent(rules=path)
            client = run_client(["dig", "+tries=1", "+time=1", f"@{address}", "silent.test"])
            dig("answered.test")
            events = [event for event in agent.finish() if event.get("dns", {}).get("server", {}).get("ip") == address]
        (event,) = events
        self.assertEqual([event["kind"], event["process"]["pid"]], ["KIND_MATCH", client.pid])
        self.assertNotIn("rcode", event["dns"])

    def test_what_was_not_asked_is_no_answer(self):
        """A server that sends three wrong responses before the right one: another id, another name, another port."""
        address = resolver_address(index=8)
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        other = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        self.addCleanup(other.close)
        server.bind((address, 53))
        other.bind((address, 54))

        def answered(query, identifier=None, name=None, last_octet=9):
            header = struct.pack(">6H", identifier if identifier is not None else query[0] << 8 | query[1],
                                 0x8180, 1, 1, 0, 0)
            question = (name or query[12:-4]) + query[-4:]
            return header + question + b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\xcb\0\x71" + bytes([last_octet])

        def serve():
            query, client = server.recvfrom(512)
            server.sendto(answered(query, identifier=(query[0] << 8 | query[1]) ^ 1), client)
            server.sendto(answered(query, name=b"\5wrong\4test\0"), client)
            other.sendto(answered(query), client)
            server.sendto(answered(query, last_octet=10), client)

        agent = self.agent(rules=rule("spoofed", "answer|startswith: '203.0.113.'"))
        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        client = run_client(["dig", "+noedns", "+nocookie", "+tries=1", "+time=5", f"@{address}", "asked.test"])
        thread.join(10)
        events = [event for event in agent.finish() if event.get("dns", {}).get("server", {}).get("ip") == address]
        (event,) = events
        self.assert_answered(event, client, ["203.0.113.10"])

    def test_every_response_when_asked(self):
        agent = self.agent("--observe", "all", "--responses", rules=None)
        client = run_client(["getent", "ahosts", "answered.test"])
        events = [event for event in self.outcome(agent) if event["dns"]["query"] == "answered.test"]
        queries = [event for event in events if event["kind"] == "KIND_QUERY"]
        responses = [event for event in events if event["kind"] == "KIND_RESPONSE"]
        self.assertEqual(len(events), len(queries) + len(responses))
        self.assert_one_event_each(self.queries(["answered.test"]), queries)
        self.assert_one_event_each(self.queries(["answered.test"]), responses)
        self.assertEqual({event["duplicate_of"] for event in responses}, {event["event_id"] for event in queries})
        self.assertEqual({event["process"]["pid"] for event in responses}, {client.pid})
        self.assertEqual({tuple(event["dns"].get("answers", [])) for event in responses}, {("192.0.2.1",), ()})

    def test_the_response_to_a_match(self):
        agent = self.agent("--responses")
        client = dig("sfrclak.com")
        match, response = self.outcome(agent)
        self.assertEqual(match["kind"], "KIND_MATCH")
        self.assert_answered(response, client, ["127.0.0.1"])
        self.assertEqual(response["duplicate_of"], match["event_id"])
        self.assertNotIn("rules", response)


if __name__ == "__main__":
    main()
