/* SPDX-License-Identifier: BSD-2-Clause */
/* --pcap: every packet of known traffic is in the file, with its owner. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <netinet/in.h>

#include "maker.h"
#include "netns.h"
#include "probe.h"
#include "rung.h"
#include "tap.h"

#define PACKETS 6 /* type of an enhanced packet block */

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, sizeof(v));
	return v;
}

struct file {
	uint8_t *data;
	size_t size;
	uint32_t netns[64]; /* of each interface, from its description */
	unsigned int n;
};

static struct file read_file(const char *path)
{
	struct file f = {};
	FILE *in = fopen(path, "r");

	REQUIRE(in, "%s: cannot be read", path);
	f.data = malloc(1 << 24);
	REQUIRE(f.data, "out of memory");
	f.size = fread(f.data, 1, 1 << 24, in);
	fclose(in);
	return f;
}

/* Options of a block as text somewhere in it: enough to find a word in a comment. */
static bool has_word(const uint8_t *block, uint32_t len, const char *word)
{
	return memmem(block, len, word, strlen(word)) != NULL;
}

struct counts {
	unsigned int packets, client, server, bad_lengths;
};

static void count_packet(struct file *f, const uint8_t *b, const struct netns *ns, uint64_t client,
			 bool ring, struct counts *c)
{
	uint32_t len = get32(b + 4), interface = get32(b + 8);
	char word[32];

	REQUIRE(interface < f->n, "interface of a packet: expected below %u, got %u", f->n,
		interface);
	if (ns && f->netns[interface] != ns->inode)
		return;
	c->packets++;
	snprintf(word, sizeof(word), "pid=%" PRIu64 " ", client);
	c->client += has_word(b, len, word);
	c->server += has_word(b, len, "comm=dns-server");
	/* IPv4 and UDP without options, and none of the payload; from the ring all of such a small one. */
	c->bad_lengths += ring ? get32(b + 20) != get32(b + 24) || get32(b + 20) <= 14 + 28
			       : get32(b + 20) != 28 || get32(b + 24) <= 28;
}

/* A block that describes an interface tells its namespace. */
static void note_interface(struct file *f, const uint8_t *b, uint32_t len)
{
	const uint8_t *text;

	if (get32(b) != 1)
		return;
	text = memmem(b, len, "netns ", 6);
	REQUIRE(f->n < 64 && text, "an interface: no namespace, or too many");
	f->netns[f->n++] = (uint32_t)strtoul((const char *)text + 6, NULL, 10);
}

static struct counts count_file(struct file *f, const struct netns *ns, uint64_t client, bool ring)
{
	struct counts c = {};

	for (size_t at = 0; at < f->size;) {
		const uint8_t *b = f->data + at;
		uint32_t len = get32(b + 4);

		REQUIRE(len >= 12 && len <= f->size - at && get32(b + len - 4) == len,
			"a block at %zu: its lengths differ", at);
		note_interface(f, b, len);
		if (get32(b) == PACKETS)
			count_packet(f, b, ns, client, ring, &c);
		at += len;
	}
	return c;
}

/* A second opinion, where it is installed. */
static void check_tshark(const char *path, uint64_t pid)
{
	char command[1024], line[512];
	unsigned int n = 0;
	FILE *out;

	if (system("command -v tshark >/dev/null 2>&1")) {
		test_note("tshark is not here to read it as well");
		return;
	}
	snprintf(command, sizeof(command),
		 "tshark -r %s -T fields -e frame.comment -e frame.interface_name 2>/dev/null | "
		 "grep 'pid=%" PRIu64 " comm=client .*lo$'",
		 path, pid);
	out = popen(command, "r");
	while (out && fgets(line, sizeof(line), out))
		n++;
	if (out)
		pclose(out);
	CHECK(n > 0, "packets of the client as tshark reads them: expected some, got none");
}

