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
	nsl_u8 address[16]; /* network order, IPv4 in the first four octets; of a DNS port alone */
	nsl_u16 port;	    /* host order; 0: not set */
	nsl_u8 family;	    /* 4 or 6 */
	nsl_u8 set;	    /* named: a sendmsg() gave it, and it holds for the next packet */
};

/* Numbers of nsl_socket.endpoints. */
enum nsl_given {
	NSL_CONNECTED, /* by connect() */
	NSL_NAMED,     /* by the sendmsg() under way */
	NSL_LAST_DNS,  /* the last of either with a DNS port */
	NSL_GIVEN
};

struct nsl_socket {
	struct nsl_endpoint endpoints[NSL_GIVEN];
	nsl_u32 has_sender;
	nsl_u32 reserved;
	struct nsl_sender sender;
};

_Static_assert(sizeof(struct nsl_socket) >= 4 * sizeof(struct nsl_endpoint), "a number of two bits is a place inside");

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

NSL_INLINE struct nsl_socket *nsl_socket_of(struct __sk_buff *skb)
{
	struct bpf_sock *sock = skb->sk;

	if (!sock || !(sock = bpf_sk_fullsock(sock)))
		return NULL;
	return bpf_sk_storage_get(&nsl_sockets, sock, NULL, 0);
}

/* The number of the DNS endpoint that the packet, whose port is now this one, was meant for, or -1. Mostly that is the place given
 * last. Not so for a corked datagram after a connect() (IPv6), behind a send or a connect() that failed, or where another
 * thread named its own: such a packet goes where the socket was told to go before. It is one of those if its port is not the
 * one given last; and if what it was told before is a DNS port and no longer the packet's, a NAT changed that. */
__noinline int nsl_asked_endpoint(struct __sk_buff *skb, nsl_u32 port)
{
	const struct nsl_socket *socket = nsl_socket_of(skb);
	nsl_u32 given = NSL_CONNECTED;
	nsl_u16 last;

	if (!socket)
		return -1;
	if (socket->endpoints[NSL_NAMED].set)
		given = NSL_NAMED;
	last = socket->endpoints[given].port;
	if (nsl_is_dns_port(last))
		return (int)given;
	if (last == port || nsl_is_dns_port((nsl_u16)port))
		return -1;
	return nsl_is_dns_port(socket->endpoints[NSL_LAST_DNS].port) ? NSL_LAST_DNS : -1;
}

/* Whether the packet, which goes to this port now, was meant for a DNS port. Few packets are of a socket that was noted. */
NSL_INLINE bool nsl_asked_dns_port(struct __sk_buff *skb, nsl_u16 port)
{
	return nsl_socket_of(skb) && nsl_asked_endpoint(skb, port) >= 0;
}

NSL_INLINE void nsl_forget_named(struct __sk_buff *skb)
{
	struct nsl_socket *socket = nsl_socket_of(skb);

	if (socket)
		socket->endpoints[NSL_NAMED].set = 0;
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
	if (!connected && !port) { /* no name: the hook runs because of a control message, and shows zero octets */
		socket->endpoints[NSL_NAMED].set = 0;
		return;
	}
	endpoint = &socket->endpoints[connected ? NSL_CONNECTED : NSL_NAMED];
	__builtin_memset(endpoint, 0, sizeof *endpoint);
	endpoint->port = port;
	socket->endpoints[NSL_NAMED].set = !connected;
	if (!connected && context->sk->state == NSL_ESTABLISHED) {
		nsl_named_while_connected = 1;
		/* connected before it was noted: else its next packet would seem to go where nobody told it to */
		if (!socket->endpoints[NSL_CONNECTED].port)
			socket->endpoints[NSL_CONNECTED].port = bpf_ntohs(context->sk->dst_port);
	}
	if (!dns)
		return;
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
	socket->endpoints[NSL_LAST_DNS] = *endpoint;
	task = nsl_current_sender();
	nsl_describe_sender(&socket->sender, task);
	socket->has_sender = 1;
	if (connected) /* later packets may leave from an interrupt, where the process cannot be read */
		nsl_make_process(&socket->sender.process, task, 0);
}
