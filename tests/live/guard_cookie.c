/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * SYN cookies from XDP: whole connections through them, floods, forged acknowledgements, and what the
 * kernel's own counters say of it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "../bpf/packet.h"
#include "guard_run.h"
#include "tap.h"

#define SYN 0x02
#define ACK 0x10
#define XDP_DROPPED 1
#define XDP_PASSED 2
#define XDP_ANSWERED 3

static void sysctl(const struct netns *ns, const char *name, int value)
{
	char command[128];

	snprintf(command, sizeof(command), "echo %d > /proc/sys/net/ipv4/%s", value, name);
	netns_must(ns, command);
}

static int sysctl_of(const struct netns *ns, const char *name)
{
	char command[512], path[300];
	char *text;
	int v;

	snprintf(path, sizeof(path), "%s/sysctl", test_dir());
	snprintf(command, sizeof(command), "cat /proc/sys/net/ipv4/%s > %s", name, path);
	netns_must(ns, command);
	text = calloc(1, 64);
	v = open(path, O_RDONLY | O_CLOEXEC);
	(void)!read(v, text, 63);
	close(v);
	v = atoi(text);
	free(text);
	return v;
}

/* Guard at one end; a program at the other too, without which veth takes nothing that XDP sends. */
static struct netns_pair cookie_pair(int syncookies)
{
	struct netns_pair p = netns_pair_new();
	char command[128];

	sysctl(&p.a, "tcp_syncookies", syncookies);
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.b, "attach %s --mode filter", p.if_b);
	/* The kernel could answer those of a flood. */
	snprintf(command, sizeof(command), "ip route add 198.18.0.0/15 via 10.77.0.2");
	netns_must(&p.a, command);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1), 1, "before");
	return p;
}

/* A figure of a service, as `syncookie list` has it. */
static uint64_t cookie_of(const struct netns_pair *p, const char *service, const char *what)
{
	const char *line;
	json_error_t why;
	uint64_t v = 0;
	bool found = false;
	char *save = NULL, *text;

	guard_must(&p->a, "syncookie list --format json");
	text = strdup(guard_out());
	for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *r = json_loads(line, 0, &why);
		const char *name = json_string_value(json_object_get(r, "service"));

		if (name && !strcmp(name, service)) {
			found = true;
			v = json_at(r, what);
		}
		json_decref(r);
	}
	REQUIRE(found, "%s is not in: %s", service, guard_out());
	free(text);
	return v;
}

static uint16_t checksum(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i < n; i += 2)
		sum += (uint32_t)p[i] << 8 | (i + 1 < n ? p[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

struct volley {
	uint16_t port;
	uint8_t flags;
	uint32_t from; /* of the first source; 0: each another one of 198.18.0.0/15 */
};

/* TCP segments with good checksums from sources that do not exist. */
static void volley(const struct netns *from, const struct volley *v, unsigned int n)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	uint8_t p[40] = { 0x45, 0, 0, 40, 0, 0, 0, 0, 64, IPPROTO_TCP };
	int status;
	pid_t pid;

	inet_pton(AF_INET, "10.77.0.1", &to.sin_addr);
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int fd = open(from->path, O_RDONLY | O_CLOEXEC), s;

		if (fd < 0 || setns(fd, CLONE_NEWNET))
			_exit(126);
		s = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
		memcpy(p + 16, &to.sin_addr, 4);
		p[22] = (uint8_t)(v->port >> 8);
		p[23] = (uint8_t)v->port;
		p[32] = 5 << 4;
		p[33] = v->flags;
		p[34] = 0x40;
		for (unsigned int i = 0; i < n; i++) {
			uint32_t source = htonl(v->from ? v->from
							: 0xc6120000u + (i * 7919u) % 131072),
				 sport = 1024 + i % 60000, sum = IPPROTO_TCP + 20;
			uint16_t c;

			memcpy(p + 12, &source, 4);
			p[20] = (uint8_t)(sport >> 8);
			p[21] = (uint8_t)sport;
			memcpy(p + 24, &i, 4);
			memcpy(p + 28, &source, 4);
			p[36] = p[37] = 0;
			for (unsigned int k = 12; k < 20; k += 2)
				sum += (uint32_t)p[k] << 8 | p[k + 1];
			c = checksum(p + 20, 20, sum);
			p[36] = (uint8_t)(c >> 8);
			p[37] = (uint8_t)c;
			while (sendto(s, p, 40, 0, (void *)&to, sizeof(to)) < 0)
				if (errno != ENOBUFS)
					_exit(1);
		}
		_exit(0);
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
		"segments could not be sent");
}

