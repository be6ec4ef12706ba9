/* Layers three and four of a packet as cgroup_skb programs see it: the data begins with the IP header, and the headers
 * are in the linear part.
 */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <linux/in.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "abi.h"
#include "verifier.bpf.h"

#define NSL_IP_OFFSET_MASK    0x1FFF
#define NSL_EXTENSION_HEADERS 6 /* of IPv6 that are skipped; more make it no packet of ours */

struct nsl_packet {
	nsl_u32 transport;		       /* offset of the UDP or TCP header */
	nsl_u32 payload;		       /* offset of what follows that header */
	nsl_u16 source_port, destination_port; /* host order */
	nsl_u8 family;			       /* 4 or 6 */
	nsl_u8 protocol;		       /* IPPROTO_UDP, IPPROTO_TCP */
	bool later_fragment;		       /* has no transport header */
};

/* Whether an IPv6 header of this type is skipped. One test: for each type of its own the verifier would go on by itself. */
NSL_INLINE bool nsl_is_extension(nsl_u32 type)
{
	const nsl_u64 skipped = 1ull << IPPROTO_HOPOPTS | 1ull << IPPROTO_ROUTING | 1ull << IPPROTO_DSTOPTS |
				1ull << IPPROTO_FRAGMENT | 1ull << IPPROTO_AH;

	return type < 64 && skipped >> type & 1;
}

/* 0, or -1 if it is neither UDP nor TCP. */
NSL_INLINE int nsl_find_transport(struct __sk_buff *skb, struct nsl_packet *packet)
{
	void *data = (void *)(long)skb->data, *data_end = (void *)(long)skb->data_end;

	packet->later_fragment = false;
	if (skb->protocol == bpf_htons(0x0800)) {
		const struct iphdr *ip = data;

		if ((void *)(ip + 1) > data_end)
			return -1;
		packet->family = 4;
		packet->protocol = ip->protocol;
		packet->transport = (nsl_u32)ip->ihl * 4;
		packet->later_fragment = (ip->frag_off & bpf_htons(NSL_IP_OFFSET_MASK)) != 0;
	} else if (skb->protocol == bpf_htons(0x86DD)) {
		const struct ipv6hdr *ip = data;
		nsl_u32 offset = sizeof *ip;
		nsl_u8 next;

		if ((void *)(ip + 1) > data_end)
			return -1;
		packet->family = 6;
		next = ip->nexthdr;
		if (next != IPPROTO_UDP && next != IPPROTO_TCP) {
			for (int i = 0; i < NSL_EXTENSION_HEADERS; i++) {
				nsl_u8 header[4];

				if (!nsl_is_extension(next))
					break;
				if (bpf_skb_load_bytes(skb, offset, header, sizeof header))
					return -1;
				if (next == IPPROTO_FRAGMENT) {
					if ((header[2] << 8 | header[3]) & 0xFFF8)
						packet->later_fragment = true;
					offset += 8;
				} else {
					offset += next == IPPROTO_AH ? (header[1] + 2u) * 4 : (header[1] + 1u) * 8;
				}
				next = header[0];
				NSL_FORGET(offset);
			}
			NSL_FORGET(offset);
			/* the helper may have moved nothing, but the verifier wants the pointers anew */
			data = (void *)(long)skb->data;
			data_end = (void *)(long)skb->data_end;
		}
		packet->protocol = next;
		packet->transport = offset & 0x7FF;
	} else {
		return -1;
	}

	if (packet->protocol != IPPROTO_UDP && packet->protocol != IPPROTO_TCP)
		return -1;
	if (packet->later_fragment)
		return 0;

	const struct udphdr *ports = data + packet->transport; /* TCP's ports are at the same place */

	if ((void *)(ports + 1) > data_end)
		return -1;
	packet->source_port = bpf_ntohs(ports->source);
	packet->destination_port = bpf_ntohs(ports->dest);
	packet->payload = packet->transport + sizeof *ports;
	return 0;
}

/* Source and destination addresses into 16 octets each, IPv4 (v4-mapped too: that is what is on the wire) in the first
 * four. */
NSL_INLINE void nsl_read_addresses(struct __sk_buff *skb, nsl_u8 family, nsl_u8 *source, nsl_u8 *destination)
{
	if (family == 4) {
		bpf_skb_load_bytes(skb, offsetof(struct iphdr, saddr), source, 4);
		bpf_skb_load_bytes(skb, offsetof(struct iphdr, daddr), destination, 4);
	} else {
		bpf_skb_load_bytes(skb, offsetof(struct ipv6hdr, saddr), source, 16);
		bpf_skb_load_bytes(skb, offsetof(struct ipv6hdr, daddr), destination, 16);
	}
}
