/* The process table, and what is read of a task.
 *
 * An entry is about one program in one process (struct nsl_process_key) and never changes its meaning, so user space may
 * read it at leisure, also when the process is long gone. Entries are made at exec and fork; for processes older than
 * the agent, at their first candidate. The least recently used go when the table is full.
 *
 * An entry's parent is the program that made the process, as it was at that moment: it stays so when the parent runs
 * another program, or ends and leaves the process to a reaper. Only for processes older than the agent it is the parent
 * that the kernel has for them when the entry is made.
 */
#pragma once

#include "compat.bpf.h"
#include "counters.bpf.h"
#include "verifier.bpf.h"

struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1); /* user space sets the size before loading */
	__type(key, struct nsl_process_key);
	__type(value, struct nsl_process);
} nsl_processes SEC(".maps");

/* What a new entry starts as: the table is filled in place, since there is no other room for an entry. */
const struct nsl_process nsl_empty_process = {};

#define NSL_PATH_DEPTH	   40 /* components and mounts of a path that are followed */
#define NSL_COMPONENT_MAX  255
#define NSL_ANCESTORS_KEPT 16

NSL_INLINE void nsl_process_key_of(struct nsl_process_key *key, struct task_struct *task)
{
	key->start_boottime = BPF_CORE_READ(task, group_leader, start_boottime);
	key->tgid = BPF_CORE_READ(task, tgid);
	key->exec_id = (nsl_u32)BPF_CORE_READ(task, self_exec_id);
}

/* The process's number in the innermost pid namespace it is in (which: an index of signal_struct.pids). */
NSL_INLINE nsl_u32 nsl_innermost_pid(struct task_struct *task, int which)
{
	const struct pid *pid = BPF_CORE_READ(task, signal, pids[which]);
	const nsl_u32 level = BPF_CORE_READ(pid, level) & 31;
	const void *number = (const void *)pid + bpf_core_field_offset(struct pid, numbers) +
			     level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr);
	int value = 0;

	bpf_probe_read_kernel(&value, sizeof value, number);
	return (nsl_u32)value;
}

NSL_INLINE nsl_u32 nsl_session_of(struct task_struct *task)
{
	const struct pid *pid = BPF_CORE_READ(task, signal, pids[3]); /* PIDTYPE_SID */

	return (nsl_u32)BPF_CORE_READ(pid, numbers[0].nr);
}

#define NSL_PATH_CUT (1ull << 32) /* of nsl_read_path: there was no room for all of it */

/* Writes a path behind the octets `from` of paths_reversed, leaf first, through the mounts up to the root of the mount tree;
 * returns where it ends, with NSL_PATH_CUT. A file that never had a name in a folder (memfd) has its own name alone,
 * "memfd:name". The process is that of the key with these numbers, path the address of a struct path: a function of numbers
 * alone is checked once by the verifier, not at each call. */
