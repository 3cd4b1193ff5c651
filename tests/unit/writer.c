/* SPDX-License-Identifier: BSD-2-Clause */
/* The thread that writes: what a slow reader took is known while it goes on, and ends between lines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/socket.h>
#include <unistd.h>

#include "cli/writer.h"

#define LINE 64
#define PIECES 60
#define LINES 65536U /* 4 MiB: far more than a socket holds */
#define TRIES 2000
#define WAIT_MS 5
#define HUGE_BYTES ((size_t)64 << 20)

struct scene {
	int reader, fd;
	struct writer *w;
	size_t taken;
	char last; /* character that was taken */
};

static void begin(struct scene *s)
{
	char line[LINE + 1];
	struct buf b = {};
	uint64_t lost;
	int fds[2];

	*s = (struct scene){};
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	s->reader = fds[0];
	s->fd = fds[1];
	s->w = writer_new(s->fd, NULL, true, 0);
	assert_non_null(s->w);
	memset(line, 'x', LINE);
	line[LINE - 1] = '\n';
	line[LINE] = '\0';
	for (unsigned int i = 0; i < LINES; i++)
		buf_puts(&b, line);
	assert_int_equal(writer_put(s->w, &b, NULL, WRITER_COUNTS, &lost), 0);
	assert_int_equal(lost, 0);
	buf_done(&b);
}

static void take(struct scene *s, size_t n)
{
	static char text[65536];

	while (n) {
		ssize_t r = read(s->reader, text, n < sizeof(text) ? n : sizeof(text));

		assert_true(r > 0);
		s->taken += (size_t)r;
		s->last = text[r - 1];
		n -= (size_t)r;
	}
}

static void end(struct scene *s)
{
	(void)writer_free(s->w);
	(void)close(s->fd);
	(void)close(s->reader);
}

static void what_a_slow_reader_took_is_known_while_it_goes_on(void **state)
{
	uint64_t all = (uint64_t)LINES * LINE, left = all, lost;
	struct scene s;

	(void)state;
	begin(&s);
	assert_false(writer_has_room(s.w, HUGE_BYTES));
	take(&s, all / 2);
	for (int i = 0; i < TRIES && left > all / 2 + all / 16; i++)
		(void)writer_wait(s.w, WAIT_MS, &left);
	/* all that was taken but for the piece that is being written */
	assert_true(left <= all / 2 + all / 16);
	take(&s, all - s.taken);
	for (int i = 0; i < TRIES && !writer_wait(s.w, WAIT_MS, &left); i++)
		;
	assert_int_equal(left, 0);
	/* behind nothing there is room for whatever it is, as writer_put has */
	assert_true(writer_has_room(s.w, HUGE_BYTES));
	assert_int_equal(writer_end(s.w, &lost), 0);
	assert_int_equal(lost, 0);
	end(&s);
}

static void lines_that_nobody_took_are_counted_to_the_one(void **state)
{
	uint64_t lost;
	struct scene s;
	char text[65536];
	ssize_t n;

	(void)state;
	begin(&s);
	take(&s, (size_t)LINES * LINE / 4);
	assert_int_equal(writer_end(s.w, &lost), 0);
	(void)shutdown(s.fd, SHUT_WR);
	while ((n = read(s.reader, text, sizeof(text))) > 0)
		s.taken += (size_t)n;
	/* a line that was cut in the middle is lost */
	assert_int_equal(s.taken / LINE + lost, LINES);
	end(&s);
}

static void put_piece(struct writer *w, char c, size_t n, unsigned int kind)
{
	struct buf b = {};
	uint64_t lost;

	for (size_t i = 1; i < n; i++)
		buf_putc(&b, c);
	buf_putc(&b, '\n');
	assert_int_equal(writer_put(w, &b, NULL, kind, &lost), 0);
	assert_int_equal(lost, 0);
	buf_done(&b);
}

/* Bytes of the write that the reader sees next: datagrams keep them apart. */
static ssize_t next_write(const struct scene *s)
{
	struct pollfd pfd = { .fd = s->reader, .events = POLLIN };
	static char text[1 << 20];

	assert_int_equal(poll(&pfd, 1, TRIES * WAIT_MS), 1);
	return read(s->reader, text, sizeof(text));
}

static void pieces_that_belong_together_wait_for_each_other(void **state)
{
	static const struct timespec pause = { .tv_nsec = 1000000 };
	unsigned int writes = 0;
	struct scene s = {};
	uint64_t lost;
	int fds[2];

	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	s.reader = fds[0];
	s.fd = fds[1];
	s.w = writer_new(s.fd, NULL, true, 0);
	assert_non_null(s.w);
	/*
	 * A thread that was told of each would write each: there is time for that. One that is awake takes what it finds, then
	 * sleeps until it is told.
	 */
	for (unsigned int i = 0; i < PIECES; i++) {
		put_piece(s.w, 'x', LINE, WRITER_LINES | WRITER_MORE);
		(void)nanosleep(&pause, NULL);
	}
	writer_go(s.w);
	for (ssize_t sum = 0, n; sum < PIECES * LINE; sum += n, writes++) {
		n = next_write(&s);
		assert_true(n > 0 && n % LINE == 0 && sum + n <= PIECES * LINE);
	}
	assert_true(writes <= PIECES / 4);
	/* without a word when there are many, so that memory for them is bounded */
	for (unsigned int i = 0; i < 10; i++)
		put_piece(s.w, 'y', 60000, WRITER_LINES | WRITER_MORE);
	for (unsigned int i = 0; i < 10; i++) {
		assert_int_equal(next_write(&s), 60000);
		writer_go(s.w); /* what is left may not be many */
	}
	/* and where somebody waits for them */
	put_piece(s.w, 'z', LINE, WRITER_LINES | WRITER_MORE);
	for (int i = 0; i < TRIES && !writer_wait(s.w, WAIT_MS, &lost); i++)
		;
	assert_int_equal(next_write(&s), LINE);
	assert_int_equal(writer_end(s.w, &lost), 0);
	assert_int_equal(lost, 0);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_slow_reader_took_is_known_while_it_goes_on),
		cmocka_unit_test(lines_that_nobody_took_are_counted_to_the_one),
		cmocka_unit_test(pieces_that_belong_together_wait_for_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
