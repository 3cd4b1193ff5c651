/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The line above the table (views, or the way down into a drill) and the line at the bottom: the
 * filter being typed, else the answer to a key, else the most useful keys; and the place in the
 * list.
 */
#include <stdio.h>
#include <string.h>

#include "tui/kinds.h"
#include "tui/render.h"
#include "tui/text.h"

static bool filter_shown(const struct tui_model *m)
{
	return m->level[m->depth].filter[0];
}

/* The filter that is on, at the right; returns where it begins. */
static int draw_filter(struct grid *g, const struct tui_model *m, int y)
{
	const struct tui_level *l = &m->level[m->depth];
	char s[TUI_FILTER_MAX + 96], undecided[64] = "";
	int width = g->cols / 3;

	if (!filter_shown(m))
		return g->cols;
	if (m->filter.undecided)
		(void)snprintf(undecided, sizeof(undecided), " (gave up on %llu)",
			       (unsigned long long)m->filter.undecided);
	(void)snprintf(s, sizeof(s), "filter: %s%s", l->filter, undecided);
	grid_put_right(g, y, g->cols - width, width, STYLE_WARN, s);
	return g->cols - width;
}

static int tab_width(int i, bool brief)
{
	const struct view_kind *k = &view_kinds[kind_at(i)];

	return (int)strlen(brief ? k->brief : k->name) + 2 + (k->key ? 2 : 0);
}

static int tabs_width(int first, int last, bool brief)
{
	int n = 0;

	for (int i = first; i <= last; i++)
		n += tab_width(i, brief);
	return n;
}

/* Full names where all have room, else short ones; those of the first that have none are left out. */
static void draw_tabs(struct grid *g, const struct tui_model *m, int y, int end)
{
	bool brief = tabs_width(0, NETPROBE_VIEW_MAX - 1, false) > end;
	int at = kind_place(m->level[m->depth].kind), x = 0, i = 0;

	while (i < at && tabs_width(i, at, brief) > end)
		i++;
	for (; i < NETPROBE_VIEW_MAX && x + tab_width(i, brief) <= end; i++) {
		const struct view_kind *k = &view_kinds[kind_at(i)];
		enum style style = i == at ? STYLE_TAB : STYLE_NORMAL;
		int start = x;

		if (k->key)
			x = grid_printf(g, y, x, end - x, STYLE_KEY, " %c", k->key);
		x = grid_printf(g, y, x, end - x, style, " %s ", brief ? k->brief : k->name);
		if (style == STYLE_TAB)
			grid_style(g, y, start, x - start, style);
	}
}

int tabs_at(const struct tui_model *m, int cols, int x)
{
	const struct tui_level *l = &m->level[m->depth];
	int end = cols, at = kind_place(l->kind), i = 0;
	bool brief;

	if (filter_shown(m))
		end -= cols / 3;
	brief = tabs_width(0, NETPROBE_VIEW_MAX - 1, false) > end;
	while (i < at && tabs_width(i, at, brief) > end)
		i++;
	for (; i < NETPROBE_VIEW_MAX; i++) {
		x -= tab_width(i, brief);
		if (x < 0)
			return kind_at(i);
	}
	return -1;
}

