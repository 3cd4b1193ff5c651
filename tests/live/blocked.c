/* SPDX-License-Identifier: BSD-2-Clause */
/* Nobody takes what is printed: collecting goes on, whoever asks is answered, and the end comes. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "ctl.h"
#include "ownership.h"
#include "tap.h"

#define FULL_MS 10000
#define END_MS 1000 /* from the signal on */

struct output {
	int read, write;
};

/* A pipe of one page: it is full soon, and stays so. */
static struct output pipe_new(void)
{
	int fds[2];

	REQUIRE(pipe2(fds, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	REQUIRE(fcntl(fds[1], F_SETPIPE_SZ, 4096) >= 4096, "F_SETPIPE_SZ: %s", strerror(errno));
	return (struct output){ fds[0], fds[1] };
}

/* The writer waits: nothing fits, and there is something more, since each connection makes lines. */
static void wait_full(const struct output *o, const struct netns *ns)
{
	struct pollfd p = { .fd = o->write, .events = POLLOUT };
	int64_t deadline = deadline_in(FULL_MS);

	while (poll(&p, 1, 0) == 1 && now_ms() < deadline) {
		if (ns)
			maker_run(ns, "stream --bytes 100");
		else
			pause_ms(20);
	}
	REQUIRE(poll(&p, 1, 0) == 0, "the pipe: expected it to be full, got room");
}

static void ends_within(struct probe *p, int sig, const char *what, int code, int ms)
{
	int64_t from = now_ms(), took;
	int status;

	kill(p->pid, sig);
	status = probe_wait(p, FULL_MS);
	took = now_ms() - from;
	CHECK(status == code, "%s: expected exit %d, got %d", what, code, status);
	CHECK((double)took <= ms * test_slow(), "%s: expected its end within %d ms, got %lld", what,
	      ms, (long long)took);
}

static void ends_in_time(struct probe *p, int sig, const char *what)
{
	ends_within(p, sig, what, 0, END_MS);
}

static void check_signal(const char *const *args, int sig)
{
	struct netns ns = netns_new();
	struct output o = pipe_new();
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	struct probe p = probe_spawn(&opts);

	wait_full(&o, &ns);
	ends_in_time(&p, sig, args[0]);
	close(o.read);
	close(o.write);
}

TEST(sigterm_ends_events_whose_reader_takes_nothing)
{
	static const char *const args[] = { "events", "--interval", "0.05", NULL };

	check_signal(args, SIGTERM);
	check_signal(args, SIGINT);
}

TEST(sigterm_ends_tables_whose_reader_takes_nothing)
{
	static const char *const args[] = { "top",  "-n",     "1000", "--interval",
					    "0.05", "--idle", NULL };

	check_signal(args, SIGTERM);
}

TEST(sigterm_ends_flows_whose_reader_takes_nothing)
{
	static const char *const args[] = {
		"flows", "--duration", "0.2", "--format", "json", NULL
	};
	struct netns ns = netns_new();
	struct output o = pipe_new();
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	struct probe p = probe_spawn(&opts);

	for (int i = 0; i < 10; i++)
		maker_run(&ns, "stream --bytes 100");
	wait_full(&o, NULL);
	/* A snapshot has time: it is not cut off as long as nobody wants its end. */
	CHECK(probe_wait(&p, 500) == -1, "flows: expected it to wait for its reader");
	/* What is cut off is no snapshot. */
	ends_within(&p, SIGTERM, "flows", 4, END_MS);
	close(o.read);
	close(o.write);
}

/* All that comes out of the pipe, until its end. */
static char *read_all(int fd)
{
	size_t size = 0, room = 1 << 20;
	char *text = malloc(room + 1);
	ssize_t n;

	REQUIRE(text, "out of memory");
	while ((n = read(fd, text + size, room - size)) > 0) {
		size += (size_t)n;
		if (size == room)
			text = realloc(text, (room *= 2) + 1);
		REQUIRE(text, "out of memory");
	}
	text[size] = '\0';
	return text;
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

/* Its rows wait where they are: their text is made as its reader takes it. */
TEST(flows_whose_reader_waits_keeps_no_text_of_all_rows_and_writes_every_one)
{
	char duration[16]; /* all sockets are there and gone by then */
	/* connections of others on this machine take memory, too */
	const char *const args[] = { "flows", "--duration", duration, "--format",
				     "json",  "--proto",    "udp",    NULL };
	struct netns ns = netns_new();
	struct output o = pipe_new();
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	unsigned int rows = 0;
	json_t *all;
	uint64_t kib;
	char *text;
	size_t i;
	const json_t *r;
	struct probe p;

	snprintf(duration, sizeof(duration), "%.1f", 4 * test_slow());
	p = probe_spawn(&opts);
	maker_run(&ns, "burst --procs 4 --dgrams 20000");
	wait_full(&o, NULL);
	pause_ms(500); /* what it would hold by then */
	kib = status_kib(p.pid, "VmHWM:");
	(void)fcntl(o.write, F_SETPIPE_SZ, 1 << 20);
	close(o.write);
	text = read_all(o.read);
	CHECK(probe_wait(&p, FULL_MS) == 0, "expected exit 0, got %d", p.status);
	all = parse_lines(text);
	json_array_foreach (all, i, r)
		rows += record_u64(r, "netns") == ns.inode && record_u64(r, "tx_bytes") > 0;
	CHECK_EQ(rows, 20000, "rows of sockets that sent something");
	test_note("at most %" PRIu64 " KiB", kib);
	CHECK(SANITIZED || kib < 64 << 10, "expected less than 64 MiB, got %" PRIu64 " KiB", kib);
	json_decref(all);
	free(text);
	close(o.read);
}

/* A snapshot ends with Ctrl-C as a rule, and its reader may be a pager. */
TEST(sigint_ends_the_capture_of_flows_and_not_the_wait_for_a_reader)
{
	static const char *const args[] = { "flows", "--format", "json", NULL };
	struct netns ns = netns_new();
	struct output o = pipe_new();
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	struct probe p = probe_spawn(&opts);
	json_t *all;
	char *text;

	for (int i = 0; i < 10; i++)
		maker_run(&ns, "stream --bytes 100");
	kill(p.pid, SIGINT);
	wait_full(&o, NULL);
	CHECK(probe_wait(&p, 1000) == -1, "flows: expected it to wait for its reader");
	close(o.write);
	text = read_all(o.read);
	CHECK_EQ(probe_wait(&p, FULL_MS), 0, "exit code");
	all = parse_lines(text);
	CHECK(json_array_size(all) >= 20, "rows: expected 20 at least, got %zu",
	      json_array_size(all));
	json_decref(all);
	free(text);
	close(o.read);
}

/*
 * Its uprobes are the slowest thing to take off the kernel, which waits for every processor at each: 0.6 s, and
 * longer while others start and end. One after the other they took 1.9 s with nobody else.
 */
TEST(sigterm_ends_dns_in_time)
{
	struct probe p = probe_start("dns", NULL);

	ends_within(&p, SIGTERM, "dns", 0, 3 * END_MS);
}

TEST(duration_ends_events_whose_reader_takes_nothing)
{
	struct netns ns = netns_new();
	struct output o = pipe_new();
	static const char *const args[] = {
		"events", "--interval", "0.05", "--duration", "3", NULL
	};
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	struct probe p = probe_spawn(&opts);
	int status;

	wait_full(&o, &ns);
	status = probe_wait(&p, 8000);
	CHECK(status == 0, "expected its end and exit 0, got %d", status);
	close(o.read);
	close(o.write);
}

static uint64_t lines_told(const struct probe *p)
{
	char *log = file_text(p->log), *at = strstr(log, "losses: "), *words;
	uint64_t n = 0;

	for (; at; at = strstr(at + 1, "losses: ")) {
		n = strtoull(at + 8, &words, 10);
		if (!strncmp(words, " lines were not written", 23))
			break;
		n = 0;
	}
	free(log);
	return n;
}

TEST(a_stopped_reader_loses_lines_that_are_counted_and_whole)
{
	struct netns ns = netns_new();
	struct output o = pipe_new();
	static const char *const args[] = { "events", "--interval", "0.05", NULL };
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	struct probe p = probe_spawn(&opts);
	char *text;
	int64_t from;
	json_t *all;

	wait_full(&o, &ns);
	from = now_ms();
	json_decref(ctl_values(&p));
	CHECK((double)(now_ms() - from) < 1000 * test_slow(),
	      "ctl: expected an answer at once, got it after %lld ms",
	      (long long)(now_ms() - from));
	ends_in_time(&p, SIGTERM, "events");
	CHECK(lines_told(&p) > 0, "expected the lines that are lost on stderr, got none");
	close(o.write);
	text = read_all(o.read);
	all = parse_lines(text);
	CHECK(json_array_size(all) > 0, "expected what fitted into the pipe, got nothing");
	json_decref(all);
	free(text);
	close(o.read);
}

/* Whoever shares an open file may set that: a shell's terminal, a supervisor's pipe. */
TEST(output_that_does_not_block_is_waited_for)
{
	struct netns ns = netns_new();
	struct output o = pipe_new();
	static const char *const args[] = { "events", "--interval", "0.05", NULL };
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	struct probe p;
	struct pollfd pfd = { .fd = o.read, .events = POLLIN };
	char *text;
	json_t *all;
	size_t size = 0;

	REQUIRE(fcntl(o.write, F_SETFL, O_WRONLY | O_NONBLOCK) == 0, "F_SETFL: %s",
		strerror(errno));
	p = probe_spawn(&opts);
	close(o.write);
	text = malloc(8 << 20);
	REQUIRE(text, "out of memory");
	for (int i = 0; i < 20; i++) {
		maker_run(&ns, "stream --bytes 100");
		/* now and then, and slowly: it is full in between */
		for (int k = 0; i % 4 == 3 && k < 100 && poll(&pfd, 1, 100) == 1; k++)
			size += (size_t)read(o.read, text + size, 1000);
	}
	kill(p.pid, SIGTERM);
	for (ssize_t n; (n = read(o.read, text + size, (8 << 20) - 1 - size)) > 0;)
		size += (size_t)n;
	text[size] = '\0';
	CHECK(probe_wait(&p, FULL_MS) == 0, "expected exit 0, got %d", p.status);
	CHECK_EQ(lines_told(&p), 0, "lines lost");
	all = parse_lines(text);
	CHECK(json_array_size(all) > 20, "expected records, got %zu", json_array_size(all));
	json_decref(all);
	free(text);
	close(o.read);
}

/* So many ports that each datagram without a receiver is a record of its own. How many were sent. */
static unsigned int flood_closed_ports(const char *addr)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	unsigned int sent = 0;

	REQUIRE(fd >= 0 && inet_pton(AF_INET, addr, &to.sin_addr) == 1, "%s", addr);
	for (int i = 0; i < 20000; i++) {
		to.sin_port = htons((uint16_t)(1024 + i));
		sent += sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)) == 1;
		if (i % 500 == 0)
			pause_ms(10);
	}
	close(fd);
	return sent;
}

