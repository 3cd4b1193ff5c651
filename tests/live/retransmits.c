/* SPDX-License-Identifier: BSD-2-Clause */
/* Segments sent again: whose they are, and that their sum is the kernel's own. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "loss.h"
#include "ownership.h"
#include "tap.h"

static bool is_retransmit(const json_t *r)
{
	return !strcmp(record_str(r, "event_type"), "error.net") &&
	       !strncmp(record_str(r, "value"), "RETRANSMIT:", 11);
}

/* Namespaces of the tests have interfaces of their own names. */
static bool is_at(const json_t *r, const struct netns *ns, const char *iface)
{
	CHECK(record_u64(r, "netns") != ns->inode || *record_str(r, "entity_id"),
	      "segments of cause %s: expected an interface, got none", record_str(r, "cause"));
	return !strcmp(record_str(r, "entity_id"), iface);
}

/* Segments of those with that pid (0: null) at that interface; cause NULL: any. */
static uint64_t segments(const json_t *records, const struct netns *ns, const char *iface,
			 pid_t pid, const char *cause)
{
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		char value[40];

		if (!is_retransmit(r) || !is_at(r, ns, iface) ||
		    record_u64(r, "pid") != (uint64_t)pid ||
		    (cause && strcmp(record_str(r, "cause"), cause)))
			continue;
		sum += record_u64(r, "segments");
		snprintf(value, sizeof(value), "RETRANSMIT:%" PRIu64, record_u64(r, "segments"));
		CHECK(!strcmp(record_str(r, "value"), value), "value: expected %s, got %s", value,
		      record_str(r, "value"));
		CHECK(record_num(r, "num") == (double)record_u64(r, "segments"),
		      "num: expected as many as segments, got %f", record_num(r, "num"));
	}
	return sum;
}

/* No record at that interface names anybody but pid (or nobody: the sum). */
static void check_nobody_else(const json_t *records, const struct netns *ns, const char *iface,
			      pid_t pid)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		const json_t *match = json_object_get(r, "owner_match");

		if (!is_retransmit(r) || !is_at(r, ns, iface))
			continue;
		CHECK(!record_u64(r, "pid") || record_u64(r, "pid") == (uint64_t)pid,
		      "retransmit at %s: expected owner %d, got %" PRIu64, iface, pid,
		      record_u64(r, "pid"));
		CHECK(record_u64(r, "pid") || json_is_null(match),
		      "retransmit at %s without an owner: expected a sum (owner_match null), got %s",
		      iface, record_str(r, "owner_match"));
	}
}

static void wait_retransmit(const struct netns *ns)
{
	netns_wait_counter(ns, "Tcp", "RetransSegs", 1);
}

/* The last FIN may have to be sent again after its process has gone. */
static void stop_when_quiet(struct probe *p, const struct netns_pair *n)
{
	netns_wait_quiet(&n->a);
	netns_wait_quiet(&n->b);
	probe_stop(p);
}

static char *between(const struct netns_pair *n, const char *command)
{
	static char full[400];

	snprintf(full, sizeof(full), "%s --addr 10.77.0.2 --client-ns %s --server-ns %s", command,
		 n->a.path, n->b.path);
	return full;
}

static void check_sums(const struct probe *p, const char *iface, const struct netns *ns, pid_t pid)
{
	uint64_t kernel = netns_counter(ns, "Tcp", "RetransSegs");

	CHECK_EQ(segments(p->records, ns, iface, pid, NULL), kernel, "segments with their owner");
	CHECK_EQ(segments(p->records, ns, iface, 0, NULL), kernel,
		 "segments in the interface's sums");
	check_nobody_else(p->records, ns, iface, pid);
}

TEST(retransmits_under_loss_have_true_owner_and_equal_kernel_count)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	pid_t client, server;
	struct maker m;

	netns_drop(&n.b, "", 3);
	m = maker_run(NULL, between(&n, test_slow() > 1 ? "stream --bytes 3m"
							: "stream --bytes 100m --chunk 65536"));
	stop_when_quiet(&p, &n);
	client = (pid_t)record_u64(maker_report(&m, "client"), "pid");
	server = (pid_t)record_u64(maker_report(&m, "server"), "pid");
	CHECK(netns_counter(&n.a, "Tcp", "RetransSegs") > 0, "expected loss to cause retransmits");
	check_sums(&p, n.if_a, &n.a, client);
	check_sums(&p, n.if_b, &n.b, server);
	check_owners(p.records, "transport.bw", m.reports, &n.a);
}

