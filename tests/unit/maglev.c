/* SPDX-License-Identifier: BSD-2-Clause */
/* Maglev tables: shares, and what a change moves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "balance/maglev.h"

#define BACKENDS 100
#define FLOWS_MOVED_MAX (LB_RING_SIZE * 2 / 100) /* 2% of all */

static struct lb_ring before, after;

/* n backends 10.0.0.1 on, slots from 1 on, all of one weight. */
static unsigned int members_of(struct maglev_member *m, unsigned int n, uint32_t weight)
{
	for (unsigned int i = 0; i < n; i++) {
		uint8_t addr[16] = { [10] = 0xff, [11] = 0xff, [12] = 10, [15] = (uint8_t)(i + 1) };

		m[i] = (struct maglev_member){ maglev_name(addr), weight, (uint16_t)(i + 1) };
	}
	return n;
}

static void build(struct maglev_member *m, unsigned int n, struct lb_ring *ret)
{
	assert_int_equal(maglev_build(m, n, ret), 0);
}

static unsigned int places_of(const struct lb_ring *r, unsigned int slot)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LB_RING_SIZE; i++)
		n += r->slot[i] == slot;
	return n;
}

/* Places that changed hands between two backends neither of which is slot. */
static unsigned int needless(unsigned int slot)
{
	unsigned int n = 0;

	for (unsigned int i = 0; i < LB_RING_SIZE; i++)
		n += before.slot[i] != after.slot[i] && before.slot[i] != slot &&
		     after.slot[i] != slot;
	return n;
}

static void equal_weights_have_equal_shares(void **state)
{
	struct maglev_member m[BACKENDS];

	(void)state;
	build(m, members_of(m, BACKENDS, 1), &before);
	assert_int_equal(places_of(&before, 0), 0);
	for (unsigned int i = 1; i <= BACKENDS; i++)
		assert_in_range(places_of(&before, i), LB_RING_SIZE / BACKENDS,
				LB_RING_SIZE / BACKENDS + 1);
}

static void shares_follow_weights(void **state)
{
	struct maglev_member m[3];
	unsigned int unit = LB_RING_SIZE / 6;

	(void)state;
	members_of(m, 3, 1);
	m[1].weight = 2;
	m[2].weight = 3;
	build(m, 3, &before);
	assert_in_range(places_of(&before, 1), unit - 2, unit + 2);
	assert_in_range(places_of(&before, 2), 2 * unit - 2, 2 * unit + 2);
	assert_in_range(places_of(&before, 3), 3 * unit - 2, 3 * unit + 4);
}

static void backend_without_weight_has_no_place(void **state)
{
	struct maglev_member m[3];

	(void)state;
	members_of(m, 3, 5);
	m[1].weight = 0;
	build(m, 3, &before);
	assert_int_equal(places_of(&before, 2), 0);
	assert_int_equal(places_of(&before, 0), 0);
}

static void without_backends_all_places_are_empty(void **state)
{
	struct maglev_member m[2];

	(void)state;
	build(m, 0, &before);
	assert_int_equal(places_of(&before, 0), LB_RING_SIZE);
	build(m, members_of(m, 2, 0), &before);
	assert_int_equal(places_of(&before, 0), LB_RING_SIZE);
}

static void order_does_not_matter(void **state)
{
	struct maglev_member m[BACKENDS], turned[BACKENDS];

	(void)state;
	members_of(m, BACKENDS, 1);
	for (unsigned int i = 0; i < BACKENDS; i++)
		turned[i] = m[BACKENDS - 1 - i];
	build(m, BACKENDS, &before);
	build(turned, BACKENDS, &after);
	assert_memory_equal(&before, &after, sizeof(before));
}

static void removing_one_of_a_hundred_moves_few_others(void **state)
{
	struct maglev_member m[BACKENDS];

	(void)state;
	for (unsigned int gone = 0; gone < BACKENDS; gone += 7) {
		unsigned int slot;

		build(m, members_of(m, BACKENDS, 1), &before);
		members_of(m, BACKENDS, 1);
		slot = m[gone].slot;
		m[gone] = m[BACKENDS - 1];
		build(m, BACKENDS - 1, &after);
		assert_in_range(needless(slot), 0, FLOWS_MOVED_MAX);
	}
}

static void adding_one_to_a_hundred_moves_few_others(void **state)
{
	struct maglev_member m[BACKENDS + 1];

	(void)state;
	build(m, members_of(m, BACKENDS, 1), &before);
	build(m, members_of(m, BACKENDS + 1, 1), &after);
	assert_in_range(needless(BACKENDS + 1), 0, FLOWS_MOVED_MAX);
}

static void another_weight_of_one_moves_few_others(void **state)
{
	static const uint32_t weights[] = { 1, 50, 99, 101, 150, 200 };
	struct maglev_member m[BACKENDS];

	(void)state;
	for (size_t i = 0; i < sizeof(weights) / sizeof(weights[0]); i++) {
		build(m, members_of(m, BACKENDS, 100), &before);
		members_of(m, BACKENDS, 100);
		m[41].weight = weights[i];
		build(m, BACKENDS, &after);
		assert_in_range(needless(42), 0, FLOWS_MOVED_MAX);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(equal_weights_have_equal_shares),
		cmocka_unit_test(shares_follow_weights),
		cmocka_unit_test(backend_without_weight_has_no_place),
		cmocka_unit_test(without_backends_all_places_are_empty),
		cmocka_unit_test(order_does_not_matter),
		cmocka_unit_test(removing_one_of_a_hundred_moves_few_others),
		cmocka_unit_test(adding_one_to_a_hundred_moves_few_others),
		cmocka_unit_test(another_weight_of_one_moves_few_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
