#!/usr/bin/env -S python3 -B
"""Plain lists of names beside rules: --list exact:FILE and suffix:FILE."""

from harness import AgentCase, main, run_client, work_folder

LIST = "# names\nSfrclak.COM.\n127.0.0.1 calltan.com  # as in a hosts file\n\nbücher.example\n"


def listed(name, text=LIST):
    path = work_folder() / name
    path.write_text(text)
    return path


def rule_ids(event):
    return [rule["id"] for rule in event["rules"]]


class Lists(AgentCase):
    def ask(self, *names):
        for name in names:
            run_client(["dig", name])

    def outcome(self, agent):
        return [(event["dns"]["query"], rule_ids(event)) for event in self.of_resolver(agent.finish())]

    def test_an_exact_list_hits_its_names_alone(self):
        agent = self.agent("--list", f"exact:{listed('exact.txt')}", rules=None)
        self.ask("sfrclak.com", "www.sfrclak.com", "CALLTAN.com", "com", "xn--bcher-kva.example")
        self.assertEqual(self.outcome(agent), [("sfrclak.com", ["list/exact.txt"]),
                                               ("calltan.com", ["list/exact.txt"]),
                                               ("xn--bcher-kva.example", ["list/exact.txt"])])

    def test_a_suffix_list_hits_its_names_and_all_below_on_a_label_boundary(self):
        agent = self.agent("--list", f"suffix:{listed('suffix.txt')}", rules=None)
        self.ask("sfrclak.com", "www.sfrclak.com", "a.b.calltan.com", "notsfrclak.com", "com")
        self.assertEqual(self.outcome(agent), [("sfrclak.com", ["list/suffix.txt"]),
                                               ("www.sfrclak.com", ["list/suffix.txt"]),
                                               ("a.b.calltan.com", ["list/suffix.txt"])])

    def test_a_hit_names_the_list_its_level_and_the_listed_name(self):
        path = listed("level.txt")
        agent = self.agent("--list", f"suffix:{path}", rules=None)
        self.ask("www.sfrclak.com")
        event, = self.of_resolver(agent.finish())
        rule, = event["rules"]
        self.assertEqual((rule["id"], rule["level"], rule["file"]), ("list/level.txt", "high", str(path)))
        self.assertEqual(rule["matched"], [{"field": "query", "value": "sfrclak.com"}])
        self.assertTrue(event["alert"])

    def test_rules_and_several_lists_that_hit_one_name_share_its_event(self):
        agent = self.agent("--list", f"exact:{listed('one.txt')}", "--list", f"suffix:{listed('two.txt')}")
        self.ask("sfrclak.com", "www.sfrclak.com", "callnrwise.com")
        rule = "4cac326f-7f7c-4a3f-85a1-301e56be0506"
        self.assertEqual(self.outcome(agent), [("sfrclak.com", [rule, "list/one.txt", "list/two.txt"]),
                                               ("www.sfrclak.com", ["list/two.txt"]),
                                               ("callnrwise.com", [rule])])

    def test_a_bad_line_is_left_out_and_told_with_its_place(self):
        path = listed("bad.txt", "sfrclak.com\nnot a name\n" + "x" * 64 + ".com\ncalltan.com\n")
        agent = self.agent("--list", f"exact:{path}", rules=None)
        self.ask("sfrclak.com", "calltan.com")
        self.assertEqual(self.outcome(agent), [("sfrclak.com", ["list/bad.txt"]), ("calltan.com", ["list/bad.txt"])])
        warnings = [line for line in agent.stderr().splitlines() if "warning" in line]
        self.assertEqual(len(warnings), 1, agent.stderr())
        self.assertIn(f"{path}:2:", warnings[0])
        self.assertIn("2 lines", warnings[0])

    def test_a_large_list_is_loaded_whole(self):
        names = [f"n{number}.sfrclak.test" for number in range(100_000)]
        agent = self.agent("--list", f"exact:{listed('large.txt', chr(10).join(names))}", rules=None)
        self.ask(names[0], names[-1], "n100000.sfrclak.test", names[50_000])
        self.assertEqual([name for name, _ in self.outcome(agent)], [names[0], names[-1], names[50_000]])
        self.assertIn("100000", agent.stderr())


if __name__ == "__main__":
    main()
