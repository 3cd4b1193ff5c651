/* SPDX-License-Identifier: BSD-2-Clause */
/* The capture through the library: DNS, drops, sockets, latencies, losses, and run-time settings. */
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "api_run.h"
#include "maker.h"
#include "probe.h"

struct tally {
	unsigned int queries, owned, drops, steps, others;
	uint64_t packets;
	uint32_t pid;
	char netns[32]; /* as records tell it: others ask beside us */
};

static void on_dns(const struct netprobe_event *events, size_t n, void *arg)
{
	struct tally *t = arg;

	for (size_t i = 0; i < n; i++) {
		bool query = events[i].family == NETPROBE_EVENT_DNS &&
			     !strcmp(events[i].type, "dns.query");

		t->queries += query && strstr(events[i].json, "example.net") &&
			      strstr(events[i].json, t->netns);
		t->owned += query && events[i].pid == t->pid;
		t->others += !query;
	}
}

TEST(dns_transactions_are_told_with_their_owner)
{
	struct netns ns = netns_new();
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct tally t = { 0 };
	struct maker maker;
	int64_t deadline;

	snprintf(t.netns, sizeof(t.netns), "\"netns\":%" PRIu64 ",", (uint64_t)ns.inode);
	netprobe_config_default(&c);
	c.enable_dns_events = true;
	c.dns_timeout_ms = 500;
	c.dns_ports[0] = 5300;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_DNS, on_dns, &t));
	OK(netprobe_manager_load(m, &err));
	maker = maker_start(&ns, -1, "dns ask --ok 5 --nx 2 --drop 1");
	maker_finish(&maker);
	t.pid = (uint32_t)record_u64(maker_report(&maker, "client"), "pid");
	deadline = deadline_in(20000);
	while (t.queries < 8 && now_ms() < deadline)
		OK(netprobe_manager_poll(m, 100));
	CHECK_EQ(t.queries, 8, "queries");
	CHECK_EQ(t.owned, 8, "queries of their owner");
	CHECK_EQ(t.others, 0, "events of other kinds");
	netprobe_manager_free(m);
}

static void on_drop(const struct netprobe_event *events, size_t n, void *arg)
{
	struct tally *t = arg;

	for (size_t i = 0; i < n; i++) {
		t->drops += !strcmp(events[i].type, "transport.drop") &&
			    !strcmp(events[i].value, "DROP:NO_SOCKET");
		t->steps += !strcmp(events[i].type, "packet.trace");
	}
}

struct kind {
	uint32_t netns;
	uint64_t packets;
};

static int sum_drops(const struct netprobe_drop *d, void *arg)
{
	struct kind *k = arg;

	if (d->reason && !strcmp(d->reason, "NO_SOCKET") && d->netns == k->netns &&
	    d->proto == IPPROTO_UDP && !d->counter)
		k->packets += d->packets;
	return 0;
}

/* To a port where nobody is, in this namespace. */
static void send_to_nobody(unsigned int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	REQUIRE(fd >= 0, "socket: %s", strerror(errno));
	for (unsigned int i = 0; i < n; i++)
		CHECK(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1, "sendto: %s",
		      strerror(errno));
	close(fd);
}

TEST(drops_are_told_and_summed_up)
{
	struct netns ns = netns_new();
	struct kind k = { .netns = (uint32_t)ns.inode };
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct tally t = { 0 };
	int64_t deadline = deadline_in(20000);

	netprobe_config_default(&c);
	c.enable_drop_events = true;
	c.drop_stacks = true;
	m = manager(&c);
	FAILS(ENODEV, netprobe_manager_drops(m, sum_drops, &k, &err));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_DROP, on_drop, &t));
	OK(netprobe_manager_load(m, &err));
	enter(&ns);
	send_to_nobody(50);
	while (!t.drops && now_ms() < deadline)
		OK(netprobe_manager_poll(m, 100));
	CHECK(t.drops > 0, "no drop was told");
	OK(netprobe_manager_drops(m, sum_drops, &k, &err));
	CHECK_EQ(k.packets, 50, "packets dropped");
	c.drop_benign = true;
	FAILS(EBUSY, netprobe_manager_update_config(m, &c, &err));
	CHECK(!strncmp(err.msg, "drop_benign: ", 13), "said: %s", err.msg);
	netprobe_manager_free(m);
}

