/* SPDX-License-Identifier: BSD-2-Clause */
/* Counts by powers of two of microseconds (see NP_HIST_SLOTS), and what can be told from them. */
#ifndef NETPROBE_FLOW_HISTOGRAM_H
#define NETPROBE_FLOW_HISTOGRAM_H

#include <stdint.h>

#include "wire/waits.h"

struct histogram {
	uint64_t n[NP_HIST_SLOTS];
};

/* The slot of a length. */
unsigned int histogram_slot(uint64_t us);
void histogram_add(struct histogram *h, uint64_t us);
uint64_t histogram_count(const struct histogram *h);
/* A slot is from..to microseconds, to left out; the last one's to is UINT64_MAX. */
uint64_t histogram_from(unsigned int slot);
uint64_t histogram_to(unsigned int slot);
/*
 * At least share (0..1) of all are shorter than this many microseconds: the end of a slot, so at most
 * twice the truth. 0: there are none.
 */
uint64_t histogram_quantile(const struct histogram *h, double share);

#endif
