/* SPDX-License-Identifier: BSD-2-Clause */
/* Settings of this network namespace. */
#ifndef NETPROBE_GUARD_SYSCTL_H
#define NETPROBE_GUARD_SYSCTL_H

#include <stdint.h>

/* The last number of a setting of this network namespace, or -errno. */
int64_t sysctl_read(const char *name);

#endif
