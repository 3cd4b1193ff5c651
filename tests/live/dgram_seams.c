/* SPDX-License-Identifier: BSD-2-Clause */
/* Sockets of datagrams at the seams: their age, their peers, the interface they receive by. */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "loss.h"
#include "maker.h"
#include "ownership.h"
#include "tap.h"

/* The row of that process with that local port that has no peer, or one with words for its raddr. */
static const json_t *row(const struct probe *p, const struct netns *ns, uint16_t lport)
{
	const json_t *one;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "netns") == ns->inode && record_u64(one, "lport") == lport)
			return one;
	return NULL;
}

/* Looks for stalls meet sockets that are closed with something unread, in the moment before the kernel frees them. */
TEST(sockets_closed_with_unread_datagrams_are_no_loss)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--format", "json", "--interval", "0.2",
				     "--stall-threshold", "50ms", NULL);

	netns_python(&ns, "for i in range(1500):\n"
			  "\ts = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
			  "\ts.bind(('127.0.0.1', 0))\n"
			  "\ts.sendto(b'x', s.getsockname())\n"
			  "\ts.close()\n"
			  "\ttime.sleep(0.001)\n");
	probe_stop(&p);
	CHECK_EQ(loss_sum(p.records, "map_full"), 0, "map_full in probe.loss");
}

#define OPEN_FOR_A_WHILE                                                                      \
	"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 7401))\n" \
	"s.connect(('127.0.0.1', 7401)); s.send(b'x'); s.recv(9); time.sleep(0.3); s.send(b'x')\n"

TEST(a_datagram_socket_is_as_old_as_it_is)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);
	int64_t began = now_ms(), ended;
	const json_t *one;
	double ms;

	netns_python(&ns, OPEN_FOR_A_WHILE);
	ended = now_ms();
	probe_stop(&p);
	one = row(&p, &ns, 7401);
	REQUIRE(one, "expected a row of the socket, got none");
	ms = record_num(one, "duration_ms");
	CHECK(ms >= 300 && ms <= (double)(ended - began),
	      "duration: expected between 300 and %d ms, got %f", (int)(ended - began), ms);
}

/* Its inode has no time of its birth, nor has the socket: nobody can tell. */
TEST(the_age_of_an_older_datagram_socket_is_not_known)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "dgram --count 20 --hold start");
	const json_t *one, *server;
	unsigned int n = 0;
	struct probe p;
	size_t i;

	maker_wait_hold(&m);
	p = probe_start(FLOWS, NULL);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
	server = maker_report(&m, "server");
	json_array_foreach (p.records, i, one) {
		if (!is_socket_of(one, server) || record_u64(one, "rport"))
			continue;
		n++;
		CHECK(json_is_null(json_object_get(one, "duration_ms")),
		      "duration of an older socket: expected null, got %f",
		      record_num(one, "duration_ms"));
	}
	CHECK(n > 0, "expected a row of the server's socket, got none");
}

/* Where no hook sees addresses (fentry, kprobe), the call itself tells. */
TEST(a_connected_datagram_socket_that_speaks_with_another_has_both_peers)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"a, b, s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(3)]\n"
		"a.bind(('127.0.0.1', 7411)); b.bind(('127.0.0.1', 7412)); s.bind(('127.0.0.1', 7410))\n"
		"s.connect(('127.0.0.1', 7411))\n"
		"for i in range(3): s.send(b'x' * 100)\n"
		"s.sendto(b'y' * 1000, ('127.0.0.1', 7412)); s.send(b'x' * 100)\n");
	probe_stop(&p);
	CHECK_EQ(sent_from_to(&p, &ns, 7410, 7411), 400, "bytes to the one it is connected to");
	CHECK_EQ(sent_from_to(&p, &ns, 7410, 7412), 1000, "bytes to the other");
}

/* Of whoever has that peer and these ends: bytes of that key. */
static uint64_t moved_by(const struct probe *p, const struct netns *ns, const char *raddr,
			 uint16_t rport, const char *key)
{
	uint64_t sum = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "netns") == ns->inode && record_u64(one, "rport") == rport &&
		    !strcmp(record_str(one, "raddr"), raddr))
			sum += record_u64(one, key);
	return sum;
}

