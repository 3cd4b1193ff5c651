/* SPDX-License-Identifier: BSD-2-Clause */
/* -o FILE over a long time: disks that are full, limits, rotation; and what a command inherits. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ownership.h"
#include "tap.h"

#define WAIT_MS 10000

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

/* Wait until a file has so many bytes; traffic goes on meanwhile. */
static void wait_size(const struct netns *ns, const char *path, off_t bytes)
{
	int64_t deadline = deadline_in(WAIT_MS);

	while (size_of(path) < bytes && now_ms() < deadline)
		maker_run(ns, "stream --bytes 100");
	REQUIRE(size_of(path) >= bytes, "%s: expected %lld bytes, got %lld", path, (long long)bytes,
		(long long)size_of(path));
}

/* Every line is a whole one. How many. */
static unsigned int check_lines(const char *path)
{
	char *text = file_text(path), *save, *end = strrchr(text, '\n');
	off_t size = size_of(path);
	unsigned int n = 0;

	CHECK((off_t)strlen(text) == size, "%s: expected no NUL, got one at %zu of %lld", path,
	      strlen(text), (long long)size);
	CHECK(!*text || (end && !end[1]), "%s: expected a whole last line, got: %.100s", path,
	      end ? end + 1 : text);
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *one = json_loads(line, 0, NULL);

		n++;
		CHECK(one, "%s line %u: expected JSON, got: %.200s", path, n, line);
		json_decref(one);
	}
	free(text);
	return n;
}

static bool says(const struct probe *p, const char *words)
{
	char *log = file_text(p->log);
	bool found = strstr(log, words);

	free(log);
	return found;
}

static void wait_said(const struct netns *ns, const struct probe *p, const char *words)
{
	int64_t deadline = deadline_in(WAIT_MS);

	while (!says(p, words) && now_ms() < deadline)
		maker_run(ns, "stream --bytes 100");
	REQUIRE(says(p, words), "expected '%s' in the log, got none", words);
}

static void disk_new(char *dir, size_t size)
{
	snprintf(dir, size, "%s/disk", test_dir());
	REQUIRE(mkdir(dir, 0700) == 0 && mount("none", dir, "tmpfs", 0, "size=64k") == 0,
		"a small disk: %s", strerror(errno));
}

TEST(a_full_disk_loses_lines_and_goes_on_when_there_is_room)
{
	struct netns ns = netns_new();
	char dir[300], path[320], filler[320], zeros[40000] = "";
	struct probe p;
	off_t full;
	int fd;

	disk_new(dir, sizeof(dir));
	snprintf(path, sizeof(path), "%s/events", dir);
	snprintf(filler, sizeof(filler), "%s/filler", dir);
	fd = open(filler, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && write(fd, zeros, sizeof(zeros)) == sizeof(zeros), "filler: %s",
		strerror(errno));
	p = probe_start("events", "--interval", "0.05", "-o", path, NULL);
	wait_said(&ns, &p, "No space left on device");
	full = size_of(path);
	CHECK(check_lines(path) > 0, "expected lines before the disk was full, got none");
	(void)unlink(filler);
	close(fd);
	wait_size(&ns, path, full + 2000);
	wait_said(&ns, &p, "No space left on device");
	/* full once more */
	for (int i = 0; i < 30; i++)
		maker_run(&ns, "stream --bytes 100");
	probe_stop(&p);
	check_lines(path);
	CHECK(says(&p, "lines were not written: No space left on device"),
	      "expected the lines that were lost on stderr, got none");
	umount2(dir, MNT_DETACH);
}

TEST(a_stream_into_a_full_device_ends_with_0_and_tells_its_loss)
{
	struct probe p = probe_start("events", "--duration", "0.5", "-o", "/dev/full", NULL);
	int status = probe_wait(&p, WAIT_MS);

	CHECK(status == 0, "expected exit 0, got %d", status);
	CHECK(says(&p, "lines were not written: No space left on device"),
	      "expected the loss, got none");
}

TEST(records_begin_a_line_behind_what_has_no_end)
{
	char path[320], *text;
	struct probe p;
	FILE *f;

	snprintf(path, sizeof(path), "%s/events", test_dir());
	f = fopen(path, "w");
	REQUIRE(f && fputs("{\"half\":", f) >= 0 && !fclose(f), "%s: %s", path, strerror(errno));
	p = probe_start("events", "--duration", "0.2", "-o", path, NULL);
	CHECK_EQ(probe_wait(&p, WAIT_MS), 0, "exit code");
	text = file_text(path);
	CHECK(!strncmp(text, "{\"half\":\n{\"schema\":", 19),
	      "expected what was there as a line of its own, got: %.40s", text);
	free(text);
}

