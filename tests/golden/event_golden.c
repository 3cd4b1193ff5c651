/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A fixed stream of events, one of each kind and their odd variants, against the exact text of each
 * format in events.json, events.xctl, events.txt beside this file. With --update the files are
 * written anew: look at the diff before committing it. The directory is $NETPROBE_GOLDEN or
 * tests/golden.
 */
#include <math.h>
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "fields.h"
#include "out/device.h"
#include "out/dns.h"
#include "out/drop.h"
#include "out/event.h"
#include "out/lb.h"
#include "out/trace.h"
#include "owner/container_name.h"

#define WALL_NS 1769860800123456789ull
#define KTIME_NS 5000000000ull

static const struct container_info pod_info = {
	.name = (char *)"web",
	.image = (char *)"registry.example/shop/web:1.4",
	.pod_name = (char *)"web-6d4b",
	.pod_namespace = (char *)"shop",
};
static const struct cgroup pod_cgroup = {
	.id = 9001,
	.path = (char *)"/kubepods.slice/kubepods-pod0a1b.slice/cri-containerd-4f5e.scope",
	.container_id = (char *)"4f5e6d7c8b9a0f1e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796",
	.runtime = "containerd",
	.pod_uid = (char *)"0a1b2c3d-0000-1111-2222-333344445555",
	.info = &pod_info,
};
static const struct cgroup service_cgroup = { .id = 77,
					      .path = (char *)"/system.slice/sshd.service" };

static const struct process nginx = { .tgid = 4242,
				      .ppid = 1,
				      .uid = 33,
				      .comm = "nginx",
				      .exe = (char *)"/usr/sbin/nginx",
				      .cgroup = &pod_cgroup };
static const struct process sshd = {
	.tgid = 17, .ppid = 1, .uid = 0, .comm = "sshd", .cgroup = &service_cgroup
};
static const struct process odd = { .tgid = 66, .comm = "a\"\\\n\xff\xc3\xa9", .uid = 1000 };

static struct np_tuple tuple4 = { .lport = 443,
				  .rport = 51234,
				  .family = AF_INET,
				  .proto = IPPROTO_TCP,
				  .state = 1,
				  .netns = 4026531840u,
				  .ifindex = 2,
				  .ifname = "eth0" };
static struct np_tuple tuple6 = { .lport = 40000,
				  .rport = 22,
				  .family = AF_INET6,
				  .proto = IPPROTO_TCP,
				  .state = 2,
				  .netns = 4026531840u };
static struct np_tuple udp_wild = { .lport = 53,
				    .family = AF_INET6,
				    .proto = IPPROTO_UDP,
				    .flags = NP_F_UNCONN | NP_F_OWNID,
				    .ifname = "lo" };

static const struct np_counts counts = { 1500000, 420, 0, 0, 3 };
static const struct np_tcp tcp = { .bytes_acked = 1500001,
				   .bytes_received = 420,
				   .bytes_sent = 1504345,
				   .bytes_retrans = 4344,
				   .srtt_us = 12345,
				   .min_rtt_us = 9876,
				   .segs_out = 1100,
				   .segs_in = 600 };
static const struct np_tcp tcp_unknown = { .min_rtt_us = UINT32_MAX };
static const char *const answers[] = { "www.example.net", "192.0.2.200", "2001:db8::1" };
static const uint32_t ttls[] = { 300, 60, 60 };
static const struct event_dns dns_answered = { .qname = "example.net",
					       .qtype = "A",
					       .rcode = "NOERROR",
					       .id = 4660,
					       .latency_ms = 12.5,
					       .n_answers = 4,
					       .n = 3,
					       .answers = answers,
					       .ttls = ttls,
					       .asked_by = &nginx,
					       .waited_ms = 13.25 };
static const struct event_dns dns_timeout = { .qname = "a\\.b.\\255",
					      .qtype = "TYPE1234",
					      .timed_out = true,
					      .latency_ms = -1,
					      .retries = 2,
					      .waited_ms = -1 };
static const struct loss loss = {
	"send", "events", { 100, 5, 7, 11, 13, 17, 1000, 2000, 1 }, 2, 0
};

#define COMMON .wall_ns = WALL_NS, .ktime_ns = KTIME_NS, .mode = "ebpf"
#define OWNED(p, how) \
	.owner = (p), .tid = (p)->tgid + 1, .owner_match = (how), .has_owner_field = true