/* On loopback a refusal comes back within the call that it is about, before that call's result is counted. */
TEST(a_refusal_moves_no_bytes_to_the_peer_that_refused)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL), events = probe_start(EVENTS, NULL);
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	netns_python(
		&ns,
		"import ctypes\n"
		"a, s, u = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(3)]\n"
		"a.bind(('127.0.0.1', 7421)); s.bind(('127.0.0.1', 7420)); u.bind(('127.0.0.1', 7430))\n"
		"def refused(k):\n"
		"  for i in range(10):\n"
		"    try: k.send(b'y' * 10)\n"
		"    except ConnectionRefusedError: pass\n"
		"s.connect(('127.0.0.1', 7421)); s.send(b'x' * 1000)\n"
		"s.connect(('127.0.0.1', 7422)); refused(s)\n"
		"u.sendto(b'x' * 100, ('127.0.0.1', 7421)); u.connect(('127.0.0.1', 7422)); refused(u)\n"
		"ctypes.CDLL(None).connect(s.fileno(), b'\\0' * 16, 16); s.setsockopt(0, 11, 1)\n"
		"s.sendto(b'z' * 10, ('127.0.0.1', 7423)); time.sleep(0.2)\n");
	probe_stop(&p);
	probe_stop(&events);
	CHECK_EQ(sent_from_to(&p, &ns, 7420, 7421), 1000, "bytes to the first peer");
	CHECK_EQ(sent_from_to(&p, &ns, 7420, 7422), 50, "bytes to the second one");
	json_array_foreach (events.records, i, one) {
		uint64_t to = record_u64(one, "rport");

		if (record_u64(one, "netns") != ns.inode ||
		    strcmp(record_str(one, "event_type"), "error.net") != 0)
			continue;
		n += to == 7422;
		/* of a socket that is connected to nobody it is not known */
		CHECK(to == 7422 || (!to && json_is_null(json_object_get(one, "raddr"))),
		      "who refused: expected 7422 or nobody, got %s port %" PRIu64,
		      record_str(one, "raddr"), to);
	}
	CHECK_EQ(n, 10, "refusals told by their peer");
}

/* Of 20 sends half are refused: the error of one is what the next one returns. */
static void refused_after_another_peer(const struct netns *ns)
{
	netns_python(ns,
		     "a, s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(2)]\n"
		     "a.bind(('127.0.0.1', 7425)); s.bind(('127.0.0.1', 7424))\n"
		     "s.connect(('127.0.0.1', 7425)); s.send(b'x' * 1000)\n"
		     "s.connect(('127.0.0.1', 7426)); n = 0\n"
		     "for i in range(20):\n"
		     "  try: s.send(b'y' * 10)\n"
		     "  except ConnectionRefusedError: n += 1\n"
		     "assert n == 10\n");
}

static unsigned int errors_from(const struct probe *p, const struct netns *ns, uint16_t rport)
{
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (p->records, i, one)
		n += record_u64(one, "netns") == ns->inode && record_u64(one, "rport") == rport &&
		     !strcmp(record_str(one, "event_type"), "error.net");
	return n;
}

/* Its own counts are of the first peer, the refusals of the second one. */
TEST(filters_ask_of_a_refusal_who_refused)
{
	struct netns ns = netns_new();
	struct probe of_first = probe_start(EVENTS, "--dst-port", "7425", NULL),
		     of_second = probe_start(EVENTS, "--dst-port", "7426", NULL);

	refused_after_another_peer(&ns);
	probe_stop(&of_first);
	probe_stop(&of_second);
	CHECK_EQ(errors_from(&of_second, &ns, 7426), 10, "refusals of the wanted port");
	CHECK_EQ(errors_from(&of_first, &ns, 7426), 0, "refusals of another port");
}

