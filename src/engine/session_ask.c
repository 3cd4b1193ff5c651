/* SPDX-License-Identifier: BSD-2-Clause */
/* What a session is asked for, and told, between two ticks (see session.h); nothing here takes records. */
#include <errno.h>
#include <netinet/in.h>

#include "engine/emit.h"
#include "engine/session_parts.h"

const struct np_filter *session_filter(const struct session *s)
{
	return &s->opts.filter;
}

void session_set_full_sweeps(struct session *s, bool on)
{
	s->opts.full_sweeps = on;
}

void session_set_stall(struct session *s, uint64_t stall_ns)
{
	s->opts.stall_ns = stall_ns;
	s->stall_next_ns = 0;
}

int session_rung_losses(struct session *s, struct probe_loss ret_losses[LOSS_MAX])
{
	int r = s->rung.ops->losses(s->rung.arg, ret_losses);

	if (r)
		return r;
	ret_losses[LOSS_FIGURES].implausible = s->implausible;
	if (s->events)
		engine_events_lost(s->events, &ret_losses[LOSS_SUMS].loss);
	return 0;
}

void session_losses(struct session *s, struct session_losses *ret_losses)
{
	*ret_losses = (struct session_losses){
		.flows_dropped = flow_table_dropped(s->flows),
		.cgroups_full = cgroup_table_full(s->cgroups),
	};
	flow_table_left(s->flows, &ret_losses->left);
	if (session_rung_losses(s, ret_losses->prog))
		return;
	for (unsigned int id = 0; id < LOSS_MAX; id++) {
		const struct probe_loss *l = &ret_losses->prog[id];

		ret_losses->ring_full += l->loss.ring_full;
		ret_losses->map_full += l->loss.map_full;
		ret_losses->missed += l->missed;
		ret_losses->helper_err += l->loss.helper_err;
		ret_losses->lost_bytes += l->loss.lost_tx_bytes + l->loss.lost_rx_bytes;
	}
	engine_latency_losses(s->latency, &ret_losses->waits);
	ret_losses->figures_dropped = latencies_dropped(engine_latency_all(s->latency));
}

int session_set_latency(struct session *s, bool on, struct netprobe_error *err)
{
	struct probe *p = ebpf_probe(&s->rung);

	if (on && !p)
		return error_set(err, -EOPNOTSUPP,
				 "capture mode %s does not time waits: that needs ebpf",
				 s->rung.ops->mode);
	return engine_latency_watch(s->latency, p, on, err);
}

bool session_latency_watched(const struct session *s)
{
	return engine_latency_watched(s->latency);
}

const struct latencies *session_latencies(const struct session *s)
{
	return engine_latency_all(s->latency);
}

const char *session_latency_note(const struct session *s)
{
	return engine_latency_note(s->latency);
}

struct flow_table *session_flows(struct session *s)
{
	return s->flows;
}

struct viewer *session_viewer(struct session *s)
{
	return s->viewer;
}

struct names *session_names(struct session *s)
{
	return s->sight.names;
}

const char *session_rname(const struct session *s, const struct flow *f)
{
	return names_of_sock(s->sight.names, f->sock_id)
		       ?: names_find(s->sight.names, f->tuple.raddr, f->opened_ns);
}

struct probe *session_probe(struct session *s)
{
	return ebpf_probe(&s->rung);
}

struct cgroup_table *session_cgroups(struct session *s)
{
	return s->cgroups;
}

void session_owner_done(struct session *s, const struct process *owner)
{
	process_unref(s->procs, (struct process *)owner);
}

const char *session_mode(const struct session *s)
{
	return s->rung.ops->mode;
}

bool session_counts(const struct session *s, uint8_t proto)
{
	return !s->rung.ops->tcp_only || proto == IPPROTO_TCP || proto == NP_IPPROTO_MPTCP;
}

const char *session_note(const struct session *s)
{
	return s->note;
}

const char *session_host(const struct session *s)
{
	return s->host;
}

double session_uptime(const struct session *s)
{
	return (double)(clock_monotonic_ns() - s->start_ns) / 1e9;
}

void session_unowned(struct session *s)
{
	struct probe_loss losses[LOSS_MAX];

	if (s->unowned && !session_rung_losses(s, losses))
		unowned_tick(s->unowned, &s->opts.filter, losses, s->events);
}
