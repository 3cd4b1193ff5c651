/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Cells of a frame and how text gets into them. Knows columns, styles and the grid's edge; knows
 * nothing of what is drawn nor of a terminal.
 */
#include "tui/grid.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/text.h"

const struct glyphs glyphs_utf8 = {
	.level = { " ", "▁", "▂", "▃", "▄", "▅", "▆", "▇", "█" },
	.arrow = "→",
	.exited = "†",
	.gutter = 1,
	.down = "▼",
	.up = "▲",
	.crumb = "›",
	.branch = "└ ",
	.times = "×",
	.braille = true,
	.share = { "·", "▒", "▓", "█", "×", "–" },
	.rule = "─",
	.wall = "│",
	.corner = { "┌", "┐", "└", "┘" },
	.ellipsis = L'…',
};

const struct glyphs glyphs_ascii = {
	.level = { " ", ".", ":", "-", "=", "+", "*", "#", "@" },
	.arrow = "->",
	.exited = "x",
	.gutter = 2, /* "xcurl" would read as a name */
	.down = "v",
	.up = "^",
	.crumb = ">",
	.branch = "` ",
	.times = "x",
	.share = { ".", ":", "=", "#", "x", "-" },
	.rule = "-",
	.wall = "|",
	.corner = { "+", "+", "+", "+" },
	.ellipsis = L'~',
};

void grid_done(struct grid *g)
{
	free(g->cells);
	g->cells = NULL;
	g->rows = g->cols = g->cap = 0;
}

static int clamp(int v, int max)
{
	return v < 0 ? 0 : v > max ? max : v;
}

int grid_resize(struct grid *g, int rows, int cols)
{
	int need;

	rows = clamp(rows, GRID_MAX_ROWS);
	cols = clamp(cols, GRID_MAX_COLS);
	need = rows * cols;
	if (need > g->cap) {
		struct cell *cells = reallocarray(g->cells, (size_t)need, sizeof(*cells));

		if (!cells) {
			g->rows = g->cols = 0;
			return -ENOMEM;
		}
		g->cells = cells;
		g->cap = need;
	}
	g->rows = rows;
	g->cols = cols;
	grid_clear(g);
	return 0;
}

static void cell_blank(struct cell *c, enum style style)
{
	memset(c, 0, sizeof(*c));
	c->ch[0] = L' ';
	c->width = 1;
	c->style = (uint8_t)style;
}

void grid_clear(struct grid *g)
{
	int i;

	for (i = 0; i < g->rows * g->cols; i++)
		cell_blank(&g->cells[i], STYLE_NORMAL);
}

/* Before (y, x) is overwritten: half of a wide character that would be left alone becomes a blank.
 */
static void split_wide(struct grid *g, int y, int x)
{
	if (x < g->cols && grid_at(g, y, x)->width == 0 && x > 0) {
		cell_blank(grid_at(g, y, x - 1), (enum style)grid_at(g, y, x - 1)->style);
		cell_blank(grid_at(g, y, x), (enum style)grid_at(g, y, x)->style);
	}
}

static void add_mark(struct cell *c, wchar_t mark)
{
	int i;

	for (i = 1; i <= GRID_MARKS; i++) {
		if (c->ch[i] == 0) {
			c->ch[i] = mark;
			return;
		}
	}
}

static int put_text(struct grid *g, int y, int x, enum style style, const struct text *t)
{
	struct cell *last = NULL;
	int i;

	for (i = 0; i < t->n; i++) {
		if (t->width[i] == 0) {
			if (last)
				add_mark(last, t->ch[i]);
			continue;
		}
		split_wide(g, y, x);
		split_wide(g, y, x + t->width[i]);
		last = grid_at(g, y, x);
		cell_blank(last, style);
		last->ch[0] = t->ch[i];
		last->width = t->width[i];
		if (t->width[i] == 2) {
			cell_blank(last + 1, style);
			last[1].ch[0] = 0;
			last[1].width = 0;
		}
		x += t->width[i];
	}
	return x;
}

/* Columns from x that may be written, at most width; 0 when (y, x) is off the grid. */
static int room(const struct grid *g, int y, int x, int width)
{
	if (y < 0 || y >= g->rows || x < 0 || x >= g->cols || width <= 0)
		return 0;
	return width < g->cols - x ? width : g->cols - x;
}

int grid_put(struct grid *g, int y, int x, int width, enum style style, const char *s)
{
	struct text t;

	width = room(g, y, x, width);
	if (!width)
		return x;
	text_set(&t, s, g->utf8);
	text_cut_end(&t, (unsigned int)width, g->glyphs->ellipsis);
	return put_text(g, y, x, style, &t);
}

int grid_printf(struct grid *g, int y, int x, int width, enum style style, const char *fmt, ...)
{
	char s[TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(s, sizeof(s), fmt, ap);
	va_end(ap);
	return grid_put(g, y, x, width, style, s);
}

void grid_put_right(struct grid *g, int y, int x, int width, enum style style, const char *s)
{
	struct text t;

	width = room(g, y, x, width);
	if (!width)
		return;
	text_set(&t, s, g->utf8);
	text_cut_end(&t, (unsigned int)width, g->glyphs->ellipsis);
	(void)put_text(g, y, x + width - t.columns, style, &t);
}

int grid_put_middle(struct grid *g, int y, int x, int width, enum style style, const char *s)
{
	struct text t;

	width = room(g, y, x, width);
	if (!width)
		return x;
	text_set(&t, s, g->utf8);
	text_cut_middle(&t, (unsigned int)width, g->glyphs->ellipsis);
	return put_text(g, y, x, style, &t);
}

void grid_style(struct grid *g, int y, int x, int width, enum style style)
{
	int i;

	width = room(g, y, x, width);
	for (i = 0; i < width; i++)
		grid_at(g, y, x + i)->style = (uint8_t)style;
}

void grid_fill(struct grid *g, int y, int x, int width, enum style style)
{
	int i;

	width = room(g, y, x, width);
	if (!width)
		return;
	split_wide(g, y, x);
	split_wide(g, y, x + width);
	for (i = 0; i < width; i++)
		cell_blank(grid_at(g, y, x + i), style);
}
