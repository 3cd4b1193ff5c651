/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The lists: add, remove, walk. A single entry goes straight into the set in use. More than that, a
 * map that has to grow, a list that replaces, and a change that waits to be confirmed are built in the
 * other set and put in use at once: all of it or nothing.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "guard/internal.h"
#include "guard/rule.h"

#define ROOM_MIN 4096U

static uint32_t kind_of(const struct guard_item *item)
{
	if (item->allow)
		return item->v6 ? NP_SET_ALLOW6 : NP_SET_ALLOW4;
	if (item->len == (item->v6 ? 128 : 32))
		return item->v6 ? NP_SET_HOSTS6 : NP_SET_HOSTS4;
	return item->v6 ? NP_SET_NETS6 : NP_SET_NETS4;
}

static bool is_trie(uint32_t kind)
{
	return kind > NP_SET_HOSTS6;
}

static bool is_v6(uint32_t kind)
{
	return kind & 1;
}

static void key_of(const struct guard_item *item, uint8_t key[20])
{
	uint32_t kind = kind_of(item), len = item->len;
	size_t size = item->v6 ? 16 : 4;

	memset(key, 0, 20);
	if (is_trie(kind)) {
		memcpy(key, &len, 4);
		memcpy(key + 4, item->addr, size);
	} else {
		memcpy(key, item->addr, size);
	}
}

static const uint8_t *addr_in(const uint8_t *key, uint32_t kind)
{
	return is_trie(kind) ? key + 4 : key;
}

static uint32_t bans_of(const uint32_t n[NP_SET_MAX])
{
	return n[NP_SET_HOSTS4] + n[NP_SET_HOSTS6] + n[NP_SET_NETS4] + n[NP_SET_NETS6];
}

static int say_full(struct netprobe_error *err, size_t n)
{
	error_set(err, -ENOSPC,
		  "%zu entries are more than the list takes (%u); nothing was changed", n,
		  NP_GUARD_ENTRIES);
	error_hint(err, "unban what is not needed, or ban networks instead of addresses");
	return -ENOSPC;
}

static int say_rule(struct netprobe_error *err, int r)
{
	if (r == -E2BIG)
		return error_set(err, -EINVAL,
				 "more than %d rules (protocols, ports) for one address; unban it "
				 "first, or ban it altogether",
				 NP_GUARD_CLAUSES);
	if (r == -ENOSPC) {
		error_set(err, r, "more than %d different reasons, ports and times; use fewer",
			  NP_GUARD_RULES - 1);
		error_hint(err, "a list that is replaced counts until the new one holds");
		return r;
	}
	return error_set(err, r, "cannot make a rule: %s", strerror(-r));
}

/* Whether it is one rule without an end. */
static bool is_plain(const struct guard *g, const struct np_guard_entry *e)
{
	return !e->expires && (!e->rule || g->rules[e->rule].n == 1);
}

/* One entry into the set in use. -EXFULL, without a message: its map has to grow. */
static int add_direct(struct guard *g, struct rule_index *x, const struct guard_item *item,
		      uint32_t now, struct netprobe_error *err)
{
	uint32_t set = set_current(g), kind = kind_of(item);
	volatile struct np_guard_policy *p = &g->conf->policy[set];
	struct np_guard_entry e, before;
	uint8_t key[20];
	int r, fd = set_fd(g, set, kind);
	bool is_new, full;

	if (fd < 0)
		return error_set(err, fd, "cannot open the list: %s", strerror(-fd));
	key_of(item, key);
	is_new = bpf_map_lookup_elem(fd, key, &before) != 0;
	/* A trie answers with the longest network that fits: that may be another one. */
	if (!is_new && before.len != item->len)
		is_new = true;
	/* Full, or as many as may be: what has expired in it may make room. */
	full = p->n[kind] >= p->room[kind] ||
	       (kind < NP_SET_ALLOW4 && bans_of((const uint32_t *)p->n) >= NP_GUARD_ENTRIES);
	if (is_new && full) {
		(void)close(fd);
		return -EXFULL;
	}
	r = rule_entry(x, item, now, is_new ? NULL : &before, &e);
	if (r) {
		(void)close(fd);
		return say_rule(err, r);
	}
	set_bits(g, set, kind, item->addr, item->len);
	if (!is_plain(g, &e))
		p->plain = 0;
	/* The kernel half asks only where it is told that there is something. */
	if (is_new)
		p->n[kind]++;
	__sync_synchronize();
	r = bpf_map_update_elem(fd, key, &e, BPF_ANY);
	(void)close(fd);
	if (r) {
		if (is_new)
			p->n[kind]--;
		return error_set(err, r, "cannot add the entry: %s", strerror(-r));
	}
	return 0;
}

