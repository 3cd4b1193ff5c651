/* SPDX-License-Identifier: BSD-2-Clause */
/* See container_turn.h. */
#include "owner/container_turn.h"

#include "owner/cgroup.h"

/* In one go; what one look takes longer is waited for. */
#define HOST_NS 20000000
#define USER_NS 5000000
#define HOST_PART 4
#define USERS_PART 20
#define USER_PART 100
/* A machine that stood still is none of the host's doing: no longer is waited for than this gives. */
#define HOST_DEBT_NS 20000000

unsigned int turn_place(uint32_t owner)
{
	return owner == CONTAINER_OF_HOST ? 0 : 1 + owner % TURN_USERS;
}

static bool has(struct turn_budget *b, uint64_t now_ns, unsigned int part, int64_t most)
{
	if (now_ns > b->at_ns) {
		int64_t back = (int64_t)((now_ns - b->at_ns) / part);

		b->used_ns = b->used_ns > back ? b->used_ns - back : 0;
		b->at_ns = now_ns;
	}
	return b->used_ns < most;
}

bool turn_has(struct turns *t, unsigned int place, uint64_t now_ns)
{
	if (!place)
		return has(&t->place[0], now_ns, HOST_PART, HOST_NS);
	return has(&t->users, now_ns, USERS_PART, USER_NS) &&
	       has(&t->place[place], now_ns, USER_PART, USER_NS);
}

void turn_took(struct turns *t, unsigned int place, uint64_t ns)
{
	t->place[place].used_ns += (int64_t)ns;
	if (place)
		t->users.used_ns += (int64_t)ns;
	else if (t->place[0].used_ns > HOST_NS + HOST_DEBT_NS)
		t->place[0].used_ns = HOST_NS + HOST_DEBT_NS;
}
