/* SPDX-License-Identifier: BSD-2-Clause */
/* The page of one connection: what it shows in which size, and what keys do on it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curses.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui_scene.h"

static struct view_row *troubled(struct viewer *v, const struct view_row *nginx)
{
	struct view_row *row = fake_connection(v, nginx, "192.168.100.100", 54321, "203.0.113.10",
					       443, 12e6f, 400e3f);
	struct flow *f = (struct flow *)row->flow;

	fake_figures(fake_tcp(v, row));
	f->opened_ns = 1;
	f->connect_us = 21500;
	f->tx_pkts = 512345;
	f->rx_pkts = 250000;
	f->tuple.netns = 4026531840u;
	row->retrans = 136;
	row->trouble =
		(struct trouble){ .rtx = { 0, 3, 119, 14 }, .spurious = 7, .stall_ns = 340000000 };
	row->times = (struct verdict_times){ { 120, 20, 0, 400, 460 } };
	row->verdict = NETPROBE_VERDICT_LOSS;
	return row;
}

static void page_rows(struct viewer *v)
{
	struct view_row *nginx = fake_process(v, "nginx", 1234, 12.3e6f, 450e3f), *row;
	struct view_row *worker = fake_process(v, "worker", 1240, 0, 0);
	struct view_row *box = fake_container(v, "/system.slice/docker-0123456789abcdef.scope",
					      "0123456789abcdef", 1, 1);
	struct process *p = (struct process *)nginx->proc;

	p->exe = (char *)"/usr/sbin/nginx";
	p->cgroup = box->cgroup;
	row = troubled(v, nginx);
	((struct flow *)row->flow)->last = (struct process *)worker->proc;
	row = fake_connection(v, nginx, "2001:db8::15", 443, "2001:db8:85a3:8d3:1319:8a2e:370:7348",
			      51234, 300e3f, 50e3f);
	fake_figures(fake_tcp(v, row));
	row = fake_connection(v, NULL, "0.0.0.0", 5353, "224.0.0.251", 5353, 100, 0);
	((struct flow *)row->flow)->tuple.proto = 17;
	((struct flow *)row->flow)->tuple.state = 0;
	row->rtt_us = 0;
	fake_shape(&v->total, 45, 17e6f);
}

/* So many intervals of the connection under the cursor, its figures going up and down. */
static void let_pass(struct scene *s, uint32_t n)
{
	struct view_row *row = &s->viewer->rows[NETPROBE_VIEW_CONNECTION][0];
	struct flow_tcp *t = row->flow->tcp;
	uint32_t i;

	for (i = 0; i < n; i++) {
		t->srtt_us = 21000 + 300 * (i % 13);
		t->snd_cwnd = 10 + 5 * (i % 17);
		row->tx_rate = 1e6f * (float)(1 + i % 7);
		model_sample(&s->model);
	}
	t->srtt_us = 23400;
	t->snd_cwnd = 42;
	row->tx_rate = 12e6f;
	model_sample(&s->model);
	scene_snapshot(s);
}

static void open_page(struct scene *s)
{
	scene_open(s, page_rows);
	scene_type(s, "2\r");
	let_pass(s, 44);
}

static void page_fits_80x24(void **state)
{
	struct scene s;

	(void)state;
	open_page(&s);
	scene_expect(&s, 80, 24, "page-80x24");
	s.grid.utf8 = false;
	s.grid.glyphs = &glyphs_ascii;
	scene_expect(&s, 80, 24, "page-ascii-80x24");
	scene_close(&s);
}

static bool has_text(struct scene *s, const char *text)
{
	char *frame;
	bool has;

	assert_int_equal(grid_resize(&s->grid, 24, 80), 0);
	tui_render(&s->grid, &s->model);
	frame = scene_text(&s->grid);
	has = strstr(frame, text) != NULL;
	free(frame);
	return has;
}

static void waits_of_the_owner_are_shown_where_they_were_timed(void **state)
{
	static struct latency l;
	struct scene s;

	(void)state;
	open_page(&s);
	assert_false(has_text(&s, "waits"));
	l.h[NETPROBE_LATENCY_RX_WAIT].n[histogram_slot(200000)] = 3;
	l.h[NETPROBE_LATENCY_TX_WAIT].n[0] = 1;
	l.proc = (struct process *)s.viewer->rows[NETPROBE_VIEW_CONNECTION][0].proc;
	s.viewer->rows[NETPROBE_VIEW_CONNECTION][0].latency = &l;
	model_sample(&s.model);
	scene_snapshot(&s);
	assert_true(
		has_text(&s, "waits     read half <262ms  99% <262ms  sent half <1us  99% <1us"));
	scene_close(&s);
}

static void large_pages_stack_their_plots(void **state)
{
	struct scene s;

	(void)state;
	open_page(&s);
	scene_expect(&s, 120, 40, "page-120x40");
	scene_expect(&s, 200, 50, "page-200x50");
	s.grid.utf8 = false;
	s.grid.glyphs = &glyphs_ascii;
	scene_expect(&s, 120, 40, "page-ascii-120x40");
	scene_close(&s);
}

static void small_pages_keep_the_figures(void **state)
{
	struct scene s;

	(void)state;
	open_page(&s);
	scene_expect(&s, 40, 12, "page-40x12");
	scene_expect(&s, 60, 16, "page-60x16");
	scene_close(&s);
}

