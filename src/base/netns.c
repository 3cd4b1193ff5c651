/* SPDX-License-Identifier: BSD-2-Clause */
/* See netns.h. */
#include "base/netns.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define PID_INIT_INO 0xEFFFFFFCU /* of the initial pid namespace */
#define SETTLE 200		 /* looks at those that came meanwhile */
#define LOOK_S 5		 /* a name is looked up anew after so long */
#define LOOK_FAILED(e) ((e) != ENOENT && (e) != ESRCH)

struct look {
	const uint64_t *inodes;
	size_t n, left;
	bool *gone;
	int error; /* the first that leaves something unseen */
};

static void seen(struct look *l, uint64_t inode)
{
	for (size_t i = 0; i < l->n; i++)
		if (l->gone[i] && l->inodes[i] == inode) {
			l->gone[i] = false;
			l->left--;
		}
}

static void unseen(struct look *l, int error)
{
	if (LOOK_FAILED(error) && !l->error)
		l->error = error == EACCES || error == EPERM ? -ENOTSUP : -error;
}

/* "net:[4026531840]", wherever it begins in a text. */
static void seen_in(struct look *l, const char *text)
{
	for (const char *p = text; (p = strstr(p, "net:[")); p++)
		seen(l, strtoull(p + 5, NULL, 10));
}

/* All numbers in a folder of /proc. */
static void each(struct look *l, const char *dir, void (*fn)(struct look *l, const char *path))
{
	DIR *d = opendir(dir);
	struct dirent *e;
	char path[128];

	if (!d) {
		unseen(l, errno);
		return;
	}
	while (l->left && !l->error && (e = readdir(d))) {
		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		(void)snprintf(path, sizeof(path), "%.100s/%.16s", dir, e->d_name);
		fn(l, path);
	}
	(void)closedir(d);
}

static void look_at_thread(struct look *l, const char *path)
{
	char file[128];
	struct stat st;

	(void)snprintf(file, sizeof(file), "%s/ns/net", path);
	if (stat(file, &st))
		unseen(l, errno);
	else
		seen(l, st.st_ino);
}

static void look_at_threads(struct look *l, const char *path)
{
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s/task", path);
	each(l, dir, look_at_thread);
}

static void look_at_file(struct look *l, const char *path)
{
	char to[64];
	ssize_t n = readlink(path, to, sizeof(to) - 1);

	if (n < 0) {
		unseen(l, errno);
		return;
	}
	to[n] = '\0';
	seen_in(l, to);
}

static void look_at_open(struct look *l, const char *path)
{
	char dir[128];

	(void)snprintf(dir, sizeof(dir), "%s/fd", path);
	each(l, dir, look_at_file);
}

/* What is mounted where it is. */
static void look_at_mounts(struct look *l, const char *path)
{
	char file[128], *line = NULL;
	size_t size = 0;
	FILE *f;

	(void)snprintf(file, sizeof(file), "%s/mountinfo", path);
	f = fopen(file, "re");
	if (!f) {
		/* A process that ends has no mounts any more. */
		if (errno != EINVAL)
			unseen(l, errno);
		return;
	}
	while (l->left && getline(&line, &size, f) >= 0)
		seen_in(l, line);
	free(line);
	(void)fclose(f);
}

/*
 * What a thread has for itself: its own mounts, its own descriptors, or all there are of a process whose first
 * thread has ended. Of the others the process has told.
 */
static void look_at_own(struct look *l, const char *path)
{
	pid_t pid = 0, tid = 0;
	struct stat mine, its;
	char file[128];

	if (sscanf(path, "/proc/%d/task/%d", &pid, &tid) != 2 || pid == tid)
		return;
	/* Not in every kernel: then each is looked at. */
	if (syscall(SYS_kcmp, pid, tid, KCMP_FILES, 0, 0) != 0)
		look_at_open(l, path);
	(void)snprintf(file, sizeof(file), "/proc/%d/ns/mnt", pid);
	its.st_ino = stat(file, &its) ? 0 : its.st_ino;
	(void)snprintf(file, sizeof(file), "%s/ns/mnt", path);
	if (stat(file, &mine))
		unseen(l, errno);
	else if (mine.st_ino != its.st_ino)
		look_at_mounts(l, path);
}

