/* Layers three and four of a packet as cgroup_skb programs see it: the data begins with the IP header. The headers that the kernel
 * writes are in the linear part; those that a program wrote, through a raw socket, need not be.
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
#define NSL_EXTENSION_HEADERS 6	    /* of IPv6 that are skipped; with more the packet is not followed */
#define NSL_DIRECT_MAX	      0x7FF /* offset up to which octets are read by direct access */
#define NSL_NOT_FOLLOWED      1

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

/* 0; -1 if it is neither UDP nor TCP, NSL_NOT_FOLLOWED if it can be one. */
NSL_INLINE int nsl_find_transport(struct __sk_buff *skb, struct nsl_packet *packet)
{
	void *data = (void *)(long)skb->data, *data_end = (void *)(long)skb->data_end;
	nsl_u8 octets[4]; /* once: there is little room on the stack of nsl_egress */

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
				if (!nsl_is_extension(next))
					break;
				if (bpf_skb_load_bytes(skb, offset, octets, sizeof octets))
					return -1;
				if (next == IPPROTO_FRAGMENT) {
					offset += 8;
					if ((octets[2] << 8 | octets[3]) & 0xFFF8) {
						packet->later_fragment = true;
						next = octets[0];
						break; /* what follows is no header, whatever this one says */
					}
				} else {
					offset += next == IPPROTO_AH ? (octets[1] + 2u) * 4 : (octets[1] + 1u) * 8;
				}
				next = octets[0];
				NSL_FORGET(offset);
			}
			NSL_FORGET(offset);
			/* the helper may have moved nothing, but the verifier wants the pointers anew */
			data = (void *)(long)skb->data;
			data_end = (void *)(long)skb->data_end;
			if (nsl_is_extension(next) && !packet->later_fragment)
				return NSL_NOT_FOLLOWED;
		}
		packet->protocol = next;
		packet->transport = offset & 0xFFFF;
	} else {
		return -1;
	}

	if (packet->protocol != IPPROTO_UDP && packet->protocol != IPPROTO_TCP)
		return packet->later_fragment && nsl_is_extension(packet->protocol) ? 0 : -1;
	if (packet->later_fragment)
		return 0;

	const struct udphdr *header; /* TCP's ports are at the same place */
	nsl_u64 near = packet->transport;

	NSL_BOUND(near, NSL_DIRECT_MAX);
	header = data + near;
	packet->payload = packet->transport + sizeof *header;
	if (packet->transport <= NSL_DIRECT_MAX && (void *)(header + 1) <= data_end) {
		packet->source_port = bpf_ntohs(header->source);
		packet->destination_port = bpf_ntohs(header->dest);
		return 0;
	}
	if (bpf_skb_load_bytes(skb, packet->transport, octets, sizeof octets))
		return -1;
	packet->source_port = (nsl_u16)(octets[0] << 8 | octets[1]);
	packet->destination_port = (nsl_u16)(octets[2] << 8 | octets[3]);
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
