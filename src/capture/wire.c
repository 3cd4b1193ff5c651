/* SPDX-License-Identifier: BSD-2-Clause */
/* Flows on the wire (see wire.h). */
#include "capture/again.h"
#include "capture/wire.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

/* A segment below the highest that comes so soon after it was overtaken on the way, not sent again. */
#define REORDER_NS 3000000ULL
/* The interface a direction is counted at is given up when it was silent for so long. */
#define MOVE_NS 2000000000ULL

struct key {
	uint8_t addr[2][16];
	uint16_t port[2];
	uint32_t proto;
};

static uint64_t key_hash(const uint8_t addr[2][16], const uint16_t port[2], uint8_t proto)
{
	struct key k = { .port = { port[0], port[1] }, .proto = proto };

	memcpy(k.addr, addr, sizeof(k.addr));
	return index_hash(&k, sizeof(k));
}

static uint64_t flow_hash(const struct index_node *node)
{
	const struct wire_flow *f = index_entry(node, struct wire_flow, node);

	return key_hash(f->addr, f->port, f->proto);
}

int wire_init(struct wire *w, uint32_t max)
{
	int r;

	*w = (struct wire){ .max = max };
	r = fragments_init(&w->fragments);
	return r ? r : index_init(&w->flows, 1024, flow_hash);
}

static void free_one(struct wire *w, struct wire_flow *f, void *arg)
{
	(void)arg;
	wire_drop(w, f);
}

void wire_done(struct wire *w)
{
	if (w->flows.slots)
		wire_each(w, free_one, NULL);
	index_done(&w->flows);
	if (w->fragments.all.slots)
		fragments_done(&w->fragments);
}

void wire_drop(struct wire *w, struct wire_flow *f)
{
	index_remove(&w->flows, &f->node);
	free(f->end[0].own);
	free(f->end[1].own);
	free(f->end[0].nat);
	free(f->end[1].nat);
	free(f);
}

void wire_each(struct wire *w, void (*fn)(struct wire *w, struct wire_flow *f, void *arg),
	       void *arg)
{
	for (uint32_t i = 0; i <= w->flows.mask; i++) {
		struct index_node *n = w->flows.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			fn(w, index_entry(n, struct wire_flow, node), arg);
		}
	}
}

/* Ends in an order of their own, so that both directions find the same flow. Index of the sender. */
static unsigned int order(const struct packet *p, uint8_t addr[2][16], uint16_t port[2])
{
	int c = memcmp(p->src, p->dst, 16);
	unsigned int from = c > 0 || (c == 0 && p->sport > p->dport);

	memcpy(addr[from], p->src, 16);
	memcpy(addr[!from], p->dst, 16);
	port[from] = p->sport;
	port[!from] = p->dport;
	return from;
}

