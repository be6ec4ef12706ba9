/* Ways around the sensor, told once of a process and an address: what bypass.bpf.c and sockets.bpf.c have in common. A ring
 * of its own, so that they push out no hit.
 */
#pragma once

#include <linux/errno.h>

#include "sender.bpf.h"
#include "settings.bpf.h"

#define NSL_RAW 3 /* SOCK_RAW */

/* ping and traceroute have raw sockets for these. */
NSL_INLINE bool nsl_is_icmp(nsl_u32 protocol)
{
	return protocol == 1 || protocol == 58;
}

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, NSL_BYPASS_RING);
} nsl_bypasses SEC(".maps");

/* What was told. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, NSL_BYPASS_ENTRIES);
	__type(key, struct nsl_bypass_key);
	__type(value, nsl_u32);
} nsl_bypasses_told SEC(".maps");

/* The agent, which has raw sockets for its answers. A global, mapped by user space. */
nsl_u32 nsl_bypass_agent;

/* protocol: NSL_TCP or NSL_UDP of port; 0 for a socket alone. */
NSL_INLINE void nsl_tell_bypass(struct task_struct *task, nsl_u32 technique, const struct nsl_address *address,
				nsl_u16 port, nsl_u8 transport)
{
	struct nsl_bypass_key told = { .technique = (nsl_u16)technique, .transport = transport, .address = *address };
	struct nsl_bypass *bypass;
	const nsl_u32 yes = 1;

	nsl_process_key_of(&told.process, task);
	if (told.process.tgid == nsl_bypass_agent)
		return;
	/* The one that makes the entry tells; a table that has no room for it makes some tell more than once. */
	if (bpf_map_lookup_elem(&nsl_bypasses_told, &told) ||
	    bpf_map_update_elem(&nsl_bypasses_told, &told, &yes, BPF_NOEXIST) == -EEXIST)
		return;
	nsl_make_process(&told.process, task, 0);
	bypass = bpf_ringbuf_reserve(&nsl_bypasses, sizeof *bypass, 0);
	if (!bypass) {
		nsl_count(NSL_COUNT_bypass_ring_full);
		bpf_map_delete_elem(&nsl_bypasses_told, &told);
		return;
	}
	__builtin_memset(bypass, 0, sizeof *bypass);
	bypass->boottime = bpf_ktime_get_boot_ns();
	bypass->technique = technique;
	bypass->port = port;
	bypass->transport = transport;
	bypass->address = *address;
	nsl_describe_sender(&bypass->sender, task);
	nsl_count(NSL_COUNT_bypasses);
	bpf_ringbuf_submit(bypass, 0);
}
