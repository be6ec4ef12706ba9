/* From a name to the keys of the kernel's tables: used by the kernel programs and by the compiler of rules, so that both
 * compute the same.
 *
 * A name is walked from the right, label by label. Two hashes run along; after each label they stand for the suffix that
 * starts there. The first picks a word of the filter; both together are the key of the table of names (names.h). Letters are
 * folded exactly (ASCII, RFC 4343), so a match in the table is a match of names up to a collision of hashes.
 *
 * The filter is an array of 64-bit words that holds the trie of the listed names' suffixes. A listed name sets three bits
 * in its word that depend on the first hash ("listed"); each proper suffix of it sets three bits in its own word that
 * depend on the second ("something is listed below"). A walk stops at the first suffix below which nothing is listed.
 *
 * A search suffix is an entry of a kind of its own. A walk that comes upon one is left, and the name walked anew by
 * nsl_match_reading, as is what comes before each search suffix.
 *
 * Only the last NSL_WALK_LABELS labels are told apart: a longer listed name is entered as "everything below its last
 * NSL_WALK_LABELS labels", and user space decides.
 *
 * The includer provides what dns.h needs, and:
 *   struct nsl_tables
 *   nsl_u64 nsl_filter_word(const struct nsl_tables *, nsl_u32 index)
 *   struct nsl_suffix_hash, by names.h
 *   nsl_u32 nsl_name_kinds(const struct nsl_tables *, const struct nsl_suffix_hash *)  NSL_NAME_*, 0 if it is not listed
 */
#pragma once

#include "abi.h"
#include "dns.h"

/* Odd constants with bits in no pattern (from the fractional parts of the square roots of 2, 3 and 5). */
#define NSL_HASH_MULTIPLIER1 0x6A09E667F3BCC909ull
#define NSL_HASH_MULTIPLIER2 0xBB67AE8584CAA73Bull
#define NSL_HASH_MULTIPLIER3 0x3C6EF372FE94F82Bull

NSL_INLINE void nsl_absorb(struct nsl_suffix_hash *hash, nsl_u64 word)
{
	hash->first = (hash->first ^ word) * NSL_HASH_MULTIPLIER1;
	hash->first ^= hash->first >> 32;
	hash->second = (hash->second + word) * NSL_HASH_MULTIPLIER2;
	hash->second ^= hash->second >> 29;
}

/* What that does to one of the two: which is 0 for the first, 1 for the second. */
NSL_INLINE nsl_u64 nsl_absorb_one(nsl_u64 hash, nsl_u64 word, int which)
{
	struct nsl_suffix_hash both = { hash, hash };

	nsl_absorb(&both, word);
	return which ? both.second : both.first;
}

/* Folds 'A' to 'Z' in eight octets at once, and nothing else. */
NSL_INLINE nsl_u64 nsl_fold(nsl_u64 word)
{
	const nsl_u64 ones = 0x0101010101010101ull;
	const nsl_u64 low = word & (0x7F * ones);
	const nsl_u64 from_a = low + (0x80 - 'A') * ones;
	const nsl_u64 past_z = low + (0x80 - 'Z' - 1) * ones;

	return word | ((from_a & ~past_z & ~word & 0x80 * ones) >> 2);
}

/* A walk over a name's labels, from the right. */
struct nsl_walk {
	struct nsl_suffix_hash hash; /* of the suffix that begins at label */
	nsl_u64 ahead;		     /* offsets of the labels to come, as in nsl_labels.last */
	nsl_u32 label; /* offset of the label that was walked last, from the name's start; 0: the walk is over */
};

NSL_INLINE struct nsl_walk nsl_walk_start(const struct nsl_labels *labels, nsl_u64 seed1, nsl_u64 seed2)
{
	const struct nsl_walk walk = { { seed1, seed2 }, labels->last, labels->length - 1 };

	return walk;
}

/* Extends the hash by the next label of the name at offset at. Eight octets at a time; the last word is made of the eight
 * octets that end where the label ends, so nothing behind the label is read. (There are always eight: the header comes
 * before.) The label's length goes in by a multiple of its own, away from the chain of multiplications. 0, or -1. */
