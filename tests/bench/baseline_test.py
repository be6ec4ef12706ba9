#!/usr/bin/env -S python3 -B
"""baseline.py: which results it takes, and what it says of those it does not."""

import contextlib
import copy
import io
import json
import pathlib
import tempfile
import unittest

import baseline

RESULTS = {
    "kernel_cost_ns": {
        "empty program": [25.0],
        "sensor, not DNS (another port)": [40.0],
        "sensor, 1,000,000 names, same name": [50.0, 55.0, 60.0, 75.0],
        "sensor, 1,000,000, every run another slot": [150.0, 160.0, 170.0, 180.0],
        "sensor, 1,000,000, other names of one TLD": [150.0, 160.0, 170.0, 180.0],
        "plain hash, 1,000,000, every run another slot": [450.0, 640.0, 1020.0, 1800.0],
        "plain hash, 1,000,000, other names of one TLD": [300.0, 480.0, 850.0, 1440.0],
    },
    "send_cost": {"cgroup": {"query, not listed": {"without_ns": 1000.0, "with_ns": 2000.0, "ratio": 2.0}}},
    "dnsperf": {"cgroup": {"without": 50000.0, "with": 49500.0, "ratio": 0.99}},
    "verified_instructions": {"kernel": "6.18.44-a", "programs": {"cgroup": {"nsl_egress": 100000}}},
    "fill_time": {"median": 0.2},
}


def changed(path, value):
    results = copy.deepcopy(RESULTS)
    place = results
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return results


def judge(results, *arguments, against=RESULTS):
    """Status, and what was said on both streams."""
    with tempfile.TemporaryDirectory() as folder:
        then, now = pathlib.Path(folder, "then.json"), pathlib.Path(folder, "now.json")
        then.write_text(json.dumps(baseline.baseline_of(against, baseline.machine())))
        now.write_text(json.dumps(results))
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            status = baseline.main([*arguments, str(now)], baseline_file=then)
        return status, out.getvalue(), err.getvalue()


