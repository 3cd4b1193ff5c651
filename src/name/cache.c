/* SPDX-License-Identifier: BSD-2-Clause */
/* See cache.h. A hash of fixed size with short runs: an address has eight places it can be in. */
#include "name/cache.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xxhash.h>

#define PLACES 8u

struct entry {
	uint8_t addr[16];
	char *name; /* NULL: free */
	uint64_t ends_ns;
	uint8_t from;
};

struct name_cache {
	uint32_t mask, count;
	uint64_t evicted;
	struct entry *entries;
};

struct name_cache *name_cache_new(uint32_t max)
{
	struct name_cache *c = calloc(1, sizeof(*c));
	uint32_t n = PLACES;

	if (!c)
		return NULL;
	while (n < max)
		n *= 2;
	c->mask = n - 1;
	c->entries = calloc(n, sizeof(*c->entries));
	return c->entries ? c : name_cache_free(c);
}

struct name_cache *name_cache_free(struct name_cache *c)
{
	if (!c)
		return NULL;
	for (uint32_t i = 0; c->entries && i <= c->mask; i++)
		free(c->entries[i].name);
	free(c->entries);
	free(c);
	return NULL;
}

/* The places of an address, side by side. */
static struct entry *places(const struct name_cache *c, const uint8_t addr[16])
{
	return &c->entries[(uint32_t)XXH3_64bits(addr, 16) & c->mask & ~(PLACES - 1)];
}

static struct entry *find(const struct name_cache *c, const uint8_t addr[16])
{
	struct entry *e = places(c, addr);

	for (unsigned int i = 0; i < PLACES; i++)
		if (e[i].name && !memcmp(e[i].addr, addr, 16))
			return &e[i];
	return NULL;
}

/* A free place, or that of the name which ends first. */
static struct entry *make_room(struct name_cache *c, const uint8_t addr[16], uint64_t now_ns)
{
	struct entry *e = places(c, addr), *first = e;

	for (unsigned int i = 0; i < PLACES; i++) {
		if (!e[i].name) {
			c->count++;
			return &e[i];
		}
		if (e[i].ends_ns < first->ends_ns)
			first = &e[i];
	}
	c->evicted += first->ends_ns > now_ns;
	return first;
}

int name_cache_add(struct name_cache *c, const uint8_t addr[16], const char *name, uint8_t from,
		   uint32_t ttl, uint64_t now_ns)
{
	uint32_t s = ttl < NAME_TTL_MAX ? ttl : NAME_TTL_MAX;
	uint64_t ends_ns = now_ns + s * 1000000000ULL + NAME_GRACE_NS;
	struct entry *e = find(c, addr);
	char *copy;

	if (e && e->from > from && e->ends_ns > now_ns)
		return 0;
	if (e && !strcmp(e->name, name)) {
		e->from = from;
		e->ends_ns = e->ends_ns > ends_ns ? e->ends_ns : ends_ns;
		return 0;
	}
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	if (!e)
		e = make_room(c, addr, now_ns);
	free(e->name);
	e->name = copy;
	e->from = from;
	e->ends_ns = ends_ns;
	memcpy(e->addr, addr, 16);
	return 0;
}

const char *name_cache_find(const struct name_cache *c, const uint8_t addr[16], uint64_t at_ns)
{
	const struct entry *e = find(c, addr);

	return e && at_ns <= e->ends_ns ? e->name : NULL;
}

uint32_t name_cache_count(const struct name_cache *c)
{
	return c->count;
}

uint64_t name_cache_evicted(const struct name_cache *c)
{
	return c->evicted;
}
