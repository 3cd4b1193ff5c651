/* SPDX-License-Identifier: BSD-2-Clause */
/* The flow table's structures copied into the library's. No manager, no clock. */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "api/fill.h"
#include "flow/unowned.h"
#include "flow/verdict.h"
#include "out/event.h"
#include "owner/container_name.h"
#include "owner/user.h"
#include "wire/drops.h"

/* What the kernel half counts in has the header's numbers: nothing is translated on the way. */
_Static_assert(NETPROBE_LATENCY_SLOTS == NP_HIST_SLOTS, "latencies");
_Static_assert(NETPROBE_IPPROTO_MPTCP == NP_IPPROTO_MPTCP, "protocols");
_Static_assert(NETPROBE_RX == NP_DIR_RX && NETPROBE_TX == NP_DIR_TX, "directions");
_Static_assert(NETPROBE_MATCH_NONE == NP_MATCH_NONE && NETPROBE_MATCH_EXACT == NP_MATCH_EXACT &&
		       NETPROBE_MATCH_LISTENER == NP_MATCH_LISTENER &&
		       NETPROBE_MATCH_PROCFS == NP_MATCH_PROCFS,
	       "owner_match");
_Static_assert(NETPROBE_ROW_RATES == FLOW_HISTORY, "histories");

static const char *text(const char *s)
{
	return s ? s : "";
}

void api_container_fill(struct netprobe_container *x, const struct cgroup *cg)
{
	const struct container_info *info = cgroup_info(cg);

	*x = (struct netprobe_container){
		.id = text(cg ? cg->container_id : NULL),
		.name = text(info->name),
		.runtime = text(cgroup_runtime(cg)),
		.pod = text(cg ? cg->pod_uid : NULL),
		.pod_namespace = text(info->pod_namespace),
		.image = text(info->image),
		.pod_name = text(info->pod_name),
		.project = text(info->project),
		.service = text(info->service),
	};
}

static void put_owner(struct netprobe_flow *x, const struct flow *f)
{
	const struct process *p = f->owner;
	const struct cgroup *cg = p->cgroup;

	x->last_pid = f->last->tgid;
	x->comm = x->exe = x->cgroup = "";
	api_container_fill(&x->container, p->tgid ? cg : NULL);
	x->last_comm = f->last->tgid ? f->last->comm : "";
	if (!p->tgid)
		return;
	x->pid = p->tgid;
	x->tid = f->last == p ? f->last_tid : 0;
	x->ppid = p->ppid;
	x->ns_pid = p->ns_tgid;
	x->uid = p->uid;
	x->owner_match = f->owner_match;
	x->comm = p->comm;
	x->exe = text(p->exe);
	x->cgroup_id = cg ? cg->id : 0;
	x->cgroup = text(cg ? cg->path : NULL);
}

static void put_where(struct netprobe_flow *x, const struct flow *f)
{
	const struct np_tuple *t = &f->tuple;
	const char *state = f->closed && f->tcp ? "CLOSE" : tcp_state_name(t->state);

	x->sock = t->flags & NP_F_OWNID ? 0 : f->sock_id;
	x->netns = t->netns;
	x->proto = t->proto;
	x->lport = t->lport;
	x->rport = t->rport;
	memcpy(x->laddr, t->laddr, sizeof(x->laddr));
	memcpy(x->raddr, t->raddr, sizeof(x->raddr));
	x->iface = t->ifname;
	x->state = text(state);
	x->tcp_state = t->state;
	x->family = t->family == AF_INET ? 4 : t->family == AF_INET6 ? 6 : 0;
	x->listens = t->flags & NP_F_LISTEN;
}

static void put_counts(struct netprobe_flow *x, const struct flow *f, bool counted, float seconds)
{
	if (!counted) {
		x->tx_bytes = x->rx_bytes = x->tx_pkts = x->rx_pkts = NETPROBE_UNKNOWN;
		x->tx_bytes_per_s = x->rx_bytes_per_s = NETPROBE_UNKNOWN;
		return;
	}
	x->tx_bytes = f->counts.tx_bytes;
	x->rx_bytes = flow_rx_bytes(f);
	/* of MPTCP the segments are its subflows' */
	x->tx_pkts = f->tuple.proto == NP_IPPROTO_MPTCP ? NETPROBE_UNKNOWN : f->tx_pkts;
	x->rx_pkts = f->tuple.proto == NP_IPPROTO_MPTCP ? NETPROBE_UNKNOWN : f->rx_pkts;
	x->tx_unseen_bytes = flow_rare(f)->tx_unseen;
	x->rx_unseen_bytes = flow_rare(f)->rx_unseen;
	x->tx_bytes_per_s = (uint64_t)flow_tx_rate(f, seconds);
	x->rx_bytes_per_s = (uint64_t)flow_rx_rate(f, seconds);
}

