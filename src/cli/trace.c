/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "cli/trace.h"

#include <errno.h>

#include "base/log.h"

/* All packets of a host, each with ten steps, are of use to nobody. */
int trace_check(const struct np_filter *f, struct netprobe_error *err)
{
	bool some = false;

	for (unsigned int e = 0; e < NP_END_MAX; e++)
		some = some || f->n_host[e] || f->n_port[e];
	if (!some)
		return error_set(
			err, -EINVAL,
			"--trace: all packets are too many; takes a filter as well, of --host, "
			"--src-host, --dst-host, --port, --src-port or --dst-port");
	if (f->n_tgid || f->n_comm || f->n_cgroup)
		return error_set(
			err, -EINVAL,
			"--trace: --pid, --comm, --cgroup and --container are not for packets, most of "
			"which have no owner yet; takes hosts and ports");
	return 0;
}

void trace_tell_losses(const struct trace_watch *w)
{
	struct np_trace_loss l;

	if (!trace_watch_losses(w, &l) && (l.limited | l.ring_full))
		log_notice(
			"losses: %llu of %llu steps were more than is told in a second, %llu found the "
			"ring full",
			(unsigned long long)l.limited, (unsigned long long)l.seen,
			(unsigned long long)l.ring_full);
}
