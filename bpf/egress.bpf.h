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
#define NSL_SPAN_IN(span, place)  ((span) | (nsl_u64)(place) << 56)
#define NSL_SPAN_MESSAGE(span)	  ((nsl_u32)(span) & 0xFFFFFF)
#define NSL_SPAN_LENGTH(span)	  ((nsl_u32)((span) >> 32) & 0xFFFFFF)
#define NSL_SPAN_PLACE(span)	  ((nsl_u32)((span) >> 56) & 3)

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
	nsl_u64 given;
	int number;

	if (!nsl_unpack_transport(skb, &packet))
		return;
	candidate->family = packet.family;
	candidate->transport = packet.protocol == IPPROTO_TCP ? NSL_TCP : NSL_UDP;
	candidate->source_port = packet.source_port;
	candidate->server_port = candidate->wire_port = packet.destination_port;
	nsl_read_addresses(skb, packet.family, candidate->source, candidate->server);
	if (!socket)
		return;

	number = nsl_asked_endpoint(skb, packet.destination_port);
	if (number < 0)
		return;

	given = (nsl_u64)number;
	NSL_BOUND(given, 3); /* which is inside the storage */

	const struct nsl_endpoint *asked = &socket->endpoints[given];

	if (asked->family != packet.family)
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

/* Where a message's octets are. The usual datagram lies in the packet's linear part, and is looked at in nsl_egress itself, by
 * direct access; all others (and that one, if more than its name is asked about) are looked at by functions that take the
 * message's place as a number and read its octets piece by piece: slower, but the verifier sees each of them once. */
enum nsl_place { NSL_IN_PACKET, NSL_BY_LOAD, NSL_IN_STREAM };

/* What was found of a question, in one register; 0: it is none. Where it ends, why it leaves the kernel (0: it does not)
 * and, if it does, its type and class. */
#define NSL_FOUND(end, what)  ((nsl_u64)(what) | (nsl_u64)(end) << 16)
#define NSL_FOUND_END(found)  ((nsl_u32)((found) >> 16) & 0xFFFF)
#define NSL_FOUND_WHAT(found) ((found) & ~(nsl_u64)0xFFFF0000)
/* The short way was left, no question ends at 0: for all, or for what is asked after the names. Reasons are smaller. */
#define NSL_FOUND_TOO_LITTLE		((nsl_u64)0xFFFF)
#define NSL_FOUND_NO_NAME(slot, length) ((nsl_u64)0xFFFC | (slot) | (nsl_u64)(length) << 32)
#define NSL_FOUND_IS_NO_NAME(found)	((((nsl_u32)(found)) & 0xFFFE) == 0xFFFC)
#define NSL_FOUND_REASONS(found)	((nsl_u32)(found) & 0xFFFF)
#define NSL_FOUND_SEARCH(found)		(NSL_FOUND_REASONS(found) ? 0 : (nsl_u32)((found) >> 32) & 0xFFFF)

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

NSL_INLINE nsl_u64 nsl_question(const struct nsl_reader *reader, nsl_u32 place, enum nsl_scope scope)
{
	struct nsl_question question;
	int end;

	if (scope == NSL_ALL_TABLES)
		question = (struct nsl_question){};
	end = nsl_observe_question(reader, place, scope, &question);

	if (place & NSL_JUDGING)
		return end ? 0 : question.search | 1;
	if (end == NSL_LEAVE_SHORT_WAY)
		return NSL_FOUND_TOO_LITTLE;
	if (end == NSL_NAMES_MISSED)
		return NSL_FOUND_NO_NAME(question.slot, question.length);
	if (end < 0)
		return 0;
	if (!question.reasons)
		return NSL_FOUND(end, NSL_WHAT(0, question.search, 0));
	return NSL_FOUND(end, NSL_WHAT(question.reasons, question.tail.record_type, question.tail.record_class));
}

NSL_INLINE struct nsl_reader nsl_reader_in_packet(struct __sk_buff *skb, nsl_u64 span)
{
	nsl_u64 message = NSL_SPAN_MESSAGE(span);

	NSL_BOUND(message, NSL_DIRECT_MAX);

	const struct nsl_reader reader = {
		.mode = NSL_READ_PACKET,
		.skb = skb,
		.own = span,
		.octets = (const nsl_u8 *)(long)skb->data + message,
		.end = (const nsl_u8 *)(long)skb->data_end,
		.length = NSL_SPAN_LENGTH(span),
	};

	return reader;
}

NSL_INLINE struct nsl_reader nsl_reader_apart(struct __sk_buff *skb, nsl_u64 span)
{
	const struct nsl_reader reader = {
		.mode = NSL_READ_APART,
		.skb = skb,
		.own = span,
		.length = NSL_SPAN_LENGTH(span),
	};

	return reader;
}

