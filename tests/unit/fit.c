/* SPDX-License-Identifier: BSD-2-Clause */
/* Text that fits a terminal: columns chosen, cells and lines cut, words broken. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <locale.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <wchar.h>

#include "out/event.h"
#include "out/fit.h"
#include "out/table.h"

/* As a terminal counts them: by the C library, not by the code under test. Our colours count nothing. */
static unsigned int width_of(const char *s, size_t len)
{
	unsigned int all = 0;
	mbstate_t state = { 0 };
	wchar_t c;

	while (len) {
		size_t n;

		if (len > 3 && s[0] == '\033') {
			n = (size_t)((const char *)memchr(s, 'm', len) - s) + 1;
		} else {
			n = mbrtowc(&c, s, len, &state);
			assert_in_range(n, 1, len);
			assert_true(wcwidth(c) >= 0);
			all += (unsigned int)wcwidth(c);
		}
		s += n;
		len -= n;
	}
	return all;
}

static void every_line_fits(const char *text, unsigned int columns)
{
	while (*text) {
		size_t n = strcspn(text, "\n");

		assert_in_range(width_of(text, n), 0, columns);
		text += n + (text[n] == '\n');
	}
}

static void what_fits_is_left_alone(void **state)
{
	struct fit_column c[] = { { 10, 5, 0, true }, { 20, 12, 1, true } };

	(void)state;
	fit_columns(c, 2, 32);
	assert_int_equal(c[0].width, 10);
	assert_int_equal(c[1].width, 20);
	assert_true(c[0].shown && c[1].shown);
}

static void the_widest_gives_first_and_the_highest_rank_goes_first(void **state)
{
	struct fit_column c[] = { { 10, 5, 0, true }, { 20, 12, 1, true }, { 6, 6, 2, true } };

	(void)state;
	fit_columns(c, 3, 36); /* of 40 */
	assert_int_equal(c[1].width, 16);
	assert_int_equal(c[0].width, 10);
	assert_true(c[2].shown);
	fit_columns(c, 3, 26); /* least of all is 27 */
	assert_false(c[2].shown);
	assert_true(c[1].shown);
	assert_int_equal(c[0].width + FIT_GAP + c[1].width, 26);
	fit_columns(c, 3, 1);
	assert_true(c[0].shown && !c[1].shown);
	assert_int_equal(c[0].width, 5);
}

/* Whatever the columns are: it fits or one column is left; of two the one that went first never has the lower rank. */
static void any_columns_fit_or_one_is_left(void **state)
{
	(void)state;
	srand(1);
	for (unsigned int round = 0; round < 20000; round++) {
		struct fit_column c[8], before[8];
		unsigned int columns = (unsigned int)rand() % 120 + 1, all = 0, shown = 0;

		for (unsigned int i = 0; i < 8; i++) {
			c[i] = (struct fit_column){ (unsigned int)rand() % 40 + 1,
						    (unsigned int)rand() % 40 + 1,
						    (unsigned int)rand() % 5, rand() % 4 != 0 };
			before[i] = c[i];
		}
		c[0].shown = before[0].shown = true;
		fit_columns(c, 8, columns);
		for (unsigned int i = 0; i < 8; i++) {
			assert_true(before[i].shown || !c[i].shown);
			assert_true(c[i].width <= before[i].width);
			if (!c[i].shown)
				continue;
			assert_true(c[i].width >= before[i].least || c[i].width == before[i].width);
			all += (shown++ ? FIT_GAP : 0) + c[i].width;
			for (unsigned int j = 0; j < 8; j++)
				assert_true(c[j].shown || !before[j].shown ||
					    c[j].rank >= c[i].rank);
		}
		assert_true(shown == 1 || all <= columns);
	}
}

static void check_cell(const char *s, unsigned int max, bool middle, const char *want)
{
	struct buf b = {};
	unsigned int w = fit_cell(&b, s, strlen(s), max, middle);

	assert_string_equal(buf_str(&b), want);
	assert_int_equal(w, width_of(b.data, b.len));
	buf_done(&b);
}

static void cells_are_cut_at_the_end_or_in_the_middle(void **state)
{
	(void)state;
	check_cell("postgres", 8, false, "postgres");
	check_cell("postgres", 5, false, "post…");
	check_cell("2001:db8::1:2345", 9, true, "2001…2345");
	check_cell("2001:db8::1:2345", 16, true, "2001:db8::1:2345");
	/* two columns each: half of one is never shown */
	check_cell("日本語サーバー", 7, false, "日本語…");
	check_cell("日本語サーバー", 8, false, "日本語…");
	check_cell("日本語サーバー", 7, true, "日本…ー");
	check_cell("日本語サーバー", 9, true, "日本…バー");
	/* an accent goes where its letter goes */
	check_cell("cafe\xcc\x81-noir-cafe\xcc\x81", 9, true, "cafe\xcc\x81…cafe\xcc\x81");
	check_cell("\033[2Jx\nyy", 6, true, "\xef\xbf\xbd[2…yy");
}