NSL_INLINE int nsl_walk_label(const struct nsl_reader *reader, nsl_u32 at, struct nsl_walk *walk)
{
	const nsl_u32 end = at + walk->label, begin = at + (nsl_u32)(walk->ahead & 0xFF) + 1;
	const nsl_u32 length = (end - begin) & NSL_LABEL_MAX;
	const nsl_u64 mark = length * NSL_HASH_MULTIPLIER3;
	nsl_u64 word;

	walk->label = (nsl_u32)(walk->ahead & 0xFF);
	walk->ahead >>= 8;
	walk->hash.first += mark;
	walk->hash.second ^= mark;
	for (nsl_u32 done = 8; done < NSL_LABEL_MAX + 1; done += 8) {
		if (done >= length)
			break;
		if (nsl_read64(reader, (begin + done - 8) & NSL_OFFSET_MASK, &word))
			return -1;
		nsl_absorb(&walk->hash, nsl_fold(word));
	}
	if (nsl_read64(reader, (end - 8) & NSL_OFFSET_MASK, &word))
		return -1;
	/* a short label: drop the octets before it */
	if (length < 8)
		word >>= 64 - 8 * length;
	nsl_absorb(&walk->hash, nsl_fold(word));
	return 0;
}

NSL_INLINE nsl_u32 nsl_filter_index(const struct nsl_suffix_hash *hash, nsl_u32 filter_mask)
{
	return (nsl_u32)(hash->first >> 32) & filter_mask;
}

/* Three bits of a word, by three times six bits of a hash. */
NSL_INLINE nsl_u64 nsl_three_bits(nsl_u64 hash)
{
	return NSL_BIT(hash) | NSL_BIT(hash >> 6) | NSL_BIT(hash >> 12);
}

NSL_INLINE nsl_u64 nsl_listed_bits(const struct nsl_suffix_hash *hash)
{
	return nsl_three_bits(hash->first);
}

NSL_INLINE nsl_u64 nsl_below_bits(const struct nsl_suffix_hash *hash)
{
	return nsl_three_bits(hash->second);
}

#define NSL_WALK_ON	2 /* neither a match nor the end of the walk */
#define NSL_WALK_SEARCH (NSL_NAME_SEARCH | NSL_NAME_SEARCH_ANY)

/* Walks one label and asks the tables about the suffix that it begins. NSL_REASON_NAME, 0, -1, or NSL_WALK_ON; with the
 * kinds of a search suffix, where something comes before it. */
NSL_INLINE int nsl_match_label(const struct nsl_reader *reader, nsl_u32 at, struct nsl_walk *walk, nsl_u32 filter_mask,
			       const struct nsl_tables *tables)
{
	nsl_u64 word, bits;

	if (!walk->label)
		return 0;
	if (nsl_walk_label(reader, at, walk))
		return -1;
	word = nsl_filter_word(tables, nsl_filter_index(&walk->hash, filter_mask));
	bits = nsl_listed_bits(&walk->hash);
	if ((word & bits) == bits) {
		const nsl_u32 kinds = nsl_name_kinds(tables, &walk->hash);

		if (kinds & (walk->label ? NSL_NAME_BELOW : NSL_NAME_EXACT))
			return NSL_REASON_NAME;
		if (kinds & NSL_WALK_SEARCH && walk->label)
			return (int)(kinds & NSL_WALK_SEARCH) | NSL_WALK_ON;
	}
	bits = nsl_below_bits(&walk->hash);
	return (word & bits) == bits ? NSL_WALK_ON : 0;
}

/* Whether some entry of the tables may match the name at offset at: NSL_REASON_NAME, 0, -1 if an octet could not be
 * read, or more than NSL_REASON_NAME: ask nsl_match_reading. Never 0 for a name that an entry matches. */
NSL_INLINE int nsl_match_name(const struct nsl_reader *reader, nsl_u32 at, const struct nsl_labels *labels,
			      const struct nsl_generation *generation, const struct nsl_tables *tables)
{
	struct nsl_walk walk = nsl_walk_start(labels, generation->seed1, generation->seed2);
	const nsl_u32 mask = generation->filter_mask;
	int answer;

	/* Written out: a loop's counter would take a register that the hashes need. */
	NSL_STATIC_ASSERT(NSL_WALK_LABELS == 8, "one line each");
	if ((answer = nsl_match_label(reader, at, &walk, mask, tables)) == NSL_WALK_ON &&
	    (answer = nsl_match_label(reader, at, &walk, mask, tables)) == NSL_WALK_ON &&
	    (answer = nsl_match_label(reader, at, &walk, mask, tables)) == NSL_WALK_ON &&
	    (answer = nsl_match_label(reader, at, &walk, mask, tables)) == NSL_WALK_ON &&
	    (answer = nsl_match_label(reader, at, &walk, mask, tables)) == NSL_WALK_ON &&
	    (answer = nsl_match_label(reader, at, &walk, mask, tables)) == NSL_WALK_ON &&
	    (answer = nsl_match_label(reader, at, &walk, mask, tables)) == NSL_WALK_ON)
		answer = nsl_match_label(reader, at, &walk, mask, tables);
	return answer == NSL_WALK_ON ? 0 : answer;
}

