/* The backends on udp_sendmsg and udpv6_sendmsg, whatever attaches them (fentry or kprobe): at entry the octets are
 * copied, looked at, and candidates set aside; at return they are handed over if the send succeeded.
 */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "observe.bpf.h"
#include "send.bpf.h"
#include "telemetry.bpf.h"

#define NSL_PENDING_MAX 64 /* candidates of one send */

/* Candidates between entry and return. */
struct nsl_pending_key {
	nsl_u64 pid_tgid;
	nsl_u32 index;
	nsl_u32 reserved;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1024);
	__type(key, struct nsl_pending_key);
	__type(value, struct nsl_candidate);
} nsl_pending SEC(".maps");

/* A datagram that is sent in pieces (MSG_MORE, UDP_CORK), by socket. Where it goes and how it is cut, the kernel keeps. */
struct nsl_cork {
	nsl_u32 length;			/* octets so far */
	nsl_u32 seen;			/* the message that its last piece belongs to is a query, and was looked at */
	nsl_u8 octets[NSL_PAYLOAD_MAX]; /* the beginning of that message, unless it was seen */
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, nsl_u64);
	__type(value, struct nsl_cork);
} nsl_corks SEC(".maps");

const struct nsl_cork nsl_empty_cork = {};

/* ---- candidates --------------------------------------------------------------------------------------------------- */

NSL_INLINE void nsl_hand_over(struct nsl_candidate *candidate)
{
	if (bpf_ringbuf_output(&nsl_candidates, candidate, sizeof *candidate, nsl_wakeup()))
		nsl_count(NSL_COUNT_ring_full);
	else
		nsl_count(NSL_COUNT_candidates);
}

/* Sets the question aside until the send returns. */
__noinline int nsl_set_aside(nsl_u32 hook, nsl_u64 where, nsl_u64 what, nsl_u32 generation)
{
	struct nsl_question question = nsl_unpack_question(where, what, generation);
	struct nsl_pending_key key = {};
	struct nsl_send *send = nsl_send_of(hook);
	struct nsl_candidate *candidate, *forgotten;

	if (!send)
		return 0;
	if (send->candidates >= NSL_PENDING_MAX) {
		nsl_count(NSL_COUNT_pending_full);
		return 0;
	}
	candidate = &send->candidate;
	nsl_describe_question(candidate, send->octets, &question);
	__builtin_memcpy(candidate->server, send->server, sizeof candidate->server);
	__builtin_memcpy(candidate->source, send->source, sizeof candidate->source);
	candidate->server_port = candidate->wire_port = send->server_port;
	candidate->source_port = send->source_port;
	candidate->family = send->family;
	candidate->transport = NSL_UDP;
	nsl_describe_sender(&candidate->sender, nsl_current_sender());
	bpf_probe_read_kernel(candidate->name, sizeof candidate->name, send->octets + question.at);

	key.pid_tgid = bpf_get_current_pid_tgid();
	key.index = send->candidates;
	/* the return of an earlier send of this thread was missed (kretprobes have a limit): that send did happen */
	forgotten = bpf_map_lookup_elem(&nsl_pending, &key);
	if (forgotten)
		nsl_hand_over(forgotten);
	if (!bpf_map_update_elem(&nsl_pending, &key, candidate, BPF_ANY)) {
		send->candidates++;
	} else if (nsl_is_telemetry(candidate->reasons, candidate->flags)) {
		nsl_count(NSL_COUNT_pending_full);
	} else {
		/* full: of sends under way, or of what missed returns left behind. Rather a send that fails than one unseen. */
		nsl_hand_over(candidate);
		send->at_once = 1;
	}
	return 0;
}

/* ---- messages ------------------------------------------------------------------------------------------------------ */

/* A message in the send's buffer, in one register. */
#define NSL_OWN(hook, length) ((nsl_u64)(hook) << 32 | (length))
#define NSL_OWN_HOOK(own)     ((nsl_u32)((own) >> 32))

NSL_INLINE struct nsl_reader nsl_reader_of(struct nsl_send *send, nsl_u64 own)
{
	const struct nsl_reader reader = {
		.mode = NSL_READ_BUFFER,
		.octets = send->octets,
		.length = (nsl_u32)own,
		.own = own,
	};

	return reader;
}