TEST(packets_are_in_the_file_with_their_owner)
{
	struct netns ns = netns_new();
	char path[256], port[] = "5300";
	struct probe p;
	struct maker m;
	struct counts c;
	struct file f;
	uint64_t pid;

	snprintf(path, sizeof(path), "%s/packets.pcapng", test_dir());
	p = probe_start("events", "--format", "json", "--pcap", path, "--port", port, NULL);
	m = maker_run(&ns, "dns ask --ok 10 --drop 1");
	probe_stop(&p);
	pid = report_u64(maker_report(&m, "client"), "pid");
	f = read_file(path);
	c = count_file(&f, &ns, pid, false);
	/* 13 queries and 10 answers, each where it leaves and where it comes in */
	CHECK_EQ(c.packets, 46, "packets in the file");
	/* The socket of the server is its maker's until its first use. */
	CHECK_EQ(c.client + c.server, 46, "packets with an owner");
	CHECK(c.client >= 23 && c.server >= 20, "packets of both: got %u and %u", c.client,
	      c.server);
	CHECK_EQ(c.bad_lengths, 0, "packets with other lengths than their headers'");
	check_tshark(path, pid);
	free(f.data);
	unlink(path);
}

/* A port of our own, so that nobody else's packets match: 13 queries and 10 answers, each seen twice. */
static void check_account(const char *path, uint64_t written, uint64_t lost)
{
	struct netns ns = netns_new();
	char port[8], command[80];
	const json_t *r, *last = NULL;
	struct probe p;
	size_t i;

	snprintf(port, sizeof(port), "%d", 20000 + getpid() % 20000);
	snprintf(command, sizeof(command), "dns ask --port %s --ok 10 --drop 1", port);
	p = probe_start("events", "--format", "json", "--pcap", path, "--port", port, NULL);
	maker_run(&ns, command);
	probe_stop(&p);
	json_array_foreach (p.records, i, r)
		if (!strcmp(record_str(r, "entity_id"), "pcap") &&
		    json_is_true(json_object_get(r, "final")))
			last = r;
	REQUIRE(last, "no last probe.loss of pcap");
	CHECK_EQ(record_u64(last, "submitted"), written, "packets in the file");
	CHECK_EQ(record_u64(last, "map_full"), lost, "packets that could not be written");
	CHECK(!strcmp(record_str(last, "unit"), "packets"), "unit: %s", record_str(last, "unit"));
}

TEST(the_account_of_packets_has_those_in_the_file)
{
	char path[256];
	struct counts c;
	struct file f;

	snprintf(path, sizeof(path), "%s/account.pcapng", test_dir());
	check_account(path, 46, 0);
	f = read_file(path);
	c = count_file(&f, NULL, 0, false);
	CHECK_EQ(c.packets, 46, "packets in the file");
	free(f.data);
	unlink(path);
}

TEST(the_account_of_packets_has_those_that_a_full_disk_did_not_take)
{
	check_account("/dev/full", 0, 46);
}

TEST(full_disk_is_said_and_counted)
{
	struct netns ns = netns_new();
	struct probe p = probe_start("events", "--format", "json", "--pcap", "/dev/full", NULL);
	char *log;

	maker_run(&ns, "dns ask --ok 10");
	probe_stop(&p);
	log = file_text(p.log);
	CHECK(strstr(log, "pcap: '/dev/full': No space left on device"), "log: got %s", log);
	CHECK(strstr(log, "could not be written"), "log: got %s", log);
	free(log);
}

TEST(file_that_cannot_be_written_is_refused)
{
	const char *const args[] = { "events", "--pcap", "/nowhere/x", "--duration", "1", NULL };
	struct probe p;
	char *log;

	CHECK_EQ(probe_run(&p, args), 3, "exit code");
	log = file_text(p.log);
	CHECK(strstr(log, "--pcap: '/nowhere/x': No such file or directory; takes"), "log: got %s",
	      log);
	free(log);
}

struct awaited {
	const char *path;
	const struct netns *ns;
	uint64_t client;
	unsigned int packets;
	struct counts last;
};

static bool are_there(void *arg)
{
	struct awaited *a = arg;
	struct file f = read_file(a->path);

	a->last = count_file(&f, a->ns, a->client, true);
	free(f.data);
	return a->last.packets >= a->packets;
}

