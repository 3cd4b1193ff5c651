/* SPDX-License-Identifier: BSD-2-Clause */
/* Rows of datagram sockets: one for each socket, peer and local port, whatever told the peer. */
#include <string.h>

#include "ownership.h"
#include "tap.h"

/* Rows of each socket with each peer, from one local port: a second one is told. */
static void check_rows_once(const struct probe *p, const struct netns *ns)
{
	const json_t *one, *other;
	size_t i, j;

	json_array_foreach (p->records, i, one) {
		if (record_u64(one, "netns") != ns->inode)
			continue;
		json_array_foreach (p->records, j, other)
			CHECK(j <= i || record_u64(one, "sock") != record_u64(other, "sock") ||
				      record_u64(one, "lport") != record_u64(other, "lport") ||
				      record_u64(one, "rport") != record_u64(other, "rport") ||
				      strcmp(record_str(one, "raddr"),
					     record_str(other, "raddr")) != 0,
			      "socket %" PRIu64 " from port %" PRIu64 " with %s port %" PRIu64
			      " has two rows: %" PRIu64 " and %" PRIu64 " bytes sent",
			      record_u64(one, "sock"), record_u64(one, "lport"),
			      record_str(one, "raddr"), record_u64(one, "rport"),
			      record_u64(one, "tx_bytes"), record_u64(other, "tx_bytes"));
	}
}

/*
 * Whatever tells the peer: the socket, the call, or both; an IPv6 socket that is connected to an IPv4 one names it in each
 * call inside the kernel.
 */
TEST(a_datagram_socket_and_its_peer_are_one_row)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"import ctypes; c = ctypes.CDLL(None)\n"
		"def new(port, family = socket.AF_INET):\n"
		"  s = socket.socket(family, socket.SOCK_DGRAM); s.bind(('', port)); return s\n"
		"a = new(7461); A = ('127.0.0.1', 7461); B = ('127.0.0.1', 7462); A6 = ('::ffff:127.0.0.1', 7461)\n"
		"s1 = new(7471, socket.AF_INET6); s1.connect(A6); s1.send(b'x' * 3)\n"
		"a.sendto(b'y' * 5, ('127.0.0.1', 7471)); s1.recvfrom(9); s1.send(b'x' * 4)\n"
		"s2 = new(7472, socket.AF_INET6)\n"
		"v4 = struct.pack('=H', socket.AF_INET) + struct.pack('!H', 7461) + socket.inet_aton('127.0.0.1') + b'\\0' * 8\n"
		"assert not c.connect(s2.fileno(), v4, 16); s2.send(b'x' * 3)\n"
		"s3 = new(7473); s3.connect(A); s3.send(b'x' * 3); s3.sendto(b'x' * 4, A); s3.sendto(b'x' * 5, B)\n"
		"s3.send(b'x'); s3.sendto(b'x' * 2, A)\n"
		"s4 = new(7474); s4.connect(A); s4.send(b'x' * 3); s4.connect(B); s4.sendto(b'x' * 4, A)\n"
		"s5 = new(7475); s5.connect(A); s5.sendto(b'x' * 4, B); s5.send(b'x' * 3)\n"
		"s6 = new(7476); s6.sendto(b'x' * 4, A); s6.connect(A); time.sleep(0.3); s6.send(b'x' * 3)\n"
		"s7 = new(7477); s7.connect(A); s7.send(b'x' * 3); c.connect(s7.fileno(), b'\\0' * 16, 16)\n"
		"s7.sendto(b'x' * 4, A); time.sleep(0.5)\n");
	probe_stop(&p);
	check_rows_once(&p, &ns);
	CHECK_EQ(sent_from_to(&p, &ns, 7471, 7461), 7, "bytes of an IPv6 socket with an IPv4 peer");
	CHECK_EQ(sent_from_to(&p, &ns, 7472, 7461), 3, "bytes of one connected by an IPv4 address");
	CHECK_EQ(sent_from_to(&p, &ns, 7473, 7461), 10, "bytes of one that names its peer too");
	CHECK_EQ(sent_from_to(&p, &ns, 7473, 7462), 5, "bytes to another");
	CHECK_EQ(sent_from_to(&p, &ns, 7474, 7461), 7, "bytes to a former peer");
	CHECK_EQ(sent_from_to(&p, &ns, 7475, 7461), 3,
		 "bytes of one that spoke with another first");
	CHECK_EQ(sent_from_to(&p, &ns, 7476, 7461), 7, "bytes before and after a connect");
	CHECK_EQ(sent_from_to(&p, &ns, 7477, 7461), 7, "bytes before and after a disconnect");
}

/* Of a socket that was disconnected the kernel takes back the port that was not asked for. */
TEST(what_is_sent_after_a_disconnect_is_from_the_port_of_then)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"import ctypes; c = ctypes.CDLL(None)\n"
		"open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('7480 7480')\n"
		"a, s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2)]\n"
		"a.bind(('127.0.0.1', 7463)); s.connect(('127.0.0.1', 7463)); s.send(b'x' * 3)\n"
		"c.connect(s.fileno(), b'\\0' * 16, 16)\n"
		"open('/proc/sys/net/ipv4/ip_local_port_range', 'w').write('7481 7481')\n"
		"s.sendto(b'x' * 4, ('127.0.0.1', 7463)); time.sleep(0.2)\n");
	probe_stop(&p);
	CHECK_EQ(sent_from_to(&p, &ns, 7480, 7463), 3, "bytes from the first port");
	CHECK_EQ(sent_from_to(&p, &ns, 7481, 7463), 4, "bytes from the second port");
}