static uint64_t lost_of(const json_t *records, const char *place)
{
	uint64_t lost = 0;
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r)
		if (!strcmp(record_str(r, "event_type"), "probe.loss") &&
		    !strcmp(record_str(r, "entity_id"), place))
			lost = record_u64(r, "ring_full");
	return lost;
}

/* What the lines tell and what the lost ones would have told is all that was sent. */
TEST(drops_tell_of_the_lines_that_a_stopped_reader_cost_and_of_their_packets)
{
	struct output o = pipe_new();
	unsigned int id = (unsigned int)getpid(), sent;
	double told = 0;
	char addr[32], *text;
	const char *const args[] = { "drops",	     "--interval", "0.2",    "--format", "json",
				     "--queue-size", "524288",	   "--host", addr,	 NULL };
	struct probe_opts opts = { .args = args, .out_fd = o.write };
	struct probe p;
	const json_t *r;
	json_t *all;
	size_t i;

	snprintf(addr, sizeof(addr), "127.%u.%u.%u", 100 + (id >> 16 & 63), id >> 8 & 255,
		 id & 255);
	p = probe_spawn(&opts);
	close(o.write);
	sent = flood_closed_ports(addr);
	kill(p.pid, SIGTERM);
	text = read_all(o.read);
	CHECK(probe_wait(&p, FULL_MS) == 0, "expected exit 0, got %d", p.status);
	all = parse_lines(text);
	json_array_foreach (all, i, r)
		if (!strcmp(record_str(r, "event_type"), "transport.drop"))
			told += record_num(r, "num");
	CHECK(lost_of(all, "output") > 0, "expected lines to be lost, got none");
	CHECK_EQ((uint64_t)told + lost_of(all, "output.packets") + lost_of(all, "drop"), sent,
		 "packets told and lost");
	json_decref(all);
	free(text);
	close(o.read);
}

