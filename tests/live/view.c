/* SPDX-License-Identifier: BSD-2-Clause */
/* What the live view does to processes, connections and files when it is asked to, with whose rights, and that it asks first. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <pty.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <netinet/in.h>

#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define WAIT_MS 20000
#define TALKER "talker" /* what is drawn where nothing was: curses sends only what differs */

struct screen {
	struct probe p;
	int master;
	char text[1 << 18];
	size_t len, seen;
};

static void open_view(struct screen *s, const char *const *args)
{
	struct winsize size = { .ws_row = 24, .ws_col = 120 };
	struct probe_opts opts = { .args = args, .terminal = true };
	int slave;

	memset(s, 0, sizeof(*s));
	REQUIRE(!openpty(&s->master, &slave, NULL, NULL, &size), "openpty: %s", strerror(errno));
	(void)fcntl(s->master, F_SETFD, FD_CLOEXEC);
	(void)fcntl(slave, F_SETFD, FD_CLOEXEC);
	opts.out_fd = slave;
	s->p = probe_spawn(&opts);
	(void)close(slave);
}

/* More of what it draws, until that is in it. */
static bool drawn(struct screen *s, const char *want, int ms)
{
	int64_t deadline = deadline_in(ms);
	struct pollfd p = { .fd = s->master, .events = POLLIN };
	ssize_t n;

	for (;;) {
		if (memmem(s->text + s->seen, s->len - s->seen, want, strlen(want))) {
			s->seen = s->len;
			return true;
		}
		if (now_ms() > deadline)
			return false;
		if (poll(&p, 1, 100) <= 0)
			continue;
		if (s->len + 4096 > sizeof(s->text)) { /* a view may draw for as long as it likes */
			memmove(s->text, s->text + s->len - 4096, 4096);
			s->len = 4096;
			s->seen = s->seen > 4096 ? 4096 : s->seen;
		}
		n = read(s->master, s->text + s->len, 4096);
		if (n <= 0)
			return false;
		s->len += (size_t)n;
	}
}

static void type(struct screen *s, const char *keys)
{
	REQUIRE(write(s->master, keys, strlen(keys)) == (ssize_t)strlen(keys), "cannot type");
}

static void quit(struct screen *s)
{
	type(s, "q");
	(void)drawn(s, "\x1b[?1049l", WAIT_MS);
	CHECK_EQ(probe_wait(&s->p, WAIT_MS), 0, "exit of the view");
	(void)close(s->master);
}

/* A child with a connection that moves bytes until it is told, or ended; both ends are its own. */
static pid_t start_talker(const char *device)
{
	int ready[2];
	pid_t pid;
	char c;

	REQUIRE(!pipe2(ready, O_CLOEXEC), "pipe");
	pid = fork();
	if (!pid) {
		struct sockaddr_in at = { .sin_family = AF_INET,
					  .sin_addr = { htonl(INADDR_LOOPBACK) } };
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), to, from;
		socklen_t len = sizeof(at);
		char buf[1000] = "";

		(void)prctl(PR_SET_NAME, TALKER);
		(void)bind(fd, (struct sockaddr *)&at, sizeof(at));
		(void)listen(fd, 1);
		(void)getsockname(fd, (struct sockaddr *)&at, &len);
		to = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
		if (device && (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, device,
					  (socklen_t)strlen(device)) < 0 ||
			       setsockopt(to, SOL_SOCKET, SO_BINDTODEVICE, device,
					  (socklen_t)strlen(device)) < 0))
			_exit(1);
		(void)connect(to, (struct sockaddr *)&at, sizeof(at));
		from = accept(fd, NULL, NULL);
		(void)close(fd);
		(void)!write(ready[1], "r", 1);
		for (;;) {
			if (send(to, buf, sizeof(buf), MSG_NOSIGNAL) < 0 ||
			    recv(from, buf, sizeof(buf), 0) <= 0)
				_exit(errno == ECONNABORTED || errno == ECONNRESET || errno == EPIPE
					      ? 77
					      : 1);
			pause_ms(50);
		}
	}
	(void)close(ready[1]);
	REQUIRE(read(ready[0], &c, 1) == 1, "the talker did not start");
	(void)close(ready[0]);
	return pid;
}

static void own_home(void)
{
	(void)setenv("HOME", test_dir(), 1);
	(void)unsetenv("XDG_CONFIG_HOME");
}

static int status_within(pid_t pid, int ms)
{
	int64_t deadline = deadline_in(ms);
	int status;

	while (waitpid(pid, &status, WNOHANG) != pid) {
		if (now_ms() > deadline)
			return -1;
		pause_ms(10);
	}
	return status;
}

