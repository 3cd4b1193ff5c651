/* SPDX-License-Identifier: BSD-2-Clause */
/* DNS: transactions against what the maker and its server know of them, and the names they give. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fields.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "rung.h"
#include "tap.h"

#define ARGS "--dns-port", "5300", "--dns-timeout", "2"

static struct probe start(const char *a, const char *b)
{
	return probe_start("dns", "--format", "json", ARGS, a, b, NULL);
}

static bool is_query(const json_t *r, const struct netns *ns)
{
	return !strcmp(record_str(r, "event_type"), "dns.query") &&
	       record_u64(r, "netns") == ns->inode;
}

static bool has_prefix(const json_t *r, const char *prefix)
{
	return !strncmp(record_str(r, "qname"), prefix, strlen(prefix));
}

struct sums {
	uint64_t all, owned, answered, nx, timeouts, retries;
};

static struct sums sum(const json_t *records, const struct netns *ns, uint64_t pid)
{
	struct sums s = {};
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		if (!is_query(r, ns))
			continue;
		s.all++;
		s.owned += record_u64(r, "pid") == pid &&
			   !strcmp(record_str(r, "owner_match"), "exact");
		s.answered += json_is_string(json_object_get(r, "rcode"));
		s.nx += !strcmp(record_str(r, "rcode"), "NXDOMAIN");
		s.timeouts += json_is_true(json_object_get(r, "timeout"));
		s.retries += record_u64(r, "retries");
	}
	return s;
}

struct wanted {
	const struct netns *ns;
	const char *name;
};

static bool is_wanted(const json_t *r, const void *arg)
{
	const struct wanted *w = arg;

	return is_query(r, w->ns) && !strcmp(record_str(r, "qname"), w->name);
}

/* Messages that were not seen are no reason why numbers agree. */
static void check_no_loss(const json_t *records)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "entity_id"), "dns"))
			CHECK_EQ(record_u64(r, "ring_full") + record_u64(r, "map_full"), 0,
				 "messages lost");
}

/* Run a maker beside `dns`, until its last name was told of. */
static struct maker ask(struct probe *p, const struct netns *ns, const char *command,
			const char *last)
{
	struct wanted w = { ns, last };
	struct maker m = maker_run(ns, command);
	json_t *r = probe_wait_record(p, is_wanted, &w, 10000);

	CHECK(r, "a transaction about %s: expected one, got none", last);
	json_decref(r);
	probe_stop(p);
	check_no_loss(p->records);
	return m;
}

static const json_t *query_of(const json_t *records, const struct netns *ns, const char *name)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (is_query(r, ns) && !strcmp(record_str(r, "qname"), name))
			return r;
	REQUIRE(false, "a transaction about %s: expected one, got none", name);
	return NULL;
}

static const char *first_answer(const json_t *r)
{
	const char *s = json_string_value(json_array_get(json_object_get(r, "answers"), 0));

	return s ? s : "";
}

TEST(every_transaction_is_told_with_owner_answer_and_failure)
{
	struct netns ns = netns_new();
	struct probe p = start(NULL, NULL);
	struct maker m = ask(&p, &ns,
			     "dns ask --ok 20 --nx 5 --drop 2 --once 3 --slow 2 --delay 60",
			     "drop1.example.net");
	const json_t *client = maker_report(&m, "client");
	struct sums s = sum(p.records, &ns, report_u64(client, "pid"));
	const json_t *r;
	size_t i;

	CHECK_EQ(s.all, 32, "transactions");
	CHECK_EQ(s.owned, 32, "transactions of their owner");
	CHECK_EQ(s.answered, report_u64(client, "rx_pkts"), "answers, against the maker's");
	CHECK_EQ(s.all + s.retries, report_u64(client, "tx_pkts"), "queries, against the maker's");
	CHECK_EQ(s.nx, 5, "names that do not exist");
	CHECK_EQ(s.timeouts, 2, "timeouts");
	json_array_foreach (p.records, i, r) {
		if (!is_query(r, &ns))
			continue;
		if (has_prefix(r, "slow"))
			CHECK(record_num(r, "latency_ms") >= 60,
			      "latency of a slow answer: expected at least 60 ms, got %.1f",
			      record_num(r, "latency_ms"));
		if (has_prefix(r, "once"))
			CHECK_EQ(record_u64(r, "retries"), 1, "retries of what was dropped once");
		if (has_prefix(r, "drop"))
			CHECK_EQ(record_u64(r, "retries"), 2, "retries of what was dropped");
	}
	r = query_of(p.records, &ns, "ok0.example.net");
	CHECK(!strcmp(record_str(r, "entity_id"), "127.0.0.1"), "server: got %s",
	      record_str(r, "entity_id"));
	CHECK(!strcmp(record_str(r, "value"), "ok0.example.net"), "value: got %s",
	      record_str(r, "value"));
	CHECK(!strcmp(record_str(r, "qtype"), "A"), "type: got %s", record_str(r, "qtype"));
	CHECK(!strcmp(first_answer(r), "192.0.2.1"), "answer: got %s", first_answer(r));
	CHECK(!strcmp(record_str(r, "comm"), "client"), "comm: got %s", record_str(r, "comm"));
	CHECK_EQ(record_u64(r, "rport"), 5300, "port of the server");
}

