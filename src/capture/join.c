/* SPDX-License-Identifier: BSD-2-Clause */
/* Figures of the wire -> sockets they belong to, by their ends (see afpacket_internal.h). */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "capture/afpacket_internal.h"
#include "capture/pair.h"

#define OWN_ID_BIT (1ULL << 62)
/* A flow waits so long for its socket to be known before it becomes one of its own. */
#define JOIN_NS 1000000000ULL
#define CLOSED_NS 2000000000ULL /* what comes late belongs to it for so long */
#define UDP_IDLE_NS 60000000000ULL
#define TCP_IDLE_NS 600000000000ULL
#define NAT_ASKS 2 /* it may be tracked a moment later */
#define LOOPBACK 1 /* the kernel's number of it, in each namespace */
#define STATE_ESTABLISHED 1
#define STATE_CLOSE 7

struct join {
	struct afpacket *a;
	bool hand;
};

static void set_ends(struct np_tuple *to, const struct np_tuple *from)
{
	memcpy(to->laddr, from->laddr, 16);
	memcpy(to->raddr, from->raddr, 16);
	to->lport = from->lport;
	to->rport = from->rport;
}

void join_tuple(const struct afpacket *a, const struct wire_flow *f, unsigned int end,
		struct np_tuple *ret)
{
	uint32_t ifindex = f->dir[end].ifindex ? f->dir[end].ifindex : f->dir[!end].ifindex;
	const char *name = links_name(a->links, ifindex);

	*ret = (struct np_tuple){ .lport = f->port[end],
				  .rport = f->port[!end],
				  .family = f->family,
				  .proto = f->proto,
				  .ifindex = ifindex,
				  .netns = socks_netns(a->socks) };
	memcpy(ret->laddr, f->addr[end], 16);
	memcpy(ret->raddr, f->addr[!end], 16);
	if (f->end[end].nat)
		set_ends(ret, f->end[end].nat);
	if (name)
		strncpy(ret->ifname, name, sizeof(ret->ifname) - 1);
	if (f->proto == IPPROTO_TCP) {
		ret->state = f->closed_ns ? STATE_CLOSE : STATE_ESTABLISHED;
		if (f->opened_ns && f->first != end)
			ret->flags = NP_F_PASSIVE;
	}
}

/* What end e moved since it was asked last. */
static bool take(struct wire_flow *f, unsigned int e, struct np_counts *ret, uint32_t *ret_out,
		 uint32_t *ret_in)
{
	struct wire_end *end = &f->end[e];
	const struct wire_dir *tx = &f->dir[e], *rx = &f->dir[!e];
	bool tcp = f->proto == IPPROTO_TCP;

	*ret = (struct np_counts){ .tx_bytes = tx->bytes - end->tx_bytes,
				   .rx_bytes = rx->bytes - end->rx_bytes,
				   .retrans = tx->retrans - end->retrans };
	*ret_out = (uint32_t)(tx->packets - end->tx_packets);
	*ret_in = (uint32_t)(rx->packets - end->rx_packets);
	if (!tcp) {
		ret->tx_calls = *ret_out;
		ret->rx_calls = *ret_in;
	}
	end->tx_bytes = tx->bytes;
	end->rx_bytes = rx->bytes;
	end->tx_packets = tx->packets;
	end->rx_packets = rx->packets;
	end->retrans = tx->retrans;
	return ret->tx_bytes || ret->rx_bytes || ret->retrans || *ret_out || *ret_in;
}

