#!/usr/bin/env -S python3 -B
"""replay_shared_captures.py NSLOOKOUT SHARED: `nslookout replay` on the captures that are no part of the tree.

Runs the judge that lies beside the captures (two independent readers' answers), then the captures rebuilt from bug reports:
cases.jsonl says which queries and which alerts each must give. Exits with 77, skipped, where the captures are absent.
"""

import collections
import json
import pathlib
import subprocess
import sys
import tempfile


def replay(binary, capture, folder, *sources):
    out = folder / "out.jsonl"
    out.unlink(missing_ok=True)
    done = subprocess.run([binary, "replay", capture, "--observe", "all", "--output", f"jsonl:{out}", *sources],
                          capture_output=True, text=True, timeout=60, check=False)
    events = [json.loads(line) for line in out.read_text().splitlines()] if out.exists() else []
    return done, events


def key_of_event(event):
    dns = event["dns"]
    return dns["query"], dns["record_type_id"], dns["transport"], dns["server"]["ip"]


def key_of_expectation(query):
    return query["query"], query["record_type_id"], query["transport"], query["server"]


def sources_of(case, folder):
    """The names that the case watches, as the list options of the command."""
    names = folder / "watched.txt"
    watched = [name for watch in case.get("watch", []) for name in watch.get("list", [watch.get("domain")])]
    names.write_text("".join(f"{name}\n" for name in watched))
    return ["--list", f"suffix:{names}"] if watched else []


def problems(case, done, events):
    expect = case["expect"]
    if done.returncode != expect.get("exit", 0):
        yield f"exit code {done.returncode}: {done.stderr}"
    seen = collections.Counter(key_of_event(event) for event in events)
    wanted = collections.Counter(key_of_expectation(q) for q in expect.get("queries", expect.get("queries_at_least", [])))
    allowed = wanted + collections.Counter(key_of_expectation(q) for q in expect.get("queries_allowed", []))
    for text, keys in (("missing", wanted - seen), ("not asked", seen - allowed)):
        for key in keys:
            yield f"{text}: {key}"
    alerts = [event["dns"]["query"] for event in events if event["kind"] == "KIND_MATCH"]
    if "alert_queries" in expect and collections.Counter(alerts) != collections.Counter(expect["alert_queries"]):
        yield f"alerts for {alerts}"
    for name in expect.get("alerts", []):
        if not any(alert == name or alert.endswith("." + name) for alert in alerts):
            yield f"no alert for {name}"
    if expect.get("alerts") == [] and alerts:
        yield f"alerts for {alerts}"


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: replay_shared_captures.py NSLOOKOUT SHARED")
    binary, captures = sys.argv[1], pathlib.Path(sys.argv[2], "pcap")
    judge = captures / "replay_judge.py"
    if not judge.exists():
        print(f"skipped: {judge} is absent; set NSLOOKOUT_SHARED to its folder")
        return 77
    failed = subprocess.run([sys.executable, "-B", judge, binary], check=False).returncode != 0

    cases = [json.loads(line) for line in (captures / "bugs" / "cases.jsonl").read_text().splitlines()]
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        for case in cases:
            done, events = replay(binary, captures / "bugs" / case["pcap"], folder, *sources_of(case, folder))
            for problem in problems(case, done, events):
                print(f"{case['id']} ({case['about']}): {problem}")
                failed = True
    print(f"{len(cases)} captures of bug reports")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
