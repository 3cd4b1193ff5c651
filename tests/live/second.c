/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls that the kernel leaves programs out of, made on any kernel and in any family: the second programs are attached as
 * where tracepoint programs may be preempted, beside the first ones or in their place; or there are none at sends.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/utsname.h>

#include "ownership.h"
#include "tap.h"

static void need_tracepoints(void)
{
	unsigned int major = 0, minor = 0;
	struct utsname u;

	REQUIRE(!uname(&u) && sscanf(u.release, "%u.%u", &major, &minor) == 2, "no release");
	if (major < 6 || (major == 6 && minor < 3))
		test_skip("no tracepoint at sends before 6.3");
}

/* Commands that makers run one after the other, up to NULL; owners are checked. */
static struct run run_left_out(const char *fail_at, const char *const commands[])
{
	const char *hook = getenv("NETPROBE_HOOK");
	const char *const args[] = {
		"flows",     "--format", "json",       "--hook", hook ? hook : "tracepoint",
		"--fail-at", fail_at,	 "--duration", "36000",	 NULL
	};
	struct probe_opts opts = { .args = args, .plain = true };
	struct run r;

	need_tracepoints();
	r.ns = netns_new();
	r.probe = probe_spawn(&opts);
	for (unsigned int i = 0; commands[i]; i++) {
		struct maker m = maker_run(&r.ns, commands[i]);

		if (i)
			REQUIRE(!json_array_extend(m.reports, r.maker.reports), "no memory");
		r.maker = m;
	}
	netns_wait_quiet(&r.ns);
	probe_stop(&r.probe);
	return r;
}

TEST(two_programs_at_a_call_count_it_once)
{
	/* the last: threads in calls on one socket at the same time */
	const char *const commands[] = { "herd --procs 100", "herd --udp --procs 200 --bytes 1500",
					 "dgram --reply 300", "share threads --threads 6", NULL };
	struct run r = run_left_out("second", commands);

	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
}

TEST(what_the_first_program_is_left_out_of_the_second_one_counts)
{
	/* One datagram at a time: what the kernel leaves that program out of as well nothing sees. */
	const char *const commands[] = { "herd --procs 100",
					 "herd --udp --procs 200 --bytes 1500 --at-once 1",
					 "dgram --reply 30", "share threads --threads 6", NULL };
	struct run r = run_left_out("first", commands);

	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
}

static uint64_t sent_to(const struct run *r, uint16_t rport)
{
	uint64_t sum = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (r->probe.records, i, one)
		if (record_u64(one, "netns") == r->ns.inode && record_u64(one, "lport") == 7460 &&
		    record_u64(one, "rport") == rport)
			sum += record_u64(one, "tx_bytes");
	return sum;
}

/* To its peer, to another by sendto(), and by sendmmsg(), whose address only some hooks see. */
#define SPEAKS_WITH_OTHERS                                                                                   \
	"python3 -c \"import socket, struct, ctypes; c = ctypes.CDLL(None)\n"                                \
	"a, b, s = [socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for i in range(3)]\n"                   \
	"a.bind(('127.0.0.1', 7461)); b.bind(('127.0.0.1', 7462)); s.bind(('127.0.0.1', 7460))\n"            \
	"s.connect(('127.0.0.1', 7461))\n"                                                                   \
	"for i in range(10): s.send(b'x' * 10)\n"                                                            \
	"for i in range(10): s.sendto(b'x' * 100, ('127.0.0.1', 7462)); s.send(b'x' * 10)\n"                 \
	"p = ctypes.addressof; B = ctypes.create_string_buffer; d = B(b'x' * 1000)\n"                        \
	"n = B(struct.pack('=H', 2) + struct.pack('!H', 7462) + socket.inet_aton('127.0.0.1') + bytes(8))\n" \
	"v = B(struct.pack('QQ', p(d), 1000))\n"                                                             \
	"m = struct.pack('QI4xQQQQi4xI4x', p(n), 16, p(v), 1, 0, 0, 0, 0)\n"                                 \
	"for i in range(10): assert c.sendmmsg(s.fileno(), B(m), 1, 0) == 1\n\""

TEST(what_a_connected_socket_sends_to_others_is_not_its_peers_though_the_first_program_is_left_out)
{
	const char *hook = getenv("NETPROBE_HOOK");
	const char *const args[] = {
		"flows",     "--format", "json",       "--hook", hook ? hook : "tracepoint",
		"--fail-at", "first",	 "--duration", "600",	 NULL
	};
	struct probe_opts opts = { .args = args, .plain = true };
	struct run r;

	need_tracepoints();
	r.ns = netns_new();
	r.probe = probe_spawn(&opts);
	netns_must(&r.ns, SPEAKS_WITH_OTHERS);
	probe_stop(&r.probe);
	CHECK_EQ(sent_to(&r, 7461), 200, "bytes to the one it is connected to");
	CHECK_EQ(sent_to(&r, 7462) + sent_to(&r, 0), 11000,
		 "bytes to the other, or to nobody knows whom");
	CHECK(sent_to(&r, 7462) >= 1000, "bytes by sendto(): expected 1000 at least, got %" PRIu64,
	      sent_to(&r, 7462));
}

TEST(sends_that_no_program_saw_are_their_owners_when_the_connection_ends)
{
	const char *const commands[] = { "herd --procs 100",
					 "stream --bytes 2m --send partial --recv nonblock",
					 "fail linger", NULL };
	struct run r = run_left_out("sends", commands);

	check_owners(r.probe.records, NULL, r.maker.reports, &r.ns);
	CHECK_EQ(records_sum(r.probe.records, NULL, "tx_unseen_bytes",
			     (pid_t)record_u64(maker_report(&r.maker, "client"), "pid")),
		 0, "what nobody sent");
}

TEST(sends_that_no_program_saw_of_a_connection_of_two_processes_are_nobodys)
{
	const char *const commands[] = { "handover fork --first 700 --bytes 20000 --reply 3000",
					 NULL };
	struct run r = run_left_out("sends", commands);
	pid_t heir = (pid_t)record_u64(maker_report(&r.maker, "heir"), "pid");
	uint64_t tx = 0, unseen = 0;
	const json_t *one;
	size_t i;

	json_array_foreach (r.probe.records, i, one) {
		if (record_u64(one, "netns") != r.ns.inode)
			continue;
		tx += record_u64(one, "tx_bytes");
		unseen += record_u64(one, "tx_unseen_bytes");
	}
	CHECK_EQ(records_sum(r.probe.records, NULL, "rx_bytes", heir), 20000,
		 "bytes that the heir received");
	CHECK_EQ(tx, 20700, "bytes sent: those of the client");
	CHECK_EQ(unseen, 3000, "tx_unseen_bytes: the reply");
}
