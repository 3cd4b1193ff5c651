/* SPDX-License-Identifier: BSD-2-Clause */
/* See lib.h. Sockets are in sock.c. */
#include "lib.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int g_argc;
static char **g_argv;

static bool g_left_pid_ns;

/*
 * The leak check clones a process that stops this one. Of a process that has left its pid namespace
 * the clone would be another namespace's: the check dies of that. Called by it, where built in.
 */
__attribute__((visibility("default"))) int __lsan_is_turned_off(void);
int __lsan_is_turned_off(void)
{
	return g_left_pid_ns;
}

/* The rest of the program runs as process 1 of a new pid namespace; this one waits for it. */
static void enter_pid_ns(void)
{
	int status;
	pid_t pid;

	if (unshare(CLONE_NEWPID) < 0)
		unsupported("CLONE_NEWPID");
	g_left_pid_ns = true;
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		return;
	if (waitpid(pid, &status, 0) != pid)
		die("waitpid");
	exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void tm_init(int argc, char **argv)
{
	g_argc = argc;
	g_argv = argv;
	signal(SIGPIPE, SIG_IGN);
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl");
	if (tm_flag("pid-ns")) {
		enter_pid_ns();
		if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
			die("prctl");
	}
}

const char *tm_word(int n)
{
	for (int i = 1; i < g_argc; i++) {
		if (!strncmp(g_argv[i], "--", 2)) {
			if (i + 1 < g_argc && strncmp(g_argv[i + 1], "--", 2))
				i++;
			continue;
		}
		if (n-- == 0)
			return g_argv[i];
	}
	return NULL;
}

const char *tm_str(const char *name, const char *fallback)
{
	for (int i = 1; i + 1 < g_argc; i++)
		if (!strncmp(g_argv[i], "--", 2) && !strcmp(g_argv[i] + 2, name))
			return g_argv[i + 1];
	return fallback;
}

uint64_t tm_num(const char *name, uint64_t fallback)
{
	const char *text = tm_str(name, NULL);
	char *end;
	uint64_t value;

	if (!text)
		return fallback;
	value = strtoull(text, &end, 10);
	if (*end == 'k')
		value <<= 10;
	else if (*end == 'm')
		value <<= 20;
	else if (*end == 'g')
		value <<= 30;
	else if (*end) {
		errno = EINVAL;
		die(name);
	}
	return value;
}

bool tm_flag(const char *name)
{
	for (int i = 1; i < g_argc; i++)
		if (!strncmp(g_argv[i], "--", 2) && !strcmp(g_argv[i] + 2, name))
			return true;
	return false;
}

void die(const char *what)
{
	fprintf(stderr, "%s: %s: %s\n", g_argv ? g_argv[0] : "maker", what, strerror(errno));
	exit(1);
}

void unsupported(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(EXIT_UNSUPPORTED);
}

pid_t tm_fork(void)
{
	pid_t parent = getpid();
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid > 0)
		return pid;
	if (prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die("prctl");
	if (getppid() != parent)
		_exit(1);
	return 0;
}

int tm_wait_all(void)
{
	int status, worst = 0;

	while (wait(&status) > 0) {
		int code = WIFEXITED(status) ? WEXITSTATUS(status) : 1;

		if (code == EXIT_UNSUPPORTED)
			return code;
		if (code > worst)
			worst = code;
	}
	return worst;
}

void tm_enter(const char *who)
{
	char name[32];
	const char *path;
	int fd;

	snprintf(name, sizeof(name), "%s-ns", who);
	path = tm_str(name, NULL);
	if (!path)
		return;
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET) < 0)
		die(path);
	close(fd);
}

void tm_hold(const char *point)
{
	char line[128], byte;
	int n;

	if (strcmp(tm_str("hold", ""), point))
		return;
	n = snprintf(line, sizeof(line), "{\"hold\":\"%s\",\"pid\":%d}\n", point, getpid());
	if (write(STDOUT_FILENO, line, (size_t)n) != n)
		die("write");
	if (read(STDIN_FILENO, &byte, 1) != 1)
		exit(0); /* whoever held us is gone */
}

