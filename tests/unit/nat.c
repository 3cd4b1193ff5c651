/* SPDX-License-Identifier: BSD-2-Clause */
/* How often connection tracking is asked, and what of its answers is kept: it is played here (see capture/nat.h). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <errno.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "capture/afpacket_internal.h"
#include "wire_make.h"

#define SECOND (1000 * MS)
#define ASKS 2000
#define BEGIN (100 * SECOND)

struct fake {
	int answer;
	unsigned int asks;
	bool other; /* answers tell of port 8080 */
};

static int answer(void *arg, const struct nat_ends *from, uint8_t proto, struct nat_ends *ret_other)
{
	struct fake *f = arg;

	(void)proto;
	f->asks++;
	if (f->answer)
		return f->answer;
	*ret_other =
		(struct nat_ends){ .sport = f->other ? 8080 : from->dport, .dport = from->sport };
	memcpy(ret_other->src, from->dst, 16);
	memcpy(ret_other->dst, from->src, 16);
	return 0;
}

static struct np_tuple some_end(void)
{
	return (struct np_tuple){ .proto = IPPROTO_TCP,
				  .laddr = { [10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1 },
				  .raddr = { [10] = 0xff, [11] = 0xff, [12] = 192, [15] = 9 },
				  .lport = 7,
				  .rport = 4000 };
}

static enum nat_answer ask_once(struct nat *n, uint64_t now_ns)
{
	struct np_tuple t = some_end();

	return nat_to_socket(n, &t, now_ns);
}

static void answers_are_told_apart(void **state)
{
	struct fake f = { 0 };
	struct nat *n = nat_new(answer, &f);
	struct np_tuple t = some_end();

	(void)state;
	assert_int_equal(nat_to_socket(n, &t, BEGIN), NAT_SAME);
	f.other = true;
	assert_int_equal(nat_to_socket(n, &t, BEGIN), NAT_OTHER);
	assert_int_equal(t.lport, 8080);
	assert_int_equal(t.rport, 4000);
	f.answer = -ENOENT;
	assert_int_equal(ask_once(n, BEGIN), NAT_NONE);
	(void)nat_free(n);
}

static void who_asks_too_often_is_told_to_come_later(void **state)
{
	struct fake f = { .answer = -ENOENT };
	struct nat *n = nat_new(answer, &f);

	(void)state;
	for (unsigned int i = 0; i < ASKS; i++)
		assert_int_equal(ask_once(n, BEGIN), NAT_NONE);
	assert_int_equal(ask_once(n, BEGIN), NAT_LATER);
	assert_int_equal(f.asks, ASKS);
	assert_int_equal(ask_once(n, BEGIN + SECOND), NAT_NONE);
	(void)nat_free(n);
}

/* A kernel without ctnetlink says EINVAL, after it looked for the module: for each message. */
static void where_asking_fails_it_is_tried_again_after_a_minute(void **state)
{
	static const int fails[] = { -EINVAL, -EPERM, -EAGAIN, -EPROTO };

	(void)state;
	for (unsigned int i = 0; i < sizeof(fails) / sizeof(fails[0]); i++) {
		struct fake f = { .answer = fails[i] };
		struct nat *n = nat_new(answer, &f);

		for (unsigned int k = 0; k < 590; k++)
			assert_int_equal(ask_once(n, BEGIN + k * SECOND / 10), NAT_NONE);
		assert_int_equal(f.asks, 1);
		f.answer = 0;
		assert_int_equal(ask_once(n, BEGIN + 61 * SECOND), NAT_SAME);
		(void)nat_free(n);
	}
}

/* A rung without packets of its own. */
struct fake_rung {
	struct afpacket *a;
	struct fake fake;
	struct np_sock_rec told; /* the last flow of no socket */
};

static void hear(const struct np_sock_rec *rec, void *arg)
{
	((struct fake_rung *)arg)->told = *rec;
}

static void spend(struct fake_rung *r)
{
	unsigned int before = r->fake.asks;

	for (unsigned int i = 0; i < ASKS; i++)
		(void)ask_once(r->a->nat, r->a->now_ns);
	r->fake.asks = before;
}

static uint64_t all_is_read(void *arg)
{
	(void)arg;
	return UINT64_MAX;
}

static int make_rung(void **state)
{
	struct fake_rung *r = calloc(1, sizeof(*r));
	struct afpacket *a = calloc(1, sizeof(*a));
	struct netprobe_error err = { 0 };
	struct socks_opts so = { .by_packets = true, .read_ns = all_is_read };
	int e;

	*state = r;
	assert_non_null(r);
	assert_non_null(a);
	r->a = a;
	a->filter.enabled = true;
	so.filter = &a->filter;
	a->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	a->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	a->nat = nat_new(answer, &r->fake);
	a->links = links_open(&e);
	a->n_readers = 1;
	a->moved_fn = hear;
	a->moved_arg = r;
	(void)pthread_mutex_init(&a->readers[0].lock, NULL);
	assert_int_equal(wire_init(&a->readers[0].wire, 10), 0);
	assert_non_null(a->nat);
	assert_non_null(a->links);
	assert_int_equal(socks_open(&so, &a->socks, &err), 0);
	a->now_ns = BEGIN;
	return 0;
}

static int free_rung(void **state)
{
	struct fake_rung *r = *state;
	struct afpacket *a = r->a;

	(void)socks_close(a->socks);
	(void)links_close(a->links);
	(void)nat_free(a->nat);
	wire_done(&a->readers[0].wire);
	(void)pthread_mutex_destroy(&a->readers[0].lock);
	(void)close(a->timer);
	(void)close(a->wake);
	free(a);
	free(r);
	return 0;
}

/* One that has no socket; the server's end is this host's. */
static struct wire_flow *strange_flow(struct fake_rung *r, uint32_t ifindex)
{
	struct wire *w = &r->a->readers[0].wire;
	struct wire_flow *f = send_tcp(w, false, 1000, 0, PACKET_SYN, 0, BEGIN);

