/* SPDX-License-Identifier: BSD-2-Clause */
/* See derive.h. */
#include "flow/derive.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "owner/container_name.h"

#define FORMER_MAX 8192 /* programs and users of processes that are gone */

/* Sums of processes that are gone. */
struct former_group {
	struct group_key key; /* its text is below */
	struct sums sums;
	struct index_node node;
	char text[];
};

static uint64_t former_hash(const struct index_node *node)
{
	return group_key_hash(&index_entry(node, struct former_group, node)->key);
}

int former_init(struct former *f)
{
	*f = (struct former){ 0 };
	return index_init(&f->groups, 64, former_hash);
}

void former_clear(struct former *f)
{
	for (uint32_t i = 0; f->groups.slots && i <= f->groups.mask; i++) {
		while (f->groups.slots[i]) {
			struct former_group *g =
				index_entry(f->groups.slots[i], struct former_group, node);

			index_remove(&f->groups, &g->node);
			free(g);
		}
	}
}

void former_done(struct former *f)
{
	former_clear(f);
	index_done(&f->groups);
}

static void set_text(struct group_key *key, const char *text, size_t len)
{
	uint64_t hash = index_hash(text, len);

	key->text = text;
	key->text_len = (uint32_t)(len < DERIVE_TEXT_MAX ? len : DERIVE_TEXT_MAX);
	memcpy(key->addr, &hash, sizeof(hash));
}

static bool ends_with(const char *s, size_t len, const char *end)
{
	size_t n = strlen(end);

	return len > n && !memcmp(s + len - n, end, n);
}

/* The unit that a cgroup belongs to: the deepest service or scope on its path, else the deepest slice. */
static void set_unit(struct group_key *key, const char *path)
{
	const char *unit = NULL, *slice = NULL;
	size_t unit_len = 0, slice_len = 0;

	while (path && *path) {
		size_t len = strcspn(path, "/");

		if (ends_with(path, len, ".service") || ends_with(path, len, ".scope")) {
			unit = path;
			unit_len = len;
		} else if (ends_with(path, len, ".slice")) {
			slice = path;
			slice_len = len;
		}
		path += len;
		path += *path == '/';
	}
	if (unit || slice)
		set_text(key, unit ?: slice, unit ? unit_len : slice_len);
}

void derive_key(struct group_key *key, uint32_t kind, const struct process *proc,
		const struct cgroup *cgroup)
{
	const char *text = NULL;

	memset(key, 0, sizeof(*key));
	key->kind = kind;
	switch (kind) {
	case GROUP_PROGRAM:
		if (proc && proc->tgid)
			text = proc->exe && *proc->exe ? proc->exe : proc->comm;
		break;
	case GROUP_USER:
		/* 0 is root: the unknown one has no number */
		key->ifindex = proc && proc->tgid;
		key->netns = key->ifindex ? proc->uid : 0;
		return;
	case GROUP_UNIT:
		set_unit(key, cgroup ? cgroup->path : NULL);
		return;
	case GROUP_POD:
		text = cgroup ? cgroup->pod_uid : NULL;
		break;
	case GROUP_NAMESPACE:
		text = cgroup_info(cgroup)->pod_namespace;
		break;
	default:
		text = cgroup_info(cgroup)->image;
		break;
	}
	if (text && *text)
		set_text(key, text, strlen(text));
}

const char *derive_text(const struct group_key *key, uint32_t *ret_len)
{
	const char *text = key->text;

	if (!text)
		return NULL;
	for (size_t i = 0; key->kind == GROUP_PROGRAM && i + 1 < key->text_len; i++)
		if (key->text[i] == '/')
			text = key->text + i + 1;
	*ret_len = key->text_len - (uint32_t)(text - key->text);
	return text;
}

void derive_name(char *buf, size_t size, const struct group_key *key)
{
	static const char *const none[] = {
		[GROUP_PROGRAM] = "unknown",	    [GROUP_USER] = "unknown",
		[GROUP_UNIT] = "no unit",	    [GROUP_POD] = "no pod",
		[GROUP_NAMESPACE] = "no namespace", [GROUP_IMAGE] = "no image"
	};
	uint32_t len = 0;
	const char *text = derive_text(key, &len);

	if (key->kind == GROUP_USER && key->ifindex) {
		(void)snprintf(buf, size, "%" PRIu32, key->netns);
		return;
	}
	if (!text) {
		(void)snprintf(buf, size, "%s", none[key->kind]);
		return;
	}
	(void)snprintf(buf, size, "%.*s", (int)len, text);
}

static struct former_group *former_find(const struct former *f, const struct group_key *key)
{
	struct index_node *n = index_chain(&f->groups, group_key_hash(key));

	for (; n; n = n->next) {
		struct former_group *g = index_entry(n, struct former_group, node);

		if (group_key_equal(&g->key, key))
			return g;
	}
	return NULL;
}

static struct former_group *former_make(struct former *f, const struct group_key *key)
{
	struct former_group *g;

	if (f->groups.count >= FORMER_MAX)
		return NULL;
	g = calloc(1, sizeof(*g) + key->text_len + 1);
	if (!g)
		return NULL;
	g->key = *key;
	if (key->text) {
		memcpy(g->text, key->text, key->text_len);
		g->key.text = g->text;
	}
	index_add(&f->groups, &g->node);
	return g;
}

