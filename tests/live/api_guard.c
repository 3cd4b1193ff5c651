/* SPDX-License-Identifier: BSD-2-Clause */
/* guard through the library: lists as a whole, limits, detection, changes that are undone. */
#include <errno.h>
#include <limits.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "api_run.h"
#include "guard_run.h"

static int keep_one(const struct netprobe_ban *b, void *arg)
{
	static char cidr[64], reason[64], who[64];
	struct netprobe_ban *to = arg;

	(void)snprintf(cidr, sizeof(cidr), "%s", b->cidr);
	(void)snprintf(reason, sizeof(reason), "%s", b->reason ? b->reason : "");
	(void)snprintf(who, sizeof(who), "%s", b->who ? b->who : "");
	*to = *b;
	to->cidr = cidr;
	to->reason = reason;
	to->who = who;
	return 0;
}

TEST(allowed_sources_pass_whatever_is_banned)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban net = {
		.size = sizeof(net), .cidr = "10.77.0.0/24", .ttl_s = NETPROBE_NO_END, .force = true
	};
	struct netprobe_ban one = { .size = sizeof(one),
				    .cidr = "10.77.0.2",
				    .ttl_s = 600,
				    .proto = IPPROTO_UDP,
				    .reason = "friend" };
	struct netprobe_ban told = {};
	struct netprobe_manager *m;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_ban(m, &net, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 20), 0, "datagrams of a banned source");
	OK(netprobe_manager_allow(m, &one, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7002, 20), 20, "datagrams of an allowed one");
	CHECK_EQ(netprobe_manager_allowed(m, keep_one, &told, &err), 1, "allowances");
	CHECK(!strcmp(told.cidr, "10.77.0.2") && !strcmp(told.reason, "friend") &&
		      told.proto == IPPROTO_UDP && told.ttl_s > 500 && told.hits >= 20 &&
		      told.who[0],
	      "%s, %s, for %u s, hits %" PRIu64 ", by '%s'", told.cidr, told.reason, told.ttl_s,
	      told.hits, told.who);
	CHECK_EQ(netprobe_manager_banned(m, keep_one, &told, &err), 1, "bans");
	CHECK(!strcmp(told.cidr, "10.77.0.0/24"), "the ban is %s", told.cidr);
	OK(netprobe_manager_unallow(m, "10.77.0.2", &err));
	FAILS(ENOENT, netprobe_manager_unallow(m, "10.77.0.2", &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7003, 20), 0, "datagrams after");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

static bool passes(void *arg)
{
	struct netns_pair *p = arg;

	return datagrams(&p->b, &p->a, "10.77.0.1", 7009, 5) == 5;
}

