/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The help overlay: every line of the keys table in a frame over the view, in two columns where the
 * terminal is wide, scrolled where it is low.
 */
#include <stdio.h>

#include "tui/keys.h"
#include "tui/render.h"

#define KEYS_WIDTH 13
#define ENTRY_WIDTH (KEYS_WIDTH + 1 + 23) /* two of them in 80 columns */

static void frame_draw(struct grid *g, int y, int x, int rows, int cols)
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

static int count_entries(void)
{
	int n = 0;

	while (keys_help((unsigned int)n))
		n++;
	return n;
}

static void entry_draw(struct grid *g, int y, int x, int width, const struct key_help *h)
{
	if (!h)
		return;
	(void)grid_put(g, y, x, KEYS_WIDTH, STYLE_KEY, h->keys);
	(void)grid_put(g, y, x + KEYS_WIDTH + 1, width - KEYS_WIDTH - 1, STYLE_NORMAL, h->what);
}

void help_draw(struct grid *g, struct tui_model *m)
{
	int across = g->cols >= 2 * (ENTRY_WIDTH + 2) + 2 ? 2 : 1, n = count_entries();
	int lines = (n + across - 1) / across, cols = across * (ENTRY_WIDTH + 2) + 2;
	int rows = lines + 2 < g->rows ? lines + 2 : g->rows, view = rows - 2, i, a;
	int y = (g->rows - rows) / 2, x;

	cols = cols < g->cols ? cols : g->cols;
	x = (g->cols - cols) / 2;
	if (m->help_top > lines - view)
		m->help_top = lines - view;
	if (m->help_top < 0)
		m->help_top = 0;
	frame_draw(g, y, x, rows, cols);
	(void)grid_put(g, y, x + 2, cols - 4, STYLE_BOLD, " keys ");
	(void)grid_put(g, y + rows - 1, x + 2, cols - 4, STYLE_DIM,
		       view < lines ? " up, down: more; others close " : " any key closes ");
	for (i = 0; i < view; i++) {
		for (a = 0; a < across; a++)
			entry_draw(g, y + 1 + i, x + 2 + a * (ENTRY_WIDTH + 2),
				   cols - 4 < ENTRY_WIDTH ? cols - 4 : ENTRY_WIDTH,
				   keys_help((unsigned int)(m->help_top + i + a * lines)));
	}
}