TEST(transactions_are_chosen_by_an_expression)
{
	struct netns ns = netns_new();
	struct probe p = start("--match", "rcode=NXDOMAIN or answers:192.0.2 and not qname:ok1");
	struct maker m = ask(&p, &ns, "dns ask --ok 3 --nx 2 --drop 1", "nx1.example.net");
	struct sums s = sum(p.records, &ns, report_u64(maker_report(&m, "client"), "pid"));

	CHECK_EQ(s.all, 4, "transactions that match");
	CHECK_EQ(s.nx, 2, "of names that do not exist");
	CHECK_EQ(s.timeouts, 0, "without an answer");
}

static void check_plain(const char *options, const char *server)
{
	struct netns ns = netns_new();
	struct probe p = start(NULL, NULL);
	char command[200];
	struct maker m;
	const json_t *client, *r;
	struct sums s;

	snprintf(command, sizeof(command), "dns ask %s --ok 5 --nx 2", options);
	m = ask(&p, &ns, command, "nx1.example.net");
	client = maker_report(&m, "client");
	s = sum(p.records, &ns, report_u64(client, "pid"));
	CHECK_EQ(s.all, 7, "transactions");
	CHECK_EQ(s.owned, 7, "transactions of their owner");
	CHECK_EQ(s.answered, report_u64(client, "rx_pkts"), "answers, against the maker's");
	CHECK_EQ(s.retries, 0, "retries");
	CHECK_EQ(s.nx, 2, "names that do not exist");
	r = query_of(p.records, &ns, "ok4.example.net");
	CHECK(!strcmp(first_answer(r), "192.0.2.1"), "answer: got %s", first_answer(r));
	CHECK(!strcmp(record_str(r, "entity_id"), server), "server: got %s",
	      record_str(r, "entity_id"));
	CHECK(!strcmp(record_str(r, "transport"), strstr(options, "tcp") ? "tcp" : "udp"),
	      "transport: got %s", record_str(r, "transport"));
}

TEST(transactions_over_tcp_are_put_together)
{
	check_plain("--tcp", "127.0.0.1");
}

TEST(transactions_over_ipv6_are_seen)
{
	check_plain("--addr ::1", "::1");
}

TEST(queries_of_unconnected_sockets_are_seen)
{
	check_plain("--bound", "127.0.0.1");
}

TEST(query_belongs_to_the_child_that_sent_it)
{
	struct netns ns = netns_new();
	struct probe p = start(NULL, NULL);
	struct maker m = ask(&p, &ns, "dns ask --forked --ok 4", "ok3.example.net");
	uint64_t parent = report_u64(maker_report(&m, "client"), "pid");
	const json_t *r;
	size_t i, n = 0;

	json_array_foreach (p.records, i, r) {
		if (!is_query(r, &ns))
			continue;
		n++;
		CHECK(record_u64(r, "pid") != parent, "owner: got the parent");
		CHECK(!strcmp(record_str(r, "comm"), "child"), "owner: expected child, got %s",
		      record_str(r, "comm"));
	}
	CHECK_EQ(n, 4, "transactions");
}

