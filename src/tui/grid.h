/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A frame as cells, before any terminal: what tests compare and what screen.c copies to curses.
 * Everything is written through text.h, so no control character can get into a cell.
 */
#ifndef NETPROBE_TUI_GRID_H
#define NETPROBE_TUI_GRID_H

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#define SHADES 8
#define GRID_MARKS 3 /* combining marks kept per cell */
#define GRID_MAX_ROWS 512
#define GRID_MAX_COLS 1024

/* Meanings, not colours: screen.c maps them to what the terminal can do. */
enum style {
	STYLE_NORMAL,
	STYLE_BOLD,
	STYLE_DIM,	/* zeros, hints */
	STYLE_HEADING,	/* column titles */
	STYLE_SORT,	/* title of the column sorted by */
	STYLE_SELECTED, /* the row under the cursor */
	STYLE_EXITED,	/* rows of owners that are gone */
	STYLE_TX,
	STYLE_RX,
	STYLE_SPARK,
	STYLE_WARN, /* retransmits, paused */
	STYLE_LOSS, /* numbers that are missing from what is shown */
	STYLE_TAB,  /* the current view */
	STYLE_KEY,  /* a key's name in hints and help */
	STYLE_UP,   /* graphs: sent to other hosts, received from them, inside */
	STYLE_DOWN,
	STYLE_INSIDE,
	STYLE_MAX
};

struct cell {
	wchar_t ch[1 + GRID_MARKS]; /* character and its marks, 0 after the last */
	uint8_t width;		    /* 1, 2, or 0: right half of the wide one before it */
	uint8_t style;
	uint8_t shade; /* of a graph: 0 to SHADES - 1, the highest at its top */
};

/* Ornaments: what stands for a bar or an arrow in this locale and on this terminal. */
struct glyphs {
	const char *level[9]; /* sparkline, empty to full */
	const char *arrow;    /* local to remote */
	const char *exited;   /* in front of a name, gutter columns with what follows it */
	int gutter;
	const char *down, *up; /* sort direction */
	const char *crumb;
	const char *branch; /* of a tree, two columns */
	const char *times;  /* before how many rows one stands for */
	bool braille;
	const char *share[6]; /* what a bar of NETPROBE_VERDICT_* is made of */
	const char *rule;     /* frame: horizontal, vertical, corners */
	const char *wall;
	const char *corner[4];
	wchar_t ellipsis;
};

extern const struct glyphs glyphs_utf8, glyphs_ascii;

struct grid {
	int rows, cols;
	bool utf8; /* names may hold more than ASCII */
	const struct glyphs *glyphs;
	struct cell *cells;
	int cap;
};

void grid_done(struct grid *g);
/* Sets the size, clamped to GRID_MAX_*, and blanks every cell. -ENOMEM, the grid then is 0 x 0. */
int grid_resize(struct grid *g, int rows, int cols);
void grid_clear(struct grid *g);
static inline struct cell *grid_at(const struct grid *g, int y, int x)
{
	return &g->cells[y * g->cols + x];
}

/* Text at (y, x), cut to width columns and the grid's edge. Returns the column after it. */
int grid_put(struct grid *g, int y, int x, int width, enum style style, const char *s);
int grid_printf(struct grid *g, int y, int x, int width, enum style style, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));
/* Right aligned in width columns; a text too long is cut at its end. */
void grid_put_right(struct grid *g, int y, int x, int width, enum style style, const char *s);
/* Like grid_put, but cut from the middle. */
int grid_put_middle(struct grid *g, int y, int x, int width, enum style style, const char *s);
/* Give width cells from (y, x) a style, whatever they hold. */
void grid_style(struct grid *g, int y, int x, int width, enum style style);
void grid_fill(struct grid *g, int y, int x, int width, enum style style);

#endif
