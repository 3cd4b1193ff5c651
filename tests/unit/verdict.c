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
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_APPLICATION);
	assert_int_equal(t.us[NETPROBE_VERDICT_APPLICATION], 1000);
}

static void busy_time_that_waits_for_nothing_else_is_the_networks(void **state)
{
	struct verdict_times t =
		over((struct verdict_sample){ .busy_us = 900, .wants = true }, 1000);

	(void)state;
	assert_int_equal(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 900);
	assert_int_equal(t.us[NETPROBE_VERDICT_APPLICATION], 100);
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
	assert_int_equal(t.us[NETPROBE_VERDICT_RECEIVE_WINDOW], 200);
	assert_int_equal(t.us[NETPROBE_VERDICT_SEND_BUFFER], 300);
	assert_int_equal(t.us[NETPROBE_VERDICT_LOSS], 400);
	assert_int_equal(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 100);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_LOSS);
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
	assert_int_equal(t.us[NETPROBE_VERDICT_LOSS], 0);
	assert_int_equal(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 1000);
	lossy.srtt_us = 3000; /* nothing waits in a queue: segments get lost on the way */
	verdict_sample_flow(&s, &lossy);
	assert_int_equal(over(s, 1000).us[NETPROBE_VERDICT_LOSS], 400);
	collapsed.snd_cwnd = 1; /* waits for a timeout, and for delayed ACKs */
	verdict_sample_flow(&s, &collapsed);
	assert_int_equal(over(s, 1000).us[NETPROBE_VERDICT_LOSS], 400);
}

/* 64 KiB in a send buffer of 9 KiB over 20 ms, as 6.12 with cubic tells it: its counter stays at 0. */
static const struct flow_tcp small_buffer = { .busy_us = 900,
					      .srtt_us = 22000,
					      .min_rtt_us = 20500,
					      .snd_cwnd = 109,
					      .in_flight = 46,
					      .mss = 1448,
					      .sndbuf_bytes = 9216,
					      .wmem_bytes = 74496,
					      .limits = NP_TCP_NO_ROOM };

static struct verdict_times flow_over(const struct flow_tcp *was, const struct flow_tcp *now)
{
	struct flow_tcp before = *was;
	struct verdict_sample from, to;
	struct verdict_times t = { 0 };

	before.busy_us = 0;
	verdict_sample_flow(&from, &before);
	verdict_sample_flow(&to, now);
	verdict_add(&t, &from, &to, 1000);
	return t;
}

static void a_full_buffer_below_the_window_is_the_buffers_whatever_the_kernel_counted(void **state)
{
	struct flow_tcp paced = small_buffer, writing = small_buffer;
	struct verdict_times t = flow_over(&small_buffer, &small_buffer);

	(void)state;
	assert_int_equal(t.us[NETPROBE_VERDICT_SEND_BUFFER], 900);
	assert_int_equal(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 0);
	paced.in_flight =
		10; /* bbr lets the rest out later: there is still not enough for the window */
	paced.unsent_bytes = 36 * 1448;
	assert_int_equal(flow_over(&paced, &paced).us[NETPROBE_VERDICT_SEND_BUFFER], 900);
	writing.limits = 0; /* a look in the middle of a send */
	writing.unsent_bytes = 30000;
	assert_int_equal(flow_over(&small_buffer, &writing).us[NETPROBE_VERDICT_SEND_BUFFER], 450);
	assert_int_equal(flow_over(&small_buffer, &writing).us[NETPROBE_VERDICT_CONGESTION_WINDOW],
			 450);
}

static void a_full_buffer_that_would_fill_the_window_is_the_windows(void **state)
{
	struct flow_tcp slow = small_buffer;

	(void)state;
	slow.snd_cwnd =
		20; /* a link with a queue: what is unsent waits for the window or for the device */
	slow.in_flight = 9;
	slow.unsent_bytes = 800000;
	slow.limits = NP_TCP_NO_ROOM | NP_TCP_CWND_LIMITED;
	assert_int_equal(flow_over(&slow, &slow).us[NETPROBE_VERDICT_CONGESTION_WINDOW], 900);
	assert_int_equal(flow_over(&slow, &slow).us[NETPROBE_VERDICT_SEND_BUFFER], 0);
	slow.mss = 0;
	slow.in_flight = 20;
	assert_int_equal(flow_over(&slow, &slow).us[NETPROBE_VERDICT_CONGESTION_WINDOW], 900);
}

