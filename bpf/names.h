/* The table of listed names: for a suffix's two hashes, what it stands for. Used by the kernel programs and by the
 * compiler of rules.
 *
 * The table is an array of buckets of four entries, a cache line each, written whole before it is used. An entry lies in
 * one of two buckets, one chosen by each of its hashes (a cuckoo hash table), so a look-up reads two lines at most. An entry
 * holds all of both hashes but the eight lowest bits of the first, whose place its kinds take: a match is one of names up
 * to a collision of 120 bits.
 *
 * The includer provides NSL_INLINE (dns.h says how).
 */
#pragma once

#include "abi.h"

/* Of a suffix of a name; match.h computes them. */
struct nsl_suffix_hash {
	nsl_u64 first, second;
};

#define NSL_NAME_HASH (~(nsl_u64)NSL_NAME_KINDS) /* what an entry keeps of the first hash */

/* The two buckets, of so many, in which an entry may lie. */
NSL_INLINE nsl_u32 nsl_first_bucket(nsl_u64 first, nsl_u32 buckets)
{
	return (nsl_u32)((first >> 32) * buckets >> 32);
}

NSL_INLINE nsl_u32 nsl_second_bucket(nsl_u64 second, nsl_u32 buckets)
{
	return (nsl_u32)((second >> 32) * buckets >> 32);
}

/* NSL_NAME_* of the entry with these hashes in the bucket, or 0. (An empty entry is 0: it stands for nothing.) */
NSL_INLINE nsl_u32 nsl_kinds_in_bucket(const struct nsl_name_bucket *bucket, nsl_u64 first, nsl_u64 second)
{
	for (int i = 0; i < NSL_NAME_BUCKET_ENTRIES; i++)
		if (!((bucket->entries[i].first ^ first) & NSL_NAME_HASH) && bucket->entries[i].second == second)
			return (nsl_u32)bucket->entries[i].first & NSL_NAME_KINDS;
	return 0;
}
