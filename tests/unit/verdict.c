/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts from the kernel's chrono counters: shares add up, and the largest wins. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/verdict.h"

static struct verdict_times over(struct verdict_sample now, uint64_t elapsed_us)
{
	const struct verdict_sample start = { 0 };
	struct verdict_times t = { 0 };

	verdict_add(&t, &start, &now, elapsed_us);
	return t;
}

static void time_without_data_belongs_to_the_application(void **state)
{
	struct verdict_times t = over((struct verdict_sample){ .busy_us = 100 }, 1000);

	(void)state;
	assert_int_equal(verdict_first(&t), VERDICT_APPLICATION);
	assert_int_equal(t.us[VERDICT_APPLICATION], 1000);
}

static void busy_time_that_waits_for_nothing_else_is_the_networks(void **state)
{
	struct verdict_times t =
		over((struct verdict_sample){ .busy_us = 900, .wants = true }, 1000);

	(void)state;
	assert_int_equal(t.us[VERDICT_CONGESTION_WINDOW], 900);
	assert_int_equal(t.us[VERDICT_APPLICATION], 100);
}

static void each_limit_takes_its_part_of_the_busy_time(void **state)
{
	struct verdict_times t = over((struct verdict_sample){ .busy_us = 1000,
							       .rwnd_us = 200,
							       .sndbuf_us = 300,
							       .recovery_us = 400,
							       .wants = true },
				      1000);

	(void)state;
	assert_int_equal(t.us[VERDICT_RECEIVE_WINDOW], 200);
	assert_int_equal(t.us[VERDICT_SEND_BUFFER], 300);
	assert_int_equal(t.us[VERDICT_LOSS], 400);
	assert_int_equal(t.us[VERDICT_CONGESTION_WINDOW], 100);
	assert_int_equal(verdict_first(&t), VERDICT_LOSS);
}

static void repairs_behind_a_full_queue_are_the_networks(void **state)
{
	struct flow_tcp full = { .recovery_us = 400,
				 .busy_us = 1000,
				 .srtt_us = 30000,
				 .min_rtt_us = 200,
				 .snd_cwnd = 40,
				 .in_flight = 40 };
	struct flow_tcp lossy = full, collapsed = full;
	struct verdict_sample s;
	struct verdict_times t;

	(void)state;
	verdict_sample_flow(&s, &full);
	t = over(s, 1000);
	assert_int_equal(t.us[VERDICT_LOSS], 0);
	assert_int_equal(t.us[VERDICT_CONGESTION_WINDOW], 1000);
	lossy.srtt_us = 3000; /* nothing waits in a queue: segments get lost on the way */
	verdict_sample_flow(&s, &lossy);
	assert_int_equal(over(s, 1000).us[VERDICT_LOSS], 400);
	collapsed.snd_cwnd = 1; /* waits for a timeout, and for delayed ACKs */
	verdict_sample_flow(&s, &collapsed);
	assert_int_equal(over(s, 1000).us[VERDICT_LOSS], 400);
}

static void shares_add_up_even_where_counters_overlap(void **state)
{
	/* The counters are read one after the other and tick in jiffies: their sum may exceed the time. */
	struct verdict_times t = over(
		(struct verdict_sample){
			.busy_us = 5000, .rwnd_us = 4000, .sndbuf_us = 4000, .recovery_us = 4000 },
		1000);
	double sum = 0;

	(void)state;
	for (unsigned int v = 0; v < VERDICT_MAX; v++)
		sum += verdict_share(&t, v);
	assert_true(sum > 0.999 && sum < 1.001);
	assert_int_equal(verdict_first(&t), VERDICT_RECEIVE_WINDOW);
}

static void counters_that_go_back_count_nothing(void **state)
{
	const struct verdict_sample was = { .busy_us = 500, .rwnd_us = 500 };
	const struct verdict_sample now = { .busy_us = 10 };
	struct verdict_times t = { 0 };

	(void)state;
	verdict_add(&t, &was, &now, 100);
	assert_int_equal(t.us[VERDICT_APPLICATION], 100);
}

static void no_time_gives_no_verdict(void **state)
{
	struct verdict_times t = { 0 };

	(void)state;
	assert_int_equal(verdict_first(&t), -1);
	assert_null(verdict_name(-1));
	assert_true(verdict_share(&t, VERDICT_LOSS) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_without_data_belongs_to_the_application),
		cmocka_unit_test(busy_time_that_waits_for_nothing_else_is_the_networks),
		cmocka_unit_test(each_limit_takes_its_part_of_the_busy_time),
		cmocka_unit_test(repairs_behind_a_full_queue_are_the_networks),
		cmocka_unit_test(shares_add_up_even_where_counters_overlap),
		cmocka_unit_test(counters_that_go_back_count_nothing),
		cmocka_unit_test(no_time_gives_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
