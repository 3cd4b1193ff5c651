/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Under load for long, and killed at any moment of it. Short here; with NETPROBE_ALL=1 as long as it takes to find
 * what adds up: a quarter of an hour.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ctl.h"
#include "figures.h"
#include "ids.h"
#include "ownership.h"
#include "tap.h"

#define BURST_MS 240000
#define IDLE_MS 60000
#define TURN_MS 200 /* an interval */
#define ROOM_MS 10000
#define PIDS (1 << 22)

/* What processes moved, by pid: one that was given again has the sums of both here as there. */
struct moved {
	uint64_t *tx, *rx;
	uint64_t missed; /* ends that the kernel left netprobe's programs out of, as it told */
	uint64_t lost;	 /* lines that found no room on their way out, as it told */
};

static struct moved moved_new(void)
{
	struct moved m = { calloc(PIDS, sizeof(*m.tx)), calloc(PIDS, sizeof(*m.rx)), 0, 0 };

	REQUIRE(m.tx && m.rx, "out of memory");
	return m;
}

static uint64_t pid_of(const json_t *r)
{
	uint64_t pid = record_u64(r, "pid");

	return pid < PIDS ? pid : 0;
}

static void add_reports(struct moved *m, const struct maker *maker)
{
	json_t *r;
	size_t i;

	json_array_foreach (maker->reports, i, r) {
		if (!strcmp(record_str(r, "role"), "all"))
			continue;
		m->tx[pid_of(r)] += record_u64(r, "tx");
		m->rx[pid_of(r)] += record_u64(r, "rx");
	}
}

/* Of the namespace, from lines that `events` printed. */
static void add_told(struct moved *m, const char *path, const struct netns *ns)
{
	FILE *f = fopen(path, "re");
	char *line = NULL;
	size_t size = 0;
	json_t *r;

	REQUIRE(f, "%s: %s", path, strerror(errno));
	while (getline(&line, &size, f) > 0) {
		if (!strstr(line, "\"transport.bw\"") && !strstr(line, "\"probe.loss\""))
			continue;
		r = json_loads(line, 0, NULL);
		CHECK(r, "no JSON: %s", line);
		if (!strcmp(record_str(r, "program"), "destroy")) {
			m->missed = record_u64(r, "missed");
		} else if (!strcmp(record_str(r, "entity_id"), "output")) {
			m->lost = record_u64(r, "ring_full");
		} else if (!strcmp(record_str(r, "event_type"), "transport.bw") &&
			   record_u64(r, "netns") == ns->inode) {
			m->tx[pid_of(r)] += record_u64(r, "tx_bytes");
			m->rx[pid_of(r)] += record_u64(r, "rx_bytes");
		}
		json_decref(r);
	}
	free(line);
	fclose(f);
}

/* Exact, but for the ends that netprobe says it was not shown; never more than was made. */
static void check_moved(const struct moved *told, const struct moved *made)
{
	uint64_t wrong = 0, less = 0;

	for (unsigned int pid = 0; pid < PIDS; pid++) {
		if (told->tx[pid] == made->tx[pid] && told->rx[pid] == made->rx[pid])
			continue;
		CHECK(told->tx[pid] <= made->tx[pid] && told->rx[pid] <= made->rx[pid],
		      "process %u: made tx %" PRIu64 " rx %" PRIu64 ", more told: tx %" PRIu64
		      " rx %" PRIu64,
		      pid, made->tx[pid], made->rx[pid], told->tx[pid], told->rx[pid]);
		less += made->tx[pid] - told->tx[pid] + made->rx[pid] - told->rx[pid];
		if (wrong++ < 5)
			test_note("process %u: made tx %" PRIu64 " rx %" PRIu64 ", told tx %" PRIu64
				  " rx %" PRIu64,
				  pid, made->tx[pid], made->rx[pid], told->tx[pid], told->rx[pid]);
	}
	CHECK(!less,
	      "%" PRIu64 " bytes of %" PRIu64 " processes are missing; %" PRIu64
	      " ends are told as missed",
	      less, wrong, told->missed);
}

/* `events` to a program that keeps what the test reads: all of it would be gigabytes. */
struct loaded {
	struct probe probe;
	pid_t reader;
	char path[PATH_MAX];
};

