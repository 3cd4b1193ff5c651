/* SPDX-License-Identifier: BSD-2-Clause */
/* What drops mean: losses, what rules refuse, copies, and what is for others. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "drop_make.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define ETH_P_NOBODY 0x88b5 /* for local experiments: no handler */

/* What top says that the process lost, in its last table that has it; ~0: no row. */
static uint64_t drops_of(const json_t *records, pid_t pid)
{
	uint64_t drops = UINT64_MAX;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (record_u64(r, "pid") == (uint64_t)pid)
			drops = record_u64(r, "drops");
	return drops;
}

TEST(top_shows_what_each_process_lost_but_not_what_a_rule_refused)
{
	struct netns ns = netns_new();
	struct dgrams few = { AF_INET, 5, 100, CLOSED, true };
	struct dgrams flood = { AF_INET, 2000, 500, OPEN, false };
	int family = AF_INET;
	pid_t receiver, refused;
	uint64_t errors;
	struct probe p;
	char byte;

	need_tracepoint();
	drop_output(&ns, "udp dport 9999");
	p = probe_start("top", "--health", "-n", "4", "--interval", "1", "--idle", "--format",
			"json", NULL);
	REQUIRE(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0, "pipe");
	receiver = start_in(&ns, hold_socket, &family);
	REQUIRE(read(up[0], &byte, 1) == 1, "the receiver did not come up");
	refused = start_in(&ns, send_dgrams, &few);
	finish(refused);
	finish(start_in(&ns, send_dgrams, &flood));
	errors = rcvbuf_errors(&ns, AF_INET);
	REQUIRE(probe_wait(&p, 30000) == 0, "top: expected to end by itself with 0");
	p.records = probe_records(&p);
	kill(receiver, SIGKILL);
	CHECK(errors > 1000, "RcvbufErrors: expected most of 2000, got %" PRIu64, errors);
	CHECK_EQ(drops_of(p.records, receiver), errors, "drops of the receiver");
	CHECK_EQ(drops_of(p.records, refused), 0, "drops of who a rule refused");
}

static void send_for_nobody(void *arg)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_NOBODY),
				  .sll_halen = 6 };
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);

	(void)arg;
	to.sll_ifindex = (int)if_nametoindex("lo");
	for (int i = 0; i < 4; i++)
		if (sendto(fd, "frame", 5, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			_exit(1);
}

TEST(what_is_no_loss_is_told_only_when_asked_for)
{
	struct netns ns = netns_new();
	struct probe plain = start_drops(NULL, NULL, NULL), all = start_drops("--all", NULL, NULL);
	struct drops d;

	finish(start_in(&ns, send_for_nobody, NULL));
	probe_stop(&plain);
	probe_stop(&all);
	d = count_drops(plain.records, &ns, "UNHANDLED_PROTO", 0);
	CHECK_EQ(d.packets, 0, "frames for nobody, told without --all");
	d = count_drops(all.records, &ns, "UNHANDLED_PROTO", 0);
	CHECK_EQ(d.packets, 4, "frames for nobody, told with --all");
	CHECK(d.first && json_is_true(json_object_get(d.first, "benign")), "benign: expected true");
	CHECK(d.first && !strcmp(record_str(d.first, "kind"), "others"), "kind: got %s",
	      d.first ? record_str(d.first, "kind") : "");
}

static void send_to_a_group_nobody_joined(void *arg)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(OPEN) };
	int fd = socket(AF_INET6, SOCK_DGRAM, 0);

	(void)arg;
	to.sin6_scope_id = if_nametoindex("va");
	if (inet_pton(AF_INET6, "ff02::7777", &to.sin6_addr) != 1)
		_exit(1);
	for (int i = 0; i < 3; i++)
		if (sendto(fd, "group", 5, 0, (struct sockaddr *)&to, sizeof(to)) < 0)
			_exit(1);
}

static uint64_t in_mc_input(const json_t *records, const struct netns *ns, const char *kind)
{
	uint64_t n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (record_u64(r, "netns") == ns->inode &&
		    !strcmp(record_str(r, "location"), "ip6_mc_input") &&
		    !strcmp(record_str(r, "kind"), kind) && record_u64(r, "lport") == OPEN)
			n += record_u64(r, "packets");
	return n;
}

