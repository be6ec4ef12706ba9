#!/usr/bin/env -S python3 -B
"""What a guest reports -> the verdict on each backend."""

import unittest

from matrix import machines_of
from results import VERIFIED_LIMIT, known_large_text, read_known_large, read_results, table

GOOD = "program p verified=900 loaded=90\nprogram q verified=1200 loaded=80\ncase sendto {b} seen\n"


def section(backend, body=GOOD, status=0):
    return f"begin {backend}\n{body.format(b=backend)}\nend {backend} status={status} uptime=5.0\n"


# what happened, results text, trouble of the machine, verdicts of (fentry, cgroup)
CASES = [
    ("all well", section("fentry") + section("cgroup"), "", ("pass", "pass")),
    ("tests fail", section("fentry", status=1) + section("cgroup"), "", ("failed (status 1)", "pass")),
    ("tests time out", section("fentry", status=143) + section("cgroup"), "", ("timed out", "pass")),
    ("nothing seen", section("fentry", "case sendto fentry unseen(not_dns)\n") + section("cgroup"), "",
     ("failed (no case seen)", "pass")),
    ("no output at all", section("fentry", "") + section("cgroup"), "", ("failed (no case seen)", "pass")),
    ("a failed case with status 0", section("fentry", GOOD + "case splice {b} failed(late)\n") + section("cgroup"), "",
     ("failed", "pass")),
    ("a failed test with status 0", section("fentry", GOOD + "[  FAILED  ] Sends.a (3 ms)\n") + section("cgroup"), "",
     ("failed", "pass")),
    ("a failed test with a parameter",
     section("fentry", GOOD + "[  FAILED  ] T/Sends.b/page, where GetParam() = page (3 ms)\n") + section("cgroup"), "",
     ("failed", "pass")),
    ("a failed case without a reason", section("fentry", GOOD + "case splice {b} failed\n") + section("cgroup"), "",
     ("failed", "pass")),
    ("only silence, rightly", section("fentry", "case noise {b} none\n") + section("cgroup"), "",
     ("failed (no case seen)", "pass")),
    ("panic in the second", section("fentry") + "begin cgroup\ncase sendto cgroup seen\n", "kernel panic",
     ("pass", "kernel panic")),
    ("cut off, cause unknown", section("fentry") + "begin cgroup\n", "", ("pass", "never ended")),
    ("never booted", "", "machine hung", ("machine hung", "machine hung")),
    ("an end that is not its own", "begin fentry\n" + GOOD.format(b="fentry") + "end cgroup status=0\n", "",
     ("never ended", "never ended")),
]


class Results(unittest.TestCase):
    def test_verdicts(self):
        for what, text, trouble, expected in CASES:
            with self.subTest(what):
                combinations = read_results("6.1", ["fentry", "cgroup"], text, trouble)
                self.assertEqual(expected, tuple(c.verdict for c in combinations))

    def test_failures_are_what_the_failed_tests_printed(self):
        text = section("fentry", GOOD + "[ RUN      ] S.good\n[       OK ] S.good (1 ms)\n"
                       "[ RUN      ] S.bad\nExpected: 1\n[  FAILED  ] S.bad (3 ms)\n"
                       "[ RUN      ] S.other\n[       OK ] S.other (1 ms)\n")
        self.assertEqual(["[ RUN      ] S.bad", "Expected: 1", "[  FAILED  ] S.bad (3 ms)"],
                         read_results("k", ["fentry"], text)[0].failures)

    def test_counts_and_largest_program(self):
        body = GOOD + "case a {b} seen\ncase b {b} unseen(payload_unreadable)\ncase n {b} none\n"
        body += "case c {b} skipped(no io_uring (5.1))\n"
        (c,) = read_results("6.1", ["kprobe"], "release 6.1.0-1\n" + section("kprobe", body))
        self.assertEqual(("q", 1200), c.largest_program)
        self.assertEqual(
            {"seen": ["sendto", "a"], "none": ["n"], "unseen": ["b"], "skipped": ["c"], "failed": []}, c.cases)
        self.assertIn("| 6.1    | 6.1.0-1 | kprobe  | pass   | 2 ", table([c]))
        self.assertIn("1,200 (q)", table([c]))

    def test_programs_that_the_verifier_takes_too_much_of(self):
        known = read_known_large("# why\n\n6.1\tq\t100000\n5.10\tp\t999999\n")
        self.assertEqual({"6.1": {"q": 100000}, "5.10": {"p": 999999}}, known)
        for p, q, too_large in ((VERIFIED_LIMIT, 120_000, []), (VERIFIED_LIMIT + 1, 1, [("p", 60_001, 60_000)]),
                                (1, 120_001, [("q", 120_001, 120_000)])):
            with self.subTest(p=p, q=q):
                body = f"program p verified={p} loaded=1\nprogram q verified={q} loaded=1\ncase sendto {{b}} seen\n"
                (c,) = read_results("6.1", ["kprobe"], section("kprobe", body), known_large=known["6.1"])
                self.assertEqual(too_large, c.too_large)
                self.assertEqual("failed (verifier)" if too_large else "pass", c.verdict)

    def test_what_would_be_known(self):
        body = "program p verified=70000 loaded=1\nprogram p verified=71000 loaded=1\nprogram q verified=5 loaded=1\n"
        self.assertEqual("6.1\tp\t71000\n", known_large_text(read_results("6.1", ["kprobe"], section("kprobe", body))))


class Machines(unittest.TestCase):
    def test_no_processor_waits_for_the_last_kernel(self):
        self.assertEqual(machines_of(["a", "b", "c"], ["x", "y"], 2), [("a", ["x", "y"]), ("b", ["x", "y"]), ("c", ["x"]), ("c", ["y"])])
        self.assertEqual(machines_of(["a", "b"], ["x", "y"], 2), [("a", ["x", "y"]), ("b", ["x", "y"])])
        self.assertEqual(machines_of(["a"], ["x", "y"], 2), [("a", ["x", "y"])])
        self.assertEqual(machines_of(["a", "b"], ["x", "y"], 1), [("a", ["x", "y"]), ("b", ["x", "y"])])


if __name__ == "__main__":
    unittest.main()
