/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Events a second from the ring to a JSON file: `netprobe events` pinned to one processor, and a
 * program that writes records into its ring at a steady pace from the other one. Every record has to
 * come out as a line. --rate N --seconds S
 */
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "bench.h"
#include "flood.h"

#define STEPS 1000 /* portions a second */
#define COMM "np-flood"
#define MAKER_CPU 0
#define READER_CPU 1
#define DRAIN_MS 1500 /* more than an interval: what waits is written */

static int map_of(pid_t pid, const char *name)
{
	char path[320], line[256];
	struct dirent *e;
	unsigned int id;
	int found = -1;
	DIR *d;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	d = opendir(path);
	if (!d)
		die(path);
	while (found < 0 && (e = readdir(d)) != NULL) {
		FILE *f;

		snprintf(path, sizeof(path), "/proc/%d/fdinfo/%s", pid, e->d_name);
		f = fopen(path, "re");
		while (f && found < 0 && fgets(line, sizeof(line), f)) {
			struct bpf_map_info info = { .type = 0 };
			__u32 len = sizeof(info);

			if (sscanf(line, "map_id: %u", &id) != 1)
				continue;
			found = bpf_map_get_fd_by_id(id);
			if (found >= 0 && (bpf_obj_get_info_by_fd(found, &info, &len) ||
					   strcmp(info.name, name))) {
				close(found);
				found = -1;
			}
		}
		if (f)
			fclose(f);
	}
	closedir(d);
	if (found < 0)
		bench_die("netprobe has no map %s", name);
	return found;
}

static struct flood flood_new(unsigned int batch, bool only_open)
{
	struct flood f = { .batch = batch, .only_open = only_open };
	struct np_sock_rec *rec = &f.record.rec;

	f.record.hdr.len = sizeof(f.record);
	rec->opened_ns = rec->established_ns = tm_now_ns();
	rec->connect_us = 80;
	rec->tuple.family = AF_INET;
	rec->tuple.proto = IPPROTO_TCP;
	rec->tuple.state = 1;
	rec->tuple.laddr[10] = rec->tuple.laddr[11] = 0xff;
	rec->tuple.laddr[12] = 10;
	rec->tuple.laddr[15] = 1;
	memcpy(rec->tuple.raddr, rec->tuple.laddr, 16);
	rec->tuple.raddr[15] = 2;
	rec->tuple.lport = 40000;
	rec->tuple.rport = 443;
	strcpy(rec->tuple.ifname, "lo");
	rec->owner = (struct np_owner){ .tgid = (uint32_t)getpid(),
					.tid = (uint32_t)getpid(),
					.start_ns = 1,
					.match = NP_MATCH_EXACT,
					.comm = COMM };
	rec->last = rec->owner;
	rec->counts.tx_bytes = 1000;
	rec->counts.rx_bytes = 2000;
	rec->tcp.bytes_acked = 1000;
	rec->tcp.bytes_received = 2000;
	rec->tcp.srtt_us = 120;
	rec->tcp.min_rtt_us = 90;
	return f;
}

static struct bpf_object *flood_load(pid_t pid)
{
	struct bpf_object *obj = bpf_object__open_file(bin_path("flood.bpf.o"), NULL);
	int ring = map_of(pid, "np_events");
	struct bpf_map *map;

	if (!obj)
		die("flood.bpf.o");
	map = bpf_object__find_map_by_name(obj, "np_events");
	if (!map || bpf_map__reuse_fd(map, ring) || bpf_object__load(obj))
		die("loading flood.bpf.o");
	close(ring);
	return obj;
}

