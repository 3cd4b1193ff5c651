/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The live view on a pseudo terminal: that it appears, follows a resize, lets no byte of a hostile
 * name through, and gives the terminal back however it ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#include "tui/screen.h"
#include "tui/theme.h"
#include "tui/tui.h"
#include "tui_fake.h"

#define QUIT 10 /* exit statuses of the child */
#define GONE 11
#define TERMED 12
#define REFUSED 13

struct terminal {
	int master, slave;
	struct termios before;
	pid_t child;
	char out[1 << 18]; /* all the child wrote */
	size_t len;
};

static int child_loop(struct tui *tui, int signals)
{
	struct pollfd p[2] = { { .fd = tui_fd(tui), .events = POLLIN },
			       { .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo si;
	int r;

	for (;;) {
		if (poll(p, 2, -1) < 0)
			continue;
		if (p[1].revents && read(signals, &si, sizeof(si)) == (ssize_t)sizeof(si)) {
			if (si.ssi_signo == SIGTERM)
				return TERMED;
			if (si.ssi_signo == SIGWINCH && tui_resize(tui) < 0)
				return 1;
			if (si.ssi_signo == SIGTSTP && tui_stop(tui) < 0)
				return 1;
			if (si.ssi_signo == SIGCONT && tui_retake(tui) < 0)
				return 1;
		}
		if (!p[0].revents)
			continue;
		r = tui_key(tui);
		if (r)
			return r == 1 ? QUIT : r == -EIO || r == -EPIPE ? GONE : 1;
	}
}

static int child_main(void)
{
	static const struct tui_opts opts = { .sort = NETPROBE_SORT_RATE, .mode = "ebpf" };
	struct netprobe_error err = { 0 };
	struct viewer *v = fake_new();
	struct tui *tui;
	sigset_t set;
	int r;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGWINCH);
	(void)sigaddset(&set, SIGTERM);
	(void)sigaddset(&set, SIGHUP);
	(void)sigaddset(&set, SIGCONT);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	(void)setlocale(LC_ALL, "C.UTF-8");
	if (!v)
		return 1;
	(void)fake_process(v, "visible", 1, 100, 100);
	(void)fake_process(v, "\x1b]0;owned\x07\x1b[2J", 2, 50, 50);
	tui = tui_new(&opts, fake_manager(v), &err);
	if (!tui) {
		fake_free(v);
		return err.code == -ENOENT && err.msg[0] && err.hint[0] ? REFUSED : 1;
	}
	(void)tui_draw(tui);
	(void)sigdelset(&set, SIGHUP);
	(void)sigaddset(&set, SIGTSTP);
	r = child_loop(tui, signalfd(-1, &set, SFD_CLOEXEC));
	(void)tui_free(tui);
	fake_free(v);
	return r;
}

/* The child and the test tell each other a byte at a time. */
static int told[2], wait_for[2];

/* As a shell: the view is a job in front; whenever it stops that is told, and a byte lets it go on in front. */
static int shell_main(void)
{
	int status = 0;
	pid_t job;
	char byte = 's';

	(void)signal(SIGTTOU, SIG_IGN);
	job = fork();
	if (job == 0) {
		(void)setpgid(0, 0);
		(void)tcsetpgrp(STDIN_FILENO, getpid());
		(void)signal(SIGTTOU, SIG_DFL);
		_exit(child_main());
	}
	(void)setpgid(job, job);
	while (waitpid(job, &status, WUNTRACED) == job && WIFSTOPPED(status)) {
		(void)tcsetpgrp(STDIN_FILENO, getpid());
		if (write(told[1], &byte, 1) != 1 || read(wait_for[0], &byte, 1) != 1)
			return 1;
		(void)tcsetpgrp(STDIN_FILENO, job);
		(void)kill(-job, SIGCONT);
	}
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}

static void start_main(struct terminal *t, const char *term, int (*run)(void))
{
	struct winsize ws = { .ws_row = 24, .ws_col = 80 };

	memset(t, 0, sizeof(*t));
	assert_int_equal(openpty(&t->master, &t->slave, NULL, NULL, &ws), 0);
	assert_int_equal(fcntl(t->master, F_SETFD, FD_CLOEXEC), 0);
	assert_int_equal(tcgetattr(t->slave, &t->before), 0);
	t->child = fork();
	assert_true(t->child >= 0);
	if (t->child > 0)
		return;
	(void)setenv("TERM", term, 1);
	(void)unsetenv("LINES");
	(void)unsetenv("COLUMNS");
	(void)close(t->master);
	(void)login_tty(t->slave);
	(void)signal(SIGSEGV, SIG_DFL); /* cmocka's own */
	(void)signal(SIGABRT, SIG_DFL);
	_exit(run());
}

static void start(struct terminal *t, const char *term)
{
	start_main(t, term, child_main);
}

/* Read what the child writes until want is in it behind from, for some seconds at most. */
static void await_from(struct terminal *t, size_t from, const char *want)
{
	struct pollfd p = { .fd = t->master, .events = POLLIN };

	while (!memmem(t->out + from, t->len - from, want, strlen(want))) {
		ssize_t n;

		if (poll(&p, 1, 10000) <= 0)
			fail_msg("never drew '%s'", want);
		n = read(t->master, t->out + t->len, sizeof(t->out) - t->len);
		if (n <= 0)
			fail_msg("ended before it drew '%s'", want);
		t->len += (size_t)n;
	}
}

static void await(struct terminal *t, const char *want)
{
	await_from(t, t->len, want);
}

static int finish(struct terminal *t)
{
	int status = 0;

	assert_int_equal(waitpid(t->child, &status, 0), t->child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void assert_restored(struct terminal *t)
{
	struct termios after;

	assert_int_equal(tcgetattr(t->slave, &after), 0);
	assert_int_equal(after.c_lflag, t->before.c_lflag);
	assert_int_equal(after.c_iflag, t->before.c_iflag);
	assert_int_equal(after.c_oflag, t->before.c_oflag);
	assert_memory_equal(after.c_cc, t->before.c_cc, sizeof(after.c_cc));
	(void)close(t->slave);
	(void)close(t->master);
}

static void quitting_gives_the_terminal_back(void **state)
{
	static struct terminal t;

	(void)state;
	start(&t, "xterm");
	await(&t, "visible");
	assert_int_equal(write(t.master, "q", 1), 1);
	await(&t, "\x1b[?1049l"); /* out of the alternate screen */
	assert_int_equal(finish(&t), QUIT);
	assert_restored(&t);
}

static void ending_by_signal_gives_the_terminal_back(void **state)
{
	static struct terminal t;

	(void)state;
	start(&t, "xterm");
	await(&t, "visible");
	assert_int_equal(kill(t.child, SIGTERM), 0);
	await(&t, "\x1b[?1049l");
	assert_int_equal(finish(&t), TERMED);
	assert_restored(&t);
}

/* It dies of the signal, as whoever waits for it has to know, and the terminal is as before. */
static void dies_of(int sig, const char *key)
{
	static struct terminal t;
	int status = 0;

	start(&t, "xterm");
	await(&t, "visible");
	if (key)
		assert_int_equal(write(t.master, key, 1), 1);
	else
		assert_int_equal(kill(t.child, sig), 0);
	await(&t, "\x1b[?1049l");
	assert_int_equal(waitpid(t.child, &status, 0), t.child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), sig);
	assert_restored(&t);
}

static void ctrl_backslash_gives_the_terminal_back(void **state)
{
	(void)state;
	dies_of(SIGQUIT, "\x1c");
}

static void a_crash_gives_the_terminal_back(void **state)
{
	(void)state;
	dies_of(SIGSEGV, NULL);
	dies_of(SIGABRT, NULL);
}

/* Ctrl-S: what is drawn from then on waits in the kernel, and with it whoever writes. */
static void a_stopped_terminal_does_not_keep_it_from_its_end(void **state)
{
	static struct terminal t;
	struct winsize ws = { .ws_row = 40, .ws_col = 120 };
	struct timespec from, to;

	(void)state;
	start(&t, "xterm");
	await(&t, "visible");
	assert_int_equal(write(t.master, "\x13", 1), 1);
	assert_int_equal(ioctl(t.master, TIOCSWINSZ, &ws), 0);
	(void)clock_gettime(CLOCK_MONOTONIC, &from);
	assert_int_equal(kill(t.child, SIGTERM), 0);
	assert_int_equal(finish(&t), TERMED);
	(void)clock_gettime(CLOCK_MONOTONIC, &to);
	assert_true(to.tv_sec - from.tv_sec < 5);
	assert_restored(&t);
}

static void hang_up_ends_the_view(void **state)
{
	static struct terminal t;

	(void)state;
	start(&t, "xterm");
	await(&t, "visible");
	(void)close(t.master);
	assert_int_equal(finish(&t), GONE);
	(void)close(t.slave);
}

static void hostile_names_do_not_reach_the_terminal(void **state)
{
	static struct terminal t;

	(void)state;
	start(&t, "xterm");
	await(&t, "?]0;owned");
	assert_null(memmem(t.out, t.len, "\x1b]0;", 4));
	assert_null(memchr(t.out, '\x07', t.len));
	assert_int_equal(write(t.master, "q", 1), 1);
	assert_int_equal(finish(&t), QUIT);
	assert_restored(&t);
}

static void colours_follow_the_ground_that_the_terminal_tells(void **state)
{
	static struct terminal t;

	(void)state;
	start(&t, "xterm-256color");
	await(&t, "visible");
	if (!memmem(t.out, t.len, "\x1b[?1006h", 8)) /* sent behind the frame */
		await(&t, "\x1b[?1006h");
	assert_int_equal(write(t.master, "\x1b]11;rgb:ffff/ffff/ffff\x1b\\", 25), 25);
	await(&t, "38;5;130m"); /* what is sent, on white */
	/* of an answer that nobody asked for no letter is a key */
	assert_int_equal(write(t.master, "\x1b]52;c;qqqq\x07T", 13), 13);
	await(&t, "38;5;221m"); /* the dark theme was asked for by T */
	assert_int_equal(write(t.master, "y", 1), 1);
	await(&t, "\x1b]52;c;");
	assert_int_equal(write(t.master, "q", 1), 1);
	await(&t, "\x1b[?1000l");
	assert_int_equal(finish(&t), QUIT);
	assert_restored(&t);
}

static void await_told(void)
{
	struct pollfd p = { .fd = told[0], .events = POLLIN };
	char byte;

	assert_int_equal(poll(&p, 1, 10000), 1);
	assert_int_equal(read(told[0], &byte, 1), 1);
}

/* Ctrl-Z and fg, and whoever stops it without asking. */
static void stopping_gives_the_terminal_back_and_going_on_takes_it(void **state)
{
	static struct terminal t;
	struct termios now, taken;
	size_t at;

	(void)state;
	assert_int_equal(pipe2(told, O_CLOEXEC), 0);
	assert_int_equal(pipe2(wait_for, O_CLOEXEC), 0);
	start_main(&t, "xterm", shell_main);
	await(&t, "visible");
	await_from(&t, 0, "\x1b[?1006h"); /* sent behind the frame */
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tcgetattr(t.slave, &taken), 0);
		assert_int_equal(write(t.master, "\x1a", 1), 1);
		at = t.len;
		await_from(&t, at, "\x1b[?1000l"); /* no mouse for the shell */
		await_from(&t, at, "\x1b[?1049l");
		await_told();
		assert_int_equal(tcgetattr(t.slave, &now), 0);
		assert_int_equal(now.c_lflag, t.before.c_lflag);
		assert_int_equal(now.c_iflag, t.before.c_iflag);
		/* a shell has modes of its own */
		now.c_lflag &= ~(tcflag_t)ISIG;
		assert_int_equal(tcsetattr(t.slave, TCSANOW, &now), 0);
		assert_int_equal(write(wait_for[1], "", 1), 1);
		at = t.len;
		await_from(&t, at, "\x1b[?1006h");
		await_from(&t, at, "visible");
		assert_int_equal(tcgetattr(t.slave, &now), 0);
		assert_int_equal(now.c_lflag, taken.c_lflag);
		assert_int_equal(now.c_iflag, taken.c_iflag);
	}
	assert_int_equal(write(t.master, "q", 1), 1);
	assert_int_equal(finish(&t), QUIT);
	assert_restored(&t);
	for (int i = 0; i < 2; i++) {
		(void)close(told[i]);
		(void)close(wait_for[i]);
	}
}

