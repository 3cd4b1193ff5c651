/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bars over the last SAMPLES_MAX intervals: a row's sparkline (one line, scaled to its own
 * maximum) and the total graph (several lines, scaled to a round figure).
 */
#ifndef NETPROBE_TUI_SPARK_H
#define NETPROBE_TUI_SPARK_H

#include <stdint.h>

#include "tui/grid.h"

#define SAMPLES_MAX 60 /* intervals */

/* A history laid out by age, copied out of the ring: the last sample is the newest. */
struct samples {
	uint32_t count; /* valid ones, at the end of rate[] */
	float rate[SAMPLES_MAX];
};

void samples_copy(struct samples *s, const float *rates, uint32_t n); /* the oldest first */
/* One more, the newest; the oldest falls out. */
void samples_push(struct samples *s, float v);
float samples_max(const struct samples *s);
/*
 * Column c of width columns that together show all SAMPLES_MAX intervals: the highest of the
 * samples in it, so that a burst of one interval stays visible; negative: no sample there yet.
 */
float samples_at(const struct samples *s, int c, int width);
/* The least of 1, 2 or 5 times a power of ten that is not below v; 1 for nothing. */
double scale_ceiling(double v);
/* graph.c: the same, of figures closer together. */
double scale_near(double v);

void spark_draw(struct grid *g, int y, int x, int width, enum style style, const struct samples *s);
/* rows lines from y; full is the rate the top stands for. */
void graph_draw(struct grid *g, int y, int x, int rows, int width, const struct samples *s,
		double full);

#endif
