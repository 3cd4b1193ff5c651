/* SPDX-License-Identifier: BSD-2-Clause */
/* Connections between the same ends, one after the other (see capture/again.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "wire_make.h"

static void ports_used_again_are_another_flow(void **state)
{
	struct wire_flow *old, *now;
	struct np_tuple t;
	unsigned int end;
	struct wire w;

	assert_int_equal(wire_init(&w, 10), 0);
	send_tcp(&w, false, 10, 0, PACKET_SYN, 0, 1 * MS);
	old = send_tcp(&w, true, 20, 11, 4 | PACKET_ACK, 0, 2 * MS); /* RST */
	now = send_tcp(&w, false, 9000, 0, PACKET_SYN, 0, 3 * MS);
	assert_ptr_not_equal(old, now);
	t = (struct np_tuple){ .proto = IPPROTO_TCP, .lport = now->port[1], .rport = now->port[0] };
	memcpy(t.laddr, now->addr[1], 16);
	memcpy(t.raddr, now->addr[0], 16);
	assert_ptr_equal(wire_between(&w, &t, NULL, &end), now);
	assert_int_equal(end, 1);
	assert_ptr_equal(wire_between(&w, &t, now, &end), old);
	assert_null(wire_between(&w, &t, old, &end));
	assert_int_equal(old->over_ns, 3 * MS);
	wire_done(&w);
	(void)state;
}

/* A connection of 100 bytes each way, client's numbers from 1000, server's from 5000. */
static struct wire_flow *first_life(struct wire *w)
{
	send_tcp(w, false, 1000, 0, PACKET_SYN, 0, 1 * MS);
	send_tcp(w, true, 5000, 1001, PACKET_SYN | PACKET_ACK, 0, 2 * MS);
	send_tcp(w, false, 1001, 5001, PACKET_ACK, 100, 3 * MS);
	return send_tcp(w, true, 5001, 1101, PACKET_ACK, 100, 4 * MS);
}

static void check_bytes(const struct wire_flow *f, uint64_t tx, uint64_t rx)
{
	assert_int_equal(f->dir[f->first].bytes, tx);
	assert_int_equal(f->dir[!f->first].bytes, rx);
	assert_int_equal(f->dir[0].retrans + f->dir[1].retrans, 0);
}

/* Whatever of it was missed: sequence numbers of two connections make no bytes. */
static void ports_used_again_are_another_flow_though_no_end_was_seen(void **state)
{
	static const uint32_t isns[] = { 0x20000000, 0xa0000000, 900, 1500 };
	enum { WHOLE, NO_SYN, NO_ANSWER, ONE_WAY, KINDS };
	struct wire_flow *old, *now;
	struct wire w;

	(void)state;
	for (unsigned int kind = WHOLE; kind < KINDS; kind++) {
		for (unsigned int i = 0; i < sizeof(isns) / sizeof(isns[0]); i++) {
			uint32_t c = isns[i], s = isns[i] + 0x30000000;

			/* without its answer, what lies in the window of the one before is that one's until then */
			if (kind == NO_ANSWER && i >= 2)
				break;
			assert_int_equal(wire_init(&w, 10), 0);
			if (kind == ONE_WAY) {
				send_tcp(&w, false, 1000, 0, PACKET_SYN, 0, 1 * MS);
				old = send_tcp(&w, false, 1001, 5001, PACKET_ACK, 100, 3 * MS);
			} else {
				old = first_life(&w);
			}
			if (kind != NO_SYN)
				send_tcp(&w, false, c, 0, PACKET_SYN, 0, 1001 * MS);
			if (kind != NO_ANSWER && kind != ONE_WAY)
				send_tcp(&w, true, s, c + 1, PACKET_SYN | PACKET_ACK, 0, 1002 * MS);
			send_tcp(&w, false, c + 1, s + 1, PACKET_ACK, 0, 1003 * MS);
			now = send_tcp(&w, false, c + 1, s + 1, PACKET_ACK, 50, 1003 * MS);
			if (kind != ONE_WAY) {
				now = send_tcp(&w, true, s + 1, c + 51, PACKET_ACK, 70, 1004 * MS);
				send_tcp(&w, false, c + 51, s + 71, PACKET_ACK, 5, 1005 * MS);
				send_tcp(&w, true, s + 71, c + 56, PACKET_ACK, 5, 1006 * MS);
			}
			assert_ptr_not_equal(now, old);
			assert_int_not_equal(old->closed_ns, 0);
			assert_int_equal(now->closed_ns, 0);
			assert_int_equal(now->opened_ns, kind == NO_SYN ? 0 : 1001 * MS);
			check_bytes(old, 100, kind == ONE_WAY ? 0 : 100);
			check_bytes(now, kind == ONE_WAY ? 50 : 55, kind == ONE_WAY ? 0 : 75);
			wire_done(&w);
		}
	}
}

