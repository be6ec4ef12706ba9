#!/usr/bin/python3 -B
"""Sockets of runtimes that hang, lie, vanish and come back: no event is lost, delayed for ever or forged by any of them."""

import sys
import threading

from harness import AgentCase, Resolver, main, run_client, wait_until, work_folder
from harness.cgroup import Cgroup, new_id
from harness.fake_runtimes import FakeCri, FakeDocker, FakeKubelet, SilentSocket
from harness.runtimes import message
from harness.sandbox import resolver_address

DIG = ["dig", "+tries=1", "sfrclak.com"]
LABELS = {"app": "web"}

RULE_ABOUT_A_POD = """
title: A name that one pod alone may not ask for
logsource:
    category: dns
detection:
    selection:
        query: sfrclak.com
        kubernetes.pod.name: web-0
    condition: selection
level: high
"""

# $1: the server; sends 1500 queries for sfrclak.com.
FLOOD = """
import socket, struct, sys
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.connect((sys.argv[1], 53))
for i in range(1500):
    s.send(struct.pack(">6H", i, 0x0100, 1, 0, 0, 0) + b"\\7sfrclak\\3com\\0" + struct.pack(">2H", 1, 1))
"""


class SocketCase(AgentCase):
    def setUp(self):
        super().setUp()
        self.release = threading.Event()  # for answers that wait
        self.addCleanup(self.release.set)
        self._sockets = 0

    def socket_path(self):
        self._sockets += 1
        return work_folder() / f"{self.id().rpartition('.')[2][:40]}-{self._sockets}.sock"

    def started(self, fake):
        self.addCleanup(fake.stop)
        return fake

    def cgroup(self, **options):
        cgroup = Cgroup(**options)
        self.addCleanup(cgroup.remove)
        return cgroup

    def docker(self):
        return self.started(FakeDocker(self.socket_path()))

    def hang(self, *answer):
        self.release.wait()
        return answer

    def wait_for_events(self, agent, count):
        wait_until(lambda: len(self.of_resolver(agent.events())) >= count, f"{count} events are written")

    def one_event(self, agent):
        """Once it was written: the end of the agent would cut its waiting short."""
        self.wait_for_events(agent, 1)
        return self.one_event_at_the_end(agent)

    def one_event_at_the_end(self, agent):
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual(len(events), 1)
        return events[0]


