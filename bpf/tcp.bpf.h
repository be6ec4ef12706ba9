/* DNS over TCP (RFC 1035 section 4.2.2, RFC 7766): messages, each behind its length in two octets, in a stream that the
 * sender may cut anywhere.
 *
 * A message that lies in one segment is looked at in place. One that is split is put together in the socket's storage, up
 * to NSL_TCP_KEPT octets of it: enough for the longest question. Octets that were sent before (retransmissions) are
 * skipped. A stream is given up, and counted, when its octets cannot be followed: the first segment seen does not begin
 * with a message, or a segment was missed.
 */
#pragma once

#include "counters.bpf.h"
#include "kernel_types.bpf.h"
#include "reader.bpf.h"

#define NSL_TCP_KEPT 512
#define NSL_TCP_STEPS 128 /* messages and pieces of one segment that are followed */

struct nsl_tcp_stream {
	nsl_u32 started;
	nsl_u32 given_up;
	nsl_u32 next_sequence; /* of the first octet not seen yet */
	nsl_u32 skip;          /* octets left of a message that was looked at */
	nsl_u32 kept;          /* octets in the buffer, the length prefix included */
	nsl_u32 reserved;
	nsl_u8 octets[NSL_TCP_KEPT + NSL_BUFFER];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct nsl_tcp_stream);
} nsl_tcp_streams SEC(".maps");
