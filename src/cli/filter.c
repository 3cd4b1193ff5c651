/* SPDX-License-Identifier: BSD-2-Clause */
/* Filter options -> struct np_filter; what a value means is engine/filter.c's. */
#include "engine/filter.h"

#include <errno.h>
#include <sys/socket.h>

#include "cli/cli.h"

static int each(const char *option, const struct args_list *values, struct np_filter *f,
		struct netprobe_error *err)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < values->n; i++)
		r = filter_add(f, option, values->items[i], err);
	if (r)
		error_prefix(err, "--%s", option);
	return r;
}

int filter_build(const struct common_opts *o, struct np_filter *ret_filter,
		 struct netprobe_error *err)
{
	struct np_filter f = {
		.gen = 1,
		.enabled = o->enabled,
		.sample_rate = o->sample_rate,
		.max_events = o->max_events,
	};
	int r;

	if (o->v4 && o->v6)
		return error_set(err, -EINVAL,
				 "-4 and -6 exclude each other; leave both out for both families");
	if (o->v4 || o->v6)
		f.family = o->v4 ? AF_INET : AF_INET6;
	r = each("pid", &o->pid, &f, err) ?:
	    each("comm", &o->comm, &f, err) ?:
	    each("cgroup", &o->cgroup, &f, err) ?:
	    each("container", &o->container, &f, err) ?:
	    each("interface", &o->interface, &f, err) ?:
	    each("src-host", &o->src_host, &f, err) ?:
	    each("dst-host", &o->dst_host, &f, err) ?:
	    each("host", &o->host, &f, err) ?:
	    each("src-port", &o->src_port, &f, err) ?:
	    each("dst-port", &o->dst_port, &f, err) ?:
	    each("port", &o->port, &f, err) ?:
	    each("proto", &o->proto, &f, err);
	if (!r)
		*ret_filter = f;
	return r;
}
