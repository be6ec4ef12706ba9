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
#include "telemetry.bpf.h"

#include "judge.h"

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

/* nsl_find_transport for the packets of candidates, in one register; 0: neither UDP nor TCP. A function of its own, so that it is
 * checked once. */
__noinline nsl_u64 nsl_transport_of(struct __sk_buff *skb)
{
	struct nsl_packet packet = {};

	if (nsl_find_transport(skb, &packet))
		return 0;
	return packet.source_port | (nsl_u64)packet.destination_port << 16 | (nsl_u64)packet.transport << 32 |
	       (nsl_u64)packet.protocol << 48 | (nsl_u64)packet.family << 56;
}

NSL_INLINE bool nsl_unpack_transport(struct __sk_buff *skb, struct nsl_packet *packet)
{
	const nsl_u64 packed = nsl_transport_of(skb);

	packet->source_port = (nsl_u16)packed;
	packet->destination_port = (nsl_u16)(packed >> 16);
	packet->transport = (nsl_u16)(packed >> 32);
	packet->protocol = (nsl_u8)(packed >> 48);
	packet->family = (nsl_u8)(packed >> 56);
	return packed != 0;
}

NSL_INLINE void nsl_add_addresses(struct __sk_buff *skb, struct nsl_candidate *candidate)
{
	struct nsl_socket *socket = nsl_socket_of(skb);
	struct nsl_packet packet;

	if (!nsl_unpack_transport(skb, &packet))
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

/* What an answer in the server's place needs to know of the packet. */
NSL_INLINE void nsl_add_wire(struct __sk_buff *skb, struct nsl_candidate *candidate)
{
	struct nsl_packet packet;
	nsl_u32 numbers[2];

	if (!nsl_unpack_transport(skb, &packet))
		return;
	nsl_read_addresses(skb, packet.family, candidate->source, candidate->wire_server);
	if (packet.protocol != IPPROTO_TCP ||
	    bpf_skb_load_bytes(skb, packet.transport + offsetof(struct tcphdr, seq), numbers, sizeof numbers))
		return;
	candidate->tcp_sequence = bpf_ntohl(numbers[0]);
	candidate->tcp_acknowledged = bpf_ntohl(numbers[1]);
}

/* Hands a question to user space. flags: NSL_FLAG_BLOCKED, NSL_FLAG_WOULD_BLOCK. */
__noinline int nsl_emit(struct __sk_buff *skb, nsl_u64 span, nsl_u64 where, nsl_u64 what, nsl_u32 flags)
{
	const nsl_u32 slot = nsl_settings.active_slot & 1;
	struct nsl_question question = nsl_unpack_question(where, what, nsl_generations[slot].number);
	const nsl_u32 message = NSL_SPAN_MESSAGE(span), length = ((question.length - 1) & 0xFF) + 1;
	struct nsl_candidate *candidate;
	struct nsl_tcp_stream *stream;
	nsl_u8 header[8];
	int unread;

	if (nsl_is_telemetry(question.reasons, flags))
		candidate = bpf_ringbuf_reserve(&nsl_observed, sizeof *candidate, 0);
	else
		candidate = bpf_ringbuf_reserve(&nsl_candidates, sizeof *candidate, 0);
	if (!candidate) {
		nsl_count(nsl_is_telemetry(question.reasons, flags) ? NSL_COUNT_telemetry_ring_full
								    : NSL_COUNT_ring_full);
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
	candidate->flags |= flags;
	if (nsl_is_telemetry(question.reasons, flags) && nsl_withhold(candidate)) {
		bpf_ringbuf_discard(candidate, BPF_RB_NO_WAKEUP);
		return 0;
	}
	if (flags & NSL_FLAG_BLOCKED)
		nsl_add_wire(skb, candidate);
	else if (nsl_needs_response(question.reasons, nsl_generations[slot].awaited)) {
		candidate->socket = nsl_socket_name(skb);
		nsl_await(candidate);
	}
	nsl_count(NSL_COUNT_candidates);
	bpf_ringbuf_submit(candidate,
			   nsl_is_telemetry(question.reasons, flags) ? nsl_telemetry_wakeup() : nsl_wakeup());
	return 0;
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
		.skb = skb,
		.own = span,
		.octets = (const nsl_u8 *)(long)skb->data + (NSL_SPAN_MESSAGE(span) & 0x7FF),
		.end = (const nsl_u8 *)(long)skb->data_end,
		.length = NSL_SPAN_LENGTH(span),
	};

	return reader;
}

NSL_INLINE struct nsl_reader nsl_reader_by_load(struct __sk_buff *skb, nsl_u64 span)
{
	const struct nsl_reader reader = {
		.mode = NSL_READ_LOAD,
		.skb = skb,
		.own = span,
		.message = NSL_SPAN_MESSAGE(span),
		.length = NSL_SPAN_LENGTH(span),
	};

	return reader;
}

NSL_INLINE struct nsl_reader nsl_reader_in_stream(struct __sk_buff *skb, const struct nsl_tcp_stream *stream,
						  nsl_u64 span)
{
	const struct nsl_reader reader = {
		.mode = NSL_READ_BUFFER,
		.skb = skb,
		.own = span,
		.octets = stream->octets + 2,
		.length = NSL_SPAN_LENGTH(span),
	};

	return reader;
}

/* A piece of a name that the automaton is to walk over, in one register. */
#define NSL_PIECE(at, count, slot) ((nsl_u64)(slot) << 32 | (nsl_u64)(count) << 16 | (at))

NSL_INLINE nsl_u64 nsl_text_piece_by(const struct nsl_reader *reader, nsl_u64 place, nsl_u64 walk)
{
	const nsl_u32 slot = (nsl_u32)(place >> 32) & 1;
	struct nsl_tables tables = { .slot = slot };

	tables.texts = nsl_texts_of(slot);
	if (!tables.texts)
		return walk;
	return nsl_walk_text_piece(reader, (nsl_u32)place & 0xFFFF, (nsl_u32)(place >> 16) & 0xFFFF,
				   &nsl_generations[slot], &tables, walk);
}

__noinline nsl_u64 nsl_text_piece_in_packet(struct __sk_buff *skb, nsl_u64 span, nsl_u64 place, nsl_u64 walk)
{
	const struct nsl_reader reader = nsl_reader_in_packet(skb, span);

	return nsl_text_piece_by(&reader, place, walk);
}

__noinline nsl_u64 nsl_text_piece_by_load(struct __sk_buff *skb, nsl_u64 span, nsl_u64 place, nsl_u64 walk)
{
	const struct nsl_reader reader = nsl_reader_by_load(skb, span);

	return nsl_text_piece_by(&reader, place, walk);
}

__noinline nsl_u64 nsl_text_piece_in_stream(struct __sk_buff *skb, nsl_u64 span, nsl_u64 place, nsl_u64 walk)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);

	if (!stream)
		return NSL_TEXT_UNREAD;

	const struct nsl_reader reader = nsl_reader_in_stream(skb, stream, span);

	return nsl_text_piece_by(&reader, place, walk);
}

