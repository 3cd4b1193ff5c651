/* SPDX-License-Identifier: BSD-2-Clause */
/* See rounds.h. */
#include "rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

struct rr_result rr_run(const struct rr_how *how)
{
	char rate[16], threads[16], sockets[16];
	const char *argv[] = { bin_path("rr"),
			       "--proto",
			       how->proto,
			       "--seconds",
			       how->seconds,
			       "--rate",
			       rate,
			       "--threads",
			       threads,
			       "--sockets",
			       sockets,
			       "--client-cpu",
			       "0",
			       "--server-cpu",
			       how->one_cpu ? "0" : "1",
			       "--hold",
			       "warm",
			       NULL };
	struct rr_result r = { 0 };
	struct child c;
	double cpu = 0;
	char *text, byte;

	snprintf(rate, sizeof(rate), "%u", how->rate);
	snprintf(threads, sizeof(threads), "%u", how->threads ? how->threads : 1);
	snprintf(sockets, sizeof(sockets), "%u", how->sockets ? how->sockets : 1);
	c = child_start(CHILD_OUT | CHILD_IN, argv);
	while (read(c.out, &byte, 1) == 1 && byte != '\n')
		; /* it holds */
	if (how->warm)
		how->warm(how->arg);
	if (write(c.in, "", 1) != 1)
		die("rr does not hold");
	text = child_text(&c);
	if (child_wait(&c) ||
	    sscanf(text, "{\"round_trips\":%" SCNu64 ",\"seconds\":%lf,\"rate\":%lf,\"cpu\":%lf}",
		   &r.round_trips, &r.seconds, &r.rate, &cpu) != 4)
		bench_die("rr failed: %s", text);
	r.per_cpu = cpu > 0 ? (double)r.round_trips / cpu : 0;
	free(text);
	return r;
}
