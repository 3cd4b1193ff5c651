/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Who opens, uses and closes connections: each event as a line of JSON.
 *	events [SECONDS]
 */
#include <netprobe/netprobe.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static void on_events(const struct netprobe_event *events, size_t n, void *arg)
{
	(void)arg;
	for (size_t i = 0; i < n; i++)
		puts(events[i].json);
	fflush(stdout);
}

static int fail(const struct netprobe_error *err)
{
	fprintf(stderr, "events: %s%s%s\n", err->msg, err->hint[0] ? "; " : "", err->hint);
	return 1;
}

int main(int argc, char **argv)
{
	time_t end = time(NULL) + (argc > 1 ? atoi(argv[1]) : 10);
	struct netprobe_manager *m = NULL;
	struct netprobe_error err = { 0 };
	int r;

	if (netprobe_manager_new(&m, &err))
		return fail(&err);
	netprobe_manager_set_event_handler(m, NETPROBE_EVENT_FLOW, on_events, NULL);
	if (netprobe_manager_load(m, &err)) {
		netprobe_manager_free(m);
		return fail(&err);
	}
	fprintf(stderr, "ready\n");
	do {
		r = netprobe_manager_poll(m, 200);
	} while (r >= 0 && time(NULL) < end);
	netprobe_manager_free(m);
	return r < 0;
}