TEST(steps_of_packets_are_told)
{
	static const struct netprobe_filter filters[] = { { NETPROBE_FILTER_PORT, "9" }, {} };
	static const struct netprobe_filter owned[] = { { NETPROBE_FILTER_PORT, "9" },
							{ NETPROBE_FILTER_USER, "0" },
							{} };
	struct netns ns = netns_new();
	struct netprobe_config c;
	struct netprobe_manager *m = NULL;
	struct tally t = { 0 };
	int64_t deadline = deadline_in(20000);

	netprobe_config_default(&c);
	c.trace_packets = true;
	FAILS(EINVAL, netprobe_manager_new_with_config(&c, &m, &err));
	c.filters = owned;
	FAILS(EINVAL, netprobe_manager_new_with_config(&c, &m, &err));
	c.filters = filters;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_DROP, on_drop, &t));
	OK(netprobe_manager_load(m, &err));
	enter(&ns);
	send_to_nobody(5);
	while (t.steps < 5 && now_ms() < deadline)
		OK(netprobe_manager_poll(m, 100));
	CHECK(t.steps >= 5, "%u steps", t.steps);
	netprobe_manager_free(m);
}

struct wanted {
	uint32_t pid;
	struct netprobe_flow f; /* its strings are not good any more */
	char comm[16], state[16];
	unsigned int n;
};

static int find_flow(const struct netprobe_flow *f, void *arg)
{
	struct wanted *w = arg;

	if (f->pid != w->pid || f->tx_bytes < 100000)
		return 0;
	w->n++;
	w->f = *f;
	strncpy(w->comm, f->comm, sizeof(w->comm) - 1);
	strncpy(w->state, f->state, sizeof(w->state) - 1);
	return 0;
}

static int find_latency(const struct netprobe_latency *l, void *arg)
{
	struct wanted *w = arg;

	for (unsigned int i = 0; l->pid == w->pid && i < NETPROBE_LATENCY_SLOTS; i++)
		w->n += (unsigned int)l->counts[NETPROBE_LATENCY_CONNECT][i];
	return 0;
}

static int find_loss(const struct netprobe_loss *l, void *arg)
{
	struct wanted *w = arg;

	w->n += !strcmp(l->program, "state") && l->seen;
	CHECK(l->seen == l->submitted + l->ring_full + l->filtered + l->sampled_out +
				 l->rate_limited + l->map_full,
	      "the account of %s does not add up", l->program);
	return 0;
}

TEST(sockets_latencies_and_losses_are_told)
{
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct wanted w = { 0 };
	struct maker maker;
	char note[512];

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_EBPF;
	c.keep_closed = true;
	m = manager(&c);
	FAILS(ENODEV, netprobe_manager_flows(m, find_flow, &w, &err));
	FAILS(ENODEV, netprobe_manager_latencies(m, find_latency, &w, &err));
	FAILS(ENODEV, netprobe_manager_losses(m, find_loss, &w, &err));
	FAILS(ENODEV, netprobe_manager_note(m, note, sizeof(note)));
	OK(netprobe_manager_load(m, &err));
	OK(netprobe_manager_note(m, note, sizeof(note)));
	maker = maker_start(NULL, -1, "stream --hold connected --bytes 200000");
	w.pid = (uint32_t)maker_wait_hold(&maker);
	maker_go(&maker);
	maker_finish(&maker);
	OK(netprobe_manager_poll(m, 0));
	OK(netprobe_manager_flows(m, find_flow, &w, &err));
	CHECK_EQ(w.n, 1, "connections of the maker that sent");
	CHECK_EQ(w.f.tx_bytes, 200000, "bytes sent");
	CHECK(w.f.closed && w.f.proto == IPPROTO_TCP && w.f.owner_match == NETPROBE_MATCH_EXACT &&
		      w.comm[0] && !strcmp(w.state, "CLOSE") && w.f.lport && w.f.rport,
	      "closed %d, proto %u, match %u, comm %s, state %s", w.f.closed, w.f.proto,
	      w.f.owner_match, w.comm, w.state);
	CHECK(w.f.opened_ns && w.f.closed_ns > w.f.opened_ns, "it never was open");
	w.n = 0;
	OK(netprobe_manager_latencies(m, find_latency, &w, &err));
	CHECK(w.n >= 1, "no connect of the maker was timed");
	w.n = 0;
	OK(netprobe_manager_losses(m, find_loss, &w, &err));
	CHECK_EQ(w.n, 1, "accounts of the program that sees states");
	netprobe_manager_free(m);
}

