/* SPDX-License-Identifier: BSD-2-Clause */
/* Events from kernel records and from interval sums (see emit.h). */
#include "engine/emit.h"

#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "engine/listen.h"
#include "engine/sums.h"
#include "flow/verdict.h"

#define HELD_OWNERS_MAX 65536 /* sums of owners that wait for room */
#define HELD_RETRANS_MAX 8192 /* records of sockets that retransmitted */

struct engine_events {
	session_event_fn fn;
	session_room_fn room; /* NULL: there always is */
	void *room_arg;
	struct process_table *procs;
	struct np_loss lost; /* counts, for want of room or memory */
	void *arg;
	const char *mode;
	uint32_t sample_rate; /* 1 socket in so many is recorded */
	bool no_drops;
	struct sums *bw;      /* per owner and interface */
	struct sums *retrans; /* per interface */
	struct retrans_note {
		uint64_t sock_id;
		uint32_t cpu_tgid;
		char cpu_comm[16];
	} * notes; /* sockets that retransmitted, of this interval's sweep */
	size_t n_notes, cap_notes;
	struct retrans_event {
		struct event ev;
		char iface[16];
		char cpu_comm[16];
		struct np_tuple tuple;
		double held_s;
	} * pending; /* per socket; held back so that the sum can be told with them */
	size_t n_pending, cap_pending;
	size_t n_held; /* of pending: found no room */
};

static void no_memory(void)
{
	/* An event that cannot be made is lost; counts live in the flow table. */
}

struct engine_events *engine_events_new(session_event_fn fn, void *arg, const char *mode,
					struct process_table *procs)
{
	struct engine_events *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->fn = fn;
	e->arg = arg;
	e->mode = mode;
	e->procs = procs;
	e->bw = sums_new(procs, HELD_OWNERS_MAX);
	e->retrans = sums_new(procs, HELD_OWNERS_MAX);
	if (!e->bw || !e->retrans)
		return engine_events_free(e);
	return e;
}

void engine_events_ask(struct engine_events *e, session_room_fn room, void *arg)
{
	e->room = room;
	e->room_arg = arg;
}

void engine_events_lost(const struct engine_events *e, struct np_loss *ret_loss)
{
	*ret_loss = e->lost;
}

/* The first n of what waits are gone. */
static void drop_retrans(struct engine_events *e, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (e->pending[i].ev.owner)
			process_unref(e->procs, (struct process *)e->pending[i].ev.owner);
	e->n_pending -= n;
	if (n && e->n_pending)
		memmove(e->pending, e->pending + n, e->n_pending * sizeof(*e->pending));
}

struct engine_events *engine_events_free(struct engine_events *e)
{
	if (!e)
		return NULL;
	drop_retrans(e, e->n_pending);
	sums_free(e->bw);
	sums_free(e->retrans);
	free(e->notes);
	free(e->pending);
	free(e);
	return NULL;
}

void engine_events_rate(struct engine_events *e, uint32_t sample_rate)
{
	e->sample_rate = sample_rate;
}

static void tell(struct engine_events *e, struct event *ev)
{
	ev->mode = e->mode;
	ev->sample_rate = ev->kind == EVENT_PROBE_LOSS ? 0 : e->sample_rate;
	e->fn(ev, e->arg);
}

/* The wall clock is read now and moved back by the record's age: a monotonic stamp is no date. */
static void stamp(struct event *ev, uint64_t ktime_ns)
{
	ev->ktime_ns = ktime_ns;
	ev->wall_ns = clock_wall_ns() - (clock_monotonic_ns() - ktime_ns);
}

static void set_owner(struct event *ev, const struct process *owner, uint8_t match, uint32_t tid)
{
	ev->has_owner_field = true;
	ev->owner = owner;
	ev->owner_match = owner && owner->tgid ? match : NP_MATCH_NONE;
	ev->tid = tid;
}

static void set_entity_sock(struct event *ev, uint64_t sock_id, uint8_t flags)
{
	if (flags & NP_F_OWNID)
		(void)snprintf(ev->entity_id, sizeof(ev->entity_id), "socket-x%llx",
			       (unsigned long long)(sock_id & ~(1ULL << 62)));
	else
		(void)snprintf(ev->entity_id, sizeof(ev->entity_id), "socket-%llu",
			       (unsigned long long)sock_id);
}

