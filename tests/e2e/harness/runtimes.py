"""Real container runtimes, each with its state in the work folder: bare runc, podman, and containerd with its CRI.

Mounts they make are in the test's own mount namespace and end with it; containers and their cgroups are removed by the
functions here. The one image that there is holds busybox.
"""

import io
import json
import os
import pathlib
import shutil
import subprocess
import tarfile
import uuid

from .sandbox import end_with_parent, wait_until, work_folder

RUNC = "/usr/sbin/runc"
BUSYBOX = "/bin/busybox"
IMAGE = "nslookout.test/busybox:1"
# The tests fork only to exec: gRPC need not care, and what it does then can end the process.
os.environ["GRPC_ENABLE_FORK_SUPPORT"] = "0"
NETWORK_OF_THE_NODE = 2  # CRI: NamespaceMode


def missing(*programs):
    """Those of the programs that are not installed."""
    return [program for program in programs if not shutil.which(program)]


def root_folder():
    """The files of a container: busybox."""
    root = work_folder() / "root"
    if not root.exists():
        for name in ("bin", "proc", "dev", "etc", "sys", "tmp"):
            (root / name).mkdir(parents=True)
        shutil.copy(BUSYBOX, root / "bin/busybox")
        (root / "bin/sh").symlink_to("busybox")
        (root / "bin/nslookup").symlink_to("busybox")
    return root


def image_archive():
    """The same as an archive that runtimes load."""
    archive = work_folder() / "image.tar"
    if archive.exists():
        return archive
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as tar:
        tar.add(root_folder(), arcname=".")
    config = json.dumps({"architecture": "amd64", "os": "linux", "config": {"Cmd": ["/bin/busybox", "sleep", "100000"]},
                         "rootfs": {"type": "layers", "diff_ids": ["sha256:" + sha256(layer.getvalue())]}}).encode()
    manifest = json.dumps([{"Config": "config.json", "RepoTags": [IMAGE], "Layers": ["layer.tar"]}]).encode()
    with tarfile.open(archive, "w") as tar:
        for name, octets in (("layer.tar", layer.getvalue()), ("config.json", config), ("manifest.json", manifest)):
            entry = tarfile.TarInfo(name)
            entry.size = len(octets)
            tar.addfile(entry, io.BytesIO(octets))
    return archive


def sha256(octets):
    import hashlib
    return hashlib.sha256(octets).hexdigest()


def remove_cgroups(*folders):
    """Those of a test, in every hierarchy; one that is not empty, or not there, is left."""
    for hierarchy in [pathlib.Path("/sys/fs/cgroup"), *pathlib.Path("/sys/fs/cgroup").iterdir()]:
        for folder in folders:
            try:
                os.rmdir(f"{hierarchy}{folder}")
            except OSError:
                pass


def run_runc(container_id, cgroup, command):
    """Runs the command in a container of bare runc, in the test's network, to its end."""
    bundle = work_folder() / f"bundle-{container_id[:12]}"
    bundle.mkdir()
    (bundle / "config.json").write_text(json.dumps({
        "ociVersion": "1.0.2",
        "process": {"terminal": False, "user": {"uid": 0, "gid": 0}, "args": command, "env": ["PATH=/bin"], "cwd": "/"},
        "root": {"path": str(root_folder()), "readonly": True},
        "mounts": [{"destination": "/proc", "type": "proc", "source": "proc"}],
        "linux": {"cgroupsPath": cgroup, "namespaces": [{"type": kind} for kind in ("pid", "ipc", "uts", "mount")]}}))
    return subprocess.run([RUNC, "--root", work_folder() / "runc", "run", "--bundle", bundle, container_id],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=30,
                          check=True)


class Podman:
    """podman with its API at a socket of the test's. Ended by stop()."""

    def __init__(self):
        self._folder = work_folder() / "podman"
        self._folder.mkdir()
        self.socket = self._folder / "podman.sock"
        self._command = ["podman", "--cgroup-manager=cgroupfs", f"--runtime={RUNC}", "--events-backend=file",
                         f"--root={self._folder}/root", f"--runroot={self._folder}/run", "--tmpdir", self._folder / "tmp",
                         "--storage-driver=vfs"]
        self._environment = {**os.environ, "CONTAINERS_CONF": self._configuration(), "XDG_RUNTIME_DIR": str(self._folder)}
        self.podman("load", "--input", image_archive())
        self._service = self.serve()

    def _configuration(self):
        path = self._folder / "containers.conf"
        path.write_text("[engine]\nevents_logger = \"file\"\n[containers]\nlog_driver = \"k8s-file\"\n")
        return str(path)

    def podman(self, *arguments):
        done = subprocess.run([*self._command, *arguments], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=60, env=self._environment)
        if done.returncode != 0:
            raise AssertionError(f"podman {arguments[0]}: {done.stdout.decode()}")
        return done.stdout.decode().strip()

    def serve(self):
        with (self._folder / "service.log").open("ab") as log:
            service = subprocess.Popen([*self._command, "system", "service", "--time=0", f"unix://{self.socket}"],
                                       stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=self._environment,
                                       preexec_fn=end_with_parent)
        wait_until(lambda: self.socket.exists() or service.poll() is not None, "podman's socket is there")
        return service

    def run(self, name, *command, options=()):
        """A container in the test's network, run to its end; its id. It stays until stop()."""
        with_id = self._folder / f"{name}.id"
        self.podman("run", "--name", name, f"--cidfile={with_id}", "--network=host", "--ulimit=nofile=1024:1024",
                    "--ulimit=nproc=4096:4096", *options, IMAGE, *command)
        return with_id.read_text().strip()

    def stop(self):
        self._service.terminate()
        self._service.wait()
        self.podman("pod", "rm", "--all", "--force")
        self.podman("rm", "--all", "--force")
        remove_cgroups("/libpod_parent/conmon", "/libpod_parent")