static void draw_crumbs(struct grid *g, const struct tui_model *m, int y, int end)
{
	const char *view = view_kinds[m->level[m->depth].kind].name;
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

static const char back[] = "back";

struct hint {
	const char *key, *what;
	bool must; /* has its place before how many rows there are */
};

static const struct hint hints[] = {
	{ "?", "help", true },	  { "q", "quit", true },	{ "Enter", "open", true },
	{ "Esc", back, true },	  { "/", "filter", true },	{ "H", "health", true },
	{ "< >", "sort", false }, { "Space", "pause", false },	{ "b", "by", false },
	{ "t", "tree", false },	  { "o", "columns", false },	{ "d", "ended", false },
	{ "a", "idle", false },	  { "u", "bits/bytes", false }, { "z", "sums from now", false },
};

#define N_HINTS (sizeof(hints) / sizeof(hints[0]))

static bool hint_applies(const struct hint *h, const struct tui_model *m)
{
	return h->what != back || m->depth;
}

/* Columns that the keys which matter take; brief: without words. */
static int hints_need(const struct tui_model *m, bool brief)
{
	int need = 0;

	for (size_t i = 0; i < N_HINTS; i++)
		if (hints[i].must && hint_applies(&hints[i], m))
			need += (int)(strlen(hints[i].key) +
				      (brief ? 1 : strlen(hints[i].what) + 3));
	return need;
}

static void add(char *s, size_t size, const char *gap, size_t n, const char *what)
{
	size_t len = strlen(s);

	if (n)
		(void)snprintf(s + len, size - len, "%s%zu %s", gap, n, what);
}

/* What is in the list, and what is not: the longest that has room. */
static void place_text(const struct tui_model *m, int room, char *s, size_t size)
{
	const struct tui_level *l = &m->level[m->depth];
	bool flows = l->kind == NETPROBE_VIEW_CONNECTION || l->kind == NETPROBE_VIEW_LISTEN;
	size_t last = l->top + m->page < m->n_shown ? l->top + m->page : m->n_shown;
	char at[64], hidden[64] = "", whole[160];

	if (m->n_shown == 0)
		(void)snprintf(at, sizeof(at), "0 rows");
	else if (m->n_total > m->n_rows)
		/* Only the first were kept; say so, or the end of the list would look like the end. */
		(void)snprintf(at, sizeof(at), "%zu-%zu of first %zu/%zu", l->top + 1, last,
			       m->n_shown, m->n_total);
	else
		(void)snprintf(at, sizeof(at), "%zu-%zu of %zu", l->top + 1, last, m->n_shown);
	add(hidden, sizeof(hidden), ", ", m->n_idle, "idle hidden");
	if (m->live)
		add(hidden, sizeof(hidden), ", ", m->n_ended,
		    flows ? "closed hidden" : "exited hidden");
	(void)snprintf(whole, sizeof(whole), "%s", at);
	if (!m->live && m->n_ended) {
		add(whole, sizeof(whole), ": ", m->n_live, flows ? "open" : "running");
		add(whole, sizeof(whole), m->n_live ? ", " : ": ", m->n_ended,
		    flows ? "closed" : "exited");
	}
	(void)snprintf(s, size, "%s%s", whole, hidden);
	if ((int)strlen(s) > room)
		(void)snprintf(s, size, "%s%s", at, hidden);
	if ((int)strlen(s) > room)
		(void)snprintf(s, size, "%s", at);
	if ((int)strlen(s) > room && m->n_shown)
		(void)snprintf(s, size, "%zu/%zu", l->top + 1, m->n_shown);
}

/* Returns where it begins. */
static int draw_place(struct grid *g, const struct tui_model *m, int y)
{
	bool brief = hints_need(m, false) + 8 > g->cols;
	char s[256];

	place_text(m, g->cols - hints_need(m, brief), s, sizeof(s));
	grid_put_right(g, y, 0, g->cols, STYLE_DIM, s);
	return g->cols - (int)strlen(s) - 1;
}

static int draw_hint(struct grid *g, int y, int x, int end, const struct hint *h, bool brief)
{
	int need = (int)(strlen(h->key) + (brief ? 0 : strlen(h->what) + 1));

	if (x + need > end)
		return -1;
	x = grid_put(g, y, x, end - x, STYLE_KEY, h->key) + 1;
	return brief ? x : grid_put(g, y, x, end - x, STYLE_DIM, h->what) + 2;
}

static void draw_hints(struct grid *g, const struct tui_model *m, int y, int end)
{
	bool brief = hints_need(m, false) - 2 > end;
	int x = 0;

	for (size_t i = 0; i < N_HINTS && x >= 0; i++)
		if (hint_applies(&hints[i], m))
			x = draw_hint(g, y, x, end, &hints[i], brief);
}

void page_footer_draw(struct grid *g, const struct tui_model *m, int y)
{
	static const struct hint hint[] = {
		{ "?", "help", true },	     { "q", "quit", true },
		{ "Esc", back, true },	     { "Up Down", "next", false },
		{ "Space", "pause", false }, { "u", "bits/bytes", false },
	};
	size_t i;
	int x = 0;

	if (m->flash[0])
		(void)grid_put(g, y, 0, g->cols, STYLE_WARN, m->flash);
	for (i = 0; !m->flash[0] && x >= 0 && i < sizeof(hint) / sizeof(hint[0]); i++)
		x = draw_hint(g, y, x, g->cols, &hint[i], false);
}

/* What Tab puts in: those that have room, from the one that stands in the text on. */
static void draw_offers(struct grid *g, const struct completion *c, int y, int x, int end)
{
	unsigned int first = c->at > 0 ? (unsigned int)c->at : 0;

	x = grid_put(g, y, x, end - x, STYLE_KEY, "Tab") + 1;
	for (unsigned int i = first; i < c->n && x < end - 4; i++)
		x = grid_put(g, y, x, end - x, (int)i == c->at ? STYLE_BOLD : STYLE_DIM,
			     c->words[i]) +
		    2;
}

void footer_draw(struct grid *g, const struct tui_model *m, int y)
{
	int end = m->ask[0] ? g->cols : draw_place(g, m, y), x;

	if (m->ask[0] && m->menu != MENU_SIGNAL) {
		x = grid_put(g, y, 0, g->cols - 24, STYLE_LOSS, m->ask);
		(void)grid_put(g, y, x + 2, g->cols - x - 2, STYLE_BOLD, "y: yes   others: no  ");
	} else if (m->editing) {
		x = grid_printf(g, y, 0, end - 2, STYLE_BOLD, "/%s", m->level[m->depth].filter);
		grid_fill(g, y, x, 1, STYLE_SELECTED);
		if (m->complete.n) {
			draw_offers(g, &m->complete, y, x + 2, end);
			return;
		}
		(void)grid_put(g, y, x + 2, end - x - 2,
			       m->filter.wrong[0] ? STYLE_WARN : STYLE_DIM,
			       m->filter.wrong[0] ? m->filter.wrong : "Enter keeps, Esc clears");
	} else if (m->flash[0]) {
		(void)grid_put(g, y, 0, end, STYLE_WARN, m->flash);
	} else if (m->filter.wrong[0]) {
		(void)grid_put(g, y, 0, end, STYLE_WARN, m->filter.wrong);
	} else if (m->note[0] && g->rows < 20) {
		(void)grid_put(g, y, 0, end, STYLE_WARN, m->note);
	} else {
		draw_hints(g, m, y, end);
	}
}