__noinline nsl_u64 nsl_read_apart(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at, nsl_u32 size)
{
	struct nsl_tcp_stream *stream;
	nsl_u32 octets = 0;

	at &= 2 * NSL_OFFSET_MASK + 1; /* the second half of eight octets may lie behind the largest offset */
	size = size == 4 ? 4 : 1;
	if (at + size > NSL_SPAN_LENGTH(span))
		return NSL_UNREAD;
	if (NSL_SPAN_PLACE(span) == NSL_IN_STREAM) {
		stream = nsl_stream_of(skb, 0);
		if (!stream || bpf_probe_read_kernel(&octets, size, stream->octets + 2 + at))
			return NSL_UNREAD;
		return octets;
	}
	return bpf_skb_load_bytes(skb, NSL_SPAN_MESSAGE(span) + at, &octets, size) ? NSL_UNREAD : octets;
}

/* Asks where the message is by itself: what a caller has found out about that the verifier would follow to its end. Most
 * messages whose texts are asked about lie in the packet's linear part, so there they are read directly. */
__noinline nsl_u64 nsl_text_piece_of(struct __sk_buff *skb, nsl_u64 span, nsl_u64 place, nsl_u64 walk)
{
	if (NSL_SPAN_PLACE(span) == NSL_IN_PACKET) {
		const struct nsl_reader reader = nsl_reader_in_packet(skb, span);

		return nsl_text_piece_by(&reader, place, walk);
	}

	const struct nsl_reader reader = nsl_reader_apart(skb, span);

	return nsl_text_piece_by(&reader, place, walk);
}

NSL_INLINE nsl_u64 nsl_text_piece(const struct nsl_reader *reader, nsl_u32 at, nsl_u32 count,
				  const struct nsl_generation *generation, const struct nsl_tables *tables,
				  nsl_u64 walk)
{
	return nsl_text_piece_of(reader->skb, reader->own, NSL_PIECE(at, count, tables->slot), walk);
}

__noinline nsl_u64 nsl_first_hash_apart(struct __sk_buff *skb, nsl_u64 span, nsl_u32 label, nsl_u64 hash)
{
	const struct nsl_reader reader = nsl_reader_apart(skb, span);

	return nsl_hash_label(&reader, NSL_LABEL_BEGIN(label), NSL_LABEL_END(label), 0, hash);
}

__noinline nsl_u64 nsl_second_hash_apart(struct __sk_buff *skb, nsl_u64 span, nsl_u32 label, nsl_u64 hash)
{
	const struct nsl_reader reader = nsl_reader_apart(skb, span);

	return nsl_hash_label(&reader, NSL_LABEL_BEGIN(label), NSL_LABEL_END(label), 1, hash);
}

NSL_INLINE nsl_u64 nsl_label_hash(const struct nsl_reader *reader, nsl_u32 begin, nsl_u32 end, int which, nsl_u64 hash)
{
	return which ? nsl_second_hash_apart(reader->skb, reader->own, NSL_LABEL(begin, end), hash)
		     : nsl_first_hash_apart(reader->skb, reader->own, NSL_LABEL(begin, end), hash);
}

#define NSL_NO_LABELS (~(nsl_u64)0)

/* nsl_find_labels: nsl_labels.last, or NSL_NO_LABELS. */
__noinline nsl_u64 nsl_labels_apart(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	const struct nsl_reader reader = nsl_reader_apart(skb, span);
	struct nsl_labels labels;

	return nsl_find_labels(&reader, at & NSL_OFFSET_MASK, &labels) ? NSL_NO_LABELS : labels.last;
}

NSL_INLINE int nsl_labels_of(const struct nsl_reader *reader, nsl_u32 at, struct nsl_labels *labels)
{
	nsl_u8 length;

	if (reader->mode == NSL_READ_PACKET)
		return nsl_find_labels(reader, at, labels);
	labels->last = nsl_labels_apart(reader->skb, reader->own, at);
	/* the last label, or the root where there is none */
	if (labels->last == NSL_NO_LABELS || nsl_read8(reader, at + (nsl_u32)(labels->last & 0xFF), &length))
		return -1;
	labels->length = (nsl_u32)(labels->last & 0xFF) + 1 + (length ? length + 1u : 0);
	return 0;
}

/* place: of observe.bpf.h; with NSL_JUDGING the answer is the NSL_NAME_* that apply, and 1; 0: the name was not read. */
__noinline nsl_u64 nsl_question_apart(struct __sk_buff *skb, nsl_u64 span, nsl_u32 place)
{
	const struct nsl_reader reader = nsl_reader_apart(skb, span);

	return nsl_question(&reader, place, NSL_ALL_TABLES);
}

/* Whether the tables block the question at offset at. A name that cannot be read again is not: it was read a moment ago. */
NSL_INLINE bool nsl_is_blocked(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at)
{
	const struct nsl_generation *generation = &nsl_generations[nsl_settings.active_slot & 1];
	nsl_u64 kinds;
	int judged;

	if (!(generation->blocks | generation->block_unlisted))
		return false;
	kinds = nsl_question_apart(skb, span, at | NSL_JUDGING);
	if (!kinds)
		return false;
	judged = nsl_judgement(kinds);
	return judged == NSL_JUDGED_BLOCK || (judged == NSL_JUDGED_NOTHING && generation->block_unlisted);
}

