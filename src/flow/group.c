/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Keeps the sums of groups. Every list is ordered by last activity, so that a tick only walks the
 * groups that moved within a history's length, and the bound drops the one missed least.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "flow/derive.h"
#include "flow/group.h"

#define GROUP_HISTORIES 8192

/* An interface may be renamed, and a name may be given to another one. */
static struct group_key identity(const struct group_key *key)
{
	struct group_key id = *key;

	if (id.ifindex)
		memset(id.ifname, 0, sizeof(id.ifname));
	id.text = NULL; /* its hash and its length are in the key */
	return id;
}

uint64_t group_key_hash(const struct group_key *key)
{
	const struct group_key id = identity(key);

	return index_hash(&id, sizeof(id));
}

bool group_key_equal(const struct group_key *a, const struct group_key *b)
{
	const struct group_key x = identity(a), y = identity(b);

	return memcmp(&x, &y, sizeof(x)) == 0 &&
	       (!a->text_len || !memcmp(a->text, b->text, a->text_len));
}

static uint64_t group_hash(const struct index_node *node)
{
	return group_key_hash(&index_entry(node, struct group, node)->key);
}

/* Hashed and compared as bytes: there must be no padding. */
_Static_assert(sizeof(struct group_key) == 3 * sizeof(void *) + 48, "padding in struct group_key");

void group_key_of(struct group_key *key, uint32_t kind, const struct flow *f, struct process *owner)
{
	if (kind >= GROUP_MAX) {
		derive_key(key, kind, owner, owner->cgroup);
		return;
	}
	memset(key, 0, sizeof(*key));
	key->kind = kind;
	switch (kind) {
	case GROUP_PROCESS:
		key->proc = owner;
		break;
	case GROUP_CONTAINER:
		key->cgroup = owner->cgroup;
		break;
	case GROUP_REMOTE:
		memcpy(key->addr, f->tuple.raddr, sizeof(key->addr));
		break;
	default:
		key->netns = f->tuple.netns;
		key->ifindex = f->tuple.ifindex;
		/* not strncpy: what is behind the NUL must be zero, too */
		memcpy(key->ifname, f->tuple.ifname,
		       strnlen(f->tuple.ifname, sizeof(key->ifname) - 1));
		if (!key->ifname[0])
			key->ifname[0] = '?';
		break;
	}
}

static struct group *group_find(const struct group_set *s, const struct group_key *key)
{
	struct index_node *n = index_chain(&s->groups, group_key_hash(key));

	for (; n; n = n->next) {
		struct group *g = index_entry(n, struct group, node);

		if (group_key_equal(&g->key, key))
			return g;
	}
	return NULL;
}

static void list_remove(struct group_set *s, struct group *g)
{
	if (g->newer)
		g->newer->older = g->older;
	else
		s->newest = g->older;
	if (g->older)
		g->older->newer = g->newer;
	else
		s->oldest = g->newer;
	g->newer = NULL;
	g->older = NULL;
}

static void list_push(struct group_set *s, struct group *g)
{
	g->older = s->newest;
	if (s->newest)
		s->newest->newer = g;
	else
		s->oldest = g;
	s->newest = g;
}

static void group_free(struct groups *gs, struct group *g)
{
	process_unref(gs->procs, g->key.proc);
	cgroup_unref(g->key.cgroup);
	g->sums.history = history_free(&gs->histories, g->sums.history);
	free(g);
}

/* A row less; what it moved stays in the sum. */
static void group_fold(struct groups *gs, struct group_set *s, struct group *g)
{
	if (g->key.proc)
		former_add(&gs->former, g->key.proc, &g->sums);
	s->rest.tx_bytes += g->sums.tx_bytes;
	s->rest.rx_bytes += g->sums.rx_bytes;
	s->rest.retrans += g->sums.retrans;
	s->rest.segs += g->sums.segs;
	s->rest.now_retrans += g->sums.now_retrans;
	s->rest.now_segs += g->sums.now_segs;
	trouble_add(&s->rest.trouble, &g->sums.trouble);
	s->rest.now_tx += g->sums.now_tx;
	s->rest.now_rx += g->sums.now_rx;
	list_remove(s, g);
	index_remove(&s->groups, &g->node);
	group_free(gs, g);
}

static struct group *group_make(struct groups *gs, struct group_set *s, const struct group_key *key)
{
	struct group *g;

	while (s->groups.count >= gs->max)
		group_fold(gs, s, s->oldest);
	g = calloc(1, sizeof(*g));
	if (!g)
		return NULL;
	g->key = *key;
	if (g->key.proc)
		g->key.proc->refs++;
	cgroup_ref(g->key.cgroup);
	index_add(&s->groups, &g->node);
	list_push(s, g);
	return g;
}

int groups_init(struct groups *gs, struct process_table *procs)
{
	unsigned int kind;
	int r = 0;

	*gs = (struct groups){ .procs = procs,
			       .max = GROUPS_MAX,
			       .tick = 1,
			       .histories = { .max = GROUP_HISTORIES } };
	for (kind = 0; r == 0 && kind < GROUP_MAX; kind++)
		r = index_init(&gs->sets[kind].groups, 64, group_hash);
	if (!r)
		r = former_init(&gs->former);
	if (r < 0)
		groups_done(gs);
	return r;
}

void groups_done(struct groups *gs)
{
	unsigned int kind;

	for (kind = 0; kind < GROUP_MAX; kind++) {
		struct group_set *s = &gs->sets[kind];

		while (s->newest) {
			struct group *g = s->newest;

			list_remove(s, g);
			group_free(gs, g);
		}
		s->rest.history = history_free(&gs->histories, s->rest.history);
		index_done(&s->groups);
	}
	gs->total.history = history_free(&gs->histories, gs->total.history);
	former_done(&gs->former);
}

