/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The last minute of this host in two graphs with one scale: out of it, and, hanging below, into it. What stays
 * inside is at the floor of the upper one, each byte once.
 */
#include <stdio.h>
#include <string.h>

#include "tui/fmt.h"
#include "tui/render.h"

#define LABEL 12 /* columns left of the graphs: "out 1.50MB/s" */
#define DOTS 4	 /* of a braille cell, from top to bottom; it has two columns of them */

struct graph {
	struct grid *g;
	int x, width;
	double full; /* what the edge away from the floor stands for */
};

/* Round figures close enough together that no graph leaves half of its lines empty. */
double scale_near(double v)
{
	static const double steps[] = { 1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10 };
	double base = 1;

	if (!(v < 1e30))
		return 1e30;
	while (base * 10 < v)
		base *= 10;
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++)
		if (v <= base * steps[i])
			return base * steps[i];
	return base * 10;
}

/* Of all dots of a column, how many are set; some traffic is never none. */
static int dots(double rate, double full, int rows)
{
	double n = rate > 0 && full > 0 ? rate / full * rows * DOTS : 0;

	return n <= 0 ? 0 : n >= rows * DOTS ? rows * DOTS : n < 1 ? 1 : (int)(n + 0.5);
}

/* Bits of one half of a braille cell with n dots, from its top or its bottom. */
static unsigned int braille(int n, bool right, bool from_top)
{
	static const unsigned char bit[2][DOTS] = { { 0x01, 0x02, 0x04, 0x40 },
						    { 0x08, 0x10, 0x20, 0x80 } };
	unsigned int bits = 0;

	for (int i = 0; i < n; i++)
		bits |= bit[right][from_top ? i : DOTS - 1 - i];
	return bits;
}

static void put_braille(struct grid *g, int y, int x, enum style style, unsigned int bits)
{
	char s[4] = { (char)0xe2, (char)(0xa0 | bits >> 6), (char)(0x80 | (bits & 0x3f)), '\0' };

	(void)grid_put(g, y, x, 1, style, s);
}

static int within(int n)
{
	return n < 0 ? 0 : n > DOTS ? DOTS : n;
}

/* Cell row rows above the floor, with left and right dots in its columns; floor: a sample is there. */
static void put_cell(const struct graph *gr, int y, int x, int row, int left, int right, bool floor,
		     bool down, enum style style, int shade)
{
	const struct glyphs *gl = gr->g->glyphs;
	int l = within(left - row * DOTS), r = within(right - row * DOTS);

	if (!l && !r && !(floor && row == 0))
		return;
	if (!l && !r) { /* seen, and nothing moved: a line tells it from not yet seen */
		style = STYLE_DIM;
		l = r = 1;
	}
	if (gl->braille)
		put_braille(gr->g, y, x, style, braille(l, false, down) | braille(r, true, down));
	else
		(void)grid_put(gr->g, y, x, 1, style, gl->level[2 * (l > r ? l : r)]);
	grid_at(gr->g, y, x)->shade = (uint8_t)shade;
}

static float sum_at(const struct samples *a, const struct samples *b, int c, int width)
{
	float x = samples_at(a, c, width), y = b ? samples_at(b, c, width) : 0;

	return x < 0 ? x : x + (y > 0 ? y : 0);
}

/* inside: at the floor of what is drawn; NULL: none. y is the floor's line. */
static void draw(const struct graph *gr, int y, int rows, const struct samples *s,
		 const struct samples *inside, bool down)
{
	for (int c = 0; c < gr->width; c++) {
		float left = sum_at(s, inside, 2 * c, 2 * gr->width);
		float right = sum_at(s, inside, 2 * c + 1, 2 * gr->width);
		int l = dots((double)left, gr->full, rows), r = dots((double)right, gr->full, rows);
		int in = inside ? dots((double)samples_at(inside, c, gr->width), gr->full, rows)
				: 0;

		for (int row = 0; row < rows; row++)
			put_cell(gr, down ? y + row : y - row, gr->x + c, row, l, r, left >= 0,
				 down,
				 in * 2 > (2 * row + 1) * DOTS ? STYLE_INSIDE
				 : down			       ? STYLE_DOWN
							       : STYLE_UP,
				 rows > 1 ? row * (SHADES - 1) / (rows - 1) : SHADES - 1);
	}
}

static void label(struct grid *g, const struct tui_model *m, int y, const char *name, double full)
{
	char number[FMT_MAX], s[FMT_MAX + 4];

	fmt_si(full, number, sizeof(number));
	fmt_trim(number);
	(void)snprintf(s, sizeof(s), "%s%s", number, m->bits ? "b/s" : "B/s");
	(void)grid_put(g, y, 0, LABEL, STYLE_DIM, name);
	grid_put_right(g, y, 3, LABEL - 4, STYLE_DIM, s);
}

static double most(const struct tui_totals *t)
{
	double max = (double)samples_max(&t->down);

	for (int i = SAMPLES_MAX - (int)t->up.count; i < SAMPLES_MAX; i++) {
		double v = (double)t->up.rate[i] + (double)t->inside.rate[i];

		max = v > max ? v : max;
	}
	return max;
}

void graph_area_draw(struct grid *g, const struct tui_model *m, int y, int rows)
{
	double unit = m->bits ? 8 : 1, full = scale_near(most(&m->totals) * unit);
	struct graph gr = { .g = g, .x = LABEL, .width = g->cols - LABEL };
	int up = (rows + 1) / 2, down = rows - up;

	if (rows < 2 || gr.width < 8)
		return;
	/* Whole dots a sample, so that the shape does not change as it moves left. */
	if (gr.width >= SAMPLES_MAX / 2)
		gr.width -= gr.width % (SAMPLES_MAX / 2);
	gr.full = full / unit;
	label(g, m, y, "out", full);
	label(g, m, y + rows - 1, "in", full);
	draw(&gr, y + up - 1, up, &m->totals.up, &m->totals.inside, false);
	draw(&gr, y + up, down, &m->totals.down, NULL, true);
}
