#!/bin/sh
# What the machine of machine_test.py does: the installed unit is started, asked, reloaded, stopped, and its journal read.
# Each step writes KEY=VALUE, or a block between "begin KEY" and "end KEY", to the second serial port.
exec >/dev/ttyS1 2>&1 </dev/null
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8

block() {
  echo "begin $1"
  shift
  "$@"
  echo "end"
}

# until_true COMMAND…   waits for it, a minute at the most.
until_true() {
  tries=0
  until "$@" >/dev/null 2>&1; do
    tries=$((tries + 1))
    [ "$tries" -lt 300 ] || return 1
    sleep 0.2
  done
}

journal() { journalctl --unit nslookout.service --output cat --no-pager; }
journal_has() { journal | grep -q -- "$1"; }
property() { systemctl show --property "$1" --value nslookout.service; }

echo "enabled=$(systemctl is-enabled nslookout.service)"
systemctl start nslookout.service
echo "start=$?"
echo "state=$(property ActiveState)/$(property SubState)"
echo "memory_max=$(property MemoryMax)"
echo "cgroup=$(cat "/proc/$(property MainPID)/cgroup")"
block status grep -E '^(Cap|NoNewPrivs|Seccomp)' "/proc/$(property MainPID)/status"

# There is no name server: the question leaves all the same.
getent hosts sfrclak.com
until_true journal_has '"query":"sfrclak.com"'
echo "seen=$?"

printf 'title: Another Name\nid: 0d9ef7b1-0c8d-4b21-9d3a-0c3a0fb7a4d1\nlogsource: {category: dns}\ndetection: {selection: {query: [second.example, forward.example, back.example]}, condition: selection}\nlevel: high\n' \
  >/etc/nslookout/rules/own.yml
systemctl reload nslookout.service
echo "reload=$?"
until_true journal_has 'generation 2: '
echo "reloaded=$?"
getent hosts second.example
until_true journal_has '"query":"second.example"'
echo "seen_after_reload=$?"

# stepped NAME STEP   the clock is stepped while the agent runs, and then the name is looked up
stepped() {
  date --set "$2" >/dev/null
  echo "$1_step=$?"
  echo "$1_before=$(date +%s.%N)"
  getent hosts "$1.example"
  echo "$1_after=$(date +%s.%N)"
  until_true journal_has "\"query\":\"$1.example\""
}
stepped forward '+1 hour'
stepped back '-2 hours'

# In enforce, a client in a network namespace of its own gets its answer there.
mkdir -p /etc/nslookout/conf.d
echo 'mode: enforce' >/etc/nslookout/conf.d/enforce.yaml
systemctl restart nslookout.service
echo "restart=$?"
ip netns add apart
ip -n apart link set lo up
echo "blocked=$(ip netns exec apart perl /usr/local/bin/ask.pl sfrclak.com)"

systemctl stop nslookout.service
echo "stop=$?"
echo "result=$(property Result)/$(property NRestarts)"
block journal journal
echo "done=0"
systemctl poweroff -ff
