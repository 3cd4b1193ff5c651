/* SPDX-License-Identifier: BSD-2-Clause */
/* Interfaces that come and go while netprobe runs, as containers bring and take them. */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ownership.h"
#include "tap.h"

#define END_MS 15000

static void enter(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && !setns(fd, CLONE_NEWNET), "cannot enter the namespace");
	(void)close(fd);
}

static struct maker send(const struct netns_pair *n, unsigned int bytes)
{
	char command[400];

	snprintf(command, sizeof(command),
		 "stream --bytes %u --addr 10.77.0.2 --client-ns %s --server-ns %s", bytes,
		 n->a.path, n->b.path);
	return maker_run(NULL, command);
}

struct telling {
	const char *path, *words;
};

static bool tells(void *arg)
{
	const struct telling *t = arg;
	char *said = file_text(t->path);
	bool found = strstr(said, t->words);

	free(said);
	return found;
}

static void check_close(const json_t *records, const struct maker *m, const char *iface,
			uint64_t bytes)
{
	const json_t *r = record_of_socket(records, "conn.close", maker_report(m, "client"));

	REQUIRE(r, "no end of a connection over %s", iface);
	CHECK_EQ(record_u64(r, "tx_bytes"), bytes, "bytes");
	CHECK_EQ(record_u64(r, "pid"), report_u64(maker_report(m, "client"), "pid"), "owner");
	CHECK(!strcmp(record_str(r, "iface"), iface), "interface: expected %s, got %s", iface,
	      record_str(r, "iface"));
}

/* Of the named interface alone, which is another one then: a filter is by name. */
TEST(interfaces_that_come_back_are_followed_and_told)
{
	struct netns_pair n = netns_pair_new();
	const char *const args[] = { EVENTS, "-i", n.if_a, NULL };
	struct telling gone, came;
	char words[2][64];
	struct maker first, second;
	struct probe p;

	enter(&n.a);
	p = probe_start_args(args);
	first = send(&n, 30000);
	netns_pair_remake(&n, 4242);
	snprintf(words[0], sizeof(words[0]), "interface %s (", n.if_a);
	snprintf(words[1], sizeof(words[1]), "interface %s (4242) appeared", n.if_a);
	gone = (struct telling){ p.log, "vanished" };
	came = (struct telling){ p.log, words[1] };
	CHECK(wait_until(tells, &gone, END_MS), "nothing was said of the interface that went");
	CHECK(wait_until(tells, &came, END_MS), "nothing was said of the one that came");
	gone.words = words[0];
	CHECK(tells(&gone), "the interface that went was not named");
	second = send(&n, 41000);
	netns_wait_quiet(&n.a);
	probe_stop(&p);
	check_close(p.records, &first, n.if_a, 30000);
	check_close(p.records, &second, n.if_a, 41000);
}

/* Without a filter every namespace is seen, and those that containers bring are no news. */
TEST(interfaces_and_namespaces_that_come_and_go_lose_no_byte)
{
	struct netns_pair old = netns_pair_new(), fresh;
	struct probe p = probe_start("flows", "--format", "json", "--duration", "36000", NULL);
	struct maker m[3];
	char *said;

	m[0] = send(&old, 30000);
	netns_pair_remake(&old, 4300);
	m[1] = send(&old, 31000);
	fresh = netns_pair_new();
	m[2] = send(&fresh, 32000);
	netns_wait_quiet(&old.a);
	netns_wait_quiet(&fresh.a);
	probe_stop(&p);
	json_array_extend(m[0].reports, m[1].reports);
	check_owners(p.records, NULL, m[0].reports, &old.a);
	check_owners(p.records, NULL, m[2].reports, &fresh.a);
	said = file_text(p.log);
	CHECK(!strstr(said, "vanished") && !strstr(said, "appeared"),
	      "expected no word of others' interfaces, got: %s", said);
	free(said);
}
