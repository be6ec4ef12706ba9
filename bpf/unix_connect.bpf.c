// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Denies connecting to the Unix sockets of systemd-resolved and nscd, so that a program asks by a packet of its own, which
 * the egress program can judge. Kernels from 6.7 on have the hook; an object of its own, since older ones refuse it.
 *
 * Who names the socket by another path (/run/../run/…) gets through, and gains nothing: the resolver's own packet is judged,
 * and the request is seen by unix_clients.bpf.c.
 */
#include "resolver_path.bpf.h"

#include <bpf/bpf_core_read.h>

struct sockaddr;

struct bpf_sock_addr_kern {
	struct sockaddr *uaddr;
} nsl_core;

extern void *bpf_cast_to_kern_ctx(void *context) __ksym;

/* Bits of 1 << NSL_VARLINK and 1 << NSL_NSCD: what is denied. A global, mapped by user space. */
nsl_u32 nsl_denied_resolvers;

/* Processes that may connect all the same: the resolvers, and the agent. Key: their tgid in the initial pid namespace. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 16);
	__type(key, nsl_u32);
	__type(value, nsl_u32);
} nsl_not_denied SEC(".maps");

/* The section's name is that of a hook with the same context: user space sets the attach type, which its library may not
 * know by name. */
SEC("cgroup/connect6")
int nsl_unix_connect(struct bpf_sock_addr *context)
{
	struct bpf_sock_addr_kern *kernel = bpf_cast_to_kern_ctx(context);
	const char *address = (const char *)kernel->uaddr;
	struct task_struct *task;
	nsl_u32 resolver, tgid;

	resolver = nsl_resolver_named(address + sizeof(unsigned short));
	if (!resolver || !(nsl_denied_resolvers >> resolver & 1))
		return 1;
	task = (void *)bpf_get_current_task();
	tgid = BPF_CORE_READ(task, tgid);
	return bpf_map_lookup_elem(&nsl_not_denied, &tgid) != NULL;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