TEST(unconfirmed_changes_are_undone_and_confirmed_ones_stay)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_change how = { .size = sizeof(how), .confirm_s = 2 };
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "10.77.0.2",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_security_stats s = { .size = sizeof(s) };
	struct netprobe_manager *m;

	enter(&p.a);
	m = guarded(p.if_a);
	FAILS(ENOENT, netprobe_manager_confirm(m, &err));
	CHECK_EQ(netprobe_manager_change_list(m, &how, &ban, 1, &err), 1, "entries");
	OK(netprobe_manager_get_security_stats(m, &s, &err));
	CHECK(s.confirm_s > 0 && s.confirm_s <= 3 && s.bans == 1, "%u s left, %u bans", s.confirm_s,
	      s.bans);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 20), 0, "datagrams at first");
	FAILS(EBUSY, netprobe_manager_ban(m, &ban, &err));
	CHECK(wait_until(passes, &p, 15000), "a change nobody confirmed is still there");
	how.confirm_s = 60;
	CHECK_EQ(netprobe_manager_change_list(m, &how, &ban, 1, &err), 1, "entries");
	OK(netprobe_manager_confirm(m, &err));
	OK(netprobe_manager_get_security_stats(m, &s, &err));
	CHECK_EQ(s.confirm_s, 0, "seconds left after confirm");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7002, 20), 0, "datagrams of a confirmed ban");
	OK(netprobe_manager_set_filtering(m, false, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7003, 20), 20, "datagrams while it is off");
	OK(netprobe_manager_set_filtering(m, true, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7004, 20), 0, "datagrams while it is on");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(lists_are_imported_as_a_whole_or_not_at_all)
{
	static const char good[] =
		"# three\n192.0.2.1\n198.51.100.0/24 reason=scan\n2001:db8::/32\n";
	static const char bad[] = "192.0.2.1\n192.0.2.300\n";
	struct netns_pair p = netns_pair_new();
	struct netprobe_change how = { .size = sizeof(how), .replace = true };
	struct netprobe_ban entry = { .size = sizeof(entry), .ttl_s = 60 };
	struct netprobe_ban two[2] = {
		{ .size = sizeof(two[0]), .cidr = "203.0.113.1", .ttl_s = 9 },
		{ .size = sizeof(two[0]), .cidr = "nonsense", .ttl_s = 9 },
	};
	struct netprobe_manager *m;

	enter(&p.a);
	m = guarded(p.if_a);
	CHECK_EQ(netprobe_manager_import_list(m, &how, &entry, good, strlen(good), &err), 3,
		 "entries");
	FAILS(EINVAL, netprobe_manager_import_list(m, &how, &entry, bad, strlen(bad), &err));
	CHECK(strstr(err.msg, "line 2"), "said: %s", err.msg);
	FAILS(EINVAL, netprobe_manager_change_list(m, &how, two, 2, &err));
	CHECK_EQ(netprobe_manager_banned(m, NULL, NULL, &err), 3, "bans after refused changes");
	CHECK_EQ(netprobe_manager_change_list(m, &how, two, 1, &err), 1, "entries");
	CHECK_EQ(netprobe_manager_banned(m, NULL, NULL, &err), 1, "bans after a replacement");
	how.list = NETPROBE_LIST_ALLOWED;
	how.replace = false;
	CHECK_EQ(netprobe_manager_import_list(m, &how, NULL, good, strlen(good), &err), 3,
		 "allowances");
	CHECK_EQ(netprobe_manager_allowed(m, NULL, NULL, &err), 3, "allowances");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

TEST(limits_and_detection_are_set_read_and_hold)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_limits l = { .size = sizeof(l),
				     .packets = 10,
				     .bytes = NETPROBE_KEEP,
				     .syns = 500,
				     .icmp = NETPROBE_KEEP,
				     .new_flows = NETPROBE_KEEP };
	struct netprobe_detection d = { .size = sizeof(d),
					.mode = NETPROBE_DETECT_ALERT,
					.ban_s = 7,
					.syn_flood = 123,
					.udp_flood = NETPROBE_KEEP,
					.amplification = NETPROBE_KEEP,
					.icmp_flood = NETPROBE_KEEP,
					.port_scan = 200,
					.host_scan = NETPROBE_KEEP,
					.anomaly = 0 };
	struct netprobe_security_stats s = { .size = sizeof(s) };
	struct netprobe_manager *m;
	unsigned int got;

	enter(&p.a);
	m = guarded(p.if_a);
	OK(netprobe_manager_set_limits(m, &l, &err));
	memset(&l, 0x55, sizeof(l));
	l.size = sizeof(l);
	l.per = NETPROBE_PER_SOURCE;
	l.port = 0;
	OK(netprobe_manager_get_limits(m, &l, &err));
	CHECK(l.packets == 10 && l.syns == 500 && !l.bytes && !l.icmp && !l.dry_run,
	      "packets %" PRIu64 ", syns %" PRIu64 ", bytes %" PRIu64, l.packets, l.syns, l.bytes);
	got = datagrams(&p.b, &p.a, "10.77.0.1", 7001, 1000);
	CHECK(got >= 10 && got < 500, "%u of 1000 datagrams, where 10 a second pass", got);
	OK(netprobe_manager_get_security_stats(m, &s, &err));
	CHECK_EQ(s.dropped_limited, 1000 - got, "packets dropped by limits");
	l = (struct netprobe_limits){ .size = sizeof(l),
				      .per = NETPROBE_PER_PORT,
				      .port = 53,
				      .packets = 7,
				      .icmp = NETPROBE_KEEP };
	OK(netprobe_manager_set_limits(m, &l, &err));
	CHECK_EQ(netprobe_manager_limits(m, NULL, NULL, &err), 2, "limits that are set");
	l.packets = 0;
	OK(netprobe_manager_get_limits(m, &l, &err));
	CHECK_EQ(l.packets, 7, "packets a second to the port");
	l.port = 0;
	FAILS(EINVAL, netprobe_manager_set_limits(m, &l, &err));
	l.per = 7;
	FAILS(EINVAL, netprobe_manager_set_limits(m, &l, &err));
	OK(netprobe_manager_set_detection(m, &d, &err));
	memset(&d, 0x55, sizeof(d));
	d.size = sizeof(d);
	OK(netprobe_manager_get_detection(m, &d, &err));
	CHECK(d.mode == NETPROBE_DETECT_ALERT && d.ban_s == 7 && d.syn_flood == 123 &&
		      d.port_scan == 200 && d.host_scan == 64 && d.anomaly == 0 &&
		      d.udp_flood == 200000 && !(d.bans & NETPROBE_ATTACK_UDP_FLOOD) &&
		      (d.bans & NETPROBE_ATTACK_SYN_FLOOD),
	      "mode %u, ban %u s, syn %" PRIu64 ", ports %" PRIu64 ", bans %#x", d.mode, d.ban_s,
	      d.syn_flood, d.port_scan, d.bans);
	d.mode = 9;
	FAILS(EINVAL, netprobe_manager_set_detection(m, &d, &err));
	/* What there is no room for is no other figure, and not off. */
	d.mode = NETPROBE_DETECT_ALERT;
	d.syn_flood = 1ull << 40;
	FAILS(EINVAL, netprobe_manager_set_detection(m, &d, &err));
	d.syn_flood = NETPROBE_KEEP;
	d.ban_s = NETPROBE_TTL_MAX + 1;
	FAILS(EINVAL, netprobe_manager_set_detection(m, &d, &err));
	OK(netprobe_manager_get_detection(m, &d, &err));
	CHECK(d.syn_flood == 123 && d.ban_s == 7, "%" PRIu64 ", %u s after refusals", d.syn_flood,
	      d.ban_s);
	l = (struct netprobe_limits){ .size = sizeof(l), .confirm_s = UINT32_MAX };
	FAILS(EINVAL, netprobe_manager_set_limits(m, &l, &err));
	OK(netprobe_manager_get_security_stats(m, &s, &err));
	CHECK_EQ(s.detection, NETPROBE_DETECT_ALERT, "detection");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

struct seen {
	unsigned int calls;
	char name[16];
	uint32_t mode, xdp, state;
	uint64_t rx, device, flows;
};

static int on_interface(const struct netprobe_interface *i, void *arg)
{
	struct seen *s = arg;

	s->calls++;
	memcpy(s->name, i->name, sizeof(s->name));
	s->mode = i->mode;
	s->xdp = i->xdp;
	s->state = i->state;
	s->rx = i->rx->segments;
	s->device = i->rx->device_packets;
	return 0;
}

static int on_flow(const struct netprobe_guard_flow *f, void *arg)
{
	struct seen *s = arg;

	if (f->proto == IPPROTO_UDP && f->lport == 7001)
		s->flows += f->rx_pkts;
	return 0;
}

TEST(interfaces_and_their_flows_are_told)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_MONITOR);
	struct netprobe_manager *m;
	struct seen s = { 0 };

	enter(&p.a);
	m = manager(&c);
	FAILS(ENOENT, netprobe_manager_interfaces(m, on_interface, &s, &err));
	OK(netprobe_manager_attach(m, p.if_a, &err));
	CHECK(err.code == 0, "attach said %d: %s", err.code, err.msg);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 40), 40, "datagrams");
	CHECK_EQ(netprobe_manager_interfaces(m, on_interface, &s, &err), 1, "interfaces");
	CHECK(s.calls == 1 && !strcmp(s.name, p.if_a) && s.mode == NETPROBE_MODE_MONITOR &&
		      s.state == NETPROBE_STATE_ON,
	      "%u calls, %s, mode %u, state %u", s.calls, s.name, s.mode, s.state);
	CHECK(s.rx >= 40 && s.rx == s.device, "%" PRIu64 " packets, the kernel says %" PRIu64, s.rx,
	      s.device);
	OK(netprobe_manager_guard_flows(m, on_flow, &s, &err));
	CHECK_EQ(s.flows, 40, "packets of the flow");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

