/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view put together: model, grid and screen. Keys change the model, a snapshot fills it,
 * the grid takes a frame of it, the screen shows that. Each part is tested without the others.
 */
#include "tui/tui.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "tui/grid.h"
#include "tui/keys.h"
#include "tui/model.h"
#include "tui/render.h"
#include "tui/screen.h"

/* Keys handled in one call: whoever holds a key down, or pastes a book, does not stop the loop. */
#define KEYS_A_CALL 256

struct tui {
	struct screen *screen;
	struct grid grid;
	struct tui_model model;
	bool have_rows; /* a first snapshot was taken */
};

struct tui *tui_new(const struct tui_opts *opts, struct netprobe_manager *manager,
		    struct netprobe_error *err)
{
	struct tui *t = calloc(1, sizeof(*t));
	int r;

	if (!t) {
		(void)error_set(err, -ENOMEM, "no memory for the live view");
		return NULL;
	}
	model_init(&t->model, opts, manager);
	t->screen = screen_open(opts->no_color, err);
	if (!t->screen)
		return tui_free(t);
	r = screen_measure(t->screen, &t->grid);
	if (r < 0) {
		(void)error_set(err, r, "no memory for the live view");
		return tui_free(t);
	}
	return t;
}

struct tui *tui_free(struct tui *tui)
{
	if (!tui)
		return NULL;
	tui->screen = screen_close(tui->screen);
	grid_done(&tui->grid);
	model_done(&tui->model);
	free(tui);
	return NULL;
}

int tui_fd(const struct tui *tui)
{
	(void)tui;
	return STDIN_FILENO;
}

void tui_status(struct tui *tui, const struct tui_status *status)
{
	model_status(&tui->model, status);
}

static void paint(struct tui *tui)
{
	tui_render(&tui->grid, &tui->model);
	screen_draw(tui->screen, &tui->grid);
}

static int snapshot(struct tui *tui)
{
	int r = model_snapshot(&tui->model);

	if (r >= 0)
		tui->have_rows = true;
	return r;
}

int tui_draw(struct tui *tui)
{
	int r = 0;

	model_sample(&tui->model);
	if (!tui->model.paused || !tui->have_rows)
		r = snapshot(tui);
	paint(tui);
	return r;
}

int tui_resize(struct tui *tui)
{
	int r = screen_measure(tui->screen, &tui->grid);

	if (r < 0)
		return r;
	paint(tui);
	return 0;
}

static void copy(struct tui *tui)
{
	struct tui_model *m = &tui->model;
	bool sent = screen_copy(tui->screen, m->copy);

	(void)snprintf(m->flash, sizeof(m->flash), "%s%.40s",
		       sent ? "copied: " : "this terminal is not known to copy",
		       sent ? m->copy : "");
}

int tui_key(struct tui *tui)
{
	bool draw = false, rows = false;
	struct key key;
	int i, moved, r = 0;

	for (i = 0; i < KEYS_A_CALL; i++) {
		r = screen_key(tui->screen, &key);
		if (r <= 0)
			break;
		/* A key that acts on rows must see the ones the key before asked for; typed letters
		 * need none. */
		if (rows && !tui->model.editing) {
			r = snapshot(tui);
			if (r < 0)
				return r;
			rows = false;
		}
		moved = keys_handle(&tui->model, key);
		if (moved == MOVED_QUIT)
			return 1;
		if (moved == MOVED_REDRAW)
			screen_forget(tui->screen);
		if (moved == MOVED_THEME) {
			screen_theme(tui->screen, tui->model.theme, tui->model.ground);
			screen_mouse(tui->screen, !tui->model.no_mouse);
		}
		if (moved == MOVED_COPY)
			copy(tui);
		rows = rows || moved == MOVED_ROWS;
		draw = draw || moved != MOVED_NOT;
	}
	if (rows && r >= 0)
		r = snapshot(tui);
	if (draw)
		paint(tui);
	return r < 0 ? r : 0;
}