static void wire_tcp(const struct wire_flow *f, unsigned int e, struct np_sock_rec *rec)
{
	const struct wire_dir *d = &f->dir[e];

	if (f->proto != IPPROTO_TCP)
		return;
	if (!rec->opened_ns)
		rec->opened_ns = f->opened_ns;
	if (!rec->established_ns)
		rec->established_ns = f->established_ns;
	if (!rec->connect_us && f->first == e && f->established_ns)
		rec->connect_us = (uint32_t)((f->established_ns - f->opened_ns) / 1000);
	if (f->first != e && f->opened_ns)
		rec->tuple.flags |= NP_F_PASSIVE;
	/* The kernel's own figures, where a listing had them, are better. */
	if (!rec->tcp.srtt_us)
		rec->tcp.srtt_us = d->srtt_us;
	if (!rec->tcp.min_rtt_us)
		rec->tcp.min_rtt_us = d->min_rtt_us;
	rec->stall_ns = d->zero_total_ns;
}

/* The other end's window was closed for longer than a stall takes. True: that was told. */
static bool tell_zero_window(struct afpacket *a, const struct wire_flow *f, unsigned int e,
			     const struct np_sock_rec *rec)
{
	const struct wire_dir *d = &f->dir[e];
	struct wire_end *end = (struct wire_end *)&f->end[e];
	bool over = end->zero_told_ns && d->zero_ns != end->zero_told_ns;
	bool begun = d->zero_ns && !end->zero_told_ns && a->stall_ns &&
		     a->now_ns - d->zero_ns >= a->stall_ns;
	struct np_ev_sock ev = { .hdr = { .type = NP_EV_STALL, .ts_ns = a->now_ns },
				 .cause = NP_STALL_ZERO_WINDOW,
				 .ended = over,
				 .rec = *rec };

	if (!over && !begun)
		return false;
	ev.since_ns = over ? end->zero_told_ns : d->zero_ns;
	end->zero_told_ns = over ? 0 : d->zero_ns;
	if (!socks_pass(a->socks, rec))
		return false;
	socks_tell(a->socks, &ev);
	return true;
}

static void add_part(struct afpacket *a, const struct sock *k, const struct np_tuple *t,
		     const struct np_counts *c)
{
	struct part_out *p;

	if (a->n_parts == a->cap_parts) {
		uint32_t cap = a->cap_parts ? a->cap_parts * 2 : 64;

		p = reallocarray(a->parts, cap, sizeof(*p));
		if (!p) {
			a->parts_lost++;
			a->parts_lost_bytes += c->tx_bytes + c->rx_bytes;
			return;
		}
		a->parts = p;
		a->cap_parts = cap;
	}
	p = &a->parts[a->n_parts++];
	*p = (struct part_out){
		.key = { .sock_id = k->rec.sock_id,
			 .tgid = k->rec.owner.tgid,
			 .rport = t->rport,
			 .family = t->family },
		.part = { .tuple = *t, .owner = k->rec.owner, .counts = *c },
	};
	p->part.tuple.flags |= NP_F_UNCONN;
	memcpy(p->key.raddr, t->raddr, 16);
}

/* k's own figures, or those of one peer of an unconnected socket. */
static void give(struct afpacket *a, struct wire_flow *f, unsigned int e, struct sock *k,
		 const struct np_tuple *t)
{
	uint32_t out, in;
	struct np_counts c;

	/* its name may change, and its way */
	if (t->ifname[0] && !(k->rec.tuple.flags & NP_F_UNCONN) &&
	    (!k->rec.tuple.ifname[0] || k->rec.tuple.ifindex == t->ifindex)) {
		memcpy(k->rec.tuple.ifname, t->ifname, sizeof(t->ifname));
		k->rec.tuple.ifindex = t->ifindex;
	}
	wire_tcp(f, e, &k->rec);
	if (!k->main)
		(void)tell_zero_window(a, f, e, &k->rec);
	if (!take(f, e, &c, &out, &in))
		return;
	if (!(k->rec.tuple.flags & NP_F_UNCONN)) {
		(void)socks_count(a->socks, k, &c, out, in);
	} else {
		struct np_sock_rec as = k->rec;

		as.tuple = *t;
		if (socks_pass(a->socks, &as))
			add_part(a, k, t, &c);
	}
}

