// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The fentry backend: BPF trampolines on the kernel's UDP send functions. Attach points only. */
#include "sendmsg.bpf.h"

SEC("fentry/udp_sendmsg")
int BPF_PROG(nsl_udp_sendmsg, struct sock *sock, struct msghdr *message, unsigned long length)
{
	return nsl_enter(NSL_HOOK_V4, sock, message, length);
}

SEC("fentry/udpv6_sendmsg")
int BPF_PROG(nsl_udpv6_sendmsg, struct sock *sock, struct msghdr *message, unsigned long length)
{
	return nsl_enter(NSL_HOOK_V6, sock, message, length);
}

SEC("fexit/udp_sendmsg")
int BPF_PROG(nsl_udp_sent, struct sock *sock, struct msghdr *message, unsigned long length, int sent)
{
	return nsl_return(sent);
}

SEC("fexit/udpv6_sendmsg")
int BPF_PROG(nsl_udpv6_sent, struct sock *sock, struct msghdr *message, unsigned long length, int sent)
{
	return nsl_return(sent);
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
