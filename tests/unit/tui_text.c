/* SPDX-License-Identifier: BSD-2-Clause */
/* The live view's small parts: text made safe and cut, short numbers, cells, sparklines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../nasty.h"
#include "tui/column.h"
#include "tui/fmt.h"
#include "tui/kinds.h"
#include "tui/places.h"
#include "tui/grid.h"
#include "tui/spark.h"
#include "tui/text.h"
#include "tui/words.h"

static void assert_wide(const struct text *t, const wchar_t *want)
{
	assert_int_equal(t->n, wcslen(want));
	assert_memory_equal(t->ch, want, t->n * sizeof(wchar_t));
}

/* What a terminal is sent of a row that has the name in it. */
static void names_of_others_are_clean_in_a_frame(void **state)
{
	struct grid g = { .glyphs = &glyphs_utf8, .utf8 = true };

	(void)state;
	assert_int_equal(grid_resize(&g, 1, 40), 0);
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		char sent[1024];
		size_t n = 0;

		grid_clear(&g);
		(void)grid_printf(&g, 0, 0, 40, STYLE_NORMAL, "%s", nasty_names[i]);
		for (int x = 0; x < 40; x++)
			for (unsigned int k = 0; k <= GRID_MARKS && grid_at(&g, 0, x)->ch[k]; k++)
				n += (size_t)snprintf(sent + n, sizeof(sent) - n, "%lc",
						      (wint_t)grid_at(&g, 0, x)->ch[k]);
		assert_true(n >= 40);
		assert_true(nasty_free(sent, n, ""));
	}
	grid_done(&g);
}

static void text_replaces_what_could_steer_a_terminal(void **state)
{
	static const char *const bad[] = { "\x1b",
					   "\n",
					   "\x7f",
					   "\xc2\x9b", /* CSI */
					   "\xe2\x80\xae",
					   "\xe2\x80\x8b",
					   "\xe2\x81\xa6",
					   "\xef\xbb\xbf",
					   "\xff",
					   "\xed\xa0\x80",
					   "\xf3\xa0\x80\xa1" };
	struct text t;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		unsigned int c;

		text_set(&t, bad[i], true);
		assert_true(t.n >= 1);
		for (c = 0; c < t.n; c++)
			assert_int_equal(t.ch[c], L'?');
	}
}

static void text_counts_columns_not_bytes(void **state)
{
	struct text t;

	(void)state;
	text_set(&t, "日本", true);
	assert_int_equal(t.columns, 4);
	text_set(&t, "e\xcc\x81", true);
	assert_int_equal(t.columns, 1);
	text_set(&t, "\xcc\x81x", true);
	assert_wide(&t, L"?x"); /* a mark with nothing to stand on */
	text_set(&t, "日本", false);
	assert_wide(&t, L"??");
}

static void text_is_bounded(void **state)
{
	struct text t;
	char *s = calloc(1, 5001);

	(void)state;
	assert_non_null(s);
	memset(s, 'a', 5000);
	text_set(&t, s, true);
	assert_int_equal(t.n, TEXT_MAX);
	text_cut_middle(&t, 10, L'…');
	assert_int_equal(t.columns, 10);
	free(s);
}

static void cut_keeps_both_ends_of_a_path(void **state)
{
	struct text t;

	(void)state;
	text_set(&t, "/system.slice/nginx.service", true);
	text_cut_middle(&t, 15, L'…');
	assert_wide(&t, L"/system…service");
	text_set(&t, "/system.slice/nginx.service", true);
	text_cut_end(&t, 8, L'…');
	assert_wide(&t, L"/system…");
	text_set(&t, "short", true);
	text_cut_middle(&t, 5, L'…');
	assert_wide(&t, L"short");
	text_cut_end(&t, 0, L'…');
	assert_int_equal(t.n, 0);
}

static void cut_never_halves_a_wide_character(void **state)
{
	struct text t;
	unsigned int columns;

	(void)state;
	for (columns = 0; columns < 12; columns++) {
		unsigned int i, sum = 0;

		text_set(&t, "日本語e\xcc\x81日本語", true);
		text_cut_middle(&t, columns, L'…');
		assert_true(t.columns <= columns);
		for (i = 0; i < t.n; i++)
			sum += t.width[i];
		assert_int_equal(sum, t.columns);
	}
}

