/* SPDX-License-Identifier: BSD-2-Clause */
/* The rung that needs no rights: what it counts, whom it names, and what it leaves open. */
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rung.h"
#include "tap.h"

static const json_t *close_of(const json_t *records, const json_t *report)
{
	const json_t *r = record_of_socket(records, "conn.close", report);

	REQUIRE(r, "no conn.close of socket %" PRIu64, record_u64(report, "cookie"));
	return r;
}

/* Both ends, held until they were seen once: the process is known and so is every byte. */
static struct maker held_stream(struct probe *p, const char *command)
{
	struct maker m = maker_start(NULL, -1, command);
	pid_t pid = maker_wait_hold(&m);

	if (p)
		rung_wait_open(p, pid);
	maker_go(&m);
	maker_finish(&m);
	return m;
}

TEST(proc_owns_connections_that_outlive_an_interval)
{
	(void)rung_enter();
	struct probe p = rung_events("proc", 0, 0);
	struct maker m = held_stream(&p, "stream --hold connected --bytes 300000 --reply 7000");
	const json_t *client = maker_report(&m, "client"), *r;
	uint64_t iface = 0;
	size_t i;

	rung_wait_closed(&p, 2);
	probe_stop(&p);
	rung_check_mode(p.records, "proc");
	json_array_foreach (p.records, i, r)
		if (!strcmp(record_str(r, "event_type"), "stats.iface") &&
		    !strcmp(record_str(r, "entity_id"), "lo"))
			iface = record_u64(r, "tx_bytes");
	CHECK(iface >= 307000 && iface < 2 * 307000,
	      "lo: expected somewhat more than the 307000 bytes of payload, got %" PRIu64, iface);
	r = close_of(p.records, client);
	CHECK_EQ(record_u64(r, "pid"), record_u64(client, "pid"), "owner");
	CHECK(!strcmp(record_str(r, "owner_match"), "procfs"),
	      "owner_match: expected procfs, got %s", record_str(r, "owner_match"));
	CHECK_EQ(record_u64(r, "tx_bytes"), report_u64(client, "tx"), "bytes sent");
	/* the peer's FIN may be told apart from a byte only while the connection lasts */
	CHECK(record_u64(r, "rx_bytes") - report_u64(client, "rx") <= 1,
	      "bytes received: expected %" PRIu64 " or one more, got %" PRIu64,
	      report_u64(client, "rx"), record_u64(r, "rx_bytes"));
}

TEST(proc_counts_connections_shorter_than_an_interval_without_an_owner)
{
	(void)rung_enter();
	struct probe p = rung_events("proc", 0, 0);
	uint64_t sent = 0, seen = 0, n = 0;
	const json_t *one;
	size_t i;

	for (unsigned int k = 0; k < 20; k++) {
		struct maker m = maker_run(NULL, "stream --bytes 12345");

		sent += report_u64(maker_report(&m, "client"), "tx");
	}
	rung_wait_closed(&p, 40);
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (strcmp(record_str(one, "event_type"), "conn.close") != 0)
			continue;
		seen += record_u64(one, "tx_bytes");
		n++;
	}
	CHECK_EQ(n, 40, "ends of connections");
	CHECK_EQ(seen, sent, "bytes sent");
}

TEST(proc_without_rights_counts_all_and_owns_nothing_of_others)
{
	(void)rung_enter();
	struct probe p = rung_events("proc", RUNG_NOBODY, 0);
	struct maker m = maker_run(NULL, "stream --bytes 54321");
	const json_t *r;

	rung_wait_closed(&p, 2);
	probe_stop(&p);
	rung_check_mode(p.records, "proc");
	r = close_of(p.records, maker_report(&m, "client"));
	CHECK(json_is_null(json_object_get(r, "pid")), "somebody else's socket has an owner");
	CHECK(!strcmp(record_str(r, "owner_match"), "none"), "owner_match: expected none, got %s",
	      record_str(r, "owner_match"));
	CHECK_EQ(record_u64(r, "tx_bytes"), 54321, "bytes sent");
}

