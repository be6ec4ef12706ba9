#!/usr/bin/python3 -B
"""The container image, built by buildah and run by podman with what the DaemonSet's manifest says of it: its security
context, mounts, environment, limit of memory and configuration. Nothing of it is repeated here, and what the manifest says
and this test cannot do is a failure, so that nobody thinks it was tried."""

import contextlib
import http.client
import json
import os
import pathlib
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import yaml

from harness import SOURCE, built, main, run

MANIFEST = SOURCE / "deploy/kubernetes/nslookout.yaml"
SECCOMP = pathlib.Path("/usr/share/containers/seccomp.json")  # podman's; like containerd's RuntimeDefault but for bpf(2)
IMAGE = "localhost/nslookout:test"
NODE = "node-7"
SINK = "127.214.87.3"  # nobody listens there
# Limits that a machine of tests may not let anybody raise; a node has them higher.
ULIMITS = ("--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096")
ASK = ("import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto("
       "b'\\0\\7\\1\\0\\0\\1\\0\\0\\0\\0\\0\\0\\7sfrclak\\3com\\0\\0\\1\\0\\1', ('%s', 53))" % SINK)


def documents():
    return [document for document in yaml.safe_load_all(MANIFEST.read_text()) if document]


def of_kind(kind):
    return next(document for document in documents() if document["kind"] == kind)


