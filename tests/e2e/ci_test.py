#!/usr/bin/env -S python3 -B
"""The CI step that asked, from the variables that each system gives to a step's programs; and that no other variable is
read: a secret beside them is nowhere in the event, nor in what the agent says, holds in memory or keeps in the kernel."""

import json
import os
import pathlib
import re
import secrets
import subprocess

from harness import AgentCase, main, run_client, wait_until, work_folder

GITHUB = {
    "CI": "true", "GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "octo/shop", "GITHUB_WORKFLOW": "Build and test",
    "GITHUB_JOB": "build", "GITHUB_ACTION": "install_dependencies", "GITHUB_ACTION_REPOSITORY": "",
    "GITHUB_RUN_ID": "16543219870", "GITHUB_RUN_ATTEMPT": "2", "GITHUB_REF": "refs/heads/main", "RUNNER_OS": "Linux",
}
GITHUB_CI = {"system": "github-actions", "repository": "octo/shop", "workflow": "Build and test", "job": "build",
             "step": "install_dependencies", "action": "install_dependencies",
             "run_id": "16543219870", "attempt": "2"}

# What a runner puts beside them; each gets a value of its own that nobody else knows.
CREDENTIALS = ("GITHUB_TOKEN", "ACTIONS_RUNTIME_TOKEN", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "NODE_AUTH_TOKEN", "NPM_TOKEN",
               "CI_JOB_TOKEN", "BUILDKITE_AGENT_ACCESS_TOKEN", "CIRCLE_TOKEN", "SYSTEM_ACCESSTOKEN",
               "AWS_SECRET_ACCESS_KEY", "npm_config__authToken", "GITHUB_REPOSITORY_", "XGITHUB_JOB", "github_job")

SYSTEMS = (
    (GITHUB, GITHUB_CI),
    ({"GITLAB_CI": "true", "CI_PROJECT_PATH": "group/shop", "CI_JOB_NAME": "unit", "CI_JOB_STAGE": "test",
      "CI_PIPELINE_ID": "812", "CI_JOB_ID": "9917"},
     {"system": "gitlab-ci", "repository": "group/shop", "stage": "test", "job": "unit", "run_id": "812",
      "job_id": "9917"}),
    ({"JENKINS_URL": "http://ci.example/", "JOB_NAME": "shop/main", "BUILD_NUMBER": "77", "STAGE_NAME": "Install"},
     {"system": "jenkins", "job": "shop/main", "run_id": "77", "step": "Install"}),
    ({"BUILDKITE": "true", "BUILDKITE_ORGANIZATION_SLUG": "octo", "BUILDKITE_PIPELINE_SLUG": "shop",
      "BUILDKITE_BUILD_NUMBER": "31"}, {"system": "buildkite", "run_id": "31"}),
    ({"CIRCLECI": "true", "CIRCLE_PROJECT_USERNAME": "octo", "CIRCLE_PROJECT_REPONAME": "shop", "CIRCLE_JOB": "build",
      "CIRCLE_BUILD_NUM": "5"}, {"system": "circleci", "repository": "octo/shop", "job": "build"}),
    ({"TF_BUILD": "True", "BUILD_REPOSITORY_NAME": "shop", "BUILD_DEFINITIONNAME": "nightly", "BUILD_BUILDID": "4711"},
     {"system": "azure-pipelines", "repository": "shop", "workflow": "nightly", "run_id": "4711"}),
)
ASK = ["sh", "-c", "getent ahosts sfrclak.com || true"]


def clean_environment():
    """The tests may run in a CI themselves."""
    markers = ("GITHUB_", "GITLAB_", "CI_", "JENKINS_", "BUILDKITE", "CIRCLE", "TF_BUILD", "BUILD_", "GITEA_", "FORGEJO_")
    return {name: value for name, value in os.environ.items() if not name.startswith(markers)}


def readable_memory(pid):
    """Everything that a core file of the process could hold."""
    with open(f"/proc/{pid}/maps", encoding="ascii", errors="replace") as maps, open(f"/proc/{pid}/mem", "rb") as memory:
        for line in maps:
            start, end, modes = re.match(r"([0-9a-f]+)-([0-9a-f]+) (\S+)", line).groups()
            if modes[0] != "r" or modes[1] != "w":
                continue
            try:
                memory.seek(int(start, 16))
                yield memory.read(int(end, 16) - int(start, 16))
            except OSError:  # a mapping of a device, or one that went meanwhile
                continue


