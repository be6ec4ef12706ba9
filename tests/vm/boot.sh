#!/bin/bash
# boot.sh IMAGE INITRAMFS CONSOLE RESULTS SECONDS [KERNEL_ARGUMENT…]
# Boots one kernel under qemu until the guest powers off. CONSOLE and RESULTS receive the two serial ports. Exits with
# 0 (the machine stopped by itself, be it by a panic) or 124 (still running after SECONDS, and killed).
#
# Software emulation by default, which needs no privilege and is the same everywhere; NSLOOKOUT_VM_ACCEL=kvm is quicker
# where it works. The list of security modules is given because kernels differ in their default: lockdown has to be
# there, and "bpf" must be as on a usual machine. A panic ends the machine (panic=-1 with -no-reboot).
set -euo pipefail

image=$1 initramfs=$2 console=$3 results=$4 seconds=$5
shift 5

exec timeout --kill-after=5 "$seconds" qemu-system-x86_64 \
  -nodefaults -no-user-config -display none -monitor none -no-reboot \
  -machine q35 -accel "${NSLOOKOUT_VM_ACCEL:-tcg,thread=multi,tb-size=256}" -cpu max -smp 2 -m 768 \
  -serial "file:$console" -serial "file:$results" \
  -kernel "$image" -initrd "$initramfs" \
  -append "console=ttyS0 loglevel=4 panic=-1 mitigations=off nokaslr tsc=unstable no_timer_check audit=0 \
random.trust_cpu=1 lsm=lockdown,yama,bpf $*" </dev/null
