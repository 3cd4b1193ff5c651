/* SPDX-License-Identifier: BSD-2-Clause */
/* See trace.h. */
#include "cli/trace.h"

#include <errno.h>
#include <netprobe/netprobe.h>

#include "base/log.h"

/* All packets of a host, each with ten steps, are of use to nobody. */
static unsigned int given(const struct common_opts *o, const uint32_t *keys)
{
	unsigned int n = 0;

	for (; *keys; keys++)
		n += o->filter[*keys].n;
	return n;
}

int trace_check(const struct common_opts *o, struct netprobe_error *err)
{
	static const uint32_t packets[] = { NETPROBE_FILTER_HOST,
					    NETPROBE_FILTER_SRC_HOST,
					    NETPROBE_FILTER_DST_HOST,
					    NETPROBE_FILTER_PORT,
					    NETPROBE_FILTER_SRC_PORT,
					    NETPROBE_FILTER_DST_PORT,
					    0 };
	static const uint32_t owners[] = {
		NETPROBE_FILTER_PID,	   NETPROBE_FILTER_COMM, NETPROBE_FILTER_CGROUP,
		NETPROBE_FILTER_CONTAINER, NETPROBE_FILTER_POD,	 NETPROBE_FILTER_NAMESPACE,
		NETPROBE_FILTER_UNIT,	   NETPROBE_FILTER_USER, 0
	};

	if (!given(o, packets))
		return error_set(
			err, -EINVAL,
			"--trace: all packets are too many; takes a filter as well, of --host, "
			"--src-host, --dst-host, --port, --src-port or --dst-port");
	if (given(o, owners))
		return error_set(
			err, -EINVAL,
			"--trace: --pid, --comm, --user, --cgroup, --container, --pod, --namespace and --unit are not for packets, most of "
			"which have no owner yet; takes hosts and ports");
	return 0;
}