	(void)send_tcp(w, true, 5000, 1001, PACKET_SYN | PACKET_ACK, 0, BEGIN);
	(void)send_tcp(w, false, 1001, 5001, PACKET_ACK, 100, BEGIN);
	f->end[!f->first].local = true;
	f->dir[0].ifindex = f->dir[1].ifindex = ifindex;
	return f;
}

/* Until it becomes one of its own, and beyond. */
static void tick(struct fake_rung *r, unsigned int n)
{
	for (unsigned int i = 0; i < n; i++, r->a->now_ns += 100 * MS)
		join_all(r->a, true);
}

static void a_flow_s_answer_is_final(void **state)
{
	struct fake_rung *r = *state;

	(void)strange_flow(r, 2);
	tick(r, 20);
	assert_int_equal(r->fake.asks, 1);
	assert_int_equal(r->a->nat_unasked, 0);
}

static void a_flow_that_is_not_tracked_is_asked_about_twice(void **state)
{
	struct fake_rung *r = *state;

	r->fake.answer = -ENOENT;
	(void)strange_flow(r, 2);
	tick(r, 20);
	assert_int_equal(r->fake.asks, 2);
}

/* It is asked about as soon as that may be. */
static void a_flow_that_has_to_wait_was_not_asked_about(void **state)
{
	struct fake_rung *r = *state;
	struct wire_flow *f = strange_flow(r, 2);

	spend(r);
	tick(r, 3);
	assert_int_equal(r->fake.asks, 0);
	assert_int_equal(f->end[!f->first].nat_asked, 0);
	f->first_ns += SECOND;
	r->a->now_ns = BEGIN + SECOND;
	tick(r, 1);
	assert_int_equal(r->fake.asks, 1);
	assert_int_equal(r->a->nat_unasked, 0);
}

static void a_flow_that_waited_in_vain_is_counted_once(void **state)
{
	struct fake_rung *r = *state;

	(void)strange_flow(r, 2);
	for (unsigned int i = 0; i < 15; i++) {
		if (!(i % 10))
			spend(r);
		tick(r, 1);
	}
	assert_int_equal(r->fake.asks, 0);
	assert_int_equal(r->a->nat_unasked, 1);
}

/* As of a container whose packets are masqueraded: its ends are another namespace's. */
static void a_rewritten_flow_without_a_socket_is_told_as_on_the_wire(void **state)
{
	struct fake_rung *r = *state;
	struct wire_flow *f = strange_flow(r, 2);

	r->fake.other = true;
	tick(r, 1);
	assert_non_null(f->end[!f->first].nat);
	assert_int_equal(r->told.tuple.lport, 0);
	tick(r, 19);
	assert_int_equal(r->told.tuple.lport, 80);
	assert_null(f->end[!f->first].nat);
	assert_int_equal(r->fake.asks, 1);
}

/* The address of a service that is here need not be. */
static void on_the_loopback_both_ends_are_asked_about(void **state)
{
	struct fake_rung *r = *state;
	struct wire_flow *f = strange_flow(r, 1);

	tick(r, 20);
	assert_int_equal(r->fake.asks, 2);
	assert_false(f->end[f->first].own_id);
	assert_true(f->end[!f->first].own_id);
}

static struct np_tuple end_of(const struct wire_flow *f, unsigned int e)
{
	struct np_tuple t = { .proto = f->proto, .lport = f->port[e], .rport = f->port[!e] };