static void counts_add(struct np_counts *to, const struct np_counts *c)
{
	to->tx_bytes += c->tx_bytes;
	to->rx_bytes += c->rx_bytes;
	to->tx_calls += c->tx_calls;
	to->rx_calls += c->rx_calls;
	to->retrans += c->retrans;
}

static bool has_counts(const struct np_counts *c)
{
	return c->tx_bytes | c->rx_bytes | c->tx_calls | c->rx_calls | c->retrans;
}

/* A record of these counts, packets among them. */
static void set_counts(struct np_sock_rec *rec, const struct np_counts *c)
{
	rec->counts = *c;
	if (rec->tuple.proto != IPPROTO_TCP)
		return;
	rec->counts.tx_calls = rec->counts.rx_calls = 0;
	rec->tcp.segs_out = (uint32_t)c->tx_calls;
	rec->tcp.segs_in = (uint32_t)c->rx_calls;
	rec->tcp.rtx_cause[NP_RTX_UNKNOWN] = (uint32_t)c->retrans;
}

/* What end e moved since it was asked last, as far as the filters of now let it: it waits with the flow. */
static void take_own(struct afpacket *a, struct wire_flow *f, unsigned int e, bool pass)
{
	struct wire_own *own = f->end[e].own;
	uint32_t rate = socks_sample_rate(a->socks), out, in;
	struct np_counts c;

	if (!take(f, e, &c, &out, &in) || !pass)
		return;
	rate = rate ? rate : 1;
	c = (struct np_counts){ .tx_bytes = c.tx_bytes * rate,
				.rx_bytes = c.rx_bytes * rate,
				.tx_calls = (uint64_t)out * rate,
				.rx_calls = (uint64_t)in * rate,
				.retrans = c.retrans * rate };
	counts_add(&own->all, &c);
	counts_add(&own->waits, &c);
}

/* Without memory its bytes wait for the next tick, and are lost where there is none. */
static bool get_own(struct afpacket *a, struct wire_flow *f, unsigned int e, bool gone)
{
	struct wire_end *end = &f->end[e];
	struct np_counts c;
	uint32_t out, in;

	if (end->own)
		return true;
	end->own = calloc(1, sizeof(*end->own));
	if (!end->own) {
		if (gone && take(f, e, &c, &out, &in)) {
			a->parts_lost++;
			a->parts_lost_bytes += c.tx_bytes + c.rx_bytes;
		}
		return false;
	}
	end->sock_id = OWN_ID_BIT | ++a->own_ids;
	end->own_id = true;
	return true;
}

static void tell_own_end(struct afpacket *a, struct wire_flow *f, unsigned int e,
			 const struct np_sock_rec *rec)
{
	struct np_ev_sock ev = {
		.hdr = { .type = f->established_ns && !f->end[e].ended ? NP_EV_CONN_CLOSE
								       : NP_EV_SOCK_CLOSE,
			 .ts_ns = f->closed_ns ? f->closed_ns : a->now_ns },
		.rec = *rec,
	};

	ev.rec.tuple.flags |= NP_F_DEAD;
	ev.rec.closed_ns = ev.hdr.ts_ns;
	f->end[e].told = false; /* until it moves again: late packets */
	f->end[e].ended = true; /* its end is told once */
	socks_tell(a->socks, &ev);
}

/*
 * No socket of ours: forwarded, or gone before anybody looked. What it moved is handed on as differences,
 * each once: the table may have forgotten the flow meanwhile, or the filters may have left it out.
 */