TEST(proc_serves_top_flows_and_why_without_rights)
{
	static const char *const flows[] = { "flows", "--format",	"json", "--duration",
					     "1.2",   "--capture-mode", "proc", NULL };
	static const char *const top[] = { "top", "--once", "--capture-mode", "proc", NULL };
	static const char *const why[] = {
		"why", "--format", "json", "--capture-mode", "proc", NULL
	};
	static const char *const *const commands[] = { flows, top, why };
	struct netns ns = rung_enter();
	struct maker m = maker_start(NULL, -1, "stream --seconds 12");

	netns_wait_counter(&ns, "Tcp", "InSegs", 100);
	for (unsigned int i = 0; i < 3; i++) {
		char *out, *said;
		int status = rung_run(commands[i], RUNG_NOBODY, 0, &out, &said);

		CHECK(status == 0, "%s: expected exit 0, got %d: %s", commands[i][0], status, said);
		if (i == 0)
			CHECK(strstr(out, "\"ESTABLISHED\""), "flows: no connection: %.300s", out);
		if (i == 2)
			CHECK(strstr(out, "\"connections\":2"), "why: expected 2: %.300s", out);
		free(out);
		free(said);
	}
	(void)m;
}

TEST(proc_knows_no_bytes_of_datagrams_and_says_null)
{
	static const char *const args[] = { "flows",	  "--format", "json",
					    "--duration", "0.5",      "--capture-mode",
					    "proc",	  "-q",	      NULL };
	char *out, *said;
	struct maker m;
	json_t *flow;

	(void)rung_enter();
	m = maker_start(NULL, -1, "dgram --hold start --count 3");
	(void)maker_wait_hold(&m);
	CHECK_EQ(rung_run(args, 0, 0, &out, &said), 0, "exit code");
	out[strcspn(out, "\n")] = '\0';
	flow = json_loads(out, 0, NULL);
	REQUIRE(flow, "no flow: %.200s %s", out, said);
	CHECK(!strcmp(record_str(flow, "transport"), "udp"), "not the datagram socket: %s", out);
	CHECK(record_u64(flow, "pid"), "no owner: %s", out);
	CHECK(json_is_null(json_object_get(flow, "tx_bytes")) &&
		      json_is_null(json_object_get(flow, "rx_pkts")),
	      "expected null: %s", out);
	json_decref(flow);
	free(out);
	free(said);
}

/* A row of the view as well: 0 would be a figure. */
TEST(proc_has_no_bytes_for_a_row_of_a_datagram_socket)
{
	static const char *const args[] = { "top",    "--once",		"--by", "connection",
					    "--idle", "--format",	"json", "--interval",
					    "0.2",    "--capture-mode", "proc", "-q",
					    NULL };
	char *out, *said;
	struct maker m;
	json_t *row;

	(void)rung_enter();
	m = maker_start(NULL, -1, "dgram --hold start --count 3");
	(void)maker_wait_hold(&m);
	CHECK_EQ(rung_run(args, 0, 0, &out, &said), 0, "exit code");
	out[strcspn(out, "\n")] = '\0';
	row = json_loads(out, 0, NULL);
	REQUIRE(row, "no row: %.200s %s", out, said);
	CHECK(record_u64(row, "pid"), "no owner: %s", out);
	CHECK(json_is_null(json_object_get(row, "tx_bytes")) &&
		      json_is_null(json_object_get(row, "rx_bytes")) &&
		      json_is_null(json_object_get(row, "tx_bytes_per_s")) &&
		      json_is_null(json_object_get(row, "rx_bytes_per_s")),
	      "expected null: %s", out);
	json_decref(row);
	free(out);
	free(said);
}