static void on_record(const struct netprobe_event *events, size_t n, void *arg)
{
	unsigned int *told = arg;

	for (size_t i = 0; i < n; i++)
		*told += events[i].json && events[i].text && events[i].xctl &&
			 strstr(events[i].text, events[i].type) && !strchr(events[i].xctl, '\n');
}

static int on_row(const struct netprobe_loss *l, void *arg)
{
	uint64_t *seen = arg;

	if (!strcmp(l->program, "guard"))
		*seen = l->seen;
	return 0;
}

/* Packets in the row of guard; UINT64_MAX: there is none. */
static uint64_t guard_row(struct netprobe_manager *m)
{
	uint64_t seen = UINT64_MAX;

	CHECK(netprobe_manager_losses(m, on_row, &seen, &err) > 0, "rows: %s", err.msg);
	return seen;
}

TEST(account_of_guard_begins_with_the_capture_and_never_falls)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m;
	unsigned int told = 0;
	uint64_t first, then, last;
	struct rlimit files;

	enter(&p.a);
	c.capture = NETPROBE_CAPTURE_PROC;
	m = manager(&c);
	OK(netprobe_manager_attach(m, p.if_a, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7001, 100), 100, "datagrams before");
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_STATISTICS, on_record, &told));
	OK(netprobe_manager_load(m, &err));
	first = guard_row(m);
	CHECK(first < 100, "%" PRIu64 " packets, with those of before", first);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7002, 50), 50, "datagrams");
	then = guard_row(m);
	CHECK(then >= first + 50 && then < 100 + 50, "%" PRIu64 " after 50 more than %" PRIu64,
	      then, first);
	/* while no file can be opened nobody can tell: what is read then is none of it twice */
	REQUIRE(!getrlimit(RLIMIT_NOFILE, &files), "getrlimit: %s", strerror(errno));
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &(struct rlimit){ 3, files.rlim_max }), "setrlimit: %s",
		strerror(errno));
	CHECK_EQ(guard_row(m), then, "packets while guard cannot be looked at");
	REQUIRE(!setrlimit(RLIMIT_NOFILE, &files), "setrlimit: %s", strerror(errno));
	last = guard_row(m);
	CHECK(last >= then && last < then + 50,
	      "%" PRIu64 " after a look that failed, %" PRIu64 " before", last, then);
	then = last;
	/* its counters go with it, and begin again */
	OK(netprobe_manager_detach(m, p.if_a, &err));
	CHECK_EQ(guard_row(m), then, "packets when guard is gone");
	OK(netprobe_manager_attach(m, p.if_a, &err));
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 7003, 10), 10, "datagrams");
	last = guard_row(m);
	CHECK(last >= then + 10 && last < then + 100, "%" PRIu64 " after 10 more than %" PRIu64,
	      last, then);
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

