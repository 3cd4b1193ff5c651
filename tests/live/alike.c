/* SPDX-License-Identifier: BSD-2-Clause */
/* What programs read is alike whatever the locale and whatever processes call themselves. */
#include <arpa/inet.h>
#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../nasty.h"
#include "ownership.h"
#include "tap.h"

/* A locale that writes 1,5, for children as well. */
static void use_commas(void)
{
	char command[400];
	locale_t there;

	snprintf(command, sizeof(command),
		 "localedef -i de_DE -f UTF-8 %s/de_DE.UTF-8 >/dev/null 2>&1", test_dir());
	if (system(command))
		test_skip("localedef cannot make de_DE.UTF-8 (package locales)");
	setenv("LOCPATH", test_dir(), 1);
	setenv("LC_ALL", "de_DE.UTF-8", 1);
	there = newlocale(LC_ALL_MASK, "de_DE.UTF-8", (locale_t)0);
	REQUIRE(there, "de_DE.UTF-8 was made and is not taken");
	freelocale(there);
}

/* A digit, a comma, a digit: in no text of ours. */
static const char *comma_in(const char *text)
{
	for (const char *at = text; (at = strchr(at, ',')); at++)
		if (at > text && at[-1] >= '0' && at[-1] <= '9' && at[1] >= '0' && at[1] <= '9')
			return at - 1;
	return NULL;
}

static void check_stream(const char *format, const char *key)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--format", format, "--interval", "0.2", NULL);
	const json_t *r;
	char *text;
	size_t i;

	maker_run(&ns, "stream --bytes 5000");
	if (key)
		probe_stop(&p); /* a line that is no JSON is a failed check */
	else
		CHECK(probe_signal(&p, SIGTERM) == 0, "%s: exit %d", format, p.status);
	if (key)
		json_array_foreach (p.records, i, r)
			CHECK(!strchr(record_str(r, key), ','), "%s: %s: expected a point, got %s",
			      format, key, record_str(r, key));
	text = key ? NULL : file_text(p.out);
	CHECK(!text || !comma_in(text), "%s: expected points, got %.40s", format, comma_in(text));
	free(text);
}

TEST(records_are_alike_in_a_locale_with_commas)
{
	use_commas();
	check_stream("json", "value");
	check_stream("xctl", "value");
	check_stream("text", NULL);
}

TEST(tables_are_alike_in_a_locale_with_commas)
{
	static const char *const commands[][10] = {
		{ "flows", "--duration", "0.5", "--format", "tsv", NULL },
		{ "flows", "--duration", "0.5", NULL },
		{ "top", "--once", "--interval", "0.5", "--idle", NULL },
		{ "why", "--duration", "0.5", NULL },
	};

	use_commas();
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct netns ns = netns_new();
		struct probe p = probe_start_args(commands[i]);
		char *text;

		maker_run(&ns, "stream --bytes 5000");
		CHECK(probe_wait(&p, 10000) == 0, "%s: expected exit 0, got %d", commands[i][0],
		      p.status);
		text = file_text(p.out);
		CHECK(*text && !comma_in(text), "%s: expected points, got %.40s", commands[i][0],
		      comma_in(text) ?: "nothing");
		free(text);
	}
}

/* A process with that name and a connection to itself, until it is killed. */
static pid_t hostile_new(const char *name)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(a);
	int ready[2];
	pid_t pid;
	char byte;

	REQUIRE(pipe(ready) == 0, "pipe: %s", strerror(errno));
	pid = fork();
	if (pid == 0) {
		int l = socket(AF_INET, SOCK_STREAM, 0), c = socket(AF_INET, SOCK_STREAM, 0);

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		prctl(PR_SET_NAME, name);
		if (bind(l, (struct sockaddr *)&a, len) || listen(l, 1) ||
		    getsockname(l, (struct sockaddr *)&a, &len) ||
		    connect(c, (struct sockaddr *)&a, len) || accept(l, NULL, NULL) < 0)
			_exit(1);
		for (ssize_t n = write(ready[1], "r", 1); n > 0; usleep(50000))
			n = write(c, "x", 1);
		_exit(1);
	}
	close(ready[1]);
	REQUIRE(pid > 0 && read(ready[0], &byte, 1) == 1, "the process did not connect");
	close(ready[0]);
	return pid;
}

TEST(names_of_processes_reach_no_output_raw)
{
	char pcap[PATH_MAX], pid[16];
	const char *const commands[][12] = {
		{ "why", "-p", pid, "--duration", "0.5",
		  NULL }, /* it lists a few connections only */
		{ "flows", "--duration", "0.5", NULL },
		{ "flows", "--duration", "0.5", "--histograms", NULL },
		{ "top", "--once", "--idle", "-n", "1", "--interval", "0.5", NULL },
		{ "events", "--duration", "0.7", "--interval", "0.2", "--format", "text", "--pcap",
		  pcap, NULL },
	};
	pid_t children[NASTY_NAMES];

	snprintf(pcap, sizeof(pcap), "%s/nasty.pcapng", test_dir());
	for (size_t i = 0; i < NASTY_NAMES; i++)
		children[i] = hostile_new(nasty_names[i]);
	snprintf(pid, sizeof(pid), "%d", children[0]);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct probe p;
		int status = probe_run(&p, commands[i]);
		char *text = file_text(p.out);

		CHECK(status == 0, "%s: expected exit 0, got %d", commands[i][0], status);
		CHECK(strstr(text, "[31mred"), "%s: expected the processes in it, got: %.200s",
		      commands[i][0], text);
		CHECK(nasty_free(text, strlen(text), "\n"),
		      "%s: expected no character that acts or hides, got: %.200s", commands[i][0],
		      text);
		free(text);
	}
	for (size_t i = 0; i < NASTY_NAMES; i++) {
		kill(children[i], SIGKILL);
		waitpid(children[i], NULL, 0);
	}
}

TEST(rows_carry_when_where_and_how)
{
	static const char *const commands[][10] = {
		{ "flows", "--duration", "0.3", "--format", "json", NULL },
		{ "flows", "--histograms", "--duration", "0.5", "--format", "json", NULL },
		{ "top", "--once", "--interval", "0.3", "--idle", "--format", "json", NULL },
	};
	pid_t child = hostile_new(nasty_names[0]);

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct probe p;
		json_t *rows;
		const json_t *r;
		size_t k;

		CHECK(probe_run(&p, commands[i]) == 0, "%s: exit %d", commands[i][0], p.status);
		rows = probe_records(&p);
		CHECK(json_array_size(rows) > 0, "%s: expected rows, got none", commands[i][0]);
		json_array_foreach (rows, k, r)
			CHECK(strlen(record_str(r, "ts")) == 30 && *record_str(r, "host") &&
				      *record_str(r, "mode"),
			      "%s: expected ts, host and mode in each row", commands[i][0]);
		json_decref(rows);
	}
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}