static const struct event_lb_backend lb_backends[] = {
	{ .addr = "10.0.0.10",
	  .state = "up",
	  .forward = "encap",
	  .check = "none",
	  .why = "",
	  .weight = 1,
	  .n = { .packets = 7, .bytes = 700, .new_flows = 2, .table_hits = 5 } },
	{ .addr = "2001:db8::b",
	  .state = "down",
	  .forward = "encap",
	  .check = "http",
	  .why = "HTTP status 503",
	  .weight = 2,
	  .checked_ns = 1000000000,
	  .n = { .errors = 1 } },
};
static const struct event_lb lb_vip = { .vip = "192.0.2.1:80/tcp",
					.n = { .packets = 7,
					       .bytes = 700,
					       .new_flows = 2,
					       .table_hits = 5,
					       .icmp = 1,
					       .errors = 1 },
					.backends = lb_backends,
					.n_backends = 2 };
static const uint64_t lb_totals[LB_TOTALS] = { [LB_FORWARDED] = 7, [LB_NO_NEIGHBOUR] = 1 };
static const struct event_lb lb_all = { .totals = lb_totals };

static const struct np_guard_dev dev_count = {
	.rx = { .kind = { [NP_KIND_TCP] = { 90, 9000 }, [NP_KIND_NONIP] = { 1, 42 } },
		.v6_packets = 3,
		.packets = 91,
		.bytes = 9042,
		.segments = 95,
		.wire_bytes = 9300 },
	.tx = { .kind = { [NP_KIND_UDP] = { 9, 900 } },
		.packets = 9,
		.bytes = 900,
		.segments = 9,
		.wire_bytes = 900 },
	.drops = { [NP_DROP_BAN] = 7 },
	.drop_bytes = 448,
	.dry_drops = { [NP_DROP_LIMIT] = 2 },
	.bad = { [NP_FRAME_TCP_FLAGS] = 1 },
	.sources_lost = 1,
};
static const struct event_device dev_eth0 = { .mode = "filter",
					      .xdp = "native",
					      .tc = "tcx",
					      .ifindex = 2,
					      .count = &dev_count,
					      .rx = { 91, 9042, 0, 0 },
					      .tx = { 9, 900, 1, 0 } };
static const struct event_device dev_all = {
	.interfaces = 1, .count = &dev_count, .rx = { 91, 9042, 0, 0 }, .tx = { 9, 900, 1, 0 }
};
static const struct np_ev_guard flood = { .kind = NP_GUARD_EV_ATTACK,
					  .saddr = { [10] = 0xff, [11] = 0xff, 192, 0, 2, 200 },
					  .ban_ticks = 894,
					  .attack = NP_ATTACK_SYN_FLOOD,
					  .action = NP_DETECT_BAN,
					  .seen = 5000,
					  .limit = 1000,
					  .strikes = 1 };
static const struct np_ev_guard odd_rate = { .kind = NP_GUARD_EV_ATTACK,
					     .attack = NP_ATTACK_ANOMALY,
					     .action = NP_DETECT_ALERT,
					     .seen = 9000,
					     .limit = 1000,
					     .mean = 1000,
					     .dev = 10000 };

static const struct np_ev_guard by_hand = { .kind = NP_GUARD_EV_ADDED,
					    .saddr = { [10] = 0xff, [11] = 0xff, 198, 51, 100, 0 },
					    .len = 120,
					    .dport = 25,
					    .port_to = 25,
					    .seen = 1,
					    .reason = "spam \"x\"\033[2J",
					    .who = "ops" };
static const struct np_ev_guard replaced = { .kind = NP_GUARD_EV_CHANGED, .action = 1, .seen = 7 };

static const struct np_packet packet = { .len = 52,
					 .seq = 4000000000u,
					 .ack = 17,
					 .eth_proto = 0x0800,
					 .vlan_tci = 0x2064,
					 .has_vlan = 1,
					 .ttl = 64,
					 .tcp_flags = 0x12,
					 .has_l4 = 1 };
static const char *const stack[] = { "tcp_v4_rcv", "ip_local_deliver" };
static const struct event_drop dropped = { .reason = "NETFILTER_DROP",
					   .location = "nf_hook_slow",
					   .stack = stack,
					   .n_stack = 2,
					   .packet = &packet,
					   .packets = 3,
					   .suppressed = 2,
					   .kind = "policy" };