/* A socket of that namespace, which nobody reads. */
static int listen_in(const struct netns *ns, const char *addr, uint16_t port)
{
	struct sockaddr_in6 to = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), there, fd, one = 1;

	there = open(ns->path, O_RDONLY | O_CLOEXEC);
	REQUIRE(there >= 0 && setns(there, CLONE_NEWNET) == 0, "setns: %s", strerror(errno));
	fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	REQUIRE(inet_pton(AF_INET6, addr, &to.sin6_addr) == 1, "%s", addr);
	REQUIRE(!bind(fd, (void *)&to, sizeof(to)) && !listen(fd, 64), "listen: %s",
		strerror(errno));
	REQUIRE(setns(back, CLONE_NEWNET) == 0, "setns back: %s", strerror(errno));
	close(there);
	close(back);
	return fd;
}

/* TCP segments that came in: a queue of veth that is full loses some on a slow machine. */
static uint64_t segments_in(const struct netns_pair *p)
{
	json_t *r = guard_stats(&p->a, p->if_a);
	uint64_t n = json_at(r, "rx.tcp.packets");

	json_decref(r);
	return n;
}

TEST(connections_come_about_through_cookies_and_carry_bytes)
{
	struct netns_pair p = cookie_pair(2);

	guard_must(&p.a, "syncookie add 5001 --mode always");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 200), 200, "connections");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "sent"), 200, "answered");
	/* Data may come right behind the acknowledgement, before there is a socket: with the cookie, too. */
	CHECK(cookie_of(&p, "10.77.0.1:5001", "accepted") >= 200, "not all were accepted");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "SyncookiesRecv"), 200, "the kernel took");
	CHECK(stream(&p.b, &p.a, "10.77.0.1", 5001, 30000000), "bulk TCP failed");
	CHECK_EQ(connections(&p.b, &p.a, "fd77::1", 5001, 200), 200, "IPv6 connections");
	CHECK(stream(&p.b, &p.a, "fd77::1", 5001, 30000000), "bulk TCP over IPv6 failed");
	CHECK(cookie_of(&p, "[fd77::1]:5001", "accepted") >= 201, "not all were accepted, IPv6");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "SyncookiesRecv"), 402, "the kernel took");
	/* The kernel sent none itself, and another port is none of ours. */
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "SyncookiesSent"), 0, "the kernel sent");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "refused"), 0, "refused");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5002, 50), 50, "another port");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "SyncookiesSent"), 50, "by the kernel");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "sent"), 201, "answered");
	guard_must(&p.a, "syncookie remove 5001");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "afterwards");
}

/* A veth loses what native XDP sends, and says nothing, while its peer runs no program. */
TEST(cookies_arrive_where_a_veths_peer_runs_no_program)
{
	struct netns_pair p = netns_pair_new();

	sysctl(&p.a, "tcp_syncookies", 2);
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	CHECK(strstr(guard_log(), "native XDP"), "nothing to send, and not native: %s",
	      guard_log());
	guard_must(&p.a, "ban 192.0.2.1");
	guard_must(&p.a, "syncookie add 5001 --mode always");
	CHECK(strstr(guard_log(), "is generic now"), "%s", guard_log());
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "connections");
	CHECK_EQ(connections(&p.b, &p.a, "fd77::1", 5001, 20), 20, "IPv6 connections");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "sent"), 20, "answered");
	guard_must(&p.a, "status");
	CHECK(!strstr(guard_out(), "not delivering"), "%s", guard_out());
	/* Attached anew it stays so; who insists is told, and sees what becomes of it. */
	guard_must(&p.a, "detach %s", p.if_a);
	guard_must(&p.a, "attach %s --mode filter --xdp native", p.if_a);
	guard_must(&p.a, "syncookie add 5001 --mode always");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 1), 0, "connections");
	guard_must(&p.a, "status");
	CHECK(strstr(guard_out(), "not delivering"), "%s", guard_out());
	CHECK(guard_stat(&p, "tx_errors") >= 1, "the driver took them");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "accepted"), 0, "accepted");
	/* With a program at the peer they arrive. */
	guard_must(&p.b, "attach %s --mode filter", p.if_b);
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 5), 5, "with a program at the peer");
	guard_must(&p.a, "detach %s", p.if_a);
	/* Known before: native is not even tried. */
	guard_must(&p.b, "detach %s", p.if_b);
}

