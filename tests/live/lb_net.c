/* SPDX-License-Identifier: BSD-2-Clause */
/* See lb_net.h. */
#include "lb_net.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/ethtool.h>
#include <linux/if_link.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"

#define CONNECT_MS 3000
#define ECHO_MS 10000

/* What a client process is told to do. */
struct order {
	char what; /* 'o' open, 'e' echo */
	uint32_t from, to, bytes;
};

static void enter(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0) {
		printf("# %s: %s\n", ns->path, strerror(errno));
		_exit(1);
	}
	close(fd);
}

/* Objects live in files beside the test program. */
static struct bpf_object *load_decap(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	struct bpf_object *o;

	REQUIRE(n > 0, "/proc/self/exe: %s", strerror(errno));
	path[n] = '\0';
	strcpy(strrchr(path, '/') + 1, "decap.bpf.o");
	o = bpf_object__open_file(path, NULL);
	REQUIRE(o && bpf_object__load(o) == 0, "%s cannot be loaded", path);
	return o;
}

static int attach(int prog_fd, const char *ifname)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .flags = XDP_FLAGS_DRV_MODE);
	int fd = bpf_link_create(prog_fd, (int)if_nametoindex(ifname), BPF_XDP, &opts);

	REQUIRE(fd >= 0, "XDP at %s: %s", ifname, strerror(errno));
	return fd;
}

static int program_of(struct bpf_object *o, const char *name)
{
	return bpf_program__fd(bpf_object__find_program_by_name(o, name));
}

/*
 * What one end of a cable leaves to the hardware it has not got: its frames are whole when they come to
 * XDP, as they would be from a wire.
 */
static void whole_checksums(const struct netns *ns)
{
	struct ethtool_value off = { .cmd = ETHTOOL_STXCSUM, .data = 0 };
	struct ifreq ifr = { .ifr_name = "eth0", .ifr_data = (void *)&off };
	int fd, was = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	enter(ns);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	REQUIRE(ioctl(fd, SIOCETHTOOL, &ifr) == 0, "SIOCETHTOOL: %s", strerror(errno));
	close(fd);
	REQUIRE(setns(was, CLONE_NEWNET) == 0, "setns: %s", strerror(errno));
	close(was);
}

/* A cable from a namespace to the switch; eth0 there. */
static void cable(const struct net *n, const struct netns *to, const char *name, unsigned int host)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "ip link add %s type veth peer name eth0 netns %d && ip link set %s master br0 up",
		 name, to->holder, name);
	netns_must(&n->sw, command);
	snprintf(command, sizeof(command),
		 "ip link set eth0 up && ip addr add 10.99.0.%u/24 dev eth0 && "
		 "ip -6 addr add fd99::%x/64 dev eth0 nodad && "
		 "echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter && "
		 "echo 0 >/proc/sys/net/ipv4/conf/eth0/rp_filter",
		 host, host);
	netns_must(to, command);
	whole_checksums(to);
}

static _Noreturn void serve_one(int fd, unsigned int id)
{
	char buf[16384];
	ssize_t n;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	buf[0] = (char)id;
	n = write(fd, buf, 1);
	while (n > 0 && (n = read(fd, buf, sizeof(buf))) > 0) {
		/* A health check's request: answered as HTTP. */
		if (n > 4 && !memcmp(buf, "GET ", 4)) {
			n = write(fd, "\n", 1);
			break;
		}
		for (ssize_t at = 0, w; at < n; at += w)
			if ((w = write(fd, buf + at, (size_t)(n - at))) <= 0)
				_exit(1);
	}
	_exit(0);
}

/* Says its number to whoever connects, then everything that is said to it. */
static _Noreturn void serve(const struct netns *ns, unsigned int id)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(NET_PORT) };
	int one = 1, off = 0, fd;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGCHLD, SIG_IGN);
	enter(ns);
	fd = socket(AF_INET6, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 256))
		_exit(1);
	for (;;) {
		int c = accept(fd, NULL, NULL);

		if (c >= 0 && fork() == 0) {
			close(fd);
			serve_one(c, id);
		}
		if (c >= 0)
			close(c);
	}
}

void net_start_server(struct net *n, unsigned int i)
{
	fflush(NULL);
	n->servers[i] = fork();
	REQUIRE(n->servers[i] >= 0, "fork: %s", strerror(errno));
	if (n->servers[i] == 0)
		serve(&n->backends[i], i);
	netns_wait_listener(&n->backends[i], NET_PORT);
}

void net_stop_server(struct net *n, unsigned int i)
{
	kill(n->servers[i], SIGKILL);
	waitpid(n->servers[i], NULL, 0);
}

struct net net_new(void)
{
	struct net n = { .sw = netns_new(), .client = netns_new(), .link = -1 };
	struct netns balancer = netns_new();
	char name[16];

