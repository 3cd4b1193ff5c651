/* SPDX-License-Identifier: BSD-2-Clause */
/* Lines find no room for a while: connections are lost, and counted; counts wait, and are told to the byte. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ctl.h"
#include "ownership.h"
#include "tap.h"

/*
 * A queue that a third of the burst fills, with the disk: each process is a line of its connection's begin, one of its
 * end and one of its counts. So lines of others are lost, and their counts wait.
 */
#define QUEUE "--interval", "0.1", "--queue-size", "524288"
#define BURST "burst --procs 800 --conns 800"
#define TURNS 3
#define TURN_MS 200
#define BURST_MS 60000
#define END_MS 20000
#define QUIET_MS 500
#define READ_MS 600

struct text {
	char *data;
	size_t size, room;
};

/* False: the end. */
static bool read_some(struct text *t, int fd)
{
	ssize_t n;

	if (t->room - t->size < 1 << 20) {
		t->room = t->room ? 2 * t->room : 4 << 20;
		t->data = realloc(t->data, t->room + 1);
		REQUIRE(t->data, "out of memory");
	}
	n = read(fd, t->data + t->size, t->room - t->size);
	t->size += n > 0 ? (size_t)n : 0;
	t->data[t->size] = '\0';
	return n > 0;
}

static json_t *parse_lines(char *text)
{
	json_t *all = json_array();
	char *save, *end = strrchr(text, '\n');

	CHECK(!end || !end[1], "expected whole lines, got at the end: %.100s", end ? end + 1 : "");
	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *one = json_loads(line, 0, NULL);

		CHECK(one, "no JSON: %.200s", line);
		if (one)
			json_array_append_new(all, one);
	}
	return all;
}

static uint64_t lines_lost(const json_t *records)
{
	uint64_t lost = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "entity_id"), "output"))
			lost = record_u64(r, "ring_full");
	return lost;
}

static double longest_interval(const json_t *records)
{
	double most = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "event_type"), "transport.bw") &&
		    record_num(r, "interval_s") > most)
			most = record_num(r, "interval_s");
	return most;
}

/* The sums of all processes are no process. */
static void forget_sums(json_t *reports)
{
	for (size_t i = json_array_size(reports); i-- > 0;)
		if (!strcmp(record_str(json_array_get(reports, i), "role"), "all"))
			json_array_remove(reports, i);
}

static void check_told(const json_t *records, const struct maker *m, const struct netns *ns)
{
	forget_sums(m->reports);
	CHECK(lines_lost(records) > 0, "expected lines to be lost, got none");
	CHECK(longest_interval(records) > 0.2,
	      "expected sums that waited for more than 0.2 s, got %.3f s at most",
	      longest_interval(records));
	check_owners(records, "transport.bw", m->reports, ns);
}

/* Two intervals and more are over: who answers has seen to the timer that was due before. */
static void wait_turns(const struct probe *p)
{
	for (int i = 0; i < TURNS; i++) {
		json_decref(ctl_values(p));
		pause_ms(TURN_MS);
	}
	json_decref(ctl_values(p));
}

/* at_end: the reader reads on only when the end was asked for. */
static void check_reader(bool at_end)
{
	static const char *const args[] = { "events", QUEUE, NULL };
	struct netns ns = netns_new();
	struct text text = {};
	struct probe_opts opts = { .args = args };
	struct pollfd pfd = { .events = POLLIN };
	struct maker m;
	struct probe p;
	int64_t reads_until;
	json_t *all;
	int fds[2];

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0 && fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096, "pipe: %s",
		strerror(errno));
	own_run_dir();
	opts.out_fd = fds[1];
	pfd.fd = fds[0];
	p = probe_spawn(&opts);
	close(fds[1]);
	m = maker_start(&ns, -1, BURST);
	maker_finish_within(&m, BURST_MS);
	wait_turns(&p);
	/* what waited, and some of what is told since: there is always more, of others on this machine */
	reads_until = deadline_in(READ_MS);
	while (!at_end && now_ms() < reads_until && poll(&pfd, 1, QUIET_MS) == 1 &&
	       read_some(&text, fds[0]))
		;
	kill(p.pid, SIGTERM);
	while (read_some(&text, fds[0]))
		;
	CHECK(probe_wait(&p, END_MS) == 0, "expected exit 0, got %d", p.status);
	all = parse_lines(text.data);
	check_told(all, &m, &ns);
	json_decref(all);
	free(text.data);
	close(fds[0]);
}

TEST(a_stopped_reader_that_reads_on_gets_every_byte_of_every_owner)
{
	check_reader(false);
}

TEST(a_reader_that_reads_on_at_the_end_gets_every_byte_of_every_owner)
{
	check_reader(true);
}

static off_t size_of(const char *path)
{
	struct stat st;

	return stat(path, &st) ? -1 : st.st_size;
}

TEST(a_full_disk_with_room_again_gets_every_byte_of_every_owner)
{
	struct netns ns = netns_new();
	int64_t deadline;
	char dir[300], path[320], *text;
	struct maker m;
	struct probe p;
	json_t *all;

	own_run_dir();
	snprintf(dir, sizeof(dir), "%s/small", test_dir());
	REQUIRE(mkdir(dir, 0700) == 0 && mount("none", dir, "tmpfs", 0, "size=256k") == 0,
		"a small disk: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/events", dir);
	p = probe_start("events", QUEUE, "-o", path, NULL);
	m = maker_start(&ns, -1, BURST);
	maker_finish_within(&m, BURST_MS);
	wait_turns(&p);
	REQUIRE(mount("none", dir, "tmpfs", MS_REMOUNT, "size=256m") == 0, "a larger disk: %s",
		strerror(errno));
	deadline = deadline_in(END_MS);
	while (size_of(path) <= 256 << 10 && now_ms() < deadline)
		pause_ms(20);
	probe_stop(&p);
	text = file_text(path);
	all = parse_lines(text);
	check_told(all, &m, &ns);
	json_decref(all);
	free(text);
	umount2(dir, MNT_DETACH);
}
