"""What one virtual machine reported, read back, and the matrix made of it.

Input: the text of the guest's results port (guest_init.sh). Between "begin BACKEND" and "end BACKEND status=N" stand
the lines of the kernel tests; the ones that count here:

    program NAME verified=N loaded=N           instructions the verifier went through, and kept
    case NAME BACKEND seen                     this way of sending is seen
    case NAME BACKEND none                     no lookup was sent, and none was reported
    case NAME BACKEND unseen(COUNTER)          it is not, by design, and COUNTER says so
    case NAME BACKEND skipped(WHY)             it could not be tried
    case NAME BACKEND failed(WHY)              it should have been seen

A combination passes when its tests ended with status 0, no case failed and at least one was seen: a test that saw
nothing proves nothing. No program may take the verifier more than VERIFIED_LIMIT instructions, but for those that are known
to (verified.tsv), which may grow by a fifth: the kernel's own limit is a million, and what is near it on one kernel is
over it on the next.
"""

import re
from dataclasses import dataclass, field

OUTCOMES = ("seen", "none", "unseen", "skipped", "failed")
BACKENDS = ("fentry", "kprobe", "cgroup")
LAST_LINES = 30
VERIFIED_LIMIT = 60_000
GROWTH = 1.2

_END = re.compile(r"^end (\S+) status=(\d+)(?: uptime=(\S+))?")
_PROGRAM = re.compile(r"program (\S+) verified=(\d+) loaded=(\d+)")
_CASE = re.compile(r"\bcase (\S+) (\S+) (seen|none|unseen|skipped|failed)\b(?:\((.*)\))?")
_GTEST_RUN = re.compile(r"^\[ RUN      \] ")
_GTEST_FAILED = re.compile(r"^\[  FAILED  \] (\S+?)(?:, where .*)? \(\d+ ms\)")


@dataclass
class Combination:
    """The outcome of one backend on one kernel."""

    kernel: str
    backend: str
    release: str = "?"
    status: int | None = None  # of the tests; None when they never ended
    cases: dict = field(default_factory=lambda: {outcome: [] for outcome in OUTCOMES})
    programs: dict = field(default_factory=dict)  # name -> verified instructions
    trouble: str = ""  # why the machine itself is to blame
    output: list = field(default_factory=list)
    known_large: dict = field(default_factory=dict)  # name -> verified instructions, of programs above the limit

    @property
    def too_large(self):
        """Programs that the verifier takes more of than it may: (name, verified, allowed)."""
        allowed = {name: int(GROWTH * known) for name, known in self.known_large.items()}
        return [(name, verified, allowed.get(name, VERIFIED_LIMIT)) for name, verified in sorted(self.programs.items())
                if verified > allowed.get(name, VERIFIED_LIMIT)]

    @property
    def verdict(self):
        if self.trouble:
            return self.trouble
        if self.status is None:
            return "never ended"
        if self.status in (124, 143):
            return "timed out"
        if self.status != 0:
            return f"failed (status {self.status})"
        if self.cases["failed"]:
            return "failed"
        if not self.cases["seen"]:
            return "failed (no case seen)"
        if self.too_large:
            return "failed (verifier)"
        return "pass"

    @property
    def failures(self):
        """What the failed tests printed, each from its first line to its last; the end of it all if none failed."""
        blocks, block = [], []
        for line in self.output:
            block = [line] if _GTEST_RUN.match(line) else [*block, line]
            if _GTEST_FAILED.match(line):
                blocks += block
        return blocks or self.output[-LAST_LINES:]

    @property
    def passed(self):
        return self.verdict == "pass"

    @property
    def largest_program(self):
        return max(self.programs.items(), key=lambda item: item[1], default=("", 0))


def read_known_large(text):
    """verified.tsv: kernel -> program -> verified instructions."""
    known = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            kernel, program, verified = line.split("\t")
            known.setdefault(kernel, {})[program] = int(verified)
    return known


def known_large_text(combinations):
    """The lines of verified.tsv that these combinations would make."""
    largest = {}
    for c in combinations:
        for name, verified in c.programs.items():
            if verified > VERIFIED_LIMIT:
                largest[c.kernel, name] = max(verified, largest.get((c.kernel, name), 0))
    return "".join(f"{kernel}\t{name}\t{verified}\n" for (kernel, name), verified in largest.items())


def read_results(kernel, backends, text, trouble="", known_large=None):
    """One Combination for each backend asked for, whatever the text lacks.

    trouble is what went wrong with the machine as a whole; it is put down to the backends that had not ended.
    """
    combinations = {backend: Combination(kernel, backend, known_large=known_large or {}) for backend in backends}
    release, current = "?", None
    for line in text.splitlines():
        if line.startswith("release "):
            release = line.split()[1]
        elif line.startswith("begin "):
            current = combinations.get(line.split()[1])
        elif current and (end := _END.match(line)) and end[1] == current.backend:
            current.status = int(end[2])
            current = None
        elif current:
            _read_line(current, line)
    for combination in combinations.values():
        combination.release = release
        if combination.status is None:
            combination.trouble = trouble
    return list(combinations.values())


def _read_line(combination, line):
    combination.output.append(line)
    if program := _PROGRAM.search(line):
        name, verified = program[1], int(program[2])
        combination.programs[name] = max(verified, combination.programs.get(name, 0))
    elif case := _CASE.search(line):
        combination.cases[case[3]].append(case[1])
    elif failed := _GTEST_FAILED.match(line):
        combination.cases["failed"].append(failed[1])


def table(combinations):
    """The matrix as a Markdown table with columns padded for the terminal."""
    rows = [("kernel", "release", "backend", "result", "seen", "rightly silent", "unseen, counted", "skipped",
             "failed", "verified instructions (largest program)")]
    for c in combinations:
        name, verified = c.largest_program
        counts = [str(len(set(c.cases[kind]))) for kind in OUTCOMES]
        rows.append((c.kernel, c.release, c.backend, c.verdict, *counts, f"{verified:,} ({name})" if name else "-"))
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    lines = ["| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |" for row in rows]
    lines.insert(1, "|" + "|".join("-" * (width + 2) for width in widths) + "|")
    return "\n".join(lines) + "\n"
