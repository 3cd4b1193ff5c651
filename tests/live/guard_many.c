/* SPDX-License-Identifier: BSD-2-Clause */
/* Many commands at once, and commands that die at any moment: the list is the one of before, or the one asked for. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"

#define WORDS 12
#define BANNED "10.77.0.2" /* sends all the while, and nothing of it may get through */

/* A command of guard, its words parted by blanks; its output goes nowhere. */
static pid_t begin(const struct netns *ns, const char *command)
{
	const char *args[WORDS] = { "netprobe", "guard" };
	char *words = strdup(command), *save = NULL;
	unsigned int n = 2;
	pid_t pid;

	for (char *w = strtok_r(words, " ", &save); w && n < WORDS - 1;
	     w = strtok_r(NULL, " ", &save))
		args[n++] = w;
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		int fd = open(ns->path, O_RDONLY | O_CLOEXEC), null = open("/dev/null", O_RDWR);

		if (fd < 0 || setns(fd, CLONE_NEWNET))
			_exit(126);
		dup2(null, 1);
		dup2(null, 2);
		execv(probe_binary(), (char *const *)(uintptr_t)args);
		_exit(127);
	}
	free(words);
	return pid;
}

static int by_line(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Both lists, limits, detection and what is attached, in one text whose order does not change. */
static char *all_of(const struct netns *ns)
{
	static const char *const verbs[] = { "export", "export --allow", "limit", "detect" };
	char *lines[2048], *save = NULL, *text, *ret = NULL;
	size_t n, size = 0;
	FILE *out = open_memstream(&ret, &size);

	for (size_t v = 0; v < sizeof(verbs) / sizeof(verbs[0]); v++) {
		guard_must(ns, "%s", verbs[v]);
		text = strdup(guard_out());
		n = 0;
		for (char *l = strtok_r(text, "\n", &save); l && n < 2048;
		     l = strtok_r(NULL, "\n", &save))
			lines[n++] = l;
		qsort(lines, n, sizeof(*lines), by_line);
		for (size_t i = 0; i < n; i++)
			fprintf(out, "%s: %s\n", verbs[v], lines[i]);
		free(text);
	}
	fclose(out);
	return ret;
}

static void write_list(const char *name, unsigned int net, unsigned int n, char *ret, size_t size)
{
	FILE *f;

	snprintf(ret, size, "%s/%s", test_dir(), name);
	f = fopen(ret, "we");
	REQUIRE(f, "%s: %s", ret, strerror(errno));
	fprintf(f, BANNED "\n");
	for (unsigned int i = 1; i <= n; i++)
		fprintf(f, "198.18.%u.%u\n198.18.%u.%u proto=tcp port=%u\n", net, i, net + 1, i, i);
	REQUIRE(!fclose(f), "%s", ret);
}

static bool has_line(const char *text, const char *line)
{
	const char *at = strstr(text, line);

	return at && at[strlen(line)] == '\n';
}

#define AT_ONCE 100

/* A hundred that each do another thing to the list, at one moment. */
TEST(hundred_commands_at_once_do_each_what_they_say)
{
	struct netns_pair p = netns_pair_new();
	unsigned int failed = 0;
	pid_t pids[AT_ONCE];
	char line[160], path[300], *text;
	uint64_t sent, got;
	struct flood f;

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	guard_must(&p.a, "ban " BANNED);
	guard_must(&p.a, "ban 192.0.2.250 --reason kept");
	for (unsigned int i = 0; i < AT_ONCE; i += 5)
		guard_must(&p.a, "ban 192.0.2.%u --proto udp --port 1-9", i);
	write_list("more", 0, 20, path, sizeof(path));
	f = flood_begin(&p.b, &p.a, "10.77.0.1", 6001);
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		switch (i % 5) {
		case 0: /* one of two rules, the other comes at the same time */
			snprintf(line, sizeof(line), "unban 192.0.2.%u --proto udp --port 1-9", i);
			break;
		case 1:
			snprintf(line, sizeof(line), "ban 192.0.2.%u --proto tcp --port %u", i - 1,
				 i);
			break;
		case 2:
			snprintf(line, sizeof(line), "allow 203.0.113.%u", i);
			break;
		case 3:
			snprintf(line, sizeof(line),
				 i % 10 == 3 ? "import %s"
				 : i % 4     ? "limit --pps 100000"
					     : "attach %.0s%s --mode filter",
				 path, p.if_a);
			break;
		default:
			snprintf(line, sizeof(line), i % 2 ? "ban 198.51.100.%u" : "list", i);
		}
		pids[i] = begin(&p.a, line);
	}
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		int status = -1;

		REQUIRE(waitpid(pids[i], &status, 0) == pids[i], "waitpid: %s", strerror(errno));
		failed += status != 0;
	}
	got = flood_end(&f, &sent);
	CHECK_EQ(failed, 0, "commands that failed");
	CHECK_EQ(got, 0, "packets of the banned source came through");
	CHECK(sent > 100, "no flood");
	text = all_of(&p.a);
	for (unsigned int i = 0; i < AT_ONCE; i++) {
		snprintf(line, sizeof(line), "192.0.2.%u proto=udp", i);
		if (i % 5 == 0)
			CHECK(!strstr(text, line), "%s is there still", line);
		snprintf(line, sizeof(line), "export: 192.0.2.%u proto=tcp port=%u", i - 1, i);
		if (i % 5 == 1)
			CHECK(has_line(text, line), "%s is not there", line);
		snprintf(line, sizeof(line), "export --allow: 203.0.113.%u", i);
		if (i % 5 == 2)
			CHECK(has_line(text, line), "%s is not there", line);
		snprintf(line, sizeof(line), "export: 198.51.100.%u", i);
		if (i % 5 == 4 && i % 2)
			CHECK(has_line(text, line), "%s is not there", line);
	}
	for (unsigned int i = 1; i <= 20; i++) {
		snprintf(line, sizeof(line), "export: 198.18.0.%u", i);
		CHECK(has_line(text, line), "%s is not there", line);
		snprintf(line, sizeof(line), "export: 198.18.1.%u proto=tcp port=%u", i, i);
		CHECK(has_line(text, line), "%s is not there", line);
	}
	CHECK(strstr(text, "export: 192.0.2.250 reason=kept\n"), "an old entry is not as it was");
	free(text);
	guard_must(&p.a, "detach %s", p.if_a);
}

