/* SPDX-License-Identifier: BSD-2-Clause */
/* The balancer between a client and three backends: connections are what counts. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "balance/balance.h"
#include "balance/check.h"
#include "lb_net.h"
#include "tap.h"

#define BIG 1000000 /* bytes each way: full segments, which do not fit the tunnel at first */

static struct balance balancer;

static struct lb_vip_key begin(struct net *n, const char *vip)
{
	struct netprobe_error err = { 0 };
	struct lb_vip_key key;
	int r = balance_open(true, NULL, &balancer, &err);

	REQUIRE(r == 0, "balance_open: %d %s", r, err.msg);
	REQUIRE(vip_parse(vip, &key, &err) == 0, "%s", err.msg);
	REQUIRE(balance_vip_add(&balancer, &key, 0, &err) == 0, "%s", err.msg);
	net_attach(n, balance_prog_fd(&balancer));
	return key;
}

static void backend_addr(const struct lb_vip_key *vip, unsigned int i, uint8_t ret[16])
{
	struct netprobe_error err = { 0 };
	char text[32];

	snprintf(text, sizeof(text), addr_is_v4(vip->addr) ? "10.99.0.%u" : "fd99::%x", 10 + i);
	REQUIRE(backend_parse(text, ret, &err) == 0, "%s", err.msg);
}

static void add(const struct lb_vip_key *vip, unsigned int i, uint8_t forward, uint8_t check)
{
	struct backend_spec spec = {
		.forward = forward,
		.conf = { .weight = 1,
			  .check = check,
			  .port = NET_PORT,
			  .interval_ms = 50,
			  .timeout_ms = (uint32_t)(1000 * test_slow()),
			  .rise = 2,
			  .fall = 2 },
	};
	struct netprobe_error err = { 0 };

	backend_addr(vip, i, spec.addr);
	REQUIRE(balance_backend_add(&balancer, vip, &spec, &err) == 0, "%s", err.msg);
}

static void end(void)
{
	struct netprobe_error err = { 0 };

	CHECK(balance_remove(&balancer, &err) == 0, "%s", err.msg);
	balance_close(&balancer);
}

/* All of them reached somebody; how many reached backend i. */
static unsigned int reached(const struct clients *c, unsigned int from, unsigned int to, int i)
{
	unsigned int n = 0;

	for (unsigned int k = from; k < to; k++) {
		CHECK(c->backend[k] >= 0, "connection %u was not answered", k);
		n += c->backend[k] == i;
	}
	return n;
}

static uint64_t total(unsigned int what)
{
	uint64_t n[LB_TOTALS] = { 0 };

	REQUIRE(balance_totals(&balancer, n) == 0, "totals cannot be read");
	return n[what];
}

/* Resolved neighbours, before the first packet meets them. */
static void wait_neighbours(const char *prefix)
{
	char command[256];
	int64_t deadline = deadline_in(10000);

	snprintf(command, sizeof(command),
		 "test $(ip neigh show dev eth0 | grep -c '^%s.*lladdr') -ge %d", prefix,
		 NET_BACKENDS);
	while (system(command)) {
		REQUIRE(now_ms() < deadline, "backends were not resolved");
		pause_ms(20);
	}
}

static void connections_are_spread_and_kept(const char *vip, const char *addr, const char *prefix,
					    uint8_t forward)
{
	struct net n = net_new();
	struct lb_vip_key key = begin(&n, vip);
	struct netprobe_error err = { 0 };
	struct clients c;
	uint64_t unwrapped = 0;
	struct lb_count count;
	uint8_t drained[16];

	for (unsigned int i = 0; i < NET_BACKENDS; i++)
		add(&key, i, forward, LB_CHECK_NONE);
	wait_neighbours(prefix);
	c = clients_new(&n, addr);
	clients_open(&c, 0, 40);
	for (int i = 0; i < NET_BACKENDS; i++)
		CHECK(reached(&c, 0, 40, i) > 0, "backend %d got none of 40 connections", i);
	backend_addr(&key, 1, drained);
	REQUIRE(balance_backend_drain(&balancer, &key, drained, true, &err) == 0, "%s", err.msg);
	CHECK_EQ(clients_echo(&c, 0, 40, 100), 40, "connections that go on");
	clients_open(&c, 40, 60);
	CHECK_EQ(reached(&c, 40, 60, 1), 0, "new connections of a draining backend");
	CHECK_EQ(clients_echo(&c, 0, 4, BIG), 4, "connections that moved a megabyte");
	REQUIRE(balance_backend_drain(&balancer, &key, drained, false, &err) == 0, "%s", err.msg);
	CHECK_EQ(clients_echo(&c, 0, 60, 100), 60, "connections that go on");
	clients_end(&c);
	REQUIRE(balance_vip_count(&balancer, 0, &count) == 0, "no counters");
	CHECK_EQ(count.new_flows, 60, "new flows");
	CHECK_EQ(total(LB_FLOW_MOVED), 0, "flows moved");
	for (unsigned int i = 0; i < NET_BACKENDS; i++)
		unwrapped += net_unwrapped(&n, i);
	if (forward == LB_FORWARD_ENCAP) {
		/* the last ones may still be on their way in either count */
		CHECK(unwrapped + 64 > count.packets && unwrapped <= count.packets + 64,
		      "backends took %" PRIu64 " out of the tunnel, the balancer says %llu",
		      unwrapped, count.packets);
		CHECK(total(LB_TOO_BIG_TOLD) > 0, "the client was not told what fits");
	}
	end();
}