class Podman:
    """With its state in a folder of its own."""

    def __init__(self, folder):
        self.folder = folder
        storage = folder / "storage.conf"
        storage.write_text(f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/root"\n')
        containers = folder / "containers.conf"
        containers.write_text('[engine]\ncgroup_manager = "cgroupfs"\nevents_logger = "file"\n')
        self.environment = {**os.environ, "CONTAINERS_STORAGE_CONF": str(storage), "CONTAINERS_CONF": str(containers),
                            "XDG_RUNTIME_DIR": str(folder)}

    def command(self, *arguments):
        return ["podman", f"--runtime={shutil.which('runc', path='/usr/sbin:/usr/bin')}", "--tmpdir", f"{self.folder}/tmp",
                *map(str, arguments)]

    def run(self, *arguments):
        return run(self.command(*arguments), env=self.environment)


def profile(file):
    """podman's filter with bpf(2) for who has CAP_BPF, as containerd's default has it."""
    filters = json.loads(SECCOMP.read_text())
    own = ["bpf", "perf_event_open"]
    for rule in filters["syscalls"]:
        rule["names"] = [name for name in rule["names"] if name not in own]
    filters["syscalls"].append({"names": own, "action": "SCMP_ACT_ALLOW", "args": [], "includes": {"caps": ["CAP_BPF"]},
                                "excludes": {}})
    file.write_text(json.dumps(filters))


def taken(mapping, *known, what):
    """The values, None for what is not said; a key beside them is one that the test would leave out in silence."""
    if unknown := set(mapping) - set(known):
        raise AssertionError(f"{what} says {sorted(unknown)} in {MANIFEST}: image_test.py does not know how to do that")
    return [mapping.get(key) for key in known]


def security_options(folder, context):
    """What `podman run` is told of a container's securityContext."""
    user, privileged, escalation, read_only, capabilities, seccomp = taken(
        context, "runAsUser", "privileged", "allowPrivilegeEscalation", "readOnlyRootFilesystem", "capabilities",
        "seccompProfile", what="securityContext")
    drop, add = taken(capabilities, "drop", "add", what="capabilities")
    told = [f"--cap-drop={name}" for name in drop or []] + [f"--cap-add={name}" for name in add or []]
    if user is not None:
        told.append(f"--user={user}")
    if privileged:
        told.append("--privileged")
    if escalation is False:
        told.append("--security-opt=no-new-privileges")
    if read_only:
        told.append("--read-only")
    if seccomp is None or seccomp == {"type": "Unconfined"}:
        told.append("--security-opt=seccomp=unconfined")
    else:
        taken(seccomp, "type", what="seccompProfile")
        assert seccomp["type"] == "RuntimeDefault", seccomp
        profile(folder / "seccomp.json")
        told.append(f"--security-opt=seccomp={folder}/seccomp.json")
    return told


def volume_options(folder, volumes, mounts):
    paths = {}
    for volume in volumes:
        name, host, config, empty = taken(volume, "name", "hostPath", "configMap", "emptyDir", what="a volume")
        if config is not None:
            paths[name] = folder / f"volume-{name}"
            paths[name].mkdir()
            for file, text in of_kind("ConfigMap")["data"].items():
                (paths[name] / file).write_text(text)
            paths[name].chmod(0o777)  # as the kubelet makes the folder of a ConfigMap
        elif empty is not None:
            paths[name] = folder / f"volume-{name}"
            paths[name].mkdir()
            paths[name].chmod(0o777)  # likewise
        elif "type" in host:
            paths[name] = host["path"]
        else:  # need not be there: this machine may have no runtime
            paths[name] = folder / f"volume-{name}"
            paths[name].mkdir()
    told = []
    for mount in mounts:
        name, path, read_only = taken(mount, "name", "mountPath", "readOnly", what="a mount")
        told += ["--volume", f"{paths[name]}:{path}{':ro' if read_only else ''}"]
    return told


def environment_options(variables):
    told = []
    for variable in variables:
        name, value, source = taken(variable, "name", "value", "valueFrom", what="a variable")
        if source is not None:
            value = {"spec.nodeName": NODE}[source["fieldRef"]["fieldPath"]]
        told.append(f"--env={name}={value}")
    return told


def the_container():
    """The one of the pod, and the pod."""
    pod = of_kind("DaemonSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    return container, pod


def options(folder):
    """What `podman run` is told of the manifest's container."""
    container, pod = the_container()
    # Where the pod runs, as whom it asks the API, and when it ends, are not the container's.
    _, volumes, network, *_ = taken(
        pod, "containers", "volumes", "hostNetwork", "serviceAccountName", "automountServiceAccountToken", "dnsPolicy",
        "terminationGracePeriodSeconds", "nodeSelector", "tolerations", what="the pod")
    context, mounts, variables, resources, *_ = taken(
        container, "securityContext", "volumeMounts", "env", "resources", "name", "image", "imagePullPolicy", "args", "ports",
        "startupProbe", "readinessProbe", "livenessProbe", what="the container")
    limits, _ = taken(resources, "limits", "requests", what="resources")
    (memory,) = taken(limits, "memory", what="the limits")
    return [*security_options(folder, context), *volume_options(folder, volumes, mounts), *environment_options(variables),
            f"--network={'host' if network else 'none'}", f"--memory={memory.removesuffix('i').lower()}"]


def ask_probe(probe):
    """The status that the kubelet would get."""
    get = probe["httpGet"]
    container, _ = the_container()
    (port,) = [port["containerPort"] for port in container["ports"] if port["name"] == get["port"]]
    connection = http.client.HTTPConnection(get["host"], port, timeout=20)
    with contextlib.closing(connection):
        connection.request("GET", get["path"])
        return connection.getresponse().status


def remove_cgroups():
    """Those that podman leaves empty."""
    for parent in pathlib.Path("/sys/fs/cgroup").glob("**/libpod_parent"):
        for folder in (*parent.glob("*"), parent):
            if folder.is_dir():
                with contextlib.suppress(OSError):  # another run's
                    folder.rmdir()


class Image(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        holder = tempfile.TemporaryDirectory()
        cls.folder = pathlib.Path(holder.name)
        cls.podman = Podman(cls.folder)
        cls.addClassCleanup(holder.cleanup)
        cls.addClassCleanup(remove_cgroups)
        cls.addClassCleanup(lambda: cls.podman.run("rm", "--all", "--force"))
        run([SOURCE / "deploy/container/build.sh", built("*.tar.gz"), cls.folder / "build", IMAGE], env=cls.podman.environment)

    def test_there_is_nothing_but_the_agent(self):
        root = self.folder / "build/root"
        programs = [path for path in root.rglob("*") if path.is_file() and os.access(path, os.X_OK) and ".so" not in path.name]
        self.assertEqual(programs, [root / "usr/bin/nslookout"])
        self.assertLess(sum(path.stat().st_size for path in root.rglob("*") if path.is_file()), 100 << 20)

    def start(self):
        container, _ = the_container()
        process = subprocess.Popen(
            self.podman.command("run", "--rm", "--name=agent", *ULIMITS, *options(self.folder), IMAGE, *container["args"]),
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            env=self.podman.environment)
        lines = queue.Queue()
        reader = threading.Thread(target=lambda: [lines.put(line) for line in process.stdout], daemon=True)
        reader.start()
        self.addCleanup(process.stdout.close)
        self.addCleanup(reader.join)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process, lines

    def until(self, lines, wanted, seen):
        """The first line that is wanted; seen gets all before it."""
        while True:
            try:
                line = lines.get(timeout=60)
            except queue.Empty:
                self.fail("not within a minute:\n" + "".join(seen))
            seen.append(line)
            if wanted(line):
                return line

    def check_privileges(self):
        """That podman did what it was told: those of the manifest and no more."""
        container, _ = the_container()
        context = container["securityContext"]
        (inspected,) = json.loads(self.podman.run("inspect", "agent"))
        wanted = sorted(f"CAP_{name}" for name in context["capabilities"]["add"])
        self.assertEqual((sorted(inspected["EffectiveCaps"]), sorted(inspected["BoundingCaps"])), (wanted, wanted))
        self.assertEqual(inspected["HostConfig"]["ReadonlyRootfs"], context["readOnlyRootFilesystem"])
        self.assertEqual(inspected["HostConfig"]["Privileged"], context["privileged"])
        status = pathlib.Path(f"/proc/{inspected['State']['Pid']}/status").read_text()
        self.assertRegex(status, r"(?m)^NoNewPrivs:\t1$")
        self.assertRegex(status, rf"(?m)^Uid:(\t{context['runAsUser']}){{4}}$")
        self.assertEqual({mount["Destination"]: mount["RW"] for mount in inspected["Mounts"]},
                         {mount["mountPath"]: not mount.get("readOnly") for mount in container["volumeMounts"]})

    def test_with_the_daemonset_s_privileges_it_reports_a_lookup(self):
        process, lines = self.start()
        seen = []
        self.until(lines, lambda line: "try in another shell" in line or process.poll() is not None, seen)
        self.assertIsNone(process.poll(), "".join(seen))
        client = subprocess.Popen(["/usr/bin/python3", "-c", ASK])
        client.wait()
        line = self.until(lines, lambda line: line.startswith("{") and f'"{SINK}"' in line, seen)
        event = json.loads(line)
        self.assertEqual((event["dns"]["query"], event["process"]["pid"], event["host"]["name"]),
                         ("sfrclak.com", client.pid, NODE))
        self.assertRegex(event["process"]["executable"], r"^/usr/bin/python3")
        self.assertEqual(event["process"]["ancestors"][0]["pid"], os.getpid())
        self.assertNotIn("not confined", "".join(seen))
        self.check_privileges()
        container, _ = the_container()
        for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
            self.assertEqual(ask_probe(container[probe]), 200, probe)
        self.assertIn("generation", self.podman.run("exec", "agent", "/usr/bin/nslookout", "status"))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0, "".join(seen))


if __name__ == "__main__":
    if os.geteuid() != 0 or not SECCOMP.exists():
        print("skipped: needs root, and podman's seccomp profile")
        sys.exit(77)
    main()
