/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Datagrams from a client (this process) to a server (its child) whose socket is unconnected.
 *
 * --send send|sendto|sendmsg|sendmmsg|uring   send and uring: connected
 * --recv recv|recvfrom|recvmsg|recvmmsg|uring|peek|trunc|short|connected
 *        trunc: the full length comes back though the buffer is smaller; short: only what fits
 * --count N --size S    datagrams, bytes of each
 * --peers N             client sockets, each sends --count datagrams a byte longer than the last
 * --workers N           server processes that share the one socket
 * --reply S             the server answers each with a datagram of that size
 * --pause MS            the server rests so long before it reads each
 * --blind               the client reads answers without asking for their sender
 * --listen A            where the server's socket is bound, if not to --addr (::)
 * --addr A --port P --client-ns --server-ns --comm NAME --hold start|sent
 *
 * No more than WINDOW datagrams are on their way, so none is dropped.
 */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib.h"
#include "uring.h"

#define WINDOW 16
#define SHORT_BUF 400
#define MAX_PEERS 64

static char buf[65536];
static atomic_uint_fast64_t *received;

static ssize_t send_one(const char *how, int fd, const struct addr *to, size_t size)
{
	struct sockaddr *sa = (struct sockaddr *)(uintptr_t)&to->ss;
	struct iovec iov = { buf, size };
	struct mmsghdr m;
	ssize_t n;

	memset(&m, 0, sizeof(m));
	m.msg_hdr = (struct msghdr){
		.msg_name = sa, .msg_namelen = to->len, .msg_iov = &iov, .msg_iovlen = 1
	};
	if (!strcmp(how, "send"))
		return send(fd, buf, size, 0);
	if (!strcmp(how, "sendto"))
		return sendto(fd, buf, size, 0, sa, to->len);
	if (!strcmp(how, "sendmsg"))
		return sendmsg(fd, &m.msg_hdr, 0);
	if (!strcmp(how, "sendmmsg"))
		return sendmmsg(fd, &m, 1, 0) == 1 ? (ssize_t)m.msg_len : -1;
	if (!strcmp(how, "uring")) {
		n = uring_send(fd, buf, size);
		errno = n < 0 ? (int)-n : 0;
		return n < 0 ? -1 : n;
	}
	errno = EINVAL;
	die(how);
}

static ssize_t recv_one(const char *how, int fd, struct addr *from)
{
	struct sockaddr *sa = (struct sockaddr *)&from->ss;
	struct iovec iov = { buf, sizeof(buf) };
	struct mmsghdr m;
	ssize_t n;

	from->len = sizeof(from->ss);
	memset(&m, 0, sizeof(m));
	m.msg_hdr = (struct msghdr){
		.msg_name = sa, .msg_namelen = from->len, .msg_iov = &iov, .msg_iovlen = 1
	};
	if (!strcmp(how, "recv") || !strcmp(how, "connected"))
		return recv(fd, buf, sizeof(buf), 0);
	if (!strcmp(how, "trunc"))
		return recvfrom(fd, buf, SHORT_BUF, MSG_TRUNC, sa, &from->len);
	if (!strcmp(how, "short"))
		return recvfrom(fd, buf, SHORT_BUF, 0, sa, &from->len);
	if (!strcmp(how, "recvmmsg")) {
		n = recvmmsg(fd, &m, 1, 0, NULL) == 1 ? (ssize_t)m.msg_len : -1;
		from->len = m.msg_hdr.msg_namelen;
		return n;
	}
	if (!strcmp(how, "recvmsg")) {
		n = recvmsg(fd, &m.msg_hdr, 0);
		from->len = m.msg_hdr.msg_namelen;
		return n;
	}
	if (!strcmp(how, "uring")) {
		n = uring_recv(fd, buf, sizeof(buf));
		errno = n < 0 ? (int)-n : 0;
		return n < 0 ? -1 : n;
	}
	if (!strcmp(how, "peek"))
		for (int i = 0; i < 3; i++)
			if (recv(fd, buf, sizeof(buf), MSG_PEEK) < 0)
				die("MSG_PEEK");
	return recvfrom(fd, buf, sizeof(buf), 0, sa, &from->len);
}

