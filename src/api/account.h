/* SPDX-License-Identifier: BSD-2-Clause */
/* The account of losses of a manager: one list (event/loss.h), which all that shows losses is made from. */
#ifndef NETPROBE_API_ACCOUNT_H
#define NETPROBE_API_ACCOUNT_H

#include "event/loss.h"
#include "wire/guard.h"

#define ACCOUNT_PLACES 8
#define ACCOUNT_NAME 32

struct netprobe_manager;

/* A counter of guard's, which may be older than the manager and begin again: what it counted since. */
struct account_since {
	struct np_loss last, sum;
};

struct account_guard {
	uint32_t ifindex;
	struct account_since since;
};

struct account {
	struct losses told; /* what the last probe.loss of each said */
	uint64_t tick_ns;   /* CLOCK_MONOTONIC of the last interval's end */
	struct account_guard guard[NP_GUARD_IFS];
	unsigned int n_guard;
	struct account_since balance;
	bool balances;		   /* it was there */
	struct np_loss guard_gone; /* of interfaces that guard is not on any more */
	struct losses *places;	   /* what the program told of its own; NULL: nothing yet */
	char (*names)[ACCOUNT_NAME];
	bool over; /* told is of the end: it stays what all others are told */
};

/* The manager is loaded: losses count from here. Under its lock, as all that follow. */
void account_begin(struct netprobe_manager *m);
/* Every row there is now. */
void account_take(struct netprobe_manager *m, struct losses *ret);
/* probe.loss of what lost something since the last time; final: of every row that is not a place. */
void account_tell(struct netprobe_manager *m, bool final);
/* Of a place of the program's, shorter than ACCOUNT_NAME. -ENOMEM: there are too many. */
int account_place(struct netprobe_manager *m, const char *place, uint64_t taken, uint64_t lost);
/* Is it the name of a row of the library's own, there now or not? */
bool account_is_own(const char *program);
bool account_is_place(const struct netprobe_manager *m, const struct loss *l);
void account_done(struct netprobe_manager *m);

#endif
