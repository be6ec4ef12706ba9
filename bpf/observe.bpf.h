/* bytes -> parse -> match -> candidate: the one path of every backend.
 *
 * A backend finds the messages, calls nsl_observe_question for each question and provides one function that fills in what
 * only it knows (addresses, the sender). Everything that is decided about a query is decided here.
 */
#pragma once

#include <bpf/bpf_endian.h>

#include "awaited.bpf.h"
#include "compat.bpf.h"
#include "maps.bpf.h"
#include "process.bpf.h"
#include "reader.bpf.h"
#include "sender.bpf.h"

#include "dns.h"
#include "exchange.h"
#include "match.h"
#include "texts.h"

/* What a question is, as nsl_observe_question found it. */
struct nsl_question {
	nsl_u32 at;	 /* offset of the name in the message */
	nsl_u32 length;	 /* octets of the name */
	nsl_u32 reasons; /* NSL_REASON_*: 0 for a query that stays in the kernel */
	/* of a query that stays: bit n, if it is to be observed again without its last n labels, a search suffix */
	nsl_u32 search;
	nsl_u32 generation;
	struct nsl_question_tail tail;
};

/* A question packed into scalars, which is what functions that the verifier checks on their own can take. where: offset
 * and length of the name, and a number of the backend's own; what: reasons, record type and class. */
#define NSL_WHERE(at, length, place)   ((nsl_u64)(place) << 32 | (nsl_u64)(length) << 16 | (at))
#define NSL_WHERE_PLACE(where)	       ((where) >> 32)
#define NSL_WHAT(reasons, type, class) ((nsl_u64)(class) << 48 | (nsl_u64)(type) << 32 | (reasons))

NSL_INLINE struct nsl_question nsl_unpack_question(nsl_u64 where, nsl_u64 what, nsl_u32 generation)
{
	const struct nsl_question question = {
		.at = where & NSL_OFFSET_MASK,
		.length = where >> 16 & 0xFFFF,
		.reasons = (nsl_u32)what,
		.generation = generation,
		.tail = { .record_type = (nsl_u16)(what >> 32), .record_class = (nsl_u16)(what >> 48) },
	};

	return question;
}

/* Which tables a question is held against. The names alone are for the short way of a datagram, whose registers the
 * others would take; it is left when a query can leave for another reason than its name, and for a name with a search suffix. */
enum nsl_scope { NSL_ALL_TABLES, NSL_NAMES_ALONE };

#define NSL_LEAVE_SHORT_WAY (-2)

/* Where a question is, and how much of its name to look at (off of nsl_observe_question), in one scalar. */
#define NSL_WITHOUT(at, off) ((at) | (off) << 16)
#define NSL_PLACE_AT(place)  ((place) & NSL_OFFSET_MASK)
#define NSL_PLACE_OFF(place) ((nsl_u64)((place) >> 16 & (NSL_WALK_LABELS - 1)))

/* Why the question leaves the kernel by what the tables say: NSL_REASON_* or 0, -1 if it cannot be read, or
 * NSL_LEAVE_SHORT_WAY. */
NSL_INLINE int nsl_match_question(const struct nsl_reader *reader, nsl_u32 at, const struct nsl_labels *labels,
				  nsl_u64 off, nsl_u32 slot, enum nsl_scope scope, struct nsl_question *question)
{
	const struct nsl_generation *generation = &nsl_generations[slot];
	struct nsl_tables tables = { .slot = slot };
	nsl_u64 search = 0;
	int reasons, found;

	tables.filter = nsl_filter_of(slot);
	if (!tables.filter) {
		nsl_count(NSL_COUNT_generation_missing);
		return 0;
	}
	if (scope == NSL_NAMES_ALONE) {
		reasons = nsl_match_name(reader, at, labels, generation, &tables);
		if (reasons > (int)NSL_REASON_NAME)
			return NSL_LEAVE_SHORT_WAY;
	} else {
		reasons = nsl_match_reading(reader, at, labels, off, generation, &tables, &search);
		/* Where a message is read piece by piece there is no stack to read on: its name is a candidate. */
		if (reader->mode == NSL_READ_LOAD && search)
			reasons = NSL_REASON_NAME;
		question->search = (nsl_u32)search;
	}
	if (reasons < 0)
		return -1;
	if (off || scope == NSL_NAMES_ALONE)
		return reasons;
	if (generation->every_query)
		reasons |= NSL_REASON_EVERY_QUERY;
	if (!reasons && generation->text_shift && (tables.texts = nsl_texts_of(slot))) {
		found = nsl_match_texts(reader, at, labels->length, generation, &tables);
		if (found < 0)
			return -1;
		reasons = found;
	}
	if (!reasons && generation->has_types) {
		if (nsl_read_question_tail(reader, at + labels->length, &question->tail))
			return -1;
		if (nsl_is_forwarded_type(generation, question->tail.record_type))
			reasons = NSL_REASON_TYPE;
	}
	if (!reasons && (generation->flags_set | generation->flags_clear)) {
		nsl_u64 header;

		if (nsl_read64(reader, 2, &header))
			return -1;
		if (nsl_are_forwarded_flags(generation,
					    (nsl_u32)(header << 8 & 0xFF00) | (nsl_u32)(header >> 8 & 0xFF)))
			reasons = NSL_REASON_FLAGS;
	}
	return reasons;
}

