/* SPDX-License-Identifier: BSD-2-Clause */
/* Very many sockets: all of them are there, with their owner, whoever came first. */
#include <stdio.h>
#include <string.h>

#include "ownership.h"
#include "tap.h"

#define SOCKETS 100000

static unsigned int many(void)
{
	return (unsigned int)(SOCKETS / test_slow() / (test_slow() > 1 ? 10 : 1)) & ~1u;
}

/* Sockets of the namespace that are connected, and of them those without an owner. */
static void count(const json_t *flows, const struct netns *ns, unsigned int *open,
		  unsigned int *unowned)
{
	const json_t *f;
	size_t i;

	*open = *unowned = 0;
	json_array_foreach (flows, i, f) {
		if (record_u64(f, "netns") != ns->inode ||
		    strcmp(record_str(f, "state"), "ESTABLISHED"))
			continue;
		++*open;
		*unowned += strcmp(record_str(f, "owner_match"), "exact") ||
			    strcmp(record_str(f, "comm"), "idle");
	}
}

TEST(many_older_sockets_are_all_listed_with_their_owner)
{
	struct netns ns = netns_new(), elsewhere = netns_new();
	unsigned int sockets = many(), open, unowned;
	char command[64];
	struct maker m, herd;
	struct probe p;

	snprintf(command, sizeof(command), "idle --sockets %u", sockets);
	m = maker_start(&ns, -1, command);
	maker_wait_hold(&m);
	p = probe_start(FLOWS, NULL);
	/* Others come and go while all of these are looked at for the first and last time. */
	snprintf(command, sizeof(command), "herd --procs %u", sockets / 50);
	herd = maker_start(&elsewhere, -1, command);
	probe_stop(&p);
	maker_finish(&herd);
	count(p.records, &ns, &open, &unowned);
	CHECK_EQ(open, sockets, "established sockets");
	CHECK_EQ(unowned, 0, "of them not under their owner");
	maker_go(&m);
	maker_finish(&m);
}

TEST(many_new_sockets_are_all_listed)
{
	struct netns ns = netns_new();
	unsigned int sockets = many() / 5 & ~1u, open, unowned;
	char command[64];
	struct probe p = probe_start(FLOWS, NULL);
	struct maker m;

	snprintf(command, sizeof(command), "idle --sockets %u", sockets);
	m = maker_start(&ns, -1, command);
	maker_wait_hold(&m);
	probe_stop(&p);
	count(p.records, &ns, &open, &unowned);
	CHECK_EQ(open, sockets, "established sockets");
	maker_go(&m);
	maker_finish(&m);
}
