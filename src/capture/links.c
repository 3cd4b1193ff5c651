/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces and addresses (see links.h). */
#include "base/netlink.h"
#include "capture/links.h"

#include <errno.h>
#include <linux/ethtool.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

/* IF_OPER_* of linux/if.h, which cannot stand beside net/if.h */
#define OPER_UNKNOWN 0
#define OPER_UP 6

struct iface {
	uint32_t ifindex;
	char name[16];
	struct netdev
		began; /* what it had counted when it was met: nothing, unless it came from elsewhere */
	bool seen;     /* in the listing under way */
	uint32_t master, below; /* the one it is part of, the one it is on; 0 none */
	uint8_t state;		/* LINK_* */
	bool asked;		/* for its speed, since it was told of last */
	uint32_t mbit;
	uint8_t duplex; /* NETPROBE_DUPLEX_* */
};

struct address {
	uint8_t addr[16];
	uint32_t ifindex;
};

struct links {
	int fd;
	struct iface *ifaces;
	struct address *addrs;
	uint32_t n_ifaces, cap_ifaces, n_addrs, cap_addrs;
	link_fn fn;
	void *arg;
};

static bool grow(void **items, uint32_t *cap, uint32_t n, size_t size)
{
	uint32_t more = *cap ? *cap * 2 : 16;
	void *p;

	if (n < *cap)
		return true;
	p = reallocarray(*items, more, size);
	if (!p)
		return false;
	*items = p;
	*cap = more;
	return true;
}

static struct iface *find(const struct links *l, uint32_t ifindex)
{
	for (uint32_t i = 0; i < l->n_ifaces; i++)
		if (l->ifaces[i].ifindex == ifindex)
			return &l->ifaces[i];
	return NULL;
}

static void tell(struct links *l, const struct iface *i, bool came)
{
	if (l->fn)
		l->fn(i->ifindex, i->name, came, l->arg);
}

/* A name is no identity: another name of the same number is told as the old one's end and the new one's beginning. */
static void on_link(struct links *l, bool gone, uint32_t ifindex, const struct netdev *now)
{
	const char *name = now->name;
	struct iface *i = find(l, ifindex);

	if (gone) {
		struct iface old;

		if (!i)
			return;
		old = *i;
		*i = l->ifaces[--l->n_ifaces];
		tell(l, &old, false);
		return;
	}
	if (i)
		i->seen = true;
	if (i && !strcmp(i->name, name))
		return;
	if (i)
		tell(l, i, false);
	if (!i) {
		if (!grow((void **)&l->ifaces, &l->cap_ifaces, l->n_ifaces, sizeof(*i)))
			return;
		i = &l->ifaces[l->n_ifaces++];
		*i = (struct iface){ .ifindex = ifindex, .seen = true, .began = *now };
	}
	(void)snprintf(i->name, sizeof(i->name), "%s", name);
	tell(l, i, true);
}

static void on_addr(struct links *l, bool gone, uint32_t ifindex, const uint8_t addr[16])
{
	for (uint32_t i = 0; i < l->n_addrs; i++) {
		struct address *a = &l->addrs[i];

		if (a->ifindex != ifindex || memcmp(a->addr, addr, 16) != 0)
			continue;
		if (gone)
			*a = l->addrs[--l->n_addrs];
		return;
	}
	if (gone || !grow((void **)&l->addrs, &l->cap_addrs, l->n_addrs, sizeof(*l->addrs)))
		return;
	memcpy(l->addrs[l->n_addrs].addr, addr, 16);
	l->addrs[l->n_addrs++].ifindex = ifindex;
}

static void take_stats(const struct rtattr *a, struct netdev *ret)
{
	/* struct rtnl_link_stats64: packets, bytes, errors, drops, each received and sent; last what was missed */
	uint64_t v[16];

	if (RTA_PAYLOAD(a) < sizeof(v))
		return;
	memcpy(v, RTA_DATA(a), sizeof(v));
	ret->rx_packets = v[0];
	ret->tx_packets = v[1];
	ret->rx_bytes = v[2];
	ret->tx_bytes = v[3];
	ret->rx_errors = v[4];
	ret->tx_errors = v[5];
	ret->rx_dropped = v[6] + v[15]; /* as /proc/net/dev adds them up */
	ret->tx_dropped = v[7];
}

static uint8_t state_of(unsigned int flags, uint8_t oper)
{
	if (!(flags & IFF_UP))
		return NETPROBE_LINK_OFF;
	/* drivers that tell no state have a signal all the same */
	if (oper == OPER_UNKNOWN)
		return flags & IFF_RUNNING ? NETPROBE_LINK_UP : NETPROBE_LINK_DOWN;
	return oper == OPER_UP ? NETPROBE_LINK_UP : NETPROBE_LINK_DOWN;
}

