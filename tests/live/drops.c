/* SPDX-License-Identifier: BSD-2-Clause */
/* Dropped packets: all of them, each with its reason, its place and its owner. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "drop_make.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define FLOOD 200000

/*
 * Segments out of order, then one that covers each: the kernel merges them, and where such a segment had its device is
 * a link of its tree.
 */
static const char out_of_order[] =
	"import socket, struct\n"
	"def csum(b):\n"
	"  b += b'\\0' * (len(b) % 2); t = sum(struct.unpack('!%dH' % (len(b) // 2), b))\n"
	"  while t >> 16: t = (t & 0xffff) + (t >> 16)\n"
	"  return ~t & 0xffff\n"
	"l = socket.create_server(('127.0.0.1', 7100)); c = socket.create_connection(('127.0.0.1', 7100))\n"
	"s = l.accept()[0]; port = c.getsockname()[1]\n"
	"c.setsockopt(6, 19, 1); c.setsockopt(6, 20, 2); seq = c.getsockopt(6, 21) & 0xffffffff\n"
	"c.setsockopt(6, 20, 1); ack = c.getsockopt(6, 21) & 0xffffffff; c.setsockopt(6, 19, -1)\n"
	"r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 255); a = socket.inet_aton('127.0.0.1')\n"
	"def send(off, n):\n"
	"  d = b'x' * n; q = (seq + off) & 0xffffffff\n"
	"  h = struct.pack('!HHIIBBHHH', port, 7100, q, ack, 0x50, 0x10, 500, 0, 0)\n"
	"  k = csum(a + a + struct.pack('!BBH', 0, 6, len(h) + n) + h + d)\n"
	"  h = h[:16] + struct.pack('!H', k) + h[18:]\n"
	"  r.sendto(struct.pack('!BBHHHBBH', 0x45, 0, 20 + len(h) + n, 1, 0, 64, 6, 0) + a + a + h + d, ('127.0.0.1', 0))\n"
	"for i in range(15): send(1000 + 300 * i, 100)\n"
	"for i in range(7): send(900 + 600 * i, 350)\n";

TEST(segments_out_of_order_have_their_interface_and_no_memory_of_the_kernel)
{
	struct netns ns = netns_new();
	struct probe p = start_drops("--all", NULL, NULL);
	char command[sizeof(out_of_order) + 64];
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	snprintf(command, sizeof(command), "python3 -c \"%s\"", out_of_order);
	netns_must(&ns, command);
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (strcmp(record_str(one, "value"), "DROP:TCP_OFOMERGE") != 0)
			continue;
		if (record_u64(one, "lport") != 7100)
			continue;
		n++;
		CHECK_EQ(record_u64(one, "netns"), ns.inode, "netns");
		CHECK(!strcmp(record_str(one, "iface"), "lo"), "iface: expected lo, got %s",
		      record_str(one, "iface"));
	}
	CHECK(n > 0, "expected segments that were merged, got none");
}

TEST(a_flood_to_a_closed_port_is_counted_to_the_last_packet)
{
	struct netns ns = netns_new();
	struct dgrams flood = { AF_INET, test_slow() > 1 ? FLOOD / 10 : FLOOD, 20, CLOSED, false };
	struct probe p = start_drops(NULL, NULL, NULL);
	int64_t begin = now_ms();
	uint64_t no_ports, limit;
	struct drops d;

	finish(start_in(&ns, send_dgrams, &flood));
	limit = 10 * (uint64_t)((now_ms() - begin) / 1000 + 2);
	no_ports = netns_counter(&ns, "Udp", "NoPorts");
	probe_stop(&p);
	d = count_drops(p.records, &ns, "NO_SOCKET", 0);
	CHECK_EQ(d.packets, no_ports, "packets in events, against UdpNoPorts");
	/* A processor that cannot follow drops before the stack sees the packet. */
	CHECK_EQ(no_ports + count_drops(p.records, &ns, "CPU_BACKLOG", 0).packets, flood.count,
		 "packets dropped");
	/* What was not told goes with a record that no processor made: at the end, and whenever drops of others fill the table. */
	CHECK(d.events - d.rests <= limit, "events: expected at most %" PRIu64 ", got %" PRIu64,
	      limit, d.events - d.rests);
	CHECK(d.suppressed > 0, "suppressed packets: expected some, got none");
	REQUIRE(d.first, "an event of the flood: expected one, got none");
	CHECK(!strcmp(record_str(d.first, "value"), "DROP:NO_SOCKET"), "value: got %s",
	      record_str(d.first, "value"));
	CHECK(!strcmp(record_str(d.first, "entity_id"), "lo"), "entity_id: got %s",
	      record_str(d.first, "entity_id"));
	CHECK(!strcmp(record_str(d.first, "location"), "__udp4_lib_rcv"), "location: got %s",
	      record_str(d.first, "location"));
	CHECK_EQ(record_u64(d.first, "pid"), 0, "owner of a packet for nobody");
	CHECK_EQ(record_u64(d.first, "lport"), CLOSED, "port it was for");
	CHECK_EQ(record_u64(d.first, "len_bytes"), 48, "bytes of it");
	CHECK_EQ(record_u64(d.first, "ttl"), 64, "its TTL");
}

