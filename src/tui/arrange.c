/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the rows of a snapshot to the list: what ended and has one name becomes one row, the rest is put in
 * order, children below their parents. The rows themselves stay; those that stand for several are behind them.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/column.h"
#include "tui/model.h"

#define MADE_BIT \
	(1ull    \
	 << 63) /* no row of the library's is likely to have such a key, and none is drilled by it */

static uint64_t text_hash(uint64_t h, const char *s)
{
	for (; *s; s++)
		h = (h ^ (unsigned char)*s) * 0x100000001b3ull;
	return h ^ 0xff;
}

/* The end whose port one of many connections has for itself: the higher one, as those that connect are given. */
static bool is_server(const struct tui_row *row)
{
	return row->lport < row->rport;
}

/* Copies name without the port of that end: "10.0.0.1:* > 10.0.0.2:443". */
static void any_port(const struct tui_row *row, const char *name, char *to, size_t size)
{
	const char *gap = strstr(name, " > "), *cut = NULL, *rest = "";

	if (gap && is_server(row)) {
		cut = strrchr(gap, ':');
	} else if (gap) {
		for (const char *p = name; p < gap; p++)
			cut = *p == ':' ? p : cut;
		rest = gap;
	}
	if (cut)
		(void)snprintf(to, size, "%.*s:*%s", (int)(cut - name), name, rest);
	else
		(void)snprintf(to, size, "%s", name);
}

/* Ended rows with the same are one: a program in its place; of connections also its service. 0: not joined. */
static uint64_t joined_key(const struct tui_row *row, uint8_t kind)
{
	uint64_t h = 0xcbf29ce484222325ull;
	char name[sizeof(row->name)], *owner_end, owner[sizeof(row->owner)];

	if (!row->exited || row->rest)
		return 0;
	if (kind == NETPROBE_VIEW_PROCESS) {
		h = text_hash(text_hash(text_hash(h, row->name), row->place), row->exe);
	} else if (kind == NETPROBE_VIEW_CONNECTION) {
		/* of "comm[pid]" the comm */
		(void)snprintf(owner, sizeof(owner), "%s", row->owner);
		owner_end = strrchr(owner, '[');
		if (owner_end)
			*owner_end = '\0';
		any_port(row, row->name, name, sizeof(name));
		h = text_hash(text_hash(text_hash(h, owner), name), row->place);
	} else {
		return 0;
	}
	return h | MADE_BIT;
}

void row_join(struct tui_row *to, const struct tui_row *add)
{
	to->tx_rate += add->tx_rate;
	to->rx_rate += add->rx_rate;
	to->tx_bytes += add->tx_bytes;
	to->rx_bytes += add->rx_bytes;
	to->retrans += add->retrans;
	to->retrans_rate += add->retrans_rate;
	to->segs_rate += add->segs_rate;
	to->retrans_share = to->segs_rate > 0 ? 100 * to->retrans_rate / to->segs_rate : -1;
	to->trouble.timeout += add->trouble.timeout;
	to->trouble.fast += add->trouble.fast;
	to->trouble.probe += add->trouble.probe;
	to->trouble.synack += add->trouble.synack;
	to->trouble.spurious += add->trouble.spurious;
	to->trouble.stall_ns += add->trouble.stall_ns;
	to->drops += add->drops;
	to->conns += add->conns;
	to->rtt_us = to->rtt_us > add->rtt_us ? to->rtt_us : add->rtt_us;
	for (int i = 0; i < SAMPLES_MAX; i++)
		to->samples.rate[i] += add->samples.rate[i];
	if (add->samples.count > to->samples.count)
		to->samples.count = add->samples.count;
}

/* Slots of an open table by key: 1 + the first row that has it, and whether it stands for several by now. */
struct slot {
	uint64_t key;
	uint32_t row;
	uint32_t made; /* 1 + its place behind the others; 0: it is alone */
};

static struct slot *slot_of(struct slot *slots, size_t mask, uint64_t key)
{
	size_t i = (size_t)(key ^ key >> 29) & mask;

	while (slots[i].key && slots[i].key != key)
		i = (i + 1) & mask;
	return &slots[i];
}

/* A copy of row that others are added to. */
static struct tui_row *make_row(struct tui_model *m, const struct tui_row *row, uint64_t key)
{
	struct tui_row *made = &m->rows[m->n_rows + m->n_made++];

	*made = *row;
	made->key = key;
	made->count = 1;
	return made;
}

/* Where the list has the row at i: itself, or none as it is in another one. */
static void join(struct tui_model *m, struct slot *slots, size_t mask, uint32_t i, uint64_t key)
{
	struct slot *s = slot_of(slots, mask, key);
	struct tui_row *made;

	if (!s->key) {
		*s = (struct slot){ .key = key, .row = (uint32_t)m->n_shown };
		m->shown[m->n_shown++] = i;
		return;
	}
	if (!s->made) {
		made = make_row(m, &m->rows[m->shown[s->row]], key);
		made->pid = 0;
		any_port(made, m->rows[m->shown[s->row]].name, made->name, sizeof(made->name));
		if (made->brief[0])
			any_port(made, m->rows[m->shown[s->row]].brief, made->brief,
				 sizeof(made->brief));
		s->made = (uint32_t)(made - m->rows);
		m->shown[s->row] = s->made;
	}
	made = &m->rows[s->made];
	row_join(made, &m->rows[i]);
	made->count++;
}

static bool is_shown(const struct tui_model *m, size_t i)
{
	if (!m->paused)
		return true; /* a live view comes filtered */
	if (m->live && m->rows[i].exited)
		return false;
	return !m->filter.expr || i >= m->n_kept ||
	       netprobe_expr_row(m->filter.expr, kept_get(m->kept[i])) > 0;
}

