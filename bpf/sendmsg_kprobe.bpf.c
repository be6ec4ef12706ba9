// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The kprobe backend: where the kernel refuses trampolines. Attach points only. */
#include "kernel_types.bpf.h"

#include <linux/ptrace.h>

#include "sendmsg.bpf.h"

SEC("kprobe/udp_sendmsg")
int BPF_KPROBE(nsl_udp_sendmsg, struct sock *sock, struct msghdr *message, unsigned long length)
{
	return nsl_enter(NSL_HOOK_V4, sock, message, length);
}

SEC("kprobe/udpv6_sendmsg")
int BPF_KPROBE(nsl_udpv6_sendmsg, struct sock *sock, struct msghdr *message, unsigned long length)
{
	return nsl_enter(NSL_HOOK_V6, sock, message, length);
}

SEC("kretprobe/udp_sendmsg")
int BPF_KRETPROBE(nsl_udp_sent, int sent)
{
	return nsl_return(sent);
}

SEC("kretprobe/udpv6_sendmsg")
int BPF_KRETPROBE(nsl_udpv6_sent, int sent)
{
	return nsl_return(sent);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
