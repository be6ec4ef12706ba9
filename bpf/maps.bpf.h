/* The maps and globals of the observing programs. The process table is in process.bpf.h, the settings in settings.bpf.h.
 *
 * A generation of tables lives in one of two slots: its filter, names and texts as inner maps, the rest of it in
 * nsl_generations. nsl_settings.active_slot is the one word that switches between them.
 */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "counters.bpf.h"
#include "settings.bpf.h"
#include "verifier.bpf.h"

#include "names.h"

/* A global, mapped by user space. Not static, so that it keeps its name in the object. */
struct nsl_generation nsl_generations[2];

/* The words are one value of a size that the verifier knows: one look-up gives them all, and a word is then one load.
 * (A look-up in an array whose size differs between generations is a call, which costs more than the rest of the walk.) */
struct nsl_filter_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(nsl_u32));
	__uint(value_size, NSL_FILTER_WORDS * sizeof(nsl_u64));
};

struct nsl_texts_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(nsl_u32));
	__uint(value_size, NSL_TEXT_CELLS * sizeof(nsl_u16));
};

/* Of another size in each generation: a look-up is a call, which the few names that pass the filter pay alone. */
struct nsl_names_inner {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE | BPF_F_INNER_MAP);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(nsl_u32));
	/* by size: clang leaves a bare declaration in BTF for an inner map's struct */
	__uint(value_size, sizeof(struct nsl_name_bucket));
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, nsl_u32);
	__array(values, struct nsl_filter_inner);
} nsl_filters SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, nsl_u32);
	__array(values, struct nsl_names_inner);
} nsl_names SEC(".maps");

/* The automaton of a generation; no inner map where there are no texts. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
	__uint(max_entries, 2);
	__type(key, nsl_u32);
	__array(values, struct nsl_texts_inner);
} nsl_texts SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096); /* user space sets the size before loading */
} nsl_candidates SEC(".maps");

/* The tables as match.h and texts.h see them. */
struct nsl_tables {
	const nsl_u64 *filter;
	const nsl_u16 *texts;
	nsl_u32 slot;
};

NSL_INLINE const nsl_u64 *nsl_filter_of(nsl_u32 slot)
{
	const nsl_u32 only = 0;
	void *filter = bpf_map_lookup_elem(&nsl_filters, &slot);

	return filter ? bpf_map_lookup_elem(filter, &only) : NULL;
}

NSL_INLINE const nsl_u16 *nsl_texts_of(nsl_u32 slot)
{
	const nsl_u32 only = 0;
	void *texts = bpf_map_lookup_elem(&nsl_texts, &slot);

	return texts ? bpf_map_lookup_elem(texts, &only) : NULL;
}

NSL_INLINE nsl_u32 nsl_text_cell(const struct nsl_tables *tables, nsl_u64 index)
{
	NSL_BOUND(index, NSL_TEXT_CELLS - 1);
	return tables->texts[index];
}

NSL_INLINE nsl_u64 nsl_filter_word(const struct nsl_tables *tables, nsl_u32 index)
{
	return tables->filter[index & (NSL_FILTER_WORDS - 1)];
}

/* NSL_NAME_* of the suffix with these hashes, or 0. A function of its own: it is rarely needed, and would stand in the
 * programs once for each label. */
__noinline int nsl_find_name(nsl_u32 slot, nsl_u64 first, nsl_u64 second)
{
	const nsl_u32 buckets = nsl_generations[slot & 1].name_buckets;
	nsl_u32 index = nsl_first_bucket(first, buckets);
	const struct nsl_name_bucket *bucket;
	nsl_u32 kinds;
	void *names;

	slot &= 1;
	names = bpf_map_lookup_elem(&nsl_names, &slot);
	if (!names)
		return 0;
	bucket = bpf_map_lookup_elem(names, &index);
	kinds = bucket ? nsl_kinds_in_bucket(bucket, first, second) : 0;
	if (kinds)
		return (int)kinds;
	index = nsl_second_bucket(second, buckets);
	bucket = bpf_map_lookup_elem(names, &index);
	return bucket ? (int)nsl_kinds_in_bucket(bucket, first, second) : 0;
}

NSL_INLINE nsl_u32 nsl_name_kinds(const struct nsl_tables *tables, const struct nsl_suffix_hash *hash)
{
	return (nsl_u32)nsl_find_name(tables->slot, hash->first, hash->second);
}
