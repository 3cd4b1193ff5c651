/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The two sets of maps. What is in use is changed entry by entry; whole lists, growth, and changes
 * that wait to be confirmed are built in the other one, which is then put in use by one store.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/internal.h"

#define BATCH 65536U

uint32_t set_current(const struct guard *g)
{
	uint64_t state = g->conf->state;
	uint32_t set = state & 1, until = (uint32_t)(state >> 32);

	return until && guard_tick_now() >= until ? set ^ 1 : set;
}

bool set_waits(const struct guard *g)
{
	uint32_t until = (uint32_t)(g->conf->state >> 32);

	return until && guard_tick_now() < until;
}

size_t set_key_size(uint32_t kind)
{
	switch (kind) {
	case NP_SET_HOSTS4:
		return 4;
	case NP_SET_HOSTS6:
		return 16;
	case NP_SET_NETS4:
	case NP_SET_ALLOW4:
		return sizeof(struct np_guard_net4);
	default:
		return sizeof(struct np_guard_net6);
	}
}

static const char *const inner_names[NP_SET_MAX] = { "np_hosts4_set", "np_hosts6_set",
						     "np_nets4_set",  "np_nets6_set",
						     "np_allow4_set", "np_allow6_set" };

int set_make(struct guard *g, uint32_t set, const uint32_t room[NP_SET_MAX],
	     struct netprobe_error *err)
{
	LIBBPF_OPTS(bpf_map_create_opts, o, .map_flags = BPF_F_NO_PREALLOC);

	for (uint32_t k = 0; k < NP_SET_MAX; k++) {
		enum bpf_map_type type = k <= NP_SET_HOSTS6 ? BPF_MAP_TYPE_HASH
							    : BPF_MAP_TYPE_LPM_TRIE;
		int r, fd = bpf_map_create(type, inner_names[k], (__u32)set_key_size(k),
					   sizeof(struct np_guard_entry), room[k], &o);

		r = fd < 0 ? fd : bpf_map_update_elem(g->map[MAP_SETS + k], &set, &fd, BPF_ANY);
		if (fd >= 0)
			(void)close(fd);
		if (r)
			return error_set(err, r, "no kernel memory for %u entries (%s): %s",
					 room[k], inner_names[k], strerror(-r));
		g->conf->policy[set].room[k] = room[k];
		g->conf->policy[set].n[k] = 0;
	}
	return 0;
}

void set_drop(struct guard *g, uint32_t set)
{
	for (uint32_t k = 0; k < NP_SET_MAX; k++) {
		(void)bpf_map_delete_elem(g->map[MAP_SETS + k], &set);
		g->conf->policy[set].n[k] = g->conf->policy[set].room[k] = 0;
	}
}

int set_fd(struct guard *g, uint32_t set, uint32_t kind)
{
	__u32 id;
	int r = bpf_map_lookup_elem(g->map[MAP_SETS + kind], &set, &id);

	return r ? r : bpf_map_get_fd_by_id(id);
}

void set_settle(struct guard *g)
{
	uint64_t state = g->conf->state;
	uint32_t set = state & 1, until = (uint32_t)(state >> 32);

	if (!until || guard_tick_now() < until)
		return;
	g->conf->state = NP_GUARD_STATE(set ^ 1, 0);
	set_drop(g, set);
	if (g->conf->pending)
		told_change(g, g->conf->pending & NP_GUARD_PENDING_BANS,
			    g->conf->pending & NP_GUARD_PENDING_ALLOWED, true, 0);
}

int set_begin(struct guard *g, uint32_t *ret_set, struct netprobe_error *err)
{
	uint32_t now = g->conf->state & 1, other = now ^ 1;

	if (g->conf->state >> 32) {
		error_set(err, -EBUSY, "an earlier change still waits to be confirmed");
		error_hint(err, "netprobe_manager_confirm, or wait until it is undone");
		return -EBUSY;
	}
	set_drop(g, other);
	set_bits_clear(g, other);
	memcpy((void *)&g->conf->policy[other], (void *)&g->conf->policy[now],
	       sizeof(struct np_guard_policy));
	g->conf->policy[other].build++;
	*ret_set = other;
	return 0;
}

void set_commit(struct guard *g, uint32_t set, uint32_t confirm_s)
{
	uint32_t until = confirm_s ? guard_tick_now() + guard_ticks(confirm_s) : 0;

	__sync_synchronize();
	g->conf->state = NP_GUARD_STATE(set, until);
	if (!confirm_s)
		set_drop(g, set ^ 1); /* whoever looks into it still is let finish by the kernel */
}

int raw_add(struct raw_list *l, const void *key, size_t key_size, const struct np_guard_entry *e)
{
	struct raw_item *item;

	if (l->n == l->room) {
		size_t room = l->room ? l->room * 2 : 1024;
		struct raw_item *items = realloc(l->items, room * sizeof(*items));

		if (!items)
			return -ENOMEM;
		l->items = items;
		l->room = room;
	}
	item = &l->items[l->n++];
	memset(item->key, 0, sizeof(item->key));
	memcpy(item->key, key, key_size);
	item->entry = *e;
	return 0;
}

