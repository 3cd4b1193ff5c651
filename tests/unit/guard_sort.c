/* SPDX-License-Identifier: BSD-2-Clause */
/* guard/sort.c: by key, and those of one key in the order they came. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "guard/internal.h"

static uint64_t state = 42;

static uint32_t number(void)
{
	state = state * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(state >> 33);
}

/* n keys that differ in bytes from..to-1, of few values so that many are the same; hits: when they came. */
static struct raw_list random_list(size_t n, unsigned int from, unsigned int to, uint32_t values)
{
	struct raw_list l = {};

	for (size_t i = 0; i < n; i++) {
		struct np_guard_entry e = { .hits = i };
		uint8_t key[20] = { [0] = 7 };

		for (unsigned int b = from; b < to; b++)
			key[b] = (uint8_t)(number() % values);
		assert_int_equal(raw_add(&l, key, sizeof(key), &e), 0);
	}
	return l;
}

static void check_sorted(struct raw_list *l, size_t n)
{
	uint64_t sum = 0;

	assert_int_equal(raw_sort(l), 0);
	assert_int_equal(l->n, n);
	for (size_t i = 0; i < n; i++) {
		int order = i ? raw_compare(&l->items[i - 1], &l->items[i]) : -1;

		assert_true(order <= 0);
		if (!order)
			assert_true(l->items[i - 1].entry.hits < l->items[i].entry.hits);
		sum += l->items[i].entry.hits;
	}
	assert_int_equal(sum, n ? n * (n - 1) / 2 : 0);
}

static void keys_are_sorted_and_equal_ones_keep_their_order(void **unused)
{
	static const size_t sizes[] = { 0, 1, 2, 255, 256, 257, 1000, 20000 };
	static const struct {
		unsigned int from, to;
		uint32_t values;
	} kinds[] = { { 0, 4, 256 }, { 0, 4, 3 },    { 0, 8, 2 },  { 4, 8, 256 },  { 12, 16, 5 },
		      { 16, 20, 9 }, { 0, 20, 256 }, { 0, 20, 2 }, { 19, 20, 256 } };

	(void)unused;
	for (size_t s = 0; s < sizeof(sizes) / sizeof(sizes[0]); s++)
		for (size_t k = 0; k < sizeof(kinds) / sizeof(kinds[0]); k++) {
			struct raw_list l =
				random_list(sizes[s], kinds[k].from, kinds[k].to, kinds[k].values);

			check_sorted(&l, sizes[s]);
			/* And what is sorted stays as it is. */
			check_sorted(&l, sizes[s]);
			free(l.items);
		}
}

/* What is added behind a list that was sorted has room, and is found. */
static void sorted_list_takes_more(void **unused)
{
	struct raw_list l = random_list(1000, 0, 4, 256);
	struct np_guard_entry e = { .hits = 1000 };
	uint8_t key[20] = { 0 };

	(void)unused;
	assert_int_equal(raw_sort(&l), 0);
	assert_int_equal(raw_add(&l, key, sizeof(key), &e), 0);
	check_sorted(&l, 1001);
	free(l.items);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_are_sorted_and_equal_ones_keep_their_order),
		cmocka_unit_test(sorted_list_takes_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
