/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The columns of the table: one description each, and which of them a width has room for. How a
 * cell reads is here; where the table stands on the screen is render.c's affair.
 */
#ifndef NETPROBE_TUI_COLUMNS_H
#define NETPROBE_TUI_COLUMNS_H

#include "tui/grid.h"
#include "tui/model.h"

#define COLUMNS_MAX 64

struct column;

struct columns {
	const struct column *col[COLUMNS_MAX]; /* from left to right */
	int x[COLUMNS_MAX], width[COLUMNS_MAX];
	int n;
};

/* Lay out for kind in width columns: the dispensable ones go first, the name never. hidden: bits by place in column_table. */
void columns_fit(struct columns *c, uint8_t kind, bool health, uint64_t hidden, int width);
void columns_titles(const struct columns *c, struct grid *g, int y, const struct tui_model *m);
void columns_row(const struct columns *c, struct grid *g, int y, const struct tui_model *m,
		 const struct tui_row *row);

/* One cell's text, whole; false: it has none (the bars). Its name where column is the first. */
bool columns_cell(const struct tui_model *m, const struct tui_row *row, const struct column *column,
		  char *s, size_t size);
/* All cells of a row, hidden columns too, with tabs between them. */
void columns_text(const struct tui_model *m, const struct tui_row *row, char *s, size_t size);
/* The column whose title is at x; NULL. */
const struct column *columns_at(const struct columns *c, int x);

#endif
