/* SPDX-License-Identifier: BSD-2-Clause */
/* The socket of an instance: whose it is, who may ask, and what it survives. */
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "loss.h"
#include "ownership.h"
#include "tap.h"

#define NOBODY 65534

TEST(socket_and_folder_are_their_owners_alone)
{
	char path[PATH_MAX];
	struct stat st;
	struct probe p;

	own_run_dir();
	p = probe_start(EVENTS, NULL);
	socket_path(p.pid, path, sizeof(path));
	REQUIRE(stat(path, &st) == 0, "%s: %s", path, strerror(errno));
	CHECK_EQ(st.st_mode & 07777, 0600, "mode of the socket");
	REQUIRE(stat(ctl_run_dir(), &st) == 0, "%s: %s", ctl_run_dir(), strerror(errno));
	CHECK_EQ(st.st_mode & 07777, 0700, "mode of the folder");
	probe_stop(&p);
	CHECK(stat(path, &st) < 0 && errno == ENOENT, "%s: expected it gone after the end", path);
}

/* Sends one line there, prints what comes back into reply. */
static void say(const char *path, const char *line, size_t len, char *reply, size_t size)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	size_t got = 0;
	ssize_t n;

	REQUIRE(strlen(path) < sizeof(addr.sun_path), "path is too long");
	strcpy(addr.sun_path, path);
	if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof(addr)) < 0) {
		snprintf(reply, size, "connect: %s", strerror(errno));
		close(fd);
		return;
	}
	(void)!send(fd, line, len, MSG_NOSIGNAL);
	while (got < size - 1 && (n = recv(fd, reply + got, size - 1 - got, 0)) > 0)
		got += (size_t)n;
	reply[got] = '\0';
	close(fd);
}

static int ask_as(uid_t uid, const char *path, char *reply, size_t size)
{
	int fd[2], status;
	pid_t pid;

	REQUIRE(pipe(fd) == 0, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		if (setgid(uid) < 0 || setuid(uid) < 0)
			_exit(126);
		say(path, "{\"cmd\":\"get\"}\n", 14, reply, size);
		_exit(write(fd[1], reply, strlen(reply)) < 0);
	}
	close(fd[1]);
	memset(reply, 0, size);
	(void)!read(fd[0], reply, size - 1);
	close(fd[0]);
	waitpid(pid, &status, 0);
	return status;
}

TEST(another_user_is_refused_even_where_modes_were_opened)
{
	char path[PATH_MAX], reply[4096];
	struct probe p;
	struct said s;

	own_run_dir();
	p = probe_start(EVENTS, NULL);
	socket_path(p.pid, path, sizeof(path));
	ask_as(NOBODY, path, reply, sizeof(reply));
	CHECK(strstr(reply, "Permission denied"), "as nobody: expected no way in, got: %s", reply);
	REQUIRE(chmod(path, 0666) == 0 && chmod(ctl_run_dir(), 0755) == 0 &&
			chmod(test_dir(), 0755) == 0,
		"chmod: %s", strerror(errno));
	ask_as(NOBODY, path, reply, sizeof(reply));
	CHECK(strstr(reply, "\"ok\":false") && strstr(reply, "only this instance's user"),
	      "as nobody, modes opened: expected a refusal, got: %s", reply);
	s = ctl("get", NULL);
	CHECK(s.status == 0, "as its own user: expected exit 0, got %d: %s", s.status, s.log);
	probe_stop(&p);
}

TEST(list_shows_each_instance_and_one_must_be_named)
{
	char pid[16];
	struct probe a, b;
	struct said s;

	own_run_dir();
	s = ctl("list", NULL);
	CHECK(s.status == 0, "list of none: expected exit 0, got %d", s.status);
	s = ctl("get", NULL);
	CHECK(s.status == 3, "get of none: expected exit 3, got %d: %s", s.status, s.log);
	a = probe_start(EVENTS, NULL);
	b = probe_start(FLOWS, NULL);
	s = ctl("list", "--format", "json", NULL);
	snprintf(pid, sizeof(pid), "\"pid\":%d,", a.pid);
	CHECK(strstr(s.out, pid) && strstr(s.out, "\"events\""), "list: expected pid %d, got: %s",
	      a.pid, s.out);
	snprintf(pid, sizeof(pid), "\"pid\":%d,", b.pid);
	CHECK(strstr(s.out, pid) && strstr(s.out, "\"flows\"") && strstr(s.out, "\"ebpf\""),
	      "list: expected pid %d, got: %s", b.pid, s.out);
	s = ctl("get", "port", NULL);
	snprintf(pid, sizeof(pid), "%d", b.pid);
	CHECK(s.status == 3 && strstr(s.log, pid),
	      "get of one of two: expected exit 3 and a list, got %d: %s", s.status, s.log);
	s = ctl("set", "--instance", pid, "port=5005", NULL);
	CHECK(s.status == 0, "set of one of two: expected exit 0, got %d: %s", s.status, s.log);
	check_value(&b, "port", "[\"5005\"]");
	check_value(&a, "port", "[]");
	s = ctl("get", "--instance", "1", NULL);
	CHECK(s.status == 3 && strstr(s.log, "1"), "--instance 1: expected exit 3, got %d: %s",
	      s.status, s.log);
	probe_stop(&a);
	probe_stop(&b);
}

