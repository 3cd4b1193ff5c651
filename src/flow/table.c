/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The flow table as its users see it, and the end of an interval: deltas, rates, ageing. Records
 * come in through feed.c and part.c; store.c keeps the flows.
 */
#include <malloc.h>
#include <stdlib.h>

#include "flow/store.h"

#define TABLE_MAX_FLOWS 262144
#define TABLE_GRACE_NS (10 * 1000000000ull)
/* More closed ones than these only stay until they were shown at the end of an interval. */
#define CLOSED_MANY 16384
/* After so many were dropped the allocator is asked for what they took. */
#define TRIM_AFTER 16384
/* 1 MiB at most: more rows than anyone scrolls through */
#define TABLE_HISTORIES 4096
/* A peer of an unconnected socket that was silent for so long is taken for gone. */
#define PART_IDLE_NS (60 * 1000000000ull)
/* Parts looked after in one tick: bounds its cost, not what is done in the end. */
#define PARTS_PER_TICK 4096

static const struct flow_delta no_delta;

struct flow_table *flow_table_new(const struct flow_table_opts *opts, struct process_table *procs)
{
	struct flow_table *t = calloc(1, sizeof(*t));

	if (!t)
		return NULL;
	if (opts)
		t->opts = *opts;
	if (!t->opts.max_flows)
		t->opts.max_flows = TABLE_MAX_FLOWS;
	if (!t->opts.grace_ns)
		t->opts.grace_ns = TABLE_GRACE_NS;
	t->procs = procs;
	t->histories.max = TABLE_HISTORIES;
	if (store_init(t) < 0)
		return flow_table_free(t);
	return t;
}

struct flow_table *flow_table_free(struct flow_table *t)
{
	if (!t)
		return NULL;
	store_done(t);
	free(t);
	return NULL;
}

/* True: it stays among the active ones. */
static bool tick_active(struct flow_table *t, struct flow *f, uint64_t now_ns, float seconds)
{
	struct flow_recent *r = f->recent;
	bool moved;

	if (!f->fresh)
		feed_confirm_unseen(t, f);
	f->fresh = false;
	moved = store_settle(t, f);
	if (moved) {
		if (!r->history)
			r->history = history_new(&t->histories, !f->active_ns);
		f->active_ns = now_ns;
		r->idle = 0;
	} else {
		r->idle++;
	}
	history_push(r->history, flow_tx_rate(f, seconds) + flow_rx_rate(f, seconds));
	/* unseen bytes that still wait for confirmation need the next tick */
	return moved || flow_rare(f)->cand_rx_unseen > flow_rare(f)->rx_unseen ||
	       (r->history && r->idle < FLOW_HISTORY);
}

static uint64_t since(uint64_t now_ns, uint64_t then_ns)
{
	return now_ns > then_ns ? now_ns - then_ns : 0;
}

/* A part nobody will close: its socket never came, or ended before it, or it is silent (and not to be kept for the whole run). */
static bool is_part_over(const struct flow_table *t, const struct flow *f, uint64_t now_ns)
{
	uint64_t idle = since(now_ns, f->active_ns ? f->active_ns : f->opened_ns);
	const struct flow *sock = store_find_main(t, f->sock_id);

	if (sock && sock->closed)
		return true;
	return sock ? idle > PART_IDLE_NS && !t->opts.keep_closed : idle > t->opts.grace_ns;
}

static void tick_parts(struct flow_table *t, uint64_t now_ns)
{
	uint32_t n = t->n_parts < PARTS_PER_TICK ? t->n_parts : PARTS_PER_TICK;

	while (n--) {
		struct flow *f = store_queue_pop(&t->parts);

		if (!f->closed && is_part_over(t, f, now_ns)) {
			f->closed = true;
			f->closed_ns = now_ns;
			store_part_unlink(t, flow_part_of(f));
		}
		if (f->closed) {
			t->n_parts--;
			store_queue_push(&t->closed, f);
		} else {
			store_queue_push(&t->parts, f);
		}
	}
}

/* How long the oldest closed one stays: in a burst of short connections they would be most of the memory. */
static uint64_t closed_stay_ns(const struct flow_table *t)
{
	bool many = t->closed.in - t->closed.out > CLOSED_MANY && t->closed.out < t->closed_told;

	return many ? 0 : t->opts.grace_ns;
}

/* What a burst took, when it is over. */
static void give_back(struct flow_table *t)
{
	if (t->closed.out - t->trimmed < TRIM_AFTER || t->closed.in - t->closed.out > CLOSED_MANY)
		return;
	t->trimmed = t->closed.out;
	(void)malloc_trim(0);
}

