/* SPDX-License-Identifier: BSD-2-Clause */
/* What keys do to the live view: cursor, views, drills, filter, pause. No frame is drawn here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curses.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/column.h"
#include "tui/keys.h"
#include "tui/settings.h"
#include "tui_fake.h"

static struct viewer *viewer;
static struct tui_model model;

static int setup(void **state)
{
	static const struct tui_opts opts = { .sort = NETPROBE_SORT_RATE };
	struct view_row *a, *b;

	(void)state;
	viewer = fake_new();
	if (!viewer)
		return -1;
	a = fake_process(viewer, "alpha", 10, 300, 0);
	b = fake_process(viewer, "beta", 20, 200, 0);
	(void)fake_process(viewer, "gamma", 30, 100, 0);
	(void)fake_connection(viewer, a, "10.0.0.1", 1000, "10.0.0.9", 80, 200, 0);
	(void)fake_connection(viewer, a, "10.0.0.1", 1001, "10.0.0.8", 80, 100, 0);
	(void)fake_connection(viewer, b, "10.0.0.1", 1002, "10.0.0.9", 80, 200, 0);
	(void)fake_remote(viewer, "10.0.0.9", 400, 0);
	(void)fake_row(viewer, NETPROBE_VIEW_INTERFACE, "eth0", 600, 0);
	(void)fake_container(viewer, "/", NULL, 10, 0);
	model_init(&model, &opts, fake_manager(viewer));
	model.page = 2;
	return model_snapshot(&model);
}

static int teardown(void **state)
{
	(void)state;
	model_done(&model);
	fake_free(viewer);
	return 0;
}

static int press_key(int code, bool function)
{
	struct key key = { (wint_t)code, function };
	int moved = keys_handle(&model, key);

	if (moved == MOVED_ROWS)
		assert_int_equal(model_snapshot(&model), 0);
	return moved;
}

static void type(const char *keys)
{
	for (; *keys; keys++)
		(void)press_key(*keys, false);
}

static void assert_at(const char *name)
{
	assert_non_null(model_row(&model));
	assert_string_equal(model_row(&model)->name, name);
}

static void cursor_stays_on_the_first_line_until_it_is_moved(void **state)
{
	(void)state;
	assert_at("alpha");
	viewer->rows[NETPROBE_VIEW_PROCESS][1].tx_rate = 1000;
	assert_int_equal(model_snapshot(&model), 0);
	assert_at("beta");
}

static void cursor_follows_its_row(void **state)
{
	(void)state;
	type("j");
	assert_at("beta");
	viewer->rows[NETPROBE_VIEW_PROCESS][2].tx_rate = 5000;
	viewer->rows[NETPROBE_VIEW_PROCESS][0].tx_rate = 1;
	assert_int_equal(model_snapshot(&model), 0);
	assert_at("beta");
	assert_int_equal(model_level(&model)->cursor, 1);
	viewer->rows[NETPROBE_VIEW_PROCESS][1].tx_rate = 9999;
	assert_int_equal(model_snapshot(&model), 0);
	assert_at("beta");
	assert_int_equal(model_level(&model)->cursor, 0);
}

static void cursor_stays_in_place_when_its_row_goes(void **state)
{
	(void)state;
	type("G");
	assert_at("gamma");
	viewer->n[NETPROBE_VIEW_PROCESS] = 1;
	assert_int_equal(model_snapshot(&model), 0);
	assert_at("alpha");
	viewer->n[NETPROBE_VIEW_PROCESS] = 0;
	assert_int_equal(model_snapshot(&model), 0);
	assert_null(model_row(&model));
	type("jkGg\r");
	assert_null(model_row(&model));
}

static void cursor_stops_at_both_ends(void **state)
{
	(void)state;
	type("kkk");
	assert_at("alpha");
	(void)press_key(KEY_NPAGE, true);
	(void)press_key(KEY_NPAGE, true);
	(void)press_key(KEY_DOWN, true);
	assert_at("gamma");
	(void)press_key(KEY_HOME, true);
	assert_at("alpha");
}

static void keys_switch_views(void **state)
{
	static const char letter[] = "pcCri6780\t9";
	int i;

	(void)state;
	for (i = 0; i <= NETPROBE_VIEW_LISTEN; i++) {
		(void)press_key(letter[i], false);
		assert_int_equal(model_level(&model)->kind, i);
	}
	type("\t");
	assert_int_equal(model_level(&model)->kind, NETPROBE_VIEW_POD);
	(void)press_key(KEY_BTAB, true);
	assert_int_equal(model_level(&model)->kind, NETPROBE_VIEW_LISTEN);
	type("b");
	assert_int_equal(model.menu, MENU_BY);
	(void)press_key(KEY_UP, true);
	type("\r");
	assert_int_equal(model.menu, MENU_NONE);
	assert_int_equal(model_level(&model)->kind, NETPROBE_VIEW_UNIT);
	type("b7");
	assert_int_equal(model_level(&model)->kind, NETPROBE_VIEW_USER);
	type("2");
	assert_int_equal(model_level(&model)->kind, NETPROBE_VIEW_CONNECTION);
}

static void process_opens_into_its_connections_and_back(void **state)
{
	(void)state;
	type("j\r");
	assert_int_equal(model_level(&model)->kind, NETPROBE_VIEW_CONNECTION);
	assert_int_equal(model.n_shown, 1);
	assert_at("10.0.0.1:1002 > 10.0.0.9:80");
	assert_string_equal(model_row(&model)->owner, "beta[20]");
	assert_string_equal(model_level(&model)->title, "beta[20]");
	type("\r"); /* a page, not a level */
	assert_int_equal(model.depth, 1);
	assert_true(model.detail.open);
	type("\x1b");
	assert_false(model.detail.open);
	type("\x1b");
	assert_int_equal(model.depth, 0);
	assert_at("beta");
	type("\x1b");
	assert_int_equal(model.depth, 0);
}