/* Entries of one map, old ones before new ones of the same key: the last one stays. */
struct build {
	struct raw_list list[NP_SET_MAX];
	uint32_t n[NP_SET_MAX];
};

static bool is_replaced(uint32_t kind, unsigned int flags)
{
	return flags & (kind < NP_SET_ALLOW4 ? GUARD_REPLACE_BANS : GUARD_REPLACE_ALLOWED);
}

static int collect_old(struct guard *g, uint32_t set, uint32_t now, unsigned int flags,
		       struct build *b)
{
	for (uint32_t k = 0; k < NP_SET_MAX; k++) {
		struct raw_list *l = &b->list[k];
		size_t kept = 0;
		int r = is_replaced(k, flags) ? 0 : set_read(g, set, k, l);

		if (r)
			return r;
		for (size_t i = 0; i < l->n; i++)
			if (!l->items[i].entry.expires || l->items[i].entry.expires > now)
				l->items[kept++] = l->items[i];
		l->n = kept;
		r = raw_sort(l);
		if (r)
			return r;
		if (k < NP_SET_ALLOW4)
			hot_add(g, set, k, l);
		b->n[k] = (uint32_t)kept;
	}
	return 0;
}

static int collect_new(struct rule_index *x, const struct guard_item *items, size_t n, uint32_t now,
		       struct build *b, struct netprobe_error *err)
{
	int r = 0;

	for (size_t i = 0; i < n && !r; i++) {
		uint32_t k = kind_of(&items[i]);
		struct raw_list *l = &b->list[k];
		struct raw_item probe = {}, *old;
		struct np_guard_entry e;

		key_of(&items[i], probe.key);
		/* Only those that were there before are sorted. */
		old = b->n[k] ? bsearch(&probe, l->items, b->n[k], sizeof(probe), raw_compare)
			      : NULL;
		r = rule_entry(x, &items[i], now, old ? &old->entry : NULL, &e);
		if (r)
			say_rule(err, r);
		else if (old)
			old->entry = e;
		else
			r = raw_add(l, probe.key, sizeof(probe.key), &e);
		if (r && items[i].line)
			error_prefix(err, "line %u", items[i].line);
	}
	return r == -E2BIG ? -EINVAL : r;
}

/* Each key once: entries of one address become one, with the rules of all. */
static int unify_one(struct rule_index *x, struct raw_list *l, uint32_t now)
{
	size_t kept = 0;
	int r = raw_sort(l);

	for (size_t i = 0; i < l->n && !r; i++) {
		if (!kept || raw_compare(&l->items[kept - 1], &l->items[i])) {
			l->items[kept++] = l->items[i];
			continue;
		}
		r = rule_join(x, now, &l->items[kept - 1].entry, &l->items[i].entry);
		l->items[kept - 1] = l->items[i];
	}
	l->n = kept;
	return r;
}

/* Sizes of the maps to be made are told. */
static int unify(struct rule_index *x, struct build *b, uint32_t now, uint32_t room[NP_SET_MAX],
		 struct netprobe_error *err)
{
	int r = 0;

	for (uint32_t k = 0; k < NP_SET_MAX && !r; k++) {
		struct raw_list *l = &b->list[k];

		r = unify_one(x, l, now);
		b->n[k] = (uint32_t)l->n;
		room[k] = ROOM_MIN;
		while (room[k] < l->n + l->n / 8)
			room[k] *= 2;
	}
	if (r == -ENOMEM)
		return error_set(err, r, "out of memory");
	if (r)
		(void)say_rule(err, r);
	return r == -E2BIG ? -EINVAL : r;
}

static int write_all(struct guard *g, uint32_t set, const struct build *b,
		     struct netprobe_error *err)
{
	volatile struct np_guard_policy *p = &g->conf->policy[set];
	bool plain = true;
	int r;

	for (uint32_t k = 0; k < NP_SET_MAX; k++) {
		const struct raw_list *l = &b->list[k];

		for (size_t i = 0; i < l->n; i++) {
			set_bits(g, set, k, addr_in(l->items[i].key, k), l->items[i].entry.len);
			plain = plain && is_plain(g, &l->items[i].entry);
		}
	}
	p->plain = plain;
	r = set_fill(g, set, b->list);
	if (r)
		return error_set(err, r, "cannot fill the new list: %s", strerror(-r));
	for (uint32_t k = 0; k < NP_SET_MAX; k++)
		p->n[k] = (uint32_t)b->list[k].n;
	return 0;
}

