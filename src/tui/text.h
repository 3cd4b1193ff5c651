/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A line of text made safe for a terminal and measured in columns: names of processes, paths and
 * the user's own typing all pass here before they are cut and drawn. Not here: numbers (fmt.h).
 */
#ifndef NETPROBE_TUI_TEXT_H
#define NETPROBE_TUI_TEXT_H

#include <stdbool.h>
#include <stdint.h>
#include <wchar.h>

#define TEXT_MAX 512 /* characters; longer input is cut: nobody has a terminal that wide */

struct text {
	uint16_t n;	  /* characters */
	uint16_t columns; /* sum of width */
	wchar_t ch[TEXT_MAX];
	uint8_t width[TEXT_MAX]; /* columns of each: 0 (combining), 1 or 2 */
};

/*
 * Decode s. Whatever could steer the terminal or turn the line around (controls, escape, direction
 * marks, invisible format characters), bytes that are no UTF-8 and unassigned characters become
 * '?'; without utf8 so does everything beyond ASCII.
 */
void text_set(struct text *t, const char *s, bool utf8);
/* At most columns wide: the end is cut off, an ellipsis shows it. */
void text_cut_end(struct text *t, unsigned int columns, wchar_t ellipsis);
/* The same, taking from the middle: both ends of a path or an address say something. */
void text_cut_middle(struct text *t, unsigned int columns, wchar_t ellipsis);

/* Columns that s takes. */
int text_columns(const char *s, bool utf8);

#endif
