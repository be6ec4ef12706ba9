/* What is kept of a TCP connection to a DNS port, in its socket's storage. tcp.bpf.h says how it is used. */
#pragma once

#include "counters.bpf.h"
#include "kernel_types.bpf.h"
#include "reader.bpf.h"

#define NSL_TCP_KEPT 512 /* octets of a split message that are kept */

struct nsl_tcp_stream {
	nsl_u32 started;
	nsl_u32 given_up;
	nsl_u32 next_sequence; /* of the first octet not seen yet */
	nsl_u32 skip;	       /* octets left of a message that was looked at */
	nsl_u32 kept;	       /* octets in the buffer, the length prefix included */
	nsl_u32 blocked;       /* not 0: no segment with data leaves any more */
	nsl_u8 octets[NSL_TCP_KEPT + NSL_BUFFER];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct nsl_tcp_stream);
} nsl_tcp_streams SEC(".maps");

NSL_INLINE struct nsl_tcp_stream *nsl_stream_of(struct __sk_buff *skb, nsl_u64 create)
{
	struct bpf_sock *sock = skb->sk;

	if (!sock || !(sock = bpf_sk_fullsock(sock)))
		return NULL;
	return bpf_sk_storage_get(&nsl_tcp_streams, sock, NULL, create);
}
