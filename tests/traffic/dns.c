/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DNS server whose answers are known, and who asks it. The server does as the first label of a
 * name says: nx no such name, drop no answer, once none to the first query, slow one after --delay;
 * anything else is 192.0.2.1 and 2001:db8::1 (as "h" in 4 and 6), for 60 s.
 *
 * dns ask          --ok N --nx N --drop N --once N --slow N queries, one after the other
 *     --tcp        over one TCP connection; --bound: a socket without a peer, by sendto
 *     --again MS   ask again what nobody answered for so long (default 100)
 *     --forked     each query by a child of its own, through a socket its parent made
 * dns connect      resolve as `ask` does, then connect to --to A --to-port P and hold there
 *     --http       with a request to web.example.net; --tls: with a ClientHello for tls.example.net
 * dns libc         getaddrinfo of --name through the server, which listens on port 53
 * dns forward      the same through a forwarder on port 53, which asks the server on --port
 *
 * --addr A --port P of the server (127.0.0.1, 5300); reports: tx_pkts queries sent, rx_pkts answers.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define MESSAGE 512

static struct addr server_addr(void)
{
	return addr_parse(tm_str("addr", "127.0.0.1"), (uint16_t)tm_num("port", 5300));
}

/* Where the question ends. */
static size_t question_end(const uint8_t *m, size_t n)
{
	size_t at = 12;

	while (at < n && m[at])
		at += m[at] + 1u;
	return at + 5;
}

/* The answer to a query of n bytes, made in place; 0: none. */
static size_t answer(uint8_t *m, size_t n)
{
	static const uint8_t a[] = { 0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 1 };
	static const uint8_t aaaa[] = { 0xc0, 12,   0, 28, 0, 1, 0, 0, 0, 60, 0, 16, 0x20, 1,
					0x0d, 0xb8, 0, 0,  0, 0, 0, 0, 0, 0,  0, 0,  0,	   1 };
	static char seen[64];
	size_t end = question_end(m, n);
	const char *label = (const char *)m + 13;

	if (n < 17 || end > n || !strncmp(label, "drop", 4))
		return 0;
	if (!strncmp(label, "once", 4) && memcmp(seen, label, m[12])) {
		memcpy(seen, label, m[12] < sizeof(seen) ? m[12] : sizeof(seen));
		return 0;
	}
	if (!strncmp(label, "slow", 4))
		tm_sleep_ms((unsigned int)tm_num("delay", 50));
	m[2] = 0x81;
	m[3] = 0x80;
	memset(m + 6, 0, 6);
	if (!strncmp(label, "nx", 2)) {
		m[3] |= 3;
		return end;
	}
	if (m[end - 3] == 1) {
		memcpy(m + end, a, sizeof(a));
		end += sizeof(a);
		m[7] = 1;
	} else if (m[end - 3] == 28) {
		memcpy(m + end, aaaa, sizeof(aaaa));
		end += sizeof(aaaa);
		m[7] = 1;
	}
	return end;
}

static void answer_datagram(int fd)
{
	struct addr from = { .len = sizeof(from.ss) };
	uint8_t m[MESSAGE + 64];
	ssize_t n = recvfrom(fd, m, MESSAGE, 0, (struct sockaddr *)&from.ss, &from.len);
	size_t len = n > 0 ? answer(m, (size_t)n) : 0;

	if (len && sendto(fd, m, len, 0, (struct sockaddr *)&from.ss, from.len) < 0)
		die("sendto");
}

static bool read_all(int fd, uint8_t *to, size_t n)
{
	for (size_t done = 0; done < n;) {
		ssize_t r = read(fd, to + done, n - done);

		if (r <= 0)
			return false;
		done += (size_t)r;
	}
	return true;
}

/* A connection from its first message to its last; answers come in two pieces. */
static void answer_stream(int fd)
{
	uint8_t m[2 + MESSAGE + 64];

	while (read_all(fd, m, 2) && (m[0] << 8 | m[1]) <= MESSAGE &&
	       read_all(fd, m + 2, (size_t)(m[0] << 8 | m[1]))) {
		size_t len = answer(m + 2, (size_t)(m[0] << 8 | m[1]));

		if (!len)
			continue;
		m[0] = (uint8_t)(len >> 8);
		m[1] = (uint8_t)len;
		if (write(fd, m, 7) != 7 || write(fd, m + 7, len - 5) != (ssize_t)len - 5)
			die("write");
	}
	close(fd);
}

