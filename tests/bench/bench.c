/* SPDX-License-Identifier: BSD-2-Clause */
/* See bench.h. Not here: namespaces (ns.c), programs of the kernel (progs.c). */
#include "bench.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_MS 120000 /* where instructions are counted a second is a billion of them */
#define READY_FD 9	/* in the child */

void note(const char *text, ...)
{
	va_list ap;

	va_start(ap, text);
	vfprintf(stderr, text, ap);
	va_end(ap);
	fputc('\n', stderr);
}

void bench_die(const char *what, ...)
{
	va_list ap;

	va_start(ap, what);
	vfprintf(stderr, what, ap);
	va_end(ap);
	fputc('\n', stderr);
	exit(1);
}

/* Texts are our own: no quotes or control characters in them but what a kernel message may bring. */
static void put_text(const char *text)
{
	for (; *text; text++)
		putchar(*text == '"' || *text == '\\' || (unsigned char)*text < ' ' ? '\'' : *text);
}

static void put_pair(const char *key, const char *text, char end)
{
	printf("\"%s\":\"", key);
	put_text(text);
	printf("\"%c", end);
}

void figure(const char *id, const char *what, double measured, const char *unit, const char *op,
	    double target, const char *detail, ...)
{
	char text[1024];
	va_list ap;

	va_start(ap, detail);
	vsnprintf(text, sizeof(text), detail, ap);
	va_end(ap);
	putchar('{');
	put_pair("id", id, ',');
	put_pair("what", what, ',');
	put_pair("unit", unit, ',');
	printf("\"measured\":%.6g,", measured);
	if (op) {
		bool pass = !strcmp(op, AT_MOST) ? measured <= target : measured >= target;

		printf("\"op\":\"%s\",\"target\":%.6g,", op, target);
		if (target != 0)
			printf("\"ratio\":%.6g,", measured / target);
		printf("\"pass\":%s,", pass ? "true" : "false");
	}
	put_pair("detail", text, '}');
	putchar('\n');
	fflush(stdout);
}

void figure_failed(const char *id, const char *what, const char *why)
{
	putchar('{');
	put_pair("id", id, ',');
	put_pair("what", what, ',');
	printf("\"measured\":null,\"pass\":false,");
	put_pair("detail", why, '}');
	putchar('\n');
	fflush(stdout);
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

double median(double *values, size_t n)
{
	if (!n)
		return NAN;
	qsort(values, n, sizeof(*values), compare);
	return n % 2 ? values[n / 2] : (values[n / 2 - 1] + values[n / 2]) / 2;
}

double relative(double measured, double reference)
{
	return reference != 0 ? fabs(measured - reference) / reference : measured != 0;
}

static const char *below(const char *variable, const char *instead, const char *name)
{
	static char paths[8][PATH_MAX];
	static unsigned int next;
	const char *dir = getenv(variable);
	char *path = paths[next++ % 8];

	snprintf(path, PATH_MAX, "%s/%s", dir ? dir : instead, name);
	return path;
}

const char *bin_path(const char *name)
{
	return below("BENCH_BIN", ".", name);
}

const char *maker_path(const char *name)
{
	return below("BENCH_TRAFFIC", ".", name);
}

const char *scratch_path(const char *name)
{
	return below("BENCH_TMP", "/tmp", name);
}

static int host_ns = -1;

void bench_init(void)
{
	host_ns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	if (host_ns < 0)
		die("/proc/self/ns/net");
}

static _Noreturn void exec_child(unsigned int flags, pid_t parent, const char *const *argv)
{
	sigset_t none;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(126);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if ((flags & CHILD_HOST) && setns(host_ns, CLONE_NEWNET) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)(uintptr_t)argv);
	_exit(127);
}

struct child child_start_to(unsigned int flags, const char *path, const char *const *argv)
{
	int out[2] = { -1, -1 }, in[2] = { -1, -1 }, file = -1;
	struct child c = { .out = -1, .in = -1 };
	pid_t parent = getpid();

	if (((flags & CHILD_OUT) && pipe2(out, O_CLOEXEC) < 0) ||
	    ((flags & CHILD_IN) && pipe2(in, O_CLOEXEC) < 0))
		die("pipe");
	if (flags & CHILD_SILENT)
		path = "/dev/null";
	if (path) {
		file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
		if (file < 0)
			die(path);
	}
	fflush(NULL);
	c.pid = fork();
	if (c.pid < 0)
		die("fork");
	if (c.pid == 0) {
		if (file >= 0)
			dup2(file, STDOUT_FILENO);
		if (flags & CHILD_SILENT)
			dup2(file, STDERR_FILENO);
		if (flags & CHILD_OUT)
			dup2(out[1], STDOUT_FILENO);
		if (flags & CHILD_IN)
			dup2(in[0], STDIN_FILENO);
		exec_child(flags, parent, argv);
	}
	if (file >= 0)
		close(file);
	if (flags & CHILD_OUT) {
		close(out[1]);
		c.out = out[0];
	}
	if (flags & CHILD_IN) {
		close(in[0]);
		c.in = in[1];
	}
	return c;
}