	memcpy(t.laddr, f->addr[e], 16);
	memcpy(t.raddr, f->addr[!e], 16);
	return t;
}

/* As of each of them that is written to a file. */
static void packets_of_a_flow_do_not_ask_again(void **state)
{
	struct fake_rung *r = *state;
	const struct wire_flow *f = strange_flow(r, 2);

	for (unsigned int i = 0; i < 100; i++) {
		struct np_tuple t = end_of(f, !f->first);

		assert_false(join_nat(r->a, &t));
	}
	assert_int_equal(r->fake.asks, 1);
}

/* Its packets went both ways between its own ends: they are not rewritten. */
static void a_socket_that_ends_with_its_packets_seen_is_not_asked_about(void **state)
{
	struct fake_rung *r = *state;
	struct wire_flow *f = strange_flow(r, 1);
	struct sock k = { .rec.sock_id = 9, .met_ns = BEGIN };

	k.rec.tuple = end_of(f, !f->first);
	f->end[!f->first].sock_id = 9;
	join_last(&k, r->a);
	assert_int_equal(r->fake.asks, 0);
	f->end[!f->first].sock_id = 0;
	f->dir[!f->first].packets = 0;
	k.flow_ns = 0;
	join_last(&k, r->a);
	assert_int_equal(r->fake.asks, 1);
}

static void a_new_end_without_a_socket_is_asked_about_once(void **state)
{
	struct fake_rung *r = *state;
	struct reader *in = &r->a->readers[0];
	unsigned int rounds = 0;

	r->fake.answer = -ENOENT;
	in->fresh[0] = some_end();
	in->n_fresh = 1;
	if (!links_is_local(r->a->links, in->fresh[0].laddr))
		skip();
	meet_fresh(r->a);
	assert_int_equal(r->a->n_pending, 1);
	while (r->a->n_pending) {
		r->a->pending[0].next_ns = 0;
		meet_pending(r->a);
		rounds++;
	}
	assert_true(rounds > 5);
	assert_int_equal(r->fake.asks, 1);
}

#define OF_RUNG(test) cmocka_unit_test_setup_teardown(test, make_rung, free_rung)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_are_told_apart),
		cmocka_unit_test(who_asks_too_often_is_told_to_come_later),
		cmocka_unit_test(where_asking_fails_it_is_tried_again_after_a_minute),
		OF_RUNG(a_flow_s_answer_is_final),
		OF_RUNG(a_flow_that_is_not_tracked_is_asked_about_twice),
		OF_RUNG(a_flow_that_has_to_wait_was_not_asked_about),
		OF_RUNG(a_flow_that_waited_in_vain_is_counted_once),
		OF_RUNG(a_rewritten_flow_without_a_socket_is_told_as_on_the_wire),
		OF_RUNG(on_the_loopback_both_ends_are_asked_about),
		OF_RUNG(packets_of_a_flow_do_not_ask_again),
		OF_RUNG(a_socket_that_ends_with_its_packets_seen_is_not_asked_about),
		OF_RUNG(a_new_end_without_a_socket_is_asked_about_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
