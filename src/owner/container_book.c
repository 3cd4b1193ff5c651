/* SPDX-License-Identifier: BSD-2-Clause */
/* See container_book.h. */
#include "owner/container_book.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "owner/container_turn.h"
#include "owner/index.h"

#define LOOK_NS 1000000000ULL
/* A runtime may write its file after the container has begun. */
#define LOOKS 5
#define WAIT_HOST 4096 /* so many containers wait to be looked for */
#define WAIT_USER 64

struct container_page {
	struct index_node node;
	struct cgroup of; /* its container_id, runtime, pod_uid and owner */
	struct container_info info;
	struct container_page *newer, *older; /* of idle ones, by when they became so */
	uint64_t looked_ns, idle_ns;
	uint32_t refs;
	uint8_t looks;
	bool waits, is_unread, is_remote;
	struct container_page *next; /* that waits */
};

struct queue {
	struct container_page *first, **last;
	uint32_t n;
};

struct container_book {
	const char *root;
	struct index pages;
	struct container_page *newest, *oldest;
	uint32_t n_idle;
	struct container_cache *cache;
	struct turns turns;
	struct queue waiting[TURN_PLACES];
	uint32_t n_waiting;
	unsigned int next_place;
	struct book_losses lost;
	uint64_t looks;
};

static uint64_t hash_of(const char *id, uint32_t owner)
{
	return index_hash(id, strlen(id)) ^ (uint64_t)owner * 0x9e3779b97f4a7c15ULL;
}

static uint64_t page_hash(const struct index_node *node)
{
	const struct container_page *p = index_entry(node, struct container_page, node);

	return hash_of(p->of.container_id, p->of.owner);
}

static bool text_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

/* Of one container all agrees: who takes another one's id is not that one. */
static struct container_page *find(const struct container_book *b, const struct cgroup *c)
{
	struct index_node *n = index_chain(&b->pages, hash_of(c->container_id, c->owner));

	for (; n; n = n->next) {
		struct container_page *p = index_entry(n, struct container_page, node);

		if (p->of.owner == c->owner && !strcmp(p->of.container_id, c->container_id) &&
		    text_equal(p->of.runtime, c->runtime) && text_equal(p->of.pod_uid, c->pod_uid))
			return p;
	}
	return NULL;
}

static void page_free(struct container_page *p)
{
	if (!p)
		return;
	container_info_done(&p->info);
	free(p->of.container_id);
	free(p->of.pod_uid);
	free(p);
}

struct container_book *book_new(const char *root)
{
	struct container_book *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->root = root;
	b->cache = container_cache_new();
	if (!b->cache || index_init(&b->pages, 64, page_hash)) {
		(void)container_cache_free(b->cache);
		free(b);
		return NULL;
	}
	for (unsigned int i = 0; i < TURN_PLACES; i++)
		b->waiting[i].last = &b->waiting[i].first;
	return b;
}

struct container_book *book_free(struct container_book *b)
{
	if (!b)
		return NULL;
	for (uint32_t i = 0; i <= b->pages.mask; i++)
		while (b->pages.slots[i]) {
			struct container_page *p =
				index_entry(b->pages.slots[i], struct container_page, node);

			index_remove(&b->pages, &p->node);
			page_free(p);
		}
	index_done(&b->pages);
	(void)container_cache_free(b->cache);
	free(b);
	return NULL;
}

static void idle_remove(struct container_book *b, struct container_page *p)
{
	*(p->newer ? &p->newer->older : &b->newest) = p->older;
	*(p->older ? &p->older->newer : &b->oldest) = p->newer;
	b->n_idle--;
}

static struct container_page *page_new(struct container_book *b, const struct cgroup *c)
{
	struct container_page *p = calloc(1, sizeof(*p));

	if (!p)
		return NULL;
	p->of = (struct cgroup){ .runtime = c->runtime, .owner = c->owner };
	p->of.container_id = strdup(c->container_id);
	p->of.pod_uid = c->pod_uid ? strdup(c->pod_uid) : NULL;
	if (!p->of.container_id || (c->pod_uid && !p->of.pod_uid)) {
		page_free(p);
		return NULL;
	}
	index_add(&b->pages, &p->node);
	return p;
}

