/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the flow table costs with many sockets: ns and bytes a flow, ms an operation. Needs no
 * privileges and no network. Argument: number of flows (100000).
 */
#include <malloc.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "flow/view.h"

#define SECOND 1000000000ull

static uint64_t clock_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * SECOND + (uint64_t)ts.tv_nsec;
}

/* A hundred processes, a thousand remote hosts, TCP throughout. */
static void make_record(struct np_sock_rec *rec, uint32_t i, uint64_t bytes)
{
	memset(rec, 0, sizeof(*rec));
	rec->sock_id = i + 1;
	rec->opened_ns = SECOND;
	rec->established_ns = SECOND;
	rec->tuple.family = AF_INET;
	rec->tuple.proto = IPPROTO_TCP;
	rec->tuple.state = 1;
	rec->tuple.laddr[10] = rec->tuple.laddr[11] = 0xff;
	memcpy(rec->tuple.raddr, rec->tuple.laddr, 16);
	rec->tuple.laddr[12] = 10;
	rec->tuple.raddr[12] = 10;
	rec->tuple.raddr[14] = (uint8_t)(i % 1000 / 250);
	rec->tuple.raddr[15] = (uint8_t)(i % 250 + 1);
	rec->tuple.lport = (uint16_t)(1024 + i % 60000);
	rec->tuple.rport = (uint16_t)(1 + i / 60000);
	(void)strcpy(rec->tuple.ifname, "eth0");
	rec->owner = (struct np_owner){ .tgid = 1000 + i % 100,
					.start_ns = SECOND,
					.match = NP_MATCH_EXACT,
					.comm = "server" };
	rec->last = rec->owner;
	rec->counts.tx_bytes = bytes * (i % 97 + 1);
	rec->counts.rx_bytes = bytes;
	rec->tcp.segs_out = (uint32_t)(bytes / 100);
	rec->tcp.srtt_us = i % 5000 + 1;
}

static void report(const char *what, uint64_t from_ns, uint32_t n)
{
	uint64_t ns = clock_ns() - from_ns;

	printf("%-44s %9.3f ms %8.1f ns/flow\n", what, (double)ns / 1e6, (double)ns / n);
}

static void query(struct viewer *v, const char *what, struct view_query q, uint32_t n)
{
	uint64_t t0 = clock_ns();
	struct view view;

	if (viewer_query(v, &q, &view) < 0)
		exit(1);
	report(what, t0, n);
	view_done(&view);
}

static void feed(struct flow_table *t, uint32_t n, uint64_t bytes, uint64_t now_ns)
{
	struct np_sock_rec rec;
	uint32_t i;

	for (i = 0; i < n; i++) {
		make_record(&rec, i, bytes);
		if (flow_table_sock(t, &rec, now_ns) < 0)
			exit(1);
	}
}

static void tick(struct flow_table *t, struct viewer *v, const char *what, uint64_t now_ns,
		 uint32_t n)
{
	uint64_t t0 = clock_ns();

	flow_table_tick(t, now_ns);
	viewer_tick(v, now_ns);
	report(what, t0, n);
}

static size_t heap(void)
{
	const struct mallinfo2 m = mallinfo2();

	return m.uordblks + m.hblkhd;
}

/* As much as a filter looks at. */
static bool has_port(const struct view_row *row, void *arg)
{
	(void)arg;
	return strcasestr(row->name, ":1234") != NULL;
}

int main(int argc, char **argv)
{
	uint32_t n = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 100000;
	struct process_table *procs = process_table_new("/nonexistent", NULL);
	struct flow_table *t = flow_table_new(NULL, procs);
	struct viewer *v = viewer_new(t);
	size_t before = heap();
	uint64_t t0, now = 10 * SECOND;

	if (!procs || !t || !v || !n)
		return 1;
	printf("%u TCP flows; struct flow %zu, with its TCP figures %zu bytes\n", n,
	       sizeof(struct flow), sizeof(struct flow) + sizeof(struct flow_tcp));
	t0 = clock_ns();
	feed(t, n, 0, now);
	report("insert", t0, n);
	tick(t, v, "tick, nothing moved yet", now += SECOND, n);
	printf("%-44s %9.1f bytes/flow, %.1f MiB\n", "heap, idle", (double)(heap() - before) / n,
	       (double)(heap() - before) / 1048576.0);
	tick(t, v, "tick, idle", now += SECOND, n);
	t0 = clock_ns();
	feed(t, n, 1000, now);
	report("update, all move", t0, n);
	tick(t, v, "tick, all moved", now += SECOND, n);
	printf("%-44s %9.1f bytes/flow, %.1f MiB\n", "heap, all active",
	       (double)(heap() - before) / n, (double)(heap() - before) / 1048576.0);
	query(v, "query connections, limit 100",
	      (struct view_query){
		      .kind = NETPROBE_VIEW_CONNECTION, .sort = NETPROBE_SORT_RATE, .limit = 100 },
	      n);
	query(v, "query connections, all",
	      (struct view_query){ .kind = NETPROBE_VIEW_CONNECTION, .sort = NETPROBE_SORT_RATE },
	      n);
	query(v, "query connections, filter, limit 100",
	      (struct view_query){
		      .kind = NETPROBE_VIEW_CONNECTION, .match = has_port, .limit = 100 },
	      n);
	query(v, "query processes",
	      (struct view_query){
		      .kind = NETPROBE_VIEW_PROCESS, .sort = NETPROBE_SORT_RATE, .limit = 100 },
	      n);
	query(v, "query remote hosts, by round trip",
	      (struct view_query){
		      .kind = NETPROBE_VIEW_REMOTE, .sort = NETPROBE_SORT_RTT, .limit = 100 },
	      n);
	tick(t, v, "tick, all become idle", now += SECOND, n);
	tick(t, v, "tick, idle again", now += SECOND, n);
	printf("%-44s %9.1f bytes/flow, %.1f MiB\n", "heap, idle again",
	       (double)(heap() - before) / n, (double)(heap() - before) / 1048576.0);
	(void)viewer_free(v);
	(void)flow_table_free(t);
	(void)process_table_free(procs);
	return 0;
}
