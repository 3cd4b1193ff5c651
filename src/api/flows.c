/* SPDX-License-Identifier: BSD-2-Clause */
/* What the capture knows when it is asked: sockets, drops, latencies. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "api/internal.h"
#include "base/error.h"
#include "flow/verdict.h"
#include "out/event.h"

_Static_assert(NETPROBE_VERDICT_MAX == VERDICT_MAX && NETPROBE_VERDICT_LOSS == VERDICT_LOSS,
	       "verdicts");
_Static_assert(NETPROBE_LATENCY_MAX == LATENCY_MAX && NETPROBE_LATENCY_STALL == LATENCY_STALL &&
		       NETPROBE_LATENCY_SLOTS == NP_HIST_SLOTS,
	       "latencies");
_Static_assert(NETPROBE_MATCH_EXACT == NP_MATCH_EXACT &&
		       NETPROBE_MATCH_LISTENER == NP_MATCH_LISTENER &&
		       NETPROBE_MATCH_PROCFS == NP_MATCH_PROCFS,
	       "owner_match");

/* What a caller of the first version has. */
#define FLOW_LEAST (offsetof(struct netprobe_flow, limits) + sizeof(uint32_t))

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

static const char *text(const char *s)
{
	return s ? s : "";
}

static void put_owner(struct netprobe_flow *x, const struct flow *f)
{
	const struct process *p = f->owner;
	const struct cgroup *cg = p->cgroup;

	x->last_pid = f->last->tgid;
	x->comm = x->exe = x->cgroup = x->container = "";
	x->last_comm = f->last->tgid ? f->last->comm : "";
	if (!p->tgid)
		return;
	x->pid = p->tgid;
	x->tid = f->last == p ? f->last_tid : 0;
	x->ppid = p->ppid;
	x->uid = p->uid;
	x->owner_match = f->owner_match;
	x->comm = p->comm;
	x->exe = text(p->exe);
	x->cgroup_id = cg ? cg->id : 0;
	x->cgroup = text(cg ? cg->path : NULL);
	x->container = text(cg ? cg->container_id : NULL);
}

static void put_where(struct netprobe_flow *x, const struct flow *f)
{
	const struct np_tuple *t = &f->tuple;
	const char *state = f->closed && t->proto == IPPROTO_TCP ? "CLOSE"
								 : tcp_state_name(t->state);

	x->sock = t->flags & NP_F_OWNID ? 0 : f->sock_id;
	x->netns = t->netns;
	x->proto = t->proto;
	x->lport = t->lport;
	x->rport = t->rport;
	memcpy(x->laddr, t->laddr, sizeof(x->laddr));
	memcpy(x->raddr, t->raddr, sizeof(x->raddr));
	x->iface = t->ifname;
	x->state = text(state);
	x->family = t->family == AF_INET ? 4 : t->family == AF_INET6 ? 6 : 0;
	x->listens = t->flags & NP_F_LISTEN;
}

static void put_counts(struct netprobe_flow *x, const struct flow *f, bool counted, float seconds)
{
	if (!counted) {
		x->tx_bytes = x->rx_bytes = x->tx_packets = x->rx_packets = NETPROBE_UNKNOWN;
		x->tx_rate = x->rx_rate = NETPROBE_UNKNOWN;
		return;
	}
	x->tx_bytes = f->counts.tx_bytes;
	x->rx_bytes = flow_rx_bytes(f);
	x->tx_packets = f->tx_pkts;
	x->rx_packets = f->rx_pkts;
	x->tx_unseen_bytes = f->tx_unseen;
	x->rx_unseen_bytes = f->rx_unseen;
	x->tx_rate = (uint64_t)flow_tx_rate(f, seconds);
	x->rx_rate = (uint64_t)flow_rx_rate(f, seconds);
}