TEST(packets_of_the_ring_are_in_the_file_with_their_owner)
{
	struct netns ns = rung_enter();
	char path[256];
	const char *const args[] = { "events", "--format", "json",   "--capture-mode", "afpacket",
				     "--pcap", path,	   "--port", "5300",	       NULL };
	struct probe_opts opts = { .args = args, .plain = true };
	/* 15 queries and 12 answers; over loopback the ring has each once */
	struct awaited a = { .path = path, .ns = &ns, .packets = 27 };
	struct probe p;
	struct maker m;

	snprintf(path, sizeof(path), "%s/ring.pcapng", test_dir());
	p = probe_spawn(&opts);
	m = maker_start(&ns, -1,
			"dns ask --ok 10 --drop 1 --slow 2 --delay 200 --again 1000 --hold asked");
	a.client = (uint64_t)maker_wait_hold(&m);
	CHECK(wait_until(are_there, &a, 10000), "packets in the file: expected 27, got %u",
	      a.last.packets);
	maker_go(&m);
	maker_finish(&m);
	probe_stop(&p);
	(void)are_there(&a);
	CHECK_EQ(a.last.packets, 27, "packets in the file");
	CHECK_EQ(a.last.client + a.last.server, 27, "packets with an owner");
	CHECK_EQ(a.last.bad_lengths, 0, "packets that are cut");
	unlink(path);
}

/* What comes in at lo is dealt with by processor 0, whoever sends it. */
static void steer(const struct netns *ns)
{
	if (netns_run(
		    ns,
		    "unshare -m sh -c 'mount -t sysfs none /sys && echo 1 >/sys/class/net/lo/queues/rx-0/rps_cpus'"))
		test_skip("packets cannot be steered (RPS)");
}

/* Datagrams in that namespace; others: those with no word of the two. */
static unsigned int count_blocks(struct file *f, const struct netns *ns, const char *a,
				 const char *b, unsigned int *others)
{
	unsigned int n = 0;

	for (size_t at = 0; at + 12 <= f->size; at += get32(f->data + at + 4)) {
		const uint8_t *block = f->data + at;
		uint32_t len = get32(block + 4);

		REQUIRE(len >= 12 && len <= f->size - at, "a block at %zu: too long", at);
		note_interface(f, block, len);
		if (get32(block) != PACKETS || len < 64 || block[28 + 9] != IPPROTO_UDP ||
		    get32(block + 8) >= f->n || f->netns[get32(block + 8)] != ns->inode)
			continue;
		n++;
		*others += !has_word(block, len, a) && !has_word(block, len, b);
	}
	return n;
}

static struct maker start_on(const struct netns *ns, unsigned int cpu, const char *command)
{
	cpu_set_t all, one;
	struct maker m;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	REQUIRE(!sched_getaffinity(0, sizeof(all), &all) &&
			!sched_setaffinity(0, sizeof(one), &one),
		"processor %u is not to be had", cpu);
	m = maker_start(ns, -1, command);
	(void)sched_setaffinity(0, sizeof(all), &all);
	return m;
}

/*
 * A datagram leaves in the call of who sends it; in the middle of that a softirq sends acknowledgements of others on the same
 * processor.
 */
TEST(packets_of_a_call_and_of_the_softirq_in_it_have_their_own_owners)
{
	struct netns ns = netns_new();
	char path[256], client[32], server[32];
	unsigned int others = 0, n;
	struct maker tcp, udp;
	struct probe p;
	struct file f;

	steer(&ns);
	snprintf(path, sizeof(path), "%s/packets.pcapng", test_dir());
	p = probe_start("events", "--format", "json", "--pcap", path, NULL);
	udp = start_on(&ns, 0, "dgram --count 4000 --hold start");
	maker_wait_hold(&udp);
	tcp = start_on(&ns, 1, "pingpong --count 4000");
	maker_go(&udp);
	maker_finish(&udp);
	maker_finish(&tcp);
	probe_stop(&p);
	snprintf(client, sizeof(client), "pid=%" PRIu64 " ",
		 report_u64(maker_report(&udp, "client"), "pid"));
	snprintf(server, sizeof(server), "pid=%" PRIu64 " ",
		 report_u64(maker_report(&udp, "server"), "pid"));
	f = read_file(path);
	n = count_blocks(&f, &ns, client, server, &others);
	test_note("%u datagrams in the file", n);
	CHECK(n >= 4000, "datagrams in the file: expected 4000 at least, got %u", n);
	CHECK_EQ(others, 0, "of which are others'");
	free(f.data);
	unlink(path);
}