static void remotes_and_interfaces_open_too(void **state)
{
	(void)state;
	type("4\r");
	assert_int_equal(model.n_shown, 2);
	assert_int_equal(press_key(KEY_LEFT, true), MOVED_ROWS);
	type("5\r");
	assert_int_equal(model.n_shown, 3);
	type("4\r"); /* remotes of that interface, then their connections */
	assert_int_equal(model.depth, 2);
	assert_int_equal(model.n_shown, 2);
}

static void drill_into_a_process_that_ended_says_so(void **state)
{
	(void)state;
	type("\r");
	assert_false(model.gone);
	viewer->rows[NETPROBE_VIEW_PROCESS][0] = viewer->rows[NETPROBE_VIEW_PROCESS][2];
	assert_int_equal(model_snapshot(&model), 0);
	assert_true(model.gone);
	assert_int_equal(model.n_shown, 0);
	type("\x1b");
	assert_false(model.gone);
	assert_true(model.n_shown > 0);
}

static void rest_row_keeps_its_name_and_does_not_open(void **state)
{
	struct view_row *rest = fake_row(viewer, NETPROBE_VIEW_PROCESS, "ended processes", 900, 0);

	(void)state;
	rest->rest = true;
	assert_int_equal(model_snapshot(&model), 0);
	assert_at("ended processes");
	type("\r");
	assert_int_equal(model.depth, 0);
	assert_true(model.flash[0]);
}

static void drills_are_bounded(void **state)
{
	int i;

	(void)state;
	for (i = 0; i < 3 * TUI_DEPTH; i++)
		type("1\r");
	assert_int_equal(model.depth, TUI_DEPTH - 1);
	assert_true(model.flash[0]);
}

static void filter_acts_as_it_is_typed(void **state)
{
	(void)state;
	type("/be");
	assert_true(model.editing);
	assert_int_equal(model.n_shown, 1);
	assert_at("beta");
	type("q1\x7f\x7f\x7f"); /* letters are text now, not keys */
	assert_string_equal(model_level(&model)->filter, "b");
	type("\r");
	assert_false(model.editing);
	assert_string_equal(model_level(&model)->filter, "b");
	type("\x1b");
	assert_int_equal(model.n_shown, 3);
	type("/zz\x1b");
	assert_false(model.editing);
	assert_string_equal(model_level(&model)->filter, "");
	assert_int_equal(model.n_shown, 3);
}

