/* Texts anywhere in a name: one pass of an automaton over the name's presentation form, for the kernel programs and for the
 * compiler of rules alike.
 *
 * The automaton is that of Aho and Corasick made deterministic: a table of states by symbols. Symbols are classes of
 * octets (letters folded), plus one for the dot between labels, one for the end of the name, and one for octets that the
 * presentation form escapes (RFC 4343 section 2.1): names with those are let through, and user space decides.
 *
 * The includer provides what dns.h needs, and:
 *   struct nsl_tables
 *   nsl_u32 nsl_text_cell(const struct nsl_tables *, nsl_u64 index)   index is below NSL_TEXT_CELLS
 *   nsl_u64 nsl_text_piece(reader, at, count, generation, tables, walk)   nsl_walk_text_piece, or a function of its own that
 *                                                                        does that. In kernel programs it is: a loop in a
 *                                                                        loop has too many states for some verifiers (6.12)
 */
#pragma once

#include "abi.h"
#include "dns.h"

/* Whether every query of this record type is to leave the kernel; true also for types that share its bit. */
NSL_INLINE int nsl_is_forwarded_type(const struct nsl_generation *generation, nsl_u16 record_type)
{
	return generation->record_types[(record_type & (NSL_TYPE_BITS - 1)) / 64] >> (record_type & 63) & 1;
}

/* Whether the rules want every query with these flags of the header (RFC 1035 section 4.1.1, its second 16 bits). */
NSL_INLINE int nsl_are_forwarded_flags(const struct nsl_generation *generation, nsl_u32 flags)
{
	return ((flags & generation->flags_set) | (~flags & generation->flags_clear)) != 0;
}

/* A walk of the automaton between two octets of a name, in one register: its state, how many octets of the label are to come,
 * and a bit that says that an octet could not be read. */
#define NSL_TEXT_WALK(state, left) ((nsl_u64)(left) << 32 | (state))
#define NSL_TEXT_STATE(walk)	   ((nsl_u32)(walk) & 0xFFFF)
#define NSL_TEXT_LEFT(walk)	   ((nsl_u32)((walk) >> 32) & 0xFF)
#define NSL_TEXT_UNREAD		   (1ull << 63)

#define NSL_TEXT_PIECE 32u /* octets that are walked over at a time: most names are one piece */

/* Walks on over the count octets at offset at; count is NSL_TEXT_PIECE at most. */
NSL_INLINE nsl_u64 nsl_walk_text_piece(const struct nsl_reader *reader, nsl_u32 at, nsl_u32 count,
				       const struct nsl_generation *generation, const struct nsl_tables *tables,
				       nsl_u64 walk)
{
	const nsl_u32 shift = generation->text_shift & 15;
	nsl_u32 state = NSL_TEXT_STATE(walk), left = NSL_TEXT_LEFT(walk);

	NSL_UNROLL
	for (nsl_u32 i = 0; i < NSL_TEXT_PIECE; i++) {
		nsl_u32 symbol;
		nsl_u8 octet;

		if (i >= count)
			break;
		if (nsl_read8(reader, (at + i) & NSL_OFFSET_MASK, &octet))
			return NSL_TEXT_UNREAD;
		if (left) {
			symbol = generation->text_symbols[octet];
			left--;
		} else {
			left = octet;
			symbol = octet ? NSL_SYMBOL_DOT : NSL_SYMBOL_END;
		}
		state = nsl_text_cell(tables, (nsl_u64)state << shift | symbol);
		if (state & NSL_TEXT_FOUND)
			return NSL_TEXT_FOUND;
		NSL_FORGET_HERE(state);
		NSL_FORGET_HERE(left);
	}
	return NSL_TEXT_WALK(state, left);
}

NSL_INLINE nsl_u64 nsl_text_piece(const struct nsl_reader *reader, nsl_u32 at, nsl_u32 count,
				  const struct nsl_generation *generation, const struct nsl_tables *tables,
				  nsl_u64 walk);

/* Whether one of the texts occurs in the name at offset at, of length octets on the wire: NSL_REASON_TEXT, 0, or -1 if an
 * octet could not be read. */
NSL_INLINE int nsl_match_texts(const struct nsl_reader *reader, nsl_u32 at, nsl_u32 length,
			       const struct nsl_generation *generation, const struct nsl_tables *tables)
{
	nsl_u64 walk;
	nsl_u8 first;

	if (length <= 1 || generation->text_start & NSL_TEXT_FOUND)
		return NSL_REASON_TEXT; /* the root, whose presentation form is a dot; a text that is in every name */
	/* the start state stands for the beginning of a name, so the first label's length is no symbol */
	if (nsl_read8(reader, at & NSL_OFFSET_MASK, &first))
		return -1;
	walk = NSL_TEXT_WALK(generation->text_start, first);
	for (nsl_u32 from = 1; from < NSL_NAME_MAX; from += NSL_TEXT_PIECE) {
		if (from >= length)
			break;
		walk = nsl_text_piece(reader, at + from,
				      length - from < NSL_TEXT_PIECE ? length - from : NSL_TEXT_PIECE, generation,
				      tables, walk);
		if (walk & NSL_TEXT_UNREAD)
			return -1;
		if (walk & NSL_TEXT_FOUND)
			return NSL_REASON_TEXT;
		NSL_FORGET_HERE(walk);
	}
	return 0;
}
