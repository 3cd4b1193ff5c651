/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums per owner, namespace and interface over one interval. Internal to engine/. */
#ifndef NETPROBE_ENGINE_SUMS_H
#define NETPROBE_ENGINE_SUMS_H

#include <stdint.h>

#include "owner/process.h"

struct sum {
	const struct process *owner; /* NULL: no owner in the key */
	uint8_t owner_match;	     /* the weakest of what was added */
	uint32_t netns;
	char iface[16]; /* empty unknown */
	uint64_t tx_bytes, rx_bytes, tx_pkts, rx_pkts, segments;
};

struct sums;

struct sums *sums_new(void);
struct sums *sums_free(struct sums *s);
/* iface NULL: unknown. Only the numbers of add are read. -ENOMEM. */
int sums_add(struct sums *s, const struct process *owner, uint8_t owner_match, uint32_t netns,
	     const char *iface, const struct sum *add);
/* Each sum, then forget them. */
void sums_drain(struct sums *s, double seconds, void (*fn)(const struct sum *, void *), void *arg);
double sums_seconds(const struct sums *s); /* of the drain under way */

#endif