void tm_comm(const char *name)
{
	if (prctl(PR_SET_NAME, name) < 0)
		die("prctl");
}

uint64_t tm_now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

void tm_sleep_ms(unsigned int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	while (nanosleep(&ts, &ts) < 0 && errno == EINTR)
		;
}

void *tm_shared(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (p == MAP_FAILED)
		die("mmap");
	return p;
}

struct gate gate_new(void)
{
	struct gate g;

	if (pipe2(g.fd, O_CLOEXEC) < 0)
		die("pipe");
	return g;
}

void gate_open(const struct gate *g, uint16_t value)
{
	if (write(g->fd[1], &value, sizeof(value)) != sizeof(value))
		die("gate");
}

uint16_t gate_wait(const struct gate *g)
{
	uint16_t value;

	if (read(g->fd[0], &value, sizeof(value)) != sizeof(value))
		die("gate");
	return value;
}

void send_bytes(struct report *r, int fd, uint64_t bytes, size_t chunk)
{
	static char buf[1 << 17];

	if (chunk > sizeof(buf))
		chunk = sizeof(buf);
	while (bytes) {
		ssize_t n = write(fd, buf, bytes < chunk ? (size_t)bytes : chunk);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("write");
		r->tx += (uint64_t)n;
		r->tx_pkts++;
		bytes -= (uint64_t)n;
	}
}

void recv_bytes(struct report *r, int fd, uint64_t bytes)
{
	static char buf[1 << 17];

	while (bytes) {
		ssize_t n = read(fd, buf, bytes < sizeof(buf) ? (size_t)bytes : sizeof(buf));

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("read");
		if (n == 0) {
			errno = ENODATA;
			die("read: peer closed early");
		}
		r->rx += (uint64_t)n;
		r->rx_pkts++;
		bytes -= (uint64_t)n;
	}
}

void recv_to_end(struct report *r, int fd)
{
	static char buf[1 << 17];
	ssize_t n;

	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			die("read");
		r->rx += (uint64_t)n;
		r->rx_pkts++;
	}
}

/* As the initial pid namespace has it, where /proc was mounted: what netprobe prints. */
static pid_t outer_id(const char *link)
{
	char text[64], *last;
	ssize_t n = readlink(link, text, sizeof(text) - 1);

	if (n < 0)
		die(link);
	text[n] = '\0';
	last = strrchr(text, '/');
	return (pid_t)strtol(last ? last + 1 : text, NULL, 10);
}

void report_print(const struct report *r)
{
	pid_t pid = r->pid ? r->pid : outer_id("/proc/self");
	pid_t tid = r->tid ? r->tid : outer_id("/proc/thread-self");
	char line[1024], comm[17] = "";
	int n;

	if (prctl(PR_GET_NAME, comm) < 0)
		die("prctl");
	n = snprintf(line, sizeof(line),
		     "{\"role\":\"%s\",\"pid\":%d,\"tid\":%d,\"comm\":\"%s\",\"tx\":%" PRIu64
		     ",\"rx\":%" PRIu64 ",\"tx_pkts\":%" PRIu64 ",\"rx_pkts\":%" PRIu64
		     ",\"unseen\":%" PRIu64 ",\"before\":%" PRIu64 ",\"cookie\":%" PRIu64
		     ",\"lport\":%u,\"rport\":%u,\"rate\":%.1f,\"wait_min_us\":%" PRIu64
		     ",\"wait_max_us\":%" PRIu64 ",\"error\":%s%s%s}\n",
		     r->role, pid, tid, comm, r->tx, r->rx, r->tx_pkts, r->rx_pkts, r->unseen,
		     r->before, r->cookie, r->lport, r->rport, r->rate, r->wait_min_ns / 1000,
		     r->wait_max_ns / 1000, r->err ? "\"" : "",
		     r->err ? strerrorname_np(r->err) : "null", r->err ? "\"" : "");
	/* one write: lines of concurrent processes do not mix */
	if (n < 0 || (size_t)n >= sizeof(line) || write(STDOUT_FILENO, line, (size_t)n) != n)
		die("report");
}