/* Called where the stack is shallow: not by the functions that look at a question. Not 0: the packet must not leave. */
__noinline int nsl_hand_over(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at, nsl_u64 found)
{
	const nsl_u32 length = NSL_FOUND_END(found) - 4 - at;
	nsl_u32 flags = 0;

	if (nsl_settings.mode != NSL_MODE_AUDIT && nsl_is_blocked(skb, span, at))
		flags = nsl_settings.mode == NSL_MODE_ENFORCE ? NSL_FLAG_BLOCKED : NSL_FLAG_WOULD_BLOCK;
	nsl_note_process(skb);
	nsl_emit(skb, span, NSL_WHERE(at, length, NSL_SPAN_PLACE(span)), NSL_FOUND_WHAT(found), flags);
	return flags & NSL_FLAG_BLOCKED;
}

/* What is found of a question that stays in the kernel by its whole name: by what is before its search suffixes. */
__noinline nsl_u64 nsl_read_on(struct __sk_buff *skb, nsl_u64 span, nsl_u32 at, nsl_u64 found)
{
	const nsl_u32 search = NSL_FOUND_SEARCH(found);

	for (nsl_u32 off = 1; off < NSL_WALK_LABELS; off++) {
		nsl_u64 again;

		if (!(search >> off & 1))
			continue;
		again = nsl_question_apart(skb, span, NSL_WITHOUT(at, off));
		if (NSL_FOUND_REASONS(again))
			return again;
	}
	return found;
}

/* A function of its own, because the stack of nsl_message is full. */
__noinline int nsl_count_message(nsl_u64 found)
{
	nsl_count(found ? NSL_COUNT_queries : NSL_COUNT_not_dns);
	return 0;
}

/* Looks at one message. Not 0: the packet must not leave, and the questions behind the one that is why are not asked. after: 0,
 * or NSL_AFTER_NAMES of a message with one question. */
__noinline int nsl_message(struct __sk_buff *skb, nsl_u64 span, nsl_u32 after)
{
	const struct nsl_reader reader = nsl_reader_apart(skb, span);
	const nsl_u32 questions = after ? 1 : nsl_query_questions(&reader);
	nsl_u32 place = NSL_DNS_HEADER | after;
	nsl_u64 found = 0;

	for (nsl_u32 i = 0; i < NSL_QUESTIONS_MAX; i++) {
		if (i >= questions)
			break;
		found = nsl_question_apart(skb, span, place);
		if (NSL_FOUND_SEARCH(found))
			found = nsl_read_on(skb, span, NSL_PLACE_AT(place), found);
		if (NSL_FOUND_REASONS(found) && nsl_hand_over(skb, span, NSL_PLACE_AT(place), found)) {
			nsl_count_message(found);
			return 1;
		}
		place = NSL_FOUND_END(found);
		if (!found || place > NSL_OFFSET_MASK)
			break;
		NSL_FORGET_HERE(place);
		NSL_FORGET_HERE(found);
	}
	return nsl_count_message(found);
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

	if (!step)
		step = left;
	NSL_FORGET_HERE(step);
	for (int i = 0; i < NSL_MESSAGES_MAX; i++) {
		nsl_u32 length = left < step ? left : step;

		NSL_FORGET_HERE(length);
		blocked |= (nsl_u32)nsl_message(skb, NSL_SPAN_IN(NSL_SPAN(at, length), NSL_BY_LOAD), 0);
		at += length;
		left -= length;
		if (!left)
			return (int)blocked;
		NSL_FORGET_HERE(at);
		NSL_FORGET_HERE(left);
		NSL_FORGET_HERE(blocked);
	}
	nsl_count_more(NSL_COUNT_messages_over_limit, (left + step - 1) / step);
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
		return nsl_message(skb, span, 0);
	found = nsl_question(&reader, NSL_DNS_HEADER, NSL_NAMES_ALONE);
	if (found == NSL_FOUND_TOO_LITTLE)
		return nsl_message(skb, span, 0);
	if (NSL_FOUND_IS_NO_NAME(found))
		return nsl_message(skb, span, NSL_AFTER_NAMES((nsl_u32)found & 1, (nsl_u32)(found >> 32)));
	if (NSL_FOUND_REASONS(found))
		blocked = nsl_hand_over(skb, span, NSL_DNS_HEADER, found);
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
	if (!skb->gso_size && payload <= NSL_DIRECT_MAX && (long)skb->data + skb->len <= (long)skb->data_end)
		return nsl_datagram_in_packet(skb, NSL_SPAN(payload, left));
	return nsl_messages_by_load(skb, NSL_SPAN(payload, left), skb->gso_size);
}
