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

	/* wraps, as exec_gen does: only differences mean something */
	return np_filter.exec_gen + CUT(__u32, BPF_CORE_READ(task, self_exec_id));
}

/*
 * Something about that process is not what it was: its program, name, cgroup or user id; or its number went
 * to another one. Each socket asks anew who calls. It has to have used a socket since the last
 * time: most that exec, are named or move were forked a moment before and never did.
 */
static __always_inline void owner_changed(__u32 tgid)
{
	const struct np_user *user = &st_users[USER_SLOT(tgid)];

	if (user->exec == np_filter.exec_gen &&
	    (user->tgid == tgid || user->tgid == NP_USER_SEVERAL))
		__sync_fetch_and_add(&np_filter.exec_gen, 1);
}

/* That process uses a socket, and under exec its calls need no thought. */
static __always_inline void owner_uses(__u32 tgid, __u32 exec)
{
	struct np_user *user = &st_users[USER_SLOT(tgid)];

	if (user->exec != exec)
		user->tgid = tgid;
	else if (user->tgid != tgid)
		user->tgid = NP_USER_SEVERAL;
	user->exec = exec;
}

/* By itself: the compiler would move the relocation in front of the question whether it can be served. */
static __noinline __u64 ancestor_id_before_6_1(struct cgroup *cgrp, __u32 level)
{
	struct cgroup___before_6_1 *before = (struct cgroup___before_6_1 *)cgrp;
	__u64 id = 0;

	if (bpf_core_field_exists(before->ancestor_ids))
		(void)bpf_probe_read_kernel(&id, sizeof(id), &before->ancestor_ids[level]);
	return id;
}

/* Id of the task's ancestor cgroup at that depth, which it has. */
static __always_inline __u64 cgroup_ancestor_id(struct cgroup *cgrp, __u32 level)
{
	struct cgroup *up = NULL;

	if (!bpf_core_field_exists(cgrp->ancestors))
		return ancestor_id_before_6_1(cgrp, level);
	barrier_var(cgrp); /* where it is comes after the question whether it is */
	(void)bpf_probe_read_kernel(&up, sizeof(up), &cgrp->ancestors[level]);
	return BPF_CORE_READ(up, kn, id); /* 0 where there is none */
}

/* 1: this cgroup (its address) is one of the wanted or below one. A global function: see filter.h. */
__weak __noinline int cgroup_wanted(__u64 addr)
{
	struct cgroup *cgrp = (struct cgroup *)addr;
	__s64 depth;

	if (!np_filter.n_cgroup)
		return 1;
	depth = BPF_CORE_READ(cgrp, level);
	for (int i = 0; i < NP_FILTER_SLOTS; i++) {
		const struct np_filter_cgroup *want = &np_filter.cgroup[i];
		__s64 below = (__s64)want->level - depth, deeper = below >> 63;
		__u64 differ;

		if (i >= np_filter.n_cgroup)
			break;
		/* what is deeper than it is compared with itself, and differs by that; without a branch, as above */
		barrier_var(deeper);
		differ = cgroup_ancestor_id(cgrp, (__u32)(depth + (below & deeper))) ^ want->id;
		differ |= (__u64)(below & ~deeper);
		barrier_var(differ);
		if (!differ)
			return 1;
	}
	return 0;
}

/* Number of a process in its own pid namespace, which may be the initial one; 0 unknown. A global function: see filter.h. */
__weak __noinline int pid_inside(__u64 leader)
{
	struct task_struct *task = (struct task_struct *)leader;
	struct pid *pid = BPF_CORE_READ(task, thread_pid);
	__u32 level = BPF_CORE_READ(pid, level);
	int nr = 0;

	if (!level)
		return (int)BPF_CORE_READ(task, tgid);
	(void)bpf_probe_read_kernel(&nr, sizeof(nr),
				    (char *)pid + bpf_core_field_offset(struct pid, numbers) +
					    level * bpf_core_type_size(struct upid));
	return nr;
}

static __always_inline void owner_of_task(struct np_owner *o, struct task_struct *task)
{
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct cgroup *cgrp = BPF_CORE_READ(task, cgroups, dfl_cgrp);

	/* Before all else: what is read after a change may carry the number of before, not the other way round. */
	o->look = np_filter.exec_gen;
	barrier();
	o->tgid = BPF_CORE_READ(task, tgid);
	o->tid = BPF_CORE_READ(task, pid);
	o->start_ns = BPF_CORE_READ(leader, start_boottime);
	o->cgroup_id = BPF_CORE_READ(cgrp, kn, id);
	o->uid = BPF_CORE_READ(task, cred, uid.val);
	o->ppid = BPF_CORE_READ(leader, real_parent, tgid);
	o->exec_id = CUT(__u32, BPF_CORE_READ(task, self_exec_id)); /* only compared */
	o->ns_tgid = (__u32)pid_inside((__u64)leader);
	o->v1 = 0; /* see cgroup1.h */
	o->match = NP_MATCH_EXACT;
	o->cgroup_gen = (__u16)np_filter.gen;
	barrier();
	o->cgroup_pass = CUT(__u8, cgroup_wanted((__u64)cgrp)); /* 0 or 1 */
	/* The group leader's name is the process's; threads carry names of their own. */
	__builtin_memset(o->comm, 0, sizeof(o->comm));
	(void)bpf_probe_read_kernel_str(o->comm, sizeof(o->comm), &leader->comm);
}

/*
 * The same process is not what it was when one of its sockets was looked at last: no hook told, so it is the
 * others' turn now. Setting a user id has none that is cheap but a function's. The leader stands for the
 * process: threads may have cgroups and users of their own.
 */
static __always_inline void owner_settle(struct np_owner *o)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);
	struct np_user *user = &st_users[USER_SLOT(o->tgid)];
	const __u64 *name = (const __u64 *)o->comm;
	__u64 print = BPF_CORE_READ(leader, cgroups, dfl_cgrp, kn, id) * 0xff51afd7ed558ccdULL;

	print = (print ^ name[0]) * 0x9e3779b97f4a7c15ULL;
	print = (print ^ name[1]) * 0xc4ceb9fe1a85ec53ULL + BPF_CORE_READ(leader, cred, uid.val);
	if (user->start_ns == o->start_ns && user->print != print) {
		owner_changed(o->tgid);
		o->look = np_filter.exec_gen;
	}
	user->start_ns = o->start_ns;
	user->print = print;
}

static __always_inline void owner_of_current(struct np_owner *o)
{
	owner_of_task(o, (void *)bpf_get_current_task());
}

#endif
