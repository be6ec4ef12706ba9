/* The queries whose responses are waited for. Written where a candidate leaves, before its packet does, so that no response
 * can come first; read by ingress.bpf.c. An entry is not deleted by its response: a spoofed one must not stand in the way
 * of the true one. The least recently used go when the table is full.
 */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "verifier.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* user space sets the size before loading */
	__type(key, struct nsl_exchange);
	__type(value, nsl_u64); /* when the query left, as nsl_candidate.boottime */
} nsl_awaited SEC(".maps");

/* What names the socket of a packet: its address in the kernel, which every backend knows. */
NSL_INLINE nsl_u64 nsl_socket_name(struct __sk_buff *skb)
{
	return (nsl_u64)BPF_CORE_READ((struct sk_buff *)skb, sk);
}