static bool rules(const struct netns *ns, const char *text)
{
	char path[300], command[400];
	FILE *f;

	snprintf(path, sizeof(path), "%s/rules.nft", test_dir());
	f = fopen(path, "we");
	REQUIRE(f && fputs(text, f) >= 0 && !fclose(f), "%s", path);
	snprintf(command, sizeof(command), "nft -f %s", path);
	return !netns_run(ns, command);
}

/* docs/guard.md has the rules that work. */
TEST(cookies_beside_connection_tracking_need_the_rules_that_are_told)
{
	struct netns_pair p = cookie_pair(2);

	guard_must(&p.a, "syncookie add 5001 --mode always");
	if (!rules(&p.a,
		   "table inet f {\n chain in {\n type filter hook input priority 0; policy "
		   "accept;\n ct state invalid drop\n ct state established accept\n tcp flags "
		   "& (fin|syn|rst|ack) == syn ct state new accept\n meta l4proto tcp drop\n}\n"
		   "}\n"))
		test_skip("no connection tracking in nftables");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5002, 5), 5, "without cookies");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 1), 0, "only SYNs may be new");
	guard_must(&p.a, "syncookie add 5001 --mode always");
	CHECK(strstr(guard_log(), "connections are tracked here"), "%s", guard_log());
	guard_must(&p.a, "status");
	CHECK(strstr(guard_out(), "connections are tracked here"), "%s", guard_out());
	REQUIRE(rules(&p.a, "insert rule inet f in tcp dport 5001 ct state new accept\n"), "rule");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "acknowledgements may be new");
	netns_must(&p.a, "echo 0 > /proc/sys/net/netfilter/nf_conntrack_tcp_loose");
	REQUIRE(rules(&p.a,
		      "table inet cookies {\n chain in {\n type filter hook prerouting priority "
		      "raw; tcp dport 5001 notrack\n}\n chain out {\n type filter hook output "
		      "priority raw; tcp sport 5001 notrack\n}\n}\ninsert rule inet f in tcp "
		      "dport 5001 ct state untracked accept\n"),
		"rules of docs/guard.md");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "untracked");
}

TEST(flood_of_spoofed_syns_never_reaches_the_listener)
{
	struct netns_pair p = cookie_pair(2);
	const struct volley flood = { .port = 5001, .flags = SYN }, bare = { 5009, SYN, 0 };
	int other = listen_in(&p.a, "::", 5009);
	uint64_t syns, answered, came;
	json_t *r;

	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --mode always");
	/* What it would do. */
	volley(&p.b, &bare, 200);
	netns_wait_counter(&p.a, "TcpExt", "SyncookiesSent", 100);
	syns = netns_counter(&p.a, "TcpExt", "SyncookiesSent");
	close(other);
	other = listen_in(&p.a, "::", 5001);
	came = segments_in(&p);
	volley(&p.b, &flood, 30000);
	answered = cookie_of(&p, "10.77.0.1:5001", "sent");
	came = segments_in(&p) - came;
	CHECK_EQ(answered, came, "answered");
	CHECK(came > 1000, "only %" PRIu64 " SYNs came in", came);
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "SyncookiesSent"), syns, "the listener saw");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "ListenOverflows"), 0, "overflows");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "ListenDrops"), 0, "drops of the listener");
	r = guard_stats(&p.a, p.if_a);
	CHECK_EQ(json_at(r, "syn_cookies"), came, "in stats");
	json_decref(r);
	close(other);
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 100), 100, "connections after it");
}

TEST(forged_acknowledgements_are_dropped_and_counted)
{
	struct netns_pair p = cookie_pair(2);
	const struct volley acks = { .port = 5001, .flags = ACK };
	int listener = listen_in(&p.a, "::", 5001);
	uint64_t resets, came;
	json_t *r;

	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --mode always");
	/* Until a cookie is under way there is nothing to check: the kernel resets them. */
	volley(&p.b, &acks, 10);
	netns_wait_counter(&p.a, "Tcp", "OutRsts", 10);
	volley(&p.b, &(struct volley){ .port = 5001, .flags = SYN }, 1);
	resets = netns_counter(&p.a, "Tcp", "OutRsts");
	came = segments_in(&p);
	volley(&p.b, &acks, 5000);
	came = segments_in(&p) - came;
	CHECK(came > 1000, "only %" PRIu64 " acknowledgements came in", came);
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "refused"), came, "refused");
	CHECK_EQ(netns_counter(&p.a, "Tcp", "OutRsts"), resets, "resets");
	r = guard_stats(&p.a, p.if_a);
	CHECK_EQ(json_at(r, "dropped.syn_cookie"), came, "drops");
	json_decref(r);
	close(listener);
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 50), 50, "honest ones");
}

