/* SPDX-License-Identifier: BSD-2-Clause */
/* What cannot be is found, and whatever a real connection shows is believed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>

#include "flow/plausible.h"

#define SECOND 1000000000ULL

static struct np_sock_rec stream(void)
{
	struct np_sock_rec rec = { .sock_id = 1, .tuple.proto = IPPROTO_TCP };

	rec.counts = (struct np_counts){ .tx_bytes = 5000000, .rx_bytes = 7000, .retrans = 3 };
	rec.tcp = (struct np_tcp){ .bytes_sent = 5004344,
				   .bytes_retrans = 4344,
				   .bytes_acked = 4900001,
				   .bytes_received = 7001,
				   .segs_out = 3600,
				   .segs_in = 1800,
				   .srtt_us = 900000,
				   .min_rtt_us = UINT32_MAX };
	return rec;
}

static const char *fault(const struct np_sock_rec *rec)
{
	return implausible_sock(rec, true, SECOND, 1000 * SECOND);
}

static void a_real_connection_is_believed(void **state)
{
	struct np_sock_rec rec = stream();

	(void)state;
	assert_null(fault(&rec));
	/* 2 GiB wait in its buffer, and nothing was sent yet */
	rec.counts.tx_bytes = INT32_MAX;
	rec.tcp.bytes_sent = rec.tcp.bytes_retrans = 0;
	assert_null(fault(&rec));
	rec.tcp = (struct np_tcp){ 0 };
	rec.counts.rx_bytes = 3ULL << 32;
	assert_null(fault(&rec)); /* nobody knows the kernel's figures */
}

static void a_failed_call_taken_for_4_gib_is_not(void **state)
{
	struct np_sock_rec rec = stream();

	(void)state;
	rec.counts.rx_bytes = (uint32_t)-11;
	assert_non_null(fault(&rec));
	rec = stream();
	rec.tcp.rx_unseen = 4294967285;
	assert_non_null(fault(&rec));
	rec.tuple.flags = NP_F_ULP; /* where it is no count of payload */
	assert_null(fault(&rec));
	rec = stream();
	rec.counts.tx_bytes = (uint32_t)-11;
	assert_non_null(fault(&rec));
}

static void figures_of_another_structure_are_not(void **state)
{
	struct np_sock_rec rec = stream();

	(void)state;
	rec.counts.retrans = 185874164;
	rec.tcp.segs_out = 541048;
	assert_non_null(fault(&rec));
	rec = stream();
	rec.tcp.bytes_acked = UINT64_MAX;
	assert_non_null(fault(&rec));
	rec = stream();
	rec.tcp.srtt_us = 3600000001U;
	assert_non_null(fault(&rec));
}

static void segments_that_went_round_are_no_fault(void **state)
{
	struct np_sock_rec rec = stream();

	(void)state;
	rec.counts.retrans = 2000000;
	rec.tcp.segs_out = 17;
	rec.tcp.bytes_sent = 1ULL << 43;
	assert_null(implausible_sock(&rec, true, 100000 * SECOND, 200000 * SECOND));
}

static void datagrams_hold_64_kib_each(void **state)
{
	struct np_sock_rec rec = { .tuple.proto = IPPROTO_UDP };
	struct np_part part = { .tuple.proto = IPPROTO_UDP };

	(void)state;
	rec.counts = (struct np_counts){ .tx_bytes = 1000 * 65507, .tx_calls = 1000 };
	assert_null(fault(&rec));
	rec.counts.tx_calls = 900;
	assert_non_null(fault(&rec));
	part.counts = (struct np_counts){ .rx_bytes = 1000 * 65507, .rx_calls = 1000 };
	assert_null(implausible_part(&part, SECOND));
	part.counts.rx_calls = 0;
	assert_non_null(implausible_part(&part, SECOND));
}

static void time_bounds_everything(void **state)
{
	struct np_part part = { .tuple.proto = IPPROTO_TCP };

	(void)state;
	part.counts.tx_bytes = 3 * PLAUSIBLE_BYTES_S;
	assert_non_null(implausible_part(&part, SECOND));
	assert_null(implausible_part(&part, 3 * SECOND));
	assert_null(implausible_part(&part, UINT64_MAX));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_real_connection_is_believed),
		cmocka_unit_test(a_failed_call_taken_for_4_gib_is_not),
		cmocka_unit_test(figures_of_another_structure_are_not),
		cmocka_unit_test(segments_that_went_round_are_no_fault),
		cmocka_unit_test(datagrams_hold_64_kib_each),
		cmocka_unit_test(time_bounds_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
