/* SPDX-License-Identifier: BSD-2-Clause */
/* The few fields of /proc/<tgid>/stat that tell one process from the next holder of its pid. */
#ifndef NETPROBE_OWNER_STAT_H
#define NETPROBE_OWNER_STAT_H

#include <stdint.h>

struct proc_stat {
	char comm[16]; /* of the leader; cut and NUL-terminated */
	char state;    /* 'R', 'S', 'Z' zombie, 'X' dead, ... */
	uint32_t ppid;
	uint32_t threads;     /* those not yet reaped, the leader included */
	uint64_t start_ticks; /* CLOCK_BOOTTIME in clock ticks, rounded down */
};

/* Pure. comm may hold spaces, parentheses and newlines. -EINVAL: not a stat line. */
int proc_stat_parse(const char *text, struct proc_stat *ret);
/* -ENOENT or -ESRCH: no such process. */
int proc_stat_read(const char *proc_root, uint32_t tgid, struct proc_stat *ret);

#endif