TEST(what_came_before_a_connect_is_not_of_the_peer)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"a, b, s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(3)]\n"
		"a.bind(('127.0.0.1', 7431)); b.bind(('127.0.0.1', 7432)); s.bind(('127.0.0.1', 7433))\n"
		"a.sendto(b'x' * 1000, ('127.0.0.1', 7433)); s.recv(2000)\n"
		"s.connect(('127.0.0.1', 7432)); s.send(b'y' * 10)\n"
		"r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)\n"
		"r.connect(('127.0.0.1', 0)); r.send(b'x' * 1000)\n"
		"r.connect(('127.0.0.2', 0)); r.send(b'y' * 10)\n");
	probe_stop(&p);
	CHECK_EQ(moved_by(&p, &ns, "127.0.0.1", 7432, "rx_bytes"), 0, "bytes from the peer");
	CHECK_EQ(moved_by(&p, &ns, "127.0.0.1", 7432, "tx_bytes"), 10, "bytes to the peer");
	CHECK_EQ(moved_by(&p, &ns, "", 0, "rx_bytes"), 1000, "bytes of who was not asked for");
	CHECK_EQ(moved_by(&p, &ns, "127.0.0.1", 0, "tx_bytes"), 1000, "bytes of a raw socket");
	CHECK_EQ(moved_by(&p, &ns, "127.0.0.2", 0, "tx_bytes"), 10, "and to its second peer");
}

TEST(what_came_after_a_disconnect_is_not_of_the_former_peer)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"a, b, s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(3)]\n"
		"a.bind(('127.0.0.1', 7441)); b.bind(('127.0.0.1', 7442)); s.bind(('127.0.0.1', 7443))\n"
		"s.connect(('127.0.0.1', 7442)); s.send(b'y' * 1000)\n"
		"import ctypes; ctypes.CDLL(None).connect(s.fileno(), struct.pack('H14x', 0), 16)\n"
		"a.sendto(b'x' * 500, s.getsockname()); assert len(s.recv(2000)) == 500\n");
	probe_stop(&p);
	CHECK_EQ(moved_by(&p, &ns, "127.0.0.1", 7442, "tx_bytes"), 1000, "bytes to the peer");
	CHECK_EQ(moved_by(&p, &ns, "127.0.0.1", 7442, "rx_bytes"), 0, "bytes from the peer");
	CHECK_EQ(moved_by(&p, &ns, "", 0, "rx_bytes"), 500, "bytes of who was not asked for");
}

/* What was queued is read when the cable is gone: the route then points to a device that is none. */
TEST(an_interface_that_is_gone_is_told_and_no_other)
{
	struct netns_pair n = netns_pair_new();
	struct probe p = probe_start(FLOWS, "--interval", "0.2", NULL);
	char script[900];
	const json_t *one;

	snprintf(
		script, sizeof(script),
		"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('10.77.0.1', 7402))\n"
		"s.connect(('10.77.0.2', 7403)); r, w = os.pipe()\n"
		"if not os.fork():\n"
		"  import ctypes; ctypes.CDLL(None).setns(os.open('%s', 0), 0)\n"
		"  b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b.bind(('10.77.0.2', 7403)); os.write(w, b'.')\n"
		"  b.sendto(b'y' * 1000, b.recvfrom(2000)[1]); os._exit(0)\n"
		"os.read(r, 1); s.send(b'x' * 100); os.wait(); os.system('ip link del %s')\n"
		"assert len(s.recv(2000)) == 1000; time.sleep(0.5)\n",
		n.b.path, n.if_a);
	netns_python(&n.a, script);
	probe_stop(&p);
	one = row(&p, &n.a, 7402);
	REQUIRE(one, "expected a row of the socket, got none");
	CHECK_EQ(record_u64(one, "rx_bytes"), 1000, "bytes it received");
	CHECK(!strcmp(record_str(one, "iface"), n.if_a), "interface: expected %s, got %s", n.if_a,
	      record_str(one, "iface"));
}

/*
 * The kernel copies what a caller gives of an address to its stack, where another one was before. A raw socket's send with an
 * address of no length goes to its peer, a connect() with a short one fails.
 */