/* Parses and matches the question at offset at. Its end (the next one's offset), -1 if it is none, or
 * NSL_LEAVE_SHORT_WAY. The tables are those of one generation, whatever is published meanwhile. off: 0, or a number of
 * labels that an earlier observation named in search; of what is left, the names alone are asked. */
NSL_INLINE int nsl_observe_question(const struct nsl_reader *reader, nsl_u32 at, nsl_u64 off, enum nsl_scope scope,
				    struct nsl_question *question)
{
	const nsl_u32 slot = nsl_settings.active_slot & 1;
	struct nsl_labels labels;
	nsl_u32 reasons, end;
	int matched;

	if (scope == NSL_NAMES_ALONE && (nsl_generations[slot].further | nsl_settings.observe_all))
		return NSL_LEAVE_SHORT_WAY;
	if (nsl_find_labels(reader, at, &labels))
		return -1;
	end = at + labels.length;
	question->search = 0;
	matched = nsl_match_question(reader, at, &labels, off, slot, scope, question);
	if (matched < 0)
		return matched;
	reasons = (nsl_u32)matched;
	if (scope != NSL_NAMES_ALONE && nsl_settings.observe_all)
		reasons |= NSL_REASON_OBSERVE;
	question->reasons = reasons;
	if (!reasons)
		return (int)end + 4;
	if (nsl_read_question_tail(reader, end, &question->tail))
		return -1;
	/* Where only allowed names may leave, an odd header is no way out either. */
	if (!(reasons & (NSL_REASON_NAME | NSL_REASON_TEXT)) && !nsl_generations[slot].block_unlisted &&
	    !nsl_plausible_query(reader, &question->tail, end + 4, reader->length)) {
		/* unless a listed name is before a search suffix */
		question->reasons = 0;
		return question->search ? (int)end + 4 : -1;
	}
	question->at = at;
	question->length = labels.length;
	question->generation = nsl_generations[slot].number;
	return (int)end + 4;
}

/* Fills in what the message says; header: its first eight octets. A backend adds addresses, sender and the name's
 * octets. */
NSL_INLINE void nsl_describe_question(struct nsl_candidate *candidate, const nsl_u8 *header,
				      const struct nsl_question *question)
{
	__builtin_memset(candidate, 0, offsetof(struct nsl_candidate, name));
	candidate->boottime = bpf_ktime_get_boot_ns();
	candidate->id = (nsl_u16)(header[0] << 8 | header[1]);
	candidate->dns_flags = (nsl_u16)(header[2] << 8 | header[3]);
	candidate->question_count = (nsl_u16)(header[4] << 8 | header[5]);
	if (candidate->question_count > 1)
		candidate->flags |= NSL_FLAG_MORE_QUESTIONS;
	candidate->reasons = question->reasons;
	candidate->generation = question->generation;
	candidate->record_type = question->tail.record_type;
	candidate->record_class = question->tail.record_class;
	candidate->name_length = (nsl_u16)question->length;
}

/* Whether the response to a query that leaves for these reasons is waited for. */
NSL_INLINE bool nsl_needs_response(nsl_u32 reasons, nsl_u32 awaited)
{
	return nsl_settings.responses == NSL_RESPONSES_ALL ||
	       (nsl_settings.responses == NSL_RESPONSES_NEEDED && reasons & awaited);
}

/* Waits for the response. The candidate's addresses and socket are set; the packet has not left yet. (Not every object sends
 * packets.) */
static __noinline __attribute__((unused)) int nsl_await(struct nsl_candidate *candidate)
{
	struct nsl_exchange exchange;
	nsl_u64 boottime = candidate->boottime;

	nsl_exchange_of(&exchange, candidate);
	if (bpf_map_update_elem(&nsl_awaited, &exchange, &boottime, BPF_ANY))
		return 0;
	candidate->flags |= NSL_FLAG_AWAITED;
	if (candidate->transport == NSL_TCP) { /* its stream is followed */
		__builtin_memset(&exchange, 0, sizeof exchange);
		exchange.socket = candidate->socket;
		exchange.transport = NSL_TCP;
		bpf_map_update_elem(&nsl_awaited, &exchange, &boottime, BPF_ANY);
	}
	return 0;
}
