/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Numbers of processes. Programs, and all that is shown, have those of the initial pid namespace; the caller types what
 * its /proc shows. Internal to probe/ but for pids_differ.
 */
#ifndef NETPROBE_PROBE_PIDS_H
#define NETPROBE_PROBE_PIDS_H

#include <stdbool.h>

#include "wire/config.h"

/* Is this process in another pid namespace than the initial one? Asks the kernel: needs the rights of ebpf. */
bool pids_inside(void);
/* Does /proc show other numbers than programs see? */
bool pids_differ(void);
/*
 * The processes that f names, as programs see them. One that is not there any more, or whose number the kernel does not
 * tell, becomes a number that nobody has.
 */
void pids_to_host(struct np_filter *f);
/* to is from, with the processes as programs see them. */
void filter_host(struct np_filter *to, const struct np_filter *from);

#endif