class Baseline(unittest.TestCase):
    def test_the_same_is_taken(self):
        self.assertEqual(judge(RESULTS), (0, "baseline: no figure rose by more than a fifth\n", ""))

    def test_a_rise_is_a_regression_above_a_fifth(self):
        ratio = ("send_cost", "cgroup", "query, not listed", "ratio")
        instructions = ("verified_instructions", "programs", "cgroup", "nsl_egress")
        for path, value, status in [
            (ratio, 2.39, 0), (ratio, 2.41, 1), (ratio, 0.5, 0),
            (("send_cost", "cgroup", "query, listed"), {"ratio": 99.0}, 0),
            (instructions, 119_000, 0), (instructions, 121_000, 1),
            (("kernel_cost_ns", "sensor, 1,000,000 names, same name"), [59.0, 55.0, 60.0, 75.0], 0),
            (("kernel_cost_ns", "sensor, 1,000,000 names, same name"), [61.0, 55.0, 60.0, 75.0], 1),
            (("kernel_cost_ns", "empty program"), [50.0], 0),  # twice as slow a machine has twice as slow programs
            (("dnsperf", "cgroup", "ratio"), 0.84, 0), (("dnsperf", "cgroup", "ratio"), 0.80, 1),
        ]:
            with self.subTest(path=path, value=value):
                self.assertEqual(judge(changed(path, value))[0], status)

    def test_one_sentence_names_the_figure(self):
        status, _, err = judge(changed(("verified_instructions", "programs", "cgroup", "nsl_egress"), 150_000))
        self.assertEqual(status, 1)
        self.assertEqual(err, "baseline: verified_instructions: cgroup, nsl_egress is 150000, 50% more than the 100000 of the "
                              "baseline; the bound is 20%\n")

    def test_another_kernel_counts_otherwise(self):
        verified = {"kernel": "6.1.0", "programs": {"cgroup": {"nsl_egress": 900_000}}}
        status, out, _ = judge(changed(("verified_instructions",), verified))
        self.assertEqual(status, 0)
        self.assertIn("not compared", out)
        verified["kernel"] = "6.18.9-b"
        self.assertEqual(judge(changed(("verified_instructions",), verified))[0], 1)

    def test_ratios_of_another_kind_of_machine_are_not_compared(self):
        then = baseline.baseline_of(RESULTS, "of another kind")
        now = baseline.baseline_of(changed(("send_cost", "cgroup", "query, not listed", "ratio"), 9.0), "of this kind")
        worse, notes = baseline.compare(now, then)
        self.assertEqual((worse, len(notes)), ([], 1))
        self.assertIn("of this kind", notes[0])

    def test_a_benchmark_that_did_not_run_is_missed_unless_only_a_part_was_asked_for(self):
        results = {key: value for key, value in RESULTS.items() if key != "dnsperf"}
        self.assertEqual(judge(results)[::2], (1, "baseline: dnsperf is in the baseline and was not measured\n"))
        self.assertEqual(judge(results, "--part")[0], 0)

    def test_what_is_new_or_cannot_be_measured_here_is_told(self):
        more = changed(("send_cost", "fentry"), {"query, not listed": {"ratio": 9.0}})
        status, out, _ = judge(more)
        self.assertEqual(status, 0)
        self.assertIn("fentry, query, not listed, with the agent by without is not in the baseline yet", out)
        status, out, _ = judge(RESULTS, against=more)
        self.assertEqual(status, 0)
        self.assertIn("fentry, query, not listed, with the agent by without is in the baseline and was not measured", out)

    def test_what_was_written_is_taken_and_the_rest_stays(self):
        with tempfile.TemporaryDirectory() as folder:
            written, now = pathlib.Path(folder, "baseline.json"), pathlib.Path(folder, "now.json")
            written.write_text(json.dumps(baseline.baseline_of(
                changed(("verified_instructions", "kernel"), "5.10"), "of another kind")))
            now.write_text(json.dumps(RESULTS))
            self.assertEqual(baseline.main(["--write", str(now)], baseline_file=written), 0)
            together = json.loads(written.read_text())
            self.assertEqual(sorted(together["counts"]), ["5.10", "6.18"])
            self.assertEqual(set(together["ratios"]), {"of another kind", baseline.machine()})
            with contextlib.redirect_stdout(io.StringIO()) as out:
                self.assertEqual(baseline.main([str(now)], baseline_file=written), 0)
            self.assertEqual(out.getvalue(), "baseline: no figure rose by more than a fifth\n")

    def test_a_part_that_is_written_keeps_the_other_sections(self):
        with tempfile.TemporaryDirectory() as folder:
            written, now = pathlib.Path(folder, "baseline.json"), pathlib.Path(folder, "now.json")
            written.write_text(json.dumps(baseline.baseline_of(RESULTS, baseline.machine())))
            now.write_text(json.dumps({"dnsperf": {"cgroup": {"without": 50000.0, "with": 49500.0, "ratio": 0.5}}}))
            self.assertEqual(baseline.main(["--part", "--write", str(now)], baseline_file=written), 0)
            ratios = json.loads(written.read_text())["ratios"][baseline.machine()]
            self.assertEqual(set(ratios), set(baseline.SECTIONS))
            self.assertEqual(list(ratios["dnsperf"].values()), [2.0])

    def test_the_committed_baseline_can_be_compared_with(self):
        committed = json.loads(baseline.BASELINE.read_text())
        self.assertEqual(set(committed), {"counts", "ratios"})
        self.assertIn("6.18", committed["counts"])
        for sections in committed["ratios"].values():
            self.assertLessEqual(set(sections), set(baseline.SECTIONS))
        for figures in [*committed["counts"].values(), *(f for kind in committed["ratios"].values() for f in kind.values())]:
            self.assertTrue(figures)
            self.assertTrue(all(value > 0 for value in figures.values()))


if __name__ == "__main__":
    unittest.main()
