/* SPDX-License-Identifier: BSD-2-Clause */
/* What guard prints finds no room: a list ends with a whole line and says so, `watch` waits for nobody. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"

#define BANS 3000
#define LIMIT 10000 /* bytes: a third of the list */
#define WAIT_MS 20000
#define SAME_MS 500
#define END_MS 1000 /* from the signal on */
#define VIP "192.0.2.9:80/tcp"
#define WATCH "guard", "watch", "--interval", "0.01"

static struct netns inside;

static bool enter_inside(void)
{
	int fd = open(inside.path, O_RDONLY | O_CLOEXEC);

	return fd >= 0 && !setns(fd, CLONE_NEWNET);
}

/* A command in the namespace, its output where out_fd says. */
static struct probe begin(const char *const *args, int out_fd, uint64_t file_size)
{
	struct probe_opts opts = { .args = args,
				   .plain = true,
				   .no_ready = true,
				   .out_fd = out_fd,
				   .file_size = file_size,
				   .enter = enter_inside };

	return probe_spawn(&opts);
}

static bool says(const struct probe *p, const char *words)
{
	char *log = file_text(p->log);
	bool found = strstr(log, words);

	free(log);
	return found;
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

static void small_disk(char *dir, size_t size, char *path, size_t path_size)
{
	snprintf(dir, size, "%s/disk", test_dir());
	REQUIRE(mkdir(dir, 0700) == 0 && mount("none", dir, "tmpfs", 0, "size=16k") == 0,
		"a small disk: %s", strerror(errno));
	snprintf(path, path_size, "%s/out", dir);
}

static int open_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	return fd;
}

/* Addresses of different lengths: what is cut off one is another one. */
static void ban_many(void)
{
	char path[320];
	FILE *f;

	snprintf(path, sizeof(path), "%s/bans", test_dir());
	f = fopen(path, "we");
	REQUIRE(f, "%s: %s", path, strerror(errno));
	for (unsigned int i = 0; i < BANS; i++)
		fprintf(f, "198.18.%u.%u\n", i / 250, i % 250 + 1);
	fclose(f);
	guard_must(&inside, "attach lo --mode filter");
	guard_must(&inside, "import %s", path);
}

/* The lines of path are lines of all, and fewer. */
static void check_part(const char *path, const char *all, const char *reason)
{
	char *text = file_text(path), *at = text, *end;
	unsigned int lines = 0;

	for (; (end = strchr(at, '\n')); at = end + 1, lines++) {
		char line[80];

		snprintf(line, sizeof(line), "\n%.*s\n", (int)(end - at), at);
		CHECK(strstr(all, line + !lines), "%s: no line of the list: %s", reason, line);
	}
	CHECK(!*at, "%s: expected a whole last line, got '%s'", reason, at);
	CHECK(lines > 100 && lines < BANS, "%s: expected a part of the list, got %u lines", reason,
	      lines);
	free(text);
}

static void check_ends(struct probe *p, const char *reason)
{
	char want[160], *log;
	int status = probe_wait(p, WAIT_MS);

	snprintf(want, sizeof(want), "netprobe guard export: cannot write: %s\n", reason);
	log = file_text(p->log);
	CHECK(status == 4, "%s: expected exit 4, got %d", reason, status);
	CHECK(!strcmp(log, want), "expected on stderr: %sgot: %s", want, log);
	free(log);
}

TEST(a_list_that_finds_no_room_ends_with_a_whole_line_and_4)
{
	static const char *const args[] = { "guard", "export", NULL };
	char dir[300], path[320], *all;
	struct probe p;
	int fd;

	inside = netns_new();
	ban_many();
	guard_must(&inside, "export");
	all = strdup(guard_out());
	REQUIRE(all, "out of memory");
	p = begin(args, 0, LIMIT);
	check_ends(&p, "File too large");
	check_part(p.out, all, "File too large");
	small_disk(dir, sizeof(dir), path, sizeof(path));
	fd = open_file(path);
	p = begin(args, fd, 0);
	check_ends(&p, "No space left on device");
	check_part(path, all, "No space left on device");
	close(fd);
	umount2(dir, MNT_DETACH);
	free(all);
	guard_must(&inside, "detach lo");
}

/* Nothing more gets into it, of what comes a hundred times a second. */
static void wait_full(int read_fd)
{
	int64_t deadline = deadline_in(WAIT_MS);
	int before = 0, now = 0;

	do {
		before = now;
		pause_ms(SAME_MS);
		REQUIRE(!ioctl(read_fd, FIONREAD, &now), "FIONREAD: %s", strerror(errno));
	} while ((!now || now != before) && now_ms() < deadline);
	REQUIRE(now && now == before, "the pipe: expected it to be full, got room");
}

TEST(sigterm_ends_guard_watch_whose_reader_takes_nothing)
{
	static const char *const args[] = { WATCH, NULL };
	struct probe p;
	int64_t took;
	int fds[2];

	inside = netns_new();
	guard_must(&inside, "vip add " VIP);
	REQUIRE(pipe2(fds, O_CLOEXEC) == 0 && fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096, "pipe: %s",
		strerror(errno));
	p = begin(args, fds[1], 0);
	wait_full(fds[0]);
	took = -now_ms();
	kill(p.pid, SIGTERM);
	CHECK_EQ(probe_wait(&p, WAIT_MS), 0, "exit code");
	took += now_ms();
	CHECK((double)took <= END_MS * test_slow(), "expected its end within %d ms, got %lld",
	      END_MS, (long long)took);
	CHECK(says(&p, "lines were not written"), "expected the lines that are lost, got none");
	close(fds[0]);
	close(fds[1]);
	guard_must(&inside, "vip remove " VIP);
}

static bool is_said(void *arg)
{
	return says(arg, "standard output: No space left on device");
}

static bool is_beyond(void *arg)
{
	return size_of(arg) > 16 << 10;
}

TEST(guard_watch_goes_on_where_a_full_disk_has_room_again)
{
	static const char *const args[] = { WATCH, NULL };
	char dir[300], path[320], *text, *save;
	struct probe p;
	int fd;

	inside = netns_new();
	guard_must(&inside, "vip add " VIP);
	small_disk(dir, sizeof(dir), path, sizeof(path));
	fd = open_file(path);
	p = begin(args, fd, 0);
	CHECK(wait_until(is_said, &p, WAIT_MS), "expected the full disk on stderr, got nothing");
	REQUIRE(mount("none", dir, "tmpfs", MS_REMOUNT, "size=64m") == 0, "a larger disk: %s",
		strerror(errno));
	CHECK(wait_until(is_beyond, path, WAIT_MS), "expected it to write on, got %lld bytes",
	      (long long)size_of(path));
	CHECK_EQ(probe_signal(&p, SIGTERM), 0, "exit code");
	text = file_text(path);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *one = json_loads(line, 0, NULL);

		CHECK(one, "expected whole lines, got: %.200s", line);
		json_decref(one);
	}
	CHECK(!says(&p, "lines were not written"), "expected nothing to be lost");
	free(text);
	close(fd);
	umount2(dir, MNT_DETACH);
	guard_must(&inside, "vip remove " VIP);
}