static void filter_is_an_expression_and_the_last_one_holds_while_typed(void **state)
{
	(void)state;
	type("/comm=bet");
	assert_int_equal(model.n_shown, 0);
	type("a");
	assert_int_equal(model.n_shown, 1);
	assert_at("beta");
	assert_string_equal(model.filter.wrong, "");
	type(" tx_bytes_per_s>");
	assert_non_null(strstr(model.filter.wrong, "column 26: nothing behind tx_bytes_per_s"));
	type("1GB/s");
	assert_int_equal(model.n_shown, 0);
	assert_string_equal(model.filter.wrong, "");
	type("\r\x1b/iface=eth0\r");
	assert_non_null(strstr(model.filter.wrong, "a row by process has no iface"));
	/* of other rows the one before is none either: they are all shown, and it is said */
	type("\x1b/comm=beta\r4");
	assert_true(model.n_shown > 0);
	assert_non_null(strstr(model.filter.wrong, "a row by remote host has no comm"));
	type("\x1b");
	assert_string_equal(model.filter.wrong, "");
}

static void paused_rows_are_filtered_by_what_is_not_drawn(void **state)
{
	(void)state;
	type(" /comm=beta and tx_bytes>0\r");
	assert_int_equal(model.n_shown, 1);
	assert_at("beta");
	type("\x1b");
	type("/not comm=beta\r");
	assert_int_equal(model.n_shown, 2);
}

static void filter_takes_any_letter_and_no_control(void **state)
{
	int i;

	(void)state;
	type("/");
	(void)press_key(0x65e5, false);
	(void)press_key(0x1f600, false);
	assert_string_equal(model_level(&model)->filter, "\xe6\x97\xa5\xf0\x9f\x98\x80");
	type("\x7f");
	assert_string_equal(model_level(&model)->filter, "\xe6\x97\xa5");
	(void)press_key(0x9b, false);
	type("\x01\t");
	assert_string_equal(model_level(&model)->filter, "\xe6\x97\xa5");
	for (i = 0; i < 2000; i++)
		(void)press_key(0x65e5, false);
	assert_true(strlen(model_level(&model)->filter) < TUI_FILTER_MAX);
}

static void filter_belongs_to_its_level(void **state)
{
	(void)state;
	type("/alp\r\r");
	assert_int_equal(model.depth, 1);
	assert_string_equal(model_level(&model)->filter, "");
	type("/.8:\r");
	assert_int_equal(model.n_shown, 1);
	type("\x1b");
	assert_int_equal(model.n_shown, 2); /* first the filter, then the level */
	type("\x1b");
	assert_string_equal(model_level(&model)->filter, "alp");
}

static void paused_rows_do_not_change(void **state)
{
	(void)state;
	type(" ");
	viewer->rows[NETPROBE_VIEW_PROCESS][0].tx_rate = 1;
	viewer->queries = 0;
	type("jS>R/beta\r"); /* sort and filter work on the rows at hand */
	assert_int_equal(viewer->queries, 0);
	assert_int_equal(model.n_shown, 1);
	assert_at("beta");
	type("\x1b");
	assert_int_equal(viewer->queries, 0);
	assert_int_equal(model.n_shown, 3);
	type("P");
	assert_false(model.paused);
	assert_true(viewer->queries > 0);
}

static void paused_rows_are_sorted_at_hand(void **state)
{
	(void)state;
	type(" ");
	while (model.sort != NETPROBE_SORT_NAME)
		type(">");
	assert_string_equal(model.rows[model.shown[0]].name, "alpha");
	type("R");
	assert_string_equal(model.rows[model.shown[0]].name, "gamma");
	type("I");
	while (model.sort != NETPROBE_SORT_TX)
		type("<");
	assert_string_equal(model.rows[model.shown[0]].name, "alpha");
}

static void sort_visits_every_column_and_returns(void **state)
{
	bool seen[NETPROBE_SORT_MAX] = { false };
	int i;

	(void)state;
	/* stalls have a column in the health view only */
	for (i = 0; i < NETPROBE_SORT_MAX - 1; i++) {
		seen[model.sort] = true;
		type("s");
	}
	assert_int_equal(model.sort, NETPROBE_SORT_RATE);
	type("H");
	do {
		seen[model.sort] = true;
		type("s");
	} while (model.sort != NETPROBE_SORT_RATE);
	for (i = 0; i < NETPROBE_SORT_MAX; i++)
		assert_true(seen[i]);
}

static void toggles_toggle(void **state)
{
	(void)state;
	(void)fake_process(viewer, "idle", 40, 0, 0);
	assert_int_equal(press_key('a', false), MOVED_ROWS);
	assert_int_equal(model.n_shown, 4);
	assert_int_equal(press_key('u', false), MOVED_DRAW);
	assert_true(model.bits);
	assert_int_equal(press_key('?', false), MOVED_DRAW);
	assert_true(model.help);
	(void)press_key('q', false); /* closes the help, nothing else */
	assert_false(model.help);
	assert_int_equal(press_key('q', false), MOVED_QUIT);
	assert_int_equal(press_key('L' & 0x1f, false), MOVED_REDRAW);
}

