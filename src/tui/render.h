/* SPDX-License-Identifier: BSD-2-Clause */
/* A model drawn into cells: the whole frame. What the terminal makes of it is screen.c's affair. */
#ifndef NETPROBE_TUI_RENDER_H
#define NETPROBE_TUI_RENDER_H

#include "tui/grid.h"
#include "tui/model.h"

#define TUI_MIN_ROWS 8
#define TUI_MIN_COLS 40

/* Draws into the size g has; sets the model's page and first row to what fits. */
void tui_render(struct grid *g, struct tui_model *m);

/* header.c: the two lines at the top; graph.c: what is below them. */
void header_draw(struct grid *g, const struct tui_model *m);
void graph_area_draw(struct grid *g, const struct tui_model *m, int y, int rows);
/* footer.c: tabs or breadcrumb; the note; the bottom line. */
void tabs_draw(struct grid *g, const struct tui_model *m, int y);
/* NETPROBE_VIEW_* of the tab at column x, as drawn in so many columns; -1: none. */
int tabs_at(const struct tui_model *m, int cols, int x);
void footer_draw(struct grid *g, const struct tui_model *m, int y);
/* The hints while the page of a connection is open. */
void page_footer_draw(struct grid *g, const struct tui_model *m, int y);
/* page.c: one connection, from line y up to end. */
void page_draw(struct grid *g, const struct tui_model *m, int y, int end);
/* help.c: a frame, blank inside; the help. */
void frame_draw(struct grid *g, int y, int x, int rows, int cols);
void help_draw(struct grid *g, struct tui_model *m);

#endif