TEST(socket_of_a_killed_instance_is_removed)
{
	char path[PATH_MAX];
	struct probe p;
	struct said s;

	own_run_dir();
	p = probe_start(EVENTS, NULL);
	socket_path(p.pid, path, sizeof(path));
	CHECK_EQ(probe_signal(&p, SIGKILL), 128 + SIGKILL, "end by SIGKILL");
	CHECK(access(path, F_OK) == 0, "after kill -9: expected its socket left, got none");
	s = ctl("list", "--format", "json", NULL);
	CHECK(s.status == 0 && !*s.out, "list: expected none, got exit %d: %s", s.status, s.out);
	CHECK(access(path, F_OK) < 0, "after list: expected its socket gone");
}

TEST(stats_are_those_of_probe_loss)
{
	struct netns ns = netns_new();
	uint64_t filtered = 0, seen = 0;
	json_t *reply, *one;
	struct probe p;
	struct said s;
	size_t i;

	own_run_dir();
	/* Only what is filtered moves after that: nothing does any more when it is asked. */
	p = probe_start(EVENTS, "--comm", "nobody-has-this", "--stall-threshold", "1h", NULL);
	maker_run(&ns, "stream --bytes 100000");
	netns_wait_quiet(&ns);
	must_set("pid=1");
	s = ctl("stats", "--format", "json", NULL);
	reply = json_loads(s.out, 0, NULL);
	REQUIRE(s.status == 0 && reply, "stats: expected JSON, got exit %d: %s%s", s.status, s.out,
		s.log);
	json_array_foreach (json_object_get(reply, "programs"), i, one) {
		filtered += record_u64(one, "filtered");
		seen += record_u64(one, "seen");
	}
	probe_stop(&p);
	CHECK(filtered > 0 && filtered <= loss_sum(p.records, "filtered"),
	      "filtered: expected up to %" PRIu64 " as in probe.loss, got %" PRIu64,
	      loss_sum(p.records, "filtered"), filtered);
	CHECK(seen >= filtered, "seen: expected at least %" PRIu64 ", got %" PRIu64, filtered,
	      seen);
}

/* Nothing that comes in over the socket stops an instance from answering the next one. */
TEST(nonsense_and_silence_are_survived)
{
	static const char *const lines[] = {
		"\n",
		"null\n",
		"[]\n",
		"{}\n",
		"{\"cmd\":1}\n",
		"{\"cmd\":\"set\",\"values\":{}}\n",
		"{\"cmd\":\"set\",\"values\":{\"port\":80}}\n",
		"{\"cmd\":\"get\",\"key\":\"nosuch\"}\n",
		"{\"cmd\":\"frobnicate\"}\n",
		"\xff\xfe\n",
		"{\"cmd\":\"get\",\"cmd\":\"get\"}\n",
	};
	static char flood[65536];
	char path[PATH_MAX], reply[4096];
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int idle[16];
	struct probe p;
	struct said s = { .status = -1 };

	own_run_dir();
	p = probe_start(EVENTS, NULL);
	socket_path(p.pid, path, sizeof(path));
	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++) {
		say(path, lines[i], strlen(lines[i]), reply, sizeof(reply));
		CHECK(strstr(reply, "\"ok\":false") && strstr(reply, "takes"),
		      "%s: expected a refusal, got: %s", lines[i], reply);
	}
	memset(flood, 'x', sizeof(flood));
	say(path, flood, sizeof(flood), reply, sizeof(reply));
	REQUIRE(strlen(path) < sizeof(addr.sun_path), "path is too long");
	strcpy(addr.sun_path, path);
	for (unsigned int i = 0; i < 16; i++) {
		idle[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
		(void)connect(idle[i], (struct sockaddr *)&addr, sizeof(addr));
	}
	/* Silent ones are dropped in time for those who have something to say. */
	for (int64_t end = deadline_in(8000); now_ms() < end; pause_ms(100)) {
		s = ctl("get", "port", NULL);
		if (s.status == 0)
			break;
	}
	CHECK(s.status == 0, "get beside 16 silent clients: expected exit 0, got %d: %s", s.status,
	      s.log);
	for (unsigned int i = 0; i < 16; i++)
		close(idle[i]);
	probe_stop(&p);
}