/* One portion a millisecond; a portion that is late is made up for. */
static double pour(int prog, unsigned int seconds)
{
	uint64_t start = tm_now_ns(), steps = (uint64_t)seconds * STEPS;
	LIBBPF_OPTS(bpf_test_run_opts, opts);

	for (uint64_t i = 0; i < steps; i++) {
		uint64_t due = start + i * (1000000000u / STEPS), now = tm_now_ns();

		if (now < due)
			usleep((unsigned int)((due - now) / 1000));
		if (bpf_prog_test_run_opts(prog, &opts))
			die("BPF_PROG_TEST_RUN");
	}
	return (double)(tm_now_ns() - start) / 1e9;
}

/* Lines of our made-up process. The file is gigabytes at worst, so no JSON is parsed. */
static uint64_t count_lines(const char *path, const char *type)
{
	FILE *f = fopen(path, "re");
	char *line = NULL, want[64];
	uint64_t n = 0;
	size_t size = 0;

	if (!f)
		die(path);
	snprintf(want, sizeof(want), "\"event_type\":\"%s\"", type);
	while (getline(&line, &size, f) > 0)
		if (strstr(line, want) && strstr(line, "\"comm\":\"" COMM "\"") &&
		    line[strlen(line) - 1] == '\n')
			n++;
	free(line);
	fclose(f);
	return n;
}

static void run(const char *id, const char *what, bool only_open, unsigned int rate,
		unsigned int seconds)
{
	const char *path = scratch_path("flood.json"), *const args[] = { "events", "--format",
									 "json", NULL };
	struct child c = netprobe_start(path, READER_CPU, args);
	struct bpf_object *obj = flood_load(c.pid);
	struct flood f = flood_new(rate / STEPS, only_open);
	int ctl = bpf_object__find_map_fd_by_name(obj, "np_flood");
	int prog = bpf_program__fd(bpf_object__find_program_by_name(obj, "flood"));
	uint64_t cpu, opens, closes, mib;
	double took, busy;
	struct stat st;
	__u32 zero = 0;

	if (bpf_map_update_elem(ctl, &zero, &f, BPF_ANY))
		die("np_flood");
	cpu = cpu_time_ns(c.pid);
	took = pour(prog, seconds);
	busy = (double)(cpu_time_ns(c.pid) - cpu) / took / 1e7;
	tm_sleep_ms(DRAIN_MS);
	mib = status_kib(c.pid, "VmHWM") / 1024;
	if (bpf_map_lookup_elem(ctl, &zero, &f))
		die("np_flood");
	bpf_object__close(obj);
	if (child_stop(&c, SIGTERM))
		bench_die("netprobe failed");
	opens = count_lines(path, "conn.open");
	closes = count_lines(path, "conn.close");
	if (stat(path, &st) < 0)
		die(path);
	unlink(path);
	figure(id, what, (double)(opens + closes) / took, "/s", AT_LEAST, rate * 0.999,
	       "of %" PRIu64 " records %" PRIu64 " came out as lines (%.0f bytes each), %" PRIu64
	       " found the ring full; netprobe took %.0f %% of one processor and %" PRIu64
	       " MiB at most",
	       (uint64_t)(f.written + f.full), opens + closes,
	       (double)st.st_size / (double)(opens + closes + 1), (uint64_t)f.full, busy, mib);
	if (only_open)
		return;
	figure("g.lost", "Records lost of these", (double)(f.written + f.full - opens - closes), "",
	       AT_MOST, 0, "%s", "");
}

static int print(enum libbpf_print_level level, const char *format, va_list ap)
{
	return level == LIBBPF_WARN ? vfprintf(stderr, format, ap) : 0;
}

int main(int argc, char **argv)
{
	unsigned int rate, seconds;

	tm_init(argc, argv);
	rate = (unsigned int)tm_num("rate", 100000);
	seconds = (unsigned int)tm_num("seconds", 5);
	libbpf_set_print(print);
	bench_init();
	pin_cpu(MAKER_CPU);
	run("g.open", "Events to a JSON file, conn.open alone", true, rate, seconds);
	run("g.pair", "Events to a JSON file, conn.open and conn.close", false, rate, seconds);
	return 0;
}
