/* SPDX-License-Identifier: BSD-2-Clause */
/* Sparklines and the total graph, drawn with eighths of a cell. Knows rates, not what they are of.
 */
#include "tui/spark.h"

#include <string.h>

#define EIGHTHS 8
#define RATE_MAX 1e30f

void samples_copy(struct samples *s, const float *rates, uint32_t n)
{
	uint32_t i;

	memset(s, 0, sizeof(*s));
	if (n > SAMPLES_MAX) {
		rates += n - SAMPLES_MAX;
		n = SAMPLES_MAX;
	}
	s->count = n;
	for (i = 0; i < n; i++) {
		float rate = rates[i];

		/* Bars are computed from quotients: only finite numbers beyond this point. */
		s->rate[SAMPLES_MAX - n + i] = rate > 0 && rate < RATE_MAX ? rate : 0;
	}
}

void samples_push(struct samples *s, float v)
{
	memmove(s->rate, s->rate + 1, sizeof(s->rate) - sizeof(s->rate[0]));
	s->rate[SAMPLES_MAX - 1] = v > 0 && v < RATE_MAX ? v : 0;
	s->count += s->count < SAMPLES_MAX;
}

float samples_max(const struct samples *s)
{
	float max = 0;
	uint32_t i;

	for (i = SAMPLES_MAX - s->count; i < SAMPLES_MAX; i++)
		max = s->rate[i] > max ? s->rate[i] : max;
	return max;
}

float samples_at(const struct samples *s, int c, int width)
{
	int from = c * SAMPLES_MAX / width, to = (c + 1) * SAMPLES_MAX / width, i;
	float max = -1;

	if (to <= from)
		to = from + 1;
	for (i = from; i < to; i++) {
		if ((uint32_t)(SAMPLES_MAX - i) <= s->count && s->rate[i] > max)
			max = s->rate[i];
	}
	return max;
}

double scale_ceiling(double v)
{
	double base = 1;

	if (!(v < RATE_MAX))
		return RATE_MAX;
	while (base * 10 <= v)
		base *= 10;
	if (v <= base)
		return base;
	return v <= 2 * base ? 2 * base : v <= 5 * base ? 5 * base : 10 * base;
}

/* Eighths to fill of the cell `below` cells above the floor; traffic is never rounded down to
 * nothing. */
static int level(double rate, double full, int rows, int below)
{
	double eighths = rate > 0 && full > 0 ? rate / full * rows * EIGHTHS : 0;
	int l;

	eighths -= below * EIGHTHS;
	if (eighths <= 0)
		return 0;
	if (eighths >= EIGHTHS)
		return EIGHTHS;
	l = (int)eighths;
	return l < eighths ? l + 1 : l;
}

void spark_draw(struct grid *g, int y, int x, int width, enum style style, const struct samples *s)
{
	double full = samples_max(s);
	int c;

	for (c = 0; c < width; c++) {
		int l = level(samples_at(s, c, width), full, 1, 0);

		(void)grid_put(g, y, x + c, 1, style, g->glyphs->level[l]);
	}
}

void graph_draw(struct grid *g, int y, int x, int rows, int width, const struct samples *s,
		double full)
{
	int c, row;

	for (c = 0; c < width; c++) {
		double rate = samples_at(s, c, width);

		for (row = 0; row < rows; row++) {
			int l = level(rate, full, rows, rows - 1 - row);

			/* A floor line under the time that was observed tells idle from not yet
			 * seen. */
			if (l == 0 && row == rows - 1 && rate >= 0)
				(void)grid_put(g, y + row, x + c, 1, STYLE_DIM,
					       g->glyphs->level[1]);
			else
				(void)grid_put(g, y + row, x + c, 1, STYLE_SPARK,
					       g->glyphs->level[l]);
		}
	}
}
