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
	nsl_u32 length;         /* of the message, as far as it is there */
	const nsl_u8 *octets;   /* packet, buffer: the message's first octet */
	const nsl_u8 *end;      /* packet: of the linear part */
	struct __sk_buff *skb;  /* load */
	nsl_u32 message;        /* load: the message's offset in the packet */
};

NSL_INLINE int nsl_read(const struct nsl_reader *reader, nsl_u32 at, nsl_u32 size, void *value)
{
	if (reader->mode == NSL_READ_PACKET) {
		const nsl_u8 *from = reader->octets + at;
		const nsl_u8 *behind = from + size;

		/* clang would turn the comparison into arithmetic on the packet's end, which is refused */
		asm volatile("" : "+r"(behind));
		if (behind > reader->end)
			return -1;
		__builtin_memcpy(value, from, size);
		return 0;
	}
	if (at + size > reader->length)
		return -1;
	if (reader->mode == NSL_READ_LOAD)
		return bpf_skb_load_bytes(reader->skb, reader->message + at, value, size) ? -1 : 0;
	__builtin_memcpy(value, reader->octets + at, size);
	return 0;
}

NSL_INLINE int nsl_read8(const struct nsl_reader *reader, nsl_u32 at, nsl_u8 *value)
{
	return nsl_read(reader, at, sizeof *value, value);
}

NSL_INLINE int nsl_read64(const struct nsl_reader *reader, nsl_u32 at, nsl_u64 *value)
{
	return nsl_read(reader, at, sizeof *value, value);
}
