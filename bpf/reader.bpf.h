/* The reader of dns.h and match.h for the kernel: one interface, three places where a message's octets can be.
 *
 * The mode is a constant at each use, so the compiler keeps one of the three:
 *   packet   direct access to a datagram that lies in the packet's linear part: the fast one
 *   load     by a helper from any packet, linear or not: MSG_MORE, GSO, TCP
 *   buffer   octets copied before into a map's value of at least NSL_BUFFER octets: sendmsg hooks, split TCP messages
 */
#pragma once

#include "verifier.bpf.h"

#include "abi.h"

#define NSL_BUFFER 528 /* every offset (below 512) and eight octets fit */

enum nsl_read_mode { NSL_READ_PACKET, NSL_READ_LOAD, NSL_READ_BUFFER };

struct nsl_reader {
	enum nsl_read_mode mode;
	nsl_u32 length;	       /* of the message, as far as it is there */
	const nsl_u8 *octets;  /* packet, buffer: the message's first octet */
	const nsl_u8 *end;     /* packet: of the linear part */
	struct __sk_buff *skb; /* load; in other modes the backend's own, as is what finds the message again: */
	nsl_u64 own;
	nsl_u32 message; /* load: the message's offset in the packet */
};

/* Where size octets at offset at lie, or NULL. Not for the mode load. */
NSL_INLINE const nsl_u8 *nsl_octets_at(const struct nsl_reader *reader, nsl_u64 at, nsl_u32 size)
{
	const nsl_u8 *from = reader->octets + at, *behind = from + size;

	if (reader->mode == NSL_READ_BUFFER)
		return at + size > reader->length ? NULL : from;
	/* clang would turn the comparison into arithmetic on the packet's end, which is refused */
	asm volatile("" : "+r"(behind));
	return behind > reader->end ? NULL : from;
}

NSL_INLINE int nsl_load(const struct nsl_reader *reader, nsl_u64 at, nsl_u32 size, void *value)
{
	if (at + size > reader->length)
		return -1;
	return bpf_skb_load_bytes(reader->skb, reader->message + (nsl_u32)at, value, size) ? -1 : 0;
}

NSL_INLINE int nsl_read8(const struct nsl_reader *reader, nsl_u64 at, nsl_u8 *value)
{
	const nsl_u8 *from;

	if (reader->mode == NSL_READ_LOAD)
		return nsl_load(reader, at, sizeof *value, value);
	from = nsl_octets_at(reader, at, sizeof *value);
	if (!from)
		return -1;
	*value = *from;
	return 0;
}

NSL_INLINE int nsl_read64(const struct nsl_reader *reader, nsl_u64 at, nsl_u64 *value)
{
	const nsl_u8 *from;

	if (reader->mode == NSL_READ_LOAD)
		return nsl_load(reader, at, sizeof *value, value);
	from = nsl_octets_at(reader, at, sizeof *value);
	if (!from)
		return -1;
	/* One load: clang would make eight of a copy, while the kernel lets programs load unaligned words wherever the
	 * machine can (x86, arm64). */
	*value = *(const nsl_u64 *)from;
	return 0;
}