TEST(a_process_is_signalled_when_it_was_asked_and_said_yes)
{
	static struct screen s;
	pid_t pid = start_talker(NULL);
	char match[32], question[64];
	const char *args[] = { "top", "--interval", "0.2", "--match", match, NULL };
	int status;

	own_home();
	(void)snprintf(match, sizeof(match), "pid=%d", pid);
	(void)snprintf(question, sizeof(question), "[%d]?", pid);
	open_view(&s, args);
	CHECK(drawn(&s, TALKER, WAIT_MS), "the row of pid %d was not drawn", pid);
	type(&s, "K\rn");
	CHECK(drawn(&s, "nothing was done", WAIT_MS), "no is no answer");
	CHECK_EQ(status_within(pid, 300), -1, "end of a process that nobody wanted to end");
	type(&s, "K\r");
	CHECK(drawn(&s, question, WAIT_MS), "no question");
	type(&s, "y");
	status = status_within(pid, WAIT_MS);
	CHECK(status != -1 && WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM,
	      "status of the process: %#x", status);
	quit(&s);
}

static void close_socket_of(pid_t pid, const char *by)
{
	static struct screen s;
	char match[32];
	const char *args[] = { "top", "--by", by, "--interval", "0.2", "--match", match, NULL };
	int status;

	own_home();
	(void)snprintf(match, sizeof(match), "pid=%d", pid);
	open_view(&s, args);
	CHECK(drawn(&s, TALKER, WAIT_MS), "the connections of pid %d were not drawn", pid);
	type(&s, "X");
	CHECK(drawn(&s, "Close ", WAIT_MS), "no question");
	type(&s, "y");
	status = status_within(pid, 5000);
	if (status == -1) {
		bool cannot = drawn(&s, "cannot do that", 1000);

		(void)kill(pid, SIGKILL);
		(void)waitpid(pid, NULL, 0);
		type(&s, "q");
		if (cannot)
			test_skip("this kernel closes no sockets (INET_DIAG_DESTROY)");
	}
	CHECK(status != -1 && WIFEXITED(status) && WEXITSTATUS(status) == 77,
	      "status of the process whose connection was closed: %#x", status);
	if (status != -1)
		quit(&s);
}

TEST(a_connection_is_closed_when_it_was_asked_and_said_yes)
{
	close_socket_of(start_talker(NULL), "connection");
}

TEST(a_connection_that_is_bound_to_an_interface_is_closed)
{
	close_socket_of(start_talker("lo"), "connection");
}

#define LISTENERS 8

/* Each a process of its own, on one port. */
static pid_t start_listener(uint16_t port)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int ready[2], one = 1;
	pid_t pid;
	char c;

	REQUIRE(!pipe2(ready, O_CLOEXEC), "pipe");
	pid = fork();
	if (!pid) {
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		(void)prctl(PR_SET_NAME, TALKER);
		(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)) < 0 ||
		    bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || listen(fd, 1) < 0)
			_exit(1);
		(void)!write(ready[1], "r", 1);
		_exit(accept(fd, NULL, NULL) < 0 ? 77 : 1);
	}
	(void)close(ready[1]);
	REQUIRE(read(ready[0], &c, 1) == 1, "a listener did not start");
	(void)close(ready[0]);
	return pid;
}

/* The kernel finds one of them by the port, not that one. */
TEST(one_of_several_listeners_on_a_port_is_closed)
{
	pid_t pids[LISTENERS];
	int status;

	for (unsigned int i = 0; i < LISTENERS; i++)
		pids[i] = start_listener(7481);
	close_socket_of(pids[5], "listen");
	for (unsigned int i = 0; i < LISTENERS; i++) {
		if (i == 5)
			continue;
		CHECK_EQ(waitpid(pids[i], &status, WNOHANG), 0, "end of another listener");
		(void)kill(pids[i], SIGKILL);
		(void)waitpid(pids[i], &status, 0);
	}
}

static void file_in(char *path, size_t size, const char *name)
{
	(void)snprintf(path, size, "%s/%s", test_dir(), name);
}

/* As those of pods are called. */
#define NPBLUE "npblue-0f3c1d2e-1111-2222-3333-1234567890ab"

