/* DNS over TCP (RFC 1035 section 4.2.2, RFC 7766): messages, each behind its length in two octets, in a stream that the
 * sender may cut anywhere.
 *
 * Messages are copied to the socket's storage, where those that are split are put together: up to NSL_TCP_KEPT octets of each,
 * enough for the longest question. Octets that were sent before (retransmissions) are skipped. Where a segment was missed, it is
 * counted, and the next one is read as if it began with a message; where something is to be blocked none leaves any more. The
 * same with urgent data: the server may take an octet out of them (RFC 6093 section 3.2), and then reads another name.
 *
 * That holds for the kernel's own TCP. Who writes segments through a raw socket has no stream that could be followed.
 */
#pragma once

#include "egress.bpf.h"

#define NSL_TCP_FLAGS	 13 /* offset in the header, RFC 9293 section 3.1; the header's length is before them */
#define NSL_TCP_SYN	 2
#define NSL_TCP_URG	 32
#define NSL_TCP_STEPS	 128 /* messages and pieces of one segment that are looked at */
#define NSL_TCP_HOPS	 32  /* squared: messages behind them that are counted */
#define NSL_TCP_LAST	 2   /* steps that the message behind those may take, which is not whole */
#define NSL_RAW_MESSAGES 8   /* of a raw socket's segment that are looked at */
#define NSL_STREAM	 1   /* SOCK_STREAM */

/* Takes the next message, or piece of one, of a segment: the octets from at to end. Where the next one begins; -1 to
 * give the stream up. */
__noinline int nsl_tcp_step(struct __sk_buff *skb, nsl_u32 at, nsl_u32 end)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);
	nsl_u8 prefix[2];
	nsl_u32 left, wanted = 2, length, kept;

	if (!stream || at >= end)
		return -1;
	left = end - at;
	if (stream->skip) {
		length = stream->skip < left ? stream->skip : left;
		stream->skip -= length;
		return (int)(at + length);
	}
	kept = stream->kept;
	prefix[0] = stream->octets[0];
	prefix[1] = stream->octets[1];
	if (!kept && left >= 2 && bpf_skb_load_bytes(skb, at, prefix, 2))
		return -1;
	length = (nsl_u32)prefix[0] << 8 | prefix[1];

	/* as much of the message as is looked at; where its length is cut, the second octet of that */
	if (kept >= 2 || (!kept && left >= 2))
		wanted = length + 2 < NSL_TCP_KEPT ? length + 2 : NSL_TCP_KEPT;
	wanted -= kept;
	if (wanted > left)
		wanted = left;
	if (kept >= NSL_TCP_KEPT || wanted == 0 || wanted > NSL_TCP_KEPT)
		return -1;
	NSL_FORGET(wanted);
	NSL_FORGET(kept);
	wanted = ((wanted - 1) & (NSL_TCP_KEPT - 1)) + 1;
	if (bpf_skb_load_bytes(skb, at, &stream->octets[kept & (NSL_TCP_KEPT - 1)], wanted))
		return -1;
	kept += wanted;
	stream->kept = kept;
	if (kept < 2)
		return (int)(at + wanted);
	length = (nsl_u32)stream->octets[0] << 8 | stream->octets[1];
	if (kept == length + 2 || kept == NSL_TCP_KEPT) {
		if (nsl_message(skb, NSL_SPAN_IN(NSL_SPAN(0, kept - 2), NSL_IN_STREAM), 0))
			stream->blocked = 1;
		stream->skip = length + 2 - kept;
		stream->kept = 0;
	}
	return (int)(at + wanted);
}

/* A socket that is connected anew has another stream: what is kept of the one before says nothing about it. */
NSL_INLINE void nsl_begin_stream(struct __sk_buff *skb)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);

	if (stream)
		__builtin_memset(stream, 0, offsetof(struct nsl_tcp_stream, octets));
}

/* Keeps who sends, for packets that leave from an interrupt. A function of its own, for its stack. */
__noinline int nsl_note_sender(struct __sk_buff *skb)
{
	struct bpf_sock *sock = skb->sk;
	struct nsl_socket *socket;

	if (!sock || !(sock = bpf_sk_fullsock(sock)))
		return 0;
	socket = bpf_sk_storage_get(&nsl_sockets, sock, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!socket)
		return 0;
	nsl_describe_sender(&socket->sender, nsl_current_sender());
	socket->has_sender = 1;
	return 0;
}

/* The octets cannot be followed. Not 0: the segment must not leave, nor any behind it; else the next one begins anew. */
__noinline int nsl_give_up(struct __sk_buff *skb)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);
	const int closed = nsl_closes_unfollowed();

	nsl_count(NSL_COUNT_tcp_split);
	if (stream) {
		stream->given_up = closed;
		stream->kept = stream->skip = 0;
	}
	return closed;
}

/* Goes over whole messages between at and end without a look. Where the next one begins, and how many they were in the upper
 * half. */
