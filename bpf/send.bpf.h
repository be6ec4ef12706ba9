/* A send as the kernel is about to take it (udp_sendmsg, udpv6_sendmsg): where the datagram goes, and how it is cut.
 *
 * What is noted of it, a copy of its octets among it, lives in per-CPU memory, apart for each hook. The kernel does not start
 * a program again on a CPU where it is under way (and counts that: the metric program_missed), so nobody else writes to it
 * meanwhile.
 */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>

#include "counters.bpf.h"
#include "payload.bpf.h"

#define NSL_MSG_OOB	0x1
#define NSL_MSG_PROBE	0x10
#define NSL_MSG_MORE	0x8000
#define NSL_AF_UNSPEC	0
#define NSL_AF_INET	2
#define NSL_AF_INET6	10
#define NSL_SOL_UDP	17
#define NSL_UDP_SEGMENT 103
#define NSL_UDP_HEADER	8
#define NSL_NAME_V6	24 /* octets of the shortest sockaddr_in6 that the kernel takes */

enum nsl_hook { NSL_HOOK_V4, NSL_HOOK_V6, NSL_HOOKS };

/* One send, as the hook found it. */
struct nsl_send {
	struct nsl_iter iter;
	nsl_u64 socket;	 /* address of the struct sock: names the cork */
	nsl_u64 message; /* of the struct msghdr */
	nsl_u64 name;	 /* of the name in it, or 0 */
	nsl_u8 server[16], source[16];
	nsl_u16 server_port, source_port;
	nsl_u16 name_family; /* AF_* */
	nsl_u8 family;
	nsl_u8 pending;	    /* the datagram is begun: earlier pieces wait in the kernel */
	nsl_u32 candidates; /* set aside so far */
	nsl_u32 at_once;    /* handed over before the return */
	nsl_u8 octets[NSL_PAYLOAD_BUFFER];
	struct nsl_candidate candidate;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NSL_HOOKS);
	__type(key, nsl_u32);
	__type(value, struct nsl_send);
} nsl_sends SEC(".maps");

NSL_INLINE struct nsl_send *nsl_send_of(nsl_u32 hook)
{
	return bpf_map_lookup_elem(&nsl_sends, &hook);
}

/* ---- where it goes ----------------------------------------------------------------------------------------------- */

NSL_INLINE bool nsl_is_mapped(const nsl_u8 *address)
{
	const nsl_u32 *words = (const nsl_u32 *)address;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xFFFF);
}

/* Port of the server in network order, 0: there is none, or the send is none of this hook. While a datagram is begun the
 * kernel appends to it, whatever the send names. Of the send, name and name_family are filled in. */
NSL_INLINE nsl_u16 nsl_read_port(enum nsl_hook hook, struct sock *sock, struct msghdr *message, int pending,
				 const nsl_u8 **name, nsl_u16 *name_family)
{
	struct inet_sock *inet = (void *)sock;
	nsl_u16 header[2] = {}; /* sa_family, port */

	*name = BPF_CORE_READ(message, msg_name);
	if (*name)
		bpf_probe_read_kernel(header, sizeof header, *name);
	*name_family = header[0];
	if (pending) {
		if (pending != (hook == NSL_HOOK_V4 ? NSL_AF_INET : NSL_AF_INET6))
			return 0;
		return hook == NSL_HOOK_V4 ? BPF_CORE_READ(inet, cork.fl.u.ip4.uli.ports.dport)
					   : BPF_CORE_READ(inet, cork.fl.u.ip6.uli.ports.dport);
	}
	/* udpv6_sendmsg takes a name without a family for none, udp_sendmsg for an IPv4 one */
	if (*name && (hook == NSL_HOOK_V4 || header[0] != NSL_AF_UNSPEC))
		return header[1];
	if (BPF_CORE_READ(sock, __sk_common.skc_state) != NSL_ESTABLISHED)
		return 0;
	return BPF_CORE_READ(sock, __sk_common.skc_dport);
}

NSL_INLINE void nsl_read_v4_addresses(struct nsl_send *send, struct inet_sock *inet)
{
	nsl_u32 *server = (nsl_u32 *)send->server;

	if (send->pending)
		*server = BPF_CORE_READ(inet, cork.fl.u.ip4.daddr);
	else if (send->name)
		bpf_probe_read_kernel(server, sizeof *server, (const nsl_u8 *)send->name + 4);
	else
		*server = BPF_CORE_READ(inet, sk.__sk_common.skc_daddr);
	*(nsl_u32 *)send->source = BPF_CORE_READ(inet, inet_saddr);
}

/* Not 0: the send goes on to udp_sendmsg, or fails. */
NSL_INLINE int nsl_read_v6_addresses(struct nsl_send *send, struct inet_sock *inet)
{
	const struct sock_common *common = &inet->sk.__sk_common;
	const struct msghdr *message = (const void *)send->message;
	const int length = BPF_CORE_READ(message, msg_namelen);

	if (send->name && send->name_family != NSL_AF_UNSPEC) {
		if (send->name_family != NSL_AF_INET6 || length < NSL_NAME_V6)
			return -1;
		bpf_probe_read_kernel(send->server, sizeof send->server, (const nsl_u8 *)send->name + 8);
		if (nsl_is_mapped(send->server))
			return -1;
	} else if (send->name && length < (int)sizeof send->name_family) {
		return -1;
	} else if (!send->pending) {
		bpf_core_read(send->server, sizeof send->server, &common->skc_v6_daddr);
		/* with a name that counts for none, the kernel does not ask whether the peer has an IPv4 address */
		if (!send->name && nsl_is_mapped(send->server))
			return -1;
	}
	if (send->pending)
		bpf_core_read(send->server, sizeof send->server, &inet->cork.fl.u.ip6.daddr);
	bpf_core_read(send->source, sizeof send->source, &common->skc_v6_rcv_saddr);
	return 0;
}