/* A walk over all but the last labels, so many: off, below NSL_WALK_LABELS. */
NSL_INLINE struct nsl_walk nsl_walk_before(const struct nsl_labels *labels, nsl_u64 off, nsl_u64 seed1, nsl_u64 seed2)
{
	struct nsl_walk walk = nsl_walk_start(labels, seed1, seed2);

	if (off) {
		walk.ahead = labels->last >> (8 * off & 63);
		walk.label = (nsl_u32)(labels->last >> (8 * (off - 1) & 63)) & 0xFF;
	}
	return walk;
}

/* One of a suffix's two hashes extended by a label, by itself: what nsl_walk_label does for both, for the walks that ask
 * again. A function of numbers alone, so that the verifier can check it once for all labels. which: a constant. 0 if an octet
 * could not be read; a hash of 0 counts as that. */
NSL_INLINE nsl_u64 nsl_hash_label(const struct nsl_reader *reader, nsl_u32 begin, nsl_u32 end, int which, nsl_u64 hash)
{
	const nsl_u32 length = (end - begin) & NSL_LABEL_MAX;
	const nsl_u64 mark = length * NSL_HASH_MULTIPLIER3;
	nsl_u32 octets = length;
	nsl_u64 word;

	hash = which ? hash ^ mark : hash + mark;
	/* so that the ways out of the loop are one */
	NSL_FORGET_HERE(octets);
	for (nsl_u32 done = 8; done < NSL_LABEL_MAX + 1; done += 8) {
		if (done >= octets)
			break;
		if (nsl_read64(reader, (begin + done - 8) & NSL_OFFSET_MASK, &word))
			return 0;
		hash = nsl_absorb_one(hash, nsl_fold(word), which);
	}
	if (nsl_read64(reader, (end - 8) & NSL_OFFSET_MASK, &word))
		return 0;
	if (length < 8)
		word >>= 64 - 8 * length;
	return nsl_absorb_one(hash, nsl_fold(word), which);
}

/* A label whose hash is wanted, in one register. */
#define NSL_LABEL(begin, end)  (((end) & 0xFFFF) << 16 | ((begin) & 0xFFFF))
#define NSL_LABEL_BEGIN(label) ((label) & 0xFFFF)
#define NSL_LABEL_END(label)   ((label) >> 16)

/* nsl_hash_label, or a function of the includer's own that does that. */
NSL_INLINE nsl_u64 nsl_label_hash(const struct nsl_reader *reader, nsl_u32 begin, nsl_u32 end, int which, nsl_u64 hash);

/* A walk that asks again: about what is before a search suffix, or what is to become of the query.
 *
 * What it has besides the walk is in one word, so that it takes one register, and is forgotten at once. From the lowest bit on:
 *   eight bits   what was found: the numbers of labels that are a search suffix, a bit for each, where the lowest one stands
 *                for no suffix: the whole name is walked. Where the query is judged, the NSL_NAME_* that apply (judge.h)
 *   NSL_READING_OFF      how many labels were walked or left out
 *   NSL_READING_JUDGING  the query is judged: the filter is not asked, and the walk does not stop early
 */
struct nsl_reading {
	struct nsl_walk walk;
	nsl_u64 state;
};

#define NSL_READING_OFF(off)	    ((nsl_u64)(off) << 8)
#define NSL_READING_JUDGING	    (1ull << 32)
#define NSL_READING_OFF_OF(state)   ((state) >> 8 & 0xFF)
#define NSL_READING_IS_WHOLE(state) ((state) & 1)

#define NSL_TABLES_BELOW     256u /* of nsl_ask_tables: something is listed below the suffix */
#define NSL_KINDS_OF_JUDGING (NSL_NAME_BLOCK_EXACT | NSL_NAME_ALLOW_EXACT)
NSL_STATIC_ASSERT(NSL_NAME_BELOW == NSL_NAME_EXACT << 1, "one shift tells them apart");
NSL_STATIC_ASSERT((NSL_NAME_BLOCK_BELOW | NSL_NAME_ALLOW_BELOW) == NSL_KINDS_OF_JUDGING << 1,
		  "one shift tells them apart");