/* The table of kinds is emptied whenever a quarter of it is taken. */
TEST(a_kind_keeps_its_limit_of_events_while_others_fill_the_table)
{
	struct netns ns = netns_new(), others = netns_new();
	struct dgrams flood = { AF_INET, test_slow() > 1 ? FLOOD / 10 : FLOOD, 20, CLOSED, false };
	struct probe p = start_drops(NULL, NULL, NULL);
	int64_t begin = now_ms();
	uint64_t limit;
	struct drops d;
	pid_t pid = start_in(&ns, send_dgrams, &flood);

	/* not so many at a time that ports are left out (three quarters) */
	netns_must(&others,
		   "python3 -c \"import socket, time\n"
		   "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		   "for n in range(4):\n"
		   "  for i in range(6000): s.sendto(b'x', ('127.0.0.1', 2 + n * 6000 + i))\n"
		   "  time.sleep(1.2)\"");
	finish(pid);
	limit = 10 * (uint64_t)((now_ms() - begin) / 1000 + 2);
	probe_stop(&p);
	d = count_drops(p.records, &ns, "NO_SOCKET", 0);
	test_note("%" PRIu64 " events, %" PRIu64 " of what was left", d.events, d.rests);
	CHECK(d.events > d.rests, "events of the flood: expected some, got none");
	CHECK(d.events - d.rests <= limit, "events: expected at most %" PRIu64 ", got %" PRIu64,
	      limit, d.events - d.rests);
}

static void check_overflow(int family)
{
	struct netns ns = netns_new();
	struct dgrams flood = { family, 2000, 500, OPEN, false };
	struct probe p = start_drops(NULL, NULL, NULL);
	uint64_t errors;
	struct drops d;
	pid_t pid;
	char byte;

	REQUIRE(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0, "pipe");
	pid = start_in(&ns, hold_socket, &family);
	REQUIRE(read(up[0], &byte, 1) == 1, "the receiver did not come up");
	finish(start_in(&ns, send_dgrams, &flood));
	errors = rcvbuf_errors(&ns, family);
	probe_stop(&p);
	kill(pid, SIGKILL);
	d = count_drops(p.records, &ns, "SOCKET_RCVBUFF", pid);
	CHECK(errors > 1000, "RcvbufErrors: expected most of 2000, got %" PRIu64, errors);
	CHECK_EQ(d.packets, errors, "packets in events");
	CHECK_EQ(d.owned, errors, "packets of the receiver");
	CHECK(d.first && record_u64(d.first, "sock") &&
		      !strncmp(record_str(d.first, "entity_id"), "socket-", 7),
	      "entity_id: expected the receiver's socket");
	CHECK(d.first && !strcmp(record_str(d.first, "owner_match"), "exact"), "owner_match");
	CHECK(d.first && !strcmp(record_str(d.first, "iface"), "lo"), "iface: expected lo, got %s",
	      d.first ? record_str(d.first, "iface") : "");
}

TEST(datagrams_that_find_their_buffer_full_are_the_receivers)
{
	check_overflow(AF_INET);
}

