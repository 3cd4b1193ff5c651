/* SPDX-License-Identifier: BSD-2-Clause */
/* The views there are: what each is called, and how wide its names want to be. */
#ifndef NETPROBE_TUI_KINDS_H
#define NETPROBE_TUI_KINDS_H

#include <netprobe/netprobe.h>

struct view_kind {
	char key;	       /* '1' ...; 0: none of its own */
	const char *by;	       /* as --by calls it */
	const char *name;      /* of its tab */
	const char *brief;     /* the same, where there is little room */
	const char *title;     /* of the column of names */
	const char *help;      /* what a row is, in a sentence */
	int least, good, best; /* width of names: tells rows apart, reads well, has all */
};

/* By NETPROBE_VIEW_*. */
extern const struct view_kind view_kinds[NETPROBE_VIEW_MAX];

/* menu.c: views in the order of their tabs: the i-th, round and round; where one stands. */
uint8_t kind_at(int i);
int kind_place(uint8_t kind);

#endif
