/* SPDX-License-Identifier: BSD-2-Clause */
/* Names asked of a group: mDNS and LLMNR, against what who asks knows of them. */
#include <stdio.h>
#include <string.h>

#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "rung.h"
#include "tap.h"

struct sums {
	uint64_t all, owned, answered, timeouts, retries;
};

static bool is_query(const json_t *r, const struct netns *ns)
{
	return !strcmp(record_str(r, "event_type"), "dns.query") &&
	       record_u64(r, "netns") == ns->inode;
}

static struct sums sum(const json_t *records, const struct netns *ns, uint64_t pid)
{
	struct sums s = {};
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		bool answered = json_is_string(json_object_get(r, "rcode"));
		const char *first =
			json_string_value(json_array_get(json_object_get(r, "answers"), 0));

		if (!is_query(r, ns))
			continue;
		s.all++;
		s.owned += record_u64(r, "pid") == pid;
		s.answered += answered;
		s.timeouts += json_is_true(json_object_get(r, "timeout"));
		s.retries += record_u64(r, "retries");
		if (answered)
			CHECK(first && !strcmp(first, "192.0.2.9"), "answer: got %s",
			      first ? first : "none");
	}
	return s;
}

struct wanted {
	const struct netns *ns;
	uint64_t all;
};

static bool is_last(const json_t *r, const void *arg)
{
	const struct wanted *w = arg;

	return is_query(r, w->ns) && !strcmp(record_str(r, "qname"), "drop1.local");
}

/* The server of a record is who answered; who does not answer is the group itself. */
static void check_servers(const json_t *records, const struct netns *ns, const char *server,
			  const char *group)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		bool timeout = json_is_true(json_object_get(r, "timeout"));
		const char *want = timeout ? group : server;

		if (is_query(r, ns) && server)
			CHECK(!strcmp(record_str(r, "entity_id"), want),
			      "server: expected %s, got %s", want, record_str(r, "entity_id"));
	}
}

#define SETTLED \
	"timeout 20 sh -c 'while ip -6 addr show tentative | grep -q .; do sleep 0.05; done'"

struct group {
	const char *addr, *options;
	unsigned int port;
	const char *server; /* NULL: an address the test does not choose */
	bool unowned;	    /* in afpacket nobody can tell whose it is */
};

static void check_group(const char *mode, const struct group *g)
{
	const char *const args[] = { "dns", "--format", "json",		  "--dns-timeout",
				     "1",   "-q",	"--capture-mode", mode,
				     NULL };
	struct probe_opts opts = { .args = args, .plain = !strcmp(mode, "afpacket") };
	struct netns_pair pair = netns_pair_new();
	struct wanted w = { &pair.a, 7 };
	char command[400];
	uint64_t pid;
	struct sums s;
	struct maker m;
	struct probe p;
	json_t *r;

	/* until then the kernel sends nothing to a group of IPv6 */
	if (strchr(g->addr, ':')) {
		netns_must(&pair.a, SETTLED);
		netns_must(&pair.b, SETTLED);
	}
	if (opts.plain)
		rung_go(&pair.a);
	p = probe_spawn(&opts);
	snprintf(command, sizeof(command),
		 "group --ask 5 --drop 2 --addr %s --port %u --dev %s --server-dev %s "
		 "--server-ns %s --hold asked %s",
		 g->addr, g->port, pair.if_a, pair.if_b, pair.b.path, g->options);
	m = maker_start(&pair.a, -1, command);
	(void)maker_wait_hold(&m);
	r = probe_wait_record(&p, is_last, &w, 10000);
	CHECK(r, "the question nobody answers: expected a record, got none");
	json_decref(r);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
	pid = g->unowned && opts.plain ? 0 : report_u64(maker_report(&m, "client"), "pid");
	s = sum(p.records, &pair.a, pid);
	CHECK_EQ(s.all, 7, "transactions");
	CHECK_EQ(s.owned, 7, "transactions of their owner");
	CHECK_EQ(s.answered, report_u64(maker_report(&m, "client"), "rx_pkts"),
		 "answers, against the maker's");
	CHECK_EQ(s.timeouts, 2, "timeouts");
	CHECK_EQ(s.retries, 0, "retries");
	check_servers(p.records, &pair.a, g->server, g->addr);
	CHECK_EQ(sum(p.records, &pair.b, 0).all, 0, "transactions where questions are answered");
}

static const struct group mdns = { "224.0.0.251", "--full", 5353, "10.77.0.2", false };
static const struct group mdns_once = { "224.0.0.251", "", 5353, "10.77.0.2", false };
static const struct group mdns_shared = { "224.0.0.251", "--full --beside", 5353, "10.77.0.2",
					  true };
static const struct group mdns6 = { "ff02::fb", "--full", 5353, NULL, false };
static const struct group llmnr = { "224.0.0.252", "", 5355, "10.77.0.2", false };

TEST(mdns_questions_are_answered_by_what_goes_to_the_group)
{
	check_group("ebpf", &mdns);
	check_group("ebpf", &mdns6);
}

TEST(mdns_questions_of_who_is_no_mdns_host_are_answered_to_it_alone)
{
	check_group("ebpf", &mdns_once);
}

TEST(mdns_questions_belong_to_their_sender_where_others_share_the_port)
{
	check_group("ebpf", &mdns_shared);
}

TEST(llmnr_questions_are_answered_from_another_address_than_they_went_to)
{
	check_group("ebpf", &llmnr);
}

TEST(packet_ring_sees_mdns)
{
	check_group("afpacket", &mdns);
	check_group("afpacket", &mdns_once);
}

TEST(packet_ring_sees_mdns_where_others_share_the_port)
{
	check_group("afpacket", &mdns_shared);
}

TEST(packet_ring_sees_llmnr)
{
	check_group("afpacket", &llmnr);
}
