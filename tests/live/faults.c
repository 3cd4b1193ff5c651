/* SPDX-License-Identifier: BSD-2-Clause */
/* The ways a run ends: by its user, by its reader, by force, or before it began. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <termios.h>
#include <unistd.h>

#include "ids.h"
#include "ownership.h"
#include "tap.h"

#define END_MS 15000

/* At once after the ready signal: there is no moment at which it is deaf. */
TEST(sigterm_and_sigint_end_it_cleanly)
{
	for (unsigned int i = 0; i < 10; i++) {
		struct probe p = probe_start(EVENTS, NULL);
		int sig = i % 2 ? SIGINT : SIGTERM, status = probe_signal(&p, sig);

		CHECK(status == 0, "after %s: expected exit 0, got %d", strsignal(sig), status);
	}
}

TEST(duration_ends_it)
{
	struct probe p = probe_start("flows", "--format", "json", "--duration", "0.5", NULL);
	int status = probe_wait(&p, END_MS);

	CHECK(status == 0, "expected exit 0, got %d", status);
}

TEST(kill_9_leaves_no_program_map_or_link)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL);
	struct maker m = maker_start(&ns, -1, "stream --seconds 2");
	struct ids ids = ids_of(p.pid);

	probe_signal(&p, SIGKILL); /* in the middle of traffic */
	CHECK(ids.progs > 0 && ids.maps > 0,
	      "while it ran: expected programs and maps, got %u and %u", ids.progs, ids.maps);
	ids_gone(&ids);
	maker_finish(&m);
}

TEST(clean_end_leaves_no_program_map_or_link)
{
	struct probe p = probe_start(EVENTS, NULL);
	struct ids ids = ids_of(p.pid);

	probe_stop(&p);
	CHECK(ids.progs > 0 && ids.maps > 0,
	      "while it ran: expected programs and maps, got %u and %u", ids.progs, ids.maps);
	ids_gone(&ids);
}

TEST(closed_pipe_ends_quietly)
{
	const char *const args[] = { EVENTS, NULL };
	struct probe_opts opts = { .args = args };
	struct netns ns = netns_new();
	struct probe p;
	char *said;
	int fd[2], status;

	REQUIRE(pipe2(fd, O_CLOEXEC) == 0, "pipe: %s", strerror(errno));
	opts.out_fd = fd[1];
	p = probe_spawn(&opts);
	close(fd[1]);
	close(fd[0]);
	for (int i = 0; i < 20 && probe_wait(&p, 200) < 0; i++)
		maker_run(&ns, "stream --bytes 10000");
	status = probe_wait(&p, END_MS);
	CHECK(status == 0, "after its reader closed: expected exit 0, got %d", status);
	said = file_text(p.log);
	CHECK(!strcasestr(said, "error") && !strcasestr(said, "pipe") && !strcasestr(said, "fail"),
	      "after its reader closed: expected silence, got: %s", said);
	free(said);
}

/* Read what the program draws, so that it never blocks; false once it has ended. */
static bool drain(struct probe *p, int master, int ms)
{
	int64_t deadline = deadline_in(ms);

	while (now_ms() < deadline) {
		struct pollfd pfd = { .fd = master, .events = POLLIN };
		char text[4096];

		if (probe_wait(p, 0) >= 0)
			return false;
		if (poll(&pfd, 1, 50) == 1 && read(master, text, sizeof(text)) <= 0)
			pause_ms(20);
	}
	return true;
}

static void check_hangup(const char *const *args)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct probe_opts opts = { .args = args, .terminal = true };
	int master, slave, status;
	struct probe p;

	REQUIRE(openpty(&master, &slave, NULL, NULL, &size) == 0, "openpty: %s", strerror(errno));
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	opts.out_fd = slave;
	p = probe_spawn(&opts);
	close(slave);
	REQUIRE(drain(&p, master, 1000), "%s on a terminal: expected it to run, got end %d",
		args[0], p.status);
	close(master);
	status = probe_wait(&p, END_MS);
	CHECK(status >= 0, "%s: expected its end after the terminal vanished, got none", args[0]);
	if (status < 0)
		kill(p.pid, SIGKILL);
}

TEST(vanished_terminal_ends_top)
{
	static const char *const args[] = { "top", "--interval", "0.2", NULL };

	check_hangup(args);
}

TEST(vanished_terminal_ends_events)
{
	static const char *const args[] = { "events", "--interval", "0.2", NULL };

	check_hangup(args);
}

struct drawn {
	struct probe *p;
	int master;
	char text[1 << 18];
	size_t len;
};

/* More of what was drawn; false: it has ended, and all of it was read. */
static bool draw_more(struct drawn *d)
{
	bool ended = probe_wait(d->p, 0) >= 0;
	struct pollfd pfd = { .fd = d->master, .events = POLLIN };
	ssize_t n = 0;

	if (poll(&pfd, 1, ended ? 0 : 50) == 1 && d->len < sizeof(d->text))
		n = read(d->master, d->text + d->len, sizeof(d->text) - d->len);
	d->len += n > 0 ? (size_t)n : 0;
	return n > 0 || !ended;
}

