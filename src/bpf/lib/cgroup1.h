/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where a task is in the cgroup hierarchies of version 1. On hybrid hosts the runtime makes a container's cgroups there,
 * and its place in the v2 tree tells nothing. Paths are kept by a number that stands for all of them: what reads it later
 * may find the cgroups gone.
 */
#ifndef NETPROBE_BPF_LIB_CGROUP1_H
#define NETPROBE_BPF_LIB_CGROUP1_H

#include "owner.h"
#include "scratch.h"
#include "wire/process.h"

#define V1_HIERARCHIES 17 /* 13 controllers, systemd's, two that somebody named, and the v2 tree */

struct np_v1s_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 4096);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct np_v1);
};
extern struct np_v1s_map np_v1s SEC(".maps");

struct np_v1_place {
	struct scratch_head head; /* slot: paths so far */
	struct np_v1 v1;
};

struct np_v1_scratch_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, SCRATCH_DEPTH);
	__type(key, __u32);
	__type(value, struct np_v1_place);
};
extern struct np_v1_scratch_map np_v1_scratch SEC(".maps");

/* The cgroup of the link at *at, which moves on to the next. NULL: a root, or the place in the v2 tree. */
static __always_inline struct cgroup *v1_next(struct list_head **at, struct cgroup *dfl)
{
	struct cgrp_cset_link *link =
		(void *)((char *)*at - bpf_core_field_offset(struct cgrp_cset_link, cgrp_link));
	struct cgroup *cgrp = BPF_CORE_READ(link, cgrp);

	*at = BPF_CORE_READ(link, cgrp_link.next);
	return cgrp == dfl || !BPF_CORE_READ(cgrp, level) ? NULL : cgrp;
}

static __always_inline struct list_head *v1_head(struct css_set *set)
{
	return (void *)((char *)set + bpf_core_field_offset(struct css_set, cgrp_links));
}

static __always_inline bool v1_same(const char *a, const char *b)
{
	const __u64 *x = (const __u64 *)a, *y = (const __u64 *)b;

	/* what tells ids apart is in their first digits, behind the longest prefix */
	return x[0] == y[0] && x[1] == y[1] && x[2] == y[2] && x[3] == y[3];
}

/*
 * The path of a cgroup into a place, from its end, unless it ends as the one before does. A global function, as what calls
 * it: verified once for each program, not for each way there. So it gets numbers.
 */
__weak __noinline int v1_path(__u32 slot, __u64 cgroup)
{
	struct np_v1_place *place = bpf_map_lookup_elem(&np_v1_scratch, &slot);
	struct cgroup *cgrp = (struct cgroup *)cgroup;
	__u32 n, before;

	if (!place)
		return 0;
	n = place->head.slot;
	if (n >= NP_V1_PATHS)
		return 0;
	__builtin_memset(place->v1.name[n][0], 0, 32);
	for (int d = 0; d < NP_V1_DEPTH; d++) {
		place->v1.name[n][d][0] = '\0';
		if (!cgrp || !BPF_CORE_READ(cgrp, level))
			break;
		(void)bpf_probe_read_kernel_str(place->v1.name[n][d], NP_V1_NAME,
						BPF_CORE_READ(cgrp, kn, name));
		cgrp = BPF_CORE_READ(cgrp, self.parent, cgroup);
	}
	/* To 6.1 the verifier does not learn from "not 0" that it is 1 at least; from this it does. */
	before = n - 1;
	barrier_var(before);
	if (before >= NP_V1_PATHS || !v1_same(place->v1.name[n][0], place->v1.name[before][0]))
		place->head.slot = n + 1;
	return 0;
}

static __always_inline __u32 v1_take(void)
{
	for (__u32 slot = 0; slot < SCRATCH_DEPTH; slot++) {
		__u32 key = slot;
		struct np_v1_place *place = bpf_map_lookup_elem(&np_v1_scratch, &key);

		if (place && !__sync_val_compare_and_swap(&place->head.busy, 0, 1))
			return slot;
	}
	return SCRATCH_DEPTH;
}

/* Keeps the paths under key. */
__weak __noinline int v1_keep(__u64 css_set, __u64 dfl, __u64 key)
{
	struct css_set *set = (struct css_set *)css_set;
	struct list_head *head = v1_head(set), *at = BPF_CORE_READ(set, cgrp_links.next);
	__u32 slot = v1_take();
	struct np_v1_place *place = bpf_map_lookup_elem(&np_v1_scratch, &slot);

	if (!place)
		return 0;
	place->head.slot = 0;
	for (int i = 0; i < V1_HIERARCHIES; i++) {
		struct cgroup *cgrp;

		if (!at || at == head)
			break;
		cgrp = v1_next(&at, (struct cgroup *)dfl);
		if (cgrp)
			(void)v1_path(slot, (__u64)cgrp);
	}
	if (place->head.slot < NP_V1_PATHS)
		place->v1.name[place->head.slot & (NP_V1_PATHS - 1)][0][0] = '\0';
	if (bpf_map_update_elem(&np_v1s, &key, &place->v1, BPF_ANY))
		st_v1_full = 1;
	scratch_give(place);
	return 0;
}

/* One number for all its cgroups there; 0: roots only. */
__weak __noinline __u64 v1_key(__u64 css_set, __u64 dfl)
{
	struct css_set *set = (struct css_set *)css_set;
	struct list_head *head = v1_head(set), *at = BPF_CORE_READ(set, cgrp_links.next);
	__u64 key = 0;

	for (int i = 0; i < V1_HIERARCHIES; i++) {
		struct cgroup *cgrp;

		if (!at || at == head)
			break;
		cgrp = v1_next(&at, (struct cgroup *)dfl);
		if (cgrp)
			key = (key ^ (BPF_CORE_READ(cgrp, kn, id) << 8) ^
			       (__u32)BPF_CORE_READ(cgrp, root, hierarchy_id)) *
				      0x9e3779b97f4a7c15ULL +
			      1;
	}
	return key;
}

/* The number of the places of a task's css_set, which are kept under it. */
__weak __noinline __u64 v1_of(__u64 css_set, __u64 dfl)
{
	__u64 key = v1_key(css_set, dfl);

	if (key && !bpf_map_lookup_elem(&np_v1s, &key))
		(void)v1_keep(css_set, dfl, key);
	return key;
}

/* What owner_of_task leaves out. task may be typed: what is read of it is a number. */
static __always_inline void owner_v1(struct np_owner *o, struct task_struct *task)
{
	if (cfg_cgroup_v1)
		o->v1 = v1_of((__u64)BPF_CORE_READ(task, cgroups),
			      (__u64)BPF_CORE_READ(task, cgroups, dfl_cgrp));
}

#endif