struct policy_change {
	void (*fn)(struct np_guard_policy *p, const void *arg);
	const void *arg;
};

static int rebuild(struct guard *g, const struct guard_item *items, size_t n, unsigned int flags,
		   const struct policy_change *change, uint32_t confirm_s,
		   struct netprobe_error *err)
{
	uint32_t set, room[NP_SET_MAX], now = guard_tick_now(), n_rules = g->conf->n_rules;
	struct rule_index *x = NULL; /* one for all of it: it knows which rules it gave out */
	uint8_t lists = flags & (GUARD_REPLACE_BANS | GUARD_REPLACE_ALLOWED);
	struct build b = {};
	int r;

	r = set_begin(g, &set, err);
	if (r)
		return r;
	r = collect_old(g, set ^ 1, now, flags, &b);
	if (r)
		error_set(err, r, "cannot read the list: %s", strerror(-r));
	if (!r && rule_index_new(g, &x))
		r = error_set(err, -ENOMEM, "out of memory");
	if (!r)
		r = collect_new(x, items, n, now, &b, err);
	if (!r)
		r = unify(x, &b, now, room, err);
	if (!r && bans_of(b.n) > NP_GUARD_ENTRIES)
		r = say_full(err, bans_of(b.n));
	if (!r)
		r = set_make(g, set, room, err);
	if (!r)
		r = write_all(g, set, &b, err);
	if (!r && change)
		change->fn((struct np_guard_policy *)&g->conf->policy[set], change->arg);
	if (!r) {
		/* Of limits and detection the lists are the same before and after. */
		for (size_t i = 0; i < n; i++)
			lists |= items[i].allow ? NP_GUARD_PENDING_ALLOWED : NP_GUARD_PENDING_BANS;
		g->conf->pending = lists;
		set_commit(g, set, confirm_s);
	} else {
		set_drop(g, set);
		g->conf->n_rules = n_rules;
	}
	rule_index_free(x);
	for (uint32_t k = 0; k < NP_SET_MAX; k++)
		free(b.list[k].items);
	return r;
}

static int say_waits(struct netprobe_error *err)
{
	error_set(err, -EBUSY, "an earlier change still waits to be confirmed");
	error_hint(err, "netprobe_manager_confirm, or wait until it is undone");
	return -EBUSY;
}

int set_change(struct guard *g, void (*change)(struct np_guard_policy *p, const void *arg),
	       const void *arg, uint32_t confirm_s, struct netprobe_error *err)
{
	struct policy_change c = { change, arg };

	if (g->conf->state >> 32)
		return say_waits(err);
	if (confirm_s)
		return rebuild(g, NULL, 0, 0, &c, confirm_s, err);
	change((struct np_guard_policy *)&g->conf->policy[set_current(g)], arg);
	return 0;
}

int list_add(struct guard *g, const struct guard_item *items, size_t n, unsigned int flags,
	     uint32_t confirm_s, struct netprobe_error *err)
{
	struct rule_index *x;
	uint32_t now = guard_tick_now();
	int r = 0;

	if (g->conf->state >> 32)
		return say_waits(err);
	if (confirm_s || (flags & (GUARD_REPLACE_BANS | GUARD_REPLACE_ALLOWED)) || n > 1)
		return rebuild(g, items, n, flags, NULL, confirm_s, err);
	r = rule_index_new(g, &x);
	if (r)
		return error_set(err, r, "out of memory");
	if (n)
		r = add_direct(g, x, &items[0], now, err);
	rule_index_free(x);
	if (r == -EXFULL)
		r = rebuild(g, items, n, flags, NULL, 0, err);
	return r;
}

/* Whether it names one rule of an address, by its protocol or ports, and not all there is. */
static bool names_rule(const struct guard_item *item)
{
	return item->proto || item->port_from || (item->port_to && item->port_to != 0xffff);
}

/* The entry of that address or network. -ENOENT: there is none that has not ended. */
static int find_entry(struct guard *g, const struct guard_item *item, uint8_t key[20],
		      struct np_guard_entry *ret)
{
	uint32_t now = guard_tick_now();
	int r, fd = set_fd(g, set_current(g), kind_of(item));