TEST(datagrams_that_find_their_buffer_full_are_the_receivers_over_ipv6)
{
	check_overflow(AF_INET6);
}

TEST(a_packet_dropped_on_its_way_out_is_its_senders)
{
	struct netns ns = netns_new();
	struct dgrams few = { AF_INET, 5, 100, OPEN, true };
	struct probe p;
	struct drops d;
	pid_t pid;

	drop_output(&ns, "udp dport 7000");
	p = start_drops(NULL, NULL, NULL);
	pid = start_in(&ns, send_dgrams, &few);
	finish(pid);
	probe_stop(&p);
	d = count_drops(p.records, &ns, "NETFILTER_DROP", pid);
	CHECK_EQ(d.packets, 5, "packets dropped by the rule");
	CHECK_EQ(d.owned, 5, "of them the sender's");
	REQUIRE(d.first, "an event: expected one, got none");
	CHECK(!strcmp(record_str(d.first, "direction"), "tx"), "direction: got %s",
	      record_str(d.first, "direction"));
	CHECK_EQ(record_u64(d.first, "rport"), OPEN, "port it was for");
}

/* A listener, and a request to it that is answered into the void. */
static void ask_in_vain(void *arg)
{
	struct sockaddr_storage a;
	socklen_t len = loopback(AF_INET, OPEN, &a);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), alive = *(int *)arg;
	char byte;

	if (bind(listener, (struct sockaddr *)&a, len) < 0 || listen(listener, 1) < 0 ||
	    connect(fd, (struct sockaddr *)&a, len) == 0 || errno != EINPROGRESS)
		_exit(1);
	(void)!read(alive, &byte, 1); /* until the test has seen it */
}

static void check_listener(bool summary)
{
	struct netns ns = netns_new();
	uint64_t owned = 0, others = 0;
	int alive[2];
	struct probe p;
	const json_t *r;
	pid_t pid;
	size_t i;

	drop_output(&ns, "tcp sport 7000");
	REQUIRE(pipe(alive) == 0, "pipe: %s", strerror(errno));
	p = start_drops("--port", "7000", summary ? "--summary" : NULL);
	pid = start_in(&ns, ask_in_vain, &alive[0]);
	netns_wait_counter(&ns, "TcpExt", "TCPTimeouts",
			   1); /* its SYN is sent again: it was dropped */
	(void)!write(alive[1], "x", 1);
	finish(pid);
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (record_u64(r, "netns") != ns.inode ||
		    strcmp(record_str(r, "reason"), "NETFILTER_DROP"))
			continue;
		if (record_u64(r, "pid") == (uint64_t)pid &&
		    !strcmp(record_str(r, "owner_match"), "listener"))
			owned += record_u64(r, "packets");
		else
			others += record_u64(r, "packets");
	}
	CHECK(owned > 0, "answers to a request, dropped: expected them to be the listener's");
	CHECK_EQ(others, 0, "of them somebody else's or nobody's");
}

TEST(answers_to_requests_that_are_dropped_are_the_listeners)
{
	check_listener(false);
}

TEST(a_summary_knows_the_listener_of_dropped_answers)
{
	check_listener(true);
}

TEST(a_sample_of_drops_is_refused_in_words)
{
	const char *args[] = { "drops", "--sample-rate", "10", NULL };
	struct probe p;
	char *log;

	CHECK_EQ(probe_run(&p, args), 3, "exit code");
	log = file_text(p.log);
	CHECK(strstr(log, "--sample-rate") && strstr(log, "'10'"),
	      "expected the option and what was given, got: %s", log);
	free(log);
}

TEST(a_sample_of_drops_is_refused_by_ctl_too)
{
	struct probe p;
	struct said s;

	own_run_dir();
	p = start_drops("--max-events", "50", NULL);
	s = ctl("set", "sample-rate=10", "max-events=7", NULL);
	CHECK_EQ(s.status, 3, "exit code of ctl");
	CHECK(strstr(s.log, "--sample-rate"), "expected the option to be named, got: %s", s.log);
	check_value(&p, "sample-rate", "1");
	check_value(&p, "max-events", "50");
	probe_stop(&p);
}