/* They are answered by what the connection waits for, and not by who would begin another one. */
static void forged_syns_end_no_connection(void **state)
{
	static const uint32_t isns[] = { 0x20000000, 1500, 900, 0xa0000000 };
	struct wire_flow *f;
	struct wire w;

	(void)state;
	for (unsigned int i = 0; i < sizeof(isns) / sizeof(isns[0]); i++) {
		assert_int_equal(wire_init(&w, 10), 0);
		f = first_life(&w);
		for (unsigned int back = 0; back < 2; back++) {
			send_tcp(&w, back, isns[i], 0, PACKET_SYN, 0, 10 * MS);
			send_tcp(&w, back, isns[i], 77, PACKET_SYN | PACKET_ACK, 0, 11 * MS);
			/* challenge acknowledgements */
			send_tcp(&w, true, 5101, 1101, PACKET_ACK, 0, 12 * MS);
			send_tcp(&w, false, 1101, 5101, PACKET_ACK, 0, 13 * MS);
		}
		send_tcp(&w, false, 1101, 5101, PACKET_ACK, 100, 20 * MS);
		assert_ptr_equal(send_tcp(&w, true, 5101, 1201, PACKET_ACK, 100, 21 * MS), f);
		assert_int_equal(w.flows.count, 1);
		assert_int_equal(f->closed_ns, 0);
		check_bytes(f, 200, 200);
		wire_done(&w);
	}
}

static void a_connect_that_is_tried_again_is_one_of_its_own(void **state)
{
	struct wire_flow *f;
	struct wire w;

	(void)state;
	assert_int_equal(wire_init(&w, 10), 0);
	f = send_tcp(&w, false, 1000, 0, PACKET_SYN, 0, 1 * MS);
	send_tcp(&w, false, 1000, 0, PACKET_SYN, 0, 1001 * MS);
	send_tcp(&w, false, 0x20000000, 0, PACKET_SYN, 0, 9000 * MS);
	send_tcp(&w, false, 0x20000000, 0, PACKET_SYN, 0, 10000 * MS);
	assert_int_equal(f->dir[f->first].retrans, 2);
	assert_int_equal(f->dir[f->first].packets, 4);
	send_tcp(&w, true, 5000, 0x20000001, PACKET_SYN | PACKET_ACK, 0, 10001 * MS);
	send_tcp(&w, false, 0x20000001, 5001, PACKET_ACK, 100, 10002 * MS);
	assert_ptr_equal(send_tcp(&w, true, 5001, 0x20000065, PACKET_ACK, 50, 10003 * MS), f);
	assert_int_equal(f->dir[f->first].bytes, 100);
	assert_int_equal(f->dir[!f->first].bytes, 50);
	assert_int_equal(f->dir[f->first].retrans, 2);
	assert_int_equal(f->opened_ns, 9000 * MS);
	wire_done(&w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ports_used_again_are_another_flow),
		cmocka_unit_test(ports_used_again_are_another_flow_though_no_end_was_seen),
		cmocka_unit_test(forged_syns_end_no_connection),
		cmocka_unit_test(a_connect_that_is_tried_again_is_one_of_its_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
