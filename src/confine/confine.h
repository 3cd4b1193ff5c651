/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a command gives up once capture runs: capabilities it needs no more, the way to new ones, and
 * system calls that only an intruder would make. Those answer EPERM, so that a mistake here shows as
 * an error and not as a process that is gone.
 */
#ifndef NETPROBE_CONFINE_CONFINE_H
#define NETPROBE_CONFINE_CONFINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct confine_opts {
	bool bpf; /* bpf(2), perf events, other network namespaces: what the ebpf rung still uses */
	bool nat; /* connection tracking is asked, where there is any: the afpacket rung */
	bool landlock; /* no process but its own is looked at, so that Landlock may be had as well */
};

/* What came of it: for the log and for doctor. */
struct confined {
	char caps[160]; /* capabilities that are left, "CAP_BPF CAP_PERFMON"; "none" */
	bool no_new_privs;
	int seccomp_err;  /* positive errno; 0: the filter is on */
	int landlock_err; /* the same; -1: not wanted */
	int caps_err;
};

/*
 * Of the calling thread and, but for capabilities, those it has and makes. Goes as far as this kernel
 * lets it. Never fails: ret tells what could not be had.
 */
void confine(const struct confine_opts *opts, struct confined *ret);
/* Of a process that only opens one file: the right to write anywhere stays, other programs and sockets go. */
void confine_opener(void);
/* Names of the capabilities a process of those opts keeps, of those it has now. */
void confine_caps(const struct confine_opts *opts, char *buf, size_t size);

#endif