/* Everybody may ask; two questions, as how long the answer is comes with the first. 0: none, or it is not told. */
static void ask_speed(int fd, struct iface *i)
{
	struct {
		struct ethtool_link_settings s;
		uint32_t modes[3 * 127];
	} q = { .s = { .cmd = ETHTOOL_GLINKSETTINGS } };
	struct ifreq ifr = { .ifr_data = (void *)&q };

	(void)snprintf(ifr.ifr_name, sizeof(ifr.ifr_name), "%s", i->name);
	if (ioctl(fd, SIOCETHTOOL, &ifr) || q.s.link_mode_masks_nwords >= 0)
		return;
	q.s.link_mode_masks_nwords = (int8_t)-q.s.link_mode_masks_nwords;
	q.s.cmd = ETHTOOL_GLINKSETTINGS;
	if (ioctl(fd, SIOCETHTOOL, &ifr) || q.s.link_mode_masks_nwords <= 0)
		return;
	if (q.s.speed != (uint32_t)SPEED_UNKNOWN && q.s.speed <= INT32_MAX)
		i->mbit = q.s.speed;
	i->duplex = q.s.duplex == DUPLEX_FULL	? NETPROBE_DUPLEX_FULL
		    : q.s.duplex == DUPLEX_HALF ? NETPROBE_DUPLEX_HALF
						: NETPROBE_DUPLEX_UNKNOWN;
}

static void parse_link(struct links *l, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	const struct rtattr *a = IFLA_RTA(m);

	struct netdev now = { .name = "" };
	uint32_t master = 0, below = 0;
	uint8_t oper = OPER_UNKNOWN;
	bool elsewhere = false; /* what is below is in another namespace */
	struct iface *i;

	if (left < 0)
		return;
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == IFLA_IFNAME)
			memcpy(now.name, RTA_DATA(a), RTA_PAYLOAD(a) < 15 ? RTA_PAYLOAD(a) : 15);
		else if (a->rta_type == IFLA_STATS64)
			take_stats(a, &now);
		else if (a->rta_type == IFLA_MASTER && RTA_PAYLOAD(a) == sizeof(master))
			memcpy(&master, RTA_DATA(a), sizeof(master));
		else if (a->rta_type == IFLA_LINK && RTA_PAYLOAD(a) == sizeof(below))
			memcpy(&below, RTA_DATA(a), sizeof(below));
		else if (a->rta_type == IFLA_LINK_NETNSID)
			elsewhere = true;
		else if (a->rta_type == IFLA_OPERSTATE && RTA_PAYLOAD(a) == sizeof(oper))
			memcpy(&oper, RTA_DATA(a), sizeof(oper));
	}
	if (now.name[0])
		on_link(l, h->nlmsg_type == RTM_DELLINK, (uint32_t)m->ifi_index, &now);
	i = find(l, (uint32_t)m->ifi_index);
	if (!i)
		return;
	i->state = state_of(m->ifi_flags, oper);
	i->asked = false;
	i->master = master;
	/* A tunnel's packets are its own there, not those of its sockets. */
	i->below = elsewhere || m->ifi_type != ARPHRD_ETHER ? 0 : below;
}

static void parse_addr(struct links *l, const struct nlmsghdr *h)
{
	const struct ifaddrmsg *m = NLMSG_DATA(h);
	int left = (int)h->nlmsg_len - (int)NLMSG_LENGTH(sizeof(*m));
	const struct rtattr *a = IFA_RTA(m), *own = NULL;
	uint8_t addr[16] = { [10] = 0xff, [11] = 0xff };

	if (left < 0)
		return;
	/* of a point-to-point link IFA_ADDRESS is the other end's */
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFA_LOCAL || (a->rta_type == IFA_ADDRESS && !own))
			own = a;
	if (!own)
		return;
	if (m->ifa_family == AF_INET && RTA_PAYLOAD(own) == 4)
		memcpy(addr + 12, RTA_DATA(own), 4);
	else if (m->ifa_family == AF_INET6 && RTA_PAYLOAD(own) == 16)
		memcpy(addr, RTA_DATA(own), 16);
	else
		return;
	on_addr(l, h->nlmsg_type == RTM_DELADDR, m->ifa_index, addr);
}

/* 1: a listing is over. */
static int take(struct links *l, const char *buf, size_t n)
{
	const struct nlmsghdr *h = (const void *)buf;

	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		switch (h->nlmsg_type) {
		case NLMSG_DONE:
		case NLMSG_ERROR:
			return 1;
		case RTM_NEWLINK:
		case RTM_DELLINK:
			parse_link(l, h);
			break;
		case RTM_NEWADDR:
		case RTM_DELADDR:
			parse_addr(l, h);
			break;
		default:
			break;
		}
	}
	return 0;
}

