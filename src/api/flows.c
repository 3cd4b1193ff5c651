/* SPDX-License-Identifier: BSD-2-Clause */
/* What the capture knows when it is asked: sockets, drops, latencies. */
#include <errno.h>
#include <string.h>

#include "api/fill.h"
#include "api/internal.h"
#include "base/error.h"
#include "flow/reason.h"

struct listing {
	struct netprobe_manager *m;
	netprobe_flow_fn flow;
	netprobe_drop_fn drop;
	netprobe_latency_fn latency;
	void *arg;
	uint64_t now_ns;
	int n;
	bool stopped;
};

static int on_flow(struct flow *f, void *arg)
{
	struct listing *l = arg;
	struct netprobe_flow x;

	api_flow_fill(&x, f, session_rname(l->m->session, f),
		      session_counts(l->m->session, f->tuple.proto),
		      flow_table_seconds(session_flows(l->m->session)), l->now_ns);
	/* a former owner that moved nothing: it only passed the socket on */
	if (f->frozen && !f->counts.tx_bytes && !flow_rx_bytes(f) && !x.retransmits)
		return 0;
	if (flow_table_is_double(session_flows(l->m->session), f))
		return 0;
	l->n++;
	return l->flow ? l->flow(&x, l->arg) : 0;
}

int api_not_loaded(struct netprobe_error *err)
{
	return error_set(err, -ENODEV, "nothing is captured; takes netprobe_manager_load first");
}

API_PUBLIC int netprobe_manager_flows(struct netprobe_manager *m, netprobe_flow_fn fn, void *arg,
				      struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct listing l = { .m = m, .flow = fn, .arg = arg };
	int r = api_check_listing(err);

	if (r)
		return r;
	api_lock(m);
	r = !m->session				     ? api_not_loaded(err)
	    : m->finished || m->config.own_intervals ? 0
						     : session_refresh(m->session);
	if (r < 0 && m->session)
		(void)error_set(err, r, "sockets cannot be read: %s", strerror(-r));
	l.now_ns = clock_monotonic_ns();
	api_listing++;
	if (r >= 0)
		(void)flow_table_each(session_flows(m->session), on_flow, &l);
	api_listing--;
	api_unlock(m);
	return r < 0 ? r : l.n;
}

static void on_drop(const struct drop_total *t, void *arg)
{
	struct listing *l = arg;
	bool known = t->owner && t->owner->tgid;
	struct netprobe_drop x = { .size = sizeof(x),
				   .reason = t->reason,
				   .location = t->location,
				   .iface = t->iface,
				   .pid = known ? t->owner->tgid : 0,
				   .comm = known ? t->owner->comm : NULL,
				   .owner_match = known ? t->owner_match : NETPROBE_MATCH_NONE,
				   .netns = t->netns,
				   .proto = t->proto,
				   .benign = t->kind == NETPROBE_DROP_BENIGN ||
					     t->kind == NETPROBE_DROP_OTHERS,
				   .kind = (uint32_t)t->kind,
				   .counter = t->counter,
				   .rest = t->rest,
				   .lport = t->lport,
				   .packets = t->packets,
				   .bytes = t->bytes };

	api_container_fill(&x.container, known ? t->owner->cgroup : NULL);
	if (l->stopped)
		return;
	l->n++;
	l->stopped = l->drop && l->drop(&x, l->arg);
}

API_PUBLIC const char *netprobe_drop_kind_name(uint32_t kind)
{
	return kind < DROP_KINDS ? drop_kind_name((int)kind) : NULL;
}

API_PUBLIC int netprobe_manager_drops(struct netprobe_manager *m, netprobe_drop_fn fn, void *arg,
				      struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct listing l = { .m = m, .drop = fn, .arg = arg };
	int r = api_check_listing(err);

	if (r)
		return r;
	api_lock(m);
	api_listing++;
	r = m->drops
		    ? drop_watch_totals(m->drops, on_drop, &l)
		    : error_set(
			      err, -ENODEV,
			      "drops are not watched; takes enable_drop_events or count_drops, and "
			      "netprobe_manager_load");
	api_listing--;
	if (r < 0 && m->drops)
		(void)error_set(err, r, "drops cannot be read: %s", strerror(-r));
	api_unlock(m);
	return r < 0 ? r : l.n;
}

static int on_latency(const struct latency *e, void *arg)
{
	struct listing *l = arg;
	struct netprobe_latency x;

	api_latency_fill(&x, e);
	l->n++;
	return l->latency ? l->latency(&x, l->arg) : 0;
}

API_PUBLIC int netprobe_manager_latencies(struct netprobe_manager *m, netprobe_latency_fn fn,
					  void *arg, struct netprobe_error *err)
{
	API_ENTER(m, err);
	struct listing l = { .m = m, .latency = fn, .arg = arg };
	int r = api_check_listing(err);

	if (r)
		return r;
	api_lock(m);
	api_listing++;
	if (m->session)
		(void)latencies_each(session_latencies(m->session), on_latency, &l);
	else
		r = api_not_loaded(err);
	api_listing--;
	api_unlock(m);
	return r ? r : l.n;
}
