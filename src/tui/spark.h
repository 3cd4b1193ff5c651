/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Bars over the last FLOW_HISTORY intervals: a row's sparkline (one line, scaled to its own
 * maximum) and the total graph (several lines, scaled to a round figure).
 */
#ifndef NETPROBE_TUI_SPARK_H
#define NETPROBE_TUI_SPARK_H

#include "flow/table.h"
#include "tui/grid.h"

/* A history laid out by age, copied out of the ring: the last sample is the newest. */
struct samples {
	uint32_t count; /* valid ones, at the end of rate[] */
	float rate[FLOW_HISTORY];
};

void samples_copy(struct samples *s, const struct history *h); /* h NULL: none */
/* One more, the newest; the oldest falls out. */
void samples_push(struct samples *s, float v);
float samples_max(const struct samples *s);
/*
 * Column c of width columns that together show all FLOW_HISTORY intervals: the highest of the
 * samples in it, so that a burst of one interval stays visible; negative: no sample there yet.
 */
float samples_at(const struct samples *s, int c, int width);
/* The least of 1, 2 or 5 times a power of ten that is not below v; 1 for nothing. */
double scale_ceiling(double v);

void spark_draw(struct grid *g, int y, int x, int width, enum style style, const struct samples *s);
/* rows lines from y; full is the rate the top stands for. */
void graph_draw(struct grid *g, int y, int x, int rows, int width, const struct samples *s,
		double full);

#endif
