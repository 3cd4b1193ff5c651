/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Parts: what one more owner moved through a socket, or one peer of an unconnected datagram socket.
 * Each reading is what came since the last and adds up. A part may be there before its socket's
 * first record and after its last one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/store.h"

static int part_make(struct flow_table *t, const struct np_part_key *key,
		     const struct np_part *part, uint64_t now_ns, struct flow **ret)
{
	struct flow_part *p;
	struct flow_home *h;
	int r;

	r = store_make_room(t, false, store_part_id(key));
	if (r < 0)
		return r;
	p = calloc(1, sizeof(*p));
	h = p ? store_home_get(t, key->sock_id) : NULL;
	if (h)
		p->flow.owner = process_table_get(t->procs, &part->owner, now_ns);
	if (!h || !p->flow.owner) {
		if (h)
			store_home_put(t, h);
		free(p);
		return -ENOMEM;
	}
	p->flow.part = true;
	p->flow.sock_id = key->sock_id;
	p->flow.opened_ns = now_ns;
	p->flow.last = p->flow.owner;
	p->flow.last->refs++;
	p->flow.tuple = part->tuple;
	p->has_peer = part_has_peer(key);
	if (!p->has_peer) {
		memcpy(&p->came, key->raddr, sizeof(p->came));
	} else {
		memcpy(p->flow.tuple.raddr, key->raddr, sizeof(key->raddr));
		p->flow.tuple.rport = key->rport;
		if (key->family)
			p->flow.tuple.family = key->family;
	}
	p->home = h;
	p->next = h->parts;
	if (h->parts)
		h->parts->prev = p;
	h->parts = p;
	store_add(t, &p->flow);
	*ret = &p->flow;
	return 0;
}

/* The interface and the local end may become known later; the key fields must not change. */
static void part_tuple(struct np_tuple *to, const struct np_tuple *from)
{
	if (from->lport) {
		memcpy(to->laddr, from->laddr, sizeof(to->laddr));
		to->lport = from->lport;
	}
	if (from->netns)
		to->netns = from->netns;
	if (from->ifname[0]) {
		memcpy(to->ifname, from->ifname, sizeof(to->ifname));
		to->ifname[sizeof(to->ifname) - 1] = '\0';
		to->ifindex = from->ifindex;
	}
	to->flags = from->flags;
	to->state = from->state;
}

static void part_counts(struct flow *f, const struct np_counts *c, struct flow_delta *p)
{
	f->counts.tx_bytes += c->tx_bytes;
	f->counts.rx_bytes += c->rx_bytes;
	f->counts.retrans += c->retrans;
	f->tx_pkts += c->tx_calls;
	f->rx_pkts += c->rx_calls;
	p->tx_bytes += c->tx_bytes;
	p->rx_bytes += c->rx_bytes;
	p->retrans += c->retrans;
	p->tx_pkts += c->tx_calls;
	p->rx_pkts += c->rx_calls;
}

int flow_table_part(struct flow_table *t, const struct np_part_key *key, const struct np_part *part,
		    uint64_t now_ns)
{
	const struct flow *sock = store_find_main(t, key->sock_id);
	/* copied: making room may drop a closed socket */
	bool known = sock, closed = sock && sock->closed;
	uint64_t closed_ns = closed ? sock->closed_ns : 0;
	struct flow *f;
	int r = 0;

	if (part->owner.tgid != key->tgid)
		return -EINVAL;
	if (!t->tick_ns)
		t->tick_ns = now_ns;
	f = store_find_part(t, key, part->owner.start_ns);
	/* closed beside an open socket: that one belonged to the socket's last life, or idled too
	 * long */
	if (f && f->closed && known && !closed)
		f = NULL;
	if (!f)
		r = part_make(t, key, part, now_ns, &f);
	if (r == 0)
		r = store_activate(t, f);
	if (r < 0) {
		struct flow_delta d = { 0 };
		struct flow none = { 0 };

		part_counts(&none, &part->counts, &d);
		store_spill(t, &part->owner, &part->tuple, &d, now_ns);
		return r;
	}
	part_tuple(&f->tuple, &part->tuple);
	f->owner_match = part->owner.match;
	f->last_match = part->owner.match;
	if (part->owner.tid)
		f->last_tid = part->owner.tid;
	part_counts(f, &part->counts, store_pending(t, f));
	if (closed && !f->closed) {
		f->closed = true;
		f->closed_ns = closed_ns;
	}
	return 0;
}

bool flow_table_is_double(const struct flow_table *t, const struct flow *f)
{
	struct np_part_key key = { .sock_id = f->sock_id,
				   .tgid = f->owner->tgid,
				   .rport = f->tuple.rport };
	static const uint8_t nobody[16];
	const struct flow *part;

	if (f->part || f->frozen || f->tcp || !(f->tuple.flags & NP_F_UNCONN))
		return false;
	if (f->counts.tx_bytes | f->counts.rx_bytes | f->tx_pkts | f->rx_pkts)
		return false;
	memcpy(key.raddr, f->tuple.raddr, sizeof(key.raddr));
	key.family = f->tuple.family;
	if (!key.rport && !memcmp(key.raddr, nobody, sizeof(nobody)))
		return false;
	part = store_find_part(t, &key, f->owner->start_ns);
	return part && (f->closed || !part->closed);
}
