/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who runs: fills struct np_owner from a task. Only called when a socket changes hands, never on
 * the path that every call takes.
 */
#ifndef NETPROBE_BPF_LIB_OWNER_H
#define NETPROBE_BPF_LIB_OWNER_H

#include "np.h"

/*
 * A number that is another one once the current process runs another program. To ask the task costs a
 * sixth of what a call costs; instead the exec hook raises a number for all when a process runs that
 * used a socket under the present one: most that exec were forked a moment before and never did.
 */
static __always_inline __u32 exec_now(void)
{
	struct task_struct *task;

	if (cfg_exec_seen)
		return np_filter.exec_gen;
	task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, self_exec_id);
}

/* Id of the task's ancestor cgroup at that depth; 0 when the task is not that deep. */
static __always_inline __u64 cgroup_ancestor_id(struct cgroup *cgrp, __u32 level)
{
	struct cgroup **ancestors = (struct cgroup **)&cgrp->ancestors; /* since 6.1 */
	struct cgroup *up = NULL;

	if ((int)level > BPF_CORE_READ(cgrp, level))
		return 0;
	(void)bpf_probe_read_kernel(&up, sizeof(up), ancestors + level);
	return up ? BPF_CORE_READ(up, kn, id) : 0;
}

/* 1: this cgroup (its address) is one of the wanted or below one. A global function: see filter.h. */
__weak __noinline int cgroup_wanted(__u64 addr)
{
	struct cgroup *cgrp = (struct cgroup *)addr;

	if (!np_filter.n_cgroup)
		return 1;
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		if (i >= np_filter.n_cgroup)
			break;
		if (cgroup_ancestor_id(cgrp, np_filter.cgroup[i].level) == np_filter.cgroup[i].id)
			return 1;
	}
	return 0;
}

static __always_inline void owner_of_task(struct np_owner *o, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct cgroup *cgrp = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	o->tgid = BPF_CORE_READ(task, tgid);
	o->tid = BPF_CORE_READ(task, pid);
	o->start_ns = BPF_CORE_READ(leader, start_boottime);
	o->cgroup_id = BPF_CORE_READ(cgrp, kn, id);
	o->uid = BPF_CORE_READ(task, cred, uid.val);
	o->ppid = BPF_CORE_READ(leader, real_parent, tgid);
	o->exec_id = BPF_CORE_READ(task, self_exec_id);
	o->match = NP_MATCH_EXACT;
	o->cgroup_gen = (__u16)np_filter.gen;
	barrier();
	o->cgroup_pass = cgroup_wanted((__u64)cgrp);
	/* The group leader's name is the process's; threads carry names of their own. */
	__builtin_memset(o->comm, 0, sizeof(o->comm));
	(void)bpf_probe_read_kernel_str(o->comm, sizeof(o->comm), &leader->comm);
}

static __always_inline void owner_of_current(struct np_owner *o)
{
	owner_of_task(o, (void *)bpf_get_current_task());
}

#endif
