#!/usr/bin/env -S python3 -B
"""What the agent says when it cannot start: one sentence on stderr with what to do, the exit status of its class, nothing
on stdout, nothing left in the kernel.
"""

import json
import os
import re
import shutil
import subprocess
from typing import NamedTuple

from harness import RULES, AgentCase, binary, main, run_client, work_folder
from harness.sandbox import end_with_parent

NOBODY = {"user": 65534, "group": 65534, "extra_groups": []}
NEEDED = ["CAP_BPF", "CAP_PERFMON", "CAP_NET_ADMIN"]
RUNTIME, USAGE, INVALID, UNSUPPORTED = 1, 2, 3, 4

GOOD_RULE = (RULES / "axios_npm_compromise_lookup.yml").read_text()


class Refusal(NamedTuple):
    status: int
    says: list  # all of it stands in the sentence
    arguments: list


def file(name, text="", mode=0o644):
    path = work_folder() / name
    path.write_text(text)
    path.chmod(mode)
    return path


def folder(name):
    path = work_folder() / name
    path.mkdir(exist_ok=True)
    return path


def usable_backends():
    report = subprocess.run([binary(), "doctor", "--format", "json"], capture_output=True, check=True)
    return {backend["name"] for backend in json.loads(report.stdout)["backends"] if backend["usable"]}


def in_mounts(prepared_by):
    """With mounts of its own, which a shell text prepares."""
    return ["unshare", "--mount", "sh", "-ec", f'{prepared_by}\nexec "$@"', "sh"]


def nobody_with(*capabilities):
    these = ",".join(f"+{capability}" for capability in capabilities)
    return ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", f"--inh-caps={these}",
            f"--ambient-caps={these}"]


