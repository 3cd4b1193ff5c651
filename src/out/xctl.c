/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * An event as older collectors read it: seven keys and nothing else. What does not fit into them is
 * in the full stream (json.c).
 */
#include <errno.h>

#include "out/event.h"

#define NSEC_PER_MSEC 1000000

static const char *job_id(const struct process *p)
{
	if (!p || !p->cgroup)
		return NULL;
	return p->cgroup->container_id ? p->cgroup->container_id : p->cgroup->path;
}

int event_write_xctl(struct buf *out, const struct event *ev, const char *host)
{
	const struct process *p = event_owner(ev);
	size_t start = out->len, len;
	const char *value = event_value(ev, &len);

	if (ev->kind >= EVENT_MAX)
		return -EINVAL;
	buf_putc(out, '{');
	json_kv_u64(out, "ts", ev->wall_ns / NSEC_PER_MSEC);
	json_kv_str(out, "event_type", event_type_name(ev->kind));
	json_key(out, "entity_id");
	json_strn(out, ev->entity_id[0] ? ev->entity_id : NULL, sizeof(ev->entity_id));
	json_kv_str(out, "job_id", job_id(p));
	json_kv_u64_or_null(out, "pid", p ? p->tgid : 0);
	json_key(out, "value");
	json_strn(out, value, len);
	json_kv_str(out, "node_id", host);
	buf_puts(out, "}\n");
	if (out->err)
		out->len = start;
	return out->err;
}