/* The thread waits in the kernel with curses its own; keys are typed, and none is read. */
static int stopped_main(void)
{
	struct netprobe_error err = { 0 };
	struct screen *s = screen_open(false, &err);
	struct grid g = { 0 };
	struct key key;

	if (!s || screen_measure(s, &g))
		return 1;
	(void)alarm(20);
	screen_draw(s, &g);
	while (screen_key(s, &key) != 1)
		;
	(void)tcflow(STDOUT_FILENO, TCOOFF);
	do {
		screen_forget(s);
		screen_draw(s, &g);
	} while (screen_key(s, &key) == 1);
	screen_theme(s, THEME_LIGHT, 0);
	screen_mouse(s, false);
	screen_draw(s, &g);
	(void)screen_close(s);
	return QUIT;
}

static void colours_wait_for_no_terminal(void **state)
{
	static struct terminal t;
	char keys[2000];

	(void)state;
	memset(keys, 'x', sizeof(keys));
	start_main(&t, "xterm", stopped_main);
	assert_int_equal(write(t.master, keys, sizeof(keys)), sizeof(keys));
	assert_int_equal(finish(&t), QUIT);
	(void)close(t.slave);
	(void)close(t.master);
}

static bool has_ended(const struct terminal *t)
{
	siginfo_t si = { 0 };

	return waitid(P_PID, (id_t)t->child, &si, WEXITED | WNOHANG | WNOWAIT) || si.si_pid;
}

