/* SPDX-License-Identifier: BSD-2-Clause */
/* guard's limits and detection: what they find, and above all whom they leave alone. */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"

#define SYN 0x02
#define ACK 0x10

static struct netns_pair guarded(const char *detect)
{
	struct netns_pair p = netns_pair_new();

	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	if (detect)
		guard_must(&p.a, "detect %s", detect);
	/* Neighbours are known before anything is counted. */
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1), 1, "before");
	return p;
}

static uint64_t stat_of(struct netns_pair *p, const char *path)
{
	json_t *r = guard_stats(&p->a, p->if_a);
	uint64_t v = json_at(r, path);

	json_decref(r);
	return v;
}

TEST(limit_drops_what_is_beyond_it_and_bans_nobody)
{
	struct netns_pair p = guarded(NULL);
	int64_t began;
	unsigned int got, allowed;

	guard_must(&p.a, "limit --pps 100");
	began = now_ms();
	got = datagrams(&p.b, &p.a, "10.77.0.1", 6001, 2000);
	allowed = 101 + (unsigned int)((now_ms() - began) / 10);
	CHECK(got >= 90 && got <= allowed, "expected 100 to %u of 2000 to pass, got %u", allowed,
	      got);
	CHECK_EQ(stat_of(&p, "drops.limit"), 2000 - got, "drops");
	guard_must(&p.a, "limit --pps 0");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 500), 500, "without the limit");
	guard_must(&p.a, "limit --pps 100 --per prefix");
	CHECK(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 2000) < 1500, "no limit for the prefix");
	guard_must(&p.a, "limit --pps 100 --per prefix --dry-run");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 500), 500, "dry run");
	CHECK(stat_of(&p, "dry_run.limit") > 0, "nothing counted by the dry run");
	guard_must(&p.a, "allow 10.77.0.2");
	guard_must(&p.a, "limit --pps 100 --per prefix");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 500), 500, "allowed");
}

TEST(limit_of_syns_leaves_other_packets_alone)
{
	struct netns_pair p = guarded(NULL);
	uint64_t dropped;

	guard_must(&p.a, "limit --syn-rate 50");
	forge(&p.b, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 500, 100);
	dropped = stat_of(&p, "drops.limit");
	CHECK(dropped >= 400 && dropped <= 450,
	      "expected 430 or so of 500 SYNs to be dropped, got %" PRIu64, dropped);
	forge(&p.b, &(struct forged){ .proto = IPPROTO_TCP, .flags = ACK }, 500, 100);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 300), 300, "datagrams");
	CHECK_EQ(stat_of(&p, "drops.limit"), dropped, "drops of what is no SYN");
}

TEST(limits_of_a_port_leave_other_ports_alone)
{
	struct netns_pair p = guarded(NULL);
	unsigned int got;
	uint64_t before;

	guard_must(&p.a, "limit --port 6001 --pps 100");
	got = datagrams(&p.b, &p.a, "10.77.0.1", 6001, 2000);
	CHECK(got >= 90 && got < 1000, "expected about 100 of 2000 to pass, got %u", got);
	CHECK_EQ(stat_of(&p, "drops.limit"), 2000 - got, "drops");
	before = stat_of(&p, "drops.limit");
	/* The first has the same last six bits. */
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001 + 64, 1000), 1000, "another port");
	CHECK_EQ(datagrams(&p.b, &p.a, "fd77::1", 6001 + 1, 1000), 1000, "another port");
	CHECK_EQ(stat_of(&p, "drops.limit"), before, "drops of other ports");
	CHECK(datagrams(&p.b, &p.a, "fd77::1", 6001, 2000) < 1000, "no limit for IPv6");
	guard_must(&p.a, "limit");
	CHECK(strstr(guard_out(), "--port 6001 --per source --pps 100\n"), "not told: %s",
	      guard_out());
	/* Each kind of its own, and all ports that there is room for. */
	guard_must(&p.a, "limit --port 6001 --pps 0");
	guard_must(&p.a, "limit --port 9 --per port --syn-rate 50");
	before = stat_of(&p, "drops.limit");
	forge(&p.b, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 500, 100);
	got = (unsigned int)(stat_of(&p, "drops.limit") - before);
	CHECK(got >= 400 && got <= 450, "expected 430 or so of 500 SYNs to be dropped, got %u",
	      got);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1000), 1000, "without its limit");
	for (unsigned int port = 1001; port < 1001 + 31; port++)
		guard_must(&p.a, "limit --port %u --pps 5", port);
	CHECK_EQ(guard_run(&p.a, "limit --port 2000 --pps 5"), 3, "too many ports");
	CHECK_EQ(guard_run(&p.a, "limit --per port --pps 5"), 3, "no port");
	CHECK_EQ(guard_run(&p.a, "limit --port 9 --icmp-rate 5"), 3, "ICMP");
}

