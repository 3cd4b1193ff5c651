/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the flows: found by key, visited in an array, dropped when there is no room. Knows nothing
 * of what a record means (feed.c) nor of time (table.c).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "flow/store.h"

#define STORE_SLOTS 1024
#define STORE_CAP 256
#define STORE_GONE 4096
#define REFUSED_FIRST 1024
#define REFUSED_MOST (1U << 20) /* 8 MiB; of more than half as many each time counts */
/* Parts looked at when room is needed. */
#define STORE_PARTS_TRIED 64

static uint64_t main_hash(uint64_t sock_id)
{
	return index_hash(&sock_id, sizeof(sock_id));
}

/* The key the kernel half knows a part by. The family is left out: the peer says it all. */
static struct np_part_key part_key(struct flow *f)
{
	struct np_part_key key = { .sock_id = f->sock_id, .tgid = f->owner->tgid };

	if (flow_part_of(f)->has_peer) {
		key.rport = f->tuple.rport;
		memcpy(key.raddr, f->tuple.raddr, sizeof(key.raddr));
	} else {
		memcpy(key.raddr, &flow_part_of(f)->came, sizeof(flow_part_of(f)->came));
	}
	return key;
}

static uint64_t part_hash(const struct np_part_key *key)
{
	struct np_part_key k = *key;

	k.start_ns = 0; /* compared with the owner's */
	k.family = 0;
	k.pad = 0;
	return index_hash(&k, sizeof(k));
}

uint64_t store_part_id(const struct np_part_key *key)
{
	return part_hash(key);
}

static uint64_t flow_hash(const struct index_node *node)
{
	struct flow *f = index_entry(node, struct flow, node);
	struct np_part_key key;

	if (!f->part)
		return main_hash(f->sock_id);
	key = part_key(f);
	return part_hash(&key);
}

static uint64_t home_hash(const struct index_node *node)
{
	return main_hash(index_entry(node, struct flow_home, node)->sock_id);
}

struct flow *store_find_main(const struct flow_table *t, uint64_t sock_id)
{
	struct index_node *n = index_chain(&t->flows, main_hash(sock_id));

	/* chains have the newest in front, so this is the socket's latest life */
	for (; n; n = n->next) {
		struct flow *f = index_entry(n, struct flow, node);

		if (f->sock_id == sock_id && !f->part && !f->frozen)
			return f;
	}
	return NULL;
}

struct flow *store_find_part(const struct flow_table *t, const struct np_part_key *key,
			     uint64_t start_ns)
{
	struct index_node *n = index_chain(&t->flows, part_hash(key));

	for (; n; n = n->next) {
		struct flow *f = index_entry(n, struct flow, node);

		struct np_part_key k;

		if (!f->part || f->sock_id != key->sock_id)
			continue;
		k = part_key(f);
		if (k.tgid == key->tgid && (!k.tgid || f->owner->start_ns == start_ns) &&
		    flow_part_of(f)->has_peer == part_has_peer(key) && k.rport == key->rport &&
		    memcmp(k.raddr, key->raddr, sizeof(k.raddr)) == 0)
			return f;
	}
	return NULL;
}

int store_init(struct flow_table *t)
{
	t->tcp_flows.size = sizeof(struct flow_main_tcp);
	t->recents.size = sizeof(struct flow_recent);
	int r;

	r = index_init(&t->flows, STORE_SLOTS, flow_hash);
	r = r < 0 ? r : index_init(&t->homes, 64, home_hash);
	return r < 0 ? r : store_sums_init(t);
}

void store_rare_free(struct flow_rare *rare)
{
	if (!rare)
		return;
	free(rare->former);
	free(rare);
}

static void flow_free(struct flow_table *t, struct flow *f)
{
	process_unref(t->procs, f->owner);
	process_unref(t->procs, f->last);
	store_rare_free(f->rare);
	if (f->part)
		free(flow_part_of(f));
	else if (f->tcp)
		pool_put(&t->tcp_flows, f);
	else
		free(f);
}

void store_done(struct flow_table *t)
{
	uint32_t i;

	while (t->n_active)
		store_deactivate(t, t->active[t->n_active - 1]);
	for (i = 0; i < t->flows.count; i++)
		flow_free(t, t->all[i]);
	for (i = 0; t->homes.slots && i <= t->homes.mask; i++) {
		struct index_node *n = t->homes.slots[i], *next;

		for (; n; n = next) {
			next = n->next;
			free(index_entry(n, struct flow_home, node));
		}
	}
	store_sums_done(t);
	index_done(&t->flows);
	index_done(&t->homes);
	pool_done(&t->tcp_flows);
	pool_done(&t->recents);
	free(t->all);
	free(t->active);
	free(t->gone);
	free(t->refused);
}

int store_reserve(struct flow ***array, uint32_t *cap, uint32_t n)
{
	uint32_t want = *cap ? *cap + *cap / 2 : STORE_CAP;
	struct flow **p;

	if (n < *cap)
		return 0;
	p = realloc(*array, want * sizeof(struct flow *));
	if (!p)
		return -ENOMEM;
	*array = p;
	*cap = want;
	return 0;
}

