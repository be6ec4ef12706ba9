#!/usr/bin/env -S python3 -B
"""What a guest reports -> the verdict on each backend."""

import unittest

from results import read_results, table

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


if __name__ == "__main__":
    unittest.main()
