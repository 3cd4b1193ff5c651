/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view put together: model, grid and screen. Keys change the model, a snapshot fills it,
 * the grid takes a frame of it, the screen shows that. Each part is tested without the others.
 */
#include "tui/tui.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/netns.h"
#include "tui/grid.h"
#include "tui/keys.h"
#include "tui/model.h"
#include "tui/render.h"
#include "tui/screen.h"
#include "tui/settings.h"

/* Keys handled in one call: whoever holds a key down, or pastes a book, does not stop the loop. */
#define KEYS_A_CALL 256

struct tui {
	struct screen *screen;
	struct grid grid;
	struct tui_model model;
	bool have_rows; /* a first snapshot was taken */
	int (*act)(const struct tui_act *act, void *arg);
	void *act_arg;
	char kept[TUI_TEXT_MAX]; /* settings as they were when it began */
};

int tui_settings_check(const char *settings, char *err, size_t size)
{
	struct tui_model *m = calloc(1, sizeof(*m));
	int r = m ? settings_take(m, settings, false, false, err, size) : 0;

	free(m);
	return r;
}

/* A line that cannot be taken is left out, the rest holds; the caller tells why. */
static void take_settings(struct tui *t, const struct tui_opts *opts)
{
	char err[128];

	t->act = opts->act;
	t->act_arg = opts->act_arg;
	t->model.can_act = opts->act != NULL;
	t->model.elsewhere = opts->elsewhere;
	t->model.netns = netns_own();
	if (opts->settings && settings_take(&t->model, opts->settings, opts->kind_given,
					    opts->sort_given, err, sizeof(err)))
		(void)snprintf(t->model.flash, sizeof(t->model.flash), "settings: %.60s", err);
	t->model.health |= opts->health;
	t->model.idle |= opts->idle;
	if (t->model.health != opts->health)
		model_watch(&t->model);
	settings_text(&t->model, t->kept, sizeof(t->kept));
}

/* Settings that were changed; a view that only looked writes nothing. */
static void keep_settings(struct tui *t)
{
	struct tui_act a = { .what = TUI_ACT_KEEP };

	settings_text(&t->model, a.text, sizeof(a.text));
	if (t->act && strcmp(a.text, t->kept) != 0)
		(void)t->act(&a, t->act_arg);
}

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
	take_settings(t, opts);
	t->screen = screen_open(opts->no_color, err);
	if (!t->screen)
		return tui_free(t);
	if (t->model.theme || t->model.no_mouse) {
		screen_theme(t->screen, t->model.theme, t->model.ground);
		screen_mouse(t->screen, !t->model.no_mouse);
	}
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
	if (tui->screen)
		keep_settings(tui);
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

int tui_stop(struct tui *tui)
{
	screen_stop(tui->screen);
	return tui_resize(tui); /* nor need it be as large as it was */
}

int tui_retake(struct tui *tui)
{
	screen_retake(tui->screen);
	return tui_resize(tui);
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
		if (moved == MOVED_ACT)
			act_tell(&tui->model,
				 tui->act ? tui->act(&tui->model.act, tui->act_arg) : -EOPNOTSUPP);
		rows = rows || moved == MOVED_ROWS;
		draw = draw || moved != MOVED_NOT;
	}
	if (rows && r >= 0)
		r = snapshot(tui);
	if (draw)
		paint(tui);
	return r < 0 ? r : 0;
}
