/* SPDX-License-Identifier: BSD-2-Clause */
/* Lists to choose from, over the view: what a row is, which columns there are. */
#ifndef NETPROBE_TUI_MENU_H
#define NETPROBE_TUI_MENU_H

#include "tui/grid.h"
#include "tui/model.h"

int menu_open(struct tui_model *m, int menu);
void menu_draw(struct grid *g, const struct tui_model *m);
int menu_move(struct tui_model *m, int lines);
/* What Enter does, and what a character does; MOVED_*. */
int menu_choose(struct tui_model *m);
int menu_letter(struct tui_model *m, int letter);

#endif