TEST(auto_answers_only_while_more_syns_come_than_its_rate)
{
	struct netns_pair p = cookie_pair(2);
	const struct volley flood = { .port = 5001, .flags = SYN };
	uint64_t sent;
	int listener;

	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --rate 3000");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 100), 100, "quiet");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "sent"), 0, "answered when quiet");
	listener = listen_in(&p.a, "::", 5001);
	volley(&p.b, &flood, 20000);
	close(listener);
	sent = cookie_of(&p, "10.77.0.1:5001", "sent");
	CHECK(sent > 0 && sent <= 17100, "expected up to 17100 to be answered, got %" PRIu64, sent);
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 100), 100, "under attack");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "sent"), sent + 100, "answered under attack");
	/* A dry run answers none, and says what it would have. */
	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --mode always --dry-run");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 60), 60, "dry run");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "sent"), 0, "answered by a dry run");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "would_answer"), 60, "told by a dry run");
}

/* What both ends agreed on, as the client's socket has it. */
static unsigned int agreed(const struct netns_pair *p, unsigned int *ret_scale)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(5001) };
	int listener = listen_in(&p->a, "::", 5001), out[2], status;
	struct tcp_info info = { 0 };
	pid_t pid;

	REQUIRE(!pipe(out), "pipe");
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		int fd = open(p->b.path, O_RDONLY | O_CLOEXEC), s;
		socklen_t len = sizeof(info);

		if (setns(fd, CLONE_NEWNET))
			_exit(126);
		inet_pton(AF_INET, "10.77.0.1", &to.sin_addr);
		s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (connect(s, (void *)&to, sizeof(to)) ||
		    getsockopt(s, IPPROTO_TCP, TCP_INFO, &info, &len))
			_exit(1);
		_exit(write(out[1], &info, sizeof(info)) != sizeof(info));
	}
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "no connection");
	REQUIRE(read(out[0], &info, sizeof(info)) == sizeof(info), "no figures");
	close(listener);
	*ret_scale = info.tcpi_snd_wscale;
	return info.tcpi_options;
}

TEST(options_are_offered_where_the_kernel_can_read_them_back)
{
	struct netns_pair p = cookie_pair(2);
	const unsigned int all = TCPI_OPT_TIMESTAMPS | TCPI_OPT_SACK | TCPI_OPT_WSCALE;
	unsigned int scale, kernels;

	/* By the kernel itself: what a connection without cookies has. */
	sysctl(&p.a, "tcp_syncookies", 1);
	CHECK_EQ(agreed(&p, &kernels) & all, all, "the kernel's own");
	sysctl(&p.a, "tcp_syncookies", 2);
	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --mode always");
	CHECK_EQ(agreed(&p, &scale) & all, 0, "with the kernel's secret in its timestamps");
	sysctl(&p.a, "tcp_timestamps", 2);
	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --mode always");
	CHECK_EQ(agreed(&p, &scale) & all, all, "without");
	CHECK_EQ(scale, kernels, "scale of the window");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "sent"), 1, "answered");
	CHECK(stream(&p.b, &p.a, "10.77.0.1", 5001, 100000000), "bulk TCP failed");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 100), 100, "connections");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "PAWSEstab"), 0, "rejected timestamps");
}

