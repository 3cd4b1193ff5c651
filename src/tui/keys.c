/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The table of keys. Letters follow htop and less where those agree; what a key does is in nav.c.
 * While a filter is typed, characters belong to it and only the function keys keep their meaning.
 */
#include "tui/keys.h"
#include "tui/kinds.h"
#include "tui/menu.h"
#include "tui/mouse.h"
#include "tui/theme.h"

#include <curses.h>
#include <stdio.h>
#include <string.h>

#define CTRL(c) ((c)&0x1f)
#define ESC 0x1b
#define FN(code) (-(code)) /* a curses key in a table of characters */

struct binding {
	struct key_help help;
	int keys[7]; /* characters, or FN(KEY_*); 0 after the last */
	int (*act)(struct tui_model *m, int arg);
	int arg;
};

static int act_view(struct tui_model *m, int kind)
{
	return nav_view(m, (uint8_t)kind);
}

static int act_next_view(struct tui_model *m, int step)
{
	return nav_view(m, kind_at(kind_place(model_level(m)->kind) + step));
}

static int act_move(struct tui_model *m, int lines)
{
	return nav_move(m, lines);
}

static int act_page(struct tui_model *m, int pages)
{
	return nav_move(m, pages * (long)m->page);
}

static int act_home(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_home(m);
}

static int act_end(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_end(m);
}

static int act_drill(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_drill(m);
}

static int act_back(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_back(m);
}

static int act_filter(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_filter_begin(m);
}

static int act_sort(struct tui_model *m, int step)
{
	return nav_sort(m, step);
}

static int act_pause(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_pause(m);
}

static int act_restart(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_restart(m);
}

static int act_units(struct tui_model *m, int arg)
{
	(void)arg;
	m->bits = !m->bits;
	return MOVED_DRAW;
}

static int act_idle(struct tui_model *m, int arg)
{
	(void)arg;
	m->idle = !m->idle;
	return MOVED_ROWS;
}

static int act_menu(struct tui_model *m, int menu)
{
	return menu_open(m, menu);
}

static int act_apart(struct tui_model *m, int arg)
{
	(void)arg;
	m->apart = !m->apart;
	return nav_arranged(m);
}

static int act_tree(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_tree(m);
}

static int act_fold(struct tui_model *m, int fold)
{
	return nav_fold(m, fold, false);
}

static int act_fold_all(struct tui_model *m, int fold)
{
	return nav_fold(m, fold, true);
}

static int act_copy(struct tui_model *m, int cell)
{
	return cell ? nav_copy_menu(m) : nav_copy(m);
}

static int act_kill(struct tui_model *m, int arg)
{
	(void)arg;
	return act_signals(m);
}

static int act_shut(struct tui_model *m, int arg)
{
	(void)arg;
	return act_close(m);
}

static int act_theme(struct tui_model *m, int arg)
{
	(void)arg;
	m->theme = (uint8_t)((m->theme + 1) % THEME_MAX);
	(void)snprintf(m->flash, sizeof(m->flash), "theme: %s", theme_names[m->theme]);
	return MOVED_THEME;
}

static int act_mouse(struct tui_model *m, int arg)
{
	(void)arg;
	m->no_mouse = !m->no_mouse;
	(void)snprintf(m->flash, sizeof(m->flash), "%s",
		       m->no_mouse ? "the mouse is the terminal's: it selects text"
				   : "the mouse is for rows, tabs and titles");
	return MOVED_THEME;
}

static int act_live(struct tui_model *m, int arg)
{
	(void)arg;
	m->live = !m->live;
	return MOVED_ROWS;
}

static int act_health(struct tui_model *m, int arg)
{
	(void)arg;
	return nav_health(m);
}

static int act_help(struct tui_model *m, int arg)
{
	(void)arg;
	m->help = HELP_COLUMNS;
	m->help_top = 0;
	return MOVED_DRAW;
}

static int act_redraw(struct tui_model *m, int arg)
{
	(void)m;
	(void)arg;
	return MOVED_REDRAW;
}

static int act_quit(struct tui_model *m, int arg)
{
	(void)m;
	(void)arg;
	return MOVED_QUIT;
}

