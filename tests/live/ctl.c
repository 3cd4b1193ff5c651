/* SPDX-License-Identifier: BSD-2-Clause */
/* See ctl.h. */
#include "ctl.h"

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static char run_dir[PATH_MAX];

void own_run_dir(void)
{
	snprintf(run_dir, sizeof(run_dir), "%s/run", test_dir());
	REQUIRE(setenv("NETPROBE_RUNTIME_DIR", run_dir, 1) == 0, "setenv: %s", strerror(errno));
}

struct said ctl(const char *word, ...)
{
	const char *args[PROBE_MAX_ARGS] = { "ctl", word };
	int64_t began = now_ms();
	struct said s;
	struct probe p;
	va_list ap;

	va_start(ap, word);
	for (size_t n = 2; n < PROBE_MAX_ARGS - 1 && (args[n] = va_arg(ap, const char *)); n++)
		;
	va_end(ap);
	s.status = probe_run(&p, args);
	s.ms = (double)(now_ms() - began);
	s.out = file_text(p.out);
	s.log = file_text(p.log);
	return s;
}

void must_set(const char *pair)
{
	struct said s = ctl("set", pair, NULL);

	REQUIRE(s.status == 0, "ctl set %s: expected exit 0, got %d: %s", pair, s.status, s.log);
}

json_t *ctl_values(const struct probe *p)
{
	char pid[16];
	struct said s;
	json_t *v;

	snprintf(pid, sizeof(pid), "%d", p->pid);
	s = ctl("get", "--instance", pid, "--format", "json", NULL);
	v = json_loads(s.out, 0, NULL);
	REQUIRE(s.status == 0 && v, "ctl get: expected JSON, got exit %d: %s%s", s.status, s.out,
		s.log);
	return v;
}

void check_value(const struct probe *p, const char *key, const char *want)
{
	json_t *v = ctl_values(p);
	char *got = json_dumps(json_object_get(v, key), JSON_ENCODE_ANY | JSON_COMPACT);

	CHECK(got && !strcmp(got, want), "%s: expected %s, got %s", key, want, got ? got : "none");
	free(got);
	json_decref(v);
}

void socket_path(pid_t pid, char *path, size_t size)
{
	REQUIRE(snprintf(path, size, "%s/%d.sock", run_dir, pid) < (int)size, "path is too long");
}

const char *ctl_run_dir(void)
{
	return run_dir;
}
