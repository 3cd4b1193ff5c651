/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * See ifdrops.h. Two rtnetlink dumps a namespace and call, over a socket that lives as long as they
 * take: one that was kept would keep the namespace of a container that is gone.
 */
#include "base/netlink.h"
#include "engine/ifdrops.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/gen_stats.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/netns.h"
#include "engine/session.h"

#define SPACES 1024	/* namespaces looked into */
#define LINKS_SEEN 1024 /* interfaces of each */
#define DUMP_BYTES 65536
#define SCAN_NS 1000000000ULL /* least time between two looks for new namespaces */

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
	uint64_t now[C_MAX], told[C_MAX], all[C_MAX];
	bool seen, gone; /* gone: kept for what it lost */
};

struct space {
	uint32_t netns;
	char path[300]; /* empty: ours */
	struct link *links;
	unsigned int n, cap;
	uint64_t past[C_MAX]; /* of links that are gone and made room */
	bool primed;	      /* its beginning is known */
	bool gone, out;	      /* out: cannot be looked into */
	bool full;	      /* it has more links than are looked at */
};

struct ifdrops {
	int own_fd;
	uint32_t own, seq;
	uint64_t scan_ns;
	struct space *spaces;
	unsigned int n;
	bool full;
	uint64_t past[C_MAX]; /* of namespaces that are gone and made room */
	uint64_t softnet, softnet_all;
	bool primed;
	char *dump;
};

struct ifdrops *ifdrops_new(void)
{
	struct ifdrops *d = calloc(1, sizeof(*d));

	if (!d)
		return NULL;
	d->own_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	d->own = netns_inode("/proc/thread-self/ns/net");
	d->spaces = calloc(SPACES, sizeof(*d->spaces));
	d->dump = malloc(DUMP_BYTES);
	if (!d->spaces || !d->dump)
		return ifdrops_free(d);
	d->spaces[d->n++] = (struct space){ .netns = d->own };
	ifdrops_poll(d, NULL, NULL);
	return d;
}

struct ifdrops *ifdrops_free(struct ifdrops *d)
{
	if (!d)
		return NULL;
	if (d->own_fd >= 0)
		(void)close(d->own_fd);
	for (unsigned int i = 0; i < d->n; i++)
		free(d->spaces[i].links);
	free(d->spaces);
	free(d->dump);
	free(d);
	return NULL;
}

/* What is gone is kept for what it lost, as long as nobody else needs the room: then only the sum is. */
static bool forget_space(struct ifdrops *d)
{
	for (unsigned int i = 0; i < d->n; i++) {
		struct space *s = &d->spaces[i];

		if (!s->gone)
			continue;
		for (unsigned int c = 0; c < C_MAX; c++) {
			d->past[c] += s->past[c];
			for (unsigned int j = 0; j < s->n; j++)
				d->past[c] += s->links[j].all[c];
		}
		free(s->links);
		*s = d->spaces[--d->n];
		return true;
	}
	return false;
}

static bool forget_link(struct space *s)
{
	for (unsigned int i = 0; i < s->n; i++) {
		if (!s->links[i].gone)
			continue;
		for (unsigned int c = 0; c < C_MAX; c++)
			s->past[c] += s->links[i].all[c];
		s->links[i] = s->links[--s->n];
		return true;
	}
	return false;
}

static int on_space(uint32_t inode, const char *path, void *arg)
{
	struct ifdrops *d = arg;
	struct space *s = NULL;

	for (unsigned int i = 0; i < d->n && !s; i++)
		if (d->spaces[i].netns == inode && !d->spaces[i].gone)
			s = &d->spaces[i];
	if (!s) {
		if (d->n == SPACES && !forget_space(d)) {
			d->full = true;
			return 1;
		}
		s = &d->spaces[d->n++];
		*s = (struct space){ .netns = inode };
	}
	/* The way that was found first goes on as long as it leads there. */
	if (inode != d->own && (!s->path[0] || netns_inode(s->path) != inode))
		(void)snprintf(s->path, sizeof(s->path), "%s", path);
	return 0;
}

static struct link *link_get(struct space *s, uint32_t ifindex, bool make)
{
	for (unsigned int i = 0; i < s->n; i++)
		if (s->links[i].ifindex == ifindex && !s->links[i].gone)
			return &s->links[i];
	if (!make)
		return NULL;
	if (s->n == LINKS_SEEN && !forget_link(s)) {
		s->full = true;
		return NULL;
	}
	if (s->n == s->cap) {
		unsigned int cap = s->cap ? s->cap * 2 : 8;
		void *p = reallocarray(s->links, cap, sizeof(*s->links));

		if (!p)
			return NULL;
		s->links = p;
		s->cap = cap;
	}
	s->links[s->n] = (struct link){ .ifindex = ifindex };
	return &s->links[s->n++];
}

static void on_link(struct space *s, const struct nlmsghdr *h)
{
	const struct ifinfomsg *info = NLMSG_DATA(h);
	int left = (int)IFLA_PAYLOAD(h);
	struct link *l = link_get(s, (uint32_t)info->ifi_index, true);
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

static void on_qdisc(struct space *s, const struct nlmsghdr *h)
{
	const struct tcmsg *tc = NLMSG_DATA(h);
	int left = (int)TCA_PAYLOAD(h);
	struct link *l = link_get(s, (uint32_t)tc->tcm_ifindex, false);

	/* A queue's drops are counted in those above it as well: the outermost has them all. */
	if (!l || tc->tcm_parent != TC_H_ROOT)
		return;
	for (struct rtattr *a = TCA_RTA(tc); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == TCA_STATS2)
			add_queue(l, a);
}

static bool ask(struct ifdrops *d, int fd, uint16_t type)
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
	return send(fd, &q, q.h.nlmsg_len, 0) >= 0;
}

