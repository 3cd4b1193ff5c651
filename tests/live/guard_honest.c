/* SPDX-License-Identifier: BSD-2-Clause */
/* Whom detection must leave alone, as fast as they may be: the programs that people use. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard_run.h"
#include "tap.h"

#define PORT 8080
#define WORKERS 4
#define CLIENTS 32
#define PAGE_BYTES 10000

static void nobody_is_banned(struct netns_pair *p)
{
	json_t *r = guard_stats(&p->a, p->if_a);

	CHECK_EQ(json_at(r, "dropped.detect"), 0, "drops by detection");
	CHECK_EQ(json_at(r, "dropped.ban"), 0, "drops by bans");
	CHECK_EQ(json_at(r, "dropped.limit"), 0, "drops by limits");
	json_decref(r);
	CHECK_EQ(datagrams(&p->b, &p->a, "10.77.0.1", 6001, 5), 5, "afterwards");
}

static struct netns_pair guarded_by_default(void)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "detect on");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1), 1, "before");
	return p;
}

TEST(iperf3_is_never_banned)
{
	struct netns_pair p = guarded_by_default();
	static const char *const runs[] = { "-P 8 -t 2", "-R -t 1", "-u -b 400M -l 200 -t 2",
					    "-N -l 64 -t 2" };
	char command[256];

	snprintf(command, sizeof(command), "iperf3 -s >%s/iperf3 2>&1 & echo $! >%s/iperf3.pid",
		 test_dir(), test_dir());
	netns_must(&p.a, command);
	netns_wait_listener(&p.a, 5201);
	for (unsigned int i = 0; i < sizeof(runs) / sizeof(runs[0]); i++) {
		snprintf(command, sizeof(command), "iperf3 -c 10.77.0.1 %s", runs[i]);
		netns_must(&p.b, command);
	}
	snprintf(command, sizeof(command), "kill $(cat %s/iperf3.pid)", test_dir());
	netns_must(&p.a, command);
	nobody_is_banned(&p);
}

static int socket_in(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		_exit(126);
	close(fd);
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
}

/* Pages by HTTP/1.0, one a connection. */
static void serve(int listener)
{
	static char page[PAGE_BYTES] = "HTTP/1.0 200 OK\r\nContent-Length: 9962\r\n\r\n";
	char request[512];

	for (;;) {
		int fd = accept(listener, NULL, NULL);
		size_t done = 0;
		ssize_t n = read(fd, request, sizeof(request));

		while (n > 0 && done < sizeof(page)) {
			n = write(fd, page + done, sizeof(page) - done);
			done += n > 0 ? (size_t)n : 0;
		}
		close(fd);
	}
}

/* As many pages as come until the end; how many came whole. */
static unsigned int fetch(const struct netns *ns, int64_t until)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	struct timeval limit = { .tv_sec = 5 };
	static char page[PAGE_BYTES];
	unsigned int got = 0;
	int fd = socket_in(ns);

	inet_pton(AF_INET, "10.77.0.1", &to.sin_addr);
	while (now_ms() < until) {
		size_t have = 0;
		ssize_t n = 1;

		setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
		if (connect(fd, (void *)&to, sizeof(to)) ||
		    write(fd, "GET / HTTP/1.0\r\n\r\n", 18) != 18)
			break;
		while (n > 0) {
			n = read(fd, page, sizeof(page));
			have += n > 0 ? (size_t)n : 0;
		}
		if (have != PAGE_BYTES)
			break;
		got++;
		close(fd);
		fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	}
	return now_ms() < until ? 0 : got;
}

TEST(parallel_http_load_is_never_banned)
{
	struct netns_pair p = guarded_by_default();
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int64_t until = now_ms() + 4000;
	pid_t workers[WORKERS];
	unsigned int pages = 0, one;
	int out[2], listener, one_more = 1;

	REQUIRE(!pipe(out), "pipe");
	fflush(NULL);
	for (unsigned int i = 0; i < WORKERS; i++) {
		workers[i] = fork();
		if (workers[i])
			continue;
		listener = socket_in(&p.a);
		setsockopt(listener, SOL_SOCKET, SO_REUSEPORT, &one_more, sizeof(one_more));
		if (bind(listener, (void *)&at, sizeof(at)) || listen(listener, 512))
			_exit(1);
		serve(listener);
	}
	netns_wait_listener(&p.a, PORT);
	for (unsigned int i = 0; i < CLIENTS; i++) {
		if (fork())
			continue;
		one = fetch(&p.b, until);
		_exit(write(out[1], &one, sizeof(one)) != sizeof(one));
	}
	for (unsigned int i = 0; i < CLIENTS; i++) {
		REQUIRE(read(out[0], &one, sizeof(one)) == sizeof(one), "a client died");
		CHECK(one > 0, "a client was cut off");
		pages += one;
	}
	for (unsigned int i = 0; i < WORKERS; i++)
		kill(workers[i], SIGKILL);
	test_note("%u pages in 4 s by one source", pages);
	nobody_is_banned(&p);
}