TEST(proc_leaves_out_what_the_filters_exclude)
{
	static const char *const args[] = { "events", "--format",   "json",	      "--interval",
					    "0.2",    "--dst-port", "4001",	      "--proto",
					    "tcp",    "-q",	    "--capture-mode", "proc",
					    NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	(void)rung_enter();
	struct probe p = probe_spawn(&opts);
	struct maker yes = maker_run(NULL, "stream --port 4001 --bytes 1000"),
		     no = maker_run(NULL, "stream --port 4002 --bytes 1000");

	rung_wait_closed(&p, 1);
	probe_stop(&p);
	CHECK_EQ(record_u64(close_of(p.records, maker_report(&yes, "client")), "tx_bytes"), 1000,
		 "bytes sent to the wanted port");
	CHECK(!record_of_socket(p.records, NULL, maker_report(&no, "client")),
	      "a record of a port that was not asked for");
	CHECK(!record_of_socket(p.records, NULL, maker_report(&yes, "server")),
	      "a record of the end whose remote port is another");
}

struct telling {
	const char *path, *words;
};

static bool tells(void *arg)
{
	const struct telling *t = arg;
	char *said = file_text(t->path);
	bool found = strstr(said, t->words);

	free(said);
	return found;
}

static bool is_iface(const json_t *record, const void *name)
{
	return !strcmp(record_str(record, "event_type"), "stats.iface") &&
	       !strcmp(record_str(record, "entity_id"), name);
}

/* The last that was told of an interface. */
static uint64_t iface_pkts(const json_t *records, const char *name)
{
	uint64_t n = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (is_iface(r, name))
			n = record_u64(r, "rx_pkts");
	return n;
}

struct awaited {
	const struct probe *p;
	const char *name;
	uint64_t pkts;
};

static bool has_pkts(void *arg)
{
	const struct awaited *a = arg;
	json_t *records = probe_records(a->p);
	bool yes = iface_pkts(records, a->name) >= a->pkts;

	json_decref(records);
	return yes;
}

/* An interval may have ended between two frames. */
static void wait_pkts(const struct probe *p, const char *name, uint64_t pkts)
{
	struct awaited a = { p, name, pkts };

	CHECK(wait_until(has_pkts, &a, RUNG_END_MS), "no record had %" PRIu64 " packets of %s",
	      pkts, name);
}

/* Into the other end, of a protocol that nobody answers. */
static void send_frames(unsigned int n)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex("np-d1"),
				  .sll_protocol = htons(0x88b5) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t frame[60] = { 2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 0x88, 0xb5 };

	while (n--)
		REQUIRE(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) ==
				sizeof(frame),
			"cannot send a frame");
	(void)close(fd);
}

TEST(proc_follows_interfaces_that_come_and_go)
{
	static const char *const args[] = { "events", "--format", "json",  "--interval",
					    "0.2",    "-i",	  "np-d0", "--capture-mode",
					    "proc",   NULL };
	static const char make[] =
		"ip link add np-d0 %s type veth peer name np-d1 && "
		"ip link set np-d0 addrgenmode none && ip link set np-d1 addrgenmode none && "
		"ip link set np-d0 up && ip link set np-d1 up";
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns ns = rung_enter();
	struct telling gone = { NULL, "interface np-d0 (4000) vanished" };
	struct telling came = { NULL, "interface np-d0 (4100) appeared" };
	char command[512];
	struct probe p;
	json_t *r;

	snprintf(command, sizeof(command), make, "index 4000");
	netns_must(&ns, command);
	p = probe_spawn(&opts);
	gone.path = came.path = p.log;
	send_frames(300);
	r = probe_wait_record(&p, is_iface, "np-d0", RUNG_END_MS);
	REQUIRE(r, "no record of the first interface");
	json_decref(r);
	/* one after the other within an interval: the number alone tells them apart */
	snprintf(command, sizeof(command), make, "index 4100");
	netns_must(&ns, "ip link del np-d0");
	netns_must(&ns, command);
	send_frames(200);
	CHECK(wait_until(tells, &gone, RUNG_END_MS), "nothing was said of the interface that went");
	CHECK(wait_until(tells, &came, RUNG_END_MS), "nothing was said of the one that came");
	wait_pkts(&p, "np-d0", 200);
	probe_stop(&p);
	CHECK_EQ(iface_pkts(p.records, "np-d0"), 200, "packets of the one that came");
	CHECK_EQ(iface_pkts(p.records, "np-d1"), 0, "packets of one that was not asked for");
}

