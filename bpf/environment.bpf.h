/* The listed variables of a program's environment, picked at exec.
 *
 * Invariant: octets of a variable that is not listed are on the stack of a program at most, never in a map: they cannot
 * reach user space. All of an environment is read piece by piece, because only reading a string tells where it ends.
 * The tracepoint of exec runs with preemption disabled, so the room per CPU has one user at a time.
 */
#pragma once

#include "compat.bpf.h"
#include "counters.bpf.h"
#include "environment_key.h"
#include "verifier.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* user space sets the size before loading */
	__type(key, nsl_u64);
	__type(value, struct nsl_environment);
} nsl_environments SEC(".maps");

struct nsl_variable_name {
	nsl_u64 words[NSL_VARIABLE_NAME / 8];
};

/* The names on the list; the values mean nothing. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1); /* as above */
	__type(key, struct nsl_variable_name);
	__type(value, nsl_u8);
} nsl_environment_names SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, nsl_u32);
	__type(value, struct nsl_environment);
} nsl_environment_room SEC(".maps");

/* Written by user space before the programs are attached. */
volatile nsl_u64 nsl_environment_filter[NSL_ENVIRONMENT_FILTER];
volatile nsl_u64 nsl_environment_seed;
volatile nsl_u32 nsl_environment_listed; /* how many names */

NSL_INLINE struct nsl_environment *nsl_environment_here(void)
{
	nsl_u32 zero = 0;

	return bpf_map_lookup_elem(&nsl_environment_room, &zero);
}

/* Most variables fail at the first test. */
NSL_INLINE int nsl_is_listed(const nsl_u64 *variable)
{
	const nsl_u64 first = nsl_environment_name_part(variable[0]), bit = nsl_environment_bit(first);
	struct nsl_variable_name name = {};
	nsl_u64 part;

	if (!(nsl_environment_filter[(bit >> 6) & (NSL_ENVIRONMENT_FILTER - 1)] & NSL_BIT(bit & 63)))
		return 0;
	for (nsl_u32 i = 0; i < NSL_VARIABLE_NAME / 8; i++) {
		part = nsl_environment_name_part(variable[i]);
		name.words[i] = part;
		if (part != variable[i])
			break;
	}
	return bpf_map_lookup_elem(&nsl_environment_names, &name) != NULL;
}

NSL_INLINE void nsl_keep_variable(const char *variable)
{
	struct nsl_environment *room = nsl_environment_here();
	nsl_u64 at;
	long length;

	if (!room)
		return;
	at = room->length;
	if (at >= NSL_VARIABLES_AT) {
		room->truncated = 1;
		return;
	}
	NSL_BOUND(at, NSL_VARIABLES_AT - 1);
	length = bpf_probe_read_kernel_str(&room->text[at], NSL_VARIABLE_MAX, variable);
	if (length <= 0)
		return;
	if (length == NSL_VARIABLE_MAX)
		room->truncated = 1;
	room->length = (nsl_u32)(at + (nsl_u64)length);
}

/* Reads a piece of an environment and returns its length with the closing NUL, or a number that is not positive. A global
 * function: the verifier checks it once, not in each round of the loop. inside: the piece continues a variable. */
__noinline int nsl_look_at_variable(nsl_u64 at, nsl_u64 inside)
{
	nsl_u64 variable[NSL_VARIABLE_MAX / 8];
	const long got = bpf_probe_read_user_str(variable, sizeof variable, (const void *)at);

	if (got > 0 && !inside && nsl_is_listed(variable))
		nsl_keep_variable((const char *)variable);
	return (int)got;
}

#define NSL_ENVIRONMENT_PIECE 32 /* steps that are checked at a time */
#define NSL_COLLECTED_ALL     0
#define NSL_COLLECTED_PART    1

/* Goes on with the environment's piece at place >> 1, which continues a variable if the lowest bit of place is set. Where to go
 * on, in the same form, or NSL_COLLECTED_*. */
__noinline nsl_u64 nsl_collect_piece(nsl_u64 place, nsl_u64 end)
{
	nsl_u64 at = place >> 1, inside = place & 1;

	for (int i = 0; i < NSL_ENVIRONMENT_PIECE; i++) {
		int got;

		if (at >= end)
			return NSL_COLLECTED_ALL;
		got = nsl_look_at_variable(at, inside);
		if (got <= 0)
			return NSL_COLLECTED_PART;
		inside = got == NSL_VARIABLE_MAX;
		at += (nsl_u64)got - inside;
		NSL_FORGET(at);
		NSL_FORGET(inside);
	}
	return at << 1 | inside;
}

/* Puts the listed variables into the room; not 0: not all of them. */
static __noinline int nsl_collect_variables(struct mm_struct *mm)
{
	const nsl_u64 end = BPF_CORE_READ(mm, env_end);
	nsl_u64 place = BPF_CORE_READ(mm, env_start) << 1;

	for (int i = 0; i < NSL_ENVIRONMENT_STEPS / NSL_ENVIRONMENT_PIECE; i++) {
		place = nsl_collect_piece(place, end);
		if (place == NSL_COLLECTED_ALL)
			return 0;
		if (place == NSL_COLLECTED_PART)
			return 1;
		NSL_FORGET(place);
	}
	return 1;
}

NSL_INLINE nsl_u64 nsl_hash_variables(const struct nsl_environment *room)
{
	nsl_u64 hash = nsl_environment_mix(nsl_environment_seed, nsl_environment_head(room));

	for (nsl_u32 i = 0; i < NSL_ENVIRONMENT_WORDS; i++) {
		if (i * 8 >= room->length)
			break;
		hash = nsl_environment_mix(hash, ((const nsl_u64 *)room->text)[i]);
		NSL_FORGET(hash);
	}
	return hash ? hash : 1;
}

const nsl_u64 nsl_environment_end = 0;

/* Makes the entry of the variables and returns its key; 0: there are none. */
static __noinline nsl_u64 nsl_read_environment(struct mm_struct *mm)
{
	struct nsl_environment *room = nsl_environment_here();
	nsl_u64 key, at;

	if (!nsl_environment_listed || !room)
		return 0;
	room->length = 0;
	room->truncated = 0;
	if (nsl_collect_variables(mm))
		room->truncated = 1;
	if (room->truncated)
		nsl_count(NSL_COUNT_environment_cut);
	at = room->length;
	if (!at || at > NSL_VARIABLES_AT + NSL_VARIABLE_MAX)
		return 0;
	bpf_probe_read_kernel(&room->text[at], 8, &nsl_environment_end);
	key = nsl_hash_variables(room);
	if (!bpf_map_lookup_elem(&nsl_environments, &key) &&
	    bpf_map_update_elem(&nsl_environments, &key, room, BPF_ANY))
		return 0;
	return key;
}
