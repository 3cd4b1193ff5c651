/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line above the table (views, or the way down into a drill) and the line at the bottom: the
 * filter being typed, else the answer to a key, else the most useful keys; and the place in the
 * list.
 */
#include <stdio.h>
#include <string.h>

#include "tui/render.h"

static const char *const view_name[NETPROBE_VIEW_MAX] = { "Processes", "Connections", "Containers",
							  "Remotes", "Interfaces" };
static const char *const view_short[NETPROBE_VIEW_MAX] = { "Proc", "Conn", "Cont", "Host", "If" };

/* Which interpretation of the rows is on: filter, idle rows. At the right; returns where it begins.
 */
static int draw_filter(struct grid *g, const struct tui_model *m, int y)
{
	const struct tui_level *l = &m->level[m->depth];
	char s[TUI_FILTER_MAX + 32];
	int width = g->cols / 3;

	(void)snprintf(s, sizeof(s), "%s%s%s%s", l->filter[0] ? "filter: " : "", l->filter,
		       l->filter[0] && m->idle ? "  " : "", m->idle ? "all" : "");
	if (s[0] == '\0')
		return g->cols;
	grid_put_right(g, y, g->cols - width, width, STYLE_WARN, s);
	return g->cols - width;
}

static void draw_tabs(struct grid *g, const struct tui_model *m, int y, int end)
{
	/* Full names where all five fit. */
	bool wide = end >= 67;
	int x = 0, i;

	for (i = 0; i < NETPROBE_VIEW_MAX; i++) {
		enum style style = i == m->level[m->depth].kind ? STYLE_TAB : STYLE_NORMAL;
		int start = x;

		x = grid_printf(g, y, x, end - x, STYLE_KEY, " %d", i + 1);
		x = grid_printf(g, y, x, end - x, style, " %s ",
				wide ? view_name[i] : view_short[i]);
		if (style == STYLE_TAB)
			grid_style(g, y, start, x - start, style);
	}
}

static void draw_crumbs(struct grid *g, const struct tui_model *m, int y, int end)
{
	const char *view = view_name[m->level[m->depth].kind];
	int room = end - (int)strlen(view) - 3, share = room / (int)m->depth - 3, x = 1;
	unsigned int i;

	/* Each step of the way has an equal share: a long path does not push the others out. */
	for (i = 1; i <= m->depth; i++) {
		x = grid_put_middle(g, y, x, share, STYLE_BOLD, m->level[i].title) + 1;
		x = grid_put(g, y, x, 1, STYLE_DIM, g->glyphs->crumb) + 1;
	}
	(void)grid_printf(g, y, x - 1, g->cols - x, STYLE_TAB, " %s ", view);
}

void tabs_draw(struct grid *g, const struct tui_model *m, int y)
{
	int end = draw_filter(g, m, y);

	if (m->depth)
		draw_crumbs(g, m, y, end);
	else
		draw_tabs(g, m, y, end);
}

/* "1-17 of 342"; returns where it begins. */
static int draw_place(struct grid *g, const struct tui_model *m, int y)
{
	const struct tui_level *l = &m->level[m->depth];
	size_t last = l->top + m->page < m->n_shown ? l->top + m->page : m->n_shown;
	int width = g->cols < 60 ? 12 : 26;
	char s[96];

	if (m->n_shown == 0)
		(void)snprintf(s, sizeof(s), "0 rows");
	else if (m->n_total > m->n_rows)
		/* Only the first were kept; say so, or the end of the list would look like the end.
		 */
		(void)snprintf(s, sizeof(s), "%zu-%zu of first %zu/%zu", l->top + 1, last,
			       m->n_shown, m->n_total);
	else
		(void)snprintf(s, sizeof(s), "%zu-%zu of %zu", l->top + 1, last, m->n_shown);
	if ((int)strlen(s) > width)
		width = (int)strlen(s);
	grid_put_right(g, y, g->cols - width, width, STYLE_DIM, s);
	return g->cols - (int)strlen(s) - 2;
}

static const char back[] = "back";

struct hint {
	const char *key, *what;
};

static int draw_hint(struct grid *g, int y, int x, int end, const struct hint *h)
{
	int need = (int)(strlen(h->key) + strlen(h->what)) + 1;

	if (x + need > end)
		return -1;
	x = grid_put(g, y, x, end - x, STYLE_KEY, h->key) + 1;
	return grid_put(g, y, x, end - x, STYLE_DIM, h->what) + 2;
}

static void draw_hints(struct grid *g, const struct tui_model *m, int y, int end)
{
	static const struct hint hint[] = {
		{ "?", "help" },   { "q", "quit" },	 { "Enter", "open" },	{ "Esc", back },
		{ "/", "filter" }, { "< >", "sort" },	 { "Space", "pause" },	{ "H", "health" },
		{ "Tab", "view" }, { "a", "idle rows" }, { "u", "bits/bytes" },
	};
	size_t i;
	int x = 0;

	for (i = 0; i < sizeof(hint) / sizeof(hint[0]); i++) {
		if (hint[i].what == back && !m->depth)
			continue;
		x = draw_hint(g, y, x, end, &hint[i]);
		if (x < 0)
			return;
	}
}

void page_footer_draw(struct grid *g, const struct tui_model *m, int y)
{
	static const struct hint hint[] = {
		{ "?", "help" },       { "q", "quit" },	     { "Esc", back },
		{ "Up Down", "next" }, { "Space", "pause" }, { "u", "bits/bytes" },
	};
	size_t i;
	int x = 0;

	if (m->flash[0])
		(void)grid_put(g, y, 0, g->cols, STYLE_WARN, m->flash);
	for (i = 0; !m->flash[0] && x >= 0 && i < sizeof(hint) / sizeof(hint[0]); i++)
		x = draw_hint(g, y, x, g->cols, &hint[i]);
}

void footer_draw(struct grid *g, const struct tui_model *m, int y)
{
	int end = draw_place(g, m, y), x;

	if (m->editing) {
		x = grid_printf(g, y, 0, end - 2, STYLE_BOLD, "/%s", m->level[m->depth].filter);
		grid_fill(g, y, x, 1, STYLE_SELECTED);
		(void)grid_put(g, y, x + 2, end - x - 2, STYLE_DIM, "Enter keeps, Esc clears");
	} else if (m->flash[0]) {
		(void)grid_put(g, y, 0, end, STYLE_WARN, m->flash);
	} else if (m->note[0] && g->rows < 20) {
		(void)grid_put(g, y, 0, end, STYLE_WARN, m->note);
	} else {
		draw_hints(g, m, y, end);
	}
}