static uint64_t dropped_events(const json_t *records)
{
	uint64_t n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		n += !strcmp(record_str(r, "event_type"), "transport.drop");
	return n;
}

/* A record of several packets has no length, and then no TTL either. */
static void check_sums_tell_no_ttl(const json_t *records)
{
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		CHECK(!json_is_null(json_object_get(r, "len_bytes")) ||
			      json_is_null(json_object_get(r, "ttl")),
		      "ttl of a sum: expected null, got %" PRIu64, record_u64(r, "ttl"));
}

TEST(max_events_bounds_events_of_drops_and_no_packet_is_lost)
{
	struct netns ns = netns_new();
	struct dgrams many[8];
	struct probe p;
	uint64_t packets = 0;
	int64_t began;

	began = now_ms();
	p = start_drops("--max-events", "3", NULL);
	/* 8 kinds, each of which may have 10 events a second */
	for (uint16_t i = 0; i < 8; i++) {
		many[i] = (struct dgrams){ AF_INET, 20, 10, (uint16_t)(CLOSED - i), false };
		finish(start_in(&ns, send_dgrams, &many[i]));
	}
	probe_stop(&p);
	packets = count_drops(p.records, &ns, "NO_SOCKET", 0).packets;
	check_sums_tell_no_ttl(p.records);
	CHECK_EQ(packets, 160, "packets of all events");
	/* at the end each kind may have one more, of what was not told yet; so may others' drops */
	CHECK(count_drops(p.records, &ns, "NO_SOCKET", 0).events <=
		      (uint64_t)(3 * ((now_ms() - began) / 1000 + 2) + 8),
	      "events: expected 3 a second and one for each kind, got %" PRIu64,
	      dropped_events(p.records));
}

static void connect_once(void *arg)
{
	struct sockaddr_storage to;
	socklen_t len = loopback(AF_INET, *(uint16_t *)arg, &to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, len) == 0 || errno != ECONNREFUSED)
		_exit(1);
}

TEST(a_connection_request_for_a_closed_port_has_no_owner)
{
	struct netns ns = netns_new();
	struct probe p = start_drops(NULL, NULL, NULL);
	uint16_t port = CLOSED;
	struct drops d;

	finish(start_in(&ns, connect_once, &port));
	probe_stop(&p);
	d = count_drops(p.records, &ns, "NO_SOCKET", 0);
	CHECK_EQ(d.packets, 1, "packets");
	REQUIRE(d.first, "an event: expected one, got none");
	CHECK(!strcmp(record_str(d.first, "tcp_flags"), "SYN"), "tcp_flags: got %s",
	      record_str(d.first, "tcp_flags"));
	CHECK(!strcmp(record_str(d.first, "owner_match"), "none"), "owner_match: got %s",
	      record_str(d.first, "owner_match"));
	CHECK(json_is_null(json_object_get(d.first, "pid")), "pid: expected null");
}

/* Drops of two ports under a filter that names one: which were told. */
static void check_filter(const char *a, const char *b, bool first, bool second)
{
	struct netns ns = netns_new();
	struct dgrams one = { AF_INET, 3, 10, 5001, false },
		      other = { AF_INET, 3, 10, 5002, false };
	struct probe p = start_drops(a, b, NULL);
	uint64_t got[2] = {};
	const json_t *r;
	size_t i;

	finish(start_in(&ns, send_dgrams, &one));
	finish(start_in(&ns, send_dgrams, &other));
	probe_stop(&p);
	json_array_foreach (p.records, i, r)
		if (is_drop(r, &ns, "NO_SOCKET") && record_u64(r, "lport") - 5001 < 2)
			got[record_u64(r, "lport") - 5001] += record_u64(r, "packets");
	CHECK(got[0] == (first ? 3 : 0), "%s %s, port 5001: got %" PRIu64, a, b, got[0]);
	CHECK(got[1] == (second ? 3 : 0), "%s %s, port 5002: got %" PRIu64, a, b, got[1]);
}

