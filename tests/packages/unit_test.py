#!/usr/bin/env -S python3 -B
"""The systemd unit as systemd's own tools judge it. Whether it works is the business of machine_test.py."""

import configparser
import pathlib
import subprocess
import tempfile
import unittest

from harness import SOURCE, main, run

UNIT = SOURCE / "deploy/systemd/nslookout.service"
MOST_EXPOSURE = 3.0


class Unit(unittest.TestCase):
    def test_it_is_verified(self):
        with tempfile.TemporaryDirectory() as root:
            for name, text in (("usr/bin/nslookout", ""), ("bin/kill", "")):
                file = pathlib.Path(root, name)
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_text(text)
                file.chmod(0o755)
            place = pathlib.Path(root, "usr/lib/systemd/system")
            place.mkdir(parents=True)
            # Units that it is ordered against are none of this root's; --man=no: the page is tested with the package.
            (place / "nslookout.service").write_text(UNIT.read_text())
            for target in ("sysinit", "basic", "multi-user", "shutdown"):
                (place / f"{target}.target").write_text("[Unit]\n")
            ended = subprocess.run(["systemd-analyze", "verify", "--man=no", "--recursive-errors=no", f"--root={root}",
                                    "nslookout.service"], capture_output=True, text=True, check=False)
        # An unknown key is a message and no failure.
        self.assertEqual((ended.returncode, ended.stdout + ended.stderr), (0, ""))

    def test_its_exposure(self):
        said = run(["systemd-analyze", "security", "--offline=true", f"--threshold={int(MOST_EXPOSURE * 10)}", UNIT])
        exposure = float(said.rpartition("exposure level for nslookout.service:")[2].split()[0])
        self.assertLess(exposure, MOST_EXPOSURE)

    def test_a_broken_unit_is_noticed(self):
        with tempfile.TemporaryDirectory() as folder:
            file = pathlib.Path(folder, "nslookout.service")
            file.write_text(UNIT.read_text().replace("NoNewPrivileges=yes", "NoNewPriveleges=yes"))
            ended = subprocess.run(["systemd-analyze", "verify", file], capture_output=True, text=True, check=False)
        self.assertIn("NoNewPriveleges", ended.stderr)

    def test_the_options_that_the_agent_relies_on(self):
        parser = configparser.ConfigParser(strict=False, interpolation=None)
        parser.optionxform = str
        parser.read(UNIT)
        service = parser["Service"]
        self.assertEqual(service["Type"], "notify")
        self.assertEqual(service["NotifyAccess"], "main")
        self.assertEqual(service["ExecReload"], "/bin/kill -HUP $MAINPID")
        # wrong options, invalid rules, an unsupported kernel: exit codes that starting again cannot change
        self.assertEqual(service["RestartPreventExitStatus"].split(), ["2", "3", "4"])


if __name__ == "__main__":
    main()
