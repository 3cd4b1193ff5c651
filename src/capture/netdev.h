/* SPDX-License-Identifier: BSD-2-Clause */
/* What interfaces counted, as /proc/net/dev tells everybody. Bytes are the device's, link headers included. */
#ifndef NETPROBE_CAPTURE_NETDEV_H
#define NETPROBE_CAPTURE_NETDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct netdev {
	char name[16];
	uint64_t rx_bytes, rx_packets, tx_bytes, tx_packets;
	uint64_t rx_errors, rx_dropped, tx_errors, tx_dropped; /* packets */
};

/* One line of the table. Pure. -EINVAL: no interface's line (its two headings are none). */
int netdev_parse(const char *line, struct netdev *ret);
/* Every interface of an open table, from its beginning; their number or a negative errno. */
int netdev_each(FILE *f, void (*fn)(const struct netdev *d, void *arg), void *arg);

/* That table of the calling thread's namespace, whatever its process is in, as it was at the last read: read once for all who ask. */
struct netdevs;

struct netdevs *netdevs_new(void); /* read already. NULL: no memory, or there is no such table */
struct netdevs *netdevs_free(struct netdevs *t);
void netdevs_read(struct netdevs *t); /* NULL does nothing */
/* Every interface; their number, or the negative errno of the read. NULL: -ENODEV. */
int netdevs_each(const struct netdevs *t, void (*fn)(const struct netdev *d, void *arg), void *arg);

#endif