TEST(drops_are_filtered_by_port)
{
	check_filter("--port", "5001", true, false);
	check_filter("--src-port", "5002", false, true);
	check_filter("--dst-port", "5001", false, false);
}

TEST(drops_are_chosen_by_an_expression)
{
	check_filter("--match", "lport=5001 and len_bytes>0", true, false);
	check_filter("--match", "not (lport=5001) reason:socket", false, true);
	check_filter("--match", "lport>=5001 type=transport.drop", true, true);
	check_filter("--match", "comm=nobody", false, false);
}

TEST(drops_are_filtered_by_protocol_address_and_interface)
{
	check_filter("--proto", "udp", true, true);
	check_filter("--proto", "tcp", false, false);
	check_filter("--host", "127.0.0.0/8", true, true);
	check_filter("--host", "10.0.0.0/8", false, false);
	check_filter("-i", "lo", true, true);
}

TEST(drops_are_filtered_by_owner)
{
	struct netns ns = netns_new();
	struct dgrams few = { AF_INET, 5, 100, OPEN, true };
	struct probe mine, others;
	pid_t pid;

	drop_output(&ns, "udp dport 7000");
	mine = start_drops("--comm", "live_drops", NULL);
	others = start_drops("--comm", "somebody", NULL);
	pid = start_in(&ns, send_dgrams, &few);
	finish(pid);
	probe_stop(&mine);
	probe_stop(&others);
	CHECK_EQ(count_drops(mine.records, &ns, "NETFILTER_DROP", pid).owned, 5,
		 "--comm of the sender");
	CHECK_EQ(count_drops(others.records, &ns, "NETFILTER_DROP", pid).packets, 0,
		 "--comm of another");
}

/* Never reads: what comes fills its buffer, and then its window is shut. */
static void serve_nothing(void *arg)
{
	int listener = socket(AF_INET, SOCK_STREAM, 0), size = 4096, fd;
	struct sockaddr_storage at;
	socklen_t len = loopback(AF_INET, OPEN, &at);
	char byte;

	(void)arg;
	if (setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)) < 0 ||
	    bind(listener, (struct sockaddr *)&at, len) < 0 || listen(listener, 1) < 0 ||
	    write(up[1], "", 1) != 1)
		_exit(1);
	fd = accept(listener, NULL, NULL);
	close(down[1]);
	if (fd < 0 || read(down[0], &byte, 1) < 0)
		_exit(1);
	pause();
}

static void push(void *arg)
{
	struct sockaddr_storage to;
	socklen_t len = loopback(AF_INET, OPEN, &to);
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	static char data[65536];

	(void)arg;
	if (connect(fd, (struct sockaddr *)&to, len) < 0)
		_exit(1);
	for (;;)
		if (send(fd, data, sizeof(data), 0) < 0)
			_exit(1);
}

static bool is_refused(const json_t *r, const void *arg)
{
	return record_u64(r, "netns") == *(const uint64_t *)arg && record_u64(r, "lport") == OPEN &&
	       !strncmp(record_str(r, "reason"), "TCP_", 4);
}

TEST(a_segment_that_its_socket_refuses_is_the_receivers)
{
	struct netns ns = netns_new();
	struct probe p = start_drops("--all", NULL, NULL);
	pid_t server, client;
	const json_t *r;
	json_t *first;
	char byte;
	size_t i;

	REQUIRE(pipe2(up, O_CLOEXEC) == 0 && pipe2(down, O_CLOEXEC) == 0, "pipe");
	server = start_in(&ns, serve_nothing, NULL);
	REQUIRE(read(up[0], &byte, 1) == 1, "the server did not come up");
	client = start_in(&ns, push, NULL);
	first = probe_wait_record(&p, is_refused, &ns.inode, 5000);
	CHECK(first, "a segment refused for want of room: expected one, got none");
	probe_stop(&p);
	kill(client, SIGKILL);
	kill(server, SIGKILL);
	json_array_foreach (p.records, i, r) {
		if (!is_refused(r, &ns.inode))
			continue;
		CHECK_EQ(record_u64(r, "pid"), (uint64_t)server, "owner of the refused segment");
		CHECK(!strcmp(record_str(r, "state"), "ESTABLISHED"), "state: got %s",
		      record_str(r, "state"));
	}
}