static int on_backend(const struct netprobe_backend_stats *s, void *arg)
{
	struct netprobe_backend_stats *last = arg;

	last->packets++; /* calls */
	if (s->addr) {
		last->weight = s->weight;
		last->state = s->state;
	}
	return 0;
}

TEST(backends_are_told_with_their_weights_and_reports_on_demand)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_BALANCE);
	struct netprobe_backend backend = { .size = sizeof(backend), .addr = "10.77.0.2" };
	struct netprobe_backend_stats last = { 0 };
	struct netprobe_manager *m;
	unsigned int told = 0;

	c.formats = NETPROBE_FORMAT_TEXT | NETPROBE_FORMAT_XCTL;
	enter(&p.a);
	m = manager(&c);
	CHECK_EQ(netprobe_manager_backends(m, on_backend, &last, &err), 0, "backends of nothing");
	OK(netprobe_manager_attach(m, p.if_a, &err));
	OK(netprobe_manager_vip_add(m, "192.0.2.1:80/tcp", false, &err));
	OK(netprobe_manager_backend_add(m, "192.0.2.1:80/tcp", &backend, &err));
	OK(netprobe_manager_backend_weight(m, "192.0.2.1:80/tcp", "10.77.0.2", 5, &err));
	FAILS(EINVAL, netprobe_manager_backend_weight(m, "192.0.2.1:80/tcp", "10.77.0.2", 0, &err));
	CHECK_EQ(netprobe_manager_backends(m, on_backend, &last, &err), 2, "a VIP and a backend");
	CHECK(last.packets == 2 && last.weight == 5 && last.state == NETPROBE_BACKEND_UP,
	      "%" PRIu64 " calls, weight %u, state %u", last.packets, last.weight, last.state);
	OK(netprobe_manager_set_event_handler(
		m, NETPROBE_EVENT_STATISTICS | NETPROBE_EVENT_BALANCING, on_record, &told));
	CHECK_EQ(netprobe_manager_report(m, NETPROBE_EVENT_STATISTICS | NETPROBE_EVENT_BALANCING,
					 &err),
		 4, "records");
	CHECK_EQ(told, 4, "records with all spellings");
	FAILS(EINVAL, netprobe_manager_report(m, NETPROBE_EVENT_FLOW, &err));
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

