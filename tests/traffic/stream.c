/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One TCP connection from a client (this process) to a server (its child), and --bytes through it.
 *
 * --send METHOD --recv METHOD  how (methods.h); --chunk N
 * --addr A --port P            server's address; port 0: any
 * --listen A                   where the server listens, if not at --addr (::)
 * --client-ns, --server-ns     network namespaces, as paths
 * --reply N                    bytes the server sends back after the client's FIN (half close)
 * --mss N                      TCP_MAXSEG of both
 * --seconds S                  instead of --bytes: send for that long
 * --hold start|connected|sent  wait for a byte on stdin there
 * --first N                    bytes sent before --hold connected
 * --comm NAME                  of the client
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

#include "methods.h"

static int serve(const struct gate *up)
{
	struct report r = { .role = "server" };
	struct addr a = addr_parse(tm_str("listen", tm_str("addr", "127.0.0.1")),
				   (uint16_t)tm_num("port", 0));
	recv_method method = recv_method_find(tm_str("recv", "read"));
	int listener, fd;

	tm_enter("server");
	tm_comm("server");
	listener = tcp_listen(&a, 16);
	if (tm_num("mss", 0))
		sock_int(listener, IPPROTO_TCP, TCP_MAXSEG, (int)tm_num("mss", 0));
	a = addr_of(listener);
	gate_open(up, addr_port(&a));
	fd = tcp_accept(listener);
	method(&r, fd);
	send_bytes(&r, fd, tm_num("reply", 0), 4096);
	report_socket(&r, fd);
	close(fd);
	report_print(&r);
	return 0;
}

static void send_for(struct report *r, int fd, send_method method, size_t chunk)
{
	uint64_t end = tm_now_ns() + tm_num("seconds", 0) * 1000000000u;

	while (tm_now_ns() < end)
		method(r, fd, chunk, chunk);
}

int main(int argc, char **argv)
{
	struct report r = { .role = "client" };
	struct gate up;
	struct addr a;
	send_method method;
	uint64_t bytes;
	size_t chunk;
	int fd;

	tm_init(argc, argv);
	up = gate_new();
	if (tm_fork() == 0)
		return serve(&up);
	a = addr_parse(tm_str("addr", "127.0.0.1"), gate_wait(&up));
	method = send_method_find(tm_str("send", "write"));
	bytes = tm_num("bytes", 100000);
	chunk = tm_num("chunk", 16384);
	tm_comm(tm_str("comm", "client"));
	tm_enter("client");
	tm_hold("start");
	fd = sock_new(a.ss.ss_family, SOCK_STREAM);
	if (tm_num("mss", 0))
		sock_int(fd, IPPROTO_TCP, TCP_MAXSEG, (int)tm_num("mss", 0));
	sock_connect(fd, &a);
	send_bytes(&r, fd, tm_num("first", 0), chunk);
	r.before = r.tx;
	tm_hold("connected");
	if (tm_num("seconds", 0))
		send_for(&r, fd, method, chunk);
	else
		method(&r, fd, bytes, chunk);
	tm_hold("sent");
	report_socket(&r, fd);
	if (shutdown(fd, SHUT_WR) < 0)
		die("shutdown");
	recv_to_end(&r, fd);
	close(fd);
	report_print(&r);
	return tm_wait_all();
}