static void look_deeper(struct look *l, const char *path)
{
	char dir[128];

	look_at_open(l, path);
	look_at_mounts(l, path);
	(void)snprintf(dir, sizeof(dir), "%s/task", path);
	each(l, dir, look_at_own);
}

/* The number that was given last to a process or thread; 0: it cannot be read. */
static unsigned int last_number(void)
{
	unsigned int last = 0;
	FILE *f = fopen("/proc/loadavg", "re");

	if (f && fscanf(f, "%*s %*s %*s %*s %u", &last) != 1)
		last = 0;
	if (f)
		(void)fclose(f);
	return last;
}

static unsigned int most_number(void)
{
	unsigned int most = 0;
	FILE *f = fopen("/proc/sys/kernel/pid_max", "re");

	if (f && fscanf(f, "%u", &most) != 1)
		most = 0;
	if (f)
		(void)fclose(f);
	return most ? most : 4194304;
}

static void look_at_numbers(struct look *l, unsigned int from, unsigned int to)
{
	char path[32];

	for (unsigned int i = from; i <= to && l->left && !l->error; i++) {
		(void)snprintf(path, sizeof(path), "/proc/%u", i);
		if (access(path, F_OK) < 0)
			continue;
		look_at_thread(l, path);
		look_at_open(l, path);
		look_at_mounts(l, path);
	}
}

/*
 * A process that forks and ends is not seen where the look has passed by its child's number already. Numbers are given in
 * turn: who came since is between the one that was last then and the one that is now. -EAGAIN: they never end.
 */
static int look_at_new(struct look *l, unsigned int before)
{
	for (int i = 0; i < SETTLE && l->left && !l->error; i++) {
		unsigned int now = last_number();

		if (!now || now == before)
			return now ? 0 : -ENOTSUP;
		if (now < before) { /* they began anew */
			look_at_numbers(l, before + 1, most_number());
			before = 0;
		}
		look_at_numbers(l, before + 1, now);
		before = now;
	}
	return l->left && !l->error ? -EAGAIN : 0;
}

int netns_gone(const uint64_t *inodes, size_t n, bool *ret)
{
	struct look l = { .inodes = inodes, .n = n, .left = n, .gone = ret };
	unsigned int before = last_number();
	struct stat st;
	int r;

	if (stat("/proc/self/ns/pid", &st) || st.st_ino != PID_INIT_INO)
		return -ENOTSUP;
	/* With hidepid others' processes are no error: they are not there. The first one always is. */
	if (stat("/proc/1/ns/net", &st))
		return -ENOTSUP;
	for (size_t i = 0; i < n; i++)
		ret[i] = true;
	/* Nearly all there are have a process: the costly looks are for the others. */
	each(&l, "/proc", look_at_thread);
	each(&l, "/proc", look_at_threads);
	each(&l, "/proc", look_deeper);
	r = look_at_new(&l, before);
	return l.error ? l.error : r;
}

static bool look_up(uint32_t inode, char *s, size_t size)
{
	DIR *d = opendir("/run/netns");
	const struct dirent *e;
	bool found = false;

	while (d && !found && (e = readdir(d))) {
		struct stat st;

		found = e->d_name[0] != '.' && inode && !fstatat(dirfd(d), e->d_name, &st, 0) &&
			st.st_ino == inode;
		if (found)
			(void)snprintf(s, size, "%.*s", (int)size - 1, e->d_name);
	}
	if (d)
		(void)closedir(d);
	return found;
}

struct netns_kept {
	uint32_t inode;
	time_t at;
	char name[64]; /* what runtimes of pods choose has 40 */
};

const char *netns_name(uint32_t inode)
{
	static _Thread_local struct netns_kept kept[64];
	struct netns_kept *k = &kept[inode % 64];
	struct timespec now = {};

	(void)clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	if (k->inode == inode && now.tv_sec - k->at < LOOK_S)
		return k->name;
	k->inode = inode;
	k->at = now.tv_sec;
	if (!look_up(inode, k->name, sizeof(k->name)))
		k->name[0] = '\0';
	return k->name;
}

uint32_t netns_own(void)
{
	struct stat st;

	return stat("/proc/thread-self/ns/net", &st) ? 0 : (uint32_t)st.st_ino;
}
