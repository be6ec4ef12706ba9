#!/usr/bin/env -S python3 -B
"""matrix.py [KERNEL…] [BACKEND…]: the kernel tests on every kernel of kernels.tsv, once for each backend.

Fetches the kernels, packs the test binary into an initial file system, boots two machines at a time, and prints the
table of kernel x backend, also written to OUT/table.md. OUT keeps the console and the results of each machine.
Exit status: 0 when every combination passed, 1 when one did not, 2 for a wrong command line.
"""

import argparse
import concurrent.futures
import pathlib
import subprocess
import sys
import time

from results import BACKENDS, LAST_LINES, known_large_text, read_known_large, read_results, table

HERE = pathlib.Path(__file__).resolve().parent
TOP = HERE.parent.parent


def read_kernels():
    lines = (HERE / "kernels.tsv").read_text().splitlines()
    return [tuple(line.split("\t")) for line in lines if line and not line.startswith("#")]


def read_verified(kernel):
    return read_known_large((HERE / "verified.tsv").read_text()).get(kernel, {})


def arguments(kernels):
    names = [name for name, _, _ in kernels]
    parser = argparse.ArgumentParser(description="the kernel tests on other kernels, in virtual machines")
    parser.add_argument("words", nargs="*", metavar="KERNEL|BACKEND",
                        help=f"of {', '.join(names)}; {', '.join(BACKENDS)}")
    parser.add_argument("--kernel-test", type=pathlib.Path, default=TOP / "build/kernel_test")
    parser.add_argument("--file", action="append", default=[], help="SOURCE[=PATH]: one more file for the guest")
    parser.add_argument("--out", type=pathlib.Path, default=TOP / "build/vm")
    parser.add_argument("--cache", type=pathlib.Path, default=TOP / ".cache/vm")
    parser.add_argument("--filter", default="*", help="only these tests (as GoogleTest's --gtest_filter)")
    parser.add_argument("--machines", type=int, default=2, help="at a time")
    parser.add_argument("--seconds", type=int, default=900, help="for one backend on one kernel")
    args = parser.parse_args()
    unknown = [word for word in args.words if word not in names and word not in BACKENDS]
    if unknown:
        parser.error(f"neither a kernel nor a backend: {' '.join(unknown)}")
    if not args.kernel_test.is_file():
        parser.error(f"no test binary at {args.kernel_test}: build it first (./dev vm does)")
    chosen = [word for word in args.words if word in names]
    args.kernels = [kernel for kernel in kernels if not chosen or kernel[0] in chosen]
    args.backends = [backend for backend in BACKENDS if backend in args.words] or list(BACKENDS)
    return args


def machines_of(kernels, backends, at_once):
    """(kernel, its backends) of each machine. One for each kernel; where a few would be left over that keep only a part of the
    processors busy, one for each backend of theirs."""
    over = len(kernels) % at_once if len(kernels) > at_once else 0
    whole = len(kernels) - over
    return ([(kernel, backends) for kernel in kernels[:whole]] +
            [(kernel, [backend]) for kernel in kernels[whole:] for backend in backends])


def boot(kernel, backends, args, initramfs):
    """Runs one machine to its end; returns (combinations, what a person needs to see when one failed)."""
    name, suite, version = kernel
    file = name if backends == args.backends else f"{name}-{backends[0]}"
    console, results = args.out / f"{file}.console.txt", args.out / f"{file}.results.txt"
    fetched = subprocess.run([HERE / "fetch_kernel.sh", args.cache, suite, version], stdin=subprocess.DEVNULL,
                             capture_output=True, text=True)
    if fetched.returncode != 0:
        return read_results(name, backends, "", "no kernel"), fetched.stderr

    ran, text, console_text = run_machine(fetched.stdout.strip(), initramfs, console, results, backends, args)
    trouble = trouble_of(ran, text, console_text)
    if trouble in ("kernel panic", "machine stopped early") and "[ RUN " not in text:
        # An emulated machine now and then dies while it boots, before anything of ours has run. Once more, and say so.
        print(f"{name}: {trouble} before the first test; booting it once more\n{last_lines(console_text, 'console')}",
              flush=True)
        ran, text, console_text = run_machine(fetched.stdout.strip(), initramfs, console, results, backends, args)
        trouble = trouble_of(ran, text, console_text)
    return read_results(name, backends, text, trouble, read_verified(name)), ran.stderr + last_lines(console_text, "console")