/* 5% of the segments lost on the way, reno: little time in recovery, but a window of a few segments. */
static void a_window_kept_small_by_losses_is_the_losses(void **state)
{
	struct verdict_sample first = { .wants = true, .sent = 500000, .resent = 18000 };
	struct verdict_sample then = { .wants = true, .busy_us = 1000, .recovery_us = 200 };
	struct verdict_times t = { 0 };

	(void)state;
	then.sent = 600000;
	then.resent = 18099; /* fewer than a thousandth: those before the look are long ago */
	verdict_add(&t, &first, &then, 1000);
	assert_int_equal(t.us[NETPROBE_VERDICT_LOSS], 200);
	assert_int_equal(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 800);
	t = (struct verdict_times){ 0 };
	then.resent = 18100;
	verdict_add(&t, &first, &then, 1000);
	assert_int_equal(t.us[NETPROBE_VERDICT_LOSS], 1000);
	t = (struct verdict_times){ 0 };
	then.queued = true; /* a slow link loses what its queue does not hold */
	verdict_add(&t, &first, &then, 1000);
	assert_int_equal(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 1000);
}

static void single_long_round_trips_are_no_queue(void **state)
{
	struct flow_tcp t = {
		.snd_cwnd = 9, .srtt_us = 22511, .rttvar_us = 12749, .min_rtt_us = 10730
	};
	struct verdict_sample s;

	(void)state;
	verdict_sample_flow(&s, &t); /* delayed ACKs of a small window */
	assert_false(s.queued);
	t.rttvar_us = 500;
	verdict_sample_flow(&s, &t);
	assert_true(s.queued);
}

static void a_room_that_nobody_waits_for_is_no_limit(void **state)
{
	struct flow_tcp sent_all = small_buffer;

	(void)state;
	sent_all.limits = 0;
	assert_int_equal(flow_over(&sent_all, &sent_all).us[NETPROBE_VERDICT_APPLICATION], 1000);
}

/* The verdict of a life whose records were these, the last one at its end; 1 s between two. */
static struct verdict_times life_of(const struct np_tcp *recs, size_t n, uint64_t elapsed_us)
{
	struct flow_tcp tcp = { 0 };
	struct verdict_times t;

	for (size_t i = 0; i + 1 < n; i++) {
		verdict_past_add(&tcp.past, &tcp, &recs[i]);
		tcp.busy_us = recs[i].busy_us;
		tcp.rwnd_limited_us = recs[i].rwnd_limited_us;
		tcp.sndbuf_limited_us = recs[i].sndbuf_limited_us;
		tcp.recovery_us = recs[i].recovery_us;
		tcp.snd_cwnd = recs[i].snd_cwnd;
		tcp.in_flight = recs[i].in_flight;
		tcp.unsent_bytes = recs[i].unsent_bytes;
		tcp.mss = (uint16_t)recs[i].mss;
		tcp.limits = (uint8_t)recs[i].limits;
		tcp.delivery_rate = recs[i].delivery_rate;
		tcp.srtt_us = recs[i].srtt_us;
		tcp.min_rtt_us = recs[i].min_rtt_us;
	}
	verdict_life_ended(&t, n > 1 ? &tcp : NULL, &recs[n - 1], elapsed_us);
	return t;
}

static void a_life_that_only_waited_for_its_application_is_the_applications(void **state)
{
	const struct np_tcp asks[] = {
		{ .busy_us = 900, .delivery_rate = 50000, .limits = NP_TCP_APP_LIMITED }
	};

	(void)state;
	assert_int_equal(life_of(asks, 1, 1000).us[NETPROBE_VERDICT_APPLICATION], 1000);
}