static void count_events(const struct netprobe_event *events, size_t n, void *arg)
{
	unsigned int *told = arg;

	(void)events;
	*told += (unsigned int)n;
}

TEST(batches_wait_until_they_are_full_or_old_enough)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_config c;
	struct netprobe_manager *m;
	unsigned int told = 0, others = 0;
	int64_t began;

	enter(&p.a);
	m = guarded(p.if_a);
	c = without_capture(NETPROBE_MODE_FILTER);
	c.batch_size = 3;
	c.batch_timeout = 1000;
	OK(netprobe_manager_update_config(m, &c, &err));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_ALL, count_events, &others));
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, count_events, &told));
	OK(netprobe_manager_load(m, &err));
	began = now_ms();
	OK(netprobe_manager_ban(m, &ban, &err));
	OK(netprobe_manager_unban(m, "192.0.2.1", &err));
	OK(netprobe_manager_poll(m, 0));
	CHECK(!told || now_ms() - began >= 1000, "%u events told before their time", told);
	while (!told && now_ms() - began < 20000)
		OK(netprobe_manager_poll(m, 100));
	CHECK_EQ(told, 2, "events after their time");
	CHECK(now_ms() - began >= 1000, "told after %d ms", (int)(now_ms() - began));
	c.batch_timeout = 60000;
	OK(netprobe_manager_update_config(m, &c, &err));
	OK(netprobe_manager_ban(m, &ban, &err));
	OK(netprobe_manager_unban(m, "192.0.2.1", &err));
	OK(netprobe_manager_poll(m, 0));
	CHECK_EQ(told, 2, "events while a batch is not full");
	OK(netprobe_manager_ban(m, &ban, &err));
	CHECK_EQ(netprobe_manager_poll(m, 0), 3, "events of a full batch");
	CHECK_EQ(told, 5, "events after a full batch");
	OK(netprobe_manager_unban(m, "192.0.2.1", &err));
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
	CHECK_EQ(told, 6, "events: freeing hands out what waits");
}

