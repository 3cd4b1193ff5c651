/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Where the user is: cursor, views, drills, sort, pause. Changes the model only; keys.c says which
 * key does it, render.c how it looks.
 */
#include <stdio.h>
#include <string.h>

#include "tui/columns.h"
#include "tui/menu.h"
#include "tui/model.h"

static void remember(struct tui_model *m)
{
	const struct tui_row *row = model_row(m);

	if (row)
		model_level(m)->key = row->key;
}

void nav_settle(struct tui_model *m)
{
	struct tui_level *l = model_level(m);
	size_t i;

	if (!l->sticky) {
		l->cursor = l->top = 0;
		remember(m);
		return;
	}
	for (i = 0; i < m->n_shown; i++) {
		if (m->rows[m->shown[i]].key == l->key) {
			l->cursor = i;
			return;
		}
	}
	/* Its row left: stay where it was, on what moved up there. */
	if (l->cursor >= m->n_shown)
		l->cursor = m->n_shown ? m->n_shown - 1 : 0;
	remember(m);
}

static void reset_cursor(struct tui_level *l)
{
	l->cursor = l->top = 0;
	l->sticky = false;
}

/* The page of the connection row stands for. */
static void show_detail(struct tui_model *m, const struct tui_row *row)
{
	m->detail = (struct detail){ .open = true, .key = row->key, .verdict = -1 };
	model_watch(m);
}

int nav_detail_close(struct tui_model *m)
{
	m->detail.open = false;
	model_watch(m);
	return MOVED_ROWS;
}

int nav_view(struct tui_model *m, uint8_t kind)
{
	struct tui_level *l = model_level(m);

	if (m->detail.open)
		(void)nav_detail_close(m);
	else if (l->kind == kind)
		return MOVED_NOT;
	l->kind = kind;
	reset_cursor(l);
	return MOVED_ROWS;
}

static int refuse(struct tui_model *m, const char *why)
{
	(void)snprintf(m->flash, sizeof(m->flash), "%s", why);
	return MOVED_DRAW;
}

static void enter(struct tui_level *to, const struct tui_row *row, uint8_t kind)
{
	static const uint8_t by[NETPROBE_VIEW_INTERFACE + 1] = {
		[NETPROBE_VIEW_PROCESS] = DRILL_PROCESS,
		[NETPROBE_VIEW_CONTAINER] = DRILL_CONTAINER,
		[NETPROBE_VIEW_REMOTE] = DRILL_REMOTE,
		[NETPROBE_VIEW_INTERFACE] = DRILL_INTERFACE,
	};

	memset(to, 0, sizeof(*to));
	to->by = kind > NETPROBE_VIEW_INTERFACE ? DRILL_GROUP : by[kind];
	to->of_kind = kind;
	to->kind = NETPROBE_VIEW_CONNECTION;
	to->row_key = row->key;
	memcpy(to->remote, row->addr, sizeof(to->remote));
	(void)snprintf(to->iface, sizeof(to->iface), "%.15s", row->name);
	to->netns = row->netns;
	if (kind == NETPROBE_VIEW_PROCESS && row->pid)
		(void)snprintf(to->title, sizeof(to->title), "%.64s[%u]", row->name, row->pid);
	else
		(void)snprintf(to->title, sizeof(to->title), "%s",
			       kind == NETPROBE_VIEW_CONTAINER && row->place[0] ? row->place
										: row->name);
}

int nav_drill(struct tui_model *m)
{
	struct tui_level *l = model_level(m);
	const struct tui_row *row = model_row(m);

	if (!row)
		return refuse(m, "nothing to open here");
	if (row->rest)
		return refuse(m, "these are no longer told apart: nothing to open");
	if (row->ownerless)
		return refuse(m, "bytes that no socket here moved: nothing to open");
	if (row->count > 1 && !row->folded)
		return refuse(m, "several that ended: m shows each, 6 what their program moved");
	if (l->kind == NETPROBE_VIEW_CONNECTION || l->kind == NETPROBE_VIEW_LISTEN) {
		l->sticky = true;
		show_detail(m, row);
		return MOVED_ROWS;
	}
	if (l->kind == NETPROBE_VIEW_CONTAINER && !row->known)
		return refuse(m, "the container is not known: nothing to open");
	if (m->depth + 1 >= TUI_DEPTH)
		return refuse(m, "deep enough: Esc goes back");
	l->key = row->key;
	l->sticky = true;
	enter(&m->level[m->depth + 1], row, l->kind);
	m->depth++;
	return MOVED_ROWS;
}

