/* SPDX-License-Identifier: BSD-2-Clause */
/* The configuration: defaults, checks, filters. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "api/internal.h"
#include "engine/filter.h"

#define BATCH_MAX 65536
#define BATCH_MS_MAX 60000
#define REPORT_MS_MIN 10
#define REPORT_MS_MAX 3600000
#define MASK(last) ((last)*2 - 1)

API_PUBLIC void netprobe_config_default(struct netprobe_config *config)
{
	if (!config)
		return;
	*config = (struct netprobe_config){
		.size = sizeof(*config),
		.capture = NETPROBE_CAPTURE_AUTO,
		.mode = NETPROBE_MODE_FILTER,
		.xdp_mode = NETPROBE_XDP_AUTO,
		.enable_xdp_events = true,
		.enable_tc_events = true,
		.enable_detailed_events = true,
		.enable_security_alerts = true,
		.enable_health_checks = true,
		.follow_interfaces = true,
		.batch_size = 64,
		.batch_timeout = 100,
		.stats_report_interval = 1000,
		.sample_rate = 1,
		.dns_timeout_ms = 5000,
		.stall_threshold_ms = 100,
	};
}

static int add_filter(struct np_filter *f, const struct netprobe_filter *from,
		      struct netprobe_error *err)
{
	int r = filter_add(f, from->key, from->value, err);

	if (r && filter_name(from->key))
		error_prefix(err, "%s", filter_name(from->key));
	return r;
}

API_PUBLIC int netprobe_check_filter(const struct netprobe_filter *filter,
				     struct netprobe_error *err)
{
	struct np_filter none = {};

	return filter ? add_filter(&none, filter, err) : error_set(err, -EINVAL, "no filter");
}

API_PUBLIC const char *netprobe_filter_name(uint32_t key)
{
	return filter_name(key);
}

static int in_range(const char *name, uint32_t value, uint32_t min, uint32_t max,
		    struct netprobe_error *err)
{
	if (value >= min && value <= max)
		return 0;
	return error_set(err, -EINVAL, "%s: %u is out of range; takes %u to %u", name, value, min,
			 max);
}

/* Each field that is a number: its name, where it is, what it takes. */
static const struct {
	const char *name;
	size_t offset;
	uint32_t min, max;
} numbers[] = {
#define NUMBER(field, min, max)                                           \
	{                                                                 \
#field, offsetof(struct netprobe_config, field), min, max \
	}
	NUMBER(capture, 0, NETPROBE_CAPTURE_NONE),
	NUMBER(mode, 0, NETPROBE_MODE_BALANCE),
	NUMBER(xdp_mode, 0, NETPROBE_XDP_GENERIC),
	NUMBER(batch_size, 1, BATCH_MAX),
	NUMBER(batch_timeout, 0, BATCH_MS_MAX),
	NUMBER(stats_report_interval, REPORT_MS_MIN, REPORT_MS_MAX),
	NUMBER(sample_rate, 1, 1000000),
	NUMBER(workers, 0, API_WORKERS_MAX),
	NUMBER(hook, 0, NETPROBE_HOOK_KPROBE),
	NUMBER(event_buffer, 0, NETPROBE_BUFFER_PERF),
	NUMBER(names, 0, MASK(NETPROBE_NAMES_ASKED)),
	NUMBER(dns_timeout_ms, 10, 300000),
	NUMBER(stall_threshold_ms, 1, 3600000),
	NUMBER(formats, 0, MASK(NETPROBE_FORMAT_NO_JSON)),
	NUMBER(count_flows, 0, 2),
	NUMBER(text_columns, 0, 65535),
	NUMBER(balancer_flows, 0, 1u << 27),
	NUMBER(packet_ring_bytes, 0, 256u << 20),
	NUMBER(packet_block_bytes, 0, 64u << 20),
	NUMBER(packet_timeout_ms, 0, 10000),
	NUMBER(packet_rings, 0, AFPACKET_RINGS_MAX),
	NUMBER(optional, 0, MASK(NETPROBE_OPTIONAL_LATENCY)),
	NUMBER(event_ring_bytes, 0, 1u << 30),
	NUMBER(shared_sockets, 0, 1u << 24),
	NUMBER(fail_at, 0, FAIL_FIGURES),
};