static bool is_new_life(const struct wire_flow *f, const struct packet *p)
{
	return f->closed_ns && p->proto == IPPROTO_TCP &&
	       (p->tcp_flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN;
}

static struct wire_flow *get(struct wire *w, const struct packet *p, unsigned int *ret_from,
			     bool *ret_new)
{
	struct wire_flow *f, *before = NULL;
	uint8_t addr[2][16];
	uint16_t port[2];
	struct index_node *n;

	*ret_from = order(p, addr, port);
	n = index_chain(&w->flows, key_hash(addr, port, p->proto));
	for (; n; n = n->next) {
		f = index_entry(n, struct wire_flow, node);
		if (f->proto != p->proto || f->port[0] != port[0] || f->port[1] != port[1] ||
		    memcmp(f->addr, addr, sizeof(addr)) != 0)
			continue;
		/* the newest comes first in its chain */
		if (f->over_ns || is_new_life(f, p)) {
			f->over_ns = f->over_ns ? f->over_ns : p->ktime_ns;
			break;
		}
		if (!again_is_answer(f, *ret_from, p))
			return f;
		if (again_only_asks(f)) {
			again_restart(f, p);
			return f;
		}
		before = f;
		before->over_ns = before->another.ns;
		if (!before->closed_ns)
			before->closed_ns = before->another.ns;
		break;
	}
	f = w->flows.count < w->max ? calloc(1, sizeof(*f)) : NULL;
	if (!f) {
		w->full_packets += p->segments;
		w->full_bytes += p->payload_len;
		return NULL;
	}
	memcpy(f->addr, addr, sizeof(addr));
	memcpy(f->port, port, sizeof(port));
	f->family = p->family;
	f->proto = p->proto;
	f->first = (uint8_t)*ret_from;
	f->first_ns = p->ktime_ns;
	if (before)
		again_begin(f, &before->another, &before->dir[before->another.from], p);
	index_add(&w->flows, &f->node);
	*ret_new = true;
	return f;
}

struct wire_flow *wire_between(const struct wire *w, const struct np_tuple *t,
			       const struct wire_flow *f, unsigned int *ret_end)
{
	struct packet as = { .proto = t->proto, .sport = t->lport, .dport = t->rport };
	uint8_t addr[2][16];
	uint16_t port[2];
	struct index_node *n;

	memcpy(as.src, t->laddr, 16);
	memcpy(as.dst, t->raddr, 16);
	*ret_end = order(&as, addr, port);
	n = f ? f->node.next : index_chain(&w->flows, key_hash(addr, port, t->proto));
	for (; n; n = n->next) {
		struct wire_flow *o = index_entry(n, struct wire_flow, node);

		if (o->proto == t->proto && o->port[0] == port[0] && o->port[1] == port[1] &&
		    !memcmp(o->addr, addr, sizeof(addr)))
			return o;
	}
	return NULL;
}

/* Packets of two processors may be stamped in another order than they are read in: none is before the other then. */
static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* The same packet is seen at a bridge and at its port, at a VLAN and below it: one of them counts. */
static bool is_elsewhere(struct wire_dir *d, const struct packet *p)
{
	if (!d->ifindex || (d->ifindex != p->ifindex && since(p->ktime_ns, d->last_ns) > MOVE_NS)) {
		d->ifindex = p->ifindex;
		d->out = p->pkttype == WIRE_OUTGOING;
	}
	return d->ifindex != p->ifindex;
}

static void take_sample(struct wire_dir *d, uint64_t now_ns)
{
	uint64_t us = since(now_ns, d->rtt_ns) / 1000;

	d->rtt_wait = false;
	if (us > UINT32_MAX)
		return;
	us = us ? us : 1;
	d->srtt_us = d->srtt_us ? (uint32_t)((7ULL * d->srtt_us + us) / 8) : (uint32_t)us;
	if (!d->min_rtt_us || us < d->min_rtt_us)
		d->min_rtt_us = (uint32_t)us;
}

/* What the sender of p says about what the other end sent. */
static void on_ack(struct wire_dir *other, const struct packet *p)
{
	if (!(p->tcp_flags & PACKET_ACK))
		return;
	if (other->rtt_wait && (int32_t)(p->ack - other->rtt_seq) >= 0)
		take_sample(other, p->ktime_ns);
	if (p->tcp_flags & (PACKET_SYN | PACKET_RST))
		return;
	if (!p->window && !other->zero_ns) {
		other->zero_ns = p->ktime_ns;
	} else if (p->window && other->zero_ns) {
		other->zero_total_ns += since(p->ktime_ns, other->zero_ns);
		other->zero_ns = 0;
	}
}

static void on_old_segment(struct wire_dir *d, const struct packet *p)
{
	/* a keep-alive repeats the last byte */
	if (p->payload_len <= 1 && p->seq + 1 == d->next && !(p->tcp_flags & PACKET_SYN))
		return;
	if (d->hole && since(p->ktime_ns, d->moved_ns) < REORDER_NS && p->pkttype != WIRE_OUTGOING)
		return;
	d->hole = false;
	d->rtt_wait = false;
	d->retrans += p->segments;
}

#define SCALE_UNKNOWN 14 /* the most there may be */
#define BEHIND_MAX (1 << 30)

/* What that end's windows are shifted by. */
static unsigned int scale_by(const struct wire_dir *d, const struct wire_dir *other)
{
	if (!d->syn || !other->syn)
		return SCALE_UNKNOWN;
	return d->scales && other->scales ? d->scale : 0;
}

/*
 * The sender of p, by, acknowledges what d sent and lets it go on. Who acknowledges what was not seen has got it, where
 * something like that was seen: packets were missed. Else it is forged.
 */
static void take_window(struct wire_dir *d, const struct wire_dir *by, const struct packet *p)
{
	uint32_t edge = p->ack;

	if (!d->valid || !(p->tcp_flags & PACKET_ACK) || (p->tcp_flags & PACKET_RST))
		return;
	edge += (uint32_t)p->window << (p->tcp_flags & PACKET_SYN ? 0 : scale_by(by, d));
	if ((int32_t)(p->ack - d->next) > d->fin) {
		if (!d->has_far || (int32_t)(p->ack - d->far) > 0)
			return;
		d->fin |= d->far_fin && p->ack == d->far;
		d->bytes += p->ack - d->next - (d->fin ? 1 : 0);
		d->next = p->ack - (d->fin ? 1 : 0);
		d->moved_ns = p->ktime_ns;
		d->has_far = d->rtt_wait = false;
	}
	if (!d->has_edge || (int32_t)(edge - d->edge) > 0)
		d->edge = edge;
	d->has_edge = true;
}

/* No receiver takes what lies beyond its window, and none is that much behind. */
static bool is_within(struct wire_dir *d, const struct packet *p)
{
	bool fin = p->tcp_flags & PACKET_FIN;
	uint32_t end = p->seq + p->payload_len + !!(p->tcp_flags & PACKET_SYN);

	if (!d->valid || !d->has_edge)
		return true;
	if (p->tcp_flags & PACKET_RST)
		return (int32_t)(p->seq - d->edge) <= 0 &&
		       (int32_t)(p->seq - d->next) > -BEHIND_MAX;
	if ((int32_t)(end - d->edge) <= 0)
		return true;
	end += fin;
	if ((p->payload_len || fin) && (!d->has_far || (int32_t)(end - d->far) > 0)) {
		d->far = end;
		d->has_far = true;
		d->far_fin = fin;
	}
	return false;
}

/* Sequence numbers: what is new, what goes out again. */
static void on_segment(struct wire_dir *d, const struct packet *p)
{
	bool syn = p->tcp_flags & PACKET_SYN, fin = p->tcp_flags & PACKET_FIN;
	uint32_t end = p->seq + p->payload_len + syn;
	bool carries = p->payload_len || syn || (fin && !d->fin);

	if (p->tcp_flags & PACKET_RST)
		return;
	if (!d->valid) {
		d->valid = true;
		d->isn = d->next = p->seq;
	}
	d->syn |= syn;
	if (syn) {
		d->scales = p->scale != PACKET_NO_SCALE;
		d->scale = p->scale;
	}
	if (!carries) {
		return;
	}
	if ((int32_t)(end - d->next) <= 0 && (p->payload_len || syn)) {
		on_old_segment(d, p);
	} else {
		uint32_t fresh = end - d->next;

		if ((int32_t)(p->seq - d->next) > 0)
			d->hole = true;
		d->bytes += fresh - (syn && fresh ? 1 : 0);
		d->next = end;
		d->moved_ns = p->ktime_ns;
		if (!d->rtt_wait) {
			d->rtt_wait = true;
			d->rtt_seq = end + fin;
			d->rtt_ns = p->ktime_ns;
		}
	}
	/* FIN takes a number that is no byte; what is sent again with it is old. */
	d->fin |= fin;
}

static void on_tcp(struct wire_flow *f, unsigned int from, const struct packet *p)
{
	struct wire_dir *d = &f->dir[from], *other = &f->dir[!from];

	take_window(other, d, p);
	if (!is_within(d, p) || again_may_be(f, from, p))
		return;
	on_segment(d, p);
	on_ack(other, p);
	if ((p->tcp_flags & (PACKET_SYN | PACKET_ACK)) == PACKET_SYN && !f->opened_ns) {
		f->opened_ns = p->ktime_ns;
		f->first = (uint8_t)from;
	}
	if (!f->established_ns && f->opened_ns && d->syn && other->syn && from == f->first &&
	    p->tcp_flags & PACKET_ACK)
		f->established_ns = p->ktime_ns;
	if (p->tcp_flags & PACKET_RST)
		f->reset = true;
	if (!f->closed_ns && (f->reset || (d->fin && other->fin)))
		f->closed_ns = p->ktime_ns;
}

struct wire_flow *wire_packet(struct wire *w, const struct packet *p, bool *ret_new)
{
	struct packet whole;
	struct wire_flow *f;
	struct wire_dir *d;
	unsigned int from;

	*ret_new = false;
	if ((p->fragment || p->more) && p->proto != IPPROTO_TCP) {
		if (!fragments_add(&w->fragments, p, &whole))
			return NULL;
		p = &whole;
	}
	if (p->fragment)
		return NULL; /* TCP's: sequence numbers tell of its bytes */
	f = get(w, p, &from, ret_new);
	if (!f)
		return NULL;
	d = &f->dir[from];
	if (again_is_of(f, from, p)) {
		again_keep(f, from, p);
		return f;
	}
	if (is_elsewhere(d, p))
		return f;
	d->packets += p->segments;
	d->last_ns = f->last_ns = p->ktime_ns;
	f->dirty = true;
	if (p->proto == IPPROTO_TCP)
		on_tcp(f, from, p);
	else
		d->bytes += p->payload_len;
	return f;
}