NSL_INLINE nsl_u64 nsl_text_piece(const struct nsl_reader *reader, nsl_u32 at, nsl_u32 count,
				  const struct nsl_generation *generation, const struct nsl_tables *tables,
				  nsl_u64 walk)
{
	const nsl_u64 place = NSL_PIECE(at, count, tables->slot);

	if (reader->mode == NSL_READ_PACKET)
		return nsl_text_piece_in_packet(reader->skb, reader->own, place, walk);
	return reader->mode == NSL_READ_LOAD ? nsl_text_piece_by_load(reader->skb, reader->own, place, walk)
					     : nsl_text_piece_in_stream(reader->skb, reader->own, place, walk);
}

__noinline nsl_u64 nsl_question_in_packet(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	const struct nsl_reader reader = nsl_reader_in_packet(skb, span);

	return nsl_question(&reader, NSL_PLACE_AT(at), NSL_PLACE_OFF(at), NSL_ALL_TABLES);
}

/* Not asked again about what is before a search suffix: see nsl_match_question. */
__noinline nsl_u64 nsl_question_by_load(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	const struct nsl_reader reader = nsl_reader_by_load(skb, span);

	return nsl_question(&reader, at, 0, NSL_ALL_TABLES);
}

__noinline nsl_u64 nsl_question_in_stream(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);

	if (!stream)
		return 0;

	const struct nsl_reader reader = nsl_reader_in_stream(skb, stream, span);

	return nsl_question(&reader, NSL_PLACE_AT(at), NSL_PLACE_OFF(at), NSL_ALL_TABLES);
}