static int check_numbers(const struct netprobe_config *c, struct netprobe_error *err)
{
	int r = 0;

	for (size_t i = 0; !r && i < sizeof(numbers) / sizeof(numbers[0]); i++)
		r = in_range(numbers[i].name,
			     *(const uint32_t *)((const char *)c + numbers[i].offset),
			     numbers[i].min, numbers[i].max, err);
	if (!r && (c->packet_block_bytes & (c->packet_block_bytes - 1)))
		r = error_set(err, -EINVAL, "packet_block_bytes: %u is not a power of two",
			      c->packet_block_bytes);
	if (!r && (c->event_ring_bytes & (c->event_ring_bytes - 1)))
		r = error_set(err, -EINVAL, "event_ring_bytes: %u is not a power of two",
			      c->event_ring_bytes);
	return r;
}

/* What only ebpf sees, where another way of capture is asked for. */
static int check_capture(const struct netprobe_config *c, struct netprobe_error *err)
{
	bool latency = c->enable_latency && !(c->optional & NETPROBE_OPTIONAL_LATENCY);
	const char *what = c->enable_drop_events ? "enable_drop_events"
			   : c->count_drops	 ? "count_drops"
			   : c->trace_packets	 ? "trace_packets"
			   : latency		 ? "enable_latency"
			   : c->hook		 ? "hook"
			   : c->event_buffer	 ? "event_buffer"
						 : NULL;

	if (c->direct && c->workers > 1)
		return error_set(
			err, -EINVAL,
			"direct: events cannot be shared as they happen; takes at most 1 worker");
	if (!what || c->capture <= NETPROBE_CAPTURE_EBPF)
		return 0;
	return error_set(err, -EINVAL,
			 "%s: only ebpf has it; takes NETPROBE_CAPTURE_EBPF or _AUTO as capture",
			 what);
}

/* What can match nothing is a mistake. */
static int check_ports(const struct np_filter *f, struct netprobe_error *err)
{
	bool ports = false;

	for (unsigned int e = 0; e < NP_END_MAX; e++)
		ports = ports || f->n_port[e];
	if (!ports || f->proto_mask != NP_PROTO_ICMP)
		return 0;
	return error_set(
		err, -EINVAL,
		"filters: proto: icmp has no ports, and ports are asked for; takes tcp or udp "
		"beside them");
}

/* Steps of all packets of a host are too many, and most of them have no owner yet. */
static int check_trace(const struct np_filter *f, struct netprobe_error *err)
{
	if (!filter_has_ends(f) || filter_has_owners(f))
		return error_set(err, -EINVAL,
				 "trace_packets: takes filters of hosts or ports, and none of pid, "
				 "comm, user, cgroup, container, pod, namespace and unit");
	return 0;
}

int api_config_take(const struct netprobe_config *from, struct netprobe_config *ret,
		    struct np_filter *ret_filter, struct netprobe_error *err)
{
	struct np_filter filter = { .enabled = 1 };
	struct netprobe_config c;
	int r;

	netprobe_config_default(&c);
	if (from &&
	    (from->size < offsetof(struct netprobe_config, mode) || from->size > API_SIZE_MAX))
		return error_set(err, -EINVAL,
				 "size: %zu is not a size of a configuration; start from "
				 "netprobe_config_default",
				 from->size);
	if (from)
		memcpy(&c, from, from->size < sizeof(c) ? from->size : sizeof(c));
	/* Before there was follow_interfaces, health checks said both. */
	if (from && from->size <= offsetof(struct netprobe_config, follow_interfaces))
		c.follow_interfaces = c.enable_health_checks;
	c.size = sizeof(c);
	r = check_numbers(&c, err);
	if (!r)
		r = check_capture(&c, err);
	for (const struct netprobe_filter *f = c.filters; !r && f && f->key; f++) {
		r = add_filter(&filter, f, err);
		if (r)
			error_prefix(err, "filters");
	}
	if (!r)
		r = check_ports(&filter, err);
	if (!r && c.trace_packets)
		r = check_trace(&filter, err);
	if (!r && c.btf && session_check_btf(c.btf, err)) {
		error_prefix(err, "btf");
		r = -EINVAL;
	}
	if (r)
		return r;
	filter.sample_rate = c.sample_rate;
	filter.max_events = c.max_events;
	filter.enabled = !c.paused;
	*ret = c;
	*ret_filter = filter;
	return 0;
}

