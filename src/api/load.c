/* SPDX-License-Identifier: BSD-2-Clause */
/* From a configuration to a running capture, and to other settings of one that runs. */
#include <errno.h>
#include <string.h>

#include "api/internal.h"

#define NS_PER_MS 1000000ull

/* ASKED is of DNS events alone, and what they have where nothing is said. */
static uint32_t names_from(const struct netprobe_config *c)
{
	if (!c->enable_dns_events)
		return c->names & ~(uint32_t)NETPROBE_NAMES_ASKED;
	return c->names | NETPROBE_NAMES_DNS | (c->names ? 0 : NETPROBE_NAMES_ASKED);
}

static bool watches_drops(const struct netprobe_config *c)
{
	return c->enable_drop_events || c->count_drops;
}

static void fill_opts(struct netprobe_manager *m, struct session_opts *ret)
{
	const struct netprobe_config *c = &m->config;
	struct session_opts o = { .mode = (int)c->capture, .filter = m->filter, .event_arg = m };
	bool latency = c->enable_latency && !(c->optional & NETPROBE_OPTIONAL_LATENCY);

	/* What only the kernel half has is asked for: no other rung will do. */
	if (o.mode == NETPROBE_CAPTURE_AUTO &&
	    (c->hook || c->event_buffer || latency || watches_drops(c) || c->trace_packets))
		o.mode = NETPROBE_CAPTURE_EBPF;
	o.event_fn = c->no_flow_events && !c->enable_dns_events ? NULL : queue_session_event;
	o.room_fn = queue_has_room;
	o.probe.ring_bytes = c->event_ring_bytes;
	o.probe.parts = c->shared_sockets;
	o.probe.fail_at = (uint8_t)c->fail_at;
	o.full_sweeps = c->read_idle;
	o.probe.family = (uint8_t)c->hook;
	o.probe.perf_buffer = c->event_buffer == NETPROBE_BUFFER_PERF;
	o.probe.btf_path = c->btf;
	o.packets = (struct afpacket_opts){ .ring_bytes = c->packet_ring_bytes,
					    .block_bytes = c->packet_block_bytes,
					    .timeout_ms = c->packet_timeout_ms,
					    .rings = c->packet_rings,
					    .fail_ring = c->fail_at == FAIL_RING };
	o.flows.keep_closed = c->keep_closed;
	o.flows.max_flows = c->fail_at == FAIL_TABLE ? FAIL_TABLE_FLOWS : 0;
	o.names.from = names_from(c);
	o.names.silent = !c->enable_dns_events;
	o.names.required = c->enable_dns_events && !(c->optional & NETPROBE_OPTIONAL_DNS);
	o.names.only = c->no_flow_events && c->enable_dns_events;
	o.names.timeout_ns = c->dns_timeout_ms * NS_PER_MS;
	for (unsigned int i = 0; i < NAMES_PORTS && c->dns_ports[i]; i++)
		o.names.ports[o.names.n_ports++] = c->dns_ports[i];
	o.pcap = c->pcap;
	o.stall_ns = c->stall_threshold_ms * NS_PER_MS;
	o.latency = latency;
	o.latency_try = c->enable_latency && !latency;
	*ret = o;
}

static int open_drops(struct netprobe_manager *m, struct netprobe_error *err)
{
	const struct netprobe_config *c = &m->config;
	struct drop_watch_opts o = { .filter = m->filter,
				     .stack = c->drop_stacks || c->drop_addresses,
				     .quiet = c->drop_benign,
				     .kernel_addresses = c->drop_addresses,
				     .interfaces = true,
				     .event_fn = c->enable_drop_events ? queue_session_event : NULL,
				     .event_arg = m };

	return drop_watch_open(m->session, &o, &m->drops, err);
}

int api_open(struct netprobe_manager *m, struct netprobe_error *err)
{
	struct session_opts opts;
	int r;

	fill_opts(m, &opts);
	r = session_open(&opts, &m->session, err);
	if (!r && watches_drops(&m->config))
		r = open_drops(m, err);
	if (!r && m->config.trace_packets)
		r = trace_watch_open(m->session, &m->filter, 0, queue_session_event, m, &m->tracer,
				     err);
	if (r)
		api_close(m);
	return r;
}

void api_close(struct netprobe_manager *m)
{
	m->tracer = trace_watch_close(m->tracer);
	m->drops = drop_watch_close(m->drops);
	m->session = session_close(m->session);
	m->dropped = dropped_free(m->dropped);
}

int api_apply(struct netprobe_manager *m, const struct netprobe_config *c,
	      const struct np_filter *filter, struct netprobe_error *err)
{
	int r = 0;

	if (!m->session)
		return 0;
	/* The only step that can fail comes first. */
	if (c->enable_latency != m->config.enable_latency)
		r = session_set_latency(m->session, c->enable_latency, err);
	if (r)
		return r;
	session_set_filter(m->session, filter);
	session_set_stall(m->session, c->stall_threshold_ms * NS_PER_MS);
	session_set_full_sweeps(m->session, c->read_idle || m->health);
	if (m->drops) {
		drop_watch_set_filter(m->drops, session_filter(m->session));
		drop_watch_set_stack(m->drops, c->drop_stacks || c->drop_addresses);
	}
	if (m->tracer)
		trace_watch_set_filter(m->tracer, session_filter(m->session));
	return 0;
}
