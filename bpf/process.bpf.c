// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The process table's hooks. Raw BTF tracepoints: perf_event_paranoid does not concern them. Nothing is sent to user
 * space here. There is no hook on exit: an entry outlives its process, and its key is never used again.
 */
#include "environment.bpf.h"
#include "process.bpf.h"
#include "script.bpf.h"

#include <bpf/bpf_tracing.h>

SEC("tp_btf/sched_process_exec")
int BPF_PROG(nsl_exec, struct task_struct *task, pid_t old_pid, struct linux_binprm *bprm)
{
	struct nsl_process_key key = {}, parent = {};
	struct nsl_process *process;

	nsl_process_key_of(&key, task);
	key.exec_id--;
	process = bpf_map_lookup_elem(&nsl_processes, &key); /* the program before */
	if (process)
		parent = process->parent;
	key.exec_id++;
	process = nsl_make_process(&key, task, NSL_PROCESS_FROM_EXEC);
	if (!process)
		return 0;
	if (parent.tgid)
		process->parent = parent;
	nsl_find_script(process, bprm);
	process->environment = nsl_read_environment(BPF_CORE_READ(task, mm));
	return 0;
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(nsl_fork, struct task_struct *parent, struct task_struct *child)
{
	struct nsl_process_key parent_key = {}, child_key = {};
	struct nsl_process *process;

	if (BPF_CORE_READ(child, tgid) == BPF_CORE_READ(parent, tgid))
		return 0; /* a thread */
	if (BPF_CORE_READ(child, flags) & PF_KTHREAD)
		return 0;
	nsl_process_key_of(&parent_key, parent);
	nsl_process_key_of(&child_key, child);
	process = nsl_make_process(&parent_key, parent, 0);
	if (!process)
		return 0;
	nsl_keep_ancestors(process);
	if (process->environment)
		bpf_map_lookup_elem(&nsl_environments, &process->environment); /* marked as used */
	if (bpf_map_update_elem(&nsl_processes, &child_key, process, BPF_ANY) ||
	    !(process = bpf_map_lookup_elem(&nsl_processes, &child_key))) {
		nsl_count(NSL_COUNT_process_table);
		return 0;
	}
	nsl_count(NSL_COUNT_process_entries);
	process->flags &= ~NSL_PROCESS_FROM_EXEC;
	process->parent = parent_key;
	nsl_read_ids(process, child);
	nsl_read_cwd(process, &child_key, child);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