static const struct binding bindings[] = {
	{ { "1 p", "processes" }, { '1', 'p' }, act_view, NETPROBE_VIEW_PROCESS },
	{ { "2 c", "connections" }, { '2', 'c' }, act_view, NETPROBE_VIEW_CONNECTION },
	{ { "3 C", "containers (cgroups)" }, { '3', 'C' }, act_view, NETPROBE_VIEW_CONTAINER },
	{ { "4 r", "remote hosts" }, { '4', 'r' }, act_view, NETPROBE_VIEW_REMOTE },
	{ { "5 i", "interfaces" }, { '5', 'i' }, act_view, NETPROBE_VIEW_INTERFACE },
	{ { "6", "programs" }, { '6' }, act_view, NETPROBE_VIEW_PROGRAM },
	{ { "7", "users" }, { '7' }, act_view, NETPROBE_VIEW_USER },
	{ { "8", "systemd units" }, { '8' }, act_view, NETPROBE_VIEW_UNIT },
	{ { "9 l", "listening sockets" }, { '9', 'l' }, act_view, NETPROBE_VIEW_LISTEN },
	{ { "0", "pods" }, { '0' }, act_view, NETPROBE_VIEW_POD },
	{ { "b", "choose what a row is" }, { 'b' }, act_menu, MENU_BY },
	{ { "Tab S-Tab", "next, previous view" }, { '\t' }, act_next_view, 1 },
	{ { NULL, NULL }, { FN(KEY_BTAB) }, act_next_view, -1 },
	{ { "Up Down k j", "move" }, { 'k', FN(KEY_UP) }, act_move, -1 },
	{ { NULL, NULL }, { 'j', FN(KEY_DOWN) }, act_move, 1 },
	{ { "PgUp PgDn", "move by a page" }, { FN(KEY_PPAGE) }, act_page, -1 },
	{ { NULL, NULL }, { FN(KEY_NPAGE) }, act_page, 1 },
	{ { "Home End g G", "first, last row" }, { 'g', FN(KEY_HOME) }, act_home, 0 },
	{ { NULL, NULL }, { 'G', FN(KEY_END) }, act_end, 0 },
	{ { "Enter Right", "open: connections, page" },
	  { '\r', '\n', FN(KEY_ENTER), FN(KEY_RIGHT) },
	  act_drill,
	  0 },
	{ { "Esc Left Bksp", "back; clear the filter" },
	  { ESC, 0x7f, '\b', FN(KEY_BACKSPACE), FN(KEY_LEFT) },
	  act_back,
	  0 },
	{ { "/", "filter; Tab completes" }, { '/' }, act_filter, 0 },
	{ { "< > s S", "column to sort by" }, { '>', 's' }, act_sort, 1 },
	{ { NULL, NULL }, { '<', 'S' }, act_sort, -1 },
	{ { "o", "columns: choose, sort" }, { 'o' }, act_menu, MENU_COLUMNS },
	{ { "R I", "reverse the order" }, { 'R', 'I' }, act_sort, 0 },
	{ { "Space P", "pause, go on" }, { ' ', 'P' }, act_pause, 0 },
	{ { "z", "sums from now on" }, { 'z' }, act_restart, 0 },
	{ { "u", "rates in bytes or bits" }, { 'u' }, act_units, 0 },
	{ { "H", "health: losses, verdict" }, { 'H' }, act_health, 0 },
	{ { "a", "idle rows as well" }, { 'a' }, act_idle, 0 },
	{ { "m", "ended rows as one" }, { 'm' }, act_apart, 0 },
	{ { "t", "tree of processes" }, { 't' }, act_tree, 0 },
	{ { "- +", "fold, unfold a branch" }, { '-' }, act_fold, 1 },
	{ { NULL, NULL }, { '+', '=' }, act_fold, 0 },
	{ { "_ *", "fold, unfold all" }, { '_' }, act_fold_all, 1 },
	{ { NULL, NULL }, { '*' }, act_fold_all, 0 },
	{ { "d", "ended rows: show, hide" }, { 'd' }, act_live, 0 },
	{ { "y Y", "copy the row, a cell" }, { 'y' }, act_copy, 0 },
	{ { NULL, NULL }, { 'Y' }, act_copy, 1 },
	{ { "K", "signal the process" }, { 'K' }, act_kill, 0 },
	{ { "X", "close the connection" }, { 'X' }, act_shut, 0 },
	{ { "T", "colours: next theme" }, { 'T' }, act_theme, 0 },
	{ { "M", "mouse: here, terminal's" }, { 'M' }, act_mouse, 0 },
	{ { "Ctrl-L", "draw the screen anew" }, { CTRL('l') }, act_redraw, 0 },
	{ { "? h F1", "columns; again: keys" }, { '?', 'h', FN(KEY_F(1)) }, act_help, 0 },
	{ { "q F10", "quit" }, { 'q', FN(KEY_F(10)) }, act_quit, 0 },
};

