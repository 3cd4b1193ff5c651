/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces that go and come back: the kernel tells of each change of a link, and guard looks then. */
#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api/internal.h"
#include "guard/guard.h"

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

/* Whether anything was told; too much of it (ENOBUFS) is something too. */
static bool changed(int fd)
{
	char buf[8192];
	bool any = false;
	ssize_t n;

	do {
		n = recv(fd, buf, sizeof(buf), 0);
		any = any || n > 0 || (n < 0 && errno == ENOBUFS);
	} while (n > 0 || (n < 0 && (errno == ENOBUFS || errno == EINTR)));
	return any;
}

static void on_again(const char *ifname, int r, const struct netprobe_error *err, void *arg)
{
	struct netprobe_manager *m = arg;
	char words[320];
	struct buf b = {};

	buf_puts(&b, " ");
	json_kv_str(&b, "iface", ifname);
	json_kv_str(&b, "why", r ? err->msg : NULL);
	(void)snprintf(words, sizeof(words), "%s: is back, and guard %s%s%s", ifname,
		       r ? "could not be attached to it: " : "is on it again", r ? err->msg : "",
		       "");
	if (buf_str(&b))
		queue_own_event(m, NETPROBE_EVENT_STATISTICS, "guard.again", ifname,
				r ? "FAILED" : "ATTACHED", !r, "count", buf_str(&b), words);
	buf_done(&b);
}

void follow_poll(struct netprobe_manager *m)
{
	struct guard *g = NULL;
	bool first = !m->follows;

	if (!m->config.enable_health_checks)
		return;
	if (first) {
		m->follows = true;
		m->links_fd = links_open();
	}
	if (!first && (m->links_fd < 0 || !changed(m->links_fd)))
		return;
	if (guard_open(0, &g, NULL))
		return;
	(void)guard_follow(g, on_again, m);
	guard_close(g);
}

void follow_done(struct netprobe_manager *m)
{
	if (m->follows && m->links_fd >= 0)
		(void)close(m->links_fd);
	m->follows = false;
}