/* Run it on a frame; *out is what it sends. */
static unsigned int answer(int fd, struct pkt *p, struct pkt *out)
{
	LIBBPF_OPTS(bpf_test_run_opts, o, .data_in = p->b, .data_size_in = p->len,
		    .data_out = out->b, .data_size_out = sizeof(out->b), .repeat = 1);

	pkt_done(p);
	REQUIRE(!bpf_prog_test_run_opts(fd, &o), "test run: %s", strerror(errno));
	out->len = o.data_size_out;
	return o.retval;
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void put32(uint8_t *p, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void segment(struct pkt *f, bool v6, unsigned int tags, bool more, unsigned int flags)
{
	pkt_eth(f, v6 ? ETH_P_IPV6 : ETH_P_IP);
	for (unsigned int i = 0; i < tags; i++)
		pkt_tag(f, i ? ETH_P_8021Q : ETH_P_8021AD, 10 + i);
	if (v6) {
		pkt_ip6(f, "fd77::2", "fd77::1", IPPROTO_TCP);
		if (more)
			pkt_ext(f, IPPROTO_DSTOPTS, 16, 0);
	} else {
		pkt_ip4(f, "10.77.0.2", "10.77.0.1", IPPROTO_TCP, more ? 12 : 0, 0);
	}
	pkt_tcp(f, 40000, 5001, flags);
	put32(f->b + f->l4 + 4, 0x01020304);
}

/* The answer to segment(): right in every field that matters. */
static void check_answer(const struct pkt *in, const struct pkt *out, bool v6, unsigned int tags,
			 int mtu)
{
	unsigned int l3 = 14 + 4 * tags, ip = v6 ? 40 : 20, tcp = out->len - l3 - ip;
	const uint8_t *h = out->b + l3, *t = h + ip;
	uint32_t sum = IPPROTO_TCP + tcp;

	CHECK_EQ(tcp, 24, "bytes of TCP's header");
	CHECK(!memcmp(out->b, in->b + 6, 6) && !memcmp(out->b + 6, in->b, 6), "hardware addresses");
	CHECK(!memcmp(out->b + 12, in->b + 12, l3 - 12), "tags");
	if (v6) {
		CHECK(!memcmp(h + 8, in->b + in->l3 + 24, 16) &&
			      !memcmp(h + 24, in->b + in->l3 + 8, 16),
		      "addresses");
		CHECK_EQ(h[6], IPPROTO_TCP, "next header");
		CHECK_EQ(h[4] << 8 | h[5], tcp, "length");
	} else {
		CHECK_EQ(checksum(h, 20, 0), 0, "checksum of IP");
		CHECK(!memcmp(h + 12, in->b + in->l3 + 16, 4) &&
			      !memcmp(h + 16, in->b + in->l3 + 12, 4),
		      "addresses");
		CHECK_EQ(h[2] << 8 | h[3], 20 + tcp, "length");
	}
	for (const uint8_t *a = v6 ? h + 8 : h + 12; a < t; a += 2)
		sum += (uint32_t)a[0] << 8 | a[1];
	CHECK_EQ(checksum(t, tcp, sum), 0, "checksum of TCP");
	CHECK_EQ(t[13], SYN | ACK, "flags");
	CHECK_EQ(get32(t + 8), 0x01020305, "acknowledgement");
	CHECK_EQ((unsigned int)(t[0] << 8 | t[1]) << 16 | t[2] << 8 | t[3], 5001u << 16 | 40000,
		 "ports");
	CHECK_EQ(t[20] << 24 | t[21] << 16 | t[22] << 8 | t[23],
		 2 << 24 | 4 << 16 | (mtu - 20 - (v6 ? 40 : 20)), "MSS");
}

TEST(answers_are_right_behind_tags_options_and_extension_headers)
{
	struct netns_pair p = cookie_pair(2);
	int listener = listen_in(&p.a, "::", 5001), fd, there;
	struct pkt in, out;

	guard_must(&p.a, "syncookie add 5001 --mode always");
	fd = guard_program(&p.a);
	there = open(p.a.path, O_RDONLY | O_CLOEXEC);
	REQUIRE(setns(there, CLONE_NEWNET) == 0, "setns: %s", strerror(errno));
	/* Test runs come in at lo. */
	REQUIRE(system("ip link set lo mtu 1500") == 0, "MTU");
	for (unsigned int i = 0; i < 12; i++) {
		bool v6 = i & 1, more = i & 2;
		unsigned int tags = i / 4;

		segment(&in, v6, tags, more, SYN);
		REQUIRE(answer(fd, &in, &out) == XDP_ANSWERED, "no answer: IPv%d, %u tags",
			v6 ? 6 : 4, tags);
		check_answer(&in, &out, v6, tags, 1500);
		segment(&in, v6, tags, more, ACK);
		put32(in.b + in.l4 + 4, 0x01020305);
		put32(in.b + in.l4 + 8, get32(out.b + out.len - 24 + 4) + 1);
		CHECK_EQ(answer(fd, &in, &out), XDP_PASSED, "its acknowledgement");
		put32(in.b + in.l4 + 8, get32(in.b + in.l4 + 8) + 100);
		CHECK_EQ(answer(fd, &in, &out), XDP_DROPPED, "a forged one");
	}
	REQUIRE(system("ip link set lo mtu 1300") == 0, "MTU");
	for (unsigned int v6 = 0; v6 < 2; v6++) {
		segment(&in, v6, 0, false, SYN);
		REQUIRE(answer(fd, &in, &out) == XDP_ANSWERED, "no answer after the MTU changed");
		check_answer(&in, &out, v6, 0, 1300);
	}
	/* No SYNs of a connection's begin. */
	segment(&in, false, 0, false, 0x04);
	CHECK_EQ(answer(fd, &in, &out), XDP_PASSED, "a reset");
	segment(&in, false, 0, false, SYN | ACK);
	CHECK_EQ(answer(fd, &in, &out), XDP_PASSED, "SYN and ACK");
	close(listener);
	segment(&in, false, 0, false, SYN);
	CHECK_EQ(answer(fd, &in, &out), XDP_PASSED, "a SYN when nobody listens");
}

TEST(settings_of_the_kernel_are_told_and_changed_only_when_asked)
{
	struct netns_pair p = cookie_pair(1);

	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --mode always");
	CHECK(strstr(guard_log(), "tcp_syncookies is 1"), "not told: %s", guard_log());
	guard_must(&p.a, "status");
	CHECK(strstr(guard_out(),
		     "SYN cookies: 1 services protected; net.ipv4.tcp_syncookies is 1"),
	      "status: %s", guard_out());
	CHECK_EQ(sysctl_of(&p.a, "tcp_syncookies"), 1, "setting");
	/* The queue has room: all is left to the kernel, which takes them without a cookie. */
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "left to the kernel");
	CHECK_EQ(cookie_of(&p, "10.77.0.1:5001", "passed"), 20, "left to the kernel");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "SyncookiesRecv"), 0, "cookies");
	guard_must(&p.a, "syncookie add 10.77.0.1:5001 --mode always --sysctl");
	CHECK_EQ(sysctl_of(&p.a, "tcp_syncookies"), 2, "setting");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "with it");
	CHECK_EQ(netns_counter(&p.a, "TcpExt", "SyncookiesRecv"), 20, "cookies");
	guard_must(&p.a, "syncookie remove 5001");
	CHECK_EQ(sysctl_of(&p.a, "tcp_syncookies"), 1, "put back");
	guard_must(&p.a, "syncookie add 5001 --sysctl");
	guard_must(&p.a, "detach %s", p.if_a);
	CHECK_EQ(sysctl_of(&p.a, "tcp_syncookies"), 1, "put back by detach");
	sysctl(&p.a, "tcp_syncookies", 0);
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "syncookie add 5001 --mode always");
	CHECK(strstr(guard_log(), "tcp_syncookies is 0"), "not told: %s", guard_log());
	guard_must(&p.a, "status --format json");
	CHECK(strstr(guard_out(), "\"syn_cookies_can\":\"ready\",\"tcp_syncookies\":0,"
				  "\"syn_cookie_services\":"),
	      "status: %s", guard_out());
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "without any");
}

