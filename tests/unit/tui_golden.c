/* SPDX-License-Identifier: BSD-2-Clause */
/* Whole frames of the live view, cell for cell, against recorded ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <curses.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/places.h"
#include "tui_scene.h"

static struct nic eth0 = {
	.ifindex = 2,
	.name = "eth0",
	.state = NETPROBE_LINK_UP,
	.mbit = 2500,
	.side = { { .all = { 4000000, 123456, 3, 17 }, .packets_s = 4120, .unowned = 0.02f },
		  { .all = { 12000000, 234567, 0, 0 }, .packets_s = 8650, .unowned = 0.31f } }
};

static void scene_rows(struct viewer *v)
{
	struct view_row *nginx = fake_process(v, "nginx", 1234, 12.3e6f, 450e3f), *row;

	nginx->conns = 12;
	nginx->rtt_us = 23400;
	nginx->retrans = 17;
	row = fake_process(v, "postgres", 811, 98e3f, 2.5e6f);
	row->rtt_us = 180;
	row = fake_process(v, "curl", 40123, 0, 1.2e6f);
	row->exited = true;
	row->rtt_us = 1500000;
	(void)fake_process(v, "日本語サーバー運用中", 77, 5e3f, 5e3f);
	(void)fake_process(v, "cafe\xcc\x81", 78, 400, 0.4f);
	(void)fake_process(v, "\x1b[31mred\nline\x07", 666, 300, 200);
	(void)fake_process(v, "bad\xff\xfeutf", 667, 30, 20);
	(void)fake_process(v, "\xe2\x80\xaertl", 668, 20, 20);
	(void)fake_process(v, "", 0, 10, 0);
	(void)fake_process(v, "idle", 900, 0, 0);
	row = fake_container(
		v,
		"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod0a1b2c3d.slice/"
		"cri-containerd-0123456789abcdef.scope",
		"0123456789abcdef0123", 12.3e6f, 450e3f);
	((struct process *)nginx->proc)->cgroup = row->cgroup;
	(void)fake_container(v, "/system.slice/ssh.service", NULL, 900, 300);
	row = fake_connection(v, nginx, "192.168.100.100", 54321, "203.0.113.10", 443, 12e6f,
			      400e3f);
	row->retrans = 17;
	row = fake_connection(v, nginx, "2001:db8::15", 443, "2001:db8:85a3:8d3:1319:8a2e:370:7348",
			      51234, 300e3f, 50e3f);
	row->exited = true;
	((struct flow *)row->flow)->tuple.state = 7;
	row = fake_connection(v, NULL, "0.0.0.0", 5353, "224.0.0.251", 5353, 100, 0);
	((struct flow *)row->flow)->tuple.proto = 17;
	((struct flow *)row->flow)->tuple.state = 0;
	row->rtt_us = 0;
	(void)fake_remote(v, "203.0.113.10", 12e6f, 400e3f);
	(void)fake_remote(v, "2001:db8:85a3:8d3:1319:8a2e:370:7348", 300e3f, 50e3f);
	row = fake_row(v, NETPROBE_VIEW_INTERFACE, "eth0", 12.3e6f, 4.1e6f);
	row->netns = 4026531840u;
	row->nic = &eth0;
	row = fake_row(v, NETPROBE_VIEW_INTERFACE, "eth0 unowned", 5.5e6f, 80e3f);
	row->netns = 4026531840u;
	row->conns = 0;
	fake_row(v, NETPROBE_VIEW_INTERFACE, "lo", 100, 100)->netns = 4026532001u;
	fake_shape(&v->total, 45, 17e6f);
	v->tx_bytes = 738u << 20;
	v->rx_bytes = 250u << 20;
	v->retrans = 17;
}

static void frame_of_80x24_shows_processes(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_expect(&s, 80, 24, "process-80x24");
	scene_close(&s);
}

static void columns_of_a_pair_come_together(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_type(&s, "3"); /* room for one of the two sums here */
	scene_expect(&s, 100, 24, "container-100x24");
	scene_close(&s);
}

