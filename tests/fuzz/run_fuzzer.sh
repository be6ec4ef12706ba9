#!/bin/bash
# run_fuzzer.sh FUZZER [ARG…]: one run of a fuzzer, bounded as NSLOOKOUT_FUZZ_SECONDS or NSLOOKOUT_FUZZ_RUNS says; 60 seconds
# where neither does.
set -euo pipefail
fuzzer=$1
bounds=()
shift
if [ -n "${NSLOOKOUT_FUZZ_RUNS:-}" ]; then bounds+=("-runs=$NSLOOKOUT_FUZZ_RUNS"); fi
if [ -n "${NSLOOKOUT_FUZZ_SECONDS:-}" ]; then bounds+=("-max_total_time=$NSLOOKOUT_FUZZ_SECONDS"); fi
if [ ${#bounds[@]} -eq 0 ]; then bounds=(-max_total_time=60); fi
exec "$fuzzer" "${bounds[@]}" "$@"
