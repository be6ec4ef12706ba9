#!/usr/bin/python3 -B
"""Who asked, in containers: bare runc, podman, and containerd's CRI with pods, from the cgroup and from the sockets."""

import unittest
import uuid

from harness import AgentCase, main, wait_until
from harness.runtimes import IMAGE, Containerd, Podman, missing, remove_cgroups, run_runc

LOOK_UP = ["/bin/nslookup", "sfrclak.com"]


def needs(*programs):
    return unittest.skipIf(missing(*programs), f"not installed: {missing(*programs)}")


class ContainerCase(AgentCase):
    def both_events(self, agent):
        """A and AAAA, once they were written: the end of the agent would cut their waiting short."""
        wait_until(lambda: len(self.of_resolver(agent.events())) >= 2, "two events are written")
        return self.of_resolver(agent.finish())

    def assert_container(self, events, container_id, runtime, name="", image=""):
        self.assertEqual(sorted(event["dns"]["record_type"] for event in events), ["A", "AAAA"])
        for event in events:
            self.assertEqual(event["container"], {key: value for key, value in {
                "id": container_id, "runtime": runtime, "name": name, "image": image}.items() if value})


@needs("runc")
class BareRunc(ContainerCase):
    def test_the_id_is_that_of_the_cgroup_though_everything_is_gone(self):
        agent = self.agent("--no-runtime-sockets")
        inner = uuid.uuid4().hex + uuid.uuid4().hex
        outer = uuid.uuid4().hex + uuid.uuid4().hex
        top = f"/nslookout-{outer[:8]}"
        node = f"{top}/docker/{outer}"
        pod = f"{node}/kubepods/pod{uuid.uuid4()}"
        nested = f"{pod}/{inner}"
        self.addCleanup(remove_cgroups, nested, pod, f"{node}/kubepods", node, f"{top}/docker", top)
        run_runc(inner, nested, ["/bin/nslookup", "sfrclak.com", self.resolver.address])
        events = self.both_events(agent)
        self.assert_container(events, inner, "")


@needs("runc", "podman")
class ByPodman(ContainerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.podman = Podman()
        cls.addClassCleanup(cls.podman.stop)

    def test_name_and_image_come_from_the_socket(self):
        agent = self.agent("--docker-socket", self.podman.socket)
        container_id = self.podman.run("lookup-once", *LOOK_UP)
        self.assert_container(self.both_events(agent), container_id, "podman", "lookup-once", IMAGE)

    def test_a_container_that_is_removed_at_once_is_known_from_the_stream_of_events(self):
        agent = self.agent("--docker-socket", self.podman.socket)
        container_id = self.podman.run("gone", *LOOK_UP, options=["--rm"])
        self.assert_container(self.both_events(agent), container_id, "podman", "gone", IMAGE)

    def test_a_container_in_a_pod_of_podman(self):
        agent = self.agent("--docker-socket", self.podman.socket)
        self.podman.podman("pod", "create", "--name=group", "--infra=false", "--share=")
        container_id = self.podman.run("member", *LOOK_UP, options=["--pod=group"])
        self.assert_container(self.both_events(agent), container_id, "podman", "member", IMAGE)


@needs("runc", "containerd", "ctr")
class ByCri(ContainerCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.containerd = Containerd()
        cls.addClassCleanup(cls.containerd.stop)

    def assert_pod(self, events, pod):
        for event in events:
            self.assertEqual(event["pod"], {"namespace": pod.namespace, "name": pod.name, "uid": pod.uid,
                                            "labels": pod.labels})

    def test_a_pod_younger_than_the_agent_in_the_nodes_network(self):
        agent = self.agent("--cri-socket", self.containerd.socket)
        pod = self.containerd.pod("web-0", "shop", {"app": "web", "tier": "front"})
        container_id = pod.run("init", *LOOK_UP)
        events = self.both_events(agent)
        self.assert_container(events, container_id, "containerd", "init", IMAGE)
        self.assert_pod(events, pod)
        self.assert_one_alert(events)

    def test_containerd_that_came_back_after_the_agent_started(self):
        self.containerd.halt()
        agent = self.agent("--cri-socket", self.containerd.socket)
        self.containerd.start()
        pod = self.containerd.pod("web-1", "shop", {"app": "web"})
        container_id = pod.run("main", *LOOK_UP)
        events = self.both_events(agent)
        self.assert_container(events, container_id, "containerd", "main", IMAGE)
        self.assert_pod(events, pod)


if __name__ == "__main__":
    main()