__noinline nsl_u64 nsl_sent_text_piece(nsl_u64 own, nsl_u64 place, nsl_u64 walk)
{
	struct nsl_send *send = nsl_send_of(NSL_OWN_HOOK(own));

	if (!send)
		return NSL_TEXT_UNREAD;

	const struct nsl_reader reader = nsl_reader_of(send, own);

	return nsl_text_piece_by(&reader, place, walk);
}

NSL_INLINE nsl_u64 nsl_text_piece(const struct nsl_reader *reader, nsl_u32 at, nsl_u32 count,
				  const struct nsl_generation *generation, const struct nsl_tables *tables,
				  nsl_u64 walk)
{
	return nsl_sent_text_piece(reader->own, NSL_PIECE(at, count, tables->slot), walk);
}

/* A hash of a suffix extended by a label; 0 if that cannot be read. */
NSL_INLINE nsl_u64 nsl_hash_sent(nsl_u64 own, nsl_u32 label, int which, nsl_u64 hash)
{
	struct nsl_send *send = nsl_send_of(NSL_OWN_HOOK(own));

	if (!send)
		return 0;

	const struct nsl_reader reader = nsl_reader_of(send, own);

	return nsl_hash_label(&reader, NSL_LABEL_BEGIN(label), NSL_LABEL_END(label), which, hash);
}

__noinline nsl_u64 nsl_first_hash_sent(nsl_u64 own, nsl_u32 label, nsl_u64 hash)
{
	return nsl_hash_sent(own, label, 0, hash);
}

__noinline nsl_u64 nsl_second_hash_sent(nsl_u64 own, nsl_u32 label, nsl_u64 hash)
{
	return nsl_hash_sent(own, label, 1, hash);
}

NSL_INLINE nsl_u64 nsl_label_hash(const struct nsl_reader *reader, nsl_u32 begin, nsl_u32 end, int which, nsl_u64 hash)
{
	return which ? nsl_second_hash_sent(reader->own, NSL_LABEL(begin, end), hash)
		     : nsl_first_hash_sent(reader->own, NSL_LABEL(begin, end), hash);
}

NSL_INLINE int nsl_labels_of(const struct nsl_reader *reader, nsl_u32 at, struct nsl_labels *labels)
{
	return nsl_find_labels(reader, at, labels);
}

NSL_INLINE int nsl_sent_found(nsl_u32 hook, int next, const struct nsl_question *question)
{
	if (next >= 0 && !question->reasons)
		return next | (int)(question->search << 16);
	if (next >= 0)
		nsl_set_aside(hook, NSL_WHERE(question->at, question->length, 0),
			      NSL_WHAT(question->reasons, question->tail.record_type, question->tail.record_class),
			      question->generation);
	return next;
}

/* place: of observe.bpf.h, but for NSL_JUDGING. Where the question ends, with nsl_question.search in the upper half; or -1. */
__noinline int nsl_sent_question_apart(nsl_u64 own, nsl_u32 place)
{
	struct nsl_send *send = nsl_send_of(NSL_OWN_HOOK(own));
	struct nsl_question question = {};

	if (!send)
		return -1;

	const struct nsl_reader reader = nsl_reader_of(send, own);
	const int next = nsl_observe_question(&reader, place & ~NSL_JUDGING, NSL_ALL_TABLES, &question);

	return nsl_sent_found(NSL_OWN_HOOK(own), next, &question);
}

/* NSL_NAMES_MISSED, with the slot in which they were asked and the name's length. */
#define NSL_SENT_NO_NAME(slot, length) (-4 - (int)((slot) | (length) << 1))
#define NSL_SENT_AFTER_NAMES(next)     NSL_AFTER_NAMES((nsl_u32)(-4 - (next)) & 1, (nsl_u32)(-4 - (next)) >> 1 & 0xFF)

/* The short way of the usual question, which is asked about its name alone: the same, NSL_LEAVE_SHORT_WAY or
 * NSL_SENT_NO_NAME. */
__noinline int nsl_sent_question(nsl_u32 hook, nsl_u32 length, nsl_u32 at)
{
	struct nsl_send *send = nsl_send_of(hook);
	struct nsl_question question;
	int next;

	if (!send)
		return -1;

	const struct nsl_reader reader = nsl_reader_of(send, NSL_OWN(hook, length));

	next = nsl_observe_question(&reader, NSL_PLACE_AT(at), NSL_NAMES_ALONE, &question);
	if (next == NSL_LEAVE_SHORT_WAY)
		return next;
	if (next == NSL_NAMES_MISSED)
		return NSL_SENT_NO_NAME(question.slot, question.length);
	return nsl_sent_found(hook, next, &question);
}