def maps_of(pid):
    """The contents of the kernel's maps that the process holds, as octets."""
    identifiers = set()
    for entry in pathlib.Path(f"/proc/{pid}/fdinfo").iterdir():
        identifiers |= set(re.findall(r"^map_id:\s+(\d+)", entry.read_text(errors="replace"), re.MULTILINE))
    for identifier in identifiers:
        dump = subprocess.run(["bpftool", "--json", "map", "dump", "id", identifier], capture_output=True).stdout
        yield bytes(int(octet, 16) for octet in re.findall(rb'"0x([0-9a-f]{2})"', dump))


class ContinuousIntegration(AgentCase):
    def ask(self, command=ASK, **variables):
        agent = self.agent()
        client = run_client(command, env={**clean_environment(), **variables})
        self.assertEqual(client.status, 0, client.stdout)
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertTrue(events, client.stdout)
        return events

    def test_the_step_of_each_system(self):
        agent = self.agent()
        clients = [run_client(ASK, env={**clean_environment(), **variables}) for variables, _ in SYSTEMS]
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        for client, (_, expected) in zip(clients, SYSTEMS):
            with self.subTest(expected["system"]):
                steps = [event.get("origin", {}).get("ci", {}) for event in events
                         if client.pid in [ancestor["pid"] for ancestor in event["process"]["ancestors"]]]
                self.assertTrue(steps, client.stdout)
                for ci in steps:
                    self.assertEqual({name: ci.get(name) for name in expected}, expected)

    def test_a_variable_that_only_an_ancestor_has(self):
        """The program that asks was started without any variable but PATH."""
        for event in self.ask(["sh", "-c", f"env -i PATH={os.environ['PATH']} getent ahosts sfrclak.com || true"],
                              **GITHUB):
            self.assertEqual(event.get("origin"), {"ci": GITHUB_CI})

    def test_hostile_values_are_text(self):
        hostile = 'a\nb"c\x1b[31m\\'
        for event in self.ask(**{**GITHUB, "GITHUB_WORKFLOW": hostile, "GITHUB_RUN_ATTEMPT": "-1",
                                 "GITHUB_JOB": os.fsdecode(b"\xff\xfe")}):
            ci = event["origin"]["ci"]
            self.assertEqual(ci["workflow"], hostile)
            self.assertEqual(ci["job"], r"\xff\xfe")
            self.assertEqual(ci["attempt"], "-1")

    def test_no_other_variable_is_read(self):
        values = {name: f"{secrets.token_hex(8)}-secret" for name in CREDENTIALS}
        agent = self.agent()
        client = run_client(ASK, env={**clean_environment(), **GITHUB, **values})
        self.assertEqual(client.status, 0, client.stdout)
        self.assert_unknown_to(agent, values)

    def test_no_other_variable_of_a_process_older_than_the_agent_is_read(self):
        values = {name: f"{secrets.token_hex(8)}-secret" for name in CREDENTIALS}
        go = work_folder() / "go"
        older = subprocess.Popen(["sh", "-c", f"until [ -e {go} ]; do sleep 0.05; done; {ASK[2]}"],
                                 env={**clean_environment(), **GITHUB, **values}, stdout=subprocess.DEVNULL)
        self.addCleanup(older.wait)
        self.addCleanup(older.kill)
        agent = self.agent()
        go.touch()
        self.assertEqual(older.wait(30), 0)
        self.assert_unknown_to(agent, values)

    def assert_unknown_to(self, agent, values):
        """The agent has reported the lookup, with the CI run, and knows none of the values."""
        reported = wait_until(lambda: self.of_resolver(agent.events()), "the lookup is reported")
        for event in reported:
            self.assertEqual(event.get("origin"), {"ci": GITHUB_CI})
        memory = b"".join(readable_memory(agent.pid))
        kernel = b"\0".join(maps_of(agent.pid))
        said = json.dumps(reported) + agent.stderr() + agent.stdout().decode()
        # The looking itself is proven by a value that must be there.
        self.assertIn(GITHUB["GITHUB_RUN_ID"].encode(), memory)
        self.assertIn(GITHUB["GITHUB_RUN_ID"].encode(), kernel)
        for name, value in values.items():
            self.assertNotIn(value, said, name)
            self.assertNotIn(value.encode(), memory, f"{name} is in the agent's memory")
            self.assertNotIn(value.encode(), kernel, f"{name} is in a map of the kernel")
        agent.finish()


if __name__ == "__main__":
    main()
