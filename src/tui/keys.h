/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which key does what: one table for the key loop and for the help overlay, so neither can know a
 * key the other does not.
 */
#ifndef NETPROBE_TUI_KEYS_H
#define NETPROBE_TUI_KEYS_H

#include <stdbool.h>
#include <wchar.h>

#include "tui/model.h"

/* A key as curses reads it. */
struct key {
	wint_t code;
	bool function;	/* code is a KEY_* of curses, not a character */
	uint8_t report; /* REPORT_*: no key at all */
	int x, y;	/* of the mouse */
};

#define REPORT_NONE 0
#define REPORT_MOUSE 1	/* code is the button, as SGR has it: 0 left, 64 wheel up, 65 down */
#define REPORT_GROUND 2 /* the terminal's: code is whether it is light */

struct key_help {
	const char *keys; /* "j / Down" */
	const char *what;
};

/* Do what the key says. Returns MOVED_*. */
int keys_handle(struct tui_model *m, struct key key);
/* Line i of the help; NULL after the last. An entry without keys is a heading. */
const struct key_help *keys_help(unsigned int i);

#endif
