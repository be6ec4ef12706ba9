/* Everything that changed between the supported kernels (5.10 to 7.x), and nothing else: CO-RE flavours and weak symbols,
 * each with the version that changed it. No other file asks which kernel it runs on.
 */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"

#define PF_KTHREAD 0x00200000

/* ---- iov_iter ------------------------------------------------------------------------------------------------------ */

/* up to 5.13: one word with the direction in bit 0 and a bit for each kind */
struct iov_iter___type {
	unsigned int type;
	const struct iovec_kernel *iov;
	unsigned long nr_segs;
} nsl_core;

/* from 5.14: an enumerator, whose values moved in 6.0 (ITER_UBUF) and 6.7 */
enum iter_type___nsl {
	ITER_IOVEC___nsl,
	ITER_KVEC___nsl,
	ITER_UBUF___nsl,
};
struct iov_iter___iter_type {
	__u8 iter_type;
	const struct iovec_kernel *iov; /* up to 6.3 */
	const struct iovec_kernel *kvec;
	void *ubuf; /* from 6.0 */
	unsigned long nr_segs;
} nsl_core;
struct iov_iter___renamed {
	const struct iovec_kernel *__iov; /* from 6.4 */
} nsl_core;

enum nsl_iter_kind { NSL_ITER_OTHER, NSL_ITER_ONE_USER_BUFFER, NSL_ITER_USER_VECTOR, NSL_ITER_KERNEL_VECTOR };

struct nsl_iter {
	enum nsl_iter_kind kind;
	nsl_u32 segments;
	const void *base; /* the buffer, or the array of struct iovec_kernel */
	nsl_u64 offset;	  /* into the first segment (or the buffer) */
	nsl_u64 left;	  /* octets */
};

static __always_inline void nsl_read_iter(struct nsl_iter *out, const struct iov_iter *iter)
{
	const struct iov_iter___iter_type *modern = (const void *)iter;
	const struct iov_iter___renamed *renamed = (const void *)iter;

	out->kind = NSL_ITER_OTHER;
	out->offset = BPF_CORE_READ(iter, iov_offset);
	out->left = BPF_CORE_READ(iter, count);
	out->segments = 1;
	out->base = NULL;
	if (!bpf_core_field_exists(modern->iter_type)) {
		const struct iov_iter___type *old = (const void *)iter;
		const unsigned int type = BPF_CORE_READ(old, type) & ~1u;

		if (type == 4 || type == 8) /* ITER_IOVEC, ITER_KVEC of 5.10 */
			out->kind = type == 4 ? NSL_ITER_USER_VECTOR : NSL_ITER_KERNEL_VECTOR;
		out->base = BPF_CORE_READ(old, iov);
		out->segments = (nsl_u32)BPF_CORE_READ(old, nr_segs);
		return;
	}

	const __u8 type = BPF_CORE_READ(modern, iter_type);

	out->segments = (nsl_u32)BPF_CORE_READ(modern, nr_segs);
	if (bpf_core_enum_value_exists(enum iter_type___nsl, ITER_UBUF___nsl) &&
	    type == bpf_core_enum_value(enum iter_type___nsl, ITER_UBUF___nsl)) {
		out->kind = NSL_ITER_ONE_USER_BUFFER;
		out->segments = 1;
		if (bpf_core_field_exists(modern->ubuf))
			out->base = BPF_CORE_READ(modern, ubuf);
	} else if (type == bpf_core_enum_value(enum iter_type___nsl, ITER_IOVEC___nsl)) {
		out->kind = NSL_ITER_USER_VECTOR;
		if (bpf_core_field_exists(renamed->__iov))
			out->base = BPF_CORE_READ(renamed, __iov);
		else
			out->base = BPF_CORE_READ(modern, iov);
	} else if (type == bpf_core_enum_value(enum iter_type___nsl, ITER_KVEC___nsl)) {
		out->kind = NSL_ITER_KERNEL_VECTOR;
		out->base = BPF_CORE_READ(modern, kvec);
	}
}

/* ---- UDP_CORK ------------------------------------------------------------------------------------------------------ */

/* up to 6.5: a word; later, and in stable releases of older ones, bit 0 (UDP_FLAGS_CORK) of udp_flags */
struct udp_sock___corkflag {
	unsigned int corkflag;
} nsl_core;
struct udp_sock___flags {
	unsigned long udp_flags;
} nsl_core;

static __always_inline bool nsl_is_corked(const struct udp_sock *udp)
{
	const struct udp_sock___corkflag *word = (const void *)udp;
	const struct udp_sock___flags *bits = (const void *)udp;

	if (bpf_core_field_exists(word->corkflag))
		return BPF_CORE_READ(word, corkflag) != 0;
	if (bpf_core_field_exists(bits->udp_flags))
		return BPF_CORE_READ(bits, udp_flags) & 1;
	return false;
}

/* ---- cgroups of version 1 -------------------------------------------------------------------------------------------- */

/* Numbers of the controllers: they depend on the configuration. */
enum cgroup_subsys_id___nsl {
	memory_cgrp_id___nsl,
	pids_cgrp_id___nsl,
};

/* The cgroup of the first controller here that container runtimes use; NULL: the kernel has none of them. */
static __always_inline struct cgroup *nsl_controllers_cgroup(struct css_set *cgroups)
{
	struct cgroup_subsys_state *state = NULL;
	nsl_u64 controller;

	if (bpf_core_enum_value_exists(enum cgroup_subsys_id___nsl, memory_cgrp_id___nsl))
		controller = bpf_core_enum_value(enum cgroup_subsys_id___nsl, memory_cgrp_id___nsl);
	else if (bpf_core_enum_value_exists(enum cgroup_subsys_id___nsl, pids_cgrp_id___nsl))
		controller = bpf_core_enum_value(enum cgroup_subsys_id___nsl, pids_cgrp_id___nsl);
	else
		return NULL;
	bpf_probe_read_kernel(&state, sizeof state,
			      (void *)cgroups + bpf_core_field_offset(struct css_set, subsys) +
				      controller * sizeof state);
	return state ? BPF_CORE_READ(state, cgroup) : NULL;
}
