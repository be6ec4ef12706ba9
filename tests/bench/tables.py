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


# of a table: the section of the results, and what makes it
TABLES = {
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
