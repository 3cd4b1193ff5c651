/* SPDX-License-Identifier: BSD-2-Clause */
/* What a column is: one description each. Which of them a width has room for is columns.c's. */
#ifndef NETPROBE_TUI_COLUMN_H
#define NETPROBE_TUI_COLUMN_H

#include "tui/grid.h"
#include "tui/model.h"

#define IN(kind) (1u << (kind))
#define IN_ALL (IN(NETPROBE_VIEW_MAX) - 1)
#define NO_SORT 0xff
#define NEVER 0xff

struct column {
	const char *title;
	const char *title_bits; /* with rates in bits; NULL: the same */
	uint8_t width;
	uint8_t sort;	 /* SORT_* it shows, or NO_SORT */
	uint32_t kinds;	 /* IN(VIEW_*) */
	uint8_t step[2]; /* of columns_fit() at which it is added: among traffic, health */
	bool left;
	/* Text of a cell and its style; NULL for name and sparkline, which draw themselves. */
	enum style (*cell)(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
	const char *help; /* what it is, in a sentence */
};

/* All, from left to right. The first is the name, the last the sparkline. */
extern const struct column column_table[];
extern const int n_columns;

/* What the first column is called: "PROCESS". */
const char *column_name_title(uint8_t kind);
/* What a row of the view is, in a sentence. */
const char *column_name_help(uint8_t kind);
/* Columns of that view, in these columns or those of health; i counts from 0. NULL after the last. */
const struct column *column_of(uint8_t kind, bool health, int i);

#endif