TEST(multicast_for_groups_nobody_here_joined_is_for_others)
{
	struct netns ns = netns_new();
	struct probe plain, all;

	if (netns_run(&ns, "ip link add va type veth peer name vb && "
			   "ip link set va addrgenmode none && ip link set vb addrgenmode none && "
			   "ip link set va up && ip link set vb up && "
			   "ip -6 addr add fe80::1/64 dev va nodad"))
		test_skip("no pair of veth can be made here");
	plain = start_drops(NULL, NULL, NULL);
	all = start_drops("--all", NULL, NULL);
	finish(start_in(&ns, send_to_a_group_nobody_joined, NULL));
	probe_stop(&plain);
	probe_stop(&all);
	CHECK_EQ(in_mc_input(plain.records, &ns, "loss") +
			 in_mc_input(plain.records, &ns, "others"),
		 0, "datagrams for the group, told without --all");
	CHECK_EQ(in_mc_input(all.records, &ns, "others"), 3, "... told with --all");
}

static uint64_t row_of(const json_t *records, const char *source, const char *kind)
{
	uint64_t n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "seen_as"), source) &&
		    (!kind || !strcmp(record_str(r, "kind"), kind)))
			n += record_u64(r, "packets");
	return n;
}

TEST(a_summary_sums_up_by_kind)
{
	struct netns ns = netns_new();
	struct dgrams lost = { AF_INET, 30, 10, CLOSED, false };
	struct dgrams refused = { AF_INET, 7, 10, OPEN, true };
	const char *args[] = { "drops", "--summary", "--format", "json", NULL };
	struct probe p;

	drop_output(&ns, "udp dport 7000");
	need_tracepoint();
	p = probe_start_args(args);
	finish(start_in(&ns, send_dgrams, &lost));
	finish(start_in(&ns, send_dgrams, &refused));
	probe_stop(&p);
	CHECK(row_of(p.records, "packet", "loss") >= 30, "losses: expected 30 at least");
	CHECK(row_of(p.records, "packet", "policy") >= 7, "refused by a rule: expected 7 at least");
	CHECK_EQ(row_of(p.records, "sum", "loss"), row_of(p.records, "packet", "loss"),
		 "sum of losses");
	CHECK_EQ(row_of(p.records, "sum", "policy"), row_of(p.records, "packet", "policy"),
		 "sum of what rules refused");
	CHECK_EQ(row_of(p.records, "total", NULL), row_of(p.records, "packet", NULL), "total");
}

static void connect_and_send(void *arg)
{
	struct sockaddr_storage to;
	socklen_t len = loopback(AF_INET, OPEN, &to);

	(void)arg;
	for (int i = 0; i < 20; i++) {
		int fd = socket(AF_INET, SOCK_DGRAM, 0); /* left open: each has a port of its own */

		if (i % 2 && connect(fd, (struct sockaddr *)&to, len) < 0)
			_exit(1);
		(void)sendto(fd, "x", 1, 0, i % 2 ? NULL : (struct sockaddr *)&to, i % 2 ? 0 : len);
	}
}

TEST(ports_that_the_kernel_picked_make_no_rows_of_their_own)
{
	struct netns ns = netns_new();
	uint64_t packets = 0;
	const json_t *r;
	struct probe p;
	int rows = 0;
	pid_t pid;
	size_t i;

	drop_output(&ns, "udp dport 7000");
	p = start_drops("--summary", NULL, NULL);
	pid = start_in(&ns, connect_and_send, NULL);
	finish(pid);
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (record_u64(r, "pid") != (uint64_t)pid)
			continue;
		rows++;
		packets += record_u64(r, "packets");
		CHECK(json_is_null(json_object_get(r, "lport")), "lport: expected null");
	}
	CHECK_EQ(rows, 1, "rows of a process with 20 ports");
	CHECK_EQ(packets, 20, "packets in them");
}
