#!/usr/bin/python3 -B
"""The container image, built by buildah and run by podman with what the DaemonSet's manifest says of it: its capabilities,
its read-only root, its mounts and its configuration."""

import contextlib
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
SINK = "127.214.87.3"  # nobody listens there
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


def configuration(image_help):
    """The manifest's, without what this build has no option for."""
    config = yaml.safe_load(of_kind("ConfigMap")["data"]["config.yaml"])
    return {key: value for key, value in config.items() if key != "metrics" or "--metrics" in image_help}


def options(folder, config):
    """What `podman run` is told of the manifest's container."""
    pod = of_kind("DaemonSet")["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    context = container["securityContext"]
    told = [f"--cap-drop={name}" for name in context["capabilities"]["drop"]]
    told.append("--cap-add=" + ",".join(context["capabilities"]["add"]))
    told.append(f"--user={context['runAsUser']}")
    if context["readOnlyRootFilesystem"]:
        told.append("--read-only")
    if not context["allowPrivilegeEscalation"]:
        told.append("--security-opt=no-new-privileges")
    if pod["hostNetwork"]:
        told.append("--network=host")
    paths = {volume["name"]: volume.get("hostPath", {}).get("path") for volume in pod["volumes"]}
    paths["config"] = folder / "config"
    paths["config"].mkdir()
    (paths["config"] / "config.yaml").write_text(yaml.safe_dump(config))
    paths["config"].chmod(0o777)  # as the kubelet makes the folder of a ConfigMap
    paths["runtime"] = folder / "runtime"  # this machine need not have one
    paths["runtime"].mkdir()
    for mount in container["volumeMounts"]:
        told += ["--volume", f"{paths[mount['name']]}:{mount['mountPath']}{':ro' if mount['readOnly'] else ''}"]
    return told, container["args"]


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
        config = configuration(self.podman.run("run", "--rm", "--network=host", "--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096",
                                               IMAGE, "run", "--help"))
        told, arguments = options(self.folder, config)
        profile(self.folder / "seccomp.json")
        process = subprocess.Popen(
            self.podman.command("run", "--rm", "--name=agent", "--ulimit=nofile=1024:1024", "--ulimit=nproc=4096:4096",
                                "--env=NODE_NAME=node-7", f"--security-opt=seccomp={self.folder}/seccomp.json", *told, IMAGE,
                                *arguments),
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
                         ("sfrclak.com", client.pid, "node-7"))
        self.assertRegex(event["process"]["executable"], r"^/usr/bin/python3")
        self.assertEqual(event["process"]["ancestors"][0]["pid"], os.getpid())
        self.assertNotIn("not confined", "".join(seen))
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(30), 0, "".join(seen))


if __name__ == "__main__":
    if os.geteuid() != 0 or not SECCOMP.exists():
        print("skipped: needs root, and podman's seccomp profile")
        sys.exit(77)
    main()
