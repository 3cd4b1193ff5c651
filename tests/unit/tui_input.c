/* SPDX-License-Identifier: BSD-2-Clause */
/* What a terminal sends beside keys: the mouse, its ground, and what is broken. And how colours are chosen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curses.h>
#include <stdlib.h>
#include <string.h>

#include "tui/input.h"
#include "tui/mouse.h"
#include "tui/render.h"
#include "tui/theme.h"
#include "tui_fake.h"

static struct input in;
static struct key got[8192];
static size_t n_got;

static void feed(const char *bytes)
{
	struct key key;

	n_got = 0;
	for (; *bytes; bytes++) {
		bool has = input_feed(&in, (struct key){ .code = (unsigned char)*bytes }, &key);

		for (; has; has = input_next(&in, &key))
			got[n_got++] = key;
	}
	if (input_pause(&in, &key))
		got[n_got++] = key;
}

static void assert_keys(const char *want)
{
	assert_int_equal(n_got, strlen(want));
	for (size_t i = 0; i < n_got; i++) {
		assert_int_equal(got[i].code, want[i]);
		assert_int_equal(got[i].report, REPORT_NONE);
	}
}

static void keys_pass_as_they_are(void **state)
{
	struct key key;

	(void)state;
	feed("qj?\x1b");
	assert_keys("qj?\x1b");
	feed("\x1b\x1bq");
	assert_keys("\x1b\x1bq");
	feed("\x1bx");
	assert_keys("\x1bx");
	assert_true(input_feed(&in, (struct key){ .code = KEY_UP, .function = true }, &key));
	assert_true(key.function);
}

static void the_mouse_is_read(void **state)
{
	(void)state;
	feed("\x1b[<0;12;5M");
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].report, REPORT_MOUSE);
	assert_int_equal(got[0].code, 0);
	assert_int_equal(got[0].x, 11);
	assert_int_equal(got[0].y, 4);
	feed("\x1b[<0;12;5m"); /* let go */
	assert_int_equal(n_got, 0);
	feed("\x1b[<65;1;1Mq");
	assert_int_equal(n_got, 2);
	assert_int_equal(got[0].code, 65);
}

static void the_ground_is_read(void **state)
{
	(void)state;
	assert_int_equal(input_ground("11;rgb:ffff/ffff/ffff"), 1);
	assert_int_equal(input_ground("11;rgb:0000/0000/0000"), 0);
	assert_int_equal(input_ground("11;rgb:1e/1e/2e"), 0);
	assert_int_equal(input_ground("11;rgba:fdfd/f6f6/e3e3/ffff"), 1);
	assert_int_equal(input_ground("11;rgb:f/f/f"), 1);
	assert_int_equal(input_ground("11;rgb:fffff/0/0"), -1);
	assert_int_equal(input_ground("11;rgb:ff/ff"), -1);
	assert_int_equal(input_ground("11;rgb://"), -1);
	assert_int_equal(input_ground("11;rgb:ff/ff/ffq"), -1);
	assert_int_equal(input_ground("10;rgb:ff/ff/ff"), -1);
	assert_int_equal(input_ground(""), -1);
	feed("\x1b]11;rgb:ffff/ffff/ffff\x07");
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].report, REPORT_GROUND);
	assert_int_equal(got[0].code, 1);
	feed("\x1b]11;rgb:0/0/0\x1b\\q");
	assert_int_equal(n_got, 2);
	assert_int_equal(got[0].code, 0);
}

/* No byte of an answer is a key, whoever made it and however it ends. */
static void hostile_answers_press_no_key(void **state)
{
	static char flood[8000];

	(void)state;
	feed("\x1b]52;c;qqqq\x07");
	assert_keys("");
	feed("\x1b]11;rgb:qqqq/qqqq/qqqq\x1b\\");
	assert_keys("");
	feed("\x1bPq+q\x1b\\\x1b_q\x1b\\\x1b^q\x07");
	assert_keys("");
	feed("\x1b[<0;999999;1M\x1b[<0;0;0M\x1b[<;;M\x1b[<0;1M\x1b[?62;1;4c\x1b[200~");
	assert_keys("");
	feed("\x1b[<18446744073709551616;1;1M");
	assert_true(n_got == 0 || got[0].report == REPORT_MOUSE);
	feed("\x1b]11;rgb:q\x1b]11;rgb:ff/ff/ff\x07"); /* cut off by the next one */
	assert_int_equal(n_got, 1);
	assert_int_equal(got[0].report, REPORT_GROUND);
	/* one that never ends is given up, so that the user is heard again */
	memset(flood, 'q', sizeof(flood) - 1);
	memcpy(flood, "\x1b]", 2);
	feed(flood);
	assert_true(n_got > 0 && n_got < sizeof(flood) - INPUT_MOST + 8);
}