/* A question by its whole name and, if that leaves it in the kernel, by what is before its search suffixes. */
NSL_INLINE int nsl_sent_name(nsl_u32 hook, nsl_u32 length, nsl_u32 at)
{
	const nsl_u64 own = NSL_OWN(hook, length);
	int next = nsl_sent_question(hook, length, at);
	struct nsl_send *send;
	nsl_u32 before;

	if (next == NSL_LEAVE_SHORT_WAY)
		next = nsl_sent_question_apart(own, at);
	else if (next <= NSL_SENT_NO_NAME(0, 0))
		next = nsl_sent_question_apart(own, at | NSL_SENT_AFTER_NAMES(next));
	if (next <= 0xFFFF || !(send = nsl_send_of(hook)))
		return next;
	before = send->candidates;
	for (nsl_u32 off = 1; off < NSL_WALK_LABELS; off++) {
		if (!(next >> 16 >> off & 1))
			continue;
		nsl_sent_question_apart(own, NSL_WITHOUT(at, off));
		if (send->candidates != before)
			break;
	}
	return next & 0xFFFF;
}

/* Looks at the message of length octets in the send's buffer. Not 0 if it is a query. */
__noinline int nsl_sent_message(nsl_u32 hook, nsl_u32 length)
{
	struct nsl_send *send = nsl_send_of(hook);
	int at = NSL_DNS_HEADER;
	nsl_u32 questions;

	if (!send)
		return 0;

	const struct nsl_reader reader = nsl_reader_of(send, NSL_OWN(hook, length));

	questions = nsl_query_questions(&reader);
	for (nsl_u32 i = 0; i < NSL_QUESTIONS_MAX; i++) {
		if (i >= questions)
			break;
		at = nsl_sent_name(hook, length, (nsl_u32)at);
		if (at < 0 || at > (int)NSL_OFFSET_MASK)
			break;
	}
	return questions && at >= 0;
}

/* A function of its own, so that the verifier checks it once for all pieces. */
__noinline nsl_u64 nsl_copy_further_apart(nsl_u32 hook, nsl_u32 number, nsl_u64 copy)
{
	struct nsl_send *send = nsl_send_of(hook);

	return send ? nsl_copy_segment(&send->iter, number, copy, send->octets) : NSL_COPY_FAILED;
}

NSL_INLINE nsl_u64 nsl_copy_further(const struct nsl_iter *iter, nsl_u32 number, nsl_u64 copy, nsl_u8 *octets,
				    nsl_u32 own)
{
	return nsl_copy_further_apart(own, number, copy);
}

__noinline int nsl_copy_message(nsl_u32 hook, nsl_u32 skip, nsl_u32 wanted, nsl_u32 at)
{
	struct nsl_send *send = nsl_send_of(hook);

	if (!send || wanted > NSL_PAYLOAD_MAX)
		return -1;
	return nsl_copy_payload(&send->iter, skip, wanted, send->octets, at, hook);
}

/* Looks at a message of a send of many: the octets from at on. Not 0 if they could not be read. */
__noinline int nsl_sent_one(nsl_u32 hook, nsl_u32 at, nsl_u32 length)
{
	const int copied = nsl_copy_message(hook, at, length < NSL_PAYLOAD_MAX ? length : NSL_PAYLOAD_MAX, 0);

	if (copied < 0) {
		nsl_count(NSL_COUNT_payload_unreadable);
		return -1;
	}
	nsl_count(nsl_sent_message(hook, (nsl_u32)copied) ? NSL_COUNT_queries : NSL_COUNT_not_dns);
	return 0;
}

/* Looks at messages of the send, from the octets at on: step octets each but the last. */
__noinline int nsl_sent_messages(nsl_u32 hook, nsl_u32 at, nsl_u32 left, nsl_u32 step)
{
	for (int i = 0; i < NSL_MESSAGES_MAX; i++) {
		const nsl_u32 length = left > step ? step : left;

		if (nsl_sent_one(hook, at, length))
			return 0;
		at += length;
		left -= length;
		if (!left)
			return 0;
		NSL_FORGET_HERE(at);
		NSL_FORGET_HERE(left);
	}
	nsl_count_more(NSL_COUNT_messages_over_limit, (left + step - 1) / step);
	return 0;
}

