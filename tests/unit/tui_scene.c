/* SPDX-License-Identifier: BSD-2-Clause */
/* Scenes of the live view (see tui_scene.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui_scene.h"

void scene_snapshot(struct scene *s)
{
	assert_int_equal(model_snapshot(&s->model), 0);
	s->model.taken = (struct tm){ .tm_hour = 12, .tm_min = 34, .tm_sec = 56 };
	if (s->model.detail.age_s > 0)
		s->model.detail.age_s = 3723;
}

void scene_open(struct scene *s, void (*rows)(struct viewer *))
{
	static const struct tui_opts opts = {
		.interval_s = 1, .sort = NETPROBE_SORT_RATE, .mode = "ebpf", .host = "web-3"
	};
	static const struct tui_status status = { .programs = 22,
						  .uptime_s = 754,
						  .hook = "tracepoint" };

	memset(s, 0, sizeof(*s));
	s->viewer = fake_new();
	assert_non_null(s->viewer);
	if (rows)
		rows(s->viewer);
	model_init(&s->model, &opts, fake_manager(s->viewer));
	model_status(&s->model, &status);
	s->grid.utf8 = true;
	s->grid.glyphs = &glyphs_utf8;
	scene_snapshot(s);
}

void scene_close(struct scene *s)
{
	model_done(&s->model);
	grid_done(&s->grid);
	fake_free(s->viewer);
}

void scene_press(struct scene *s, int code, bool function)
{
	struct key key = { (wint_t)code, function };

	if (keys_handle(&s->model, key) == MOVED_ROWS)
		scene_snapshot(s);
}

void scene_type(struct scene *s, const char *keys)
{
	for (; *keys; keys++)
		scene_press(s, *keys, false);
}

char *scene_text(const struct grid *g)
{
	static const char letter[] = ".bdhsSxtrgwLTkudi";
	char *text = NULL;
	size_t size;
	FILE *f = open_memstream(&text, &size);
	int y, x, m;

	_Static_assert(sizeof(letter) == STYLE_MAX + 1, "a letter for each style");
	assert_non_null(f);
	for (y = 0; y < g->rows; y++) {
		for (x = 0; x < g->cols; x++) {
			char mb[MB_LEN_MAX + 1];

			for (m = 0; m <= GRID_MARKS && grid_at(g, y, x)->ch[m]; m++) {
				int n = wctomb(mb, grid_at(g, y, x)->ch[m]);

				assert_true(n > 0);
				(void)fwrite(mb, 1, (size_t)n, f);
			}
		}
		(void)fputs("|\n", f);
	}
	for (y = 0; y < g->rows; y++) {
		for (x = 0; x < g->cols; x++)
			(void)fputc(letter[grid_at(g, y, x)->style], f);
		(void)fputc('\n', f);
	}
	(void)fclose(f);
	return text;
}

static void slurp(const char *path, char *to, size_t size)
{
	FILE *f = fopen(path, "r");
	size_t n;

	if (!f)
		fail_msg("%s: %s", path, strerror(errno));
	n = fread(to, 1, size - 1, f);
	to[n] = '\0';
	(void)fclose(f);
}

void scene_expect(struct scene *s, int cols, int rows, const char *name)
{
	static char want[1 << 20];
	const char *dir = getenv("NETPROBE_GOLDEN");
	char path[512], *got;
	FILE *f;

	assert_int_equal(grid_resize(&s->grid, rows, cols), 0);
	tui_render(&s->grid, &s->model);
	got = scene_text(&s->grid);
	(void)snprintf(path, sizeof(path), "%s/tui/%s.txt", dir ? dir : "tests/golden", name);
	if (getenv("NETPROBE_GOLDEN_UPDATE")) {
		f = fopen(path, "w");
		assert_non_null(f);
		(void)fputs(got, f);
		(void)fclose(f);
	}
	slurp(path, want, sizeof(want));
	if (strcmp(got, want) != 0)
		fail_msg("%s differs; drawn now:\n%s", path, got);
	free(got);
}