/* Of a terminal that begins an answer and never ends it: keys are keys again soon. */
static void half_an_answer_swallows_no_keys_for_long(void **state)
{
	static struct terminal t;
	struct timespec pause = { .tv_nsec = 100000000 };

	(void)state;
	start(&t, "xterm");
	await(&t, "visible");
	assert_int_equal(write(t.master, "\x1b]11;rgb:ffff", 13), 13);
	/* far fewer than what a sequence may have at most */
	for (int i = 0; i < 100 && !has_ended(&t); i++) {
		(void)!write(t.master, "q", 1);
		(void)nanosleep(&pause, NULL);
	}
	await(&t, "\x1b[?1049l");
	assert_int_equal(finish(&t), QUIT);
	assert_restored(&t);
}

static void view_follows_a_resize(void **state)
{
	struct winsize ws = { .ws_row = 7, .ws_col = 39 };
	static struct terminal t;

	(void)state;
	start(&t, "xterm");
	await(&t, "visible");
	assert_int_equal(ioctl(t.master, TIOCSWINSZ, &ws), 0);
	await(&t, "too small");
	ws.ws_row = 40;
	ws.ws_col = 120;
	assert_int_equal(ioctl(t.master, TIOCSWINSZ, &ws), 0);
	await(&t, "visible");
	assert_int_equal(write(t.master, "q", 1), 1);
	assert_int_equal(finish(&t), QUIT);
	assert_restored(&t);
}