#define N_BINDINGS (sizeof(bindings) / sizeof(bindings[0]))

const struct key_help *keys_help(unsigned int i)
{
	size_t b;

	for (b = 0; b < N_BINDINGS; b++) {
		if (bindings[b].help.keys && i-- == 0)
			return &bindings[b].help;
	}
	return NULL;
}

static const struct binding *find(struct key key)
{
	int code = key.function ? FN((int)key.code) : (int)key.code;
	size_t b, k;

	for (b = 0; b < N_BINDINGS; b++) {
		for (k = 0; k < sizeof(bindings[b].keys) / sizeof(int) && bindings[b].keys[k];
		     k++) {
			if (bindings[b].keys[k] == code)
				return &bindings[b];
		}
	}
	return NULL;
}

/* Typing a filter. -1: not a key of the filter. */
static int edit(struct tui_model *m, struct key key)
{
	if (key.function && key.code == KEY_BTAB)
		return complete_tab(m, -1);
	if (key.function)
		return key.code == KEY_BACKSPACE ? nav_filter_rubout(m)
		       : key.code == KEY_ENTER	 ? nav_filter_end(m, true)
						 : -1;
	switch (key.code) {
	case '\r':
	case '\n':
		return nav_filter_end(m, true);
	case ESC:
		return nav_filter_end(m, false);
	case 0x7f:
	case '\b':
		return nav_filter_rubout(m);
	case CTRL('u'):
	case CTRL('w'):
		return nav_filter_clear(m);
	case '\t':
		return complete_tab(m, 1);
	case CTRL('l'):
		return MOVED_REDRAW;
	default:
		return nav_filter_add(m, (wchar_t)key.code);
	}
}

/* The help scrolls where it is longer than the screen, its own key turns the page; any other key closes it. */
static int leaf_help(struct tui_model *m, struct key key)
{
	const struct binding *b = find(key);

	if (b && b->act == act_redraw)
		return MOVED_REDRAW;
	if (b && (b->act == act_move || b->act == act_page)) {
		m->help_top += b->arg * (b->act == act_page ? 5 : 1);
		return MOVED_DRAW;
	}
	m->help = b && b->act == act_help && m->help == HELP_COLUMNS ? HELP_KEYS : HELP_NONE;
	m->help_top = 0;
	return MOVED_DRAW;
}

/* On the page of a connection there is no table to sort, filter or open anything of. */
static bool is_for_page(const struct binding *b)
{
	static int (*const acts[])(struct tui_model *, int) = {
		act_back,  act_view,  act_next_view, act_move,	 act_page, act_copy, act_theme,
		act_mouse, act_pause, act_units,     act_redraw, act_help, act_quit,
	};
	size_t i;

	for (i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (b->act == acts[i])
			return true;
	return false;
}

/* A list to choose from is open. */
static int choose(struct tui_model *m, struct key key)
{
	const struct binding *b = find(key);

	if (b && (b->act == act_move || b->act == act_page))
		return menu_move(m, b->arg * (b->act == act_page ? 5 : 1));
	if (b && b->act == act_redraw)
		return MOVED_REDRAW;
	if (b && b->act == act_drill)
		return menu_choose(m);
	return menu_letter(m, key.function ? 0 : (int)key.code);
}

int keys_handle(struct tui_model *m, struct key key)
{
	const struct binding *b;
	int moved;

	if (key.report == REPORT_GROUND) {
		m->ground = key.code ? GROUND_LIGHT : GROUND_DARK;
		return MOVED_THEME;
	}
	m->flash[0] = '\0';
	if (m->ask[0] && m->menu != MENU_SIGNAL)
		return key.report || key.function ? MOVED_NOT : act_answer(m, key.code == 'y');
	if (key.report == REPORT_MOUSE) {
		moved = mouse_handle(m, key);
		/* it may have gone to other rows, and to their text */
		if (m->editing)
			complete_look(m);
		return moved;
	}
	if (m->help)
		return leaf_help(m, key);
	if (m->menu)
		return choose(m, key);
	if (m->editing) {
		moved = edit(m, key);
		if (moved >= 0)
			return moved;
	}
	b = find(key);
	if (!b || (m->editing && b->act != act_move && b->act != act_page))
		return MOVED_DRAW; /* the flash is gone */
	if (m->detail.open && !is_for_page(b))
		return MOVED_DRAW;
	return b->act(m, b->arg);
}
