/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces that go and come back: the kernel tells of each change of a link, and guard looks then. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/internal.h"
#include "guard/guard.h"
#include "out/device.h"

static int links_open(void)
{
	struct sockaddr_nl a = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&a, sizeof(a))) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

/* The name in what was told of a link: also of one that is gone by now, and was renamed before. */
static void note(struct guard *g, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	int left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));

	if (!g || (h->nlmsg_type != RTM_NEWLINK && h->nlmsg_type != RTM_DELLINK))
		return;
	for (const struct rtattr *a = IFLA_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFLA_IFNAME)
			guard_renamed(g, (uint32_t)m->ifi_index, RTA_DATA(a));
}

/* Too much of it (ENOBUFS) is no harm: the interfaces themselves are looked at behind it. */
static void drain(int fd, struct guard *g)
{
	char buf[32768] __attribute__((aligned(8)));
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), 0);
		for (const struct nlmsghdr *h = (const void *)buf; n > 0 && NLMSG_OK(h, n);
		     h = NLMSG_NEXT(h, n))
			note(g, h);
	} while (n >= 0 || errno == ENOBUFS || errno == EINTR);
}

static bool is_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };

	return fd >= 0 && poll(&p, 1, 0) > 0;
}

static void on_again(const char *ifname, int r, const struct netprobe_error *why, void *arg)
{
	struct event_news news = { .iface = ifname, .why = r ? why->msg : NULL };

	queue_news(arg, EVENT_AGAIN, ifname, r ? "FAILED" : "ATTACHED", !r, &news);
}

void follow_poll(struct netprobe_manager *m)
{
	struct guard *g = NULL;
	bool first = !m->follows;

	if (!m->config.follow_interfaces)
		return;
	if (first) {
		m->follows = true;
		m->links_fd = links_open();
	}
	if (!first && !is_readable(m->links_fd))
		return;
	if (guard_open(0, &g, NULL))
		g = NULL;
	if (m->links_fd >= 0)
		drain(m->links_fd, g);
	if (g) {
		(void)guard_follow(g, on_again, m);
		(void)guard_spare(g, NULL); /* addresses and gateways may be others by now */
	}
	guard_close(g);
}

void follow_done(struct netprobe_manager *m)
{
	if (m->follows && m->links_fd >= 0)
		(void)close(m->links_fd);
	m->follows = false;
	m->wake.links = -1; /* closed, so the set is without it */
}