static const char *last_of(const struct drawn *d, const char *what)
{
	const char *at = d->text, *found = NULL;

	while ((at = memmem(at, (size_t)(d->text + d->len - at), what, strlen(what))))
		found = at++;
	return found;
}

static bool without_core(void)
{
	struct rlimit none = { 0, 0 };

	return !setrlimit(RLIMIT_CORE, &none);
}

/* The whole program dies of it, with all its threads: by a key, or as it would of a mistake of its own. */
static void check_dies(int sig, const char *key)
{
	static const char *const args[] = { "top", "--interval", "0.2", NULL };
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	struct probe_opts opts = { .args = args, .terminal = true, .enter = without_core };
	struct termios before, after;
	static struct drawn d;
	int64_t deadline;
	struct probe p;
	int slave;

	d = (struct drawn){ .p = &p };
	REQUIRE(openpty(&d.master, &slave, NULL, NULL, &size) == 0, "openpty: %s", strerror(errno));
	fcntl(d.master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	REQUIRE(tcgetattr(slave, &before) == 0, "tcgetattr: %s", strerror(errno));
	opts.out_fd = slave;
	p = probe_spawn(&opts);
	deadline = deadline_in(END_MS);
	/* the mouse is asked for behind the first frame */
	while (!last_of(&d, "\033[?1000h") && now_ms() < deadline)
		REQUIRE(draw_more(&d), "expected a table, got end %d", p.status);
	REQUIRE(last_of(&d, "\033[?1049h") && last_of(&d, "\033[?1000h"),
		"expected a screen of its own with a mouse, got none");
	REQUIRE(tcgetattr(slave, &after) == 0 && !(after.c_lflag & (ECHO | ICANON)),
		"expected no echo while it runs");
	if (key)
		REQUIRE(write(d.master, key, 1) == 1, "the key: %s", strerror(errno));
	else
		kill(p.pid, sig);
	deadline = deadline_in(END_MS);
	while (draw_more(&d) && now_ms() < deadline)
		;
	CHECK(p.status == 128 + sig, "expected its end by %s, got %d", strsignal(sig), p.status);
	CHECK(last_of(&d, "\033[?1049l") > last_of(&d, "\033[?1049h"),
	      "%s: expected the screen of before, got none", strsignal(sig));
	CHECK(last_of(&d, "\033[?1000l") > last_of(&d, "\033[?1000h"),
	      "%s: expected the mouse to be the terminal's again", strsignal(sig));
	REQUIRE(tcgetattr(slave, &after) == 0, "tcgetattr: %s", strerror(errno));
	CHECK(after.c_lflag == before.c_lflag && after.c_iflag == before.c_iflag &&
		      after.c_oflag == before.c_oflag &&
		      !memcmp(after.c_cc, before.c_cc, sizeof(after.c_cc)),
	      "%s: expected the terminal's modes of before, got others", strsignal(sig));
	close(slave);
	close(d.master);
}

TEST(ctrl_backslash_leaves_the_terminal_as_it_was)
{
	check_dies(SIGQUIT, "\034");
}

TEST(a_crash_leaves_the_terminal_as_it_was)
{
	if (!SANITIZED) /* which has a handler of its own there, and that one stays */
		check_dies(SIGSEGV, NULL);
	check_dies(SIGABRT, NULL);
}

TEST(terminal_that_cannot_place_text_exits_3)
{
	static const char *const args[] = { "top", NULL };
	struct probe_opts opts = {
		.args = args, .terminal = true, .term = "dumb", .no_ready = true
	};
	int master, slave, status;
	char said[1000] = "";
	struct probe p;
	ssize_t n;

	REQUIRE(openpty(&master, &slave, NULL, NULL, NULL) == 0, "openpty: %s", strerror(errno));
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	opts.out_fd = slave;
	p = probe_spawn(&opts);
	status = probe_wait(&p, END_MS);
	n = read(master, said, sizeof(said) - 1);
	CHECK(status == 3, "TERM=dumb: expected exit 3, got %d", status);
	CHECK(n > 0 && strstr(said, "TERM=dumb") && strstr(said, "--once"),
	      "expected TERM=dumb named, and what to do, got: %s", said);
}

TEST(hook_family_this_kernel_lacks_exits_2)
{
	static const char *const args[] = { "events", "--hook", "kprobe", "--duration", "1", NULL };
	struct probe p;
	char *said;
	int status;

	if (access("/sys/bus/event_source/devices/kprobe/type", F_OK) == 0)
		test_skip("this kernel has kprobes");
	status = probe_run(&p, args);
	said = file_text(p.log);
	CHECK(status == 2, "expected exit 2, got %d", status);
	CHECK(strstr(said, "kprobe"), "expected kprobe named, got: %s", said);
	free(said);
}