TEST(a_short_address_is_no_other_ones)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(EVENTS, NULL), flows = probe_start(FLOWS, NULL);
	unsigned int sent = 0, raw = 0, failed = 0;
	const json_t *one;
	size_t i;

	netns_python(
		&ns,
		"import ctypes; c = ctypes.CDLL(None)\n"
		"u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		"r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); r.connect(('127.0.0.1', 0))\n"
		"t = socket.socket(socket.AF_INET, socket.SOCK_STREAM)\n"
		"a = struct.pack('=HH', 2, 0x5a1b) + socket.inet_aton('127.9.9.9') + b'\\0' * 8\n"
		"d = b'x' * 100\n"
		"for i in range(20):\n"
		"  c.sendto(u.fileno(), d, 100, 0, a, 16)\n"
		"  assert c.sendto(r.fileno(), d, 100, 0, a, 0) == 100\n"
		"  c.connect(u.fileno(), a, 16); c.connect(t.fileno(), a, 4)\n");
	probe_stop(&p);
	probe_stop(&flows);
	json_array_foreach (flows.records, i, one) {
		bool there = !strcmp(record_str(one, "raddr"), "127.9.9.9");
		bool udp = !strcmp(record_str(one, "transport"), "udp");

		if (record_u64(one, "netns") != ns.inode)
			continue;
		sent += there && udp && record_u64(one, "tx_bytes");
		raw += !there && !udp && record_u64(one, "tx_bytes");
		CHECK(!there || udp, "a raw socket's peer is the one that was on the stack before");
	}
	CHECK(sent && raw, "expected rows of both sockets, got %u and %u", sent, raw);
	/* Kernels that clear their stack (INIT_STACK_ALL_ZERO) leave no address there: then the port alone tells. */
	json_array_foreach (p.records, i, one) {
		if (record_u64(one, "netns") != ns.inode ||
		    strcmp(record_str(one, "event_type"), "conn.fail") != 0)
			continue;
		failed++;
		CHECK(!*record_str(one, "raddr") && !record_u64(one, "rport"),
		      "a connection went to %s port %" PRIu64 ", of an address cut short",
		      record_str(one, "raddr"), record_u64(one, "rport"));
	}
	test_note("%u connects told as failed", failed);
}

static uint64_t moved_with(const struct probe *p, const struct netns *ns, const char *raddr,
			   const char *key)
{
	const json_t *one;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "netns") == ns->inode &&
		    strcmp(record_str(one, "transport"), "udp") != 0 &&
		    !strcmp(record_str(one, "raddr"), raddr))
			sum += record_u64(one, key);
	return sum;
}

/* Five requests of 64 bytes to each with sendto() and five with sendmsg(), and as many answers. */
TEST(bytes_of_ping_and_raw_sockets_have_their_peers)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);
	const json_t *one;
	size_t i;

	netns_must(&ns, "echo '0 2147483647' >/proc/sys/net/ipv4/ping_group_range");
	netns_python(
		&ns,
		"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM, 1)\n"
		"d = struct.pack('!BBHHH', 8, 0, 0, 0, 1) + b'x' * 56\n"
		"for a in ('127.0.0.1', '127.0.0.2'):\n"
		"  for i in range(5):\n"
		"    s.sendto(d, (a, 0)); assert s.recvfrom(2000)[1][0] == a\n"
		"    s.sendmsg([d], [], 0, (a, 0)); assert s.recvmsg(2000)[3][0] == a\n"
		"d = struct.pack('!BBHHH', 128, 0, 0, 0, 1) + b'x' * 56\n"
		"s = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM, 58)\n"
		"for i in range(10): s.sendto(d, ('::1', 0)); s.recvfrom(2000)\n"
		"s = socket.socket(socket.AF_INET6, socket.SOCK_RAW, 253)\n"
		"for i in range(10): s.sendto(b'x' * 120, ('::1', 0)); assert len(s.recvfrom(2000)[0]) == 120\n"
		"r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)\n"
		"for i in range(10): r.sendto(b'x' * 100, ('127.0.0.3', 0)); r.recvfrom(2000)\n");
	probe_stop(&p);
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.1", "tx_bytes"), 640, "bytes to the first");
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.2", "tx_bytes"), 640, "bytes to the second");
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.1", "rx_bytes"), 640 + 1200,
		 "bytes from the first, the raw socket's with their headers");
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.2", "rx_bytes"), 640, "bytes from the second");
	CHECK_EQ(moved_with(&p, &ns, "::1", "tx_bytes"), 640 + 1200, "bytes to the one over IPv6");
	CHECK_EQ(moved_with(&p, &ns, "::1", "rx_bytes"), 640 + 1200,
		 "bytes from the one over IPv6");
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.3", "tx_bytes"), 1000, "bytes of the raw socket");
	json_array_foreach (p.records, i, one)
		CHECK(record_u64(one, "netns") != ns.inode ||
			      json_is_null(json_object_get(one, "lport")) ||
			      !record_u64(one, "tx_bytes") || *record_str(one, "raddr"),
		      "bytes without a peer");
}