TEST(settings_change_while_it_runs)
{
	static const struct netprobe_filter nobody[] = { { NETPROBE_FILTER_PID, "1" },
							 { NETPROBE_FILTER_PORT, "1" },
							 { NETPROBE_FILTER_FAMILY, "ipv6" },
							 {} };
	struct netprobe_config c, got = { .size = sizeof(got) };
	struct netprobe_manager *m;
	struct wanted w = { 0 };
	struct maker maker;

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_EBPF;
	c.keep_closed = true;
	m = manager(&c);
	OK(netprobe_manager_load(m, &err));
	c.filters = nobody;
	c.stall_threshold_ms = 250;
	c.enable_latency = true;
	OK(netprobe_manager_update_config(m, &c, &err));
	CHECK(netprobe_manager_get_config(m, &got) == 0 && got.enable_latency &&
		      got.stall_threshold_ms == 250 && got.filters[1].key == NETPROBE_FILTER_PORT &&
		      !strcmp(got.filters[1].value, "1") && !got.filters[3].key,
	      "the settings are not in force");
	maker = maker_start(NULL, -1, "stream --hold connected --bytes 200000");
	w.pid = (uint32_t)maker_wait_hold(&maker);
	maker_go(&maker);
	maker_finish(&maker);
	OK(netprobe_manager_poll(m, 0));
	OK(netprobe_manager_flows(m, find_flow, &w, &err));
	CHECK_EQ(w.n, 0, "connections of the maker, which the filter leaves out");
	c.hook = NETPROBE_HOOK_TRACEPOINT;
	FAILS(EBUSY, netprobe_manager_update_config(m, &c, &err));
	CHECK(!strncmp(err.msg, "hook: ", 6), "said: %s", err.msg);
	netprobe_manager_free(m);
}

static int find_any(const struct netprobe_flow *f, void *arg)
{
	struct wanted *w = arg;

	if (f->pid != w->pid || f->proto != IPPROTO_TCP || !f->rport || f->closed)
		return 0;
	w->f = *f;
	return 1;
}

TEST(verdicts_compare_two_looks)
{
	double shares[NETPROBE_VERDICT_MAX] = { 0 };
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct netprobe_flow was, bad;
	struct wanted w = { 0 };
	struct maker maker;

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_EBPF;
	m = manager(&c);
	OK(netprobe_manager_load(m, &err));
	maker = maker_start(NULL, -1, "stream --hold connected --bytes 1000");
	w.pid = (uint32_t)maker_wait_hold(&maker);
	OK(netprobe_manager_flows(m, find_any, &w, &err));
	REQUIRE(w.f.sock, "the maker's connection is not told");
	was = w.f;
	CHECK_EQ(netprobe_verdict(&was, &was, shares), NETPROBE_VERDICT_NONE, "of no time");
	OK(netprobe_manager_poll(m, 100));
	OK(netprobe_manager_flows(m, find_any, &w, &err));
	CHECK_EQ(netprobe_verdict(&was, &w.f, shares), NETPROBE_VERDICT_APPLICATION,
		 "of an idle connection");
	CHECK(shares[NETPROBE_VERDICT_APPLICATION] > 0.99, "its share is %f",
	      shares[NETPROBE_VERDICT_APPLICATION]);
	bad = was;
	bad.sock++;
	CHECK_EQ(netprobe_verdict(&bad, &w.f, NULL), NETPROBE_VERDICT_NONE, "of two sockets");
	bad.size = 3;
	FAILS(EINVAL, netprobe_verdict(&bad, &w.f, NULL));
	FAILS(EINVAL, netprobe_verdict(NULL, &w.f, NULL));
	maker_go(&maker);
	maker_finish(&maker);
	netprobe_manager_free(m);
}

static int find_pid(uint32_t pid, void *arg)
{
	pid_t *wanted = arg;

	if (pid == (uint32_t)*wanted)
		*wanted = 0;
	return 0;
}

TEST(running_commands_are_found_and_asked)
{
	struct probe p = probe_start("events", "--port", "4711", NULL);
	pid_t wanted = p.pid;
	char *reply = NULL;

	CHECK(netprobe_instances(find_pid, &wanted, &err) >= 1 && !wanted,
	      "the command is not found: %s", err.msg);
	OK(netprobe_instance_ask((uint32_t)p.pid, "{\"cmd\":\"get\",\"key\":\"port\"}", &reply,
				 &err));
	CHECK(strstr(reply, "\"ok\":true") && strstr(reply, "4711"), "said: %s", reply);
	free(reply);
	OK(netprobe_instance_ask((uint32_t)p.pid, "{\"cmd\":\"set\",\"values\":{\"port\":\"80\"}}",
				 &reply, &err));
	CHECK(strstr(reply, "\"ok\":true"), "said: %s", reply);
	free(reply);
	OK(netprobe_instance_ask((uint32_t)p.pid, "nonsense", &reply, &err));
	CHECK(strstr(reply, "\"ok\":false"), "said: %s", reply);
	free(reply);
	FAILS(EINVAL, netprobe_instance_ask((uint32_t)p.pid, "{}\n{}", &reply, &err));
	FAILS(EINVAL, netprobe_instance_ask(0, "{}", &reply, &err));
	FAILS(EINVAL, netprobe_instance_ask(1, NULL, &reply, &err));
	FAILS(ENOENT, netprobe_instance_ask((uint32_t)getpid(), "{}", &reply, &err));
	probe_stop(&p);
}

