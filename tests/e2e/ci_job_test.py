#!/usr/bin/env -S python3 -B
"""`nslookout ci` around a shell job: start, lookups of several steps, stop, and what the summary says of them."""

import json
import os
import pathlib
import signal
import subprocess

from harness import AgentCase, binary, main, wait_until, work_folder
from harness.sandbox import RULES

CI_MARKERS = ("GITHUB_", "GITLAB_", "CI_", "JENKINS_", "BUILDKITE", "CIRCLE", "TF_BUILD", "BUILD_", "GITEA_", "FORGEJO_",
              "RUNNER_")
HOSTILE_STEP = "x\n::error::forged\x1b[31m<script>##[command]|`"
LOOKUP = "getent ahosts {} >/dev/null || true"


class Job(AgentCase):
    def setUp(self):
        super().setUp()
        self.temporary = work_folder() / self.id().rpartition(".")[2]
        self.temporary.mkdir()
        self.work = self.temporary / "nslookout"
        self.addCleanup(self.end_agent)

    def environment(self, **variables):
        kept = {name: value for name, value in os.environ.items() if not name.startswith(CI_MARKERS)}
        return {**kept, "RUNNER_TEMP": str(self.temporary), **variables}

    def nslookout(self, *words, **variables):
        return subprocess.run([binary(), *words], env=self.environment(**variables), capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=100)

    def start(self, *options, **variables):
        started = self.nslookout("ci", "start", "--backend", "cgroup", "--rules", str(RULES), *options, **variables)
        self.assertEqual(started.returncode, 0, started.stderr)
        return started

    def state(self):
        return json.loads((self.work / "agent.json").read_text())

    def end_agent(self):
        """Only what this test started, and only while it is that."""
        if not (self.work / "agent.json").exists() or self.state()["end"]:
            return
        self.nslookout("ci", "stop")

    def step(self, name, script):
        """What a runner of GitHub's does: a shell of its own, with the variables of the step."""
        variables = {"GITHUB_ACTIONS": "true", "GITHUB_JOB": "build", "GITHUB_ACTION": name, "GITHUB_RUN_ID": "1"}
        subprocess.run(["bash", "-ec", script], env=self.environment(**variables), check=True, timeout=60)

    def names(self):
        summary = json.loads(self.nslookout("ci", "summary", "--format", "json").stdout)
        return summary, {(entry["step"], entry["name"]): entry for entry in summary["names"]}

    def test_names_by_step_matched_first(self):
        self.start()
        self.step("install", LOOKUP.format("sfrclak.com") + "; " + LOOKUP.format("registry.test"))
        self.step("compile", LOOKUP.format("registry.test"))
        stopped = self.nslookout("ci", "stop")
        self.assertEqual(stopped.returncode, 0, stopped.stderr)
        summary, names = self.names()
        self.assertEqual(summary["losses"], [])
        self.assertEqual((summary["names"][0]["name"], summary["names"][0]["outcome"], summary["names"][0]["level"]),
                         ("sfrclak.com", "matched", "high"))
        self.assertEqual(names["build / install", "sfrclak.com"]["programs"], ["getent"])
        self.assertLessEqual({("build / install", "registry.test"), ("build / compile", "registry.test")}, set(names))
        self.assertEqual(names["build / compile", "registry.test"]["outcome"], "")
        queries = len(self.queries())
        self.assertEqual(names["build / install", "sfrclak.com"]["lookups"], queries)
        self.assert_nothing_left_behind()

    def test_what_github_gets(self):
        self.start()
        self.step(HOSTILE_STEP, LOOKUP.format("sfrclak.com"))
        self.assertEqual(self.nslookout("ci", "stop").returncode, 0)
        page, output, sarif = (self.temporary / name for name in ("page.md", "output", "found.sarif"))
        done = self.nslookout("ci", "summary", "--annotations", "github", "--fail-on", "high", "--sarif", str(sarif),
                              GITHUB_STEP_SUMMARY=str(page), GITHUB_OUTPUT=str(output))
        self.assertEqual(done.returncode, 1)
        self.assertIn("--fail-on is high", done.stderr)
        commands = [line for line in done.stdout.split("\n") if line.strip().startswith("::")]
        self.assertEqual(len(commands), 1, done.stdout)
        self.assertTrue(commands[0].startswith("::error title=nslookout%3A "), commands)
        for text in (done.stdout, page.read_text()):
            for forbidden in ("\x1b", "##[", "\n::error::forged"):
                self.assertNotIn(forbidden, text)
        self.assertNotIn("<script", page.read_text())
        self.assertIn("<code>sfrclak&#46;com</code>", page.read_text())
        self.assertIn(f"events={self.work / 'events.pb'}\n", output.read_text())
        self.assertIn("matched=1\n", output.read_text())
        self.assertTrue(json.loads(sarif.read_text())["runs"][0]["results"])
        decoded = subprocess.run([binary(), "decode", self.work / "events.pb"], capture_output=True, check=True)
        self.assertIn(b'"query":"sfrclak.com"', decoded.stdout)

    def test_below_the_level_the_job_goes_on(self):
        self.start()
        self.step("install", LOOKUP.format("registry.test"))
        self.nslookout("ci", "stop")
        self.assertEqual(self.nslookout("ci", "summary", "--fail-on", "informational").returncode, 0)

    def test_options_of_run_are_handed_on(self):
        self.start("--mode", "enforce")
        self.step("install", LOOKUP.format("sfrclak.com"))
        self.nslookout("ci", "stop")
        summary, names = self.names()
        self.assertEqual(names["build / install", "sfrclak.com"]["outcome"], "blocked")
        self.assertEqual(self.queries(), [])

    def test_a_list_of_what_a_job_needs(self):
        job = "; ".join(LOOKUP.format(name) for name in ("registry.test", "a.cdn.test", "b.cdn.test"))
        self.start()
        self.step("install", job + "; " + LOOKUP.format("sfrclak.com"))
        self.assertEqual(self.nslookout("ci", "stop").returncode, 0)
        proposed = self.nslookout("ci", "allow-list")
        self.assertEqual(proposed.returncode, 0, proposed.stderr)
        names = [line for line in proposed.stdout.split("\n") if line and not line.startswith("#")]
        self.assertLessEqual({"registry.test", "a.cdn.test", "b.cdn.test"}, set(names))
        self.assertNotIn("sfrclak.com", names)
        self.assertIn("#   sfrclak.com\n", proposed.stdout)
        allowed = self.temporary / "names.txt"
        allowed.write_text(proposed.stdout)
        self.start("--mode", "enforce", "--allow-only", f"exact:{allowed}")
        self.step("install", job)
        self.step("later", LOOKUP.format("c.cdn.test"))
        self.assertEqual(self.nslookout("ci", "stop").returncode, 0)
        _, outcomes = self.names()
        for name in ("registry.test", "a.cdn.test", "b.cdn.test"):
            self.assertEqual(outcomes["build / install", name]["outcome"], "", name)
        self.assertEqual(outcomes["build / later", "c.cdn.test"]["outcome"], "blocked")

    def test_a_list_that_forgets_the_service_of_the_job(self):
        allowed = self.temporary / "names.txt"
        allowed.write_text("registry.test\n")
        started = self.start("--mode", "enforce", "--allow-only", f"exact:{allowed}",
                             GITHUB_SERVER_URL="https://github.test", GITHUB_API_URL="https://registry.test/api")
        self.assertIn("--allow-only blocks github.test", started.stderr)
        self.assertNotIn("registry.test", started.stderr)

    def test_a_second_start_is_refused(self):
        self.start()
        again = self.nslookout("ci", "start", "--rules", str(RULES))
        self.assertEqual(again.returncode, 1)
        self.assertIn("runs already", again.stderr)

    def test_an_agent_that_was_killed_is_told(self):
        self.start()
        pid = self.state()["pid"]
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not pathlib.Path(f"/proc/{pid}").exists() or
                   "\nState:\tZ" in pathlib.Path(f"/proc/{pid}/status").read_text(), "the agent has ended")
        stopped = self.nslookout("ci", "stop")
        self.assertEqual(stopped.returncode, 1)
        self.assertIn("had ended before", stopped.stderr)
        summary, _ = self.names()
        self.assertEqual(len(summary["losses"]), 1)
        self.assertIn("ended before it was stopped", summary["losses"][0])

    def test_another_process_with_its_number_is_left_alone(self):
        other = subprocess.Popen(["sleep", "60"])
        self.addCleanup(other.wait)
        self.addCleanup(other.kill)
        self.work.mkdir()
        (self.work / "agent.json").write_text(json.dumps({"pid": other.pid, "start_ticks": 1, "end": ""}))
        self.assertEqual(self.nslookout("ci", "stop").returncode, 1)
        self.assertIsNone(other.poll())

    def test_why_it_does_not_start(self):
        broken = self.temporary / "broken.yml"
        broken.write_text("title: [")
        cases = (
            (("--rules", str(broken)), 3, "broken.yml"),
            (("--rules", str(self.temporary / "absent")), 3, "absent"),
            (("--allow", "exact:x"), 2, "--mode"),
        )
        for options, status, said in cases:
            with self.subTest(options):
                started = self.nslookout("ci", "start", *options)
                self.assertEqual(started.returncode, status, started.stderr)
                self.assertIn("did not start", started.stderr)
                self.assertIn(said, started.stderr)
                self.assertFalse((self.work / "agent.json").exists())

    def test_without_a_folder_or_an_agent(self):
        done = self.nslookout("ci", "start", RUNNER_TEMP="")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--work-dir", done.stderr)
        for part in ("stop", "summary"):
            self.assertNotEqual(self.nslookout("ci", part).returncode, 0)

    def test_what_sudo_is_given(self):
        """The variables that the agent reads of the job, and no other: its words are anybody's to see."""
        for path in (work_folder(), self.temporary):
            path.chmod(0o777)
        folder = self.temporary / "bin"
        folder.mkdir()
        (folder / "sudo").write_text(f'#!/bin/sh\n[ "$3" = true ] || echo "$*" >{self.temporary}/given\n')
        (folder / "sudo").chmod(0o755)
        variables = {"PATH": f"{folder}:/usr/bin:/bin", "GITHUB_SERVER_URL": "https://github.test",
                     "CIRCLE_REPOSITORY_URL": "https://me:secret@git.test/x", "GITHUB_TOKEN": "secret", "NSLOOKOUT_X": "1"}
        subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary(), "ci", "start"],
                       env={**self.environment(), **variables}, executable="/usr/bin/setpriv", check=True, timeout=60)
        given = (self.temporary / "given").read_text()
        self.assertIn(" GITHUB_SERVER_URL=https://github.test ", given)
        self.assertIn(" NSLOOKOUT_X=1 ", given)
        self.assertNotIn("secret", given)

    def test_who_is_not_root_and_has_no_sudo_is_told(self):
        for path in (work_folder(), self.temporary):
            path.chmod(0o777)
        done = subprocess.run(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", binary(), "ci", "start"],
                              env={**self.environment(), "PATH": "/nonexistent"}, executable="/usr/bin/setpriv",
                              capture_output=True, text=True)
        self.assertEqual(done.returncode, 4, done.stderr)
        self.assertIn("sudo", done.stderr)


if __name__ == "__main__":
    main()