/* It has no port to tell peers apart by. */
TEST(a_raw_socket_that_comes_back_to_its_first_peer_has_one_row_of_it)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);
	unsigned int rows = 0;
	const json_t *one;
	size_t i;

	netns_python(&ns, "r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253)\n"
			  "for a in (5, 6, 5):\n"
			  "  r.connect(('127.0.0.%d' % a, 0))\n"
			  "  for i in range(10): r.send(b'x' * 100)\n");
	probe_stop(&p);
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.5", "tx_bytes"), 2000, "bytes to the first peer");
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.6", "tx_bytes"), 1000, "bytes to the second one");
	json_array_foreach (p.records, i, one)
		rows += record_u64(one, "netns") == ns.inode &&
			!strcmp(record_str(one, "raddr"), "127.0.0.5");
	CHECK_EQ(rows, 1, "rows of the first peer");
}

/* write() has no address: what its caller's registers hold by then is that of an earlier call. */
TEST(a_write_to_a_raw_socket_goes_to_its_peer_whatever_the_registers_hold)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"import ctypes; c = ctypes.CDLL(None)\n"
		"r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); r.connect(('127.0.0.4', 0))\n"
		"a = struct.pack('=HH', 2, 0) + socket.inet_aton('127.9.9.9') + b'\\0' * 8\n"
		"nr = {'x86_64': 1, 'aarch64': 64}[os.uname().machine]\n"
		"for i in range(10): assert c.syscall(nr, r.fileno(), b'x' * 100, 100, 0, a, 16) == 100\n");
	probe_stop(&p);
	CHECK_EQ(moved_with(&p, &ns, "127.9.9.9", "tx_bytes"), 0, "bytes to nobody's peer");
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.4", "tx_bytes"), 1000, "bytes to its peer");
}

TEST(what_sendfile_puts_into_a_raw_socket_counts_once)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"import tempfile; f = tempfile.TemporaryFile(); f.write(b'x' * 1000); f.flush()\n"
		"r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); r.connect(('127.0.0.9', 0))\n"
		"for i in range(10): assert os.sendfile(r.fileno(), f.fileno(), 0, 1000) == 1000\n");
	probe_stop(&p);
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.9", "tx_bytes"), 10000, "bytes to its peer");
}

/* sendmmsg() is one of the calls whose addresses are not looked for: then the peer is not known, and not the socket's. */
TEST(what_a_connected_raw_socket_sends_to_others_is_not_its_peers)
{
	struct netns ns = netns_new();
	struct probe p = probe_start(FLOWS, NULL);

	netns_python(
		&ns,
		"import ctypes; c = ctypes.CDLL(None)\n"
		"r = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); r.connect(('127.0.0.7', 0))\n"
		"a = ctypes.create_string_buffer(struct.pack('=HH', 2, 0) + socket.inet_aton('127.0.0.8') + b'\\0' * 8)\n"
		"d = ctypes.create_string_buffer(b'x' * 100)\n"
		"v = ctypes.create_string_buffer(struct.pack('QQ', ctypes.addressof(d), 100))\n"
		"m = struct.pack('QI4xQQQQi4xI4x', ctypes.addressof(a), 16, ctypes.addressof(v), 1, 0, 0, 0, 0)\n"
		"for i in range(10): assert c.sendmmsg(r.fileno(), ctypes.create_string_buffer(m), 1, 0) == 1\n"
		"for i in range(10): r.send(b'x' * 10)\n");
	probe_stop(&p);
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.7", "tx_bytes"), 100, "bytes to its peer");
	CHECK_EQ(moved_with(&p, &ns, "127.0.0.8", "tx_bytes") + moved_with(&p, &ns, "", "tx_bytes"),
		 1000, "bytes to the other, or to nobody knows whom");
}

