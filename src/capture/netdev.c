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

struct netdevs {
	FILE *table; /* open, it stays of the namespace that it was opened in */
	struct netdev *all;
	size_t n, cap;
	int r; /* of the last read */
};

static void keep(const struct netdev *d, void *arg)
{
	struct netdevs *t = arg;

	if (t->n == t->cap) {
		size_t cap = t->cap ? t->cap * 2 : 16;
		void *p = reallocarray(t->all, cap, sizeof(*t->all));

		if (!p) {
			t->r = -ENOMEM;
			return;
		}
		t->all = p;
		t->cap = cap;
	}
	t->all[t->n++] = *d;
}

void netdevs_read(struct netdevs *t)
{
	int r;

	if (!t)
		return;
	t->n = 0;
	t->r = 0;
	r = netdev_each(t->table, keep, t);
	t->r = t->r < 0 ? t->r : r;
}

int netdevs_each(const struct netdevs *t, void (*fn)(const struct netdev *d, void *arg), void *arg)
{
	if (!t)
		return -ENODEV;
	for (size_t i = 0; t->r >= 0 && i < t->n; i++)
		fn(&t->all[i], arg);
	return t->r;
}

struct netdevs *netdevs_new(void)
{
	struct netdevs *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	t->table = fopen("/proc/thread-self/net/dev", "re");
	if (!t->table)
		return netdevs_free(t);
	netdevs_read(t);
	return t;
}

struct netdevs *netdevs_free(struct netdevs *t)
{
	if (!t)
		return NULL;
	if (t->table)
		(void)fclose(t->table);
	free(t->all);
	free(t);
	return NULL;
}
