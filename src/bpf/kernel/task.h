/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's task, credential and cgroup types, only the fields netprobe reads (see net.h). */
#ifndef NETPROBE_BPF_KERNEL_TASK_H
#define NETPROBE_BPF_KERNEL_TASK_H

#include <linux/types.h>

#include "net.h"

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	unsigned int val;
} kuid_t;

struct cred {
	kuid_t uid;
};

struct kernfs_node {
	const char *name;
	__u64 id; /* since 5.5; before, a union whose first member was it */
};

struct cgroup;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
	struct cgroup_subsys_state *parent;
};

struct cgroup_root {
	int hierarchy_id;
};

struct cgroup {
	struct cgroup_subsys_state self;
	int level;
	struct kernfs_node *kn;
	struct cgroup_root *root;
	struct cgroup *ancestors[0]; /* since 6.1 (7f203bc89eb6) */
};

struct cgroup___before_6_1 {
	__u64 ancestor_ids[0]; /* since 4.19 */
};

/* One for each hierarchy, in a list that does not change while a hierarchy is neither mounted nor gone. */
struct cgrp_cset_link {
	struct cgroup *cgrp;
	struct list_head cgrp_link; /* of css_set.cgrp_links */
};

struct css_set {
	struct cgroup *dfl_cgrp; /* place in the v2 tree */
	struct list_head cgrp_links;
};

struct upid {
	int nr;
};

struct pid {
	unsigned int level; /* of its innermost namespace; 0 the initial one */
	struct upid numbers[1];
};

struct task_struct {
	int pid;	      /* thread */
	int tgid;	      /* process */
	__u64 start_boottime; /* since 5.5, before it real_start_time */
	__u64 self_exec_id;   /* u32 before 5.7 */
	unsigned int flags;
	void *stack; /* of its kernel mode */
	char comm[16];
	struct task_struct *group_leader;
	struct task_struct *real_parent;
	const struct cred *cred;
	struct css_set *cgroups;
	struct pid *thread_pid; /* since 4.19 */
};

/* Registers of a task's user mode, as the kernel names them: the UAPI's struct pt_regs has other names. */
struct pt_regs___x86 {
	unsigned long orig_ax; /* number of the system call */
	unsigned long si;      /* its second argument */
	unsigned long r8, r9;  /* the fifth and sixth */
};

struct pt_regs___aarch64 {
	__u64 regs[31];
	int syscallno;
};

struct linux_binprm {
	const char *filename;
};

struct file;

#pragma clang attribute pop

#endif