/* What sockets with that local port received by an interface; "": by none that is known. */
static uint64_t came_by(const struct probe *p, const struct netns *ns, uint16_t lport,
			const char *iface)
{
	const json_t *one;
	uint64_t sum = 0;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "netns") == ns->inode && record_u64(one, "lport") == lport &&
		    !strcmp(record_str(one, "iface"), iface))
			sum += record_u64(one, "rx_bytes");
	return sum;
}

/* It reads three datagrams, and does not ask for the sender. */
static pid_t older_reader(const struct netns *ns)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(7451) };
	int ready[2], fd, home;
	char buf[200];
	pid_t pid;

	REQUIRE(pipe2(ready, O_CLOEXEC) == 0, "pipe");
	pid = fork();
	if (pid == 0) {
		home = open(ns->path, O_RDONLY | O_CLOEXEC);
		if (home < 0 || setns(home, CLONE_NEWNET) < 0)
			_exit(1);
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
		if (bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0 || write(ready[1], "", 1) != 1)
			_exit(1);
		for (int i = 0; i < 3; i++) {
			struct pollfd in = { .fd = fd, .events = POLLIN };

			/* a call under way when the probe starts is not seen by its return alone (kprobe before 6.3) */
			if (poll(&in, 1, -1) != 1 || recv(fd, buf, sizeof(buf), 0) != 100)
				_exit(1);
		}
		_exit(0);
	}
	REQUIRE(read(ready[0], buf, 1) == 1, "no reader");
	(void)close(ready[0]);
	(void)close(ready[1]);
	return pid;
}

/* Readers that do not ask who sent: of each interface the bytes that came in by it, in an interval, and at its end in a row. */
TEST(readers_that_do_not_ask_for_the_sender_have_their_interface)
{
	struct netns_pair n = netns_pair_new();
	struct probe events = probe_start(EVENTS, NULL), flows = probe_start(FLOWS, NULL);
	uint64_t of_lo = 0, of_cable = 0, of_none = 0;
	char script[900];
	const json_t *one;
	size_t i;

	snprintf(
		script, sizeof(script),
		"a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(('', 7411))\n"
		"b = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); b.bind(('', 7412))\n"
		"r, w = os.pipe()\n"
		"if not os.fork():\n"
		"  import ctypes; u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		"  ctypes.CDLL(None).setns(os.open('%s', 0), 0)\n"
		"  c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		"  for i in range(20):\n"
		"    u.sendto(b'x' * 100, ('127.0.0.1', 7411)); c.sendto(b'x' * 200, ('10.77.0.1', 7412))\n"
		"    time.sleep(0.1)\n"
		"  os._exit(0)\n"
		"for i in range(20): assert len(a.recv(999)) == 100; assert len(b.recv(999)) == 200\n"
		"os.wait(); time.sleep(0.3)\n",
		n.b.path);
	netns_python(&n.a, script);
	probe_stop(&events);
	probe_stop(&flows);
	json_array_foreach (events.records, i, one) {
		const char *iface = record_str(one, "iface");

		if (record_u64(one, "netns") != n.a.inode ||
		    strcmp(record_str(one, "event_type"), "transport.bw") != 0)
			continue;
		*(!strcmp(iface, "lo")	   ? &of_lo
		  : !strcmp(iface, n.if_a) ? &of_cable
					   : &of_none) += record_u64(one, "rx_bytes");
	}
	/* what is read before the hook is there, 50 ms after the first one, has none */
	CHECK_EQ(of_lo + of_cable + of_none, 6000, "bytes received");
	CHECK(of_none <= 600, "bytes of no interface: expected 600 at most, got %" PRIu64, of_none);
	CHECK(of_lo <= 2000 && of_cable <= 4000,
	      "bytes of lo and of the cable: got %" PRIu64 " and %" PRIu64, of_lo, of_cable);
	CHECK_EQ(came_by(&flows, &n.a, 7411, "lo") + came_by(&flows, &n.a, 7411, ""), 2000,
		 "bytes of the first reader's rows");
	CHECK_EQ(came_by(&flows, &n.a, 7412, n.if_a) + came_by(&flows, &n.a, 7412, ""), 4000,
		 "bytes of the second one's rows");
	CHECK_EQ(came_by(&flows, &n.a, 7411, n.if_a) + came_by(&flows, &n.a, 7412, "lo"), 0,
		 "bytes by the other interface");
}

