/* SPDX-License-Identifier: BSD-2-Clause */
/* The first few of many in order, without sorting all of them. */
#ifndef NETPROBE_FLOW_RANK_H
#define NETPROBE_FLOW_RANK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ranked {
	double rank; /* most first */
	const void *item;
};

struct rank_order {
	bool reverse;
	/* Decides between equal ranks, never 0 for two items: the order is always the same. */
	int (*tie)(const void *a, const void *b);
};

/* The first `limit` (0: all) of v are the right ones in order afterwards; how many those are. */
size_t rank_select(struct ranked *v, size_t n, size_t limit, const struct rank_order *order);
/* The value in the middle (the lower one of two); 0 for none. Reorders v. */
uint32_t rank_median(uint32_t *v, size_t n);

#endif
