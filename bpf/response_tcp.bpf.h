/* Responses over TCP: messages, each behind its length in two octets, in a stream that the server may cut anywhere.
 *
 * Only sockets from which an awaited query went out are followed, in storage of their own: a message that lies in one
 * segment is taken in place, one that is split is put together, up to NSL_RESPONSE_MAX octets of it. A stream is given up,
 * and counted, when a segment was missed or came out of order, or when its octets cannot be messages.
 */
#pragma once

#include <bpf/bpf_endian.h>

#include "response.bpf.h"

#define NSL_TCP_RESPONSES  32	 /* messages and pieces of one segment that are followed */
#define NSL_RESPONSE_PIECE 2048u /* octets that are kept at a time, a power of two */

struct nsl_response_stream {
	nsl_u32 started;
	nsl_u32 given_up;
	nsl_u32 next_sequence; /* of the first octet not seen yet */
	nsl_u32 skip;	       /* octets left of a message that was looked at */
	nsl_u32 kept;	       /* octets in the buffer, the length prefix included */
	nsl_u32 reserved;
	nsl_u8 octets[NSL_RESPONSE_MAX + NSL_RESPONSE_PIECE]; /* any offset below the maximum, and a piece */
};

/* On 7.3 (not yet on 6.18) a socket's storage comes from kmalloc_nolock, which has nothing above 8 KiB; some of it is the
 * kernel's own part. */
_Static_assert(sizeof(struct nsl_response_stream) <= 8192 - 256, "newer kernels cannot allocate it");

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct nsl_response_stream);
} nsl_response_streams SEC(".maps");

NSL_INLINE struct nsl_response_stream *nsl_response_stream_of(struct __sk_buff *skb, nsl_u64 create)
{
	struct bpf_sock *sock = skb->sk;

	if (!sock || !(sock = bpf_sk_fullsock(sock)))
		return NULL;
	return bpf_sk_storage_get(&nsl_response_streams, sock, NULL, create);
}

/* The message in the stream's buffer, of kept octets behind the prefix. */
NSL_INLINE void nsl_take_kept_response(struct nsl_response_stream *stream, struct nsl_exchange *exchange, nsl_u32 kept,
				       nsl_u32 full_length)
{
	const nsl_u8 *octets = stream->octets + 2;
	struct nsl_long_response *record;

	if (kept < NSL_DNS_HEADER || !(octets[2] & 0x80))
		return;
	exchange->id = (nsl_u16)(octets[0] << 8 | octets[1]);
	if (!nsl_is_awaited(exchange)) {
		nsl_count(NSL_COUNT_responses_unawaited);
		return;
	}
	record = bpf_ringbuf_reserve(&nsl_responses, sizeof *record, 0);
	if (!record) {
		nsl_count(NSL_COUNT_response_ring_full);
		return;
	}
	if (kept < full_length)
		nsl_count(NSL_COUNT_response_cut);
	bpf_probe_read_kernel(record->octets, sizeof record->octets, octets);
	nsl_fill_response(&record->head, exchange, kept, full_length);
	bpf_ringbuf_submit(record, nsl_response_wakeup());
	nsl_count(NSL_COUNT_responses);
}

/* Adds what is missing of the message in the buffer, first the two octets of its length. Where the next piece begins; -1
 * to give the stream up. */
NSL_INLINE long nsl_keep_response(struct __sk_buff *skb, struct nsl_response_stream *stream, nsl_u32 at, nsl_u32 left,
				  struct nsl_exchange *exchange)
{
	nsl_u32 kept = stream->kept, length = (nsl_u32)stream->octets[0] << 8 | stream->octets[1];
	nsl_u32 wanted = kept < 2 ? 2 : length + 2 < NSL_RESPONSE_MAX ? length + 2 : NSL_RESPONSE_MAX;

	wanted -= kept;
	if (wanted > left)
		wanted = left;
	if (wanted > NSL_RESPONSE_PIECE)
		wanted = NSL_RESPONSE_PIECE;
	if (kept >= NSL_RESPONSE_MAX || wanted == 0)
		return -1;
	NSL_FORGET(wanted);
	NSL_FORGET(kept);
	wanted = ((wanted - 1) & (NSL_RESPONSE_PIECE - 1)) + 1;
	if (bpf_skb_load_bytes(skb, at, &stream->octets[kept & (NSL_RESPONSE_MAX - 1)], wanted))
		return -1;
	kept += wanted;
	stream->kept = kept;
	if (kept < 2)
		return at + wanted;
	length = (nsl_u32)stream->octets[0] << 8 | stream->octets[1];
	if (length < NSL_DNS_HEADER)
		return -1;
	if (kept == length + 2 || kept == NSL_RESPONSE_MAX) {
		nsl_take_kept_response(stream, exchange, kept - 2, length);
		stream->skip = length + 2 - kept;
		stream->kept = 0;
	}
	return at + wanted;
}

