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

/* The same for what is left of the name without its last labels, off of them: 0, or one of the numbers that an earlier call
 * set in search. That becomes a bit for each number of labels that are a search suffix; what is before those is to be
 * asked about as well. A walk that begins in the middle ends at the last NSL_WALK_LABELS labels of the name; where it
 * would go on, the answer is NSL_REASON_NAME. */
NSL_INLINE int nsl_match_reading(const struct nsl_reader *reader, nsl_u32 at, const struct nsl_labels *labels,
				 nsl_u64 off, const struct nsl_generation *generation, const struct nsl_tables *tables,
				 nsl_u64 *search)
{
	struct nsl_walk walk = nsl_walk_before(labels, off, generation->seed1, generation->seed2);
	nsl_u64 suffixes = !off; /* the lowest bit, which stands for no suffix: the whole name is walked */
	int answer;

	NSL_FORGET(suffixes);
	while (off < NSL_WALK_LABELS) {
		answer = nsl_match_label(reader, at, &walk, generation->filter_mask, tables);
		if (answer < 0 || answer == NSL_REASON_NAME)
			return answer;
		if (!(answer & NSL_WALK_ON))
			goto walked;
		off++;
		if (answer & NSL_WALK_SEARCH && suffixes & 1) {
			/* SEARCH is 4, and SEARCH_ANY one bit more: with a label more */
			suffixes |= (nsl_u64)(answer & NSL_WALK_SEARCH) << off >> 2;
			NSL_FORGET(suffixes);
		}
	}
	if (walk.label && !(suffixes & 1))
		return NSL_REASON_NAME;
walked:
	*search = suffixes & ((1u << NSL_WALK_LABELS) - 2);
	return 0;
}