static int choose(struct tui_model *m)
{
	uint8_t kind = m->level[m->depth].kind;
	size_t mask = 64, i;
	struct slot *slots;

	while (mask < 2 * m->n_rows)
		mask *= 2;
	slots = calloc(mask--, sizeof(*slots));
	if (!slots)
		return -ENOMEM;
	for (i = 0; i < m->n_rows; i++) {
		uint64_t key = m->apart ? 0 : joined_key(&m->rows[i], kind);

		if (!is_shown(m, i))
			continue;
		if (key)
			join(m, slots, mask, (uint32_t)i, key);
		else
			m->shown[m->n_shown++] = (uint32_t)i;
	}
	free(slots);
	return 0;
}

/* Equal rows keep the order they came in; those that stand for several have it from their first one. */
static int compare_shown(const void *a, const void *b, void *arg)
{
	const struct tui_model *m = arg;
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
	const struct tui_row *p = &m->rows[x], *q = &m->rows[y];
	int d = m->sort >= SORT_COLUMN ? column_compare(m->sort, p, q) : row_order(p, q, m->sort);

	d = m->reverse ? -d : d;
	return d ? d : m->paused ? (p->key > q->key) - (p->key < q->key) : (x > y) - (x < y);
}

static bool is_folded(const struct tui_model *m, uint64_t key)
{
	for (unsigned int i = 0; i < m->n_folded; i++)
		if (m->folded[i] == key)
			return true;
	return false;
}

struct tree {
	struct tui_model *m;
	const uint32_t *list; /* in order */
	size_t n;
	uint32_t *parent;	/* of list: 1 + place in it; 0: none */
	uint32_t *first, *next; /* children, as above, in order */
};

static int by_pid(const void *a, const void *b, void *arg)
{
	const struct tree *t = arg;
	const struct tui_row *x = &t->m->rows[t->list[*(const uint32_t *)a]];
	const struct tui_row *y = &t->m->rows[t->list[*(const uint32_t *)b]];

	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* Who has that number: sorted holds places in list. */
static uint32_t find_pid(const struct tree *t, const uint32_t *sorted, uint32_t pid)
{
	size_t low = 0, high = t->n;

	while (low < high) {
		size_t mid = (low + high) / 2;

		if (t->m->rows[t->list[sorted[mid]]].pid < pid)
			low = mid + 1;
		else
			high = mid;
	}
	return low < t->n && t->m->rows[t->list[sorted[low]]].pid == pid ? sorted[low] + 1 : 0;
}

static void put_tree(struct tree *t, uint32_t at, uint8_t depth, struct tui_row *sum)
{
	struct tui_model *m = t->m;
	uint32_t i = t->list[at];

	if (sum) {
		row_join(sum, &m->rows[i]);
		sum->count++;
	} else {
		m->rows[i].depth = depth;
		if (t->first[at] && is_folded(m, m->rows[i].key) && !m->rows[i].count) {
			sum = make_row(m, &m->rows[i], m->rows[i].key);
			sum->folded = true;
			i = (uint32_t)(sum - m->rows);
		}
		m->shown[m->n_shown++] = i;
	}
	for (uint32_t c = t->first[at]; c; c = t->next[c - 1])
		put_tree(t, c - 1, depth < 20 ? depth + 1 : depth, sum);
}

/* A chain of parents that comes back to where it began is of numbers given again: its end is cut. */
static bool reaches(const struct tree *t, uint32_t from, uint32_t to)
{
	for (int i = 0; from && i < 64; i++) {
		if (from == to)
			return true;
		from = t->parent[from - 1];
	}
	return from != 0;
}

static int make_tree(struct tui_model *m)
{
	size_t n = m->n_shown;
	uint32_t *all = calloc(5 * n + 1, sizeof(*all));
	uint32_t *list = all, *sorted = all + n;
	struct tree t = { .m = m, .list = list, .n = n };

	if (!all)
		return -ENOMEM;
	t.parent = all + 2 * n;
	t.first = all + 3 * n;
	t.next = all + 4 * n;
	memcpy(list, m->shown, n * sizeof(*list));
	for (uint32_t i = 0; i < n; i++)
		sorted[i] = i;
	qsort_r(sorted, n, sizeof(*sorted), by_pid, &t);
	for (uint32_t i = 0; i < n; i++) {
		const struct tui_row *row = &m->rows[list[i]];
		uint32_t p = row->pid && row->ppid ? find_pid(&t, sorted, row->ppid) : 0;

		t.parent[i] = p && !reaches(&t, p, i + 1) ? p : 0;
	}
	for (uint32_t i = (uint32_t)n; i-- > 0;)
		if (t.parent[i]) {
			t.next[i] = t.first[t.parent[i] - 1];
			t.first[t.parent[i] - 1] = i + 1;
		}
	m->n_shown = 0;
	for (uint32_t i = 0; i < n; i++)
		if (!t.parent[i])
			put_tree(&t, i, 0, NULL);
	free(all);
	return 0;
}

int arrange(struct tui_model *m)
{
	size_t n = m->n_rows;
	int r;

	m->n_shown = m->n_made = 0;
	for (size_t i = 0; i < n; i++)
		m->rows[i].depth = 0;
	r = choose(m);
	/* A live view comes sorted: only what this file makes, or sorts by, is to be put in. */
	if (!r && m->n_shown > 1 && (m->paused || m->n_made || m->sort >= SORT_COLUMN))
		qsort_r(m->shown, m->n_shown, sizeof(*m->shown), compare_shown, m);
	if (!r && m->tree && m->level[m->depth].kind == NETPROBE_VIEW_PROCESS)
		r = make_tree(m);
	if (m->limit && m->n_shown > m->limit)
		m->n_shown = m->limit;
	return r;
}
