/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses that are rewritten between the socket and the wire, on the rung that reads packets. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "rung.h"
#include "tap.h"

/* The service's address is one of this host's, */
#define VIP_HERE "ip addr add 10.99.0.1/32 dev lo"
/* or none, and leads elsewhere: there nobody speaks, not even of IPv6. */
#define VIP_ELSEWHERE                                                                     \
	"ip link add np0 type veth peer name np1 && ip addr add 10.98.0.1/24 dev np0 && " \
	"ip link set np0 addrgenmode none && ip link set np1 addrgenmode none && "        \
	"ip link set np0 up && ip link set np1 up && ip route add 10.99.0.1 via 10.98.0.2"
#define RULES                                                                               \
	" && nft add table ip np && "                                                       \
	"nft 'add chain ip np out { type nat hook output priority -100; }' && "             \
	"nft add rule ip np out ip daddr 10.99.0.1 tcp dport 80 dnat to 127.0.0.1:8080 && " \
	"nft add rule ip np out ip daddr 10.99.0.1 udp dport 80 dnat to 127.0.0.1:8081"

static void service(void)
{
	struct netns ns = rung_enter();

	if (netns_run(&ns, VIP_HERE RULES))
		test_skip("no address translation in nftables");
}

static void service_elsewhere(void)
{
	struct netns ns = rung_enter();

	if (netns_run(&ns, VIP_ELSEWHERE RULES))
		test_skip("no pair of interfaces, or no address translation in nftables");
}

/* A client and a server, each a process; of each its pid. %s: what the client does. */
#define TALK                                                                                                                          \
	"exec python3 - <<'END'\n"                                                                                                    \
	"import os,socket,time\n"                                                                                                     \
	"l=socket.create_server(('127.0.0.1',8080)); u=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); u.bind(('127.0.0.1',8081))\n" \
	"server=os.getpid(); r,w=os.pipe(); client=os.fork()\n"                                                                       \
	"def all(s,n):\n"                                                                                                             \
	"  while n: n-=len(s.recv(n))\n"                                                                                              \
	"if not client:\n"                                                                                                            \
	"  l.close(); u.close(); os.close(w)\n%s  os._exit(0)\n"                                                                      \
	"%sos.waitpid(client,0); print(client,server)\n"                                                                              \
	"END\n"

static void talk(const char *client, const char *server, unsigned long *ret_client,
		 unsigned long *ret_server)
{
	char script[3000];
	FILE *said;

	snprintf(script, sizeof(script), TALK, client, server);
	said = popen(script, "re");
	REQUIRE(said && fscanf(said, "%lu %lu", ret_client, ret_server) == 2, "the makers");
	(void)pclose(said);
}

static uint64_t of_pid(const struct probe *p, unsigned long pid, const char *key)
{
	return records_sum(p->records, "transport.bw", key, (pid_t)pid);
}

/* All that moved is of the two, each with its own. */
static void check_moved(const struct probe *p, unsigned long client, unsigned long server,
			uint64_t asked, uint64_t answered)
{
	CHECK_EQ(of_pid(p, client, "tx_bytes"), asked, "bytes the client sent");
	CHECK_EQ(of_pid(p, client, "rx_bytes"), answered, "bytes it received");
	CHECK_EQ(of_pid(p, server, "tx_bytes"), answered, "bytes the server sent");
	CHECK_EQ(of_pid(p, server, "rx_bytes"), asked, "bytes it received");
	CHECK_EQ(records_sum(p->records, "transport.bw", "tx_bytes", 0), 0, "bytes of nobody");
}

TEST(a_connection_to_a_translated_address_is_its_process_s)
{
	unsigned long client, server;
	unsigned int n = 0;
	const json_t *one;
	struct probe p;
	size_t i;

	service();
	p = rung_events("afpacket", 0, 0);
	talk("  s=socket.create_connection(('10.99.0.1',80))\n"
	     "  s.sendall(b'x'*100); all(s,20000); time.sleep(1.5); s.sendall(b'y'*50); all(s,10)\n",
	     "c=l.accept()[0]; all(c,100); c.sendall(b'y'*20000); all(c,50); c.sendall(b'z'*10)\n",
	     &client, &server);
	rung_wait_closed(&p, 2);
	probe_stop(&p);
	check_moved(&p, client, server, 150, 20010);
	json_array_foreach (p.records, i, one) {
		if (strcmp(record_str(one, "event_type"), "conn.close") != 0 ||
		    record_u64(one, "pid") != client)
			continue;
		n++;
		CHECK(!strcmp(record_str(one, "raddr"), "10.99.0.1") &&
			      record_u64(one, "rport") == 80,
		      "its peer: expected that which it asked for, got %s port %" PRIu64,
		      record_str(one, "raddr"), record_u64(one, "rport"));
		CHECK_EQ(record_u64(one, "rx_bytes"), 20010, "bytes of the connection");
	}
	CHECK_EQ(n, 1, "ends of the client's connection");
}

