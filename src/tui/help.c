/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The help overlay, two pages in a frame over the view, scrolled where the terminal is low: each column of
 * this view in a sentence, with the cell under the cursor in words; and every line of the table of keys.
 */
#include <stdio.h>
#include <string.h>

#include "tui/cells.h"
#include "tui/column.h"
#include "tui/keys.h"
#include "tui/kinds.h"
#include "tui/render.h"
#include "tui/words.h"

#define TITLE_WIDTH 11
#define VALUE_WIDTH 14
#define TEXT_LEAST 20 /* else the cell's value is left out */
#define COLUMNS_WIDTH 112

#define KEYS_WIDTH 13
#define ENTRY_WIDTH (KEYS_WIDTH + 1 + 23) /* two of them in 80 columns */

void frame_draw(struct grid *g, int y, int x, int rows, int cols)
{
	const struct glyphs *gl = g->glyphs;
	int i;

	for (i = 0; i < rows; i++) {
		grid_fill(g, y + i, x, cols, STYLE_NORMAL);
		(void)grid_put(g, y + i, x, 1, STYLE_DIM, gl->wall);
		(void)grid_put(g, y + i, x + cols - 1, 1, STYLE_DIM, gl->wall);
	}
	for (i = 0; i < cols; i++) {
		(void)grid_put(g, y, x + i, 1, STYLE_DIM, gl->rule);
		(void)grid_put(g, y + rows - 1, x + i, 1, STYLE_DIM, gl->rule);
	}
	(void)grid_put(g, y, x, 1, STYLE_DIM, gl->corner[0]);
	(void)grid_put(g, y, x + cols - 1, 1, STYLE_DIM, gl->corner[1]);
	(void)grid_put(g, y + rows - 1, x, 1, STYLE_DIM, gl->corner[2]);
	(void)grid_put(g, y + rows - 1, x + cols - 1, 1, STYLE_DIM, gl->corner[3]);
}

/* Lines of a page: those before skip and after rows are counted, not drawn. */
struct page {
	struct grid *g;
	int y, x, cols, rows; /* inside the frame */
	int skip, n;
};

static int page_line(struct page *p)
{
	int at = p->n++ - p->skip;

	return at >= 0 && at < p->rows ? p->y + at : -1;
}

/* text, broken at blanks, beside label and value, which stand in its first line. */
static void page_entry(struct page *p, const char *label, const char *value, enum style style,
		       const char *text)
{
	int label_width = p->cols - TITLE_WIDTH - VALUE_WIDTH - 2 < TEXT_LEAST
				  ? TITLE_WIDTH + 1
				  : TITLE_WIDTH + VALUE_WIDTH + 2;
	int width = p->cols - label_width;
	bool first = true;

	do {
		size_t len = strlen(text), take = len;
		int y = page_line(p);

		if (len > (size_t)width) {
			for (take = (size_t)width; take > 0 && text[take] != ' '; take--)
				;
			take = take ? take : (size_t)width;
		}
		if (y >= 0) {
			if (first) {
				(void)grid_put(p->g, y, p->x, TITLE_WIDTH, STYLE_KEY, label);
				if (label_width > TITLE_WIDTH + 1)
					(void)grid_put_middle(p->g, y, p->x + TITLE_WIDTH + 1,
							      VALUE_WIDTH, style, value);
			}
			(void)grid_printf(p->g, y, p->x + label_width, width, STYLE_NORMAL, "%.*s",
					  (int)take, text);
		}
		first = false;
		text += take;
		text += strspn(text, " ");
	} while (*text);
}

static void page_heading(struct page *p, const char *text)
{
	int y = page_line(p);

	if (y >= 0)
		(void)grid_put(p->g, y, p->x, p->cols, STYLE_BOLD, text);
}

static void column_entry(struct page *p, struct tui_model *m, const struct column *c,
			 const struct tui_row *row)
{
	char value[128] = "", text[512];
	enum style style = STYLE_NORMAL;
	const char *words = NULL;
	uint8_t kind = model_level(m)->kind;

	if (row && c->cell)
		style = c->cell(m, row, value, sizeof(value));
	else if (row && !c->help)
		(void)snprintf(value, sizeof(value), "%.100s", row->name);
	if (row && c->cell == cell_state)
		words = words_state(row->state);
	else if (row && c->cell == cell_verdict)
		words = words_verdict(row->verdict);
	(void)snprintf(text, sizeof(text), "%s%s%s%s", c->help ? c->help : view_kinds[kind].help,
		       words ? " Here: " : "", words ? words : "", words ? "." : "");
	page_entry(p,
		   c->help ? m->bits && c->title_bits ? c->title_bits : c->title
			   : view_kinds[kind].title,
		   value, style, text);
}