TEST(another_family_of_hooks_is_refused_in_words)
{
	const char *args[] = { "drops", "--hook", "kprobe", NULL };
	struct probe p;
	int status = probe_run(&p, args);
	char *log = file_text(p.log);

	CHECK_EQ(status, 2, "exit code");
	CHECK(strstr(log, "kprobe"), "expected the family to be named, got: %s", log);
	free(log);
}

TEST(drops_of_nobody_pass_no_filter_of_owners)
{
	check_filter("--comm", "nobody", false, false);
}

TEST(stacks_are_names_and_no_addresses)
{
	struct netns ns = netns_new();
	struct dgrams few = { AF_INET, 3, 10, CLOSED, false };
	struct probe p = start_drops("--stack", NULL, NULL);
	const char *top;
	struct drops d;
	char *text;

	finish(start_in(&ns, send_dgrams, &few));
	probe_stop(&p);
	d = count_drops(p.records, &ns, "NO_SOCKET", 0);
	REQUIRE(d.first, "an event: expected one, got none");
	CHECK(json_array_size(json_object_get(d.first, "stack")) > 5,
	      "stack: expected more than 5 functions");
	top = json_string_value(json_array_get(json_object_get(d.first, "stack"), 0));
	CHECK(top && !strncmp(top, "__udp4_lib_rcv+0x", 17), "innermost function: got %s",
	      top ?: "");
	text = file_text(p.out);
	CHECK(!strstr(text, "ffffffff"), "expected no kernel address, got one");
	free(text);
}

TEST(stacks_and_addresses_are_there_only_when_asked_for)
{
	struct netns ns = netns_new();
	struct dgrams few = { AF_INET, 3, 10, CLOSED, false };
	struct probe plain = start_drops(NULL, NULL, NULL);
	struct probe with = start_drops("--stack", "--kernel-addresses", NULL);
	const char *top;
	struct drops d;

	finish(start_in(&ns, send_dgrams, &few));
	probe_stop(&plain);
	probe_stop(&with);
	d = count_drops(plain.records, &ns, "NO_SOCKET", 0);
	CHECK(d.first && json_is_null(json_object_get(d.first, "stack")), "stack: expected null");
	d = count_drops(with.records, &ns, "NO_SOCKET", 0);
	top = d.first ? json_string_value(json_array_get(json_object_get(d.first, "stack"), 0))
		      : NULL;
	CHECK(top && !strncmp(top, "ffff", 4) && strstr(top, " __udp4_lib_rcv+0x"),
	      "innermost function: expected its address and name, got %s", top ?: "");
}

TEST(a_summary_has_every_packet_once)
{
	struct netns ns = netns_new();
	struct dgrams one = { AF_INET, 300, 10, CLOSED, false };
	struct dgrams other = { AF_INET6, 200, 10, CLOSED, false };
	const char *args[] = { "drops", "--summary", "--by", "place", "--format", "json", NULL };
	uint64_t got[2] = {};
	struct probe p;
	const json_t *r;
	size_t i;

	need_tracepoint();
	p = probe_start_args(args);
	finish(start_in(&ns, send_dgrams, &one));
	finish(start_in(&ns, send_dgrams, &other));
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (record_u64(r, "netns") != ns.inode)
			continue;
		if (!strcmp(record_str(r, "location"), "__udp4_lib_rcv"))
			got[0] += record_u64(r, "packets");
		if (!strcmp(record_str(r, "location"), "__udp6_lib_rcv"))
			got[1] += record_u64(r, "packets");
	}
	CHECK_EQ(got[0], 300, "packets over IPv4");
	CHECK_EQ(got[1], 200, "packets over IPv6");
}

TEST(a_process_that_is_not_there_is_named)
{
	const char *args[] = { "drops", "-p", "4194303", NULL };
	struct probe p;
	int status = probe_run(&p, args);
	char *log = file_text(p.log);

	CHECK_EQ(status, 3, "exit code");
	CHECK(strstr(log, "4194303"), "expected the process to be named, got: %s", log);
	free(log);
}