TEST(retransmits_of_many_connections_have_their_owners)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m[4];
	uint64_t owned = 0;

	netns_drop(&n.b, "", 3);
	for (unsigned int i = 0; i < 4; i++)
		m[i] = maker_start(NULL, -1, between(&n, "stream --bytes 3m"));
	for (unsigned int i = 0; i < 4; i++)
		maker_finish(&m[i]);
	stop_when_quiet(&p, &n);
	for (unsigned int i = 0; i < 4; i++)
		owned += segments(p.records, &n.a, n.if_a,
				  (pid_t)record_u64(maker_report(&m[i], "client"), "pid"), NULL);
	CHECK_EQ(owned, netns_counter(&n.a, "Tcp", "RetransSegs"), "segments of the four clients");
}

/* What troubled sockets need has a place for one of them: causes of others are not known, no segment is lost. */
TEST(retransmits_that_find_no_room_have_their_owners_and_no_cause)
{
	uint64_t owned = 0, unknown = 0;
	struct netns_pair n;
	struct maker m[4];
	struct probe p;

	if (!has_kprobes())
		test_skip("no kprobes on this kernel");
	n = netns_pair_new();
	p = probe_start(EVENTS, "--hook", "kprobe", "--fail-at", "rare", NULL);
	netns_drop(&n.b, "", 3);
	for (unsigned int i = 0; i < 4; i++)
		m[i] = maker_start(NULL, -1, between(&n, "stream --bytes 3m"));
	for (unsigned int i = 0; i < 4; i++)
		maker_finish(&m[i]);
	stop_when_quiet(&p, &n);
	for (unsigned int i = 0; i < 4; i++) {
		pid_t pid = (pid_t)record_u64(maker_report(&m[i], "client"), "pid");

		owned += segments(p.records, &n.a, n.if_a, pid, NULL);
		unknown += segments(p.records, &n.a, n.if_a, pid, "");
	}
	CHECK_EQ(owned, netns_counter(&n.a, "Tcp", "RetransSegs"), "segments of the four clients");
	CHECK(unknown > 0, "expected segments whose cause is not known");
	CHECK(loss_sum(p.records, "map_full") > 0, "map_full in probe.loss: expected some");
}

TEST(flows_tell_retransmits_of_a_connection)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(FLOWS, NULL);
	struct maker m;

	netns_drop(&n.b, "", 3);
	m = maker_run(NULL, between(&n, "stream --bytes 5m"));
	stop_when_quiet(&p, &n);
	CHECK_EQ(records_sum(p.records, NULL, "retransmits",
			     (pid_t)record_u64(maker_report(&m, "client"), "pid")),
		 netns_counter(&n.a, "Tcp", "RetransSegs"), "retransmits of the client's flow");
}

TEST(syn_retransmits_belong_to_connector)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m;

	netns_drop(&n.b, "tcp dport 5001", 100);
	m = maker_start(NULL, -1, between(&n, "stream --port 5001 --bytes 1000"));
	wait_retransmit(&n.a);
	netns_drop_end(&n.b);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
	check_sums(&p, n.if_a, &n.a, (pid_t)record_u64(maker_report(&m, "client"), "pid"));
}

TEST(synack_retransmits_belong_to_listener)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m;
	pid_t server;

	netns_drop(&n.a, "tcp sport 5001", 100);
	m = maker_start(NULL, -1, between(&n, "stream --port 5001 --bytes 1000"));
	wait_retransmit(&n.b);
	netns_drop_end(&n.a);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
	server = (pid_t)record_u64(maker_report(&m, "server"), "pid");
	check_sums(&p, n.if_b, &n.b, server);
	CHECK_EQ(segments(p.records, &n.b, n.if_b, server, "synack"),
		 netns_counter(&n.b, "Tcp", "RetransSegs"), "segments with cause synack");
	check_sums(&p, n.if_a, &n.a, (pid_t)record_u64(maker_report(&m, "client"), "pid"));
}

