/* SPDX-License-Identifier: BSD-2-Clause */
/* Plots of one connection (see plot.h). Each has a line that names it, its latest value and its scale. */
#include "tui/plot.h"

#include <stdio.h>

#include "tui/fmt.h"
#include "tui/spark.h"

#define LEAST_ROWS 3  /* of a plot, its title included */
#define STACK_ROWS 5  /* as many each, or they stand side by side */
#define LEAST_COLS 22 /* side by side */
#define GAP 2

struct plot {
	const char *name;
	const struct samples *samples;
	/* A value as it reads in the title. */
	void (*format)(const struct tui_model *m, double v, char *s, size_t size);
	double unit; /* of the scale, so that its top is round as it is shown */
};

static void format_usec(const struct tui_model *m, double v, char *s, size_t size)
{
	(void)m;
	fmt_usec(v < UINT32_MAX ? (uint32_t)v : UINT32_MAX, s, size);
}

static void format_segments(const struct tui_model *m, double v, char *s, size_t size)
{
	(void)m;
	fmt_count((uint64_t)v, s, size);
}

static void format_rate(const struct tui_model *m, double v, char *s, size_t size)
{
	char number[FMT_MAX];

	fmt_si(m->bits ? 8 * v : v, number, sizeof(number));
	(void)snprintf(s, size, "%s%s", number, m->bits ? "b/s" : "B/s");
}

static void plot_draw(struct grid *g, const struct tui_model *m, const struct plot *p, int y, int x,
		      int rows, int cols)
{
	double full = scale_ceiling((double)samples_max(p->samples) * p->unit) / p->unit;
	char value[FMT_MAX], s[64];
	int end;

	/* Whole columns a sample, so that the shape does not change as it moves left. */
	if (cols >= SAMPLES_MAX)
		cols -= cols % SAMPLES_MAX;
	end = grid_put(g, y, x, cols, STYLE_HEADING, p->name) + 1;
	if (p->samples->count) {
		p->format(m, (double)p->samples->rate[SAMPLES_MAX - 1], value, sizeof(value));
		end = grid_put(g, y, end, x + cols - end, STYLE_BOLD, value);
	}
	p->format(m, full, value, sizeof(value));
	fmt_trim(value);
	(void)snprintf(s, sizeof(s), "%s %s", g->glyphs->up, value);
	grid_put_right(g, y, end + 1, x + cols - end - 1, STYLE_DIM, s);
	graph_draw(g, y + 1, x, rows - 1, cols, p->samples, full);
}

void plots_draw(struct grid *g, const struct tui_model *m, int y, int end)
{
	const struct trace *t = &m->detail.trace;
	const struct plot all[] = {
		{ "rtt", &t->rtt, format_usec, 1 },
		{ "cwnd", &t->cwnd, format_segments, 1 },
		{ "tx+rx", &t->rate, format_rate, m->bits ? 8 : 1 },
	};
	int first = m->detail.tcp ? 0 : 2, n = 3 - first, rows = end - y, across, cols, i;

	if (rows > n * STACK_ROWS) { /* a blank line above each */
		for (i = 0; i < n; i++)
			plot_draw(g, m, &all[first + i], y + 1 + i * rows / n, 0,
				  (i + 1) * rows / n - i * rows / n - 1, g->cols);
		return;
	}
	if (rows > LEAST_ROWS) {
		y++;
		rows--;
	}
	if (rows < LEAST_ROWS)
		return;
	across = (g->cols + GAP) / (LEAST_COLS + GAP);
	across = across < n ? across : n;
	cols = across ? (g->cols + GAP) / across - GAP : 0;
	for (i = 0; i < across; i++)
		plot_draw(g, m, &all[first + i], y, i * (cols + GAP), rows, cols);
}
