/* The backends on udp_sendmsg and udpv6_sendmsg, whatever attaches them (fentry or kprobe): at entry the octets are
 * copied, looked at, and candidates set aside; at return they are handed over if the send succeeded.
 *
 * The copy lives in per-CPU memory, one piece for each hook. The kernel does not start a program again on a CPU where it
 * is under way (and counts that: the metric program_missed), so nobody else writes to it meanwhile.
 */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_endian.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "observe.bpf.h"
#include "payload.bpf.h"
#include "telemetry.bpf.h"

#define NSL_MSG_MORE	     0x8000
#define NSL_AF_INET	     2
#define NSL_AF_INET6	     10
#define NSL_SOL_UDP	     17
#define NSL_UDP_SEGMENT	     103
#define NSL_CONTROL_MESSAGES 4	/* that are searched for UDP_SEGMENT */
#define NSL_PENDING_MAX	     64 /* candidates of one send */

enum nsl_hook { NSL_HOOK_V4, NSL_HOOK_V6, NSL_HOOKS };

/* One send, as the hook found it. */
struct nsl_send {
	struct nsl_iter iter;
	nsl_u64 socket; /* address of the struct sock: names the cork */
	nsl_u8 server[16], source[16];
	nsl_u16 server_port, source_port;
	nsl_u8 family;
	nsl_u8 reserved[3];
	nsl_u32 candidates; /* set aside so far */
	nsl_u8 octets[NSL_PAYLOAD_BUFFER];
	struct nsl_candidate candidate;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NSL_HOOKS);
	__type(key, nsl_u32);
	__type(value, struct nsl_send);
} nsl_sends SEC(".maps");

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

/* The beginning of a datagram that is sent in pieces (MSG_MORE, UDP_CORK), by socket. */
struct nsl_cork {
	nsl_u32 length;
	nsl_u16 server_port;
	nsl_u8 family;
	nsl_u8 reserved;
	nsl_u8 server[16];
	nsl_u8 octets[NSL_PAYLOAD_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, nsl_u64);
	__type(value, struct nsl_cork);
} nsl_corks SEC(".maps");

const struct nsl_cork nsl_empty_cork = {};

NSL_INLINE struct nsl_send *nsl_send_of(nsl_u32 hook)
{
	return bpf_map_lookup_elem(&nsl_sends, &hook);
}

/* ---- where it goes ----------------------------------------------------------------------------------------------- */

NSL_INLINE bool nsl_is_mapped(const nsl_u8 *address)
{
	const nsl_u32 *words = (const nsl_u32 *)address;

	return !words[0] && !words[1] && words[2] == bpf_htonl(0xFFFF);
}

/* Port of the destination in host order, 0 if unknown; its address and family into the arguments. */
NSL_INLINE nsl_u16 nsl_read_destination(struct sock *sock, struct msghdr *message, nsl_u8 *address, nsl_u8 *family)
{
	const nsl_u8 *name = BPF_CORE_READ(message, msg_name);
	nsl_u16 header[2] = {}; /* sa_family, port */

	if (name) {
		bpf_probe_read_kernel(header, sizeof header, name);
		if (header[0] == NSL_AF_INET6) {
			*family = 6;
			bpf_probe_read_kernel(address, 16, name + 8);
		} else {
			*family = 4;
			bpf_probe_read_kernel(address, 4, name + 4);
		}
		return bpf_ntohs(header[1]);
	}
	if (BPF_CORE_READ(sock, __sk_common.skc_state) != NSL_ESTABLISHED)
		return 0;
	bpf_core_read(address, 16, &sock->__sk_common.skc_v6_daddr);
	if (BPF_CORE_READ(sock, __sk_common.skc_family) == NSL_AF_INET6 && !nsl_is_mapped(address)) {
		*family = 6;
	} else {
		*family = 4;
		__builtin_memset(address, 0, 16);
		*(nsl_u32 *)address = BPF_CORE_READ(sock, __sk_common.skc_daddr);
	}
	return bpf_ntohs(BPF_CORE_READ(sock, __sk_common.skc_dport));
}

NSL_INLINE void nsl_read_source(struct nsl_send *send, struct sock *sock)
{
	struct inet_sock *inet = (void *)sock;

	send->source_port = bpf_ntohs(BPF_CORE_READ(inet, inet_sport));
	if (send->family == 4)
		*(nsl_u32 *)send->source = BPF_CORE_READ(inet, inet_saddr);
	else
		bpf_core_read(send->source, 16, &sock->__sk_common.skc_v6_rcv_saddr);
}

/* Octets of each datagram of the send, 0 if it is one: UDP_SEGMENT as a socket option or as a control message. */
NSL_INLINE nsl_u32 nsl_read_gso_size(struct sock *sock, struct msghdr *message)
{
	struct udp_sock *udp = (void *)sock;
	const nsl_u8 *control = BPF_CORE_READ(message, msg_control);
	nsl_u64 left = BPF_CORE_READ(message, msg_controllen);

	for (int i = 0; i < NSL_CONTROL_MESSAGES && control; i++) {
		struct cmsghdr_kernel header;
		nsl_u16 size = 0;

		if (left < sizeof header || bpf_probe_read_kernel(&header, sizeof header, control))
			break;
		if (header.level == NSL_SOL_UDP && header.type == NSL_UDP_SEGMENT) {
			bpf_probe_read_kernel(&size, sizeof size, control + sizeof header);
			return size;
		}
		header.length = (header.length + 7) & ~7ull;
		if (header.length < sizeof header || header.length > left)
			break;
		control += header.length;
		left -= header.length;
	}
	return BPF_CORE_READ(udp, gso_size);
}