	if (fd < 0)
		return fd;
	key_of(item, key);
	r = bpf_map_lookup_elem(fd, key, ret);
	(void)close(fd);
	/* A trie answers with the longest network that fits: that may be another one. */
	if (!r && (ret->len != item->len || (ret->expires && ret->expires <= now)))
		r = -ENOENT;
	return r;
}

static int say_no_entry(int r, struct netprobe_error *err)
{
	if (r == -ESRCH)
		return error_set(err, -ENOENT,
				 "there is no rule for that protocol and these ports");
	if (r == -ENOENT)
		return error_set(err, r, "there is no such entry");
	return error_set(err, r, "cannot remove the entry: %s", strerror(-r));
}

/* Whether it is there: nothing is changed. -ESRCH: its address is, but no such rule. */
static int is_there(struct guard *g, struct rule_index *x, const struct banned *b,
		    const struct guard_item *item)
{
	struct np_guard_entry e, left;
	uint8_t key[20];
	int r = find_entry(g, item, key, &e);

	if (r == -ENOENT && !item->allow && !names_rule(item) && banned_within(g, b, item))
		return 0;
	if (r || !names_rule(item))
		return r;
	r = rule_without(x, item, guard_tick_now(), &e, &left);
	return r == -ENOENT ? -ESRCH : r > 0 ? 0 : r;
}

/* 1: it was there; 0: it is gone already, or only lifted. hot: for hot_forget(). */
static int remove_one(struct guard *g, struct rule_index *x, const struct banned *b,
		      const struct guard_item *item, struct raw_list hot[NP_SET_ALLOW4])
{
	uint32_t set = set_current(g), kind = kind_of(item);
	struct np_guard_entry e, left;
	uint8_t key[20];
	int fd, r = 1, there = find_entry(g, item, key, &e);

	/* A source that detection has banned is in no list, but banned all the same. */
	if (!item->allow && !names_rule(item))
		(void)banned_lift(g, b, item);
	if (there)
		return there == -ENOENT ? 0 : there; /* named twice, or lifted */
	if (names_rule(item))
		r = rule_without(x, item, guard_tick_now(), &e, &left);
	if (r == -ENOENT)
		return 0; /* named twice */
	if (r < 0)
		return r;
	if (kind < NP_SET_ALLOW4 && raw_add(&hot[kind], key, sizeof(key), &e))
		return -ENOMEM;
	fd = set_fd(g, set, kind);
	if (fd < 0)
		return fd;
	if (r)
		r = bpf_map_delete_elem(fd, key);
	else
		r = bpf_map_update_elem(fd, key, &left, BPF_EXIST) ?: -EALREADY;
	(void)close(fd);
	if (r && r != -EALREADY)
		return r;
	if (!r)
		g->conf->policy[set].n[kind]--;
	return 1;
}

int guard_remove(struct guard *g, const struct guard_item *items, size_t n, size_t *ret_wrong,
		 struct netprobe_error *err)
{
	struct guard_item *gone = calloc(GUARD_TOLD + 1, sizeof(*gone));
	struct raw_list hot[NP_SET_ALLOW4] = {};
	struct rule_index *x = NULL;
	struct banned b = {};
	size_t i = 0, n_gone = 0;
	int r;

	/* It would come back when the change is undone. */
	if (g->conf->state >> 32) {
		free(gone);
		return say_waits(err);
	}
	r = gone ? rule_index_new(g, &x) : -ENOMEM;
	if (!r)
		r = banned_find(g, &b);
	for (i = 0; i < n && !r; i++)
		r = is_there(g, x, &b, &items[i]);
	for (size_t k = 0; k < n && !r; k++) {
		r = remove_one(g, x, &b, &items[k], hot);
		if (r > 0) {
			gone[n_gone < GUARD_TOLD ? n_gone : GUARD_TOLD] = items[k];
			n_gone++;
			r = 0;
		}
	}
	hot_forget(g, hot);
	for (uint32_t k = 0; k < NP_SET_ALLOW4; k++)
		free(hot[k].items);
	if (n_gone <= GUARD_TOLD)
		told_items(g, NP_GUARD_EV_REMOVED, gone, n_gone);
	else
		told_change(g, !items[0].allow, items[0].allow, true, n_gone);
	free(gone);
	free(b.at);
	rule_index_free(x);
	if (!r)
		return 0;
	*ret_wrong = i ? i - 1 : 0;
	say_no_entry(r, err);
	return r == -ESRCH ? -ENOENT : r;
}