static void tick_closed(struct flow_table *t, uint64_t now_ns)
{
	const struct flow *again = NULL;
	uint64_t in = t->closed.in;

	while (t->closed.head && t->closed.head != again) {
		struct flow *f = t->closed.head;

		if (since(now_ns, f->closed_ns) < closed_stay_ns(t))
			break;
		f = store_queue_pop(&t->closed);
		if (f->active_ns != now_ns) {
			store_drop(t, f);
			continue;
		}
		/* What moved in this interval has yet to be shown; those behind it do not wait for that. */
		store_queue_push(&t->closed, f);
		again = again ? again : f;
	}
	t->closed_told = in;
	give_back(t);
}

void flow_table_turn(struct flow_table *t)
{
	t->turned = true;
}

void flow_table_tick(struct flow_table *t, uint64_t now_ns)
{
	uint32_t i = 0;

	t->turned = true;

	t->seconds = t->tick_ns ? (float)((double)since(now_ns, t->tick_ns) / 1e9) : 0;
	t->tick_ns = now_ns;
	while (i < t->n_active) {
		struct flow *f = t->active[i];

		if (tick_active(t, f, now_ns, t->seconds))
			i++;
		else
			store_deactivate(t, f); /* the last one takes its place */
	}
	t->turned = false;
	tick_parts(t, now_ns);
	if (!t->opts.keep_closed)
		tick_closed(t, now_ns);
}

void flow_table_watch(struct flow_table *t, struct flow_watch *w)
{
	w->next = t->watches;
	t->watches = w;
}

void flow_table_unwatch(struct flow_table *t, struct flow_watch *w)
{
	struct flow_watch **link;

	for (link = &t->watches; *link; link = &(*link)->next) {
		if (*link == w) {
			*link = w->next;
			return;
		}
	}
}

uint32_t flow_table_count(const struct flow_table *t)
{
	return t->flows.count + t->by_sum.count;
}

uint32_t flow_table_open(const struct flow_table *t)
{
	return t->n_open;
}

uint64_t flow_table_dropped(const struct flow_table *t)
{
	return t->n_dropped;
}

uint64_t flow_table_no_room(const struct flow_table *t)
{
	return t->opts.keep_closed ? t->left.lost + t->n_refused : t->n_dropped;
}

void flow_table_left(const struct flow_table *t, struct flow_left *ret)
{
	*ret = t->left;
	ret->sums = t->by_sum.count;
}

float flow_table_seconds(const struct flow_table *t)
{
	return t->seconds;
}

uint64_t flow_table_grace(const struct flow_table *t)
{
	return t->opts.grace_ns;
}

struct process_table *flow_table_processes(const struct flow_table *t)
{
	return t->procs;
}

static bool is_swept(const struct flow *f)
{
	return !f->closed && !f->frozen && !f->part && !f->moved;
}

void flow_table_expect_all(struct flow_table *t)
{
	for (uint32_t i = 0; i < t->flows.count; i++)
		if (is_swept(t->all[i]))
			t->all[i]->fresh = false;
}

uint32_t flow_table_close_missing(struct flow_table *t, uint64_t now_ns)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < t->flows.count; i++) {
		if (!is_swept(t->all[i]) || t->all[i]->fresh)
			continue;
		store_close(t, t->all[i], now_ns);
		n++;
	}
	return n;
}

int flow_table_each(struct flow_table *t, int (*fn)(struct flow *f, void *arg), void *arg)
{
	uint32_t i;
	int r = 0;

	for (i = 0; r == 0 && i < t->flows.count; i++) {
		/* flows lie all over the heap: have the next ones under way */
		if (i + 8 < t->flows.count)
			__builtin_prefetch(t->all[i + 8]);
		r = fn(t->all[i], arg);
	}
	for (i = 0; r == 0 && i < t->by_sum.count; i++)
		r = fn(t->sums[i], arg);
	return r;
}

int flow_table_each_active(struct flow_table *t, int (*fn)(struct flow *f, void *arg), void *arg)
{
	uint32_t i;
	int r = 0;

	for (i = 0; r == 0 && i < t->n_active; i++)
		if (!delta_is_zero(flow_delta(t->active[i])))
			r = fn(t->active[i], arg);
	return r;
}

struct flow *flow_table_find(struct flow_table *t, uint64_t sock_id)
{
	return store_find_main(t, sock_id);
}

const struct flow_delta *flow_delta(const struct flow *f)
{
	return f->recent && !f->recent->first ? &f->recent->d : &no_delta;
}

const struct flow_delta *flow_early(const struct flow *f)
{
	if (!f->recent)
		return &no_delta;
	return f->recent->first ? &f->recent->d : f->recent->early ?: &no_delta;
}
