#!/bin/bash
# run_fuzzer.sh FUZZER [ARG…]: one run of a fuzzer, bounded as NSLOOKOUT_FUZZ_SECONDS or NSLOOKOUT_FUZZ_RUNS says; 60 seconds
# where neither does. NSLOOKOUT_FUZZ_SEED: where its random numbers begin.
set -euo pipefail
fuzzer=$1
bounds=()
shift
if [ -n "${NSLOOKOUT_FUZZ_RUNS:-}" ]; then bounds+=("-runs=$NSLOOKOUT_FUZZ_RUNS"); fi
if [ -n "${NSLOOKOUT_FUZZ_SECONDS:-}" ]; then bounds+=("-max_total_time=$NSLOOKOUT_FUZZ_SECONDS"); fi
if [ ${#bounds[@]} -eq 0 ]; then bounds=(-max_total_time=60); fi
if [ -n "${NSLOOKOUT_FUZZ_SEED:-}" ]; then bounds+=("-seed=$NSLOOKOUT_FUZZ_SEED"); fi
# What is freed comes back soon enough to stay in the cache: inputs are small, and a run frees less than this. Nothing is
# filled, and of the calls that led to a block two are kept: a finding is run once more without these to see all of them.
# Fuzzers that take much memory and give it back are several times as fast so.
export ASAN_OPTIONS="quarantine_size_mb=2:thread_local_quarantine_size_kb=256:malloc_context_size=2:max_malloc_fill_size=0${ASAN_OPTIONS:+:$ASAN_OPTIONS}"
exec "$fuzzer" "${bounds[@]}" -print_funcs=0 "$@"
