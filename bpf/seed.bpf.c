// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Puts the processes that already run into the process table; run once, after the table's hooks are attached. An object of
 * its own: where it cannot be loaded, the table has an older process from its first fork, exec or candidate on.
 *
 * The memory of other tasks cannot be read here: user space adds the command lines. It gets the keys of the new entries,
 * one struct nsl_process_key after the other.
 */
#include "process.bpf.h"

struct seq_file;

struct bpf_iter_meta {
	struct seq_file *seq;
} nsl_core;

struct bpf_iter__task {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
} nsl_core;

SEC("iter/task")
int nsl_seed(struct bpf_iter__task *context)
{
	struct seq_file *seq = context->meta->seq;
	struct task_struct *task = context->task;
	struct nsl_process_key key = {};
	struct nsl_process *process;
	struct mm_struct *mm;

	if (!task || BPF_CORE_READ(task, group_leader) != task)
		return 0;
	nsl_process_key_of(&key, task);
	if (bpf_map_lookup_elem(&nsl_processes, &key))
		return 0;
	mm = BPF_CORE_READ(task, mm);
	process = nsl_make_process(&key, task, NSL_PROCESS_SEEDED);
	if (!process)
		return 0;
	if (BPF_CORE_READ(task, mm) != mm || !mm) /* the process has ended meanwhile: its memory may be another's now */
		process->executable_length = process->cwd_length = 0;
	bpf_seq_write(seq, &key, sizeof key);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