/* Each as often as there are kills; killed later in its life each time. */
TEST(change_that_is_killed_at_any_moment_is_made_or_not)
{
	unsigned int kills = test_whole() ? 60 : 15;
	struct netns_pair p = netns_pair_new();
	char one[300], two[300], line[400];
	struct flood f;
	uint64_t sent, got;
	int64_t from;
	useconds_t life;

	write_list("one", 0, 200, one, sizeof(one));
	write_list("two", 10, 200, two, sizeof(two));
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	from = now_ms();
	guard_must(&p.a, "import --replace %s", one);
	life = (useconds_t)(now_ms() - from) * 1000;
	f = flood_begin(&p.b, &p.a, "10.77.0.1", 6001);
	for (unsigned int i = 0; i < kills; i++) {
		char *before, *now, *after;
		pid_t pid;

		/* From the same list each time, whatever the one before did. */
		guard_must(&p.a, "import --replace %s", one);
		before = all_of(&p.a);
		switch (i % 5) {
		case 0:
			snprintf(line, sizeof(line), "import --replace %s", two);
			break;
		case 1:
			snprintf(line, sizeof(line), "unban 198.18.1.%u --proto tcp --port %u",
				 1 + i, 1 + i);
			break;
		case 2:
			snprintf(line, sizeof(line), "ban 192.0.2.%u --proto udp --port 7", i);
			break;
		case 3:
			snprintf(line, sizeof(line), "allow 203.0.113.%u --reason killed", i);
			break;
		default:
			snprintf(line, sizeof(line), "import %s", two);
		}
		pid = begin(&p.a, line);
		usleep((useconds_t)((uint64_t)life * i / (kills - 3)));
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		now = all_of(&p.a);
		if (strcmp(now, before) != 0) {
			/* Made: then once more changes nothing. A rule that is gone is not there. */
			(void)guard_run(&p.a, "%s", line);
			after = all_of(&p.a);
			CHECK(!strcmp(now, after), "kill %u of `%s`: half of it: %s", i, line, now);
			free(after);
		}
		free(before);
		free(now);
	}
	got = flood_end(&f, &sent);
	CHECK_EQ(got, 0, "packets of the banned source came through");
	CHECK(sent > 100, "no flood");
	guard_must(&p.a, "status --format json");
	CHECK(strstr(guard_out(), "\"state\":\"on\""), "not on: %s", guard_out());
	guard_must(&p.a, "detach %s", p.if_a);
}