NSL_INLINE int nsl_judge(const struct nsl_reader *reader, nsl_u32 at)
{
	const nsl_u32 slot = nsl_settings.active_slot & 1;
	const struct nsl_tables tables = { .slot = slot };
	struct nsl_labels labels;

	if (nsl_find_labels(reader, at, &labels))
		return -1;
	return nsl_judge_name(reader, at, &labels, &nsl_generations[slot], &tables);
}

__noinline int nsl_judge_in_packet(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	const struct nsl_reader reader = nsl_reader_in_packet(skb, span);

	return nsl_judge(&reader, NSL_PLACE_AT(at));
}

__noinline int nsl_judge_by_load(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	const struct nsl_reader reader = nsl_reader_by_load(skb, span);

	return nsl_judge(&reader, NSL_PLACE_AT(at));
}

__noinline int nsl_judge_in_stream(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	struct nsl_tcp_stream *stream = nsl_stream_of(skb, 0);

	if (!stream)
		return -1;

	const struct nsl_reader reader = nsl_reader_in_stream(skb, stream, span);

	return nsl_judge(&reader, NSL_PLACE_AT(at));
}

/* Whether the tables block the question at offset at. A name that cannot be read again is not: it was read a moment ago. */
NSL_INLINE bool nsl_is_blocked(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at, enum nsl_place place)
{
	const struct nsl_generation *generation = &nsl_generations[nsl_settings.active_slot & 1];
	int judged;

	if (!(generation->blocks | generation->block_unlisted))
		return false;
	if (place == NSL_IN_PACKET)
		judged = nsl_judge_in_packet(skb, span, at);
	else
		judged = place == NSL_BY_LOAD ? nsl_judge_by_load(skb, span, at) : nsl_judge_in_stream(skb, span, at);
	return judged == NSL_JUDGED_BLOCK || (judged == NSL_JUDGED_NOTHING && generation->block_unlisted);
}

#define NSL_PLACED(at, place) ((at) | (nsl_u32)(place) << 16)

/* Called where the stack is shallow: not by the functions that look at a question. at: NSL_PLACED. Not 0: the packet must not
 * leave. */
__noinline int nsl_hand_over(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at, nsl_u64 found)
{
	const nsl_u32 place = at >> 16, length = NSL_FOUND_END(found) - 4 - (at & 0xFFFF);
	nsl_u32 flags = 0;

	at &= 0xFFFF;
	if (nsl_settings.mode != NSL_MODE_AUDIT && nsl_is_blocked(skb, span, at, place))
		flags = nsl_settings.mode == NSL_MODE_ENFORCE ? NSL_FLAG_BLOCKED : NSL_FLAG_WOULD_BLOCK;
	nsl_note_process(skb);
	nsl_emit(skb, span, NSL_WHERE(at, length, place), NSL_FOUND_WHAT(found), flags);
	return flags & NSL_FLAG_BLOCKED;
}

