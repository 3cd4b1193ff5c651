/* SPDX-License-Identifier: BSD-2-Clause */
/* /proc/net/dev (see netdev.h). */
#include "capture/netdev.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "  eth0: bytes packets errs drop fifo frame compressed multicast bytes packets ..." */
int netdev_parse(const char *line, struct netdev *ret)
{
	const char *colon = strrchr(line, ':');
	struct netdev d = { .name = "" };
	size_t n;

	line += strspn(line, " ");
	if (!colon || colon <= line)
		return -EINVAL;
	n = (size_t)(colon - line);
	if (n >= sizeof(d.name))
		return -EINVAL;
	memcpy(d.name, line, n);
	if (sscanf(colon + 1,
		   "%" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %*u %*u %*u %*u %" SCNu64
		   " %" SCNu64 " %" SCNu64 " %" SCNu64,
		   &d.rx_bytes, &d.rx_packets, &d.rx_errors, &d.rx_dropped, &d.tx_bytes,
		   &d.tx_packets, &d.tx_errors, &d.tx_dropped) != 8)
		return -EINVAL;
	*ret = d;
	return 0;
}

int netdev_each(FILE *f, void (*fn)(const struct netdev *d, void *arg), void *arg)
{
	char line[512];
	int n = 0;

	if (fseek(f, 0, SEEK_SET))
		return -errno;
	while (fgets(line, sizeof(line), f)) {
		struct netdev d;

		if (netdev_parse(line, &d))
			continue;
		fn(&d, arg);
		n++;
	}
	return ferror(f) ? -EIO : n;
}
