/* SPDX-License-Identifier: BSD-2-Clause */
/* Trouble and verdicts per socket (see health.h). */
#include "flow/health.h"

#include <stdlib.h>

#define PURGE_LEAST 1024

struct health {
	struct index_node node;
	uint64_t sock_id;
	uint64_t opened_ns;	    /* of the connection it tells of; 0 unknown */
	struct trouble seen;	    /* handed out so far */
	struct trouble before;	    /* of it, when sums began anew */
	struct verdict_sample last; /* valid where last_ns is not 0 */
	uint64_t last_ns;
	struct verdict_times times;
};

static const struct trouble no_trouble;
static const struct verdict_times no_times;

void trouble_add(struct trouble *to, const struct trouble *t)
{
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		to->rtx[i] += t->rtx[i];
	to->synack += t->synack;
	to->spurious += t->spurious;
	to->stall_ns += t->stall_ns;
}

bool trouble_is_none(const struct trouble *t)
{
	uint64_t any = t->synack | t->spurious | t->stall_ns;

	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		any |= t->rtx[i];
	return !any;
}

static uint64_t health_hash(const struct index_node *node)
{
	const uint64_t *id = &index_entry(node, struct health, node)->sock_id;

	return index_hash(id, sizeof(*id));
}

int healths_init(struct healths *h)
{
	*h = (struct healths){ .purge_at = PURGE_LEAST };
	return index_init(&h->by_sock, 64, health_hash);
}

void healths_done(struct healths *h)
{
	for (uint32_t i = 0; h->by_sock.slots && i <= h->by_sock.mask; i++) {
		struct index_node *n = h->by_sock.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			free(index_entry(n, struct health, node));
		}
	}
	index_done(&h->by_sock);
}

static struct health *find(const struct healths *h, uint64_t sock_id)
{
	struct index_node *n = index_chain(&h->by_sock, index_hash(&sock_id, sizeof(sock_id)));

	for (; n; n = n->next) {
		struct health *e = index_entry(n, struct health, node);

		if (e->sock_id == sock_id)
			return e;
	}
	return NULL;
}

/*
 * The entry of f's connection, made where there is none. A socket that connects again starts from
 * nothing, as the kernel's figures do; NULL as well for what comes late of the connection before.
 */
static struct health *get(struct healths *h, const struct flow *f)
{
	struct health *e = find(h, f->sock_id);

	if (!e) {
		e = calloc(1, sizeof(*e));
		if (!e)
			return NULL;
		e->sock_id = f->sock_id;
		e->opened_ns = f->opened_ns;
		index_add(&h->by_sock, &e->node);
	} else if (e->opened_ns && f->opened_ns > e->opened_ns) {
		struct index_node node = e->node;

		*e = (struct health){ .node = node,
				      .sock_id = f->sock_id,
				      .opened_ns = f->opened_ns };
	} else if (f->opened_ns && f->opened_ns < e->opened_ns) {
		return NULL;
	} else if (!e->opened_ns) {
		e->opened_ns = f->opened_ns;
	}
	return e;
}

static void trouble_of(struct trouble *ret, const struct flow_rare *rare)
{
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		ret->rtx[i] = rare->rtx_cause[i];
	ret->synack = rare->synack_retrans;
	ret->spurious = rare->rtx_spurious;
	ret->stall_ns = rare->stall_ns;
}

/* Raise *seen to now: what it was raised by. A late record has less and changes nothing. */
static uint64_t grow(uint64_t *seen, uint64_t now)
{
	uint64_t d = now > *seen ? now - *seen : 0;

	*seen += d;
	return d;
}

bool healths_take(struct healths *h, const struct flow *f, struct trouble *ret)
{
	struct trouble now, d;
	struct health *e;

	if (!f->tcp || !f->rare || f->part)
		return false;
	trouble_of(&now, f->rare);
	if (trouble_is_none(&now))
		return false;
	e = get(h, f);
	if (!e)
		return false;
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		d.rtx[i] = grow(&e->seen.rtx[i], now.rtx[i]);
	d.synack = grow(&e->seen.synack, now.synack);
	d.spurious = grow(&e->seen.spurious, now.spurious);
	d.stall_ns = grow(&e->seen.stall_ns, now.stall_ns);
	*ret = d;
	return !trouble_is_none(&d);
}