struct told {
	const char *key, *is, *column;
	uint64_t segments;
};

static bool tells(const json_t *r, const void *arg)
{
	const struct told *t = arg;

	return !strcmp(record_str(r, t->key), t->is) && record_u64(r, t->column) == t->segments;
}

/* Some row with that name comes to have so many in that column; this many are all there are. */
static void check_told(struct probe *p, const char *view, struct told t)
{
	json_t *r = probe_wait_record(p, tells, &t, 5000);

	CHECK(r, "top by %s: expected %s %" PRIu64 " of %s, got no such row", view, t.column,
	      t.segments, t.is);
	json_decref(r);
}

TEST(top_and_flows_count_causes_by_process_connection_container_and_interface)
{
	static const char *const views[] = { "process", "connection", "container", "interface" };
	struct netns_pair n = netns_pair_new();
	struct probe p[4], flows = probe_start(FLOWS, NULL);
	char port[8], command[100];
	uint64_t synack, timeout;
	struct maker m;

	/* its own: all that is in no container is one row, whoever else tests here */
	snprintf(port, sizeof(port), "%d", 10000 + getpid() % 20000);
	for (unsigned int i = 0; i < 4; i++)
		p[i] = probe_start("top", "--health", "--idle", "--format", "json", "--interval",
				   "0.2", "--duration", "3600", "--by", views[i], "--port", port,
				   NULL);
	snprintf(command, sizeof(command), "tcp sport %s", port);
	netns_drop(&n.a, command, 100);
	snprintf(command, sizeof(command), "stream --port %s --bytes 1000", port);
	m = maker_start(NULL, -1, between(&n, command));
	wait_retransmit(&n.b);
	netns_drop_end(&n.a);
	maker_finish(&m);
	stop_when_quiet(&flows, &n);
	synack = netns_counter(&n.b, "Tcp", "RetransSegs");
	timeout = netns_counter(&n.a, "Tcp", "RetransSegs");
	check_told(&p[0], views[0],
		   (struct told){ "comm", "server", "retransmits_synack", synack });
	check_told(&p[1], views[1],
		   (struct told){ "comm", "server", "retransmits_synack", synack });
	check_told(&p[2], views[2], (struct told){ "group", "host", "retransmits_synack", synack });
	check_told(&p[3], views[3], (struct told){ "group", n.if_b, "retransmits_synack", synack });
	check_told(&p[3], views[3],
		   (struct told){ "group", n.if_a, "retransmits_timeout", timeout });
	for (unsigned int i = 0; i < 4; i++)
		probe_stop(&p[i]);
	CHECK_EQ(records_sum(flows.records, NULL, "retransmits_synack",
			     (pid_t)record_u64(maker_report(&m, "server"), "pid")),
		 synack, "SYN-ACKs of the server's flows");
	CHECK_EQ(records_sum(flows.records, NULL, "retransmits_timeout",
			     (pid_t)record_u64(maker_report(&m, "client"), "pid")),
		 timeout, "timeouts of the client's flows");
}

TEST(unanswered_syns_of_a_process_that_gave_up_are_still_its)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m;

	netns_drop(&n.b, "tcp dport 5001", 100);
	m = maker_run(&n.a, "fail connect --addr 10.77.0.2 --port 5001 --syncnt 2");
	stop_when_quiet(&p, &n);
	check_sums(&p, n.if_a, &n.a, (pid_t)record_u64(maker_report(&m, "client"), "pid"));
}

TEST(retransmits_of_an_exited_process_are_still_its)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m =
		maker_start(NULL, -1, between(&n, "fail abandon --port 5001 --hold connected"));

	maker_wait_hold(&m);
	netns_drop(&n.b, "tcp dport 5001", 100);
	maker_go(&m);
	wait_retransmit(&n.a);
	netns_drop_end(&n.b);
	maker_finish(&m);
	stop_when_quiet(&p, &n);
	check_sums(&p, n.if_a, &n.a, (pid_t)record_u64(maker_report(&m, "client"), "pid"));
}
