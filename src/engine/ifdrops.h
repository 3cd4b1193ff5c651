/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What interfaces, their queues and the processors' backlogs say they lost, in our own network
 * namespace: counters the kernel keeps, read now and then, told as differences. A packet may be in
 * one of them and be seen as a drop as well (a full queue is both), so they are never added up.
 */
#ifndef NETPROBE_ENGINE_IFDROPS_H
#define NETPROBE_ENGINE_IFDROPS_H

#include <stdint.h>

struct ifdrops;

/* iface: "eth0", or "" where the counter is the machine's; reason: "DRIVER_RX". */
typedef void (*ifdrops_fn)(const char *iface, uint32_t ifindex, const char *reason,
			   uint64_t packets, void *arg);

/* NULL: no memory, or no netlink. What is counted so far is the beginning. */
struct ifdrops *ifdrops_new(void);
struct ifdrops *ifdrops_free(struct ifdrops *d);
/* fn for every counter that moved since the last call. */
void ifdrops_poll(struct ifdrops *d, ifdrops_fn fn, void *arg);

#endif