static void strings_done(struct config_strings *s)
{
	for (struct netprobe_filter *f = s->filters; f && f->key; f++)
		free((char *)f->value);
	free(s->filters);
	free(s->btf);
	free(s->pcap);
	*s = (struct config_strings){};
}

static bool copy_filter(struct netprobe_filter *to, const struct netprobe_filter *from)
{
	to->value = strdup(from->value);
	to->key = to->value ? from->key : 0;
	return to->value;
}

static int strings_copy(const struct netprobe_config *from, struct config_strings *ret)
{
	struct config_strings s = {};
	bool ok = true;
	size_t n = 0;

	while (from->filters && from->filters[n].key)
		n++;
	s.filters = n ? calloc(n + 1, sizeof(*s.filters)) : NULL;
	ok = !n || s.filters;
	for (size_t i = 0; ok && i < n; i++)
		ok = copy_filter(&s.filters[i], &from->filters[i]);
	if (ok && from->btf)
		ok = (s.btf = strdup(from->btf));
	if (ok && from->pcap)
		ok = (s.pcap = strdup(from->pcap));
	if (!ok) {
		strings_done(&s);
		return -ENOMEM;
	}
	*ret = s;
	return 0;
}

int api_config_use(struct netprobe_manager *m, const struct netprobe_config *c,
		   const struct np_filter *filter)
{
	struct config_strings s;
	int r = strings_copy(c, &s);

	if (r)
		return r;
	m->config = *c;
	m->config.filters = s.filters;
	m->config.btf = s.btf;
	m->config.pcap = s.pcap;
	m->filter = *filter;
	/* Last: c may be made of the old ones. */
	strings_done(&m->strings);
	m->strings = s;
	return 0;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* What load has used up. */
static const struct {
	const char *name;
	size_t offset, size;
} fixed[] = {
#define FIXED(field)                                                 \
	{                                                            \
#field, offsetof(struct netprobe_config, field),     \
			sizeof(((struct netprobe_config *)0)->field) \
	}
	FIXED(capture),
	FIXED(workers),
	FIXED(hook),
	FIXED(event_buffer),
	FIXED(names),
	FIXED(dns_timeout_ms),
	FIXED(dns_ports),
	FIXED(keep_closed),
	FIXED(packet_ring_bytes),
	FIXED(packet_block_bytes),
	FIXED(packet_timeout_ms),
	FIXED(packet_rings),
	FIXED(enable_dns_events),
	FIXED(enable_drop_events),
	FIXED(drop_benign),
	FIXED(drop_addresses),
	FIXED(trace_packets),
	FIXED(count_drops),
	FIXED(optional),
	FIXED(no_flow_events),
	FIXED(own_intervals),
	FIXED(direct),
	FIXED(only_moved),
	FIXED(event_ring_bytes),
	FIXED(shared_sockets),
	FIXED(fail_at),
};

int api_config_fixed(const struct netprobe_config *was, const struct netprobe_config *now,
		     struct netprobe_error *err)
{
	const char *what = NULL;

	for (size_t i = 0; !what && i < sizeof(fixed) / sizeof(fixed[0]); i++)
		if (memcmp((const char *)was + fixed[i].offset, (const char *)now + fixed[i].offset,
			   fixed[i].size) != 0)
			what = fixed[i].name;
	if (!what && !same_text(was->btf, now->btf))
		what = "btf";
	if (!what && !same_text(was->pcap, now->pcap))
		what = "pcap";
	if (!what)
		return 0;
	return error_set(err, -EBUSY, "%s: cannot change after load; takes another manager", what);
}

void api_config_done(struct netprobe_manager *m)
{
	strings_done(&m->strings);
}
