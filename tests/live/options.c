/* SPDX-License-Identifier: BSD-2-Clause */
/* A wrong argument is one line that names it, exit 3, and nothing was done. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ownership.h"
#include "tap.h"

/* What was typed, and the two words the message must have: the option, and what was given. */
static const struct wrong {
	const char *args[6];
	const char *option, *given;
} wrong_options[] = {
	{ { "events", "--port", "99999" }, "--port", "99999" },
	{ { "events", "--port", "0x50" }, "--port", "0x50" },
	{ { "events", "--port", "-1" }, "--port", "-1" },
	{ { "events", "--port", "90-80" }, "--port", "90-80" },
	{ { "events", "--port", "" }, "--port", "" },
	{ { "events", "--port", "80,443x" }, "--port", "443x" },
	{ { "events", "--src-port", "no-service" }, "--src-port", "no-service" },
	{ { "events", "--dst-port", "65536" }, "--dst-port", "65536" },
	{ { "events", "--dst-port", "1-65536" }, "--dst-port", "65536" },
	{ { "events", "--host", "10.0.0.0/33" }, "--host", "10.0.0.0/33" },
	{ { "events", "--host", "10.0.0.0/" }, "--host", "10.0.0.0/" },
	{ { "events", "--host", "10.0.0.0/-1" }, "--host", "10.0.0.0/-1" },
	{ { "events", "--host", "10.0.0" }, "--host", "10.0.0" },
	{ { "events", "--host", "300.1.1.1" }, "--host", "300.1.1.1" },
	{ { "events", "--src-host", "fd00::/129" }, "--src-host", "fd00::/129" },
	{ { "events", "--dst-host", "fd00:::1" }, "--dst-host", "fd00:::1" },
	{ { "events", "-i", "nosuch0" }, "--interface", "nosuch0" },
	{ { "events", "--interface", "a-name-longer-than-15" },
	  "--interface",
	  "a-name-longer-than-15" },
	{ { "events", "-p", "4194305" }, "--pid", "4194305" },
	{ { "events", "--pid", "self" }, "--pid", "self" },
	{ { "events", "--pid", "0" }, "--pid", "0" },
	{ { "events", "-c", "/no/such/cgroup" }, "--cgroup", "/no/such/cgroup" },
	{ { "events", "-c", "/etc/passwd" }, "--cgroup", "/etc/passwd" },
	{ { "events", "--container", "no-such-box" }, "--container", "no-such-box" },
	{ { "why", "--container", "" }, "--container", "''" },
	{ { "events", "--proto", "sctp" }, "--proto", "sctp" },
	{ { "events", "--proto", "icmp", "--port", "80" }, "--proto", "icmp" },
	{ { "events", "--port", "80," }, "--port", "''" },
	{ { "events", "--comm", "a-name-of-20-letters" }, "--comm", "a-name-of-20-letters" },
	{ { "events", "--host", "[127.0.0.1]" }, "--host", "[127.0.0.1]" },
	{ { "events", "--host", "no-such-host.invalid" }, "--host", "no-such-host.invalid" },
	{ { "events", "--host", "fe80::1%nosuch0" }, "--interface", "nosuch0" },
	{ { "events", "--host", "fe80::1%lo,fe80::2%lp" }, "--host", "%lp" },
	{ { "events", "--host", "fe80::1%lo/64" }, "--host", "fe80::1/64" },
	{ { "events", "--host", "fe80::%nosuch0/64" }, "--interface", "'nosuch0'" },
	{ { "events", "--host", "fe80::1%lo,192.0.2.7" }, "--host", "192.0.2.7" },
	{ { "events", "--host", "192.0.2.7,fe80::1%lo" }, "--host", "fe80::1%lo" },
	{ { "events", "--interface", "lo", "--host", "fe80::1%lp" }, "--host", "--interface lo" },
	{ { "events", "--hook", "telepathy" }, "--hook", "telepathy" },
	{ { "events", "--capture-mode", "warp" }, "--capture-mode", "warp" },
	{ { "events", "--event-buffer", "bucket" }, "--event-buffer", "bucket" },
	{ { "events", "--capture-mode", "proc", "--hook", "kprobe" }, "--hook", "kprobe" },
	{ { "events", "--capture-mode", "afpacket", "--event-buffer", "perf" },
	  "--event-buffer",
	  "perf" },
	{ { "events", "--btf", "/no/such/btf" }, "--btf", "/no/such/btf" },
	{ { "events", "--format", "yaml" }, "--format", "yaml" },
	{ { "events", "--version=all" }, "--version", "all" },
	{ { "events", "--interval", "0" }, "--interval", "0" },
	{ { "events", "--interval", "-1" }, "--interval", "-1" },
	{ { "events", "--interval", "soon" }, "--interval", "soon" },
	{ { "events", "--interval", "1e400" }, "--interval", "1e400" },
	{ { "events", "--interval", "nan" }, "--interval", "nan" },
	{ { "events", "--duration", "-5" }, "--duration", "-5" },
	{ { "events", "--duration", "5 apples" }, "--duration", "5 apples" },
	{ { "events", "-n", "many" }, "-n", "many" },
	{ { "events", "-n", "-3" }, "-n", "-3" },
	{ { "events", "-o", "/no/such/folder/file" }, "-o", "/no/such/folder/file" },
	{ { "events", "--port" }, "--port", "" },
	{ { "events", "--frobnicate" }, "--frobnicate", "" },
	{ { "events", "-Z" }, "-Z", "" },
	{ { "events", "stray" }, "stray", "" },
	{ { "flows", "--format", "xctl" }, "--format", "xctl" },
	{ { "top", "--interval", "0" }, "--interval", "0" },
	{ { "top", "--match", "rtu>50ms" }, "--match: column 1", "'rtu'; did you mean rtt?" },
	{ { "top", "--match", "port=443" }, "--match: column 1", "a row by process has no port" },
	{ { "flows", "--match", "port=443 and rtt>5MB" }, "--match: column 18", "MB" },
	{ { "flows", "--match", "comm~(" }, "--match: column 6", "(" },
	{ { "frobnicate" }, "frobnicate", "" },
	{ { "events", "--type", "conn.shut" }, "--type", "conn.shut" },
	{ { "events", "--type", "conn,," }, "--type", "''" },
	{ { "events", "--type", "con" }, "--type", "con" },
	{ { "evnts" }, "evnts", "did you mean events" },
	{ { "help", "evnts" }, "evnts", "did you mean events" },
	{ { "help", "guard", "bam" }, "bam", "did you mean ban" },
	{ { "help", "events", "x" }, "x", "one too many" },
	{ { "version", "x" }, "x", "one too many" },
	{ { "guard", "sttus" }, "sttus", "did you mean status" },
	{ { "guard", "vip", "ad" }, "ad", "did you mean add" },
	{ { "ctl", "sats" }, "sats", "did you mean stats" },
	{ { "--frobnicate" }, "--frobnicate", "" },
};

