/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Main records: what the kernel half says of a socket becomes the socket's flow. Counts are
 * cumulative and may only grow; whatever is late, repeated or lost in between must not make a byte
 * count twice. Parts are part.c's.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "flow/store.h"
#include "flow/verdict.h"

static uint64_t above(uint64_t value, uint64_t base)
{
	return value > base ? value - base : 0;
}

/* Raise *total to value; what it was raised by. */
static uint64_t grow(uint64_t *total, uint64_t value)
{
	uint64_t d = above(value, *total);

	*total += d;
	return d;
}

/* A 32-bit counter of the kernel, which wraps. A step back is a late record, not a wrap. */
static uint64_t grow_wrapping(uint32_t *last, uint32_t value)
{
	int32_t d = (int32_t)(value - *last);

	if (d <= 0)
		return 0;
	*last = value;
	return (uint64_t)d;
}

/* Both known and different: a thing that is fixed once it is known. */
static bool differs(uint64_t a, uint64_t b)
{
	return a && b && a != b;
}

/* Is the record of another connection on the same socket? Only TCP sockets have several lives. */
static bool is_other_life(const struct flow *f, const struct np_sock_rec *rec)
{
	return differs(f->opened_ns, rec->opened_ns) ||
	       differs(f->established_ns, rec->established_ns);
}

/* For a closed flow: is the record one more of the life that ended, overtaken by its end? */
static bool is_same_life(const struct flow *f, const struct np_sock_rec *rec)
{
	const struct np_tuple *old = &f->tuple, *now = &rec->tuple;

	if (rec->opened_ns > f->closed_ns || rec->established_ns > f->closed_ns)
		return false;
	if (differs(f->opened_ns, rec->opened_ns) || differs(old->lport, now->lport))
		return false;
	return !old->rport || !now->rport ||
	       (old->rport == now->rport &&
		memcmp(old->raddr, now->raddr, sizeof(old->raddr)) == 0);
}

static bool is_less(const struct np_sock_rec *rec, const struct flow *f)
{
	return rec->counts.tx_bytes < f->counts.tx_bytes ||
	       rec->counts.rx_bytes < f->counts.rx_bytes;
}

/* A connection that was accepted and not used yet has segments, but nobody's bytes. */
static bool is_untouched(const struct flow *f)
{
	const struct flow_counts *c = &f->counts;
	const struct flow_rare *rare = flow_rare(f);

	if (rare->synack_retrans != (rare->former ? rare->former->synack_retrans : 0))
		return false; /* a listener's */
	return !(c->tx_bytes | c->rx_bytes | c->retrans | rare->rx_unseen) &&
	       (f->tcp || !(f->tx_pkts | f->rx_pkts));
}

/* Counts that the socket's former owners took with them. */
static struct np_counts frozen_counts(const struct flow_table *t, const struct flow *f)
{
	const struct flow_home *h = store_home(t, f->sock_id);
	struct np_counts sum = { 0 };
	const struct flow *old;

	for (old = h ? h->frozen : NULL; old; old = old->queue_next) {
		sum.tx_bytes += old->counts.tx_bytes;
		sum.rx_bytes += old->counts.rx_bytes;
		sum.retrans += old->counts.retrans;
		if (!old->tcp) {
			sum.tx_calls += old->tx_pkts;
			sum.rx_calls += old->rx_pkts;
		}
	}
	return sum;
}

/*
 * What of the record's unseen bytes is settled, see table.h. The kernel's figure runs ahead of ours
 * while a call is under way, so one reading proves nothing.
 */
static uint64_t settle_unseen(const struct flow *f, const struct np_sock_rec *rec,
			      uint64_t rx_bytes)
{
	uint64_t now = rec->tcp.rx_unseen > 0 ? (uint64_t)rec->tcp.rx_unseen : 0;
	uint64_t before = flow_rare(f)->cand_rx_unseen, settled = before < now ? before : now;
	uint64_t least = above(flow_rx_bytes(f), rx_bytes);

	if (rec->tuple.flags & NP_F_ULP)
		return flow_rare(f)->rx_unseen;
	if (rec->tuple.flags & NP_F_DEAD)
		settled = now;
	return settled > least ? settled : least;
}