class Docker(SocketCase):
    def test_a_container_has_name_and_image(self):
        docker, cgroup = self.docker(), self.cgroup()
        docker.containers[cgroup.id] = ("web", "nginx:1")
        agent = self.agent("--docker-socket", docker.socket)
        cgroup.run(DIG)
        self.assertEqual(self.one_event(agent)["container"],
                         {"id": cgroup.id, "runtime": "docker", "name": "web", "image": "nginx:1"})

    def test_hostile_names_forge_nothing(self):
        docker, cgroup = self.docker(), self.cgroup()
        name = 'x"}\n{"kind":"KIND_MATCH"}\x1b[2J\\\x00\u202e'
        docker.containers[cgroup.id] = (name, "i" * 100_000)
        agent = self.agent("--docker-socket", docker.socket)
        cgroup.run(DIG)
        container = self.one_event(agent)["container"]
        self.assertEqual(container["name"], name)
        self.assertEqual(container["image"], "i" * 512)

    def test_answers_that_are_nonsense(self):
        answers = {
            "another container": b'{"Id":"%s","Name":"/evil"}' % new_id().encode(),
            "no JSON": b"<html>",
            "far too much": b'{"Id":"' + b"x" * (3 << 20),
        }
        for title, body in answers.items():
            with self.subTest(title):
                self.setUp()
                docker, cgroup = self.docker(), self.cgroup()
                docker.containers[cgroup.id] = ("web", "nginx:1")
                agent = self.agent("--docker-socket", docker.socket)
                docker.answer = lambda status, _, body=body: (status, body)
                cgroup.run(DIG)
                self.assertEqual(self.one_event(agent)["container"], {"id": cgroup.id, "runtime": "docker"})
                self.assertIn("events lack what it would tell", agent.stderr())
                self.assertIn("1 event without the name of their container", agent.stderr())

    def test_a_container_that_it_does_not_have_is_no_failure(self):
        docker, cgroup = self.docker(), self.cgroup()
        agent = self.agent("--docker-socket", docker.socket)
        cgroup.run(DIG)
        self.assertEqual(self.one_event(agent)["container"], {"id": cgroup.id, "runtime": "docker"})
        self.assertNotIn("warning", agent.stderr())

    def test_a_socket_that_hangs_delays_only_its_own_containers_and_not_for_ever(self):
        docker, cgroup = self.docker(), self.cgroup()
        agent = self.agent("--docker-socket", docker.socket)
        docker.answer = self.hang
        cgroup.run(DIG)
        host = run_client(DIG)
        self.wait_for_events(agent, 2)
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertLess(int(events[0]["sequence"]), int(events[1]["sequence"]))
        self.assertEqual(events[0]["process"]["pid"], host.pid)
        self.assertEqual(events[1]["container"], {"id": cgroup.id, "runtime": "docker"})
        self.assertLess(events[1]["time"], events[0]["time"])

    def test_while_a_socket_hangs_nobody_waits_for_it_again_and_again(self):
        docker, first, second = self.docker(), self.cgroup(), self.cgroup()
        agent = self.agent("--docker-socket", docker.socket)
        docker.answer = self.hang
        first.run(DIG)
        self.wait_for_events(agent, 1)
        asked = docker.asked
        second.run(DIG)
        self.assertEqual(len(self.of_resolver(agent.finish())), 2)
        self.assertEqual(docker.asked, asked)

    def test_a_socket_that_never_says_anything(self):
        silent, cgroup = self.started(SilentSocket(self.socket_path())), self.cgroup()
        agent = self.agent("--docker-socket", silent.socket)
        cgroup.run(DIG)
        self.assertEqual(self.one_event(agent)["container"], {"id": cgroup.id, "runtime": "docker"})

    def test_a_runtime_that_restarts_meanwhile(self):
        docker, cgroup = self.docker(), self.cgroup()
        docker.containers[cgroup.id] = ("web", "nginx:1")
        agent = self.agent("--docker-socket", docker.socket)
        docker.stop()
        cgroup.run(DIG)
        docker.start()
        self.assertEqual(self.one_event(agent)["container"]["name"], "web")

    def test_a_flood_while_a_socket_hangs_loses_nothing(self):
        docker, cgroup = self.docker(), self.cgroup()
        agent = self.agent("--docker-socket", docker.socket)
        docker.answer = self.hang
        cgroup.run([sys.executable, "-c", FLOOD, self.resolver.address])
        everything = agent.finish()
        events = self.of_resolver(everything)
        self.assertEqual(sorted(event["dns"].get("id", 0) for event in events), list(range(1500)))
        self.assertEqual([int(event["sequence"]) for event in everything], list(range(1, len(everything) + 1)))
        self.assertEqual(sum(event["alert"] for event in events), 1)

    def test_the_end_of_the_agent_writes_what_is_held(self):
        docker, cgroup = self.docker(), self.cgroup()
        agent = self.agent("--docker-socket", docker.socket)
        docker.answer = self.hang
        cgroup.run(DIG)
        self.assertEqual(self.one_event_at_the_end(agent)["container"], {"id": cgroup.id, "runtime": "docker"})


