#!/usr/bin/env -S python3 -B
"""Where events go: every output gets every event once, and nothing that a process chooses can break or forge a line."""

import base64
import json
import os
import shutil
import signal
import socket
import stat
import subprocess

from harness import AgentCase, Prober, binary, main, run_client, wait_until, work_folder
from harness.sandbox import resolver_address

FORGED = b'\n{"schema_version":1,"event_id":"forged","alert":true}\n'


class Reader:
    """Listens on a Unix stream socket. A connection and what it carries wait until they are asked for."""

    def __init__(self, path):
        self._server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._server.settimeout(30)
        self._server.bind(os.fspath(path))
        self._server.listen()

    def accept(self):
        connection, _ = self._server.accept()
        connection.settimeout(30)
        with connection:  # the file keeps it open
            return connection.makefile("rb")

    def close(self):
        self._server.close()

    def received(self):
        """All of one connection, after the agent has closed its end."""
        with self._server, self.accept() as connection:
            return connection.read()


def lines(octets):
    """Each line as JSON; a line that is none is an error."""
    assert octets.endswith(b"\n") or not octets, "the last line is whole"
    return [json.loads(line) for line in octets.split(b"\n")[:-1]]


def decode(*arguments, **options):
    return subprocess.run([binary(), "decode", *arguments], capture_output=True, check=False, **options)