static const struct event_drop counted = { .packets = 8, .suppressed = 7, .kind = "loss" };
static struct np_ev_trace step = { .packet_id = 1,
				   .since_ns = 1500,
				   .step = NP_STEP_NETFILTER,
				   .nth = 2,
				   .verdict = 1,
				   .hook = 1,
				   .has_mac = 1,
				   .mac_src = { 2, 0, 0, 0, 0, 1 },
				   .mac_dst = { 2, 0, 0, 0, 0, 2 },
				   .other = { .sport = 443, .dport = 51234, .valid = 1 } };
static const struct event_trace traced = { .ev = &step };
static const struct event_news down = { .vip = "192.0.2.1:80/tcp",
					.backend = "10.0.0.10",
					.why = "HTTP status \033[2J503" };
static const struct event_news up = { .vip = "192.0.2.1:80/tcp", .backend = "10.0.0.10" };
static const struct event_news attached = { .iface = "eth0" };

#define FOUND(k, v, u)                                                                  \
	COMMON, .kind = (k), .entity_id = "eth0", .value = #v, .num = (v), .unit = (u), \
		.iface = "eth0", .direction = "rx", .tuple = &tuple4

static const struct event stream[] = {
	{ COMMON, OWNED(&nginx, NP_MATCH_EXACT), .kind = EVENT_BW, .entity_id = "eth0",
	  .value = "125.5", .num = 125.5, .unit = "Mbit/s", .iface = "eth0", .tx_bytes = 15000000,
	  .rx_bytes = 687500, .tx_pkts = 11000, .rx_pkts = 5000, .tx_mbit = 120, .rx_mbit = 5.5,
	  .interval_s = 1 },
	{ COMMON, .has_owner_field = true, .kind = EVENT_BW, .value = "0.001", .num = 0.001,
	  .unit = "Mbit/s", .tuple = &udp_wild, .rx_bytes = 125, .rx_mbit = 0.001,
	  .interval_s = 0.5 },
	{ COMMON, OWNED(&nginx, NP_MATCH_EXACT), .kind = EVENT_RETRANSMIT, .entity_id = "eth0",
	  .value = "RETRANSMIT:5", .num = 5, .unit = "segments", .tuple = &tuple4, .sock_id = 99,
	  .direction = "tx", .cause = "timeout", .interval_s = 1 },
	{ COMMON, .kind = EVENT_RETRANSMIT, .entity_id = "eth0", .value = "RETRANSMIT:8", .num = 8,
	  .unit = "segments", .iface = "eth0", .interval_s = 1 },
	{ COMMON, OWNED(&sshd, NP_MATCH_LISTENER), .kind = EVENT_RESET, .entity_id = "eth0",
	  .value = "RESET_RECEIVED", .num = 1, .unit = "count", .tuple = &tuple6, .sock_id = 100,
	  .direction = "rx", .has_cpu = true, .cpu_tgid = 0, .cpu_comm = "swapper/1",
	  .err = ECONNRESET },
	{ COMMON, OWNED(&odd, NP_MATCH_PROCFS), .kind = EVENT_CONN_ERROR, .entity_id = "lo",
	  .value = "CONNECT_REFUSED", .num = 1, .unit = "count", .tuple = &tuple6, .sock_id = 101,
	  .iface = "lo", .err = ECONNREFUSED, .connect_us = 150 },
	{ COMMON, OWNED(&nginx, NP_MATCH_EXACT), .kind = EVENT_CONN_OPEN, .entity_id = "socket-102",
	  .value = "1.25", .num = 1.25, .unit = "ms", .tuple = &tuple4, .sock_id = 102,
	  .direction = "rx", .connect_us = 1250 },
	{ COMMON, OWNED(&nginx, NP_MATCH_EXACT), .kind = EVENT_CONN_CLOSE,
	  .entity_id = "socket-102", .value = "60250.5", .num = 60250.5, .unit = "ms",
	  .tuple = &tuple4, .sock_id = 102, .state = "CLOSE", .counts = &counts, .tcp = &tcp,
	  .rx_unseen = 1, .tx_unseen = 2, .connect_us = 1250, .duration_ms = 60250.5 },
	{ COMMON, .has_owner_field = true, .kind = EVENT_CONN_CLOSE, .entity_id = "socket-103",
	  .value = "0", .unit = "ms", .tuple = &tuple6, .sock_id = 103, .tcp = &tcp_unknown,
	  .duration_ms = -1, .err = ETIMEDOUT },
	{ COMMON, OWNED(&sshd, NP_MATCH_EXACT), .kind = EVENT_CONN_FAIL, .entity_id = "socket-104",
	  .value = "3000", .num = 3000, .unit = "ms", .tuple = &tuple6, .sock_id = 104,
	  .err = EHOSTUNREACH, .connect_us = 3000000 },
	{ COMMON, OWNED(&sshd, NP_MATCH_EXACT), .kind = EVENT_DNS, .entity_id = "192.0.2.200",
	  .long_value = "example.net", .num = 12.5, .unit = "ms", .tuple = &tuple4, .sock_id = 105,
	  .direction = "tx", .dns = &dns_answered },
	{ COMMON, .has_owner_field = true, .kind = EVENT_DNS, .entity_id = "192.0.2.200",
	  .long_value = "a\\.b.\\255", .num = 5000, .unit = "ms", .tuple = &tuple4,
	  .rname = "ns.example.net", .direction = "tx", .dns = &dns_timeout },
	{ COMMON, .kind = EVENT_LB, .entity_id = "192.0.2.1:80/tcp", .value = "7", .num = 7,
	  .unit = "packets", .lb = &lb_vip },
	{ COMMON, .kind = EVENT_LB, .entity_id = "balancer", .value = "7", .num = 7,
	  .unit = "packets", .lb = &lb_all },
	{ COMMON, .kind = EVENT_IFACE, .entity_id = "eth0", .value = "125.5", .num = 125.5,
	  .unit = "Mbit/s", .iface = "eth0", .tx_bytes = 25000000, .rx_bytes = 7000000,
	  .tx_pkts = 21000, .rx_pkts = 9000, .tx_mbit = 120, .rx_mbit = 5.5, .interval_s = 1 },
	{ COMMON, .kind = EVENT_IFACE, .entity_id = "eth0", .value = "100", .num = 100,
	  .unit = "packets", .iface = "eth0", .device = &dev_eth0 },
	{ COMMON, .kind = EVENT_GLOBAL, .entity_id = "all", .value = "100", .num = 100,
	  .unit = "packets", .device = &dev_all },
	{ COMMON, .kind = EVENT_SYN_FLOOD, .entity_id = "eth0", .value = "5000", .num = 5000,
	  .unit = "pps", .iface = "eth0", .direction = "rx", .tuple = &tuple4, .attack = &flood },
	{ COMMON, .kind = EVENT_BAN, .entity_id = "eth0", .value = "60", .num = 60, .unit = "s",
	  .iface = "eth0", .direction = "rx", .tuple = &tuple4, .attack = &flood },
	{ COMMON, .kind = EVENT_ANOMALY, .entity_id = "eth0", .value = "9000", .num = 9000,
	  .unit = "pps", .iface = "eth0", .direction = "rx", .tuple = &udp_wild,
	  .attack = &odd_rate },
	{ COMMON, .kind = EVENT_BAN, .entity_id = "all", .value = "no_end", .num = INFINITY,
	  .unit = "s", .direction = "rx", .attack = &by_hand },
	{ COMMON, .kind = EVENT_UNALLOW, .entity_id = "all", .num = NAN, .unit = "s",
	  .direction = "rx", .attack = &by_hand },
	{ COMMON, .kind = EVENT_LIST, .entity_id = "all", .value = "7", .num = 7, .unit = "entries",
	  .direction = "rx", .attack = &replaced },
	{ COMMON, OWNED(&nginx, NP_MATCH_EXACT), .kind = EVENT_STALL, .entity_id = "socket-106",
	  .value = "STALL_250ms", .num = 250, .unit = "ms", .tuple = &tuple4, .sock_id = 106,
	  .cause = "zero_window", .side = "remote", .since_wall_ns = WALL_NS - 250000000 },
	{ COMMON, OWNED(&nginx, NP_MATCH_EXACT), .kind = EVENT_DROP, .entity_id = "socket-106",
	  .value = "DROP:NETFILTER_DROP", .num = 3, .unit = "packets", .tuple = &tuple4,
	  .sock_id = 106, .direction = "rx", .has_cpu = true, .cpu_tgid = 66, .cpu_comm = "a",
	  .drop = &dropped, .sample_rate = 8 },
	{ COMMON, .has_owner_field = true, .kind = EVENT_DROP, .entity_id = "eth0",
	  .value = "DROP:DRIVER_RX", .num = 8, .unit = "packets", .iface = "eth0",
	  .direction = "rx", .drop = &counted },
	{ COMMON, OWNED(&nginx, NP_MATCH_EXACT), .kind = EVENT_TRACE, .entity_id = "eth0",
	  .value = "netfilter", .num = 1.5, .unit = "us", .tuple = &tuple4, .direction = "rx",
	  .trace = &traced },
	{ COMMON, .has_owner_field = true, .kind = EVENT_BW, .entity_id = "eth0", .value = "4",
	  .num = 4, .unit = "Mbit/s", .iface = "eth0", .rx_bytes = 500000, .rx_mbit = 4,
	  .what = "unowned", .interval_s = 1 },
	{ FOUND(EVENT_UDP_FLOOD, 5000, "pps"), .attack = &flood },
	{ FOUND(EVENT_ICMP_FLOOD, 5000, "pps"), .attack = &flood },
	{ FOUND(EVENT_PORT_SCAN, 5000, "ports"), .attack = &flood },
	{ FOUND(EVENT_UNBAN, 60, "s"), .attack = &flood },
	{ FOUND(EVENT_ALLOW, 60, "s"), .attack = &by_hand },
	{ COMMON, .kind = EVENT_HEALTH, .entity_id = "192.0.2.1:80/tcp", .value = "DOWN",
	  .unit = "count", .news = &down },
	{ COMMON, .kind = EVENT_HEALTH, .entity_id = "192.0.2.1:80/tcp", .value = "UP", .num = 1,
	  .unit = "count", .news = &up },
	{ COMMON, .kind = EVENT_AGAIN, .entity_id = "eth0", .value = "ATTACHED", .num = 1,
	  .unit = "count", .news = &attached },
	{ COMMON, .kind = EVENT_PROBE_LOSS, .entity_id = "send", .value = "5", .num = 5,
	  .unit = "events", .loss = &loss, .lost = true, .interval_s = 1 },
	{ COMMON, .kind = EVENT_PROBE_LOSS, .entity_id = "send", .value = "24", .num = 24,
	  .unit = "events", .loss = &loss, .lost = true, .final = true, .interval_s = 60 },
};