static void frames_of_every_view_at_80x24(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_type(&s, "2");
	scene_expect(&s, 80, 24, "connection-80x24");
	scene_type(&s, "3");
	scene_expect(&s, 80, 24, "container-80x24");
	scene_type(&s, "4");
	scene_expect(&s, 80, 24, "remote-80x24");
	scene_type(&s, "5");
	scene_expect(&s, 80, 24, "interface-80x24");
	scene_close(&s);
}

static void wide_frames_have_more_columns(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_expect(&s, 120, 40, "process-120x40");
	scene_expect(&s, 200, 50, "process-200x50");
	scene_type(&s, "5");
	scene_expect(&s, 100, 30, "interface-100x30");
	scene_expect(&s, 200, 50, "interface-200x50");
	scene_type(&s, "2");
	scene_expect(&s, 120, 40, "connection-120x40");
	scene_expect(&s, 200, 50, "connection-200x50");
	scene_close(&s);
}

static void small_frames_keep_the_table(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_expect(&s, 39, 7, "small-39x7");
	scene_expect(&s, 40, 8, "small-40x8");
	scene_expect(&s, 60, 14, "small-60x14");
	scene_type(&s, "?");
	scene_expect(&s, 40, 8, "small-help-40x8");
	scene_close(&s);
}

static void ascii_frame_has_no_other_bytes(void **state)
{
	struct scene s;
	char *text;
	size_t i;

	(void)state;
	scene_open(&s, scene_rows);
	s.grid.utf8 = false;
	s.grid.glyphs = &glyphs_ascii;
	scene_expect(&s, 80, 24, "ascii-80x24");
	text = scene_text(&s.grid);
	for (i = 0; text[i]; i++)
		assert_true((text[i] >= ' ' && text[i] < 0x7f) || text[i] == '\n');
	free(text);
	scene_type(&s, "2");
	scene_expect(&s, 120, 40, "ascii-connection-120x40");
	scene_close(&s);
}

static void paused_frame_keeps_its_rows(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_type(&s, " ");
	s.viewer->rows[NETPROBE_VIEW_PROCESS][0].tx_rate = 1;
	scene_expect(&s, 80, 24, "paused-80x24");
	scene_close(&s);
}

static void filter_is_shown_while_typed_and_kept(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_type(&s, "/ng");
	scene_expect(&s, 80, 24, "filter-typing-80x24");
	scene_type(&s, "\ra");
	scene_expect(&s, 80, 24, "filter-kept-80x24");
	scene_type(&s, "/zzz\r");
	scene_expect(&s, 80, 24, "filter-nothing-80x24");
	scene_close(&s);
}

static void help_lies_over_the_view(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_type(&s, "?");
	scene_expect(&s, 80, 24, "help-80x24");
	scene_type(&s, "?");
	scene_expect(&s, 80, 24, "keys-80x24");
	scene_expect(&s, 40, 12, "keys-40x12");
	scene_type(&s, "q5?");
	scene_expect(&s, 120, 40, "help-interface-120x40");
	scene_type(&s, "q2H?");
	scene_expect(&s, 120, 40, "help-120x40");
	scene_close(&s);
}

static void drills_show_the_way_down(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	scene_type(&s, "\r");
	scene_expect(&s, 80, 24, "drill-process-80x24");
	scene_type(&s, "\x1b"
		       "3\r");
	scene_expect(&s, 80, 24, "drill-container-80x24");
	scene_type(&s, "1\r");
	scene_expect(&s, 80, 24, "drill-two-80x24");
	s.viewer->n[NETPROBE_VIEW_PROCESS] = 0;
	scene_snapshot(&s);
	scene_expect(&s, 80, 24, "drill-gone-80x24");
	scene_close(&s);
}

static void losses_and_notes_stand_out(void **state)
{
	struct tui_status st = { .losses = { { "state", 1234567 }, { "send", 3 } },
				 .n_losses = 2,
				 .lost_bytes = 5u << 20,
				 .programs = 21,
				 .programs_off = 1,
				 .sample_rate = 10,
				 .uptime_s = 4 * 86400 + 3,
				 .hook = "kprobe",
				 .note = "splice() is not seen: the kernel has no kprobes\x1b[2J" };
	struct scene s;

	(void)state;
	scene_open(&s, scene_rows);
	model_status(&s.model, &st);
	scene_expect(&s, 80, 24, "losses-80x24");
	scene_expect(&s, 120, 40, "losses-120x40");
	scene_expect(&s, 40, 8, "losses-40x8");
	scene_close(&s);
}

