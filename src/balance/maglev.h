/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Maglev tables: which backend takes which place. Depends on the backends' names and weights only,
 * not on slots, order or what was before, so that two balancers in front of the same backends agree.
 */
#ifndef NETPROBE_BALANCE_MAGLEV_H
#define NETPROBE_BALANCE_MAGLEV_H

#include <stdint.h>

#include "wire/lb.h"

struct maglev_member {
	uint64_t name;	 /* hash of its address: maglev_name() */
	uint32_t weight; /* share of the places; 0: none */
	uint16_t slot;	 /* what the table says */
};

uint64_t maglev_name(const uint8_t addr[16]);
/*
 * Fill all places; 0 everywhere where no member has a weight. members is sorted. Balanced to one place
 * for each backend with equal weights; a change of one of 100 moves under 1% of the others' places.
 * -ENOMEM.
 */
int maglev_build(struct maglev_member *members, unsigned int n, struct lb_ring *ret);

#endif