void store_queue_push(struct flow_queue *q, struct flow *f)
{
	f->queue_next = NULL;
	if (q->tail)
		q->tail->queue_next = f;
	else
		q->head = f;
	q->tail = f;
	q->in++;
}

struct flow *store_queue_pop(struct flow_queue *q)
{
	struct flow *f = q->head;

	if (!f)
		return NULL;
	q->head = f->queue_next;
	if (!q->head)
		q->tail = NULL;
	f->queue_next = NULL;
	q->out++;
	return f;
}

/* Closed flows first, the oldest of them; then parts that do not move. */
static struct flow *least_wanted(struct flow_table *t)
{
	struct flow *f = store_queue_pop(&t->closed);
	unsigned int i;

	for (i = 0; !f && i < STORE_PARTS_TRIED && t->parts.head; i++) {
		f = store_queue_pop(&t->parts);
		t->n_parts--;
		if (!f->closed && f->recent) {
			store_queue_push(&t->parts, f);
			t->n_parts++;
			f = NULL;
		}
	}
	return f;
}

/* The place of that one, or the free one where it would be. */
static uint64_t *refused_at(uint64_t *set, uint32_t mask, uint64_t who)
{
	uint32_t i = (uint32_t)main_hash(who) & mask;

	while (set[i] && set[i] != who)
		i = (i + 1) & mask;
	return &set[i];
}

static int refused_grow(struct flow_table *t)
{
	uint32_t size = t->refused ? (t->refused_mask + 1) * 2 : REFUSED_FIRST;
	uint64_t *set = size > REFUSED_MOST ? NULL : calloc(size, sizeof(*set));

	if (!set)
		return -ENOMEM;
	for (uint32_t i = 0; t->refused && i <= t->refused_mask; i++)
		if (t->refused[i])
			*refused_at(set, size - 1, t->refused[i]) = t->refused[i];
	free(t->refused);
	t->refused = set;
	t->refused_mask = size - 1;
	return 0;
}

/* Who comes again at each look and finds no room each time is one that has no row. */
static bool is_refused_first(struct flow_table *t, uint64_t who)
{
	uint64_t *at;

	if ((!t->refused || t->n_refused_ids > t->refused_mask / 2) && refused_grow(t) < 0)
		return !t->refused || !*refused_at(t->refused, t->refused_mask, who);
	at = refused_at(t->refused, t->refused_mask, who);
	if (*at)
		return false;
	*at = who;
	t->n_refused_ids++;
	return true;
}

int store_make_room(struct flow_table *t, bool last, uint64_t who)
{
	struct flow *f;
	bool first;

	while (t->flows.count >= t->opts.max_flows) {
		f = least_wanted(t);
		if (!f && last)
			break;
		first = !f && is_refused_first(t, who ? who : 1);
		t->n_dropped += f || first;
		t->n_refused += first;
		if (!f)
			return -ENOSPC;
		if (t->opts.keep_closed)
			store_sum(t, f);
		store_drop(t, f);
	}
	return store_reserve(&t->all, &t->all_cap, t->flows.count);
}

void store_add(struct flow_table *t, struct flow *f)
{
	f->serial = ++t->serial;
	f->slot = t->flows.count;
	t->all[f->slot] = f;
	index_add(&t->flows, &f->node);
	t->n_open += flow_is_open_socket(f);
	if (f->part) {
		store_queue_push(&t->parts, f);
		t->n_parts++;
	}
}

static struct flow_gone *gone_slot(const struct flow_table *t, uint64_t sock_id)
{
	return &t->gone[main_hash(sock_id) % STORE_GONE];
}

static void gone_note(struct flow_table *t, const struct flow *f)
{
	if (!t->gone)
		t->gone = calloc(STORE_GONE, sizeof(*t->gone));
	if (!t->gone)
		return;
	*gone_slot(t, f->sock_id) = (struct flow_gone){ .sock_id = f->sock_id,
							.opened_ns = f->opened_ns,
							.closed_ns = f->closed_ns,
							.told = { .tx_bytes = f->counts.tx_bytes,
								  .rx_bytes = flow_rx_bytes(f),
								  .retrans = f->counts.retrans },
							.heir = f->heir };
}

struct flow_gone *store_gone(const struct flow_table *t, const struct np_sock_rec *rec)
{
	struct flow_gone *g = t->gone ? gone_slot(t, rec->sock_id) : NULL;

	if (!g || g->sock_id != rec->sock_id || rec->opened_ns > g->closed_ns ||
	    rec->established_ns > g->closed_ns ||
	    (g->opened_ns && rec->opened_ns && g->opened_ns != rec->opened_ns))
		return NULL;
	return g;
}