static int write_stream(struct buf *b, const char *name)
{
	size_t i;
	int r = 0;

	for (i = 0; i < sizeof(stream) / sizeof(stream[0]) && r == 0; i++) {
		if (strcmp(name, "events.json") == 0)
			r = event_write_json(b, &stream[i], "node-1");
		else if (strcmp(name, "events.xctl") == 0)
			r = event_write_xctl(b, &stream[i], "node-1");
		else
			r = event_write_text(b, &stream[i], strcmp(name, "events.color.txt") == 0,
					     0);
	}
	return r;
}

static int update(const char *path, const struct buf *b)
{
	FILE *f = fopen(path, "w");

	if (!f || fwrite(b->data, 1, b->len, f) != b->len || fclose(f) != 0) {
		perror(path);
		return 1;
	}
	return 0;
}

/* Says the first line that differs: a whole dump hides it. */
static int compare(const char *path, struct buf *b)
{
	FILE *f = fopen(path, "r");
	const char *p = buf_str(b);
	char *line = NULL;
	size_t size = 0;
	ssize_t n = 0;
	int number = 0, bad = 0;

	if (!f || !p) {
		perror(path);
		return 1;
	}
	while (!bad && (n = getline(&line, &size, f)) > 0) {
		number++;
		bad = strncmp(p, line, (size_t)n) != 0;
		p += bad ? 0 : n;
	}
	if (bad || *p) {
		printf("%s:%d differs\n  want: %s  have: %.*s\n", path, bad ? number : number + 1,
		       bad ? line : "(end)\n", (int)strcspn(p, "\n"), p);
		bad = 1;
	}
	free(line);
	(void)fclose(f);
	return bad;
}

