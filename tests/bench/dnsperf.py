#!/usr/bin/env -S python3 -B
"""dnsperf.py NSLOOKOUT: queries a second that dnsmasq answers to dnsperf on loopback, without the agent and with it, by backend.
Nothing that is asked for is listed. Needs root, dnsmasq and dnsperf. A missed target is told and is no failure: one machine's
scheduler moves the figures by more than the target allows. baseline.py holds them against those of before.

Runs without and with the agent take turns, so that a slow moment of the machine hits both; ratios are taken within a round, and
of the rounds the median is told. Where there are two CPUs the server has one and dnsperf the other; the agent has both.
"""

import contextlib
import json
import os
import pathlib
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "e2e"))
from harness.client import dns_query
from harness.sandbox import end_with_parent, wait_until

ROUNDS = 9
SECONDS = 2  # of one run
BACKENDS = ("cgroup", "fentry", "kprobe")
TARGET = 0.98  # of the queries a second without the agent
SERVER = "127.53.53.53"
INSIDE = "NSLOOKOUT_BENCH_INSIDE"
SKIPPED = 77  # SKIP_RETURN_CODE in CMakeLists.txt
RATE = re.compile(r"Queries per second:\s+([0-9.]+)")
LOST = re.compile(r"Queries lost:\s+([0-9]+)")


def cpu(number):
    """For preexec_fn: stays on one CPU, and ends with this process."""
    def prepare():
        end_with_parent()
        cpus = sorted(os.sched_getaffinity(0))
        if len(cpus) > 1:
            os.sched_setaffinity(0, {cpus[number]})
    return prepare


@contextlib.contextmanager
def server(folder):
    """dnsmasq that knows every name."""
    process = subprocess.Popen(
        ["dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--user=root", "--group=root", "--no-hosts",
         f"--pid-file={folder / 'dnsmasq.pid'}", "--no-resolv", "--bind-interfaces", f"--listen-address={SERVER}",
         "--address=/#/192.0.2.1", "--log-facility=-"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=cpu(0))
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.connect((SERVER, 53))
            client.settimeout(0.05)
            wait_until(lambda: answers(client), "dnsmasq answers")
        yield
    finally:
        process.terminate()
        process.wait()


def answers(client):
    try:
        client.send(dns_query("ready.test", 1))
        return client.recv(512)
    except (TimeoutError, ConnectionRefusedError):
        return b""


class NoAgent(Exception):
    """It does not start with this backend."""


@contextlib.contextmanager
def agent(binary, backend, folder):
    ready, listed = folder / "ready", folder / "listed.txt"
    ready.unlink(missing_ok=True)
    listed.write_text("listed.dnsperf.test\n")
    process = subprocess.Popen(
        [binary, "run", "--no-config", "--backend", backend, "--list", f"exact:{listed}", "--ready-file", ready,
         "--status-socket", "none"],
        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
    try:
        wait_until(lambda: process.poll() is not None or ready.exists(), "the agent is ready")
        if process.returncode is not None:
            raise NoAgent(process.stderr.read().strip().splitlines()[-1])
        yield
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)


def run(questions):
    """Queries a second. Lost ones would mean that something else than the CPUs was measured."""
    told = subprocess.run(["dnsperf", "-s", SERVER, "-d", questions, "-l", str(SECONDS), "-c", "1", "-T", "1", "-q", "50"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True, preexec_fn=cpu(-1)).stdout
    if int(LOST.search(told)[1]) > 0:
        print(f"dnsperf: {LOST.search(told)[1]} queries were lost", file=sys.stderr)
    return float(RATE.search(told)[1])


def measure(binary, folder):
    questions = folder / "questions.txt"
    questions.write_text("".join(f"host{number}.zone{number % 37}.dnsperf.example A\n" for number in range(5000)))
    rounds, refused = [], {}
    with server(folder):
        run(questions)  # the first one finds everything cold
        for _ in range(ROUNDS):
            rounds.append({"": run(questions)})
            for backend in BACKENDS:
                if backend in refused:
                    continue
                try:
                    with agent(binary, backend, folder):
                        rounds[-1][backend] = run(questions)
                except NoAgent as reason:
                    refused[backend] = str(reason)
    for backend, reason in refused.items():
        print(f"{backend:<8} not measured: {reason}")
    without = statistics.median(one[""] for one in rounds)
    return {backend: {"without": without, "with": statistics.median(one[backend] for one in rounds),
                      "ratio": statistics.median(one[backend] / one[""] for one in rounds)}
            for backend in BACKENDS if backend not in refused}


def report(results):
    """As report.h does it."""
    path = os.environ.get("NSLOOKOUT_BENCH_JSON")
    if not path:
        return
    file = pathlib.Path(path)
    whole = json.loads(file.read_text()) if file.exists() else {}
    whole["dnsperf"] = results
    file.write_text(json.dumps(whole, indent=2) + "\n")


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: dnsperf.py NSLOOKOUT (the agent's binary)")
    for command in ("dnsmasq", "dnsperf"):
        if subprocess.run(["sh", "-c", f"command -v {command}"], stdout=subprocess.DEVNULL).returncode != 0:
            print(f"skipped: {command} is not installed; ./dev packages bench test installs it")
            return SKIPPED
    if INSIDE not in os.environ:
        os.execvpe("unshare", ["unshare", "--net", sys.executable, "-B", *sys.argv], {**os.environ, INSIDE: "1"})
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    with tempfile.TemporaryDirectory(prefix="nslookout-bench-") as folder:
        results = measure(sys.argv[1], pathlib.Path(folder))
    print(f"{'backend':<8} {'q/s without':>12} {'q/s with':>12} {'ratio':>8}   (the target is {TARGET})")
    for backend, of_backend in results.items():
        missed = "" if of_backend["ratio"] >= TARGET else "   missed"
        print(f"{backend:<8} {of_backend['without']:>12.0f} {of_backend['with']:>12.0f} {of_backend['ratio']:>8.3f}{missed}")
    report(results)
    return 0


if __name__ == "__main__":
    sys.exit(main())
