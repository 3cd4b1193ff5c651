/* SPDX-License-Identifier: BSD-2-Clause */
/* The last minute of a connection, drawn: round trip, congestion window, rate. */
#ifndef NETPROBE_TUI_PLOT_H
#define NETPROBE_TUI_PLOT_H

#include "tui/grid.h"
#include "tui/model.h"

/* Into lines y to end: above each other where that leaves them tall enough, else side by side. */
void plots_draw(struct grid *g, const struct tui_model *m, int y, int end);

#endif
