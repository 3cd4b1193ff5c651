/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a terminal sends that is no key: answers to questions, the mouse. Taken out of the keys, whatever its length and
 * however broken, so that no answer is heard as somebody's typing. Pure: neither curses nor a clock.
 */
#ifndef NETPROBE_TUI_INPUT_H
#define NETPROBE_TUI_INPUT_H

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#include "tui/keys.h"

#define INPUT_TEXT 64	/* of a sequence; what is longer is swallowed and means nothing */
#define INPUT_MOST 4096 /* then it was none: a terminal that never ends one is let type again */

struct input {
	uint8_t state;
	char text[INPUT_TEXT + 1];
	unsigned int n; /* characters of the sequence, those that had no room too */
	bool has_next;	/* a key behind an Escape that was one */
	struct key next;
};

/* One character or key of the terminal. True: ret_key is to be handled; then input_next() until false. */
bool input_feed(struct input *in, struct key key, struct key *ret_key);
bool input_next(struct input *in, struct key *ret_key);
/* Nothing more is there for now: an Escape that waits for what may follow it is one. */
bool input_pause(struct input *in, struct key *ret_key);

/* Is there the beginning of an answer, or of another sequence, whose end is to come? */
bool input_waits(const struct input *in);
/* It does not come: what was there is forgotten, and the next one is a key. */
void input_drop(struct input *in);

/* Pure: of "11;rgb:ffff/ffff/dddd" (2 to 4 digits a colour; rgba: too) whether the ground is light. -1: it is no such answer. */
int input_ground(const char *text);

#endif