enum stop {
	NEVER,	/* nobody reads */
	BEFORE, /* it starts */
	AFTER,	/* it drew something */
};

static void check_terminal(const char *const *args, enum stop stop)
{
	struct winsize size = { .ws_row = 50, .ws_col = 200 };
	struct probe_opts opts = { .args = args, .terminal = true };
	struct termios before, after;
	int master, slave;
	struct probe p;
	struct pollfd pfd;
	char text[4096];

	REQUIRE(openpty(&master, &slave, NULL, NULL, &size) == 0, "openpty: %s", strerror(errno));
	tcgetattr(slave, &before);
	opts.out_fd = slave;
	if (stop == BEFORE)
		REQUIRE(write(master, "\x13", 1) == 1, "Ctrl-S: %s", strerror(errno));
	p = probe_spawn(&opts);
	pfd = (struct pollfd){ .fd = master, .events = POLLIN };
	maker_run(NULL, "stream --bytes 100"); /* else a quiet machine has nothing to tell */
	if (stop != BEFORE)
		REQUIRE(poll(&pfd, 1, FULL_MS) == 1 && read(master, text, sizeof(text)) > 0,
			"%s: drew nothing", args[0]);
	if (stop == AFTER)
		REQUIRE(write(master, "\x13", 1) == 1, "Ctrl-S: %s", strerror(errno));
	for (int64_t end = deadline_in(2000); now_ms() < end;)
		maker_run(NULL, "stream --bytes 100");
	ends_in_time(&p, SIGTERM, args[0]);
	tcgetattr(slave, &after);
	CHECK(before.c_lflag == after.c_lflag && before.c_iflag == after.c_iflag,
	      "%s: expected the terminal's modes as before", args[0]);
	close(master);
	close(slave);
}

TEST(sigterm_ends_what_draws_on_a_stopped_terminal)
{
	static const char *const top[] = { "top", "--interval", "0.1", NULL };
	static const char *const events[] = { "events", "--interval", "0.1", NULL };

	check_terminal(top, AFTER);
	check_terminal(top, NEVER);
	check_terminal(top, BEFORE);
	check_terminal(events, AFTER);
	check_terminal(events, BEFORE);
}