static _Noreturn void serve(int udp, int tcp)
{
	struct pollfd p[2] = { { .fd = udp, .events = POLLIN }, { .fd = tcp, .events = POLLIN } };

	tm_comm("dns-server");
	for (;;) {
		if (poll(p, 2, -1) < 0)
			die("poll");
		if (p[0].revents)
			answer_datagram(udp);
		if (p[1].revents)
			answer_stream(tcp_accept(tcp));
	}
}

/* A server of its own; dies with the maker. */
static void server_start(const struct addr *at)
{
	int udp = udp_bind(at), tcp = tcp_listen(at, 8);

	if (!tm_fork())
		serve(udp, tcp);
	close(udp);
	close(tcp);
}

static size_t query(uint8_t *m, uint16_t id, const char *label, unsigned int number)
{
	char text[64];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s%u", label, number);

	memset(m, 0, 12);
	m[0] = (uint8_t)(id >> 8);
	m[1] = (uint8_t)id;
	m[2] = 1;
	m[5] = 1;
	m[12] = (uint8_t)n;
	memcpy(m + 13, text, n);
	memcpy(m + 13 + n, "\7Example\3net\0\0\1\0\1", 17);
	return 13 + n + 17;
}

static void ask_stream(struct report *r, int fd, const uint8_t *m, size_t n)
{
	uint8_t out[MESSAGE + 2] = { (uint8_t)(n >> 8), (uint8_t)n };

	memcpy(out + 2, m, n);
	if (write(fd, out, n + 2) != (ssize_t)n + 2)
		die("write");
	r->tx_pkts++;
	if (!read_all(fd, out, 2) || !read_all(fd, out + 2, (size_t)(out[0] << 8 | out[1])))
		die("read");
	r->rx_pkts++;
}

/* An answer to the query m; one that comes late, to what was asked twice, is none. */
static bool is_answered(int fd, const uint8_t *m)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	uint8_t in[MESSAGE];

	while (poll(&p, 1, (int)tm_num("again", 100)) > 0)
		if (recv(fd, in, sizeof(in), 0) >= 2 && !memcmp(in, m, 2))
			return true;
	return false;
}

/* Ask, at most twice more, until an answer comes. */
static void ask_datagram(struct report *r, int fd, const struct addr *to, const uint8_t *m,
			 size_t n)
{
	for (int i = 0; i < 3; i++) {
		if (sendto(fd, m, n, 0, to ? (const struct sockaddr *)&to->ss : NULL,
			   to ? to->len : 0) < 0)
			die("sendto");
		r->tx_pkts++;
		if (is_answered(fd, m)) {
			r->rx_pkts++;
			return;
		}
	}
}

static uint16_t next_id = 0x100;

static void ask_one(struct report *r, int fd, const struct addr *to, const char *label,
		    unsigned int number)
{
	uint8_t m[MESSAGE];
	size_t n = query(m, next_id++, label, number);

	if (tm_flag("tcp"))
		ask_stream(r, fd, m, n);
	else
		ask_datagram(r, fd, to, m, n);
}

static void ask_all(struct report *r, const struct addr *a)
{
	static const char *const labels[] = { "ok", "nx", "drop", "once", "slow" };
	bool tcp = tm_flag("tcp"), bound = tm_flag("bound");
	int fd = sock_new(a->ss.ss_family, tcp ? SOCK_STREAM : SOCK_DGRAM);

	if (!bound)
		sock_connect(fd, a);
	for (size_t l = 0; l < sizeof(labels) / sizeof(labels[0]); l++)
		for (unsigned int i = 0; i < tm_num(labels[l], 0); i++) {
			if (!tm_flag("forked")) {
				ask_one(r, fd, bound ? a : NULL, labels[l], i);
				continue;
			}
			pid_t pid = tm_fork();

			if (!pid) {
				struct report child = { .role = "child" };

				tm_comm("child");
				ask_one(&child, fd, bound ? a : NULL, labels[l], i);
				report_print(&child);
				_exit(0);
			}
			next_id++;
			/* one at a time: they share the socket */
			if (waitpid(pid, NULL, 0) < 0)
				die("waitpid");
		}
	report_socket(r, fd);
	close(fd);
}

static int dns_ask(void)
{
	struct addr a = server_addr();
	struct report r = { .role = "client" };

	server_start(&a);
	tm_comm("client");
	ask_all(&r, &a);
	tm_hold("asked");
	report_print(&r);
	return 0;
}

