// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Ways around the sensor that begin with a connection, a datagram or a raw socket: encrypted DNS and other resolvers than the
 * configured ones. An object of its own, whatever the backend; where it cannot be attached, lookups are seen all the same.
 *
 * A connection costs one look-up in the table of resolvers if its port is one of a few, nothing else.
 */
#include "bypass.bpf.h"

#include <bpf/bpf_endian.h>

#define NSL_PORT_TLS	  853 /* RFC 7858; over QUIC, RFC 9250 */
#define NSL_PORT_HTTPS	  443
#define NSL_PORT_QUIC	  784  /* before RFC 9250 had its port */
#define NSL_PORT_QUIC_TOO 8853 /* the same */
#define NSL_STREAM	  1

/* NSL_RESOLVER_* of addresses; user space fills it. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, struct nsl_address);
	__type(value, nsl_u32);
} nsl_resolvers SEC(".maps");

NSL_INLINE bool nsl_is_loopback(const struct nsl_address *address)
{
	if (address->family == 4)
		return address->octets[0] == 127 || *(const nsl_u32 *)address->octets == 0;
	return *(const nsl_u64 *)address->octets == 0 && *(const nsl_u32 *)(address->octets + 8) == 0 &&
	       bpf_ntohl(*(const nsl_u32 *)(address->octets + 12)) <= 1;
}

/* The technique that such a packet would be, or 0. */
NSL_INLINE nsl_u32 nsl_technique_of(nsl_u32 resolver, nsl_u16 port, bool stream)
{
	if (resolver & NSL_RESOLVER_OWN)
		return 0;
	if (nsl_is_dns_port(port))
		return NSL_OTHER_RESOLVER;
	if (port == NSL_PORT_TLS)
		return stream ? NSL_DNS_OVER_TLS : NSL_DNS_OVER_QUIC;
	if (!(resolver & NSL_RESOLVER_PUBLIC))
		return 0;
	if (port == NSL_PORT_HTTPS)
		return NSL_DNS_OVER_HTTPS;
	return !stream && (port == NSL_PORT_QUIC || port == NSL_PORT_QUIC_TOO) ? NSL_DNS_OVER_QUIC : 0;
}

NSL_INLINE bool nsl_may_be_bypass(nsl_u16 port)
{
	return port == NSL_PORT_TLS || port == NSL_PORT_HTTPS || port == NSL_PORT_QUIC || port == NSL_PORT_QUIC_TOO ||
	       nsl_is_dns_port(port);
}

/* Once for all four hooks. */
static __noinline int nsl_judge_destination(const struct nsl_address *address, nsl_u16 port, bool stream)
{
	const nsl_u32 *found;
	nsl_u32 technique;

	if (!address)
		return 0;
	found = bpf_map_lookup_elem(&nsl_resolvers, address);
	if (!found && nsl_is_loopback(address))
		return 0;
	technique = nsl_technique_of(found ? *found : 0, port, stream);
	if (technique)
		nsl_tell_bypass(nsl_current_sender(), technique, address, port, stream ? NSL_TCP : NSL_UDP);
	return 0;
}

NSL_INLINE void nsl_look_at_destination(struct bpf_sock_addr *context, nsl_u32 family)
{
	const nsl_u16 port = bpf_ntohs((nsl_u16)context->user_port);
	struct nsl_address address = { .family = family };
	nsl_u32 *words = (nsl_u32 *)address.octets;

	if (!nsl_may_be_bypass(port))
		return;
	if (family == 4) {
		words[0] = context->user_ip4;
	} else {
		words[0] = context->user_ip6[0];
		words[1] = context->user_ip6[1];
		words[2] = context->user_ip6[2];
		words[3] = context->user_ip6[3];
		if (!words[0] && !words[1] && words[2] == bpf_htonl(0xffff)) {
			words[0] = words[3];
			words[2] = words[3] = 0;
			address.family = 4;
		}
	}
	nsl_judge_destination(&address, port, context->type == NSL_STREAM);
}

SEC("cgroup/connect4")
int nsl_bypass_connect4(struct bpf_sock_addr *context)
{
	nsl_look_at_destination(context, 4);
	return 1;
}

SEC("cgroup/connect6")
int nsl_bypass_connect6(struct bpf_sock_addr *context)
{
	nsl_look_at_destination(context, 6);
	return 1;
}

SEC("cgroup/sendmsg4")
int nsl_bypass_sendmsg4(struct bpf_sock_addr *context)
{
	nsl_look_at_destination(context, 4);
	return 1;
}

SEC("cgroup/sendmsg6")
int nsl_bypass_sendmsg6(struct bpf_sock_addr *context)
{
	nsl_look_at_destination(context, 6);
	return 1;
}

SEC("cgroup/sock_create")
int nsl_bypass_socket(struct bpf_sock *context)
{
	const struct nsl_address nowhere = {};

	if (context->type == NSL_RAW && !nsl_is_icmp(context->protocol))
		nsl_tell_bypass(nsl_current_sender(), NSL_RAW_SOCKET, &nowhere, (nsl_u16)context->protocol, 0);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
