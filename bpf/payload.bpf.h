/* The octets of a send, out of the message header that the process gave to sendmsg(): from one user buffer or a vector of
 * them, or from the kernel's own. Pages (sendfile, splice, io_uring's fixed buffers) cannot be read from here.
 */
#pragma once

#include "compat.bpf.h"
#include "verifier.bpf.h"

#define NSL_PAYLOAD_MAX	   512 /* octets of a message that are copied: the longest question and some more */
#define NSL_SEGMENTS_MAX   288 /* pieces of a send that are followed: enough for a question of one octet each */
#define NSL_PAYLOAD_BUFFER (2 * NSL_PAYLOAD_MAX + 16) /* any offset below the maximum, and a full copy */

/* Copies wanted octets, after skipping some, to octets + at. octets has NSL_PAYLOAD_BUFFER. How many came, or -1. */
static __always_inline int nsl_copy_payload(const struct nsl_iter *iter, nsl_u32 skip, nsl_u32 wanted, nsl_u8 *octets,
					    nsl_u32 at)
{
	nsl_u32 copied = 0;

	if (wanted == 0)
		return 0;
	if (iter->kind == NSL_ITER_OTHER)
		return -1;
	if (iter->kind == NSL_ITER_ONE_USER_BUFFER) {
		NSL_FORGET(wanted);
		wanted = ((wanted - 1) & (NSL_PAYLOAD_MAX - 1)) + 1;
		if (bpf_probe_read_user(&octets[at & (NSL_PAYLOAD_MAX - 1)], wanted, iter->base + iter->offset + skip))
			return -1;
		return (int)wanted;
	}
	for (nsl_u32 i = 0; i < NSL_SEGMENTS_MAX; i++) {
		const struct iovec_kernel *segments = iter->base;
		struct iovec_kernel segment;
		nsl_u64 gone = i == 0 ? iter->offset : 0, length;
		long failed;

		if (i >= iter->segments || wanted == 0)
			return (int)copied;
		if (bpf_probe_read_kernel(&segment, sizeof segment, &segments[i]))
			return -1;
		if (segment.length <= gone)
			continue;
		length = segment.length - gone;
		if (length <= skip) {
			skip -= (nsl_u32)length;
			continue;
		}
		gone += skip;
		length -= skip;
		skip = 0;
		if (length > wanted)
			length = wanted;
		NSL_FORGET(length);
		length = ((length - 1) & (NSL_PAYLOAD_MAX - 1)) + 1;
		if (iter->kind == NSL_ITER_KERNEL_VECTOR)
			failed = bpf_probe_read_kernel(&octets[at & (NSL_PAYLOAD_MAX - 1)], (nsl_u32)length,
						       segment.base + gone);
		else
			failed = bpf_probe_read_user(&octets[at & (NSL_PAYLOAD_MAX - 1)], (nsl_u32)length,
						     segment.base + gone);
		if (failed)
			return -1;
		at += (nsl_u32)length;
		copied += (nsl_u32)length;
		wanted -= (nsl_u32)length;
		NSL_FORGET(at);
		NSL_FORGET(copied);
		NSL_FORGET(wanted);
		NSL_FORGET(skip);
	}
	return wanted && copied < NSL_QUESTION_MAX ? -1 : (int)copied;
}
