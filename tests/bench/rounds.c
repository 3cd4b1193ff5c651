/* SPDX-License-Identifier: BSD-2-Clause */
/* See rounds.h. */
#include "rounds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"

struct rr_result rr_run(const char *proto, bool one_cpu, const char *seconds, unsigned int rate)
{
	char rate_text[16];
	const char *argv[] = { bin_path("rr"),
			       "--proto",
			       proto,
			       "--seconds",
			       seconds,
			       "--rate",
			       rate_text,
			       "--client-cpu",
			       "0",
			       "--server-cpu",
			       one_cpu ? "0" : "1",
			       NULL };
	struct rr_result r = { 0 };
	struct child c;
	double cpu = 0;
	char *text;

	snprintf(rate_text, sizeof(rate_text), "%u", rate);
	c = child_start(CHILD_OUT, argv);
	text = child_text(&c);
	if (child_wait(&c) ||
	    sscanf(text, "{\"round_trips\":%" SCNu64 ",\"seconds\":%lf,\"rate\":%lf,\"cpu\":%lf}",
		   &r.round_trips, &r.seconds, &r.rate, &cpu) != 4)
		bench_die("rr failed: %s", text);
	r.per_cpu = cpu > 0 ? (double)r.round_trips / cpu : 0;
	free(text);
	return r;
}