static void give_own(struct join *j, struct wire_flow *f, unsigned int e, const struct np_tuple *t,
		     bool gone)
{
	struct afpacket *a = j->a;
	struct wire_end *end = &f->end[e];
	struct np_sock_rec rec = { .tuple = *t };

	if (end->nat) { /* those of a socket elsewhere */
		free(end->nat);
		end->nat = NULL;
		join_tuple(a, f, e, &rec.tuple);
	}
	a->nat_unasked += end->nat_later;
	end->nat_later = false;
	if (!end->sock_id && !f->dir[0].bytes && !f->dir[1].bytes && !f->opened_ns &&
	    f->proto == IPPROTO_TCP)
		return; /* the last words of a connection that was dealt with */
	if (!get_own(a, f, e, gone))
		return;
	rec.sock_id = end->sock_id;
	rec.tuple.flags |= NP_F_OWNID;
	wire_tcp(f, e, &rec);
	take_own(a, f, e, socks_pass(a->socks, &rec));
	set_counts(&rec, &end->own->all);
	if (tell_zero_window(a, f, e, &rec))
		end->told = true;
	/* its counts belong to this interval, its end is told with the next events */
	if (j->hand && a->moved_fn && has_counts(&end->own->waits)) {
		struct np_sock_rec now = rec;

		set_counts(&now, &end->own->waits);
		end->own->waits = (struct np_counts){ 0 };
		end->told = true;
		a->moved_fn(&now, a->moved_arg);
	}
	if (j->hand && (f->closed_ns || gone) && end->told)
		tell_own_end(a, f, e, &rec);
}

static struct np_tuple *keep(const struct np_tuple *t)
{
	struct np_tuple *copy = malloc(sizeof(*copy));

	if (copy)
		*copy = *t;
	return copy;
}

/* Sockets between these ends have those on the wire. */
static void tell_wire(struct afpacket *a, const struct np_tuple *t, const struct np_tuple *wire)
{
	struct sock *k = socks_between(a->socks, t, NULL);

	for (; k; k = socks_between(a->socks, t, k))
		if (!k->wire)
			k->wire = keep(wire);
}

static bool on_loopback(const struct wire_flow *f)
{
	return f->dir[0].ifindex == LOOPBACK || f->dir[1].ifindex == LOOPBACK;
}

static void see_local(const struct afpacket *a, struct wire_flow *f)
{
	for (unsigned int e = 0; e < 2; e++)
		if (!f->end[e].local)
			f->end[e].local = links_is_local(a->links, f->addr[e]);
}

/* A service's address need be none of this host's, though the service is here: its packets are on the loopback. */
static bool is_here(const struct wire_flow *f, unsigned int e)
{
	return f->end[e].local || (f->end[!e].local && on_loopback(f));
}

/* Without an answer the flow may be asked about again: a little later where it was not tracked, at once where it was not asked. */
static bool ask_nat(struct afpacket *a, const struct wire_flow *f, struct wire_end *end,
		    struct np_tuple *t)
{
	enum nat_answer r;

	if (end->nat_asked >= NAT_ASKS)
		return false;
	r = nat_to_socket(a->nat, t, a->now_ns);
	end->nat_later = r == NAT_LATER;
	if (r == NAT_OTHER)
		end->nat = keep(t);
	if (r == NAT_SAME || end->nat || (r == NAT_NONE && f->closed_ns))
		end->nat_asked = NAT_ASKS;
	else
		end->nat_asked += r == NAT_NONE;
	return end->nat;
}

/*
 * No socket has the ends that its packets carry: are they rewritten? A flow is asked about while it may become
 * one of its own, until that is known. True: *t is its socket's tuple.
 */
static bool find_nat(struct afpacket *a, struct wire_flow *f, unsigned int e, struct np_tuple *t)
{
	struct wire_end *end = &f->end[e];
	struct np_tuple wire = *t;

	if (end->own_id || end->sock_id || !is_here(f, e))
		return false;
	if (end->nat) {
		memcpy(wire.laddr, f->addr[e], 16);
		memcpy(wire.raddr, f->addr[!e], 16);
		wire.lport = f->port[e];
		wire.rport = f->port[!e];
		set_ends(t, end->nat);
	} else if (!ask_nat(a, f, end, t)) {
		return false;
	}
	tell_wire(a, t, &wire);
	return true;
}

