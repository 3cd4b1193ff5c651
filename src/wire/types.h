/* SPDX-License-Identifier: BSD-2-Clause */
/* Fixed-width types for both halves: the kernel's own UAPI names, nothing else. */
#ifndef NETPROBE_WIRE_TYPES_H
#define NETPROBE_WIRE_TYPES_H

#include <linux/types.h>

#endif
