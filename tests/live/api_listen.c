/* SPDX-License-Identifier: BSD-2-Clause */
/* Listeners as rows of the library: how many wait in their queue, and how many may. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "api_run.h"

struct listener {
	uint16_t port;
	unsigned int rows, programs;
	struct netprobe_row row;
};

static int find_listener(const struct netprobe_row *row, void *arg)
{
	struct listener *l = arg;

	if (row->flow && row->flow->lport == l->port && row->has_queue) {
		l->rows++;
		l->row = *row;
	}
	return 0;
}

static int find_program(const struct netprobe_row *row, void *arg)
{
	struct listener *l = arg;

	l->programs += row->exe && strstr(row->exe, "live_") && row->tx_bytes >= 30;
	return 0;
}

TEST(listeners_have_their_queue_and_programs_their_processes)
{
	struct netprobe_view_query q = { .size = sizeof(q), .kind = NETPROBE_VIEW_LISTEN };
	struct netprobe_view v = { .size = sizeof(v) };
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m = manager(&c);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct listener l = { 0 };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), to[3];
	int64_t deadline;

	OK(netprobe_manager_load(m, &err));
	OK(netprobe_manager_tick(m));
	OK(netprobe_manager_view(m, &q, NULL, NULL, &v, &err)); /* inside is counted from here on */
	REQUIRE(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 7) &&
			!getsockname(fd, (struct sockaddr *)&at, &len),
		"cannot listen");
	l.port = ntohs(at.sin_port);
	for (int i = 0; i < 3; i++) {
		to[i] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		REQUIRE(!connect(to[i], (struct sockaddr *)&at, sizeof(at)), "cannot connect");
		CHECK_EQ(send(to[i], "0123456789", 10, 0), 10, "sent");
	}
	deadline = deadline_in(20000);
	while (l.row.queue != 3 && now_ms() < deadline) {
		l.rows = 0;
		look(m);
		OK(netprobe_manager_tick(m));
		OK(netprobe_manager_view(m, &q, find_listener, &l, &v, &err));
	}
	CHECK_EQ(l.rows, 1, "rows of the listener");
	CHECK_EQ(l.row.queue, 3, "connections that wait");
	CHECK_EQ(l.row.backlog, 7, "as many may");
	q.kind = NETPROBE_VIEW_PROGRAM;
	OK(netprobe_manager_view(m, &q, find_program, &l, &v, &err));
	CHECK_EQ(l.programs, 1, "rows of this program");
	for (int i = 0; i < 3; i++)
		(void)close(to[i]);
	(void)close(fd);
	netprobe_manager_free(m);
}

/* Looks until the listener's row has these, or for so long. */
static void wait_queue(struct netprobe_manager *m, struct listener *l, uint32_t queue,
		       uint32_t backlog)
{
	struct netprobe_view_query q = { .size = sizeof(q), .kind = NETPROBE_VIEW_LISTEN };
	struct netprobe_view v = { .size = sizeof(v) };
	int64_t deadline = deadline_in(5000);

	do {
		look(m);
		OK(netprobe_manager_tick(m));
		OK(netprobe_manager_view(m, &q, find_listener, l, &v, &err));
	} while ((l->row.queue != queue || l->row.backlog != backlog) && now_ms() < deadline);
	CHECK_EQ(l->row.queue, queue, "connections that wait");
	CHECK_EQ(l->row.backlog, backlog, "as many may");
}

/* Neither accept() nor another listen() moves a segment or a byte of the listener. */
static void queue_of_listener(int protocol)
{
	struct netprobe_config c = own_loop();
	struct netprobe_manager *m = manager(&c);
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };
	struct listener l = { 0 };
	socklen_t len = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol), to;

	if (fd < 0 && errno == EPROTONOSUPPORT)
		test_skip("no MPTCP here");
	OK(netprobe_manager_load(m, &err));
	REQUIRE(fd >= 0 && !bind(fd, (struct sockaddr *)&at, sizeof(at)) && !listen(fd, 7) &&
			!getsockname(fd, (struct sockaddr *)&at, &len),
		"cannot listen");
	l.port = ntohs(at.sin_port);
	wait_queue(m, &l, 0, 7);
	REQUIRE(!listen(fd, 9), "cannot listen again");
	wait_queue(m, &l, 0, 9);
	to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, protocol);
	REQUIRE(!connect(to, (struct sockaddr *)&at, sizeof(at)), "cannot connect");
	wait_queue(m, &l, 1, 9);
	REQUIRE(accept(fd, NULL, NULL) >= 0, "cannot accept");
	wait_queue(m, &l, 0, 9);
	netprobe_manager_free(m);
}

TEST(a_listener_s_queue_is_what_it_is_after_another_listen_and_accept)
{
	queue_of_listener(0);
}

TEST(an_mptcp_listener_s_queue_is_what_it_is_after_another_listen_and_accept)
{
	queue_of_listener(IPPROTO_MPTCP);
}