TEST(tcp_through_ipip_is_spread_and_kept)
{
	connections_are_spread_and_kept(NET_VIP4 ":8080/tcp", NET_VIP4, "10.99.0.1[0-9]* ",
					LB_FORWARD_ENCAP);
}

TEST(tcp_through_ip6ip6_is_spread_and_kept)
{
	connections_are_spread_and_kept("[" NET_VIP6 "]:8080/tcp", NET_VIP6, "fd99::[abc] ",
					LB_FORWARD_ENCAP);
}

TEST(tcp_by_mac_rewrite_is_spread_and_kept)
{
	connections_are_spread_and_kept(NET_VIP4 ":8080/tcp", NET_VIP4, "10.99.0.1[0-9]* ",
					LB_FORWARD_MAC);
}

/* What the checker said last of each backend. */
struct heard {
	unsigned int ups, downs;
	char why[64];
	volatile unsigned int *served; /* answers of the server so far; NULL: nobody counts */
	unsigned int down_at, up_at;   /* how many when it was said */
};

static void on_health(const char *vip, const char *backend, bool up, const char *why, void *arg)
{
	struct heard *h = arg;

	(void)vip;
	(void)backend;
	h->ups += up;
	h->downs += !up;
	if (h->served)
		*(up ? &h->up_at : &h->down_at) = *h->served;
	snprintf(h->why, sizeof(h->why), "%s", why);
}

static void check_until(struct checker *c, const unsigned int *what, unsigned int n)
{
	struct netprobe_error err = { 0 };
	int64_t deadline = deadline_in(20000);

	while (*what < n) {
		REQUIRE(now_ms() < deadline, "health did not change");
		REQUIRE(checker_run(c, 20, &err) == 0, "%s", err.msg);
	}
}

/* Every backend was asked at least once. */
static void check_all(struct checker *c)
{
	struct netprobe_error err = { 0 };
	int64_t deadline = deadline_in(20000);
	bool all = false;

	while (!all) {
		all = true;
		REQUIRE(now_ms() < deadline, "not all backends were checked");
		REQUIRE(checker_run(c, 20, &err) == 0, "%s", err.msg);
		for (unsigned int i = 1; i <= NET_BACKENDS; i++)
			all = all && balancer.model->confs[i].checked_ns;
	}
}

TEST(dead_backend_is_found_left_out_and_taken_back)
{
	struct net n = net_new();
	struct lb_vip_key key = begin(&n, NET_VIP4 ":8080/tcp");
	struct netprobe_error err = { 0 };
	struct heard heard = { 0 };
	struct checker *c = checker_new(&balancer, on_health, &heard);
	struct clients clients;

	for (unsigned int i = 0; i < NET_BACKENDS; i++)
		add(&key, i, LB_FORWARD_ENCAP, LB_CHECK_TCP);
	wait_neighbours("10.99.0.1[0-9]* ");
	check_all(c);
	CHECK_EQ(heard.downs, 0, "backends found down");
	net_stop_server(&n, 2);
	check_until(c, &heard.downs, 1);
	CHECK(!strcmp(heard.why, "Connection refused"), "why: %s", heard.why);
	clients = clients_new(&n, NET_VIP4);
	clients_open(&clients, 0, 30);
	CHECK_EQ(reached(&clients, 0, 30, 2), 0, "connections to the dead one");
	net_start_server(&n, 2);
	check_until(c, &heard.ups, 1);
	clients_open(&clients, 30, 60);
	CHECK(reached(&clients, 30, 60, 2) > 0, "the backend that is back got no connection");
	CHECK_EQ(clients_echo(&clients, 0, 60, 100), 60, "connections that go on");
	clients_end(&clients);
	checker_free(c);
	REQUIRE(balance_take(&balancer, &err) == 0, "%s", err.msg);
	end();
}