int nav_move(struct tui_model *m, long lines)
{
	struct tui_level *l = model_level(m);
	long to = (long)l->cursor + lines, last = (long)m->n_shown - 1;

	if (last < 0)
		return MOVED_NOT;
	l->cursor = (size_t)(to < 0 ? 0 : to > last ? last : to);
	l->sticky = true;
	remember(m);
	if (!m->detail.open)
		return MOVED_DRAW;
	/* the page follows the cursor from one connection to the next */
	show_detail(m, model_row(m));
	return MOVED_ROWS;
}

int nav_home(struct tui_model *m)
{
	reset_cursor(model_level(m));
	remember(m);
	return MOVED_DRAW;
}

int nav_end(struct tui_model *m)
{
	return nav_move(m, (long)m->n_shown);
}

/* Paused rows are arranged here and now; live ones come in the new order from the viewer. */
static int rearranged(struct tui_model *m)
{
	if (!m->paused)
		return MOVED_ROWS;
	(void)model_arrange(m);
	return MOVED_DRAW;
}

int nav_arranged(struct tui_model *m)
{
	(void)model_arrange(m);
	return MOVED_DRAW;
}

int nav_tree(struct tui_model *m)
{
	if (model_level(m)->kind != NETPROBE_VIEW_PROCESS)
		return refuse(m, "only processes are in a tree: 1 shows them");
	m->tree = !m->tree;
	return nav_arranged(m);
}

static void fold_key(struct tui_model *m, uint64_t key, bool fold)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < m->n_folded; i++)
		if (m->folded[i] != key)
			m->folded[n++] = m->folded[i];
	m->n_folded = n;
	if (fold && n < TUI_FOLDS)
		m->folded[m->n_folded++] = key;
}

int nav_fold(struct tui_model *m, bool fold, bool all)
{
	const struct tui_row *row = model_row(m);

	if (!m->tree || model_level(m)->kind != NETPROBE_VIEW_PROCESS)
		return refuse(m, "nothing to fold: t shows processes as a tree");
	model_level(m)->sticky = true;
	remember(m);
	if (all)
		m->n_folded = 0;
	for (size_t i = 0; all && fold && i < m->n_rows; i++)
		fold_key(m, m->rows[i].key, true);
	if (!all && row)
		fold_key(m, row->key, fold);
	return nav_arranged(m);
}

int nav_back(struct tui_model *m)
{
	struct tui_level *l = model_level(m);

	if (m->detail.open)
		return nav_detail_close(m);
	if (l->filter[0]) {
		l->filter[0] = '\0';
		return rearranged(m);
	}
	if (m->depth == 0)
		return MOVED_DRAW;
	m->depth--;
	return MOVED_ROWS;
}

/* The next in the order of the columns on the screen; columns.c draws them from left to right so.
 */
static uint8_t sort_beside(bool health, uint8_t sort, int step)
{
	static const uint8_t traffic[] = { NETPROBE_SORT_NAME,	      NETPROBE_SORT_TX,
					   NETPROBE_SORT_RX,	      NETPROBE_SORT_TOTAL,
					   NETPROBE_SORT_CONNECTIONS, NETPROBE_SORT_RTT,
					   NETPROBE_SORT_RETRANS,     NETPROBE_SORT_RATE };
	static const uint8_t trouble[] = { NETPROBE_SORT_NAME, NETPROBE_SORT_RTT,
					   NETPROBE_SORT_RETRANS, NETPROBE_SORT_STALL,
					   NETPROBE_SORT_RATE };
	const uint8_t *order = health ? trouble : traffic;
	int n = health ? (int)sizeof(trouble) : (int)sizeof(traffic), i = 0;

	while (i < n - 1 && order[i] != sort)
		i++;
	return order[(i + n + step) % n];
}

int nav_sort_by(struct tui_model *m, uint8_t sort)
{
	m->reverse = m->sort == sort && !m->reverse;
	m->sort = sort;
	return rearranged(m);
}

int nav_sort(struct tui_model *m, int step)
{
	if (step == 0)
		m->reverse = !m->reverse;
	else
		m->sort = sort_beside(m->health, m->sort, step);
	return rearranged(m);
}