/* The largest rate that was told of an interface, Mbit/s. */
static double iface_most(const json_t *records, const char *name)
{
	double most = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (is_iface(r, name) && record_num(r, "num") > most)
			most = record_num(r, "num");
	return most;
}

/* An interface is its number, in its namespace: a new name, or another namespace, is no traffic. */
TEST(an_interface_that_is_renamed_or_comes_from_elsewhere_brings_no_bytes_along)
{
	static const char *const args[] = { "events", "--format",	"json", "--interval",
					    "0.2",    "--capture-mode", "proc", NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	struct netns other = netns_new(), ns;
	struct telling came = { NULL, "interface np-new (4000) appeared" };
	struct telling gone = { NULL, "interface np-d0 (4000) vanished" };
	struct telling moved = { NULL, "interface np-d5 (5000) appeared" };
	char command[256];
	struct probe p;
	json_t *r;

	/* one with a past, in another namespace: its number is free here as well */
	rung_go(&other);
	netns_must(&other,
		   "ip link add np-d5 index 5000 type veth peer name np-d1 && "
		   "ip link set np-d5 addrgenmode none && ip link set np-d1 addrgenmode none && "
		   "ip link set np-d5 up && ip link set np-d1 up");
	send_frames(20000);
	ns = rung_enter();
	netns_must(&ns,
		   "ip link add np-d0 index 4000 type veth peer name np-d1 && "
		   "ip link set np-d0 addrgenmode none && ip link set np-d1 addrgenmode none && "
		   "ip link set np-d0 up && ip link set np-d1 up");
	send_frames(20000);
	p = probe_spawn(&opts);
	came.path = gone.path = moved.path = p.log;
	send_frames(10);
	r = probe_wait_record(&p, is_iface, "np-d0", RUNG_END_MS);
	REQUIRE(r, "no record of the interface");
	json_decref(r);
	netns_must(&ns, "ip link set np-d0 down && ip link set np-d0 name np-new && "
			"ip link set np-new up");
	CHECK(wait_until(tells, &came, RUNG_END_MS), "nothing was said of the new name");
	CHECK(wait_until(tells, &gone, RUNG_END_MS), "nothing was said of the old name");
	send_frames(5);
	snprintf(command, sizeof(command), "ip link set np-d5 netns %d", (int)ns.holder);
	netns_must(&other, command);
	CHECK(wait_until(tells, &moved, RUNG_END_MS), "nothing was said of the one that came");
	netns_must(&ns, "ip link set np-d5 up");
	rung_go(&other);
	send_frames(7);
	wait_pkts(&p, "np-d5", 7);
	probe_stop(&p);
	CHECK_EQ(iface_pkts(p.records, "np-new"), 15,
		 "packets since the start, under the new name");
	CHECK(iface_most(p.records, "np-new") < 1, "the rename was told as %f Mbit/s",
	      iface_most(p.records, "np-new"));
	CHECK_EQ(iface_pkts(p.records, "np-d5"), 7, "packets since it came");
	CHECK(iface_most(p.records, "np-d5") < 1, "its past was told as %f Mbit/s",
	      iface_most(p.records, "np-d5"));
}

struct ends {
	const struct probe *p;
	uint64_t port, rx_bytes;
	unsigned int n;
};

/* Ends that were told of connections from a port, and what they received. */
static struct ends count_ends(const json_t *records, uint64_t lport)
{
	struct ends e = { .port = lport };
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		if (strcmp(record_str(r, "event_type"), "conn.close") != 0 ||
		    record_u64(r, "lport") != lport)
			continue;
		e.n++;
		e.rx_bytes += record_u64(r, "rx_bytes");
	}
	return e;
}

