#!/usr/bin/env -S python3 -B
"""sources.py TOP: the rules of the tree that a compiler does not hold. Prints FILE:LINE: TEXT for each breach; exits
with 1 when there was one.

The direction of includes is the one of docs/architecture.md. A new check is a function (tree -> breaches) in CHECKS and
needs a breaching sample in sources_test.py, which refuses a check without one.
"""

import os
import pathlib
import re
import sys
from typing import NamedTuple

# What the files of a folder of userspace/ may include besides their own. "cli" may include every folder.
MAY_INCLUDE = {
    "base": set(),
    "confine": {"base"},
    "sigma": {"base"},
    "lists": {"base"},
    "compile": {"base", "sigma", "lists"},
    "kernel": {"base", "compile"},
    "match": {"base", "sigma", "lists", "compile"},
    "event": {"base"},
    "identity": {"base", "event"},
    "encode": {"base", "event"},
    "sink": {"base", "event", "encode"},
    "inventory": {"base", "event", "sink"},
    "history": {"base", "event", "inventory"},
    "capture": {"base"},
    "report": {"base", "event", "inventory"},
    "health": {"base"},
    "top": {"base", "event", "inventory", "report"},
    "agent": {"base", "sigma", "lists", "compile", "kernel", "match", "event", "identity", "encode", "sink",
              "capture", "inventory", "history", "health", "confine"},
}
FOLDERS = set(MAY_INCLUDE) | {"cli"}

# Library headers and the places that may see them (prefixes of paths under userspace/).
LIBRARIES = [
    ("yaml-cpp", re.compile(r"<yaml-cpp/"), ("sigma/", "agent/config")),
    ("libbpf", re.compile(r'<bpf/|\.skel\.h[">]'), ("kernel/",)),
    ("libpcap", re.compile(r"<pcap(?:/|\.h>)"), ("capture/",)),
    ("protobuf", re.compile(r'<google/protobuf/|\.pb\.h[">]'), ("event/", "sink/otlp_record", "identity/cri_client")),
    ("SQLite", re.compile(r"<sqlite3\.h>"), ("history/",)),
    ("prometheus-cpp", re.compile(r"<prometheus/"), ("health/metrics",)),
    ("libmicrohttpd", re.compile(r"<microhttpd\.h>"), ("health/http_server",)),
    ("libseccomp", re.compile(r"<seccomp\.h>"), ("confine/",)),
    ("libcap", re.compile(r"<sys/capability\.h>"), ("confine/", "base/quiet_thread")),
    ("libcurl", re.compile(r"<curl/"), ("base/http_client",)),
    ("OpenSSL", re.compile(r"<openssl/"), ("sink/tls_context", "sink/stream")),
    ("librdkafka", re.compile(r"<librdkafka/"), ("sink/kafka_receiver",)),
    ("zlib", re.compile(r"<zlib\.h>"), ("sink/spool", "sink/otlp_receiver")),
]

# match_events makes texts for rules of JSON that it read.
JSON_WRITERS = ("base/ascii_json.h", "cli/match_events.cc")

MAX_LINES = 700
SOURCE_SUFFIXES = {".h", ".cc", ".c", ".py", ".sh", ".proto"}
SKIPPED_NAMES = {".git", ".cache", "__pycache__", "node_modules"}  # .git is a file in a linked work tree

# In pieces, so that this file does not breach its own rule.
MARKERS = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK|WI" r"P)\b|\bplace" r"holder\b", re.IGNORECASE)
MARKERS_UPPER_ONLY = {"xx" "x", "ha" "ck", "wi" "p", "to" "do"}  # in lower case these are words, domains, check names
# Homes and work folders of one machine; samples use the names listed.
MACHINE_PATHS = re.compile(r"(?<![\w.}])/(?:root|work|Users)/|/tmp/[a-z]/|"
                           r"(?<![\w.}])/ho" r"me/(?!(?:alice|dev|user|runner|node|ci)\b)")
