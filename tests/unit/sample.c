/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts of sampled sockets: each step scaled by the rate it was made under. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "engine/sample.h"

static struct sampler *s;

static int set_up(void **state)
{
	(void)state;
	s = sampler_new();
	return s ? 0 : -1;
}

static int clean_up(void **state)
{
	(void)state;
	s = sampler_free(s);
	return 0;
}

static struct np_sock_rec record(uint64_t id, uint64_t tx, uint32_t rate)
{
	struct np_sock_rec rec = { .sock_id = id, .opened_ns = 1, .sample_rate = rate };

	rec.counts.tx_bytes = tx;
	rec.tcp.segs_out = (uint32_t)(tx / 1000);
	return rec;
}

static uint64_t scaled(struct np_sock_rec rec, bool known)
{
	sampler_scale(s, &rec, known);
	return rec.counts.tx_bytes;
}

static void nothing_to_do_without_a_sample(void **state)
{
	struct np_sock_rec rec = record(1, 5000, 1);

	(void)state;
	assert_true(sampler_is_idle(s, &rec));
	assert_int_equal(scaled(rec, false), 5000);
	rec.sample_rate = 0;
	assert_true(sampler_is_idle(s, &rec));
}

static void bytes_and_packets_are_multiplied(void **state)
{
	struct np_sock_rec rec = record(1, 5000, 10);

	(void)state;
	rec.tcp.bytes_acked = 5000;
	sampler_scale(s, &rec, false);
	assert_int_equal(rec.counts.tx_bytes, 50000);
	assert_int_equal(rec.tcp.segs_out, 50);
	assert_int_equal(rec.tcp.bytes_acked, 5000); /* the connection's own */
	assert_int_equal(scaled(record(1, 6000, 10), true), 60000);
}

static void each_step_has_its_own_rate(void **state)
{
	(void)state;
	assert_int_equal(scaled(record(1, 1000, 10), false), 10000);
	assert_int_equal(scaled(record(1, 2000, 100), true), 110000);
	assert_int_equal(scaled(record(1, 3000, 1), true), 111000);
}

static void what_was_counted_before_the_sample_stays(void **state)
{
	(void)state;
	assert_int_equal(scaled(record(1, 7000, 10), true), 7000);
	assert_int_equal(scaled(record(1, 8000, 10), true), 17000);
}

static void late_record_does_not_move_the_base(void **state)
{
	(void)state;
	assert_int_equal(scaled(record(1, 5000, 10), false), 50000);
	assert_int_equal(scaled(record(1, 4000, 10), true), 40000);
	assert_int_equal(scaled(record(1, 6000, 10), true), 60000);
}

static void next_connection_on_the_socket_starts_from_nothing(void **state)
{
	struct np_sock_rec rec = record(1, 300, 10);

	(void)state;
	assert_int_equal(scaled(record(1, 5000, 10), false), 50000);
	rec.opened_ns = 2;
	assert_int_equal(scaled(rec, true), 3000);
}

static void last_record_ends_it(void **state)
{
	struct np_sock_rec rec = record(1, 5000, 10), other = record(2, 1, 1);

	(void)state;
	rec.tuple.flags = NP_F_DEAD;
	assert_int_equal(scaled(rec, false), 50000);
	assert_true(sampler_is_idle(s, &other));
}

static void counter_of_32_bits_may_wrap(void **state)
{
	struct np_sock_rec rec = record(1, 1000, 4);

	(void)state;
	rec.tcp.segs_out = UINT32_MAX;
	sampler_scale(s, &rec, true);
	rec = record(1, 2000, 4);
	rec.tcp.segs_out = 1;
	sampler_scale(s, &rec, true);
	assert_int_equal(rec.tcp.segs_out, UINT32_MAX + 8u);
}

static void parts_are_multiplied_as_they_are(void **state)
{
	struct np_part part = { .counts = { .tx_bytes = 7, .rx_calls = 2 } };

	(void)state;
	sampler_scale_part(&part, 0);
	sampler_scale_part(&part, 1);
	assert_int_equal(part.counts.tx_bytes, 7);
	sampler_scale_part(&part, 3);
	assert_int_equal(part.counts.tx_bytes, 21);
	assert_int_equal(part.counts.rx_calls, 6);
}

static bool is_open(uint64_t sock_id, void *arg)
{
	return sock_id == *(const uint64_t *)arg;
}

/* A sweep's record that comes behind the last one, or a last one that never comes, leaves nothing. */
static void sockets_that_are_not_open_are_forgotten(void **state)
{
	uint64_t open = 2;

	(void)state;
	for (uint64_t i = 1; i <= 1000; i++) {
		struct np_sock_rec rec = record(i, 100, 4);

		sampler_scale(s, &rec, false);
	}
	sampler_purge(s, is_open, &open);
	{
		struct np_sock_rec rec = record(2, 300, 4), old = record(1, 50, 1);

		sampler_scale(s, &rec, true);
		assert_int_equal(rec.counts.tx_bytes, 1200);
		rec = record(2, 300, 4);
		rec.tuple.flags |= NP_F_DEAD;
		sampler_scale(s, &rec, true);
		assert_true(sampler_is_idle(s, &old));
	}
}

#define TEST_OF(fn) cmocka_unit_test_setup_teardown(fn, set_up, clean_up)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST_OF(nothing_to_do_without_a_sample),
		TEST_OF(bytes_and_packets_are_multiplied),
		TEST_OF(each_step_has_its_own_rate),
		TEST_OF(what_was_counted_before_the_sample_stays),
		TEST_OF(late_record_does_not_move_the_base),
		TEST_OF(next_connection_on_the_socket_starts_from_nothing),
		TEST_OF(last_record_ends_it),
		TEST_OF(counter_of_32_bits_may_wrap),
		TEST_OF(parts_are_multiplied_as_they_are),
		TEST_OF(sockets_that_are_not_open_are_forgotten),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
