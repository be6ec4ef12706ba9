#!/usr/bin/python3 -B
"""Outputs over the network and the journal, against real receivers on loopback: each gets every event once and in order,
also when it was down meanwhile, and whatever was lost is counted by output."""

import json
import os
import signal

from harness import (RSYSLOG_PACKAGES, AgentCase, Certificates, Collector, Journal, Kafka, Rsyslog, fetch, main, run_client,
                     wait_until, work_folder)


IN_A_POD = {**os.environ, "NODE_NAME": "node-7"}  # as its manifest sets it


def parsed(texts):
    return [json.loads(text) for text in texts]


class NetworkOutputs(AgentCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.certificates = Certificates()

    def started(self, receiver):
        receiver.start()
        self.addCleanup(receiver.stop)
        return receiver

    def look_up(self, *names):
        for name in names or ("sfrclak.com", "calltan.com"):
            run_client(["dig", name])

    def wait_received(self, received, count, what):
        wait_until(lambda: len(received()) >= count, lambda: f"{what}: {len(received())} of {count} events")

    def check_syslog(self, rsyslog, ways):
        """Events through rsyslog, stopped and started again meanwhile: the same as in the file, in order."""
        specs = [f"syslog:{way}://127.0.0.1:{getattr(rsyslog, way)}?spool={work_folder() / f'spool-{way}'}"
                 + (f"&ca={self.certificates.ca}" if way == "tls" else "") for way in ways]
        agent = self.agent(*[word for spec in specs for word in ("--output", spec)])

        def ours(way):
            """Others use this machine, too, and what they look up while rsyslog ends can be lost with it. A batch that
            rsyslog had read when it ended, before that was known, comes again: at least once."""
            events = self.of_resolver(parsed(message[5] for message in rsyslog.received(way)))
            return list({event["event_id"]: event for event in events}.values())

        self.look_up()
        for way in ways:
            self.wait_received(lambda way=way: ours(way), 2, way)
        rsyslog.stop()
        self.look_up()
        wait_until(lambda: agent.stderr().count("; events wait") >= len(ways), agent.stderr)
        rsyslog.start()
        self.look_up()
        for way in ways:
            self.wait_received(lambda way=way: ours(way), 6, way)
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        for way in ways:
            with self.subTest(way):
                self.assertEqual(ours(way), events)
                for version, priority, program, kind, structured, _ in rsyslog.received(way):
                    self.assertEqual((version, program), ("1", "nslookout"))
                    self.assertIn((kind, priority), (("match", "27"), ("loss", "28")))
                    self.assertRegex(structured, r'^\[origin software="nslookout" swVersion="[\d.]+"\]\[meta sequenceId="\d+"\]$')

    def test_syslog_over_udp_tcp_and_tls(self):
        self.check_syslog(self.started(Rsyslog(self.certificates)), ("udp", "tcp", "tls"))

    def test_a_certificate_of_another_authority_is_refused(self):
        rsyslog = self.started(Rsyslog(self.certificates))
        agent = self.agent("--output", f"syslog:tls://127.0.0.1:{rsyslog.tls}?ca={self.certificates.stranger}")
        self.look_up("sfrclak.com")
        wait_until(lambda: "its certificate is refused" in agent.stderr(), "the log says why")
        agent.finish()
        self.assertEqual(len([message for message in rsyslog.received("tls") if "sfrclak" in message[5]]), 0)
        self.assertRegex(agent.stderr(), r"lost at the stage sink of syslog:tls://127.0.0.1:\d+: \d")

    def test_otlp(self):
        collector = self.started(Collector())
        agent = self.agent("--output", f"otlp:{collector.url}?spool={work_folder() / 'spool-otlp'}", env=IN_A_POD)
        self.look_up()
        self.wait_received(collector.bodies, 2, "otlp")
        collector.stop()
        self.look_up()
        wait_until(lambda: "; events wait" in agent.stderr(), agent.stderr)
        collector.answers = [(503, {"Retry-After": "1"}, b""), (429, {}, b"")]
        collector.start()
        self.look_up()
        wait_until(lambda: len(agent.events()) >= 6, "the file has the events")
        self.wait_received(collector.bodies, 6, "otlp")
        events = agent.finish()
        self.assertEqual(parsed(collector.bodies()), events)
        resource, record = collector.records[0]
        self.assertEqual(resource["service.name"], "nslookout")
        self.assertEqual((resource["host.name"], events[0]["host"]["name"]), ("node-7", "node-7"))
        attributes = {pair.key: pair.value for pair in record.attributes}
        self.assertEqual(attributes["dns.question.name"].string_value, "sfrclak.com")
        self.assertEqual(attributes["process.pid"].int_value, events[0]["process"]["pid"])
        self.assertTrue(attributes["nslookout.alert"].bool_value)
        self.assertEqual((record.severity_number, record.severity_text), (17, "ERROR"))
        path, headers = collector.requests[0]
        self.assertEqual((path, headers["Content-Type"], headers["Content-Encoding"]),
                         ("/v1/logs", "application/x-protobuf", "gzip"))

    def test_what_a_collector_refuses_is_a_loss_of_that_output(self):
        collector = self.started(Collector())
        collector.answers = [(400, {}, b"no\nsuch\x1b thing"), (200, {}, collector.partial(1, "too old"))]
        agent = self.agent("--output", f"otlp:{collector.url}?gzip=off", "--output", "stdout")
        self.look_up("sfrclak.com")
        wait_until(lambda: len(collector.requests) >= 1, "the first request")
        self.look_up("sfrclak.com")
        wait_until(lambda: any(event["kind"] == "KIND_LOSS" for event in agent.events()), "the loss is an event")
        losses = [loss for event in agent.finish() for loss in event.get("losses", [])]
        self.assertEqual({(loss["stage"], loss["output"]) for loss in losses}, {("sink", f"otlp:{collector.url}")})
        self.assertGreaterEqual(sum(int(loss["count"]) for loss in losses), 2)
        self.assertIn("answers 400: no\\x0asuch\\x1b thing", agent.stderr())

    def test_kafka(self):
        kafka = Kafka()
        self.addCleanup(kafka.end)
        agent = self.agent("--output", f"kafka:{kafka.brokers}/dns?spool={work_folder() / 'spool-kafka'}", env=IN_A_POD)
        self.look_up()
        self.assertEqual(len(kafka.messages(2)), 2)
        kafka.stop()
        self.look_up()
        wait_until(lambda: "; events wait" in agent.stderr(), agent.stderr)
        kafka.start()
        self.look_up()
        wait_until(lambda: len(agent.events()) >= 6, "the file has the events")
        self.assertEqual(len(kafka.messages(6)), 6)
        events = agent.finish()
        messages = kafka.messages(len(events))
        self.assertEqual(parsed(value for _, value in messages), events)
        self.assertEqual(({key for key, _ in messages}, events[0]["host"]["name"]), ({"node-7"}, "node-7"))

    def test_journald(self):
        journal = self.started(Journal())
        agent = self.agent("--output", f"journald:{journal.path}?format=ecs")
        self.look_up("sfrclak.com")
        huge = ["dig", "+tries=1", "+time=1", "calltan.com"] + ["; " + "x" * 60000] * 4
        run_client(huge)
        wait_until(lambda: len(agent.events()) >= 2, "the file has the events")
        self.wait_received(lambda: journal.values("NSLOOKOUT_QUERY"), 2, "journald")
        journal.stop()
        self.look_up("sfrclak.com")
        wait_until(lambda: "; events wait" in agent.stderr(), agent.stderr)
        journal.start()
        events = agent.finish()
        self.assertEqual(journal.values("NSLOOKOUT_EVENT_ID"), [event["event_id"] for event in events])
        self.assertEqual(journal.values("NSLOOKOUT_QUERY"), [event["dns"]["query"] for event in events])
        self.assertEqual(journal.values("NSLOOKOUT_PID"), [str(event["process"]["pid"]) for event in events])
        self.assertEqual(set(journal.values("SYSLOG_IDENTIFIER")), {"nslookout"})
        self.assertEqual(set(journal.values("PRIORITY")), {"3"})
        self.assertIn("asked for sfrclak.com", journal.values("MESSAGE")[0])
        self.assertEqual(parsed(journal.values("NSLOOKOUT_EVENT"))[0]["ecs"]["version"], "9.4.0")

    def test_the_spool_survives_the_agent(self):
        """Ended by SIGTERM and by SIGKILL while the collector is down."""
        collector = Collector()
        spool = work_folder() / "spool-survives"
        output = ("--output", f"otlp:{collector.url}?spool={spool}")
        ids = []
        for number in (signal.SIGTERM, signal.SIGKILL):
            agent = self.agent(*output)
            self.look_up()
            wait_until(lambda agent=agent: len(agent.events()) >= 2, "the file has the events")
            size = lambda: sum(path.stat().st_size for path in spool.glob("*.records"))
            wait_until(lambda: size() > 1500 * (len(ids) + 1), "the spool has them, too")
            agent.send_signal(number)
            self.assertEqual(agent.wait(), 0 if number == signal.SIGTERM else -number)
            ids += [event["event_id"] for event in agent.events()]
        self.started(collector)
        agent = self.agent(*output)
        self.look_up()
        self.wait_received(collector.bodies, 6, "otlp")
        earlier = len(ids)
        ids += [event["event_id"] for event in agent.finish()]
        self.assertEqual([event["event_id"] for event in parsed(collector.bodies())], ids)
        self.assertIn(f"{earlier} events of an earlier run in the spool", agent.stderr())


if __name__ == "__main__":
    main(before=lambda: fetch(*RSYSLOG_PACKAGES))
