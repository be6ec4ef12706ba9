/* Queries that leave the kernel for one reason alone: that the user asked to see them all (NSL_REASON_OBSERVE).
 *
 * They go through a ring of their own, so that they push out no hit; a process that asks too fast is held back; and with
 * nsl_telemetry.unique only the first of a program, name and record type leaves, the others being counted. Hits are none of
 * this file's business: nothing holds them back.
 *
 * A program is the executable's file, the script that it interprets, and the listed variables of its environment (which name
 * its package and CI step). What is not known is left out of the comparison, and a sender that is not the current task is
 * not compared at all.
 */
#pragma once

#include "compat.bpf.h"
#include "counters.bpf.h"
#include "process.bpf.h"
#include "verifier.bpf.h"

#include "match.h"

/* A global, mapped by user space. Not static, so that it keeps its name in the object. */
struct nsl_telemetry nsl_telemetry;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space sets the size before loading */
} nsl_observed SEC(".maps");

/* What was told already. When it is full, what was not asked for the longest time is told anew. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* user space sets the size before loading */
	__type(key, nsl_u64);
	__type(value, struct nsl_told);
} nsl_told SEC(".maps");

/* When the next query of a process is due, if it asks as fast as it may: a token bucket in one word (the virtual scheduling
 * of ITU-T I.371, known as GCRA). By the address of what identifies a process, folded into a word. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, nsl_u64);
	__type(value, nsl_u64);
} nsl_paces SEC(".maps");

#define NSL_SCRIPT_OCTETS 64 /* of a script's path that are compared */

NSL_INLINE bool nsl_is_telemetry(nsl_u32 reasons, nsl_u32 flags)
{
	return reasons == NSL_REASON_OBSERVE && !(flags & (NSL_FLAG_BLOCKED | NSL_FLAG_WOULD_BLOCK));
}

NSL_INLINE void nsl_absorb_program(struct nsl_suffix_hash *hash, const struct nsl_process_key *key,
				   struct task_struct *task)
{
	struct inode *inode = BPF_CORE_READ(task, mm, exe_file, f_path.dentry, d_inode);
	const struct nsl_process *process;
	nsl_u64 script;

	nsl_absorb(hash, BPF_CORE_READ(inode, i_ino));
	nsl_absorb(hash, BPF_CORE_READ(inode, i_sb, s_dev));
	process = bpf_map_lookup_elem(&nsl_processes, key);
	if (!process)
		return;
	nsl_absorb(hash, process->environment);
	script = process->script_at;
	if (!script || script > NSL_ARGV_MAX - NSL_SCRIPT_OCTETS)
		return;
	NSL_BOUND(script, NSL_ARGV_MAX - 1);
	NSL_UNROLL
	for (int i = 0; i < NSL_SCRIPT_OCTETS; i++) {
		nsl_u64 at = script + i;

		NSL_BOUND(at, NSL_ARGV_MAX - 1);
		if (!process->argv[at])
			break;
		nsl_absorb(hash, (nsl_u8)process->argv[at]);
	}
}

/* The name with its letters folded. What the record has behind it is from earlier. */
NSL_INLINE void nsl_absorb_name(struct nsl_suffix_hash *hash, const struct nsl_candidate *candidate)
{
	const nsl_u64 *words = (const nsl_u64 *)candidate->name;
	const nsl_u32 length = candidate->name_length;

	NSL_UNROLL
	for (nsl_u32 i = 0; i < sizeof candidate->name / 8; i++) {
		nsl_u64 word;

		if (8 * i >= length)
			break;
		word = words[i];
		if (length < 8 * i + 8)
			word &= NSL_BIT(8 * (length - 8 * i)) - 1;
		nsl_absorb(hash, nsl_fold(word));
	}
}

/* Counts the query if it was told already; 0 if it was not. */
NSL_INLINE int nsl_count_told(nsl_u64 key, nsl_u64 now)
{
	struct nsl_told *told = bpf_map_lookup_elem(&nsl_told, &key);

	if (!told)
		return 0;
	__sync_fetch_and_add(&told->count, 1);
	told->last = now;
	nsl_count(NSL_COUNT_telemetry_repeated);
	return 1;
}

/* Not 0: the process asks too fast. */
NSL_INLINE int nsl_is_too_fast(const struct nsl_process_key *process, nsl_u64 now)
{
	const nsl_u64 interval = nsl_telemetry.interval;
	nsl_u64 key = process->start_boottime ^ (nsl_u64)process->tgid << 40, due = now;
	const nsl_u64 *before;

	if (!interval)
		return 0;
	before = bpf_map_lookup_elem(&nsl_paces, &key);
	if (before && *before > now) {
		due = *before;
		if (due > now + NSL_TELEMETRY_BURST)
			return 1;
	}
	due += interval;
	bpf_map_update_elem(&nsl_paces, &key, &due, BPF_ANY);
	return 0;
}

/* Not 0: the candidate, which is telemetry, stays in the kernel. Its sender and its name are set, and its process is in the
 * table if it is going to be. A function of its own, for its stack. */
static __noinline int nsl_withhold(struct nsl_candidate *candidate)
{
	struct nsl_process_key process = candidate->sender.process;
	struct nsl_suffix_hash hash = { nsl_telemetry.seed1, nsl_telemetry.seed2 };
	const nsl_u64 now = candidate->boottime;
	struct nsl_told first = { .count = 1, .last = now };
	nsl_u64 key = 0;

	if (nsl_telemetry.unique && !(candidate->flags & (NSL_FLAG_SENDER_FROM_SOCKET | NSL_FLAG_SENDER_UNKNOWN))) {
		nsl_absorb_program(&hash, &process, nsl_current_sender());
		nsl_absorb(&hash, candidate->record_type | (nsl_u32)candidate->record_class << 16);
		nsl_absorb_name(&hash, candidate);
		key = hash.first ^ hash.second >> 1;
		if (nsl_count_told(key, now))
			return 1;
	}
	if (nsl_is_too_fast(&process, now)) {
		nsl_count(NSL_COUNT_telemetry_limited);
		return 1;
	}
	if (!key)
		return 0;
	/* another CPU may be telling the same at this moment */
	if (bpf_map_update_elem(&nsl_told, &key, &first, BPF_NOEXIST) && nsl_count_told(key, now))
		return 1;
	candidate->told = (nsl_u32)key;
	return 0;
}

NSL_INLINE nsl_u64 nsl_telemetry_wakeup(void)
{
	return bpf_ringbuf_query(&nsl_observed, BPF_RB_AVAIL_DATA) >= nsl_telemetry.wakeup_octets ? BPF_RB_FORCE_WAKEUP
												  : BPF_RB_NO_WAKEUP;
}
