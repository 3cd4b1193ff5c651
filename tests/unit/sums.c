/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums of an interval: what nobody takes is kept, added to, and handed out later, oldest first. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "engine/sums.h"

#define OWNERS 100
#define MAX 80

struct told {
	unsigned int room;	/* so many more are taken */
	uint64_t tx[OWNERS];	/* by owner */
	double seconds[OWNERS]; /* of the last */

	struct sums *sums;
};

static struct process owners[OWNERS];

static bool take(const struct sum *s, void *arg)
{
	struct told *t = arg;
	size_t i = (size_t)(s->owner - owners);

	if (!t->room)
		return false;
	t->room--;
	t->tx[i] += s->tx_bytes;
	t->seconds[i] = sums_seconds(t->sums);
	return true;
}

static int add(struct sums *s, unsigned int i, uint64_t tx)
{
	struct sum one = { .tx_bytes = tx };

	return sums_add(s, &owners[i], NP_MATCH_EXACT, 1, "lo", &one);
}

static struct sums *begin(struct told *t)
{
	memset(owners, 0, sizeof(owners));
	*t = (struct told){ .sums = sums_new(NULL, MAX) };
	assert_non_null(t->sums);
	return t->sums;
}

static void what_is_not_taken_is_kept_and_added_to(void **state)
{
	struct told t;
	struct sums *s = begin(&t);

	(void)state;
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(add(s, i, 100 + i), 0);
	t.room = 4;
	sums_drain(s, 1, take, &t);
	assert_int_equal(sums_count(s), 6);
	/* one that was told begins anew, one that waits goes on */
	assert_int_equal(add(s, 0, 7), 0);
	assert_int_equal(add(s, 9, 1000), 0);
	assert_int_equal(sums_count(s), 7);
	sums_drain(s, 2, take, &t);
	assert_int_equal(sums_count(s), 7);
	t.room = OWNERS;
	sums_drain(s, 4, take, &t);
	assert_int_equal(sums_count(s), 0);
	for (unsigned int i = 0; i < 10; i++)
		assert_int_equal(t.tx[i], 100 + i + (i == 0 ? 7 : 0) + (i == 9 ? 1000 : 0));
	assert_true(t.seconds[1] == 1);
	assert_true(t.seconds[9] == 7);
	assert_true(t.seconds[0] == 6);
	/* nothing twice */
	sums_drain(s, 1, take, &t);
	assert_int_equal(t.tx[9], 1109);
	assert_null(sums_free(s));
}

static void owners_are_kept_as_long_as_their_sums(void **state)
{
	struct told t;
	struct sums *s = begin(&t);

	(void)state;
	assert_int_equal(add(s, 0, 1), 0);
	assert_int_equal(add(s, 0, 1), 0);
	assert_int_equal(add(s, 1, 1), 0);
	assert_int_equal(owners[0].refs, 1);
	t.room = 1;
	sums_drain(s, 1, take, &t);
	assert_int_equal(owners[0].refs, 0);
	assert_int_equal(owners[1].refs, 1);
	assert_null(sums_free(s));
	assert_int_equal(owners[1].refs, 0);
}

static void so_many_wait_and_no_more(void **state)
{
	struct told t;
	struct sums *s = begin(&t);
	uint64_t told = 0, lost = 0, made = 0;

	(void)state;
	for (unsigned int round = 0; round < 5; round++) {
		for (unsigned int i = 0; i < OWNERS / 2 + round * 10; i++) {
			made += i;
			if (add(s, i, i))
				lost += i;
		}
		sums_drain(s, 1, take, &t);
	}
	assert_int_equal(sums_count(s), MAX);
	t.room = OWNERS;
	sums_drain(s, 1, take, &t);
	for (unsigned int i = 0; i < OWNERS; i++)
		told += t.tx[i];
	assert_true(lost > 0);
	assert_int_equal(told + lost, made);
	/* nothing waits: as many as come */
	for (unsigned int i = 0; i < OWNERS; i++)
		assert_int_equal(add(s, i, 1), 0);
	assert_null(sums_free(s));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_not_taken_is_kept_and_added_to),
		cmocka_unit_test(owners_are_kept_as_long_as_their_sums),
		cmocka_unit_test(so_many_wait_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