/* Each namespace may have an lo: what ip netns calls it tells them apart, where no column has room for it. */
TEST(an_interface_of_another_namespace_says_which)
{
	static struct screen s;
	struct netns ns = netns_new();
	char match[32], *text;
	const char *const args[] = { "top", "--by",    "interface", "--idle", "--interval",
				     "0.2", "--match", match,	    NULL };
	const char *const once[] = { "top",	"--by", "interface", "--idle", "--once",
				     "--match", match,	"-q",	     NULL };
	struct maker m;
	struct probe p;

	own_home();
	(void)snprintf(match, sizeof(match), "netns=%" PRIu64, (uint64_t)ns.inode);
	(void)mkdir("/run/netns", 0755);
	REQUIRE(!unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
			!mount("none", "/run/netns", "tmpfs", 0, NULL) &&
			!close(open("/run/netns/" NPBLUE, O_CREAT | O_WRONLY | O_CLOEXEC, 0444)) &&
			!mount(ns.path, "/run/netns/" NPBLUE, NULL, MS_BIND, NULL),
		"cannot name a namespace: %s", strerror(errno));
	m = maker_start(&ns, -1, "stream --bytes 1000 --hold sent");
	maker_wait_hold(&m);
	open_view(&s, args);
	CHECK(drawn(&s, "lo@", WAIT_MS), "expected the name of the namespace");
	quit(&s);
	/* a table has all of it */
	CHECK_EQ(probe_run(&p, once), 0, "exit code");
	text = file_text(p.out);
	CHECK(strstr(text, " (netns " NPBLUE ")"), "expected " NPBLUE " in:\n%s", text);
	free(text);
	maker_go(&m);
	maker_finish(&m);
}

TEST(settings_are_kept_and_taken_again)
{
	static const char *const args[] = { "top", "--interval", "0.2", NULL };
	static struct screen s;
	char path[PATH_MAX], text[4096] = "";
	struct stat st;
	int fd;

	own_home();
	file_in(path, sizeof(path), ".config/netprobe/top.yaml");
	open_view(&s, args);
	CHECK(drawn(&s, "TX/s", WAIT_MS), "the view was not drawn");
	quit(&s);
	CHECK(access(path, F_OK) < 0, "a view in which nothing was changed wrote %s", path);
	open_view(&s, args);
	CHECK(drawn(&s, "TX/s", WAIT_MS), "the view was not drawn");
	type(&s, "u4");
	CHECK(drawn(&s, "TXb/s", WAIT_MS), "bits were not drawn");
	quit(&s);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	REQUIRE(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && !fstat(fd, &st), "%s: %s", path,
		strerror(errno));
	(void)close(fd);
	CHECK(strstr(text, "bits: true\n") && strstr(text, "view: remote\n"), "kept: %s", text);
	CHECK_EQ(st.st_mode & 07777, 0600, "mode of the file");
	open_view(&s, args);
	CHECK(drawn(&s, "REMOTE HOST", WAIT_MS), "the view was not the one that was kept");
	quit(&s);
}

TEST(a_broken_setting_gives_one_line_and_the_rest_holds)
{
	static const char *const args[] = { "top", "--interval", "0.2", NULL };
	static struct screen s;
	char path[PATH_MAX];
	int fd;

	own_home();
	file_in(path, sizeof(path), ".config");
	(void)mkdir(path, 0700);
	file_in(path, sizeof(path), ".config/netprobe");
	(void)mkdir(path, 0700);
	file_in(path, sizeof(path), ".config/netprobe/top.yaml");
	fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	REQUIRE(fd >= 0 && write(fd, "bits: true\nthem: dark\n", 22) == 22, "%s", path);
	(void)close(fd);
	open_view(&s, args);
	CHECK(drawn(&s, "TXb/s", WAIT_MS), "the line that is right does not hold");
	CHECK(memmem(s.text, s.len, "top.yaml: line 2: there is no setting 'them'", 43),
	      "no line of it");
	type(&s, "q");
	(void)drawn(&s, "\x1b[?1049l", WAIT_MS);
	CHECK_EQ(probe_wait(&s.p, WAIT_MS), 0, "exit of the view");
	(void)close(s.master);
}

TEST(nothing_is_kept_in_a_home_of_somebody_else)
{
	static const char *const args[] = { "top", "--interval", "0.2", NULL };
	static struct screen s;
	char path[PATH_MAX];

	if (geteuid())
		test_skip("takes root, to give a folder away");
	own_home();
	file_in(path, sizeof(path), "theirs");
	REQUIRE(!mkdir(path, 0777) && !chown(path, 12345, 12345), "%s", path);
	(void)setenv("XDG_CONFIG_HOME", path, 1);
	open_view(&s, args);
	CHECK(drawn(&s, "TX/s", WAIT_MS), "the view was not drawn");
	type(&s, "u");
	CHECK(drawn(&s, "TXb/s", WAIT_MS), "bits were not drawn");
	quit(&s);
	CHECK(rmdir(path) == 0, "something was written to %s", path);
}
