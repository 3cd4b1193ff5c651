/* SPDX-License-Identifier: BSD-2-Clause */
/* What no socket moved is told; what headers, moments and forwarding explain is not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>

#include "flow/unowned.h"

#define MB 1000000ULL

static struct wire_load of(uint8_t proto, uint64_t bytes, uint64_t packets)
{
	struct flow f = { .tuple = { .proto = proto, .family = AF_INET } };
	struct flow_delta d = { .tx_bytes = bytes, .tx_wire = bytes, .tx_pkts = packets };
	struct wire_load tx = { 0 }, rx = { 0 };

	wire_add(&tx, &rx, &f, &d, false);
	assert_int_equal(rx.bytes, 0);
	return tx;
}

/* One interval of a second in which nothing is forwarded; what it tells. */
static uint64_t settle(struct wire_carry *c, uint64_t bytes, uint64_t packets, struct wire_load own)
{
	struct wire_side side = { .bytes = bytes, .packets = packets, .own = own };

	wire_over(&side, 0);
	wire_split(&side, 0, 0);
	return wire_settle(c, &side, 1);
}

static void what_no_socket_moved_is_told_an_interval_later(void **state)
{
	struct wire_carry c = { 0 };
	struct wire_load none = { 0 };

	(void)state;
	assert_int_equal(settle(&c, 2 * MB, 2000, none), 0);
	assert_int_equal(settle(&c, 0, 0, none), 2 * MB);
	assert_int_equal(settle(&c, 0, 0, none), 0);
}

static void segments_of_a_connection_are_its_own_however_they_are_counted(void **state)
{
	struct wire_load own = of(IPPROTO_TCP, 100 * MB, 69061);
	struct wire_carry c = { 0 };

	(void)state;
	/* each with its headers, with every option there may be; and merged to 64 KiB */
	for (unsigned int i = 0; i < 2; i++) {
		assert_int_equal(settle(&c, 100 * MB + 69061 * 66, 69061, own), 0);
		assert_int_equal(settle(&c, 100 * MB + 69061 * 98, 69061, own), 0);
		assert_int_equal(settle(&c, 100 * MB + 1600 * 66, 1600, own), 0);
	}
	/* and 10 MB more are not */
	(void)settle(&c, 0, 0, (struct wire_load){ 0 });
	(void)settle(&c, 110 * MB + 69061 * 66, 79061, own);
	assert_int_equal(settle(&c, 0, 0, (struct wire_load){ 0 }), 10 * MB);
}

static void datagrams_in_pieces_are_their_sockets(void **state)
{
	struct wire_load whole = of(IPPROTO_UDP, 64 * MB, 1000);
	struct wire_carry c = { 0 };

	(void)state;
	/* UDP_SEGMENT: 1000 calls, 53,334 packets of 1200 bytes */
	(void)settle(&c, 64 * MB + 53334 * 42, 53334, whole);
	assert_int_equal(settle(&c, 0, 0, (struct wire_load){ 0 }), 0);
	/* a reader whose buffer is smaller than what comes */
	(void)settle(&c, 1042 * 1000, 1000, of(IPPROTO_UDP, 1000, 1000));
	assert_int_equal(settle(&c, 0, 0, (struct wire_load){ 0 }), 0);
}

static void bytes_that_are_counted_a_moment_later_are_not_told(void **state)
{
	struct wire_load none = { 0 }, own = of(IPPROTO_UDP, MB, 1000);
	struct wire_carry c = { 0 };

	(void)state;
	/* they wait for their reader */
	assert_int_equal(settle(&c, MB + 42000, 1000, none), 0);
	assert_int_equal(settle(&c, 0, 0, own), 0);
	/* they wait in a queue of the device */
	assert_int_equal(settle(&c, 0, 0, own), 0);
	assert_int_equal(settle(&c, MB + 42000, 1000, none), 0);
	assert_int_equal(settle(&c, 0, 0, none), 0);
}

static void what_is_little_is_hidden(void **state)
{
	struct wire_load none = { 0 };
	struct wire_carry c = { 0 };

	(void)state;
	(void)settle(&c, 9999, 10, none);
	assert_int_equal(settle(&c, 10000, 10, none), 0);
	assert_int_equal(settle(&c, 0, 0, none), 10000);
	/* less than 2 % */
	(void)settle(&c, 101 * MB, 1010, of(IPPROTO_UDP, 99 * MB + 900000, 990));
	assert_int_equal(settle(&c, 0, 0, none), 0);
}

static void what_another_interface_had_the_other_way_is_forwarded(void **state)
{
	struct wire_side side = { .bytes = 10 * MB, .packets = 10000 };

	(void)state;
	wire_over(&side, 0);
	wire_split(&side, 9 * MB + 500000, 0);
	assert_int_equal(side.forward, 9 * MB + 500000);
	assert_int_equal(side.over, 0); /* its headers may be other ones */
	assert_true(wire_forwarded(&side, 9000));
	assert_false(wire_forwarded(&side, 0));
	assert_false(wire_forwarded(&side, 10));
	/* sockets of other namespaces */
	side = (struct wire_side){ .bytes = 10 * MB, .packets = 10000 };
	wire_over(&side, 0);
	wire_split(&side, 0, 8 * MB);
	assert_int_equal(side.over, 2 * MB);
	assert_int_equal(side.forward, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_no_socket_moved_is_told_an_interval_later),
		cmocka_unit_test(segments_of_a_connection_are_its_own_however_they_are_counted),
		cmocka_unit_test(datagrams_in_pieces_are_their_sockets),
		cmocka_unit_test(bytes_that_are_counted_a_moment_later_are_not_told),
		cmocka_unit_test(what_is_little_is_hidden),
		cmocka_unit_test(what_another_interface_had_the_other_way_is_forwarded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