static void set_duration(struct event *ev, const struct np_sock_rec *rec, uint64_t until_ns)
{
	ev->duration_ms = -1;
	ev->unit = "ms";
	if (!rec->opened_ns || until_ns < rec->opened_ns)
		return;
	ev->duration_ms = (double)(until_ns - rec->opened_ns) / 1e6;
	ev->num = ev->duration_ms;
	(void)fmt_milli(ev->value, sizeof(ev->value), ev->duration_ms);
}

/* As short as it can be told, down to a byte in eight seconds. */
static void set_rate(struct event *ev)
{
	int n = fmt(ev->value, sizeof(ev->value), "%.*f", ev->num < 1 ? 6 : 3, ev->num);

	while (n > 0 && (size_t)n < sizeof(ev->value) && ev->value[n - 1] == '0')
		ev->value[--n] = '\0';
	if (n > 0 && ev->value[n - 1] == '.')
		ev->value[n - 1] = '\0';
}

static const char *fail_word(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return "CONNECT_REFUSED";
	case ETIMEDOUT:
		return "CONNECT_TIMEOUT";
	case EHOSTUNREACH:
	case ENETUNREACH:
	case EHOSTDOWN:
	case ENETDOWN:
		return "UNREACHABLE";
	default:
		return NULL;
	}
}

/* What ICMP told a datagram socket (icmp_err_convert, icmpv6_err_convert, 5.14 to 6.18); not that a datagram was too big. */
static const char *error_word(int err)
{
	switch (err) {
	case ENOPROTOOPT:
	case ENONET:
	case EACCES: /* by a rule on the way */
		return "UNREACHABLE";
	default:
		return fail_word(err);
	}
}

/*
 * Why a connect() failed of which the kernel told no errno. One that never got to its SYN found no route,
 * one that sent none no port; else nobody had answered when the process closed the socket.
 */
static const char *fail_cause(const struct np_sock_rec *rec)
{
	if (rec->tuple.state != TCP_SYN_SENT)
		return "no_route";
	/* the SYN of MPTCP is a subflow's */
	return rec->tcp.segs_out || rec->tuple.proto == NP_IPPROTO_MPTCP ? "given_up" : "no_port";
}

/* error.net beside a reset or a failed connect: entity is the interface. */
/* word NULL: it is none of those. */
static void tell_error(struct engine_events *e, const struct event *like, uint8_t kind,
		       const char *word)
{
	struct event ev = *like;

	if (!word)
		return;
	ev.kind = kind;
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", ev.tuple->ifname);
	(void)snprintf(ev.value, sizeof(ev.value), "%s", word);
	ev.num = 1;
	ev.unit = "count";
	tell(e, &ev);
}

/* NULL where the connection is older than the probe: its kernel counters are too. */
static const char *life_verdict(const struct np_sock_rec *rec, const struct flow *f)
{
	struct verdict_times t;

	if (!rec->established_ns || rec->closed_ns <= rec->established_ns ||
	    rec->tuple.flags & NP_F_SEEDED || rec->tuple.proto == NP_IPPROTO_MPTCP)
		return NULL;
	verdict_life_ended(&t, f && f->opened_ns == rec->opened_ns ? f->tcp : NULL, &rec->tcp,
			   (rec->closed_ns - rec->established_ns) / 1000);
	return verdict_name(verdict_first(&t));
}

/* The side that must do something, and what stands still. */
static void tell_stall(struct engine_events *e, struct event *ev, const struct np_ev_sock *kev)
{
	static const struct {
		const char *cause, *side;
	} kinds[] = {
		[NP_STALL_SEND_BUFFER] = { "send_buffer", "remote" },
		[NP_STALL_ZERO_WINDOW] = { "zero_window", "remote" },
		[NP_STALL_RECEIVE_QUEUE] = { "receive_queue", "local" },
		[NP_STALL_RECEIVE_WAIT] = { "receive_wait", "remote" },
	};

	if (kev->cause == 0 || kev->cause >= sizeof(kinds) / sizeof(kinds[0]))
		return;
	ev->kind = EVENT_STALL;
	ev->has_cpu = false; /* whoever looked: the probe itself, mostly */
	ev->cause = kinds[kev->cause].cause;
	ev->side = kinds[kev->cause].side;
	ev->ended = kev->ended;
	ev->num = kev->hdr.ts_ns > kev->since_ns
			  ? (double)((kev->hdr.ts_ns - kev->since_ns) / 1000000)
			  : 0;
	ev->since_wall_ns = ev->wall_ns - (kev->hdr.ts_ns - kev->since_ns);
	(void)fmt(ev->value, sizeof(ev->value), "STALL_%.0fms", ev->num);
	tell(e, ev);
}

