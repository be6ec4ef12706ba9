// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The cgroup backend: egress of the root cgroup sees every packet of every local socket; the connect and sendmsg hooks
 * say where a process meant to send before a NAT changed it. Attach points; the work is in the headers.
 */
#include "kernel_types.bpf.h"

#include "egress.bpf.h"
#include "refusals.bpf.h"
#include "sockets.bpf.h"
#include "tcp.bpf.h"

/* What an egress program says of a packet. 2 drops it and, unlike 0, tells the sender nothing, or ENOBUFS if it asked for
 * errors (IP_RECVERR): __cgroup_bpf_run_filter_skb, the same from 5.10 on. */
#define NSL_PASS 1
#define NSL_DROP 2

static __noinline int nsl_drop(struct __sk_buff *skb)
{
	nsl_count(NSL_COUNT_blocked);
	if (nsl_named_while_connected)
		nsl_forget_named(skb);
	return 0;
}

/* A packet in which neither UDP nor TCP was found. */
__noinline int nsl_other_packet(struct __sk_buff *skb, int found)
{
	if (found == NSL_NOT_FOLLOWED) {
		nsl_count(NSL_COUNT_payload_unreadable);
		if (nsl_closes_unfollowed()) {
			nsl_drop(skb);
			return NSL_DROP;
		}
	}
	return nsl_settings.mode == NSL_MODE_ENFORCE && nsl_refuses_answer(skb) ? NSL_DROP : NSL_PASS;
}

SEC("cgroup_skb/egress")
int nsl_egress(struct __sk_buff *skb)
{
	struct nsl_packet packet = {};
	const int found = nsl_find_transport(skb, &packet);

	if (found)
		return nsl_other_packet(skb, found) == NSL_DROP ? NSL_DROP : NSL_PASS;
	if (packet.later_fragment) {
		nsl_count(NSL_COUNT_ip_fragment);
		return NSL_PASS;
	}
	if (nsl_is_dns_port(packet.destination_port) || nsl_asked_dns_port(skb, packet.destination_port)) {
		if (packet.protocol == IPPROTO_UDP ? nsl_udp(skb, &packet) : nsl_tcp(skb, packet.transport)) {
			nsl_drop(skb);
			return NSL_DROP;
		}
	}
	if (nsl_named_while_connected)
		nsl_forget_named(skb);
	return NSL_PASS;
}

SEC("cgroup/connect4")
int nsl_connect4(struct bpf_sock_addr *context)
{
	nsl_note_endpoint(context, 4, true);
	return 1;
}

SEC("cgroup/connect6")
int nsl_connect6(struct bpf_sock_addr *context)
{
	nsl_note_endpoint(context, 6, true);
	return 1;
}

SEC("cgroup/sendmsg4")
int nsl_sendmsg4(struct bpf_sock_addr *context)
{
	nsl_note_endpoint(context, 4, false);
	return 1;
}

SEC("cgroup/sendmsg6")
int nsl_sendmsg6(struct bpf_sock_addr *context)
{
	nsl_note_endpoint(context, 6, false);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
