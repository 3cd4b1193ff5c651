/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Entries by their keys, those of one key in the order they came. A million keys compared in pairs take
 * half as long as filling the kernel's maps with them; here each byte that differs is looked at once.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "guard/internal.h"

#define KEY_BYTES sizeof(((struct raw_item *)0)->key)
#define FEW 256 /* that many are sorted in place */

struct slot {
	uint64_t bits;	/* eight bytes of the key, the first ones highest */
	uint32_t place; /* in the list as it came */
};

int raw_compare(const void *a, const void *b)
{
	const struct raw_item *x = a, *y = b;

	return memcmp(x->key, y->key, sizeof(x->key));
}

static bool is_sorted(const struct raw_list *l)
{
	for (size_t i = 1; i < l->n; i++)
		if (raw_compare(&l->items[i - 1], &l->items[i]) > 0)
			return false;
	return true;
}

static void insert_each(struct raw_list *l)
{
	for (size_t i = 1; i < l->n; i++) {
		struct raw_item item = l->items[i];
		size_t at = i;

		for (; at && raw_compare(&l->items[at - 1], &item) > 0; at--)
			l->items[at] = l->items[at - 1];
		l->items[at] = item;
	}
}

/* By one byte of the bits, stable; false: it is the same in all of them, and nothing moved. */
static bool pass(const struct slot *from, struct slot *to, size_t n, unsigned int shift)
{
	size_t start[256] = {}, sum = 0;

	for (size_t i = 0; i < n; i++)
		start[from[i].bits >> shift & 0xff]++;
	if (start[from[0].bits >> shift & 0xff] == n)
		return false;
	for (unsigned int b = 0; b < 256; b++) {
		size_t count = start[b];

		start[b] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		to[start[from[i].bits >> shift & 0xff]++] = from[i];
	return true;
}

/* The eight bytes (or what is left) of each key from there on. */
static void load(const struct raw_list *l, struct slot *slots, size_t offset)
{
	size_t bytes = KEY_BYTES - offset < 8 ? KEY_BYTES - offset : 8;

	for (size_t i = 0; i < l->n; i++) {
		uint64_t bits = 0;

		memcpy(&bits, l->items[slots[i].place].key + offset, bytes);
		slots[i].bits = be64toh(bits);
	}
}

static int in_order(struct raw_list *l, const struct slot *slots)
{
	struct raw_item *items = malloc(l->n * sizeof(*items));

	if (!items)
		return -ENOMEM;
	for (size_t i = 0; i < l->n; i++)
		items[i] = l->items[slots[i].place];
	free(l->items);
	l->items = items;
	l->room = l->n;
	return 0;
}

int raw_sort(struct raw_list *l)
{
	struct slot *now, *next, *slots;
	int r;

	if (l->n <= FEW) {
		insert_each(l);
		return 0;
	}
	if (is_sorted(l))
		return 0;
	slots = calloc(2 * l->n, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	now = slots;
	next = slots + l->n;
	for (size_t i = 0; i < l->n; i++)
		now[i].place = (uint32_t)i;
	for (size_t offset = (KEY_BYTES - 1) / 8 * 8 + 8; offset; offset -= 8) {
		load(l, now, offset - 8);
		for (unsigned int shift = 0; shift < 64; shift += 8) {
			struct slot *swap = now;

			if (!pass(now, next, l->n, shift))
				continue;
			now = next;
			next = swap;
		}
	}
	r = in_order(l, now);
	free(slots);
	return r;
}