static void a_life_that_no_look_saw_is_judged_by_the_kernels_own_samples(void **state)
{
	struct np_tcp end = { .busy_us = 900, .delivery_rate = 50000000 };
	struct verdict_times t;

	(void)state;
	t = life_of(&end, 1, 1000); /* it ran full, and all has been acknowledged since */
	assert_int_equal(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 900);
	end.sndbuf_limited_us = 400; /* the kernel notices a full buffer about half of the time */
	t = life_of(&end, 1, 1000);
	assert_int_equal(t.us[NETPROBE_VERDICT_SEND_BUFFER], 900);
	end.limits = NP_TCP_CWND_LIMITED; /* the window was full in its last round trip */
	t = life_of(&end, 1, 1000);
	assert_int_equal(t.us[NETPROBE_VERDICT_SEND_BUFFER], 400);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_CONGESTION_WINDOW);
}

/* 6 s behind a full window, then small requests, whose samples are the application's, and a rest. */
static void a_life_limited_by_the_window_that_ends_idle_is_the_windows(void **state)
{
	struct np_tcp recs[9] = { 0 };
	struct verdict_times t;
	unsigned int i;

	(void)state;
	for (i = 0; i < 6; i++)
		recs[i] = (struct np_tcp){ .busy_us = (i + 1) * 1000000,
					   .in_flight = 40,
					   .snd_cwnd = 40,
					   .unsent_bytes = 100000,
					   .delivery_rate = 2000000 + i };
	for (; i < 9; i++)
		recs[i] = (struct np_tcp){ .busy_us = 6500000,
					   .snd_cwnd = 40,
					   .limits = NP_TCP_APP_LIMITED,
					   .delivery_rate = 3000000 + i };
	t = life_of(recs, 9, 9000000);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_CONGESTION_WINDOW);
	assert_in_range(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW], 6490000, 6500000);
	/* a bulk before, small requests for ten times as long: not what the window did to all of it */
	recs[8].busy_us = 70000000;
	t = life_of(recs, 9, 72000000);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_APPLICATION);
}

static void a_life_limited_by_a_small_buffer_that_ends_idle_is_the_buffers(void **state)
{
	const struct np_tcp full = { .busy_us = 1000000,
				     .snd_cwnd = 109,
				     .in_flight = 46,
				     .mss = 1448,
				     .delivery_rate = 3000000,
				     .limits = NP_TCP_NO_ROOM };
	struct np_tcp recs[4] = { full, full, full, full };
	struct verdict_times t;

	(void)state;
	recs[1].busy_us = 2000000;
	recs[2].busy_us = 3000000;
	recs[3].busy_us = 3000500;
	recs[3].in_flight = recs[3].limits = 0;
	t = life_of(recs, 4, 4000000);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_SEND_BUFFER);
	assert_true(t.us[NETPROBE_VERDICT_SEND_BUFFER] > 2900000);
}

static void
a_life_of_losses_that_ends_idle_is_the_losses_but_for_those_of_a_full_queue(void **state)
{
	struct np_tcp recs[3] = { { .busy_us = 1000000,
				    .recovery_us = 300000,
				    .snd_cwnd = 10,
				    .in_flight = 10,
				    .srtt_us = 11000,
				    .min_rtt_us = 10000,
				    .delivery_rate = 1000000,
				    .bytes_sent = 1000000,
				    .bytes_retrans = 50000 } };
	struct verdict_times t;

	(void)state;
	recs[1] = recs[2] = recs[0];
	recs[1].busy_us = 2000000;
	recs[2].busy_us = 2000000;
	recs[2].in_flight = 0;
	t = life_of(recs, 3, 3000000);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_LOSS);
	assert_true(t.us[NETPROBE_VERDICT_LOSS] > 1990000);
	recs[0].srtt_us = recs[1].srtt_us = recs[2].srtt_us = 40000;
	t = life_of(recs, 3, 3000000);
	assert_true(t.us[NETPROBE_VERDICT_CONGESTION_WINDOW] > 1990000);
	assert_int_equal(t.us[NETPROBE_VERDICT_LOSS], 0);
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
	for (unsigned int v = 0; v < NETPROBE_VERDICT_MAX; v++)
		sum += verdict_share(&t, v);
	assert_true(sum > 0.999 && sum < 1.001);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_RECEIVE_WINDOW);
}

