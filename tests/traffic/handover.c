/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A connection that changes hands after it was accepted. This process is the client.
 *
 * handover pass   the server passes it over a Unix socket to a process that is no relative
 * handover fork   the server's forked child uses it
 * handover exec   the server becomes another program, which uses it
 * handover late   nobody: the server accepts it after --hold queued, and reads before anything came
 *
 * --first N    bytes the accepting process reads before (0: it never uses the connection)
 * --bytes N    bytes read by whom it was handed to; --reply N  bytes that one sends back
 * --addr A
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "lib.h"

static void send_fd(int via, int fd)
{
	char byte = 'x', control[CMSG_SPACE(sizeof(int))] = "";
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(c), &fd, sizeof(fd));
	if (sendmsg(via, &msg, 0) != 1)
		die("SCM_RIGHTS");
}

static int recv_fd(int via)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;
	int fd;

	if (recvmsg(via, &msg, MSG_CMSG_CLOEXEC) != 1)
		die("SCM_RIGHTS");
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_type != SCM_RIGHTS) {
		errno = ENODATA;
		die("SCM_RIGHTS");
	}
	memcpy(&fd, CMSG_DATA(c), sizeof(fd));
	return fd;
}

/* Whoever has it in the end. */
static int use(const char *role, int fd, uint64_t before)
{
	struct report r = { .role = role, .rx = before, .before = before };

	recv_to_end(&r, fd);
	send_bytes(&r, fd, tm_num("reply", 0), 1000);
	report_socket(&r, fd);
	close(fd);
	report_print(&r);
	return 0;
}

static void become_another(int fd, uint64_t before)
{
	char path[PATH_MAX], fd_text[12], before_text[24];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	const char *argv[] = { "heir",	   "heir",	"--fd",	   fd_text,
			       "--before", before_text, "--reply", tm_str("reply", "0"),
			       NULL };

	if (n < 0)
		die("readlink");
	path[n] = '\0';
	snprintf(fd_text, sizeof(fd_text), "%d", fd);
	snprintf(before_text, sizeof(before_text), "%" PRIu64, before);
	if (fcntl(fd, F_SETFD, 0) < 0)
		die("fcntl");
	execv(path, (char *const *)(uintptr_t)argv);
	die("execv");
}

/* Accepted late, by a call that tells no hook who accepts; the first call on it fails. */
static int serve_late(const struct gate *up, int via)
{
	struct report r = { .role = "server" };
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	int listener, fd;
	char byte;

	tm_comm("server");
	listener = tcp_listen(&a, 4);
	a = addr_of(listener);
	gate_open(up, addr_port(&a));
	if (read(via, &byte, 1) != 1)
		die("read");
	fd = accept(listener, NULL, NULL);
	if (fd < 0)
		die("accept");
	if (recv(fd, &byte, 1, MSG_DONTWAIT) >= 0 || errno != EAGAIN)
		die("recv of nothing");
	report_socket(&r, fd);
	if (write(via, "x", 1) != 1)
		die("write");
	recv_to_end(&r, fd);
	close(fd);
	report_print(&r);
	return 0;
}

static int connect_late(struct addr *a, int via)
{
	struct report r = { .role = "client" };
	int fd = sock_new(a->ss.ss_family, SOCK_STREAM);
	char byte = 'x';

	tm_comm("client");
	sock_connect(fd, a);
	tm_hold("queued");
	if (write(via, &byte, 1) != 1 || read(via, &byte, 1) != 1)
		die("socketpair");
	report_socket(&r, fd);
	tm_hold("accepted");
	send_bytes(&r, fd, tm_num("bytes", 0), 1000);
	close(fd);
	report_print(&r);
	return tm_wait_all();
}

/* The accepting process, told apart from whom it hands the connection to by its role. */
static int serve(const char *how, const struct gate *up, int via)
{
	struct report r = { .role = "acceptor" };
	struct addr a = addr_parse(tm_str("addr", "127.0.0.1"), 0);
	int listener, fd;

	tm_comm("acceptor");
	listener = tcp_listen(&a, 4);
	a = addr_of(listener);
	gate_open(up, addr_port(&a));
	fd = tcp_accept(listener);
	recv_bytes(&r, fd, tm_num("first", 0));
	if (!strcmp(how, "exec"))
		become_another(fd, r.rx);
	if (!strcmp(how, "pass")) {
		send_fd(via, fd);
	} else if (!strcmp(how, "fork")) {
		if (tm_fork() == 0) {
			tm_comm("heir");
			return use("heir", fd, 0);
		}
	} else {
		errno = EINVAL;
		die(how);
	}
	report_socket(&r, fd);
	close(fd);
	report_print(&r);
	return tm_wait_all();
}

int main(int argc, char **argv)
{
	struct report r = { .role = "client" };
	struct gate up;
	struct addr a;
	int via[2], fd;
	const char *how;

	tm_init(argc, argv);
	how = tm_word(0) ? tm_word(0) : "";
	if (!strcmp(how, "heir"))
		return use("heir", (int)tm_num("fd", 0), tm_num("before", 0));
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, via) < 0)
		die("socketpair");
	up = gate_new();
	if (tm_fork() == 0)
		return !strcmp(how, "late") ? serve_late(&up, via[0]) : serve(how, &up, via[0]);
	if (!strcmp(how, "pass") && tm_fork() == 0) {
		tm_comm("heir");
		return use("heir", recv_fd(via[1]), 0);
	}
	a = addr_parse(tm_str("addr", "127.0.0.1"), gate_wait(&up));
	if (!strcmp(how, "late"))
		return connect_late(&a, via[1]);
	tm_comm("client");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	sock_connect(fd, &a);
	send_bytes(&r, fd, tm_num("first", 0) + tm_num("bytes", 10000), 1000);
	report_socket(&r, fd);
	if (shutdown(fd, SHUT_WR) < 0)
		die("shutdown");
	recv_to_end(&r, fd);
	close(fd);
	report_print(&r);
	return tm_wait_all();
}