/* Looks at a message of a datagram that is sent in pieces: puts the octets of the send from at on behind those of the earlier
 * pieces (before: how many), and keeps the whole while it is no complete query. */
__noinline int nsl_sent_piece(nsl_u32 hook, nsl_u32 at, nsl_u32 length, nsl_u32 before)
{
	struct nsl_send *send = nsl_send_of(hook);
	struct nsl_cork *cork;
	nsl_u64 socket;
	int copied;

	if (!send)
		return 0;
	socket = send->socket;
	cork = bpf_map_lookup_elem(&nsl_corks, &socket);
	if (!cork)
		return 0;
	if (!before)
		cork->seen = 0;
	if (cork->seen || before >= NSL_PAYLOAD_MAX)
		return 0;
	if (before)
		bpf_probe_read_kernel(send->octets, NSL_PAYLOAD_MAX, cork->octets);
	if (length > NSL_PAYLOAD_MAX - before)
		length = NSL_PAYLOAD_MAX - before;
	copied = nsl_copy_message(hook, at, length, before);
	if (copied < 0) {
		nsl_count(NSL_COUNT_payload_unreadable);
		return 0;
	}
	if (nsl_sent_message(hook, before + (nsl_u32)copied)) {
		nsl_count(NSL_COUNT_queries);
		cork->seen = 1;
		return 0;
	}
	bpf_probe_read_kernel(cork->octets, NSL_PAYLOAD_MAX, send->octets);
	nsl_count(NSL_COUNT_not_dns);
	return 0;
}

/* What is known of the datagram that the send begins or goes on with; NULL if nothing can be. */
NSL_INLINE struct nsl_cork *nsl_cork_of(struct nsl_send *send)
{
	struct udp_sock *udp = (void *)send->socket;
	const nsl_u64 socket = send->socket;
	struct nsl_cork *cork;
	nsl_u32 length;

	if (!send->pending) {
		bpf_map_update_elem(&nsl_corks, &socket, &nsl_empty_cork, BPF_ANY);
		return bpf_map_lookup_elem(&nsl_corks, &socket);
	}
	cork = bpf_map_lookup_elem(&nsl_corks, &socket);
	if (!cork)
		return NULL;
	length = BPF_CORE_READ(udp, len) - NSL_UDP_HEADER;
	if (cork->length > length)
		cork->length = length; /* a piece that the kernel refused */
	else if (cork->length < length)
		nsl_count(NSL_COUNT_payload_unreadable); /* one that did not come by here (sendfile) */
	return cork;
}

/* Looks at the send as a piece of a datagram, of messages of step octets each if step is not 0. more: others may follow. */
__noinline int nsl_sent_pieces(nsl_u32 hook, nsl_u32 length, nsl_u32 step, nsl_u32 more)
{
	struct nsl_send *send = nsl_send_of(hook);
	nsl_u32 before, first = length, tail;
	struct nsl_cork *cork;
	nsl_u64 socket;

	if (!send)
		return 0;
	cork = nsl_cork_of(send);
	if (!cork) {
		nsl_count(NSL_COUNT_payload_unreadable);
		return 0;
	}
	before = cork->length;
	cork->length = before + length;
	if (step) {
		before %= step;
		if (first > step - before)
			first = step - before;
	}
	nsl_sent_piece(hook, 0, first, before);
	length -= first;
	if (length) {
		tail = length % step ? length % step : step;
		if (length > tail)
			nsl_sent_messages(hook, first, length - tail, step);
		nsl_sent_piece(hook, first + length - tail, tail, 0);
	}
	socket = send->socket;
	if (!more)
		bpf_map_delete_elem(&nsl_corks, &socket);
	return 0;
}

/* Puts the sender into the process table. Here and not where a question is set aside: the stack of that is full. */
__noinline int nsl_note_process(nsl_u32 hook)
{
	struct nsl_send *send = nsl_send_of(hook);

	if (send)
		nsl_make_process(&send->candidate.sender.process, nsl_current_sender(), 0);
	return 0;
}

/* Waits for the response to a candidate that was set aside, if it needs one. Not 0: there is no such candidate. */
__noinline int nsl_await_pending(nsl_u32 hook, nsl_u32 index)
{
	const nsl_u32 awaited = nsl_generations[nsl_settings.active_slot & 1].awaited;
	struct nsl_pending_key key = { .pid_tgid = bpf_get_current_pid_tgid(), .index = index };
	struct nsl_send *send = nsl_send_of(hook);
	struct nsl_candidate *candidate;

	if (!send || index >= send->candidates)
		return -1;
	candidate = bpf_map_lookup_elem(&nsl_pending, &key);
	if (!candidate || !nsl_needs_response(candidate->reasons, awaited))
		return 0;
	candidate->socket = send->socket;
	nsl_await(candidate);
	return 0;
}

