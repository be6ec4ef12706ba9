// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Clients hidden behind a resolver's Unix socket, for kernels with the tracepoint sk_data_ready (6.3 and later). It fires in
 * the sender's context once its octets are queued at the receiver; other sends and system calls cost nothing. An object of
 * its own, since older kernels refuse it; attached only while such a socket exists.
 */
#include "unix_clients.bpf.h"

#include <bpf/bpf_tracing.h>

/* The octets of the last send in the receiver's queue, which is this one unless the receiver took it already. Those of pages that
 * were handed over (splice, sendfile) are out of reach: length has the others. */
NSL_INLINE int nsl_queued_octets(struct sock___unix *sock, const nsl_u8 **octets, nsl_u32 *length)
{
	const void *queue = (const void *)sock + bpf_core_field_offset(struct sock___unix, sk_receive_queue);
	struct sk_buff *last = BPF_CORE_READ(sock, sk_receive_queue.prev);

	if (!last || (const void *)last == queue)
		return -1;
	*length = BPF_CORE_READ(last, len) - BPF_CORE_READ(last, data_len);
	*octets = BPF_CORE_READ(last, data);
	return 0;
}

NSL_INLINE void nsl_hand_over_request(nsl_u32 resolver, nsl_u32 listener, const nsl_u8 *octets, nsl_u64 length)
{
	struct nsl_unix_request *request;
	nsl_u64 kept = length;

	nsl_note_client();
	request = bpf_ringbuf_reserve(&nsl_candidates, sizeof *request, 0);
	if (!request) {
		nsl_count(NSL_COUNT_ring_full);
		return;
	}
	nsl_describe_request(request, resolver, listener, (nsl_u32)length);
	NSL_FORGET(kept);
	if (kept > NSL_REQUEST_MAX)
		kept = NSL_REQUEST_MAX;
	if (bpf_probe_read_kernel(request->octets, (nsl_u32)kept, octets)) {
		nsl_count(NSL_COUNT_unix_request_unread);
		bpf_ringbuf_discard(request, 0);
		return;
	}
	nsl_count(NSL_COUNT_candidates);
	bpf_ringbuf_submit(request, nsl_wakeup());
}

SEC("tp_btf/sk_data_ready")
int BPF_PROG(nsl_data_ready, struct sock *receiver)
{
	struct sock___unix *sock = (void *)receiver;
	nsl_u32 resolver, inode, length, *listener;
	struct unix_address *address;
	const nsl_u8 *octets;
	nsl_u8 begin[8];
	nsl_u64 key;

	if (BPF_CORE_READ(sock, __sk_common.skc_family) != NSL_AF_UNIX)
		return 0;
	address = BPF_CORE_READ((struct unix_sock *)sock, addr);
	resolver = nsl_resolver_at(address);
	if (!resolver)
		return 0;
	key = (nsl_u64)address;
	if (BPF_CORE_READ(sock, __sk_common.skc_state) == NSL_LISTENS) {
		inode = nsl_socket_inode(sock);
		bpf_map_update_elem(&nsl_listeners, &key, &inode, BPF_ANY);
		return 0;
	}
	/* what is too short to be a request is a piece of one */
	if (nsl_queued_octets(sock, &octets, &length) || length < sizeof begin ||
	    bpf_probe_read_kernel(begin, sizeof begin, octets)) {
		nsl_count(NSL_COUNT_unix_request_unread);
		return 0;
	}
	if (resolver == NSL_NSCD && !nsl_asks_nscd_for_host(begin))
		return 0;
	listener = bpf_map_lookup_elem(&nsl_listeners, &key);
	nsl_hand_over_request(resolver, listener ? *listener : 0, octets, length);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
