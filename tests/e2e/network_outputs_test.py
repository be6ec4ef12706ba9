#!/usr/bin/python3 -B
"""Outputs over the network and the journal, against real receivers on loopback: each gets every event once and in order,
also when it was down meanwhile, and whatever was lost is counted by output."""

import json
import os
import pathlib
import re
import shutil
import signal
import subprocess

from harness import (RSYSLOG_PACKAGES, AgentCase, Certificates, Collector, Journal, Kafka, KafkaFront, Rsyslog, fetch, main,
                     run_client, wait_until, work_folder)


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

    def spool(self):
        return work_folder() / f"spool-{self.id().rpartition('.')[2]}"

    def options(self, pair=None, ca=None):
        """TLS as the options of an output have it."""
        words = {"ca": ca or self.certificates.ca}
        if pair:
            words |= {"cert": pair[0], "key": pair[1]}
        return "&".join(f"{name}={value}" for name, value in words.items())

    def check_waits_until_it_is_mended(self, wrong, said, right, received, mend=lambda: None):
        """An output that a receiver does not take, or does not trust, says so in one line of the log and loses nothing: an
        agent that is started with the right options delivers what waited."""
        agent = self.agent("--output", f"{wrong}&spool={self.spool()}")
        self.look_up()
        wait_until(lambda: len(agent.events()) >= 2, "the file has the events")
        wait_until(lambda: re.search(rf"output {wrong.split(':')[0]}:.*{said}.*; events wait", agent.stderr()), agent.stderr)
        events = self.of_resolver(agent.finish())
        self.assertEqual(received(), [])
        mend()
        agent = self.agent("--output", f"{right}&spool={self.spool()}")
        self.assertRegex(agent.stderr(), r"\d+ events of an earlier run in the spool")
        self.look_up()
        self.wait_received(lambda: self.of_resolver(received()), 4, "what waited, and what came")
        events += self.of_resolver(agent.finish())
        self.assertEqual(self.of_resolver(received()), events)
        shutil.rmtree(self.spool())

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

    def test_syslog_for_clients_with_a_certificate(self):
        for clients, pair in (("x509/certvalid", None), ("x509/certvalid", self.certificates.strange_client)):
            with self.subTest(clients=clients, certificate=pair):
                rsyslog = Rsyslog(self.certificates, clients)
                rsyslog.start()
                try:
                    target = f"syslog:tls://127.0.0.1:{rsyslog.tls}"
                    self.check_waits_until_it_is_mended(
                        f"{target}?{self.options(pair)}",
                        "it does not take this client's certificate: " if pair else r"it asks for a certificate \(cert=, key=\): ",
                        f"{target}?{self.options(self.certificates.client)}",
                        lambda rsyslog=rsyslog: parsed(message[5] for message in rsyslog.received("tls")))
                finally:
                    rsyslog.stop()

    def test_certificates_that_are_renewed_while_the_agent_runs(self):
        """Its own, and those of the authorities: the next connection has the new ones."""
        rsyslog = self.started(Rsyslog(self.certificates, "x509/certvalid"))
        collector = self.started(Collector(self.certificates.server_side(asks=True)))
        folder = work_folder() / "renewed"
        folder.mkdir()

        def put(ca, pair):
            for source, name in ((ca, "ca"), (pair[0], "cert"), (pair[1], "key")):
                shutil.copy(source, folder / name)

        put(self.certificates.stranger, self.certificates.strange_client)
        options = f"ca={folder}/ca&cert={folder}/cert&key={folder}/key"
        agent = self.agent("--output", f"syslog:tls://127.0.0.1:{rsyslog.tls}?{options}", "--output", f"otlp:{collector.url}?{options}")
        self.look_up()
        for name in ("syslog", "otlp"):
            wait_until(lambda name=name: re.search(f"output {name}:.*its certificate is refused.*; events wait", agent.stderr()),
                       agent.stderr)
        put(self.certificates.ca, self.certificates.client)
        self.wait_received(lambda: rsyslog.received("tls"), 2, "syslog")
        self.wait_received(collector.bodies, 2, "otlp")
        events = agent.finish()
        self.assertEqual(parsed(message[5] for message in rsyslog.received("tls")), events)
        self.assertEqual(parsed(collector.bodies()), events)

    def test_otlp_over_tls(self):
        collector = self.started(Collector(self.certificates.server_side()))
        agent = self.agent("--output", f"otlp:{collector.url}?{self.options()}")
        self.look_up()
        self.wait_received(collector.bodies, 2, "otlp")
        events = agent.finish()
        self.assertEqual(parsed(collector.bodies()), events)

    def test_otlp_of_another_authority(self):
        collector = self.started(Collector(self.certificates.server_side()))
        self.check_waits_until_it_is_mended(
            f"otlp:{collector.url}?{self.options(ca=self.certificates.stranger)}",
            "its certificate is refused: .*certificate", f"otlp:{collector.url}?{self.options()}",
            lambda: parsed(collector.bodies()))

    def test_otlp_of_another_name(self):
        collector = self.started(Collector(self.certificates.server_side(self.certificates.elsewhere)))

        def mend():
            collector.stop()
            collector.tls = self.certificates.server_side()
            collector.start()

        output = f"otlp:{collector.url}?{self.options()}"
        self.check_waits_until_it_is_mended(output, "its certificate is refused: no alternative certificate subject name matches",
                                            output, lambda: parsed(collector.bodies()), mend)

    def test_otlp_for_clients_with_a_certificate_and_a_token(self):
        collector = self.started(Collector(self.certificates.server_side(asks=True)))
        headers = work_folder() / "otlp.headers"
        headers.write_text("# of the test\nAuthorization: Bearer abc def\nX-Scope-OrgID: dns\n")
        self.check_waits_until_it_is_mended(
            # the alert, or the end of the connection that was read before it
            f"otlp:{collector.url}?{self.options()}", r"(alert certificate required|\(it may ask for a certificate\))",
            f"otlp:{collector.url}?{self.options(self.certificates.client)}&headers={headers}",
            lambda: parsed(collector.bodies()))
        for _, sent in collector.requests:
            self.assertEqual((sent["Authorization"], sent["X-Scope-OrgID"]), ("Bearer abc def", "dns"))

    def test_the_system_s_authorities_are_trusted_when_no_other_is_named(self):
        system = pathlib.Path("/etc/ssl/certs")
        subprocess.run(["mount", "-t", "tmpfs", "none", system], check=True)
        self.addCleanup(subprocess.run, ["umount", system], check=True)
        shutil.copy(self.certificates.ca, system / "ca-certificates.crt")
        shutil.copy(self.certificates.ca, system / "ours.pem")
        subprocess.run(["openssl", "rehash", system], check=True, capture_output=True)
        collector = self.started(Collector(self.certificates.server_side()))
        self.check_waits_until_it_is_mended(
            f"otlp:{collector.url}?{self.options(ca=self.certificates.stranger)}", "its certificate is refused: .*certificate",
            f"otlp:{collector.url}?gzip=on", lambda: parsed(collector.bodies()))

    def kafka_front(self, **options):
        kafka = Kafka()
        self.addCleanup(kafka.end)
        front = KafkaFront(kafka.brokers, **options)
        self.addCleanup(front.stop)
        return kafka, front

    def properties(self, *lines):
        path = work_folder() / f"{lines[-1].partition('=')[0]}.properties"
        path.write_text("".join(line + "\n" for line in lines))
        return path

    def test_kafka_over_tls_for_clients_with_a_certificate(self):
        kafka, front = self.kafka_front(tls=self.certificates.server_side(asks=True))
        self.check_waits_until_it_is_mended(
            f"kafka:{front.brokers}/dns?{self.options(self.certificates.client, ca=self.certificates.stranger)}",
            "certificate verify failed", f"kafka:{front.brokers}/dns?{self.options(self.certificates.client)}",
            lambda: parsed(value for _, value in kafka.messages(4)))

    def test_kafka_with_a_password(self):
        """SASL through librdkafka's properties."""
        kafka, front = self.kafka_front(tls=self.certificates.server_side(), users={"dns": "se cret=1"})
        account = ["# an account", "", "security.protocol=sasl_ssl", "sasl.mechanism=PLAIN", "sasl.username=dns"]
        wrong = self.properties(*account, "sasl.password=wrong")
        agent = self.agent("--output", f"kafka:{front.brokers}/dns?{self.options()}&properties={wrong}&spool={self.spool()}")
        self.look_up()
        wait_until(lambda: front.refused > 0 and "; events wait" in agent.stderr(), agent.stderr)
        wait_until(lambda: len(agent.events()) >= 2, "the file has the events")
        events = agent.finish()
        right = self.properties(*account, "sasl.password=se cret=1")
        agent = self.agent("--output", f"kafka:{front.brokers}/dns?{self.options()}&properties={right}&spool={self.spool()}")
        self.assertEqual(len(kafka.messages(len(events))), len(events))
        events += agent.finish()
        self.assertEqual(parsed(value for _, value in kafka.messages(len(events))), events)
        self.assertNotIn("cret", agent.stderr())

    def test_what_cannot_work_is_refused_at_the_start(self):
        text = work_folder() / "no.pem"
        text.write_text("no certificate\n")
        missing = work_folder() / "missing"
        client, key = self.certificates.client
        _, other_key = self.certificates.server
        for output, status, *said in (
                (f"otlp:https://127.0.0.1:9?ca={missing}", 1, missing, "No such file or directory", "ca= names"),
                (f"otlp:https://127.0.0.1:9?ca={text}", 1, text, "ca= names a file of certificates in PEM form"),
                (f"otlp:https://127.0.0.1:9?cert={text}&key={key}", 1, text, "cert= names a certificate in PEM form"),
                (f"otlp:https://127.0.0.1:9?cert={client}&key={other_key}", 1, other_key, "key= names the key of"),
                (f"otlp:http://127.0.0.1:9?ca={text}", 2, "use otlp:https://"),
                (f"otlp:http://127.0.0.1:9?headers={missing}", 1, missing, "No such file or directory", "headers= names"),
                (f"otlp:http://127.0.0.1:9?headers={text}", 2, f"{text}:1: no header of HTTP"),
                (f"syslog:tls://127.0.0.1?ca={missing}", 1, missing, "No such file or directory", "ca= names"),
                (f"syslog:tls://127.0.0.1?cert={client}&key={other_key}", 1, other_key, "key= names the key of"),
                (f"kafka:127.0.0.1/dns?ca={missing}", 2, "kafka: ", "ssl.ca.location"),
                (f"kafka:127.0.0.1/dns?cert={client}&key={other_key}", 2, "kafka: ", "ssl."),
                (f"kafka:127.0.0.1/dns?properties={missing}", 1, missing, "No such file or directory"),
                (f"kafka:127.0.0.1/dns?properties={text}", 2, f"{text}:1: no property; write one as name=value"),
                (f"kafka:127.0.0.1/dns?properties={self.properties('security.protocol=tls')}", 2, ":1: kafka: ", "security.protocol", "tls"),
                (f"kafka:127.0.0.1/dns?properties={self.properties('security.protocol=sasl_ssl', 'sasl.mechanisms=NONE')}", 2,
                 "kafka: Unsupported SASL mechanism: NONE"),
                (f"kafka:127.0.0.1/dns?properties={self.properties('no.such.property=1')}", 2, ":1: kafka: ", "no.such.property"),
        ):
            with self.subTest(output):
                agent = self.agent("--output", output, ready=False)
                self.assertEqual(agent.wait(), status, agent.stderr())
                line, = agent.stderr().splitlines()
                self.assertTrue(line.startswith("nslookout: error: "), line)
                for part in said:
                    self.assertIn(str(part), line)

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

    def test_a_token_that_has_run_out_is_read_anew_and_nothing_is_lost(self):
        collector = self.started(Collector())
        headers = work_folder() / "otlp.headers"
        headers.write_text("Authorization: Bearer old\n")
        agent = self.agent("--output", f"otlp:{collector.url}?headers={headers}", "--output", "stdout")
        collector.token, collector.answers = "Bearer new", [(403, {}, b"")]
        self.look_up()
        wait_until(lambda: "answers 401; events wait" in agent.stderr(), agent.stderr)
        renewed = headers.with_suffix(".new")
        renewed.write_text("Authorization: Bearer new\n")
        renewed.rename(headers)
        self.wait_received(collector.bodies, 2, "otlp")
        self.assertEqual(parsed(collector.bodies()), agent.finish())
        tokens = [sent["Authorization"] for _, sent in collector.requests]
        self.assertEqual((tokens[0], tokens[-1]), ("Bearer old", "Bearer new"))

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

    def test_a_hostile_process_is_one_message_each(self):
        """Whatever a process calls itself and is called with: no receiver gets two messages, a cut one, or a forged one."""
        rsyslog = self.started(Rsyslog(self.certificates))
        collector, journal = self.started(Collector()), self.started(Journal())
        kafka = Kafka()
        self.addCleanup(kafka.end)
        agent = self.agent(*[word for output in (f"syslog:udp://127.0.0.1:{rsyslog.udp}", f"syslog:tcp://127.0.0.1:{rsyslog.tcp}",
                                                 f"otlp:{collector.url}", f"kafka:{kafka.brokers}/dns", f"journald:{journal.path}")
                             for word in ("--output", output)])
        names = (b"evil\xff\xfe", b'a"\\u0000"b\\', b"a\nNSLOOKOUT_PID=1\n<27>1 - - forged", b"\x1b[2J\x07", b"caf\xc3", b"0 <1>")
        for name in names:
            copy = os.path.join(os.fsencode(work_folder()), name.replace(b"/", b"_"))
            shutil.copy(shutil.which("dig"), copy)
            run_client([name + b'"}\n{"event_id":"forged"}', b"sfrclak.com"], executable=copy)
        wait_until(lambda: len(agent.events()) >= len(names), "the file has the events")
        events = agent.finish()
        received = {
            "udp": parsed(message[5] for message in rsyslog.received("udp")),
            "tcp": parsed(message[5] for message in rsyslog.received("tcp")),
            "otlp": parsed(collector.bodies()),
            "kafka": parsed(value for _, value in kafka.messages(len(events))),
            "journald": parsed(journal.values("NSLOOKOUT_EVENT")),
        }
        for way, got in received.items():
            with self.subTest(way):
                self.assertEqual(got, events)
        self.assertEqual(journal.values("NSLOOKOUT_PID"), [str(event["process"]["pid"]) for event in events])
        self.assertEqual(len(self.of_resolver(events)), len(names))

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
