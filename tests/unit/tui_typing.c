/* SPDX-License-Identifier: BSD-2-Clause */
/* Expressions completed as they are typed, cells copied, sums begun anew: what keys and mouse do to the model. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curses.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "tui/column.h"
#include "tui/columns.h"
#include "tui/render.h"
#include "tui_scene.h"

static struct scene scene;

#define MODEL (&scene.model)
#define FILTER (model_level(MODEL)->filter)

static void rows(struct viewer *v)
{
	struct view_row *a = fake_process(v, "nginx", 1234, 3000, 100), *row;

	(void)fake_process(v, "ngrok", 77, 2000, 0);
	(void)fake_process(v, "big one", 78, 1000, 0);
	fake_row(v, NETPROBE_VIEW_INTERFACE, "eth0 unowned", 10, 0)->what = 1;
	row = fake_connection(v, a, "10.0.0.1", 1000, "10.0.0.9", 443, 200, 0);
	((struct flow *)row->flow)->tuple.state = 1;
	row = fake_connection(v, a, "10.0.0.1", 1001, "2001:db8::9", 80, 100, 0);
	((struct flow *)row->flow)->tuple.state = 7;
	((struct flow *)row->flow)->tuple.proto = 17;
	v->tx_bytes = 6000;
	v->retrans = 3;
}

static int setup(void **state)
{
	(void)state;
	scene_open(&scene, rows);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	scene_close(&scene);
	return 0;
}

static void tab(void)
{
	scene_press(&scene, '\t', false);
}

static bool offered(const char *word)
{
	for (unsigned int i = 0; i < MODEL->complete.n; i++)
		if (!strcmp(MODEL->complete.words[i], word))
			return true;
	return false;
}

static void assert_place(const char *text, size_t begin, bool value, const char *field)
{
	struct complete_place p;

	complete_parse(text, &p);
	assert_int_equal(p.begin, begin);
	assert_int_equal(p.value, value);
	assert_string_equal(p.field, field);
}

static void the_end_of_a_text_is_a_field_or_a_value(void **state)
{
	(void)state;
	assert_place("", 0, false, "");
	assert_place("ng", 0, false, "");
	assert_place("comm", 0, false, "");
	assert_place("comm=", 5, true, "comm");
	assert_place("comm!=ng", 6, true, "comm");
	assert_place("comm = ng", 7, true, "comm");
	assert_place("comm =", 6, true, "comm");
	assert_place("port=80,44", 8, true, "port");
	assert_place("comm:x sta", 7, false, "");
	assert_place("not (comm:x or sta", 15, false, "");
	assert_place("comm=\"a b", 5, true, "comm");
	assert_place("comm=\"a \\\" b\" rt", 14, false, "");
	assert_place("raddr=2001:db8::", 6, true, "raddr");
	assert_place("~^ng", 0, false, "");
	assert_place("(", 1, false, "");
}

static void a_field_is_completed_then_its_operators_then_its_values(void **state)
{
	(void)state;
	scene_type(&scene, "2/tran");
	assert_true(offered("transport"));
	tab();
	assert_string_equal(FILTER, "transport");
	assert_true(offered("transport="));
	assert_true(offered("transport!="));
	assert_false(offered("transport<"));
	scene_type(&scene, "=");
	assert_true(offered("tcp"));
	assert_true(offered("udp"));
	scene_type(&scene, "u");
	tab();
	assert_string_equal(FILTER, "transport=udp");
	assert_int_equal(MODEL->n_shown, 1);
	assert_null(strstr(MODEL->filter.wrong, "nothing"));
}

static void tab_goes_round_and_back(void **state)
{
	(void)state;
	scene_type(&scene, "/comm:");
	assert_int_equal(MODEL->complete.n, 3);
	tab();
	assert_string_equal(FILTER, "comm:nginx");
	tab();
	assert_string_equal(FILTER, "comm:ngrok");
	tab();
	assert_string_equal(FILTER, "comm:\"big one\"");
	assert_int_equal(MODEL->n_shown, 1);
	assert_string_equal(model_row(MODEL)->name, "big one");
	tab();
	assert_string_equal(FILTER, "comm:nginx");
	scene_press(&scene, KEY_BTAB, true);
	assert_string_equal(FILTER, "comm:\"big one\"");
}

static void no_more_rows_are_shown_than_were_asked_for(void **state)
{
	size_t all;

	(void)state;
	assert_int_equal(model_snapshot(MODEL), 0);
	all = MODEL->n_shown;
	assert_true(all > 2);
	MODEL->limit = 2;
	assert_int_equal(model_snapshot(MODEL), 0);
	assert_int_equal(MODEL->n_shown, 2);
	scene_type(&scene, "G");
	assert_int_equal(model_level(MODEL)->cursor, 1);
	MODEL->limit = 0;
	assert_int_equal(model_snapshot(MODEL), 0);
	assert_int_equal(MODEL->n_shown, all);
}

static void what_all_have_in_common_comes_first(void **state)
{
	(void)state;
	scene_type(&scene, "/comm=n");
	tab();
	assert_string_equal(FILTER, "comm=ng");
	tab();
	assert_string_equal(FILTER, "comm=nginx");
	scene_type(&scene, " an");
	tab();
	assert_string_equal(FILTER, "comm=nginx and");
}

static void values_are_those_of_the_rows_there_are(void **state)
{
	(void)state;
	scene_type(&scene, "2/raddr=2");
	tab();
	assert_string_equal(FILTER, "raddr=2001:db8::9");
	assert_int_equal(MODEL->n_shown, 1);
	scene_type(&scene, "\x1b/rport=");
	assert_true(offered("443"));
	assert_true(offered("80"));
	scene_type(&scene, "4");
	tab();
	assert_string_equal(FILTER, "rport=443");
	/* what is measured has no values worth a list */
	scene_type(&scene, "\x1b/srtt_us>");
	assert_int_equal(MODEL->complete.n, 0);
	/* paused, of the rows that are kept */
	scene_type(&scene, "\x1b /state=");
	scene.viewer->n[NETPROBE_VIEW_CONNECTION] = 0;
	scene_type(&scene, "E");
	tab();
	assert_string_equal(FILTER, "state=ESTABLISHED");
}

