/* What user space sets while the programs run, and the DNS ports among it. Each object has settings of its own. */
#pragma once

#include "kernel_types.bpf.h"

#include <bpf/bpf_helpers.h>

#include "abi.h"
#include "verifier.bpf.h"

/* A global, mapped by user space. Not static, so that it keeps its name in the object. */
struct nsl_settings nsl_settings;

/* Whether port is one of the configured ports but the first. */
__noinline int nsl_is_further_dns_port(nsl_u32 port)
{
	for (int i = 1; i < NSL_PORTS_MAX; i++)
		if (nsl_settings.ports[i] == port && port)
			return 1;
	return 0;
}

/* Whether port (host order) is one of the configured DNS ports. */
NSL_INLINE bool nsl_is_dns_port(nsl_u16 port)
{
	if (port == nsl_settings.ports[0])
		return true;
	return nsl_settings.port_count > 1 && nsl_is_further_dns_port(port);
}
