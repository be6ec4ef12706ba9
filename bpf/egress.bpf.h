/* The messages of a packet on its way out, each taken to observe.bpf.h and, when it is a candidate, on to the ring with its
 * addresses and its sender.
 *
 * The functions that are not inlined are global: the verifier checks each once, by itself, whatever the number of calls.
 * Such a function takes the context and scalars alone, hence the packing.
 */
#pragma once

#include "observe.bpf.h"
#include "packet.bpf.h"
#include "sockets.bpf.h"
#include "tcp_stream.bpf.h"

/* A message's place in a packet, in one register for the functions that the verifier checks on their own. */
#define NSL_SPAN(message, length) ((nsl_u64)(length) << 32 | (message))
#define NSL_SPAN_MESSAGE(span)	  ((nsl_u32)(span) & 0xFFFFFF)
#define NSL_SPAN_LENGTH(span)	  ((nsl_u32)((span) >> 32) & 0xFFFFFF)

/* Whether the current task is a bystander. UDP leaves in the context of its sendmsg(). TCP also leaves from interrupts
 * (acknowledgements, timers), but never while a process holds the socket: then the interrupt leaves the work to it. */
NSL_INLINE bool nsl_in_interrupt(struct __sk_buff *skb)
{
	struct bpf_sock *sock = skb->sk;
	struct tcp_sock *tcp;

	if (!sock)
		return true;
	tcp = bpf_skc_to_tcp_sock(sock);
	return tcp && !BPF_CORE_READ(tcp, inet_conn.icsk_inet.sk.sk_lock.owned);
}

NSL_INLINE void nsl_add_addresses(struct __sk_buff *skb, struct nsl_candidate *candidate)
{
	struct nsl_socket *socket = nsl_socket_of(skb);
	struct nsl_packet packet = {};

	if (nsl_find_transport(skb, &packet))
		return;
	candidate->family = packet.family;
	candidate->transport = packet.protocol == IPPROTO_TCP ? NSL_TCP : NSL_UDP;
	candidate->source_port = packet.source_port;
	candidate->server_port = candidate->wire_port = packet.destination_port;
	nsl_read_addresses(skb, packet.family, candidate->source, candidate->server);
	if (!socket)
		return;

	const struct nsl_endpoint *asked = nsl_asked_endpoint(socket);

	if (!nsl_is_dns_port(asked->port) || asked->family != packet.family)
		return;
	if (asked->port != packet.destination_port ||
	    __builtin_memcmp(asked->address, candidate->server, sizeof candidate->server)) {
		__builtin_memcpy(candidate->server, asked->address, sizeof candidate->server);
		candidate->server_port = asked->port;
		candidate->flags |= NSL_FLAG_SERVER_BEFORE_NAT;
	}
}

NSL_INLINE void nsl_add_sender(struct __sk_buff *skb, struct nsl_candidate *candidate)
{
	struct nsl_socket *socket;

	if (!nsl_in_interrupt(skb)) {
		nsl_describe_sender(&candidate->sender, nsl_current_sender());
		return;
	}
	socket = nsl_socket_of(skb);
	if (socket && socket->has_sender) {
		candidate->sender = socket->sender;
		candidate->flags |= NSL_FLAG_SENDER_FROM_SOCKET;
	} else {
		candidate->flags |= NSL_FLAG_SENDER_UNKNOWN;
		nsl_count(NSL_COUNT_sender_unknown);
	}
}

/* Puts the sender into the process table; before its candidate is handed over, which may be read at once. A function of
 * its own, because the stack of nsl_emit is full. */
__noinline int nsl_note_process(struct __sk_buff *skb)
{
	struct nsl_process_key key = {};
	struct task_struct *task;

	if (nsl_in_interrupt(skb))
		return 0;
	task = nsl_current_sender();
	nsl_process_key_of(&key, task);
	nsl_make_process(&key, task, 0);
	return 0;
}

enum nsl_place { NSL_IN_PACKET, NSL_BY_LOAD, NSL_IN_STREAM };

/* What was found of a question, in one register; 0: it is none. Where it ends, why it leaves the kernel (0: it does not)
 * and, if it does, its type and class. */
#define NSL_FOUND(end, what)	 ((nsl_u64)(what) | (nsl_u64)(end) << 16)
#define NSL_FOUND_END(found)	 ((nsl_u32)((found) >> 16) & 0xFFFF)
#define NSL_FOUND_WHAT(found)	 ((found) & ~(nsl_u64)0xFFFF0000)
#define NSL_FOUND_TOO_LITTLE	 ((nsl_u64)0xFFFF) /* the short way was left; no question ends at 0 */
#define NSL_FOUND_REASONS(found) ((nsl_u32)(found) & 0xFFFF)
#define NSL_FOUND_SEARCH(found)	 (NSL_FOUND_REASONS(found) ? 0 : (nsl_u32)((found) >> 32) & 0xFFFF)

