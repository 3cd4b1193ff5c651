/* SPDX-License-Identifier: BSD-2-Clause */
/* guard's detection: what it finds, and above all whom it leaves alone. */
#include <bpf/bpf.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "guard_run.h"
#include "probe.h"
#include "tap.h"
#include "wire/guard.h"

#define SYN 0x02
#define ACK 0x10
#define LEARNED_IN 31 /* seconds with packets, NP_GUARD_LEARN and the one under way */

/* Runs `guard events` beside a second of an attack, and gives what it printed. */
static char *events_of(struct netns_pair *p, const struct forged *what, unsigned int n,
		       const char *until)
{
	char path[512], command[4096];
	char *text = NULL;
	FILE *f;
	int64_t deadline = deadline_in(20000);

	snprintf(path, sizeof(path), "%s/events", test_dir());
	/* It sees what comes once it watches. */
	snprintf(command, sizeof(command),
		 "mkfifo %s.fifo && { %s guard events --format json --duration 60 --ready-fd 9 "
		 "9>%s.fifo >%s 2>/dev/null & echo $! >%s.pid; } && head -c 1 %s.fifo >/dev/null",
		 path, getenv("NETPROBE") ? getenv("NETPROBE") : "build/netprobe", path, path, path,
		 path);
	netns_must(&p->a, command);
	forge_second(&p->b, what, n);
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

static void check_once(const char *name, const char *type)
{
	char what[100], *text = text_of(name);

	snprintf(what, sizeof(what), "\"event_type\":\"%s\"", type);
	CHECK(times(name, what) == 1, "%s: expected one %s, got %u in %s", name, type,
	      times(name, what), text);
	free(text);
}

/* More echo requests in a second than the 200 that are let, and the packet that shows it: one finding, after the time it gives. */
static int64_t flood_of_icmp(const struct netns *from)
{
	int64_t before;

	forge_second(from, &(struct forged){ .proto = IPPROTO_ICMP }, 600);
	before = now_ms();
	forge(from, &(struct forged){ .proto = IPPROTO_ICMP }, 1, 1);
	return before;
}

/* Readers of one log: nobody takes an event from anybody, and the stream has the counters as well. */
TEST(every_watcher_and_the_event_stream_see_each_finding)
{
	static const char *const names[] = { "stream", "first", "second" };
	static const char *const rungs[] = { "ebpf", "afpacket" };

	for (unsigned int k = 0; k < 2; k++) {
		struct netns_pair p = guard_pair("on --icmp-flood 200 --ban-time 1s");
		char args[256];

		snprintf(args, sizeof(args),
			 "events --format json --interval 0.2 --duration 60 --capture-mode %s",
			 rungs[k]);
		begin_command(&p.a, args, "stream");
		begin_command(&p.a, "guard events --format json --duration 60", "first");
		begin_command(&p.a, "guard events --format json --duration 60", "second");
		(void)flood_of_icmp(&p.b);
		for (unsigned int i = 0; i < 3; i++) {
			struct seen unban = { names[i], "security.unban" };

			CHECK(wait_until(is_seen, &unban, 20000), "%s: %s told no end of the ban",
			      rungs[k], names[i]);
			check_once(names[i], "security.icmp_flood");
			check_once(names[i], "security.ban");
			end_command(&p.a, names[i]);
		}
		if (!k)
			CHECK(times("stream", "\"event_type\":\"stats.global\"") > 0,
			      "no stats.global");
		guard_must(&p.a, "detach %s", p.if_a);
	}
}

/* As a command that was killed between them: an event has its number, and nobody ever writes it. */
static void leave_a_number(const struct netns *ns)
{
	char path[128];
	size_t room = (sizeof(struct np_guard_conf) + 4095) / 4096 * 4096;
	struct np_guard_conf *conf;
	int fd;

	snprintf(path, sizeof(path), "/sys/fs/bpf/netprobe/guard-%" PRIu64 "/np_guard_conf",
		 ns->inode);
	fd = bpf_obj_get(path);
	REQUIRE(fd >= 0, "%s: %s", path, strerror(errno));
	conf = mmap(NULL, room, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	REQUIRE(conf != MAP_FAILED, "%s: %s", path, strerror(errno));
	__sync_fetch_and_add(&conf->events, 1);
	munmap(conf, room);
	close(fd);
}

TEST(an_event_that_its_writer_died_over_keeps_no_watcher_from_the_next)
{
	struct netns_pair p = guard_pair("off");

	begin_command(&p.a, "guard events --format json --duration 60", "after");
	leave_a_number(&p.a);
	guard_must(&p.a, "ban 192.0.2.1");
	CHECK(wait_until(is_seen, &(struct seen){ "after", "192.0.2.1" }, 20000),
	      "not told of what came behind it");
	end_command(&p.a, "after");
}

TEST(syn_flood_is_told_with_its_figures_and_its_source_banned)
{
	struct netns_pair p = guard_pair("on --ban-time 60s");
	char *text = events_of(&p, &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN }, 6000,
			       "security.ban");

	CHECK(strstr(text, "\"event_type\":\"security.syn_flood\"") &&
		      strstr(text, "\"raddr\":\"10.77.0.2\"") && strstr(text, "\"limit\":1000") &&
		      strstr(text, "\"action\":\"ban\""),
	      "not told as it was: %s", text);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	CHECK(guard_stat(&p, "dropped.detect") >= 5, "drops are not counted");
	guard_must(&p.a, "list --format json");
	CHECK(strstr(guard_out(), "10.77.0.2") && strstr(guard_out(), "detection, 1. time"),
	      "not in the list: %s", guard_out());
	free(text);
}

static bool passes_again(void *arg)
{
	struct netns_pair *p = arg;

	return datagrams(&p->b, &p->a, "10.77.0.1", 6001, 1) == 1;
}

/* Of a ban of ms that has just begun; a machine that took longer than that to send something tells nothing. */
static void check_banned(struct netns_pair *p, int64_t began, int ms)
{
	unsigned int got = datagrams(&p->b, &p->a, "10.77.0.1", 6001, 5);

	CHECK(got == 0 || now_ms() - began > ms, "banned for %d ms: %u of 5 came in", ms, got);
}

/* The figures of all events of one type, in order; how many. */
static unsigned int numbers_of(const char *name, const char *type, const char *key, double *ret,
			       unsigned int max)
{
	char *text = text_of(name), *save = NULL;
	unsigned int n = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save)) {
		json_t *r = json_loads(line, 0, NULL);
		const char *is = json_string_value(json_object_get(r, "event_type"));

		if (is && !strcmp(is, type) && n < max)
			ret[n++] = json_number_value(json_object_get(r, key));
		json_decref(r);
	}
	free(text);
	return n;
}

