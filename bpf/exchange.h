/* What joins a response to its query, made from the query's candidate: for the kernel programs and for user space alike.
 *
 * A query to "any address" (0.0.0.0, ::) goes to the host itself, and the answer comes from its loopback address.
 */
#pragma once

#include "abi.h"

#ifndef NSL_INLINE
#define NSL_INLINE static inline
#endif

NSL_INLINE void nsl_exchange_of(struct nsl_exchange *exchange, const struct nsl_candidate *candidate)
{
	nsl_u8 any = 0;

	__builtin_memset(exchange, 0, sizeof *exchange);
	exchange->socket = candidate->socket;
	exchange->server_port = candidate->server_port;
	exchange->id = candidate->id;
	exchange->family = candidate->family;
	exchange->transport = candidate->transport;
	__builtin_memcpy(exchange->server, candidate->server, sizeof exchange->server);
	for (int i = 0; i < 16; i++)
		any |= exchange->server[i];
	if (any)
		return;
	if (exchange->family == 4)
		exchange->server[0] = 127;
	exchange->server[exchange->family == 4 ? 3 : 15] = 1;
}