/* Rounded up: 0 is "for ever", which what is about to end is not. */
uint32_t guard_seconds_left(uint32_t ticks)
{
	uint32_t s = (uint32_t)(ticks / TICKS_PER_S);

	return s * TICKS_PER_S < ticks ? s + 1 : s;
}

bool guard_entry_is_any(const struct guard *g, const struct np_guard_entry *e, uint32_t now)
{
	const struct np_guard_rule *rule = &g->rules[e->rule < NP_GUARD_RULES ? e->rule : 0];

	for (uint32_t i = 0; e->rule && i < rule->n && i < NP_GUARD_CLAUSES; i++) {
		const struct np_guard_clause *c = &rule->clause[i];

		if (!c->proto && !c->port_from && c->port_to == 0xffff && !c->dry_run &&
		    (!c->expires || c->expires > now))
			return true;
	}
	return !e->rule;
}

int list_one(struct guard *g, uint32_t kind, const struct raw_item *raw, uint32_t now,
	     int (*fn)(const struct guard_item *item, void *arg), void *arg)
{
	const struct np_guard_entry *e = &raw->entry;
	const struct np_guard_rule *rule = &g->rules[e->rule < NP_GUARD_RULES ? e->rule : 0];
	struct guard_item item = { .len = e->len,
				   .v6 = is_v6(kind),
				   .allow = kind >= NP_SET_ALLOW4,
				   .port_to = 0xffff,
				   .hits = e->hits };
	uint32_t n = e->rule && rule->n ? rule->n : 1;
	int r = 0;

	if (e->expires && e->expires <= now)
		return 0;
	memcpy(item.addr, addr_in(raw->key, kind), item.v6 ? 16 : 4);
	memcpy(item.reason, rule->reason, sizeof(item.reason));
	memcpy(item.who, rule->who, sizeof(item.who));
	item.age_s = (uint32_t)((now - e->added) / TICKS_PER_S);
	/* The last one that was made stands first: told in the order they were made, a copy is the same. */
	n = n < NP_GUARD_CLAUSES ? n : NP_GUARD_CLAUSES;
	for (uint32_t i = n; i-- > 0 && !r;) {
		const struct np_guard_clause *c = &rule->clause[i];
		uint32_t ends = e->expires;

		if (e->rule) {
			item.proto = c->proto;
			item.port_from = c->port_from;
			item.port_to = c->port_to;
			item.dry_run = c->dry_run;
			if (n > 1)
				ends = c->expires;
			if (ends && ends <= now)
				continue;
		}
		item.ttl_s = ends ? guard_seconds_left(ends - now) : 0;
		r = fn(&item, arg);
	}
	return r;
}

int guard_list(struct guard *g, int (*fn)(const struct guard_item *item, void *arg), void *arg,
	       struct netprobe_error *err)
{
	uint32_t set = set_current(g), now = guard_tick_now();
	int r = 0;

	for (uint32_t k = 0; k < NP_SET_MAX && !r; k++) {
		struct raw_list l = {};

		r = set_read(g, set, k, &l);
		if (!r)
			r = raw_sort(&l);
		if (r)
			error_set(err, r, "cannot read the list: %s", strerror(-r));
		if (k < NP_SET_ALLOW4)
			hot_add(g, set, k, &l);
		for (size_t i = 0; i < l.n && !r; i++)
			r = list_one(g, k, &l.items[i], now, fn, arg);
		free(l.items);
	}
	return r;
}

int guard_sweep(struct guard *g)
{
	uint32_t set = set_current(g), now = guard_tick_now();
	int r = 0, swept = 0;

	for (uint32_t k = 0; k < NP_SET_MAX && !r; k++) {
		struct raw_list l = {};
		uint32_t gone = 0;
		int fd = set_fd(g, set, k);

		r = fd < 0 ? fd : set_read(g, set, k, &l);
		for (size_t i = 0; i < l.n && !r; i++) {
			const struct np_guard_entry *e = &l.items[i].entry;

			if (!e->expires || e->expires > now)
				continue;
			if (!bpf_map_delete_elem(fd, l.items[i].key)) {
				swept++;
				gone++;
			}
		}
		/* Counted anew: who was killed between an entry and its number left them apart. */
		if (!r)
			g->conf->policy[set].n[k] = (uint32_t)l.n - gone;
		free(l.items);
		if (fd >= 0)
			(void)close(fd);
	}
	return r ? r : swept;
}
