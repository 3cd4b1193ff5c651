/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What may come next in an expression that is typed: fields of this view's rows, the operators that a field takes, words
 * and values that it has in the rows there are. Of the end of the text only, where the cursor is.
 */
#ifndef NETPROBE_TUI_COMPLETE_H
#define NETPROBE_TUI_COMPLETE_H

#include <stdbool.h>
#include <stddef.h>

#define COMPLETE_MAX 24	 /* words that are offered; more of them are not looked for */
#define COMPLETE_TEXT 96 /* of one, NUL included */

struct completion {
	char words[COMPLETE_MAX][COMPLETE_TEXT];
	unsigned int n;
	int at;	      /* the one that stands in the text; -1: what was typed */
	size_t begin; /* of it in the text */
};

struct tui_model;

/* The text was changed, by anybody else: what is there for it now. */
void complete_look(struct tui_model *m);
/* Put in as much as all have in common; else the next one, or, with step -1, the one before. MOVED_*. */
int complete_tab(struct tui_model *m, int step);
/* Of the text: where its last word begins, the field and the operator before it, if it is a value. Pure. */
struct complete_place {
	size_t begin; /* of what is to be completed */
	char field[40];
	bool value; /* of field */
};
void complete_parse(const char *text, struct complete_place *ret);

#endif