int nav_health(struct tui_model *m)
{
	m->health = !m->health;
	/* no column would show what the rows are sorted by */
	if (!m->health && m->sort == NETPROBE_SORT_STALL)
		m->sort = NETPROBE_SORT_RATE;
	model_watch(m);
	return MOVED_ROWS;
}

int nav_pause(struct tui_model *m)
{
	m->paused = !m->paused;
	return MOVED_ROWS;
}

int nav_restart(struct tui_model *m)
{
	struct netprobe_error err = {};
	time_t now = time(NULL);

	if (m->paused)
		return refuse(m, "paused: Space goes on, then z");
	if (netprobe_manager_restart_sums(m->manager, &err)) {
		(void)snprintf(m->flash, sizeof(m->flash), "%.79s", err.msg);
		return MOVED_DRAW;
	}
	(void)localtime_r(&now, &m->since);
	m->is_since = true;
	(void)refuse(m, "sums begin now: bytes, retransmits, stalls, drops");
	return MOVED_ROWS;
}

int nav_filter_changed(struct tui_model *m)
{
	return rearranged(m);
}

int nav_filter_begin(struct tui_model *m)
{
	m->editing = true;
	complete_look(m);
	return MOVED_DRAW;
}

int nav_filter_end(struct tui_model *m, bool keep)
{
	m->editing = false;
	if (keep)
		return MOVED_DRAW;
	return nav_filter_clear(m);
}

int nav_filter_clear(struct tui_model *m)
{
	model_level(m)->filter[0] = '\0';
	complete_look(m);
	return rearranged(m);
}

/* UTF-8 whatever the locale: names in the tables are UTF-8 as well. */
static size_t encode(wchar_t ch, char out[4])
{
	uint32_t cp = (uint32_t)ch;

	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xc0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3f));
		return 2;
	}
	if (cp < 0x10000) {
		out[0] = (char)(0xe0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3f));
		out[2] = (char)(0x80 | (cp & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | (cp >> 18 & 0x07));
	out[1] = (char)(0x80 | (cp >> 12 & 0x3f));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3f));
	out[3] = (char)(0x80 | (cp & 0x3f));
	return 4;
}

int nav_filter_add(struct tui_model *m, wchar_t ch)
{
	char *filter = model_level(m)->filter;
	size_t len = strlen(filter), n;
	char utf8[4];

	if (ch < 0x20 || (ch >= 0x7f && ch < 0xa0))
		return MOVED_NOT;
	n = encode(ch, utf8);
	if (len + n + 1 > TUI_FILTER_MAX)
		return MOVED_NOT;
	memcpy(filter + len, utf8, n);
	filter[len + n] = '\0';
	complete_look(m);
	return rearranged(m);
}

int nav_filter_rubout(struct tui_model *m)
{
	char *filter = model_level(m)->filter;
	size_t len = strlen(filter);

	if (len == 0)
		return nav_filter_end(m, true);
	do
		len--;
	while (len > 0 && (filter[len] & 0xc0) == 0x80);
	filter[len] = '\0';
	complete_look(m);
	return rearranged(m);
}

int nav_copy(struct tui_model *m)
{
	const struct tui_row *row = model_row(m);

	if (m->detail.open) {
		(void)snprintf(m->copy, sizeof(m->copy), "%s > %s", m->detail.local,
			       m->detail.remote);
		return MOVED_COPY;
	}
	if (!row)
		return refuse(m, "nothing to copy here");
	columns_text(m, row, m->copy, sizeof(m->copy));
	return MOVED_COPY;
}

int nav_copy_menu(struct tui_model *m)
{
	if (m->detail.open)
		return nav_copy(m);
	if (!model_row(m))
		return refuse(m, "nothing to copy here");
	/* the list is of this row, wherever the next interval puts it */
	model_level(m)->sticky = true;
	remember(m);
	return menu_open(m, MENU_COPY);
}

int nav_copy_cell(struct tui_model *m, const struct column *column)
{
	const struct tui_row *row = model_row(m);

	m->menu = MENU_NONE;
	if (!row || !column || !columns_cell(m, row, column, m->copy, sizeof(m->copy)))
		return refuse(m, "nothing to copy here");
	return MOVED_COPY;
}
