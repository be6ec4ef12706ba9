/* Per-CPU counters of everything that is seen, refused or lost; nsl_counter in abi.h says what each means. */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "verifier.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NSL_COUNTER_MAX);
	__type(key, nsl_u32);
	__type(value, nsl_u64);
} nsl_counters SEC(".maps");

NSL_INLINE void nsl_count_more(nsl_u32 counter, nsl_u64 more)
{
	nsl_u64 *value = bpf_map_lookup_elem(&nsl_counters, &counter);

	if (value)
		*value += more;
}

NSL_INLINE void nsl_count(nsl_u32 counter)
{
	nsl_count_more(counter, 1);
}