/* Runs `guard events` beside an attack, and gives what it printed. */
static char *events_of(struct netns_pair *p, const struct forged *what, unsigned int n, int ms,
		       const char *until)
{
	char path[512], command[4096];
	char *text = NULL;
	FILE *f;
	int64_t deadline = deadline_in(6000);

	snprintf(path, sizeof(path), "%s/events", test_dir());
	/* It sees what comes once it watches. */
	snprintf(command, sizeof(command),
		 "mkfifo %s.fifo && { %s guard events --format json --duration 60 --ready-fd 9 "
		 "9>%s.fifo >%s 2>/dev/null & echo $! >%s.pid; } && head -c 1 %s.fifo >/dev/null",
		 path, getenv("NETPROBE") ? getenv("NETPROBE") : "build/netprobe", path, path, path,
		 path);
	netns_must(&p->a, command);
	forge(&p->b, what, n, ms);
	/* The second is over with the next packet. */
	while (now_ms() < deadline && !(text && strstr(text, until))) {
		free(text);
		(void)datagrams(&p->b, &p->a, "10.77.0.1", 6001, 1);
		forge(&p->b, &(struct forged){ .proto = what->proto, .flags = what->flags }, 1, 1);
		text = calloc(1, 65536);
		f = fopen(path, "re");
		if (f) {
			(void)!fread(text, 1, 65535, f);
			fclose(f);
		}
		pause_ms(50);
	}
	snprintf(command, sizeof(command), "kill $(cat %s.pid)", path);
	netns_must(&p->a, command);
	return text;
}

static char *text_of(const char *name)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", test_dir(), name);
	return file_text(path);
}

static void end_command(const struct netns *ns, const char *name)
{
	char command[1024];

	snprintf(command, sizeof(command), "kill $(cat %s/%s.pid)", test_dir(), name);
	netns_must(ns, command);
}

struct seen {
	const char *name, *what;
};

static bool is_seen(void *arg)
{
	const struct seen *s = arg;
	char *text = text_of(s->name);
	bool found = strstr(text, s->what);

	free(text);
	return found;
}

static bool is_ready(void *arg)
{
	char *text = text_of(arg);
	bool ready = text[0];

	free(text);
	return ready;
}

/* A command there that writes to a file of the test's folder and watches by now, until end_command. */
static void begin_command(const struct netns *ns, const char *args, const char *name)
{
	char command[2048], ready[64];

	snprintf(ready, sizeof(ready), "%s.ready", name);
	snprintf(command, sizeof(command),
		 "%s %s --ready-fd 3 >%s/%s 2>%s/%s.log 3>%s/%s & echo $! >%s/%s.pid",
		 probe_binary(), args, test_dir(), name, test_dir(), name, test_dir(), ready,
		 test_dir(), name);
	netns_must(ns, command);
	REQUIRE(wait_until(is_ready, ready, 20000), "`netprobe %s` does not watch", args);
}

static unsigned int times(const char *name, const char *what)
{
	char *text = text_of(name);
	unsigned int n = 0;

	for (const char *p = text; (p = strstr(p, what)); p++)
		n++;
	free(text);
	return n;
}

/* Readers of one log: nobody takes an event from anybody, and the stream has the counters as well. */
TEST(every_watcher_and_the_event_stream_see_each_finding)
{
	static const char *const names[] = { "stream", "first", "second" };
	static const char *const rungs[] = { "ebpf", "afpacket" };

	for (unsigned int k = 0; k < 2; k++) {
		struct netns_pair p = guarded("on --icmp-flood 200 --ban-time 1s");
		char args[256];

		snprintf(args, sizeof(args),
			 "events --format json --interval 0.2 --duration 60 --capture-mode %s",
			 rungs[k]);
		begin_command(&p.a, args, "stream");
		begin_command(&p.a, "guard events --format json --duration 60", "first");
		begin_command(&p.a, "guard events --format json --duration 60", "second");
		forge(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 2000, 1300);
		for (unsigned int i = 0; i < 3; i++) {
			struct seen unban = { names[i], "security.unban" };

			CHECK(wait_until(is_seen, &unban, 8000), "%s: %s told no end of the ban",
			      rungs[k], names[i]);
			CHECK_EQ(times(names[i], "\"event_type\":\"security.icmp_flood\""), 1,
				 names[i]);
			CHECK_EQ(times(names[i], "\"event_type\":\"security.ban\""), 1, names[i]);
			end_command(&p.a, names[i]);
		}
		if (!k)
			CHECK(times("stream", "\"event_type\":\"stats.global\"") > 0,
			      "no stats.global");
		guard_must(&p.a, "detach %s", p.if_a);
	}
}

