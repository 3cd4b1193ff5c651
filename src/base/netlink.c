/* SPDX-License-Identifier: BSD-2-Clause */
/* See netlink.h. */
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/netlink.h"

ssize_t netlink_recv(int fd, void *buf, size_t size, int flags)
{
	for (;;) {
		struct sockaddr_nl from = { .nl_pid = 1 };
		socklen_t len = sizeof(from);
		ssize_t n = recvfrom(fd, buf, size, flags, (struct sockaddr *)&from, &len);

		if (n <= 0 || (from.nl_family == AF_NETLINK && !from.nl_pid))
			return n;
	}
}