/* Offers only ever are what the language takes: each of them, with a value, is an expression. */
static void every_offer_is_taken(void **state)
{
	static const char *const values[] = {
		"1",	   "x",	 "10.0.0.1", "true",   "tcp",  "ipv4",
		"unowned", "up", "half",     "LISTEN", "loss", "exact"
	};

	(void)state;
	for (uint32_t kind = 0; kind < NETPROBE_VIEW_MAX; kind++) {
		const char *field;

		for (unsigned int i = 0; (field = netprobe_expr_field(kind, i)); i++) {
			char ops[32], *save, *op;

			assert_non_null(netprobe_expr_operators(kind, field));
			(void)snprintf(ops, sizeof(ops), "%s",
				       netprobe_expr_operators(kind, field));
			for (op = strtok_r(ops, " ", &save); op; op = strtok_r(NULL, " ", &save)) {
				bool taken = false;

				for (size_t v = 0; v < sizeof(values) / sizeof(values[0]); v++) {
					struct netprobe_expr *x = NULL;
					char text[128];

					(void)snprintf(text, sizeof(text), "%s%s%s", field, op,
						       values[v]);
					taken |= !netprobe_expr_new(&x, text, kind, NULL);
					(void)netprobe_expr_free(x);
				}
				if (!taken)
					fail_msg("%s%s is taken with no value", field, op);
			}
		}
	}
}

static void offers_are_drawn_behind_the_cursor(void **state)
{
	char *text;

	(void)state;
	scene_type(&scene, "/comm:");
	assert_int_equal(grid_resize(&scene.grid, 24, 80), 0);
	tui_render(&scene.grid, MODEL);
	text = scene_text(&scene.grid);
	assert_non_null(strstr(text, "/comm:  Tab nginx  ngrok  \"big one\""));
	free(text);
}

