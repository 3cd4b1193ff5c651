/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The hook ladder as data: each thing the kernel half must see, the ordered ways to see it, and
 * what each way lacks. Choosing and attaching is probe.c's.
 */
#ifndef NETPROBE_PROBE_HOOKS_H
#define NETPROBE_PROBE_HOOKS_H

#include <netprobe/core.h>
#include <stdbool.h>
#include <stdint.h>

#include "wire/stats.h"

/* A family is NETPROBE_HOOK_*: cgroup programs and iterators count as stable hooks, with the tracepoints. */
#define KIND_TP_BTF 0
#define KIND_CGROUP 1
#define KIND_ITER 2
#define KIND_FENTRY 3 /* fexit as well */
#define KIND_KPROBE 4 /* kretprobe as well */
#define KIND_RUN 5    /* attached to nothing: user space runs it (BPF_PROG_TEST_RUN) */
#define KIND_RAW_TP 6 /* a tracepoint without BTF */
#define KIND_NONE 7   /* no program: something else covers it, see note */

#define HOOK_PROGS 4
#define HOOK_ALTS 6
#define HOOK_MAX_PROGS (2 * HOOK_PROGS + 1)

/* One way to see it: all of progs must attach; those of optional that the kernel has a target for. */
struct hook_alt {
	uint8_t family;
	uint8_t kind;
	uint8_t nargs;	  /* attach only to a function with so many arguments; 0: any */
	bool on_demand;	  /* loaded, but attached only while asked for (probe_watch_reads) */
	bool last_resort; /* only where without it there is no choice at all */
	const char *progs[HOOK_PROGS];
	const char *optional[HOOK_PROGS];
	/* attached behind the others, which the kernel leaves out at times: at tracepoints where their programs may be
	 * preempted, beside those of functions wherever there is its hook */
	const char *second;
	const char *since; /* "6.3"; what is known from the kernel's history */
	const char *until;
	const char *lacks; /* NULL: nothing. With the second one: nothing */
};

struct hook {
	uint8_t prog;	  /* NP_PROG_* */
	bool required;	  /* without it the ebpf rung is not worth having */
	bool proven;	  /* the self-test makes it fire */
	int8_t follows;	  /* NP_PROG_* whose family it takes, -1 none */
	const char *name; /* "send" */
	const char *what; /* one clause for doctor */
	struct hook_alt alts[HOOK_ALTS];
	uint8_t n_alts;
};

extern const struct hook hook_table[NP_PROG_MAX];

const char *family_label(uint8_t family); /* "tracepoint" */
const char *kind_label(uint8_t kind);	  /* "tp_btf" */
int family_parse(const char *name);	  /* NETPROBE_HOOK_* or -EINVAL */

#endif