TEST(filters_choose_whose_transactions_are_told)
{
	struct netns ns = netns_new();
	struct probe p = start("--comm", "client"), q = start("--comm", "nobody");
	struct wanted w = { &ns, "ok2.example.net" };
	json_t *r;

	maker_run(&ns, "dns ask --ok 3");
	r = probe_wait_record(&p, is_wanted, &w, 10000);
	CHECK(r, "a transaction of the client: expected one, got none");
	json_decref(r);
	probe_stop(&p);
	probe_stop(&q);
	CHECK_EQ(sum(p.records, &ns, 0).all, 3, "transactions of client");
	CHECK_EQ(sum(q.records, &ns, 0).all, 0, "transactions of nobody");
}

/* A transaction in CSV has a part of what its event has, under the same names; a summary what the table says. */
TEST(columns_of_dns_are_fields_of_its_events)
{
	const struct record_type *t = record_type_find("dns.query");
	char why[256] = "", *text, *save = NULL;
	struct netns ns = netns_new();
	struct probe p = probe_start("dns", "--dns-port", "5300", "--format", "csv", NULL),
		     q = probe_start("dns", "--dns-port", "5300", "--summary", "--format", "json",
				     NULL);
	const json_t *r;
	size_t i;

	maker_run(&ns, "dns ask --ok 3");
	CHECK(!probe_signal(&p, SIGTERM), "dns --format csv: exit %d", p.status);
	probe_stop(&q);
	text = file_text(p.out);
	text[strcspn(text, "\r\n")] = '\0';
	CHECK(!strncmp(text, "schema,ts,host,mode,", 20), "heading: %s", text);
	for (char *name = strtok_r(text, ",", &save); name; name = strtok_r(NULL, ",", &save))
		CHECK(record_field_find(t, name), "dns.query has no field %s", name);
	free(text);
	CHECK(json_array_size(q.records) > 3, "expected rows of a summary");
	json_array_foreach (q.records, i, r)
		CHECK(fields_hold(r, record_type_find("dns summary"), why, sizeof(why)),
		      "row %zu of the summary: %s", i, why);
	CHECK(!strcmp(record_str(json_array_get(q.records, json_array_size(q.records) - 1), "list"),
		      "total"),
	      "expected the total last");
}

TEST(columns_are_named_where_nothing_was_asked)
{
	static const char *const args[] = { "dns",	     "--format",   "csv", "--comm",
					    "nobody-at-all", "--duration", "0.2", NULL };
	struct probe p = { 0 };
	char *text;

	REQUIRE(probe_run(&p, args) == 0, "dns --format csv failed");
	text = file_text(p.out);
	CHECK(!strncmp(text, "schema,ts,host,mode,", 20), "heading: %s", text);
	free(text);
}

TEST(summary_adds_up_names_and_processes)
{
	char port[8], command[128];
	struct netns ns = netns_new();
	const char *const args[] = { "dns", "--summary",     "--format", "json",   "--dns-port",
				     port,  "--dns-timeout", "2",	 "--comm", "client",
				     NULL };
	const json_t *r, *asked = NULL, *slowest = NULL, *failing = NULL;
	uint64_t pid[2], processes = 0;
	struct probe p;
	size_t i;

	/* names of other tests are the same */
	snprintf(port, sizeof(port), "%d", 20000 + getpid() % 20000);
	snprintf(command, sizeof(command),
		 "dns ask --port %s --ok 3 --nx 2 --slow 1 --delay 80 --drop 1", port);
	p = probe_start_args(args);
	for (i = 0; i < 2; i++) {
		struct maker m = maker_run(&ns, command);

		pid[i] = report_u64(maker_report(&m, "client"), "pid");
	}
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		const char *list = record_str(r, "list");

		if (!strcmp(list, "process") &&
		    (record_u64(r, "pid") == pid[0] || record_u64(r, "pid") == pid[1])) {
			processes++;
			CHECK_EQ(record_u64(r, "queries"), 6,
				 "of a process: transactions that are over");
			CHECK_EQ(record_u64(r, "failed"), 2, "of a process: failed");
		}
		if (!strcmp(list, "asked") && !strcmp(record_str(r, "qname"), "ok1.example.net"))
			asked = r;
		if (!slowest && !strcmp(list, "slowest"))
			slowest = r;
		if (!failing && !strcmp(list, "failing"))
			failing = r;
	}
	CHECK_EQ(processes, 2, "processes");
	REQUIRE(asked && slowest && failing, "a row of each list: expected one, got none");
	CHECK_EQ(record_u64(asked, "queries"), 2, "a name both asked for");
	CHECK(json_is_null(json_object_get(asked, "pid")), "a name both asked for has one pid");
	CHECK(!strcmp(record_str(asked, "comm"), "client"), "what both have in common: got %s",
	      record_str(asked, "comm"));
	CHECK(!strcmp(record_str(slowest, "qname"), "slow0.example.net"), "slowest: got %s",
	      record_str(slowest, "qname"));
	CHECK(has_prefix(failing, "nx"), "failing: got %s", record_str(failing, "qname"));
	CHECK_EQ(record_u64(failing, "failed"), 2, "failures of both");
}

