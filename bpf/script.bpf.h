/* Which argument of a command line is the script. For a `#!` script the kernel makes the command line interpreter, argument
 * of the first line if there is one, path of the script as exec was given it, and the rest; an interpreter may be a script
 * itself. The path is known, so it is looked for.
 */
#pragma once

#include "process.bpf.h"

#define NSL_SCRIPT_MAX 256 /* octets of a path that is looked for; of a longer one it is not known where it is */

struct nsl_script {
	char path[NSL_SCRIPT_MAX];
	char argv[NSL_ARGV_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, nsl_u32);
	__type(value, struct nsl_script);
} nsl_script_room SEC(".maps");

NSL_INLINE struct nsl_script *nsl_script_here(void)
{
	nsl_u32 zero = 0;

	return bpf_map_lookup_elem(&nsl_script_room, &zero);
}

#define NSL_SCRIPT_PIECE 64 /* octets of the command line that are checked at a time */

/* The search between two octets of the command line, in one register: how many octets of this argument are the path's
 * (NSL_SCRIPT_MAX: it is another one), where the argument starts, and whether it was found. */
#define NSL_SCRIPT_WALK(same, start) ((nsl_u64)(start) << 16 | (same))
#define NSL_SCRIPT_START(walk)	     ((nsl_u64)(walk) >> 16 & 0xFFFF)
#define NSL_SCRIPT_FOUND	     (1ull << 32)

/* A function of its own, so that the verifier checks it once for all pieces. */
__noinline nsl_u64 nsl_find_script_piece(nsl_u64 from, nsl_u64 walk)
{
	nsl_u64 same = walk & 0xFFFF, start = NSL_SCRIPT_START(walk);
	struct nsl_script *script = nsl_script_here();

	if (!script)
		return walk;
	for (nsl_u64 i = 0; i < NSL_SCRIPT_PIECE; i++) {
		nsl_u64 at = from + i;
		char octet;

		NSL_BOUND(at, NSL_ARGV_MAX - 1);
		octet = script->argv[at];
		if (same < NSL_SCRIPT_MAX && script->path[same & (NSL_SCRIPT_MAX - 1)] == octet) {
			if (!octet)
				return NSL_SCRIPT_FOUND | NSL_SCRIPT_WALK(same, start);
			same++;
		} else {
			same = NSL_SCRIPT_MAX;
		}
		if (!octet) {
			start = at + 1;
			same = 0;
		}
		NSL_FORGET(same);
		NSL_FORGET(start);
	}
	return NSL_SCRIPT_WALK(same, start);
}

static __noinline int nsl_find_script(struct nsl_process *process, struct linux_binprm *bprm)
{
	const char *path = BPF_CORE_READ(bprm, filename);
	nsl_u64 walk = NSL_SCRIPT_WALK(NSL_SCRIPT_MAX, 0); /* the first argument is no script */
	struct nsl_script *script;

	if (!path || path == BPF_CORE_READ(bprm, interp))
		return 0;
	script = nsl_script_here();
	if (!script || bpf_probe_read_kernel_str(script->path, sizeof script->path, path) < 0)
		return 0;
	bpf_probe_read_kernel(script->argv, sizeof script->argv, process->argv);
	for (nsl_u32 from = 0; from < NSL_ARGV_MAX; from += NSL_SCRIPT_PIECE) {
		if (from >= process->argv_length)
			break;
		walk = nsl_find_script_piece(from, walk);
		if (walk & NSL_SCRIPT_FOUND) {
			if (NSL_SCRIPT_START(walk) < process->argv_length)
				process->script_at = (nsl_u16)NSL_SCRIPT_START(walk);
			break;
		}
		NSL_FORGET(walk);
	}
	return 0;
}
