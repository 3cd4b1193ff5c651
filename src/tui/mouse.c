/* SPDX-License-Identifier: BSD-2-Clause */
/* See mouse.h. */
#include "tui/mouse.h"

#include "tui/column.h"
#include "tui/columns.h"
#include "tui/menu.h"
#include "tui/render.h"

#define LEFT 0
#define RIGHT 2
#define WHEEL_UP 64
#define WHEEL_DOWN 65
#define WHEEL_LINES 3

static int wheel(struct tui_model *m, int lines)
{
	if (m->help) {
		m->help_top += lines;
		return MOVED_DRAW;
	}
	return m->menu ? menu_move(m, lines) : nav_move(m, lines);
}

/* A row: the cursor goes there; where it is already, what Enter does. */
static int point(struct tui_model *m, int line)
{
	struct tui_level *l = model_level(m);
	size_t at = l->top + (size_t)line;

	if (at >= m->n_shown)
		return MOVED_NOT;
	if (at == l->cursor && l->sticky)
		return nav_drill(m);
	return nav_move(m, (long)at - (long)l->cursor);
}

/* The right button: what is in that cell, all of it. */
static int copy_cell(struct tui_model *m, int line, int x)
{
	struct tui_level *l = model_level(m);
	size_t at = l->top + (size_t)line;
	struct columns c;

	if (at >= m->n_shown)
		return MOVED_NOT;
	(void)nav_move(m, (long)at - (long)l->cursor);
	columns_fit(&c, l->kind, m->health, m->hidden, m->cols);
	return nav_copy_cell(m, columns_at(&c, x));
}

static int title(struct tui_model *m, int x)
{
	struct columns c;
	const struct column *col;

	columns_fit(&c, model_level(m)->kind, m->health, m->hidden, m->cols);
	col = columns_at(&c, x);
	return col && column_sort(col) != NO_SORT ? nav_sort_by(m, column_sort(col)) : MOVED_NOT;
}

int mouse_handle(struct tui_model *m, struct key key)
{
	int tab;

	if (key.code == WHEEL_UP || key.code == WHEEL_DOWN)
		return wheel(m, key.code == WHEEL_UP ? -WHEEL_LINES : WHEEL_LINES);
	if (key.code == RIGHT && !m->help && !m->menu && !m->detail.open && key.y >= m->table_y &&
	    key.y < m->table_y + m->table_rows)
		return copy_cell(m, key.y - m->table_y, key.x);
	if (key.code != LEFT)
		return MOVED_NOT;
	if (m->help || m->menu) {
		m->help = HELP_NONE;
		m->menu = MENU_NONE;
		m->ask[0] = '\0';
		return MOVED_DRAW;
	}
	if (m->detail.open)
		return nav_back(m);
	if (key.y == m->titles_y)
		return title(m, key.x);
	if (key.y == m->tabs_y && !m->depth) {
		tab = tabs_at(m, m->cols, key.x);
		return tab < 0 ? MOVED_NOT : nav_view(m, (uint8_t)tab);
	}
	if (key.y == m->tabs_y)
		return nav_back(m);
	if (key.y >= m->table_y && key.y < m->table_y + m->table_rows)
		return point(m, key.y - m->table_y);
	return MOVED_NOT;
}