static void the_mouse_points_at_rows_tabs_and_titles(void **state)
{
	static const struct tui_opts opts = { .sort = NETPROBE_SORT_RATE };
	struct grid g = { .utf8 = true, .glyphs = &glyphs_utf8 };
	struct viewer *v = fake_new();
	struct tui_model m;
	struct key click = { .report = REPORT_MOUSE };

	(void)state;
	for (uint32_t i = 0; i < 30; i++)
		(void)fake_process(v, "p", 1 + i, (float)(100 - i), 0);
	model_init(&m, &opts, fake_manager(v));
	assert_int_equal(model_snapshot(&m), 0);
	assert_int_equal(grid_resize(&g, 24, 80), 0);
	tui_render(&g, &m);
	click.y = m.table_y + 3;
	assert_int_equal(mouse_handle(&m, click), MOVED_DRAW);
	assert_int_equal(model_row(&m)->pid, 4);
	assert_int_equal(mouse_handle(&m, click), MOVED_ROWS); /* again: opened */
	assert_int_equal(m.depth, 1);
	click.y = m.tabs_y;
	assert_int_equal(mouse_handle(&m, click), MOVED_ROWS); /* back by the way */
	assert_int_equal(m.depth, 0);
	assert_int_equal(model_snapshot(&m), 0);
	click.x = 10;
	(void)mouse_handle(&m, click);
	assert_int_equal(model_level(&m)->kind, NETPROBE_VIEW_CONNECTION);
	click.x = 1;
	(void)mouse_handle(&m, click);
	assert_int_equal(model_level(&m)->kind, NETPROBE_VIEW_PROCESS);
	assert_int_equal(model_snapshot(&m), 0);
	click.y = m.titles_y;
	click.x = 2;
	(void)mouse_handle(&m, click);
	assert_int_equal(m.sort, NETPROBE_SORT_NAME);
	assert_false(m.reverse);
	(void)mouse_handle(&m, click);
	assert_true(m.reverse);
	click.code = 65;
	(void)mouse_handle(&m, click);
	assert_int_equal(model_level(&m)->cursor, 3);
	click.code = 0;
	click.y = 4000;
	assert_int_equal(mouse_handle(&m, click), MOVED_NOT);
	model_done(&m);
	grid_done(&g);
	fake_free(v);
}

static double channel(int v)
{
	double x = v / 255.0;

	return x <= 0.03928 ? x / 12.92 : __builtin_pow((x + 0.055) / 1.055, 2.4);
}

/* Of the 256. */
static double luminance(short c)
{
	static const int level[6] = { 0, 95, 135, 175, 215, 255 };
	int r, g, b;

	if (c >= 232) {
		r = g = b = 8 + 10 * (c - 232);
	} else {
		r = level[(c - 16) / 36];
		g = level[(c - 16) / 6 % 6];
		b = level[(c - 16) % 6];
	}
	return 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
}

static void themes_can_be_read_on_their_ground(void **state)
{
	(void)state;
	for (int light = 0; light < 2; light++)
		for (int style = 0; style < STYLE_MAX; style++) {
			struct look l = theme_look(THEME_AUTO, light ? GROUND_LIGHT : GROUND_DARK,
						   256, (enum style)style, SHADES - 1);
			double fg = l.fg < 0 ? (light ? 0 : 1) : luminance(l.fg);
			double bg = l.bg < 0 ? (light ? 1 : 0.012) : luminance(l.bg), t;

			if (fg < bg) {
				t = fg;
				fg = bg;
				bg = t;
			}
			/* what is gone may be paler */
			if ((fg + 0.05) / (bg + 0.05) < (style == STYLE_EXITED ? 2.9 : 3.4))
				fail_msg("style %d, %s: contrast %.2f", style,
					 light ? "light" : "dark", (fg + 0.05) / (bg + 0.05));
		}
	assert_int_equal(theme_look(THEME_DARK, 0, 8, STYLE_TX, 0).fg, 3);
	assert_int_equal(theme_look(THEME_LIGHT, 0, 16, STYLE_TX, 0).fg, 4);
	assert_int_equal(theme_look(THEME_NONE, 0, 256, STYLE_TX, 0).fg, -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_pass_as_they_are),
		cmocka_unit_test(the_mouse_is_read),
		cmocka_unit_test(the_ground_is_read),
		cmocka_unit_test(hostile_answers_press_no_key),
		cmocka_unit_test(the_mouse_points_at_rows_tabs_and_titles),
		cmocka_unit_test(themes_can_be_read_on_their_ground),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
