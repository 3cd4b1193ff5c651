/* SPDX-License-Identifier: BSD-2-Clause */
/* From options to the library's configuration (see settings.h). What a value means is the library's. */
#include "cli/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int settings_filter(struct settings *s, const char *key, const char *value)
{
	size_t n = 0;
	char **more;

	while (s->filters && s->filters[n])
		n++;
	more = reallocarray(s->filters, n + 2, sizeof(*more));
	if (!more)
		return -ENOMEM;
	s->filters = more;
	s->c.filters = (const char *const *)more;
	more[n + 1] = NULL;
	if (asprintf(&more[n], "%s=%s", key, value) < 0) {
		more[n] = NULL;
		return -ENOMEM;
	}
	return 0;
}

static int each(struct settings *s, const char *key, const struct args_list *values)
{
	int r = 0;

	for (unsigned int i = 0; !r && i < values->n; i++)
		r = settings_filter(s, key, values->items[i]);
	return r;
}

static void free_filters(struct settings *s)
{
	for (char **f = s->filters; f && *f; f++)
		free(*f);
	free(s->filters);
	s->filters = NULL;
	s->c.filters = NULL;
}

static int fill_filters(struct settings *s, const struct common_opts *o, struct netprobe_error *err)
{
	int r = 0;

	free_filters(s);
	if (o->v4 && o->v6)
		return error_set(err, -EINVAL,
				 "-4 and -6 exclude each other; leave both out for both families");
	if (o->v4 || o->v6)
		r = settings_filter(s, "family", o->v4 ? "ipv4" : "ipv6");
	r = r			 ?:
	    each(s, "pid", &o->pid) ?:
	    each(s, "comm", &o->comm) ?:
	    each(s, "cgroup", &o->cgroup) ?:
	    each(s, "container", &o->container) ?:
	    each(s, "interface", &o->interface) ?:
	    each(s, "src-host", &o->src_host) ?:
	    each(s, "dst-host", &o->dst_host) ?:
	    each(s, "host", &o->host) ?:
	    each(s, "src-port", &o->src_port) ?:
	    each(s, "dst-port", &o->dst_port) ?:
	    each(s, "port", &o->port) ?:
	    each(s, "proto", &o->proto);
	return r ? error_set(err, r, "out of memory") : 0;
}

int settings_change(struct settings *s, const struct common_opts *o, struct netprobe_error *err)
{
	/* s may hold a configuration of the manager's, whose filters are its own. */
	s->c.filters = NULL;
	s->c.paused = !o->enabled;
	s->c.sample_rate = o->sample_rate;
	s->c.max_events = o->max_events;
	s->c.stall_threshold_ms = o->stall_ms;
	s->c.enable_latency = o->latency;
	return fill_filters(s, o, err);
}

int settings_fill(struct settings *s, const struct common_opts *o, struct netprobe_error *err)
{
	struct netprobe_config *c = &s->c;

	s->filters = NULL;
	netprobe_config_default(c);
	c->capture = (uint32_t)o->capture_mode;
	c->hook = (uint32_t)o->hook;
	c->event_buffer = (uint32_t)o->event_buffer;
	c->packet_ring_bytes = o->packet_ring;
	c->packet_block_bytes = o->packet_block;
	c->packet_timeout_ms = o->packet_timeout;
	c->packet_rings = o->fanout;
	c->event_ring_bytes = o->ring_size;
	c->shared_sockets = o->parts_size;
	c->fail_at = (uint32_t)o->fail_at;
	c->btf = o->btf;
	c->pcap = o->pcap;
	c->enable_health_checks = false;
	c->own_intervals = true;
	c->direct = true;
	return settings_change(s, o, err);
}

void settings_done(struct settings *s)
{
	free_filters(s);
}

void settings_blame(struct netprobe_error *err)
{
	static const struct {
		const char *field, *option;
	} names[] = {
		{ "filters: ", "--" },
		{ "btf: ", "--btf: " },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		size_t n = strlen(names[i].field);
		char msg[sizeof(err->msg)];

		if (strncmp(err->msg, names[i].field, n) != 0)
			continue;
		(void)snprintf(msg, sizeof(msg), "%s%s", names[i].option, err->msg + n);
		memcpy(err->msg, msg, sizeof(msg));
		return;
	}
}
