/* SPDX-License-Identifier: BSD-2-Clause */
/* What no socket sees: frames of a packet socket, what a router forwards; and that sockets' own bytes are never such. */
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define FRAME 1000
#define FRAMES 2000

static void enter(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && !setns(fd, CLONE_NEWNET), "cannot enter %s", ns->path);
	(void)close(fd);
}

static bool is_owned(const json_t *r, const void *arg)
{
	return !strcmp(record_str(r, "event_type"), "transport.bw") &&
	       record_u64(r, "netns") == *(const uint64_t *)arg;
}

/* Events of that namespace, in which an interval is over: what comes from now on is in whole ones. */
static struct probe start(const struct netns *ns)
{
	struct probe p;
	json_t *first;

	enter(ns);
	p = probe_start("events", "--format", "json", "--interval", "0.2", "-q", NULL);
	(void)maker_run(NULL, "stream --bytes 1000");
	first = probe_wait_record(&p, is_owned, &ns->inode, 20000);
	REQUIRE(first, "expected an interval to end");
	json_decref(first);
	return p;
}

static uint64_t told(const json_t *records, const char *iface, const char *what, const char *key)
{
	uint64_t sum = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "event_type"), "transport.bw") &&
		    !strcmp(record_str(r, "iface"), iface) && !strcmp(record_str(r, "what"), what))
			sum += record_u64(r, key);
	return sum;
}

struct wanted {
	const struct probe *p;
	const char *iface, *what, *key;
	uint64_t least;
};

static bool is_told(void *arg)
{
	const struct wanted *w = arg;
	json_t *all = probe_records(w->p);
	bool yes = told(all, w->iface, w->what, w->key) >= w->least;

	json_decref(all);
	return yes;
}

static void wait_told(const struct probe *p, const char *iface, const char *what, const char *key,
		      uint64_t made)
{
	struct wanted w = { p, iface, what, key, made - made / 20 };

	CHECK(wait_until(is_told, &w, 20000), "expected %s %s of %s about %" PRIu64, what, key,
	      iface, made);
}

static void check_at_most(uint64_t got, uint64_t made)
{
	CHECK(got <= made + made / 20, "expected at most about %" PRIu64 ", got %" PRIu64, made,
	      got);
}

static void send_frames(const char *iface)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_ifindex = (int)if_nametoindex(iface) };
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
	uint8_t frame[FRAME] = { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 2, 2, 2, 2, 2, 0x88, 0xb5 };

	for (unsigned int i = 0; i < FRAMES; i++) {
		REQUIRE(sendto(fd, frame, sizeof(frame), 0, (struct sockaddr *)&to, sizeof(to)) ==
				FRAME,
			"cannot send a frame");
		if (i % 20 == 19)
			pause_ms(2);
	}
	(void)close(fd);
}

/* In a process of its own: this one stays where it is. */
static void send_datagrams(const struct netns *from, const char *to_addr, unsigned int count,
			   unsigned int every)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	pid_t pid;
	int status = -1;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "cannot fork");
	if (!pid) {
		static const char data[FRAME];
		int fd;

		enter(from);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		(void)inet_pton(AF_INET, to_addr, &to.sin_addr);
		for (unsigned int i = 0; i < count; i++) {
			if (sendto(fd, data, sizeof(data), 0, (struct sockaddr *)&to, sizeof(to)) <
			    0)
				_exit(1);
			if (i % every == every - 1)
				pause_ms(2);
		}
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "datagrams: status %d", status);
}

TEST(frames_of_a_packet_socket_are_unowned_at_their_interface)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = start(&n.a);
	const json_t *r;
	size_t i;

	send_frames(n.if_a);
	wait_told(&p, n.if_a, "unowned", "tx_bytes", FRAMES * FRAME);
	probe_stop(&p);
	check_at_most(told(p.records, n.if_a, "unowned", "tx_bytes"), FRAMES * FRAME);
	json_array_foreach (p.records, i, r)
		if (*record_str(r, "what"))
			CHECK(json_is_null(json_object_get(r, "pid")) &&
				      !strcmp(record_str(r, "owner_match"), "none") &&
				      json_is_null(json_object_get(r, "tx_pkts")),
			      "expected nobody as owner, and packets unknown");
}