static bool is_client(const json_t *r, const struct netns *ns, const char *type)
{
	return !strcmp(record_str(r, "event_type"), type) && record_u64(r, "netns") == ns->inode &&
	       record_u64(r, "rport") == 7000;
}

static bool is_open(const json_t *r, const void *arg)
{
	return is_client(r, arg, "conn.open");
}

TEST(connections_carry_the_name_that_was_asked_for)
{
	struct netns ns = netns_new();
	struct probe p, f;
	struct maker m;
	json_t *r;
	size_t i, n = 0;
	const json_t *one;

	netns_must(&ns, "ip addr add 192.0.2.1/32 dev lo");
	p = probe_start("events", "--format", "json", ARGS, NULL);
	f = probe_start("flows", "--format", "json", ARGS, "--duration", "36000", NULL);
	m = maker_start(&ns, -1, "dns connect --ok 1 --hold connected");
	maker_wait_hold(&m);
	r = probe_wait_record(&p, is_open, &ns, 10000);
	REQUIRE(r, "conn.open: expected one, got none");
	CHECK(!strcmp(record_str(r, "rname"), "ok0.example.net"), "rname of conn.open: got %s",
	      record_str(r, "rname"));
	json_decref(r);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
	probe_stop(&f);
	json_array_foreach (f.records, i, one)
		if (record_u64(one, "netns") == ns.inode && record_u64(one, "rport") == 7000) {
			n++;
			CHECK(!strcmp(record_str(one, "rname"), "ok0.example.net"),
			      "rname of the flow: got %s", record_str(one, "rname"));
		}
	CHECK_EQ(n, 1, "flows to the name");
	CHECK_EQ(sum(p.records, &ns, report_u64(maker_report(&m, "client"), "pid")).owned, 1,
		 "dns.query among the events");
}

static const json_t *asker_of(const json_t *r)
{
	return json_object_get(r, "asked_by");
}

static void check_forwarded(const char *options)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("dns", "--format", "json", "--dns-port", "53", "--dns-port",
				     "5300", NULL);
	struct maker m;
	const json_t *client, *forwarder, *r;
	size_t i, n = 0;
	struct wanted w = { &ns, "slow1.example.net" };
	char command[200];
	json_t *last;
	char *log;

	snprintf(command, sizeof(command), "dns forward --name slow1.EXAMPLE.net --delay 80 %s",
		 options);
	m = maker_run(&ns, command);
	client = maker_report(&m, "client");
	forwarder = maker_report(&m, "forwarder");
	CHECK_EQ(report_u64(client, "rx_pkts"), 1, "answers that libc gave");
	log = file_text(p.log);
	if (strstr(log, "return probes of kernel"))
		test_skip("%s", log);
	free(log);
	last = probe_wait_record(&p, is_wanted, &w, 10000);
	CHECK(last, "a transaction: expected one, got none");
	json_decref(last);
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		const json_t *asker = asker_of(r);

		if (!is_query(r, &ns))
			continue;
		if (record_u64(r, "pid") == report_u64(client, "pid")) {
			CHECK(json_is_null(asker), "asked_by of who asked itself: expected null");
			continue;
		}
		n++;
		CHECK_EQ(record_u64(r, "pid"), report_u64(forwarder, "pid"), "sender");
		CHECK_EQ(record_u64(asker, "pid"), report_u64(client, "pid"), "who asked it");
		CHECK(!strcmp(record_str(asker, "comm"), "client"), "its name: got %s",
		      record_str(asker, "comm"));
		CHECK(record_num(asker, "waited_ms") >= record_num(r, "latency_ms") &&
			      record_num(asker, "waited_ms") < 10000 * test_slow(),
		      "time it waited: expected more than %.1f ms, got %.1f",
		      record_num(r, "latency_ms"), record_num(asker, "waited_ms"));
	}
	CHECK_EQ(n, 1, "queries of the forwarder");
}