/* What it says once it is connected. */
static const char *first_words(size_t *ret_len)
{
	static const char http[] = "GET / HTTP/1.1\r\nHost: Web.example.net\r\n\r\n";
	/* a ClientHello for Tls.example.net, padded as browsers do, its name behind the padding */
	static char tls[5 + 4 + 35 + 4 + 2 + 2 + (4 + 256) + (4 + 5 + 15)] =
		"\x16\3\1\1\x4b\1\0\1\x47\3\3RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR\0"
		"\0\2\x13\1\1\0\1\x1c\0\x15\1";
	static const char name[] = "\0\0\0\x14\0\x12\0\0\x0fTls.example.net";

	if (tm_flag("tls")) {
		memcpy(tls + sizeof(tls) - (sizeof(name) - 1), name, sizeof(name) - 1);
		*ret_len = sizeof(tls);
		return tls;
	}
	*ret_len = tm_flag("http") ? sizeof(http) - 1 : 5;
	return tm_flag("http") ? http : "hello";
}

static int dns_connect(void)
{
	struct addr a = server_addr();
	struct addr to = addr_parse(tm_str("to", "192.0.2.1"), (uint16_t)tm_num("to-port", 7000));
	struct report r = { .role = "client" };
	int listener = tcp_listen(&to, 1), fd;
	size_t len;
	const char *first = first_words(&len);

	server_start(&a);
	tm_comm("client");
	ask_all(&r, &a);
	fd = sock_new(to.ss.ss_family, SOCK_STREAM);
	sock_connect(fd, &to);
	if (write(fd, first, len) != (ssize_t)len)
		die("write");
	r.tx = len;
	report_socket(&r, fd);
	tm_hold("connected");
	close(fd);
	close(listener);
	report_print(&r);
	return 0;
}

/* libc asks where /etc/resolv.conf says: in a mount namespace of our own that is here. */
static void use_server(const char *addr)
{
	char path[] = "/tmp/netprobe-resolv.XXXXXX";
	int fd = mkstemp(path);

	if (fd < 0 || dprintf(fd, "nameserver %s\noptions timeout:1 attempts:2\n", addr) < 0)
		die(path);
	close(fd);
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount(path, "/etc/resolv.conf", NULL, MS_BIND, NULL) < 0)
		die("resolv.conf");
	unlink(path);
}

static void resolve(struct report *r)
{
	const char *name = tm_str("name", "ok1.example.net");
	struct addrinfo hints = { .ai_family = AF_INET, .ai_socktype = SOCK_STREAM }, *found;

	if (tm_flag("gethostbyname")) {
		r->rx_pkts += gethostbyname(name) != NULL;
	} else if (!getaddrinfo(name, NULL, &hints, &found)) {
		r->rx_pkts++;
		freeaddrinfo(found);
	}
	r->tx_pkts++;
}

static int dns_libc(void)
{
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 53);
	struct report r = { .role = "client" };

	server_start(&a);
	use_server(tm_str("addr", "127.0.0.1"));
	tm_comm("client");
	tm_hold("ready");
	resolve(&r);
	report_print(&r);
	return 0;
}

/* What comes in at one goes out at the other, and its answer back. */
static _Noreturn void forward(int in, int out)
{
	struct report r = { .role = "forwarder" };

	tm_comm("forwarder");
	report_print(&r);
	for (;;) {
		struct addr from = { .len = sizeof(from.ss) };
		uint8_t m[MESSAGE];
		ssize_t n = recvfrom(in, m, sizeof(m), 0, (struct sockaddr *)&from.ss, &from.len);

		if (n < 0 || send(out, m, (size_t)n, 0) < 0 ||
		    (n = recv(out, m, sizeof(m), 0)) < 0 ||
		    sendto(in, m, (size_t)n, 0, (struct sockaddr *)&from.ss, from.len) < 0)
			die("forward");
	}
}

static int dns_forward(void)
{
	struct addr at = addr_parse("127.0.0.1", 53), upstream = server_addr();
	struct report r = { .role = "client" };
	int in = udp_bind(&at), out = sock_new(AF_INET, SOCK_DGRAM);

	server_start(&upstream);
	sock_connect(out, &upstream);
	if (!tm_fork())
		forward(in, out);
	use_server("127.0.0.1");
	tm_comm("client");
	tm_hold("ready");
	resolve(&r);
	report_print(&r);
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(void);
	} scenarios[] = {
		{ "ask", dns_ask },
		{ "connect", dns_connect },
		{ "libc", dns_libc },
		{ "forward", dns_forward },
	};
	const char *word;

	tm_init(argc, argv);
	word = tm_word(0);
	for (size_t i = 0; word && i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (!strcmp(scenarios[i].name, word))
			return scenarios[i].run();
	fprintf(stderr, "usage: dns ask|connect|libc|forward\n");
	return 2;
}
