/* SPDX-License-Identifier: BSD-2-Clause */
/* Hits that wait in the processors' own places (struct np_guard_hot) for the entry they belong to. */
#include <stdlib.h>
#include <string.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "guard/internal.h"

#define V4_BYTES 4

/* The key of the entry that its hits are for, as the map of that kind has it; false: of another kind. */
static bool key_of(const struct np_guard_hot *hot, uint32_t kind, uint8_t key[20])
{
	static const uint8_t v4[12] = { [10] = 0xff, 0xff };
	const uint8_t *addr = (const uint8_t *)&hot->hi;
	bool is_v4 = !memcmp(addr, v4, sizeof(v4));
	size_t size = is_v4 ? V4_BYTES : 16;
	uint8_t *to = key;
	uint32_t found;

	if (hot->len == size * 8)
		found = is_v4 ? NP_SET_HOSTS4 : NP_SET_HOSTS6;
	else
		found = is_v4 ? NP_SET_NETS4 : NP_SET_NETS6;
	if (found != kind || hot->len > size * 8)
		return false;
	memset(key, 0, 20);
	if (kind >= NP_SET_NETS4) {
		memcpy(key, &hot->len, 4);
		to += 4;
	}
	memcpy(to, addr + (is_v4 ? sizeof(v4) : 0), hot->len / 8);
	if (hot->len % 8)
		to[hot->len / 8] = (uint8_t)(addr[hot->len / 8 + (is_v4 ? sizeof(v4) : 0)] &
					     (0xff00 >> hot->len % 8));
	return true;
}

static struct np_guard_hot *places(int *ret_cpus)
{
	*ret_cpus = libbpf_num_possible_cpus();
	return *ret_cpus > 0 ? calloc((size_t)*ret_cpus, sizeof(struct np_guard_hot)) : NULL;
}

void hot_add(struct guard *g, uint32_t set, uint32_t kind, struct raw_list *sorted)
{
	uint32_t which = NP_GUARD_HOT_SET(set, g->conf->policy[set].build);
	struct raw_item key, *item;
	int cpus;
	struct np_guard_hot *hot = places(&cpus);

	for (uint32_t slot = 0; hot && sorted->n && slot < NP_GUARD_HOTS; slot++) {
		if (bpf_map_lookup_elem(g->map[MAP_HOT], &slot, hot))
			continue;
		for (int c = 0; c < cpus; c++) {
			if (!hot[c].hits || hot[c].set != which || !key_of(&hot[c], kind, key.key))
				continue;
			item = bsearch(&key, sorted->items, sorted->n, sizeof(*item), raw_compare);
			if (item)
				item->entry.hits += hot[c].hits;
		}
	}
	free(hot);
}

/* The list of its kind has its entry. */
static bool is_of(const struct np_guard_hot *hot, const struct raw_list lists[NP_SET_ALLOW4])
{
	for (uint32_t k = 0; k < NP_SET_ALLOW4; k++) {
		struct raw_item key;

		if (lists[k].n && key_of(hot, k, key.key))
			return bsearch(&key, lists[k].items, lists[k].n, sizeof(key), raw_compare);
	}
	return false;
}

void hot_forget(struct guard *g, struct raw_list lists[NP_SET_ALLOW4])
{
	static const struct np_guard_hot none;
	struct np_guard_hot *hot;
	size_t n = 0;
	int cpus;

	for (uint32_t k = 0; k < NP_SET_ALLOW4; k++) {
		if (lists[k].n)
			qsort(lists[k].items, lists[k].n, sizeof(*lists[k].items), raw_compare);
		n += lists[k].n;
	}
	hot = n ? places(&cpus) : NULL;
	for (uint32_t slot = 0; hot && slot < NP_GUARD_HOTS; slot++) {
		bool found = false;

		if (bpf_map_lookup_elem(g->map[MAP_HOT], &slot, hot))
			continue;
		for (int c = 0; c < cpus; c++)
			found |= is_of(&hot[c], lists);
		if (!found)
			continue;
		for (int c = 0; c < cpus; c++)
			hot[c] = none;
		(void)bpf_map_update_elem(g->map[MAP_HOT], &slot, hot, BPF_ANY);
	}
	free(hot);
}
