/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What came of each kind of drop since the start. Bounded: where too many kinds are there, those nobody can ask for
 * any more (of processes that ended, or of nobody) join a sum: what is no loss first, then the oldest. A packet that is in is never lost,
 * nor put to another owner.
 */
#ifndef NETPROBE_FLOW_DROP_SUMS_H
#define NETPROBE_FLOW_DROP_SUMS_H

#include <stdbool.h>
#include <stddef.h>

#include "owner/index.h"
#include "owner/process.h"
#include "wire/drops.h"

#define DROP_SUMS_MAX 16384 /* kinds told apart */

/* What a kind is told from others by. */
struct drop_kind_key {
	struct np_drop_key kernel;
	const char *name; /* reason, where kernel.reason is none; compared by address. NULL else */
	char ifname[16];
	/* 1: a sum of kinds that are not told apart any more, without owner and port. 2: without interface, too */
	uint64_t rest;
};

struct drop_row {
	struct index_node node;
	struct drop_kind_key key;
	const struct process *owner; /* NULL unknown; a reference */
	uint8_t owner_match;	     /* as it was at the first */
	bool quiet;		     /* lost to nobody here */
	char function[48];
	uint64_t packets, bytes;	 /* that are in for good */
	uint64_t now_packets, now_bytes; /* beside them, at the last look */
	uint64_t last_ns;		 /* when packets came in for good */
};

struct drop_sums;

/* done: a row's reference is given back. max: DROP_SUMS_MAX, or less. NULL: no memory. */
struct drop_sums *drop_sums_new(size_t max, void (*done)(const struct process *owner, void *arg),
				void *arg);
struct drop_sums *drop_sums_free(struct drop_sums *s);
/*
 * The row of that kind, made where there is none; of a sum where there is no room for it (key.rest). NULL: no memory.
 * Its owner is the caller's to set, unless it is a sum's.
 */
struct drop_row *drop_sums_row(struct drop_sums *s, const struct drop_kind_key *key,
			       const char function[48]);
/* A look begins at what is not in for good: forget what the last one saw. */
void drop_sums_look(struct drop_sums *s);
/* Make room, where more than three quarters are taken. Only where nothing is beside what is in for good. */
void drop_sums_trim(struct drop_sums *s);
void drop_sums_each(struct drop_sums *s, void (*fn)(const struct drop_row *row, void *arg),
		    void *arg);
/* Rows that are no sums, and those that are. */
size_t drop_sums_count(const struct drop_sums *s, size_t *ret_rest);

#endif
