// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Responses: ingress of the root cgroup sees every packet that reaches a local socket, whatever backend saw the query, and
 * behind any NAT: from whom the process asked. Loaded only where responses are wanted. Attach point; the work is in the
 * headers.
 */
#include "kernel_types.bpf.h"

#include "response_tcp.bpf.h"
#include "settings.bpf.h"

SEC("cgroup_skb/ingress")
int nsl_ingress(struct __sk_buff *skb)
{
	struct nsl_packet packet = {};
	struct nsl_exchange exchange = {};

	if (nsl_find_transport(skb, &packet) || packet.later_fragment || !nsl_is_dns_port(packet.source_port))
		return 1;
	nsl_fill_exchange(&exchange, skb, &packet);
	if (packet.protocol == IPPROTO_TCP) {
		nsl_take_tcp_responses(skb, packet.transport, &exchange);
	} else {
		nsl_u32 at = packet.payload, length = skb->len - at;

		NSL_FORGET(at);
		NSL_FORGET(length);
		if (length <= 0xFFFF)
			nsl_take_response(skb, at, length, &exchange);
	}
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