TEST(a_service_that_is_translated_later_is_its_process_s)
{
	unsigned long client, server;
	struct netns ns = rung_enter();
	struct probe p;

	/* else the kernel's module is not there, and asking takes a right that was given up (docs/limits.md) */
	if (access("/proc/sys/net/netfilter/nf_conntrack_count", F_OK))
		test_skip("connections are not tracked before there is a rule");
	p = rung_events("afpacket", 0, 0);
	if (netns_run(&ns, VIP_HERE RULES))
		test_skip("no address translation in nftables");
	talk("  s=socket.create_connection(('10.99.0.1',80))\n"
	     "  s.sendall(b'x'*100); all(s,20000); time.sleep(1.5); s.sendall(b'y'*50); all(s,10)\n",
	     "c=l.accept()[0]; all(c,100); c.sendall(b'y'*20000); all(c,50); c.sendall(b'z'*10)\n",
	     &client, &server);
	rung_wait_closed(&p, 2);
	probe_stop(&p);
	check_moved(&p, client, server, 150, 20010);
}

/* They end before a listing has them: what their packets tell waits for the end of the socket. */
TEST(short_connections_to_a_translated_address_cost_no_byte)
{
	uint64_t sum = 0, bytes = 0;
	unsigned long client, server;
	const json_t *one;
	struct probe p;
	size_t i;

	service();
	p = rung_events("afpacket", 0, 0);
	talk("  for i in range(20):\n"
	     "    s=socket.create_connection(('10.99.0.1',80))\n"
	     "    s.sendall(b'x'*100); all(s,2000); time.sleep(.03); s.close()\n",
	     "for i in range(20): c=l.accept()[0]; all(c,100); c.sendall(b'y'*2000); c.close()\n",
	     &client, &server);
	rung_wait_closed(&p, 40);
	probe_stop(&p);
	json_array_foreach (p.records, i, one) {
		if (strcmp(record_str(one, "event_type"), "transport.bw") != 0)
			continue;
		bytes += record_u64(one, "tx_bytes");
	}
	CHECK_EQ(bytes, 42000, "bytes sent in all");
	sum = of_pid(&p, client, "tx_bytes") + of_pid(&p, server, "tx_bytes");
	test_note("%" PRIu64 " of them with their owner", sum);
	CHECK(sum <= 42000 && of_pid(&p, client, "tx_bytes") <= 2000, "bytes of others");
}

TEST(datagrams_to_a_translated_address_are_their_process_s)
{
	unsigned long client, server;
	struct probe p;

	service();
	p = rung_events("afpacket", 0, 0);
	talk("  s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.connect(('10.99.0.1',80))\n"
	     "  for i in range(20): s.send(b'x'*100); s.recv(2000); time.sleep(0.05)\n",
	     "for i in range(20): d,a=u.recvfrom(2000); u.sendto(b'y'*500,a)\n", &client, &server);
	probe_stop(&p);
	check_moved(&p, client, server, 2000, 10000);
}

/* While it lasts: what the server sends comes from an address that is none of this host's. */
TEST(a_server_behind_an_address_that_is_not_here_is_counted_while_it_sends)
{
	unsigned long client, server;
	uint64_t before = 0;
	const json_t *one;
	bool open = true;
	struct probe p;
	size_t i;

	service_elsewhere();
	p = rung_events("afpacket", 0, 0);
	talk("  s=socket.create_connection(('10.99.0.1',80))\n"
	     "  s.sendall(b'x'*100); all(s,20000); time.sleep(3); s.sendall(b'y'*50); all(s,10)\n",
	     "c=l.accept()[0]; all(c,100); c.sendall(b'y'*20000); all(c,50); c.sendall(b'z'*10)\n",
	     &client, &server);
	rung_wait_closed(&p, 2);
	probe_stop(&p);
	check_moved(&p, client, server, 150, 20010);
	json_array_foreach (p.records, i, one) {
		if (record_u64(one, "pid") != server)
			continue;
		open &= strcmp(record_str(one, "event_type"), "conn.close") != 0;
		if (open && !strcmp(record_str(one, "event_type"), "transport.bw"))
			before += record_u64(one, "tx_bytes");
	}
	CHECK(before >= 20000, "bytes the server was told to send before the end: %" PRIu64,
	      before);
}

TEST(a_server_of_datagrams_behind_an_address_that_is_not_here_is_counted)
{
	unsigned long client, server;
	struct probe p;

	service_elsewhere();
	p = rung_events("afpacket", 0, 0);
	talk("  s=socket.socket(socket.AF_INET,socket.SOCK_DGRAM); s.connect(('10.99.0.1',80))\n"
	     "  for i in range(20): s.send(b'x'*100); s.recv(2000); time.sleep(0.05)\n",
	     "for i in range(20): d,a=u.recvfrom(2000); u.sendto(b'y'*500,a)\n", &client, &server);
	probe_stop(&p);
	check_moved(&p, client, server, 2000, 10000);
}
