/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts where the sender holds itself back: Nagle, TCP_CORK, a rate it asked for, small requests. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define REQUESTS 1000
#define ASKED 83
#define ANSWERED 240

static uint16_t own_port(void)
{
	return (uint16_t)(10000 + getpid() % 20000);
}

struct child {
	const struct netns *ns;
	void (*fn)(uint16_t port);
	uint16_t port;
};

static pid_t child_start(const struct child *c)
{
	pid_t pid;
	int fd;

	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	fd = open(c->ns->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		_exit(126);
	c->fn(c->port);
	_exit(0);
}

static struct sockaddr_in far_end(uint16_t port)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(port) };

	a.sin_addr.s_addr = inet_addr("10.77.0.2");
	return a;
}

static int connected(uint16_t port)
{
	struct sockaddr_in a = far_end(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&a, sizeof(a)) < 0)
		_exit(1);
	return fd;
}

static int listening(uint16_t port)
{
	struct sockaddr_in a = far_end(port);
	int fd = socket(AF_INET, SOCK_STREAM, 0), on = 1;

	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 || listen(fd, 64) < 0)
		_exit(1);
	return fd;
}

/* Answers two small writes with a byte. */
static void serve_pairs(uint16_t port)
{
	int fd = accept(listening(port), NULL, NULL);
	char data[200];

	while (recv(fd, data, sizeof(data), MSG_WAITALL) == (ssize_t)sizeof(data))
		if (send(fd, data, 1, 0) != 1)
			_exit(1);
}

static void ask_in_pairs(uint16_t port)
{
	int fd = connected(port);
	char data[100] = "";

	while (send(fd, data, sizeof(data), 0) == (ssize_t)sizeof(data) &&
	       send(fd, data, sizeof(data), 0) == (ssize_t)sizeof(data))
		if (recv(fd, data, 1, 0) != 1)
			_exit(1);
}

static void swallow(uint16_t port)
{
	int fd = accept(listening(port), NULL, NULL);
	static char data[65536];

	while (recv(fd, data, sizeof(data), 0) > 0)
		;
}

/*
 * What is corked leaves after 200 ms (tcp_push_pending by its timer, 5.14 to 6.18), or as a whole segment.
 * Writes are so close that however late that is, the next one follows at once.
 */
static void write_corked(uint16_t port)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	int fd = connected(port), on = 1;
	char data[100] = "";

	if (setsockopt(fd, IPPROTO_TCP, TCP_CORK, &on, sizeof(on)) < 0)
		_exit(1);
	while (send(fd, data, sizeof(data), 0) == (ssize_t)sizeof(data))
		nanosleep(&pause, NULL);
}

static void write_paced(uint16_t port)
{
	int fd = connected(port), rate = 2000000;
	static char data[65536];

	if (setsockopt(fd, SOL_SOCKET, SO_MAX_PACING_RATE, &rate, sizeof(rate)) < 0)
		_exit(1);
	while (send(fd, data, sizeof(data), 0) > 0)
		;
}

/* What why says of the client's connection; its only one at that port. A new reference of all it said. */
static json_t *why(const struct netns_pair *n, void (*server)(uint16_t), void (*client)(uint16_t),
		   const json_t **ret_connection)
{
	struct child s = { &n->b, server, own_port() }, c = { &n->a, client, own_port() };
	pid_t serving = child_start(&s), asking;
	char port[8];
	struct probe p;
	json_t *records;

	snprintf(port, sizeof(port), "%u", own_port());
	netns_wait_listener(&n->b, own_port());
	asking = child_start(&c);
	p = probe_start("why", "--format", "json", "--dst-port", port, "--host", "10.77.0.2",
			"--duration", "2", NULL);
	REQUIRE(probe_wait(&p, 30000) == 0, "expected why to end by itself with 0");
	kill(asking, SIGKILL);
	kill(serving, SIGKILL);
	records = probe_records(&p);
	*ret_connection = json_array_get(json_object_get(json_array_get(records, 0), "flows"), 0);
	REQUIRE(*ret_connection, "expected a connection, got none");
	return records;
}

static void check_verdict(const json_t *c, const char *verdict, const char *detail)
{
	CHECK(!strcmp(record_str(c, "verdict"), verdict), "verdict: expected %s, got %s", verdict,
	      json_dumps(c, JSON_COMPACT));
	CHECK(!strcmp(record_str(c, "detail"), detail), "detail: expected '%s', got %s", detail,
	      json_dumps(c, JSON_COMPACT));
}

