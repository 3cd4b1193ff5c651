/* SPDX-License-Identifier: BSD-2-Clause */
/* Numbers at the seams: a first call that fails, a table that is full. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ownership.h"
#include "tap.h"

static const json_t *flow_of(const struct probe *p, const struct netns *ns, const json_t *report)
{
	const json_t *one;
	size_t i;

	json_array_foreach (p->records, i, one)
		if (record_u64(one, "netns") == ns->inode && is_socket_of(one, report) &&
		    record_u64(one, "lport") == record_u64(report, "lport"))
			return one;
	return NULL;
}

TEST(a_failed_first_call_moves_nothing_and_tells_who_holds_the_socket)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "handover late --hold queued");
	const json_t *server, *flow;
	struct probe probe;

	maker_wait_hold(&m);
	probe = probe_start(FLOWS, "--interval", "0.2", NULL);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	server = maker_report(&m, "server");
	flow = flow_of(&probe, &ns, server);
	REQUIRE(flow, "expected a flow of the accepted connection, got none");
	CHECK_EQ(record_u64(flow, "rx_bytes"), 0, "bytes of a socket that received none");
	CHECK_EQ(record_u64(flow, "pid"), record_u64(server, "pid"), "pid");
	CHECK(!strcmp(record_str(flow, "owner_match"), "exact"),
	      "owner_match: expected exact, got %s", record_str(flow, "owner_match"));
}

/* Between two processes, where no listing of descriptors has it, until somebody takes it out and reads too early. */
#define ON_ITS_WAY                                                                            \
	"python3 -c \"import os, socket, time\n"                                              \
	"def till(f):\n"                                                                      \
	"  while not os.path.exists('%1$s/' + f): time.sleep(0.02)\n"                         \
	"s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM); s.bind(('127.0.0.1', 7510))\n" \
	"x, y = socket.socketpair(); socket.send_fds(x, [b'.'], [s.fileno()]); s.close()\n"   \
	"open('%1$s/sent', 'w').close(); till('go')\n"                                        \
	"s = socket.socket(fileno = socket.recv_fds(y, 1, 1)[1][0]); s.setblocking(False)\n"  \
	"try: s.recv(9)\n"                                                                    \
	"except BlockingIOError: open('%1$s/pid.new', 'w').write(str(os.getpid()))\n"         \
	"os.rename('%1$s/pid.new', '%1$s/pid'); till('end')\" &"

static bool is_there(void *path)
{
	return !access(path, F_OK);
}

static void put(const char *name)
{
	char path[300];
	FILE *f;

	snprintf(path, sizeof(path), "%s/%s", test_dir(), name);
	f = fopen(path, "we");
	REQUIRE(f, "%s", path);
	fclose(f);
}

TEST(a_failed_first_call_tells_who_holds_a_datagram_socket)
{
	struct netns ns = netns_new();
	char command[2000], sent[300], pid[300], *text;
	const json_t *one, *found = NULL;
	struct probe probe;
	size_t i;

	snprintf(command, sizeof(command), ON_ITS_WAY, test_dir());
	snprintf(sent, sizeof(sent), "%s/sent", test_dir());
	snprintf(pid, sizeof(pid), "%s/pid", test_dir());
	netns_must(&ns, command);
	REQUIRE(wait_until(is_there, sent, 20000), "expected a socket on its way");
	probe = probe_start(FLOWS, "--interval", "0.2", NULL);
	put("go");
	REQUIRE(wait_until(is_there, pid, 20000), "expected a read that fails");
	probe_stop(&probe);
	put("end");
	text = file_text(pid);
	json_array_foreach (probe.records, i, one)
		if (record_u64(one, "netns") == ns.inode && record_u64(one, "lport") == 7510)
			found = one;
	REQUIRE(found, "expected a row of the socket, got none");
	CHECK_EQ(record_u64(found, "pid"), strtoull(text, NULL, 10), "pid");
	CHECK(!strcmp(record_str(found, "owner_match"), "exact"),
	      "owner_match: expected exact, got %s", record_str(found, "owner_match"));
	CHECK_EQ(record_u64(found, "rx_bytes") + record_u64(found, "rx_pkts"), 0,
		 "of a socket that received nothing");
	free(text);
}

TEST(a_failed_first_call_does_not_spoil_what_comes_after)
{
	struct netns ns = netns_new();
	struct maker m = maker_start(&ns, -1, "handover late --bytes 30000 --hold queued");
	struct probe probe;

	maker_wait_hold(&m);
	probe = probe_start(FLOWS, "--interval", "0.2", NULL);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&probe);
	check_owners(probe.records, NULL, m.reports, &ns);
}

/* Room for one entry, which another socket's peer takes: the child's bytes are lost, and nobody's. */
TEST(a_full_map_of_shared_sockets_gives_no_bytes_to_the_wrong_one)
{
	struct netns ns = netns_new(), other = netns_new();
	struct probe probe = probe_start(FLOWS, "--interval", "600", "--parts-size", "1", NULL);
	struct maker filler = maker_run(&other, "dgram --peers 2 --count 1");
	struct maker m = maker_run(&ns, "handover fork --first 1000 --bytes 50000");
	uint64_t accepted = record_u64(maker_report(&m, "acceptor"), "pid");

	(void)filler;
	probe_stop(&probe);
	CHECK_EQ(records_sum(probe.records, NULL, "rx_bytes", (pid_t)accepted), 1000,
		 "bytes of the process that read the first thousand");
	CHECK_EQ(records_sum(probe.records, NULL, "rx_unseen_bytes", (pid_t)accepted), 0,
		 "of which unseen");
	/* what found no room is in a sum of who read it */
	check_owners(probe.records, NULL, m.reports, &ns);
}
