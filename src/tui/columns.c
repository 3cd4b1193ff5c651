/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns: a table of what there is, and the fitting. Widths are fixed by the formats of
 * fmt.h, so nothing on the screen jumps sideways when a number grows.
 */
#include "tui/columns.h"

#include <stdio.h>
#include <string.h>

#include "tui/cells.h"

#define IN(kind) (1u << (kind))
#define IN_ALL (IN(NETPROBE_VIEW_MAX) - 1)
#define NO_SORT 0xff
#define NEVER 0xff

struct column {
	const char *title;
	const char *title_bits; /* with rates in bits; NULL: the same */
	uint8_t width;
	uint8_t sort;	 /* SORT_* it shows, or NO_SORT */
	uint8_t kinds;	 /* IN(VIEW_*) */
	uint8_t step[2]; /* of columns_fit() at which it is added: among traffic, health */
	bool left;
	/* Text of a cell and its style; NULL for name and sparkline, which draw themselves. */
	enum style (*cell)(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
};

#define NOT_CONNECTION (IN_ALL & ~IN(NETPROBE_VIEW_CONNECTION))

/*
 * Steps: 0 always; 1 to 9 while the name keeps its least width; 10 to 19 once it has a good one;
 * the rest goes to sparkline and name. From left to right as on the screen.
 */
static const struct column columns[] = {
	{ "NAME", NULL, 0, NETPROBE_SORT_NAME, IN_ALL, { 0, 0 }, true, NULL },
	{ "PID", NULL, 7, NO_SORT, IN(NETPROBE_VIEW_PROCESS), { 3, 4 }, false, cell_pid },
	{ "OWNER", NULL, 15, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 3, 10 }, true, cell_owner },
	{ "CONTAINER",
	  NULL,
	  24,
	  NO_SORT,
	  IN_ALL & ~IN(NETPROBE_VIEW_REMOTE) & ~IN(NETPROBE_VIEW_INTERFACE),
	  { 15, 15 },
	  true,
	  cell_place },
	{ "PROTO",
	  NULL,
	  5,
	  NO_SORT,
	  IN(NETPROBE_VIEW_CONNECTION),
	  { 11, NEVER },
	  true,
	  cell_proto },
	{ "STATE", NULL, 10, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 10, 12 }, true, cell_state },
	{ "IFACE", NULL, 8, NO_SORT, IN(NETPROBE_VIEW_CONNECTION), { 12, 14 }, true, cell_iface },
	{ "NETNS", NULL, 10, NO_SORT, IN(NETPROBE_VIEW_INTERFACE), { 10, 4 }, false, cell_netns },
	{ "TX/s", "TXb/s", 6, NETPROBE_SORT_TX, IN_ALL, { 1, 11 }, false, cell_tx },
	{ "RX/s", "RXb/s", 6, NETPROBE_SORT_RX, IN_ALL, { 1, 11 }, false, cell_rx },
	{ "TX SUM", NULL, 7, NO_SORT, IN_ALL, { 13, NEVER }, false, cell_tx_total },
	{ "RX SUM", NULL, 7, NO_SORT, IN_ALL, { 13, NEVER }, false, cell_rx_total },
	{ "TOTAL", NULL, 6, NETPROBE_SORT_TOTAL, IN_ALL, { 7, NEVER }, false, cell_total },
	{ "CONN", NULL, 5, NETPROBE_SORT_CONNS, NOT_CONNECTION, { 6, 13 }, false, cell_conns },
	{ "RTT", NULL, 6, NETPROBE_SORT_RTT, IN_ALL, { 4, 1 }, false, cell_rtt },
	{ "RETR", NULL, 5, NETPROBE_SORT_RETRANS, IN_ALL, { 5, 1 }, false, cell_retrans },
	{ "TMO", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_timeout },
	{ "FAST", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_fast },
	{ "TLP", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_tlp },
	{ "SYNACK", NULL, 6, NO_SORT, IN_ALL, { NEVER, 6 }, false, cell_synack },
	{ "SPUR", NULL, 5, NO_SORT, IN_ALL, { NEVER, 3 }, false, cell_spurious },
	{ "STALL", NULL, 6, NETPROBE_SORT_STALL, IN_ALL, { NEVER, 2 }, false, cell_stall },
	{ "DROPS",
	  NULL,
	  5,
	  NO_SORT,
	  IN_ALL & ~IN(NETPROBE_VIEW_CONNECTION) & ~IN(NETPROBE_VIEW_REMOTE),
	  { NEVER, 5 },
	  false,
	  cell_drops },
	{ "VERDICT", NULL, 7, NO_SORT, IN_ALL, { NEVER, 1 }, true, cell_verdict },
	{ "RATE", NULL, 8, NETPROBE_SORT_RATE, IN_ALL, { 2, 16 }, true, NULL },
};