/* What is told of MPTCP as well. */
static void put_retransmits(struct netprobe_flow *x, const struct flow_rare *t)
{
	x->stall_ns = t->stall_ns;
	x->retransmits_timeout = t->rtx_cause[NP_RTX_TIMEOUT];
	x->retransmits_fast = t->rtx_cause[NP_RTX_FAST];
	x->retransmits_tail_loss_probe = t->rtx_cause[NP_RTX_TLP];
	x->retransmits_synack = t->synack_retrans;
	x->retransmits_spurious = t->rtx_spurious;
	x->retransmits += t->synack_retrans;
	x->subflows = t->subflows;
}

/* Of former owners only what was while they had the socket; what is of one moment stays what it was then. */
static void put_tcp(struct netprobe_flow *x, const struct flow *f)
{
	struct flow_tcp own, *t = &own;
	struct flow_rare rare;

	flow_tcp_own(f, &own, &rare);
	put_retransmits(x, &rare);
	if (!flow_is_tcp(f))
		return;
	x->bytes_acked = t->bytes_acked;
	x->bytes_received = t->bytes_received;
	x->bytes_retrans = t->bytes_retrans;
	x->srtt_us = t->srtt_us;
	x->min_rtt_us = t->min_rtt_us == UINT32_MAX ? 0 : t->min_rtt_us;
	x->cwnd = t->snd_cwnd;
	x->ssthresh = t->snd_ssthresh;
	x->in_flight = t->in_flight;
	x->mss = t->mss;
	x->peer_window = t->snd_wnd;
	x->unsent_bytes = t->unsent_bytes;
	x->unread_bytes = t->unread_bytes;
	x->sndbuf_bytes = t->sndbuf_bytes;
	x->delivery_bytes_per_s = t->delivery_rate;
	x->pacing_bytes_per_s = t->pacing_rate;
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
	if (x->listens) {
		/* a listener has connections in its queue, and no bytes */
		x->unread_bytes = x->sndbuf_bytes = 0;
		x->queue_full = false;
	}
	x->sndbuf_used_bytes = t->wmem_bytes;
	x->taken_us = t->taken_us;
	x->ca_state = t->ca_state;
}

/* Over the connection's life so far; none for what is older than the probe. */
static void put_verdict(struct netprobe_flow *x, const struct flow *f, uint64_t now_ns)
{
	uint64_t end = f->closed_ns ? f->closed_ns : now_ns;
	struct verdict_times t;
	int first;

	x->verdict = NETPROBE_VERDICT_NONE;
	if (!flow_is_tcp(f) || !f->established_ns || end <= f->established_ns)
		return;
	verdict_life(&t, f->tcp, (end - f->established_ns) / 1000);
	first = verdict_first(&t);
	if (first >= 0)
		x->verdict = (uint32_t)first;
	for (unsigned int i = 0; i < NETPROBE_VERDICT_MAX; i++)
		x->shares[i] = verdict_share(&t, i);
}

void api_flow_fill(struct netprobe_flow *x, const struct flow *f, const char *rname, bool counted,
		   float seconds, uint64_t now_ns)
{
	*x = (struct netprobe_flow){ .size = sizeof(*x) };
	put_owner(x, f);
	put_where(x, f);
	put_counts(x, f, counted, seconds);
	x->rname = text(rname);
	x->id = f->serial;
	x->part = f->part;
	x->former = f->frozen;
	x->closed = f->closed;
	x->retransmits = f->tuple.proto == IPPROTO_TCP || f->tuple.proto == NP_IPPROTO_MPTCP
				 ? f->counts.retrans
				 : NETPROBE_UNKNOWN;
	if (f->tcp)
		put_tcp(x, f);
	x->connect_us = f->connect_us;
	x->opened_ns = f->opened_ns;
	x->closed_ns = f->closed_ns;
	x->error = f->err;
	x->told_ns = now_ns;
	put_verdict(x, f, now_ns);
}

void api_latency_fill(struct netprobe_latency *x, const struct latency *e)
{
	const struct process *p = e->proc;
	bool known = p->tgid != 0;

	*x = (struct netprobe_latency){ .size = sizeof(*x), .pid = p->tgid };
	x->comm = known ? p->comm : "";
	api_container_fill(&x->container, known ? p->cgroup : NULL);
	for (unsigned int i = 0; i < NETPROBE_LATENCY_MAX; i++)
		memcpy(x->counts[i], e->h[i].n, sizeof(x->counts[i]));
}

uint32_t api_rates_fill(float rates[NETPROBE_ROW_RATES], const struct history *h)
{
	uint32_t n = h ? (h->count < FLOW_HISTORY ? h->count : FLOW_HISTORY) : 0;

	for (uint32_t i = 0; i < n; i++)
		rates[i] = h->rate[(h->next + FLOW_HISTORY - (n - i)) % FLOW_HISTORY];
	return n;
}