static char *typed(const struct wrong *w, char *text, size_t size)
{
	size_t used = 0;

	for (unsigned int i = 0; i < 5 && w->args[i] && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s ", w->args[i]);
	return text;
}

static void check_wrong(const struct wrong *w)
{
	struct probe p;
	int status = probe_run(&p, w->args);
	char *said = file_text(p.log), *out = file_text(p.out), text[200];
	size_t lines = 0;

	typed(w, text, sizeof(text));
	for (const char *c = said; *c; c++)
		lines += *c == '\n';
	CHECK(status == 3, "%s: expected exit 3, got %d: %s", text, status, said);
	CHECK(strstr(said, w->option) && strstr(said, w->given),
	      "%s: expected a message naming %s and %s, got: %s", text, w->option, w->given, said);
	CHECK(lines == 1, "%s: expected one line, got %zu: %s", text, lines, said);
	CHECK(!*out, "%s: expected nothing on stdout, got: %s", text, out);
	free(said);
	free(out);
}

TEST(wrong_option_exits_3_and_names_it)
{
	for (size_t i = 0; i < sizeof(wrong_options) / sizeof(wrong_options[0]); i++)
		check_wrong(&wrong_options[i]);
}

TEST(help_is_on_stdout_and_exits_0)
{
	static const char *const commands[] = { "top", "events", "flows", "doctor", NULL };

	for (unsigned int i = 0; i < 5; i++) {
		const char *args[3] = { commands[i] ? commands[i] : "--help", "--help", NULL };
		struct probe p;
		int status = probe_run(&p, args);
		char *out = file_text(p.out);

		CHECK(status == 0, "%s --help: expected exit 0, got %d", args[0], status);
		CHECK(strstr(out, "Usage:"), "%s --help: expected Usage: on stdout, got: %.80s",
		      args[0], out);
		free(out);
	}
}

/* Two ways to ask for one text. */
TEST(help_of_a_command_is_what_the_command_says_itself)
{
	static const char *const same[][2][4] = {
		{ { "help" }, { "--help" } },
		{ { "-h" }, { "--help" } },
		{ { "help", "events" }, { "events", "--help" } },
		{ { "help", "guard" }, { "guard", "--help" } },
		{ { "help", "guard", "ban" }, { "guard", "ban", "--help" } },
		{ { "help", "--help" }, { "help", "help" } },
		{ { "version", "-h" }, { "help", "version" } },
		{ { "-V" }, { "version" } },
		{ { "events", "-V" }, { "--version" } },
	};

	for (unsigned int i = 0; i < sizeof(same) / sizeof(same[0]); i++) {
		char *out[2];

		for (unsigned int k = 0; k < 2; k++) {
			struct probe p;
			int status = probe_run(&p, same[i][k]);

			out[k] = file_text(p.out);
			CHECK(status == 0 && *out[k], "%s: expected a text and exit 0, got %d",
			      same[i][k][0], status);
		}
		CHECK(!strcmp(out[0], out[1]), "%s %s: expected what %s prints, got %.100s",
		      same[i][0][0], same[i][0][1] ? same[i][0][1] : "", same[i][1][0], out[0]);
		free(out[0]);
		free(out[1]);
	}
}

TEST(help_shows_the_most_used_options_and_all_when_asked)
{
	static const char *const commands[] = { "top", "events", "flows", "drops", "dns", "why" };

	for (unsigned int i = 0; i < 6; i++) {
		const char *some[] = { commands[i], "--help", NULL };
		const char *all[] = { commands[i], "--help", "all", NULL };
		const char *same[] = { "help", commands[i], "all", NULL };
		char *text[3];

		for (unsigned int k = 0; k < 3; k++) {
			struct probe p;

			CHECK_EQ(probe_run(&p, k == 0	? some
					       : k == 1 ? all
							: same),
				 0, "exit code");
			text[k] = file_text(p.out);
		}
		CHECK(strstr(text[0], "Examples:") && strstr(text[0], "--help all") &&
			      !strstr(text[0], "--fanout"),
		      "%s --help: expected the most used options and an example, got %s",
		      commands[i], text[0]);
		CHECK(strstr(text[1], "--fanout") && strstr(text[1], "--format") &&
			      !strcmp(text[1], text[2]),
		      "%s --help all: expected all options, got %s", commands[i], text[1]);
		for (unsigned int k = 0; k < 3; k++)
			free(text[k]);
	}
}

TEST(type_chooses_types_of_events)
{
	static const struct {
		const char *type;
		unsigned int n; /* of one connection, seen from both ends */
	} cases[] = { { "conn", 4 }, { "dns.query,conn.close", 2 } };

	for (unsigned int i = 0; i < 2; i++) {
		struct netns ns = netns_new();
		struct probe p = probe_start(EVENTS, "--type", cases[i].type, NULL);
		json_t *r;
		size_t at;
		unsigned int n = 0;

		maker_run(&ns, "stream --bytes 1000");
		probe_stop(&p);
		json_array_foreach (p.records, at, r) {
			CHECK(!strncmp(record_str(r, "event_type"), "conn.", 5),
			      "--type %s: expected none but conn.*, got %s", cases[i].type,
			      record_str(r, "event_type"));
			n += record_u64(r, "netns") == ns.inode;
		}
		CHECK_EQ(n, cases[i].n, cases[i].type);
	}
}

TEST(count_ends_after_that_many)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, "-n", "5", NULL);
	json_t *records;
	int status;

	maker_run(&ns, "herd --procs 40");
	status = probe_wait(&p, 10000);
	CHECK(status == 0, "-n 5: expected exit 0 by itself, got %d", status);
	records = probe_records(&p);
	CHECK_EQ(json_array_size(records), 5, "records of -n 5");
}

