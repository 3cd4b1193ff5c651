/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * How long files may be read for whom. Whoever may make cgroups and files makes work for the loop that reads them: the
 * host's runtimes have a quarter of its time, all users together a twentieth, each of them a hundredth.
 */
#ifndef NETPROBE_OWNER_CONTAINER_TURN_H
#define NETPROBE_OWNER_CONTAINER_TURN_H

#include <stdbool.h>
#include <stdint.h>

/* Places of users, by their numbers: those that share one share its time. */
#define TURN_USERS 64
#define TURN_PLACES (TURN_USERS + 1) /* the first is the host's */

struct turn_budget {
	uint64_t at_ns;
	int64_t used_ns; /* and not given back yet by time that passed */
};

struct turns {
	struct turn_budget place[TURN_PLACES], users;
};

unsigned int turn_place(uint32_t owner);
/* Is there time? */
bool turn_has(struct turns *t, unsigned int place, uint64_t now_ns);
void turn_took(struct turns *t, unsigned int place, uint64_t ns);

#endif