/* A name with quotes in it, or that is a word of the language, is found by what is offered for it. */
static void names_are_quoted_where_they_must_be(void **state)
{
	static const char *const names[] = { "a \"b\" c",   "and",	   "null", "x=y", "(z)",
					     "back\\slash", "caf\xc3\xa9", "a,b",  "~q" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct netprobe_row row = { .size = sizeof(row), .comm = names[i], .group = "" };
		struct netprobe_expr *x = NULL;
		char value[64], text[96];

		assert_int_equal(netprobe_expr_value(NETPROBE_VIEW_PROCESS, "comm", &row, 0, value,
						     sizeof(value)),
				 0);
		(void)snprintf(text, sizeof(text), "comm=%s", value);
		assert_int_equal(netprobe_expr_new(&x, text, NETPROBE_VIEW_PROCESS, NULL), 0);
		assert_int_equal(netprobe_expr_row(x, &row), 1);
		(void)netprobe_expr_free(x);
	}
}

static int cell_of(const char *title)
{
	const struct column *c;

	for (int i = 1; (c = column_of(model_level(MODEL)->kind, MODEL->health, i)); i++)
		if (!strcmp(c->title, title))
			return i;
	fail_msg("no column %s", title);
	return 0;
}

static void any_cell_is_copied_from_a_list(void **state)
{
	struct key enter = { '\r', false }, copy = { 'Y', false };

	(void)state;
	scene_type(&scene, "j");
	assert_int_equal(keys_handle(MODEL, copy), MOVED_DRAW);
	assert_int_equal(MODEL->menu, MENU_COPY);
	assert_int_equal(keys_handle(MODEL, enter), MOVED_COPY);
	assert_string_equal(MODEL->copy, "ngrok");
	(void)keys_handle(MODEL, copy);
	MODEL->menu_at = cell_of("PID");
	assert_int_equal(keys_handle(MODEL, enter), MOVED_COPY);
	assert_string_equal(MODEL->copy, "77");
	assert_int_equal(MODEL->menu, MENU_NONE);
	/* another key closes it, and copies nothing */
	MODEL->copy[0] = '\0';
	(void)keys_handle(MODEL, copy);
	assert_int_equal(keys_handle(MODEL, (struct key){ 'n', false }), MOVED_DRAW);
	assert_string_equal(MODEL->copy, "");
	assert_int_equal(MODEL->menu, MENU_NONE);
}

/* The row that was chosen, wherever the next interval puts it. */
static void the_list_of_cells_is_of_one_row(void **state)
{
	(void)state;
	scene_type(&scene, "Y");
	scene.viewer->rows[NETPROBE_VIEW_PROCESS][1].tx_rate = 99999;
	scene_snapshot(&scene);
	assert_int_equal(keys_handle(MODEL, (struct key){ '\r', false }), MOVED_COPY);
	assert_string_equal(MODEL->copy, "nginx");
}

static void the_right_button_copies_what_is_under_it(void **state)
{
	struct key key = { .report = REPORT_MOUSE, .code = 2 };
	struct columns c;

	(void)state;
	assert_int_equal(grid_resize(&scene.grid, 24, 80), 0);
	tui_render(&scene.grid, MODEL);
	columns_fit(&c, NETPROBE_VIEW_PROCESS, false, 0, 80);
	for (int i = 0; i < c.n; i++) {
		if (strcmp(c.col[i]->title, "PID") != 0)
			continue;
		key.x = c.x[i] + 1;
		key.y = MODEL->table_y + 2;
		assert_int_equal(keys_handle(MODEL, key), MOVED_COPY);
		assert_string_equal(MODEL->copy, "78");
	}
	key.y = MODEL->table_y + 9; /* below the rows */
	assert_int_equal(keys_handle(MODEL, key), MOVED_NOT);
	key.y = MODEL->titles_y;
	assert_int_equal(keys_handle(MODEL, key), MOVED_NOT);
}

