// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Programs that processes run, followed over exec, fork and exit, so that a process that is gone
 * before user space could look into /proc still has its path. Off the data path.
 */
#include "lib/emit.h"
#include "lib/owner.h"
#include "lib/scratch.h"
#include "lib/sock.h"
#include "wire/process.h"

/* By tgid. Written here, read by user space when a process appears. LRU: the oldest go first. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 16384);
	__type(key, __u32);
	__type(value, struct np_exec);
} np_execs SEC(".maps");

struct exec_place {
	struct scratch_head head;
	struct np_exec exec;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct exec_place);
} np_exec_scratch SEC(".maps");

static __always_inline int on_exec(struct task_struct *task, struct linux_binprm *bprm)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct exec_place *place;
	struct np_exec *e;

	prog_hit(NP_PROG_EXEC);
	owner_changed(tgid);
	place = scratch_take(&np_exec_scratch);
	if (!place) {
		count_one(NP_PROG_EXEC, map_full);
		return 0;
	}
	e = &place->exec;
	e->start_ns = BPF_CORE_READ(task, group_leader, start_boottime);
	e->exit_ns = 0;
	__builtin_memset(e->path, 0, sizeof(e->path));
	(void)bpf_probe_read_kernel_str(e->path, sizeof(e->path), BPF_CORE_READ(bprm, filename));
	(void)bpf_map_update_elem(&np_execs, &tgid, e, BPF_ANY);
	scratch_give(place);
	return 0;
}

static __always_inline int on_fork(struct task_struct *parent, struct task_struct *child)
{
	__u32 ptgid = BPF_CORE_READ(parent, tgid), tgid = BPF_CORE_READ(child, tgid);
	struct exec_place *place;
	struct np_exec *from;

	prog_hit(NP_PROG_FORK);
	if (ptgid == tgid)
		return 0;    /* a thread */
	owner_changed(tgid); /* the number of one that is gone */
	from = bpf_map_lookup_elem(&np_execs, &ptgid);
	place = from ? scratch_take(&np_exec_scratch) : NULL;
	if (!place) {
		if (from)
			count_one(NP_PROG_FORK, map_full);
		return 0;
	}
	place->exec = *from;
	place->exec.start_ns = BPF_CORE_READ(child, start_boottime);
	place->exec.exit_ns = 0;
	(void)bpf_map_update_elem(&np_execs, &tgid, &place->exec, BPF_ANY);
	scratch_give(place);
	return 0;
}

static __always_inline int on_exit(struct task_struct *task)
{
	__u32 tgid = BPF_CORE_READ(task, tgid);
	struct np_exec *e;

	prog_hit(NP_PROG_EXIT);
	if (BPF_CORE_READ(task, pid) != (int)tgid)
		return 0;
	e = bpf_map_lookup_elem(&np_execs, &tgid);
	if (e)
		e->exit_ns = bpf_ktime_get_ns();
	return 0;
}

/* Context: process. Since 3.4 (tracepoint), 5.5 (BTF). */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(np_exec_tp, struct task_struct *task, int old_pid, struct linux_binprm *bprm)
{
	return on_exec(task, bprm);
}

SEC("fentry/setup_new_exec")
int BPF_PROG(np_exec_fe, struct linux_binprm *bprm)
{
	return on_exec((void *)bpf_get_current_task(), bprm);
}

SEC("kprobe/setup_new_exec")
int BPF_KPROBE(np_exec_kp, struct linux_binprm *bprm)
{
	return on_exec((void *)bpf_get_current_task(), bprm);
}

SEC("tp_btf/sched_process_fork")
int BPF_PROG(np_fork_tp, struct task_struct *parent, struct task_struct *child)
{
	return on_fork(parent, child);
}

SEC("fentry/wake_up_new_task")
int BPF_PROG(np_fork_fe, struct task_struct *child)
{
	return on_fork((void *)bpf_get_current_task(), child);
}

SEC("kprobe/wake_up_new_task")
int BPF_KPROBE(np_fork_kp, struct task_struct *child)
{
	return on_fork((void *)bpf_get_current_task(), child);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(np_exit_tp, struct task_struct *task)
{
	return on_exit(task);
}

SEC("fentry/do_exit")
int BPF_PROG(np_exit_fe)
{
	return on_exit((void *)bpf_get_current_task());
}

SEC("kprobe/do_exit")
int BPF_KPROBE(np_exit_kp)
{
	return on_exit((void *)bpf_get_current_task());
}

/* A thread is named. The process has its leader's name; the tracepoint comes just before. Since 3.4. */
static __always_inline int on_rename(struct task_struct *task)
{
	prog_hit(NP_PROG_RENAME);
	if (BPF_CORE_READ(task, pid) == BPF_CORE_READ(task, tgid))
		owner_changed(BPF_CORE_READ(task, tgid));
	return 0;
}

SEC("tp_btf/task_rename")
int BPF_PROG(np_rename_tp, struct task_struct *task)
{
	return on_rename(task);
}

SEC("fexit/__set_task_comm")
int BPF_PROG(np_rename_fx, struct task_struct *task)
{
	return on_rename(task);
}

SEC("kretprobe/__set_task_comm")
int BPF_KRETPROBE(np_rename_kr)
{
	return on_rename((void *)bpf_get_current_task());
}

/* A process was moved into another cgroup. Context: who moves it. Since 4.14. */
static __always_inline int on_move(struct task_struct *task)
{
	prog_hit(NP_PROG_MOVE);
	owner_changed(BPF_CORE_READ(task, tgid));
	return 0;
}

SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(np_move_tp, struct cgroup *to, const char *path, struct task_struct *task)
{
	return on_move(task);
}

SEC("fexit/cgroup_attach_task")
int BPF_PROG(np_move_fx, struct cgroup *to, struct task_struct *task)
{
	return on_move(task);
}

/* Whom it moved is not at hand any more: rare enough to have all sockets ask. */
SEC("kretprobe/cgroup_attach_task")
int BPF_KRETPROBE(np_move_kr)
{
	prog_hit(NP_PROG_MOVE);
	__sync_fetch_and_add(&np_filter.exec_gen, 1);
	return 0;
}

struct born_place {
	struct scratch_head head;
	struct np_ev_born ev;
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct born_place);
} np_born_scratch SEC(".maps");