class Cri(SocketCase):
    def cri(self):
        return self.started(FakeCri(self.socket_path()))

    def pod(self, cri, name):
        cgroup = self.cgroup(parent="kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab")
        cri.containers[cgroup.id] = (name, "shop", "3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab", LABELS, "main", "nginx:1")
        return cgroup

    def test_a_pod(self):
        cri = self.cri()
        cgroup = self.pod(cri, "web-0")
        agent = self.agent("--cri-socket", cri.socket)
        cgroup.run(DIG)
        event = self.one_event(agent)
        self.assertEqual(event["container"],
                         {"id": cgroup.id, "runtime": "containerd", "name": "main", "image": "nginx:1"})
        self.assertEqual(event["pod"], {"namespace": "shop", "name": "web-0", "labels": LABELS,
                                        "uid": "3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab"})

    def test_without_a_socket_the_cgroup_tells_the_pods_uid(self):
        cgroup = self.cgroup(parent="kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab")
        agent = self.agent("--no-runtime-sockets")
        cgroup.run(DIG)
        event = self.one_event(agent)
        self.assertEqual(event["container"], {"id": cgroup.id})
        self.assertEqual(event["pod"], {"uid": "3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab"})

    def test_a_rule_about_a_pod_is_decided_when_the_pod_is_known(self):
        rule = work_folder() / "pod_rule.yml"
        rule.write_text(RULE_ABOUT_A_POD)
        cri = self.cri()
        meant, other = self.pod(cri, "web-0"), self.pod(cri, "web-1")
        agent = self.agent("--cri-socket", cri.socket, rules=rule)
        for cgroup in (other, meant, other):
            cgroup.run(DIG)
        run_client(DIG)
        self.wait_for_events(agent, 1)
        events = self.of_resolver(agent.finish())
        self.assertEqual([event["container"]["id"] for event in events], [meant.id])
        self.assertEqual([matched["field"] for matched in events[0]["rules"][0]["matched"]],
                         ["query", "kubernetes.pod.name"])

    def test_a_forwarders_copy_of_a_lookup_that_waits_has_no_alert_of_its_own(self):
        """The client's lookup is not decided before its pod is known; the forwarder asks on at once."""
        rules = work_folder() / "rule_and_pod_rule"
        rules.mkdir()
        (rules / "pod.yml").write_text(RULE_ABOUT_A_POD)
        (rules / "anybody.yml").write_text(RULE_ABOUT_A_POD.replace("        kubernetes.pod.name: web-0\n", ""))
        forwarder = Resolver([], address=resolver_address(1), upstream=self.resolver.address)
        self.addCleanup(forwarder.stop)
        cri = self.cri()
        cgroup = self.pod(cri, "web-0")
        agent = self.agent("--cri-socket", cri.socket, rules=rules)
        cri.answer = self.hang
        cgroup.run(["dig", "+tries=1", f"@{forwarder.address}", "sfrclak.com"])
        wait_until(lambda: len(self.of_this_test(agent.events())) >= 2, "both are written")
        asked, copied = self.of_this_test(agent.finish())
        self.assertEqual([asked["container"]["id"], asked["alert"]], [cgroup.id, True])
        self.assertEqual([copied["process"]["pid"], copied["role"], copied["alert"], copied["duplicate_of"]],
                         [forwarder.pid, "ROLE_FORWARDER", False, asked["event_id"]])

    def test_an_older_runtime_is_not_asked_for_its_events(self):
        """It would give them to us instead of the kubelet."""
        cgroup = self.cgroup(parent="kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab")
        created = message({1: cgroup.id, 4: {1: "s", 2: {1: "web-0", 2: "1", 3: "shop"}},
                           5: [{1: cgroup.id, 2: {1: "brief"}, 8: {1: "nginx:1"}}]})
        cri = self.started(FakeCri(self.socket_path(), events=[created], version="v1.7.27"))
        agent = self.agent("--cri-socket", cri.socket, "--log-level", "debug")
        cgroup.run(DIG)
        self.assertEqual(self.one_event(agent)["container"], {"id": cgroup.id})
        self.assertNotIn("told of 1 container", agent.stderr())

    def test_a_pod_that_is_there_when_the_agent_starts(self):
        cri = self.cri()
        cri.lists = True
        cgroup = self.pod(cri, "web-0")
        agent = self.agent("--cri-socket", cri.socket, "--log-level", "debug")
        wait_until(lambda: "it has 1 container now" in agent.stderr(), "the runtime's list was read")
        cri.vanish()
        cgroup.run(DIG)
        self.assertEqual(self.one_event(agent)["pod"]["name"], "web-0")

    def test_hostile_labels_are_bounded_and_escaped(self):
        cri = self.cri()
        cgroup = self.pod(cri, "web-0")
        labels = {"a": "x\n\x1b", "b": b"\xff\xfe", **{f"key-{i:04}": "v" * 100 for i in range(500)}}
        cri.containers[cgroup.id] = ("web-0", "shop", "1", labels, "main", "nginx:1")
        agent = self.agent("--cri-socket", cri.socket)
        cgroup.run(DIG)
        found = self.one_event(agent)["pod"]["labels"]
        self.assertEqual((found["a"], found["b"]), ("x\n\x1b", r"\xff\xfe"))
        self.assertLessEqual(len(found), 64)

    def test_answers_that_are_nonsense(self):
        answers = {
            "another container": message({1: [{1: new_id(), 3: {1: "evil"}, 4: {1: "i"}}]}),
            "no protobuf": b"\xff" * 64,
            "far too much": message({1: [{1: "x" * (3 << 20)}]}),
        }
        for title, octets in answers.items():
            with self.subTest(title):
                self.setUp()
                cri = self.cri()
                cgroup = self.pod(cri, "web-0")
                agent = self.agent("--cri-socket", cri.socket)
                cri.answer = lambda method, real, octets=octets: octets if method == "ListContainers" else real
                cgroup.run(DIG)
                event = self.one_event(agent)
                self.assertEqual(event["container"], {"id": cgroup.id})
                self.assertEqual(event["pod"], {"uid": "3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab"})
                self.assertIn("1 event without the name of their container", agent.stderr())

    def test_a_socket_that_hangs(self):
        cri = self.cri()
        cgroup = self.pod(cri, "web-0")
        agent = self.agent("--cri-socket", cri.socket)
        cri.answer = lambda method, octets: self.hang(octets)[0]
        cgroup.run(DIG)
        self.assertEqual(self.one_event(agent)["container"], {"id": cgroup.id})

    def test_a_socket_that_speaks_something_else(self):
        docker = self.docker()
        cgroup = self.cgroup(parent="kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab")
        agent = self.agent("--cri-socket", docker.socket)
        cgroup.run(DIG)
        self.assertEqual(self.one_event(agent)["container"], {"id": cgroup.id})

    def test_a_runtime_that_restarts_meanwhile(self):
        cri = self.cri()
        cgroup = self.pod(cri, "web-0")
        agent = self.agent("--cri-socket", cri.socket)
        cri.vanish()
        cgroup.run(DIG)
        cri.come_back()
        self.assertEqual(self.one_event(agent)["container"]["name"], "main")

    def test_a_container_that_only_the_stream_of_events_told_of(self):
        cgroup = self.cgroup(parent="kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab")
        created = message({1: cgroup.id, 4: {1: "s", 2: {1: "web-0", 2: "1", 3: "shop"}},
                           5: [{1: cgroup.id, 2: {1: "brief"}, 8: {1: "nginx:1"}}]})
        cri = self.started(FakeCri(self.socket_path(), events=[created]))
        agent = self.agent("--cri-socket", cri.socket, "--log-level", "debug")
        wait_until(lambda: "told of 1 container" in agent.stderr(), "the event of the runtime has come")
        cgroup.run(DIG)
        event = self.one_event(agent)
        self.assertEqual(event["container"]["name"], "brief")
        self.assertEqual(event["pod"]["name"], "web-0")


