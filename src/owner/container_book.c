/* SPDX-License-Identifier: BSD-2-Clause */
/* See container_book.h. */
#include "owner/container_book.h"

#include <stdlib.h>
#include <string.h>

#include "owner/index.h"

#define LOOK_NS 1000000000ULL
/* A runtime may write its file after the container has begun. */
#define LOOKS 5

struct container_page {
	struct index_node node;
	struct cgroup of; /* its container_id, runtime, pod_uid and owner */
	struct container_info info;
	struct container_page *newer, *older; /* of idle ones, by when they became so */
	uint64_t looked_ns, idle_ns;
	uint32_t refs;
	uint8_t looks;
};

struct container_book {
	const char *root;
	struct index pages;
	struct container_page *newest, *oldest;
	uint32_t n_idle;
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
	if (index_init(&b->pages, 64, page_hash)) {
		free(b);
		return NULL;
	}
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

const struct container_info *book_read(struct container_book *b, struct container_page *p,
				       uint64_t now_ns)
{
	if (book_is_done(p) || (p->looks && now_ns - p->looked_ns < LOOK_NS))
		return &p->info;
	p->looks++;
	p->looked_ns = now_ns;
	(void)container_name(b->root, &p->of, &p->info); /* no memory: tried again */
	return &p->info;
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
