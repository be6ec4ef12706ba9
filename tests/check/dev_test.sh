#!/bin/bash
# dev_test.sh TOP: ./dev with a stand-in for dpkg-query and apt-get: what it asks of apt, and what it says when that fails.
set -euo pipefail

top=$1
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failures=0

expect() {
  local what=$1 wanted=$2 got=$3
  if [ "$wanted" != "$got" ]; then
    printf 'FAILED %s\n  wanted: %s\n  got:    %s\n' "$what" "$wanted" "$got"
    failures=$((failures + 1))
  fi
}

# dpkg-query of the stand-in: every package asked for is installed but those of $MISSING (never heard of: status 1) and
# of $REMOVED (only its configuration is left).
cat >"$work/dpkg-query" <<'END'
#!/bin/bash
status=0
for package in "${@:3}"; do
  case " $MISSING " in *" $package "*) status=1; continue ;; esac
  case " $REMOVED " in *" $package "*) echo "rc  $package"; continue ;; esac
  echo "ii  $package"
done
exit $status
END
cat >"$work/apt-get" <<'END'
#!/bin/bash
words=()
for word in "$@"; do case $word in -* | *=* | *::*) ;; *) words+=("$word") ;; esac; done
echo "${words[*]}" >>"$CALLS"
[ "${words[0]}" != "$APT_FAILS" ]
END
# No root needed: nothing is installed.
printf '#!/bin/bash\necho 0\n' >"$work/id"
chmod +x "$work"/*

# dev MISSING REMOVED APT_FAILS ARGUMENT…: sets calls, status, out, err
dev() {
  : >"$work/calls"
  status=0
  MISSING=$1 REMOVED=$2 APT_FAILS=$3 CALLS=$work/calls PATH=$work:$PATH "$top/dev" "${@:4}" \
    >"$work/out" 2>"$work/err" </dev/null || status=$?
  calls=$(paste -sd';' "$work/calls") out=$(<"$work/out") err=$(<"$work/err")
}

dev "" "" none packages build test lint fuzz
expect "all there: status" 0 "$status"
expect "all there: apt is left alone" "" "$calls"
expect "all there: silence" "" "$out$err"

dev "g++ libgtest-dev" "cmake" none packages build
expect "missing: only the group's, and those removed" "update;install g++ cmake" "$calls"
expect "missing: standard output stays clean" "" "$out"

dev "libgtest-dev" "" none packages
expect "the default is build and test" "update;install libgtest-dev" "$calls"

dev "g++" "" update packages build
expect "update fails: status" 1 "$status"
expect "update fails: nothing is installed" "update" "$calls"
expect "update fails: the step is named" yes "$(grep -q 'failed: apt-get update' <<<"$err" && echo yes)"

dev "g++" "" install packages build
expect "install fails: status" 1 "$status"
expect "install fails: the step and the advice" 2 "$(grep -cE 'failed: apt-get install|what to do:' <<<"$err")"

dev "" "" none no-such-command
expect "unknown command: status" 2 "$status"
expect "unknown command: standard output stays clean" "" "$out"

dev "" "" none
expect "no command: help, status" 0 "$status"
expect "no command: help" yes "$(grep -q '^./dev COMMAND' <<<"$out" && echo yes)"

[ "$failures" -eq 0 ] && echo "all as expected"
