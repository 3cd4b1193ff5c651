/* SPDX-License-Identifier: BSD-2-Clause */
/* Facts about the running kernel and this process's rights, gathered once: the ladder's reasons. */
#ifndef NETPROBE_PROBE_KERNEL_H
#define NETPROBE_PROBE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct btf;
struct cgroup2;

struct kernel_facts {
	bool no_bpf; /* this build has none; nothing else was asked */
	char release[65];
	char arch[65];
	uint32_t version; /* major << 16 | minor << 8, from release */
	/* the kernel's own, else the one of btf_path; NULL where there is none, or while nobody holds it */
	struct btf *btf;
	unsigned int btf_holders;
	char btf_path[256]; /* BTF to relocate by instead of the kernel's own; empty: that */
	bool btf_own;	    /* the kernel carries BTF itself: what is attached by it can be */
	bool btf_funcs;	    /* btf names functions; one made for relocations alone does not */
	int btf_err;	    /* positive errno of the attempt to load it */
	bool cap_bpf, cap_perfmon, cap_net_admin, cap_sys_admin, cap_sys_resource;
	char lockdown[16];	   /* "none", "integrity", "confidentiality"; empty unknown */
	int unprivileged_disabled; /* kernel.unprivileged_bpf_disabled; -1 unknown */
	int perf_paranoid;	   /* kernel.perf_event_paranoid; -1 unknown */
	int seccomp;		   /* 2: a filter decides over system calls; -1 unknown */
	bool user_ns;	 /* this process is in another user namespace than the initial one */
	int bpf_err;	 /* positive errno a trivial map got; 0 works, -1 not tried */
	int cmpxchg_err; /* the same of a program that compares and swaps */
	/* kprobes can be made (CONFIG_KPROBES and the perf PMU for them) */
	bool kprobe_pmu;
	/* positive errno a trivial fentry program got; 0 works, -1 not tried */
	int trampoline_err;
	/* tracepoint programs may be preempted, and so left out (see preempted.h) */
	bool tp_preempted;
	const struct cgroup2 *cgroup; /* root of cgroup v2; NULL none */
	bool cgroup_v1;		      /* there are hierarchies of version 1 */
	char cgroup_missing[96];      /* why; empty there is one */
};

/*
 * Fills facts. btf_path: a BTF file of this kernel, or a folder with one named RELEASE.btf; NULL: the
 * kernel's own, and where it has none the one of that name in NETPROBE_BTF_DIR or the installed folder.
 * Never fails: what is unknown says so.
 */
void kernel_facts_init(struct kernel_facts *facts, const char *btf_path);
/* Is that a file or folder as above? -EINVAL with one line that says what it is not. */
int kernel_btf_check(const char *path, struct netprobe_error *err);
void kernel_facts_done(struct kernel_facts *facts);
/*
 * This process as programs see it: its number in the initial pid namespace, wherever netprobe is. Where the kernel runs
 * no program for that, the number it has here, which is the same in that namespace only.
 */
uint32_t kernel_own_tgid(void);

/*
 * The BTF is some MiB that are of no use while programs run. kernel_facts_init leaves it held once; who needs
 * it later holds it again, and all that points into it lasts until the last one lets go.
 */
void kernel_btf_hold(struct kernel_facts *facts);
void kernel_btf_release(struct kernel_facts *facts);

/* Does the attach target of a program's section ("tp_btf/x", "fexit/f", "kprobe/f") exist? */
bool kernel_has_target(const struct kernel_facts *facts, const char *section, unsigned int nargs);
/* "kprobe/f" or "kretprobe/f". */
bool kernel_by_kprobe(const char *section);
/* Arguments of the kfree_skb tracepoint: 2 (skb, location), 3 with the reason, 4 with the socket; -ENOENT there is none. */
int kernel_drop_args(const struct kernel_facts *facts);
/* Does the kernel have a BPF helper of that id ("BPF_FUNC_x")? */
bool kernel_has_helper(const struct kernel_facts *facts, const char *id);
/* First capability that ebpf capture needs and this process lacks; NULL: none. */
const char *kernel_missing_cap(const struct kernel_facts *facts);

/*
 * Why bpf(2) as a whole cannot work here, in one clause, and what to do; false: it may. Pure.
 */
bool kernel_refuses_bpf(const struct kernel_facts *facts, char *reason, size_t reason_size,
			char *remedy, size_t remedy_size);

/* The true cause of errno err for a program of that section, and what to do. Buffers are always written. */
void kernel_reason(const struct kernel_facts *facts, const char *section, int err, char *reason,
		   size_t reason_size, char *remedy, size_t remedy_size);
/* The same for a perf buffer that could not be made. */
void kernel_perf_reason(const struct kernel_facts *facts, int err, char *reason, size_t reason_size,
			char *remedy, size_t remedy_size);

#endif