class Outputs(AgentCase):
    def test_all_outputs_get_the_same_events(self):
        frames = work_folder() / "events.pb"
        json_reader = Reader(work_folder() / "json.socket")
        frame_reader = Reader(work_folder() / "frames.socket")
        agent = self.agent("--output", "stdout", "--output", f"protobuf:{frames}",
                           "--output", f"unix:{work_folder() / 'json.socket'}",
                           "--output", f"unix:{work_folder() / 'frames.socket'}?encoding=protobuf")
        run_client(["getent", "ahosts", "sfrclak.com"])
        run_client(["dig", "calltan.com"])
        events = agent.finish()
        self.assert_one_event_each(self.queries(), self.of_resolver(events))
        self.assertEqual([int(event["sequence"]) for event in events], list(range(1, len(events) + 1)))

        self.assertEqual(lines(agent.stdout()), events, "stdout")
        self.assertEqual(lines(json_reader.received()), events, "unix")
        self.assertEqual(lines(decode(frames).stdout), events, "protobuf, decoded")
        self.assertEqual(lines(decode("-", input=frame_reader.received()).stdout), events, "unix, protobuf, decoded")

    def test_standard_output_is_the_default_and_carries_nothing_else(self):
        agent = self.agent(output=False)
        run_client(["dig", "sfrclak.com"])
        agent.send_signal(signal.SIGTERM)
        self.assertEqual(agent.wait(), 0)
        self.assert_one_event_each(self.queries(), self.of_resolver(lines(agent.stdout())))

    def test_an_event_is_there_while_the_agent_runs(self):
        agent = self.agent()
        run_client(["dig", "sfrclak.com"])
        wait_until(lambda: self.of_resolver(agent.events()), "the event is in the file")

    def test_a_second_run_appends(self):
        path = work_folder() / "appended.jsonl"
        for _ in range(2):
            agent = self.agent("--output", f"jsonl:{path}", output=False)
            run_client(["dig", "sfrclak.com"])
            agent.send_signal(signal.SIGTERM)
            self.assertEqual(agent.wait(), 0)
        self.assert_one_event_each(self.queries(), self.of_resolver(lines(path.read_bytes())))
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)

    def test_a_reader_that_restarts_gets_the_later_events(self):
        path = work_folder() / "restarted.socket"
        reader = Reader(path)
        agent = self.agent("--output", f"unix:{path}")
        run_client(["dig", "sfrclak.com"])
        with reader.accept() as connection:
            received = lines(connection.readline())
        reader.close()
        path.unlink()
        reader = Reader(path)
        run_client(["dig", "sfrclak.com"])
        events = agent.finish()
        self.assert_one_event_each(self.queries(), self.of_resolver(events))
        self.assertEqual(received + lines(reader.received()), events)

    def test_formats(self):
        files = {name: work_folder() / f"{name}.jsonl" for name in ("ecs", "ocsf")}
        agent = self.agent(*[word for name, path in files.items() for word in ("--output", f"jsonl:{path}?format={name}")])
        run_client(["getent", "ahosts", "sfrclak.com"])
        events = agent.finish()
        ecs, ocsf = (lines(path.read_bytes()) for path in files.values())
        self.assertEqual([line["event"]["id"] for line in ecs], [event["event_id"] for event in events])
        self.assertEqual([line["event"]["kind"] for line in ecs],
                         ["alert" if event["alert"] else "event" for event in events])
        self.assertEqual([line["metadata"]["uid"] for line in ocsf], [event["event_id"] for event in events])
        for event, line in zip(events, ocsf):
            self.assertEqual((line["class_uid"], line["query"]["hostname"], line["actor"]["process"]["pid"]),
                             (4003, "sfrclak.com", event["process"]["pid"]))

    def test_files_that_logrotate_renames(self):
        path = work_folder() / "renamed.jsonl"
        agent = self.agent("--output", f"jsonl:{path}")
        run_client(["dig", "sfrclak.com"])
        wait_until(lambda: path.read_bytes(), "the first event is in the file")
        path.rename(path.with_suffix(".old"))
        agent.send_signal(signal.SIGUSR1)
        wait_until(path.exists, "SIGUSR1 opens the file anew, without an event")
        self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600)
        run_client(["dig", "sfrclak.com"])
        events = agent.finish()
        self.assertEqual(lines(path.with_suffix(".old").read_bytes()) + lines(path.read_bytes()), events)

    def test_a_reader_that_takes_nothing_costs_no_other_output_anything(self):
        """Its queue fills, what has no room is counted by output, and the end of the agent is not put off for long."""
        path = work_folder() / "stalled.socket"
        reader = Reader(path)
        self.addCleanup(reader.close)
        agent = self.agent("--output", f"unix:{path}?queue=64K")
        nobody = resolver_address(1)  # answers are of no use here
        prober = Prober(nobody)
        for number in range(300):
            prober.send([b"calltan", b"com"], identifier=number)
        server = {"ip": nobody, "port": 53}
        wait_until(lambda: sum(event.get("dns", {}).get("server") == server for event in agent.events()) == 300,
                   "the file has every event", seconds=60)
        wait_until(lambda: any("losses" in event for event in agent.events()), "the loss is an event")
        events = agent.finish()
        losses = [loss for event in events for loss in event.get("losses", [])]
        self.assertEqual({(loss["stage"], loss["output"]) for loss in losses}, {("sink", f"unix:{path}")})
        self.assertIn(f"lost at the stage sink of unix:{path}: ", agent.stderr())
        with reader.accept() as connection:
            received = connection.read()
        whole = lines(received[: received.rfind(b"\n") + 1])
        self.assertEqual(whole, events[: len(whole)], "what arrived is in order, without a gap")
        after = agent.stderr().rsplit("lost at the stage sink of ", 1)[1]
        lost = sum(int(loss["count"]) for loss in losses) + int(after.split(": ")[1].split()[0])
        self.assertGreaterEqual(lost + len(whole), len(events))

    def test_a_cut_file_gives_its_whole_events_and_the_exit_status_of_bad_input(self):
        frames = work_folder() / "cut.pb"
        agent = self.agent("--output", f"protobuf:{frames}")
        run_client(["getent", "ahosts", "sfrclak.com"])
        events = agent.finish()
        frames.write_bytes(frames.read_bytes()[:-1])
        cut = decode(frames)
        self.assertEqual((cut.returncode, lines(cut.stdout)), (3, events[:-1]))
        self.assertEqual(cut.stderr.count(b"\n"), 1)

    def test_a_hostile_process_is_one_valid_line(self):
        names = {
            "not UTF-8": b"evil\xff\xfe",
            "quote and backslash": b'a"\\u0000"b\\',
            "newline": b"a\nb",
            "escape sequence": b"\x1b[2J\x1b]0;x\x07",
            "half a character": b"caf\xc3",
        }
        agent = self.agent("--output", "stdout")
        ran = {}
        for title, name in names.items():
            copy = os.path.join(os.fsencode(work_folder()), name)
            shutil.copy(shutil.which("getent"), copy)
            ran[title] = run_client([name + FORGED, b"ahosts", b"sfrclak.com"], executable=copy)
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual(self.of_resolver(lines(agent.stdout())), events)
        self.assertNotIn(b"\x1b", agent.stdout(), "nothing that a terminal obeys")
        self.assertNotIn(b"\x7f", agent.stdout())
        for title, client in ran.items():
            with self.subTest(title):
                ours = [event["process"] for event in events if event["process"]["pid"] == client.pid]
                self.assertEqual(len(ours), 2)
                for process in ours:
                    self.assertEqual(len(process["command_line"]), 3)
                    self.assertIn('"event_id":"forged"', process["command_line"][0])
                    self.assertEqual(process["command_line"][1:], ["ahosts", "sfrclak.com"])
        self.assertNotIn("forged", [event["event_id"] for event in events])

    def test_a_hostile_name_is_one_valid_line(self):
        listed = work_folder() / "hostile"
        listed.write_text("calltan.com\n")
        label = b'a.b"\\\x1b\xff\x00' + FORGED[:40]
        agent = self.agent("--list", f"suffix:{listed}", "--output", "stdout")
        port = Prober(self.resolver.address).send([label, b"CallTan", b"com"])
        events = self.of_resolver(agent.finish())
        self.assertEqual([event["dns"]["source"]["port"] for event in events], [port])
        self.assertEqual(self.of_resolver(lines(agent.stdout())), events)
        name = events[0]["dns"]["query"]
        self.assertTrue(name.startswith('a\\.b"\\\\\\027\\255\\000\\010{'), name)
        self.assertTrue(name.endswith(".calltan.com"), name)
        self.assertTrue(name.isascii() and name.isprintable())
        self.assertEqual(base64.b64decode(events[0]["dns"]["query_wire"]),
                         bytes([len(label)]) + label + b"\7CallTan\3com\0")


if __name__ == "__main__":
    main()
