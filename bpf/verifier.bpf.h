/* What is said to the verifier, not to the reader. */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"

#define NSL_INLINE static __always_inline

/* A word with one bit set, by the lowest six bits of number. The machine takes a shift modulo 64 (RFC 9669 section 4.1), which
 * C does not promise: the compiler would add a mask. */
#define NSL_BIT(number)                                                    \
	({                                                                 \
		nsl_u64 nsl_bit = 1;                                       \
		asm("%0 <<= %1" : "+r"(nsl_bit) : "r"((nsl_u64)(number))); \
		nsl_bit;                                                   \
	})

/* Always 0, and the verifier does not know: XOR with it makes a scalar unknown, so that paths which differ in that scalar
 * alone become one. */
volatile nsl_u64 nsl_zero;
#define NSL_FORGET(x) ((x) ^= (typeof(x))nsl_zero)

/* x &= mask, where the compiler thinks it knows better: it drops a mask that an earlier test made superfluous, and older
 * verifiers have forgotten that test by then. x: 64 bits. */
#define NSL_BOUND(x, mask) asm volatile("%0 &= %1" : "+r"(x) : "i"(mask))
