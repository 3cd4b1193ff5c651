/* SPDX-License-Identifier: BSD-2-Clause */
/* TCP sockets whose ends no program is called for: what they moved is left where it is found. */
#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "ownership.h"
#include "tap.h"

/* The kernel numbers sockets of a processor in a row and by so many: rounds of as many meet in places by number. */
#define ROUND 4096
#define CONNS 60
#define ROUNDS 3

/* On one processor, as all that it starts. */
static void stay_here(void)
{
	cpu_set_t here;

	CPU_ZERO(&here);
	CPU_SET((unsigned int)sched_getcpu(), &here);
	REQUIRE(sched_setaffinity(0, sizeof(here), &here) == 0, "sched_setaffinity: %s",
		strerror(errno));
}

static void make(const struct netns *ns, json_t *reports, const char *what, unsigned int n)
{
	char command[64];
	struct maker m;

	snprintf(command, sizeof(command), "burst --procs 1 --%s %u", what, n);
	m = maker_run(ns, command);
	for (size_t i = 0; i < json_array_size(m.reports); i++) {
		json_t *r = json_array_get(m.reports, i);

		if (strcmp(record_str(r, "role"), "all") != 0)
			json_array_append(reports, r);
	}
	json_decref(m.reports);
}

/* No sweep comes in between, so what the first ones left lies there until the last ones ended as well. */
TEST(unseen_ends_of_sockets_with_like_numbers_cost_no_byte)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--interval", "60", "--fail-at", "ends", NULL);
	json_t *reports = json_array();

	stay_here();
	for (unsigned int i = 0; i < ROUNDS; i++) {
		make(&ns, reports, "conns", CONNS);
		make(&ns, reports, "dgrams", ROUND - 2 * CONNS);
	}
	probe_stop(&p);
	check_owners(p.records, "transport.bw", reports, &ns);
	json_decref(reports);
}

#define LINGERERS 60
#define LEFT_BYTES 60000

/* Each sends what its peer has no room for and is closed at once: the kernel has it for half a second more. */
#define CLOSE_EARLY                                                                           \
	"import socket, threading, time\n"                                                    \
	"l = socket.socket(); l.setsockopt(1, 8, 2304); l.bind(('127.0.0.1', 7464))\n"        \
	"l.listen(100)\n"                                                                     \
	"def late(c):\n"                                                                      \
	"  time.sleep(.5)\n"                                                                  \
	"  while c.recv(65536): pass\n"                                                       \
	"for i in range(60):\n"                                                               \
	"  s = socket.socket(); s.setsockopt(1, 7, 400000); s.connect(('127.0.0.1', 7464))\n" \
	"  c = l.accept()[0]; s.sendall(b'x' * 60000); s.close()\n"                           \
	"  t = threading.Thread(target=late, args=(c,)); t.start(); time.sleep(.02)\n"

TEST(a_look_that_leaves_sockets_out_takes_none_of_them_for_gone)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--interval", "0.1", "--fail-at", "pause", NULL);
	uint64_t sent = 0;
	const json_t *one;
	size_t i;

	netns_must(&ns, "python3 -c \"" CLOSE_EARLY "\"");
	netns_wait_quiet(&ns);
	probe_stop(&p);
	json_array_foreach (p.records, i, one)
		if (!strcmp(record_str(one, "event_type"), "transport.bw") &&
		    record_u64(one, "netns") == ns.inode)
			sent += record_u64(one, "tx_bytes");
	CHECK_EQ(sent, LINGERERS * LEFT_BYTES, "bytes sent");
}
