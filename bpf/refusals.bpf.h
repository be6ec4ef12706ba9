/* A name that was blocked must not leave in another way: when the answer in the server's place comes after the client has
 * closed its socket, the kernel tells the server that its port is unreachable, and quotes the answer with the name in it.
 */
#pragma once

#include "packet.bpf.h"
#include "settings.bpf.h"

#define NSL_ICMP_UNREACHABLE  3 /* RFC 792 */
#define NSL_ICMP6_UNREACHABLE 1 /* RFC 4443 section 3.1 */
#define NSL_ICMP_HEADER	      8 /* of both; the packet that caused it follows */
#define NSL_ICMP6_PROTOCOL    58

/* Whether a packet says that nobody took a datagram from a DNS port. Finds its own way through the headers: what it needed of
 * the caller would be kept in registers for every packet. */
__noinline int nsl_refuses_answer(struct __sk_buff *skb)
{
	const bool v4 = skb->protocol == bpf_htons(0x0800);
	nsl_u8 type, first, protocol;
	nsl_u16 port;
	nsl_u32 at = sizeof(struct ipv6hdr);

	if (bpf_skb_load_bytes(skb, 0, &first, sizeof first) ||
	    bpf_skb_load_bytes(skb, v4 ? offsetof(struct iphdr, protocol) : offsetof(struct ipv6hdr, nexthdr),
			       &protocol, 1))
		return 0;
	if (v4)
		at = (first & 15u) * 4;
	if (protocol != (v4 ? IPPROTO_ICMP : NSL_ICMP6_PROTOCOL) || bpf_skb_load_bytes(skb, at, &type, sizeof type) ||
	    type != (v4 ? NSL_ICMP_UNREACHABLE : NSL_ICMP6_UNREACHABLE))
		return 0;

	/* the packet that it quotes */
	at += NSL_ICMP_HEADER;
	if (bpf_skb_load_bytes(skb, at, &first, sizeof first) ||
	    bpf_skb_load_bytes(skb, at + (v4 ? offsetof(struct iphdr, protocol) : offsetof(struct ipv6hdr, nexthdr)),
			       &protocol, 1))
		return 0;
	at += v4 ? (first & 15u) * 4 : sizeof(struct ipv6hdr);
	if (protocol != IPPROTO_UDP || bpf_skb_load_bytes(skb, at, &port, sizeof port))
		return 0;
	return nsl_is_dns_port(bpf_ntohs(port));
}
