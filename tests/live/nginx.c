/* SPDX-License-Identifier: BSD-2-Clause */
/* A real server that idles under keep-alive, or answers late, is no stall. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ownership.h"
#include "tap.h"

#define PORT 8080
#define REQUESTS 3
#define IDLE_MS 700 /* seven times the threshold */

/* limit_req holds each request back until a second after the one before. */
static void write_config(FILE *f)
{
	fprintf(f,
		"daemon off; master_process off; pid %1$s/pid; error_log stderr; events {}\n"
		"http {\n"
		"	access_log off; keepalive_timeout 60; client_body_temp_path %1$s;\n"
		"	proxy_temp_path %1$s; fastcgi_temp_path %1$s; uwsgi_temp_path %1$s; scgi_temp_path %1$s;\n"
		"	limit_req_zone $server_name zone=late:1m rate=1r/s;\n"
		"	server {\n"
		"		listen 10.77.0.2:8080; server_name web;\n"
		"		location /late { limit_req zone=late burst=9; root %1$s; }\n"
		"		location / { return 200 end; }\n"
		"	}\n"
		"}\n",
		test_dir());
}

static void start_nginx(const struct netns_pair *n)
{
	char path[300], command[700];
	FILE *f;

	if (system("nginx -v 2>/dev/null"))
		test_skip("nginx is not installed");
	snprintf(path, sizeof(path), "%s/nginx.conf", test_dir());
	f = fopen(path, "we");
	REQUIRE(f, "%s: %s", path, strerror(errno));
	write_config(f);
	fclose(f);
	snprintf(path, sizeof(path), "%s/late", test_dir());
	f = fopen(path, "we"); /* what is returned by itself would not be held back */
	REQUIRE(f && fputs("end", f) >= 0 && fclose(f) == 0, "%s: %s", path, strerror(errno));
	snprintf(path, sizeof(path), "%s/nginx.conf", test_dir());
	snprintf(command, sizeof(command), "nginx -e stderr -p %s -c %s &", test_dir(), path);
	netns_must(&n->b, command);
	netns_wait_listener(&n->b, PORT);
}

static void stop_nginx(const struct netns_pair *n)
{
	char command[300];

	snprintf(command, sizeof(command), "kill $(cat %s/pid)", test_dir());
	netns_must(&n->b, command);
}

static bool ask(int fd, const char *request)
{
	char answer[2000];
	size_t len = 0;
	ssize_t got;

	if (write(fd, request, strlen(request)) < 0)
		return false;
	do {
		got = read(fd, answer + len, sizeof(answer) - 1 - len);
		len += got > 0 ? (size_t)got : 0;
		answer[len] = '\0';
	} while (got > 0 && !strstr(answer, "\r\n\r\nend"));
	return got > 0 && !strncmp(answer, "HTTP/1.1 200", 12);
}

/* One connection: each request when the answer to the last one is here and it has idled. */
static _Noreturn void browse(const struct netns_pair *n, const char *path, unsigned int idle_ms)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(PORT) };
	int ns = open(n->a.path, O_RDONLY | O_CLOEXEC), fd;
	char request[200];
	bool ok;

	snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\nHost: web\r\n\r\n", path);
	inet_pton(AF_INET, "10.77.0.2", &to.sin_addr);
	ok = ns >= 0 && setns(ns, CLONE_NEWNET) == 0;
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ok = ok && connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0;
	for (unsigned int i = 0; ok && i < REQUESTS; i++) {
		ok = ask(fd, request);
		usleep(idle_ms * 1000);
	}
	_exit(!ok);
}

static bool is_closed(const json_t *r, const void *netns)
{
	return record_u64(r, "netns") == *(const uint64_t *)netns &&
	       !strcmp(record_str(r, "event_type"), "conn.close") &&
	       !strcmp(record_str(r, "comm"), "nginx") && record_num(r, "duration_ms") >= 1000;
}

static void check_no_stall(const char *path, unsigned int idle_ms)
{
	struct netns_pair n = netns_pair_new();
	struct probe p;
	const json_t *r;
	json_t *over;
	int status = -1;
	size_t i;
	pid_t pid;

	start_nginx(&n);
	p = probe_start("events", "--format", "json", "--interval", "0.2", "--port", "8080", NULL);
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0)
		browse(&n, path, idle_ms);
	REQUIRE(waitpid(pid, &status, 0) == pid && status == 0,
		"%s: expected %d answers, the client ended with %d", path, REQUESTS, status);
	over = probe_wait_record(&p, is_closed, &n.b.inode, 10000);
	CHECK(over, "%s: expected conn.close of nginx after a second or more, got none", path);
	json_decref(over);
	probe_stop(&p);
	stop_nginx(&n);
	json_array_foreach (p.records, i, r) {
		if (record_u64(r, "netns") != n.a.inode && record_u64(r, "netns") != n.b.inode)
			continue;
		CHECK(strncmp(record_str(r, "value"), "STALL_", 6) != 0,
		      "%s: expected no stall, got %s of %s by %s", path, record_str(r, "value"),
		      record_str(r, "comm"), record_str(r, "cause"));
	}
}

TEST(nginx_that_idles_under_keep_alive_is_no_stall)
{
	check_no_stall("/", IDLE_MS);
}

TEST(nginx_that_answers_late_is_no_stall)
{
	check_no_stall("/late", 0);
}
