/* SPDX-License-Identifier: BSD-2-Clause */
/* See histogram.h. */
#include "flow/histogram.h"

unsigned int histogram_slot(uint64_t us)
{
	unsigned int slot = us ? 64 - (unsigned int)__builtin_clzll(us) : 0;

	return slot < NP_HIST_SLOTS ? slot : NP_HIST_SLOTS - 1;
}

void histogram_add(struct histogram *h, uint64_t us)
{
	h->n[histogram_slot(us)]++;
}

uint64_t histogram_count(const struct histogram *h)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < NP_HIST_SLOTS; i++)
		sum += h->n[i];
	return sum;
}

uint64_t histogram_from(unsigned int slot)
{
	return slot ? 1ULL << (slot - 1) : 0;
}

uint64_t histogram_to(unsigned int slot)
{
	return slot < NP_HIST_SLOTS - 1 ? 1ULL << slot : UINT64_MAX;
}

uint64_t histogram_quantile(const struct histogram *h, double share)
{
	uint64_t all = histogram_count(h), sum = 0;
	double want = share * (double)all;

	for (unsigned int i = 0; all && i < NP_HIST_SLOTS; i++) {
		sum += h->n[i];
		if (sum && (double)sum >= want)
			return histogram_to(i);
	}
	return 0;
}
