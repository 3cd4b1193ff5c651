/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Selection. A screen shows 100 of 100,000 rows: those are picked with a heap of 100, in one pass
 * with mostly one comparison an item; only short lists are sorted whole.
 */
#include <stdlib.h>

#include "flow/rank.h"

/* < 0: a comes first */
static int compare(const struct ranked *a, const struct ranked *b, const struct rank_order *o)
{
	int c = (a->rank < b->rank) - (a->rank > b->rank);

	if (!c)
		c = o->tie(a->item, b->item);
	return o->reverse ? -c : c;
}

static int compare_sort(const void *a, const void *b, void *arg)
{
	return compare(a, b, arg);
}

/* The heap has the one that comes last on top: the first to go. */
static void sift(struct ranked *heap, size_t n, size_t i, const struct rank_order *o)
{
	struct ranked x = heap[i];

	for (;;) {
		size_t child = 2 * i + 1;

		if (child >= n)
			break;
		if (child + 1 < n && compare(&heap[child + 1], &heap[child], o) > 0)
			child++;
		if (compare(&heap[child], &x, o) <= 0)
			break;
		heap[i] = heap[child];
		i = child;
	}
	heap[i] = x;
}

size_t rank_select(struct ranked *v, size_t n, size_t limit, const struct rank_order *order)
{
	size_t i;

	if (limit && limit < n) {
		for (i = limit / 2; i-- > 0;)
			sift(v, limit, i, order);
		for (i = limit; i < n; i++) {
			if (compare(&v[i], &v[0], order) >= 0)
				continue;
			v[0] = v[i];
			sift(v, limit, 0, order);
		}
		n = limit;
	}
	if (n)
		qsort_r(v, n, sizeof(*v), compare_sort, (void *)(uintptr_t)order);
	return n;
}

static void swap(uint32_t *a, uint32_t *b)
{
	uint32_t x = *a;

	*a = *b;
	*b = x;
}

uint32_t rank_median(uint32_t *v, size_t n)
{
	ptrdiff_t low = 0, high = (ptrdiff_t)n - 1, k = high / 2;

	if (!n)
		return 0;
	/* Hoare's FIND: equal values are shared out between the sides, many of them stay cheap */
	while (low < high) {
		uint32_t pivot = v[k];
		ptrdiff_t i = low, j = high;

		do {
			while (v[i] < pivot)
				i++;
			while (v[j] > pivot)
				j--;
			if (i <= j)
				swap(&v[i++], &v[j--]);
		} while (i <= j);
		if (j < k)
			low = i;
		if (k < i)
			high = j;
	}
	return v[k];
}
