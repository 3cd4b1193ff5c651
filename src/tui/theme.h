/* SPDX-License-Identifier: BSD-2-Clause */
/* What styles look like: on a dark ground, on a light one, in 16 colours, in none. Curses is screen.c's. */
#ifndef NETPROBE_TUI_THEME_H
#define NETPROBE_TUI_THEME_H

#include <stdbool.h>

#include "tui/grid.h"

#define THEME_AUTO 0 /* by the ground, as the terminal tells it */
#define THEME_DARK 1
#define THEME_LIGHT 2
#define THEME_ANSI 3 /* the terminal's own 16 */
#define THEME_NONE 4
#define THEME_MAX 5

#define GROUND_UNKNOWN 0
#define GROUND_DARK 1
#define GROUND_LIGHT 2

#define MARK_BOLD 1
#define MARK_DIM 2
#define MARK_REVERSE 4

struct look {
	short fg, bg; /* colours; -1: the terminal's own */
	unsigned char mark;
};

extern const char *const theme_names[THEME_MAX + 1];
/* colors: how many the terminal has. shade: of graphs. */
struct look theme_look(int theme, int ground, int colors, enum style style, int shade);

#endif