static void every_key_in_the_help_is_bound(void **state)
{
	const struct key_help *h;
	unsigned int i;

	(void)state;
	for (i = 0; (h = keys_help(i)); i++) {
		assert_non_null(h->what);
		assert_true(strlen(h->keys) <= 15 &&
			    strlen(h->what) <= 26); /* widths of the overlay */
	}
	assert_true(i >= 20);
}

static void failing_query_leaves_the_model_whole(void **state)
{
	(void)state;
	viewer->fail = -ENOMEM;
	assert_int_equal(model_snapshot(&model), -ENOMEM);
	assert_int_equal(model.n_shown, 3);
	assert_at("alpha");
	viewer->fail = 0;
	assert_int_equal(model_snapshot(&model), 0);
}

static void unknown_owner_has_a_name(void **state)
{
	struct tui_row row;

	(void)state;
	row_copy(&row, &(struct netprobe_row){ .key = 1, .verdict = NETPROBE_VERDICT_NONE },
		 NETPROBE_VIEW_PROCESS);
	assert_string_equal(row.name, "? (unknown)");
	row_copy(&row, &(struct netprobe_row){ .key = 1, .verdict = NETPROBE_VERDICT_NONE },
		 NETPROBE_VIEW_CONTAINER);
	assert_string_equal(row.name, "? (unknown)");
	row_copy(&row, &(struct netprobe_row){ .key = 1, .verdict = NETPROBE_VERDICT_NONE },
		 NETPROBE_VIEW_CONNECTION);
	assert_string_equal(row.owner, "? (unknown)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static struct view_row *process_below(const char *name, uint32_t pid, uint32_t ppid, float tx)
{
	struct view_row *row = fake_process(viewer, name, pid, tx, 0);

	((struct process *)row->proc)->ppid = ppid;
	return row;
}

static void signals_and_closing_are_asked_about_first(void **state)
{
	(void)state;
	((struct process *)viewer->rows[NETPROBE_VIEW_PROCESS][0].proc)->start_ns = 7000000000ull;
	((struct flow *)viewer->rows[NETPROBE_VIEW_CONNECTION][0].flow)->sock_id = 99;
	assert_int_equal(model_snapshot(&model), 0);
	type("K");
	assert_int_equal(model.menu, MENU_NONE); /* nobody does it */
	model.can_act = true;
	type("K");
	assert_int_equal(model.menu, MENU_SIGNAL);
	(void)press_key(KEY_DOWN, true);
	type("\r");
	assert_string_equal(model.ask, "Send INT to alpha[10]?");
	viewer->rows[NETPROBE_VIEW_PROCESS][1].tx_rate =
		9999; /* another row is at its place by now */
	assert_int_equal(model_snapshot(&model), 0);
	assert_int_equal(press_key('x', false), MOVED_DRAW);
	assert_int_equal(model.ask[0], 0);
	type("jK\r");
	assert_string_equal(model.ask, "Send TERM to alpha[10]?");
	assert_int_equal(press_key('y', false), MOVED_ACT);
	assert_int_equal(model.act.pid, 10);
	assert_int_equal(model.act.start_ns, 7000000000ull);
	assert_int_equal(model.act.sig, 15);
	act_tell(&model, -ESRCH);
	assert_non_null(strstr(model.flash, "another one's"));
	type("X");
	assert_non_null(strstr(model.flash, "2 shows them"));
	type("2X");
	assert_non_null(strstr(model.ask, "Close 10.0.0.1:1000 > 10.0.0.9:80"));
	assert_int_equal(press_key('y', false), MOVED_ACT);
	assert_int_equal(model.act.sock, 99);
	act_tell(&model, 0);
	model.elsewhere = true;
	type("X");
	assert_int_equal(model.ask[0], 0);
	assert_non_null(strstr(model.flash, "another host"));
	type("1K");
	assert_int_equal(model.menu, MENU_NONE);
}

static void settings_come_back_as_they_were(void **state)
{
	char text[TUI_TEXT_MAX], again[TUI_TEXT_MAX], err[128] = "";
	struct tui_model *other = calloc(1, sizeof(*other));

	(void)state;
	assert_non_null(other);
	type("5tdmuo\r");
	type("q");
	assert_int_equal(nav_sort_by(&model, SORT_COLUMN + 1), MOVED_ROWS);
	model.theme = 2;
	settings_text(&model, text, sizeof(text));
	assert_int_equal(settings_take(other, text, false, false, err, sizeof(err)), 0);
	settings_text(other, again, sizeof(again));
	assert_string_equal(text, again);
	assert_int_equal(other->level[0].kind, NETPROBE_VIEW_INTERFACE);
	assert_true(other->live && other->apart && other->bits);
	assert_int_equal(other->sort, SORT_COLUMN + 1);
	assert_int_equal(other->hidden, model.hidden);
	/* what was asked for holds */
	other->level[0].kind = NETPROBE_VIEW_USER;
	other->sort = NETPROBE_SORT_TX;
	assert_int_equal(settings_take(other, text, true, true, err, sizeof(err)), 0);
	assert_int_equal(other->level[0].kind, NETPROBE_VIEW_USER);
	assert_int_equal(other->sort, NETPROBE_SORT_TX);
	free(other);
}

static void a_broken_setting_is_left_out_alone(void **state)
{
	static const char *const broken[] = {
		"bits: true\ntheme: blue\n",	      "bits: true\nbits\n",
		"bits: true\nsort: nothing\n",	      "bits: true\nview: 7\n",
		"bits: true\nhidden_columns: [PID\n", "bits: true\nhidden_columns: [NONE]\n",
		"bits: true\ntree: perhaps\n",	      "bits: true\n\xff\x1b[2J: x\n",
	};
	char err[128], before[TUI_TEXT_MAX], after[TUI_TEXT_MAX];

	(void)state;
	settings_text(&model, before, sizeof(before));
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		err[0] = '\0';
		assert_int_equal(settings_take(&model, broken[i], false, false, err, sizeof(err)),
				 -EINVAL);
		assert_memory_equal(err, "line 2: ", 8);
		assert_true(model.bits); /* the rest holds */
		model.bits = false;
		settings_text(&model, after, sizeof(after));
		assert_string_equal(before, after);
	}
	/* 0.2 wrote that */
	assert_int_equal(settings_take(&model, "sort: conns\n", false, false, err, sizeof(err)), 0);
	assert_int_equal(model.sort, NETPROBE_SORT_CONNECTIONS);
	assert_int_equal(
		settings_take(&model, "# nothing\n\n---\n", false, false, err, sizeof(err)), 0);
}

static void ended_rows_of_one_name_are_one(void **state)
{
	(void)state;
	for (uint32_t i = 0; i < 20; i++)
		process_below("curl", 500 + i, 1, 10)->exited = true;
	(void)process_below("curl", 600, 1, 5); /* runs: its own row */
	assert_int_equal(model_snapshot(&model), 0);
	assert_int_equal(model.n_shown, 3 + 1 + 1);
	type("jj");
	assert_at("curl"); /* 20 x 10, as beta: behind it */
	assert_int_equal(model_row(&model)->count, 20);
	assert_true(model_row(&model)->tx_rate == 200);
	assert_int_equal(model_row(&model)->tx_bytes, 20 * 600);
	type("\r");
	assert_int_equal(model.depth, 0);
	assert_non_null(strstr(model.flash, "m shows each"));
	type("m");
	assert_int_equal(model.n_shown, 3 + 20 + 1);
	type("m");
	assert_int_equal(model.n_shown, 3 + 1 + 1);
}

static void closed_connections_of_one_service_are_one(void **state)
{
	(void)state;
	for (uint16_t i = 0; i < 9; i++) {
		fake_connection(viewer, NULL, "10.0.0.1", (uint16_t)(40000 + i), "10.0.0.9", 443, 1,
				1)
			->exited = true;
		fake_connection(viewer, NULL, "10.0.0.1", 80, "10.0.0.7", (uint16_t)(50000 + i), 9,
				9)
			->exited = true;
	}
	type("2G");
	assert_int_equal(model.n_shown, 3 + 2);
	assert_at("10.0.0.1:* > 10.0.0.9:443"); /* 18 a second */
	assert_int_equal(model_row(&model)->count, 9);
	type("kk");
	assert_at("10.0.0.1:80 > 10.0.0.7:*"); /* 162, before one of 100 */
	assert_int_equal(model_row(&model)->count, 9);
	type("m");
	assert_int_equal(model.n_shown, 3 + 18);
}

static void tree_has_children_below_parents_and_folds(void **state)
{
	(void)state;
	(void)process_below("child", 11, 10, 1);
	(void)process_below("grandchild", 12, 11, 2);
	/* numbers given again: each other's parents */
	(void)process_below("egg", 40, 41, 1);
	(void)process_below("hen", 41, 40, 1);
	assert_int_equal(model_snapshot(&model), 0);
	type("t");
	assert_int_equal(model.n_shown, 7);
	assert_at("alpha");
	type("j");
	assert_at("child");
	assert_int_equal(model_row(&model)->depth, 1);
	type("j");
	assert_at("grandchild");
	assert_int_equal(model_row(&model)->depth, 2);
	type("kk-");
	assert_at("alpha");
	assert_int_equal(model.n_shown, 5);
	assert_int_equal(model_row(&model)->count, 3);
	assert_true(model_row(&model)->tx_rate == 303);
	type("+");
	assert_int_equal(model.n_shown, 7);
	type("_");
	assert_int_equal(model.n_shown, 4);
	type("*t");
	assert_int_equal(model.n_shown, 7);
	type("2t");
	assert_non_null(strstr(model.flash, "only processes"));
}

static void columns_are_hidden_and_sorted_by(void **state)
{
	(void)state;
	type("o");
	assert_int_equal(model.menu, MENU_COLUMNS);
	type("\r");
	assert_int_equal(model.hidden, 1u << 1); /* PID */
	type("\rs");
	assert_int_equal(model.hidden, 0);
	assert_int_equal(model.sort, SORT_COLUMN + 1);
	type("q");
	assert_int_equal(model.menu, MENU_NONE);
	assert_at("gamma"); /* the highest number first */
	type("os");
	type("q");
	assert_at("alpha");
}

static void ended_rows_are_hidden_by_a_key_and_counted(void **state)
{
	(void)state;
	viewer->rows[NETPROBE_VIEW_PROCESS][1].exited = true;
	assert_int_equal(model_snapshot(&model), 0);
	assert_int_equal(model.n_shown, 3);
	assert_int_equal(model.n_ended, 1);
	type("d");
	assert_int_equal(model.n_shown, 2);
	assert_int_equal(model.n_ended, 1);
	assert_at("alpha");
	type("d");
	assert_int_equal(model.n_shown, 3);
}

static void help_has_two_pages_and_any_other_key_closes_it(void **state)
{
	(void)state;
	type("?");
	assert_int_equal(model.help, HELP_COLUMNS);
	type("?");
	assert_int_equal(model.help, HELP_KEYS);
	type("?");
	assert_int_equal(model.help, HELP_NONE);
	type("?j");
	assert_int_equal(model.help, HELP_COLUMNS);
	type("q");
	assert_int_equal(model.help, HELP_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(signals_and_closing_are_asked_about_first),
		TEST(settings_come_back_as_they_were),
		TEST(a_broken_setting_is_left_out_alone),
		TEST(ended_rows_of_one_name_are_one),
		TEST(closed_connections_of_one_service_are_one),
		TEST(tree_has_children_below_parents_and_folds),
		TEST(columns_are_hidden_and_sorted_by),
		TEST(ended_rows_are_hidden_by_a_key_and_counted),
		TEST(help_has_two_pages_and_any_other_key_closes_it),
		TEST(cursor_stays_on_the_first_line_until_it_is_moved),
		TEST(cursor_follows_its_row),
		TEST(cursor_stays_in_place_when_its_row_goes),
		TEST(cursor_stops_at_both_ends),
		TEST(keys_switch_views),
		TEST(process_opens_into_its_connections_and_back),
		TEST(remotes_and_interfaces_open_too),
		TEST(drill_into_a_process_that_ended_says_so),
		TEST(rest_row_keeps_its_name_and_does_not_open),
		TEST(drills_are_bounded),
		TEST(filter_acts_as_it_is_typed),
		TEST(filter_is_an_expression_and_the_last_one_holds_while_typed),
		TEST(paused_rows_are_filtered_by_what_is_not_drawn),
		TEST(filter_takes_any_letter_and_no_control),
		TEST(filter_belongs_to_its_level),
		TEST(paused_rows_do_not_change),
		TEST(paused_rows_are_sorted_at_hand),
		TEST(sort_visits_every_column_and_returns),
		TEST(toggles_toggle),
		TEST(every_key_in_the_help_is_bound),
		TEST(failing_query_leaves_the_model_whole),
		TEST(unknown_owner_has_a_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
