/* The octets of a send, out of the message header that the process gave to sendmsg(): from one user buffer or a vector of
 * them, or from the kernel's own. Pages (sendfile, splice, io_uring's fixed buffers) cannot be read from here.
 */
#pragma once

#include "compat.bpf.h"
#include "verifier.bpf.h"

#define NSL_PAYLOAD_MAX	   512 /* octets of a message that are copied: the longest question and some more */
#define NSL_SEGMENTS_MAX   288 /* pieces of a send that are followed: enough for a question of one octet each */
#define NSL_PAYLOAD_BUFFER (2 * NSL_PAYLOAD_MAX + 16) /* any offset below the maximum, and a full copy */

/* A copy under way, between two pieces of the send, in one register: the octets still to be skipped and wanted, where the next
 * one goes, how many came; or NSL_COPY_FAILED. */
#define NSL_COPY(skip, wanted, at, copied)                                                                  \
	((nsl_u64)((skip) & 0xFFFFFF) | (nsl_u64)((wanted) & 0xFFF) << 24 | (nsl_u64)((at) & 0xFFF) << 36 | \
	 (nsl_u64)((copied) & 0xFFF) << 48)
#define NSL_COPY_SKIP(copy)   ((nsl_u32)(copy) & 0xFFFFFF)
#define NSL_COPY_WANTED(copy) ((nsl_u32)((copy) >> 24) & 0xFFF)
#define NSL_COPY_AT(copy)     ((nsl_u32)((copy) >> 36) & 0xFFF)
#define NSL_COPY_COPIED(copy) ((nsl_u32)((copy) >> 48) & 0xFFF)
#define NSL_COPY_FAILED	      (1ull << 63)

/* Copies what is wanted of a piece of the send, a number below iter->segments. octets has NSL_PAYLOAD_BUFFER. */
NSL_INLINE nsl_u64 nsl_copy_segment(const struct nsl_iter *iter, nsl_u32 number, nsl_u64 copy, nsl_u8 *octets)
{
	const struct iovec_kernel *segments = iter->base;
	nsl_u64 gone = number == 0 ? iter->offset : 0, length, at = NSL_COPY_AT(copy);
	nsl_u32 skip = NSL_COPY_SKIP(copy), wanted = NSL_COPY_WANTED(copy), copied = NSL_COPY_COPIED(copy);
	struct iovec_kernel segment;
	long failed;

	if (bpf_probe_read_kernel(&segment, sizeof segment, &segments[number]))
		return NSL_COPY_FAILED;
	if (segment.length <= gone)
		return copy;
	length = segment.length - gone;
	if (length <= skip)
		return NSL_COPY(skip - (nsl_u32)length, wanted, at, copied);
	gone += skip;
	length -= skip;
	if (length > wanted)
		length = wanted;
	NSL_FORGET_HERE(length);
	length = ((length - 1) & (NSL_PAYLOAD_MAX - 1)) + 1;
	at &= NSL_PAYLOAD_MAX - 1;
	if (iter->kind == NSL_ITER_KERNEL_VECTOR)
		failed = bpf_probe_read_kernel(&octets[at], (nsl_u32)length, segment.base + gone);
	else
		failed = bpf_probe_read_user(&octets[at], (nsl_u32)length, segment.base + gone);
	if (failed)
		return NSL_COPY_FAILED;
	return NSL_COPY(0, wanted - (nsl_u32)length, at + length, copied + (nsl_u32)length);
}

/* nsl_copy_segment of a piece behind the first, or a function of the includer's own that does that; own: a number of its. */
NSL_INLINE nsl_u64 nsl_copy_further(const struct nsl_iter *iter, nsl_u32 number, nsl_u64 copy, nsl_u8 *octets,
				    nsl_u32 own);

/* Copies wanted octets, after skipping some, to octets + at. octets has NSL_PAYLOAD_BUFFER. How many came, or -1. */
NSL_INLINE int nsl_copy_payload(const struct nsl_iter *iter, nsl_u32 skip, nsl_u32 wanted, nsl_u8 *octets, nsl_u32 at,
				nsl_u32 own)
{
	nsl_u64 copy;

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
	if (iter->segments == 0)
		return 0;
	copy = nsl_copy_segment(iter, 0, NSL_COPY(skip, wanted, at, 0), octets);
	for (nsl_u32 i = 1; i < NSL_SEGMENTS_MAX; i++) {
		if (copy & NSL_COPY_FAILED)
			return -1;
		if (i >= iter->segments || NSL_COPY_WANTED(copy) == 0)
			return (int)NSL_COPY_COPIED(copy);
		NSL_FORGET_HERE(copy);
		copy = nsl_copy_further(iter, i, copy, octets, own);
	}
	if (copy & NSL_COPY_FAILED)
		return -1;
	return NSL_COPY_WANTED(copy) && NSL_COPY_COPIED(copy) < NSL_QUESTION_MAX ? -1 : (int)NSL_COPY_COPIED(copy);
}