static void a_line_is_cut_and_its_colour_ended(void **state)
{
	struct buf b = {};

	(void)state;
	fit_line(&b, "abc def", 7, 7);
	assert_string_equal(buf_str(&b), "abc def");
	buf_reset(&b);
	fit_line(&b, "abc def", 7, 6);
	assert_string_equal(buf_str(&b), "abc d…");
	buf_reset(&b);
	fit_line(&b, "abc def", 7, 5);
	assert_string_equal(buf_str(&b), "abc…");
	buf_reset(&b);
	fit_line(&b, "\033[31mabcdef\033[0m gh", 17, 5);
	assert_string_equal(buf_str(&b), "\033[31mabcd…\033[0m");
	buf_reset(&b);
	fit_line(&b, "\033[31mabc\033[0m defgh", 18, 6);
	assert_string_equal(buf_str(&b), "\033[31mabc\033[0m d…");
	buf_done(&b);
}

static void words_are_broken_at_blanks(void **state)
{
	static const char text[] = "application: The peer does not read.\n"
				   "  cwnd 10 ssthresh 20 in flight 3; peer's window 64 KiB\n"
				   "\nshort\n";
	struct buf b = {};

	(void)state;
	fit_words(&b, text, strlen(text), 24);
	assert_string_equal(buf_str(&b), "application: The peer\n"
					 "  does not read.\n"
					 "  cwnd 10 ssthresh 20 in\n"
					 "    flight 3; peer's\n"
					 "    window 64 KiB\n"
					 "\nshort\n");
	buf_reset(&b);
	fit_words(&b, text, strlen(text), 0);
	assert_string_equal(buf_str(&b), text);
	buf_done(&b);
}

static const struct table_column columns[] = {
	{ .name = "comm", .title = "COMMAND", .least = 8 },
	{ .name = "pid", .title = "PID", .right = true, .rank = 3 },
	{ .name = "raddr", .title = "REMOTE", .least = 12, .middle = true, .rank = 1 },
	{ .name = "tx", .title = "TX", .unit = UNIT_BYTES, .right = true, .rank = 2 },
	{ .name = "note", .title = "NOTE", .rank = 4 },
};

/* Figures are whole or not there, whatever else is cut. */
static void tables_fit_every_width(void **state)
{
	static const char *const names[] = { "nginx",
					     "日本語の長い名前のプロセス",
					     "cafe\xcc\x81-cafe\xcc\x81-cafe\xcc\x81",
					     "\033[2J\033[31m\t\n\r x",
					     "\xff\xfe"
					     "a\xc3",
					     "",
					     "  a   b  " };

	(void)state;
	for (unsigned int width = 1; width <= 130; width++) {
		struct table *t = table_new(columns, 5);
		struct buf out = {};
		const char *text;

		table_fit(t, width);
		for (unsigned int i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
			const struct cell row[] = { cell_str(names[i]), cell_u64(1234567),
						    cell_str("2001:db8:1234:5678::9abc:def0"),
						    cell_u64(1536), cell_str(names[i]) };

			assert_int_equal(table_add(t, row), 0);
		}
		assert_int_equal(table_write(t, &out, FORMAT_TEXT, false), 0);
		text = buf_str(&out);
		every_line_fits(text, width);
		assert_null(memchr(text, '\033', out.len));
		assert_null(memchr(text, '\r', out.len));
		if (strstr(text, "PID"))
			assert_non_null(strstr(text, " 1234567 "));
		else
			assert_null(strstr(text, "123"));
		if (width >= 110)
			assert_non_null(strstr(text, "2001:db8:1234:5678::9abc:def0"));
		buf_done(&out);
		(void)table_free(t);
	}
}

static void events_fit_every_width(void **state)
{
	struct process evil = { .tgid = 4194304, .comm = "\033[2J\n日本語" };
	struct np_tuple tuple = { .family = AF_INET6,
				  .proto = IPPROTO_TCP,
				  .lport = 65535,
				  .rport = 443,
				  .laddr = { 0x20, 1, 0xd, 0xb8, [15] = 1 },
				  .raddr = { 0x20, 1, 0xd, 0xb8, 1, 2, 3, 4, [15] = 1 },
				  .ifname = "\033[0m日本" };
	struct event ev = { .kind = EVENT_RESET,
			    .owner = &evil,
			    .owner_match = NP_MATCH_EXACT,
			    .has_owner_field = true,
			    .tuple = &tuple,
			    .rname = "a-name-that-somebody-chose.example.net",
			    .value = "CONNECT_TIMEOUT",
			    .cause = "timeout" };

	(void)state;
	for (unsigned int width = 20; width <= 250; width++) {
		for (unsigned int color = 0; color < 2; color++) {
			struct buf b = {};

			assert_int_equal(event_write_text(&b, &ev, color, width), 0);
			assert_ptr_equal(memchr(b.data, '\n', b.len), b.data + b.len - 1);
			every_line_fits(buf_str(&b), width);
			assert_int_equal(memchr(b.data, '\033', b.len) != NULL, color);
			/* who it was is there at all widths of terminals */
			if (width >= 40) {
				assert_non_null(strstr(buf_str(&b), "[4194304]"));
				assert_non_null(strstr(buf_str(&b), "CONNECT_TI"));
			}
			buf_done(&b);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_fits_is_left_alone),
		cmocka_unit_test(the_widest_gives_first_and_the_highest_rank_goes_first),
		cmocka_unit_test(any_columns_fit_or_one_is_left),
		cmocka_unit_test(cells_are_cut_at_the_end_or_in_the_middle),
		cmocka_unit_test(a_line_is_cut_and_its_colour_ended),
		cmocka_unit_test(words_are_broken_at_blanks),
		cmocka_unit_test(tables_fit_every_width),
		cmocka_unit_test(events_fit_every_width),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
