/* SPDX-License-Identifier: BSD-2-Clause */
/* See rung.h. */
#include "rung.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "tap.h"

void rung_go(const struct netns *ns)
{
	int fd = open(ns->path, O_RDONLY | O_CLOEXEC);

	REQUIRE(fd >= 0 && !setns(fd, CLONE_NEWNET), "cannot enter the namespace");
	(void)close(fd);
}

struct netns rung_enter(void)
{
	struct netns ns = netns_new();

	rung_go(&ns);
	return ns;
}

void rung_hide(const char *folder)
{
	REQUIRE(!unshare(CLONE_NEWNS) && !mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
			!mount("none", folder, "tmpfs", 0, NULL),
		"cannot hide %s", folder);
}

struct probe rung_events(const char *mode, uid_t uid, uint64_t caps)
{
	const char *const args[] = { "events", "--format",	 "json", "--interval", "0.2",
				     "-q",     "--capture-mode", mode,	 NULL };
	struct probe_opts opts = { .args = args, .uid = uid, .caps = caps, .plain = true };

	return probe_spawn(&opts);
}

int rung_run(const char *const *args, uid_t uid, uint64_t caps, char **ret_out, char **ret_said)
{
	struct probe_opts opts = {
		.args = args, .uid = uid, .caps = caps, .no_ready = true, .plain = true
	};
	struct probe p = probe_spawn(&opts);
	int status = probe_wait(&p, RUNG_END_MS);

	if (status < 0)
		kill(p.pid, SIGKILL);
	*ret_out = file_text(p.out);
	*ret_said = file_text(p.log);
	REQUIRE(status >= 0, "netprobe %s: expected its end within %d ms, it said: %s", args[0],
		RUNG_END_MS, *ret_said);
	return status;
}

static bool is_open_of(const json_t *record, const void *arg)
{
	return !strcmp(record_str(record, "event_type"), "conn.open") &&
	       record_u64(record, "pid") == (uint64_t) * (const pid_t *)arg;
}

void rung_wait_open(const struct probe *p, pid_t pid)
{
	json_t *r = probe_wait_record(p, is_open_of, &pid, RUNG_END_MS);

	REQUIRE(r, "no conn.open of process %d", pid);
	json_decref(r);
}

struct closed {
	const struct probe *p;
	unsigned int n;
};

static bool are_closed(void *arg)
{
	const struct closed *c = arg;
	json_t *records = probe_records(c->p);
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (records, i, one)
		n += !strcmp(record_str(one, "event_type"), "conn.close");
	json_decref(records);
	return n >= c->n;
}

void rung_wait_closed(const struct probe *p, unsigned int n)
{
	struct closed c = { p, n };

	CHECK(wait_until(are_closed, &c, RUNG_END_MS), "fewer than %u ends of connections", n);
}

void rung_check_mode(const json_t *records, const char *mode)
{
	const json_t *one;
	size_t i;

	CHECK(json_array_size(records) > 0, "no records");
	json_array_foreach (records, i, one)
		CHECK(!strcmp(record_str(one, "mode"), mode), "expected mode %s, got %s", mode,
		      record_str(one, "mode"));
}

void rung_check_falls(const struct probe_opts *opts, const char *mode, const char *const *words)
{
	struct probe p = probe_spawn(opts);
	int status = probe_wait(&p, RUNG_END_MS);
	char want[64], *said, *end;

	said = file_text(p.log);
	snprintf(want, sizeof(want), "capture mode %s", mode);
	CHECK(status == 0, "expected exit 0, got %d: %s", status, said);
	CHECK(strstr(said, want), "expected '%s', got: %s", want, said);
	for (; *words; words++)
		CHECK(strstr(said, *words), "expected '%s' in: %s", *words, said);
	end = strchr(said, '\n');
	CHECK(end && !end[1], "expected one line, got: %s", said);
	free(said);
}

void rung_check_explicit_fails(struct probe_opts opts, const char *const *words)
{
	const char *args[PROBE_MAX_ARGS] = { "flows", "--capture-mode", "ebpf" };
	struct probe p;
	char *said, *out;
	int status;

	for (unsigned int i = 1; opts.args[i]; i++) {
		args[i + 2] = opts.args[i];
		args[i + 3] = NULL;
	}
	opts.args = args;
	p = probe_spawn(&opts);
	status = probe_wait(&p, RUNG_END_MS);
	said = file_text(p.log);
	out = file_text(p.out);
	CHECK(status == 2, "expected exit 2, got %d: %s", status, said);
	CHECK(!*out, "expected nothing on stdout, got: %.200s", out);
	for (; *words; words++)
		CHECK(strstr(said, *words), "expected '%s' in: %s", *words, said);
	free(out);
	free(said);
}