bool join_nat(struct afpacket *a, struct np_tuple *t)
{
	bool met = false, found = false;

	a->now_ns = afpacket_clock();
	for (uint32_t i = 0; i < a->n_readers && !met; i++) {
		struct reader *r = &a->readers[i];
		struct wire_flow *f;
		unsigned int e;

		(void)pthread_mutex_lock(&r->lock);
		f = wire_between(&r->wire, t, NULL, &e);
		if (f) {
			met = true;
			see_local(a, f);
			found = find_nat(a, f, e, t);
		}
		(void)pthread_mutex_unlock(&r->lock);
	}
	return met ? found
		   : links_is_local(a->links, t->laddr) &&
			       nat_to_socket(a->nat, t, a->now_ns) == NAT_OTHER;
}

static void join_end(struct join *j, struct wire *w, struct wire_flow *f, unsigned int e, bool gone)
{
	struct afpacket *a = j->a;
	struct wire_end *end = &f->end[e];
	bool beside = !end->local &&
		      f->end[!e].local; /* told by the other end, where it has no socket */
	struct np_tuple t;
	struct sock *k;
	bool wait;

	join_tuple(a, f, e, &t);
	k = pair_sock(a->socks, w, f, e, &t, a->read_ns, &wait);
	if (!k && !wait && find_nat(a, f, e, &t))
		k = pair_sock(a->socks, w, f, e, &t, a->read_ns, &wait);
	if (k && f->proto == IPPROTO_TCP)
		*(end->nat ? &k->nat_ns : &k->flow_ns) = f->first_ns;
	if (k) {
		give(a, f, e, k, &t);
		end->nat_later = false;
	} else if (beside) {
		a->nat_unasked += gone && end->nat_later;
	} else if (!end->sock_id == !end->own_id && (gone || !wait) &&
		   (gone || a->final || a->now_ns - f->first_ns >= JOIN_NS || end->own_id)) {
		give_own(j, f, e, &t, gone);
	}
	if (k && !end->sock_id)
		end->sock_id = k->rec.sock_id;
}

/* A group address is no end that sends: who gets it stands for it. */
bool join_is_group(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return addr[0] == 0xff || (!memcmp(addr, mapped, 12) && addr[12] >= 224);
}

static void join_flow(struct wire *w, struct wire_flow *f, void *arg)
{
	struct join *j = arg;
	struct afpacket *a = j->a;
	uint64_t idle = a->now_ns > f->last_ns ? a->now_ns - f->last_ns : 0;
	bool over = (f->closed_ns && idle > CLOSED_NS) ||
		    idle > (f->proto == IPPROTO_TCP ? TCP_IDLE_NS : UDP_IDLE_NS);
	bool any;

	see_local(a, f);
	any = f->end[0].local || f->end[1].local;
	if (f->dirty || over || f->dir[0].zero_ns || f->dir[1].zero_ns || f->end[0].zero_told_ns ||
	    f->end[1].zero_told_ns) {
		for (unsigned int e = 0; e < 2; e++)
			if (is_here(f, e) ||
			    (!any &&
			     (join_is_group(f->addr[!f->first]) ? e != f->first : e == f->first)))
				join_end(j, w, f, e, over);
	}
	/* until its socket is known, or it is known to have none, it is asked about at each tick */
	if (j->hand && a->now_ns - f->first_ns >= JOIN_NS && !f->closed_ns)
		f->dirty = false;
	if (j->hand && over)
		wire_drop(w, f);
}

void join_all(struct afpacket *a, bool hand)
{
	struct join j = { a, hand };

	a->read_ns = a->final ? UINT64_MAX : readers_read_ns(a);
	for (uint32_t i = 0; i < a->n_readers; i++) {
		struct reader *r = &a->readers[i];

		(void)pthread_mutex_lock(&r->lock);
		wire_each(&r->wire, join_flow, &j);
		(void)pthread_mutex_unlock(&r->lock);
	}
}

struct last {
	struct afpacket *a;
	struct sock *k;
};

