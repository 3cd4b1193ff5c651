/* SPDX-License-Identifier: BSD-2-Clause */
/* What is printed on a terminal is no wider than it, whatever processes are called; through a pipe it is whole. */
#include <arpa/inet.h>
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
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>
#include <wchar.h>

#include "probe.h"
#include "tap.h"

#define END_MS 30000
/* 15 bytes, 10 columns: two of each character, an escape that would clear the screen */
#define NAME "日本\033[2J語x"

static struct sockaddr_in6 addr_of(uint16_t port)
{
	return (struct sockaddr_in6){ .sin6_family = AF_INET6,
				      .sin6_addr = IN6ADDR_LOOPBACK_INIT,
				      .sin6_port = htons(port) };
}

/* Another connection, a refused one, a query that nobody answers, and bytes, again and again. */
static _Noreturn void make_traffic(int ready)
{
	uint8_t query[] = "\x12\x34\x01\0\0\1\0\0\0\0\0\0"
			  "\x28"
			  "a-very-long-name-of-a-host-that-is-asked"
			  "\7example\3net\0\0\1\0\1";
	struct sockaddr_in6 to = addr_of(0), none = addr_of(1), dns = addr_of(53);
	int listener = socket(AF_INET6, SOCK_STREAM, 0), udp = socket(AF_INET6, SOCK_DGRAM, 0);
	socklen_t len = sizeof(to);
	char bytes[4096] = "";

	prctl(PR_SET_NAME, NAME);
	if (bind(listener, (struct sockaddr *)&to, sizeof(to)) || listen(listener, 8) ||
	    getsockname(listener, (struct sockaddr *)&to, &len))
		_exit(1);
	for (;; query[0]++) {
		int a = socket(AF_INET6, SOCK_STREAM, 0), b,
		    refused = socket(AF_INET6, SOCK_STREAM, 0);

		if (connect(a, (struct sockaddr *)&to, sizeof(to)))
			_exit(1);
		b = accept(listener, NULL, NULL);
		(void)!connect(refused, (struct sockaddr *)&none, sizeof(none));
		(void)!sendto(udp, query, sizeof(query) - 1, 0, (struct sockaddr *)&dns,
			      sizeof(dns));
		for (int i = 0; i < 8; i++) {
			(void)!send(a, bytes, sizeof(bytes), MSG_NOSIGNAL);
			(void)!recv(b, bytes, sizeof(bytes), 0);
			usleep(5000);
		}
		(void)!write(ready, "", 1);
		close(a);
		close(b);
		close(refused);
	}
}

static pid_t traffic_start(void)
{
	pid_t pid;
	int ready[2];
	char c;

	REQUIRE(pipe2(ready, O_NONBLOCK) == 0, "pipe: %s", strerror(errno));
	fcntl(ready[0], F_SETFL, 0);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		make_traffic(ready[1]);
	}
	close(ready[1]);
	REQUIRE(read(ready[0], &c, 1) == 1, "no traffic");
	fcntl(ready[0], F_SETFD, FD_CLOEXEC); /* open: whoever writes there gets no SIGPIPE */
	return pid;
}

static unsigned int width_of(const char *s, size_t len)
{
	unsigned int all = 0;
	mbstate_t state = { 0 };
	wchar_t c;

	while (len) {
		size_t n = mbrtowc(&c, s, len, &state);

		if (!n || n > len || wcwidth(c) < 0) {
			test_fail(__FILE__, __LINE__, "a byte 0x%02x is on the terminal in: %.*s",
				  (unsigned char)*s, (int)len, s);
			return all;
		}
		all += (unsigned int)wcwidth(c);
		s += n;
		len -= n;
	}
	return all;
}

/* Each line of text fits, and none has a control in it. The widest. */
static unsigned int check_lines(char *text, unsigned int columns, const char *what)
{
	unsigned int widest = 0;
	char *rest = text;

	for (char *line; (line = strsep(&rest, "\n"));) {
		size_t len = strlen(line);
		unsigned int w;

		if (len && line[len - 1] == '\r') /* the terminal's own */
			len--;
		w = width_of(line, len);
		CHECK(w <= columns, "%s at %u columns: expected no wider line, got %u: %s", what,
		      columns, w, line);
		widest = w > widest ? w : widest;
	}
	return widest;
}

/* All that comes on the terminal until its other end is closed; resized to columns once a line came. */
static char *read_terminal(int master, unsigned int columns)
{
	char *text = calloc(1, 1 << 20);
	size_t n = 0;
	ssize_t r;

	while (n < (1 << 20) - 1 && (r = read(master, text + n, (1 << 20) - 1 - n)) > 0) {
		struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };

		n += (size_t)r;
		if (columns)
			(void)ioctl(master, TIOCSWINSZ, &size);
	}
	return text;
}

static char *on_terminal(const char *const *args, unsigned int columns)
{
	struct winsize size = { .ws_row = 24, .ws_col = (unsigned short)columns };
	struct probe_opts opts = { .args = args, .no_ready = true };
	int master, slave;
	struct probe p;
	char *text;

	REQUIRE(openpty(&master, &slave, NULL, NULL, &size) == 0, "openpty: %s", strerror(errno));
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	opts.out_fd = slave;
	p = probe_spawn(&opts);
	close(slave);
	text = read_terminal(master, 0);
	CHECK(probe_wait(&p, END_MS) == 0, "%s: expected exit 0, got %d", args[0], p.status);
	close(master);
	return text;
}