static void check_si(double v, const char *want)
{
	char s[FMT_MAX];

	fmt_si(v, s, sizeof(s));
	assert_string_equal(s, want);
}

static void rates_have_three_digits(void **state)
{
	(void)state;
	check_si(0, "0");
	check_si(0.2, "<1");
	check_si(999.4, "999");
	check_si(999.5, "1.00k");
	check_si(9994, "9.99k");
	check_si(9996, "10.0k");
	check_si(99960, "100k");
	check_si(999499, "999k");
	check_si(999500, "1.00M");
	check_si(12.3e9, "12.3G");
	check_si(1e30, ">999E");
	check_si(INFINITY, ">999E");
	check_si(NAN, "?");
	check_si(-1, "?");
}

static void every_number_fits_its_column(void **state)
{
	uint64_t v = 1;
	char s[FMT_MAX];

	(void)state;
	for (v = 1; v < UINT64_MAX / 3; v = v * 2 + 1) {
		fmt_si((double)v, s, sizeof(s));
		assert_true(strlen(s) <= 5);
		fmt_count(v, s, sizeof(s));
		assert_true(strlen(s) <= 5);
		fmt_bytes(v, s, sizeof(s));
		assert_true(strlen(s) <= 6);
		fmt_usec((uint32_t)v, s, sizeof(s));
		assert_true(strlen(s) <= 6);
		fmt_msec(v, s, sizeof(s));
		assert_true(strlen(s) <= 6);
	}
	fmt_bytes(UINT64_MAX, s, sizeof(s));
	assert_string_equal(s, "16.0Ei");
	fmt_usec(UINT32_MAX, s, sizeof(s));
	assert_string_equal(s, "72m");
}

static void times_choose_their_unit(void **state)
{
	static const struct {
		uint32_t us;
		const char *want;
	} sample[] = { { 0, "-" },	     { 999, "999us" },	  { 1000, "1.00ms" },
		       { 23400, "23.4ms" },  { 999499, "999ms" }, { 999500, "1.00s" },
		       { 12300000, "12.3s" } };
	static const struct {
		uint64_t ms;
		const char *want;
	} span[] = { { 0, "0" },
		     { 999, "999ms" },
		     { 1000, "1.00s" },
		     { 99949, "99.9s" },
		     { 99950, "1.67m" },
		     { 5400000, "90.0m" },
		     { 36000000, "10.0h" },
		     { UINT64_MAX, ">9999h" } };
	char s[FMT_MAX];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(sample) / sizeof(*sample); i++) {
		fmt_usec(sample[i].us, s, sizeof(s));
		assert_string_equal(s, sample[i].want);
	}
	for (i = 0; i < sizeof(span) / sizeof(*span); i++) {
		fmt_msec(span[i].ms, s, sizeof(s));
		assert_string_equal(s, span[i].want);
	}
	(void)strcpy(s, "20.0MB/s");
	fmt_trim(s);
	assert_string_equal(s, "20MB/s");
	(void)strcpy(s, "1.05k");
	fmt_trim(s);
	assert_string_equal(s, "1.05k");
	fmt_uptime(3 * 86400 + 3661, s, sizeof(s));
	assert_string_equal(s, "3d 01:01:01");
	fmt_uptime(-5, s, sizeof(s));
	assert_string_equal(s, "00:00:00");
}

static void addresses_are_written_as_people_do(void **state)
{
	uint8_t v4[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = 1 },
		v6[16] = { 0x20, 1, [15] = 1 };
	uint8_t none[16] = { 0 };
	char s[FMT_ENDPOINT_MAX];

	(void)state;
	fmt_endpoint(v4, 443, s, sizeof(s));
	assert_string_equal(s, "10.0.0.1:443");
	fmt_endpoint(v6, 53, s, sizeof(s));
	assert_string_equal(s, "[2001::1]:53");
	fmt_endpoint(none, 0, s, sizeof(s));
	assert_string_equal(s, "*:*");
	assert_string_equal(fmt_tcp_state(1), "ESTAB");
	assert_string_equal(fmt_tcp_state(10), "LISTEN");
	assert_string_equal(fmt_tcp_state(200), "?");
}

