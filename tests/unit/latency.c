/* SPDX-License-Identifier: BSD-2-Clause */
/* Latencies: in the right slot, once each, and gone with their processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "flow/latency.h"
#include "flow_make.h"

static void slots_are_powers_of_two_of_microseconds(void **state)
{
	(void)state;
	assert_int_equal(histogram_slot(0), 0);
	assert_int_equal(histogram_slot(1), 1);
	assert_int_equal(histogram_slot(2), 2);
	assert_int_equal(histogram_slot(3), 2);
	assert_int_equal(histogram_slot(200000), 18);
	assert_int_equal(histogram_slot(UINT64_MAX), NP_HIST_SLOTS - 1);
	assert_int_equal(histogram_from(0), 0);
	assert_int_equal(histogram_to(0), 1);
	assert_int_equal(histogram_from(18), 131072);
	assert_int_equal(histogram_to(18), 262144);
	assert_true(histogram_to(NP_HIST_SLOTS - 1) == UINT64_MAX);
	for (unsigned int i = 1; i < NP_HIST_SLOTS - 1; i++) {
		assert_int_equal(histogram_slot(histogram_from(i)), i);
		assert_int_equal(histogram_slot(histogram_to(i) - 1), i);
	}
}

static void quantiles_are_ends_of_slots(void **state)
{
	struct histogram h = { 0 };

	(void)state;
	assert_int_equal(histogram_quantile(&h, 0.5), 0);
	for (unsigned int i = 0; i < 99; i++)
		histogram_add(&h, 10);
	histogram_add(&h, 5000);
	assert_int_equal(histogram_count(&h), 100);
	assert_int_equal(histogram_quantile(&h, 0.5), 16);
	assert_int_equal(histogram_quantile(&h, 0.99), 16);
	assert_int_equal(histogram_quantile(&h, 1), 8192);
}

static void hear(struct world *w, struct latencies *l, const struct np_sock_rec *rec)
{
	struct latency_before before;
	const struct flow *f;

	latency_before(&before, flow_table_find(w->flows, rec->sock_id));
	assert_int_equal(flow_table_sock(w->flows, rec, w->now), 0);
	f = flow_table_find(w->flows, rec->sock_id);
	latencies_flow(l, &before, rec, f->last);
}

static uint64_t count(const struct world *w, const struct latencies *l, unsigned int what)
{
	const struct flow *f = flow_table_find(w->flows, 1);
	const struct latency *e = latencies_find(l, f->last);

	return e ? histogram_count(&e->h[what]) : 0;
}

static void a_connect_counts_once_and_a_round_trip_when_data_was_acknowledged(void **state)
{
	struct np_sock_rec rec = tcp_rec(1);
	struct latencies *l;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	l = latencies_new(w.procs);
	rec.connect_us = 20000;
	rec.tcp.srtt_us = 300;
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_CONNECT), 1);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_RTT), 0); /* no data yet */
	rec.tcp.bytes_acked = 100;
	hear(&w, l, &rec);
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_CONNECT), 1);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_RTT), 1);
	rec.tcp.bytes_acked = 200;
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_RTT), 2);
	/* the same socket, connected again */
	rec.tuple.flags = NP_F_DEAD;
	rec.closed_ns = w.now;
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_CONNECT), 1);
	rec.tuple.flags = 0;
	rec.closed_ns = 0;
	rec.opened_ns += SECOND;
	rec.established_ns += SECOND;
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_CONNECT), 2);
	latencies_free(l);
	world_close(&w);
}

static void connections_older_than_the_probe_prove_nothing_at_first(void **state)
{
	struct np_sock_rec rec = tcp_rec(1);
	struct latencies *l;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	l = latencies_new(w.procs);
	rec.tuple.flags = NP_F_SEEDED;
	rec.tcp.srtt_us = 300;
	rec.tcp.bytes_acked = 1000;
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_RTT), 0);
	rec.tcp.bytes_acked = 1001;
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_RTT), 1);
	latencies_free(l);
	world_close(&w);
}

static void stalls_are_what_a_records_time_grew_by(void **state)
{
	struct np_sock_rec rec = tcp_rec(1);
	const struct latency *e;
	struct latencies *l;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	l = latencies_new(w.procs);
	hear(&w, l, &rec);
	rec.stall_ns = SECOND;
	hear(&w, l, &rec);
	hear(&w, l, &rec);
	rec.stall_ns += SECOND / 1000; /* one more, much shorter */
	hear(&w, l, &rec);
	rec.stall_ns = SECOND; /* late */
	hear(&w, l, &rec);
	assert_int_equal(count(&w, l, NETPROBE_LATENCY_STALL), 2);
	e = latencies_find(l, flow_table_find(w.flows, 1)->last);
	assert_int_equal(e->h[NETPROBE_LATENCY_STALL].n[histogram_slot(1000000)], 1);
	assert_int_equal(e->h[NETPROBE_LATENCY_STALL].n[histogram_slot(1000)], 1);
	latencies_free(l);
	world_close(&w);
}

static void processes_that_are_gone_are_let_go_of(void **state)
{
	struct np_owner o = owner(100, "curl");
	struct latencies *l;
	struct process *p;
	struct world w;

	(void)state;
	world_open(&w, NULL);
	l = latencies_new(w.procs);
	p = process_table_get(w.procs, &o, w.now);
	assert_true(latencies_add(l, p, NETPROBE_LATENCY_STALL, 5));
	assert_int_equal(p->refs, 2);
	latencies_tick(l, w.now, SECOND);
	assert_non_null(latencies_find(l, p));
	p->exited = true;
	p->exited_ns = w.now;
	latencies_tick(l, w.now + SECOND / 2, SECOND);
	assert_non_null(latencies_find(l, p));
	latencies_tick(l, w.now + SECOND, SECOND);
	assert_null(latencies_find(l, p));
	assert_int_equal(p->refs, 1);
	process_unref(w.procs, p);
	latencies_free(l);
	world_close(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(slots_are_powers_of_two_of_microseconds),
		cmocka_unit_test(quantiles_are_ends_of_slots),
		cmocka_unit_test(a_connect_counts_once_and_a_round_trip_when_data_was_acknowledged),
		cmocka_unit_test(connections_older_than_the_probe_prove_nothing_at_first),
		cmocka_unit_test(stalls_are_what_a_records_time_grew_by),
		cmocka_unit_test(processes_that_are_gone_are_let_go_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
