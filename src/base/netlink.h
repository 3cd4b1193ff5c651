/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the kernel says by netlink, and nobody else: who has CAP_NET_ADMIN where a socket is (root of a container, in
 * its network namespace) may send to it, too.
 */
#ifndef NETPROBE_BASE_NETLINK_H
#define NETPROBE_BASE_NETLINK_H

#include <stddef.h>
#include <sys/types.h>

/* recv() of the kernel's next message; those of others are dropped. */
ssize_t netlink_recv(int fd, void *buf, size_t size, int flags);

#endif
