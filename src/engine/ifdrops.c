/* SPDX-License-Identifier: BSD-2-Clause */
/* See ifdrops.h. Two rtnetlink dumps and one file of /proc a call. */
#include "engine/ifdrops.h"

#include <errno.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define LINKS_SEEN 1024 /* interfaces looked at */
#define DUMP_BYTES 65536

/* Counters of one interface; names below. */
#define C_DRIVER_RX 0
#define C_DRIVER_TX 1
#define C_DRIVER_MISSED 2
#define C_QDISC 3
#define C_MAX 4

static const char *const reasons[C_MAX] = { "DRIVER_RX", "DRIVER_TX", "DRIVER_RX_MISSED", "QDISC" };

struct link {
	uint32_t ifindex;
	char name[IF_NAMESIZE];
	uint64_t now[C_MAX], told[C_MAX];
	bool seen;
};

struct ifdrops {
	int fd;
	uint32_t seq;
	struct link *links;
	unsigned int n;
	uint64_t softnet;
	bool primed; /* the beginning is known */
	char *dump;
};

struct ifdrops *ifdrops_new(void)
{
	const struct timeval timeout = { .tv_usec = 200000 };
	struct ifdrops *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	d->links = calloc(LINKS_SEEN, sizeof(*d->links));
	d->dump = malloc(DUMP_BYTES);
	if (d->fd < 0 || !d->links || !d->dump)
		return ifdrops_free(d);
	(void)setsockopt(d->fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
	ifdrops_poll(d, NULL, NULL);
	return d;
}

struct ifdrops *ifdrops_free(struct ifdrops *d)
{
	if (!d)
		return NULL;
	if (d->fd >= 0)
		(void)close(d->fd);
	free(d->links);
	free(d->dump);
	free(d);
	return NULL;
}

static struct link *link_get(struct ifdrops *d, uint32_t ifindex, bool make)
{
	for (unsigned int i = 0; i < d->n; i++)
		if (d->links[i].ifindex == ifindex)
			return &d->links[i];
	if (!make || d->n == LINKS_SEEN)
		return NULL;
	d->links[d->n] = (struct link){ .ifindex = ifindex };
	return &d->links[d->n++];
}

static void on_link(struct ifdrops *d, const struct nlmsghdr *h)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	int left = (int)IFLA_PAYLOAD(h);
	struct link *l = link_get(d, (uint32_t)info->ifi_index, true);
	struct rtnl_link_stats64 st;

	for (struct rtattr *a = IFLA_RTA(info); l && RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_IFNAME)
			(void)snprintf(l->name, sizeof(l->name), "%s", (char *)RTA_DATA(a));
		if (a->rta_type != IFLA_STATS64 ||
		    RTA_PAYLOAD(a) < offsetof(struct rtnl_link_stats64, rx_compressed))
			continue;
		memcpy(&st, RTA_DATA(a), offsetof(struct rtnl_link_stats64, rx_compressed));
		l->now[C_DRIVER_RX] = st.rx_dropped;
		l->now[C_DRIVER_TX] = st.tx_dropped;
		l->now[C_DRIVER_MISSED] = st.rx_missed_errors;
		l->now[C_QDISC] = 0; /* the second dump adds them */
		l->seen = true;
	}
}

static void add_queue(struct link *l, struct rtattr *stats2)
{
	int left = (int)RTA_PAYLOAD(stats2);
	struct gnet_stats_queue q;

	for (struct rtattr *a = RTA_DATA(stats2); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type != TCA_STATS_QUEUE || RTA_PAYLOAD(a) < sizeof(q))
			continue;
		memcpy(&q, RTA_DATA(a), sizeof(q));
		l->now[C_QDISC] += q.drops;
	}
}

static void on_qdisc(struct ifdrops *d, const struct nlmsghdr *h)
{
	const struct tcmsg *tc = NLMSG_DATA(h);
	int left = (int)TCA_PAYLOAD(h);
	struct link *l = link_get(d, (uint32_t)tc->tcm_ifindex, false);

	/* A queue's drops are counted in those above it as well: the outermost has them all. */
	if (!l || tc->tcm_parent != TC_H_ROOT)
		return;
	for (struct rtattr *a = TCA_RTA(tc); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == TCA_STATS2)
			add_queue(l, a);
}

static bool ask(struct ifdrops *d, uint16_t type)
{
	struct {
		struct nlmsghdr h;
		union {
			struct ifinfomsg link;
			struct tcmsg tc;
		};
	} q = {};
	bool tc = type == RTM_GETQDISC;

	q.h.nlmsg_len = (uint32_t)NLMSG_LENGTH(tc ? sizeof(q.tc) : sizeof(q.link));
	q.h.nlmsg_type = type;
	q.h.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
	q.h.nlmsg_seq = ++d->seq;
	return send(d->fd, &q, q.h.nlmsg_len, 0) >= 0;
}

/* True once the answer is complete. */
static bool read_dump(struct ifdrops *d, void (*fn)(struct ifdrops *, const struct nlmsghdr *),
		      uint16_t type)
{
	for (;;) {
		ssize_t got = recv(d->fd, d->dump, DUMP_BYTES, 0);
		const struct nlmsghdr *h = (const struct nlmsghdr *)(void *)d->dump;
		int left = (int)got;

		if (got <= 0)
			return false;
		for (; NLMSG_OK(h, (unsigned int)left); h = NLMSG_NEXT(h, left)) {
			if (h->nlmsg_seq != d->seq)
				continue;
			if (h->nlmsg_type == NLMSG_DONE || h->nlmsg_type == NLMSG_ERROR)
				return h->nlmsg_type == NLMSG_DONE;
			if (h->nlmsg_type == type)
				fn(d, h);
		}
	}
}

/* Second column of every processor's line: packets its backlog had no room for. */
static uint64_t softnet_dropped(void)
{
	FILE *f = fopen("/proc/net/softnet_stat", "re");
	unsigned int processed, dropped;
	uint64_t sum = 0;
	char line[512];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "%x %x", &processed, &dropped) == 2)
			sum += dropped;
	if (f)
		(void)fclose(f);
	return sum;
}

static void tell(struct ifdrops *d, struct link *l, ifdrops_fn fn, void *arg)
{
	for (unsigned int c = 0; c < C_MAX; c++) {
		/* An interface made since the last look has lost all it shows since then. */
		if (fn && d->primed && l->now[c] > l->told[c])
			fn(l->name, l->ifindex, reasons[c], l->now[c] - l->told[c], arg);
		l->told[c] = l->now[c];
	}
}

void ifdrops_poll(struct ifdrops *d, ifdrops_fn fn, void *arg)
{
	uint64_t softnet = softnet_dropped();
	bool whole;

	for (unsigned int i = 0; i < d->n; i++)
		d->links[i].seen = false;
	whole = ask(d, RTM_GETLINK) && read_dump(d, on_link, RTM_NEWLINK) && ask(d, RTM_GETQDISC) &&
		read_dump(d, on_qdisc, RTM_NEWQDISC);
	for (unsigned int i = 0; whole && i < d->n; i++) {
		if (d->links[i].seen)
			tell(d, &d->links[i], fn, arg);
		else
			d->links[i--] = d->links[--d->n];
	}
	if (fn && d->primed && softnet > d->softnet)
		fn("", 0, "SOFTNET_BACKLOG", softnet - d->softnet, arg);
	d->softnet = softnet;
	d->primed = d->primed || whole;
}