static void counters_that_go_back_count_nothing(void **state)
{
	const struct verdict_sample was = { .busy_us = 500, .rwnd_us = 500 };
	const struct verdict_sample now = { .busy_us = 10 };
	struct verdict_times t = { 0 };

	(void)state;
	verdict_add(&t, &was, &now, 100);
	assert_int_equal(t.us[NETPROBE_VERDICT_APPLICATION], 100);
}

static void no_time_gives_no_verdict(void **state)
{
	struct verdict_times t = { 0 };

	(void)state;
	assert_int_equal(verdict_first(&t), -1);
	assert_null(verdict_name(-1));
	assert_true(verdict_share(&t, NETPROBE_VERDICT_LOSS) == 0);
}

/* One segment in flight, 100 bytes behind it: the peer delays its acknowledgement. */
static const struct flow_tcp small_writes = { .busy_us = 900,
					      .snd_cwnd = 131,
					      .in_flight = 1,
					      .mss = 1448,
					      .unsent_bytes = 100,
					      .limits = NP_TCP_NAGLE };

static void small_writes_that_nagle_holds_back_are_the_applications(void **state)
{
	struct flow_tcp unknown = small_writes, full = small_writes;
	struct verdict_times t = flow_over(&small_writes, &small_writes);

	(void)state;
	assert_int_equal(t.us[NETPROBE_VERDICT_APPLICATION], 1000);
	assert_int_equal(t.held[HELD_NAGLE], 900);
	assert_string_equal(verdict_held_name(verdict_held(&t)), "nagle");
	unknown.limits = 0; /* tcp_info does not tell */
	t = flow_over(&unknown, &unknown);
	assert_int_equal(t.us[NETPROBE_VERDICT_APPLICATION], 1000);
	assert_null(verdict_held_name(verdict_held(&t)));
	full.in_flight = 131; /* the same bytes behind a full window */
	assert_int_equal(flow_over(&full, &full).us[NETPROBE_VERDICT_CONGESTION_WINDOW], 900);
}

static void what_is_corked_is_the_applications(void **state)
{
	struct flow_tcp corked = small_writes;
	struct verdict_times t;

	(void)state;
	corked.in_flight = 0;
	corked.limits = NP_TCP_CORK;
	t = flow_over(&corked, &corked);
	assert_int_equal(t.us[NETPROBE_VERDICT_APPLICATION], 1000);
	assert_string_equal(verdict_held_name(verdict_held(&t)), "cork");
}

/* Writes of two in 200 ms are corked for two thirds of the time: each third look finds nothing. */
static void a_look_that_finds_nothing_takes_none_of_what_is_corked(void **state)
{
	struct verdict_sample corked = { .held = HELD_CORK }, idle = { .idle = true };
	struct verdict_times t = { 0 };

	(void)state;
	idle.busy_us = 50;
	verdict_add(&t, &corked, &idle, 100);
	corked.busy_us = 100;
	verdict_add(&t, &idle, &corked, 100);
	idle = corked;
	corked.busy_us = 200;
	verdict_add(&t, &idle, &corked, 100);
	assert_int_equal(t.held[HELD_CORK], 200);
	assert_string_equal(verdict_held_name(verdict_held(&t)), "cork");
}

static void a_rate_that_was_asked_for_is_pacing(void **state)
{
	struct flow_tcp paced = { .busy_us = 900,
				  .snd_cwnd = 34,
				  .mss = 1448,
				  .unsent_bytes = 800000,
				  .limits = NP_TCP_PACED | NP_TCP_NO_ROOM };
	struct flow_tcp full = paced;
	struct verdict_times t = flow_over(&paced, &paced);

	(void)state;
	assert_int_equal(t.us[NETPROBE_VERDICT_PACING], 900);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_PACING);
	full.in_flight = 34; /* the window lets out less than was asked for */
	assert_int_equal(flow_over(&full, &full).us[NETPROBE_VERDICT_CONGESTION_WINDOW], 900);
	full = paced;
	full.limits = 0;
	assert_int_equal(flow_over(&full, &full).us[NETPROBE_VERDICT_PACING], 0);
}

