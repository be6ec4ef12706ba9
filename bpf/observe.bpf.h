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
	/* of a query that stays: bit n, if it is to be observed again without its last n labels, a search suffix; of one that is
	 * judged: the kinds of the names that apply */
	nsl_u32 search;
	nsl_u32 slot, generation;
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
#define NSL_NAMES_MISSED    (-3) /* the same, and the names need not be asked again; what is left is NSL_AFTER_NAMES */

/* Where a question is and what to ask about it, in one scalar: all, or (off) what is left of the name without its last labels,
 * a number that an earlier observation named in search: of that, the names alone. */
#define NSL_WITHOUT(at, off) ((at) | (off) << 16)
#define NSL_PLACE_AT(place)  ((place) & NSL_OFFSET_MASK)
#define NSL_PLACE_OFF(place) ((nsl_u64)((place) >> 16 & (NSL_WALK_LABELS - 1)))
#define NSL_JUDGING	     (1u << 19) /* only what is to become of the query (judge.h) */
/* All but the names, which were asked already, in that slot; length: of the name. */
#define NSL_AFTER_NAMES(slot, length) (1u << 20 | (slot) << 21 | (length) << 22)
#define NSL_PLACE_IS_AFTER(place)     ((place) >> 20 & 1)
#define NSL_PLACE_SLOT(place)	      ((place) >> 21 & 1)
#define NSL_PLACE_LENGTH(place)	      ((place) >> 22 & 0xFF)

/* nsl_find_labels, or a function of the includer's own that does that. */
NSL_INLINE int nsl_labels_of(const struct nsl_reader *reader, nsl_u32 at, struct nsl_labels *labels);

/* Why the question leaves the kernel by what the tables say: NSL_REASON_* or 0, -1 if it cannot be read, or
 * NSL_LEAVE_SHORT_WAY. */
NSL_INLINE int nsl_match_question(const struct nsl_reader *reader, nsl_u32 place, const struct nsl_labels *labels,
				  nsl_u32 slot, enum nsl_scope scope, struct nsl_question *question)
{
	const nsl_u32 at = NSL_PLACE_AT(place);
	const struct nsl_generation *generation = &nsl_generations[slot];
	struct nsl_tables tables = { .slot = slot };
	nsl_u64 search = 0;
	int reasons = 0, found;

	if (!NSL_PLACE_IS_AFTER(place)) {
		tables.filter = nsl_filter_of(slot);
		if (!tables.filter) {
			nsl_count(NSL_COUNT_generation_missing);
			return 0;
		}
	}
	if (scope == NSL_NAMES_ALONE) {
		reasons = nsl_match_name(reader, at, labels, generation, &tables);
		if (reasons > (int)NSL_REASON_NAME)
			return NSL_LEAVE_SHORT_WAY;
	} else if (!NSL_PLACE_IS_AFTER(place)) {
		reasons = nsl_match_reading(reader, at, labels, NSL_PLACE_OFF(place),
					    place & NSL_JUDGING ? NSL_READING_JUDGING : 0, generation, &tables,
					    &search);
	}
	if (scope == NSL_ALL_TABLES) {
		NSL_FORGET_HERE(reasons);
		NSL_FORGET_HERE(search);
		question->search = (nsl_u32)search;
	}
	if (reasons < 0)
		return -1;
	if (scope == NSL_NAMES_ALONE || NSL_PLACE_OFF(place) || place & NSL_JUDGING)
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

/* Parses and matches a question. Its end (the next one's offset), -1 if it is none, NSL_LEAVE_SHORT_WAY or
 * NSL_NAMES_MISSED. The tables are those of one generation, whatever is published meanwhile. place: see above; where the query
 * is judged, the answer is 0 or -1, and search what applies. */
NSL_INLINE int nsl_observe_question(const struct nsl_reader *reader, nsl_u32 place, enum nsl_scope scope,
				    struct nsl_question *question)
{
	const nsl_u32 at = NSL_PLACE_AT(place);
	const nsl_u32 slot = NSL_PLACE_IS_AFTER(place) ? NSL_PLACE_SLOT(place) : nsl_settings.active_slot & 1;
	struct nsl_labels labels;
	nsl_u32 reasons, end;
	int matched;

	question->slot = slot;
	question->search = 0;
	if (NSL_PLACE_IS_AFTER(place)) {
		labels.last = 0;
		labels.length = NSL_PLACE_LENGTH(place);
	} else if (nsl_labels_of(reader, at, &labels)) {
		return -1;
	}
	question->length = labels.length;
	end = at + labels.length;
	matched = nsl_match_question(reader, place, &labels, slot, scope, question);
	if (matched < 0 || place & NSL_JUDGING)
		return matched;
	if (scope == NSL_NAMES_ALONE && (nsl_generations[slot].further | nsl_settings.observe_all))
		return matched ? NSL_LEAVE_SHORT_WAY : NSL_NAMES_MISSED;
	reasons = (nsl_u32)matched;
	if (scope != NSL_NAMES_ALONE && nsl_settings.observe_all)
		reasons |= NSL_REASON_OBSERVE;
	if (scope != NSL_NAMES_ALONE)
		NSL_FORGET_HERE(reasons);
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
	question->generation = nsl_generations[slot].number;
	return (int)end + 4;
}

/* nsl_ask_tables, once for all labels. A filter that is gone says that nothing is listed: so did it before its names were. */
__noinline int nsl_tables_say(nsl_u32 slot, nsl_u64 first, nsl_u64 second, nsl_u64 judging)
{
	const struct nsl_suffix_hash hash = { first, second };
	struct nsl_tables tables = { .slot = slot & 1 };

	tables.filter = nsl_filter_of(slot & 1);
	if (!tables.filter)
		return 0;
	return (int)nsl_ask_tables(&tables, &hash, nsl_generations[slot & 1].filter_mask, judging);
}

NSL_INLINE nsl_u32 nsl_tables_answer(const struct nsl_tables *tables, const struct nsl_suffix_hash *hash,
				     const struct nsl_generation *generation, nsl_u64 judging)
{
	return (nsl_u32)nsl_tables_say(tables->slot, hash->first, hash->second, judging);
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
