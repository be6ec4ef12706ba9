#!/usr/bin/env -S python3 -B
"""baseline.py [--part] RESULTS: holds what the benchmarks found (./dev bench --json RESULTS) against baseline.json beside this
file. A figure that rose by more than a fifth is a regression: a sentence names it, and the status is 1.

Figures are ratios of times that were taken on one machine within one run, and the verifier's counts of instructions, which mean
the same on every machine with the same kernel (as far as its first two numbers go; on others they are left out). Of all of them
more is worse. Ratios carry over to like machines alone: where calls in the kernel cost otherwise (retpolines, return thunks),
so does what is counted in them. So the baseline says which processor it is of, and another one is told.

--part: not every benchmark ran. Otherwise one that is in the baseline and not in RESULTS is a failure, too.
--write: makes RESULTS the baseline.
"""

import argparse
import json
import pathlib
import re
import sys

BASELINE = pathlib.Path(__file__).resolve().parent / "baseline.json"
MOST = 1.20  # times the baseline

LABELS = (2, 3, 5, 13)  # of the names that kernel_cost asks for
EMPTY = "empty program"
# a row of kernel_cost and what it is divided by: a row's first column, or the same column of a row
KERNEL_RATIOS = (
    ("sensor, 1,000,000 names, same name", EMPTY),
    ("sensor, 1,000,000, every run another slot", "plain hash, 1,000,000, every run another slot"),
    ("sensor, 1,000,000, other names of one TLD", "plain hash, 1,000,000, other names of one TLD"),
)


def of_kernel_cost(rows):
    for row, by in KERNEL_RATIOS:
        for column, labels in enumerate(LABELS):
            yield f"{row}, {labels} labels, by {by}", rows[row][column] / rows[by][0 if by == EMPTY else column]
    yield "sensor, not DNS, by empty program", rows["sensor, not DNS (another port)"][0] / rows[EMPTY][0]


def of_send_cost(backends):
    for backend, kinds in backends.items():
        for kind, cost in kinds.items():
            yield f"{backend}, {kind}, with the agent by without", cost["ratio"]


def of_dnsperf(backends):
    for backend, answered in backends.items():
        yield f"{backend}, queries answered without the agent by with", 1 / answered["ratio"]


def of_verified_instructions(verified):
    for backend, programs in verified["programs"].items():
        for program, count in programs.items():
            yield f"{backend}, {program}", count


SECTIONS = {
    "kernel_cost_ns": of_kernel_cost,
    "send_cost": of_send_cost,
    "dnsperf": of_dnsperf,
    "verified_instructions": of_verified_instructions,
}


def version(release):
    """6.18 of 6.18.1-amd64"""
    return ".".join(release.split(".")[:2])


def processor():
    try:
        return re.search(r"^model name\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)[1]
    except (OSError, TypeError):  # not every architecture says so
        return "unknown"


def figures_of(results):
    """What a file of results comes to: {section: {figure: value}}, and the machine it is of."""
    return {"processor": processor(),
            "kernel": version(results.get("verified_instructions", {}).get("kernel", "")),
            "figures": {section: {figure: round(value, 3) for figure, value in of_section(results[section])}
                        for section, of_section in SECTIONS.items() if section in results}}


def compare(now, baseline, part=False):
    """Sentences about what is worse or missing, and sentences worth knowing."""
    worse, notes = [], []
    if now["processor"] != baseline["processor"]:
        notes.append(f"the baseline is of another processor ({baseline['processor']}): ratios of times may differ for that alone")
    for section, then in baseline["figures"].items():
        found = now["figures"].get(section)
        if found is None:
            if not part:
                worse.append(f"{section} is in the baseline and was not measured")
            continue
        if section == "verified_instructions" and now["kernel"] != baseline["kernel"]:
            notes.append(f"{section} is of kernel {now['kernel']}, the baseline of {baseline['kernel']}: not compared")
            continue
        for figure, before in then.items():
            if figure not in found:
                notes.append(f"{section}: {figure} is in the baseline and was not measured")
            elif found[figure] > MOST * before:
                worse.append(f"{section}: {figure} is {found[figure]:g}, {found[figure] / before - 1:.0%} more than the "
                             f"{before:g} of the baseline; the bound is {MOST - 1:.0%}")
        notes += [f"{section}: {figure} is not in the baseline yet" for figure in found if figure not in then]
    return worse, notes


def main(arguments=None, baseline_file=BASELINE):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("results", type=pathlib.Path)
    options = parser.parse_args(arguments)
    now = figures_of(json.loads(options.results.read_text()))
    if options.write:
        baseline_file.write_text(json.dumps(now, indent=2) + "\n")
        return 0
    worse, notes = compare(now, json.loads(baseline_file.read_text()), options.part)
    for note in notes:
        print(f"baseline: {note}")
    for sentence in worse:
        print(f"baseline: {sentence}", file=sys.stderr)
    if not worse:
        print("baseline: no figure rose by more than a fifth")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
