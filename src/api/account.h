/* SPDX-License-Identifier: BSD-2-Clause */
/* The account of losses of a manager: one list (event/loss.h), which all that shows losses is made from. */
#ifndef NETPROBE_API_ACCOUNT_H
#define NETPROBE_API_ACCOUNT_H

#include "event/loss.h"

#define ACCOUNT_PLACES 8
#define ACCOUNT_NAME 32

struct netprobe_manager;

struct account {
	struct losses told; /* what the last probe.loss of each said */
	uint64_t tick_ns;   /* CLOCK_MONOTONIC of the last interval's end */
	/* What guard and the balancer had counted before the manager was loaded: they may be older. */
	struct np_loss guard, balance;
	struct losses *places; /* what the program told of its own; NULL: nothing yet */
	char (*names)[ACCOUNT_NAME];
};

/* The manager is loaded: losses count from here. Under its lock, as all that follow. */
void account_begin(struct netprobe_manager *m);
/* Every row there is now. */
void account_take(struct netprobe_manager *m, struct losses *ret);
/* probe.loss of what lost something since the last time; final: of every row that is not a place. */
void account_tell(struct netprobe_manager *m, bool final);
/* Of a place of the program's. -ENOMEM: there are too many. */
int account_place(struct netprobe_manager *m, const char *place, uint64_t taken, uint64_t lost);
bool account_is_place(const struct netprobe_manager *m, const struct loss *l);
void account_done(struct netprobe_manager *m);

#endif