/* Fills in where the datagram goes and comes from. Not 0: it goes on to the other hook, or nowhere. (Global functions: see
 * cgroup.bpf.c.) */
__noinline int nsl_read_addresses(nsl_u32 hook)
{
	struct nsl_send *send = nsl_send_of(hook);
	struct inet_sock *inet;

	if (!send)
		return -1;
	inet = (void *)send->socket;
	send->source_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	__builtin_memset(send->server, 0, sizeof send->server);
	__builtin_memset(send->source, 0, sizeof send->source);
	if (hook == NSL_HOOK_V6) {
		send->family = 6;
		return nsl_read_v6_addresses(send, inet);
	}
	send->family = 4;
	nsl_read_v4_addresses(send, inet);
	return 0;
}

/* ---- how it is cut ------------------------------------------------------------------------------------------------ */

/* A walk over the control messages, in one register: where the next one is, UDP_SEGMENT of the last one that said it. As many
 * as the kernel takes with its usual net.core.optmem_max: three loops, for the verifier checks each by itself. */
#define NSL_CONTROLS_EACH   16
#define NSL_CONTROLS_BLOCKS 32 /* of NSL_CONTROLS_EACH times NSL_CONTROLS_EACH */
#define NSL_CONTROLS_AT	    0xFFFFFFFFull
#define NSL_CONTROLS_SIZE   0xFFFF00000000ull
#define NSL_CONTROLS_SAID   (1ull << 48)
#define NSL_CONTROLS_END    (1ull << 49)

NSL_INLINE nsl_u64 nsl_walk_control(const nsl_u8 *control, nsl_u64 length, nsl_u64 walk)
{
	const nsl_u64 at = walk & NSL_CONTROLS_AT;
	struct cmsghdr_kernel header;
	nsl_u16 size = 0;

	if (at + sizeof header > length || bpf_probe_read_kernel(&header, sizeof header, control + at))
		return walk | NSL_CONTROLS_END;
	if (header.length < sizeof header || header.length > length - at)
		return walk | NSL_CONTROLS_END; /* the send fails */
	if (header.level == NSL_SOL_UDP && header.type == NSL_UDP_SEGMENT) {
		bpf_probe_read_kernel(&size, sizeof size, control + at + sizeof header);
		walk = (walk & ~NSL_CONTROLS_SIZE) | (nsl_u64)size << 32 | NSL_CONTROLS_SAID;
	}
	return walk + ((header.length + 7) & ~7ull);
}

__noinline nsl_u64 nsl_walk_controls(nsl_u32 hook, nsl_u64 walk)
{
	struct nsl_send *send = nsl_send_of(hook);
	const struct msghdr *message;
	const nsl_u8 *control;
	nsl_u64 length;

	if (!send)
		return walk | NSL_CONTROLS_END;
	message = (const void *)send->message;
	control = BPF_CORE_READ(message, msg_control);
	length = BPF_CORE_READ(message, msg_controllen);
	for (int i = 0; i < NSL_CONTROLS_EACH && !(walk & NSL_CONTROLS_END); i++) {
		walk = nsl_walk_control(control, length, walk);
		NSL_FORGET_HERE(walk);
	}
	return walk;
}

__noinline nsl_u64 nsl_walk_block_of_controls(nsl_u32 hook, nsl_u64 walk)
{
	for (int i = 0; i < NSL_CONTROLS_EACH && !(walk & NSL_CONTROLS_END); i++)
		walk = nsl_walk_controls(hook, walk);
	return walk;
}

__noinline nsl_u64 nsl_walk_all_controls(nsl_u32 hook)
{
	nsl_u64 walk = 0;

	for (int i = 0; i < NSL_CONTROLS_BLOCKS && !(walk & NSL_CONTROLS_END); i++)
		walk = nsl_walk_block_of_controls(hook, walk);
	return walk;
}

/* Octets of each message of the datagram, 0 if it is one: UDP_SEGMENT as a control message or as a socket option; of a
 * datagram that is begun, as it was then. */
NSL_INLINE nsl_u32 nsl_read_gso_size(nsl_u32 hook, struct sock *sock, struct msghdr *message, int pending)
{
	struct udp_sock *udp = (void *)sock;
	nsl_u64 walk;

	if (pending)
		return BPF_CORE_READ(udp, inet.cork.base.gso_size);
	if (BPF_CORE_READ(message, msg_controllen)) {
		walk = nsl_walk_all_controls(hook);
		if (!(walk & NSL_CONTROLS_END))
			nsl_count(NSL_COUNT_messages_over_limit);
		if (walk & NSL_CONTROLS_SAID)
			return (walk & NSL_CONTROLS_SIZE) >> 32;
	}
	return BPF_CORE_READ(udp, gso_size);
}