TEST(query_of_a_resolver_names_who_asked_it_by_getaddrinfo)
{
	check_forwarded("");
}

TEST(query_of_a_resolver_names_who_asked_it_by_gethostbyname)
{
	check_forwarded("--gethostbyname");
}

static bool is_remote(const json_t *r, const void *arg)
{
	return !strcmp(record_str(r, "group"), "192.0.2.1") && !strcmp(record_str(r, "rname"), arg);
}

TEST(remote_hosts_are_named_in_top)
{
	struct netns ns = netns_new();
	struct probe p;
	struct maker m;
	json_t *r;

	netns_must(&ns, "ip addr add 192.0.2.1/32 dev lo");
	p = probe_start("top", "--format", "json", "--by", "remote", "--interval", "0.2", "--match",
			"OK7.example", "--dns-port", "5300", NULL);
	m = maker_start(&ns, -1, "dns connect --ok 8 --hold connected");
	maker_wait_hold(&m);
	r = probe_wait_record(&p, is_remote, "ok7.example.net", 10000);
	CHECK(r, "192.0.2.1 under the name asked for last: expected a row, got none");
	json_decref(r);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
}

static bool is_localhost(const json_t *r, const void *arg)
{
	(void)arg;
	return !strcmp(record_str(r, "group"), "127.0.0.1") &&
	       !strncmp(record_str(r, "rname"), "localhost", 9);
}

/* By /etc/hosts, which libc asks first. */
TEST(own_look_ups_name_what_nobody_asked_for)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("top", "--format", "json", "--by", "remote", "--interval",
				     "0.2", "--resolve", "--names", "none", NULL);
	struct maker m = maker_start(&ns, -1, "dns connect --to 127.0.0.1 --hold connected");
	json_t *r;

	maker_wait_hold(&m);
	r = probe_wait_record(&p, is_localhost, NULL, 15000);
	CHECK(r, "127.0.0.1 as localhost: expected a row, got none");
	json_decref(r);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
}

static bool is_close(const json_t *r, const void *arg)
{
	return is_client(r, arg, "conn.close");
}

/* What a client says first names its connection; names: where from, NULL by default. */
static void check_first(const char *mode, const char *says, const char *names, const char *name)
{
	const char *const args[] = { "events", "--format",
				     "json",   "--capture-mode",
				     mode,     names ? "--names" : NULL,
				     names,    NULL };
	struct probe_opts opts = { .args = args, .plain = !strcmp(mode, "afpacket") };
	struct netns ns = opts.plain ? rung_enter() : netns_new();
	struct probe p = probe_spawn(&opts);
	char command[200];
	struct maker m;
	json_t *r;

	snprintf(command, sizeof(command), "dns connect %s --to 127.0.0.1 --hold connected", says);
	m = maker_start(&ns, -1, command);
	(void)maker_wait_hold(&m);
	/* From the ring: its socket was looked for while it was there. */
	r = probe_wait_record(&p, is_open, &ns, 10000);
	CHECK(r, "conn.open: expected one, got none");
	json_decref(r);
	maker_go(&m);
	maker_finish(&m);
	r = probe_wait_record(&p, is_close, &ns, 10000);
	REQUIRE(r, "conn.close: expected one, got none");
	CHECK(!strcmp(record_str(r, "rname"), name), "rname of conn.close: expected '%s', got '%s'",
	      name, record_str(r, "rname"));
	json_decref(r);
	probe_stop(&p);
}

TEST(host_of_a_request_names_its_connection)
{
	check_first("ebpf", "--http", "sni,http", "web.example.net");
}

TEST(server_name_of_a_clienthello_names_its_connection)
{
	check_first("ebpf", "--tls", "sni,http", "tls.example.net");
}

TEST(what_clients_say_names_nothing_unless_asked_for)
{
	check_first("ebpf", "--tls", "dns,http", "");
	check_first("ebpf", "--http", NULL, "");
	check_first("afpacket", "--tls", NULL, "");
}

