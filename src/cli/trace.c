/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "cli/trace.h"

#include <errno.h>
#include <netprobe/netprobe.h>

#include "base/log.h"

/* All packets of a host, each with ten steps, are of use to nobody. */
int trace_check(const struct common_opts *o, struct netprobe_error *err)
{
	if (!(o->host.n | o->src_host.n | o->dst_host.n | o->port.n | o->src_port.n |
	      o->dst_port.n))
		return error_set(
			err, -EINVAL,
			"--trace: all packets are too many; takes a filter as well, of --host, "
			"--src-host, --dst-host, --port, --src-port or --dst-port");
	if (o->pid.n | o->comm.n | o->cgroup.n | o->container.n)
		return error_set(
			err, -EINVAL,
			"--trace: --pid, --comm, --cgroup and --container are not for packets, most of "
			"which have no owner yet; takes hosts and ports");
	return 0;
}

void trace_tell_losses(struct netprobe_manager *m)
{
	struct netprobe_loss_stats l = { .size = sizeof(l) };

	if (!netprobe_manager_get_loss_stats(m, &l, NULL) && (l.steps_limited | l.steps_ring_full))
		log_notice(
			"losses: %llu of %llu steps were more than is told in a second, %llu found the "
			"ring full",
			(unsigned long long)l.steps_limited, (unsigned long long)l.steps_seen,
			(unsigned long long)l.steps_ring_full);
}