static int on_hook(const struct netprobe_hook *h, void *arg)
{
	unsigned int *in_use = arg;

	CHECK(h->name && h->what && h->family && h->kind, "a way without a name");
	*in_use += h->status == NETPROBE_TRIAL_IN_USE && h->required;
	return 0;
}

TEST(what_this_machine_allows_is_examined)
{
	struct netprobe_machine machine = { .size = sizeof(machine) };
	struct netprobe_config c;
	unsigned int in_use = 0;
	int n = netprobe_examine(NULL, &machine, on_hook, &in_use, &err);

	CHECK(n > 20, "%d ways", n);
	CHECK(in_use > 0, "no required thing has a way in use");
	CHECK(machine.bpf && !machine.ebpf.code && machine.kernel[0] && machine.family[0] &&
		      machine.cap_bpf,
	      "kernel %s, family %s, ebpf %d: %s", machine.kernel, machine.family,
	      machine.ebpf.code, machine.ebpf.msg);
	netprobe_config_default(&c);
	c.hook = 99;
	FAILS(EINVAL, netprobe_examine(&c, NULL, NULL, NULL, &err));
	machine.size = 1;
	FAILS(EINVAL, netprobe_examine(NULL, &machine, NULL, NULL, &err));
}

struct place {
	unsigned int told;
	char json[2048];
};

static void on_place(const struct netprobe_event *events, size_t n, void *arg)
{
	struct place *t = arg;

	for (size_t i = 0; i < n; i++) {
		if (strcmp(events[i].entity_id, "output"))
			continue;
		t->told++;
		snprintf(t->json, sizeof(t->json), "%s", events[i].json);
	}
}

/* A row of the library's own is no place of a program's. */
static int refuse_name(const struct netprobe_loss *l, void *m)
{
	CHECK(netprobe_manager_tell_loss(m, l->program, 10, 3, &err) == -EINVAL &&
		      strstr(err.msg, l->program),
	      "%s is refused: '%s'", l->program, err.msg);
	return 0;
}

TEST(a_loss_of_the_programs_own_is_told_as_any_other)
{
	struct netprobe_config c;
	struct netprobe_manager *m;
	struct place t = { 0 };
	json_t *r;

	netprobe_config_default(&c);
	c.capture = NETPROBE_CAPTURE_PROC;
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_STATISTICS, on_place, &t));
	CHECK(netprobe_manager_tell_loss(m, "output", 10, 3, NULL) == -ENODEV,
	      "expected -ENODEV before load");
	OK(netprobe_manager_load(m, &err));
	CHECK(netprobe_manager_tell_loss(m, NULL, 10, 3, NULL) == -EINVAL, "expected -EINVAL");
	/* two places that differ behind their 31st byte would be one */
	CHECK(netprobe_manager_tell_loss(m, "a-queue-of-a-name-of-32-bytes-01", 1, 0, &err) ==
			      -EINVAL &&
		      strstr(err.msg, "takes up to 31"),
	      "expected -EINVAL, got '%s'", err.msg);
	CHECK(netprobe_manager_losses(m, refuse_name, m, &err) > 5, "rows: %s", err.msg);
	OK(netprobe_manager_tell_loss(m, "output", 10, 3, &err));
	OK(netprobe_manager_tell_loss(m, "output", 10, 3, &err)); /* no more of them */
	for (int64_t deadline = deadline_in(5000); !t.told && now_ms() < deadline;)
		OK(netprobe_manager_poll(m, 100));
	CHECK_EQ(t.told, 1, "losses told");
	r = json_loads(t.json, 0, NULL);
	CHECK(r && !strcmp(record_str(r, "event_type"), "probe.loss") &&
		      !strcmp(record_str(r, "program"), "output"),
	      "expected probe.loss of output, got %s", t.json);
	CHECK_EQ(record_u64(r, "seen"), 13, "seen");
	CHECK_EQ(record_u64(r, "ring_full"), 3, "ring_full");
	json_decref(r);
	netprobe_manager_free(m);
}