void feed_confirm_unseen(struct flow_table *t, struct flow *f)
{
	uint64_t d = f->rare ? above(f->rare->cand_rx_unseen, f->rare->rx_unseen) : 0;

	if (!d)
		return;
	f->rare->rx_unseen += d;
	store_pending(t, f)->rx_bytes += d;
}

static void tcp_store(struct flow_tcp *to, const struct np_tcp *from)
{
	to->bytes_acked = from->bytes_acked;
	to->bytes_received = from->bytes_received;
	to->bytes_sent = from->bytes_sent;
	to->bytes_retrans = from->bytes_retrans;
	to->delivery_rate = from->delivery_rate;
	to->pacing_rate = from->pacing_rate;
	to->srtt_us = from->srtt_us;
	to->rttvar_us = from->rttvar_us;
	to->min_rtt_us = from->min_rtt_us;
	to->snd_cwnd = from->snd_cwnd;
	to->snd_ssthresh = from->snd_ssthresh;
	to->snd_wnd = from->snd_wnd;
	to->mss = (uint16_t)(from->mss < UINT16_MAX ? from->mss : UINT16_MAX);
	to->in_flight = from->in_flight;
	to->taken_us = (uint32_t)from->taken_us;
	to->busy_us = from->busy_us;
	to->rwnd_limited_us = from->rwnd_limited_us;
	to->sndbuf_limited_us = from->sndbuf_limited_us;
	to->recovery_us = from->recovery_us;
	to->unread_bytes = from->unread_bytes;
	to->unsent_bytes = from->unsent_bytes;
	to->ca_state = (uint8_t)from->ca_state;
	to->rcv_wnd = from->rcv_wnd;
	to->sndbuf_bytes = from->sndbuf_bytes;
	to->wmem_bytes = from->wmem_bytes;
	to->limits = (uint8_t)from->limits;
}

/* Has the record what only some sockets have? */
static bool has_rare(const struct np_sock_rec *rec)
{
	const struct np_tcp *t = &rec->tcp;
	uint64_t any = rec->stall_ns | t->synack_retrans | t->listen_drops | t->rtx_spurious |
		       rec->subflows;

	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		any |= t->rtx_cause[i];
	return any || t->rx_unseen > 0 || t->tx_unseen > 0;
}

static int rare_get(struct flow *f)
{
	if (!f->rare)
		f->rare = calloc(1, sizeof(*f->rare));
	return f->rare ? 0 : -ENOMEM;
}

/* Causes only tell something where the retransmits themselves are told. */
static void causes_apply(struct flow_rare *to, const struct np_tcp *from, struct flow_delta *d)
{
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		d->rtx_cause[i] = (uint32_t)grow_wrapping(&to->rtx_cause[i], from->rtx_cause[i]);
	d->rtx_spurious = (uint32_t)grow_wrapping(&to->rtx_spurious, from->rtx_spurious);
}

#define LISTEN_LIMITS (NP_TCP_ACCEPT_FULL | NP_TCP_SYN_FULL)

static void rare_apply(struct flow_rare *to, const struct np_sock_rec *rec, uint32_t limits_before,
		       struct flow_delta *d)
{
	const struct np_tcp *tcp = &rec->tcp;

	to->cand_rx_unseen = 0;
	if (tcp->rx_unseen > 0 && !(rec->tuple.flags & NP_F_ULP))
		to->cand_rx_unseen = (uint64_t)tcp->rx_unseen;
	to->tx_unseen = tcp->tx_unseen > 0 ? (uint64_t)tcp->tx_unseen : 0;
	if (tcp->synack_retrans > to->synack_retrans) {
		d->synack = tcp->synack_retrans - to->synack_retrans;
		to->synack_retrans = (uint32_t)tcp->synack_retrans;
	}
	if (tcp->listen_drops > to->listen_drops) {
		d->listen_drops = tcp->listen_drops - to->listen_drops;
		d->listen_limits = (limits_before | tcp->limits) & LISTEN_LIMITS;
		to->listen_drops = tcp->listen_drops;
	}
	causes_apply(to, tcp, d);
	(void)grow(&to->stall_ns, rec->stall_ns);
	to->subflows = rec->subflows;
}