/* One by one, where the kernel has no batches for the map. */
static int read_single(int fd, size_t key_size, set_entry_fn fn, void *arg)
{
	uint8_t key[20], next[20];
	struct np_guard_entry e;
	bool first = true;
	int r = 0;

	while (!r && !bpf_map_get_next_key(fd, first ? NULL : key, next)) {
		first = false;
		memcpy(key, next, sizeof(key));
		if (!bpf_map_lookup_elem(fd, key, &e))
			r = fn(key, key_size, &e, arg);
	}
	return r;
}

static int read_batches(int fd, size_t key_size, set_entry_fn fn, void *arg)
{
	LIBBPF_OPTS(bpf_map_batch_opts, o);
	uint8_t *keys = malloc(BATCH * key_size), token[20];
	struct np_guard_entry *values = malloc(BATCH * sizeof(*values));
	bool first = true;
	int r = keys && values ? 0 : -ENOMEM, last = 0;

	while (!r && !last) {
		__u32 n = BATCH;

		last = bpf_map_lookup_batch(fd, first ? NULL : token, token, keys, values, &n, &o);
		if (last && last != -ENOENT) {
			r = last;
			break;
		}
		for (__u32 i = 0; i < n && !r; i++)
			r = fn(keys + i * key_size, key_size, &values[i], arg);
		first = false;
	}
	free(keys);
	free(values);
	return r;
}

int set_each(struct guard *g, uint32_t set, uint32_t kind, set_entry_fn fn,
	     void (*again)(void *arg), void *arg)
{
	int r, fd;

	if (!g->conf->policy[set].n[kind])
		return 0;
	fd = set_fd(g, set, kind);
	if (fd < 0)
		return fd;
	r = read_batches(fd, set_key_size(kind), fn, arg);
	if (r == -EOPNOTSUPP || r == -NP_ENOTSUPP || r == -EINVAL || r == -ENOSPC) {
		again(arg);
		r = read_single(fd, set_key_size(kind), fn, arg);
	}
	(void)close(fd);
	return r;
}

struct reading {
	struct raw_list *to;
	size_t before;
};

static int keep_one(const uint8_t *key, size_t key_size, const struct np_guard_entry *e, void *arg)
{
	struct reading *r = arg;

	return raw_add(r->to, key, key_size, e);
}

static void keep_again(void *arg)
{
	struct reading *r = arg;

	r->to->n = r->before;
}

int set_read(struct guard *g, uint32_t set, uint32_t kind, struct raw_list *to)
{
	struct reading r = { to, to->n };

	return set_each(g, set, kind, keep_one, keep_again, &r);
}

static void bits_range(uint64_t *bits, uint32_t from, uint32_t to)
{
	for (uint32_t b = from; b <= to; b++) {
		if (!(b & 63) && to - b >= 63) {
			bits[b >> 6] = ~0ULL;
			b += 63;
		} else {
			bits[b >> 6] |= 1ULL << (b & 63);
		}
	}
}

/* addr: of the family of the kind. Set before the entry is there, so that none is ever missed. */
void set_bits(struct guard *g, uint32_t set, uint32_t kind, const uint8_t *addr, unsigned int len)
{
	if (kind == NP_SET_HOSTS4 || kind == NP_SET_NETS4 || kind == NP_SET_ALLOW4) {
		uint32_t first = (uint32_t)addr[0] << 16 | (uint32_t)addr[1] << 8 | addr[2];

		bits_range(g->bits4 + (size_t)set * NP_GUARD_BITS4_WORDS, first,
			   len >= 24 ? first : first | ((1U << (24 - len)) - 1));
	} else if (len >= NP_GUARD_SHORT6_LEN) {
		uint64_t top = 0;
		uint32_t bit;

		for (unsigned int i = 0; i < 6; i++)
			top = top << 8 | addr[i];
		bit = np_guard_bit6(top);
		bits_range(g->bits6 + (size_t)set * NP_GUARD_BITS6_WORDS, bit, bit);
	} else {
		uint32_t first = (uint32_t)addr[0] << 8 | addr[1];

		bits_range(g->bits6 + 2 * (size_t)NP_GUARD_BITS6_WORDS +
				   (size_t)set * NP_GUARD_SHORT6_WORDS,
			   first, len >= 16 ? first : first | ((1U << (16 - len)) - 1));
	}
}

void set_bits_clear(struct guard *g, uint32_t set)
{
	memset(g->bits4 + (size_t)set * NP_GUARD_BITS4_WORDS, 0,
	       NP_GUARD_BITS4_WORDS * sizeof(uint64_t));
	memset(g->bits6 + (size_t)set * NP_GUARD_BITS6_WORDS, 0,
	       NP_GUARD_BITS6_WORDS * sizeof(uint64_t));
	memset(g->bits6 + 2 * (size_t)NP_GUARD_BITS6_WORDS + (size_t)set * NP_GUARD_SHORT6_WORDS, 0,
	       NP_GUARD_SHORT6_WORDS * sizeof(uint64_t));
}
