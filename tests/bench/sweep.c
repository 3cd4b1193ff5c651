/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A session whose intervals end when they are told to: for each line on stdin one tick ("t"), or one
 * bare sweep of all sockets ("f"), and a line about it: sockets, records, passes, ms of the sweep, ms
 * of the whole tick, ms of processor time in it. The first line is the time it took to open.
 */
#include <stdio.h>
#include <time.h>

#include "engine/session.h"

static void drop(const struct np_sock_rec *rec, void *arg)
{
	(void)rec;
	(void)arg;
}

static uint64_t cpu_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

static int one(struct session *s, int what)
{
	struct probe *p = session_probe(s);
	struct probe_sweep_stats st;
	uint64_t start = clock_monotonic_ns(), cpu = cpu_ns();
	int r = what == 'f' ? probe_sweep(p, true, drop, NULL) : session_tick(s);

	if (r < 0)
		return r;
	probe_last_sweep(p, &st);
	cpu = cpu_ns() - cpu;
	printf("%llu %llu %llu %.3f %.3f %.3f\n", (unsigned long long)st.sockets,
	       (unsigned long long)st.records, (unsigned long long)st.passes, (double)st.ns / 1e6,
	       (double)(clock_monotonic_ns() - start) / 1e6, (double)cpu / 1e6);
	fflush(stdout);
	return 0;
}

int main(void)
{
	struct session_opts opts = { .event_fn = NULL };
	struct netprobe_error err = { 0 };
	uint64_t start = clock_monotonic_ns();
	struct session *s = NULL;
	char line[16];
	int r;

	opts.filter.enabled = 1;
	r = session_open(&opts, &s, &err);
	if (r < 0) {
		fprintf(stderr, "sweep: %s\n", err.msg);
		return 1;
	}
	printf("%.1f\n", (double)(clock_monotonic_ns() - start) / 1e6);
	fflush(stdout);
	while (r >= 0 && fgets(line, sizeof(line), stdin))
		r = one(s, line[0]);
	(void)session_close(s);
	return r < 0;
}