/* f->rare is there, if the record has anything for it. */
static void counts_apply(struct flow *f, const struct np_sock_rec *rec,
			 const struct np_counts *base, struct flow_delta *d)
{
	uint64_t rx_bytes = above(rec->counts.rx_bytes, base->rx_bytes);
	uint64_t rx_shown = flow_rx_bytes(f);

	d->tx_bytes = grow(&f->counts.tx_bytes, above(rec->counts.tx_bytes, base->tx_bytes));
	d->retrans = grow(&f->counts.retrans, above(rec->counts.retrans, base->retrans));
	if (!f->tcp) {
		(void)grow(&f->counts.rx_bytes, rx_bytes);
		d->tx_pkts = grow(&f->tx_pkts, above(rec->counts.tx_calls, base->tx_calls));
		d->rx_pkts = grow(&f->rx_pkts, above(rec->counts.rx_calls, base->rx_calls));
	} else {
		if (rx_bytes < f->counts.rx_bytes)
			rx_bytes = f->counts.rx_bytes;
		if (f->rare) {
			f->rare->rx_unseen = settle_unseen(f, rec, rx_bytes);
			rare_apply(f->rare, rec, f->tcp->limits, d);
		}
		f->counts.rx_bytes = rx_bytes;
		d->tx_pkts = grow_wrapping(&f->tcp->segs_out, rec->tcp.segs_out);
		d->rx_pkts = grow_wrapping(&f->tcp->segs_in, rec->tcp.segs_in);
		f->tx_pkts += d->tx_pkts;
		f->rx_pkts += d->rx_pkts;
		d->tx_wire = above(rec->tcp.bytes_sent, f->tcp->bytes_sent);
		d->rx_wire = above(rec->tcp.bytes_received, f->tcp->bytes_received);
		verdict_past_add(&f->tcp->past, f->tcp, &rec->tcp);
		tcp_store(f->tcp, &rec->tcp);
	}
	d->rx_bytes = flow_rx_bytes(f) - rx_shown;
}

/* A record at the end may lack what the socket has already let go of: known ends stay. */
static void tuple_apply(struct np_tuple *to, const struct np_tuple *from)
{
	static const uint8_t none[16];
	struct np_tuple old = *to;

	*to = *from;
	to->ifname[sizeof(to->ifname) - 1] = '\0';
	if (!from->lport && memcmp(from->laddr, none, sizeof(none)) == 0) {
		memcpy(to->laddr, old.laddr, sizeof(to->laddr));
		to->lport = old.lport;
	}
	if ((from->flags & NP_F_DEAD) && !from->rport) {
		memcpy(to->raddr, old.raddr, sizeof(to->raddr));
		to->rport = old.rport;
	}
	if (!from->family)
		to->family = old.family;
	if (!from->netns)
		to->netns = old.netns;
	if (!from->ifname[0]) {
		memcpy(to->ifname, old.ifname, sizeof(to->ifname));
		to->ifindex = old.ifindex;
	}
}

static void life_apply(struct flow *f, const struct np_sock_rec *rec)
{
	tuple_apply(&f->tuple, &rec->tuple);
	if (rec->opened_ns)
		f->opened_ns = rec->opened_ns;
	if (rec->established_ns)
		f->established_ns = rec->established_ns;
	if (rec->connect_us)
		f->connect_us = rec->connect_us;
	if (rec->err)
		f->err = (uint16_t)rec->err;
	if (rec->last.tid)
		f->last_tid = rec->last.tid;
	f->last_match = rec->last.match;
}

/* *slot becomes the process of owner. */
static int set_process(struct flow_table *t, struct process **slot, const struct np_owner *owner,
		       uint64_t now_ns)
{
	struct process *p;

	if (*slot && process_is_current(*slot, owner))
		return 0;
	p = process_table_get(t->procs, owner, now_ns);
	if (!p)
		return -ENOMEM;
	process_unref(t->procs, *slot);
	*slot = p;
	return 0;
}