/* Detection has banned 10.77.0.2 there. */
static struct netns_pair banned_pair(void)
{
	struct netns_pair p = guard_pair("on --icmp-flood 200 --ban-time 60s");

	forge_second(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 600);
	forge(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 1, 1);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	guard_must(&p.a, "list");
	CHECK(strstr(guard_out(), "10.77.0.2"), "not in the list: %s", guard_out());
	return p;
}

static void not_banned(struct netns_pair *p, const char *why)
{
	guard_must(&p->a, "list");
	CHECK(!strstr(guard_out(), "10.77.0.2"), "%s: still in the list: %s", why, guard_out());
	CHECK_EQ(datagrams(&p->b, &p->a, "10.77.0.1", 6002, 5), 5, why);
}

TEST(unban_lifts_what_detection_has_banned)
{
	struct netns_pair p = banned_pair();

	CHECK_EQ(guard_run(&p.a, "unban 10.99.0.0/16"), 3, "unban of a network without any");
	guard_must(&p.a, "unban 10.77.0.0/24");
	not_banned(&p, "after unban");
	CHECK_EQ(guard_run(&p.a, "unban 10.77.0.2"), 3, "unban of what is lifted");
}

TEST(bans_of_detection_end_with_it_and_are_not_told_of_who_is_allowed)
{
	struct netns_pair p = banned_pair();

	guard_must(&p.a, "allow 10.77.0.2");
	guard_must(&p.a, "list --format json");
	CHECK(!strstr(guard_out(), "\"detect\""), "told as banned: %s", guard_out());
	guard_must(&p.a, "unban --allow 10.77.0.2");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned again");
	guard_must(&p.a, "detect off");
	not_banned(&p, "after detect off");
	guard_must(&p.a, "detect on");
	not_banned(&p, "after detect on");
}

TEST(gateway_is_told_and_never_banned_by_detection)
{
	struct netns_pair p = netns_pair_new();

	netns_must(&p.a, "ip route add 0.0.0.0/1 via 10.77.0.2");
	guard_must(&p.a, "attach %s --mode filter", p.if_a);
	CHECK_EQ(guard_run(&p.a, "ban 10.77.0.2"), 3, "a ban of half of the default route");
	guard_must(&p.a, "detect on --icmp-flood 200 --ban-time 60s");
	begin_command(&p.a, "guard events --format json --duration 60", "spared");
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 1), 1, "before");
	forge_second(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 600);
	forge(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 1, 1);
	CHECK(wait_until(is_seen, &(struct seen){ "spared", "security.icmp_flood" }, 20000),
	      "not told");
	CHECK(!times("spared", "security.ban"), "banned");
	not_banned(&p, "of the gateway");
	end_command(&p.a, "spared");
}