TEST(a_limit_of_file_sizes_is_a_full_disk)
{
	struct netns ns = netns_new();
	char path[300];
	const char *args[] = { "events", "--interval", "0.05", "-o", path, NULL };
	struct probe_opts opts = { .args = args, .file_size = 20000 };
	struct probe p;
	int status;

	snprintf(path, sizeof(path), "%s/limited", test_dir());
	p = probe_spawn(&opts);
	wait_said(&ns, &p, "File too large");
	status = probe_signal(&p, SIGTERM);
	CHECK(status == 0, "expected exit 0, got %d", status);
	CHECK(check_lines(path) > 0 && size_of(path) <= 20000,
	      "expected lines up to 20000 bytes, got %lld", (long long)size_of(path));
}

TEST(output_goes_on_behind_a_truncation)
{
	struct netns ns = netns_new();
	char path[300];
	struct probe p;

	snprintf(path, sizeof(path), "%s/truncated", test_dir());
	p = probe_start("events", "--interval", "0.05", "-o", path, NULL);
	wait_size(&ns, path, 5000);
	REQUIRE(truncate(path, 0) == 0, "truncate: %s", strerror(errno));
	wait_size(&ns, path, 5000);
	probe_stop(&p);
	CHECK(check_lines(path) > 0, "expected lines behind the truncation, got none");
}

/* Room of a file that is deleted is free only when nobody has it open. */
static void check_is_let_go(pid_t pid, const char *path)
{
	char name[64], target[400];

	for (int fd = 0; fd < 256; fd++) {
		ssize_t n;

		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)pid, fd);
		n = readlink(name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		CHECK(strcmp(target, path) != 0, "%s is open as %d still", path, fd);
	}
}

TEST(sighup_opens_the_output_anew)
{
	struct netns ns = netns_new();
	char path[300], old[310];
	struct probe p;
	off_t before;

	snprintf(path, sizeof(path), "%s/rotated", test_dir());
	snprintf(old, sizeof(old), "%s.1", path);
	p = probe_start("events", "--interval", "0.05", "-o", path, NULL);
	for (int i = 0; i < 3; i++) {
		wait_size(&ns, path, 3000);
		REQUIRE(rename(path, old) == 0, "rename: %s", strerror(errno));
		kill(p.pid, SIGHUP);
		wait_size(&ns, path, 1);
		before = size_of(old);
		wait_size(&ns, path, 3000);
		CHECK(size_of(old) == before, "the old file: expected %lld bytes, got %lld",
		      (long long)before, (long long)size_of(old));
		check_lines(old);
		check_is_let_go(p.pid, old);
	}
	probe_stop(&p);
	CHECK(check_lines(path) > 0, "expected lines in the new file, got none");
}

struct grown {
	const char *path;
	off_t than;
};

static unsigned int headings(const char *path)
{
	char *text = file_text(path);
	unsigned int n = 0;

	for (const char *at = text; (at = strstr(at, "ts,host,mode,")); at++)
		n++;
	free(text);
	return n;
}

static bool is_larger(void *arg)
{
	const struct grown *g = arg;

	return size_of(g->path) > g->than;
}

TEST(sighup_gives_a_new_file_a_heading_and_the_same_file_none)
{
	char path[300], old[310];
	struct grown g = { path, 0 };
	struct probe p;

	snprintf(path, sizeof(path), "%s/table", test_dir());
	snprintf(old, sizeof(old), "%s.1", path);
	p = probe_start("top", "-n", "100000", "--idle", "--format", "csv", "--interval", "0.1",
			"-o", path, NULL);
	for (int i = 0; i < 3; i++) {
		maker_run(NULL, "stream --bytes 100");
		REQUIRE(wait_until(is_larger, &g, WAIT_MS), "%s: expected more than %lld bytes",
			path, (long long)g.than);
		kill(p.pid, SIGHUP);
		g.than = size_of(path) + 500;
	}
	REQUIRE(wait_until(is_larger, &g, WAIT_MS), "%s: expected more", path);
	CHECK_EQ(headings(path), 1, "headings of a file that stayed");
	REQUIRE(rename(path, old) == 0, "rename: %s", strerror(errno));
	kill(p.pid, SIGHUP);
	g.than = 500;
	REQUIRE(wait_until(is_larger, &g, WAIT_MS), "%s: expected a new one", path);
	probe_stop(&p);
	CHECK_EQ(headings(path), 1, "headings of a new file");
	CHECK_EQ(headings(old), 1, "headings of the one that was moved away");
}