/* Might the record move anything? Asked first, so that no memory means nothing was changed. */
static bool may_move(const struct flow *f, const struct np_sock_rec *rec)
{
	const struct np_counts *c = &rec->counts;

	if (c->tx_bytes > f->counts.tx_bytes || c->rx_bytes > f->counts.rx_bytes ||
	    c->retrans > f->counts.retrans)
		return true;
	if (!f->tcp)
		return c->tx_calls > f->tx_pkts || c->rx_calls > f->rx_pkts;
	return rec->tcp.rx_unseen > 0 || rec->tcp.segs_out != f->tcp->segs_out ||
	       rec->tcp.segs_in != f->tcp->segs_in ||
	       rec->tcp.rtx_spurious != flow_rare(f)->rtx_spurious ||
	       rec->tcp.synack_retrans > flow_rare(f)->synack_retrans ||
	       rec->tcp.listen_drops > flow_rare(f)->listen_drops;
}

static void delta_add(struct flow_delta *to, const struct flow_delta *d)
{
	to->tx_bytes += d->tx_bytes;
	to->rx_bytes += d->rx_bytes;
	to->tx_pkts += d->tx_pkts;
	to->rx_pkts += d->rx_pkts;
	to->tx_wire += d->tx_wire;
	to->rx_wire += d->rx_wire;
	to->retrans += d->retrans;
	to->synack += d->synack;
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		to->rtx_cause[i] += d->rtx_cause[i];
	to->rtx_spurious += d->rtx_spurious;
	to->listen_drops += d->listen_drops;
	to->listen_limits |= d->listen_limits;
}

static int apply(struct flow_table *t, struct flow *f, const struct np_sock_rec *rec,
		 uint64_t now_ns)
{
	const struct np_owner *last = rec->last.tgid ? &rec->last : &rec->owner;
	struct np_counts base = frozen_counts(t, f);
	struct flow_delta d = { 0 };
	int r = 0;

	if (f->tcp && has_rare(rec))
		r = rare_get(f);
	if (r == 0 && may_move(f, rec))
		r = store_activate(t, f);
	/* on a late record of a closed flow the owners may be the next life's */
	if (r == 0 && !f->closed)
		r = set_process(t, &f->owner, &rec->owner, now_ns);
	if (r == 0 && !f->closed)
		r = set_process(t, &f->last, last, now_ns);
	if (r < 0)
		return r;
	if (!f->closed) {
		f->owner_match = rec->owner.match;
		life_apply(f, rec);
	}
	counts_apply(f, rec, &base, &d);
	if (f->recent && store_pending(t, f))
		delta_add(store_pending(t, f), &d);
	f->fresh = true;
	return 0;
}

static int flow_make(struct flow_table *t, const struct np_sock_rec *rec, uint64_t now_ns,
		     struct flow **ret)
{
	bool tcp = rec->tuple.proto == IPPROTO_TCP || rec->tuple.proto == NP_IPPROTO_MPTCP;
	struct flow *f;
	int r;

	r = store_make_room(t, rec->tuple.flags & NP_F_DEAD, rec->sock_id);
	if (r < 0)
		return r;
	f = tcp ? pool_take(&t->tcp_flows) : calloc(1, sizeof(struct flow));
	if (!f)
		return -ENOMEM;
	/* its segments count from when the probe met it: the kernel half takes the rest off */
	if (tcp)
		f->tcp = &((struct flow_main_tcp *)(void *)f)->tcp;
	f->sock_id = rec->sock_id;
	r = set_process(t, &f->owner, &rec->owner, now_ns);
	if (r == 0)
		r = set_process(t, &f->last, rec->last.tgid ? &rec->last : &rec->owner, now_ns);
	if (r < 0) {
		process_unref(t->procs, f->owner);
		if (tcp)
			pool_put(&t->tcp_flows, f);
		else
			free(f);
		return r;
	}
	f->tuple = rec->tuple;
	store_add(t, f);
	*ret = f;
	return 0;
}