TEST(why_says_application_of_small_writes_that_wait_for_an_acknowledgement)
{
	struct netns_pair n = netns_pair_new();
	const json_t *c;
	json_t *all = why(&n, serve_pairs, ask_in_pairs, &c);

	check_verdict(c, "application", "nagle");
	CHECK(strstr(record_str(c, "advice"), "TCP_NODELAY"), "advice: got %s",
	      record_str(c, "advice"));
	json_decref(all);
}

TEST(why_says_application_of_what_is_corked)
{
	struct netns_pair n = netns_pair_new();
	const json_t *c;
	json_t *all = why(&n, swallow, write_corked, &c);

	check_verdict(c, "application", "cork");
	json_decref(all);
}

TEST(why_says_pacing_of_a_sender_that_asked_for_its_rate)
{
	struct netns_pair n = netns_pair_new();
	const json_t *c;
	json_t *all = why(&n, swallow, write_paced, &c);

	check_verdict(c, "pacing", "");
	CHECK(record_num(json_object_get(c, "shares"), "pacing") > 0.5,
	      "shares: expected most of it pacing, got %s", json_dumps(c, JSON_COMPACT));
	json_decref(all);
}

static void serve_requests(uint16_t port)
{
	int listener = listening(port);
	char data[ANSWERED] = "";

	for (int i = 0; i < REQUESTS; i++) {
		int fd = accept(listener, NULL, NULL);

		if (recv(fd, data, ASKED, MSG_WAITALL) != ASKED ||
		    send(fd, data, ANSWERED, 0) != ANSWERED)
			_exit(1);
		close(fd);
	}
}

static void ask_one_by_one(uint16_t port)
{
	char data[ANSWERED] = "";

	for (int i = 0; i < REQUESTS; i++) {
		int fd = connected(port);

		if (send(fd, data, ASKED, 0) != ASKED ||
		    recv(fd, data, ANSWERED, MSG_WAITALL) != ANSWERED)
			_exit(1);
		close(fd);
	}
}

TEST(a_thousand_small_requests_are_all_the_applications)
{
	struct netns_pair n = netns_pair_new();
	struct child s = { &n.b, serve_requests, own_port() },
		     c = { &n.a, ask_one_by_one, own_port() };
	uint64_t closed = 0, wrong = 0;
	const json_t *r, *last = NULL;
	pid_t server, client;
	struct probe p;
	int status = -1;
	size_t i;

	p = probe_start("events", "--format", "json", NULL);
	server = child_start(&s);
	netns_wait_listener(&n.b, own_port());
	client = child_start(&c);
	REQUIRE(waitpid(client, &status, 0) == client && status == 0, "the client ended with %d",
		status);
	REQUIRE(waitpid(server, &status, 0) == server && status == 0, "the server ended with %d",
		status);
	netns_wait_quiet(&n.a);
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (strcmp(record_str(r, "event_type"), "conn.close") ||
		    (record_u64(r, "netns") != n.a.inode && record_u64(r, "netns") != n.b.inode))
			continue;
		closed++;
		if (strcmp(record_str(r, "verdict"), "application")) {
			wrong++;
			last = r;
		}
	}
	CHECK_EQ(closed, 2 * REQUESTS, "ends of connections");
	CHECK(!wrong, "%" PRIu64 " verdicts that are not application, as %s", wrong,
	      json_dumps(last, JSON_COMPACT));
}

/* Of two writes in one jiffy the second one waits: a sample that always took the first would never see it. */
TEST(waits_of_either_write_of_a_pair_are_timed)
{
	struct netns_pair n = netns_pair_new();
	struct child s = { &n.b, serve_pairs, own_port() }, c = { &n.a, ask_in_pairs, own_port() };
	pid_t serving = child_start(&s), asking;
	uint64_t at_once = 0, waited = 0;
	const json_t *r, *slot;
	struct probe p;
	size_t i, k;

	netns_wait_listener(&n.b, own_port());
	asking = child_start(&c);
	p = probe_start("flows", "--histograms", "--format", "json", "--duration", "5", NULL);
	REQUIRE(probe_wait(&p, 30000) == 0, "expected flows to end by itself with 0");
	kill(asking, SIGKILL);
	kill(serving, SIGKILL);
	p.records = probe_records(&p);
	json_array_foreach (p.records, i, r) {
		if (record_u64(r, "pid") != (uint64_t)asking)
			continue;
		json_array_foreach (json_object_get(json_object_get(r, "send_wait"), "slots"), k,
				    slot)
			*(record_u64(slot, "from_us") >= 16384 ? &waited : &at_once) +=
				record_u64(slot, "count");
	}
	CHECK(at_once >= 10 && waited >= 10,
	      "expected many that left at once and many that waited 40 ms, got %" PRIu64
	      " and %" PRIu64,
	      at_once, waited);
}
