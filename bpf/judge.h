/* Whether a query is to be blocked: what the table of names says of all its suffixes together. Used by the kernel programs and
 * by the compiler of rules, so that both decide the same.
 *
 * An allowed name is never blocked, whatever else covers it. Names that block or allow have NSL_WALK_LABELS labels at most, so
 * the last NSL_WALK_LABELS suffixes of a query are all that can matter. Unlike match.h's walk this one does not ask the filter
 * and does not stop early: only queries that leave for user space are judged.
 *
 * The includer provides what match.h needs, and includes that first.
 */
#pragma once

#include "match.h"

#define NSL_JUDGED_NOTHING 0 /* no name that blocks or allows covers it */
#define NSL_JUDGED_BLOCK   1
#define NSL_JUDGED_ALLOW   2

/* The kinds of a covering entry that apply: whole is not 0 where the suffix is the whole name. */
NSL_INLINE nsl_u32 nsl_applying_kinds(nsl_u32 kinds, int whole)
{
	return kinds &
	       (whole ? NSL_NAME_BLOCK_EXACT | NSL_NAME_ALLOW_EXACT : NSL_NAME_BLOCK_BELOW | NSL_NAME_ALLOW_BELOW);
}

/* NSL_JUDGED_*, or -1 if an octet could not be read. */
NSL_INLINE int nsl_judge_name(const struct nsl_reader *reader, nsl_u32 at, const struct nsl_labels *labels,
			      const struct nsl_generation *generation, const struct nsl_tables *tables)
{
	struct nsl_walk walk = nsl_walk_start(labels, generation->seed1, generation->seed2);
	nsl_u64 kinds = 0;

	for (int i = 0; i < NSL_WALK_LABELS; i++) {
		if (!walk.label)
			break;
		if (nsl_walk_label(reader, at, &walk))
			return -1;
		kinds |= nsl_applying_kinds(nsl_name_kinds(tables, &walk.hash), !walk.label);
		NSL_FORGET(kinds);
	}
	if (kinds & (NSL_NAME_ALLOW_EXACT | NSL_NAME_ALLOW_BELOW))
		return NSL_JUDGED_ALLOW;
	if (kinds & (NSL_NAME_BLOCK_EXACT | NSL_NAME_BLOCK_BELOW))
		return NSL_JUDGED_BLOCK;
	return NSL_JUDGED_NOTHING;
}