TEST(kernel_without_the_helpers_is_named_and_filters_all_the_same)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter --no-syn-cookies", p.if_a);
	CHECK_EQ(guard_run(&p.a, "syncookie add 5001"), 2, "exit code");
	CHECK(strstr(guard_log(), "no SYN cookies for XDP"), "not told: %s", guard_log());
	guard_must(&p.a, "status");
	CHECK(strstr(guard_out(), "SYN cookies: none, "), "status: %s", guard_out());
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 20), 20, "connections");
	guard_must(&p.a, "ban 10.77.0.2");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5001, 1), 0, "banned");
	guard_must(&p.a, "unban 10.77.0.2");
	guard_must(&p.a, "attach %s --mode monitor", p.if_a);
	CHECK_EQ(guard_run(&p.a, "syncookie add 5001"), 3, "exit code when it only counts");
	guard_must(&p.a, "status");
	CHECK(strstr(guard_out(), "SYN cookies: none, guard only counts"), "status: %s",
	      guard_out());
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "syncookie add 5001");
	for (const char *const *bad = (const char *const[]){ "0", "65536", "x:1", "10.0.0.0/8:5",
							     "fd77::1:5", "[fd77::1]", 0 };
	     *bad; bad++) {
		CHECK_EQ(guard_run(&p.a, "syncookie add %s", *bad), 3, *bad);
		CHECK(strstr(guard_log(), *bad), "not named: %s", guard_log());
	}
}