TEST(syn_flood_is_told_with_its_figures_and_its_source_banned)
{
	struct netns_pair p = guarded("on --ban-time 60s");
	char *text = events_of(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 6000,
			       1500, "security.ban");

	CHECK(strstr(text, "\"event_type\":\"security.syn_flood\"") &&
		      strstr(text, "\"raddr\":\"10.77.0.2\"") && strstr(text, "\"limit\":1000") &&
		      strstr(text, "\"action\":\"ban\""),
	      "not told as it was: %s", text);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	CHECK(stat_of(&p, "drops.detect") >= 5, "drops are not counted");
	guard_must(&p.a, "list --format json");
	CHECK(strstr(guard_out(), "10.77.0.2"), "not in the list: %s", guard_out());
	free(text);
}

static bool passes_again(void *arg)
{
	struct netns_pair *p = arg;

	return datagrams(&p->b, &p->a, "10.77.0.1", 6001, 1) == 1;
}

TEST(ban_of_detection_ends_by_itself)
{
	struct netns_pair p = guarded("on --icmp-flood 200 --ban-time 1s");

	forge(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 2000, 1300);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	CHECK(wait_until(passes_again, &p, 5000), "still banned after its time");
}

TEST(port_scan_is_found_and_a_dry_run_lets_it_pass)
{
	struct netns_pair p = guarded("dry-run");
	char *text = events_of(&p,
			       &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN, .ports = 200 },
			       200, 200, "security.port_scan");

	CHECK(strstr(text, "\"event_type\":\"security.port_scan\"") &&
		      strstr(text, "\"action\":\"dry_run\""),
	      "not told: %s", text);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "dry run");
	guard_must(&p.a, "detect on");
	pause_ms(8500); /* each window tells once */
	forge(&p.b, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN, .ports = 200 }, 200, 200);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	free(text);
}

TEST(scan_of_hosts_is_found_and_its_source_banned)
{
	struct netns_pair p = guarded("on");
	char *text = events_of(&p,
			       &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN, .hosts = 200 },
			       200, 200, "security.ban");

	CHECK(strstr(text, "\"event_type\":\"security.port_scan\"") &&
		      strstr(text, "\"rule\":\"host_scan\"") && strstr(text, "\"limit\":64"),
	      "not told: %s", text);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	free(text);
}

/* So many a second for so long that it is learned, then a hundred times as many. */
TEST(unusual_volume_is_told_with_what_was_learned_and_nobody_banned)
{
	struct netns_pair p = guarded("on --udp-flood 0");
	const struct forged usual = { .proto = IPPROTO_UDP, .sport = 4000 };
	char *text, *mean;
	double learned;

	forge(&p.b, &usual, 34 * 50, 34000);
	text = events_of(&p, &usual, 5000, 900, "security.anomaly");
	CHECK(strstr(text, "\"event_type\":\"security.anomaly\"") &&
		      strstr(text, "\"limit\":1000") && strstr(text, "\"action\":\"alert\""),
	      "not told: %s", text);
	mean = strstr(text, "\"mean\":");
	learned = mean ? strtod(mean + 7, NULL) : 0;
	CHECK(learned > 25 && learned < 100, "learned %.0f a second of 50: %s", learned, text);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "told, not banned");
	free(text);
}

TEST(answers_nobody_asked_for_are_found)
{
	struct netns_pair p = guarded("on --amplification 500");
	char *text =
		events_of(&p, &(struct forged){ .proto = IPPROTO_UDP, .sport = 53, .ports = 60000 },
			  4000, 1500, "security.ban");

	CHECK(strstr(text, "\"rule\":\"amplification\""), "not told: %s", text);
	free(text);
}

TEST(fast_honest_clients_are_never_banned)
{
	struct netns_pair p = guarded("on");

	CHECK(stream(&p.b, &p.a, "10.77.0.1", 5001, 400000000), "bulk TCP in failed");
	CHECK(stream(&p.a, &p.b, "10.77.0.2", 5002, 200000000), "bulk TCP out failed");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5003, 4000), 4000, "connections");
	forge(&p.b, &(struct forged){ .proto = IPPROTO_TCP, .flags = ACK }, 40000, 1500);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 20000), 20000, "datagrams");
	forge(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 1000, 1200);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "afterwards");
	CHECK_EQ(stat_of(&p, "drops.detect"), 0, "drops");
	CHECK_EQ(stat_of(&p, "drops.ban"), 0, "drops");
}
