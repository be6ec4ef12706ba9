#!/usr/bin/env -S python3 -B
"""deploy/ci/github-action under Node, with what a runner of GitHub's gives its scripts: inputs, state and files."""

import os
import re
import shutil
import subprocess

from harness import AgentCase, binary, main, work_folder
from harness.sandbox import RULES, SOURCE, SKIPPED

ACTION = SOURCE / "deploy" / "ci" / "github-action"
FILES = ("GITHUB_STATE", "GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY")
LOOKUP = "const dns = require('dns'); dns.lookup('{}', () => {{}})"


class Runner:
    """One job: its folder, and the files that the runner reads after each script."""

    def __init__(self, folder, **inputs):
        self.folder = folder
        self.inputs = {f"INPUT_{name.replace('_', '-').upper()}": value for name, value in inputs.items()}
        self.folder.mkdir()
        for name in FILES:
            (folder / name).touch()

    def environment(self, **variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "RUNNER_", "CI"))}
        files = {name: str(self.folder / name) for name in FILES}
        return {**kept, **files, "RUNNER_TEMP": str(self.folder), "GITHUB_ACTIONS": "true", "GITHUB_JOB": "build",
                **variables}

    def script(self, name):
        state = dict(line.split("=", 1) for line in self.text("GITHUB_STATE").splitlines())
        variables = {f"STATE_{key}": value for key, value in state.items()}
        return subprocess.run(["node", ACTION / name], env=self.environment(**self.inputs, **variables),
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=100)

    def step(self, identifier, *command):
        subprocess.run(command, env=self.environment(GITHUB_ACTION=identifier, GITHUB_RUN_ID="7"), timeout=60)

    def text(self, name):
        return (self.folder / name).read_text()


class Action(AgentCase):
    def runner(self, **inputs):
        options = f"--backend=cgroup\n\n  --rules={RULES}\n"
        runner = Runner(work_folder() / self.id().rpartition(".")[2],
                        **{"binary": str(binary()), "options": options, **inputs})
        self.addCleanup(subprocess.run, [binary(), "ci", "stop", "--work-dir", runner.folder / "nslookout"],
                        capture_output=True)
        return runner

    def test_a_job(self):
        runner = self.runner(fail_on="high", sarif=str(work_folder() / "found.sarif"))
        started = runner.script("main.js")
        self.assertEqual(started.returncode, 0, started.stdout + started.stderr)
        self.assertEqual(runner.text("GITHUB_OUTPUT"), 
                         f"events={runner.folder}/nslookout/events.pb\nreport={runner.folder}/nslookout/report.html\n")
        runner.step("install_dependencies", "node", "-e", LOOKUP.format("sfrclak.com"))
        runner.step("fetch", "curl", "-s", "http://registry.test/")
        done = runner.script("post.js")
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertEqual(len(re.findall(r"^::error title=nslookout%3A ", done.stdout, re.MULTILINE)), 1, done.stdout)
        page = runner.text("GITHUB_STEP_SUMMARY")
        rows = [line for line in page.split("\n") if line.startswith("| ") and "<code>" in line]
        self.assertIn("<code>sfrclak&#46;com</code>", rows[0])
        self.assertIn("**matched**", rows[0])
        self.assertTrue(any("registry&#46;test" in row and "curl" in row for row in rows[1:]), page)
        for step in ("install&#95;dependencies", "fetch"):
            self.assertRegex(page, rf"\*\*Step build &#47; {step}\*\*")
        self.assertIn("Nothing was lost.", page)
        self.assertTrue((work_folder() / "found.sarif").exists())
        self.assertIn("sfrclak.com", (runner.folder / "nslookout" / "report.html").read_text())
        self.assert_nothing_left_behind()

    def test_nothing_matched_and_nothing_fails(self):
        runner = self.runner(fail_on="informational", annotations="false")
        self.assertEqual(runner.script("main.js").returncode, 0)
        runner.step("fetch", "curl", "-s", "http://registry.test/")
        done = runner.script("post.js")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertNotIn("::", done.stdout)

    def test_it_does_not_start(self):
        cases = (
            ({"options": "--rules=/nonexistent"}, "did not start"),
            ({"binary": "/nonexistent/nslookout"}, "there is no such program"),
            ({"binary": "a\nb=c"}, "on one line"),
        )
        for number, (inputs, said) in enumerate(cases):
            with self.subTest(said):
                runner = Runner(work_folder() / f"refused-{number}", **{"binary": str(binary()), **inputs})
                started = runner.script("main.js")
                self.assertEqual(started.returncode, 1)
                self.assertIn(said, started.stdout + started.stderr)
                self.assertEqual(sum(line.startswith("::error ") for line in started.stdout.split("\n")), 1)
                self.assertEqual(runner.text("GITHUB_STATE"), "")
                done = runner.script("post.js")
                self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    if shutil.which("node") is None:
        print("skipped: there is no node on the path")
        raise SystemExit(SKIPPED)
    main()
