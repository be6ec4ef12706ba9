// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The same as unix_clients.bpf.c for kernels before 6.3, which have no tracepoint sk_data_ready: at the entry of the send on a
 * Unix stream. Of other processes' sends on such sockets each pays for a look at its peer's address. A request's octets are
 * still the client's own then, and its connection's listener is not known.
 */
#include "unix_clients.bpf.h"

#include <bpf/bpf_tracing.h>

#include "payload.bpf.h"

/* A send under way. Per CPU: see sendmsg.bpf.h. */
struct nsl_unix_room {
	struct nsl_iter iter;
	nsl_u8 octets[NSL_PAYLOAD_BUFFER];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, nsl_u32);
	__type(value, struct nsl_unix_room);
} nsl_unix_rooms SEC(".maps");

NSL_INLINE struct nsl_unix_room *nsl_unix_room_here(void)
{
	nsl_u32 zero = 0;

	return bpf_map_lookup_elem(&nsl_unix_rooms, &zero);
}

/* A function of its own, so that the verifier checks it once for all pieces. */
__noinline nsl_u64 nsl_copy_further_apart(nsl_u32 number, nsl_u64 copy)
{
	struct nsl_unix_room *room = nsl_unix_room_here();

	return room ? nsl_copy_segment(&room->iter, number, copy, room->octets) : NSL_COPY_FAILED;
}

NSL_INLINE nsl_u64 nsl_copy_further(const struct nsl_iter *iter, nsl_u32 number, nsl_u64 copy, nsl_u8 *octets,
				    nsl_u32 own)
{
	return nsl_copy_further_apart(number, copy);
}

/* How many octets of the request were copied to the room, or -1. */
__noinline int nsl_copy_request(nsl_u64 length)
{
	struct nsl_unix_room *room = nsl_unix_room_here();

	if (!room)
		return -1;
	return nsl_copy_payload(&room->iter, 0, length > NSL_PAYLOAD_MAX ? NSL_PAYLOAD_MAX : (nsl_u32)length,
				room->octets, 0, 0);
}

SEC("fentry/unix_stream_sendmsg")
int BPF_PROG(nsl_unix_send, struct socket *socket, struct msghdr *message, nsl_u64 length)
{
	struct unix_sock *own = (struct unix_sock *)BPF_CORE_READ(socket, sk);
	struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(own, peer);
	const struct unix_address *address = BPF_CORE_READ(peer, addr);
	const nsl_u32 resolver = nsl_resolver_at(address);
	struct nsl_unix_room *room = nsl_unix_room_here();
	struct nsl_unix_request *request;
	nsl_u64 copied;

	if (!resolver || !room)
		return 0;
	nsl_note_client();
	request = bpf_ringbuf_reserve(&nsl_candidates, sizeof *request, 0);
	if (!request) {
		nsl_count(NSL_COUNT_ring_full);
		return 0;
	}
	nsl_describe_request(request, resolver, 0, (nsl_u32)length);
	nsl_read_iter(&room->iter, (const struct iov_iter *)((const void *)message +
							     bpf_core_field_offset(struct msghdr, msg_iter)));
	copied = (nsl_u64)nsl_copy_request(length);
	if ((int)copied < 8) {
		nsl_count(NSL_COUNT_unix_request_unread);
		bpf_ringbuf_discard(request, 0);
		return 0;
	}
	/* what is behind is of other requests */
	copied--;
	NSL_BOUND(copied, NSL_PAYLOAD_MAX - 1);
	bpf_probe_read_kernel(request->octets, (nsl_u32)copied + 1, room->octets);
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

/* Pages that are handed over (splice, sendfile) do not come by above, and cannot be read. */
SEC("fentry/unix_stream_sendpage")
int BPF_PROG(nsl_unix_page, struct socket *socket)
{
	struct unix_sock *own = (struct unix_sock *)BPF_CORE_READ(socket, sk);
	struct unix_sock *peer = (struct unix_sock *)BPF_CORE_READ(own, peer);

	if (nsl_resolver_at(BPF_CORE_READ(peer, addr)))
		nsl_count(NSL_COUNT_unix_request_unread);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