#define N_COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))
#define NAME (&columns[0])
#define SPARK (&columns[N_COLUMNS - 1])
_Static_assert(N_COLUMNS <= COLUMNS_MAX, "COLUMNS_MAX is too small");

/* Least and good width of the name by view: what still tells rows apart, and what reads well. */
static const struct {
	int least, good, best;
} name_width[NETPROBE_VIEW_MAX] = {
	[NETPROBE_VIEW_PROCESS] = { 14, 20, 30 },   [NETPROBE_VIEW_CONNECTION] = { 22, 45, 60 },
	[NETPROBE_VIEW_CONTAINER] = { 16, 36, 70 }, [NETPROBE_VIEW_REMOTE] = { 16, 24, 40 },
	[NETPROBE_VIEW_INTERFACE] = { 10, 16, 20 },
};

/* Columns being chosen. */
struct choice {
	uint8_t kind;
	bool health;
	bool chosen[N_COLUMNS];
	int room; /* beside the name */
};

static bool is_due(const struct choice *ch, int i, int step)
{
	return columns[i].step[ch->health] == step && (columns[i].kinds & IN(ch->kind));
}

/* Columns of one step come together or not at all: half of a pair of sums would mislead. */
static bool take_step(struct choice *ch, int step)
{
	int need = 0, i;

	for (i = 0; i < N_COLUMNS; i++)
		need += is_due(ch, i, step) ? columns[i].width + 1 : 0;
	if (need > ch->room)
		return false;
	for (i = 0; i < N_COLUMNS; i++)
		ch->chosen[i] = ch->chosen[i] || is_due(ch, i, step);
	ch->room -= need;
	return true;
}

static void take_steps(struct choice *ch, int from, int last)
{
	int step;

	/* After the first that does not fit none is tried: columns would come and go with the width. */
	for (step = from; step <= last; step++) {
		if (!take_step(ch, step))
			return;
	}
}

/* Hand *room out up to most. */
static int grow(int width, int most, int *room)
{
	int more = most - width < *room ? most - width : *room;

	if (more <= 0)
		return width;
	*room -= more;
	return width + more;
}

void columns_fit(struct columns *c, uint8_t kind, bool health, int width)
{
	int name = name_width[kind].least, spark = SPARK->width, x = 0, i;
	struct choice ch = {
		.kind = kind, .health = health, .chosen = { true }, .room = width - name
	};

	take_steps(&ch, 1, 9);
	name = grow(name, name_width[kind].good, &ch.room);
	take_steps(&ch, 10, 19);
	if (ch.chosen[N_COLUMNS - 1]) {
		spark = grow(spark, 20, &ch.room);
		name = grow(name, name_width[kind].best, &ch.room);
		spark = grow(spark, SAMPLES_MAX, &ch.room);
	}
	name = grow(name, width, &ch.room);
	c->n = 0;
	for (i = 0; i < N_COLUMNS; i++) {
		if (!ch.chosen[i])
			continue;
		c->col[c->n] = &columns[i];
		c->x[c->n] = x;
		c->width[c->n] = &columns[i] == NAME	? (name < width ? name : width)
				 : &columns[i] == SPARK ? spark
							: columns[i].width;
		x += c->width[c->n++] + 1;
	}
}