TEST(top_by_interface_has_a_row_of_what_no_socket_moved)
{
	struct netns_pair n = netns_pair_new();
	char name[32];
	uint64_t made = 0;
	struct probe p;
	json_t *all = NULL;
	int64_t end = deadline_in(20000);
	uint64_t got = 0;

	enter(&n.a);
	p = probe_start("top", "--by", "interface", "--format", "json", "--interval", "0.2", "-q",
			"-n", "1000", NULL);
	(void)snprintf(name, sizeof(name), "%s unowned", n.if_a);
	while (!got && now_ms() < end) {
		const json_t *r;
		size_t i;

		send_frames(n.if_a);
		made += FRAMES * FRAME;
		all = probe_records(&p);
		json_array_foreach (all, i, r)
			if (!strcmp(record_str(r, "group"), name) &&
			    !strcmp(record_str(r, "what"), "unowned"))
				got = record_u64(r, "tx_bytes");
		json_decref(all);
	}
	CHECK(got, "expected a row %s", name);
	check_at_most(got, made);
	probe_stop(&p);
}

/* Bound to no address, and nothing came yet: it has no interface, and that is no name. */
TEST(sockets_whose_interface_is_not_known_are_in_a_row_without_a_name)
{
	static const char *const args[] = { "top",    "--once",	  "--by", "interface",
					    "--idle", "--format", "json", "--interval",
					    "0.3",    NULL };
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "dgram --count 1 --hold start");
	unsigned int n = 0;
	struct probe p;
	json_t *rows;
	const json_t *r;
	size_t i;

	maker_wait_hold(&m);
	CHECK_EQ(probe_run(&p, args), 0, "exit code");
	rows = probe_records(&p);
	json_array_foreach (rows, i, r) {
		n += json_is_null(json_object_get(r, "group"));
		CHECK(strcmp(record_str(r, "group"), "?") != 0, "expected null, got ?");
	}
	CHECK(n > 0, "expected a row of sockets whose interface is not known, got none");
	json_decref(rows);
	maker_go(&m);
	maker_finish(&m);
}

/* Packets sent, as rtnetlink tells. */
static uint64_t counted(const char *iface)
{
	struct ifaddrs *all = NULL;
	uint64_t n = 0;

	REQUIRE(!getifaddrs(&all), "cannot list interfaces");
	for (const struct ifaddrs *a = all; a; a = a->ifa_next)
		if (a->ifa_data && a->ifa_addr->sa_family == AF_PACKET &&
		    !strcmp(a->ifa_name, iface))
			n = ((const struct rtnl_link_stats *)a->ifa_data)->tx_packets;
	freeifaddrs(all);
	return n;
}

/* What top says of a link, while frames that nobody speaks come in, until it is as many as were made. */
static json_t *link_of(const struct netns_pair *n, const char *match, bool (*fn)(const json_t *))
{
	struct probe p;
	json_t *found = NULL;
	int64_t end = deadline_in(20000);

	p = probe_start("top", "--by", "interface", "--format", "json", "--idle", "--interval",
			"0.2", "-q", "-n", "1000", "--match", match, NULL);
	while (!found && now_ms() < end) {
		json_t *all;
		const json_t *r;
		size_t i;

		send_frames(n->if_a);
		all = probe_records(&p);
		json_array_foreach (all, i, r) {
			const json_t *link = json_object_get(r, "link");

			CHECK(!strcmp(record_str(r, "group"), n->if_a), "%s matched %s",
			      record_str(r, "group"), match);
			if (!found && json_is_object(link) && fn(link))
				found = json_incref((json_t *)link);
		}
		json_decref(all);
	}
	probe_stop(&p);
	REQUIRE(found, "expected a row of %s for %s", n->if_a, match);
	return found;
}

static bool sent_frames(const json_t *link)
{
	return record_u64(link, "tx_packets") >= FRAMES &&
	       record_num(link, "tx_packets_per_s") > 0 &&
	       json_is_number(json_object_get(link, "tx_owned")) &&
	       record_num(link, "tx_owned") < 0.5;
}

static bool is_any(const json_t *link)
{
	return link != NULL;
}

/* The same that the tab of interfaces shows, for programs and as fields of expressions. */
TEST(top_by_interface_prints_and_finds_what_the_link_tells)
{
	struct netns_pair n = netns_pair_new();
	uint64_t before, after;
	char match[96];
	json_t *link;

	enter(&n.a);
	before = counted(n.if_a);
	(void)snprintf(match, sizeof(match), "name=%s and speed>=10Gbit/s and link.tx_packets>=%d",
		       n.if_a, FRAMES);
	link = link_of(&n, match, sent_frames);
	after = counted(n.if_a);
	CHECK(record_u64(link, "tx_packets") <= after - before, "%" PRIu64 " packets of %" PRIu64,
	      record_u64(link, "tx_packets"), after - before);
	CHECK(record_u64(link, "tx_bytes") >= (uint64_t)FRAMES * FRAME, "%" PRIu64 " bytes",
	      record_u64(link, "tx_bytes"));
	CHECK(!strcmp(record_str(link, "state"), "up") &&
		      record_u64(link, "speed_mbit_per_s") == 10000 &&
		      !strcmp(record_str(link, "duplex"), "full"),
	      "expected what a veth says of itself");
	CHECK_EQ(record_u64(link, "tx_errors") + record_u64(link, "tx_dropped"), 0, "of a veth");
	json_decref(link);
	(void)snprintf(match, sizeof(match), "ip link set %s down", n.if_b);
	netns_must(&n.b, match);
	(void)snprintf(match, sizeof(match), "name=%s and link=down", n.if_a);
	link = link_of(&n, match, is_any);
	CHECK(!record_u64(link, "speed_mbit_per_s") && !*record_str(link, "duplex"),
	      "a speed without a link");
	json_decref(link);
}