	netns_unpin_later(balancer.path);
	if (netns_run(&n.sw, "ip link add br0 type bridge && ip link set br0 up"))
		test_skip("no bridge on this kernel");
	cable(&n, &balancer, "lb", 1);
	cable(&n, &n.client, "client", 100);
	for (unsigned int i = 0; i < NET_BACKENDS; i++) {
		n.backends[i] = netns_new();
		snprintf(name, sizeof(name), "b%u", i);
		cable(&n, &n.backends[i], name, 10 + i);
		netns_must(&n.backends[i], "ip addr add " NET_VIP4
					   "/32 dev lo && ip addr add " NET_VIP6 "/128 dev lo && "
					   "echo 1 >/proc/sys/net/ipv4/conf/all/arp_ignore");
		net_start_server(&n, i);
		enter(&n.backends[i]);
		n.decap[i] = load_decap();
		(void)attach(program_of(n.decap[i], "np_decap"), "eth0");
	}
	netns_must(&n.client, "ip route add " NET_VIP4 " via 10.99.0.1 && "
			      "ip route add " NET_VIP6 " via fd99::1");
	netns_must(&balancer, "echo 1 >/proc/sys/net/ipv4/conf/all/forwarding && "
			      "echo 1 >/proc/sys/net/ipv6/conf/all/forwarding && "
			      "echo 0 >/proc/sys/net/ipv4/conf/all/send_redirects");
	n.pass = load_decap();
	enter(&n.sw);
	n.pass_link = attach(program_of(n.pass, "np_pass"), "lb");
	enter(&balancer);
	return n;
}

void net_attach(struct net *n, int prog_fd)
{
	n->link = attach(prog_fd, "eth0");
}

uint64_t net_unwrapped(const struct net *n, unsigned int i)
{
	struct bpf_map *map = bpf_object__find_map_by_name(n->decap[i], ".bss");
	uint64_t counts[2] = { 0 };
	uint32_t zero = 0;

	REQUIRE(map && bpf_map_lookup_elem(bpf_map__fd(map), &zero, counts) == 0, "no count");
	return counts[0];
}

static int dial(const char *vip)
{
	struct timeval wait = { .tv_sec = (time_t)(CONNECT_MS * test_slow() / 1000) };
	struct sockaddr_in sin = { .sin_family = AF_INET, .sin_port = htons(NET_PORT) };
	struct sockaddr_in6 sin6 = { .sin6_family = AF_INET6, .sin6_port = htons(NET_PORT) };
	bool v6 = strchr(vip, ':');
	int fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM, 0), r;

	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof(wait));
	wait.tv_sec = (time_t)(ECHO_MS * test_slow() / 1000);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	inet_pton(AF_INET, vip, &sin.sin_addr);
	inet_pton(AF_INET6, vip, &sin6.sin6_addr);
	r = v6 ? connect(fd, (struct sockaddr *)&sin6, sizeof(sin6))
	       : connect(fd, (struct sockaddr *)&sin, sizeof(sin));
	if (r == 0)
		return fd;
	close(fd);
	return -1;
}

static int open_one(const char *vip, int *fd)
{
	char id = -1;

	*fd = dial(vip);
	return *fd >= 0 && read(*fd, &id, 1) == 1 ? id : -1;
}

/* Both directions by turns of a few kilobytes, so that neither side's buffers fill up. */
static int echo_one(int fd, uint32_t bytes)
{
	static char out[8192], in[8192];

	memset(out, 'e', sizeof(out));
	while (bytes) {
		size_t n = bytes < sizeof(out) ? bytes : sizeof(out), got = 0;
		ssize_t r;

		if (write(fd, out, n) != (ssize_t)n)
			return 0;
		while (got < n && (r = read(fd, in + got, n - got)) > 0)
			got += (size_t)r;
		if (got < n || memcmp(in, out, n) != 0)
			return 0;
		bytes -= (uint32_t)n;
	}
	return 1;
}

static _Noreturn void client(const struct net *n, const char *vip, int in, int out)
{
	int fds[NET_CONNS], answer;
	struct order o;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	enter(&n->client);
	while (read(in, &o, sizeof(o)) == sizeof(o)) {
		for (uint32_t i = o.from; i < o.to; i++) {
			answer = o.what == 'o' ? open_one(vip, &fds[i]) : echo_one(fds[i], o.bytes);
			if (write(out, &answer, sizeof(answer)) != sizeof(answer))
				_exit(1);
		}
	}
	_exit(0);
}

struct clients clients_new(const struct net *n, const char *vip)
{
	struct clients c;
	int to[2], from[2];

	REQUIRE(pipe2(to, O_CLOEXEC) == 0 && pipe2(from, O_CLOEXEC) == 0, "pipe: %s",
		strerror(errno));
	fflush(NULL);
	c.pid = fork();
	REQUIRE(c.pid >= 0, "fork: %s", strerror(errno));
	if (c.pid == 0) {
		close(to[1]);
		close(from[0]);
		client(n, vip, to[0], from[1]);
	}
	close(to[0]);
	close(from[1]);
	c.to = to[1];
	c.from = from[0];
	return c;
}

static int answer_of(struct clients *c)
{
	int answer = -1;

	REQUIRE(read(c->from, &answer, sizeof(answer)) == sizeof(answer), "the client is gone");
	return answer;
}

static void order(struct clients *c, const struct order *o)
{
	REQUIRE(write(c->to, o, sizeof(*o)) == sizeof(*o), "the client is gone");
}

void clients_open(struct clients *c, unsigned int from, unsigned int to)
{
	struct order o = { .what = 'o', .from = from, .to = to };

	order(c, &o);
	for (unsigned int i = from; i < to; i++)
		c->backend[i] = answer_of(c);
}

unsigned int clients_echo(struct clients *c, unsigned int from, unsigned int to, uint32_t bytes)
{
	struct order o = { .what = 'e', .from = from, .to = to, .bytes = bytes };
	unsigned int good = 0;

	order(c, &o);
	for (unsigned int i = from; i < to; i++)
		good += answer_of(c) == 1;
	return good;
}

void clients_end(struct clients *c)
{
	close(c->to);
	close(c->from);
	/* Servers started since hold the other ends: it would wait for ever. */
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
}
