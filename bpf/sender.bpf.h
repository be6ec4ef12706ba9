/* Who sends, from the task on whose behalf the kernel runs; and when user space is woken to read about it. */
#pragma once

#include "compat.bpf.h"
#include "maps.bpf.h"
#include "process.bpf.h"

/* A sender, from the task that really is it. */
NSL_INLINE void nsl_describe_sender(struct nsl_sender *sender, struct task_struct *task)
{
	nsl_process_key_of(&sender->process, task);
	nsl_read_parent(&sender->parent, task);
	sender->tid = (nsl_u32)BPF_CORE_READ(task, pid);
	sender->uid = BPF_CORE_READ(task, cred, uid.val);
	sender->gid = BPF_CORE_READ(task, cred, gid.val);
	sender->cgroup_id = BPF_CORE_READ(task, cgroups, dfl_cgrp, kn, id);
	sender->network_namespace = BPF_CORE_READ(task, nsproxy, net_ns, ns.inum);
	BPF_CORE_READ_STR_INTO(&sender->comm, task, group_leader, comm);
	BPF_CORE_READ_STR_INTO(&sender->thread_comm, task, comm);
}

/* The task on whose behalf the current one runs. A kernel thread that borrowed a process's memory works for that process:
 * io_uring's workers up to 5.11 (later ones are threads of the process itself). */
NSL_INLINE struct task_struct *nsl_current_sender(void)
{
	struct task_struct *task = (struct task_struct *)bpf_get_current_task();
	struct mm_struct *mm;

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD) {
		mm = BPF_CORE_READ(task, mm);
		if (mm && bpf_core_field_exists(mm->owner))
			return BPF_CORE_READ(mm, owner);
	}
	return task;
}

NSL_INLINE nsl_u64 nsl_wakeup(void)
{
	if (!nsl_settings.wakeup_octets)
		return 0;
	return bpf_ringbuf_query(&nsl_candidates, BPF_RB_AVAIL_DATA) >= nsl_settings.wakeup_octets ? BPF_RB_FORCE_WAKEUP
												   : BPF_RB_NO_WAKEUP;
}
