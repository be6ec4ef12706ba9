/* How the variables of an environment are found by their content: for the programs and for user space.
 *
 * Processes with the same variables (all of a CI job, say) share one entry; the key is a hash of the content under a
 * random seed, so that nobody can make two contents meet.
 */
#pragma once

#include "abi.h"

#define NSL_ENVIRONMENT_WORDS (sizeof(((struct nsl_environment *)0)->text) / 8)

static inline nsl_u64 nsl_environment_mix(nsl_u64 hash, nsl_u64 word)
{
	hash = (hash ^ word) * 0x9E3779B97F4A7C15ull;
	return hash ^ hash >> 32;
}

/* The first word to mix in. */
static inline nsl_u64 nsl_environment_head(const struct nsl_environment *environment)
{
	return (nsl_u64)environment->truncated << 32 | environment->length;
}

/* The octets of a text's first eight that are before a '=' or a NUL, the others zero. little: octets as a little-endian
 * word. */
static inline nsl_u64 nsl_environment_name_part(nsl_u64 little)
{
	const nsl_u64 ones = 0x0101010101010101ull, highs = ones << 7, equal = little ^ (ones * '=');
	const nsl_u64 ends = ((little - ones) & ~little & highs) | ((equal - ones) & ~equal & highs);

	/* above the lowest mark there may be false ones */
	return ends ? little & (((ends & -ends) >> 7) - 1) : little;
}

/* The bit of the filter for a name that begins so. */
static inline nsl_u64 nsl_environment_bit(nsl_u64 name_part)
{
	return (name_part * 0x9E3779B97F4A7C15ull) >> 52; /* below NSL_ENVIRONMENT_FILTER * 64 */
}