NSL_INLINE nsl_u32 nsl_count_questions(struct __sk_buff *skb, nsl_u64 span, enum nsl_place place)
{
	struct nsl_reader reader = nsl_reader_by_load(skb, span);
	struct nsl_tcp_stream *stream;

	if (place == NSL_IN_PACKET) {
		reader = nsl_reader_in_packet(skb, span);
	} else if (place == NSL_IN_STREAM) {
		stream = nsl_stream_of(skb, 0);
		if (!stream)
			return 0;
		reader = nsl_reader_in_stream(skb, stream, span);
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

/* Looks at one message. Not 0: the packet must not leave, and the questions behind the one that is why are not asked. */
NSL_INLINE int nsl_message(struct __sk_buff *skb, nsl_u64 span, enum nsl_place place)
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
		if (NSL_FOUND_REASONS(found) && nsl_hand_over(skb, span, NSL_PLACED(at, place), found)) {
			nsl_count(NSL_COUNT_queries);
			return 1;
		}
		at = NSL_FOUND_END(found);
		if (!found || at > NSL_OFFSET_MASK)
			break;
	}
	nsl_count(found ? NSL_COUNT_queries : NSL_COUNT_not_dns);
	return 0;
}

__noinline int nsl_message_in_packet(struct __sk_buff *skb, nsl_u64 span)
{
	return nsl_message(skb, span, NSL_IN_PACKET);
}

__noinline int nsl_message_by_load(struct __sk_buff *skb, nsl_u64 span)
{
	return nsl_message(skb, span, NSL_BY_LOAD);
}

__noinline int nsl_message_in_stream(struct __sk_buff *skb, nsl_u64 span)
{
	return nsl_message(skb, span, NSL_IN_STREAM);
}

/* Whether what cannot be followed is kept from leaving: where something is to be blocked it could hide in there. */
NSL_INLINE bool nsl_closes_unfollowed(void)
{
	const struct nsl_generation *generation = &nsl_generations[nsl_settings.active_slot & 1];

	return nsl_settings.mode == NSL_MODE_ENFORCE && (generation->blocks | generation->block_unlisted);
}

/* Looks at the messages of one send: step octets each but the last (0: all of it is one message). They leave together or,
 * where the result is not 0, not at all. */
__noinline int nsl_messages_by_load(struct __sk_buff *skb, nsl_u64 span, nsl_u32 step)
{
	nsl_u32 at = NSL_SPAN_MESSAGE(span), left = NSL_SPAN_LENGTH(span), blocked = 0;

	for (int i = 0; i < NSL_MESSAGES_MAX; i++) {
		const nsl_u32 length = step && left > step ? step : left;

		blocked |= nsl_message_by_load(skb, NSL_SPAN(at, length));
		at += length;
		left -= length;
		if (!left)
			return (int)blocked;
		NSL_FORGET(at);
		NSL_FORGET(left);
	}
	nsl_count_more(NSL_COUNT_messages_over_limit, step ? (left + step - 1) / step : 0);
	return blocked || nsl_closes_unfollowed();
}

/* A datagram in the packet's linear part. The usual one, with one question, is looked at here without a call: a call and
 * its return cost as much as a label. */
NSL_INLINE int nsl_datagram_in_packet(struct __sk_buff *skb, nsl_u64 span)
{
	const struct nsl_reader reader = nsl_reader_in_packet(skb, span);
	nsl_u64 found;
	int blocked = 0;

	if (nsl_query_questions(&reader) != 1)
		return nsl_message_in_packet(skb, span);
	found = nsl_question(&reader, NSL_DNS_HEADER, 0, NSL_NAMES_ALONE);
	if (found == NSL_FOUND_TOO_LITTLE)
		return nsl_message_in_packet(skb, span);
	if (NSL_FOUND_REASONS(found))
		blocked = nsl_hand_over(skb, span, NSL_PLACED(NSL_DNS_HEADER, NSL_IN_PACKET), found);
	nsl_count(found ? NSL_COUNT_queries : NSL_COUNT_not_dns);
	return blocked;
}

/* Not 0: the packet must not leave. */
NSL_INLINE int nsl_udp(struct __sk_buff *skb, const struct nsl_packet *packet)
{
	nsl_u32 payload = packet->payload, left = skb->len - payload;

	if (left > 0xFFFFFF)
		return 0;
	NSL_FORGET(payload);
	NSL_FORGET(left);
	if (!skb->gso_size && (long)skb->data + skb->len <= (long)skb->data_end)
		return nsl_datagram_in_packet(skb, NSL_SPAN(payload, left));
	return nsl_messages_by_load(skb, NSL_SPAN(payload, left), skb->gso_size);
}
