// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Every structure of abi.h as clang lays it out for the kernel, for bpf_layout_test.cc. Not all of them are described in
 * the objects that ship: clang describes what is the type of a map or a global variable. */
#include "bpf/abi.h"

#define NSL_LAYOUT(type) struct type layout_of_##type;

NSL_LAYOUT(nsl_name)
NSL_LAYOUT(nsl_name_bucket)
NSL_LAYOUT(nsl_generation)
NSL_LAYOUT(nsl_settings)
NSL_LAYOUT(nsl_telemetry)
NSL_LAYOUT(nsl_told)
NSL_LAYOUT(nsl_process_key)
NSL_LAYOUT(nsl_process)
NSL_LAYOUT(nsl_environment)
NSL_LAYOUT(nsl_sender)
NSL_LAYOUT(nsl_candidate)
NSL_LAYOUT(nsl_exchange)
NSL_LAYOUT(nsl_response)
NSL_LAYOUT(nsl_unix_request)
NSL_LAYOUT(nsl_address)
NSL_LAYOUT(nsl_bypass_key)
NSL_LAYOUT(nsl_bypass)
