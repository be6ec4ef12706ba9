/* From a name to the keys of the kernel's tables: used by the kernel programs and by the compiler of rules, so that both
 * compute the same.
 *
 * A name is walked from the right, label by label. Two hashes run along; after each label they stand for the suffix that
 * starts there. The first picks a word of the filter and is the key of the names map; the second is the check in the
 * map's value. Letters are folded exactly (ASCII, RFC 4343), so a match in the map is a match of names up to a collision
 * of 128 bits.
 *
 * The filter is an array of 64-bit words that holds the trie of the listed names' suffixes. A listed name sets four bits
 * in its word that depend on the first hash ("listed"); each proper suffix of it sets four bits in its own word that
 * depend on the second ("something is listed below"). A walk stops at the first suffix below which nothing is listed.
 *
 * Only the last NSL_WALK_LABELS labels are told apart: a longer listed name is entered as "everything below its last
 * NSL_WALK_LABELS labels", and user space decides.
 *
 * The includer provides what dns.h needs, and:
 *   struct nsl_tables
 *   int nsl_filter_word(const struct nsl_tables *, nsl_u32 index, nsl_u64 *)      0, or -1
 *   const struct nsl_name *nsl_name_lookup(const struct nsl_tables *, nsl_u64 key)  or NULL
 */
#pragma once

#include "abi.h"
#include "dns.h"

/* Odd constants with bits in no pattern (from the fractional parts of the square roots of 2 and 3). */
#define NSL_HASH_MULTIPLIER1 0x6A09E667F3BCC909ull
#define NSL_HASH_MULTIPLIER2 0xBB67AE8584CAA73Bull

struct nsl_suffix_hash {
	nsl_u64 first, second;
};

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

/* Extends the hash by the label whose length octet is at offset at. Eight octets at a time; the last word is made of the
 * eight octets that end where the label ends, so nothing behind the label is read. (There are always eight: the header
 * comes before.) 0, or -1. */
NSL_INLINE int nsl_absorb_label(const struct nsl_reader *reader, nsl_u32 at, struct nsl_suffix_hash *hash)
{
	nsl_u8 octet;
	nsl_u32 length, last_word;
	nsl_u64 word;

	if (nsl_read8(reader, at & NSL_OFFSET_MASK, &octet))
		return -1;
	length = octet & NSL_LABEL_MAX;
	nsl_absorb(hash, length);
	last_word = at + 1 + length - 8;
	for (nsl_u32 done = 8; done < NSL_LABEL_MAX + 1; done += 8) {
		if (done >= length)
			break;
		if (nsl_read64(reader, (at + done - 7) & NSL_OFFSET_MASK, &word))
			return -1;
		nsl_absorb(hash, nsl_fold(word));
	}
	if (nsl_read64(reader, last_word & NSL_OFFSET_MASK, &word))
		return -1;
	/* a short label: drop the octets before it */
	if (length < 8)
		word >>= 64 - 8 * length;
	nsl_absorb(hash, nsl_fold(word));
	return 0;
}

NSL_INLINE nsl_u32 nsl_filter_index(const struct nsl_suffix_hash *hash, nsl_u32 filter_mask)
{
	return (nsl_u32)(hash->first >> 32) & filter_mask;
}

/* Four bits of a word, by four times six bits of a hash. */
NSL_INLINE nsl_u64 nsl_four_bits(nsl_u64 hash)
{
	return 1ull << (hash & 63) | 1ull << (hash >> 6 & 63) | 1ull << (hash >> 12 & 63) | 1ull << (hash >> 18 & 63);
}

NSL_INLINE nsl_u64 nsl_listed_bits(const struct nsl_suffix_hash *hash)
{
	return nsl_four_bits(hash->first);
}

NSL_INLINE nsl_u64 nsl_below_bits(const struct nsl_suffix_hash *hash)
{
	return nsl_four_bits(hash->second);
}

/* Whether some entry of the tables may match the name at offset at: NSL_REASON_NAME, 0, or -1 if an octet could not be
 * read. Never 0 for a name that an entry matches. */
NSL_INLINE int nsl_match_name(const struct nsl_reader *reader, nsl_u32 at, const struct nsl_labels *labels,
			      const struct nsl_generation *generation, const struct nsl_tables *tables)
{
	struct nsl_suffix_hash hash = { generation->seed1, generation->seed2 };
	const nsl_u32 filter_mask = generation->filter_mask;
	nsl_u64 last = labels->last;

	for (nsl_u32 depth = 1; depth <= NSL_WALK_LABELS; depth++) {
		nsl_u64 word, bits;

		if (depth > labels->count)
			break;
		if (nsl_absorb_label(reader, at + (nsl_u32)(last & 0xFF), &hash))
			return -1;
		last >>= 8;
		if (nsl_filter_word(tables, nsl_filter_index(&hash, filter_mask), &word))
			return -1;
		bits = nsl_listed_bits(&hash);
		if ((word & bits) == bits) {
			const struct nsl_name *entry = nsl_name_lookup(tables, hash.first);

			if (entry && entry->check == hash.second &&
			    (labels->count == depth ? entry->kinds & NSL_NAME_EXACT : entry->kinds & NSL_NAME_BELOW))
				return NSL_REASON_NAME;
		}
		bits = nsl_below_bits(&hash);
		if ((word & bits) != bits)
			break;
	}
	return 0;
}