/* The socket went on to another owner: what it counted so far stays the former one's. */
static int freeze(struct flow_table *t, struct flow *f, struct flow_home **ret_home)
{
	struct flow_home *h = store_home_get(t, f->sock_id);

	if (!h)
		return -ENOMEM;
	t->n_open--;
	f->frozen = true;
	f->queue_next = h->frozen;
	h->frozen = f;
	*ret_home = h;
	return 0;
}

static void unfreeze(struct flow_table *t, struct flow *f, struct flow_home *h)
{
	h->frozen = f->queue_next;
	f->queue_next = NULL;
	f->frozen = false;
	t->n_open++;
	store_home_put(t, h);
}

/*
 * What the heir begins with: all that the socket met so far, but what no call took, which stays its former owner's.
 * Each figure of the socket has one owner: the heir's begin where those of the former ones end.
 */
static struct flow_rare *rare_of_heir(const struct flow *old)
{
	const struct flow_tcp *t = old->tcp;
	struct flow_former *former = malloc(sizeof(*former));
	struct flow_rare *rare = malloc(sizeof(*rare));

	if (!former || !rare) {
		free(former);
		free(rare);
		return NULL;
	}
	*rare = *flow_rare(old);
	rare->rx_unseen = rare->tx_unseen = rare->cand_rx_unseen = 0;
	rare->former = former;
	*former = (struct flow_former){ .bytes_acked = t->bytes_acked,
					.bytes_received = t->bytes_received,
					.bytes_sent = t->bytes_sent,
					.bytes_retrans = t->bytes_retrans,
					.stall_ns = rare->stall_ns,
					.rtx_spurious = rare->rtx_spurious,
					.synack_retrans = rare->synack_retrans };
	memcpy(former->rtx_cause, rare->rtx_cause, sizeof(former->rtx_cause));
	return rare;
}

void flow_tcp_own(const struct flow *f, struct flow_tcp *ret, struct flow_rare *ret_rare)
{
	const struct flow_former *old = flow_rare(f)->former;

	*ret = *f->tcp;
	*ret_rare = *flow_rare(f);
	if (!old)
		return;
	ret->bytes_acked = above(ret->bytes_acked, old->bytes_acked);
	ret->bytes_received = above(ret->bytes_received, old->bytes_received);
	ret->bytes_sent = above(ret->bytes_sent, old->bytes_sent);
	ret->bytes_retrans = above(ret->bytes_retrans, old->bytes_retrans);
	ret_rare->stall_ns = above(ret_rare->stall_ns, old->stall_ns);
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		ret_rare->rtx_cause[i] -= old->rtx_cause[i];
	ret_rare->rtx_spurious -= old->rtx_spurious;
	ret_rare->synack_retrans -= old->synack_retrans;
}

static int make_heir(struct flow_table *t, struct flow *old, const struct np_sock_rec *rec,
		     uint64_t now_ns, struct flow **ret)
{
	struct flow_rare *rare = old->tcp ? rare_of_heir(old) : NULL;
	struct flow_home *h;
	int r = old->tcp && !rare ? -ENOMEM : freeze(t, old, &h);

	if (r < 0) {
		store_rare_free(rare);
		return r;
	}
	r = flow_make(t, rec, now_ns, ret);
	if (r < 0) {
		unfreeze(t, old, h);
		store_rare_free(rare);
		return r;
	}
	(*ret)->heir = true;
	/* the record that comes replaces what is of one moment */
	if ((*ret)->tcp && old->tcp) {
		*(*ret)->tcp = *old->tcp;
		(*ret)->rare = rare;
	} else {
		store_rare_free(rare);
	}
	return 0;
}

