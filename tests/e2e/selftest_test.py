#!/usr/bin/env -S python3 -B
"""`nslookout selftest`: which rules fire here, and that it finds those that cannot."""

import json
import os
import subprocess

from harness import RULES, AgentCase, backend, binary, main, work_folder

RULE = """title: {title}
id: 3b0e1c52-0f6f-4a55-8d53-1c2a3b4c5d{number:02}
logsource: {{category: dns}}
detection:
  {detection}
"""
FIRED, SILENT, NOT_TESTED = "fired", "did not fire", "not tested"
# title, detection, outcome, a part of the reason
RULES_OF_TEST = [
    ("a name", "selection: {query: evil.test}\n  condition: selection", FIRED, ""),
    ("a name in Unicode", "selection: {query: bücher.test}\n  condition: selection", FIRED, ""),
    ("below a name", "selection: {query|endswith: .evil.test}\n  condition: selection", FIRED, ""),
    ("a text", "selection: {query|contains: xfer}\n  condition: selection", FIRED, ""),
    ("a beginning and an end", "selection:\n    query|startswith: cdn-\n    query|endswith: -x.test\n  condition: selection", FIRED, ""),
    ("two texts", "selection: {query|contains|all: [aaaa, bbbb]}\n  condition: selection", FIRED, ""),
    ("wildcards", "selection: {query: 'a?c*.evil.test'}\n  condition: selection", FIRED, ""),
    ("a record type", "selection: {record_type: 'NULL'}\n  condition: selection", FIRED, ""),
    ("a name and a type", "selection: {query|endswith: .t.test, record_type: TXT}\n  condition: selection", FIRED, ""),
    ("a length", "selection: {query_length|gt: 100}\n  condition: selection", FIRED, ""),
    ("an exception", "selection: {query|endswith: .evil.test}\n  filter: {query: www.evil.test}\n"
                     "  condition: selection and not filter", FIRED, ""),
    ("a contradiction", "selection: {query: evil.test}\n  filter: {query|endswith: evil.test}\n"
                        "  condition: selection and not filter", SILENT, "its tests may exclude one another"),
    ("two names at once", "one: {query: one.test}\n  two: {query: two.test}\n  condition: one and two", SILENT, ""),
    ("a field that is not here", "selection: {query: evil.test, LogonId: 4}\n  condition: selection", SILENT, "LogonId"),
    ("a program", "selection: {query: evil.test, Image|endswith: /curl}\n  condition: selection", NOT_TESTED,
     "it asks for Image"),
    ("not a program", "selection: {query: evil.test}\n  filter: {Image|endswith: /curl}\n"
                      "  condition: selection and not filter", FIRED, ""),
    ("not this program", "selection: {query: evil.test}\n  filter: {Image|endswith: /nslookout}\n"
                         "  condition: selection and not filter", SILENT, "no event of it came"),
    ("a response", "selection: {query: evil.test, rcode: NXDOMAIN}\n  condition: selection", NOT_TESTED, "the response"),
]


class Selftest(AgentCase):
    def setUp(self):
        super().setUp()
        self.folder = work_folder() / self.id().rsplit(".", 1)[1]
        self.folder.mkdir()

    def selftest(self, *arguments, **options):
        return subprocess.run([binary(), "selftest", "--backend", backend(), *arguments], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60, **options)

    def put(self, rules):
        for number, (title, detection, *_) in enumerate(rules):
            text = RULE.format(title=title, number=number, detection=detection)
            (self.folder / f"{number:02}.yml").write_text(text)
        return self.folder

    def test_each_kind_of_rule(self):
        answer = self.selftest("--rules", self.put(RULES_OF_TEST), "--format", "json")
        report = json.loads(answer.stdout)
        found = {rule["title"]: rule for rule in report["rules"]}
        self.assertEqual({title: rule["outcome"] for title, rule in found.items()},
                         {title: outcome for title, _, outcome, _ in RULES_OF_TEST})
        for title, _, _, reason in RULES_OF_TEST:
            self.assertIn(reason, found[title]["reason"], title)
        self.assertEqual(found["a name"]["name"], "evil.test")
        silent = [outcome for _, _, outcome, _ in RULES_OF_TEST].count(SILENT)
        self.assertEqual((report["did_not_fire"], answer.returncode), (silent, 1))
        self.assertIn(f"{silent} rules did not fire; stdout says which and why", answer.stderr)

    def test_rules_that_ship_and_lists_all_fire(self):
        listed = self.folder / "names.txt"
        listed.write_text("".join(f"n{number}.test\n" for number in range(1000)))
        answer = self.selftest("--rules", RULES, "--list", f"exact:{listed}", "--list", f"suffix:{listed}")
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        self.assertIn("0 did not fire, 0 not tested", answer.stdout)
        self.assertIn("fired         list/names.txt", answer.stdout)

    def test_a_thousand_rules(self):
        rules = "---\n".join(RULE.format(title=f"rule {n}", number=0, detection=(
            f"selection: {{query|endswith: .n{n}.test}}\n  condition: selection")).replace("5d00", f"{n:04x}")
            for n in range(1000))
        (self.folder / "many.yml").write_text(rules)
        answer = self.selftest("--rules", self.folder)
        self.assertEqual(answer.returncode, 0, answer.stdout[-500:] + answer.stderr)
        self.assertIn("1000 fired, 0 did not fire", answer.stdout)

    def test_beside_an_agent_and_nothing_leaves_the_namespace(self):
        agent = self.agent()
        answer = self.selftest("--rules", RULES)
        self.assertEqual(answer.returncode, 0, answer.stdout + answer.stderr)
        events = agent.finish()
        seen = [event for event in events if event["dns"]["server"]["ip"] == "127.78.83.76"]
        self.assertGreater(len(seen), 0)  # as any lookup of the host
        self.assertTrue(all(os.path.basename(event["process"]["executable"]) == "nslookout" for event in seen))
        self.assertEqual(self.queries(), [])  # the host's name server was asked nothing
        self.assert_nothing_left_behind()

    def test_nothing_to_test_and_a_broken_rule(self):
        self.assertEqual(self.selftest().returncode, 2)
        broken = self.folder / "broken.yml"
        broken.write_text("title: broken\n")
        answer = self.selftest("--rules", broken)
        self.assertEqual((answer.returncode, answer.stdout), (3, ""))
        self.assertIn("broken.yml:1:1", answer.stderr)


if __name__ == "__main__":
    main()