TEST(packet_ring_names_connections_by_what_clients_say)
{
	check_first("afpacket", "--http", "sni,http", "web.example.net");
	check_first("afpacket", "--tls", "sni", "tls.example.net");
	check_first("afpacket", "--tls", "dns,sni", "tls.example.net");
}

TEST(no_name_is_known_where_none_is_asked_for)
{
	struct netns ns = netns_new();
	struct probe p;
	struct maker m;
	json_t *r;

	netns_must(&ns, "ip addr add 192.0.2.1/32 dev lo");
	p = probe_start("events", "--format", "json", ARGS, "--names", "none", NULL);
	m = maker_start(&ns, -1, "dns connect --ok 1 --hold connected");
	maker_wait_hold(&m);
	r = probe_wait_record(&p, is_open, &ns, 10000);
	REQUIRE(r, "conn.open: expected one, got none");
	CHECK(json_is_null(json_object_get(r, "rname")), "rname: expected null, got %s",
	      record_str(r, "rname"));
	json_decref(r);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
	CHECK_EQ(sum(p.records, &ns, 0).all, 0, "transactions");
}

/* On the packet ring: who still lives when it is looked for has an owner. */
static struct probe start_on_ring(const char *pcap)
{
	const char *const args[] = { "dns",
				     "--format",
				     "json",
				     "--capture-mode",
				     "afpacket",
				     ARGS,
				     pcap ? "--pcap" : NULL,
				     pcap,
				     NULL };
	struct probe_opts opts = { .args = args, .plain = true };

	return probe_spawn(&opts);
}

static void check_ring(const char *command, unsigned int all, unsigned int nx,
		       unsigned int timeouts, const char *last)
{
	struct netns ns = rung_enter();
	struct probe p = start_on_ring(NULL);
	struct maker m = ask(&p, &ns, command, last);
	const json_t *client = maker_report(&m, "client"), *r;
	uint64_t pid = report_u64(client, "pid"), owned = 0;
	struct sums s = sum(p.records, &ns, pid);
	size_t i;

	CHECK_EQ(s.all, all, "transactions");
	CHECK_EQ(s.answered, report_u64(client, "rx_pkts"), "answers, against the maker's");
	CHECK_EQ(s.all + s.retries, report_u64(client, "tx_pkts"), "queries, against the maker's");
	CHECK_EQ(s.nx, nx, "names that do not exist");
	CHECK_EQ(s.timeouts, timeouts, "timeouts");
	json_array_foreach (p.records, i, r)
		if (is_query(r, &ns)) {
			owned += record_u64(r, "pid") == pid &&
				 !strcmp(record_str(r, "owner_match"), "procfs");
			CHECK(!strcmp(record_str(r, "mode"), "afpacket"), "mode: got %s",
			      record_str(r, "mode"));
		}
	CHECK_EQ(owned, all, "transactions of their owner");
	r = query_of(p.records, &ns, "slow0.example.net");
	CHECK(!strcmp(first_answer(r), "192.0.2.1"), "answer: got %s", first_answer(r));
}

TEST(packet_ring_sees_transactions_of_datagrams)
{
	check_ring("dns ask --ok 5 --nx 2 --drop 1 --once 1 --slow 3 --delay 200 --again 600", 12,
		   2, 1, "drop0.example.net");
}

TEST(packet_ring_sees_transactions_of_streams)
{
	check_ring("dns ask --tcp --ok 5 --slow 3 --delay 200", 8, 0, 0, "slow2.example.net");
}

TEST(packet_ring_names_remote_hosts)
{
	static const char *const args[] = { "events",	"--format", "json", "--capture-mode",
					    "afpacket", ARGS,	    NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns = rung_enter();
	struct probe p;
	struct maker m;
	json_t *r;

	netns_must(&ns, "ip addr add 192.0.2.1/32 dev lo");
	p = probe_spawn(&opts);
	m = maker_start(&ns, -1, "dns connect --ok 1 --hold connected");
	maker_wait_hold(&m);
	r = probe_wait_record(&p, is_open, &ns, 10000);
	REQUIRE(r, "conn.open: expected one, got none");
	CHECK(!strcmp(record_str(r, "rname"), "ok0.example.net"), "rname of conn.open: got %s",
	      record_str(r, "rname"));
	json_decref(r);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
}