/* rec, of what came since f's last record, as one of all it counted. */
static void add_former(struct np_sock_rec *rec, const struct flow *f)
{
	rec->counts.tx_bytes += f->counts.tx_bytes;
	rec->counts.rx_bytes += f->counts.rx_bytes;
	rec->counts.retrans += f->counts.retrans;
	if (!f->tcp) {
		rec->counts.tx_calls += f->tx_pkts;
		rec->counts.rx_calls += f->rx_pkts;
		return;
	}
	rec->tcp.segs_out += f->tcp->segs_out;
	rec->tcp.segs_in += f->tcp->segs_in;
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		rec->tcp.rtx_cause[i] += flow_rare(f)->rtx_cause[i];
}

/* Its flow went: what the record has more than was told then joins the totals, and makes no flow again. */
static void late_apply(struct flow_table *t, struct flow_gone *g, const struct np_sock_rec *rec,
		       uint64_t now_ns)
{
	struct np_counts now = rec->counts;
	struct flow_delta d = { 0 };

	if (g->heir)
		return;
	if (rec->tcp.rx_unseen > 0 && !(rec->tuple.flags & NP_F_ULP))
		now.rx_bytes += (uint64_t)rec->tcp.rx_unseen;
	d.tx_bytes = grow(&g->told.tx_bytes, now.tx_bytes);
	d.rx_bytes = grow(&g->told.rx_bytes, now.rx_bytes);
	d.retrans = grow(&g->told.retrans, now.retrans);
	if (d.tx_bytes | d.rx_bytes | d.retrans)
		store_spill(t, &rec->owner, &rec->tuple, &d, now_ns);
}

/* is_moved: rec tells what came since the last one, and a flow that went begins at nothing. */
static int feed_sock(struct flow_table *t, const struct np_sock_rec *rec, uint64_t now_ns,
		     bool is_moved)
{
	struct flow *f = store_find_main(t, rec->sock_id);
	struct flow_gone *gone = f || is_moved ? NULL : store_gone(t, rec);
	uint64_t closed_ns = rec->closed_ns ? rec->closed_ns : now_ns;
	int r = 0;

	if (!t->tick_ns)
		t->tick_ns = now_ns;
	if (gone) {
		late_apply(t, gone, rec, now_ns);
		return 0;
	}
	if (f && f->closed && !is_same_life(f, rec))
		f = NULL;
	if (f && f->closed && f->heir)
		return 0; /* what is its own in the record cannot be told any more */
	if (f && !f->closed &&
	    (is_other_life(f, rec) || (!process_is(f->owner, &rec->owner) && is_less(rec, f)))) {
		store_close(t, f, now_ns); /* its last record was lost */
		f = NULL;
	}
	if (!f)
		r = flow_make(t, rec, now_ns, &f);
	else if (!f->closed && !process_is(f->owner, &rec->owner) && !is_untouched(f))
		r = make_heir(t, f, rec, now_ns, &f);
	if (r == 0)
		r = apply(t, f, rec, now_ns);
	/* even where its counts were lost for want of memory: there is no second end */
	if (f && (rec->tuple.flags & NP_F_DEAD)) {
		f->dead = !is_moved;
		store_close(t, f, closed_ns);
	}
	return r;
}

int flow_table_sock(struct flow_table *t, const struct np_sock_rec *rec, uint64_t now_ns)
{
	return feed_sock(t, rec, now_ns, false);
}

int flow_table_moved(struct flow_table *t, const struct np_sock_rec *rec, uint64_t now_ns)
{
	struct flow *f = store_find_main(t, rec->sock_id);
	struct np_sock_rec all = *rec;
	int r;

	if (f && !(f->closed && !is_same_life(f, rec)))
		add_former(&all, f);
	r = feed_sock(t, &all, now_ns, true);
	if (r < 0) {
		const struct flow_delta d = { .tx_bytes = rec->counts.tx_bytes,
					      .rx_bytes = rec->counts.rx_bytes,
					      .retrans = rec->counts.retrans,
					      .tx_pkts = rec->tcp.segs_out + rec->counts.tx_calls,
					      .rx_pkts = rec->tcp.segs_in + rec->counts.rx_calls };

		store_spill(t, &rec->owner, &rec->tuple, &d, now_ns);
	}
	f = store_find_main(t, rec->sock_id);
	if (f)
		f->moved = true;
	return r;
}