__noinline nsl_u64 nsl_tcp_hop(struct __sk_buff *skb, nsl_u32 at, nsl_u32 end)
{
	nsl_u64 count = 0;
	nsl_u8 prefix[2];

	for (int i = 0; i < NSL_TCP_HOPS; i++) {
		nsl_u32 next;

		if (bpf_skb_load_bytes(skb, at, prefix, sizeof prefix))
			break;
		next = at + 2 + ((nsl_u32)prefix[0] << 8 | prefix[1]);
		if (next > end)
			break;
		at = next;
		count++;
		NSL_FORGET_HERE(at);
		NSL_FORGET_HERE(count);
	}
	return at | count << 32;
}

/* Counts the messages of a segment behind those that are looked at. Where the one begins that is not whole. */
__noinline nsl_u32 nsl_tcp_rest(struct __sk_buff *skb, nsl_u32 at, nsl_u32 end)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);
	nsl_u64 count = 0;

	if (!stream || at >= end || stream->skip >= end - at)
		return at;
	at += stream->skip;
	stream->skip = 0;
	for (int i = 0; i < NSL_TCP_HOPS; i++) {
		const nsl_u64 hopped = nsl_tcp_hop(skb, at, end);

		if (!(hopped >> 32))
			break;
		at = (nsl_u32)hopped;
		count += hopped >> 32;
		NSL_FORGET_HERE(at);
		NSL_FORGET_HERE(count);
	}
	nsl_count_more(NSL_COUNT_messages_over_limit, count);
	if (count && nsl_closes_unfollowed())
		stream->given_up = 1;
	return at;
}

/* A segment that a raw socket wrote: by itself, since nothing says which of them, and which octets of them, the server takes. Not 0:
 * it must not leave. */
__noinline int nsl_raw_segment(struct __sk_buff *skb, nsl_u32 at, nsl_u32 end)
{
	for (int i = 0; i < NSL_RAW_MESSAGES; i++) {
		nsl_u32 length, left = end - at;
		nsl_u8 prefix[2];

		if (at >= end)
			return nsl_closes_unfollowed();
		if (left < 2 || bpf_skb_load_bytes(skb, at, prefix, sizeof prefix))
			break;
		length = (nsl_u32)prefix[0] << 8 | prefix[1];
		left -= 2;
		if (left > length)
			left = length;
		if (nsl_message(skb, NSL_SPAN_IN(NSL_SPAN(at + 2, left), NSL_BY_LOAD), 0))
			return 1;
		if (left < length)
			break;
		at += 2 + length;
		NSL_FORGET_HERE(at);
	}
	nsl_count(NSL_COUNT_tcp_split);
	return nsl_closes_unfollowed();
}

/* transport: offset of the TCP header. Not 0: the segment must not leave. A function of its own, to leave the registers of
 * nsl_egress to UDP. */
__noinline int nsl_tcp(struct __sk_buff *skb, nsl_u32 transport)
{
	struct nsl_tcp_stream *stream;
	struct bpf_sock *sock;
	nsl_u32 at, end = skb->len, sequence, seen;
	nsl_u8 header[2]; /* length and flags; little room on the stack is left to what this calls */

	if (bpf_skb_load_bytes(skb, transport + offsetof(struct tcphdr, seq), &sequence, sizeof sequence) ||
	    bpf_skb_load_bytes(skb, transport + NSL_TCP_FLAGS - 1, header, sizeof header))
		return 0;
	if (header[1] & NSL_TCP_SYN)
		nsl_begin_stream(skb);
	at = transport + (header[0] >> 4) * 4u;
	if (at >= end || end > 0xFFFFFF)
		return 0;
	sequence = bpf_ntohl(sequence) + (header[1] & NSL_TCP_SYN ? 1 : 0);

	sock = skb->sk;
	if (!sock || !(sock = bpf_sk_fullsock(sock)))
		return 0;
	if (header[1] & NSL_TCP_URG && nsl_give_up(skb))
		return 1;
	if (sock->type != NSL_STREAM)
		return nsl_raw_segment(skb, at, end);
	if (!nsl_in_interrupt(skb))
		nsl_note_sender(skb);
	stream = bpf_sk_storage_get(&nsl_tcp_streams, sock, NULL, BPF_SK_STORAGE_GET_F_CREATE);
	if (!stream) {
		nsl_count(NSL_COUNT_socket_storage_full);
		return nsl_closes_unfollowed() ? 1 : nsl_raw_segment(skb, at, end);
	}
	if (stream->blocked)
		return 1;
	seen = stream->next_sequence - sequence;
	if (!stream->started) {
		stream->started = 1;
		seen = 0;
	} else if (stream->given_up || (int)seen < 0) { /* the latter: a segment was missed */
		if (nsl_give_up(skb))
			return 1;
		seen = 0;
	}
	if (seen >= end - at) {
		nsl_count(NSL_COUNT_tcp_retransmitted);
		return 0;
	}
	stream->next_sequence = sequence + (end - at);
	at += seen;
	for (int i = 0; i < NSL_TCP_STEPS + NSL_TCP_LAST; i++) {
		int next;

		if (i == NSL_TCP_STEPS)
			at = nsl_tcp_rest(skb, at, end);
		if (at >= end)
			break;
		next = nsl_tcp_step(skb, at, end);
		if (next < 0)
			break;
		at = (nsl_u32)next;
	}
	return at < end ? nsl_give_up(skb) : (stream->blocked | stream->given_up) != 0;
}