static void sums_add(struct sums *s, const struct flow_delta *d, bool tcp)
{
	uint64_t retrans = d->retrans + d->synack, segs = tcp ? d->tx_pkts : 0;

	s->tx_bytes += d->tx_bytes;
	s->rx_bytes += d->rx_bytes;
	s->retrans += retrans;
	s->segs += segs;
	s->now_retrans += retrans;
	s->now_segs += segs;
	s->now_tx += d->tx_bytes;
	s->now_rx += d->rx_bytes;
}

/* The sums of owner's group of a kind, which becomes the latest active one; no memory: the rest's. */
static struct sums *group_touch(struct groups *gs, uint32_t kind, const struct flow *f,
				struct process *owner)
{
	struct group_set *s = &gs->sets[kind];
	struct group_key key;
	struct group *g;

	group_key_of(&key, kind, f, owner);
	g = group_find(s, &key);
	if (!g)
		g = group_make(gs, s, &key);
	if (!g)
		return &s->rest;
	if (key.ifindex && f->tuple.ifname[0])
		memcpy(g->key.ifname, key.ifname, sizeof(key.ifname));
	g->active_tick = gs->tick;
	if (s->newest != g) {
		list_remove(s, g);
		list_push(s, g);
	}
	return &g->sums;
}

static void add_as(struct groups *gs, const struct flow *f, const struct flow_delta *d,
		   struct process *owner)
{
	uint32_t kind;

	if (!(d->tx_bytes | d->rx_bytes | d->retrans | d->synack))
		return; /* bare acknowledgements make no row */
	sums_add(&gs->total, d, f->tuple.proto == IPPROTO_TCP);
	for (kind = 0; kind < GROUP_MAX; kind++)
		sums_add(group_touch(gs, kind, f, owner), d, f->tuple.proto == IPPROTO_TCP);
}

void groups_trouble(struct groups *gs, const struct flow *f, const struct trouble *t)
{
	uint32_t kind;

	trouble_add(&gs->total.trouble, t);
	for (kind = 0; kind < GROUP_MAX; kind++)
		trouble_add(&group_touch(gs, kind, f, f->owner)->trouble, t);
}

void groups_add(struct groups *gs, const struct flow *f, const struct flow_delta *d)
{
	struct flow_delta own = *d;

	/* a listener has no calls that move bytes: its SYN-ACKs are its last user's */
	if (d->synack && f->last != f->owner) {
		struct flow_delta synack = { .synack = d->synack };

		own.synack = 0;
		add_as(gs, f, &synack, f->last);
	}
	add_as(gs, f, &own, f->owner);
}

static void sums_tick(struct groups *gs, struct sums *s, float seconds)
{
	bool moved = s->now_tx | s->now_rx, first;

	s->tx_rate = seconds > 0 ? (float)s->now_tx / seconds : 0;
	s->rx_rate = seconds > 0 ? (float)s->now_rx / seconds : 0;
	s->retrans_rate = seconds > 0 ? (float)s->now_retrans / seconds : 0;
	s->segs_rate = seconds > 0 ? (float)s->now_segs / seconds : 0;
	first = s->now_tx == s->tx_bytes && s->now_rx == s->rx_bytes;
	s->now_tx = 0;
	s->now_rx = 0;
	s->now_retrans = 0;
	s->now_segs = 0;
	if (moved && !s->history)
		s->history = history_new(&gs->histories, first);
	history_push(s->history, s->tx_rate + s->rx_rate);
}

static void sums_restart(struct sums *s)
{
	s->tx_bytes = s->now_tx;
	s->rx_bytes = s->now_rx;
	s->retrans = s->segs = 0;
	s->trouble = (struct trouble){ 0 };
}

void groups_restart(struct groups *gs)
{
	sums_restart(&gs->total);
	for (unsigned int kind = 0; kind < GROUP_MAX; kind++) {
		sums_restart(&gs->sets[kind].rest);
		for (struct group *g = gs->sets[kind].newest; g; g = g->older)
			sums_restart(&g->sums);
	}
	former_clear(&gs->former);
}

static bool is_process_over(const struct process *p, uint64_t now_ns, uint64_t grace_ns)
{
	return p && p->exited && p->refs == 1 && now_ns - p->exited_ns >= grace_ns;
}

static void set_tick(struct groups *gs, struct group_set *s, float seconds)
{
	struct group *g;

	sums_tick(gs, &s->rest, seconds);
	/* newest first: behind the first that is still for so long, all are */
	for (g = s->newest; g && gs->tick - g->active_tick <= FLOW_HISTORY; g = g->older) {
		sums_tick(gs, &g->sums, seconds);
		if (gs->tick - g->active_tick == FLOW_HISTORY)
			g->sums.history = history_free(&gs->histories, g->sums.history);
	}
}

void groups_tick(struct groups *gs, uint64_t now_ns, float seconds, uint64_t grace_ns)
{
	struct group *g, *older;
	unsigned int kind;

	sums_tick(gs, &gs->total, seconds);
	for (kind = 0; kind < GROUP_MAX; kind++)
		set_tick(gs, &gs->sets[kind], seconds);
	for (g = gs->sets[GROUP_PROCESS].newest; g; g = older) {
		older = g->older;
		if (is_process_over(g->key.proc, now_ns, grace_ns))
			group_fold(gs, &gs->sets[GROUP_PROCESS], g);
	}
	gs->tick++;
}