/* What is offered is of the view that the mouse went to, and not of the one before. */
static void the_mouse_takes_what_is_typed_to_another_view(void **state)
{
	struct key click = { .report = REPORT_MOUSE };

	(void)state;
	assert_int_equal(grid_resize(&scene.grid, 24, 120), 0);
	scene_type(&scene, "/link.st");
	assert_false(offered("link.state"));
	tui_render(&scene.grid, MODEL);
	click.y = MODEL->tabs_y;
	while (click.x < 120 && tabs_at(MODEL, 120, click.x) != NETPROBE_VIEW_INTERFACE)
		click.x++;
	assert_int_equal(keys_handle(MODEL, click), MOVED_ROWS);
	assert_int_equal(model_level(MODEL)->kind, NETPROBE_VIEW_INTERFACE);
	assert_string_equal(FILTER, "link.st");
	assert_true(offered("link.state"));
	tab();
	assert_string_equal(FILTER, "link.state");
}

static void what_no_socket_moved_opens_nothing(void **state)
{
	(void)state;
	scene_type(&scene, "5\r");
	assert_int_equal(MODEL->depth, 0);
	assert_non_null(strstr(MODEL->flash, "no socket"));
}

/* The time is said from then on; of a row that moved nothing since there is none. */
static void sums_begin_anew_and_it_is_said(void **state)
{
	char *text;

	(void)state;
	scene_type(&scene, "z");
	assert_true(MODEL->is_since);
	assert_non_null(strstr(MODEL->flash, "sums begin now"));
	assert_int_equal(MODEL->totals.tx_bytes, 0);
	assert_int_equal(MODEL->totals.retrans, 0);
	MODEL->since = (struct tm){ .tm_hour = 9, .tm_min = 8, .tm_sec = 7 };
	MODEL->taken = MODEL->since;
	for (int cols = 80; cols <= 200; cols += 40) {
		assert_int_equal(grid_resize(&scene.grid, 24, cols), 0);
		tui_render(&scene.grid, MODEL);
		text = scene_text(&scene.grid);
		assert_non_null(strstr(text, "sums since 09:08:07"));
		free(text);
	}
	MODEL->since.tm_yday = 3;
	MODEL->since.tm_mon = 0;
	MODEL->since.tm_mday = 4;
	tui_render(&scene.grid, MODEL);
	text = scene_text(&scene.grid);
	assert_non_null(strstr(text, "sums since 01-04 09:08"));
	free(text);
}

static void paused_figures_do_not_begin_anew(void **state)
{
	(void)state;
	scene_type(&scene, " z");
	assert_false(MODEL->is_since);
	assert_non_null(strstr(MODEL->flash, "paused"));
	assert_true(scene.viewer->tx_bytes != 0);
}

#define SCENE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_end_of_a_text_is_a_field_or_a_value),
		SCENE_TEST(a_field_is_completed_then_its_operators_then_its_values),
		SCENE_TEST(no_more_rows_are_shown_than_were_asked_for),
		SCENE_TEST(tab_goes_round_and_back),
		SCENE_TEST(what_all_have_in_common_comes_first),
		SCENE_TEST(values_are_those_of_the_rows_there_are),
		cmocka_unit_test(every_offer_is_taken),
		SCENE_TEST(offers_are_drawn_behind_the_cursor),
		cmocka_unit_test(names_are_quoted_where_they_must_be),
		SCENE_TEST(any_cell_is_copied_from_a_list),
		SCENE_TEST(the_list_of_cells_is_of_one_row),
		SCENE_TEST(the_right_button_copies_what_is_under_it),
		SCENE_TEST(the_mouse_takes_what_is_typed_to_another_view),
		SCENE_TEST(what_no_socket_moved_opens_nothing),
		SCENE_TEST(sums_begin_anew_and_it_is_said),
		SCENE_TEST(paused_figures_do_not_begin_anew),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		(void)fputs("SKIP: no locale C.UTF-8, widths of characters are unknown\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
