/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Thousands of processes that live a few milliseconds (tests/traffic/herd): how many of their bytes
 * come out under the right process, in netprobe and, over the same traffic, in nethogs.
 *
 * --procs N --hook FAMILY
 * --mode afpacket --life MS: by packets, of processes that live so long
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "records.h"

#define SETTLE_MS 500	  /* for nethogs, which does not say when it has begun */
#define LAST_LOOK_MS 2000 /* nethogs shows totals once a second */
#define PID_MAX (1 << 22)

static uint64_t *seen; /* bytes by pid */

struct tally {
	uint64_t truth, right, unknown, other; /* bytes sent by children */
	unsigned int procs, procs_right;
};

/* right: what was said of a process, up to what it sent; other: what it never sent. */
static struct tally judge(json_t *reports)
{
	struct tally t = { 0 };
	const json_t *r;
	size_t i;

	json_array_foreach (reports, i, r) {
		uint64_t sent = rec_u64(r, "tx"), pid = rec_u64(r, "pid"), got;

		if (!rec_is(r, "role", "child") || pid >= PID_MAX)
			continue;
		got = seen[pid];
		t.truth += sent;
		t.right += got < sent ? got : sent;
		t.other += got > sent ? got - sent : 0;
		t.procs++;
		t.procs_right += got == sent;
	}
	return t;
}

static void take_netprobe(const char *path, uint64_t ns, struct tally *t)
{
	json_t *records = records_of_file(path);
	const json_t *r;
	size_t i;

	json_array_foreach (records, i, r) {
		if (!rec_is(r, "event_type", "transport.bw") || rec_u64(r, "netns") != ns)
			continue;
		if (json_is_integer(json_object_get(r, "pid")) && rec_u64(r, "pid") < PID_MAX)
			seen[rec_u64(r, "pid")] += rec_u64(r, "tx_bytes");
		else
			t->unknown += rec_u64(r, "tx_bytes") + rec_u64(r, "rx_bytes");
	}
	json_decref(records);
}

/* Lines "program/pid/uid<TAB>sent<TAB>received", totals in bytes. */
static void take_nethogs(const char *path)
{
	FILE *f = fopen(path, "re");
	char line[1024];

	if (!f)
		die(path);
	while (fgets(line, sizeof(line), f)) {
		char *tab = strchr(line, '\t'), *uid, *pid;
		unsigned long n;
		uint64_t sent;

		if (!tab)
			continue;
		*tab = '\0';
		uid = strrchr(line, '/');
		if (!uid)
			continue;
		*uid = '\0';
		pid = strrchr(line, '/');
		if (!pid)
			continue;
		n = strtoul(pid + 1, NULL, 10);
		sent = (uint64_t)strtod(tab + 1, NULL);
		if (n && n < PID_MAX && sent > seen[n])
			seen[n] = sent;
	}
	fclose(f);
}

