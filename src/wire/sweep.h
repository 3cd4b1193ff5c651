/* SPDX-License-Identifier: BSD-2-Clause */
/* The sweep: how many socket records may be under way to user space. */
#ifndef NETPROBE_WIRE_SWEEP_H
#define NETPROBE_WIRE_SWEEP_H

/*
 * Records that may wait for user space, which takes them while the kernel half goes on. A power of two: 1 MiB
 * that user space maps, and 2 ms of a walk.
 */
#define NP_SWEEP_SLOTS 2048

#endif
