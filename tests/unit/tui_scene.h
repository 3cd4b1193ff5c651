/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whole frames of the live view over a fake viewer, compared cell for cell with files under
 * tests/golden/tui: the text, and below it one letter per cell for its style. NETPROBE_GOLDEN names
 * the directory of golden files, NETPROBE_GOLDEN_UPDATE=1 writes them anew, to be read before they
 * are committed.
 */
#ifndef NETPROBE_TESTS_TUI_SCENE_H
#define NETPROBE_TESTS_TUI_SCENE_H

#include "tui/keys.h"
#include "tui/render.h"
#include "tui_fake.h"

struct scene {
	struct viewer *viewer;
	struct tui_model model;
	struct grid grid;
};

/* rows fills the viewer; NULL: none. UTF-8 until the test says otherwise. */
void scene_open(struct scene *s, void (*rows)(struct viewer *));
void scene_close(struct scene *s);
/* The same figures again, at a time of day that does not change. */
void scene_snapshot(struct scene *s);
void scene_press(struct scene *s, int code, bool function);
void scene_type(struct scene *s, const char *keys);
/* The frame as it is in a file; to be freed. */
char *scene_text(const struct grid *g);
void scene_expect(struct scene *s, int cols, int rows, const char *name);

#endif