/* What the tables say of a suffix: NSL_NAME_* if it is listed, and NSL_TABLES_BELOW. judging: not 0: the filter is not asked. */
NSL_INLINE nsl_u32 nsl_ask_tables(const struct nsl_tables *tables, const struct nsl_suffix_hash *hash,
				  nsl_u32 filter_mask, nsl_u64 judging)
{
	const nsl_u64 word = nsl_filter_word(tables, nsl_filter_index(hash, filter_mask));
	const nsl_u64 listed = nsl_listed_bits(hash), below = nsl_below_bits(hash);
	nsl_u32 answer = 0;

	if (judging || (word & listed) == listed)
		answer = nsl_name_kinds(tables, hash) & NSL_NAME_KINDS;
	if ((word & below) == below)
		answer |= NSL_TABLES_BELOW;
	return answer;
}

/* The same, or a function of the includer's own that does that. */
NSL_INLINE nsl_u32 nsl_tables_answer(const struct nsl_tables *tables, const struct nsl_suffix_hash *hash,
				     const struct nsl_generation *generation, nsl_u64 judging);

/* Walks one label. NSL_WALK_ON, NSL_REASON_NAME, 0, or -1. With few branches, each of which the verifier follows. */
NSL_INLINE int nsl_read_label(const struct nsl_reader *reader, nsl_u32 at, struct nsl_reading *reading,
			      const struct nsl_generation *generation, const struct nsl_tables *tables)
{
	struct nsl_walk *walk = &reading->walk;
	nsl_u32 answer, begin, end, before, search;
	nsl_u64 state;

	/* so that the verifier does not follow the rest of the walk for each way through the labels before */
	NSL_FORGET_HERE(reading->state);
	NSL_FORGET_HERE(walk->label);
	state = reading->state;
	if (!walk->label)
		return 0;
	if (NSL_READING_OFF_OF(state) >= NSL_WALK_LABELS)
		return NSL_REASON_NAME;
	begin = at + (nsl_u32)(walk->ahead & 0xFF) + 1;
	end = at + walk->label;
	walk->hash.first = nsl_label_hash(reader, begin, end, 0, walk->hash.first);
	walk->hash.second = nsl_label_hash(reader, begin, end, 1, walk->hash.second);
	if (!walk->hash.first || !walk->hash.second)
		return -1;
	walk->label = (nsl_u32)(walk->ahead & 0xFF);
	walk->ahead >>= 8;
	state += NSL_READING_OFF(1);
	answer = nsl_tables_answer(tables, &walk->hash, generation, state & NSL_READING_JUDGING);
	before = (walk->label + 0xFF) >> 8; /* 1 where something is before the suffix, 0 where it is the whole name */
	if (state & NSL_READING_JUDGING) {
		reading->state = state | (answer & NSL_KINDS_OF_JUDGING << before);
		return NSL_WALK_ON;
	}
	if (answer & NSL_NAME_EXACT << before)
		return NSL_REASON_NAME;
	search = answer & NSL_WALK_SEARCH & -before;
	/* SEARCH is 4, and SEARCH_ANY one bit more: with a label more */
	reading->state = state |
			 (((nsl_u64)search << NSL_READING_OFF_OF(state) >> 2) & 0xFF & -NSL_READING_IS_WHOLE(state));
	return search | (answer & NSL_TABLES_BELOW) ? NSL_WALK_ON : 0;
}

/* The same for what is left of the name without its last labels, off of them: 0, or one of the numbers that an earlier call
 * set in search. That becomes a bit for each number of labels that are a search suffix; what is before those is to be
 * asked about as well. A walk that begins in the middle ends at the last NSL_WALK_LABELS labels of the name; where it
 * would go on, the answer is NSL_REASON_NAME.
 * judging: NSL_READING_JUDGING for nsl_judge_name, with an off of 0; then the answer is 0, and search what was found. */
NSL_INLINE int nsl_match_reading(const struct nsl_reader *reader, nsl_u32 at, const struct nsl_labels *labels,
				 nsl_u64 off, nsl_u64 judging, const struct nsl_generation *generation,
				 const struct nsl_tables *tables, nsl_u64 *search)
{
	struct nsl_reading reading = {
		.walk = nsl_walk_before(labels, off, generation->seed1, generation->seed2),
		.state = NSL_READING_OFF(off) | judging | !off,
	};
	int answer = NSL_WALK_ON;

	for (int i = 0; i < NSL_WALK_LABELS; i++) {
		answer = nsl_read_label(reader, at, &reading, generation, tables);
		if (answer != NSL_WALK_ON)
			break;
	}
	if (answer < 0 || answer == NSL_REASON_NAME)
		return answer;
	*search = reading.state & ((1u << NSL_WALK_LABELS) - 2);
	return 0;
}