void store_drop(struct flow_table *t, struct flow *f)
{
	struct flow *moved = t->all[t->flows.count - 1];

	if (f->dead)
		gone_note(t, f);
	if (f->recent) {
		(void)store_settle(t, f);
		store_deactivate(t, f);
	}
	if (f->part)
		store_part_unlink(t, flow_part_of(f));
	t->n_open -= flow_is_open_socket(f);
	t->all[f->slot] = moved;
	moved->slot = f->slot;
	index_remove(&t->flows, &f->node);
	flow_free(t, f);
}

struct flow_home *store_home(const struct flow_table *t, uint64_t sock_id)
{
	struct index_node *n;

	if (!t->homes.count)
		return NULL;
	for (n = index_chain(&t->homes, main_hash(sock_id)); n; n = n->next) {
		struct flow_home *h = index_entry(n, struct flow_home, node);

		if (h->sock_id == sock_id)
			return h;
	}
	return NULL;
}

struct flow_home *store_home_get(struct flow_table *t, uint64_t sock_id)
{
	struct flow_home *h = store_home(t, sock_id);

	if (h)
		return h;
	h = calloc(1, sizeof(*h));
	if (!h)
		return NULL;
	h->sock_id = sock_id;
	index_add(&t->homes, &h->node);
	return h;
}

void store_home_put(struct flow_table *t, struct flow_home *h)
{
	if (h->parts || h->frozen)
		return;
	index_remove(&t->homes, &h->node);
	free(h);
}

void store_part_unlink(struct flow_table *t, struct flow_part *p)
{
	struct flow_home *h = p->home;

	if (!h)
		return;
	if (p->prev)
		p->prev->next = p->next;
	else
		h->parts = p->next;
	if (p->next)
		p->next->prev = p->prev;
	p->next = NULL;
	p->prev = NULL;
	p->home = NULL;
	store_home_put(t, h);
}

static void close_one(struct flow_table *t, struct flow *f, uint64_t closed_ns)
{
	if (f->closed)
		return;
	t->n_open -= flow_is_open_socket(f);
	f->closed = true;
	f->closed_ns = closed_ns;
	/* parts wait in their own queue, from which the tick moves them */
	if (!f->part)
		store_queue_push(&t->closed, f);
}

void store_close(struct flow_table *t, struct flow *f, uint64_t closed_ns)
{
	struct flow_home *h = store_home(t, f->sock_id);
	struct flow_part *p;

	close_one(t, f, closed_ns);
	if (!h)
		return;
	for (p = h->parts; p; p = p->next)
		close_one(t, &p->flow, closed_ns);
	while (h->frozen) {
		struct flow *next = h->frozen->queue_next;

		close_one(t, h->frozen, closed_ns);
		h->frozen = next;
	}
	store_home_put(t, h);
}

/* Before the interval is over its deltas are still looked at: what comes then waits beside them. */
static int early_get(const struct flow_table *t, struct flow_recent *r)
{
	if (t->turned || r->first || r->early)
		return 0;
	r->early = calloc(1, sizeof(*r->early));
	return r->early ? 0 : -ENOMEM;
}

int store_activate(struct flow_table *t, struct flow *f)
{
	int r;

	if (f->recent)
		return early_get(t, f->recent);
	r = store_reserve(&t->active, &t->active_cap, t->n_active);
	if (r < 0)
		return r;
	f->recent = pool_take(&t->recents);
	if (!f->recent)
		return -ENOMEM;
	f->recent->slot = t->n_active;
	f->recent->first = !t->turned; /* there is nothing yet to be looked at */
	t->active[t->n_active++] = f;
	return 0;
}

/* Whatever came early is in d from now on. */
static void recent_turn(struct flow_recent *r)
{
	r->turned = true;
	if (r->first) {
		r->first = false;
		return;
	}
	r->d = r->early ? *r->early : (struct flow_delta){ 0 };
	free(r->early);
	r->early = NULL;
}

struct flow_delta *store_pending(struct flow_table *t, struct flow *f)
{
	struct flow_recent *r = f->recent;

	if (!t->turned)
		return r->first ? &r->d : r->early;
	if (!r->turned)
		recent_turn(r);
	return &r->d;
}

void store_deactivate(struct flow_table *t, struct flow *f)
{
	struct flow *moved = t->active[--t->n_active];

	t->active[f->recent->slot] = moved;
	moved->recent->slot = f->recent->slot;
	f->recent->history = history_free(&t->histories, f->recent->history);
	free(f->recent->early);
	pool_put(&t->recents, f->recent);
	f->recent = NULL;
}

bool delta_is_zero(const struct flow_delta *d)
{
	return !(d->tx_bytes | d->rx_bytes | d->tx_pkts | d->rx_pkts | d->retrans | d->synack |
		 d->rtx_spurious | d->listen_drops);
}

bool store_settle(struct flow_table *t, struct flow *f)
{
	struct flow_recent *r = f->recent;
	struct flow_watch *w;

	if (!r->turned)
		recent_turn(r);
	r->turned = false;
	if (delta_is_zero(&r->d))
		return false;
	for (w = t->watches; w; w = w->next)
		w->fn(f, &r->d, w->arg);
	return true;
}