class Refusals(AgentCase):
    def refused(self, refusal, under=(), **options):
        """Runs the agent, started with the command `under`."""
        command = [*under, binary(), "run", *refusal.arguments]
        ran = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=30, check=False,
                             cwd=work_folder(), preexec_fn=end_with_parent, **options)
        said = ran.stderr.decode()
        self.assertEqual(ran.returncode, refusal.status, said)
        self.assertEqual(ran.stdout, b"")
        self.assertRegex(said, r"\Anslookout: error: [^\n]+\n\Z")
        for words in refusal.says:
            self.assertIn(str(words), said)
        self.assert_says_nothing_twice(said)
        self.assert_nothing_left_behind()

    def assert_says_nothing_twice(self, said):
        words = re.findall(r"[\w']+", re.sub(r"/\S+", "", said))  # a path may come twice
        runs = [tuple(words[i:i + 5]) for i in range(len(words) - 4)]
        self.assertEqual([run for run in set(runs) if runs.count(run) > 1], [], said)

    def each_refused(self, refusals, **options):
        for title, refusal in refusals.items():
            with self.subTest(title):
                self.refused(refusal, **options)

    def use_a_binary_that_everybody_may_run(self):
        """Wherever the build folder is."""
        before = os.environ.get("NSLOOKOUT_BINARY")
        os.environ["NSLOOKOUT_BINARY"] = str(shutil.copy(binary(), work_folder() / "nslookout"))
        if before is None:
            self.addCleanup(os.environ.pop, "NSLOOKOUT_BINARY")
        else:
            self.addCleanup(os.environ.update, {"NSLOOKOUT_BINARY": before})

    def test_rules(self):
        missing = work_folder() / "missing.yml"
        broken = file("broken.yml", "title: x\ndetection:\n  selection:\n    query: [a.test\n  condition: selection\n")
        no_condition = file("no_condition.yml", GOOD_RULE.replace("condition: selection", "condition: selektion"))
        line = 1 + GOOD_RULE[:GOOD_RULE.index("condition: selection")].count("\n")
        empty = file("empty.yml")
        windows = file("windows.yml", GOOD_RULE.replace("category: dns", "category: dns_query\n    product: windows"))
        self.each_refused({
            "missing": Refusal(INVALID, [missing, "No such file"], ["--rules", missing]),
            "not YAML": Refusal(INVALID, [f"{broken}:"], ["--rules", broken]),
            "unknown selection": Refusal(INVALID, [f"{no_condition}:{line}:", "selektion"], ["--rules", no_condition]),
            "empty file": Refusal(INVALID, [empty, "no rule"], ["--rules", empty]),
            "empty folder": Refusal(INVALID, ["no rule file"], ["--rules", folder("none")]),
            "about another source": Refusal(INVALID, [windows, "Linux"], ["--rules", windows]),
            "a good file beside a bad one": Refusal(INVALID, [f"{broken}:"], ["--rules", RULES, "--rules", broken]),
            "none at all": Refusal(USAGE, ["--rules"], []),
        })

    def test_a_broken_rule_is_told_with_line_and_column(self):
        path = file("place.yml", GOOD_RULE.replace("    condition: selection", "    condition: selection and"))
        line = 1 + GOOD_RULE[:GOOD_RULE.index("    condition: selection")].count("\n")
        ran = run_client([str(binary()), "run", "--rules", str(path)])
        self.assertRegex(ran.stdout.decode(), rf"{re.escape(str(path))}:{line}:\d+: ")

    def test_lists(self):
        missing = work_folder() / "missing.txt"
        bad = file("bad.txt", "# none\nnot a name\n")
        empty = file("nothing.txt", "# nothing\n\n")
        self.each_refused({
            "missing": Refusal(INVALID, [missing, "No such file"], ["--list", f"exact:{missing}"]),
            "a folder": Refusal(INVALID, ["regular file"], ["--list", f"suffix:{folder('lists')}"]),
            "no good line": Refusal(INVALID, [f"{bad}:2:"], ["--list", f"exact:{bad}"]),
            "no line": Refusal(INVALID, [empty, "no name"], ["--list", f"exact:{empty}"]),
            "neither exact nor suffix": Refusal(USAGE, ["exact:FILE", "suffix:FILE"], ["--list", str(bad)]),
        })

    def test_outputs(self):
        rules = ["--rules", RULES]
        self.each_refused({
            "a folder": Refusal(RUNTIME, ["directory", "events.jsonl"],
                                [*rules, "--output", f"jsonl:{folder('out')}"]),
            "in no folder": Refusal(RUNTIME, ["/nowhere/", "folder"], [*rules, "--output", "jsonl:/nowhere/e.jsonl"]),
            "a socket nobody listens on": Refusal(RUNTIME, ["no such socket"],
                                                  [*rules, "--output", f"unix:{work_folder() / 'nobody'}"]),
            "an unknown kind": Refusal(USAGE, ["stdout", "jsonl:FILE"], [*rules, "--output", "carrier-pigeon"]),
            "a kind without its path": Refusal(USAGE, ["jsonl:FILE"], [*rules, "--output", "jsonl:"]),
            "a ready file in no folder": Refusal(RUNTIME, ["/nowhere/ready"],
                                                 [*rules, "--ready-file", "/nowhere/ready"]),
            "a ready file that is a folder": Refusal(RUNTIME, ["directory"], [*rules, "--ready-file", folder("out")]),
        })

    def test_an_output_that_another_agent_writes(self):
        frames = work_folder() / "taken.pb"
        self.agent("--output", f"protobuf:{frames}")
        self.refused(Refusal(RUNTIME, [frames, "another process"],
                             ["--rules", RULES, "--output", f"protobuf:{frames}"]))

    def test_the_command_line(self):
        rules = ["--rules", RULES]
        self.each_refused({
            "an unknown option": Refusal(USAGE, ["--colour", "--help"], [*rules, "--colour"]),
            "an unknown backend": Refusal(USAGE, ["xdp", "fentry", "cgroup", "kprobe"], [*rules, "--backend", "xdp"]),
            "an unknown mode": Refusal(USAGE, ["--mode", "audit"], [*rules, "--mode", "loud"]),
            "a port that is none": Refusal(USAGE, ["--port", "65536"], [*rules, "--port", "65536"]),
            "an option without its value": Refusal(USAGE, ["--rules"], ["--rules"]),
            "an argument too many": Refusal(USAGE, ["surplus"], [*rules, "surplus"]),
        })

    def test_without_privilege(self):
        self.use_a_binary_that_everybody_may_run()
        readable = file("readable.yml", GOOD_RULE)
        secret = file("secret.yml", GOOD_RULE, mode=0o600)
        self.each_refused({
            "no privilege": Refusal(UNSUPPORTED, [*NEEDED, "root"], ["--rules", readable]),
            "no privilege, a backend named": Refusal(UNSUPPORTED, [*NEEDED, "root"],
                                                     ["--rules", readable, "--backend", "cgroup"]),
            "an unreadable rule": Refusal(INVALID, [secret, "Permission denied"], ["--rules", secret]),
            "an unreadable list": Refusal(INVALID, [secret, "Permission denied"], ["--list", f"exact:{secret}"]),
            "an output of another user": Refusal(RUNTIME, [secret, "Permission denied"],
                                                 ["--rules", readable, "--output", f"jsonl:{secret}"]),
        }, **NOBODY)

    def test_one_capability_short(self):
        self.use_a_binary_that_everybody_may_run()
        readable = file("readable.yml", GOOD_RULE)
        self.refused(Refusal(UNSUPPORTED, ["missing privilege: CAP_PERFMON;"], ["--rules", readable]),
                     under=nobody_with("bpf", "net_admin"))

    def test_the_three_capabilities_are_enough(self):
        self.use_a_binary_that_everybody_may_run()
        agent = self.agent(rules=file("readable.yml", GOOD_RULE), within=nobody_with("bpf", "perfmon", "net_admin"))
        client = run_client(["getent", "ahosts", "sfrclak.com"])
        events = self.of_resolver(agent.finish())
        self.assert_one_event_each(self.queries(), events)
        self.assertEqual({event["process"]["pid"] for event in events}, {client.pid})
        self.assertEqual([event["process"]["command_line"] for event in events],
                         [["getent", "ahosts", "sfrclak.com"]] * 2)

    def test_little_memory_may_be_locked(self):
        """Since Linux 5.11 nothing of BPF counts against that limit, so nobody has to be able to raise it."""
        if tuple(map(int, re.findall(r"\d+", os.uname().release)[:2])) < (5, 11):
            self.skipTest("this kernel counts tables against the limit")
        self.use_a_binary_that_everybody_may_run()
        agent = self.agent(rules=file("readable.yml", GOOD_RULE),
                           within=["prlimit", "--memlock=65536:65536", *nobody_with("bpf", "perfmon", "net_admin")])
        run_client(["dig", "sfrclak.com"])
        self.assert_one_event_each(self.queries(), self.of_resolver(agent.finish()))

    def test_a_backend_that_the_kernel_refuses(self):
        for name in {"fentry", "cgroup", "kprobe"} - usable_backends():
            with self.subTest(name):
                self.refused(Refusal(UNSUPPORTED, [f"--backend {name}", "nslookout doctor"],
                                     ["--rules", RULES, "--backend", name]))

    def test_without_cgroup2(self):
        hide = "grep -w cgroup2 /proc/mounts | cut -d' ' -f2 | xargs -r -n1 umount --lazy"
        self.refused(Refusal(UNSUPPORTED, ["no cgroup2", "mount -t cgroup2"],
                             ["--rules", RULES, "--backend", "cgroup"]), under=in_mounts(hide))

    def test_where_only_a_part_of_the_cgroup_tree_is_shown(self):
        root = subprocess.run("grep -w cgroup2 /proc/mounts | cut -d' ' -f2 | head -n1", shell=True, check=True,
                              capture_output=True, text=True).stdout.strip()
        part = f"{root}/nslookout-e2e-{os.getpid()}"
        os.mkdir(part)
        self.addCleanup(os.rmdir, part)
        self.refused(Refusal(UNSUPPORTED, [root, "container"], ["--rules", RULES, "--backend", "cgroup"]),
                     under=in_mounts(f"mount --bind '{part}' '{root}'"))

    def test_without_btf(self):
        self.refused(Refusal(UNSUPPORTED, ["BTF", "CONFIG_DEBUG_INFO_BTF"], ["--rules", RULES]),
                     under=in_mounts("mount -t tmpfs none /sys/kernel/btf\n[ ! -d /boot ] || mount -t tmpfs none /boot"))

    def test_after_a_refusal_the_next_start_works(self):
        self.refused(Refusal(RUNTIME, ["/nowhere/ready"], ["--rules", RULES, "--ready-file", "/nowhere/ready"]))
        agent = self.agent()
        run_client(["dig", "sfrclak.com"])
        self.assert_one_event_each(self.queries(), self.of_resolver(agent.finish()))


if __name__ == "__main__":
    main()
