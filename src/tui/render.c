/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which parts a frame of a given size has and where they stand. From the top: header, graph, tabs,
 * table, note, footer; what is dispensable goes as the terminal shrinks, the table stays.
 */
#include "tui/render.h"

#include "tui/columns.h"
#include "tui/menu.h"

/* Rows of the screen taken by each part. */
struct parts {
	int graph, graph_rows;
	int tabs; /* -1: none */
	int titles;
	int table, table_rows;
	int note; /* -1: none */
	int footer;
};

static void divide(struct parts *p, const struct grid *g, bool note)
{
	int y = 2;

	p->graph = y;
	p->graph_rows = g->rows >= 48	? 8
			: g->rows >= 30 ? 6
			: g->rows >= 20 ? 4
			: g->rows >= 16 ? 2
					: 0;
	y += p->graph_rows;
	p->tabs = g->rows >= 12 ? y++ : -1;
	p->titles = y++;
	p->table = y;
	p->footer = g->rows - 1;
	p->note = note && g->rows >= 20 ? g->rows - 2 : -1;
	p->table_rows = (p->note < 0 ? p->footer : p->note) - p->table;
}

/* Move the window over the rows no more than the cursor demands. */
static void scroll(struct tui_model *m, int rows)
{
	struct tui_level *l = model_level(m);
	size_t page = (size_t)rows;

	m->page = page;
	if (l->cursor < l->top)
		l->top = l->cursor;
	if (l->cursor >= l->top + page)
		l->top = l->cursor - page + 1;
	if (l->top + page > m->n_shown)
		l->top = m->n_shown > page ? m->n_shown - page : 0;
}

static const char *why_empty(const struct tui_model *m)
{
	if (m->gone)
		return "the process is gone and its grace time is over: Esc goes back";
	if (m->level[m->depth].filter[0])
		return "no row matches the filter: Esc clears it";
	if (!m->idle)
		return m->status.uptime_s < m->interval_s
			       ? "waiting for the first interval"
			       : "no traffic seen yet: 'a' shows rows without any";
	return "nothing here";
}

static void table_draw(struct grid *g, struct tui_model *m, const struct parts *p)
{
	struct tui_level *l = model_level(m);
	struct columns c;
	int i;

	columns_fit(&c, l->kind, m->health, m->hidden, g->cols);
	columns_titles(&c, g, p->titles, m);
	m->table_y = p->table;
	m->cols = g->cols;
	m->table_rows = p->table_rows;
	m->tabs_y = p->tabs;
	m->titles_y = p->titles;
	scroll(m, p->table_rows);
	if (m->n_shown == 0)
		(void)grid_put(g, p->table, 1, g->cols - 1, STYLE_DIM, why_empty(m));
	for (i = 0; i < p->table_rows && l->top + (size_t)i < m->n_shown; i++) {
		size_t at = l->top + (size_t)i;

		columns_row(&c, g, p->table + i, m, &m->rows[m->shown[at]]);
		if (at == l->cursor)
			grid_style(g, p->table + i, 0, g->cols, STYLE_SELECTED);
	}
}

void tui_render(struct grid *g, struct tui_model *m)
{
	struct parts p;

	grid_clear(g);
	if (g->rows < TUI_MIN_ROWS || g->cols < TUI_MIN_COLS) {
		(void)grid_printf(g, 0, 0, g->cols, STYLE_WARN,
				  "terminal too small (%dx%d), needs %dx%d", g->cols, g->rows,
				  TUI_MIN_COLS, TUI_MIN_ROWS);
		return;
	}
	header_draw(g, m);
	if (m->detail.open) {
		page_draw(g, m, 2, g->rows - 1);
		page_footer_draw(g, m, g->rows - 1);
		if (m->help)
			help_draw(g, m);
		return;
	}
	divide(&p, g, m->note[0] != '\0');
	graph_area_draw(g, m, p.graph, p.graph_rows);
	if (p.tabs >= 0)
		tabs_draw(g, m, p.tabs);
	table_draw(g, m, &p);
	if (p.note >= 0)
		(void)grid_put(g, p.note, 0, g->cols, STYLE_WARN, m->note);
	footer_draw(g, m, p.footer);
	if (m->menu)
		menu_draw(g, m);
	if (m->help)
		help_draw(g, m);
}
