/* The reader of dns.h and match.h for the kernel: one interface, several places where a message's octets can be.
 *
 * The mode is a constant at each use, so the compiler keeps one of them:
 *   packet   direct access to a datagram that lies in the packet's linear part: the fast one
 *   apart    by a function that the verifier checks by itself (nsl_read_apart), from wherever the message is
 *   buffer   octets copied before into a map's value of at least NSL_BUFFER octets: sendmsg hooks
 */
#pragma once

#include "verifier.bpf.h"

#include "abi.h"

#define NSL_BUFFER 528 /* every offset (below 512) and eight octets fit */

enum nsl_read_mode { NSL_READ_PACKET, NSL_READ_APART, NSL_READ_BUFFER };

struct nsl_reader {
	enum nsl_read_mode mode;
	nsl_u32 length;	       /* of the message, as far as it is there */
	const nsl_u8 *octets;  /* packet, buffer: the message's first octet */
	const nsl_u8 *end;     /* packet: of the linear part */
	struct __sk_buff *skb; /* apart, packet; with what finds the message again, in a number of the backend's: */
	nsl_u64 own;
};

#define NSL_UNREAD (1ull << 63)

/* Up to four octets, in memory order from the lowest bits on, or NSL_UNREAD; own: nsl_reader.own. Of backends that have such
 * readers. */
nsl_u64 nsl_read_apart(struct __sk_buff *skb, nsl_u64 own, nsl_u32 at, nsl_u32 size);

/* Where size octets at offset at lie, or NULL. Not for the mode apart. */
NSL_INLINE const nsl_u8 *nsl_octets_at(const struct nsl_reader *reader, nsl_u64 at, nsl_u32 size)
{
	const nsl_u8 *from = reader->octets + at, *behind = from + size;

	if (reader->mode == NSL_READ_BUFFER)
		return at + size > reader->length ? NULL : from;
	/* clang would turn the comparison into arithmetic on the packet's end, which is refused */
	asm volatile("" : "+r"(behind));
	return behind > reader->end ? NULL : from;
}

NSL_INLINE int nsl_read8(const struct nsl_reader *reader, nsl_u64 at, nsl_u8 *value)
{
	const nsl_u8 *from;
	nsl_u64 octets;

	if (reader->mode == NSL_READ_APART) {
		octets = nsl_read_apart(reader->skb, reader->own, (nsl_u32)at, sizeof *value);
		*value = (nsl_u8)octets;
		return octets & NSL_UNREAD ? -1 : 0;
	}
	from = nsl_octets_at(reader, at, sizeof *value);
	if (!from)
		return -1;
	*value = *from;
	return 0;
}

NSL_INLINE int nsl_read64(const struct nsl_reader *reader, nsl_u64 at, nsl_u64 *value)
{
	const nsl_u8 *from;
	nsl_u64 low, high;

	if (reader->mode == NSL_READ_APART) {
		low = nsl_read_apart(reader->skb, reader->own, (nsl_u32)at, 4);
		high = nsl_read_apart(reader->skb, reader->own, (nsl_u32)at + 4, 4);
		*value = low | high << 32;
		return (low | high) & NSL_UNREAD ? -1 : 0;
	}
	from = nsl_octets_at(reader, at, sizeof *value);
	if (!from)
		return -1;
	/* One load: clang would make eight of a copy, while the kernel lets programs load unaligned words wherever the
	 * machine can (x86, arm64). */
	*value = *(const nsl_u64 *)from;
	return 0;
}