static void a_life_at_a_rate_that_was_asked_for_is_pacing(void **state)
{
	struct np_tcp recs[3] = { { .busy_us = 1000000,
				    .snd_cwnd = 34,
				    .mss = 1448,
				    .unsent_bytes = 800000,
				    .bytes_sent = 2000000,
				    .limits = NP_TCP_PACED } };
	struct verdict_times t;

	(void)state;
	recs[2] = recs[1] = recs[0];
	recs[1].busy_us = 2000000;
	recs[2].busy_us = 2100000;
	recs[2].unsent_bytes = 0;
	t = life_of(recs, 3, 2200000);
	assert_int_equal(verdict_first(&t), NETPROBE_VERDICT_PACING);
	assert_true(t.us[NETPROBE_VERDICT_PACING] > 1900000);
}

/* A request that fits into the window: no sample of the rate, no late round trip makes it the window's. */
static void a_request_that_fits_into_the_window_is_the_applications(void **state)
{
	struct np_tcp end = { .busy_us = 900,
			      .delivery_rate = 50000000,
			      .snd_cwnd = 10,
			      .mss = 1448,
			      .bytes_sent = 83,
			      .srtt_us = 9000,
			      .min_rtt_us = 40 };

	(void)state;
	assert_int_equal(life_of(&end, 1, 2000).us[NETPROBE_VERDICT_APPLICATION], 2000);
	end.bytes_sent = 1448 * 11;
	assert_int_equal(life_of(&end, 1, 2000).us[NETPROBE_VERDICT_CONGESTION_WINDOW], 900);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(time_without_data_belongs_to_the_application),
		cmocka_unit_test(busy_time_that_waits_for_nothing_else_is_the_networks),
		cmocka_unit_test(each_limit_takes_its_part_of_the_busy_time),
		cmocka_unit_test(repairs_behind_a_full_queue_are_the_networks),
		cmocka_unit_test(
			a_full_buffer_below_the_window_is_the_buffers_whatever_the_kernel_counted),
		cmocka_unit_test(a_full_buffer_that_would_fill_the_window_is_the_windows),
		cmocka_unit_test(a_window_kept_small_by_losses_is_the_losses),
		cmocka_unit_test(single_long_round_trips_are_no_queue),
		cmocka_unit_test(a_room_that_nobody_waits_for_is_no_limit),
		cmocka_unit_test(a_life_that_only_waited_for_its_application_is_the_applications),
		cmocka_unit_test(a_life_that_no_look_saw_is_judged_by_the_kernels_own_samples),
		cmocka_unit_test(a_life_limited_by_the_window_that_ends_idle_is_the_windows),
		cmocka_unit_test(a_life_limited_by_a_small_buffer_that_ends_idle_is_the_buffers),
		cmocka_unit_test(
			a_life_of_losses_that_ends_idle_is_the_losses_but_for_those_of_a_full_queue),
		cmocka_unit_test(shares_add_up_even_where_counters_overlap),
		cmocka_unit_test(counters_that_go_back_count_nothing),
		cmocka_unit_test(no_time_gives_no_verdict),
		cmocka_unit_test(small_writes_that_nagle_holds_back_are_the_applications),
		cmocka_unit_test(what_is_corked_is_the_applications),
		cmocka_unit_test(a_look_that_finds_nothing_takes_none_of_what_is_corked),
		cmocka_unit_test(a_rate_that_was_asked_for_is_pacing),
		cmocka_unit_test(a_life_at_a_rate_that_was_asked_for_is_pacing),
		cmocka_unit_test(a_request_that_fits_into_the_window_is_the_applications),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