TEST(switches_of_the_configuration_hold)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_ban ban = { .size = sizeof(ban),
				    .cidr = "192.0.2.1",
				    .ttl_s = NETPROBE_NO_END };
	struct netprobe_manager *m;
	unsigned int told = 0;
	struct seen s = { 0 };

	c.xdp_mode = NETPROBE_XDP_GENERIC;
	c.enable_tc_events = false;
	c.enable_security_alerts = false;
	enter(&p.a);
	m = manager(&c);
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_SECURITY, count_events, &told));
	OK(netprobe_manager_attach(m, p.if_a, &err));
	OK(netprobe_manager_interfaces(m, on_interface, &s, &err));
	CHECK(s.mode == NETPROBE_MODE_FILTER && s.xdp == NETPROBE_XDP_GENERIC, "mode %u, XDP %u",
	      s.mode, s.xdp);
	OK(netprobe_manager_ban(m, &ban, &err));
	OK(netprobe_manager_poll(m, 200));
	CHECK_EQ(told, 0, "alerts, which are off");
	OK(netprobe_manager_set_event_handler(m, NETPROBE_EVENT_STATISTICS, count_events, &told));
	CHECK_EQ(netprobe_manager_report(m, NETPROBE_EVENT_STATISTICS, &err), 1,
		 "records without those of interfaces");
	c.enable_tc_events = true;
	c.enable_xdp_events = false;
	OK(netprobe_manager_update_config(m, &c, &err));
	CHECK_EQ(netprobe_manager_report(m, NETPROBE_EVENT_STATISTICS, &err), 2,
		 "records with those of interfaces");
	OK(netprobe_manager_attach(m, p.if_a, &err));
	OK(netprobe_manager_interfaces(m, on_interface, &s, &err));
	CHECK_EQ(s.mode, NETPROBE_MODE_MONITOR, "mode without XDP");
	OK(netprobe_manager_detach(m, p.if_a, &err));
	netprobe_manager_free(m);
}

/* A place in the way of the balancer's program, so that it cannot be made there. */
static void block_balancer(char path[PATH_MAX])
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned long long cookie = 0;
	socklen_t len = sizeof(cookie);

	if (getsockopt(fd, SOL_SOCKET, 71 /* SO_NETNS_COOKIE */, &cookie, &len))
		test_skip("no cookies of network namespaces before 5.14");
	close(fd);
	snprintf(path, PATH_MAX, "/sys/fs/bpf/netprobe/lb-%llx", cookie);
	REQUIRE(!mkdir(path, 0700), "%s: %s", path, strerror(errno));
	strcat(path, "/np_lb");
	REQUIRE(!mkdir(path, 0700), "%s: %s", path, strerror(errno));
}

TEST(an_attach_whose_balancer_cannot_be_made_leaves_nothing_behind)
{
	struct netns_pair p = netns_pair_new();
	struct netprobe_config c = without_capture(NETPROBE_MODE_BALANCE);
	struct netprobe_config filter = without_capture(NETPROBE_MODE_FILTER);
	struct netprobe_manager *m, *other;
	char path[PATH_MAX];
	struct seen s = { 0 };

	enter(&p.a);
	other = manager(&filter);
	OK(netprobe_manager_attach(other, "lo", &err)); /* the folder is there */
	block_balancer(path);
	m = manager(&c);
	CHECK(netprobe_manager_attach(m, p.if_a, &err) < 0, "attached without its balancer");
	CHECK_EQ(netprobe_manager_interfaces(m, on_interface, &s, &err), 1,
		 "interfaces with guard");
	rmdir(path);
	*strrchr(path, '/') = '\0';
	rmdir(path);
	OK(netprobe_manager_detach(other, "lo", &err));
	netprobe_manager_free(m);
	netprobe_manager_free(other);
}
