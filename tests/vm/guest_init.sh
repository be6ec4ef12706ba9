#!/bin/busybox sh
# shellcheck shell=dash
# The guest's first and only process: mounts what the sensor needs, runs the kernel tests once for each backend, powers
# off. The console is the first serial port; the results go to the second, so that no kernel message lands in a line:
#   begin BACKEND / the test's output / end BACKEND status=N / … / done
# Backends, the seconds each may take and which tests come from the kernel's command line.
/bin/busybox --install -s /bin
export PATH=/bin HOME=/ TMPDIR=/tmp
# The results port is a terminal, but the host reads it.
export GTEST_COLOR=no

mount -t devtmpfs dev /dev
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t tmpfs tmp /tmp
mount -t tmpfs run /run
mkdir -p /dev/shm && mount -t tmpfs shm /dev/shm
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t bpf bpf /sys/fs/bpf
mount -t tracefs tracefs /sys/kernel/tracing
mount -t securityfs securityfs /sys/kernel/security
ip link set lo up
hostname guest

stty -F /dev/ttyS1 raw
exec >/dev/ttyS1 2>&1

backends=$(sed -n 's/.*nslookout\.backends=\([^ ]*\).*/\1/p' /proc/cmdline | tr , ' ')
seconds=$(sed -n 's/.*nslookout\.seconds=\([^ ]*\).*/\1/p' /proc/cmdline)
filter=$(sed -n 's/.*nslookout\.filter=\([^ ]*\).*/\1/p' /proc/cmdline)

echo "release $(uname -r)"
for backend in $backends; do
  echo "begin $backend"
  NSLOOKOUT_TEST_BACKEND=$backend timeout -k 5 "$seconds" /kernel_test --gtest_filter="$filter" </dev/null
  status=$?
  # A test that died inside a line must not swallow the next one.
  echo
  echo "end $backend status=$status uptime=$(cut -d' ' -f1 /proc/uptime)"
done
echo "done"
poweroff -f
