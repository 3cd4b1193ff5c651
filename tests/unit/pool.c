/* SPDX-License-Identifier: BSD-2-Clause */
/* Objects of a pool: zeroed, apart from each other, and given back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "flow/pool.h"

#define MANY 5000
#define SIZE 248

static void *all[MANY];

static void objects_are_zeroed_and_apart(void **state)
{
	struct pool p = { .size = SIZE };

	(void)state;
	for (unsigned int round = 0; round < 3; round++) {
		for (unsigned int i = 0; i < MANY; i++) {
			unsigned char *o = pool_take(&p);

			assert_non_null(o);
			for (unsigned int b = 0; b < SIZE; b++)
				assert_int_equal(o[b], 0);
			memset(o, (int)(i % 251) + 1, SIZE);
			all[i] = o;
		}
		for (unsigned int i = 0; i < MANY; i++) {
			const unsigned char *o = all[i];

			assert_int_equal(o[0], i % 251 + 1);
			assert_int_equal(o[SIZE - 1], i % 251 + 1);
		}
		/* not in the order they were taken in */
		for (unsigned int i = 0; i < MANY; i++)
			pool_put(&p, all[(i * 7) % MANY]);
	}
	pool_done(&p);
}

#ifndef __SANITIZE_ADDRESS__
static void blocks_of_a_burst_are_freed(void **state)
{
	struct pool p = { .size = SIZE };
	void *one;

	(void)state;
	one = pool_take(&p);
	for (unsigned int i = 0; i < MANY; i++)
		all[i] = pool_take(&p);
	assert_int_equal(p.n_empty, 0);
	for (unsigned int i = 0; i < MANY; i++)
		pool_put(&p, all[i]);
	assert_int_equal(p.n_empty, 1); /* and the one of `one` */
	assert_null(p.full);
	pool_put(&p, one);
	assert_int_equal(p.n_empty, 1);
	pool_done(&p);
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_zeroed_and_apart),
#ifndef __SANITIZE_ADDRESS__
		cmocka_unit_test(blocks_of_a_burst_are_freed),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
