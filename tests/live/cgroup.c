/* SPDX-License-Identifier: BSD-2-Clause */
/* See cgroup.h. */
#include "cgroup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tap.h"

#define REMOVE_TRIES 100

/* The v2 tree may be anywhere: hybrid systems have it at .../unified. controller NULL: that one, else of version 1. */
static bool find_mount(const char *controller, char *path, size_t size)
{
	const char *type = controller ? " - cgroup " : " - cgroup2 ";
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f)) {
		char root[1024], place[1024];

		if (!strstr(line, type) || (controller && !strstr(line, controller)))
			continue;
		if (sscanf(line, "%*s %*s %*s %1023s %1023s", root, place) != 2)
			continue;
		snprintf(path, size, "%s", place);
		found = true;
	}
	if (f)
		fclose(f);
	return found;
}

/* Ends with the test: the pipe's other end is open in every process of it. */
static _Noreturn void remove_later(const char *path, int alive)
{
	char byte;

	setsid();
	signal(SIGTERM, SIG_IGN);
	signal(SIGINT, SIG_IGN);
	while (read(alive, &byte, 1) < 0 && errno == EINTR)
		;
	for (int i = 0; i < REMOVE_TRIES && rmdir(path) < 0 && errno == EBUSY; i++)
		pause_ms(50);
	_exit(0);
}

static struct cgroup_dir dir_new(const char *controller, const char *name)
{
	struct cgroup_dir c;
	char root[1024], procs[PATH_MAX + 16];
	struct stat st;
	int alive[2];
	pid_t pid;

	if (!find_mount(controller, root, sizeof(root)))
		test_skip("no such cgroup tree is mounted: %s", controller ? controller : "v2");
	snprintf(c.name, sizeof(c.name), "%s", name);
	snprintf(c.path, sizeof(c.path), "%s%s", root, c.name);
	if (mkdir(c.path, 0755) < 0)
		test_skip("%s: %s", c.path, strerror(errno));
	REQUIRE(pipe2(alive, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	fflush(NULL);
	pid = fork();
	REQUIRE(pid >= 0, "fork: %s", strerror(errno));
	if (pid == 0) {
		close(alive[1]);
		remove_later(c.path, alive[0]);
	}
	close(alive[0]);
	REQUIRE(stat(c.path, &st) == 0, "%s: %s", c.path, strerror(errno));
	c.id = st.st_ino;
	snprintf(procs, sizeof(procs), "%s/cgroup.procs", c.path);
	c.procs = open(procs, O_WRONLY | O_CLOEXEC);
	REQUIRE(c.procs >= 0, "%s: %s", procs, strerror(errno));
	return c;
}

struct cgroup_dir cgroup_dir_new(void)
{
	char name[64];

	snprintf(name, sizeof(name), "/netprobe-live-%d", getpid());
	return dir_new(NULL, name);
}

struct cgroup_dir cgroup_dir_service(const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "/%s.service", name);
	return dir_new(NULL, path);
}

struct cgroup_dir cgroup_dir_lxc(const char *name)
{
	char path[96];

	snprintf(path, sizeof(path), "/lxc.payload.%s", name);
	return dir_new(NULL, path);
}

struct cgroup_dir cgroup_dir_container(char *ret_id)
{
	char name[96];

	/* no other test has our pid, and its beginning tells it from real ones */
	snprintf(ret_id, 65, "%08x%056x", getpid(), 0xfeed);
	snprintf(name, sizeof(name), "/docker-%s.scope", ret_id);
	return dir_new(NULL, name);
}

struct cgroup_dir cgroup_dir_pids(char *ret_id)
{
	char name[96];

	snprintf(ret_id, 65, "%08x%056x", getpid(), 0xbeef);
	snprintf(name, sizeof(name), "/docker-%s.scope", ret_id);
	return dir_new(",pids", name);
}