static void huge_rows(struct viewer *v)
{
	struct view_row *row = fake_process(v, "everything", UINT32_MAX, 1, 1);

	row->tx_rate = FLT_MAX;
	row->rx_rate = 999.6e15f;
	row->tx_bytes = UINT64_MAX;
	row->rx_bytes = UINT64_MAX;
	row->retrans = UINT64_MAX;
	row->conns = UINT32_MAX;
	row->rtt_us = UINT32_MAX;
	row = fake_process(v, "not a number", 2, 1, 1);
	row->tx_rate = NAN;
	row->rx_rate = -1;
	((struct history *)row->history)->rate[3] = NAN;
	((struct history *)row->history)->rate[4] = INFINITY;
	v->tx_rate = FLT_MAX;
	v->rx_rate = INFINITY;
	v->tx_bytes = v->rx_bytes = v->retrans = UINT64_MAX;
	v->conns = v->processes = UINT32_MAX;
	v->n_total = 4000000000u;
	fake_shape(&v->total, 60, FLT_MAX);
}

static void huge_numbers_stay_in_their_columns(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, huge_rows);
	scene_expect(&s, 80, 24, "huge-80x24");
	scene_type(&s, "u");
	scene_expect(&s, 120, 40, "huge-bits-120x40");
	scene_close(&s);
}

static void empty_frame_says_why(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, NULL);
	scene_expect(&s, 80, 24, "empty-80x24");
	scene_close(&s);
}

static void many_rows(struct viewer *v)
{
	char name[16];
	uint32_t i;

	for (i = 0; i < 60; i++) {
		(void)snprintf(name, sizeof(name), "worker-%u", i);
		(void)fake_process(v, name, 100 + i, 1000.f * (float)(60 - i), 0);
	}
}

static void long_lists_scroll_with_the_cursor(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, many_rows);
	scene_expect(&s, 80, 24, "list-top-80x24");
	scene_press(&s, KEY_NPAGE, true);
	scene_expect(&s, 80, 24, "list-page-80x24");
	scene_type(&s, "G");
	scene_expect(&s, 80, 24, "list-end-80x24");
	scene_close(&s);
}

static void no_size_writes_beyond_the_grid(void **state)
{
	struct scene s;
	int rows, cols, kind;

	(void)state;
	scene_open(&s, scene_rows);
	for (kind = 0; kind < NETPROBE_VIEW_MAX; kind++) {
		model_level(&s.model)->kind = (uint8_t)kind;
		scene_snapshot(&s);
		for (rows = 0; rows < 34; rows++) {
			for (cols = 0; cols < 140; cols += 3) {
				assert_int_equal(grid_resize(&s.grid, rows, cols), 0);
				s.model.help = cols % 2;
				tui_render(&s.grid, &s.model); /* the sanitizers judge */
			}
		}
		s.model.help = false;
	}
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(frame_of_80x24_shows_processes),
		cmocka_unit_test(columns_of_a_pair_come_together),
		cmocka_unit_test(frames_of_every_view_at_80x24),
		cmocka_unit_test(wide_frames_have_more_columns),
		cmocka_unit_test(small_frames_keep_the_table),
		cmocka_unit_test(ascii_frame_has_no_other_bytes),
		cmocka_unit_test(paused_frame_keeps_its_rows),
		cmocka_unit_test(filter_is_shown_while_typed_and_kept),
		cmocka_unit_test(help_lies_over_the_view),
		cmocka_unit_test(drills_show_the_way_down),
		cmocka_unit_test(losses_and_notes_stand_out),
		cmocka_unit_test(huge_numbers_stay_in_their_columns),
		cmocka_unit_test(empty_frame_says_why),
		cmocka_unit_test(long_lists_scroll_with_the_cursor),
		cmocka_unit_test(no_size_writes_beyond_the_grid),
	};

	const char *dir = getenv("NETPROBE_GOLDEN");
	static char services[4096];

	(void)snprintf(services, sizeof(services), "%s/tui/services", dir ? dir : "tests/golden");
	place_services_in(services);
	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		(void)fputs("SKIP: no locale C.UTF-8, widths of characters are unknown\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
