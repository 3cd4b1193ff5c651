/* SPDX-License-Identifier: BSD-2-Clause */
/* The config file: its keys are the long options, and a wrong one changes nothing. */
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "ownership.h"
#include "tap.h"

static void write_config(const char *path, const char *text)
{
	FILE *f = fopen(path, "we");

	REQUIRE(f && fputs(text, f) >= 0 && fclose(f) == 0, "%s: %s", path, strerror(errno));
}

struct log_line {
	const struct probe *p;
	const char *text;
};

static bool log_has(void *arg)
{
	const struct log_line *l = arg;
	char *text = file_text(l->p->log);
	bool has = strstr(text, l->text);

	free(text);
	return has;
}

static void check_says(const struct probe *p, const char *text)
{
	struct log_line l = { p, text };

	CHECK(wait_until(log_has, &l, 2000), "log: expected \"%s\"", text);
}

TEST(config_is_read_and_the_command_line_wins)
{
	char path[PATH_MAX];
	struct probe p;

	own_run_dir();
	snprintf(path, sizeof(path), "%s/netprobe.yaml", test_dir());
	write_config(
		path,
		"# who\nport: [80, 443]\ncomm: curl,nginx\nmax-events: 50\ninterval: 3\nstall-threshold: 250\n");
	p = probe_start(EVENTS, "--comm", "bash", "--config", path, NULL);
	check_value(&p, "port", "[\"80\",\"443\"]");
	check_value(&p, "comm", "[\"bash\"]");
	check_value(&p, "max-events", "50");
	check_value(&p, "stall-threshold", "250");
	probe_stop(&p);
}

TEST(sighup_reads_the_config_again_and_keeps_the_old_where_it_is_wrong)
{
	char path[PATH_MAX], where[PATH_MAX + 64], *log;
	struct probe p;

	own_run_dir();
	snprintf(path, sizeof(path), "%s/netprobe.yaml", test_dir());
	write_config(path, "port: 80\n");
	p = probe_start(EVENTS, "--config", path, NULL);
	write_config(path, "port: 81\nmax-events: 5\n");
	kill(p.pid, SIGHUP);
	check_says(&p, "read again");
	check_value(&p, "port", "[\"81\"]");
	write_config(path, "port: 82\nprot: tcp\n");
	kill(p.pid, SIGHUP);
	snprintf(where, sizeof(where), "%s:2:1: 'prot'", path);
	check_says(&p, where);
	check_value(&p, "port", "[\"81\"]");
	write_config(path, "port: 83\nmax-events: many\n");
	kill(p.pid, SIGHUP);
	snprintf(where, sizeof(where), "%s:2:13: --max-events", path);
	check_says(&p, where);
	check_value(&p, "port", "[\"81\"]");
	check_value(&p, "max-events", "5");
	snprintf(where, sizeof(where), "%s/name", test_dir());
	write_config(where, "SUPERSECRETVALUE\n");
	write_config(path, "comm: {file: name}\n");
	kill(p.pid, SIGHUP);
	check_says(&p, "--comm: file 'name': what it holds");
	log = file_text(p.log);
	CHECK(!strstr(log, "SUPER"), "the log has what the file holds: %s", log);
	free(log);
	probe_stop(&p);
}

/* What is not given has no value that a reload could take for another. */
TEST(top_reads_its_config_again)
{
	char path[PATH_MAX];
	struct probe p;

	own_run_dir();
	snprintf(path, sizeof(path), "%s/netprobe.yaml", test_dir());
	write_config(path, "port: 80\n");
	p = probe_start("top", "--format", "json", "--config", path, NULL);
	write_config(path, "port: 81\n");
	kill(p.pid, SIGHUP);
	check_says(&p, "read again");
	check_value(&p, "port", "[\"81\"]");
	write_config(path, "port: 82\nby: remote\n");
	kill(p.pid, SIGHUP);
	check_says(&p, "cannot be changed while it runs");
	check_value(&p, "port", "[\"81\"]");
	probe_stop(&p);
}

TEST(wrong_config_exits_3_and_says_where)
{
	static const struct {
		const char *text, *where;
	} wrong[] = {
		{ "prot: tcp\n", ":1:1: 'prot'" },
		{ "port: 99999\n", ":1:7: --port: '99999'" },
		{ "port: [80, 81\n", ":2:1:" },
		{ "- port\n", ":1:1:" },
		{ "port: {a: b}\n", ":1:7:" },
		{ "port: 1\nport: 2\n", ":2:1: 'port'" },
		{ "interval: [1, 2]\n", ":1:12:" },
		{ "help: true\n", ":1:1: 'help'" },
		{ "config: other\n", ":1:1: 'config'" },
		{ "interval: 2\nport:\n  - 80\n  - 99999\n", ":4:5: --port: '99999'" },
		{ "comm: x\nhost: 10.0.0.0/33\n", ":2:7: --host: '10.0.0.0/33'" },
		{ "\nnames: dns,smoke\n", ":2:8: --names" },
		{ "pid: 4194303\n", ":1:6: --pid: there is no process" },
		{ "packet-block: 5000\n", ":1:15: --packet-block: 5000" },
		{ "top: {by: remote}\nevents: {port: 70000}\n", ":2:16: --port: '70000'" },
		{ "top: {by: nobody}\n", ":1:11: --by: 'nobody'" },
		{ "tpo: {by: remote}\n", ":1:6: unknown section 'tpo'; did you mean top?" },
		{ "events:\n  - port: 1\n", ":2:5: 'events' is a list of one section" },
		{ "output: /no/such/x\n", ":1:9: -o: '/no/such/x'" },
		{ "pcap: /no/such/x\n", ":1:7: --pcap: '/no/such/x'" },
		{ "latency: true\ncapture-mode: auto\ncomm: {file: name}\n",
		  ":3:14: --comm: file 'name': what it holds" },
	};
	char path[PATH_MAX];
	const char *args[] = { "events", "--config", path, NULL };

	own_run_dir();
	snprintf(path, sizeof(path), "%s/name", test_dir());
	write_config(path, "SUPERSECRETVALUE\n");
	snprintf(path, sizeof(path), "%s/netprobe.yaml", test_dir());
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct probe p;
		int status;
		char *log;

		write_config(path, wrong[i].text);
		status = probe_run(&p, args);
		log = file_text(p.log);
		CHECK(status == 3 && strstr(log, wrong[i].where) && !strstr(log, "SUPER"),
		      "%s: expected exit 3 and %s, got %d: %s", wrong[i].text, wrong[i].where,
		      status, log);
		free(log);
	}
}

TEST(sighup_without_config_ends_it)
{
	struct probe p;

	own_run_dir();
	p = probe_start(EVENTS, NULL);
	CHECK_EQ(probe_signal(&p, SIGHUP), 0, "exit after SIGHUP");
}
