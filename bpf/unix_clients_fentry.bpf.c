// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same as unix_clients.bpf.c for kernels before 6.3, which have no tracepoint sk_data_ready: at the entry of the send on a
 * Unix stream. Of other processes' sends on such sockets each pays for a look at its peer's address. A request's octets are
 * still the client's own then, and its connection's listener is not known.
 */
#include "unix_clients.bpf.h"

#include <bpf/bpf_tracing.h>

#include "payload.bpf.h"

SEC("fentry/unix_stream_sendmsg")
int BPF_PROG(nsl_unix_send, struct socket *socket, struct msghdr *message, nsl_u64 length)
{
	struct unix_sock *own = (struct unix_sock *)BPF_CORE_READ(socket, sk);
	struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(own, peer);
	const struct unix_address *address = BPF_CORE_READ(peer, addr);
	const nsl_u32 resolver = nsl_resolver_at(address);
	struct nsl_unix_request *request;
	struct nsl_iter iter = {};

	if (!resolver)
		return 0;
	nsl_note_client();
	request = bpf_ringbuf_reserve(&nsl_candidates, sizeof *request, 0);
	if (!request) {
		nsl_count(NSL_COUNT_ring_full);
		return 0;
	}
	nsl_describe_request(request, resolver, 0, (nsl_u32)length);
	nsl_read_iter(&iter, (const struct iov_iter *)((const void *)message +
						       bpf_core_field_offset(struct msghdr, msg_iter)));
	if (nsl_copy_payload(&iter, 0, length > NSL_PAYLOAD_MAX ? NSL_PAYLOAD_MAX : (nsl_u32)length, request->octets,
			     0) < 8) {
		nsl_count(NSL_COUNT_unix_request_unread);
		bpf_ringbuf_discard(request, 0);
		return 0;
	}
	if (resolver == NSL_NSCD && !nsl_asks_nscd_for_host(request->octets)) {
		bpf_ringbuf_discard(request, 0);
		return 0;
	}
	if (request->length > NSL_PAYLOAD_MAX)
		request->length = NSL_PAYLOAD_MAX;
	nsl_count(NSL_COUNT_candidates);
	bpf_ringbuf_submit(request, nsl_wakeup());
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