/* The same for all of them. Here and not where each is set aside: the stack of that is full. */
__noinline int nsl_await_responses(nsl_u32 hook)
{
	for (nsl_u32 i = 0; i < NSL_PENDING_MAX; i++)
		if (nsl_await_pending(hook, i))
			break;
	return 0;
}

/* Hands over a candidate of the current thread that was set aside. A function of its own, so that it is checked once. */
__noinline int nsl_hand_over_pending(nsl_u32 index)
{
	struct nsl_pending_key key = { .pid_tgid = bpf_get_current_pid_tgid(), .index = index };
	struct nsl_candidate *candidate = bpf_map_lookup_elem(&nsl_pending, &key);

	if (!candidate)
		return 0;
	if (!nsl_is_telemetry(candidate->reasons, candidate->flags)) {
		nsl_hand_over(candidate);
		return 0;
	}
	if (nsl_withhold(candidate))
		return 0;
	if (bpf_ringbuf_output(&nsl_observed, candidate, sizeof *candidate, nsl_telemetry_wakeup()))
		nsl_count(NSL_COUNT_telemetry_ring_full);
	else
		nsl_count(NSL_COUNT_candidates);
	return 0;
}

/* ---- entry and return ----------------------------------------------------------------------------------------------- */

NSL_INLINE int nsl_enter(enum nsl_hook hook, struct sock *sock, struct msghdr *message, nsl_u64 length)
{
	struct udp_sock *udp = (void *)sock;
	const int pending = BPF_CORE_READ(udp, pending);
	const nsl_u8 *name;
	nsl_u16 name_family;
	const nsl_u16 port = bpf_ntohs(nsl_read_port(hook, sock, message, pending, &name, &name_family));
	struct nsl_send *send;
	nsl_u32 flags, step;
	bool more;

	if (!nsl_is_dns_port(port))
		return 0;
	send = nsl_send_of(hook);
	if (!send)
		return 0;
	send->socket = (nsl_u64)sock;
	send->message = (nsl_u64)message;
	send->name = (nsl_u64)name;
	send->name_family = name_family;
	send->pending = pending != 0;
	send->server_port = port;
	send->candidates = send->at_once = 0;
	flags = BPF_CORE_READ(message, msg_flags);
	if (length > 0xFFFF || flags & NSL_MSG_PROBE || (hook == NSL_HOOK_V4 && flags & NSL_MSG_OOB))
		return 0; /* fails, or sends nothing */
	if (nsl_read_addresses(hook))
		return 0;
	nsl_read_iter(&send->iter, &message->msg_iter);
	/* up to 6.4 sendfile() and splice() open the datagram like this, and then append pages past this hook */
	if (!length && !pending && flags & NSL_MSG_MORE)
		nsl_count(NSL_COUNT_payload_unreadable);
	step = nsl_read_gso_size(hook, sock, message, pending);
	more = flags & NSL_MSG_MORE || nsl_is_corked(udp);
	if (pending || more)
		nsl_sent_pieces(hook, (nsl_u32)length, step, more);
	else if (step && length > step)
		nsl_sent_messages(hook, 0, (nsl_u32)length, step);
	else
		nsl_sent_one(hook, 0, (nsl_u32)length);
	if (send->candidates | send->at_once) {
		nsl_note_process(hook);
		if (nsl_settings.responses)
			nsl_await_responses(hook);
	}
	return 0;
}

NSL_INLINE int nsl_return(long sent)
{
	struct nsl_pending_key key = { .pid_tgid = bpf_get_current_pid_tgid() };

	for (nsl_u32 i = 0; i < NSL_PENDING_MAX; i++) {
		struct nsl_candidate *candidate;

		key.index = i;
		candidate = bpf_map_lookup_elem(&nsl_pending, &key);
		if (!candidate)
			break;
		if (sent >= 0)
			nsl_hand_over_pending(i);
		else
			nsl_count(NSL_COUNT_send_failed);
		bpf_map_delete_elem(&nsl_pending, &key);
	}
	return 0;
}