void engine_events_sock(struct engine_events *e, const struct np_ev_sock *kev,
			const struct process *owner, const struct flow *f)
{
	const struct np_sock_rec *rec = &kev->rec;
	struct np_counts counts = rec->counts;
	struct np_tuple to = rec->tuple; /* of an error: whom it was from */
	struct event ev = {
		.tuple = &rec->tuple,
		.sock_id = rec->sock_id,
		.has_cpu = kev->cpu_comm[0], /* only the kernel half knows */
		.cpu_tgid = kev->cpu_tgid,
		.cpu_comm = kev->cpu_comm,
		.counts = &counts,
		/* of MPTCP the kernel's figures are its subflows' */
		.tcp = rec->tuple.proto == NP_IPPROTO_MPTCP ? NULL : &rec->tcp,
		.subflows = rec->subflows,
		.connect_us = rec->connect_us,
		.err = (int)rec->err,
		.stall_ms = (double)rec->stall_ns / 1e6,
	};
	bool begun;

	counts.tx_bytes += rec->tx_parts;
	counts.rx_bytes += rec->rx_parts;
	if (!(rec->tuple.flags & NP_F_ULP) && rec->tcp.rx_unseen > 0) {
		ev.rx_unseen = (uint64_t)rec->tcp.rx_unseen;
		counts.rx_bytes += ev.rx_unseen;
	}
	if (rec->tcp.tx_unseen > 0)
		ev.tx_unseen = (uint64_t)rec->tcp.tx_unseen;
	stamp(&ev, kev->hdr.ts_ns);
	set_owner(&ev, owner, rec->last.match, rec->last.tid);
	set_entity_sock(&ev, rec->sock_id, rec->tuple.flags);
	set_duration(&ev, rec, rec->closed_ns ? rec->closed_ns : kev->hdr.ts_ns);
	switch (kev->hdr.type) {
	case NP_EV_CONN_OPEN:
		ev.kind = EVENT_CONN_OPEN;
		ev.state = "ESTABLISHED"; /* the hook runs just before the state is written */
		ev.num = rec->connect_us / 1e3;
		(void)fmt_milli(ev.value, sizeof(ev.value), ev.num);
		break;
	case NP_EV_CONN_CLOSE:
		ev.verdict = life_verdict(rec, f);
		ev.kind = EVENT_CONN_CLOSE;
		ev.state = "CLOSE";
		break;
	case NP_EV_CONN_FAIL:
		ev.kind = EVENT_CONN_FAIL;
		ev.state = "CLOSE";
		ev.err = kev->err;
		ev.cause = kev->err ? NULL : fail_cause(rec);
		begun = rec->tuple.state == TCP_SYN_SENT;
		tell_error(e, &ev, EVENT_CONN_ERROR,
			   fail_word(kev->err || begun ? kev->err : ENETUNREACH));
		break;
	case NP_EV_STALL:
		tell_stall(e, &ev, kev);
		return;
	case NP_EV_ERROR:
		memcpy(to.raddr, rec->synack_raddr, sizeof(to.raddr));
		to.rport = kev->rport;
		ev.tuple = &to;
		ev.err = kev->err;
		tell_error(e, &ev, EVENT_CONN_ERROR, error_word(kev->err));
		return;
	case NP_EV_RESET_TX:
	case NP_EV_RESET_RX:
		tell_error(e, &ev, EVENT_RESET,
			   kev->hdr.type == NP_EV_RESET_TX ? "RESET_SENT" : "RESET_RECEIVED");
		return;
	default:
		return;
	}
	tell(e, &ev);
}

void engine_events_seen(struct engine_events *e, const struct np_sock_rec *rec)
{
	if (!rec->rtx_cpu_comm[0])
		return;
	if (e->n_notes == e->cap_notes) {
		size_t cap = e->cap_notes ? e->cap_notes * 2 : 64;
		void *p = reallocarray(e->notes, cap, sizeof(*e->notes));

		if (!p) {
			no_memory();
			return;
		}
		e->notes = p;
		e->cap_notes = cap;
	}
	e->notes[e->n_notes] =
		(struct retrans_note){ .sock_id = rec->sock_id, .cpu_tgid = rec->rtx_cpu_tgid };
	memcpy(e->notes[e->n_notes++].cpu_comm, rec->rtx_cpu_comm, sizeof(rec->rtx_cpu_comm));
}

