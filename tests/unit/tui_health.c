/* SPDX-License-Identifier: BSD-2-Clause */
/* The health columns of the live view: what they show, where they fit, what sorts them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui_scene.h"

#define MS 1000000ull

static void harm(struct view_row *row, uint64_t timeout, uint64_t fast, uint64_t tlp,
		 uint64_t stall_ms, int verdict)
{
	row->trouble.rtx[NP_RTX_TIMEOUT] = timeout;
	row->trouble.rtx[NP_RTX_FAST] = fast;
	row->trouble.rtx[NP_RTX_TLP] = tlp;
	row->trouble.spurious = tlp / 2;
	row->trouble.stall_ns = stall_ms * MS;
	row->retrans = timeout + fast + tlp;
	row->verdict = verdict;
	row->rtt_us = 23400;
}

static void health_rows(struct viewer *v)
{
	struct view_row *nginx = fake_process(v, "nginx", 1234, 12.3e6f, 450e3f), *row;

	harm(nginx, 3, 120, 14, 340, NETPROBE_VERDICT_LOSS);
	nginx->trouble.synack = 9;
	nginx->retrans += 9;
	nginx->drops = 1700;
	nginx->has_drops = true;
	harm(fake_process(v, "postgres", 811, 98e3f, 2.5e6f), 0, 0, 0, 0,
	     NETPROBE_VERDICT_APPLICATION);
	row = fake_process(v, "backup", 40123, 5e6f, 0);
	harm(row, 123456, 7, 0, 5400000, NETPROBE_VERDICT_RECEIVE_WINDOW);
	row->exited = true;
	harm(fake_process(v, "rsync", 77, 5e6f, 5e3f), 0, 0, 1, 0,
	     NETPROBE_VERDICT_CONGESTION_WINDOW);
	harm(fake_process(v, "sender", 78, 4e6f, 5e3f), 0, 0, 0, 12, NETPROBE_VERDICT_SEND_BUFFER);
	(void)fake_process(v, "named", 53, 400, 200); /* nothing of TCP: no verdict */
	harm(fake_container(v, "/system.slice/nginx.service", NULL, 12.3e6f, 450e3f), 3, 120, 14,
	     340, NETPROBE_VERDICT_LOSS);
	row = fake_connection(v, nginx, "192.168.100.100", 54321, "203.0.113.10", 443, 12e6f,
			      400e3f);
	harm(row, 3, 119, 14, 340, NETPROBE_VERDICT_LOSS);
	row = fake_connection(v, nginx, "2001:db8::15", 443, "2001:db8:85a3:8d3:1319:8a2e:370:7348",
			      51234, 300e3f, 50e3f);
	harm(row, 0, 1, 0, 0, NETPROBE_VERDICT_APPLICATION);
	harm(fake_remote(v, "203.0.113.10", 12e6f, 400e3f), 3, 119, 14, 340, NETPROBE_VERDICT_LOSS);
	harm(fake_row(v, NETPROBE_VIEW_INTERFACE, "eth0", 12.3e6f, 4.1e6f), 3, 120, 14, 340,
	     NETPROBE_VERDICT_LOSS);
	fake_shape(&v->total, 45, 17e6f);
	v->retrans = 144;
}

static void health_columns_fit_every_view_at_80x24(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, health_rows);
	scene_type(&s, "H");
	scene_expect(&s, 80, 24, "health-process-80x24");
	scene_type(&s, "2");
	scene_expect(&s, 80, 24, "health-connection-80x24");
	scene_type(&s, "3");
	scene_expect(&s, 80, 24, "health-container-80x24");
	scene_type(&s, "4");
	scene_expect(&s, 80, 24, "health-remote-80x24");
	scene_type(&s, "5");
	scene_expect(&s, 80, 24, "health-interface-80x24");
	scene_close(&s);
}

static void wide_frames_have_owners_and_rates_too(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, health_rows);
	scene_type(&s, "H");
	scene_expect(&s, 120, 40, "health-process-120x40");
	scene_type(&s, "2");
	scene_expect(&s, 120, 40, "health-connection-120x40");
	s.grid.utf8 = false;
	s.grid.glyphs = &glyphs_ascii;
	scene_expect(&s, 120, 40, "health-ascii-120x40");
	scene_close(&s);
}

static void narrow_frames_keep_verdict_and_name(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, health_rows);
	scene_type(&s, "H");
	scene_expect(&s, 40, 12, "health-process-40x12");
	scene_close(&s);
}

static void verdicts_are_asked_for_only_while_shown(void **state)
{
	struct scene s;

	(void)state;
	scene_open(&s, health_rows);
	assert_false(s.viewer->watched);
	scene_type(&s, "H");
	assert_true(s.viewer->watched);
	scene_type(&s, "2");
	assert_true(s.viewer->watched);
	scene_type(&s, "H");
	assert_false(s.viewer->watched);
	scene_close(&s);
}

static void sort_passes_over_the_columns_shown(void **state)
{
	struct scene s;
	int i;

	(void)state;
	scene_open(&s, health_rows);
	scene_type(&s, "H");
	for (i = 0; i < NETPROBE_SORT_MAX && s.model.sort != NETPROBE_SORT_STALL; i++)
		scene_type(&s, ">");
	assert_int_equal(s.model.sort, NETPROBE_SORT_STALL);
	assert_string_equal(model_row(&s.model)->name, "backup");
	scene_type(&s, " R"); /* sorted at hand while paused */
	assert_string_not_equal(model_row(&s.model)->name, "backup");
	scene_type(&s, " H"); /* no such column any more */
	assert_int_equal(s.model.sort, NETPROBE_SORT_RATE);
	scene_close(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(health_columns_fit_every_view_at_80x24),
		cmocka_unit_test(wide_frames_have_owners_and_rates_too),
		cmocka_unit_test(narrow_frames_keep_verdict_and_name),
		cmocka_unit_test(verdicts_are_asked_for_only_while_shown),
		cmocka_unit_test(sort_passes_over_the_columns_shown),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		(void)fputs("SKIP: no locale C.UTF-8, widths of characters are unknown\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