static bool has_ended(void *arg)
{
	const struct ends *e = arg;
	json_t *records = probe_records(e->p);
	bool yes = count_ends(records, e->port).n > 0;

	json_decref(records);
	return yes;
}

/* The kernel tells of a reset connection's end when its last descriptor is closed: a listing knew before. */
static void check_reset(const char *mode)
{
	struct sockaddr_in at = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct linger hard = { .l_onoff = 1 };
	socklen_t size = sizeof(at);
	struct ends e = { NULL };
	char buf[5000] = "";
	struct maker m;
	struct probe p;
	int l, c, s;

	(void)rung_enter();
	p = rung_events(mode, 0, 0);
	e.p = &p;
	l = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(!bind(l, (struct sockaddr *)&at, size) && !listen(l, 1) &&
			!getsockname(l, (struct sockaddr *)&at, &size),
		"cannot listen");
	c = socket(AF_INET, SOCK_STREAM, 0);
	REQUIRE(!connect(c, (struct sockaddr *)&at, size), "cannot connect");
	s = accept(l, NULL, NULL);
	REQUIRE(send(c, buf, sizeof(buf), 0) == sizeof(buf) &&
			recv(s, buf, sizeof(buf), MSG_WAITALL) == sizeof(buf),
		"cannot send");
	rung_wait_open(&p, getpid());
	(void)setsockopt(c, SOL_SOCKET, SO_LINGER, &hard, sizeof(hard));
	(void)close(c);
	e.port = ntohs(at.sin_port);
	CHECK(wait_until(has_ended, &e, RUNG_END_MS), "the end was not told while it is held");
	(void)close(s);
	(void)close(l);
	/* another connection's end comes behind that notice */
	m = maker_run(NULL, "stream --bytes 1000");
	rung_wait_closed(&p, 4);
	(void)m;
	probe_stop(&p);
	e = count_ends(p.records, e.port);
	CHECK_EQ(e.n, 1, "ends that were told of it");
	CHECK_EQ(e.rx_bytes, sizeof(buf), "bytes it received");
}

TEST(proc_tells_the_end_of_a_reset_connection_once)
{
	check_reset("proc");
}

TEST(packets_tell_the_end_of_a_reset_connection_once)
{
	check_reset("afpacket");
}

/* On its way from one process to another a socket is nobody's. */
#define IN_FLIGHT                                                                                            \
	"python3 -c \"import socket, time, sys\n"                                                            \
	"l = socket.create_server(('127.0.0.1', 7461)); a = socket.create_connection(('127.0.0.1', 7461))\n" \
	"b = l.accept()[0]; l.close(); x, y = socket.socketpair()\n"                                         \
	"socket.send_fds(x, [b'.'], [a.fileno(), b.fileno()]); a.close(); b.close()\n"                       \
	"open('%s', 'w').close(); time.sleep(60)\" &"

static bool is_there(void *path)
{
	return !access(path, F_OK);
}

TEST(why_says_in_words_that_no_process_is_known)
{
	static const char *const args[] = { "why",  "--capture-mode", "proc", "--port",
					    "7461", "--duration",     "1",    NULL };
	char command[900], ready[300], *out, *said;
	struct netns ns = rung_enter();

	(void)ns;
	snprintf(ready, sizeof(ready), "%s/ready", test_dir());
	snprintf(command, sizeof(command), IN_FLIGHT, ready);
	REQUIRE(system(command) == 0 && wait_until(is_there, ready, 10000), "no connection");
	CHECK_EQ(rung_run(args, 0, 0, &out, &said), 0, "exit");
	CHECK(strstr(out, "process not known  "), "expected 'process not known', got: %s%s", out,
	      said);
	CHECK(!strstr(out, "[0]"), "expected no pid, got: %s", out);
	free(out);
	free(said);
}