/* A reader that was there before, and binds nothing any more. */
TEST(an_older_reader_has_the_interface_of_its_first_datagram)
{
	struct netns ns = netns_new();
	struct probe p;
	int status;
	pid_t pid;

	pid = older_reader(&ns);
	p = probe_start(FLOWS, NULL);
	netns_python(&ns, "s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
			  "for i in range(3): s.sendto(b'x' * 100, ('127.0.0.1', 7451))\n");
	REQUIRE(waitpid(pid, &status, 0) == pid && !status, "the reader");
	probe_stop(&p);
	CHECK_EQ(came_by(&p, &ns, 7451, "lo"), 300, "bytes by lo");
	CHECK_EQ(came_by(&p, &ns, 7451, ""), 0, "bytes by nobody knows which");
}

/* Twenty datagrams by the cable and twenty by lo, by turns; all are there before the first is read. */
static void fed_by_two(struct netns_pair *n)
{
	char script[900];

	snprintf(
		script, sizeof(script),
		"a = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); a.bind(('', 7413)); r, w = os.pipe()\n"
		"if not os.fork():\n"
		"  import ctypes; u = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		"  ctypes.CDLL(None).setns(os.open('%s', 0), 0)\n"
		"  c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)\n"
		"  for i in range(20):\n"
		"    c.sendto(b'x' * 200, ('10.77.0.1', 7413)); u.sendto(b'x' * 100, ('127.0.0.1', 7413))\n"
		"  os.write(w, b'.'); os._exit(0)\n"
		"os.read(r, 1); os.wait()\n"
		"assert sum(len(a.recv(999)) for i in range(40)) == 6000\n",
		n->b.path);
	netns_python(&n->a, script);
}

/* Of the first one nobody looked at when it came. */
TEST(a_reader_that_two_interfaces_feed_has_the_bytes_of_each)
{
	struct netns_pair n = netns_pair_new();
	struct probe flows = probe_start(FLOWS, NULL);
	uint64_t of_cable, of_none;

	fed_by_two(&n);
	probe_stop(&flows);
	of_cable = came_by(&flows, &n.a, 7413, n.if_a);
	of_none = came_by(&flows, &n.a, 7413, "");
	CHECK_EQ(came_by(&flows, &n.a, 7413, "lo"), 2000, "bytes by lo");
	CHECK(of_none == 0 || of_none == 200, "of none: expected none or 200, got %" PRIu64,
	      of_none);
	CHECK_EQ(of_cable + of_none, 4000, "bytes by the cable, and by nobody knows which");
}

TEST(of_a_reader_that_two_interfaces_feed_those_of_the_wanted_one_are_told)
{
	struct netns_pair n = netns_pair_new();
	struct probe flows = probe_start(FLOWS, "-i", "lo", "--interval", "0.2", NULL);

	fed_by_two(&n);
	probe_stop(&flows);
	CHECK_EQ(came_by(&flows, &n.a, 7413, "lo"), 2000, "bytes by lo");
	CHECK_EQ(came_by(&flows, &n.a, 7413, n.if_a) + came_by(&flows, &n.a, 7413, ""), 0,
		 "bytes by others");
}

/* It has no port, and a peer all the same. */
TEST(an_error_of_a_connected_raw_socket_is_of_its_peer)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--format", "json", "--dst-host", "127.0.0.2",
				     "--type", "error.net", NULL);
	const json_t *one;
	unsigned int n = 0;
	size_t i;

	/* nobody takes protocol 253 at that address, and the kernel says so */
	netns_python(
		&ns,
		"s = socket.socket(socket.AF_INET, socket.SOCK_RAW, 253); s.bind(('127.0.0.1', 0))\n"
		"s.connect(('127.0.0.2', 0)); s.send(b'x' * 100); time.sleep(0.2)\n"
		"try: s.send(b'x')\n"
		"except OSError: pass\n");
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (record_u64(one, "netns") != ns.inode ||
		    strcmp(record_str(one, "event_type"), "error.net") != 0)
			continue;
		n++;
		CHECK(!strcmp(record_str(one, "raddr"), "127.0.0.2"),
		      "raddr: expected 127.0.0.2, got %s", record_str(one, "raddr"));
	}
	CHECK(n > 0, "expected an error, got none");
}