TEST(an_output_file_is_appended_to)
{
	char path[300];
	unsigned int first;

	snprintf(path, sizeof(path), "%s/appended", test_dir());
	for (int i = 0; i < 2; i++) {
		struct probe p = probe_start("events", "--duration", "0.3", "-o", path, NULL);

		CHECK(probe_wait(&p, WAIT_MS) == 0, "expected exit 0, got %d", p.status);
		if (!i)
			first = check_lines(path);
	}
	CHECK(check_lines(path) > first,
	      "expected more than %u lines after a second run, got no more", first);
}

TEST(signals_that_were_ignored_stay_ignored)
{
	static const int signals[] = { SIGHUP, SIGINT };
	static const char *const args[] = { "events", NULL };

	for (unsigned int i = 0; i < 2; i++) {
		struct probe_opts opts = { .args = args, .ignored = signals[i] };
		struct probe p = probe_spawn(&opts);

		kill(p.pid, signals[i]);
		CHECK(probe_wait(&p, 500) == -1, "%s: expected it to live on, got end %d",
		      strsignal(signals[i]), p.status);
		probe_stop(&p);
	}
}

TEST(the_log_does_not_get_into_a_file_where_stderr_is_closed)
{
	char path[300];
	const char *args[] = { "events", "-vv", "--duration", "0.3", "-o", path, NULL };
	struct probe_opts opts = { .args = args, .closed = STDERR_FILENO };
	struct probe p;

	snprintf(path, sizeof(path), "%s/alone", test_dir());
	p = probe_spawn(&opts);
	CHECK(probe_wait(&p, WAIT_MS) == 0, "expected exit 0, got %d", p.status);
	CHECK(check_lines(path) > 0, "expected records, got none");
}

static bool close_standard(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		(void)close(fd);
	return true;
}

/* Else the first files it opens have these numbers: what is printed goes there, what is read comes from there. */
TEST(descriptors_0_to_2_are_nobody_elses_where_they_are_closed)
{
	struct netns ns = netns_new();
	char path[300], name[64], target[400];
	const char *args[] = { "events", "-vv", "--interval", "0.1", "-o", path, NULL };
	struct probe_opts opts = { .args = args, .enter = close_standard };
	struct probe p;
	int status;

	snprintf(path, sizeof(path), "%s/alone", test_dir());
	p = probe_spawn(&opts);
	wait_size(&ns, path, 3000);
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		ssize_t n;

		snprintf(name, sizeof(name), "/proc/%d/fd/%d", (int)p.pid, fd);
		n = readlink(name, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		CHECK(!strcmp(target, "/dev/null"), "descriptor %d: expected /dev/null, got '%s'",
		      fd, target);
	}
	status = probe_signal(&p, SIGTERM);
	CHECK(status == 0, "expected exit 0, got %d", status);
	CHECK(check_lines(path) > 0, "expected records, got none");
}

TEST(a_closed_stdout_is_an_error)
{
	static const char *const args[] = { "events", "--duration", "0.3", NULL };
	struct probe_opts opts = { .args = args, .closed = STDOUT_FILENO };
	struct probe p = probe_spawn(&opts);

	CHECK(probe_wait(&p, WAIT_MS) == 4, "expected exit 4, got %d", p.status);
	CHECK(says(&p, "Bad file descriptor"), "expected the reason, got none");
}

TEST(the_soft_limit_of_descriptors_is_raised)
{
	static const char *const args[] = { "events", "--capture-mode", "ebpf", "--duration", "0.3",
					    NULL };
	struct probe_opts opts = { .args = args, .files = 64, .files_hard = 4096 };
	struct probe p = probe_spawn(&opts);

	CHECK(probe_wait(&p, WAIT_MS) == 0, "expected exit 0, got %d", p.status);
}

