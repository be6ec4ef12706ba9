#!/usr/bin/env -S python3 -B
"""baseline.py [--part] RESULTS: holds what the benchmarks found (./dev bench --json RESULTS) against baseline.json beside this
file. A figure that rose by more than a fifth is a regression: a sentence names it, and the status is 1.

Figures are ratios of times that were taken on one machine within one run, and the verifier's counts of instructions. Of all of
them more is worse. Counts mean the same on every machine with the same kernel (as far as its first two numbers go). Ratios carry
over to like machines alone: where a call in the kernel costs otherwise (retpolines, return thunks), so does what is counted in
calls. So the baseline holds counts by kernel, and ratios by processor with what the kernel does for it; where it has none of this
kernel or this kind of machine, that is told, and nothing is compared.

--part: not every benchmark ran. Otherwise one that is in the baseline and not in RESULTS is a failure, too.
--write: makes RESULTS the baseline of its kernel and its kind of machine.
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
    """Not of a listed name: that is the agent's work too, and how much of it a sender feels is up to the scheduler."""
    for backend, kinds in backends.items():
        for kind, cost in kinds.items():
            if kind == "query, listed":
                continue
            yield f"{backend}, {kind}, with the agent by without", cost["ratio"]


def of_dnsperf(backends):
    for backend, answered in backends.items():
        yield f"{backend}, queries answered without the agent by with", 1 / answered["ratio"]


def of_verified_instructions(verified):
    for backend, programs in verified["programs"].items():
        for program, count in programs.items():
            yield f"{backend}, {program}", count


SECTIONS = {  # of ratios
    "kernel_cost_ns": of_kernel_cost,
    "send_cost": of_send_cost,
    "dnsperf": of_dnsperf,
}
COUNTS = "verified_instructions"
CALLS = ("retbleed", "spectre_v2", "spec_rstack_overflow", "indirect_target_selection")  # what makes calls dear


def version(release):
    """6.18 of 6.18.1-amd64"""
    return ".".join(release.split(".")[:2])


def first_line(path):
    try:
        return pathlib.Path(path).read_text().partition("\n")[0]
    except OSError:
        return ""


def machine():
    """Processor and mitigations: 'AMD EPYC; spectre_v2: Retpolines'"""
    try:
        name = re.search(r"^model name\s*:\s*(.+)$", pathlib.Path("/proc/cpuinfo").read_text(), re.MULTILINE)[1]
    except (OSError, TypeError):  # not every architecture says so
        name = "unknown"
    states = ((call, first_line(f"/sys/devices/system/cpu/vulnerabilities/{call}")) for call in CALLS)
    done = [f"{call}: {state.removeprefix('Mitigation: ').partition(';')[0]}" for call, state in states
            if state.startswith("Mitigation: ")]
    return "; ".join([name, *done])


def rounded(figures):
    return {figure: round(value, 3) for figure, value in figures}


def baseline_of(results, kind_of_machine):
    """What a file of results comes to: counts by kernel, ratios by machine and section."""
    counts = results.get(COUNTS)
    return {"counts": {version(counts["kernel"]): rounded(of_verified_instructions(counts))} if counts else {},
            "ratios": {kind_of_machine: {section: rounded(of_section(results[section]))
                                         for section, of_section in SECTIONS.items() if section in results}}}


def compare_figures(what, found, then):
    """Sentences about what is worse, and sentences worth knowing."""
    worse, notes = [], []
    for figure, before in then.items():
        if figure not in found:
            notes.append(f"{what}: {figure} is in the baseline and was not measured")
        elif found[figure] > MOST * before:
            worse.append(f"{what}: {figure} is {found[figure]:g}, {found[figure] / before - 1:.0%} more than the "
                         f"{before:g} of the baseline; the bound is {MOST - 1:.0%}")
    notes += [f"{what}: {figure} is not in the baseline yet" for figure in found if figure not in then]
    return worse, notes


def compare(now, baseline, part=False):
    """The same for all figures; what was not measured is worse, unless only a part was to be."""
    worse, notes = [], []

    def judge(what, found, then):
        if then is not None and found is not None:
            more_worse, more_notes = compare_figures(what, found, then)
            worse.extend(more_worse)
            notes.extend(more_notes)
        elif then is not None and not part:
            worse.append(f"{what} is in the baseline and was not measured")

    if not now["counts"] and not part:
        worse.append(f"{COUNTS} is in the baseline and was not measured")
    for kernel, found in now["counts"].items():
        if kernel not in baseline["counts"]:
            notes.append(f"{COUNTS}: the baseline has none of kernel {kernel}: not compared")
        judge(COUNTS, found, baseline["counts"].get(kernel))
    for kind, sections in now["ratios"].items():
        if kind not in baseline["ratios"]:
            notes.append(f"the baseline has no ratios of this kind of machine ({kind}): not compared")
            continue
        for section in SECTIONS:
            judge(section, sections.get(section), baseline["ratios"][kind].get(section))
    return worse, notes


def with_results(baseline, now, part):
    """The baseline with now in the place of what it had of the same kernel and kind of machine; of a part, of the same sections."""
    ratios = dict(baseline["ratios"])
    for kind, sections in now["ratios"].items():
        ratios[kind] = {**(ratios.get(kind, {}) if part else {}), **sections}
    return {"counts": {**baseline["counts"], **now["counts"]}, "ratios": ratios}


def main(arguments=None, baseline_file=BASELINE):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--part", action="store_true")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("results", type=pathlib.Path)
    options = parser.parse_args(arguments)
    now = baseline_of(json.loads(options.results.read_text()), machine())
    baseline = json.loads(baseline_file.read_text())
    if options.write:
        baseline_file.write_text(json.dumps(with_results(baseline, now, options.part), indent=2) + "\n")
        return 0
    worse, notes = compare(now, baseline, options.part)
    for note in notes:
        print(f"baseline: {note}")
    for sentence in worse:
        print(f"baseline: {sentence}", file=sys.stderr)
    if not worse:
        print("baseline: no figure rose by more than a fifth")
    return 1 if worse else 0


if __name__ == "__main__":
    sys.exit(main())