static const struct retrans_note *find_note(const struct engine_events *e, uint64_t sock_id)
{
	for (size_t i = e->n_notes; i > 0; i--)
		if (e->notes[i - 1].sock_id == sock_id)
			return &e->notes[i - 1];
	return NULL;
}

static struct retrans_event *hold_retrans(struct engine_events *e, const struct flow *f, uint64_t n,
					  const char *cause, bool last)
{
	struct retrans_event *p;

	if (e->n_held && e->n_pending >= HELD_RETRANS_MAX) {
		e->lost.map_full++;
		return NULL;
	}
	if (e->n_pending == e->cap_pending) {
		size_t cap = e->cap_pending ? e->cap_pending * 2 : 64;

		p = reallocarray(e->pending, cap, sizeof(*p));
		if (!p) {
			e->lost.map_full++;
			return NULL;
		}
		e->pending = p;
		e->cap_pending = cap;
	}
	p = &e->pending[e->n_pending++];
	*p = (struct retrans_event){ .tuple = f->tuple };
	memcpy(p->iface, f->tuple.ifname, sizeof(p->iface));
	p->ev = (struct event){
		.kind = EVENT_RETRANSMIT,
		.sock_id = f->sock_id,
		.num = (double)n,
		.unit = "segments",
		.cause = cause,
	};
	set_owner(&p->ev, last ? f->last : f->owner, last ? f->last_match : f->owner_match, 0);
	if (p->ev.owner)
		((struct process *)p->ev.owner)->refs++;
	return p;
}

/*
 * One record for each cause. Segments that the kernel took back in this very interval are spurious;
 * where they were told before with another cause, a record of 0 segments corrects that, so that
 * the sum of all records stays the kernel's.
 */
static void hold_causes(struct engine_events *e, const struct flow *f, const struct flow_delta *d)
{
	static const char *const names[NP_RTX_MAX] = { NULL, "timeout", "fast", "tail_loss_probe" };
	uint64_t left = d->retrans, spurious = d->rtx_spurious < left ? d->rtx_spurious : left;
	struct retrans_event *p = NULL;

	if (d->rtx_spurious)
		p = hold_retrans(e, f, spurious, "spurious", !f->part);
	if (p)
		p->ev.spurious = d->rtx_spurious;
	left -= spurious;
	for (unsigned int i = NP_RTX_MAX - 1; i > 0 && left; i--) {
		uint64_t n = d->rtx_cause[i] < left ? d->rtx_cause[i] : left;

		if (n)
			(void)hold_retrans(e, f, n, names[i], !f->part);
		left -= n;
	}
	if (left)
		(void)hold_retrans(e, f, left, NULL, !f->part);
}

void engine_events_no_drops(struct engine_events *e)
{
	e->no_drops = true;
}

static void tell_listen(struct engine_events *e, const struct flow *f, const struct flow_delta *d)
{
	struct event_drop drop;
	struct np_tuple where;
	struct event ev;

	listen_event(&ev, &drop, &where, f, d);
	stamp(&ev, clock_monotonic_ns());
	tell(e, &ev);
}

static void lose(struct engine_events *e, const struct sum *s)
{
	e->lost.map_full++;
	e->lost.lost_tx_bytes += s->tx_bytes;
	e->lost.lost_rx_bytes += s->rx_bytes;
}

void engine_events_flow(struct engine_events *e, const struct flow *f, const struct flow_delta *d)
{
	const char *iface = f->tuple.ifname[0] ? f->tuple.ifname : NULL;
	struct sum add = {
		.tx_bytes = d->tx_bytes,
		.rx_bytes = d->rx_bytes,
		.tx_pkts = d->tx_pkts,
		.rx_pkts = d->rx_pkts,
		.segments = d->retrans + d->synack,
	};

	if (d->tx_bytes | d->rx_bytes &&
	    sums_add(e->bw, f->owner, f->owner_match, f->tuple.netns, iface, &add))
		lose(e, &add);
	if (add.segments && sums_add(e->retrans, NULL, NP_MATCH_NONE, f->tuple.netns, iface, &add))
		e->lost.map_full++;
	if (d->retrans | d->rtx_spurious)
		hold_causes(e, f, d);
	if (d->synack)
		(void)hold_retrans(e, f, d->synack, "synack", true);
	if (d->listen_drops && !e->no_drops)
		tell_listen(e, f, d);
}

