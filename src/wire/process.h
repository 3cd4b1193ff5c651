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

_Static_assert(sizeof(struct np_exec) == 144, "struct np_exec changed size");

#endif