static void put_tcp(struct netprobe_flow *x, const struct flow_tcp *t)
{
	x->bytes_acked = t->bytes_acked;
	x->bytes_received = t->bytes_received;
	x->bytes_retrans = t->bytes_retrans;
	x->srtt_us = t->srtt_us;
	x->min_rtt_us = t->min_rtt_us == UINT32_MAX ? 0 : t->min_rtt_us;
	x->stall_ns = t->stall_ns;
	x->cwnd = t->snd_cwnd;
	x->ssthresh = t->snd_ssthresh;
	x->in_flight = t->in_flight;
	x->mss = t->mss;
	x->peer_window = t->snd_wnd;
	x->unsent_bytes = t->unsent_bytes;
	x->unread_bytes = t->unread_bytes;
	x->sndbuf_bytes = t->sndbuf_bytes;
	x->delivery_rate = t->delivery_rate;
	x->pacing_rate = t->pacing_rate;
	x->bytes_sent = t->bytes_sent;
	x->busy_us = t->busy_us;
	x->rwnd_limited_us = t->rwnd_limited_us;
	x->sndbuf_limited_us = t->sndbuf_limited_us;
	x->recovery_us = t->recovery_us;
	x->rttvar_us = t->rttvar_us;
	x->limits = t->limits;
	x->has_tcp = true;
	x->queue_full = verdict_queue_full(t);
	x->receive_window = t->rcv_wnd;
	x->sndbuf_used_bytes = t->wmem_bytes;
	x->taken_us = t->taken_us;
}

/* Over the connection's life so far; none for what is older than the probe. */
static void put_verdict(struct netprobe_flow *x, const struct flow *f, uint64_t now_ns)
{
	uint64_t end = f->closed_ns ? f->closed_ns : now_ns;
	struct verdict_times t;
	int first;

	x->verdict = NETPROBE_VERDICT_NONE;
	if (!f->tcp || !f->established_ns || end <= f->established_ns)
		return;
	verdict_life(&t, f->tcp, (end - f->established_ns) / 1000);
	first = verdict_first(&t);
	if (first >= 0)
		x->verdict = (uint32_t)first;
	for (unsigned int i = 0; i < VERDICT_MAX; i++)
		x->shares[i] = verdict_share(&t, i);
}

static int on_flow(struct flow *f, void *arg)
{
	struct listing *l = arg;
	struct netprobe_flow x = { .size = sizeof(x) };

	if (f->frozen && !f->counts.tx_bytes && !flow_rx_bytes(f))
		return 0;
	put_owner(&x, f);
	put_where(&x, f);
	put_counts(&x, f, session_counts(l->m->session, f->tuple.proto),
		   flow_table_seconds(session_flows(l->m->session)));
	x.rname = text(session_rname(l->m->session, f));
	x.id = f->serial;
	x.part = f->part;
	x.former = f->frozen;
	x.closed = f->closed;
	x.retransmits = f->tuple.proto == IPPROTO_TCP ? f->counts.retrans : NETPROBE_UNKNOWN;
	if (f->tcp) {
		x.retransmits += f->tcp->synack_retrans;
		put_tcp(&x, f->tcp);
	}
	x.connect_us = f->connect_us;
	x.opened_ns = f->opened_ns;
	x.closed_ns = f->closed_ns;
	x.error = f->err;
	x.told_ns = l->now_ns;
	put_verdict(&x, f, l->now_ns);
	l->n++;
	return l->flow ? l->flow(&x, l->arg) : 0;
}

static void sample_of(const struct netprobe_flow *x, struct verdict_sample *ret)
{
	struct flow_tcp t = {
		.bytes_sent = x->bytes_sent,
		.bytes_retrans = x->bytes_retrans,
		.busy_us = x->busy_us,
		.rwnd_limited_us = x->rwnd_limited_us,
		.sndbuf_limited_us = x->sndbuf_limited_us,
		.recovery_us = x->recovery_us,
		.srtt_us = x->srtt_us,
		.rttvar_us = x->rttvar_us,
		.min_rtt_us = x->min_rtt_us,
		.snd_cwnd = x->cwnd,
		.in_flight = x->in_flight,
		.mss = x->mss,
		.unsent_bytes = x->unsent_bytes,
		.limits = (uint8_t)x->limits,
		.delivery_rate = x->delivery_rate,
	};

	verdict_sample_flow(ret, &t);
}