TEST(a_snapshot_on_a_full_disk_exits_4_and_names_the_file)
{
	static const char *const commands[][8] = {
		{ "flows", "--duration", "0.2", "-o", "/dev/full" },
		{ "flows", "--histograms", "--duration", "0.2", "-o", "/dev/full" },
		{ "top", "--once", "--interval", "0.2", "-o", "/dev/full" },
		{ "why", "--duration", "0.2", "-o", "/dev/full" },
		{ "doctor", "-o", "/dev/full" },
	};

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		struct probe p;
		int status = probe_run(&p, commands[i]);
		char *log = file_text(p.log);

		CHECK(status == 4, "%s: expected exit 4, got %d", commands[i][0], status);
		CHECK(strstr(log, "/dev/full: No space left on device"),
		      "%s: expected the file and why, got: %s", commands[i][0], log);
		free(log);
	}
}

TEST(output_goes_to_the_file_named)
{
	struct netns ns = netns_new();
	char path[PATH_MAX], *out;
	struct probe p;
	struct maker m;

	snprintf(path, sizeof(path), "%s/flows.json", test_dir());
	p = probe_start(FLOWS, "-o", path, NULL);
	m = maker_run(&ns, "stream");
	probe_stop(&p);
	out = file_text(p.out);
	CHECK(!*out, "expected nothing on stdout, got: %.80s", out);
	free(out);
	snprintf(p.out, sizeof(p.out), "%s", path);
	check_owners(probe_records(&p), NULL, m.reports, &ns);
}