/* ---- candidates --------------------------------------------------------------------------------------------------- */

NSL_INLINE void nsl_hand_over(struct nsl_candidate *candidate)
{
	if (bpf_ringbuf_output(&nsl_candidates, candidate, sizeof *candidate, nsl_wakeup()))
		nsl_count(NSL_COUNT_ring_full);
	else
		nsl_count(NSL_COUNT_candidates);
}

/* Sets the question aside until the send returns. Global functions: see cgroup.bpf.c. */
__noinline int nsl_set_aside(nsl_u32 hook, nsl_u64 where, nsl_u64 what, nsl_u32 generation)
{
	struct nsl_question question = nsl_unpack_question(where, what, generation);
	struct nsl_pending_key key = {};
	struct nsl_send *send = nsl_send_of(hook);
	struct nsl_candidate *candidate, *forgotten;

	if (!send || send->candidates >= NSL_PENDING_MAX)
		return 0;
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
	if (bpf_map_update_elem(&nsl_pending, &key, candidate, BPF_ANY)) {
		nsl_count(NSL_COUNT_pending_full);
		return 0;
	}
	send->candidates++;
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

/* Looks at the messages of the send: step octets each but the last, or one (step 0). */
__noinline int nsl_sent_messages(nsl_u32 hook, nsl_u32 left, nsl_u32 step)
{
	nsl_u32 at = 0;

	for (int i = 0; i < NSL_MESSAGES_MAX; i++) {
		const nsl_u32 length = step && left > step ? step : left;

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

/* Looks at a datagram that may be sent in pieces: puts this piece behind the earlier ones and keeps the whole while it is
 * no complete query. pieces: earlier ones are pending. */
__noinline int nsl_sent_piece(nsl_u32 hook, nsl_u32 length, nsl_u32 pieces)
{
	struct nsl_send *send = nsl_send_of(hook);
	struct nsl_cork *cork;
	nsl_u32 before = 0;
	nsl_u64 socket;
	int copied;

	if (!send)
		return 0;
	socket = send->socket;
	cork = pieces ? bpf_map_lookup_elem(&nsl_corks, &socket) : NULL;
	if (cork) {
		before = cork->length;
		bpf_probe_read_kernel(send->octets, NSL_PAYLOAD_MAX, cork->octets);
	}
	if (before >= NSL_PAYLOAD_MAX)
		return 0;
	if (length > NSL_PAYLOAD_MAX - before)
		length = NSL_PAYLOAD_MAX - before;
	copied = nsl_copy_message(hook, 0, length, before);
	if (copied < 0) {
		nsl_count(NSL_COUNT_payload_unreadable);
		return 0;
	}
	before += (nsl_u32)copied;
	if (nsl_sent_message(hook, before)) {
		nsl_count(NSL_COUNT_queries);
		if (cork)
			bpf_map_delete_elem(&nsl_corks, &socket);
		return 0;
	}
	/* complete messages that are no queries are kept too, in vain: which is which shows at the next piece only */
	if (!cork && !bpf_map_update_elem(&nsl_corks, &socket, &nsl_empty_cork, BPF_ANY))
		cork = bpf_map_lookup_elem(&nsl_corks, &socket);
	if (cork) {
		cork->length = before;
		cork->server_port = send->server_port;
		cork->family = send->family;
		__builtin_memcpy(cork->server, send->server, sizeof cork->server);
		bpf_probe_read_kernel(cork->octets, NSL_PAYLOAD_MAX, send->octets);
	}
	nsl_count(NSL_COUNT_not_dns);
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
	nsl_u8 server[16] = {}, family = 4;
	nsl_u16 port = nsl_read_destination(sock, message, server, &family);
	const int pieces = BPF_CORE_READ((struct udp_sock *)sock, pending);
	const nsl_u64 socket = (nsl_u64)sock;
	struct nsl_cork *cork;
	struct nsl_send *send;
	nsl_u32 step;

	if (hook == NSL_HOOK_V6 && (pieces == NSL_AF_INET || family == 4 || nsl_is_mapped(server)))
		return 0; /* goes on to udp_sendmsg */
	if (pieces && !port && (cork = bpf_map_lookup_elem(&nsl_corks, &socket))) {
		port = cork->server_port;
		family = cork->family;
		__builtin_memcpy(server, cork->server, sizeof server);
	}
	if (!nsl_is_dns_port(port))
		return 0;
	send = nsl_send_of(hook);
	if (!send)
		return 0;
	send->socket = socket;
	send->server_port = port;
	send->family = family;
	send->candidates = 0;
	__builtin_memcpy(send->server, server, sizeof server);
	nsl_read_source(send, sock);
	nsl_read_iter(&send->iter, &message->msg_iter);
	/* up to 6.4 sendfile() and splice() open the datagram like this, and then append pages past this hook */
	if (!length && !pieces && BPF_CORE_READ(message, msg_flags) & NSL_MSG_MORE)
		nsl_count(NSL_COUNT_payload_unreadable);
	if (length > 0xFFFF)
		return 0; /* more than a datagram: the send fails */
	step = nsl_read_gso_size(sock, message);
	if (step)
		nsl_sent_messages(hook, (nsl_u32)length, step);
	else
		nsl_sent_piece(hook, (nsl_u32)length, pieces != 0);
	if (send->candidates) {
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