/* True once the answer is complete. */
static bool read_dump(struct ifdrops *d, int fd, struct space *s,
		      void (*fn)(struct space *, const struct nlmsghdr *), uint16_t type)
{
	for (;;) {
		ssize_t got = netlink_recv(fd, d->dump, DUMP_BYTES, 0);
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
				fn(s, h);
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

static void tell(const struct space *s, struct link *l, ifdrops_fn fn, void *arg)
{
	for (unsigned int c = 0; c < C_MAX; c++) {
		struct ifdrops_count n = { l->name, reasons[c], l->ifindex, s->netns, 0 };

		/* An interface made since the last look has lost all it shows since then. */
		if (s->primed && l->now[c] > l->told[c])
			n.packets = l->now[c] - l->told[c];
		l->told[c] = l->now[c];
		l->all[c] += n.packets;
		if (fn && n.packets)
			fn(&n, arg);
	}
}

static bool is_clean(const struct link *l)
{
	return !(l->all[C_DRIVER_RX] | l->all[C_DRIVER_TX] | l->all[C_DRIVER_MISSED] |
		 l->all[C_QDISC]);
}

static void look_into(struct ifdrops *d, struct space *s, ifdrops_fn fn, void *arg)
{
	int fd = netns_rtnetlink(s->path[0] ? s->path : NULL, d->own_fd);
	bool whole;

	s->out = fd < 0;
	if (fd < 0)
		return;
	s->full = false;
	for (unsigned int i = 0; i < s->n; i++)
		s->links[i].seen = false;
	whole = ask(d, fd, RTM_GETLINK) && read_dump(d, fd, s, on_link, RTM_NEWLINK) &&
		ask(d, fd, RTM_GETQDISC) && read_dump(d, fd, s, on_qdisc, RTM_NEWQDISC);
	(void)close(fd);
	for (unsigned int i = 0; whole && i < s->n; i++) {
		if (s->links[i].seen)
			tell(s, &s->links[i], fn, arg);
		else if (is_clean(&s->links[i]))
			s->links[i--] = s->links[--s->n];
		else
			s->links[i].gone = true;
	}
	s->primed = s->primed || whole;
}

static bool is_there(const struct ifdrops *d, const struct space *s)
{
	return s->netns == d->own || (s->path[0] && netns_inode(s->path) == s->netns);
}

/* New ones, and other ways into those whose process is gone. */
static void scan(struct ifdrops *d)
{
	uint64_t now_ns = clock_monotonic_ns();
	bool due = !d->scan_ns || now_ns - d->scan_ns >= SCAN_NS;

	for (unsigned int i = 0; i < d->n && !due; i++)
		due = !d->spaces[i].gone && !is_there(d, &d->spaces[i]);
	if (!due)
		return;
	d->scan_ns = now_ns;
	d->full = false;
	(void)netns_each(on_space, d);
	for (unsigned int i = 0; i < d->n; i++) {
		struct space *s = &d->spaces[i];

		if (s->gone || is_there(d, s))
			continue;
		for (unsigned int j = 0; j < s->n && !s->gone; j++)
			s->gone = !is_clean(&s->links[j]);
		if (s->gone)
			continue;
		free(s->links);
		*s = d->spaces[--d->n];
		i--;
	}
}

void ifdrops_poll(struct ifdrops *d, ifdrops_fn fn, void *arg)
{
	uint64_t softnet = softnet_dropped(), up = 0;

	scan(d);
	for (unsigned int i = 0; i < d->n; i++)
		if (!d->spaces[i].gone)
			look_into(d, &d->spaces[i], fn, arg);
	if (d->primed && softnet > d->softnet)
		up = softnet - d->softnet;
	d->softnet_all += up;
	if (fn && up)
		fn(&(struct ifdrops_count){ "", "SOFTNET_BACKLOG", 0, 0, up }, arg);
	d->softnet = softnet;
	d->primed = true;
}

static void tell_past(const uint64_t past[C_MAX], uint32_t netns, ifdrops_fn fn, void *arg)
{
	for (unsigned int c = 0; c < C_MAX; c++)
		if (past[c])
			fn(&(struct ifdrops_count){ "", reasons[c], 0, netns, past[c] }, arg);
}

void ifdrops_totals(const struct ifdrops *d, ifdrops_fn fn, void *arg)
{
	struct ifdrops_count n = { "", "SOFTNET_BACKLOG", 0, 0, d->softnet_all };

	if (n.packets)
		fn(&n, arg);
	tell_past(d->past, 0, fn, arg);
	for (unsigned int i = 0; i < d->n; i++) {
		const struct space *s = &d->spaces[i];

		tell_past(s->past, s->netns, fn, arg);

		for (unsigned int j = 0; j < s->n * C_MAX; j++) {
			const struct link *l = &s->links[j / C_MAX];

			n = (struct ifdrops_count){ l->name, reasons[j % C_MAX], l->ifindex,
						    s->netns, l->all[j % C_MAX] };
			if (n.packets)
				fn(&n, arg);
		}
	}
}

unsigned int ifdrops_left_out(const struct ifdrops *d)
{
	unsigned int n = d->full;

	for (unsigned int i = 0; i < d->n; i++)
		n += (d->spaces[i].out || d->spaces[i].full) && !d->spaces[i].gone;
	return n;
}