/* Takes the next message, or piece of one, of a segment: the octets from at to end. Where the next one begins; -1 to
 * give the stream up. A function of the packet and numbers, so that the verifier checks it once for all messages: it finds out
 * for itself where the packet comes from. */
__noinline long nsl_response_step(struct __sk_buff *skb, nsl_u32 at, nsl_u32 end)
{
	struct nsl_response_stream *stream = nsl_response_stream_of(skb, 0);
	struct nsl_exchange response = {}, *exchange = &response;
	const nsl_u32 left = end - at;
	struct nsl_packet packet = {};
	nsl_u8 prefix[2];
	nsl_u32 length;

	if (!stream || at >= end || nsl_find_transport(skb, &packet))
		return -1;
	nsl_fill_exchange(exchange, skb, &packet);
	if (stream->skip) {
		length = stream->skip < left ? stream->skip : left;
		stream->skip -= length;
		return at + length;
	}
	if (!stream->kept && left >= 2) {
		if (bpf_skb_load_bytes(skb, at, prefix, sizeof prefix))
			return -1;
		length = (nsl_u32)prefix[0] << 8 | prefix[1];
		if (length < NSL_DNS_HEADER)
			return -1;
		if (left - 2 >= length) {
			nsl_take_response(skb, at + 2, length, exchange);
			return at + 2 + length;
		}
	}
	return nsl_keep_response(skb, stream, at, left, exchange);
}

/* Whether some query over TCP went out from this socket (nsl_await). */
NSL_INLINE bool nsl_is_followed(const struct nsl_exchange *exchange)
{
	struct nsl_exchange socket = { .socket = exchange->socket, .transport = NSL_TCP };

	return bpf_map_lookup_elem(&nsl_awaited, &socket) != NULL;
}

/* The stream of the packet's socket, at the segment's first octet that was not seen before; NULL where there is nothing to
 * look at. sequence: of the octet at *at, which is moved. */
NSL_INLINE struct nsl_response_stream *nsl_open_response_stream(struct __sk_buff *skb, nsl_u32 sequence, nsl_u32 *at,
								nsl_u32 end)
{
	struct bpf_sock *sock = skb->sk;
	struct nsl_response_stream *stream;
	nsl_u32 seen;

	if (!sock || !bpf_sk_fullsock(sock))
		return NULL;
	stream = nsl_response_stream_of(skb, BPF_SK_STORAGE_GET_F_CREATE);
	if (!stream) {
		nsl_count(NSL_COUNT_socket_storage_full);
		return NULL;
	}
	if (!stream->started) {
		stream->started = 1;
		stream->next_sequence = sequence;
	}
	if (stream->given_up)
		return NULL;
	seen = stream->next_sequence - sequence;
	if ((int)seen < 0) {
		stream->given_up = 1;
		nsl_count(NSL_COUNT_response_split);
		return NULL;
	}
	if (seen >= end - *at)
		return NULL;
	stream->next_sequence = sequence + (end - *at);
	*at += seen;
	return stream;
}

/* A socket that is connected anew has another stream. */
NSL_INLINE void nsl_begin_response_stream(struct __sk_buff *skb)
{
	struct bpf_sock *sock = skb->sk;
	struct nsl_response_stream *stream;

	if (!sock || !bpf_sk_fullsock(sock))
		return;
	stream = nsl_response_stream_of(skb, 0);
	if (stream)
		stream->started = stream->given_up = stream->skip = stream->kept = 0;
}

/* transport: offset of the TCP header. */
NSL_INLINE void nsl_take_tcp_responses(struct __sk_buff *skb, nsl_u32 transport, struct nsl_exchange *exchange)
{
	struct nsl_response_stream *stream;
	const nsl_u32 end = skb->len;
	struct tcphdr header;
	nsl_u32 at;

	if (!nsl_is_followed(exchange) || bpf_skb_load_bytes(skb, transport, &header, sizeof header))
		return;
	if (header.syn)
		nsl_begin_response_stream(skb);
	at = transport + header.doff * 4u;
	if (at >= end || end > 0xFFFFFF)
		return;
	stream = nsl_open_response_stream(skb, bpf_ntohl(header.seq) + header.syn, &at, end);
	if (!stream)
		return;
	for (int i = 0; i < NSL_TCP_RESPONSES; i++) {
		long next;

		NSL_FORGET(at);
		if (at >= end)
			return;
		next = nsl_response_step(skb, at, end);
		if (next < 0)
			break;
		at = (nsl_u32)next;
	}
	if (at >= end)
		return;
	stream->given_up = 1;
	nsl_count(NSL_COUNT_response_split);
}