TEST(http_check_wants_an_http_answer)
{
	struct net n = net_new();
	struct lb_vip_key key = begin(&n, NET_VIP4 ":8080/tcp");
	struct netprobe_error err = { 0 };
	struct heard heard = { 0 };
	struct checker *c = checker_new(&balancer, on_health, &heard);

	/* This server speaks something else. */
	add(&key, 0, LB_FORWARD_ENCAP, LB_CHECK_HTTP);
	check_until(c, &heard.downs, 1);
	CHECK(!strcmp(heard.why, "answer is not HTTP"), "why: %s", heard.why);
	CHECK_EQ(balancer.model->backends[1].state, LB_STATE_DOWN, "state");
	checker_free(c);
	REQUIRE(balance_take(&balancer, &err) == 0, "%s", err.msg);
	end();
}

/* Answers: G good, B bad; of the last one all that follow. */
static _Noreturn void serve_http(const struct netns *ns, const char *script,
				 volatile unsigned int *served)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(8081) };
	int ns_fd = open(ns->path, O_RDONLY | O_CLOEXEC), one = 1, fd;
	char buf[1024];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (ns_fd < 0 || setns(ns_fd, CLONE_NEWNET))
		_exit(1);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) || listen(fd, 16))
		_exit(1);
	for (;;) {
		int c = accept(fd, NULL, NULL);
		ssize_t n = read(c, buf, sizeof(buf) - 1);
		const char *status = *script == 'G' ? "302 Found" : "503 Service Unavailable";

		buf[n > 0 ? n : 0] = '\0';
		/* Only the page and the host that were asked for. */
		if (strstr(buf, "GET /health HTTP/1.0\r\nHost: shop\r\n")) {
			++*served;
			dprintf(c, "HTTP/1.1 %s\r\nContent-Length: 0\r\n\r\n", status);
			script += script[1] != '\0';
		}
		close(c);
	}
}

/* Down with the third bad answer in a row, the seventh of all; up with the second good one, the eleventh. */
TEST(http_status_takes_a_backend_down_and_up_after_so_many_in_a_row)
{
	struct backend_spec spec = { .conf = { .weight = 1,
					       .check = LB_CHECK_HTTP,
					       .port = 8081,
					       .interval_ms = 50,
					       .timeout_ms = (uint32_t)(1000 * test_slow()),
					       .rise = 2,
					       .fall = 3,
					       .path = "/health",
					       .host = "shop" } };
	volatile unsigned int *served = mmap(NULL, sizeof(*served), PROT_READ | PROT_WRITE,
					     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct net n = net_new();
	struct lb_vip_key key = begin(&n, NET_VIP4 ":8080/tcp");
	struct netprobe_error err = { 0 };
	struct heard heard = { .served = served };
	struct checker *c;

	REQUIRE(served != MAP_FAILED, "mmap: %s", strerror(errno));
	fflush(NULL);
	if (fork() == 0)
		serve_http(&n.backends[0], "GBBGBBBGBGG", served);
	netns_wait_listener(&n.backends[0], 8081);
	backend_addr(&key, 0, spec.addr);
	REQUIRE(balance_backend_add(&balancer, &key, &spec, &err) == 0, "%s", err.msg);
	c = checker_new(&balancer, on_health, &heard);
	check_until(c, &heard.downs, 1);
	CHECK_EQ(heard.down_at, 7, "answers until it was down");
	CHECK(!strcmp(heard.why, "HTTP status 503"), "why: %s", heard.why);
	CHECK_EQ(balancer.model->backends[1].state, LB_STATE_DOWN, "state");
	check_until(c, &heard.ups, 1);
	CHECK_EQ(heard.up_at, 11, "answers until it was up");
	CHECK_EQ(balancer.model->backends[1].state, LB_STATE_UP, "state");
	CHECK_EQ(heard.downs, 1, "times it was down");
	checker_free(c);
	REQUIRE(balance_take(&balancer, &err) == 0, "%s", err.msg);
	end();
}
