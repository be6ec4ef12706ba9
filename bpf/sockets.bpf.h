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
#include "process.bpf.h"

struct nsl_endpoint {
	nsl_u8 address[16]; /* network order, IPv4 in the first four octets */
	nsl_u16 port;       /* host order; 0: not set */
	nsl_u8 family;      /* 4 or 6 */
	nsl_u8 set;         /* named: a sendmsg() gave it and no packet has left since */
};

struct nsl_socket {
	struct nsl_endpoint connected; /* by connect() */
	struct nsl_endpoint named;     /* by the sendmsg() under way; used up at egress */
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

/* Where the packet on its way out was meant to go. */
NSL_INLINE const struct nsl_endpoint *nsl_asked_endpoint(const struct nsl_socket *socket)
{
	return socket->named.set ? &socket->named : &socket->connected;
}
