/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns: a table of what there is, the fitting, and the cells. Widths are fixed by the formats of
 * fmt.h, so nothing on the screen jumps sideways when a number grows.
 */
#include "tui/columns.h"

#include <stdio.h>
#include <string.h>

#include "tui/fmt.h"

#define IN(kind) (1u << (kind))
#define IN_ALL (IN(VIEW_MAX) - 1)
#define NO_SORT 0xff

struct column {
	const char *title;
	const char *title_bits; /* with rates in bits; NULL: the same */
	uint8_t width;
	uint8_t sort;  /* SORT_* it shows, or NO_SORT */
	uint8_t kinds; /* IN(VIEW_*) */
	uint8_t step;  /* of columns_fit() at which it is added */
	bool left;
	/* Text of a cell and its style; NULL for name and sparkline, which draw themselves. */
	enum style (*cell)(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size);
};

static enum style rate_cell(const struct tui_model *m, float rate, enum style style, char *s,
			    size_t size)
{
	fmt_si(m->bits ? 8.0 * (double)rate : (double)rate, s, size);
	return rate > 0 ? style : STYLE_DIM;
}

static enum style cell_tx(const struct tui_model *m, const struct tui_row *row, char *s,
			  size_t size)
{
	return rate_cell(m, row->tx_rate, STYLE_TX, s, size);
}

static enum style cell_rx(const struct tui_model *m, const struct tui_row *row, char *s,
			  size_t size)
{
	return rate_cell(m, row->rx_rate, STYLE_RX, s, size);
}

static enum style bytes_cell(uint64_t bytes, char *s, size_t size)
{
	fmt_bytes(bytes, s, size);
	return bytes ? STYLE_NORMAL : STYLE_DIM;
}

static enum style cell_tx_total(const struct tui_model *m, const struct tui_row *row, char *s,
				size_t size)
{
	(void)m;
	return bytes_cell(row->tx_bytes, s, size);
}

static enum style cell_rx_total(const struct tui_model *m, const struct tui_row *row, char *s,
				size_t size)
{
	(void)m;
	return bytes_cell(row->rx_bytes, s, size);
}

static enum style cell_total(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	uint64_t sum = row->tx_bytes + row->rx_bytes;

	(void)m;
	return bytes_cell(sum < row->tx_bytes ? UINT64_MAX : sum, s, size);
}

static enum style cell_pid(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size)
{
	(void)m;
	if (row->pid)
		(void)snprintf(s, size, "%u", row->pid);
	else
		(void)snprintf(s, size, "-");
	return STYLE_NORMAL;
}

static enum style cell_conns(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	fmt_count(row->conns, s, size);
	return row->conns ? STYLE_NORMAL : STYLE_DIM;
}

static enum style cell_rtt(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size)
{
	(void)m;
	fmt_usec(row->rtt_us, s, size);
	return row->rtt_us ? STYLE_NORMAL : STYLE_DIM;
}

static enum style cell_retrans(const struct tui_model *m, const struct tui_row *row, char *s,
			       size_t size)
{
	(void)m;
	fmt_count(row->retrans, s, size);
	return row->retrans ? STYLE_WARN : STYLE_DIM;
}

static enum style text_cell(const char *text, char *s, size_t size)
{
	(void)snprintf(s, size, "%s", text && *text ? text : "-");
	return text && *text ? STYLE_NORMAL : STYLE_DIM;
}

static enum style cell_owner(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	return text_cell(row->owner, s, size);
}

static enum style cell_state(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	return text_cell(row->state, s, size);
}

static enum style cell_proto(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	return text_cell(row->proto, s, size);
}

static enum style cell_iface(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	return text_cell(row->iface, s, size);
}

static enum style cell_place(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	return text_cell(row->place, s, size);
}

static enum style cell_netns(const struct tui_model *m, const struct tui_row *row, char *s,
			     size_t size)
{
	(void)m;
	(void)snprintf(s, size, "%u", row->netns);
	return row->netns ? STYLE_NORMAL : STYLE_DIM;
}

#define NOT_CONNECTION (IN_ALL & ~IN(VIEW_CONNECTION))

/*
 * Steps: 0 always; 1 to 9 while the name keeps its least width; 10 to 19 once it has a good one;
 * the rest goes to sparkline and name. From left to right as on the screen.
 */