struct child child_start(unsigned int flags, const char *const *argv)
{
	return child_start_to(flags, NULL, argv);
}

int child_wait(struct child *c)
{
	int status = 0;

	if (c->in >= 0)
		close(c->in);
	if (c->out >= 0)
		close(c->out);
	c->in = c->out = -1;
	if (waitpid(c->pid, &status, 0) != c->pid)
		die("waitpid");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

int child_stop(struct child *c, int sig)
{
	kill(c->pid, sig);
	return child_wait(c);
}

char *child_text(struct child *c)
{
	size_t size = 0;
	char *text = calloc(1, 1);
	ssize_t n;

	do {
		text = realloc(text, size + 65537);
		if (!text)
			die("realloc");
		n = read(c->out, text + size, 65536);
		if (n > 0)
			size += (size_t)n;
	} while (n > 0);
	text[size] = '\0';
	return text;
}

bool command_exists(const char *name)
{
	char command[200];

	snprintf(command, sizeof(command), "command -v %s >/dev/null 2>&1", name);
	return system(command) == 0;
}

void must(const char *format, ...)
{
	char command[1024];
	va_list ap;

	va_start(ap, format);
	vsnprintf(command, sizeof(command), format, ap);
	va_end(ap);
	if (system(command) != 0)
		bench_die("failed: %s", command);
}

static _Noreturn void exec_netprobe(int cpu, const char *const *args)
{
	const char *argv[32] = { "netprobe", args[0], "--ready-fd", "9" };
	const char *path = getenv("NETPROBE");
	size_t n = 4;

	if (cpu >= 0)
		pin_cpu(cpu);
	for (size_t i = 1; args[i] && n < 31; i++)
		argv[n++] = args[i];
	execv(path ? path : "build/netprobe", (char *const *)(uintptr_t)argv);
	_exit(127);
}

static struct child start_netprobe(const char *out_path, int cpu, const char *const *args,
				   bool here)
{
	struct child c = { .out = -1, .in = -1 };
	pid_t parent = getpid();
	struct pollfd ready;
	int fd[2];
	char byte = 0;

	if (pipe2(fd, O_CLOEXEC) < 0)
		die("pipe");
	fflush(NULL);
	c.pid = fork();
	if (c.pid < 0)
		die("fork");
	if (c.pid == 0) {
		int out = open(out_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (out < 0 || getppid() != parent || (!here && setns(host_ns, CLONE_NEWNET) < 0))
			_exit(126);
		dup2(out, STDOUT_FILENO);
		dup2(fd[1], READY_FD);
		exec_netprobe(cpu, args);
	}
	close(fd[1]);
	ready = (struct pollfd){ .fd = fd[0], .events = POLLIN };
	if (poll(&ready, 1, READY_MS) != 1 || read(fd[0], &byte, 1) != 1 || byte != 'R')
		bench_die("netprobe did not start: status %d", child_stop(&c, SIGKILL));
	close(fd[0]);
	return c;
}

struct child netprobe_start(const char *out_path, int cpu, const char *const *args)
{
	return start_netprobe(out_path, cpu, args, false);
}

struct child netprobe_start_here(const char *out_path, int cpu, const char *const *args)
{
	return start_netprobe(out_path, cpu, args, true);
}

void pin_cpu(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET((unsigned int)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) < 0)
		die("sched_setaffinity");
}

uint64_t cpu_time_ns(pid_t pid)
{
	unsigned long utime = 0, stime = 0;
	char path[64], line[1024];
	const char *rest;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	f = fopen(path, "re");
	if (!f || !fgets(line, sizeof(line), f))
		die(path);
	fclose(f);
	rest = strrchr(line, ')');
	if (!rest || sscanf(rest + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
			    &utime, &stime) != 2)
		bench_die("%s: unexpected form", path);
	return (uint64_t)(utime + stime) * (1000000000u / (uint64_t)sysconf(_SC_CLK_TCK));
}

uint64_t status_kib(pid_t pid, const char *key)
{
	char path[64], line[256];
	size_t len = strlen(key);
	uint64_t value = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	f = fopen(path, "re");
	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f))
		if (!strncmp(line, key, len) && line[len] == ':')
			value = strtoull(line + len + 1, NULL, 10);
	fclose(f);
	return value;
}
