/* SPDX-License-Identifier: BSD-2-Clause */
/* MPTCP connections (see mains.h). */
#include "capture/mains.h"

#include <stdlib.h>
#include <string.h>

#include "capture/socks_internal.h"

/* Others than those of flows without a socket. */
#define OWN_ID_BIT (1ULL << 62 | 1ULL << 40)
#define STATE_CLOSE 7

struct mains_one {
	struct index_node node;
	uint32_t token, live; /* subflows now */
	bool has_first, established, opened_told, told, dirty;
	struct np_sock_rec rec;
};

static struct mains_one *one_of(const struct index_node *node)
{
	return index_entry(node, struct mains_one, node);
}

static uint64_t hash_of(const struct index_node *node)
{
	return index_hash(&one_of(node)->token, sizeof(uint32_t));
}

int mains_init(struct socks *s)
{
	return index_init(&s->mains, 64, hash_of);
}

static struct mains_one *find(const struct socks *s, uint32_t token)
{
	struct index_node *n = index_chain(&s->mains, index_hash(&token, sizeof(token)));

	while (n && one_of(n)->token != token)
		n = n->next;
	return n ? one_of(n) : NULL;
}

/* What a subflow is known by is the connection's: its holder, and of the first one its ends and times. */
static void sync_with(struct socks *s, struct mains_one *m, const struct sock *k)
{
	struct np_sock_rec *to = &m->rec;
	const struct np_sock_rec *from = &k->rec;

	if (!to->tuple.lport) {
		to->tuple = from->tuple;
		to->tuple.proto = NP_IPPROTO_MPTCP;
		to->tuple.flags |= NP_F_OWNID;
	}
	if (from->owner.tgid &&
	    (from->owner.tgid != to->owner.tgid || from->owner.start_ns != to->owner.start_ns)) {
		to->owner = to->last = from->owner;
		m->dirty = true;
	}
	if (to->tuple.lport == from->tuple.lport && to->tuple.rport == from->tuple.rport) {
		to->tuple.flags |= from->tuple.flags & NP_F_PASSIVE;
		to->opened_ns = from->opened_ns;
		to->established_ns = from->established_ns;
		to->connect_us = from->connect_us;
		to->tuple.state = from->tuple.state;
		to->tuple.ifindex = from->tuple.ifindex;
		memcpy(to->tuple.ifname, from->tuple.ifname, sizeof(to->tuple.ifname));
	}
	m->established |= k->established;
}

bool mains_pass(struct socks *s, const struct sock *k)
{
	sync_with(s, k->main, k);
	return socks_pass(s, &k->main->rec);
}

void mains_join(struct socks *s, struct sock *k, uint32_t token, bool joined)
{
	struct mains_one *m;

	if (k->main || k->told)
		return;
	m = find(s, token);
	if (!m) {
		m = calloc(1, sizeof(*m));
		if (!m) {
			s->loss.map_full++;
			return;
		}
		m->token = token;
		m->rec.sock_id = OWN_ID_BIT | ++s->main_ids;
		m->opened_told = s->seeding;
		index_add(&s->mains, &m->node);
	}
	k->main = m;
	m->dirty = true;
	m->live++;
	m->rec.subflows = m->live;
	if (!joined && !m->has_first) {
		m->has_first = true;
		m->rec.tuple.lport = 0; /* that of another one gives way */
	}
	sync_with(s, m, k);
	/* what was counted until it was known to be one */
	mains_count(k, k->rec.counts.tx_bytes, k->rec.counts.rx_bytes, k->rec.counts.retrans);
}

void mains_count(struct sock *k, uint64_t tx_bytes, uint64_t rx_bytes, uint64_t retrans)
{
	struct mains_one *m = k->main;

	if (!m || !(tx_bytes | rx_bytes | retrans))
		return;
	m->rec.counts.tx_bytes += tx_bytes;
	m->rec.counts.rx_bytes += rx_bytes;
	m->rec.counts.retrans += retrans;
	m->rec.tcp.rtx_cause[NP_RTX_UNKNOWN] = (uint32_t)m->rec.counts.retrans;
	m->dirty = true;
}

static void tell(struct socks *s, const struct mains_one *m, uint16_t type)
{
	struct np_ev_sock ev = { .hdr = { .type = type, .ts_ns = s->now_ns }, .rec = m->rec };

	socks_tell(s, &ev);
}

static void tell_open(struct socks *s, struct mains_one *m)
{
	if (m->opened_told || !m->established || !socks_pass(s, &m->rec))
		return;
	m->opened_told = true;
	tell(s, m, NP_EV_CONN_OPEN);
}

static void drop(struct socks *s, struct mains_one *m)
{
	index_remove(&s->mains, &m->node);
	free(m);
}

void mains_leave(struct socks *s, struct sock *k)
{
	struct mains_one *m = k->main;

	sync_with(s, m, k);
	k->main = NULL;
	m->dirty = true;
	if (--m->live) /* told with the next look: at the end of a connection one goes after the other */
		return;
	m->rec.tuple.flags |= NP_F_DEAD;
	m->rec.tuple.state = STATE_CLOSE;
	m->rec.closed_ns = s->now_ns;
	m->rec.sample_rate = s->filter.sample_rate;
	if (m->told || socks_pass(s, &m->rec)) {
		tell_open(s, m);
		tell(s, m, m->established ? NP_EV_CONN_CLOSE : NP_EV_SOCK_CLOSE);
	}
	drop(s, m);
}

static void sync_one(struct socks *s, struct sock *k, void *arg)
{
	(void)arg;
	if (k->main)
		sync_with(s, k->main, k);
}

static void hand_over(struct socks *s, struct mains_one *m, bool full, probe_sock_fn fn, void *arg)
{
	tell_open(s, m);
	if (!(m->told || socks_pass(s, &m->rec)) || !(m->dirty || full))
		return;
	m->dirty = false;
	m->told = true;
	m->rec.subflows = m->live;
	m->rec.sample_rate = s->filter.sample_rate;
	fn(&m->rec, arg);
}

void mains_hand(struct socks *s, bool full, probe_sock_fn fn, void *arg)
{
	if (!s->mains.count)
		return;
	socks_each(s, sync_one, NULL);
	for (uint32_t i = 0; i <= s->mains.mask; i++)
		for (struct index_node *n = s->mains.slots[i]; n; n = n->next)
			hand_over(s, one_of(n), full, fn, arg);
}

void mains_done(struct socks *s)
{
	for (uint32_t i = 0; s->mains.slots && i <= s->mains.mask; i++)
		while (s->mains.slots[i])
			drop(s, one_of(s->mains.slots[i]));
	index_done(&s->mains);
}