# ---- protobuf by hand: what the tests send to CRI, as {number: value} ------------------------------------------------

def varint(number):
    octets = bytearray()
    while number > 0x7F:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    octets.append(number)
    return bytes(octets)


def message(fields):
    """Values: int, str, bytes, dict (a message), list (repeated)."""
    octets = b""
    for number, values in fields.items():
        for value in values if isinstance(values, list) else [values]:
            if isinstance(value, int):
                octets += varint(number << 3) + varint(value)
                continue
            if isinstance(value, dict):
                value = message(value)
            elif isinstance(value, str):
                value = value.encode()
            octets += varint(number << 3 | 2) + varint(len(value)) + value
    return octets


def text_map(texts):
    return [{1: key, 2: value} for key, value in texts.items()]


def fields_of(octets):
    """The length-delimited fields of a message, {number: [octets]}."""
    found, at = {}, 0

    def number():
        nonlocal at
        value = shift = 0
        while True:
            octet = octets[at]
            at += 1
            value |= (octet & 0x7F) << shift
            shift += 7
            if octet < 0x80:
                return value

    while at < len(octets):
        key = number()
        if key & 7 == 0:
            number()
            continue
        length = number()
        found.setdefault(key >> 3, []).append(octets[at:at + length])
        at += length
    return found


class Containerd:
    """containerd with its CRI at a socket of the test's. Ended by stop()."""

    def __init__(self):
        self._folder = work_folder() / "containerd"
        self._folder.mkdir()
        self.socket = self._folder / "containerd.sock"
        self._config = self._folder / "config.toml"
        off = ["snapshotter.v1.btrfs", "snapshotter.v1.zfs", "snapshotter.v1.aufs", "snapshotter.v1.devmapper",
               "internal.v1.opt"]
        self._config.write_text(f"""
version = 2
root = "{self._folder}/root"
state = "{self._folder}/state"
disabled_plugins = {json.dumps(["io.containerd." + plugin for plugin in off])}
[grpc]
  address = "{self.socket}"
[ttrpc]
  address = "{self.socket}.ttrpc"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{IMAGE}"
  restrict_oom_score_adj = true
  disable_apparmor = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    conf_dir = "{self._folder}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "native"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
""")
        self._pods = []
        self._channel = None
        self.start()
        subprocess.run(["ctr", "--address", self.socket, "--namespace", "k8s.io", "images", "import", image_archive()],
                       stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, check=True, timeout=60)

    def start(self):
        import grpc
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(["containerd", "--config", self._config], stdin=subprocess.DEVNULL,
                                             stdout=log, stderr=log, preexec_fn=end_with_parent)
        self._channel = grpc.insecure_channel(f"unix://{self.socket}")
        grpc.channel_ready_future(self._channel).result(timeout=30)

    def halt(self):
        """Ends containerd alone: its containers go on."""
        self._channel.close()
        self._process.terminate()
        self._process.wait()

    def call(self, method, fields):
        call = self._channel.unary_unary(f"/runtime.v1.RuntimeService/{method}", request_serializer=message,
                                         response_deserializer=fields_of)
        return call(fields, timeout=60)

    def pod(self, name, namespace, labels):
        """A pod in the node's network. Its uid is new."""
        pod = Pod(self, name, namespace, labels)
        self._pods.append(pod)
        return pod

    def stop(self):
        for pod in self._pods:
            pod.remove()
        self.halt()


class Pod:
    def __init__(self, containerd, name, namespace, labels):
        self.name, self.namespace, self.uid, self.labels = name, namespace, str(uuid.uuid4()), labels
        self._containerd = containerd
        self._network = {1: NETWORK_OF_THE_NODE}
        self.cgroup = f"/kubepods/besteffort/pod{self.uid}"
        self._config = {1: {1: name, 2: self.uid, 3: namespace}, 3: str(work_folder()), 6: text_map(labels),
                        8: {1: self.cgroup, 2: {1: self._network}}}
        self.sandbox_id = containerd.call("RunPodSandbox", {1: self._config})[1][0].decode()

    def run(self, name, *command):
        """Starts a container and returns its id; it stays when its command has ended, until the pod is removed."""
        labels = {"io.kubernetes.container.name": name, "io.kubernetes.pod.name": self.name,
                  "io.kubernetes.pod.namespace": self.namespace, "io.kubernetes.pod.uid": self.uid}
        config = {1: {1: name}, 2: {1: IMAGE}, 3: list(command), 9: text_map(labels), 15: {2: {3: self._network}}}
        created = self._containerd.call("CreateContainer", {1: self.sandbox_id, 2: config, 3: self._config})
        container_id = created[1][0].decode()
        self._containerd.call("StartContainer", {1: container_id})
        return container_id

    def remove(self):
        self._containerd.call("StopPodSandbox", {1: self.sandbox_id})
        self._containerd.call("RemovePodSandbox", {1: self.sandbox_id})
        remove_cgroups(self.cgroup, "/kubepods/besteffort", "/kubepods")