void healths_watch(struct healths *h, bool on)
{
	h->watching = on;
}

/* A connection's own figures: no listener, and nothing that went on to another owner. */
static bool is_connection(const struct flow *f)
{
	return flow_is_tcp(f) && !f->part && !f->frozen && !(f->tuple.flags & NP_F_LISTEN) &&
	       f->tuple.rport;
}

/* Old intervals fade by half: the verdict neither flickers nor stays when things change. */
static void fade(struct verdict_times *t)
{
	for (unsigned int i = 0; i < NETPROBE_VERDICT_MAX; i++)
		t->us[i] /= 2;
	t->sent /= 2;
	t->resent /= 2;
}

struct look {
	struct healths *h;
	uint64_t now_ns;
};

static int look_at(struct flow *f, void *arg)
{
	const struct look *l = arg;
	uint64_t from, until = f->closed && f->closed_ns ? f->closed_ns : l->now_ns;
	struct verdict_sample now;
	struct health *e;

	if (!is_connection(f))
		return 0;
	e = get(l->h, f);
	if (!e)
		return 0;
	verdict_sample_flow(&now, f->tcp);
	from = e->last_ns;
	if (!from && f->established_ns && f->established_ns >= l->h->tick_ns) {
		e->last =
			(struct verdict_sample){ 0 }; /* all of its life was since the last look */
		from = f->established_ns;
	}
	if (from && until > from) {
		fade(&e->times);
		verdict_add(&e->times, &e->last, &now, (until - from) / 1000);
	}
	e->last = now;
	e->last_ns = l->now_ns;
	return 0;
}

/* Entries outlive their sockets until there are enough of them to be worth a walk. */
static void purge(struct healths *h, struct flow_table *flows)
{
	for (uint32_t i = 0; i <= h->by_sock.mask; i++) {
		struct index_node *n = h->by_sock.slots[i], *next;

		for (; n; n = next) {
			struct health *e = index_entry(n, struct health, node);

			next = n->next;
			if (flow_table_find(flows, e->sock_id))
				continue;
			index_remove(&h->by_sock, n);
			free(e);
		}
	}
	h->purge_at = h->by_sock.count * 2 + PURGE_LEAST;
}

void healths_tick(struct healths *h, struct flow_table *flows, uint64_t now_ns)
{
	struct look l = { h, now_ns };

	if (h->watching)
		(void)flow_table_each(flows, look_at, &l);
	if (h->by_sock.count >= h->purge_at)
		purge(h, flows);
	h->tick_ns = now_ns;
}

static const struct health *of_flow(const struct healths *h, const struct flow *f)
{
	const struct health *e;

	if (!h->by_sock.count || !f->tcp || f->part || f->frozen)
		return NULL;
	e = find(h, f->sock_id);
	/* the connection before, still kept: what is here is not its own */
	return e && !(f->closed && e->opened_ns > f->opened_ns) ? e : NULL;
}

const struct trouble *healths_trouble(const struct healths *h, const struct flow *f)
{
	const struct health *e = of_flow(h, f);

	return e ? &e->seen : &no_trouble;
}

void healths_trouble_since(const struct healths *h, const struct flow *f, struct trouble *ret)
{
	const struct health *e = of_flow(h, f);

	*ret = no_trouble;
	if (!e)
		return;
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		ret->rtx[i] = e->seen.rtx[i] - e->before.rtx[i];
	ret->synack = e->seen.synack - e->before.synack;
	ret->spurious = e->seen.spurious - e->before.spurious;
	ret->stall_ns = e->seen.stall_ns - e->before.stall_ns;
}

void healths_restart(struct healths *h)
{
	for (uint32_t i = 0; i <= h->by_sock.mask; i++)
		for (struct index_node *n = h->by_sock.slots[i]; n; n = n->next) {
			struct health *e = index_entry(n, struct health, node);

			e->before = e->seen;
		}
}

const struct verdict_times *healths_times(const struct healths *h, const struct flow *f)
{
	const struct health *e = of_flow(h, f);

	return e && h->watching ? &e->times : &no_times;
}