static const struct column columns[] = {
	{ "NAME", NULL, 0, SORT_NAME, IN_ALL, 0, true, NULL },
	{ "PID", NULL, 7, NO_SORT, IN(VIEW_PROCESS), 3, false, cell_pid },
	{ "OWNER", NULL, 15, NO_SORT, IN(VIEW_CONNECTION), 3, true, cell_owner },
	{ "CONTAINER", NULL, 24, NO_SORT, IN_ALL & ~IN(VIEW_REMOTE) & ~IN(VIEW_INTERFACE), 15, true,
	  cell_place },
	{ "PROTO", NULL, 5, NO_SORT, IN(VIEW_CONNECTION), 11, true, cell_proto },
	{ "STATE", NULL, 10, NO_SORT, IN(VIEW_CONNECTION), 10, true, cell_state },
	{ "IFACE", NULL, 8, NO_SORT, IN(VIEW_CONNECTION), 12, true, cell_iface },
	{ "NETNS", NULL, 10, NO_SORT, IN(VIEW_INTERFACE), 10, false, cell_netns },
	{ "TX/s", "TXb/s", 6, SORT_TX, IN_ALL, 1, false, cell_tx },
	{ "RX/s", "RXb/s", 6, SORT_RX, IN_ALL, 1, false, cell_rx },
	{ "TX SUM", NULL, 7, NO_SORT, IN_ALL, 13, false, cell_tx_total },
	{ "RX SUM", NULL, 7, NO_SORT, IN_ALL, 13, false, cell_rx_total },
	{ "TOTAL", NULL, 6, SORT_TOTAL, IN_ALL, 7, false, cell_total },
	{ "CONN", NULL, 5, SORT_CONNS, NOT_CONNECTION, 6, false, cell_conns },
	{ "RTT", NULL, 6, SORT_RTT, IN_ALL, 4, false, cell_rtt },
	{ "RETR", NULL, 5, SORT_RETRANS, IN_ALL, 5, false, cell_retrans },
	{ "RATE", NULL, 8, SORT_RATE, IN_ALL, 2, true, NULL },
};

#define N_COLUMNS ((int)(sizeof(columns) / sizeof(columns[0])))
#define NAME (&columns[0])
#define SPARK (&columns[N_COLUMNS - 1])
_Static_assert(N_COLUMNS <= COLUMNS_MAX, "COLUMNS_MAX is too small");

/* Least and good width of the name by view: what still tells rows apart, and what reads well. */
static const struct {
	int least, good, best;
} name_width[VIEW_MAX] = {
	[VIEW_PROCESS] = { 14, 20, 30 },   [VIEW_CONNECTION] = { 22, 45, 60 },
	[VIEW_CONTAINER] = { 16, 36, 70 }, [VIEW_REMOTE] = { 16, 24, 40 },
	[VIEW_INTERFACE] = { 10, 16, 20 },
};

static bool is_due(int i, int step, uint8_t kind)
{
	return columns[i].step == step && (columns[i].kinds & IN(kind));
}

/* Columns of one step come together or not at all: half of a pair of sums would mislead. */
static bool take_step(bool chosen[N_COLUMNS], uint8_t kind, int step, int *room)
{
	int need = 0, i;

	for (i = 0; i < N_COLUMNS; i++)
		need += is_due(i, step, kind) ? columns[i].width + 1 : 0;
	if (need > *room)
		return false;
	for (i = 0; i < N_COLUMNS; i++)
		chosen[i] = chosen[i] || is_due(i, step, kind);
	*room -= need;
	return true;
}

/* room is what is left beside the name. */
static void take_steps(bool chosen[N_COLUMNS], uint8_t kind, int from, int last, int *room)
{
	int step;

	/* After the first that does not fit none is tried: columns would come and go with the width. */
	for (step = from; step <= last; step++) {
		if (!take_step(chosen, kind, step, room))
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

void columns_fit(struct columns *c, uint8_t kind, int width)
{
	bool chosen[N_COLUMNS] = { true };
	int name = name_width[kind].least, spark, room, x = 0, i;

	room = width - name;
	take_steps(chosen, kind, 1, 9, &room);
	name = grow(name, name_width[kind].good, &room);
	take_steps(chosen, kind, 10, 19, &room);
	spark = SPARK->width;
	if (chosen[N_COLUMNS - 1]) {
		spark = grow(spark, 20, &room);
		name = grow(name, name_width[kind].best, &room);
		spark = grow(spark, FLOW_HISTORY, &room);
	}
	name = grow(name, width, &room);
	c->n = 0;
	for (i = 0; i < N_COLUMNS; i++) {
		if (!chosen[i])
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
	static const char *const title[VIEW_MAX] = { "PROCESS", "CONNECTION", "CONTAINER",
						     "REMOTE HOST", "INTERFACE" };

	return title[kind];
}

static void spark_title(const struct tui_model *m, char *s, size_t size)
{
	double span = m->interval_s * FLOW_HISTORY;

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
	if (kind == VIEW_CONNECTION)
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
