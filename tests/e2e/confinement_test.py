#!/usr/bin/env -S python3 -B
"""What a running agent has given up, and files that it refuses to trust."""

import pathlib
import re
import shutil
import signal

from harness import RULES, AgentCase, main, run_client, wait_until
from harness.sandbox import work_folder

# capabilities(7)
NUMBERS = {"DAC_OVERRIDE": 1, "DAC_READ_SEARCH": 2, "NET_ADMIN": 12, "NET_RAW": 13, "SYS_PTRACE": 19, "SYS_ADMIN": 21, "PERFMON": 38,
           "BPF": 39}
KEPT = {"BPF", "DAC_READ_SEARCH", "SYS_ADMIN", "SYS_PTRACE"}


def statuses(pid):
    """Of each thread, the main one first."""
    found = []
    for task in sorted(pathlib.Path(f"/proc/{pid}/task").iterdir(), key=lambda path: int(path.name)):
        found.append(dict(re.findall(r"(?m)^(\w+):\s+(\S+)$", (task / "status").read_text())))
    return found


def capabilities(mask):
    bits = int(mask, 16)
    named = {name for name, number in NUMBERS.items() if bits >> number & 1}
    return named | {f"number {number}" for number in range(64) if bits >> number & 1 and number not in NUMBERS.values()}


class Privileges(AgentCase):
    def assert_kept(self, agent, expected):
        held = capabilities(statuses(agent.pid)[0]["CapPrm"])
        # A machine may have given the test fewer than all.
        own = capabilities(pathlib.Path("/proc/self/status").read_text().split("CapPrm:")[1].split()[0])
        self.assertEqual(held, expected & own)

    def test_every_thread_is_confined(self):
        agent = self.agent()
        threads = statuses(agent.pid)
        self.assertGreater(len(threads), 1)
        self.assertEqual({(thread["NoNewPrivs"], thread["Seccomp"]) for thread in threads}, {("1", "2")})
        self.assert_kept(agent, KEPT)
        for thread in threads[1:]:
            self.assertLessEqual(capabilities(thread["CapPrm"]), {"DAC_OVERRIDE", "DAC_READ_SEARCH"})

    def test_what_stands_in_for_the_administrators_capability(self):
        agent = self.agent(within=("setpriv", "--bounding-set", "-sys_admin"))
        self.assert_kept(agent, KEPT - {"SYS_ADMIN"} | {"PERFMON", "NET_ADMIN"})

    def test_what_blocks_may_answer(self):
        self.assert_kept(self.agent("--mode", "enforce"), KEPT | {"NET_RAW"})
        self.assert_kept(self.agent("--mode", "enforce", "--answer", "none"), KEPT)

    def test_an_output_in_a_folder_of_another_user(self):
        folder = work_folder() / "of-another"
        folder.mkdir()
        shutil.chown(folder, 65534, 65534)
        self.assert_kept(self.agent("--output", f"jsonl:{folder}/events"), KEPT | {"DAC_OVERRIDE"})

    def test_no_sandbox(self):
        agent = self.agent("--no-sandbox")
        self.assertEqual((statuses(agent.pid)[0]["NoNewPrivs"]), "0")
        self.assertIn("not confined", agent.stderr())

    def test_output_files_are_their_owner_s(self):
        agent = self.agent()
        run_client(["dig", "sfrclak.com"])
        self.assertEqual(agent.events_file.stat().st_mode & 0o777, 0o600)


class Trust(AgentCase):
    def setUp(self):
        super().setUp()
        self.rules = pathlib.Path(work_folder(), f"rules-{self.id().rpartition('.')[2]}")
        shutil.copytree(RULES, self.rules)

    def test_rules_that_anybody_may_write_are_refused(self):
        self.rules.chmod(0o777)
        agent = self.agent(rules=self.rules, ready=False)
        self.assertEqual(agent.wait(), 3)
        self.assertRegex(agent.stderr(), rf"^nslookout: error: {self.rules}: any user may write this folder \(mode 0777\).*\n$")

    def test_unless_that_is_meant(self):
        self.rules.chmod(0o777)
        self.assertTrue(self.agent("--allow-writable", rules=self.rules).running())

    def test_a_configuration_that_anybody_may_write_cannot_allow_itself(self):
        config = work_folder() / "config.yaml"
        config.write_text("allow_writable: true\n")
        config.chmod(0o666)
        agent = self.agent("--config", config, ready=False)
        self.assertEqual(agent.wait(), 3)
        self.assertIn(f"{config}: any user may write this file (mode 0666)", agent.stderr())

    def test_a_reload_refuses_them_and_the_old_ones_stay(self):
        agent = self.agent(rules=self.rules)
        next(self.rules.glob("*.yml")).chmod(0o666)
        agent.send_signal(signal.SIGHUP)
        wait_until(lambda: "reload refused" in agent.stderr(), "the reload is refused")
        self.assertIn("any user may write this file", agent.stderr())
        run_client(["dig", "sfrclak.com"])
        self.assertEqual(len(self.of_resolver(agent.finish())), 1)


if __name__ == "__main__":
    main()