static void grid_ignores_what_is_outside(void **state)
{
	struct grid g = { .utf8 = true, .glyphs = &glyphs_utf8 };

	(void)state;
	assert_int_equal(grid_resize(&g, 2, 5), 0);
	(void)grid_put(&g, -1, 0, 5, STYLE_NORMAL, "x");
	(void)grid_put(&g, 2, 0, 5, STYLE_NORMAL, "x");
	(void)grid_put(&g, 0, -3, 5, STYLE_NORMAL, "x");
	(void)grid_put(&g, 0, 5, 5, STYLE_NORMAL, "x");
	assert_int_equal(grid_put(&g, 1, 3, 100, STYLE_NORMAL, "abc"), 5);
	assert_int_equal(grid_at(&g, 1, 4)->ch[0], L'…');
	grid_style(&g, 0, 3, 100, STYLE_BOLD);
	grid_fill(&g, 7, 0, 5, STYLE_BOLD);
	assert_int_equal(grid_at(&g, 0, 0)->ch[0], L' ');
	assert_int_equal(grid_resize(&g, 1000000, 1000000), 0);
	assert_int_equal(g.rows, GRID_MAX_ROWS);
	grid_done(&g);
}

static void grid_overwrites_half_of_a_wide_character_cleanly(void **state)
{
	struct grid g = { .utf8 = true, .glyphs = &glyphs_utf8 };

	(void)state;
	assert_int_equal(grid_resize(&g, 1, 6), 0);
	(void)grid_put(&g, 0, 0, 6, STYLE_NORMAL, "日本語");
	(void)grid_put(&g, 0, 1, 1, STYLE_NORMAL, "x");
	assert_int_equal(grid_at(&g, 0, 0)->ch[0], L' ');
	assert_int_equal(grid_at(&g, 0, 0)->width, 1);
	assert_int_equal(grid_at(&g, 0, 1)->ch[0], L'x');
	(void)grid_put(&g, 0, 2, 1, STYLE_NORMAL, "y");
	assert_int_equal(grid_at(&g, 0, 3)->ch[0], L' ');
	assert_int_equal(grid_at(&g, 0, 3)->width, 1);
	grid_done(&g);
}

static void samples_come_out_oldest_first(void **state)
{
	float rates[70];
	struct samples s;
	uint32_t i;

	(void)state;
	for (i = 0; i < 70; i++)
		rates[i] = (float)i;
	samples_copy(&s, rates, 70);
	assert_int_equal(s.count, 60);
	assert_true(s.rate[0] == 10 && s.rate[59] == 69);
	samples_copy(&s, NULL, 0);
	assert_int_equal(s.count, 0);
}

static void a_burst_of_one_interval_stays_visible(void **state)
{
	struct samples s = { .count = 60 };
	int c, seen = 0;

	(void)state;
	s.rate[17] = 5;
	for (c = 0; c < 8; c++)
		seen += samples_at(&s, c, 8) == 5;
	assert_int_equal(seen, 1);
	s.count = 10;
	assert_true(samples_at(&s, 0, 8) < 0);
}

static void scale_is_a_round_figure(void **state)
{
	(void)state;
	assert_true(scale_ceiling(0) == 1);
	assert_true(scale_ceiling(1001) == 2000);
	assert_true(scale_ceiling(2000) == 2000);
	assert_true(scale_ceiling(4.9e6) == 5e6);
	assert_true(scale_ceiling(6e6) == 1e7);
	assert_true(scale_ceiling(NAN) > 0);
	assert_true(scale_ceiling(INFINITY) > 0);
}

static void sparkline_shows_the_least_traffic(void **state)
{
	struct grid g = { .utf8 = true, .glyphs = &glyphs_utf8 };
	struct samples s = { .count = 60 };

	(void)state;
	assert_int_equal(grid_resize(&g, 1, 60), 0);
	s.rate[0] = 1e-3f;
	s.rate[59] = FLT_MAX / 4;
	spark_draw(&g, 0, 0, 60, STYLE_SPARK, &s);
	assert_int_equal(grid_at(&g, 0, 0)->ch[0], L'▁');
	assert_int_equal(grid_at(&g, 0, 30)->ch[0], L' ');
	assert_int_equal(grid_at(&g, 0, 59)->ch[0], L'█');
	grid_done(&g);
}

