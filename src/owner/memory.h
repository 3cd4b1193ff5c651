/* SPDX-License-Identifier: BSD-2-Clause */
/* How much memory the cgroups of this process let it take. */
#ifndef NETPROBE_OWNER_MEMORY_H
#define NETPROBE_OWNER_MEMORY_H

#include <stdint.h>

/*
 * The least limit of its own cgroup and those above, bytes; 0: none is known. proc and sys: "/proc" and
 * "/sys/fs/cgroup". Both versions of cgroups, and both together.
 */
uint64_t memory_limit(const char *proc, const char *sys);

#endif
