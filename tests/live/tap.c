/* SPDX-License-Identifier: BSD-2-Clause */
/* See tap.h. Arguments: --list, or substrings of the names to run. */
#include "tap.h"

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define TEST_TIMEOUT_MS 120000
#define WHOLE_TIMEOUT_MS 1800000
#define EXIT_SKIP 77

static struct test *tests, **tests_tail = &tests;
static char dir[PATH_MAX];
static int failures;  /* of this test, in its process */
static pid_t running; /* process group of the test under way */

bool test_whole(void)
{
	const char *all = getenv("NETPROBE_ALL");

	return all && *all && strcmp(all, "0") != 0;
}

void test_register(struct test *t)
{
	*tests_tail = t;
	tests_tail = &t->next;
}

void test_fail(const char *file, int line, const char *fmt, ...)
{
	const char *base = strrchr(file, '/');
	va_list ap;

	printf("# %s:%d: ", base ? base + 1 : file, line);
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
	failures++;
}

void test_end(void)
{
	fflush(NULL);
	_exit(failures ? 1 : 0);
}

void test_skip(const char *fmt, ...)
{
	char path[PATH_MAX + 8];
	va_list ap;
	FILE *f;

	snprintf(path, sizeof(path), "%s/skip", dir);
	f = fopen(path, "we");
	if (f) {
		va_start(ap, fmt);
		vfprintf(f, fmt, ap);
		va_end(ap);
		fclose(f);
	}
	fflush(NULL);
	_exit(failures ? 1 : EXIT_SKIP);
}

void test_note(const char *fmt, ...)
{
	va_list ap;

	printf("# ");
	va_start(ap, fmt);
	vprintf(fmt, ap);
	va_end(ap);
	printf("\n");
	fflush(stdout);
}

const char *test_dir(void)
{
	return dir;
}

double test_slow(void)
{
	const char *text = getenv("NETPROBE_TEST_SLOW");
	double factor = text ? strtod(text, NULL) : 1;

	return factor > 1 ? factor : 1;
}

int64_t now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

int64_t deadline_in(int ms)
{
	return now_ms() + (int64_t)(ms * test_slow());
}

void pause_ms(int ms)
{
	struct timespec ts = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&ts, NULL);
}

bool wait_until(bool (*cond)(void *), void *arg, int ms)
{
	int64_t deadline = deadline_in(ms);

	while (!cond(arg)) {
		if (now_ms() >= deadline)
			return cond(arg);
		pause_ms(20);
	}
	return true;
}

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st, (void)flag, (void)ftw;
	return remove(path);
}

static void remove_dir(void)
{
	nftw(dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	dir[0] = '\0';
}

static void on_signal(int sig)
{
	if (running > 0)
		kill(-running, SIGKILL);
	signal(sig, SIG_DFL);
	raise(sig);
}

/* Exit status of the test's process, -1 when it had to be killed for taking too long. */
static int wait_for(pid_t pid, int timeout_ms)
{
	int64_t deadline = deadline_in(timeout_ms);
	int status, result;

	while (waitpid(pid, &status, WNOHANG) == 0) {
		if (now_ms() > deadline) {
			kill(-pid, SIGKILL);
			waitpid(pid, &status, 0);
			return -1;
		}
		pause_ms(5);
	}
	result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	kill(-pid, SIGKILL); /* what it left running */
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return result;
}

static const struct test *find(const char *name)
{
	for (const struct test *t = tests; t; t = t->next)
		if (!strcmp(t->name, name))
			return t;
	REQUIRE(false, "there is no test %s", name);
}

static int run_one(const struct test *t)
{
	const char *tmp = getenv("TMPDIR");
	pid_t parent = getpid(), pid;
	int result;

	snprintf(dir, sizeof(dir), "%s/netprobe-live-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(dir)) {
		printf("# %s: %s\n", dir, strerror(errno));
		return 1;
	}
	fflush(NULL);
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		signal(SIGPIPE, SIG_IGN);
		t->run();
		if (t->again)
			find(t->again)->run();
		test_end();
	}
	if (pid < 0) {
		printf("# fork: %s\n", strerror(errno));
		return 1;
	}
	setpgid(pid, pid);
	running = pid;
	result = wait_for(pid, test_whole() ? WHOLE_TIMEOUT_MS : TEST_TIMEOUT_MS);
	running = 0;
	return result;
}

static void print_skip(const char *name, unsigned int number)
{
	char path[PATH_MAX + 8], reason[256] = "no reason given";
	FILE *f;

	snprintf(path, sizeof(path), "%s/skip", dir);
	f = fopen(path, "re");
	if (f) {
		if (!fgets(reason, sizeof(reason), f))
			reason[0] = '\0';
		fclose(f);
	}
	printf("ok %u - %s # SKIP %s\n", number, name, reason);
}

/* NETPROBE_TEST_PART=K/N: the K-th of N parts, so that several processes run all of one program. */
static bool of_our_part(unsigned int number)
{
	const char *text = getenv("NETPROBE_TEST_PART");
	unsigned int part, parts;

	if (!text)
		return true;
	REQUIRE(sscanf(text, "%u/%u", &part, &parts) == 2 && part >= 1 && part <= parts,
		"NETPROBE_TEST_PART=%s: takes K/N", text);
	return number % parts == part - 1;
}

static bool wanted(const struct test *t, int argc, char **argv)
{
	size_t own = strlen(t->name) - (t->again ? strlen(t->again) + 1 : 0);

	for (int i = 1; i < argc; i++) {
		const char *at = strstr(t->name, argv[i]);

		if (at && (at + strlen(argv[i]) <= t->name + own || !strcmp(t->name, argv[i])))
			return true;
	}
	return argc < 2;
}

int main(int argc, char **argv)
{
	unsigned int passed = 0, failed = 0, skipped = 0, number = 0, all = 0;
	bool again = getenv("NETPROBE_TEST_AGAIN"); /* what failed once more, and said so */

	if (argc > 1 && !strcmp(argv[1], "--list")) {
		for (struct test *t = tests; t; t = t->next)
			printf("%s\n", t->name);
		return 0;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	signal(SIGHUP, on_signal);
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	for (struct test *t = tests; t; t = t->next)
		number += t->wanted = wanted(t, argc, argv) && of_our_part(all++);
	printf("TAP version 13\n1..%u\n", number);
	number = 0;
	for (struct test *t = tests; t; t = t->next) {
		int64_t began = now_ms();
		int result;

		if (!t->wanted)
			continue;
		result = run_one(t);
		if (again && result != 0 && result != EXIT_SKIP) {
			printf("# AGAIN %s: its files: %s\n", t->name, dir);
			result = run_one(t);
		}
		number++;
		printf("# took %" PRId64 " ms: %s\n", now_ms() - began, t->name);
		if (result == 0) {
			passed++;
			printf("ok %u - %s\n", number, t->name);
		} else if (result == EXIT_SKIP) {
			skipped++;
			print_skip(t->name, number);
		} else {
			failed++;
			printf("not ok %u - %s\n# %s; its files: %s\n", number, t->name,
			       result < 0 ? "killed for taking too long" : "ended", dir);
		}
		if (result == 0 || result == EXIT_SKIP)
			remove_dir();
		fflush(stdout);
	}
	printf("%u passed, %u failed, %u skipped\n", passed, failed, skipped);
	return failed ? 1 : 0;
}