TEST(each_repeat_doubles_the_ban)
{
	struct netns_pair p = guard_pair("on --icmp-flood 200 --ban-time 1s");
	double s[4], seen[4], strikes[4];
	unsigned int n;

	begin_command(&p.a, "guard events --format json --duration 60", "repeats");
	for (unsigned int i = 0; i < 3; i++) {
		check_banned(&p, flood_of_icmp(&p.b), 1000 << i);
		if (i < 2)
			CHECK(wait_until(passes_again, &p, 20000), "still banned, time %u", i + 1);
	}
	CHECK(wait_until(is_seen, &(struct seen){ "repeats", "\"strikes\":3" }, 20000),
	      "no third ban was told");
	n = numbers_of("repeats", "security.ban", "num", s, 4);
	CHECK_EQ(n, 3, "bans");
	CHECK_EQ(numbers_of("repeats", "security.icmp_flood", "num", seen, 4), 3, "floods");
	CHECK_EQ(numbers_of("repeats", "security.icmp_flood", "strikes", strikes, 4), 3, "floods");
	for (unsigned int i = 0; i < n && i < 3; i++) {
		CHECK(s[i] > 0.9 * (1 << i) && s[i] < 1.1 * (1 << i),
		      "ban %u took %.2f s, expected %u", i + 1, s[i], 1U << i);
		CHECK(seen[i] > 200 && seen[i] <= 600, "%.0f a second were told of 600", seen[i]);
		CHECK_EQ((unsigned int)strikes[i], i + 1, "strikes");
	}
	end_command(&p.a, "repeats");
}

TEST(flood_of_datagrams_is_banned_where_a_figure_was_given)
{
	const struct forged udp = { .proto = IPPROTO_UDP, .sport = 4000 };
	struct netns_pair p = guard_pair("on --udp-flood 500");
	char *text = events_of(&p, &udp, 1500, "security.ban");

	CHECK(strstr(text, "\"event_type\":\"security.udp_flood\"") &&
		      strstr(text, "\"rule\":\"udp_flood\"") && strstr(text, "\"limit\":500") &&
		      strstr(text, "\"raddr\":\"10.77.0.2\"") && !strstr(text, "amplification"),
	      "not told as it was: %s", text);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	free(text);
}

/* Under the same load, with the figure that holds unless another is given. */
TEST(datagrams_without_a_figure_are_no_flood)
{
	struct netns_pair p = guard_pair("on");

	forge(&p.b, &(struct forged){ .proto = IPPROTO_UDP, .sport = 4000 }, 6000, 1200);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "not banned");
}

TEST(ban_of_detection_ends_by_itself)
{
	struct netns_pair p = guard_pair("on --icmp-flood 200 --ban-time 1s");

	check_banned(&p, flood_of_icmp(&p.b), 1000);
	CHECK(wait_until(passes_again, &p, 20000), "still banned after its time");
}

TEST(port_scan_is_found_and_a_dry_run_lets_it_pass)
{
	struct netns_pair p = guard_pair("dry-run");
	char *text = events_of(&p,
			       &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN, .ports = 200 },
			       200, "security.port_scan");

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
	struct netns_pair p = guard_pair("on");
	char *text = events_of(&p,
			       &(struct forged){ .proto = IPPROTO_TCP, .flags = SYN, .hosts = 200 },
			       200, "security.ban");

	CHECK(strstr(text, "\"event_type\":\"security.port_scan\"") &&
		      strstr(text, "\"rule\":\"host_scan\"") && strstr(text, "\"limit\":64"),
	      "not told: %s", text);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 0, "banned");
	free(text);
}

/* So many a second for so long that it is learned, then a hundred times as many. */
TEST(unusual_volume_is_told_with_what_was_learned_and_nobody_banned)
{
	struct netns_pair p = guard_pair("on --udp-flood 0");
	const struct forged usual = { .proto = IPPROTO_UDP, .sport = 4000 };
	char *text, *mean;
	double learned;

	for (unsigned int i = 0; i < LEARNED_IN; i++)
		forge_second(&p.b, &usual, 50);
	text = events_of(&p, &usual, 5000, "security.anomaly");
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
	struct netns_pair p = guard_pair("on --amplification 500");
	char *text =
		events_of(&p, &(struct forged){ .proto = IPPROTO_UDP, .sport = 53, .ports = 60000 },
			  4000, "security.ban");

	CHECK(strstr(text, "\"rule\":\"amplification\""), "not told: %s", text);
	free(text);
}

TEST(fast_honest_clients_are_never_banned)
{
	struct netns_pair p = guard_pair("on");

	CHECK(stream(&p.b, &p.a, "10.77.0.1", 5001, 400000000), "bulk TCP in failed");
	CHECK(stream(&p.a, &p.b, "10.77.0.2", 5002, 200000000), "bulk TCP out failed");
	CHECK_EQ(connections(&p.b, &p.a, "10.77.0.1", 5003, 4000), 4000, "connections");
	forge(&p.b, &(struct forged){ .proto = IPPROTO_TCP, .flags = ACK }, 40000, 1500);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 20000), 20000, "datagrams");
	forge(&p.b, &(struct forged){ .proto = IPPROTO_ICMP }, 1000, 1200);
	CHECK_EQ(datagrams(&p.b, &p.a, "10.77.0.1", 6001, 5), 5, "afterwards");
	CHECK_EQ(guard_stat(&p, "dropped.detect"), 0, "drops");
	CHECK_EQ(guard_stat(&p, "dropped.ban"), 0, "drops");
}