static struct loaded loaded_start_args(const char *const *args)
{
	struct probe_opts opts = { .args = args };
	char command[PATH_MAX + 100];
	struct loaded l;
	int ends[2];

	own_run_dir();
	snprintf(l.path, sizeof(l.path), "%s/kept", test_dir());
	snprintf(command, sizeof(command), "exec grep -E '\"(transport.bw|probe.loss)\"' >%s",
		 l.path);
	REQUIRE(pipe2(ends, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	l.reader = fork();
	REQUIRE(l.reader >= 0, "fork: %s", strerror(errno));
	if (!l.reader) {
		(void)dup2(ends[0], STDIN_FILENO);
		(void)execl("/bin/sh", "sh", "-c", command, NULL);
		_exit(127);
	}
	close(ends[0]);
	opts.out_fd = ends[1];
	l.probe = probe_spawn(&opts);
	close(ends[1]);
	return l;
}

static struct loaded loaded_start(void)
{
	static const char *const args[] = { EVENTS, NULL };

	return loaded_start_args(args);
}

static void loaded_stop(struct loaded *l, double seconds)
{
	int status = probe_signal(&l->probe, SIGTERM);

	CHECK(status == 0, "netprobe after SIGTERM: expected exit 0, got %d", status);
	waitpid(l->reader, NULL, 0);
	figures_check(l->path, seconds);
}

static void forget_peak(pid_t pid)
{
	char path[40];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/clear_refs", pid);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && write(fd, "5", 1) == 1, "%s: %s", path, strerror(errno));
	close(fd);
}

/* Of all maps that it holds. */
static uint64_t maps_kib(pid_t pid)
{
	uint64_t bytes = 0;

	for (int fd = 0; fd < 1024; fd++) {
		char path[64], *text, *at;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", pid, fd);
		text = file_text(path);
		at = strstr(text, "map_id:") ? strstr(text, "memlock:") : NULL;
		bytes += at ? strtoull(at + strlen("memlock:"), NULL, 10) : 0;
		free(text);
	}
	return bytes / 1024;
}

static bool is_idle(const struct probe *p)
{
	char pid[16];
	struct said s;
	json_t *v;
	bool idle;

	snprintf(pid, sizeof(pid), "%d", p->pid);
	s = ctl("stats", "--instance", pid, "--format", "json", NULL);
	v = json_loads(s.out, 0, NULL);
	idle = v && record_u64(v, "sockets") < 1000;
	json_decref(v);
	free(s.out);
	free(s.log);
	return idle;
}

static void wait_idle(const struct probe *p)
{
	int64_t end = deadline_in(IDLE_MS);

	while (!is_idle(p)) {
		REQUIRE(now_ms() < end,
			"expected the flows of a burst to be forgotten within %d ms", IDLE_MS);
		pause_ms(500);
	}
}

/* When /proc was asked for all its processes as well, a burst's memory is given back. */
static void wait_given_back(const struct probe *p, uint64_t kib)
{
	int64_t end = deadline_in(IDLE_MS);

	while (status_kib(p->pid, "VmRSS:") > kib && now_ms() < end)
		pause_ms(500);
	CHECK(status_kib(p->pid, "VmRSS:") <= kib,
	      "idle: expected at most %" PRIu64 " KiB, got %" PRIu64, kib,
	      status_kib(p->pid, "VmRSS:"));
}

TEST(bursts_of_processes_and_sockets_cost_no_byte_and_add_no_memory)
{
	/* a sanitized process costs many times as much, and its memory is not looked at */
	unsigned int bursts = test_whole() ? 13 : 2, small = SANITIZED ? 400 : 1500;
	unsigned int procs = test_whole() ? 25000 : small;
	unsigned int sockets = test_whole() ? 120000 : small * 5;
	struct moved told = moved_new(), made = moved_new();
	uint64_t first_kib = 0, first_maps = 0, kib, maps;
	struct netns ns = netns_new();
	struct loaded l = loaded_start();
	int64_t began = now_ms();
	char command[100];

	snprintf(command, sizeof(command), "burst --procs %u --conns %u", procs, sockets / 2);
	for (unsigned int i = 0; i < bursts; i++) {
		struct maker m;

		forget_peak(l.probe.pid);
		m = maker_start(&ns, -1, command);
		maker_finish_within(&m, BURST_MS);
		add_reports(&made, &m);
		json_decref(m.reports);
		wait_idle(&l.probe);
		kib = status_kib(l.probe.pid, "VmHWM:");
		maps = maps_kib(l.probe.pid);
		test_note("burst %u: at most %" PRIu64 " KiB, then %" PRIu64 " KiB, maps %" PRIu64
			  " KiB",
			  i + 1, kib, status_kib(l.probe.pid, "VmRSS:"), maps);
		if (i == 0) {
			first_kib = kib;
			first_maps = maps;
		}
		CHECK(SANITIZED || kib <= first_kib + first_kib / 4 + 4096,
		      "burst %u: expected at most a quarter more than %" PRIu64 " KiB, got %" PRIu64
		      " KiB",
		      i + 1, first_kib, kib);
		CHECK(maps <= first_maps + first_maps / 10 + 2048,
		      "maps after burst %u: expected as after the first, %" PRIu64
		      " KiB, got %" PRIu64 " KiB",
		      i + 1, first_maps, maps);
	}
	if (test_whole() && !SANITIZED)
		wait_given_back(&l.probe, first_kib * 2 / 3);
	test_note("then %" PRIu64 " KiB", status_kib(l.probe.pid, "VmRSS:"));
	loaded_stop(&l, (double)(now_ms() - began) / 1000);
	add_told(&told, l.path, &ns);
	check_moved(&told, &made);
}

/*
 * While others attach to its tracepoints and detach again, 6.18 calls no program for the ends of some sockets: dozens
 * of 80,000, in two of three runs.
 */
TEST(ends_that_no_program_is_called_for_cost_no_byte_of_an_owner)
{
	struct moved told = moved_new(), made = moved_new();
	unsigned int others = test_whole() ? 40 : 5;
	struct netns ns = netns_new();
	struct loaded l = loaded_start();
	int64_t began = now_ms();
	char command[100];
	struct maker m;

	snprintf(command, sizeof(command), "burst --procs 20 --conns %u --at-once 2",
		 test_whole() ? 300000 : 25000);
	m = maker_start(&ns, -1, command);
	for (unsigned int i = 0; i < others; i++) {
		struct probe p = probe_start(EVENTS, NULL);

		probe_signal(&p, SIGTERM);
	}
	maker_finish_within(&m, BURST_MS);
	add_reports(&made, &m);
	loaded_stop(&l, (double)(now_ms() - began) / 1000);
	add_told(&told, l.path, &ns);
	test_note("%" PRIu64 " ends were missed", told.missed);
	check_moved(&told, &made);
}

/* As a burst goes on: the same moments each time. */
static unsigned int next_random(unsigned int *state)
{
	*state = *state * 1103515245u + 12345u;
	return *state >> 16;
}

TEST(kill_9_at_any_moment_leaves_nothing)
{
	unsigned int kills = test_whole() ? 302 : 12, seed = 1, running = 0;
	struct netns ns = netns_new();
	struct maker m = { .pid = -1 };

	for (unsigned int i = 0; i < kills; i++) {
		static const char *const args[] = { EVENTS, NULL };
		/* half of them while they load */
		struct probe_opts opts = { .args = args, .no_ready = i % 2 };
		struct probe p;
		struct ids ids;

		if (i % 12 == 0) {
			if (m.pid > 0)
				maker_finish_within(&m, BURST_MS);
			m = maker_start(&ns, -1, "burst --procs 300 --conns 6000 --at-once 1");
		}
		p = probe_spawn(&opts);
		pause_ms((int)(next_random(&seed) % 1000));
		kill(p.pid, SIGSTOP); /* so that what it holds now is what it held at its end */
		ids = ids_of(p.pid);
		running += ids.links > 0;
		probe_signal(&p, SIGKILL);
		ids_gone(&ids);
	}
	maker_finish_within(&m, BURST_MS);
	CHECK(running > 0, "expected some to be killed while attached, got none of %u", kills);
}

/* A queue that a few thousand lines fill. */
#define QUEUE "--queue-size", "524288"

/*
 * Sockets that are used once and closed, as fast as it goes, while what is collected or told finds no room. One of ten
 * is of a connection, each of which is some lines: they fill what waits many times over.
 */
static void run_sockets(const struct netns *ns, struct moved *made, unsigned int least)
{
	unsigned int sockets = test_whole() ? 400000 : least, conns = sockets / 20;
	char command[100];
	struct maker m;

	snprintf(command, sizeof(command), "burst --procs 20 --conns %u --dgrams %u", conns,
		 sockets - 2 * conns);
	m = maker_start(ns, -1, command);
	maker_finish_within(&m, BURST_MS);
	add_reports(made, &m);
}

/* Whole: until all of it is forgotten, too. Who answers has seen to the tick that was due before. */
static void wait_collected(const struct probe *p)
{
	if (test_whole())
		wait_idle(p);
	for (int i = 0; i < 3; i++) {
		json_decref(ctl_values(p));
		pause_ms(TURN_MS);
	}
}

/* Nobody takes what comes from the kernel: its ring is full, and so is what stands in for it. */
TEST(a_stopped_netprobe_loses_connections_but_no_byte_of_an_owner)
{
	struct moved told = moved_new(), made = moved_new();
	struct netns ns = netns_new();
	struct loaded l = loaded_start();
	int64_t began = now_ms();

	kill(l.probe.pid, SIGSTOP);
	run_sockets(&ns, &made, 100000);
	kill(l.probe.pid, SIGCONT);
	wait_collected(&l.probe);
	loaded_stop(&l, (double)(now_ms() - began) / 1000);
	add_told(&told, l.path, &ns);
	check_moved(&told, &made);
}

/* Who loses lines takes in all that comes: fewer sockets do, of which each costs far more when sanitized. */
#define LINES_LOST (SANITIZED ? 20000 : 60000)

static void check_lines_lost(const struct moved *told)
{
	test_note("%" PRIu64 " lines were lost", told->lost);
	CHECK(told->lost > 0, "expected lines to be lost, got none");
}

TEST(a_stopped_reader_costs_lines_but_no_byte_of_an_owner)
{
	static const char *const args[] = { EVENTS, QUEUE, NULL };
	struct moved told = moved_new(), made = moved_new();
	struct netns ns = netns_new();
	struct loaded l = loaded_start_args(args);
	int64_t began = now_ms();

	kill(l.reader, SIGSTOP);
	run_sockets(&ns, &made, LINES_LOST);
	wait_collected(&l.probe);
	kill(l.reader, SIGCONT);
	loaded_stop(&l, (double)(now_ms() - began) / 1000);
	add_told(&told, l.path, &ns);
	check_lines_lost(&told);
	check_moved(&told, &made);
}

TEST(a_full_disk_costs_lines_but_no_byte_of_an_owner)
{
	struct moved told = moved_new(), made = moved_new();
	struct netns ns = netns_new();
	char dir[PATH_MAX], path[PATH_MAX + 10];
	int64_t end, began = now_ms();
	struct probe p;
	struct stat st;

	own_run_dir();
	snprintf(dir, sizeof(dir), "%s/small", test_dir());
	REQUIRE(mkdir(dir, 0700) == 0 && mount("none", dir, "tmpfs", 0, "size=256k") == 0,
		"a small disk: %s", strerror(errno));
	snprintf(path, sizeof(path), "%s/events", dir);
	p = probe_start(EVENTS, QUEUE, "-o", path, NULL);
	run_sockets(&ns, &made, LINES_LOST);
	wait_collected(&p);
	REQUIRE(mount("none", dir, "tmpfs", MS_REMOUNT, "size=256m") == 0, "a larger disk: %s",
		strerror(errno));
	end = deadline_in(ROOM_MS);
	while ((stat(path, &st) || st.st_size <= 256 << 10) && now_ms() < end)
		pause_ms(20);
	CHECK(now_ms() < end, "expected it to write where there is room again");
	CHECK(probe_signal(&p, SIGTERM) == 0, "expected exit 0, got %d", p.status);
	figures_check(path, (double)(now_ms() - began) / 1000);
	add_told(&told, path, &ns);
	check_lines_lost(&told);
	check_moved(&told, &made);
	umount2(dir, MNT_DETACH);
}
