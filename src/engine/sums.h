/* SPDX-License-Identifier: BSD-2-Clause */
/* Sums per owner, namespace and interface, until somebody takes them. Internal to engine/. */
#ifndef NETPROBE_ENGINE_SUMS_H
#define NETPROBE_ENGINE_SUMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "owner/process.h"

struct sum {
	const struct process *owner; /* NULL: no owner in the key */
	uint8_t owner_match;	     /* the weakest of what was added */
	uint32_t netns;
	char iface[16]; /* empty unknown */
	uint64_t tx_bytes, rx_bytes, tx_pkts, rx_pkts, segments;
	double held_s; /* it was not taken so far, at the ends of intervals */
};

struct sums;

/* procs: of the owners, which a sum keeps. max: so many that were not taken leave no room for new ones. */
struct sums *sums_new(struct process_table *procs, size_t max);
struct sums *sums_free(struct sums *s);
/* iface NULL: unknown. Only the numbers of add are read. -ENOMEM; -ENOSPC: too many wait. */
int sums_add(struct sums *s, const struct process *owner, uint8_t owner_match, uint32_t netns,
	     const char *iface, const struct sum *add);
/*
 * The end of an interval of so many seconds: each sum, oldest first, until fn says false. Those it took are
 * forgotten; that one and what is behind it go on, and are handed out first next time.
 */
void sums_drain(struct sums *s, double seconds, bool (*fn)(const struct sum *, void *), void *arg);
double
sums_seconds(const struct sums *s); /* of the sum that is handed out: how long it was added to */
size_t sums_count(const struct sums *s);

#endif
