#!/usr/bin/env -S python3 -B
"""The alert rules as Prometheus reads them, and what they say to made-up series."""

import pathlib
import shutil
import sys
import unittest

from harness import SOURCE, main, run


class Alerts(unittest.TestCase):
    def test_they_are_rules(self):
        run(["promtool", "check", "rules", SOURCE / "deploy/prometheus/alerts.yml"])

    def test_what_they_say(self):
        run(["promtool", "test", "rules", pathlib.Path(__file__).with_name("alerts.yml")])


if __name__ == "__main__":
    if not shutil.which("promtool"):
        print("skipped: promtool is not here (package prometheus)")
        sys.exit(77)
    main()