static int list(struct links *l, uint16_t type)
{
	struct {
		struct nlmsghdr nlh;
		struct rtgenmsg gen;
	} q = { .nlh = { .nlmsg_len = sizeof(q),
			 .nlmsg_type = type,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	char buf[32768] __attribute__((aligned(8)));
	int r = 0;

	if (send(l->fd, &q, sizeof(q), 0) < 0)
		return -errno;
	while (!r) {
		ssize_t n = netlink_recv(l->fd, buf, sizeof(buf), 0);

		if (n < 0 && errno != EINTR && errno != ENOBUFS)
			return -errno;
		r = n > 0 ? take(l, buf, (size_t)n) : 0;
	}
	return 0;
}

/* Notices were lost: look at all of them, and who is not there any more has gone. */
static void list_again(struct links *l)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < l->n_ifaces; i++)
		l->ifaces[i].seen = false;
	if (!list(l, RTM_GETLINK)) {
		for (uint32_t i = 0; i < l->n_ifaces; i++) {
			if (l->ifaces[i].seen)
				l->ifaces[n++] = l->ifaces[i];
			else
				tell(l, &l->ifaces[i], false);
		}
		l->n_ifaces = n;
	}
	l->n_addrs = 0;
	(void)list(l, RTM_GETADDR);
}

struct links *links_open(int *ret_err)
{
	struct sockaddr_nl self = { .nl_family = AF_NETLINK,
				    .nl_groups = RTMGRP_LINK | RTMGRP_IPV4_IFADDR |
						 RTMGRP_IPV6_IFADDR };
	struct links *l = calloc(1, sizeof(*l));
	int r = l ? 0 : -ENOMEM;

	if (l) {
		l->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
		if (l->fd < 0 || bind(l->fd, (struct sockaddr *)&self, sizeof(self)) < 0)
			r = -errno;
		r = r ? r : list(l, RTM_GETLINK);
		r = r ? r : list(l, RTM_GETADDR);
	}
	if (!r)
		return l;
	*ret_err = r;
	return links_close(l);
}

struct links *links_close(struct links *l)
{
	if (!l)
		return NULL;
	if (l->fd >= 0)
		(void)close(l->fd);
	free(l->ifaces);
	free(l->addrs);
	free(l);
	return NULL;
}

int links_fd(const struct links *l)
{
	return l->fd;
}

void links_read(struct links *l, link_fn fn, void *arg)
{
	char buf[32768] __attribute__((aligned(8)));

	l->fn = fn;
	l->arg = arg;
	for (;;) {
		ssize_t n = netlink_recv(l->fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			list_again(l);
			continue;
		}
		if (n < 0)
			break;
		(void)take(l, buf, (size_t)n);
	}
	l->fn = NULL;
}

const char *links_name(const struct links *l, uint32_t ifindex)
{
	const struct iface *i = find(l, ifindex);

	return i ? i->name : NULL;
}

bool links_began(const struct links *l, uint32_t ifindex, struct netdev *ret)
{
	const struct iface *i = find(l, ifindex);

	if (i)
		*ret = i->began;
	return i;
}

uint32_t links_state(struct links *l, uint32_t ifindex, uint32_t *ret_mbit, uint32_t *ret_duplex)
{
	struct iface *i = find(l, ifindex);

	*ret_mbit = *ret_duplex = 0;
	if (!i)
		return NETPROBE_LINK_UNKNOWN;
	if (!i->asked) {
		i->mbit = i->duplex = 0;
		if (i->state == NETPROBE_LINK_UP)
			ask_speed(l->fd, i);
	}
	i->asked = true;
	*ret_mbit = i->mbit;
	*ret_duplex = i->duplex;
	return i->state;
}

uint32_t links_index(const struct links *l, const char *name)
{
	for (uint32_t i = 0; i < l->n_ifaces; i++)
		if (!strcmp(l->ifaces[i].name, name))
			return l->ifaces[i].ifindex;
	return 0;
}

bool links_is_stacked(const struct links *l, uint32_t ifindex)
{
	for (uint32_t i = 0; i < l->n_ifaces; i++)
		if (l->ifaces[i].ifindex == ifindex ? l->ifaces[i].master
						    : l->ifaces[i].below == ifindex)
			return true;
	return false;
}

bool links_is_local(const struct links *l, const uint8_t addr[16])
{
	static const uint8_t loopback[13] = { [10] = 0xff, [11] = 0xff, [12] = 127 };

	if (!memcmp(addr, loopback, sizeof(loopback)))
		return true;
	for (uint32_t i = 0; i < l->n_addrs; i++)
		if (!memcmp(l->addrs[i].addr, addr, 16))
			return true;
	return false;
}