void former_add(struct former *f, const struct process *proc, const struct sums *sums)
{
	static const uint32_t kinds[] = { GROUP_PROGRAM, GROUP_USER };

	for (unsigned int i = 0; i < 2; i++) {
		struct group_key key;
		struct former_group *g;
		struct sums *to;

		derive_key(&key, kinds[i], proc, NULL);
		g = former_find(f, &key);
		if (!g)
			g = former_make(f, &key);
		if (!g)
			continue; /* in the rest, as all that is in none of these */
		to = &g->sums;
		to->tx_bytes += sums->tx_bytes;
		to->rx_bytes += sums->rx_bytes;
		to->retrans += sums->retrans;
		to->segs += sums->segs;
		trouble_add(&to->trouble, &sums->trouble);
	}
}

static uint64_t less(uint64_t a, uint64_t b)
{
	return a > b ? a - b : 0;
}

static int find_or_add(struct tallies *t, const struct group_key *key, struct tally **ret)
{
	*ret = tallies_find(t, key);
	return *ret ? 0 : tallies_add(t, key, ret);
}

static void tally_join(struct tally *row, const struct sums *s)
{
	row->tx_bytes += less(s->tx_bytes, s->now_tx);
	row->rx_bytes += less(s->rx_bytes, s->now_rx);
	row->retrans += s->retrans;
	trouble_add(&row->trouble, &s->trouble);
	row->tx_rate += s->tx_rate;
	row->rx_rate += s->rx_rate;
	row->segs += s->segs;
	row->retrans_rate += s->retrans_rate;
	row->segs_rate += s->segs_rate;
}

static void key_of_group(struct group_key *key, uint32_t kind, const struct group *g)
{
	derive_key(key, kind, g->key.proc, g->key.cgroup);
}

/* Rates add up, the newest with the newest. */
static void history_join(struct history *to, const struct history *from)
{
	uint32_t n = from->count < FLOW_HISTORY ? from->count : FLOW_HISTORY;

	for (uint32_t i = 1; i <= n; i++)
		to->rate[FLOW_HISTORY - i] +=
			from->rate[(from->next + FLOW_HISTORY - i) % FLOW_HISTORY];
	if (n > to->count)
		to->count = n;
}

/* Rows are made by now: where they stand does not change any more. */
static int join_histories(struct tallies *t, const struct group_set *set, uint32_t kind,
			  struct history **ret)
{
	struct history *all = calloc((size_t)t->n + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (const struct group *g = set->newest; g; g = g->older) {
		struct group_key key;
		struct tally *row;

		if (!g->sums.history)
			continue;
		key_of_group(&key, kind, g);
		row = tallies_find(t, &key);
		if (!row)
			continue;
		history_join(&all[row->row], g->sums.history);
		row->history = &all[row->row];
	}
	*ret = all;
	return 0;
}

/* What the rest of processes has and no program or user: of former it has all. */
static void leave(struct sums *rest, const struct sums *former)
{
	rest->tx_bytes = less(rest->tx_bytes, former->tx_bytes);
	rest->rx_bytes = less(rest->rx_bytes, former->rx_bytes);
	rest->retrans = less(rest->retrans, former->retrans);
	rest->segs = less(rest->segs, former->segs);
	for (unsigned int i = 0; i < NP_RTX_MAX; i++)
		rest->trouble.rtx[i] = less(rest->trouble.rtx[i], former->trouble.rtx[i]);
	rest->trouble.synack = less(rest->trouble.synack, former->trouble.synack);
	rest->trouble.spurious = less(rest->trouble.spurious, former->trouble.spurious);
	rest->trouble.stall_ns = less(rest->trouble.stall_ns, former->trouble.stall_ns);
}

static int seed_rest(struct tallies *t, const struct sums *rest, uint32_t kind)
{
	struct tally *row;
	int r;

	if (!(rest->tx_bytes | rest->rx_bytes | rest->retrans))
		return 0;
	r = tallies_rest(t, kind, &row);
	if (!r)
		tally_join(row, rest);
	return r;
}

static int seed_former(struct tallies *t, const struct index *former, uint32_t kind,
		       struct sums *rest)
{
	struct tally *row;
	int r = 0;

	for (uint32_t i = 0; !r && i <= former->mask; i++)
		for (struct index_node *n = former->slots[i]; n && !r; n = n->next) {
			const struct former_group *g = index_entry(n, struct former_group, node);

			if (g->key.kind != kind)
				continue;
			r = find_or_add(t, &g->key, &row);
			if (!r)
				tally_join(row, &g->sums);
			leave(rest, &g->sums);
		}
	return r;
}

int derive_seed(struct tallies *t, const struct groups *gs, uint32_t kind,
		struct history **ret_histories)
{
	bool of_processes = kind == GROUP_PROGRAM || kind == GROUP_USER;
	const struct group_set *set = &gs->sets[of_processes ? GROUP_PROCESS : GROUP_CONTAINER];
	struct sums rest = set->rest;
	struct group_key key;
	struct tally *row;
	int r = 0;

	for (const struct group *g = set->newest; g && !r; g = g->older) {
		key_of_group(&key, kind, g);
		r = find_or_add(t, &key, &row);
		if (!r)
			tally_join(row, &g->sums);
	}
	if (!r && of_processes)
		r = seed_former(t, &gs->former.groups, kind, &rest);
	if (!r)
		r = seed_rest(t, &rest, kind);
	return r ? r : join_histories(t, set, kind, ret_histories);
}
