/* SPDX-License-Identifier: BSD-2-Clause */
/* Retransmits that were not needed, those that were, and loss probes. */
#include <stdio.h>
#include <string.h>

#include "ownership.h"
#include "tap.h"

#define HEALTH "events", "--format", "json", "--interval", "0.2"

/* That field of the process's retransmits; with a cause: of those alone. */
static uint64_t sum_of(const json_t *records, pid_t pid, const char *cause, const char *field)
{
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strncmp(record_str(r, "value"), "RETRANSMIT:", 11) &&
		    record_u64(r, "pid") == (uint64_t)pid &&
		    (!cause || !strcmp(record_str(r, "cause"), cause)))
			sum += record_u64(r, field);
	return sum;
}

static uint64_t spurious(const json_t *records, pid_t pid)
{
	return sum_of(records, pid, NULL, "spurious");
}

static void stop_when_quiet(struct probe *p, const struct netns_pair *n)
{
	netns_wait_quiet(&n->a);
	netns_wait_quiet(&n->b);
	probe_stop(p);
}

/* A stream of so many bytes more of which only those ACKs get lost, until the sender's kernel counted one of these. */
struct lost_acks {
	struct netns_pair n;
	json_t *records;
	pid_t pid;
};

static struct lost_acks lose_acks(unsigned int bytes, const char *acks, const char *until)
{
	char command[300];
	struct lost_acks l = { .n = netns_pair_new() };
	struct probe p = probe_start(HEALTH, NULL);
	struct maker m;

	snprintf(command, sizeof(command),
		 "stream --port 5001 --bytes %u --first 100000 --hold connected "
		 "--addr 10.77.0.2 --client-ns %s --server-ns %s",
		 bytes, l.n.a.path, l.n.b.path);
	m = maker_start(NULL, -1, command);
	maker_wait_hold(&m);
	netns_drop(&l.n.a, acks, 100);
	maker_go(&m);
	netns_wait_counter(&l.n.a, "TcpExt", until, 1);
	netns_drop_end(&l.n.a);
	maker_finish(&m);
	stop_when_quiet(&p, &l.n);
	l.records = p.records;
	l.pid = (pid_t)record_u64(maker_report(&m, "client"), "pid");
	return l;
}

/* How often the kernel found retransmits needless, and by what. */
static uint64_t undone(const struct netns *ns, char *how, size_t size)
{
	static const char *const by[] = { "TCPLossUndo", "TCPFullUndo", "TCPDSACKUndo",
					  "TCPPartialUndo" };
	uint64_t sum = 0, n;
	size_t len = 0;

	how[0] = 0;
	for (size_t i = 0; i < sizeof(by) / sizeof(by[0]); i++) {
		n = netns_counter(ns, "TcpExt", by[i]);
		sum += n;
		if (n && len < size)
			len += (size_t)snprintf(how + len, size - len, " %s %" PRIu64, by[i], n);
	}
	return sum;
}

TEST(retransmits_whose_segments_had_arrived_are_spurious)
{
	struct lost_acks l;
	char how[128];

	/* While others attach their programs the kernel calls none at times (6.18): a cause of null tells so. */
	for (int i = 0; i < 5; i++) {
		l = lose_acks(100000, "tcp sport 5001", "TCPTimeouts");
		if (!undone(&l.n.a, how, sizeof(how)))
			test_skip("the kernel did not find its retransmits needless this time");
		if (spurious(l.records, l.pid) || !sum_of(l.records, l.pid, "", "segments"))
			break;
	}
	CHECK(spurious(l.records, l.pid) > 0,
	      "expected spurious segments, got none; the kernel took back%s", how);
}

/*
 * Nothing of it changes the congestion state, so no hook tells. All is under way: the probe has nothing new to send.
 * The ACK that answers it has a D-SACK, and is longer than those that got lost.
 */
TEST(a_loss_probe_whose_segment_had_arrived_is_spurious)
{
	struct lost_acks l = lose_acks(5000, "tcp sport 5001 tcp doff 8", "TCPDSACKRecvSegs");
	uint64_t twice = netns_counter(&l.n.a, "TcpExt", "TCPDSACKRecvSegs");
	char how[128];

	if (undone(&l.n.a, how, sizeof(how)))
		CHECK(spurious(l.records, l.pid) >= twice,
		      "spurious segments: expected %" PRIu64 " at least, got %" PRIu64, twice,
		      spurious(l.records, l.pid));
	else
		CHECK_EQ(spurious(l.records, l.pid), twice,
			 "spurious segments, by the kernel's count of D-SACKs");
}

static bool all_came(void *arg)
{
	return !netns_unacked(arg);
}

/*
 * What the peer had twice before the probe began is not counted, and the kernel counts from 0 again where the connection is
 * given up: that is no retransmit in vain.
 */