/* Hands a question to user space. */
__noinline int nsl_emit(struct __sk_buff *skb, nsl_u64 span, nsl_u64 where, nsl_u64 what)
{
	const nsl_u32 slot = nsl_settings.active_slot & 1;
	struct nsl_question question = nsl_unpack_question(where, what, nsl_generations[slot].number);
	const nsl_u32 message = NSL_SPAN_MESSAGE(span), length = ((question.length - 1) & 0xFF) + 1;
	struct nsl_candidate *candidate;
	struct nsl_tcp_stream *stream;
	nsl_u8 header[8];
	int unread;

	candidate = bpf_ringbuf_reserve(&nsl_candidates, sizeof *candidate, 0);
	if (!candidate) {
		nsl_count(NSL_COUNT_ring_full);
		return 0;
	}
	if (NSL_WHERE_PLACE(where) == NSL_IN_STREAM) {
		stream = nsl_stream_of(skb, 0);
		unread = !stream || bpf_probe_read_kernel(header, sizeof header, stream->octets + 2) ||
			 bpf_probe_read_kernel(candidate->name, length, stream->octets + 2 + question.at);
	} else {
		unread = bpf_skb_load_bytes(skb, message, header, sizeof header) ||
			 bpf_skb_load_bytes(skb, message + question.at, candidate->name, length);
	}
	if (unread) {
		nsl_count(NSL_COUNT_payload_unreadable);
		bpf_ringbuf_discard(candidate, 0);
		return 0;
	}
	nsl_describe_question(candidate, header, &question);
	nsl_add_addresses(skb, candidate);
	nsl_add_sender(skb, candidate);
	if (nsl_needs_response(question.reasons, nsl_generations[slot].awaited)) {
		candidate->socket = nsl_socket_name(skb);
		nsl_await(candidate);
	}
	nsl_count(NSL_COUNT_candidates);
	bpf_ringbuf_submit(candidate, nsl_wakeup());
	return 0;
}

/* Called where the stack is shallow: not by the functions that look at a question. */
NSL_INLINE void nsl_hand_over(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at, nsl_u64 found, enum nsl_place place)
{
	nsl_note_process(skb);
	nsl_emit(skb, span, NSL_WHERE(at, NSL_FOUND_END(found) - 4 - at, place), NSL_FOUND_WHAT(found));
}

NSL_INLINE nsl_u64 nsl_question(const struct nsl_reader *reader, nsl_u32 at, nsl_u64 off, enum nsl_scope scope)
{
	struct nsl_question question;
	const int end = nsl_observe_question(reader, at, off, scope, &question);

	if (end < 0)
		return end == NSL_LEAVE_SHORT_WAY ? NSL_FOUND_TOO_LITTLE : 0;
	if (!question.reasons)
		return NSL_FOUND(end, NSL_WHAT(0, question.search, 0));
	return NSL_FOUND(end, NSL_WHAT(question.reasons, question.tail.record_type, question.tail.record_class));
}

NSL_INLINE struct nsl_reader nsl_reader_in_packet(struct __sk_buff *skb, nsl_u64 span)
{
	const struct nsl_reader reader = {
		.mode = NSL_READ_PACKET,
		.octets = (const nsl_u8 *)(long)skb->data + (NSL_SPAN_MESSAGE(span) & 0x7FF),
		.end = (const nsl_u8 *)(long)skb->data_end,
		.length = NSL_SPAN_LENGTH(span),
	};

	return reader;
}

__noinline nsl_u64 nsl_question_in_packet(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	const struct nsl_reader reader = nsl_reader_in_packet(skb, span);

	return nsl_question(&reader, NSL_PLACE_AT(at), NSL_PLACE_OFF(at), NSL_ALL_TABLES);
}

/* Not asked again about what is before a search suffix: see nsl_match_question. */
__noinline nsl_u64 nsl_question_by_load(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	struct nsl_reader reader = {
		.mode = NSL_READ_LOAD,
		.skb = skb,
		.message = NSL_SPAN_MESSAGE(span),
		.length = NSL_SPAN_LENGTH(span),
	};

	return nsl_question(&reader, at, 0, NSL_ALL_TABLES);
}

__noinline nsl_u64 nsl_question_in_stream(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);

	if (!stream)
		return 0;

	struct nsl_reader reader = {
		.mode = NSL_READ_BUFFER,
		.octets = stream->octets + 2,
		.length = NSL_SPAN_LENGTH(span),
	};

	return nsl_question(&reader, NSL_PLACE_AT(at), NSL_PLACE_OFF(at), NSL_ALL_TABLES);
}

NSL_INLINE nsl_u32 nsl_count_questions(struct __sk_buff *skb, nsl_u64 span, enum nsl_place place)
{
	struct nsl_reader reader = { .mode = NSL_READ_LOAD, .skb = skb, .length = NSL_SPAN_LENGTH(span) };
	struct nsl_tcp_stream *stream;

	if (place == NSL_IN_STREAM) {
		stream = nsl_stream_of(skb, 0);
		if (!stream)
			return 0;
		reader.mode = NSL_READ_BUFFER;
		reader.octets = stream->octets + 2;
	} else if (place == NSL_IN_PACKET) {
		reader = nsl_reader_in_packet(skb, span);
	} else {
		reader.message = NSL_SPAN_MESSAGE(span);
	}
	return nsl_query_questions(&reader);
}

