/* SPDX-License-Identifier: BSD-2-Clause */
/* See menu.h. */
#include "tui/menu.h"

#include <stdio.h>
#include <string.h>

#include "tui/column.h"
#include "tui/columns.h"
#include "tui/kinds.h"
#include "tui/render.h"

#define WIDTH 76
#define LABEL 14

struct line {
	const char *label, *text;
	bool marked; /* the one that is on */
	char key;
	char room[256]; /* of text */
};

/* In the order of their keys, those without behind them. */
static const uint8_t by_order[NETPROBE_VIEW_MAX] = {
	NETPROBE_VIEW_PROCESS, NETPROBE_VIEW_CONNECTION, NETPROBE_VIEW_CONTAINER,
	NETPROBE_VIEW_REMOTE,  NETPROBE_VIEW_INTERFACE,	 NETPROBE_VIEW_PROGRAM,
	NETPROBE_VIEW_USER,    NETPROBE_VIEW_UNIT,	 NETPROBE_VIEW_LISTEN,
	NETPROBE_VIEW_POD,     NETPROBE_VIEW_NAMESPACE,	 NETPROBE_VIEW_IMAGE,
};

uint8_t kind_at(int i)
{
	return by_order[(i + NETPROBE_VIEW_MAX) % NETPROBE_VIEW_MAX];
}

int kind_place(uint8_t kind)
{
	int i = 0;

	while (i < NETPROBE_VIEW_MAX - 1 && by_order[i] != kind)
		i++;
	return i;
}

/* What the row under the cursor has in a column. */
static bool cell_at(const struct tui_model *m, int i, struct line *ret)
{
	const struct tui_level *l = &m->level[m->depth];
	const struct column *c = column_of(l->kind, m->health, i);
	const struct tui_row *row = l->cursor < m->n_shown ? &m->rows[m->shown[l->cursor]] : NULL;

	if (!c || !row || !columns_cell(m, row, c, ret->room, sizeof(ret->room)))
		return false;
	ret->label = i ? c->title : view_kinds[l->kind].title;
	ret->text = ret->room;
	ret->marked = false;
	ret->key = 0;
	return true;
}

static bool line_at(const struct tui_model *m, int i, struct line *ret)
{
	const struct tui_level *l = &m->level[m->depth];
	const struct column *c;

	if (i < 0)
		return false;
	if (m->menu == MENU_BY) {
		const struct view_kind *k;

		if (i >= NETPROBE_VIEW_MAX)
			return false;
		k = &view_kinds[kind_at(i)];
		*ret = (struct line){ k->by, k->help, l->kind == kind_at(i), k->key, "" };
		return true;
	}
	if (m->menu == MENU_SIGNAL) {
		if (!act_signal_name(i))
			return false;
		*ret = (struct line){ act_signal_name(i), act_signal_help(i), false, 0, "" };
		return true;
	}
	if (m->menu == MENU_COPY)
		return cell_at(m, i, ret);
	/* the first column is the name: always there */
	c = column_of(l->kind, m->health, i + 1);
	if (!c)
		return false;
	*ret = (struct line){ c->title, c->help, !(m->hidden >> (c - column_table) & 1), 0, "" };
	return true;
}

static int count(const struct tui_model *m)
{
	struct line l;
	int n = 0;

	while (line_at(m, n, &l))
		n++;
	return n;
}

int menu_open(struct tui_model *m, int menu)
{
	m->menu = (uint8_t)menu;
	m->menu_at = menu == MENU_BY ? kind_place(model_level(m)->kind) : 0;
	return MOVED_DRAW;
}

int menu_move(struct tui_model *m, int lines)
{
	int n = count(m);

	m->menu_at = m->menu_at + lines < 0    ? 0
		     : m->menu_at + lines >= n ? n - 1
					       : m->menu_at + lines;
	return MOVED_DRAW;
}

static const struct column *chosen(const struct tui_model *m)
{
	return column_of(m->level[m->depth].kind, m->health, m->menu_at + 1);
}

int menu_choose(struct tui_model *m)
{
	const struct column *c;

	if (m->menu == MENU_BY) {
		m->menu = MENU_NONE;
		return nav_view(m, kind_at(m->menu_at)) ?: MOVED_DRAW;
	}
	if (m->menu == MENU_SIGNAL)
		return act_signal(m, m->menu_at);
	if (m->menu == MENU_COPY)
		return nav_copy_cell(m, column_of(model_level(m)->kind, m->health, m->menu_at));
	c = chosen(m);
	if (c)
		m->hidden ^= 1ull << (c - column_table);
	return MOVED_DRAW;
}

int menu_letter(struct tui_model *m, int letter)
{
	const struct column *c;

	if (m->menu == MENU_BY) {
		for (int i = 0; i < NETPROBE_VIEW_MAX; i++)
			if (view_kinds[i].key && view_kinds[i].key == letter) {
				m->menu = MENU_NONE;
				return nav_view(m, (uint8_t)i) ?: MOVED_DRAW;
			}
	} else if (m->menu == MENU_SIGNAL) {
		m->ask[0] = '\0';
	} else if (m->menu == MENU_COPY) {
		/* closes */
	} else if (letter == 's' || letter == '>') {
		c = chosen(m);
		if (c && column_sort(c) != NO_SORT)
			return nav_sort_by(m, column_sort(c));
		return MOVED_DRAW;
	} else if (letter == ' ') {
		return menu_choose(m);
	}
	m->menu = MENU_NONE;
	return MOVED_DRAW;
}

void menu_draw(struct grid *g, const struct tui_model *m)
{
	int n = count(m), cols = g->cols < WIDTH ? g->cols : WIDTH;
	int rows = n + 2 < g->rows ? n + 2 : g->rows, view = rows - 2;
	int y = (g->rows - rows) / 2, x = (g->cols - cols) / 2;
	int top = m->menu_at >= view ? m->menu_at - view + 1 : 0;

	frame_draw(g, y, x, rows, cols);
	(void)grid_put(g, y, x + 2, cols - 4, STYLE_BOLD,
		       m->menu == MENU_BY	? " a row is "
		       : m->menu == MENU_SIGNAL ? " signal "
		       : m->menu == MENU_COPY	? " copy "
						: " columns ");
	(void)grid_put(g, y + rows - 1, x + 2, cols - 4, STYLE_DIM,
		       m->menu == MENU_COPY ? " Enter: copy it   others close "
		       : m->menu != MENU_COLUMNS
			       ? " Enter: take it   others close "
			       : " Enter: show, hide   s: sort by it   others close ");
	for (int i = 0; i < view; i++) {
		struct line l;
		char mark[8];

		if (!line_at(m, top + i, &l))
			break;
		if (m->menu == MENU_COLUMNS)
			(void)snprintf(mark, sizeof(mark), "[%c]", l.marked ? 'x' : ' ');
		else
			(void)snprintf(mark, sizeof(mark), "%c%c", l.marked ? '*' : ' ',
				       l.key ? l.key : ' ');
		(void)grid_put(g, y + 1 + i, x + 2, 3, STYLE_KEY, mark);
		(void)grid_put(g, y + 1 + i, x + 6, LABEL, STYLE_BOLD, l.label);
		(void)grid_put(g, y + 1 + i, x + 6 + LABEL, cols - 8 - LABEL, STYLE_NORMAL, l.text);
		if (top + i == m->menu_at)
			grid_style(g, y + 1 + i, x + 1, cols - 2, STYLE_SELECTED);
	}
}