TEST(retransmits_of_what_is_disconnected_are_not_spurious)
{
	struct netns_pair n = netns_pair_new();
	uint64_t twice, sent;
	char command[300];
	struct maker m;
	struct probe p;

	netns_drop(&n.a, "tcp sport 5001 tcp doff 8", 100);
	snprintf(command, sizeof(command),
		 "fail disconnect --port 5001 --first 5000 --bytes 10000 --hold connected "
		 "--addr 10.77.0.2 --client-ns %s --server-ns %s",
		 n.a.path, n.b.path);
	m = maker_start(NULL, -1, command);
	maker_wait_hold(&m);
	netns_wait_counter(&n.a, "TcpExt", "TCPDSACKRecvSegs", 1);
	netns_drop_end(&n.a);
	REQUIRE(wait_until(all_came, &n.a, 20000), "expected all to be acknowledged");
	twice = netns_counter(&n.a, "TcpExt", "TCPDSACKRecvSegs");
	sent = netns_counter(&n.a, "Tcp", "RetransSegs");
	p = probe_start(HEALTH, NULL);
	netns_drop(&n.b, "tcp dport 5001", 100);
	maker_go(&m);
	netns_wait_counter(&n.a, "Tcp", "RetransSegs", sent + 1);
	netns_drop_end(&n.b);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
	CHECK(sum_of(p.records, (pid_t)record_u64(maker_report(&m, "client"), "pid"), NULL,
		     "segments") > 0,
	      "expected retransmits, got none");
	CHECK_EQ(spurious(p.records, (pid_t)record_u64(maker_report(&m, "client"), "pid")),
		 netns_counter(&n.a, "TcpExt", "TCPDSACKRecvSegs") - twice, "spurious segments");
}

/* A router tells of a narrow link behind it: what it threw away goes out again, and nothing is taken back. */
TEST(retransmits_that_a_narrow_link_asked_for_are_not_spurious)
{
	struct netns_pair n = netns_pair_new();
	struct netns far = netns_new();
	char command[500], how[128];
	struct probe p;
	struct maker m;

	snprintf(command, sizeof(command),
		 "ip link add narrow type veth peer name far netns %d && "
		 "ip addr add 10.79.0.1/24 dev narrow && ip link set narrow up mtu 1000 && "
		 "echo 1 >/proc/sys/net/ipv4/ip_forward",
		 (int)far.holder);
	netns_must(&n.b, command);
	netns_must(&far, "ip addr add 10.79.0.2/24 dev far && ip link set far up && "
			 "ip route add default via 10.79.0.1");
	netns_must(&n.a, "ip route add 10.79.0.0/24 via 10.77.0.2");
	p = probe_start(HEALTH, NULL);
	snprintf(command, sizeof(command),
		 "stream --bytes 1m --addr 10.79.0.2 --client-ns %s --server-ns %s", n.a.path,
		 far.path);
	m = maker_run(NULL, command);
	stop_when_quiet(&p, &n);
	REQUIRE(netns_counter(&n.a, "Tcp", "RetransSegs") > 0, "expected retransmits, got none");
	if (undone(&n.a, how, sizeof(how)))
		test_skip("the kernel took some back by itself");
	CHECK_EQ(spurious(p.records, (pid_t)record_u64(maker_report(&m, "client"), "pid")),
		 netns_counter(&n.a, "TcpExt", "TCPDSACKRecvSegs"), "spurious segments");
}

struct open_one {
	const struct probe *p;
	const struct netns *ns;
};

/* Are the segments told all that the kernel sent again? */
static bool is_told(void *arg)
{
	const struct open_one *o = arg;
	json_t *records = probe_records(o->p);
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strncmp(record_str(r, "value"), "RETRANSMIT:", 11) && record_u64(r, "pid") &&
		    record_u64(r, "netns") == o->ns->inode)
			sum += record_u64(r, "segments");
	json_decref(records);
	return sum == netns_counter(o->ns, "Tcp", "RetransSegs");
}

/* Hooks at functions see retransmits at one that loss probes pass by. */
TEST(a_loss_probe_is_told_while_its_connection_is_open)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(HEALTH, NULL);
	struct open_one o = { &p, &n.a };
	char command[300];
	struct maker m;

	netns_drop(&n.a, "tcp sport 5001 tcp doff 8", 100);
	snprintf(command, sizeof(command),
		 "stream --port 5001 --bytes 5000 --hold sent --addr 10.77.0.2 --client-ns %s "
		 "--server-ns %s",
		 n.a.path, n.b.path);
	m = maker_start(NULL, -1, command);
	maker_wait_hold(&m);
	netns_wait_counter(&n.a, "TcpExt", "TCPLossProbes", 1);
	netns_wait_counter(&n.a, "Tcp", "RetransSegs", 1);
	CHECK(wait_until(is_told, &o, 20000),
	      "expected the kernel's %" PRIu64 " retransmits to be told, they were not",
	      netns_counter(&n.a, "Tcp", "RetransSegs"));
	netns_drop_end(&n.a);
	maker_go(&m);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
}