static const char *name_title(uint8_t kind)
{
	static const char *const title[NETPROBE_VIEW_MAX] = { "PROCESS", "CONNECTION", "CONTAINER",
							      "REMOTE HOST", "INTERFACE" };

	return title[kind];
}

static void spark_title(const struct tui_model *m, char *s, size_t size)
{
	double span = m->interval_s * SAMPLES_MAX;

	if (span < 100 && span != 60)
		(void)snprintf(s, size, "RATE %.0fs", span);
	else
		(void)snprintf(s, size, "RATE %.0fm", span / 60);
}

void columns_titles(const struct columns *c, struct grid *g, int y, const struct tui_model *m)
{
	const struct tui_level *l = &m->level[m->depth];
	int i;

	grid_fill(g, y, 0, g->cols, STYLE_HEADING);
	for (i = 0; i < c->n; i++) {
		const struct column *col = c->col[i];
		enum style style = col->sort == m->sort ? STYLE_SORT : STYLE_HEADING;
		char s[48], title[32];

		if (col == SPARK)
			spark_title(m, title, sizeof(title));
		else
			(void)snprintf(title, sizeof(title), "%s",
				       col == NAME		    ? name_title(l->kind)
				       : m->bits && col->title_bits ? col->title_bits
								    : col->title);
		(void)snprintf(s, sizeof(s), "%s%s", title,
			       style == STYLE_HEADING ? ""
			       : m->reverse	      ? g->glyphs->up
						      : g->glyphs->down);
		if (col->left)
			(void)grid_put(g, y, c->x[i] + (col == NAME ? g->glyphs->gutter : 0),
				       c->width[i], style, s);
		else
			grid_put_right(g, y, c->x[i], c->width[i], style, s);
	}
}

/* "a > b" with the arrow of this terminal; the short form where the long one would be cut. */
static void connection_name(const struct grid *g, const struct tui_row *row, int width, char *s,
			    size_t size)
{
	const char *name = row->name, *gap;
	size_t extra = strlen(g->glyphs->arrow) == 2 ? 1 : 0; /* "->" is wider than ">" */

	if (row->brief[0] && strlen(name) + extra > (size_t)width)
		name = row->brief;
	gap = strstr(name, " > ");
	if (gap)
		(void)snprintf(s, size, "%.*s %s %s", (int)(gap - name), name, g->glyphs->arrow,
			       gap + 3);
	else
		(void)snprintf(s, size, "%s", name);
}

static void draw_name(const struct columns *c, int i, struct grid *g, int y, uint8_t kind,
		      const struct tui_row *row)
{
	int x = c->x[i], gutter = g->glyphs->gutter, width = c->width[i] - gutter;
	char s[sizeof(row->name) + 8];

	if (row->exited)
		(void)grid_put(g, y, x, 1, STYLE_EXITED, g->glyphs->exited);
	if (kind == NETPROBE_VIEW_CONNECTION)
		connection_name(g, row, width, s, sizeof(s));
	else
		(void)snprintf(s, sizeof(s), "%s", row->name);
	(void)grid_put_middle(g, y, x + gutter, width, STYLE_NORMAL, s);
}

void columns_row(const struct columns *c, struct grid *g, int y, const struct tui_model *m,
		 const struct tui_row *row)
{
	int i;

	for (i = 0; i < c->n; i++) {
		const struct column *col = c->col[i];
		enum style style;
		char s[128];

		if (col == NAME) {
			draw_name(c, i, g, y, m->level[m->depth].kind, row);
		} else if (col == SPARK) {
			spark_draw(g, y, c->x[i], c->width[i], STYLE_SPARK, &row->samples);
		} else {
			style = col->cell(m, row, s, sizeof(s));
			if (col->left)
				(void)grid_put_middle(g, y, c->x[i], c->width[i], style, s);
			else
				grid_put_right(g, y, c->x[i], c->width[i], style, s);
		}
	}
	if (row->exited)
		grid_style(g, y, 0, g->cols, STYLE_EXITED);
}