/* place: NSL_WITHOUT. */
NSL_INLINE nsl_u64 nsl_question_at(struct __sk_buff *skb, nsl_u64 span, nsl_u32 place, enum nsl_place where)
{
	if (where == NSL_IN_PACKET)
		return nsl_question_in_packet(skb, span, place);
	return where == NSL_BY_LOAD ? nsl_question_by_load(skb, span, place) : nsl_question_in_stream(skb, span, place);
}

/* What is found of a question that stays in the kernel by its whole name: by what is before its search suffixes. */
NSL_INLINE nsl_u64 nsl_read_on(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at, nsl_u64 found, enum nsl_place where)
{
	const nsl_u32 search = NSL_FOUND_SEARCH(found);

	for (nsl_u32 off = 1; off < NSL_WALK_LABELS; off++) {
		nsl_u64 again;

		if (!(search >> off & 1))
			continue;
		again = nsl_question_at(skb, span, NSL_WITHOUT(at, off), where);
		if (NSL_FOUND_REASONS(again))
			return again;
	}
	return found;
}

/* Looks at one message. */
NSL_INLINE void nsl_message(struct __sk_buff *skb, nsl_u64 span, enum nsl_place place)
{
	const nsl_u32 questions = nsl_count_questions(skb, span, place);
	nsl_u32 at = NSL_DNS_HEADER;
	nsl_u64 found = 0;

	for (nsl_u32 i = 0; i < NSL_QUESTIONS_MAX; i++) {
		if (i >= questions)
			break;
		found = nsl_question_at(skb, span, at, place);
		if (place != NSL_BY_LOAD && NSL_FOUND_SEARCH(found))
			found = nsl_read_on(skb, span, at, found, place);
		if (NSL_FOUND_REASONS(found))
			nsl_hand_over(skb, span, at, found, place);
		at = NSL_FOUND_END(found);
		if (!found || at > NSL_OFFSET_MASK)
			break;
	}
	nsl_count(found ? NSL_COUNT_queries : NSL_COUNT_not_dns);
}

__noinline int nsl_message_in_packet(struct __sk_buff *skb, nsl_u64 span)
{
	nsl_message(skb, span, NSL_IN_PACKET);
	return 0;
}

__noinline int nsl_message_by_load(struct __sk_buff *skb, nsl_u64 span)
{
	nsl_message(skb, span, NSL_BY_LOAD);
	return 0;
}

__noinline int nsl_message_in_stream(struct __sk_buff *skb, nsl_u64 span)
{
	nsl_message(skb, span, NSL_IN_STREAM);
	return 0;
}

/* Looks at the messages of one send: step octets each but the last (0: all of it is one message). */
__noinline int nsl_messages_by_load(struct __sk_buff *skb, nsl_u64 span, nsl_u32 step)
{
	nsl_u32 at = NSL_SPAN_MESSAGE(span), left = NSL_SPAN_LENGTH(span);

	for (int i = 0; i < NSL_MESSAGES_MAX; i++) {
		const nsl_u32 length = step && left > step ? step : left;

		nsl_message_by_load(skb, NSL_SPAN(at, length));
		at += length;
		left -= length;
		if (!left)
			return 0;
		NSL_FORGET(at);
		NSL_FORGET(left);
	}
	nsl_count_more(NSL_COUNT_messages_over_limit, step ? (left + step - 1) / step : 0);
	return 0;
}

/* A datagram in the packet's linear part. The usual one, with one question, is looked at here without a call: a call and
 * its return cost as much as a label. */
NSL_INLINE void nsl_datagram_in_packet(struct __sk_buff *skb, nsl_u64 span)
{
	const struct nsl_reader reader = nsl_reader_in_packet(skb, span);
	nsl_u64 found;

	if (nsl_query_questions(&reader) != 1) {
		nsl_message_in_packet(skb, span);
		return;
	}
	found = nsl_question(&reader, NSL_DNS_HEADER, 0, NSL_NAMES_ALONE);
	if (found == NSL_FOUND_TOO_LITTLE) {
		nsl_message_in_packet(skb, span);
		return;
	}
	if (NSL_FOUND_REASONS(found))
		nsl_hand_over(skb, span, NSL_DNS_HEADER, found, NSL_IN_PACKET);
	nsl_count(found ? NSL_COUNT_queries : NSL_COUNT_not_dns);
}

NSL_INLINE void nsl_udp(struct __sk_buff *skb, const struct nsl_packet *packet)
{
	nsl_u32 payload = packet->payload, left = skb->len - payload;

	if (left > 0xFFFFFF)
		return;
	NSL_FORGET(payload);
	NSL_FORGET(left);
	if (!skb->gso_size && (long)skb->data + skb->len <= (long)skb->data_end)
		nsl_datagram_in_packet(skb, NSL_SPAN(payload, left));
	else
		nsl_messages_by_load(skb, NSL_SPAN(payload, left), skb->gso_size);
}
