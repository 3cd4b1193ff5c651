/* SPDX-License-Identifier: BSD-2-Clause */
/* See api_run.h. */
#include "api_run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

struct netprobe_error err;

void enter(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && setns(fd, CLONE_NEWNET) == 0, "%s: %s", ns->path, strerror(errno));
	close(fd);
}

/*
 * Each manager that a test frees, by the linker's --wrap: no figure of a socket is more than the interfaces of its
 * namespace carried, and the library found none that cannot be. Where lists cannot be asked for, nothing is.
 */
struct netprobe_manager *__real_netprobe_manager_free(struct netprobe_manager *m);
struct netprobe_manager *__wrap_netprobe_manager_free(struct netprobe_manager *m);

#define BUFFERS (64.0 * (1 << 20)) /* in sockets, or lost on the way */

static int check_carried(const struct netprobe_flow *f, void *arg)
{
	double tx, rx;

	(void)arg;
	if (!netns_carried(f->netns, &tx, &rx))
		return 0;
	CHECK(f->tx_bytes == NETPROBE_UNKNOWN || (double)f->tx_bytes <= tx + BUFFERS,
	      "tx_bytes: expected at most %.0f, got %" PRIu64, tx + BUFFERS, f->tx_bytes);
	CHECK(f->rx_bytes == NETPROBE_UNKNOWN || (double)f->rx_bytes <= rx + BUFFERS,
	      "rx_bytes: expected at most %.0f, got %" PRIu64, rx + BUFFERS, f->rx_bytes);
	return 0;
}

struct netprobe_manager *__wrap_netprobe_manager_free(struct netprobe_manager *m)
{
	struct netprobe_loss_stats s = { .size = sizeof(s) };

	if (m && !netprobe_manager_get_loss_stats(m, &s, NULL)) {
		CHECK_EQ(s.implausible, 0, "records with figures that cannot be");
		(void)netprobe_manager_flows(m, check_carried, NULL, NULL);
	}
	return __real_netprobe_manager_free(m);
}

struct netprobe_manager *manager(const struct netprobe_config *c)
{
	struct netprobe_manager *m = NULL;
	int r = netprobe_manager_new_with_config(c, &m, &err);

	REQUIRE(r == 0 && m, "netprobe_manager_new_with_config: %d %s", r, err.msg);
	return m;
}

struct netprobe_config without_capture(uint32_t mode)
{
	struct netprobe_config c;

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_NONE;
	c.mode = mode;
	return c;
}

struct netprobe_manager *guarded(const char *ifname)
{
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m = manager(&c);

	OK(netprobe_manager_attach(m, ifname, &err));
	return m;
}

struct netprobe_config own_loop(void)
{
	struct netprobe_config c;

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_EBPF;
	c.own_intervals = true;
	c.keep_closed = true;
	return c;
}

void look(struct netprobe_manager *m)
{
	struct pollfd p = { .fd = netprobe_manager_fd(m), .events = POLLIN };

	REQUIRE(p.fd >= 0, "no descriptor: %d", p.fd);
	(void)poll(&p, 1, 50);
	OK(netprobe_manager_poll(m, 0));
}