__noinline nsl_u64 nsl_read_path(nsl_u64 start_boottime, nsl_u64 tgid_and_exec_id, nsl_u64 path, nsl_u64 from)
{
	const struct nsl_process_key key = {
		.start_boottime = start_boottime,
		.tgid = (nsl_u32)tgid_and_exec_id,
		.exec_id = (nsl_u32)(tgid_and_exec_id >> 32),
	};
	struct nsl_process *process = bpf_map_lookup_elem(&nsl_processes, &key);
	const struct path *place = (const struct path *)path;
	struct vfsmount *vfsmount;
	struct dentry *dentry;
	struct mount *mount;
	nsl_u64 end = from;

	if (!process)
		return from;
	dentry = BPF_CORE_READ(place, dentry);
	vfsmount = BPF_CORE_READ(place, mnt);
	mount = (void *)vfsmount - bpf_core_field_offset(struct mount, mnt);
	NSL_UNROLL
	for (int i = 0; i < NSL_PATH_DEPTH; i++) {
		nsl_u64 name_length = BPF_CORE_READ(dentry, d_name.len), at;
		struct dentry *parent = BPF_CORE_READ(dentry, d_parent);

		if (dentry == BPF_CORE_READ(mount, mnt.mnt_root)) {
			struct mount *outer = BPF_CORE_READ(mount, mnt_parent);

			if (outer != mount) {
				dentry = BPF_CORE_READ(mount, mnt_mountpoint);
				mount = outer;
				goto next;
			}
			name_length = 0;
			parent = dentry;
		}
		NSL_FORGET_HERE(name_length);
		NSL_FORGET_HERE(parent);
		if (parent == dentry && end != from)
			return end;
		if (end >= NSL_PATHS_MAX - NSL_COMPONENT_MAX - 1)
			break;
		at = end;
		NSL_BOUND(name_length, NSL_COMPONENT_MAX);
		NSL_BOUND(at, NSL_PATHS_MAX - NSL_COMPONENT_MAX - 2);
		bpf_probe_read_kernel(&process->paths_reversed[at], (nsl_u32)name_length,
				      BPF_CORE_READ(dentry, d_name.name));
		end += name_length + 1;
		at += name_length;
		process->paths_reversed[at] = '/';
		if (parent == dentry)
			return end;
		dentry = parent;
	next:
		NSL_FORGET_HERE(end);
		NSL_FORGET_HERE(dentry);
		NSL_FORGET_HERE(mount);
	}
	return end | NSL_PATH_CUT;
}

/* The same for the process with this key. truncated: the flag to set when there is no room. */
NSL_INLINE nsl_u16 nsl_read_path_of(struct nsl_process *process, const struct nsl_process_key *key,
				    const struct path *path, nsl_u16 from, nsl_u32 truncated)
{
	const nsl_u64 end =
		nsl_read_path(key->start_boottime, key->tgid | (nsl_u64)key->exec_id << 32, (nsl_u64)path, from);

	if (end & NSL_PATH_CUT)
		process->flags |= truncated;
	return (nsl_u16)end;
}

NSL_INLINE void nsl_read_executable(struct nsl_process *process, const struct nsl_process_key *key,
				    struct mm_struct *mm)
{
	struct file *file = BPF_CORE_READ(mm, exe_file);

	if (!file)
		return;
	if (BPF_CORE_READ(file, f_path.dentry, d_inode, i_nlink) == 0)
		process->flags |= NSL_PROCESS_EXE_DELETED;
	process->executable_length = nsl_read_path_of(process, key, __builtin_preserve_access_index(&file->f_path), 0,
						      NSL_PROCESS_EXE_TRUNCATED);
}

/* The working directory; after the executable. */
NSL_INLINE void nsl_read_cwd(struct nsl_process *process, const struct nsl_process_key *key, struct task_struct *task)
{
	const nsl_u16 from = process->executable_length;
	struct fs_struct *fs = BPF_CORE_READ(task, fs);

	process->flags &= ~NSL_PROCESS_CWD_TRUNCATED;
	process->cwd_length = 0;
	if (fs)
		process->cwd_length = nsl_read_path_of(process, key, __builtin_preserve_access_index(&fs->pwd), from,
						       NSL_PROCESS_CWD_TRUNCATED) -
				      from;
}

/* Command line of a process whose memory is the current one. */
NSL_INLINE void nsl_read_argv(struct nsl_process *process, struct mm_struct *mm)
{
	const unsigned long start = BPF_CORE_READ(mm, arg_start);
	nsl_u64 length = BPF_CORE_READ(mm, arg_end) - start;

	if (length > NSL_ARGV_MAX) {
		length = NSL_ARGV_MAX;
		process->flags |= NSL_PROCESS_ARGV_TRUNCATED;
	}
	NSL_FORGET(length);
	if (length > NSL_ARGV_MAX)
		return;
	if (bpf_probe_read_user(process->argv, (nsl_u32)length, (const void *)start)) {
		process->flags |= NSL_PROCESS_ARGV_UNREADABLE;
		return;
	}
	process->argv_length = (nsl_u16)length;
}

