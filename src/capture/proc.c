/* SPDX-License-Identifier: BSD-2-Clause */
/* The proc rung is the socket table and nothing else (see proc.h, socks.h). */
#include "capture/match.h"
#include "capture/proc.h"

#include <string.h>

#include "capture/socks.h"

static void close_socks(void *rung)
{
	(void)socks_close(rung);
}

static uint32_t set_filter(void *rung, const struct np_filter *filter)
{
	return socks_set_filter(rung, filter);
}

static int sweep(void *rung, bool full, probe_sock_fn fn, void *arg)
{
	return socks_sweep(rung, full, fn, arg);
}

static int events(void *rung, probe_event_fn fn, void *arg)
{
	return socks_events(rung, fn, arg);
}

static int fd(const void *rung)
{
	return socks_fd(rung);
}

static int losses(const void *rung, struct probe_loss ret_losses[LOSS_MAX])
{
	memset(ret_losses, 0, LOSS_MAX * sizeof(*ret_losses));
	socks_loss(rung, &ret_losses[LOSS_DIAG].loss);
	return 0;
}

static const char *note(const void *rung)
{
	return socks_note(rung);
}

static const struct rung_ops proc_ops = {
	.mode = "proc",
	.tcp_only = true,
	.close = close_socks,
	.set_filter = set_filter,
	.sweep = sweep,
	.events = events,
	.fd = fd,
	.losses = losses,
	.note = note,
};

int proc_open(const struct np_filter *filter, struct rung *ret_rung, struct netprobe_error *err)
{
	struct socks_opts opts = { .filter = filter };
	int r = match_check_ifaces(filter, "proc", err);
	struct socks *s;

	if (!r)
		r = socks_open(&opts, &s, err);
	if (!r)
		*ret_rung = (struct rung){ &proc_ops, s };
	return r;
}