/* Microseconds between two looks: the kernel half's, where it says; a process may wait for a processor. */
static uint64_t between_us(const struct netprobe_flow *a, const struct netprobe_flow *b)
{
	uint64_t until = b->closed && b->closed_ns ? b->closed_ns : b->told_ns;

	if (a->taken_us && b->taken_us > a->taken_us)
		return b->taken_us - a->taken_us;
	return until > a->told_ns ? (until - a->told_ns) / 1000 : 0;
}

/* The time between two looks at one connection; another one has none. -EINVAL. */
static int add_looks(struct verdict_times *t, const struct netprobe_flow *was,
		     const struct netprobe_flow *now)
{
	struct verdict_sample before, after;
	struct netprobe_flow a, b;

	if (!was || !now || api_take(was, was->size, FLOW_LEAST, &a, sizeof(a), NULL) ||
	    api_take(now, now->size, FLOW_LEAST, &b, sizeof(b), NULL))
		return -EINVAL;
	if (a.proto != IPPROTO_TCP || a.sock != b.sock || a.opened_ns != b.opened_ns ||
	    !between_us(&a, &b))
		return 0;
	sample_of(&a, &before);
	sample_of(&b, &after);
	verdict_add(t, &before, &after, between_us(&a, &b));
	return 0;
}

API_PUBLIC int netprobe_verdict(const struct netprobe_flow *was, const struct netprobe_flow *now,
				double *ret_shares)
{
	struct verdict_times t = {};
	int r = add_looks(&t, was, now), first = verdict_first(&t);

	if (r)
		return r;
	for (unsigned int i = 0; ret_shares && i < VERDICT_MAX; i++)
		ret_shares[i] = verdict_share(&t, i);
	return first < 0 ? NETPROBE_VERDICT_NONE : first;
}

API_PUBLIC int netprobe_verdict_add(struct netprobe_verdict_sum *sum,
				    const struct netprobe_flow *was,
				    const struct netprobe_flow *now)
{
	struct verdict_times t;
	int r, first;

	if (!sum || sum->size < sizeof(*sum) || sum->size > API_SIZE_MAX)
		return -EINVAL;
	memcpy(t.us, sum->us, sizeof(t.us));
	t.sent = sum->bytes_sent;
	t.resent = sum->bytes_retrans;
	r = add_looks(&t, was, now);
	if (r)
		return r;
	memcpy(sum->us, t.us, sizeof(t.us));
	sum->bytes_sent = t.sent;
	sum->bytes_retrans = t.resent;
	first = verdict_first(&t);
	return first < 0 ? NETPROBE_VERDICT_NONE : first;
}

API_PUBLIC const char *netprobe_verdict_name(uint32_t verdict)
{
	return verdict < VERDICT_MAX ? verdict_name((int)verdict) : NULL;
}

API_PUBLIC const char *netprobe_latency_name(uint32_t latency)
{
	return latency_name(latency);
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
				   .benign = t->benign,
				   .counter = t->counter,
				   .lport = t->lport,
				   .packets = t->packets,
				   .bytes = t->bytes };

	if (known && t->owner->cgroup)
		x.container = t->owner->cgroup->container_id;
	if (l->stopped)
		return;
	l->n++;
	l->stopped = l->drop && l->drop(&x, l->arg);
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
	bool known = e->proc->tgid != 0;
	struct netprobe_latency x = { .size = sizeof(x), .pid = e->proc->tgid, .comm = "" };

	x.comm = known ? e->proc->comm : "";
	x.container = text(known && e->proc->cgroup ? e->proc->cgroup->container_id : NULL);
	for (unsigned int i = 0; i < LATENCY_MAX; i++)
		memcpy(x.counts[i], e->h[i].n, sizeof(x.counts[i]));
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
