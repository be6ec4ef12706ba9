"""systemd-resolved and nscd as a host runs them, in the namespaces of the test."""

import os
import pathlib
import subprocess

from .packages import unpacked
from .sandbox import end_with_parent, wait_until, work_folder

# What fetch() needs to be given before.
DAEMON_PACKAGES = ("systemd-resolved", "libsystemd-shared", "libnss-resolve", "nscd")
LIBRARIES = "usr/lib/x86_64-linux-gnu"


class _Daemon:
    """A process that is ready once a socket of its is there."""

    def __init__(self, command, socket, **options):
        self.socket = pathlib.Path(socket)
        self._log = work_folder() / f"{pathlib.Path(command[0]).name}.log"
        with self._log.open("w") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                             preexec_fn=end_with_parent, **options)
        self.pid = self._process.pid
        wait_until(lambda: self._process.poll() is not None or self.socket.exists(), f"{self.socket} is there")
        if self._process.returncode is not None:
            raise AssertionError(f"{command[0]}: {self._log.read_text()}")

    def stop(self):
        self._process.kill()
        self._process.wait()


def _add_line(path, line):
    """Of the file as this test sees it."""
    text = pathlib.Path(path).read_text()
    if line.split(":")[0] + ":" in text:
        return
    copy = work_folder() / pathlib.Path(path).name
    copy.write_text(text.rstrip("\n") + "\n" + line + "\n")
    copy.chmod(0o644)
    subprocess.run(["mount", "--bind", copy, path], check=True)


class Resolved(_Daemon):
    """systemd-resolved with one server; libraries: what a client needs in LD_LIBRARY_PATH for nss-resolve."""

    def __init__(self, server):
        daemon = unpacked("systemd-resolved")
        shared = unpacked("libsystemd-shared")
        self.libraries = unpacked("libnss-resolve") / LIBRARIES
        _add_line("/etc/passwd", "systemd-resolve:x:993:993:systemd Resolver:/:/usr/sbin/nologin")
        _add_line("/etc/group", "systemd-resolve:x:993:")
        pathlib.Path("/run/systemd").mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=755", "none", "/run/systemd"], check=True)
        folder = pathlib.Path("/run/systemd/resolve")
        folder.mkdir()
        os.chown(folder, 993, 993)
        drop_in = pathlib.Path("/run/systemd/resolved.conf.d")
        drop_in.mkdir()
        (drop_in / "test.conf").write_text(
            f"[Resolve]\nDNS={server}\nDomains=~.\nCacheFromLocalhost=yes\nDNSSEC=no\n"
            "LLMNR=no\nMulticastDNS=no\n")
        # Without an interface that is up and has an address it does not try at all.
        subprocess.run(["ip", "link", "add", "uplink", "type", "veth", "peer", "name", "uplink-end"], check=True)
        for command in (["ip", "address", "add", "198.51.100.1/24", "dev", "uplink"],
                        ["ip", "link", "set", "uplink", "up"], ["ip", "link", "set", "uplink-end", "up"]):
            subprocess.run(command, check=True)
        super().__init__([daemon / "lib/systemd/systemd-resolved"], folder / "io.systemd.Resolve",
                         env={**os.environ, "LD_LIBRARY_PATH": shared / LIBRARIES / "systemd"})

    def stop(self):
        super().stop()
        subprocess.run(["ip", "link", "delete", "uplink"], check=True)
        subprocess.run(["umount", "/run/systemd"], check=True)


class Nscd(_Daemon):
    """nscd for host names. It reads a cached name's answer to its clients out of shared memory unless shared is False."""

    def __init__(self, shared=False):
        daemon = unpacked("nscd")
        self._folder = pathlib.Path("/var/run/nscd")
        self._folder.mkdir(exist_ok=True)
        subprocess.run(["mount", "-t", "tmpfs", "none", self._folder], check=True)
        database = pathlib.Path("/var/cache/nscd")
        database.mkdir(exist_ok=True)
        configuration = work_folder() / "nscd.conf"
        configuration.write_text("enable-cache hosts yes\npositive-time-to-live hosts 600\n"
                                 f"persistent hosts no\nshared hosts {'yes' if shared else 'no'}\n"
                                 "enable-cache passwd no\nenable-cache group no\n")
        super().__init__([daemon / "usr/sbin/nscd", "--foreground", "--config-file", configuration],
                         self._folder / "socket")

    def stop(self):
        super().stop()
        subprocess.run(["umount", self._folder], check=True)
