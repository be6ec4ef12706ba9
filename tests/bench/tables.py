#!/usr/bin/env -S python3 -B
"""tables.py RESULTS DOCUMENT: writes tables of what the benchmarks found (./dev bench --json RESULTS) into a document of Markdown
(docs/performance.md), between the lines `<!-- table: NAME -->` and `<!-- end of table -->`. A table of which RESULTS has nothing
stays as it is.
"""

import json
import pathlib
import re
import sys

PLACE = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->\n)", re.DOTALL)


def table(heading, rows):
    lines = [heading, ["---"] * len(heading), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def of_send_cost(backends):
    first = next(iter(backends.values()))
    rows = [[kind, f"{first[kind]['without_ns']:,.0f}",
             *(f"{kinds[kind]['with_ns']:,.0f} ({kinds[kind]['ratio']:.2f})" for kinds in backends.values())]
            for kind in first]
    return table(["one send on loopback", "without the agent", *backends], rows)


def of_curve(results):
    return table(
        ["asked a second", "sent a second", "lookups", "events", "lost", "lost at", "CPU of the agent", "each", "written after"],
        [[f"{point['asked_per_second']:,}", f"{point['sent_per_second']:,.0f}", f"{point['sent']:,}", f"{point['events']:,}",
          f"{point['lost']:,}", ", ".join(point["lost_at"]) or "", f"{point['cpu_percent_while_sending']:.0f} %",
          f"{point['cpu_microseconds_an_event']:.0f} µs", f"{point['drain_seconds']:.1f} s"] for point in results["curve"]])


def of_silence(results):
    return table(
        ["queries a second that nothing matches", "CPU of the agent"],
        [[f"{results[name]['sent_per_second']:,.0f}", f"{results[name]['cpu_percent']:.2f} %"]
         for name in ("idle", "not_listed")])


def of_dnsperf(backends):
    return table(["backend", "without the agent", "with it", "ratio"],
                 [[backend, f"{one['without']:,.0f}", f"{one['with']:,.0f}", f"{one['ratio']:.3f}"]
                  for backend, one in backends.items()])


LABELS = (2, 3, 5, 13)  # of the names that kernel_cost asks for
EMPTY = "empty program"


def of_kernel_cost(rows):
    return table(["program", *map(str, LABELS)],
                 [[name, *(f"{nanoseconds:.1f}" for nanoseconds in row), *[""] * (len(LABELS) - len(row))]
                  for name, row in rows.items()])


def of_kernel_targets(rows):
    """What the targets are about: nanoseconds above the empty program, and times the plain hash map."""
    empty = rows[EMPTY][0]
    warm, cold = rows["sensor, 1,000,000 names, same name"], rows["sensor, 1,000,000, every run another slot"]
    plain, plain_cold = rows["plain hash, 1,000,000, same name"], rows["plain hash, 1,000,000, every run another slot"]
    few = range(3)  # names of 2, 3 and 5 labels
    listing = lambda values, form: ", ".join(format(value, form) for value in values)  # noqa: E731
    verdict = lambda met: "met" if met else "missed"  # noqa: E731
    above = [warm[i] - empty for i in few]
    above_cold = [cold[i] - empty for i in few]
    times = [plain[i] / warm[i] for i in few]
    times_cold = sum(plain_cold[:3]) / sum(cold[:3])
    other = rows["sensor, not DNS (another port)"][0] - empty
    return table(["target", "measured", ""], [
        ["another port: at most 6 ns above the empty program", f"{other:.1f}", verdict(other <= 6)],
        ["a miss of 2, 3, 5 labels among a million names, the same each time: at most 30 ns above it", listing(above, ".1f"),
         verdict(max(above) <= 30)],
        ["the same as a ratio: at most 2.2 times the empty program", listing([warm[i] / empty for i in few], ".2f"),
         verdict(max(warm[i] / empty for i in few) <= 2.2)],
        ["every run another slot: at most 70 ns above it", listing(above_cold, ".1f"), verdict(max(above_cold) <= 70)],
        ["a hash map for each suffix, the same name each time: at least 1.8 times ours", listing(times, ".2f"),
         verdict(min(times) >= 1.8)],
        ["every run another slot: at least 4 times, for the three together", f"{times_cold:.2f}", verdict(times_cold >= 4)],
    ])


def of_further_cost(rows):
    return table(["query", *map(str, LABELS[:3])],
                 [[name, *(f"{nanoseconds:.1f}" for nanoseconds in row), *[""] * (3 - len(row))] for name, row in rows.items()])


def of_fill_time(results):
    return table(["names", "built in memory", "and in use"],
                 [[f"{results['names']:,}", f"{results['seconds_built']:.2f} s", f"{results['seconds_built_and_filled']:.2f} s"]])


def of_list_load(rows):
    return table(["names", "to tables", "to ready", "own memory", "kernel's", "together", "most resident"],
                 [[f"{row['names']:,}", f"{row['seconds_to_tables']:.3f} s", f"{row['seconds_to_ready']:.1f} s",
                   *(f"{megabytes:.1f} MB" for megabytes in (
                       row["user_megabytes"], row["kernel_megabytes"], row["user_megabytes"] + row["kernel_megabytes"])),
                   f"{row['peak_resident_megabytes']:.0f} MB"] for row in rows])


def of_verified(results):
    return table(["backend", "program", "verified instructions"],
                 [[backend, f"`{program}`", f"{count:,}"] for backend, programs in results["programs"].items()
                  for program, count in programs.items()])


# of a table: the section of the results, and what makes it
TABLES = {
    "kernel_cost": ("kernel_cost_ns", of_kernel_cost),
    "kernel_targets": ("kernel_cost_ns", of_kernel_targets),
    "further_cost": ("further_cost_ns", of_further_cost),
    "fill_time": ("fill_time", of_fill_time),
    "list_load": ("list_load", of_list_load),
    "verified": ("verified_instructions", of_verified),
    "send_cost": ("send_cost", of_send_cost),
    "curve": ("pipeline_hits", of_curve),
    "silence": ("pipeline_hits", of_silence),
    "dnsperf": ("dnsperf", of_dnsperf),
}


def written_into(document, results):
    def place(found):
        section, of_section = TABLES[found[2]]
        if section not in results:
            return found[0]
        return found[1] + of_section(results[section]) + found[3]
    return PLACE.sub(place, document)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: tables.py RESULTS DOCUMENT")
    results, document = map(pathlib.Path, sys.argv[1:])
    document.write_text(written_into(document.read_text(), json.loads(results.read_text())))


if __name__ == "__main__":
    main()