TEST(bytes_of_sockets_are_never_unowned)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = start(&n.a);

	netns_must(&n.b, "ip link set lo up");
	(void)maker_run(NULL, "stream --bytes 100m");
	(void)maker_run(NULL, "dgram --count 20000 --size 1400");
	send_datagrams(&n.a, "10.77.0.2", 20000, 100);
	/* In the intervals after it: what would be told is. Some of it may be taken for late datagrams. */
	for (unsigned int i = 0; i < 3; i++)
		send_frames(n.if_a);
	wait_told(&p, n.if_a, "unowned", "tx_bytes", FRAMES * FRAME);
	probe_stop(&p);
	check_at_most(told(p.records, n.if_a, "unowned", "tx_bytes"), 3 * FRAMES * FRAME);
	CHECK_EQ(told(p.records, "lo", "unowned", "tx_bytes"), 0, "bytes of nobody sent on lo");
	CHECK_EQ(told(p.records, "lo", "unowned", "rx_bytes"), 0, "bytes of nobody received on lo");
	CHECK_EQ(told(p.records, n.if_a, "forwarded", "tx_bytes"), 0, "bytes forwarded");
}

TEST(what_a_router_forwards_is_a_row_of_its_own)
{
	struct netns_pair n = netns_pair_new();
	struct netns c = netns_new();
	char command[200];
	struct probe p;

	snprintf(command, sizeof(command), "ip link add np_r type veth peer name np_c netns %d",
		 (int)c.holder);
	netns_must(&n.b, command);
	netns_must(&n.b, "ip addr add 10.78.0.1/24 dev np_r");
	netns_must(&n.b, "ip link set np_r up");
	netns_must(&c, "ip addr add 10.78.0.2/24 dev np_c");
	netns_must(&c, "ip link set np_c up");
	netns_must(&c, "ip route add default via 10.78.0.1");
	netns_must(&n.a, "ip route add default via 10.77.0.2");
	netns_must(&n.b, "sysctl -qw net.ipv4.ip_forward=1");
	p = start(&n.b);
	send_datagrams(&n.a, "10.78.0.2", FRAMES, 20);
	wait_told(&p, n.if_b, "forwarded", "rx_bytes", FRAMES * (FRAME + 42));
	wait_told(&p, "np_r", "forwarded", "tx_bytes", FRAMES * (FRAME + 42));
	probe_stop(&p);
	check_at_most(told(p.records, n.if_b, "forwarded", "rx_bytes"), FRAMES * (FRAME + 42));
	CHECK_EQ(told(p.records, n.if_b, "unowned", "rx_bytes"), 0, "unowned bytes came in");
	CHECK_EQ(told(p.records, "np_r", "unowned", "tx_bytes"), 0, "unowned bytes went out");
}

static unsigned int tables_of(const struct probe *p)
{
	char folder[64], to[PATH_MAX], path[PATH_MAX];
	unsigned int n = 0;
	struct dirent *e;
	DIR *d;

	(void)snprintf(folder, sizeof(folder), "/proc/%d/fd", (int)p->pid);
	d = opendir(folder);
	REQUIRE(d, "%s", folder);
	while ((e = readdir(d))) {
		ssize_t len;

		(void)snprintf(path, sizeof(path), "%s/%s", folder, e->d_name);
		len = readlink(path, to, sizeof(to) - 1);
		if (len <= 0)
			continue;
		to[len] = '\0';
		n += strstr(to, "/net/dev") != NULL; /* "(deleted)" where proc forgot the name */
	}
	(void)closedir(d);
	return n;
}

/* Who shows them, who tells of them and who compares them with sockets ask one table, which is read once an interval. */
TEST(counters_of_interfaces_are_read_once_for_all)
{
	static const char *const modes[] = { "proc", "ebpf" };

	for (unsigned int i = 0; i < 2; i++) {
		struct probe p =
			probe_start("events", "--format", "json", "--capture-mode", modes[i], NULL);

		CHECK_EQ(tables_of(&p), 1, modes[i]);
		probe_stop(&p);
	}
}
