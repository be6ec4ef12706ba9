#!/usr/bin/env -S python3 -B
"""The installed package under a whole systemd, in a virtual machine: the unit starts, a lookup is read back from the
journal with its process, reload, a clock that is stepped and enforcement work within the unit's confinement. guest.sh is
what happens there."""

import datetime
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import SOURCE, Root, built, main, run

HERE = pathlib.Path(__file__).resolve().parent
KERNEL = ("trixie", "-")  # of tests/vm/kernels.tsv: NVMe and ext4 are built in
SECONDS = 600
LABTEST = """[Unit]
Description=what the machine is there for
After=multi-user.target
[Service]
Type=oneshot
ExecStart=/usr/local/bin/guest.sh
[Install]
WantedBy=default.target
"""
UNWANTED = ("getty@tty1.service", "serial-getty@ttyS0.service", "systemd-timesyncd.service", "apt-daily.timer",
            "apt-daily-upgrade.timer", "dpkg-db-backup.timer", "fstrim.timer", "e2scrub_all.timer", "e2scrub_reap.service")
# capabilities(7): what the unit leaves. The agent may have dropped more of them.
UNIT_CAPABILITIES = {"net_admin": 12, "net_raw": 13, "dac_read_search": 2, "sys_ptrace": 19, "sys_admin": 21, "perfmon": 38,
                     "bpf": 39}


def prepare(root, deb):
    root.run("dpkg", "--install", root.take(deb))
    shutil.copy(HERE / "guest.sh", root / "usr/local/bin")
    shutil.copy(HERE / "ask.pl", root / "usr/local/bin")
    (root / "etc/systemd/system/labtest.service").write_text(LABTEST)
    root.run("systemctl", "enable", "labtest.service")
    # The test says when the unit starts.
    root.run("systemctl", "mask", *UNWANTED)
    (root / "etc/systemd/system/multi-user.target.wants/nslookout.service").unlink()
    (root / "etc/resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:1 attempts:1\n")
    (root / "etc/fstab").write_text("")
    shutil.rmtree(root / "debs")


def boot(disk, folder):
    """Runs the machine to its end; what it wrote to the results port, and its console."""
    image = run([SOURCE / "tests/vm/fetch_kernel.sh", SOURCE / ".cache/vm", *KERNEL], stderr=None).strip()
    console, results = folder / "console", folder / "results"
    command = [
        "timeout", "--kill-after=5", str(SECONDS), "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none",
        "-monitor", "none", "-no-reboot", "-machine", "q35", "-accel",
        os.environ.get("NSLOOKOUT_VM_ACCEL", "tcg,thread=multi,tb-size=256"), "-cpu", "max", "-smp", "2", "-m", "1536",
        "-serial", f"file:{console}", "-serial", f"file:{results}",
        "-drive", f"file={disk},if=none,id=disk,format=raw,snapshot=on", "-device", "nvme,drive=disk,serial=disk",
        "-kernel", image, "-append",
        "root=/dev/nvme0n1 rw console=ttyS0 quiet panic=-1 mitigations=off nokaslr tsc=unstable no_timer_check audit=0 "
        "random.trust_cpu=1 lsm=lockdown,yama,bpf"]
    subprocess.run(["setpriv", "--pdeathsig", "TERM", *command], stdin=subprocess.DEVNULL, check=False)
    return results.read_text(errors="replace"), console.read_text(errors="replace")


class Machine(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        deb = built("*.deb")
        root = Root(deb)
        cls.addClassCleanup(root.close)
        prepare(root, deb)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        disk = pathlib.Path(folder.name, "root.img")
        run(["truncate", "-s", "900M", disk])
        run(["/usr/sbin/mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", root.path, disk])
        text, console = boot(disk, pathlib.Path(folder.name))
        cls.text = text.replace("\r", "")
        cls.said = dict(re.findall(r"(?m)^(\w+)=(.*)$", cls.text))
        cls.blocks = dict(re.findall(r"(?ms)^begin (\w+)\n(.*?)^end$", cls.text))
        if cls.said.get("done") != "0":
            raise AssertionError(f"the machine did not finish:\n{cls.text[-6000:]}\nconsole:\n{console[-3000:]}")

    def journal(self):
        return self.blocks["journal"]

    def events(self):
        return [json.loads(line) for line in self.journal().splitlines() if line.startswith("{")]

    def assert_said(self, **expected):
        self.assertEqual({key: self.said.get(key) for key in expected}, expected, self.journal())

    def test_the_unit_starts_enabled_and_stops(self):
        self.assert_said(enabled="disabled", start="0", state="active/running", memory_max=str(1 << 30),
                         cgroup="0::/system.slice/nslookout.service", stop="0", result="success/0")

    def test_a_lookup_is_in_the_journal_with_its_process(self):
        self.assert_said(seen="0")
        event = next(e for e in self.events() if e["dns"]["query"] == "sfrclak.com")
        self.assertEqual((event["kind"], event["process"]["executable"], event["process"]["user"]),
                         ("KIND_MATCH", "/usr/bin/getent", "root"))
        # who started it, of a process of another unit, through the confinement of this one
        ancestors = [ancestor.get("executable", "").rpartition("/")[2] for ancestor in event["process"]["ancestors"]]
        self.assertIn("dash", ancestors)
        self.assertIn("systemd", ancestors)

    def test_reload_takes_in_a_new_rule(self):
        self.assert_said(reload="0", reloaded="0", seen_after_reload="0")

    def test_an_event_has_the_time_of_a_clock_that_was_stepped(self):
        """An hour ahead, and then two back; within a second of what the clock said before and after the lookup."""
        for step in ("forward", "back"):
            with self.subTest(step):
                self.assert_said(**{f"{step}_step": "0"})
                event = next(e for e in self.events() if e["dns"]["query"] == f"{step}.example")
                time = datetime.datetime.fromisoformat(event["time"][:26].rstrip("Z") + "+00:00").timestamp()
                self.assertGreater(time, float(self.said[f"{step}_before"]) - 1)
                self.assertLess(time, float(self.said[f"{step}_after"]) + 1)
        self.assertGreater(float(self.said["forward_before"]) - float(self.said["back_before"]), 3600, "it was stepped")

    def test_a_blocked_client_in_another_network_namespace_is_answered(self):
        self.assert_said(restart="0", blocked="3")  # NXDOMAIN
        self.assertNotIn("got no answer", self.journal())

    def test_it_is_confined(self):
        status = dict(re.findall(r"(?m)^(\w+):\s+(\S+)$", self.blocks["status"]))
        self.assertEqual((status["NoNewPrivs"], status["Seccomp"]), ("1", "2"))
        # The unit's own filter shows as one, too.
        self.assertNotIn("not confined", self.journal())
        allowed = sum(1 << number for number in UNIT_CAPABILITIES.values())
        self.assertEqual(int(status["CapEff"], 16) & ~allowed, 0)
        self.assertEqual(int(status["CapBnd"], 16) & ~allowed, 0)


if __name__ == "__main__":
    main()
