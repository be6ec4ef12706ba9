/* Whether a query is to be blocked: what the table of names says of all its suffixes together. Used by the kernel programs and
 * by the compiler of rules, so that both decide the same.
 *
 * An allowed name is never blocked, whatever else covers it. Names that block or allow have NSL_WALK_LABELS labels at most, so
 * the last NSL_WALK_LABELS suffixes of a query are all that can matter. Unlike the walk of a match this one does not ask the
 * filter and does not stop early: only queries that leave for user space are judged. The walk itself is match.h's nsl_match_reading, so
 * that the kernel programs have it once.
 *
 * The includer provides what match.h needs, and includes that first.
 */
#pragma once

#include "match.h"

#define NSL_JUDGED_NOTHING 0 /* no name that blocks or allows covers it */
#define NSL_JUDGED_BLOCK   1
#define NSL_JUDGED_ALLOW   2

/* NSL_JUDGED_*, by what a walk that judges (nsl_match_reading) found. */
NSL_INLINE int nsl_judgement(nsl_u64 kinds)
{
	if (kinds & (NSL_NAME_ALLOW_EXACT | NSL_NAME_ALLOW_BELOW))
		return NSL_JUDGED_ALLOW;
	if (kinds & (NSL_NAME_BLOCK_EXACT | NSL_NAME_BLOCK_BELOW))
		return NSL_JUDGED_BLOCK;
	return NSL_JUDGED_NOTHING;
}

/* NSL_JUDGED_*, or -1 if an octet could not be read. */
NSL_INLINE int nsl_judge_name(const struct nsl_reader *reader, nsl_u32 at, const struct nsl_labels *labels,
			      const struct nsl_generation *generation, const struct nsl_tables *tables)
{
	nsl_u64 kinds = 0;

	return nsl_match_reading(reader, at, labels, 0, NSL_READING_JUDGING, generation, tables, &kinds)
		       ? -1
		       : nsl_judgement(kinds);
}