const volatile __u32 cfg_born_host = 0, cfg_born_users = 0,
		     cfg_born_user = 0; /* as in struct np_born */
volatile struct np_born st_born = {};
volatile __u32 st_born_woken = 0;

/*
 * May so many bytes more be told of? A user may make cgroups without end. What several processors make at once may be a
 * few records more. What a manager makes for a user is the manager's.
 */
static __always_inline bool born_admit(__u32 size)
{
	__u32 uid = CUT(__u32, bpf_get_current_uid_gid()); /* the other half is the group */
	__u32 slot = uid & (NP_BORN_SLOTS - 1);

	if (!uid) {
		if (st_born.host + size > cfg_born_host)
			return false;
		__sync_fetch_and_add(&st_born.host, size);
		return true;
	}
	if (st_born.users + size > cfg_born_users || st_born.user[slot] + size > cfg_born_user)
		return false;
	__sync_fetch_and_add(&st_born.users, size);
	__sync_fetch_and_add(&st_born.user[slot], size);
	return true;
}

/* The first one since the reader found the ring empty wakes it, the others find it awake. */
static __always_inline long born_tell(void *ctx, struct np_ev_born *ev, __u32 size)
{
	__u64 flags = BPF_RB_NO_WAKEUP;

	if (cfg_use_perf)
		return bpf_perf_event_output(ctx, &np_events_perf, BPF_F_CURRENT_CPU, ev, size);
	if (!st_born_woken) {
		st_born_woken = 1;
		flags = BPF_RB_FORCE_WAKEUP;
	}
	return bpf_ringbuf_output(&np_events, ev, size, flags);
}

/*
 * A cgroup was made: who starts in it may be gone, with it and with the files that name it, within milliseconds. So
 * readers are woken. Context: who makes it, in a lock of the kernel's without interrupts. The path is only made where
 * somebody looks at this tracepoint.
 */
static __always_inline int on_born(void *ctx, struct cgroup *cgrp, const char *path)
{
	struct born_place *place;
	struct np_ev_born *ev;
	__u32 size;
	long n;

	prog_hit(NP_PROG_BORN);
	place = scratch_take(&np_born_scratch);
	if (!place) {
		count_one(NP_PROG_BORN, map_full);
		return 0;
	}
	ev = &place->ev;
	ev->hdr.type = NP_EV_BORN;
	ev->hdr.cpu = bpf_get_smp_processor_id();
	ev->hdr.ts_ns = bpf_ktime_get_ns();
	ev->id = BPF_CORE_READ(cgrp, kn, id);
	ev->hierarchy = (__u32)BPF_CORE_READ(cgrp, root, hierarchy_id);
	ev->pad = 0;
	n = bpf_probe_read_kernel_str(ev->path, sizeof(ev->path), path);
	if (n <= 1 || n == sizeof(ev->path)) {
		count_one(NP_PROG_BORN, helper_err);
	} else {
		size = offsetof(struct np_ev_born, path) + CUT(__u32, n); /* of a path */
		ev->hdr.len = CUT(__u16, size);				  /* of a record */
		if (!born_admit(size) || born_tell(ctx, ev, size))
			count_one(NP_PROG_BORN, ring_full);
		else
			count_one(NP_PROG_BORN, submitted);
	}
	scratch_give(place);
	return 0;
}

/* Since 5.1 with these arguments. */
SEC("tp_btf/cgroup_mkdir")
int BPF_PROG(np_born_tp, struct cgroup *cgrp, const char *path)
{
	return on_born(ctx, cgrp, path);
}

/* The same where the kernel has no BTF of its own. */
SEC("raw_tp/cgroup_mkdir")
int BPF_PROG(np_born_rt, struct cgroup *cgrp, const char *path)
{
	return on_born(ctx, cgrp, path);
}

/* The current task has other credentials. Since 2.6.29. */
static __always_inline int on_cred(void)
{
	prog_hit(NP_PROG_CRED);
	owner_changed(bpf_get_current_pid_tgid() >> 32);
	return 0;
}

SEC("fexit/commit_creds")
int BPF_PROG(np_cred_fx)
{
	return on_cred();
}

SEC("kretprobe/commit_creds")
int BPF_KRETPROBE(np_cred_kr)
{
	return on_cred();
}