static void services_and_starts_are_read_as_files_have_them(void **state)
{
	uint16_t port = 0;
	char name[16];
	bool udp;

	(void)state;
	assert_true(place_parse_service("https\t443/tcp\t# x\n", name, sizeof(name), &port, &udp));
	assert_string_equal(name, "https");
	assert_int_equal(port, 443);
	assert_false(udp);
	assert_true(place_parse_service("domain 53/udp\n", name, sizeof(name), &port, &udp));
	assert_true(udp);
	assert_false(place_parse_service("# a comment 1/tcp\n", name, sizeof(name), &port, &udp));
	assert_false(place_parse_service("x 0/tcp\n", name, sizeof(name), &port, &udp));
	assert_false(place_parse_service("x 65536/tcp\n", name, sizeof(name), &port, &udp));
	assert_false(place_parse_service("x 80/tcpmux\n", name, sizeof(name), &port, &udp));
	assert_false(place_parse_service("a-name-that-is-too-long 80/tcp\n", name, sizeof(name),
					 &port, &udp));
	assert_false(place_parse_service("", name, sizeof(name), &port, &udp));
	assert_int_equal(place_parse_start(
				 "7 (a) b) ) S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 "
				 "4711 20"),
			 4711);
	assert_int_equal(place_parse_start("7 (x) S 1 2"), 0);
	assert_int_equal(place_parse_start(""), 0);
}

static void scales_leave_no_half_of_a_graph_empty(void **state)
{
	(void)state;
	assert_true(scale_near(57.9) == 60);
	assert_true(scale_near(0) == 1);
	assert_true(scale_near(11e6) == 12e6);
	for (double v = 1; v < 1e9; v *= 1.07)
		assert_true(scale_near(v) >= v && scale_near(v) <= 1.5 * v + 1e-9 * v);
}

/* A column without a sentence, a state without words: a newcomer would stand before it. */
static void everything_on_the_screen_has_its_words(void **state)
{
	const struct column *c;
	unsigned int n = 0;

	(void)state;
	for (uint8_t kind = 0; kind < NETPROBE_VIEW_MAX; kind++) {
		assert_non_null(view_kinds[kind].help);
		for (int i = 0; (c = column_of(kind, i % 2, i)); i++)
			n += c->help || !c->cell;
	}
	assert_true(n > 5 * 5);
	for (int i = 0; i < n_columns; i++)
		assert_true(i == 0 || column_table[i].help);
	for (uint8_t st = 1; st < 13; st++)
		assert_non_null(words_state(fmt_tcp_state(st)));
	for (int v = 0; v < NETPROBE_VERDICT_MAX; v++)
		assert_non_null(words_verdict(v));
	assert_null(words_state("?"));
	assert_null(words_verdict(-1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_on_the_screen_has_its_words),
		cmocka_unit_test(services_and_starts_are_read_as_files_have_them),
		cmocka_unit_test(scales_leave_no_half_of_a_graph_empty),
		cmocka_unit_test(names_of_others_are_clean_in_a_frame),
		cmocka_unit_test(text_replaces_what_could_steer_a_terminal),
		cmocka_unit_test(text_counts_columns_not_bytes),
		cmocka_unit_test(text_is_bounded),
		cmocka_unit_test(cut_keeps_both_ends_of_a_path),
		cmocka_unit_test(cut_never_halves_a_wide_character),
		cmocka_unit_test(rates_have_three_digits),
		cmocka_unit_test(every_number_fits_its_column),
		cmocka_unit_test(times_choose_their_unit),
		cmocka_unit_test(addresses_are_written_as_people_do),
		cmocka_unit_test(grid_ignores_what_is_outside),
		cmocka_unit_test(grid_overwrites_half_of_a_wide_character_cleanly),
		cmocka_unit_test(samples_come_out_oldest_first),
		cmocka_unit_test(a_burst_of_one_interval_stays_visible),
		cmocka_unit_test(scale_is_a_round_figure),
		cmocka_unit_test(sparkline_shows_the_least_traffic),
	};

	if (!setlocale(LC_CTYPE, "C.UTF-8")) {
		(void)fputs("SKIP: no locale C.UTF-8, widths of characters are unknown\n", stderr);
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