def run_machine(image, initramfs, console, results, backends, args):
    """Boots it and waits for its end: (the emulator's end, what it wrote to results, and to console)."""
    for path in (console, results):
        path.write_bytes(b"")
    # The guest keeps time for each backend; this is for a machine that hangs as a whole.
    limit = 60 + args.seconds * len(backends)
    # --pdeathsig: no machine outlives a matrix that was itself cut short.
    ran = subprocess.run(["setpriv", "--pdeathsig", "TERM",
                          HERE / "boot.sh", image, initramfs, console, results, str(limit),
                          f"nslookout.backends={','.join(backends)}", f"nslookout.seconds={args.seconds}",
                          f"nslookout.filter={args.filter}"],
                         stdin=subprocess.DEVNULL, capture_output=True, text=True)
    return ran, results.read_text(errors="replace"), console.read_text(errors="replace")


def trouble_of(ran, results_text, console_text):
    if ran.returncode in (124, 137):
        return "machine hung"
    if ran.returncode != 0:
        return f"qemu failed (status {ran.returncode})"
    if "Kernel panic" in console_text:
        return "kernel panic"
    return "" if "\ndone" in results_text else "machine stopped early"


def last_lines(text, what):
    lines = [line.rstrip() for line in text.splitlines()][-LAST_LINES:]
    return f"last lines of the {what}:\n" + "".join(f"  {line}\n" for line in lines)


def report_failures(combinations, machine_text):
    failed = [c for c in combinations if not c.passed]
    for c in failed:
        print(f"\n{c.kernel} {c.backend}: {c.verdict}; failed cases: {', '.join(c.cases['failed']) or 'none named'}")
        for program, verified, allowed in c.too_large:
            print(f"  {program}: the verifier went through {verified:,} instructions, {allowed:,} are allowed: make it smaller, "
                  "or take the line of verified.tsv in the output folder over with the reason")
        print("".join(f"  {line}\n" for line in c.failures), end="")
    if failed:
        print(f"{failed[0].kernel}: {machine_text}", end="", flush=True)


def main():
    args = arguments(read_kernels())
    args.out.mkdir(parents=True, exist_ok=True)
    args.cache.mkdir(parents=True, exist_ok=True)
    # Neither an old table nor a half-made one may pass for this run's.
    table_file = args.out / "table.md"
    table_file.unlink(missing_ok=True)

    initramfs = args.out / "initramfs.cpio"
    subprocess.run([HERE / "pack_initramfs.sh", initramfs, HERE / "guest_init.sh", f"{args.kernel_test}=/kernel_test",
                    *args.file], stdin=subprocess.DEVNULL, check=True)

    started = time.monotonic()
    combinations = []
    with concurrent.futures.ThreadPoolExecutor(max_workers=args.machines) as pool:
        machines = [pool.submit(boot, kernel, backends, args, initramfs)
                    for kernel, backends in machines_of(args.kernels, args.backends, args.machines)]
        for machine in machines:
            outcome, machine_text = machine.result()
            report_failures(outcome, machine_text)
            combinations += outcome

    text = table(combinations)
    table_file.write_text(text)
    (args.out / "verified.tsv").write_text(known_large_text(combinations))
    passed = sum(c.passed for c in combinations)
    print(f"\n{text}\n{passed} of {len(combinations)} combinations passed in {time.monotonic() - started:.0f} s")
    return 0 if passed == len(combinations) else 1


if __name__ == "__main__":
    sys.exit(main())
