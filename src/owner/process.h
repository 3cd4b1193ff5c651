/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processes by (tgid, start time): names and parents that stay right after the process is gone and
 * after its pid was given to another.
 */
#ifndef NETPROBE_OWNER_PROCESS_H
#define NETPROBE_OWNER_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "owner/cgroup.h"
#include "wire/record.h"

struct process {
	uint32_t tgid;	  /* 0: the one "unknown" process */
	uint32_t ppid;	  /* 0 unknown */
	uint32_t ns_tgid; /* in its own pid namespace; 0 unknown */
	uint32_t uid;
	uint32_t exec_id;
	uint64_t start_ns; /* CLOCK_BOOTTIME of the group leader */
	char comm[16];
	char *exe;		       /* path of its program; NULL unknown */
	const struct cgroup *cgroup;   /* NULL unknown; a reference */
	uint64_t cgroup_id, cgroup_v1; /* what it was asked for by; 0 never */
	bool named;		       /* comm was read from /proc since the last exec */
	bool exited;
	uint64_t exited_ns; /* now_ns at which its end was noticed */
	uint64_t asked_ns;  /* now_ns at which the kernel half was last asked for exe, in vain */
	uint32_t look;	    /* np_owner.look of what is above */
	uint32_t refs;	    /* flows and groups that point here */
	uint32_t counted;   /* of the view: the last query that counted it */
};

struct process_table;

struct process_table *process_table_new(const char *proc_root, struct cgroup_table *cgroups);
struct process_table *process_table_free(struct process_table *t);
/* /proc calls processes by their numbers in its pid namespace: where an owner's are known, those are looked up. */
void process_table_inside(struct process_table *t);
/* Who knows where owners are in v1 hierarchies: see cgroup_table_of. */
void process_table_v1_by(struct process_table *t, cgroup_v1_fn fn, void *arg);
/*
 * The process of an owner, made or brought up to date (comm, exec_id, cgroup) from it; refs raised.
 * owner->tgid 0 gives the "unknown" process. exe is read from PROC_ROOT/<tgid>/exe at first sight
 * and after an exec, only if the process there has the same start time. NULL: no memory.
 */
struct process *process_table_get(struct process_table *t, const struct np_owner *owner,
				  uint64_t now_ns);
/* The same for one that is known, which is left as it is; NULL: it is not. */
struct process *process_table_find(struct process_table *t, const struct np_owner *owner);
void process_unref(struct process_table *t, struct process *p);
/* Is owner this process? */
bool process_is(const struct process *p, const struct np_owner *owner);
/* ... and is there nothing in it that process_table_get would learn. */
bool process_is_current(const struct process *p, const struct np_owner *owner);
/* Program path learnt from the kernel half's exec hook, for processes already gone from /proc. */
void process_set_exe(struct process *p, const char *exe);
/*
 * Free those nobody refers to any more, and look which of the others are gone (one /proc/<tgid>/stat each,
 * start time compared): max of them, in turn from call to call. Call once an interval. A process is
 * called gone only once /proc was seen to know any of them. How many were looked at.
 */
uint32_t process_table_scan(struct process_table *t, uint64_t now_ns, uint32_t max);
/* Those known, without the unknown one. */
uint32_t process_table_count(const struct process_table *t);

#endif