/* Every event type of the table is spelled in this format. */
static int has_all_types(const char *text, const char *name)
{
	const struct record_type *t;
	char mark[64];
	int bad = 0;

	for (unsigned int i = 0; (t = record_type_at(i)); i++) {
		if (t->row)
			continue;
		(void)snprintf(mark, sizeof(mark),
			       strstr(name, "color")  ? "m%s\033"
			       : strstr(name, ".txt") ? " %s "
						      : "\"event_type\":\"%s\"",
			       t->name);
		if (text && strstr(text, mark))
			continue;
		printf("%s has no %s\n", name, t->name);
		bad = 1;
	}
	return bad;
}

static int run(const char *dir, const char *name, int rewrite, const char *where)
{
	struct buf b = { 0 };
	char path[512];
	int bad;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if (write_stream(&b, name) < 0) {
		printf("%s: cannot be written\n", name);
		bad = 1;
	} else {
		bad = rewrite ? update(path, &b) : compare(path, &b);
		bad |= has_all_types(buf_str(&b), name);
	}
	buf_done(&b);
	printf("%s %s%s\n", bad ? "not ok" : "ok", name, where);
	return bad;
}

/* What the writer says by hand is what the table of fields says: each record, and of each type at least one. */
static int hold_to_table(void)
{
	static bool seen[256];
	const struct record_type *t;
	char why[200] = "";
	int bad = 0;

	for (size_t i = 0; i < sizeof(stream) / sizeof(stream[0]); i++) {
		struct buf b = { 0 };
		json_t *record = NULL;

		if (!event_write_json(&b, &stream[i], "node-1"))
			record = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES, NULL);
		if (!fields_hold_event(record, why, sizeof(why))) {
			printf("record %zu, %s: %s\n", i, event_type_name(stream[i].kind), why);
			bad = 1;
		}
		for (unsigned int n = 0; (t = record_type_at(n)) && !t->row; n++)
			seen[n] |= !strcmp(t->name, event_type_name(stream[i].kind));
		json_decref(record);
		buf_done(&b);
	}
	for (unsigned int n = 0; (t = record_type_at(n)) && !t->row; n++) {
		if (seen[n])
			continue;
		printf("%s: no record of this type is here\n", t->name);
		bad = 1;
	}
	printf("%s records are as the table of fields says\n", bad ? "not ok" : "ok");
	return bad;
}