static void terminal_without_colours_will_do(void **state)
{
	static struct terminal t;

	(void)state;
	start(&t, "vt100");
	await(&t, "visible");
	assert_int_equal(write(t.master, "?q ", 3), 3);
	await(&t, "PAUSED");
	assert_int_equal(write(t.master, "q", 1), 1);
	assert_int_equal(finish(&t), QUIT);
	assert_restored(&t);
}

static void unknown_terminal_is_refused_with_a_hint(void **state)
{
	static struct terminal t;

	(void)state;
	start(&t, "no-such-terminal");
	assert_int_equal(finish(&t), REFUSED);
	assert_restored(&t);
}

static void pipe_is_refused(void **state)
{
	static const struct tui_opts opts = { 0 };
	struct netprobe_error err = { 0 };
	int keep = dup(STDIN_FILENO), null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct tui *tui;

	(void)state;
	assert_true(keep >= 0 && null >= 0);
	assert_int_equal(dup2(null, STDIN_FILENO), STDIN_FILENO);
	tui = tui_new(&opts, NULL, &err);
	assert_int_equal(dup2(keep, STDIN_FILENO), STDIN_FILENO);
	assert_null(tui);
	assert_int_equal(err.code, -ENOTTY);
	assert_null(tui_free(NULL));
	(void)close(keep);
	(void)close(null);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quitting_gives_the_terminal_back),
		cmocka_unit_test(ending_by_signal_gives_the_terminal_back),
		cmocka_unit_test(ctrl_backslash_gives_the_terminal_back),
		cmocka_unit_test(a_crash_gives_the_terminal_back),
		cmocka_unit_test(a_stopped_terminal_does_not_keep_it_from_its_end),
		cmocka_unit_test(hang_up_ends_the_view),
		cmocka_unit_test(hostile_names_do_not_reach_the_terminal),
		cmocka_unit_test(colours_follow_the_ground_that_the_terminal_tells),
		cmocka_unit_test(stopping_gives_the_terminal_back_and_going_on_takes_it),
		cmocka_unit_test(colours_wait_for_no_terminal),
		cmocka_unit_test(half_an_answer_swallows_no_keys_for_long),
		cmocka_unit_test(view_follows_a_resize),
		cmocka_unit_test(terminal_without_colours_will_do),
		cmocka_unit_test(unknown_terminal_is_refused_with_a_hint),
		cmocka_unit_test(pipe_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
