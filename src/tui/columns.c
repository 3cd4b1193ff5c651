/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Columns: a table of what there is, and the fitting. Widths are fixed by the formats of
 * fmt.h, so nothing on the screen jumps sideways when a number grows.
 */
#include "base/netns.h"
#include "base/utf8.h"
#include "tui/columns.h"

#include <stdio.h>
#include <string.h>

#include "tui/column.h"
#include "tui/kinds.h"
#include "tui/text.h"

#define MOST 64 /* in the table */
#define NAME (&column_table[0])
#define SPARK (&column_table[n_columns - 1])

/* Columns being chosen. */
struct choice {
	uint8_t kind;
	bool health;
	uint64_t hidden;
	bool chosen[MOST];
	int room; /* beside the name */
};

static bool is_due(const struct choice *ch, int i, int step)
{
	int due = column_table[i].step[ch->health];

	/* what interfaces tell of themselves is more than a line of their rate */
	if (&column_table[i] == SPARK && ch->kind == NETPROBE_VIEW_INTERFACE && !ch->health)
		due = 12;
	return due == step && (column_table[i].kinds & IN(ch->kind)) && !(ch->hidden >> i & 1);
}

/* Columns of one step come together or not at all: half of a pair of sums would mislead. */
static bool take_step(struct choice *ch, int step)
{
	int need = 0, i;

	for (i = 0; i < n_columns; i++)
		need += is_due(ch, i, step) ? column_table[i].width + 1 : 0;
	if (need > ch->room)
		return false;
	for (i = 0; i < n_columns; i++)
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

void columns_fit(struct columns *c, uint8_t kind, bool health, uint64_t hidden, int width)
{
	int name = view_kinds[kind].least, spark = SPARK->width, x = 0, i;
	struct choice ch = { .kind = kind,
			     .health = health,
			     .hidden = hidden,
			     .chosen = { true },
			     .room = width - name };

	take_steps(&ch, 1, 9);
	name = grow(name, view_kinds[kind].good, &ch.room);
	take_steps(&ch, 10, 19);
	if (ch.chosen[n_columns - 1]) {
		spark = grow(spark, 20, &ch.room);
		name = grow(name, view_kinds[kind].best, &ch.room);
		spark = grow(spark, SAMPLES_MAX, &ch.room);
	}
	/* without bars the rest stays empty: figures far from their name are hard to follow */
	name = grow(name,
		    ch.chosen[n_columns - 1] || name < view_kinds[kind].good
			    ? width
			    : view_kinds[kind].best,
		    &ch.room);
	c->n = 0;
	for (i = 0; i < n_columns; i++) {
		if (!ch.chosen[i])
			continue;
		c->col[c->n] = &column_table[i];
		c->x[c->n] = x;
		c->width[c->n] = &column_table[i] == NAME    ? (name < width ? name : width)
				 : &column_table[i] == SPARK ? spark
							     : column_table[i].width;
		x += c->width[c->n++] + 1;
	}
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
		enum style style = column_sort(col) == m->sort ? STYLE_SORT : STYLE_HEADING;
		char s[48], title[32];

		if (col == SPARK)
			spark_title(m, title, sizeof(title));
		else
			(void)snprintf(title, sizeof(title), "%s",
				       col == NAME		    ? view_kinds[l->kind].title
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

/* Each namespace may have an eth0: of another one than its own, netprobe says which. */
static void interface_name(const struct tui_model *m, const struct tui_row *row, char *s,
			   size_t size)
{
	const char *where = "";

	if (m->netns && !m->elsewhere && row->netns && row->netns != m->netns)
		where = netns_name(row->netns);
	(void)snprintf(s, size, *where ? "%s@%s" : "%s", row->name, where);
}

static void draw_name(const struct columns *c, int i, struct grid *g, int y,
		      const struct tui_model *m, const struct tui_row *row)
{
	uint8_t kind = m->level[m->depth].kind;
	int x = c->x[i], gutter = g->glyphs->gutter, width = c->width[i] - gutter;
	char s[sizeof(row->name) + 40], count[16] = "";
	int indent = 2 * row->depth < width / 2 ? 2 * row->depth : width / 2;

	if (row->depth)
		(void)grid_put(g, y, x + gutter + indent - 2, 2, STYLE_DIM, g->glyphs->branch);
	x += indent;
	width -= indent;
	if (row->folded || row->count)
		(void)snprintf(count, sizeof(count), "%s%u", g->glyphs->times, row->count);
	if (row->exited)
		(void)grid_put(g, y, x, 1, STYLE_EXITED, g->glyphs->exited);
	if (IN(kind) & IN_FLOWS)
		connection_name(g, row, width, s, sizeof(s));
	else if (kind == NETPROBE_VIEW_INTERFACE)
		interface_name(m, row, s, sizeof(s));
	else
		(void)snprintf(s, sizeof(s), "%s", row->name);
	if (count[0])
		width -= text_columns(count, g->utf8) + 1;
	x = grid_put_middle(g, y, x + gutter, width, STYLE_NORMAL, s);
	if (count[0])
		(void)grid_put(g, y, x + 1, c->x[i] + c->width[i] - x - 1, STYLE_BOLD, count);
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
			draw_name(c, i, g, y, m, row);
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

bool columns_cell(const struct tui_model *m, const struct tui_row *row, const struct column *column,
		  char *s, size_t size)
{
	s[0] = '\0';
	if (column == SPARK)
		return false;
	if (column == NAME)
		(void)snprintf(s, size, "%s", row->name);
	else
		(void)column->cell(m, row, s, size);
	/* what is pasted into a shell must not act there */
	utf8_one_line(s);
	return true;
}

void columns_text(const struct tui_model *m, const struct tui_row *row, char *s, size_t size)
{
	const struct column *c;
	size_t n = 0;

	s[0] = '\0';
	for (int i = 0; (c = column_of(m->level[m->depth].kind, m->health, i)) && n < size; i++) {
		char cell[256] = "";

		if (columns_cell(m, row, c, cell, sizeof(cell)))
			n += (size_t)snprintf(s + n, size - n, "%s%s", n ? "\t" : "", cell);
	}
}

const struct column *columns_at(const struct columns *c, int x)
{
	for (int i = 0; i < c->n; i++)
		if (x >= c->x[i] && x <= c->x[i] + c->width[i])
			return c->col[i];
	return NULL;
}
