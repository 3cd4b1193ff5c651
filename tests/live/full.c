/* SPDX-License-Identifier: BSD-2-Clause */
/* Nobody reads, and every place for records of sockets that end is full: connections are lost, bytes are not. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "loss.h"
#include "maker.h"
#include "ownership.h"
#include "probe.h"
#include "tap.h"

#define FULL "--ring-size", "4096", "--fail-at", "full"
#define HERD "herd --procs 200"

/* What others on this machine lose is not of a test that has an address of its own. */
static void own_addr(char *addr, size_t size)
{
	unsigned int id = (unsigned int)getpid();

	snprintf(addr, size, "127.%u.%u.%u", 100 + (id >> 16 & 63), id >> 8 & 255, id & 255);
}

/* netprobe stands still while the makers come and go. */
static struct maker make_unread(struct probe *p, const struct netns *ns, const char *command)
{
	struct maker m;

	REQUIRE(kill(p->pid, SIGSTOP) == 0, "SIGSTOP failed");
	m = maker_run(ns, command);
	REQUIRE(kill(p->pid, SIGCONT) == 0, "SIGCONT failed");
	probe_stop(p);
	return m;
}

static uint64_t records_sum_ns(const json_t *records, const char *key, const struct netns *ns)
{
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "event_type"), "transport.bw") &&
		    record_u64(r, "netns") == ns->inode)
			sum += record_u64(r, key);
	return sum;
}

static void check_nothing_lost(const json_t *records)
{
	CHECK_EQ(loss_sum(records, "lost_tx_bytes"), 0, "lost_tx_bytes");
	CHECK_EQ(loss_sum(records, "lost_rx_bytes"), 0, "lost_rx_bytes");
	CHECK_EQ(loss_sum(records, "map_full"), 0, "map_full");
	CHECK(loss_sum(records, "ring_full") > 0, "ring_full in probe.loss: expected some");
}

TEST(ends_that_find_no_room_leave_their_bytes_to_their_owners)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--interval", "0.2", FULL, NULL);
	struct maker m = make_unread(&p, &ns, HERD);

	check_owners(p.records, "transport.bw", m.reports, &ns);
	check_nothing_lost(p.records);
}

TEST(rows_have_the_bytes_of_connections_that_found_no_room)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, FULL, NULL);
	struct maker m = make_unread(&p, &ns, HERD);

	check_owners(p.records, NULL, m.reports, &ns);
}

TEST(datagram_sockets_that_find_no_room_leave_their_bytes_to_their_owners)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--interval", "0.2", FULL, NULL);
	struct maker m = make_unread(&p, &ns, "herd --udp --procs 200");

	check_owners(p.records, "transport.bw", m.reports, &ns);
	check_nothing_lost(p.records);
}

static bool all_told(const struct probe *p, unsigned int procs)
{
	json_t *records = probe_records(p);
	unsigned int n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		n += !strcmp(record_str(r, "event_type"), "transport.bw") &&
		     record_u64(r, "tx_bytes") > 0;
	json_decref(records);
	return n >= procs;
}

TEST(what_was_told_before_the_end_is_not_told_again)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--interval", "0.1", FULL, NULL);
	struct maker m = maker_start(&ns, -1, "herd --procs 150 --at-once 150 --life 4000");

	for (int i = 0; i < 200 && !all_told(&p, 150); i++)
		usleep(20000);
	CHECK(all_told(&p, 150), "the first figures of 150 processes did not come");
	REQUIRE(kill(p.pid, SIGSTOP) == 0, "SIGSTOP failed");
	maker_finish(&m);
	REQUIRE(kill(p.pid, SIGCONT) == 0, "SIGCONT failed");
	probe_stop(&p);
	check_owners(p.records, "transport.bw", m.reports, &ns);
	check_nothing_lost(p.records);
}

/* The account of the program that sees TCP sockets end, of those that the filters let through. */
static uint64_t ends_seen(const json_t *records)
{
	uint64_t n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "program"), "destroy"))
			n = record_u64(r, "seen") - record_u64(r, "filtered");
	return n;
}

