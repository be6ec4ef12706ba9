#!/usr/bin/env -S python3 -B
"""How an agent tells how it is: metrics, probes, its supervisor, `nslookout status`."""

import collections
import contextlib
import http.client
import json
import os
import pathlib
import re
import select
import shutil
import signal
import socket
import stat
import subprocess
import time

from harness import AgentCase, backend, binary, dns_query, main, run_client, wait_until, work_folder
from harness.sandbox import SOURCE

ADDRESS = ("127.0.0.1", 9477)
SAMPLE = re.compile(r"^([a-z_][a-z0-9_]*)(?:\{(.*)\})? (\S+)$")
LABEL = re.compile(r'(\w+)="((?:[^"\\]|\\.)*)"')
STATS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
METRIC = re.compile(r"\b(?:nslookout|process)_[a-z_]*[a-z]\b")
RULE = """title: Names of a test
id: 0c1d9d3e-6f2a-4f35-9d1f-2a4e7c1b0a77
level: critical
logsource: {category: dns}
detection:
  selection: {query: %s}
  condition: selection
"""


def get(path, address=ADDRESS, method="GET"):
    """The status and the body."""
    connection = http.client.HTTPConnection(*address, timeout=20)
    with contextlib.closing(connection):
        connection.request(method, path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def scrape(address=ADDRESS):
    """{name: {label values, in order: value}}"""
    status, text = get("/metrics", address)
    assert status == 200, text
    samples = collections.defaultdict(dict)
    for line in text.splitlines():
        if line.startswith("#"):
            continue
        name, labels, value = SAMPLE.match(line).groups()
        samples[name][tuple(value for _, value in LABEL.findall(labels or ""))] = float(value)
    return samples


def families(address=ADDRESS):
    """{name of a metric: names of its labels}; a histogram has three kinds of samples."""
    found, family = {}, None
    for line in get("/metrics", address)[1].splitlines():
        if line.startswith("# HELP "):
            family = line.split()[2]
        elif not line.startswith("#"):
            name, labels, _ = SAMPLE.match(line).groups()
            assert name.startswith(family), line
            found.setdefault(family, set()).update(label for label, _ in LABEL.findall(labels or ""))
    return found


class Health(AgentCase):
    def status(self, agent, *arguments):
        return subprocess.run([binary(), "status", "--status-socket", agent.status_socket, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)

    def status_json(self, agent):
        answer = self.status(agent, "--format", "json")
        self.assertEqual(answer.returncode, 0, answer.stderr)
        return json.loads(answer.stdout)

    def rules(self, names):
        folder = work_folder() / self.id().rsplit(".", 1)[1]
        folder.mkdir(exist_ok=True)
        new = folder / ".new"
        new.write_text(RULE % names)
        new.rename(folder / "rule.yml")
        return folder


class Metrics(Health):
    def test_what_a_lookup_counts(self):
        agent = self.agent("--metrics", "{}:{}".format(*ADDRESS), rules=self.rules("sfrclak.com"))
        before = scrape()
        self.assertEqual(before["nslookout_rule_hits_total"][("critical",)], 0)
        run_client(["dig", "sfrclak.com"])
        run_client(["dig", "calltan.com"])
        wait_until(agent.events, "the event")
        after = scrape()
        output = (f"jsonl:{agent.events_file}",)
        for name, labels in (("rule_hits_total", ("critical",)), ("events_total", ("match",)), ("candidates_total", ()),
                             ("candidates_verified_total", ()), ("output_events_total", output)):
            self.assertEqual(after["nslookout_" + name][labels] - before["nslookout_" + name][labels], 1, name)
        self.assertEqual(after["nslookout_candidates_refused_total"][()], 0)
        self.assertEqual(after["nslookout_rule_hits_total"][("high",)], 0)
        self.assertGreaterEqual(after["nslookout_queries_total"][()] - before["nslookout_queries_total"][()], 2)
        self.assertEqual(after["nslookout_event_latency_seconds_count"][()], 1)
        self.assertEqual(after["nslookout_event_latency_seconds_bucket"][("+Inf",)], 1)
        self.assertEqual(after["nslookout_table_entries"][("names",)], 1)
        self.assertEqual(sum(after["nslookout_lost_total"].values()), 0)
        self.assertEqual([labels[:2] for labels in after["nslookout_backend_info"]], [(backend(), "audit")])
        self.assertAlmostEqual(after["process_start_time_seconds"][()], time.time(), delta=60)

    def test_what_the_verifier_refuses(self):
        folder = self.rules("sfrclak.com")
        rule = folder / "rule.yml"
        rule.write_text(rule.read_text().replace("condition: selection", "condition: selection and not filter").replace(
            "  condition", "  filter: {record_type: AAAA}\n  condition"))
        agent = self.agent("--metrics", "{}:{}".format(*ADDRESS), rules=folder)
        run_client(["dig", "sfrclak.com", "AAAA"])
        run_client(["dig", "sfrclak.com", "A"])
        wait_until(agent.events, "the event")
        samples = scrape()
        self.assertEqual(samples["nslookout_candidates_verified_total"][()], 2)
        self.assertEqual(samples["nslookout_candidates_refused_total"][()], 1)

    def test_reloads(self):
        folder = self.rules("sfrclak.com")
        agent = self.agent("--metrics", "{}:{}".format(*ADDRESS), rules=folder)
        self.rules("calltan.com")
        wait_until(lambda: scrape()["nslookout_generation"][()] == 2, "the second generation")
        (folder / "rule.yml").write_text("title: broken\n")
        wait_until(lambda: scrape()["nslookout_reload_failures_total"][()] == 1, "the refusal is counted")
        samples = scrape()
        self.assertEqual(samples["nslookout_reload_refused"][()], 1)
        self.assertEqual(samples["nslookout_reloads_total"][()], 1)
        self.assertEqual(samples["nslookout_generation"][()], 2)
        self.assertGreater(samples["nslookout_generation_load_seconds"][()], 0)
        status = self.status_json(agent)
        self.assertIn(f"{folder}/rule.yml:1:1", status["generation"]["last_refusal"])
        self.rules("calltan.com")
        wait_until(lambda: scrape()["nslookout_reload_refused"][()] == 0, "a set that is taken ends it")
        self.assertEqual(scrape()["nslookout_reload_failures_total"][()], 1)

    def test_probes_and_what_is_not_there(self):
        agent = self.agent("--metrics", "{}:{}".format(*ADDRESS))
        self.assertEqual(get("/healthz"), (200, "ok\n"))
        self.assertEqual(get("/readyz"), (200, "ok\n"))
        self.assertEqual(get("/")[0], 404)
        self.assertEqual(get("/metrics/../etc/passwd")[0], 404)
        self.assertEqual(get("/metrics", method="POST")[0], 405)
        agent.finish()
        self.assertRaises(ConnectionRefusedError, get, "/readyz")

    def test_an_agent_that_cannot_listen(self):
        self.enterContext(socket.create_server(("127.0.0.1", 9478)))
        for address, status, sentence in (
                ("127.0.0.1:9478", 1, "--metrics 127.0.0.1:9478: cannot listen there: Address already in use; name a free port"),
                ("192.0.2.1:9477", 1, "--metrics 192.0.2.1:9477: cannot listen there: Cannot assign requested address;"),
                ("127.0.0.1", 2, "--metrics 127.0.0.1: the port is no number from 1 to 65535; give ADDRESS:PORT"),
                ("127.0.0.1:http", 2, "--metrics 127.0.0.1:http: the port is no number"),
                ("127.0.0.1:0", 2, "the port is no number from 1 to 65535"),
                ("localhost:9477", 2, "--metrics localhost:9477: the address is none of IPv4 or IPv6; give ADDRESS:PORT"),
                ("[2001:db8::1]:9477", 1, "--metrics [2001:db8::1]:9477: cannot listen there: Cannot assign requested address;"),
                ("[127.0.0.1]:9477", 2, "the address is none of IPv4 or IPv6"),
                ("::1:9477", 2, "an address of IPv6 stands in brackets; give ADDRESS:PORT, such as 127.0.0.1:9477 or [::1]:9477")):
            with self.subTest(address):
                agent = self.agent("--metrics", address, ready=False)
                self.assertEqual(agent.wait(), status)
                line, = agent.stderr().splitlines()
                self.assertTrue(line.startswith("nslookout: error: "), line)
                self.assertIn(sentence, line)

    def test_a_port_alone_is_on_loopback(self):
        self.agent("--metrics", "9480")
        self.assertEqual(get("/healthz", ("127.0.0.1", 9480)), (200, "ok\n"))

    def test_on_ipv6(self):
        """[::1] alone, and [::], which is IPv4 too."""
        for address, here, elsewhere in (("[::1]:9477", ["::1"], ["127.0.0.1"]), ("[::]:9477", ["::1", "127.0.0.1"], [])):
            with self.subTest(address):
                agent = self.agent("--metrics", address)
                for host in here:
                    self.assertEqual(get("/healthz", (host, 9477)), (200, "ok\n"))
                    self.assertEqual(get("/readyz", (host, 9477)), (200, "ok\n"))
                    info, = scrape((host, 9477))["nslookout_backend_info"]
                    self.assertEqual(info[:2], (backend(), "audit"))
                for host in elsewhere:
                    self.assertRaises(ConnectionRefusedError, get, "/readyz", (host, 9477))
                self.assertEqual(self.status_json(agent)["pid"], agent.pid)
                agent.finish()
                self.assertRaises(ConnectionRefusedError, get, "/readyz", ("::1", 9477))

    def test_clients_that_say_nothing_or_no_http(self):
        """They do not keep a probe from its answer, however many they are."""
        self.agent("--metrics", "{}:{}".format(*ADDRESS))
        silent = [self.enterContext(socket.create_connection(ADDRESS)) for _ in range(16)]
        stranger = self.enterContext(socket.create_connection(ADDRESS))
        stranger.sendall(b"\x16\x03\x01 no HTTP\r\n\r\n")
        self.assertIn(b" 400 ", stranger.makefile("rb").readline())
        self.assertEqual(get("/healthz"), (200, "ok\n"))
        self.assertEqual(get("/metrics", method="HEAD"), (200, ""))
        for connection in silent:  # its end, from the agent
            connection.settimeout(20)
            self.assertEqual(connection.recv(100), b"")

    def test_clients_that_never_come_to_an_end(self):
        """As many as there is room for, with an octet every half second: each has three seconds, and a probe its turn."""
        self.agent("--metrics", "{}:{}".format(*ADDRESS))
        slow = [self.enterContext(socket.create_connection(ADDRESS)) for _ in range(80)]
        waiting = set(slow)
        deadline = time.monotonic() + 30
        while waiting and time.monotonic() < deadline:
            for connection in list(waiting):
                try:
                    connection.sendall(b"G")
                except OSError:
                    waiting.discard(connection)
            ended, _, _ = select.select(list(waiting), [], [], 0.5)
            waiting -= set(ended)
        self.assertEqual(waiting, set(), "the agent ended none of them")
        self.assertEqual(get("/healthz"), (200, "ok\n"))

    def test_a_reading_that_has_stopped(self):
        """The process is stopped as a whole, so the probe is asked right after it goes on."""
        agent = self.agent("--metrics", "{}:{}".format(*ADDRESS))
        agent.stand_still()
        connection = socket.create_connection(ADDRESS)  # the kernel takes it, nobody answers
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        connection.settimeout(0.3)
        self.assertRaises(TimeoutError, connection.recv, 1)
        connection.close()
        agent.send_signal(signal.SIGCONT)
        self.assertEqual(get("/healthz")[0], 200)


class Supervised(Health):
    """The test is the supervisor."""

    def supervisor(self, name):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.addCleanup(listener.close)
        listener.bind(name)
        listener.settimeout(20)
        return listener

    def next(self, listener, wanted):
        """The next message with the line; those before it are watchdogs."""
        while True:
            lines = listener.recv(4096).decode().splitlines()
            if wanted in lines:
                return dict(line.split("=", 1) for line in lines)
            self.assertEqual(lines, ["WATCHDOG=1"])

    def test_ready_reload_and_stop(self):
        for name in (str(work_folder() / "notify.sock"), "\0nslookout-test-%d" % os.getpid()):
            with self.subTest(name):
                listener = self.supervisor(name)
                environment = {**os.environ, "NOTIFY_SOCKET": name.replace("\0", "@")}
                folder = self.rules("sfrclak.com")
                agent = self.agent(rules=folder, env=environment)
                self.assertIn("1 rule and 0 lists", self.next(listener, "READY=1")["STATUS"])
                begin = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
                agent.send_signal(signal.SIGHUP)
                reloading = self.next(listener, "RELOADING=1")
                self.assertGreaterEqual(int(reloading["MONOTONIC_USEC"]), begin)
                self.assertIn("generation 2: 1 rule", self.next(listener, "READY=1")["STATUS"])
                (folder / "rule.yml").write_text("title: broken\n")
                self.assertIn("generation 2 stays, the last reload was refused", self.next(listener, "READY=1")["STATUS"])
                agent.finish()
                self.next(listener, "STOPPING=1")

    def test_watchdog_only_while_the_reading_moves(self):
        listener = self.supervisor(str(work_folder() / "watchdog.sock"))
        agent = self.agent(env={**os.environ, "NOTIFY_SOCKET": str(work_folder() / "watchdog.sock"),
                                "WATCHDOG_USEC": "600000"})
        self.next(listener, "READY=1")
        for _ in range(3):
            self.next(listener, "WATCHDOG=1")
        agent.stand_still()
        listener.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while listener.recv(4096):
                pass
        listener.settimeout(1.2)
        self.assertRaises(TimeoutError, listener.recv, 4096)
        agent.send_signal(signal.SIGCONT)
        listener.settimeout(20)
        self.next(listener, "WATCHDOG=1")

    def test_a_watchdog_of_another_process(self):
        listener = self.supervisor(str(work_folder() / "other.sock"))
        agent = self.agent(env={**os.environ, "NOTIFY_SOCKET": str(work_folder() / "other.sock"),
                                "WATCHDOG_USEC": "200000", "WATCHDOG_PID": "1"})
        agent.finish()
        messages = [listener.recv(4096).decode().split("=")[0] for _ in range(2)]
        self.assertEqual(messages, ["READY", "STOPPING"])

    def test_a_supervisor_that_is_not_there(self):
        agent = self.agent(env={**os.environ, "NOTIFY_SOCKET": str(work_folder() / "nobody.sock")})
        agent.finish()


class Status(Health):
    def test_rules_with_their_hits_and_entries(self):
        listed = work_folder() / "listed.txt"
        listed.write_text("calltan.com\ncallnrwise.com\n")
        agent = self.agent("--list", f"exact:{listed}", rules=self.rules("[sfrclak.com, www.sfrclak.com]"))
        for name in ("sfrclak.com", "sfrclak.com", "calltan.com"):
            run_client(["dig", name])
        wait_until(lambda: len(agent.events()) == 3, "the events")
        # an output delivers by a thread of its own
        wait_until(lambda: self.status_json(agent)["outputs"][0]["written"] == 3, "three events are written")
        status = self.status_json(agent)
        rule, = status["rules"]
        self.assertEqual((rule["title"], rule["level"], rule["hits"], rule["kernel"]["names"]),
                         ("Names of a test", "critical", 2, 2))
        names, = status["lists"]
        self.assertEqual((names["id"], names["hits"], names["kernel"]["names"]), ("list/listed.txt", 1, 2))
        self.assertEqual(status["pid"], agent.pid)
        self.assertEqual(status["generation"]["number"], 1)
        self.assertEqual(status["outputs"], [{"output": f"jsonl:{agent.events_file}", "written": 3, "waiting": 0, "lost": 0,
                                              "finished": False}])
        text = self.status(agent)
        self.assertEqual((text.returncode, text.stderr), (0, ""))
        for line in ("generation   1, loaded ", "mode         audit\n", "lost         none\n", "events       match 3\n",
                     "       2  critical       Names of a test  [0c1d9d3e-6f2a-4f35-9d1f-2a4e7c1b0a77]  (2 names)\n"):
            self.assertIn(line, text.stdout)

    def test_a_hostile_title(self):
        folder = self.rules("sfrclak.com")
        rule = folder / "rule.yml"
        rule.write_text(rule.read_text().replace("Names of a test", r'"a\e[31m\nb"'))
        agent = self.agent(rules=folder)
        text = self.status(agent).stdout
        self.assertNotIn("\x1b", text)
        self.assertIn(r"a\x1b[31m\x0ab", text)
        self.assertEqual(self.status_json(agent)["rules"][0]["title"], "a\x1b[31m\nb")

    def test_who_may_read_it(self):
        agent = self.agent()
        mode = agent.status_socket.stat().st_mode
        self.assertTrue(stat.S_ISSOCK(mode))
        self.assertEqual(stat.S_IMODE(mode), 0o600)
        stranger = subprocess.run([binary(), "status", "--status-socket", agent.status_socket], user=65534, group=65534,
                                  extra_groups=[], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30)
        self.assertEqual(stranger.returncode, 4)
        self.assertIn("Permission denied; root may read it", stranger.stderr)
        agent.finish()
        self.assertFalse(agent.status_socket.exists())

    def test_no_agent(self):
        agent = self.agent("--status-socket", "none")
        agent.status_socket = work_folder() / "nobody-listens.sock"
        answer = self.status(agent)
        self.assertEqual(answer.returncode, 1)
        self.assertIn(f"no agent answers at {agent.status_socket}: No such file or directory", answer.stderr)

    def test_the_socket_of_a_dead_agent_is_taken_and_of_a_live_one_not(self):
        dead = self.agent()
        dead.kill()
        self.assertTrue(dead.status_socket.exists())
        live = self.agent("--status-socket", dead.status_socket)
        thief = self.agent("--status-socket", dead.status_socket, ready=False)
        self.assertEqual(thief.wait(), 1)
        line, = thief.stderr().splitlines()
        self.assertIn(f"the status socket {dead.status_socket} belongs to an agent that runs; end that one", line)
        self.assertEqual(self.status_json(dead)["pid"], live.pid)

    def test_a_file_that_is_no_socket_stays(self):
        path = work_folder() / "precious"
        path.write_text("x")
        agent = self.agent("--status-socket", path, ready=False)
        self.assertEqual(agent.wait(), 1)
        self.assertIn("there is another file of that name", agent.stderr())
        self.assertEqual(path.read_text(), "x")

    def test_an_agent_that_hangs(self):
        agent = self.agent()
        agent.stand_still()
        self.addCleanup(agent.send_signal, signal.SIGCONT)
        client = socket.socket(socket.AF_UNIX)
        self.addCleanup(client.close)
        client.connect(str(agent.status_socket))  # a client that never reads, and then one that does
        agent.send_signal(signal.SIGCONT)
        self.assertEqual(self.status_json(agent)["pid"], agent.pid)


OPERATIONS = SOURCE / "docs" / "operations.md"
# The kernel measures its programs, and an agent tells of it, while this is on.
MEASURED = {"nslookout_program_run_seconds_total", "nslookout_program_runs_total"}
# What makes an agent do all that it can: metrics that are there only then would show.
EVERYTHING = ("--mode", "enforce", "--observe", "unique", "--responses", "--bypass", "on", "--output", "stdout")


class Names(Health):
    """What dashboard, alerts and the documentation name is what an agent says, and nothing is left out there."""

    def documented(self):
        """{name of a metric: names of its labels}, of the table."""
        rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in OPERATIONS.read_text().splitlines()
                if line.startswith(("| `nslookout_", "| `process_"))]
        table = {name.strip("`"): set(labels.split(", ")) - {""} for name, labels, _ in rows}
        self.assertEqual(len(table), len(rows), "a metric has one row")
        return table

    def measure_programs(self, value):
        before = STATS.read_text()
        self.addCleanup(STATS.write_text, before)
        STATS.write_text(value)

    def test_the_documentation_s_table_is_what_is_scraped(self):
        documented = self.documented()
        history = work_folder() / "every.db"
        for measured, arguments in (("0", ()), ("1", ()), ("1", (*EVERYTHING, "--history", history))):
            with self.subTest(measured=measured, arguments=arguments):
                self.measure_programs(measured)
                agent = self.agent("--metrics", "{}:{}".format(*ADDRESS), *arguments)
                expected = {name: labels for name, labels in documented.items() if measured == "1" or name not in MEASURED}
                self.assertEqual(families(), expected)
                agent.finish()

    def test_values_of_labels(self):
        """Those that the documentation has in its words: stages, tables, kinds of events."""
        text = OPERATIONS.read_text()
        self.agent("--metrics", "{}:{}".format(*ADDRESS))
        samples = scrape()

        def quoted(begin, end):
            part = text[text.index(begin) + len(begin):] + "\n\n"
            return {word for word in re.findall(r"`([a-z_ ]+)`", part[:part.index(end)]) if word not in samples}

        self.assertEqual(quoted("Stages of `nslookout_lost_total`", "\n\n"), {stage for stage, in samples["nslookout_lost_total"]})
        for name, label in (("nslookout_events_total", "kind"), ("nslookout_table_entries", "table"),
                            ("nslookout_table_capacity", "table"), ("nslookout_rule_hits_total", "level")):
            with self.subTest(name):
                self.assertEqual(quoted(f"| `{name}` | {label} |", "\n"), {value for value, in samples[name]})

    def test_dashboard_and_alerts(self):
        self.measure_programs("1")
        self.agent("--metrics", "{}:{}".format(*ADDRESS))
        known = set(scrape()) | set(families())
        for path in ("docs/operations.md", "deploy/prometheus/alerts.yml", "deploy/grafana/nslookout.json"):
            with self.subTest(path):
                named = set(METRIC.findall((SOURCE / path).read_text()))
                self.assertGreater(len(named), 5)
                self.assertEqual(named - known, set())

    def test_what_is_counted_when_it_happens(self):
        """Metrics that stay 0 on most machines, each with what makes it grow."""
        full = work_folder() / "full"
        full.symlink_to("/dev/full")
        self.agent("--metrics", "{}:{}".format(*ADDRESS), *EVERYTHING, "--output", f"jsonl:{full}",
                   rules=self.rules("sfrclak.com"))
        here = (self.resolver.address, 53)

        def datagrams(*octets):
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
                for each in octets:
                    sender.sendto(each, here)

        def unasked_response():
            with contextlib.ExitStack() as sockets:
                server, client = (sockets.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) for _ in range(2))
                server.bind(("127.9.9.9", 53))
                client.bind(("127.9.9.9", 0))
                answer = bytearray(dns_query("unasked.test", 9))
                answer[2] |= 0x80
                server.sendto(answer, client.getsockname())

        for name, happens in (
                ("nslookout_not_dns_total", lambda: datagrams(b"no query, some octets of another protocol")),
                ("nslookout_blocked_total", lambda: run_client(["dig", "+tries=1", "+time=5", "sfrclak.com"])),
                ("nslookout_responses_total", lambda: run_client(["dig", "+tries=1", "+time=5", "calltan.com"])),
                ("nslookout_telemetry_repeated_total", lambda: datagrams(*[dns_query("again.test", 8)] * 3)),
                ("nslookout_responses_unawaited_total", unasked_response),
                ("nslookout_bypasses_total", lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, 17).close()),
                ("nslookout_process_entries_total", lambda: run_client(["true"])),
                ("nslookout_output_waiting", lambda: run_client(["dig", "sfrclak.com"])),
        ):
            with self.subTest(name):
                before = sum(scrape()[name].values())
                happens()
                wait_until(lambda name=name, before=before: sum(scrape()[name].values()) > before, f"{name} grows")

    def test_metrics_as_prometheus_reads_them(self):
        if not shutil.which("promtool"):
            self.skipTest("promtool is not here (package prometheus)")
        self.agent("--metrics", "{}:{}".format(*ADDRESS))
        checked = subprocess.run(["promtool", "check", "metrics"], input=get("/metrics")[1], capture_output=True, text=True)
        self.assertEqual((checked.returncode, checked.stderr), (0, ""))


if __name__ == "__main__":
    main()
