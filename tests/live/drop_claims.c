/* SPDX-License-Identifier: BSD-2-Clause */
/* What a dropped buffer says of itself is asked for only where it can be so: neither payload nor a forged length is believed. */
#include <stdio.h>
#include <string.h>

#include "drop_make.h"
#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "tap.h"

#define HEADER                                                                      \
	"import socket, struct, ctypes\n"                                           \
	"def ip(proto, length, a, b):\n"                                            \
	"  return struct.pack('!BBHHHBBH', 0x45, 0, length, 1, 0, 64, proto, 0) + " \
	"socket.inet_aton(a) + socket.inet_aton(b)\n"                               \
	"def frame(data):\n"                                                        \
	"  socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, 0).sendto(data, ('lo', 0x0800, 0, 0, b'\\0' * 6))\n"

static void make(const struct netns *ns, const char *script)
{
	char command[4000];

	snprintf(command, sizeof(command), "python3 -c \"%s%s\"", HEADER, script);
	netns_must(ns, command);
}

/* Puts what looks like a packet into its receive queue, and throws the queue away. */
static const char queued[] =
	"l = socket.create_server(('127.0.0.1', 7200)); c = socket.create_connection(('127.0.0.1', 7200))\n"
	"s = l.accept()[0]\n"
	"data = ip(17, 60000, '8.8.8.8', '9.9.9.9') + struct.pack('!HHHH', 53, 5353, 100, 0) + b'x' * 100\n"
	"c.setsockopt(6, 19, 1); c.setsockopt(6, 20, 1); c.send(data); c.setsockopt(6, 19, -1)\n"
	"ctypes.CDLL(None).connect(c.fileno(), struct.pack('H14x', 0), 16)\n";

TEST(payload_in_a_queue_is_no_header_of_a_packet)
{
	struct netns ns = netns_new();
	struct probe p = start_drops("--all", NULL, NULL);
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	make(&ns, queued);
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (record_u64(one, "netns") != ns.inode ||
		    strcmp(record_str(one, "location"), "tcp_disconnect") != 0)
			continue;
		n++;
		CHECK(!*record_str(one, "laddr") && !*record_str(one, "raddr"),
		      "addresses that no header names: expected none, got %s and %s",
		      record_str(one, "laddr"), record_str(one, "raddr"));
		CHECK_EQ(record_u64(one, "len_bytes"), 128, "length");
	}
	CHECK(n > 0, "expected the queue's buffer among the drops, got none");
}

TEST(a_packet_is_no_longer_than_what_came_of_it)
{
	struct netns ns = netns_new();
	struct probe p = start_drops("--all", NULL, NULL);
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	make(&ns,
	     "frame(ip(17, 60000, '127.0.0.1', '127.0.0.1') + struct.pack('!HHHH', 53, 5353, 8, 0))\n");
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (record_u64(one, "netns") != ns.inode || record_u64(one, "lport") != 5353)
			continue;
		n++;
		CHECK_EQ(record_u64(one, "len_bytes"), 28, "length");
	}
	CHECK(n > 0, "expected the packet among the drops, got none");
}

/* A segment that a packet socket sends, to a port where nobody listens. */
TEST(a_segment_has_no_state_of_a_socket_that_is_not_tcps)
{
	struct netns ns = netns_new();
	struct probe p =
		probe_start("drops", "--trace", "--format", "json", "--port", "7300", NULL);
	unsigned int n = 0;
	const json_t *one;
	size_t i;

	make(&ns,
	     "frame(ip(6, 40, '127.0.0.1', '127.0.0.1') + struct.pack('!HHIIBBHHH', 7301, 7300, 1, 0, 0x50, 2, 500, 0, 0))\n");
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (record_u64(one, "netns") != ns.inode ||
		    strcmp(record_str(one, "step"), "queue"))
			continue;
		n++;
		CHECK(!*record_str(one, "state"), "state: expected none, got %s",
		      record_str(one, "state"));
	}
	CHECK(n > 0, "expected the segment on its way out, got none");
}
