/* The paths of the Unix sockets that systemd-resolved (varlink) and nscd listen on. */
#pragma once

#include "unix_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "verifier.bpf.h"

#define NSL_RESOLVER_PATH 40 /* octets of the longest path below, in whole words */

/* Text of at most eight octets as the word that memory holds. */
#define NSL_WORD(a, b, c, d, e, f, g, h)                                                                   \
	((nsl_u64)(a) | (nsl_u64)(b) << 8 | (nsl_u64)(c) << 16 | (nsl_u64)(d) << 24 | (nsl_u64)(e) << 32 | \
	 (nsl_u64)(f) << 40 | (nsl_u64)(g) << 48 | (nsl_u64)(h) << 56)

/* Which resolver listens at this path in the kernel's memory: NSL_VARLINK, NSL_NSCD or 0. The paths are those that the
 * resolvers bind, and that their clients name. */
NSL_INLINE nsl_u32 nsl_resolver_named(const char *path)
{
	nsl_u64 w[NSL_RESOLVER_PATH / 8] = {};

	if (bpf_probe_read_kernel(w, sizeof w, path))
		return 0;
	if (w[0] == NSL_WORD('/', 'r', 'u', 'n', '/', 's', 'y', 's') &&
	    w[1] == NSL_WORD('t', 'e', 'm', 'd', '/', 'r', 'e', 's') &&
	    w[2] == NSL_WORD('o', 'l', 'v', 'e', '/', 'i', 'o', '.') &&
	    w[3] == NSL_WORD('s', 'y', 's', 't', 'e', 'm', 'd', '.') &&
	    w[4] == NSL_WORD('R', 'e', 's', 'o', 'l', 'v', 'e', 0))
		return NSL_VARLINK;
	if (w[0] == NSL_WORD('/', 'v', 'a', 'r', '/', 'r', 'u', 'n') &&
	    w[1] == NSL_WORD('/', 'n', 's', 'c', 'd', '/', 's', 'o') &&
	    (nsl_u32)w[2] == (nsl_u32)NSL_WORD('c', 'k', 'e', 't', 0, 0, 0, 0) && !(w[2] >> 32 & 0xFF))
		return NSL_NSCD;
	if (w[0] == NSL_WORD('/', 'r', 'u', 'n', '/', 'n', 's', 'c') &&
	    w[1] == NSL_WORD('d', '/', 's', 'o', 'c', 'k', 'e', 't') && !(w[2] & 0xFF))
		return NSL_NSCD;
	return 0;
}
