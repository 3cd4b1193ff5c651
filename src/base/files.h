/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Descriptors that this process may still open. With too few of them things fail in many places, each with another
 * reason: they are looked for before.
 */
#ifndef NETPROBE_BASE_FILES_H
#define NETPROBE_BASE_FILES_H

#include <stdbool.h>

/* What capture opens at most, with all that can be asked for: programs, maps, links, loops, /proc, netlink. */
#define FILES_EBPF 200 /* and, with perf buffers, one for each processor */
#define FILES_OTHER 40

/* Whether n more can be opened now. Opens and closes them. */
bool files_are_free(unsigned int n);

#endif