static void put_group(struct netprobe_row *x, const struct view_row *from)
{
	const struct process *p = from->proc;
	const struct cgroup *cg = from->cgroup ? from->cgroup : p ? p->cgroup : NULL;
	bool known = p && p->tgid;

	x->pid = known ? p->tgid : 0;
	x->comm = known ? p->comm : "";
	x->cgroup = text(cg ? cg->path : NULL);
	api_container_fill(&x->container, cg);
	x->uid = known ? p->uid : from->uid;
	x->user = user_name(x->uid);
	x->ppid = known ? p->ppid : 0;
	x->start_ns = known ? p->start_ns : 0;
	x->exe = text(known ? p->exe : from->program);
	if (from->busiest) {
		memcpy(x->peer, from->busiest->tuple.raddr, sizeof(x->peer));
		x->peer_port = from->busiest->tuple.rport;
	}
}

static void put_health(struct netprobe_row *x, const struct view_row *from)
{
	x->retransmits = from->retrans;
	x->tx_segments = from->segs;
	x->retransmit_rate = (double)from->retrans_rate;
	x->segment_rate = (double)from->segs_rate;
	x->retransmits_timeout = from->trouble.rtx[NP_RTX_TIMEOUT];
	x->retransmits_fast = from->trouble.rtx[NP_RTX_FAST];
	x->retransmits_tail_loss_probe = from->trouble.rtx[NP_RTX_TLP];
	x->retransmits_synack = from->trouble.synack;
	x->retransmits_spurious = from->trouble.spurious;
	x->stall_ns = from->trouble.stall_ns;
	x->verdict = from->verdict < 0 ? NETPROBE_VERDICT_NONE : (uint32_t)from->verdict;
	memcpy(x->verdict_us, from->times.us, sizeof(x->verdict_us));
	x->has_drops = from->has_drops;
	x->drops = from->drops;
}

static void link_fill(struct netprobe_link *x, const struct nic *n)
{
	const struct nic_counts tx = nic_counts(n, NETPROBE_TX), rx = nic_counts(n, NETPROBE_RX);

	*x = (struct netprobe_link){ .size = sizeof(*x),
				     .state = n->state,
				     .speed_mbit = n->mbit,
				     .duplex = n->duplex,
				     .tx_bytes = tx.bytes,
				     .rx_bytes = rx.bytes,
				     .tx_packets = tx.packets,
				     .rx_packets = rx.packets,
				     .tx_errors = tx.errors,
				     .rx_errors = rx.errors,
				     .tx_dropped = tx.dropped,
				     .rx_dropped = rx.dropped,
				     .tx_bytes_per_s = (double)n->side[NETPROBE_TX].bytes_s,
				     .rx_bytes_per_s = (double)n->side[NETPROBE_RX].bytes_s,
				     .tx_packets_per_s = (double)n->side[NETPROBE_TX].packets_s,
				     .rx_packets_per_s = (double)n->side[NETPROBE_RX].packets_s,
				     .tx_unowned = (double)n->side[NETPROBE_TX].unowned,
				     .rx_unowned = (double)n->side[NETPROBE_RX].unowned };
}

static const char *group_of(struct api_row *to, const struct view_row *from)
{
	if (!from->text || from->text_len < sizeof(from->name))
		return from->name;
	(void)snprintf(to->group, sizeof(to->group), "%.*s", (int)from->text_len, from->text);
	return to->group;
}

void api_row_fill(struct api_row *to, const struct view_row *from, bool counted, float seconds,
		  uint64_t now_ns)
{
	struct netprobe_row *x = &to->row;

	*x = (struct netprobe_row){ .size = sizeof(*x),
				    .key = from->key,
				    .group = group_of(to, from),
				    .rname = text(from->rname),
				    .netns = from->netns,
				    .tx_bytes_per_s = (double)from->tx_rate,
				    .rx_bytes_per_s = (double)from->rx_rate,
				    .tx_bytes = from->tx_bytes,
				    .rx_bytes = from->rx_bytes,
				    .connections = from->conns,
				    .srtt_us = from->rtt_us,
				    .exited = from->exited,
				    .rest = from->rest,
				    .rates = to->rates };
	memcpy(x->addr, from->addr, sizeof(x->addr));
	put_group(x, from);
	put_health(x, from);
	x->n_rates = api_rates_fill(to->rates, from->history);
	x->what = from->what == UNOWNED_FORWARD ? "forwarded" : from->what ? "unowned" : "";
	if (from->flow) {
		api_flow_fill(&to->flow, from->flow, from->rname, counted, seconds, now_ns);
		x->flow = &to->flow;
		if (!counted) {
			x->tx_bytes = x->rx_bytes = NETPROBE_UNKNOWN;
			x->tx_bytes_per_s = x->rx_bytes_per_s = -1;
		}
	}
	if (from->flow && to->flow.listens && from->flow->tcp && !from->flow->closed) {
		x->has_queue = true;
		x->queue = from->flow->tcp->unread_bytes;
		x->backlog = from->flow->tcp->sndbuf_bytes;
	}
	if (from->nic) {
		link_fill(&to->link, from->nic);
		x->link = &to->link;
	}
	if (from->latency) {
		api_latency_fill(&to->latency, from->latency);
		x->latency = &to->latency;
	}
}
