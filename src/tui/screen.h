/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The terminal: taken over and given back, cells put on it, keys read from it. The only file that
 * makes curses calls; there is one terminal, so there is at most one screen.
 */
#ifndef NETPROBE_TUI_SCREEN_H
#define NETPROBE_TUI_SCREEN_H

#include <stdbool.h>

#include "base/error.h"
#include "tui/grid.h"
#include "tui/keys.h"

struct screen;

/* NULL with err filled: no terminal, TERM unknown, no memory. */
struct screen *screen_open(bool no_color, struct netprobe_error *err);
struct screen *screen_close(struct screen *s); /* NULL-safe; returns NULL */
/* Give g the terminal's size and abilities (UTF-8, ornaments). -ENOMEM. */
int screen_measure(struct screen *s, struct grid *g);
void screen_draw(struct screen *s, const struct grid *g);
/* The next screen_draw() sends everything, whatever curses believes is there. */
void screen_forget(struct screen *s);
/* Colours by THEME_*, with what is known of the ground, GROUND_*. */
void screen_theme(struct screen *s, int theme, int ground);
/* SIGTSTP, which is held from screen_open on: gives the terminal back and stops until SIGCONT, then takes it again. */
void screen_stop(struct screen *s);
/* SIGCONT: whoever had the terminal meanwhile left it as it likes. */
void screen_retake(struct screen *s);
/* Whether the mouse is asked for; where the terminal has none nothing happens. */
void screen_mouse(struct screen *s, bool on);
/* To the terminal's clipboard (OSC 52). False: this one is not known to have any, or text is too long. */
bool screen_copy(struct screen *s, const char *text);
/* Next key: 1; none pending: 0; the terminal is gone: -EIO, -EPIPE. */
int screen_key(struct screen *s, struct key *ret_key);

#endif
