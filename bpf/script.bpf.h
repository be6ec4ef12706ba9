/* Which argument of a command line is the script. For a `#!` script the kernel makes the command line interpreter, argument
 * of the first line if there is one, path of the script as exec was given it, and the rest; an interpreter may be a script
 * itself. The path is known, so it is looked for.
 */
#pragma once

#include "process.bpf.h"

#define NSL_SCRIPT_MAX 256 /* octets of a path that is looked for; of a longer one it is not known where it is */

struct nsl_script {
	char path[NSL_SCRIPT_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, nsl_u32);
	__type(value, struct nsl_script);
} nsl_script_room SEC(".maps");

static __noinline int nsl_find_script(struct nsl_process *process, struct linux_binprm *bprm)
{
	const char *path = BPF_CORE_READ(bprm, filename);
	const nsl_u64 differs = NSL_SCRIPT_MAX;
	nsl_u64 same = differs,
		start = 0; /* octets of this argument that are the path's; the first argument is no script */
	struct nsl_script *script;
	nsl_u32 zero = 0;

	if (!path || path == BPF_CORE_READ(bprm, interp))
		return 0;
	script = bpf_map_lookup_elem(&nsl_script_room, &zero);
	if (!script || bpf_probe_read_kernel_str(script->path, sizeof script->path, path) < 0)
		return 0;
	for (nsl_u32 i = 0; i < NSL_ARGV_MAX; i++) {
		const char octet = process->argv[i];

		if (i >= process->argv_length)
			break;
		if (same < NSL_SCRIPT_MAX && script->path[same & (NSL_SCRIPT_MAX - 1)] == octet) {
			if (!octet) {
				process->script_at = (nsl_u16)start;
				break;
			}
			same++;
		} else {
			same = differs;
		}
		if (!octet) {
			start = i + 1;
			same = 0;
		}
		NSL_FORGET(same);
		NSL_FORGET(start);
	}
	return 0;
}