MARKDOWN_LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")  # to a file of the tree
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"][^>"]+[>"])')


class Tree(NamedTuple):
    top: pathlib.Path
    files: dict  # path relative to top, with forward slashes -> lines

    def under(self, folder, *suffixes):
        return ((p, ls) for p, ls in self.files.items() if p.startswith(folder) and p.endswith(suffixes))


def read_tree(top):
    files = {}
    for folder, folders, names in os.walk(top):
        at_top = pathlib.Path(folder) == top
        folders[:] = [f for f in folders if f not in SKIPPED_NAMES and not (at_top and re.match(r"build(-|$)", f))]
        for name in sorted(set(names) - SKIPPED_NAMES):
            path = pathlib.Path(folder, name)
            if path.is_symlink() or not path.is_file():
                continue
            octets = path.read_bytes()
            if b"\0" not in octets:
                files[path.relative_to(top).as_posix()] = octets.decode(errors="replace").split("\n")
    return Tree(top, dict(sorted(files.items())))


def includes(lines):
    for number, line in enumerate(lines, 1):
        if found := INCLUDE.match(line):
            yield number, found[1]


def include_direction(tree):
    for path, lines in tree.under("userspace/", ".h", ".cc"):
        folder = path.split("/")[1]
        if folder == "cli" or folder not in FOLDERS:
            continue
        for number, header in includes(lines):
            target = header.strip('<>"').split("/")[0]
            if target in FOLDERS and target not in MAY_INCLUDE[folder] | {folder} and header.startswith('"'):
                yield path, number, f"{folder} must not include {header}"


def known_folders(tree):
    for path, _ in tree.under("userspace/", ".h", ".cc"):
        parts = path.split("/")
        if len(parts) < 3 or parts[1] not in FOLDERS:
            yield path, 1, "not in a folder that tests/check/sources.py knows"


def libraries_in_their_place(tree):
    for path, lines in tree.under("userspace/", ".h", ".cc"):
        for number, header in includes(lines):
            for library, pattern, places in LIBRARIES:
                if pattern.search(header) and not path.removeprefix("userspace/").startswith(places):
                    yield path, number, f"{library} is for {' and '.join(places)} alone"


def json_is_written_by_one(tree):
    for path, lines in tree.under("userspace/", ".h", ".cc"):
        for number, line in enumerate(lines, 1):
            if ".dump(" in line and not path.endswith(JSON_WRITERS):
                yield path, number, "JSON is written by base/ascii_json.h, which no terminal obeys"


def kernel_side_stands_alone(tree):
    for path, lines in tree.under("bpf/", ".h", ".c"):
        for number, header in includes(lines):
            if not header.startswith('"'):
                continue
            name = header.strip('"')
            beside = (pathlib.PurePosixPath(path).parent / name).as_posix()
            if not any(c in tree.files and c.startswith("bpf/") for c in (beside, name, f"bpf/{name}")):
                yield path, number, f"bpf/ includes nothing from outside bpf/: {header}"


def kernel_programs_are_licensed(tree):
    for path, lines in tree.under("bpf/", ".bpf.c"):
        if "SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause" not in lines[0]:
            yield path, 1, "the first line must be the SPDX line of the kernel programs (see CONTRIBUTING.md)"


def headers_guard_themselves(tree):
    for path, lines in tree.files.items():
        if path.endswith(".h") and "#pragma once" not in lines:
            yield path, 1, "no #pragma once"


def headers_say_what_they_are(tree):
    for path, lines in tree.files.items():
        if path.endswith(".h") and not lines[0].startswith(("//", "/*")):
            yield path, 1, "a header opens with a comment that says what it is"


def files_stay_readable(tree):
    for path, lines in tree.files.items():
        if pathlib.PurePosixPath(path).suffix in SOURCE_SUFFIXES and "/vmlinux/" not in path and len(lines) > MAX_LINES:
            yield path, len(lines), f"more than {MAX_LINES} lines: split it"


def nothing_is_left_unfinished(tree):
    for path, lines in tree.files.items():
        for number, line in enumerate(lines, 1):
            for found in MARKERS.finditer(line):
                if found[0].lower() not in MARKERS_UPPER_ONLY or found[0].isupper():
                    yield path, number, f"marks unfinished work: {found[0]}"


def no_path_of_one_machine(tree):
    for path, lines in tree.files.items():
        for number, line in enumerate(lines, 1):
            if found := MACHINE_PATHS.search(line):
                yield path, number, f"a path of one machine: {found[0]}"


def links_lead_somewhere(tree):
    for path, lines in tree.files.items():
        if not path.endswith(".md"):
            continue
        for number, line in enumerate(lines, 1):
            for target in MARKDOWN_LINK.findall(line):
                if not (tree.top / pathlib.PurePosixPath(path).parent / target).exists():
                    yield path, number, f"a link to a file that is not there: {target}"


CHECKS = [
    include_direction,
    known_folders,
    libraries_in_their_place,
    json_is_written_by_one,
    kernel_side_stands_alone,
    kernel_programs_are_licensed,
    headers_guard_themselves,
    headers_say_what_they_are,
    files_stay_readable,
    nothing_is_left_unfinished,
    no_path_of_one_machine,
    links_lead_somewhere,
]


def breaches(top):
    tree = read_tree(pathlib.Path(top).resolve())
    return [(check.__name__, *breach) for check in CHECKS for breach in check(tree)]


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: sources.py TOP")
    found = breaches(sys.argv[1])
    for check, path, number, text in found:
        print(f"{path}:{number}: {text} [{check}]")
    print(f"{len(CHECKS)} checks, {len(found)} breaches")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
