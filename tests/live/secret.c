/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Options that are secrets, in the program itself: of netprobe_secret, the same program but that --btf and --max-events are some. The
 * first is a path that errors show, the second is asked and set while it runs.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "ownership.h"
#include "tap.h"

#define SECRET "/no/hunter2"

static void use_secret_program(void)
{
	char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 32);
	char *slash;

	REQUIRE(n > 0, "/proc/self/exe");
	path[n] = '\0';
	slash = strrchr(path, '/');
	(void)strcpy(slash + 1, "netprobe_secret");
	REQUIRE(!access(path, X_OK), "%s is not built", path);
	(void)setenv("NETPROBE", path, 1);
}

static void put(char path[PATH_MAX], const char *name, const char *text, mode_t mode)
{
	FILE *f;

	(void)snprintf(path, PATH_MAX, "%s/%s", test_dir(), name);
	f = fopen(path, "we");
	REQUIRE(f && fputs(text, f) >= 0 && fclose(f) == 0 && !chmod(path, mode), "%s", path);
}

/* What it says of that config, which is none; and the secret is nowhere in it. */
static void refused(const char *text, mode_t mode, const char *where)
{
	char path[PATH_MAX];
	const char *args[] = { "events", "-vv", "--config", path, NULL };
	struct probe p;
	int status;
	char *log;

	put(path, "netprobe.yaml", text, mode);
	status = probe_run(&p, args);
	log = file_text(p.log);
	CHECK(status == 3 && strstr(log, where) && !strstr(log, "hunter"),
	      "%s: expected exit 3 and %s, got %d: %s", text, where, status, log);
	free(log);
}

TEST(a_secret_is_in_no_error_and_in_no_file_that_anybody_may_read)
{
	char path[PATH_MAX];

	own_run_dir();
	use_secret_program();
	refused("comm: x\nbtf: " SECRET "\n", 0644,
		"netprobe.yaml:2:6: --btf: a secret in a file that anybody may read; takes mode 0600");
	refused("comm: x\nbtf: " SECRET "\n", 0600, "netprobe.yaml:2:6: --btf:");
	refused("events:\n  btf: " SECRET "\n", 0644, "netprobe.yaml:2:8: --btf: a secret");
	refused("btf: [" SECRET ", x]\n", 0600, "netprobe.yaml:1:7: --btf:");
	put(path, "word", SECRET "\n", 0644);
	refused("btf: {file: word}\n", 0644,
		"netprobe.yaml:1:13: --btf: file 'word': a secret that anybody may read");
	put(path, "word", SECRET "\n", 0600);
	refused("btf: {file: word}\n", 0644,
		"netprobe.yaml:1:13: --btf: file 'word': what it holds");
}

TEST(a_secret_on_the_command_line_is_in_no_error)
{
	const char *args[] = { "events", "--btf", SECRET, NULL };
	struct probe p;
	char *log;

	own_run_dir();
	use_secret_program();
	CHECK_EQ(probe_run(&p, args), 3, "exit");
	log = file_text(p.log);
	CHECK(strstr(log, "--btf") && !strstr(log, "hunter"), "got %s", log);
	free(log);
}

struct line {
	const struct probe *p;
	const char *text;
};

static bool has_line(void *arg)
{
	const struct line *l = arg;
	char *text = file_text(l->p->log);
	bool has = strstr(text, l->text);

	free(text);
	return has;
}

static void log_shows(const struct probe *p, const char *text)
{
	struct line l = { p, text };

	CHECK(wait_until(has_line, &l, 2000), "log: expected \"%s\"", text);
}

static void says_nothing_of_it(struct said said)
{
	CHECK(!strstr(said.out, "7654") && !strstr(said.log, "7654"), "ctl: %s%s", said.out,
	      said.log);
}

TEST(a_secret_of_a_running_instance_is_not_told)
{
	char path[PATH_MAX], *log;
	struct probe p;

	own_run_dir();
	use_secret_program();
	put(path, "word", "7654321\n", 0600);
	put(path, "netprobe.yaml", "max-events: {file: word}\nport: 80\n", 0644);
	p = probe_start("events", "--format", "json", "-vv", "--config", path, NULL);
	check_value(&p, "max-events", "\"(secret)\"");
	says_nothing_of_it(ctl("get", NULL));
	says_nothing_of_it(ctl("set", "max-events=7654x", NULL));
	must_set("max-events=7654322");
	check_value(&p, "max-events", "\"(secret)\"");
	says_nothing_of_it(ctl("stats", NULL));
	/* a reload that is wrong, and one that is right */
	put(path, "netprobe.yaml", "port: 81\nmax-events: 7654x\n", 0600);
	kill(p.pid, SIGHUP);
	log_shows(&p, "netprobe.yaml:2:13: --max-events:");
	put(path, "netprobe.yaml", "port: 82\nmax-events: 7654323\n", 0600);
	kill(p.pid, SIGHUP);
	log_shows(&p, "read again");
	check_value(&p, "port", "[\"82\"]");
	probe_stop(&p);
	log = file_text(p.log);
	CHECK(!strstr(log, "7654"), "log: %s", log);
	free(log);
}
