/* SPDX-License-Identifier: BSD-2-Clause */
/* Starting makers and taking their reports; see maker.h. The comparison is in owners.c. */
#include "maker.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "probe.h"
#include "tap.h"

#define MAKER_MS 60000
#define MAX_WORDS 40

static void traffic_dir(char *path, size_t size)
{
	const char *env = getenv("NETPROBE_TRAFFIC");
	char self[PATH_MAX];
	ssize_t n;

	if (env) {
		snprintf(path, size, "%s", env);
		return;
	}
	n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	REQUIRE(n > 0, "readlink: %s", strerror(errno));
	self[n] = '\0';
	*strrchr(self, '/') = '\0';
	REQUIRE(snprintf(path, size, "%s/../traffic", self) < (int)size, "%s: too long", self);
}

static _Noreturn void child(const struct netns *ns, int cgroup, char *command, int in, int out)
{
	char dir[PATH_MAX], path[PATH_MAX + 300], log[PATH_MAX + 16], *argv[MAX_WORDS + 1], *save;
	int fd, n = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	traffic_dir(dir, sizeof(dir));
	for (char *w = strtok_r(command, " ", &save); w && n < MAX_WORDS;
	     w = strtok_r(NULL, " ", &save))
		argv[n++] = w;
	argv[n] = NULL;
	snprintf(path, sizeof(path), "%s/%s", dir, argv[0]);
	snprintf(log, sizeof(log), "%s/makers.log", test_dir());
	fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd < 0 || dup2(fd, STDERR_FILENO) < 0 || dup2(in, STDIN_FILENO) < 0 ||
	    dup2(out, STDOUT_FILENO) < 0)
		_exit(126);
	if (cgroup >= 0 && write(cgroup, "0", 1) != 1)
		_exit(126);
	if (ns) {
		fd = open(ns->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
			_exit(126);
	}
	execv(path, argv);
	dprintf(STDERR_FILENO, "%s: %s\n", path, strerror(errno));
	_exit(126);
}

struct maker maker_start(const struct netns *ns, int cgroup, const char *command)
{
	struct maker m = { .pid = -1 };
	char words[1024];
	int in[2], out[2];

	REQUIRE(strlen(command) < sizeof(words), "maker's command is too long");
	strcpy(words, command);
	REQUIRE(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipe: %s",
		strerror(errno));
	fflush(NULL);
	m.pid = fork();
	REQUIRE(m.pid >= 0, "fork: %s", strerror(errno));
	if (m.pid == 0)
		child(ns, cgroup, words, in[0], out[1]);
	close(in[0]);
	close(out[1]);
	m.in = in[1];
	m.out = out[0];
	m.text = calloc(1, 1);
	return m;
}

/* Read what there is; false at the end of its output. */
static bool read_more(struct maker *m, int64_t deadline)
{
	struct pollfd pfd = { .fd = m->out, .events = POLLIN };
	int64_t left = deadline - now_ms();
	ssize_t n;

	if (left < 0 || poll(&pfd, 1, (int)left) == 0)
		REQUIRE(false, "maker %d: expected more output in time, got: %s", m->pid, m->text);
	m->text = realloc(m->text, m->len + 65537);
	REQUIRE(m->text, "out of memory");
	n = read(m->out, m->text + m->len, 65536);
	if (n <= 0)
		return false;
	m->len += (size_t)n;
	m->text[m->len] = '\0';
	return true;
}

static void finish_status(struct maker *m)
{
	char log[PATH_MAX + 16], *text;
	int status;

	REQUIRE(waitpid(m->pid, &status, 0) == m->pid, "waitpid: %s", strerror(errno));
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return;
	snprintf(log, sizeof(log), "%s/makers.log", test_dir());
	text = file_text(log);
	text[strcspn(text, "\n")] = '\0';
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
		test_skip("this kernel lacks it: %s", text);
	REQUIRE(false, "maker: expected exit 0, got status %#x: %s", (unsigned int)status, text);
}

pid_t maker_wait_hold(struct maker *m)
{
	int64_t deadline = deadline_in(MAKER_MS);

	for (;;) {
		char *at = strstr(m->text, "{\"hold\"");
		json_t *line;
		pid_t pid;

		if (at && strchr(at, '\n')) {
			line = json_loads(at, JSON_DISABLE_EOF_CHECK, NULL);
			REQUIRE(line, "maker's line is no JSON: %s", at);
			pid = (pid_t)record_u64(line, "pid");
			json_decref(line);
			memset(at, ' ', strcspn(at, "\n")); /* not a report */
			return pid;
		}
		if (!read_more(m, deadline)) {
			finish_status(m);
			REQUIRE(false, "maker: expected it to hold, got its end");
		}
	}
}

void maker_go(struct maker *m)
{
	REQUIRE(write(m->in, "x", 1) == 1, "maker: %s", strerror(errno));
}

void maker_finish(struct maker *m)
{
	maker_finish_within(m, MAKER_MS);
}

void maker_finish_within(struct maker *m, int ms)
{
	int64_t deadline = deadline_in(ms);
	char *save;

	while (read_more(m, deadline))
		;
	finish_status(m);
	close(m->in);
	close(m->out);
	m->reports = json_array();
	for (char *line = strtok_r(m->text, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save)) {
		json_error_t e;
		json_t *one = strchr(line, '{') ? json_loads(line, 0, &e) : NULL;

		if (one)
			json_array_append_new(m->reports, one);
	}
}

struct maker maker_run(const struct netns *ns, const char *command)
{
	struct maker m = maker_start(ns, -1, command);

	maker_finish(&m);
	return m;
}

const json_t *maker_report(const struct maker *m, const char *role)
{
	json_t *one;
	size_t i;

	json_array_foreach (m->reports, i, one)
		if (!strcmp(record_str(one, "role"), role))
			return one;
	REQUIRE(false, "maker: expected a report of the %s, got none", role);
	return NULL;
}

uint64_t report_u64(const json_t *report, const char *key)
{
	return record_u64(report, key);
}