/* One right word, and nothing is announced that cannot run. */
TEST(too_few_descriptors_are_named_and_exit_2)
{
	static const char *const commands[][8] = {
		{ "events", "--duration", "0.3", NULL },
		{ "top", "--once", NULL },
		{ "flows", "--duration", "0.3", NULL },
		{ "drops", "--duration", "0.3", NULL },
		{ "events", "--capture-mode", "ebpf", "--duration", "0.3", NULL },
	};
	/* other modes run with the last three; what fails first with fewer differs by one descriptor more */
	static const unsigned int limits[] = { 8, 17, 18, 24, 49, 50, 122, 190 };

	for (unsigned int i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		for (unsigned int k = 0; k < (i < 3 ? 4 : 8); k++) {
			struct probe_opts opts = { .args = commands[i],
						   .files = limits[k],
						   .no_ready = true };
			struct probe p = probe_spawn(&opts);
			int status = probe_wait(&p, WAIT_MS);

			CHECK(status == 2, "%s with %u: expected exit 2, got %d", commands[i][0],
			      limits[k], status);
			CHECK(says(&p, "descriptors may be open here") && !says(&p, "capture mode"),
			      "%s with %u: expected the one reason", commands[i][0], limits[k]);
		}
}

TEST(doctor_tells_programs_that_descriptors_are_too_few)
{
	static const char *const args[] = { "doctor", "--format", "json", NULL };
	static const unsigned int limits[] = { 16, 256 };

	for (unsigned int i = 0; i < 2; i++) {
		struct probe_opts opts = { .args = args, .files = limits[i], .no_ready = true };
		struct probe p = probe_spawn(&opts);
		json_t *records;
		const json_t *r;

		(void)probe_wait(&p, 60000);
		records = probe_records(&p);
		r = json_array_get(records, 0);
		REQUIRE(r, "with %u: expected a report, got none", limits[i]);
		CHECK_EQ(record_u64(r, "descriptors"), limits[i], "descriptors");
		CHECK(json_is_true(json_object_get(r, "descriptors_enough")) == (i == 1),
		      "with %u: descriptors_enough is wrong", limits[i]);
		json_decref(records);
	}
}

/* A cgroup of the test's with a memory limit, of version 1 or 2; false: there is none to be had. */
static char limited[300];

static bool put(const char *file, const char *text)
{
	char path[400];
	int fd;
	bool ok;

	snprintf(path, sizeof(path), "%s/%s", limited, file);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	ok = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	if (fd >= 0)
		close(fd);
	return ok;
}

static bool limited_new(const char *limit)
{
	static const char *const trees[][2] = { { "/sys/fs/cgroup/memory",
						  "memory.limit_in_bytes" },
						{ "/sys/fs/cgroup", "memory.max" } };

	for (unsigned int i = 0; i < 2; i++) {
		snprintf(limited, sizeof(limited), "%s/netprobe-live-%d", trees[i][0], getpid());
		if (mkdir(limited, 0755))
			continue;
		if (put(trees[i][1], limit))
			return true;
		rmdir(limited);
	}
	return false;
}

static bool enter_limited(void)
{
	return put("cgroup.procs", "0");
}

/* With less the kernel kills it in a burst, without a word: with 40 MiB at its start, with 48 after some. */
TEST(a_memory_limit_that_is_too_low_for_ebpf_is_named)
{
	static const char *const ebpf[] = { "events", "--capture-mode", "ebpf", "--duration", "0.3",
					    NULL };
	static const char *const any[] = { "events", "--duration", "0.3", NULL };
	struct probe_opts opts = { .args = ebpf, .no_ready = true, .enter = enter_limited };
	struct probe p;

	if (!limited_new("50331648"))
		test_skip("there is no cgroup to be made that limits memory");
	p = probe_spawn(&opts);
	CHECK(probe_wait(&p, WAIT_MS) == 2, "expected exit 2, got %d", p.status);
	CHECK(says(&p, "memory limit is 48 MiB, ebpf takes 56 or more"), "expected the limit");
	opts.args = any;
	p = probe_spawn(&opts);
	CHECK(probe_wait(&p, WAIT_MS) == 0, "expected exit 0 by another mode, got %d", p.status);
	CHECK(says(&p, "capture mode afpacket") && says(&p, "memory limit is 48 MiB"),
	      "expected the mode and why not ebpf");
	if (!SANITIZED) { /* they take more than 64 MiB themselves */
		put(put("memory.max", "67108864") ? "memory.max" : "memory.limit_in_bytes",
		    "67108864");
		opts.args = ebpf;
		p = probe_spawn(&opts);
		CHECK(probe_wait(&p, WAIT_MS) == 0, "with 64 MiB: expected exit 0, got %d",
		      p.status);
	}
	rmdir(limited);
}