/* A library's caller may have any locale: the same bytes in one that writes 1,5. */
static int run_with_commas(const char *dir, const char *const *names, size_t n)
{
	char folder[] = "/tmp/netprobe-golden-XXXXXX", command[200], one[8] = "";
	int bad = 0;

	if (!mkdtemp(folder)) {
		perror(folder);
		return 1;
	}
	(void)snprintf(command, sizeof(command),
		       "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", folder);
	if (!system(command) && !setenv("LOCPATH", folder, 1) && setlocale(LC_ALL, "de_DE.UTF-8"))
		(void)snprintf(one, sizeof(one), "%.1f", 1.5);
	if (!strcmp(one, "1,5"))
		for (size_t i = 0; i < n; i++)
			bad |= run(dir, names[i], 0, " in de_DE");
	else
		printf("ok in de_DE # SKIP localedef cannot make that locale (package locales)\n");
	(void)setlocale(LC_ALL, "C");
	(void)snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command) ? 1 : bad;
}

int main(int argc, char **argv)
{
	static const char *const names[] = { "events.json", "events.xctl", "events.txt",
					     "events.color.txt" };
	const char *dir = getenv("NETPROBE_GOLDEN");
	int rewrite = argc > 1 && strcmp(argv[1], "--update") == 0, bad = 0;
	size_t i;

	(void)setenv("TZ", "UTC", 1);
	tzset();
	(void)inet_pton(AF_INET6, "::ffff:10.0.0.1", tuple4.laddr);
	(void)inet_pton(AF_INET6, "::ffff:192.0.2.200", tuple4.raddr);
	(void)inet_pton(AF_INET6, "2001:db8::1", tuple6.laddr);
	(void)inet_pton(AF_INET6, "2001:db8::2", tuple6.raddr);
	(void)inet_pton(AF_INET6, "::ffff:192.0.2.200", step.other.src);
	(void)inet_pton(AF_INET6, "::ffff:10.0.0.1", step.other.dst);
	step.tuple = tuple4;
	step.packet = packet;
	bad = hold_to_table();
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		bad |= run(dir ? dir : "tests/golden", names[i], rewrite, "");
	if (!rewrite)
		bad |= run_with_commas(dir ? dir : "tests/golden", names, i);
	return bad;
}
