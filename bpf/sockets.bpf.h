/* What the cgroup backend remembers of a socket that talks to a DNS port: where it was told to send before any NAT, and
 * who uses it (packets that leave from an interrupt have no sender of their own).
 *
 * Written by the connect and sendmsg hooks in the process's context; read at egress. A socket shared by threads that
 * send to several servers at the same time can show one thread's server at another's packet.
 */
#pragma once

#include "compat.bpf.h"
#include "counters.bpf.h"
#include "kernel_types.bpf.h"
#include "maps.bpf.h"
#include "observe.bpf.h"
#include "process.bpf.h"

struct nsl_endpoint {
	nsl_u8 address[16]; /* network order, IPv4 in the first four octets */
	nsl_u16 port;	    /* host order; 0: not set */
	nsl_u8 family;	    /* 4 or 6 */
	nsl_u8 set;	    /* named: a sendmsg() gave it, and it holds for the next packet */
};

struct nsl_socket {
	struct nsl_endpoint connected; /* by connect() */
	struct nsl_endpoint named;     /* by the sendmsg() under way */
	nsl_u32 has_sender;
	nsl_u32 reserved;
	struct nsl_sender sender;
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct nsl_socket);
} nsl_sockets SEC(".maps");

/* A destination named by a sendmsg() holds for its packet alone. On a socket that is not connected the next packet has a
 * name of its own, so the old one need not be forgotten. On a connected socket it must be, which costs every packet of the
 * machine a look at its socket: not 0 once a connected socket was given another destination. */
nsl_u32 nsl_named_while_connected;

/* Where the packet on its way out was meant to go. */
NSL_INLINE const struct nsl_endpoint *nsl_asked_endpoint(const struct nsl_socket *socket)
{
	return socket->named.set ? &socket->named : &socket->connected;
}

NSL_INLINE struct nsl_socket *nsl_socket_of(struct __sk_buff *skb)
{
	struct bpf_sock *sock = skb->sk;

	if (!sock || !(sock = bpf_sk_fullsock(sock)))
		return NULL;
	return bpf_sk_storage_get(&nsl_sockets, sock, NULL, 0);
}

/* Whether the packet was meant for a DNS port, wherever it goes now. */
NSL_INLINE bool nsl_asked_dns_port(struct __sk_buff *skb)
{
	const struct nsl_socket *socket = nsl_socket_of(skb);

	return socket && nsl_is_dns_port(nsl_asked_endpoint(socket)->port);
}

NSL_INLINE void nsl_forget_named(struct __sk_buff *skb)
{
	struct nsl_socket *socket = nsl_socket_of(skb);

	if (socket)
		socket->named.set = 0;
}

/* Notes where the process sends to. connected: by connect(), else by sendmsg(). */
NSL_INLINE void nsl_note_endpoint(struct bpf_sock_addr *context, nsl_u8 family, bool connected)
{
	const nsl_u16 port = bpf_ntohs((nsl_u16)context->user_port);
	const bool dns = nsl_is_dns_port(port);
	struct nsl_endpoint *endpoint;
	struct nsl_socket *socket;
	struct task_struct *task;

	if (!context->sk)
		return;
	/* a socket that was noted before is noted again, so that nothing old stays */
	socket = bpf_sk_storage_get(&nsl_sockets, context->sk, NULL, dns ? BPF_SK_STORAGE_GET_F_CREATE : 0);
	if (!socket) {
		if (dns)
			nsl_count(NSL_COUNT_socket_storage_full);
		return;
	}
	endpoint = connected ? &socket->connected : &socket->named;
	__builtin_memset(endpoint, 0, sizeof *endpoint);
	socket->named.set = !connected;
	if (!connected && context->sk->state == NSL_ESTABLISHED)
		nsl_named_while_connected = 1;
	if (!dns)
		return;
	endpoint->port = port;
	endpoint->family = family;
	if (family == 4) {
		*(nsl_u32 *)endpoint->address = context->user_ip4;
	} else {
		nsl_u32 *words = (nsl_u32 *)endpoint->address;

		words[0] = context->user_ip6[0];
		words[1] = context->user_ip6[1];
		words[2] = context->user_ip6[2];
		words[3] = context->user_ip6[3];
		if (!words[0] && !words[1] && words[2] == bpf_htonl(0xFFFF)) { /* v4-mapped: IPv4 on the wire */
			endpoint->family = 4;
			words[0] = words[3];
			words[2] = words[3] = 0;
		}
	}
	task = nsl_current_sender();
	nsl_describe_sender(&socket->sender, task);
	socket->has_sender = 1;
	if (connected) /* later packets may leave from an interrupt, where the process cannot be read */
		nsl_make_process(&socket->sender.process, task, 0);
}