/* One of the peers of an unconnected socket that has ended. */
static void last_peer(struct wire *w, struct wire_flow *f, void *arg)
{
	static const uint8_t any[16];
	const struct last *l = arg;
	const struct np_tuple *bound = &l->k->rec.tuple;

	(void)w;
	for (unsigned int e = 0; e < 2; e++) {
		const struct wire_end *end = &f->end[e];
		struct np_tuple t;

		if (f->proto != bound->proto || end->own_id ||
		    (end->nat ? end->nat->lport : f->port[e]) != bound->lport ||
		    (!end->nat && !links_is_local(l->a->links, f->addr[e])))
			continue;
		join_tuple(l->a, f, e, &t);
		if (memcmp(bound->laddr, any, 16) != 0 && memcmp(bound->laddr, t.laddr, 16) != 0)
			continue;
		if (socks_find(l->a->socks, &t) == l->k)
			give(l->a, f, e, l->k, &t);
	}
}

/* Packets of both directions were seen between its ends: none of them is rewritten. */
static bool has_both_ways(struct afpacket *a, const struct sock *k)
{
	bool both = false;

	for (uint32_t i = 0; i < a->n_readers && !both; i++) {
		struct reader *r = &a->readers[i];
		struct wire_flow *f;
		unsigned int e;

		(void)pthread_mutex_lock(&r->lock);
		f = k->rec.tuple.proto == IPPROTO_TCP
			    ? pair_flow(&r->wire, k, &e)
			    : wire_between(&r->wire, &k->rec.tuple, NULL, &e);
		both = f && f->dir[0].packets && f->dir[1].packets;
		(void)pthread_mutex_unlock(&r->lock);
	}
	return both;
}

/* No packet was seen between its ends, or only those of one direction: it may be that others are on the wire. */
static void ask_wire(struct afpacket *a, struct sock *k)
{
	struct np_tuple wire = k->rec.tuple;
	enum nat_answer r;

	if (has_both_ways(a, k))
		return;
	r = nat_to_wire(a->nat, &wire, a->now_ns);
	if (r == NAT_OTHER)
		k->wire = keep(&wire);
	a->nat_unasked += r == NAT_LATER;
}

static void last_flow(struct afpacket *a, struct sock *k, struct wire_flow *f, unsigned int e)
{
	struct np_tuple end;

	if (!f || f->end[e].own_id)
		return;
	*(f->end[e].nat ? &k->nat_ns : &k->flow_ns) = f->first_ns;
	f->end[e].sock_id = k->rec.sock_id;
	join_tuple(a, f, e, &end);
	give(a, f, e, k, &end);
}

void join_last(struct sock *k, void *arg)
{
	struct afpacket *a = arg;
	const struct np_tuple *t = &k->rec.tuple;
	struct last l = { a, k };

	if (t->flags & NP_F_LISTEN)
		return;
	a->now_ns = afpacket_clock();
	if (!k->wire && !(t->flags & NP_F_UNCONN) &&
	    (!k->flow_ns || links_is_local(a->links, t->raddr)))
		ask_wire(a, k);
	for (uint32_t i = 0; i < a->n_readers; i++) {
		struct reader *r = &a->readers[i];
		struct wire_flow *f;
		unsigned int e;

		(void)pthread_mutex_lock(&r->lock);
		if (t->flags & NP_F_UNCONN) {
			wire_each(&r->wire, last_peer, &l);
		} else {
			f = t->proto == IPPROTO_TCP ? pair_flow(&r->wire, k, &e)
						    : wire_between(&r->wire, t, NULL, &e);
			last_flow(a, k, f, e);
			f = k->wire ? t->proto == IPPROTO_TCP
					      ? pair_nat(&r->wire, k, &e)
					      : wire_between(&r->wire, k->wire, NULL, &e)
				    : NULL;
			if (f && !f->end[e].nat)
				f->end[e].nat = keep(t);
			last_flow(a, k, f, e);
		}
		(void)pthread_mutex_unlock(&r->lock);
	}
}
