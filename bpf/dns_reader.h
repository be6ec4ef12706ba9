/* The reader of dns.h and match.h for user space: a span of memory. */
#pragma once

#include <string.h>

#include "abi.h"

#define NSL_INLINE	   static inline
#define NSL_FORGET(x)	   ((void)0)
#define NSL_FORGET_HERE(x) ((void)0)
#define NSL_UNROLL
#define NSL_BIT(number) (1ull << ((number) & 63))

struct nsl_reader {
	const nsl_u8 *octets;
	nsl_u32 length;
};

NSL_INLINE int nsl_read8(const struct nsl_reader *reader, nsl_u64 at, nsl_u8 *value)
{
	if (at >= reader->length)
		return -1;
	*value = reader->octets[at];
	return 0;
}

NSL_INLINE int nsl_read64(const struct nsl_reader *reader, nsl_u64 at, nsl_u64 *value)
{
	if (reader->length < 8 || at > reader->length - 8)
		return -1;
	memcpy(value, reader->octets + at, sizeof *value);
	return 0;
}
