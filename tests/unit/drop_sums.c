/* SPDX-License-Identifier: BSD-2-Clause */
/* Kinds of drops in user space: bounded, and whatever joins a sum is still counted, for nobody else. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "flow/drop_sums.h"

#define MAX 64

static const char fn[48] = "nf_hook_slow";
static struct process procs[20000];
static unsigned int held;

static void done(const struct process *p, void *arg)
{
	assert_ptr_equal(arg, procs);
	assert_true(p >= procs);
	held--;
}

static struct drop_sums *make(void)
{
	struct drop_sums *s = drop_sums_new(MAX, done, procs);

	assert_non_null(s);
	held = 0;
	memset(procs, 0, sizeof(procs));
	return s;
}

/* That many packets of process n (0: nobody) in namespace ns, at that time. */
static struct drop_row *lose(struct drop_sums *s, uint32_t n, uint32_t ns, uint64_t packets,
			     uint64_t at)
{
	struct drop_kind_key key = { .kernel = { .location = 0xf00,
						 .tgid = n,
						 .owner_start_ns = n,
						 .reason = 8,
						 .netns = ns,
						 .ifindex = 2,
						 .lport = 7000 } };
	struct drop_row *row;

	strcpy(key.ifname, "eth0");
	row = drop_sums_row(s, &key, fn);
	assert_non_null(row);
	if (n && !row->owner && !row->key.rest) {
		procs[n].tgid = n;
		row->owner = &procs[n];
		held++;
	}
	row->packets += packets;
	row->bytes += packets * 100;
	row->last_ns = at;
	return row;
}

struct found {
	uint32_t ns; /* 0: all */
	uint64_t packets, bytes, rest, rest_rows;
	const struct process *of; /* of_packets: its */
	uint64_t of_packets;
};

static void on_row(const struct drop_row *row, void *arg)
{
	struct found *f = arg;

	if (f->ns && row->key.kernel.netns != f->ns)
		return;
	f->packets += row->packets + row->now_packets;
	f->bytes += row->bytes + row->now_bytes;
	if (f->of && row->owner == f->of)
		f->of_packets += row->packets;
	assert_string_equal(row->function, fn);
	if (!row->key.rest)
		return;
	assert_null(row->owner);
	assert_int_equal(row->key.kernel.tgid, 0);
	assert_int_equal(row->key.kernel.lport, 0);
	f->rest += row->packets;
	f->rest_rows++;
}

static struct found look(struct drop_sums *s, uint32_t ns, const struct process *of)
{
	struct found f = { .ns = ns, .of = of };

	drop_sums_each(s, on_row, &f);
	return f;
}

static void what_processes_that_ended_lost_joins_a_sum_the_oldest_first(void **state)
{
	struct drop_sums *s = make();
	struct found f;
	size_t rest;

	(void)lose(s, 1, 5, 1000, 1); /* the oldest of all, and alive */
	for (uint32_t n = 2; n < 20000; n++) {
		(void)lose(s, n, 5, n % 7 + 1, n);
		procs[n].exited = true;
		drop_sums_trim(s);
		assert_true(drop_sums_count(s, &rest) <= MAX / 4 * 3);
	}
	f = look(s, 5, &procs[1]);
	assert_int_equal(f.of_packets, 1000);
	assert_int_equal(f.rest_rows, 1);
	assert_int_equal(f.packets, 1000 + 79994); /* the sum of n % 7 + 1 over 2..19999 */
	assert_int_equal(f.bytes, f.packets * 100);
	f = look(s, 5, &procs[19999]);
	assert_int_equal(f.of_packets, 19999 % 7 + 1); /* the last is not the oldest */
	assert_null(drop_sums_free(s));
	assert_int_equal(held, 0);
	(void)state;
}

static void what_finds_no_room_is_nobody_elses(void **state)
{
	struct drop_sums *s = make();
	struct found f;
	size_t rest;

	for (uint32_t n = 1; n <= 3 * MAX; n++) {
		(void)lose(s, n, 5, 1, n);
		drop_sums_trim(s); /* all are alive: none is folded */
	}
	assert_int_equal(drop_sums_count(s, &rest), MAX);
	assert_int_equal(rest, 1);
	for (uint32_t n = 1; n <= 3 * MAX; n++) {
		f = look(s, 5, &procs[n]);
		assert_int_equal(f.of_packets, n <= MAX);
	}
	assert_int_equal(f.packets, 3 * MAX);
	assert_int_equal(f.rest, 2 * MAX);
	assert_null(drop_sums_free(s));
	assert_int_equal(held, 0);
	(void)state;
}

static void namespaces_that_come_and_go_are_bounded_too(void **state)
{
	struct drop_sums *s = make();
	struct found f;
	size_t rest;

	for (uint32_t ns = 1; ns <= 20 * MAX; ns++) {
		(void)lose(s, 0, ns, 2, ns);
		drop_sums_trim(s);
		assert_true(drop_sums_count(s, &rest) <= MAX);
		assert_true(rest <= MAX / 4 + 1);
	}
	f = look(s, 0, NULL);
	assert_int_equal(f.packets, 40 * MAX);
	f = look(s, 1, NULL);
	assert_int_equal(f.packets, 2); /* with its namespace as long as there is room */
	assert_null(drop_sums_free(s));
	(void)state;
}

static void what_is_beside_is_not_added_twice(void **state)
{
	struct drop_sums *s = make();
	struct drop_row *row = lose(s, 1, 5, 10, 1);

	row->now_packets += 3;
	assert_int_equal(look(s, 5, NULL).packets, 13);
	drop_sums_look(s);
	row->now_packets += 4;
	assert_int_equal(look(s, 5, NULL).packets, 14);
	drop_sums_look(s);
	assert_ptr_equal(lose(s, 1, 5, 4, 2), row);
	assert_int_equal(look(s, 5, NULL).packets, 14);
	assert_null(drop_sums_free(s));
	(void)state;
}

static void one_number_is_told_apart_by_start_and_interface(void **state)
{
	struct drop_sums *s = make();
	struct drop_row *row = lose(s, 1, 5, 1, 1);
	struct drop_kind_key key = row->key;

	key.kernel.owner_start_ns = 77; /* the number was given again */
	assert_ptr_not_equal(drop_sums_row(s, &key, fn), row);
	key = row->key;
	strcpy(key.ifname, "eth1");
	assert_ptr_not_equal(drop_sums_row(s, &key, fn), row);
	key = row->key;
	assert_ptr_equal(drop_sums_row(s, &key, fn), row);
	assert_null(drop_sums_free(s));
	(void)state;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_processes_that_ended_lost_joins_a_sum_the_oldest_first),
		cmocka_unit_test(what_finds_no_room_is_nobody_elses),
		cmocka_unit_test(namespaces_that_come_and_go_are_bounded_too),
		cmocka_unit_test(what_is_beside_is_not_added_twice),
		cmocka_unit_test(one_number_is_told_apart_by_start_and_interface),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
