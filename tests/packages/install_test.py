#!/usr/bin/env -S python3 -B
"""The .deb in a Debian of its own: installed, upgraded, removed, purged."""

import tempfile
import unittest

from harness import Root, built, main, next_version

WANTED = "etc/systemd/system/multi-user.target.wants/nslookout.service"
CONFIG = "etc/nslookout/config.yaml"


class Install(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.deb = built("*.deb")
        cls.root = Root(cls.deb)
        cls.addClassCleanup(cls.root.close)
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.next = next_version(cls.deb, folder.name)
        changed = tempfile.TemporaryDirectory()
        cls.addClassCleanup(changed.cleanup)
        cls.next_changed = next_version(
            cls.deb, changed.name, lambda tree: (tree / CONFIG).write_text("outputs: [stdout]\nobserve: unique\n"))

    def setUp(self):
        self.before = self.root.files()
        self.install(self.deb)
        self.addCleanup(lambda: self.root.run("dpkg", "--purge", "nslookout"))

    def install(self, deb, *options):
        return self.root.run("dpkg", *options, "--install", self.root.take(deb))

    def test_what_is_installed_can_be_used(self):
        self.assertIn("nslookout", self.root.run("nslookout", "version"))
        self.root.run("nslookout", "config", "check")
        self.assertIn("axios_npm_compromise_lookup.yml", self.root.run("nslookout", "check", "/usr/share/nslookout/rules",
                                                                          "/etc/nslookout/rules"))
        self.root.run("bash", "-c", ". /usr/share/bash-completion/completions/nslookout && complete -p nslookout")

    def test_the_unit_is_enabled_and_stays_disabled_once_it_was(self):
        self.assertTrue((self.root / WANTED).is_symlink())
        self.root.run("systemctl", "disable", "nslookout.service")
        self.install(self.next)
        self.assertFalse((self.root / WANTED).is_symlink())

    def test_a_changed_configuration_survives_upgrades(self):
        (self.root / CONFIG).write_text("observe: all\n")
        self.install(self.next)  # the file of the package is the same: nobody is asked
        self.assertEqual((self.root / CONFIG).read_text(), "observe: all\n")
        self.install(self.next_changed, "--force-confold")  # as unattended upgrades have it
        self.assertEqual((self.root / CONFIG).read_text(), "observe: all\n")
        self.assertIn("unique", (self.root / f"{CONFIG}.dpkg-dist").read_text())

    def test_a_configuration_that_nobody_changed_is_the_new_one(self):
        self.install(self.next_changed)
        self.assertIn("unique", (self.root / CONFIG).read_text())

    def test_removal_keeps_settings_and_state_and_purge_nothing(self):
        kept = ["etc/nslookout/conf.d/site.yaml", "etc/nslookout/rules/own.yml", "var/lib/nslookout/spool/1",
                "var/log/nslookout/events.jsonl"]
        for name in kept:
            (self.root / name).parent.mkdir(parents=True, exist_ok=True)
            (self.root / name).write_text("x")
        self.root.run("dpkg", "--remove", "nslookout")
        self.assertEqual([name for name in (*kept, CONFIG) if not (self.root / name).exists()], [])
        self.assertFalse((self.root / "usr/bin/nslookout").exists())
        self.root.run("dpkg", "--purge", "nslookout")
        self.assertEqual([name for name in kept if (self.root / name).exists()], [])
        self.assertEqual(self.root.files() - self.before, set())

    def test_removed_and_installed_again_it_is_enabled(self):
        self.root.run("dpkg", "--remove", "nslookout")
        self.install(self.deb)
        self.assertTrue((self.root / WANTED).is_symlink())
        self.assertFalse((self.root / "etc/systemd/system/nslookout.service").is_symlink(), "masked")


if __name__ == "__main__":
    main()