struct container_page *book_take(struct container_book *b, const struct cgroup *c, uint64_t now_ns)
{
	struct container_page *p = b && c->container_id ? find(b, c) : NULL;

	if (!b || !c->container_id)
		return NULL;
	if (!p)
		p = page_new(b, c);
	else if (!p->refs)
		idle_remove(b, p);
	if (p)
		p->refs++;
	book_tick(b, now_ns);
	return p;
}

void book_give(struct container_book *b, struct container_page *p, uint64_t now_ns)
{
	if (!p || --p->refs)
		return;
	p->idle_ns = now_ns;
	p->newer = NULL;
	p->older = b->newest;
	*(b->newest ? &b->newest->newer : &b->oldest) = p;
	b->newest = p;
	b->n_idle++;
}

bool book_is_done(const struct container_page *p)
{
	return p->info.name || p->looks >= LOOKS;
}

static uint64_t clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void look(struct container_book *b, struct container_page *p, uint64_t now_ns)
{
	bool takes_time = container_has_files(&p->of);
	uint64_t from = takes_time ? clock_ns() : 0;

	p->looks++;
	p->looked_ns = now_ns;
	/* no memory: tried again */
	if (container_name(b->root, b->cache, &p->of, &p->info) == -EXDEV) {
		b->lost.remote += !p->is_remote;
		p->is_remote = true;
		p->looks = LOOKS;
	}
	if (!takes_time)
		return;
	b->looks++;
	turn_took(&b->turns, turn_place(p->of.owner), clock_ns() - from);
}

/* It is referred to by whoever asked. */
static void wait_for_turn(struct container_book *b, struct container_page *p, struct queue *q)
{
	if (q->n >= (p->of.owner == CONTAINER_OF_HOST ? WAIT_HOST : WAIT_USER)) {
		b->lost.unread += !p->looks && !p->is_unread;
		p->is_unread = true;
		return;
	}
	p->refs++;
	p->waits = true;
	p->next = NULL;
	*q->last = p;
	q->last = &p->next;
	q->n++;
	b->n_waiting++;
}

const struct container_info *book_read(struct container_book *b, struct container_page *p,
				       uint64_t now_ns)
{
	unsigned int place = turn_place(p->of.owner);

	if (book_is_done(p) || p->waits || (p->looks && now_ns - p->looked_ns < LOOK_NS))
		return &p->info;
	if (!container_has_files(&p->of) ||
	    (!b->waiting[place].n && turn_has(&b->turns, place, now_ns)))
		look(b, p, now_ns);
	else
		wait_for_turn(b, p, &b->waiting[place]);
	return &p->info;
}

static void take_turn(struct container_book *b, struct queue *q, uint64_t now_ns)
{
	struct container_page *p = q->first;

	q->first = p->next;
	if (!q->first)
		q->last = &q->first;
	q->n--;
	b->n_waiting--;
	p->waits = false;
	look(b, p, now_ns);
	book_give(b, p, now_ns);
}

void book_work(struct container_book *b, uint64_t now_ns)
{
	if (!b)
		return;
	/* one after the other: who has more that wait has no longer a turn */
	for (unsigned int idle = 0; b->n_waiting && idle < TURN_PLACES;) {
		unsigned int place = b->next_place;

		b->next_place = (place + 1) % TURN_PLACES;
		if (b->waiting[place].n && turn_has(&b->turns, place, now_ns)) {
			take_turn(b, &b->waiting[place], now_ns);
			idle = 0;
		} else {
			idle++;
		}
	}
}

void book_lost(const struct container_book *b, struct book_losses *ret)
{
	*ret = b ? b->lost : (struct book_losses){ 0 };
}

uint64_t book_looks(const struct container_book *b)
{
	return b->looks;
}

uint64_t book_parsed(const struct container_book *b)
{
	return container_cache_parsed(b->cache);
}

void book_tick(struct container_book *b, uint64_t now_ns)
{
	while (b && b->oldest &&
	       (b->n_idle > BOOK_IDLE_MAX || now_ns - b->oldest->idle_ns >= BOOK_IDLE_NS)) {
		struct container_page *p = b->oldest;

		idle_remove(b, p);
		index_remove(&b->pages, &p->node);
		page_free(p);
	}
}

uint32_t book_pages(const struct container_book *b)
{
	return b->pages.count;
}
