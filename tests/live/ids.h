/* SPDX-License-Identifier: BSD-2-Clause */
/* BPF objects that a process holds, and whether they are still in the kernel once it is gone. */
#ifndef LIVE_IDS_H
#define LIVE_IDS_H

#include <stdint.h>
#include <sys/types.h>

#define MAX_IDS 1024

/* As its descriptors tell: "prog_id:\t12". */
struct ids {
	struct {
		int command; /* BPF_*_GET_NEXT_ID */
		uint32_t id;
	} row[MAX_IDS];
	unsigned int n, progs, maps, links;
};

struct ids ids_of(pid_t pid);
/* A failed check for each that is still there after a while. */
void ids_gone(struct ids *ids);

#endif