/* Takes datagrams until an empty poll says that the client said it was done (total is set). */
static void serve_socket(struct report *r, int fd, atomic_uint_fast64_t *total)
{
	const char *how = tm_str("recv", "recvfrom");
	size_t reply = tm_num("reply", 0);
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	bool shared = tm_num("workers", 1) > 1;

	while (atomic_load(received) < atomic_load(total)) {
		struct addr from;
		ssize_t n;

		if (tm_num("pause", 0))
			tm_sleep_ms((unsigned int)tm_num("pause", 0));
		if (shared && poll(&pfd, 1, 20) == 0)
			continue;
		n = shared ? recvfrom(fd, buf, sizeof(buf), MSG_DONTWAIT, NULL, NULL)
			   : recv_one(how, fd, &from);
		if (n < 0 && errno == EAGAIN)
			continue;
		if (n < 0)
			die(how);
		r->rx += (uint64_t)n;
		r->rx_pkts++;
		if (reply) {
			n = sendto(fd, buf, reply, 0, (struct sockaddr *)&from.ss, from.len);
			if (n < 0)
				die("reply");
			r->tx += (uint64_t)n;
			r->tx_pkts++;
		}
		atomic_fetch_add(received, 1);
	}
}

static int serve(const struct gate *up, const struct gate *client_port, atomic_uint_fast64_t *total)
{
	struct report r = { .role = "server" };
	struct addr a = addr_parse(tm_str("listen", tm_str("addr", "127.0.0.1")),
				   (uint16_t)tm_num("port", 0));
	uint64_t workers = tm_num("workers", 1);
	int fd;

	if (!strcmp(tm_str("recv", ""), "uring"))
		uring_init();
	tm_enter("server");
	tm_comm("server");
	fd = udp_bind(&a);
	a = addr_of(fd);
	gate_open(up, addr_port(&a));
	if (!strcmp(tm_str("recv", ""), "connected")) {
		addr_set_port(&a, gate_wait(client_port));
		sock_connect(fd, &a);
	}
	if (workers > 1) {
		for (uint64_t i = 0; i < workers; i++) {
			if (tm_fork())
				continue;
			r.role = "worker";
			serve_socket(&r, fd, total);
			report_socket(&r, fd);
			report_print(&r);
			return 0;
		}
		return tm_wait_all();
	}
	serve_socket(&r, fd, total);
	report_socket(&r, fd);
	report_print(&r);
	return 0;
}

static void client_socket(struct report *r, int fd, const struct addr *to, size_t size)
{
	const char *how = tm_str("send", "sendto");
	size_t reply = tm_num("reply", 0);
	uint64_t count = tm_num("count", 100);
	bool blind = tm_flag("blind");
	struct sockaddr_storage from;
	struct sockaddr *sa = (struct sockaddr *)&from;
	socklen_t len = sizeof(from);
	static uint64_t sent;

	for (uint64_t i = 0; i < count; i++) {
		ssize_t n = send_one(how, fd, to, size);

		if (n < 0)
			die(how);
		r->tx += (uint64_t)n;
		r->tx_pkts++;
		sent++;
		if (reply) {
			/* --blind: does not ask who answered, so an unconnected socket is not told */
			n = recvfrom(fd, buf, sizeof(buf), 0, blind ? NULL : sa,
				     blind ? NULL : &len);
			if (n < 0)
				die("recvfrom");
			r->rx += (uint64_t)n;
			r->rx_pkts++;
		}
		while (sent - atomic_load(received) >= WINDOW)
			tm_sleep_ms(1);
	}
}

int main(int argc, char **argv)
{
	struct report r = { .role = "client" };
	struct gate up, client_port;
	struct addr to, any;
	atomic_uint_fast64_t *total;
	uint64_t peers;
	int fd[MAX_PEERS];
	const char *how;

	tm_init(argc, argv);
	peers = tm_num("peers", 1);
	if (peers > MAX_PEERS)
		peers = MAX_PEERS;
	received = tm_shared(2 * sizeof(*received));
	total = received + 1;
	atomic_store(total, peers * tm_num("count", 100));
	up = gate_new();
	client_port = gate_new();
	if (tm_fork() == 0)
		return serve(&up, &client_port, total);
	to = addr_parse(tm_str("addr", "127.0.0.1"), gate_wait(&up));
	how = tm_str("send", "sendto");
	if (!strcmp(how, "uring"))
		uring_init();
	tm_comm(tm_str("comm", "client"));
	tm_enter("client");
	tm_hold("start");
	for (uint64_t i = 0; i < peers; i++) {
		fd[i] = sock_new(to.ss.ss_family, SOCK_DGRAM);
		if (!strcmp(tm_str("recv", ""), "connected")) {
			any = to;
			addr_set_port(&any, 0);
			if (bind(fd[i], (struct sockaddr *)&any.ss, any.len) < 0)
				die("bind");
			any = addr_of(fd[i]);
			gate_open(&client_port, addr_port(&any));
		}
		if (!strcmp(how, "send") || !strcmp(how, "uring"))
			sock_connect(fd[i], &to);
		client_socket(&r, fd[i], &to, tm_num("size", 1000) + i);
		report_socket(&r, fd[i]);
	}
	tm_hold("sent");
	report_print(&r);
	return tm_wait_all();
}