/* words: that are there at each width; least: so much of a wide terminal is used. */
static void check_widths(const char *const *args, const unsigned int *widths,
			 const char *const *words)
{
	for (; *widths; widths++) {
		char *text = on_terminal(args, *widths);

		for (const char *const *w = words; *w; w++)
			CHECK(strstr(text, *w), "%s at %u columns: expected '%s', got: %s", args[0],
			      *widths, *w, text);
		(void)check_lines(text, *widths, args[0]);
		free(text);
	}
}

static const unsigned int all_widths[] = { 40, 80, 120, 200, 0 }, some_widths[] = { 40, 120, 0 };

#define NO_COLOR "--no-color"

TEST(tables_are_no_wider_than_the_terminal)
{
	static const char *const once[] = { "top", "--once", NO_COLOR, "--comm", NAME, NULL };
	static const char *const flows[] = { "flows", NO_COLOR, "--comm", NAME, NULL };
	static const char *const words[] = { "TX/s", "日本", NULL };

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)traffic_start();
	check_widths(once, all_widths, words);
	check_widths(flows, all_widths, words);
}

TEST(verdicts_and_summaries_are_no_wider_than_the_terminal)
{
	static const char *const why[] = {
		"why", NO_COLOR, "--duration", "1", "--comm", NAME, NULL
	};
	static const char *const dns[] = { "dns",	 "--summary", NO_COLOR,
					   "--duration", "1",	      "--dns-timeout",
					   "0.2",	 "--comm",    NAME,
					   NULL };
	static const char *const drops[] = {
		"drops", "--summary", NO_COLOR, "--duration", "1", NULL
	};
	static const char *const verdict[] = { "application", NULL };
	static const char *const asked[] = { "a-very", "QUERIES", "日本", NULL };
	static const char *const lost[] = { "PACKETS", "REASON", "total", NULL };

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)traffic_start();
	check_widths(why, some_widths, verdict);
	check_widths(dns, some_widths, asked);
	check_widths(drops, some_widths, lost + 0);
}

TEST(lines_of_events_are_no_wider_than_the_terminal)
{
	static const char *const events[] = { "events", NO_COLOR,  "--duration", "1", "--comm",
					      NAME,	"--names", "dns",	 NULL };
	static const char *const words[] = { "conn.open", "CONNECT_", "日本", NULL };

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)traffic_start();
	check_widths(events, all_widths, words);
}

TEST(lines_follow_a_terminal_that_is_made_narrow)
{
	static const char *const args[] = { "events", NO_COLOR, "--comm", NAME, NULL };
	struct winsize size = { .ws_row = 24, .ws_col = 200 };
	struct probe_opts opts = { .args = args, .terminal = true };
	unsigned int narrow = 0, wide = 0;
	char line[4096];
	int master, slave;
	struct probe p;
	FILE *f;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)traffic_start();
	REQUIRE(openpty(&master, &slave, NULL, NULL, &size) == 0, "openpty: %s", strerror(errno));
	fcntl(master, F_SETFD, FD_CLOEXEC);
	fcntl(slave, F_SETFD, FD_CLOEXEC);
	opts.out_fd = slave;
	p = probe_spawn(&opts);
	close(slave);
	f = fdopen(master, "r");
	for (int64_t end = deadline_in(END_MS);
	     narrow < 20 && now_ms() < end && fgets(line, sizeof(line), f);) {
		unsigned int w;

		line[strcspn(line, "\r\n")] = '\0';
		w = width_of(line, strlen(line));
		wide += w > 80;
		if (wide == 3) {
			size.ws_col = 60;
			REQUIRE(ioctl(master, TIOCSWINSZ, &size) == 0, "TIOCSWINSZ: %s",
				strerror(errno));
		}
		narrow = wide >= 3 && w <= 60 ? narrow + 1 : 0;
	}
	CHECK(wide >= 3, "expected lines of more than 80 columns at 200, got %u", wide);
	CHECK(narrow == 20, "expected 20 lines of at most 60 columns, one after the other, got %u",
	      narrow);
	probe_stop(&p);
	(void)fclose(f);
}

TEST(what_is_piped_is_whole)
{
	static const char *const args[] = { "flows", "--format", "text", "--comm", NAME, NULL };
	struct probe p;
	char *text;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)traffic_start();
	setenv("COLUMNS", "40", 1); /* of a terminal, which a file is not */
	CHECK(probe_run(&p, args) == 0, "expected exit 0, got %d", p.status);
	unsetenv("COLUMNS");
	text = file_text(p.out);
	CHECK(strstr(text, "OWNER") && strstr(text, "LPORT") && strstr(text, "RETR"),
	      "expected all columns, got: %s", text);
	CHECK(check_lines(text, 1000, "flows") > 120, "expected lines that nobody cut");
	free(text);
}

TEST(columns_may_be_told)
{
	static const char *const args[] = { "top", "--once", NO_COLOR, "--comm", NAME, NULL };
	char *text;

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	(void)traffic_start();
	setenv("COLUMNS", "50", 1);
	text = on_terminal(args, 200);
	unsetenv("COLUMNS");
	(void)check_lines(text, 50, "top with COLUMNS=50");
	free(text);
}