static void closed_connection_keeps_its_last_figures(void **state)
{
	struct scene s;
	struct flow *f;

	(void)state;
	open_page(&s);
	f = (struct flow *)s.viewer->rows[NETPROBE_VIEW_CONNECTION][0].flow;
	f->closed = true;
	f->closed_ns = 2000000000;
	s.viewer->rows[NETPROBE_VIEW_CONNECTION][0].verdict = -1;
	let_pass(&s, 5); /* nothing is added to the plots any more */
	assert_int_equal(s.model.detail.trace.rtt.count, 46);
	scene_expect(&s, 80, 24, "page-closed-80x24");
	s.viewer->n[NETPROBE_VIEW_CONNECTION] = 0; /* its grace time is over */
	model_sample(&s.model);
	scene_snapshot(&s);
	assert_true(s.model.detail.gone);
	scene_expect(&s, 80, 24, "page-gone-80x24");
	scene_type(&s, "\x1b");
	assert_false(s.model.detail.open);
	scene_close(&s);
}

static void datagram_sockets_have_a_page_too(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, page_rows);
	scene_type(&s, "2G\r");
	assert_true(s.model.detail.open);
	scene_expect(&s, 80, 24, "page-udp-80x24");
	scene_close(&s);
}

static void fresh_page_waits_for_its_verdict(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, page_rows);
	s.viewer->rows[NETPROBE_VIEW_CONNECTION][0].verdict = -1;
	scene_type(&s, "2\r");
	scene_expect(&s, 80, 24, "page-fresh-80x24");
	scene_close(&s);
}

static void page_follows_the_cursor_and_gives_it_back(void **state)
{
	struct scene s;
	uint64_t first;

	(void)state;
	open_page(&s);
	first = s.model.detail.key;
	scene_type(&s, "j");
	assert_true(s.model.detail.open);
	assert_int_not_equal(s.model.detail.key, first);
	assert_string_equal(s.model.detail.local, "[2001:db8::15]:443");
	assert_int_equal(s.model.detail.trace.rtt.count, 1); /* not the other's */
	scene_type(&s, "k");
	assert_int_equal(s.model.detail.key, first);
	scene_type(&s, "j\x1b");
	assert_false(s.model.detail.open);
	assert_int_equal(model_level(&s.model)->cursor, 1);
	scene_close(&s);
}

static void keys_of_the_table_do_nothing_on_the_page(void **state)
{
	struct scene s;
	uint8_t sort;

	(void)state;
	open_page(&s);
	sort = s.model.sort;
	scene_type(&s, ">/aH\r");
	assert_true(s.model.detail.open);
	assert_false(s.model.editing || s.model.health || s.model.idle);
	assert_int_equal(s.model.sort, sort);
	scene_type(&s, "u?");
	assert_true(s.model.bits && s.model.help);
	scene_type(&s, " ");
	assert_true(s.model.detail.open);
	scene_press(&s, '2', false); /* the table again, of the same kind */
	assert_false(s.model.detail.open);
	assert_int_equal(model_level(&s.model)->kind, NETPROBE_VIEW_CONNECTION);
	scene_type(&s, "\r4");
	assert_false(s.model.detail.open);
	assert_int_equal(model_level(&s.model)->kind, NETPROBE_VIEW_REMOTE);
	scene_close(&s);
}

static void page_within_a_drill_goes_back_to_it(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, page_rows);
	scene_type(&s, "\r\r");
	assert_int_equal(s.model.depth, 1);
	assert_true(s.model.detail.open && s.viewer->watched);
	scene_type(&s, "\x1b");
	assert_false(s.model.detail.open || s.viewer->watched);
	assert_int_equal(s.model.depth, 1);
	scene_type(&s, "\x1b");
	assert_int_equal(s.model.depth, 0);
	scene_close(&s);
}

static void last_minute_is_kept_from_the_moment_the_cursor_is_there(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, page_rows);
	scene_type(&s, "2");
	let_pass(&s, 19);
	scene_type(&s, "\r");
	assert_int_equal(s.model.detail.trace.rtt.count, 20);
	scene_type(&s, " "); /* paused: the page stands, the samples go on */
	model_sample(&s.model);
	assert_int_equal(s.model.detail.trace.rtt.count, 20);
	scene_type(&s, " ");
	assert_int_equal(s.model.detail.trace.rtt.count, 21);
	scene_close(&s);
}

static void page_of_any_size_stays_within_the_grid(void **state)
{
	struct scene s;
	int rows, cols;

	(void)state;
	open_page(&s);
	for (rows = 0; rows < 50; rows++) {
		for (cols = 0; cols < 220; cols += 3) {
			assert_int_equal(grid_resize(&s.grid, rows, cols), 0);
			tui_render(&s.grid, &s.model); /* the sanitizers judge */
		}
	}
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(page_fits_80x24),
		cmocka_unit_test(waits_of_the_owner_are_shown_where_they_were_timed),
		cmocka_unit_test(large_pages_stack_their_plots),
		cmocka_unit_test(small_pages_keep_the_figures),
		cmocka_unit_test(closed_connection_keeps_its_last_figures),
		cmocka_unit_test(datagram_sockets_have_a_page_too),
		cmocka_unit_test(fresh_page_waits_for_its_verdict),
		cmocka_unit_test(page_follows_the_cursor_and_gives_it_back),
		cmocka_unit_test(keys_of_the_table_do_nothing_on_the_page),
		cmocka_unit_test(page_within_a_drill_goes_back_to_it),
		cmocka_unit_test(last_minute_is_kept_from_the_moment_the_cursor_is_there),
		cmocka_unit_test(page_of_any_size_stays_within_the_grid),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		(void)fputs("SKIP: no locale C.UTF-8, widths of characters are unknown\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
