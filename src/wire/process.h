/* SPDX-License-Identifier: BSD-2-Clause */
/* What the kernel half remembers of a process's program: value of np_execs, key is the tgid. */
#ifndef NETPROBE_WIRE_PROCESS_H
#define NETPROBE_WIRE_PROCESS_H

#include "types.h"

struct np_exec {
	/* start of the thread group leader, CLOCK_BOOTTIME: which of the pid's users it is */
	__u64 start_ns;
	__u64 exit_ns;	/* CLOCK_MONOTONIC of its end; 0 alive */
	char path[128]; /* file name as exec got it, cut at 127 bytes; may be relative */
};

#define NP_V1_PATHS 4
#define NP_V1_DEPTH 8
#define NP_V1_NAME \
	96 /* the longest known form has 86 characters, "cri-containerd-<64 digits>.scope" among them */

/*
 * Cgroups of a process in v1 hierarchies: value of np_v1s, key is np_owner.v1. Each path from its end: its last
 * component first, the root not among them, "" after the last one. What is deeper has no beginning. Two hierarchies in
 * which it ends alike are one; after the last path there is an empty one.
 */
struct np_v1 {
	char name[NP_V1_PATHS][NP_V1_DEPTH][NP_V1_NAME];
};

_Static_assert(sizeof(struct np_v1) == 3072, "struct np_v1 changed size");
_Static_assert(sizeof(struct np_exec) == 144, "struct np_exec changed size");

#endif