/* Where even the sums are full, bytes are lost: all of them told, and each end is counted once. */
TEST(where_sums_are_full_what_is_lost_is_told_to_the_byte)
{
	struct netns ns = netns_new();
	char addr[32], command[96];
	uint64_t made_tx = 0, made_rx = 0;
	const json_t *r;
	struct probe p;
	struct maker m;
	size_t i;

	own_addr(addr, sizeof(addr));
	snprintf(command, sizeof(command), "herd --procs 200 --addr %s", addr);
	p = probe_start("events", FULL, "--parts-size", "1", "--host", addr, NULL);
	m = make_unread(&p, &ns, command);
	json_array_foreach (m.reports, i, r) {
		made_tx += record_u64(r, "tx");
		made_rx += record_u64(r, "rx");
	}
	CHECK_EQ(records_sum_ns(p.records, "tx_bytes", &ns) + loss_sum(p.records, "lost_tx_bytes"),
		 made_tx, "told and lost tx");
	CHECK_EQ(records_sum_ns(p.records, "rx_bytes", &ns) + loss_sum(p.records, "lost_rx_bytes"),
		 made_rx, "told and lost rx");
	CHECK(loss_sum(p.records, "map_full") > 0, "map_full in probe.loss: expected some");
	CHECK_EQ(ends_seen(p.records), 2 * 200 + 1, "TCP sockets that ended");
}

static bool is_stall_over(const json_t *r, const void *arg)
{
	return !strcmp(record_str(r, "event_type"), "transport.drop") &&
	       !strcmp(record_str(r, "comm"), arg) && json_is_true(json_object_get(r, "ended"));
}

/* The record of a stall tells what its socket moved so far, between two sweeps. */
TEST(what_an_event_told_is_not_in_a_sum_again)
{
	struct netns ns = netns_new();
	unsigned int id = (unsigned int)getpid();
	char addr[32], command[128];
	struct maker stalled, herd;
	struct probe p;

	snprintf(addr, sizeof(addr), "127.%u.%u.%u", 100 + (id >> 16 & 63), id >> 8 & 255,
		 id & 255);
	p = probe_start("events", "--interval", "60", FULL, "--host", addr, NULL);
	snprintf(command, sizeof(command),
		 "limit --by pause --pause 500 --seconds 1 --idle 1 --hold resting --addr %s",
		 addr);
	stalled = maker_start(&ns, -1, command);
	maker_wait_hold(&stalled);
	json_decref(probe_wait_record(&p, is_stall_over, "client", 10000));
	REQUIRE(kill(p.pid, SIGSTOP) == 0, "SIGSTOP failed");
	snprintf(command, sizeof(command), HERD " --addr %s", addr);
	herd = maker_run(&ns, command);
	maker_go(&stalled);
	maker_finish(&stalled);
	REQUIRE(kill(p.pid, SIGCONT) == 0, "SIGCONT failed");
	probe_stop(&p);
	json_array_extend(herd.reports, stalled.reports);
	check_owners(p.records, "transport.bw", herd.reports, &ns);
	CHECK_EQ(loss_sum(p.records, "lost_tx_bytes") + loss_sum(p.records, "lost_rx_bytes"), 0,
		 "bytes lost");
}

static bool has_ends(const json_t *r)
{
	return !json_is_null(json_object_get(r, "lport")) ||
	       !json_is_null(json_object_get(r, "rport"));
}

/* 64 rows for 101 sockets: those that have none are told, and their bytes are in rows without ends. */
TEST(rows_have_the_bytes_of_connections_that_the_table_had_no_room_for)
{
	struct netns ns = netns_new();
	unsigned int rows = 0, sums = 0;
	char addr[32], command[96];
	const json_t *r;
	struct probe p;
	struct maker m;
	char *said;
	size_t i;

	own_addr(addr, sizeof(addr));
	snprintf(command, sizeof(command), "herd --procs 50 --addr %s", addr);
	p = probe_start(FLOWS, "--fail-at", "table", "--host", addr, NULL);
	m = maker_run(&ns, command);
	probe_stop(&p);
	check_owners(p.records, NULL, m.reports, &ns);
	json_array_foreach (p.records, i, r) {
		rows += has_ends(r);
		sums += !has_ends(r) && record_u64(r, "netns") == ns.inode;
	}
	CHECK(rows <= 64, "rows with ends: %u, expected 64 at most", rows);
	CHECK(sums > 0, "rows without ends: expected some");
	said = file_text(p.log);
	CHECK(strstr(said, "the table of sockets was full: "), "stderr: %s", said);
	CHECK(!strstr(said, "losses: "), "stderr: %s", said);
	free(said);
}