/* What the marks on the screen say, and the short words of cells. */
static void words_entries(struct page *p, const struct grid *g)
{
	const char *label, *text;

	page_heading(p, "");
	page_heading(p, "Marks and words");
	page_entry(p, g->glyphs->exited, "", STYLE_NORMAL,
		   "Before a name: the process has exited, or the connection is closed.");
	page_entry(p, "-", "", STYLE_NORMAL, "Not known, or there is none.");
	page_entry(p, "lost 0", "", STYLE_NORMAL,
		   "At the top right: what netprobe itself missed. 0 is nothing.");
	page_entry(p, "k M G", "", STYLE_NORMAL,
		   "Rates in thousands; sums of bytes in Ki Mi Gi, of 1024.");
	for (unsigned int i = 0; words_line(i, &label, &text); i++)
		page_entry(p, label, "", STYLE_NORMAL, text);
}

static void columns_page(struct page *p, struct tui_model *m)
{
	const struct tui_row *row = model_row(m);
	const struct column *c;

	for (int i = 0; (c = column_of(model_level(m)->kind, m->health, i)); i++)
		column_entry(p, m, c, row);
	words_entries(p, p->g);
}

static int count_entries(void)
{
	int n = 0;

	while (keys_help((unsigned int)n))
		n++;
	return n;
}

static void key_entry(struct grid *g, int y, int x, int width, const struct key_help *h)
{
	if (!h)
		return;
	(void)grid_put(g, y, x, KEYS_WIDTH, STYLE_KEY, h->keys);
	(void)grid_put(g, y, x + KEYS_WIDTH + 1, width - KEYS_WIDTH - 1, STYLE_NORMAL, h->what);
}

/* In two columns where there is room. */
static void keys_page(struct page *p)
{
	int across = p->cols >= 2 * ENTRY_WIDTH + 2 ? 2 : 1, n = count_entries();
	int lines = (n + across - 1) / across;

	for (int i = 0; i < lines; i++) {
		int y = page_line(p);

		for (int a = 0; y >= 0 && a < across; a++)
			key_entry(p->g, y, p->x + a * (ENTRY_WIDTH + 2),
				  p->cols < ENTRY_WIDTH ? p->cols : ENTRY_WIDTH,
				  keys_help((unsigned int)(i + a * lines)));
	}
}

static void page_lines(struct page *p, struct tui_model *m)
{
	if (m->help == HELP_KEYS)
		keys_page(p);
	else
		columns_page(p, m);
}

void help_draw(struct grid *g, struct tui_model *m)
{
	int widest = m->help == HELP_KEYS ? 2 * ENTRY_WIDTH + 6 : COLUMNS_WIDTH;
	int cols = g->cols < widest ? g->cols : widest, rows, x = (g->cols - cols) / 2, y;
	struct page p = { .g = g, .x = x + 2, .cols = cols - 4 };

	page_lines(&p, m);
	rows = p.n + 2 < g->rows ? p.n + 2 : g->rows;
	y = (g->rows - rows) / 2;
	if (m->help_top > p.n - (rows - 2))
		m->help_top = p.n - (rows - 2);
	if (m->help_top < 0)
		m->help_top = 0;
	frame_draw(g, y, x, rows, cols);
	(void)grid_put(g, y, x + 2, cols - 4, STYLE_BOLD,
		       m->help == HELP_KEYS ? " keys " : " columns ");
	(void)grid_put(g, y + rows - 1, x + 2, cols - 4, STYLE_DIM,
		       m->help == HELP_KEYS
			       ? rows - 2 < p.n ? " ? columns   up, down: more   others close "
						: " ? columns   other keys close "
		       : rows - 2 < p.n ? " ? keys   up, down: more   others close "
					: " ? keys   other keys close ");
	p = (struct page){ .g = g,
			   .y = y + 1,
			   .x = x + 2,
			   .cols = cols - 4,
			   .rows = rows - 2,
			   .skip = m->help_top };
	page_lines(&p, m);
}
