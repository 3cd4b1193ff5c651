/* SPDX-License-Identifier: BSD-2-Clause */
/* What a column is: one description each. Which of them a width has room for is columns.c's. */
#ifndef NETPROBE_TUI_COLUMN_H
#define NETPROBE_TUI_COLUMN_H

#include "tui/grid.h"
#include "tui/model.h"

#define IN(kind) (1u << (kind))
#define IN_ALL (IN(NETPROBE_VIEW_MAX) - 1)
#define IN_FLOWS (IN(NETPROBE_VIEW_CONNECTION) | IN(NETPROBE_VIEW_LISTEN))
#define NO_SORT 0xff
#define NEVER 0xff

struct column {
	const char *title;
	const char *title_bits; /* with rates in bits; NULL: the same */
	uint8_t width;
	uint8_t sort;	 /* NETPROBE_SORT_* it shows, or NO_SORT */
	uint32_t kinds;	 /* IN(NETPROBE_VIEW_*) */
	uint8_t step[2]; /* of columns_fit() at which it is added: among traffic, health */
	bool left;
	/* Text of a cell and its style; NULL for name and sparkline, which draw themselves. */
	enum style (*cell)(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
	const char *help; /* what it is, in a sentence */
	uint8_t type;	  /* FIELD_* of the row, to sort by where sort is NO_SORT */
	uint16_t at;	  /* where in the row */
};

#define FIELD_NONE 0
#define FIELD_U32 1
#define FIELD_U64 2
#define FIELD_FLOAT 3
#define FIELD_TEXT 4 /* an array of characters */
#define FIELD_WORD 5 /* a pointer to them, or NULL */

/* model.sort: NETPROBE_SORT_*, or this and the column's place in the table. */
#define SORT_COLUMN 64
uint8_t column_sort(const struct column *c); /* NO_SORT: it cannot */
/* What is sorted by: by the library, or, negative, 0, positive, by a column of ours. */
int column_compare(uint8_t sort, const struct tui_row *a, const struct tui_row *b);

/* All, from left to right. The first is the name, the last the sparkline. */
extern const struct column column_table[];
extern const int n_columns;

/* Columns of that view, among traffic or health; i counts from 0. NULL after the last. */
const struct column *column_of(uint8_t kind, bool health, int i);

#endif