void engine_events_tell(struct engine_events *e, struct event *ev)
{
	stamp(ev, clock_monotonic_ns());
	tell(e, ev);
}

static bool has_room(const struct engine_events *e)
{
	return !e->room || e->room(e->room_arg);
}

static bool tell_bw(const struct sum *s, void *arg)
{
	struct engine_events *e = arg;
	struct np_tuple where = { .netns = s->netns };
	double seconds = sums_seconds(e->bw);
	struct event ev = {
		.kind = EVENT_BW,
		.tuple = &where,
		.unit = "Mbit/s",
		.tx_bytes = s->tx_bytes,
		.rx_bytes = s->rx_bytes,
		.tx_pkts = s->tx_pkts,
		.rx_pkts = s->rx_pkts,
		.interval_s = seconds,
	};

	if (!has_room(e))
		return false;
	memcpy(where.ifname, s->iface, sizeof(where.ifname));
	if (seconds > 0) {
		ev.tx_mbit = (double)s->tx_bytes * 8 / 1e6 / seconds;
		ev.rx_mbit = (double)s->rx_bytes * 8 / 1e6 / seconds;
	}
	ev.num = ev.tx_mbit + ev.rx_mbit;
	set_rate(&ev);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", s->iface);
	stamp(&ev, clock_monotonic_ns());
	set_owner(&ev, s->owner, s->owner_match, 0);
	tell(e, &ev);
	return true;
}

static bool tell_retrans_sum(const struct sum *s, void *arg)
{
	struct engine_events *e = arg;
	struct np_tuple where = { .netns = s->netns };
	struct event ev = {
		.kind = EVENT_RETRANSMIT,
		.tuple = &where,
		.num = (double)s->segments,
		.unit = "segments",
		.interval_s = sums_seconds(e->retrans),
	};

	if (!has_room(e))
		return false;
	memcpy(where.ifname, s->iface, sizeof(where.ifname));
	(void)snprintf(ev.value, sizeof(ev.value), "RETRANSMIT:%llu",
		       (unsigned long long)s->segments);
	(void)snprintf(ev.entity_id, sizeof(ev.entity_id), "%s", s->iface);
	stamp(&ev, clock_monotonic_ns());
	tell(e, &ev);
	return true;
}

/* Of this interval: the notes are of this one alone. */
static void take_note(const struct engine_events *e, struct retrans_event *p)
{
	const struct retrans_note *note = find_note(e, p->ev.sock_id);

	if (!note)
		return;
	memcpy(p->cpu_comm, note->cpu_comm, sizeof(p->cpu_comm));
	p->ev.has_cpu = true;
	p->ev.cpu_tgid = note->cpu_tgid;
}

static void tell_retrans(struct engine_events *e, struct retrans_event *p, double seconds)
{
	p->ev.tuple = &p->tuple;
	p->ev.iface = p->iface[0] ? p->iface : NULL;
	p->ev.cpu_comm = p->ev.has_cpu ? p->cpu_comm : NULL;
	p->ev.interval_s = p->held_s + seconds;
	(void)fmt(p->ev.value, sizeof(p->ev.value), "RETRANSMIT:%.0f", p->ev.num);
	(void)snprintf(p->ev.entity_id, sizeof(p->ev.entity_id), "%s", p->iface);
	stamp(&p->ev, clock_monotonic_ns());
	tell(e, &p->ev);
}

void engine_events_tick(struct engine_events *e, double seconds)
{
	size_t told = 0;

	sums_drain(e->bw, seconds, tell_bw, e);
	for (size_t i = e->n_held; i < e->n_pending; i++)
		take_note(e, &e->pending[i]);
	for (; told < e->n_pending && has_room(e); told++)
		tell_retrans(e, &e->pending[told], seconds);
	drop_retrans(e, told);
	for (size_t i = 0; i < e->n_pending; i++)
		e->pending[i].held_s += seconds;
	e->n_held = e->n_pending;
	e->n_notes = 0;
	sums_drain(e->retrans, seconds, tell_retrans_sum, e);
}

static bool lose_sum(const struct sum *s, void *arg)
{
	lose(arg, s);
	return true;
}

void engine_events_end(struct engine_events *e)
{
	sums_drain(e->bw, 0, lose_sum, e);
	e->lost.map_full += e->n_pending;
	drop_retrans(e, e->n_pending);
	e->n_held = 0;
	sums_drain(e->retrans, 0, lose_sum, e);
}