class ByKubelet(SocketCase):
    def test_a_pod_that_the_kubelet_lists_only_after_a_while(self):
        kubelet = self.started(FakeKubelet())
        token = work_folder() / "token"
        token.write_text(kubelet.token + "\n")
        cgroup = self.cgroup(parent="kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab")
        agent = self.agent("--no-runtime-sockets", "--kubelet", kubelet.url, "--kubelet-token-file", token)
        cgroup.run(DIG)
        asked = kubelet.asked
        wait_until(lambda: kubelet.asked > asked, "it is asked again")
        kubelet.containers[cgroup.id] = ("web-0", "shop", "1-2", "main", "nginx:1")
        event = self.one_event(agent)
        self.assertEqual(event["container"],
                         {"id": cgroup.id, "runtime": "containerd", "name": "main", "image": "nginx:1"})
        self.assertEqual(event["pod"],
                         {"namespace": "shop", "name": "web-0", "uid": "1-2", "labels": {"from": "kubelet"}})

    def test_a_kubelet_that_refuses_is_told_once_and_holds_up_nothing(self):
        kubelet = self.started(FakeKubelet())
        cgroup = self.cgroup(parent="kubepods/pod3f0c1b5e-5f0e-4b0a-9b0e-1234567890ab")
        agent = self.agent("--no-runtime-sockets", "--kubelet", kubelet.url)
        cgroup.run(DIG)
        self.one_event(agent)
        self.assertEqual(agent.stderr().count("the token needs the right to get nodes/pods"), 1)


if __name__ == "__main__":
    main()