NSL_INLINE void nsl_read_parent(struct nsl_process_key *key, struct task_struct *task)
{
	struct task_struct *parent = BPF_CORE_READ(task, group_leader, real_parent, group_leader);

	nsl_process_key_of(key, parent);
}

/* Marks the ancestors as recently used: a shell that waits for a long build is in no lookup of its own, and would be the
 * first to leave the table. Further up, fewer processes start others, each of which does the same for those above it. */
NSL_INLINE void nsl_keep_ancestors(const struct nsl_process *process)
{
	struct nsl_process_key key = process->parent;

	for (int i = 0; i < NSL_ANCESTORS_KEPT; i++) {
		process = bpf_map_lookup_elem(&nsl_processes, &key);
		if (!process)
			return;
		key = process->parent;
	}
}

NSL_INLINE void nsl_read_leaf(struct nsl_process *process, struct cgroup *cgroup)
{
	bpf_probe_read_kernel_str(process->cgroup_leaf, sizeof process->cgroup_leaf, BPF_CORE_READ(cgroup, kn, name));
}

/* On a host with cgroups of version 1 a container may be in the root of version 2, which has no name. */
NSL_INLINE void nsl_read_cgroup(struct nsl_process *process, struct css_set *cgroups)
{
	struct cgroup *cgroup = BPF_CORE_READ(cgroups, dfl_cgrp);

	process->cgroup_id = BPF_CORE_READ(cgroup, kn, id);
	nsl_read_leaf(process, cgroup);
	if (!process->cgroup_leaf[0]) {
		cgroup = nsl_controllers_cgroup(cgroups);
		if (cgroup)
			nsl_read_leaf(process, cgroup);
	}
}

/* What belongs to the process rather than to the program it runs: differs between a parent and its fork. */
NSL_INLINE void nsl_read_ids(struct nsl_process *process, struct task_struct *task)
{
	process->uid = BPF_CORE_READ(task, cred, uid.val);
	process->gid = BPF_CORE_READ(task, cred, gid.val);
	process->session = nsl_session_of(task);
	process->namespace_tgid = nsl_innermost_pid(task, 1);
	nsl_read_cgroup(process, BPF_CORE_READ(task, cgroups));
	BPF_CORE_READ_STR_INTO(&process->comm, task, group_leader, comm);
}

/* Makes the entry of a task's process, if there is none. flags: NSL_PROCESS_FROM_EXEC, NSL_PROCESS_SEEDED (which says that
 * the task is not the current one: its memory cannot be read) or 0. */
static __noinline struct nsl_process *nsl_make_process(struct nsl_process_key *key, struct task_struct *task,
						       nsl_u32 flags)
{
	struct nsl_process *process = bpf_map_lookup_elem(&nsl_processes, key);
	struct mm_struct *mm;

	if (process && !(flags & NSL_PROCESS_FROM_EXEC))
		return process;
	if (bpf_map_update_elem(&nsl_processes, key, &nsl_empty_process, BPF_ANY))
		goto full;
	process = bpf_map_lookup_elem(&nsl_processes, key);
	if (!process)
		goto full;
	nsl_count(NSL_COUNT_process_entries);
	process->flags = flags;
	nsl_read_parent(&process->parent, task);
	nsl_read_ids(process, task);
	mm = BPF_CORE_READ(task, mm);
	if (mm) {
		nsl_read_executable(process, key, mm);
		nsl_read_cwd(process, key, task);
		if (!(flags & NSL_PROCESS_SEEDED))
			nsl_read_argv(process, mm);
	}
	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		process->flags |= NSL_PROCESS_KERNEL_THREAD;
	return process;
full:
	nsl_count(NSL_COUNT_process_table);
	return NULL;
}
