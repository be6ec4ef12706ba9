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

/* The same, and the compiler leaves it where it is: it likes to put it off until x is needed, where paths have met already. */
#define NSL_FORGET_HERE(x) asm volatile("%0 ^= %1" : "+r"(x) : "r"((typeof(x))nsl_zero))

/* Before a loop that paths leave or go on in many ways. The verifier keeps few states of an instruction and throws out those that
 * matched nothing several times: in a loop that is not written out, the states of all its turns are of the same
 * instructions, and what was seen in one turn is forgotten by the next. */
#define NSL_UNROLL _Pragma("clang loop unroll(full)")

/* x &= mask, where the compiler thinks it knows better: it drops a mask that an earlier test made superfluous, and older
 * verifiers have forgotten that test by then. x: 64 bits. */
#define NSL_BOUND(x, mask) asm volatile("%0 &= %1" : "+r"(x) : "i"(mask))