static double share(const struct tally *t)
{
	return t->truth ? 100.0 * (double)t->right / (double)t->truth : 0;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* Milliseconds from main() to the end of 99 in 100 children. */
static double life_ms(const json_t *reports)
{
	double *lives = calloc(json_array_size(reports) + 1, sizeof(*lives)), p99;
	const json_t *r;
	size_t i, n = 0;

	if (!lives)
		die("calloc");
	json_array_foreach (reports, i, r)
		if (rec_is(r, "role", "child"))
			lives[n++] = json_number_value(json_object_get(r, "rate")) / 1000;
	qsort(lives, n, sizeof(*lives), compare);
	p99 = n ? lives[n * 99 / 100] : 0;
	free(lives);
	return p99;
}

/* Owners by packets: at least twice what nethogs finds, and never another process. */
static void judge_packets(const struct tally *t, const struct tally *hogs, const char *life)
{
	char id[32], what[120];

	snprintf(id, sizeof(id), "k.owner%s", life);
	snprintf(what, sizeof(what), "Bytes of processes of %s ms under the right pid, by packets",
		 life);
	figure(id, what, share(t), "%", AT_LEAST, atoi(life) >= 20 ? 68 : 1,
	       "nethogs over the same traffic %.1f %%", share(hogs));
	snprintf(id, sizeof(id), "k.owner%s.wrong", life);
	figure(id, "the same, bytes under a wrong pid", (double)t->other, "bytes", AT_MOST, 0, "%s",
	       "");
}

static void run(const char *proto, const char *procs, const char *hook)
{
	const char *life = tm_str("life", "0"), *mode = tm_str("mode", "ebpf");
	bool packets = !strcmp(mode, "afpacket");
	bool udp = !strcmp(proto, "udp"), hogs = command_exists("nethogs");
	const char *np[] = { "events",
			     "--format",
			     "json",
			     packets ? "--capture-mode" : "--hook",
			     packets ? mode : hook,
			     NULL };
	const char *herd[] = { maker_path("herd"),   "--procs", procs, "--life", life,
			       udp ? "--udp" : NULL, NULL };
	const char *hog[] = { "nethogs", "-t", "-v", "2", "-a", "-C", "lo", NULL };
	const char *np_out = scratch_path("owner.json"), *hog_out = scratch_path("nethogs.txt");
	struct child probe = packets ? netprobe_start_here(np_out, -1, np)
				     : netprobe_start(np_out, -1, np),
		     h = { .pid = 0 }, maker;
	struct tally t, ht = { 0 };
	char id[32], what[120];
	json_t *reports;
	double p99;
	char *text;

	if (hogs) {
		h = child_start_to(0, hog_out, hog);
		tm_sleep_ms(SETTLE_MS);
	}
	maker = child_start(CHILD_OUT, herd);
	text = child_text(&maker);
	if (child_wait(&maker))
		bench_die("herd failed");
	ns_wait_quiet();
	if (hogs) {
		tm_sleep_ms(LAST_LOOK_MS);
		child_stop(&h, SIGTERM);
	}
	if (child_stop(&probe, SIGTERM))
		bench_die("netprobe failed");
	reports = records_of_text(text);
	free(text);

	memset(seen, 0, PID_MAX * sizeof(*seen));
	memset(&t, 0, sizeof(t));
	if (hogs) {
		take_nethogs(hog_out);
		ht = judge(reports);
		memset(seen, 0, PID_MAX * sizeof(*seen));
	}
	take_netprobe(np_out, ns_inode(), &ht); /* ht.unknown: nethogs has none of its own */
	t = judge(reports);
	t.unknown = ht.unknown;
	p99 = life_ms(reports);
	json_decref(reports);
	if (packets) {
		judge_packets(&t, &ht, life);
		return;
	}

	snprintf(id, sizeof(id), "c.%s", proto);
	snprintf(what, sizeof(what), "Bytes of %s short-lived %s processes under the right pid",
		 procs, proto);
	figure(id, what, share(&t), "%", AT_LEAST, 100,
	       "%u of %u processes exact, %" PRIu64
	       " bytes too many, 99 %% lived less than %.1f ms",
	       t.procs_right, t.procs, t.other, p99);
	snprintf(id, sizeof(id), "c.%s.unknown", proto);
	figure(id, "the same, bytes without an owner", (double)t.unknown, "bytes", AT_MOST, 0, "%s",
	       "");
	if (hogs) {
		snprintf(id, sizeof(id), "c.%s.nethogs", proto);
		figure(id, "the same traffic, nethogs", share(&ht), "%", NULL, 0,
		       "%u of %u processes exact", ht.procs_right, ht.procs);
	}
}

int main(int argc, char **argv)
{
	const char *procs, *hook;

	tm_init(argc, argv);
	procs = tm_str("procs", "2000");
	hook = tm_str("hook", "auto");
	seen = calloc(PID_MAX, sizeof(*seen));
	if (!seen)
		die("calloc");
	bench_init();
	ns_enter_new();
	run("tcp", procs, hook);
	if (strcmp(tm_str("mode", "ebpf"), "afpacket") != 0)
		run("udp", procs, hook);
	free(seen);
	return 0;
}
