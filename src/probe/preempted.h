/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Does this kernel run tracepoint programs so that their task may be preempted in them? Then it leaves one out where
 * it is active already, and some hooks take a second program (src/bpf/lib/second.h). So it is since 7.0 where RCU
 * may be preempted; a program is asked, not the version.
 */
#ifndef NETPROBE_PROBE_PREEMPTED_H
#define NETPROBE_PROBE_PREEMPTED_H

#include <stdbool.h>

struct btf;

/* btf: the kernel's own. True as well where it cannot be told, by a kernel that lets tasks say that they stay. */
bool tracepoints_are_preempted(const struct btf *btf);

#endif
