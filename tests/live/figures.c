/* SPDX-License-Identifier: BSD-2-Clause */
/* See figures.h. Called at the end of each netprobe that a test starts (probe.c). */
#include "figures.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

/* One process, over loopback or a cable in memory; more than the machines of today copy. */
#define BYTES_S (8.0 * (1 << 30))
#define BUFFERS (64.0 * (1 << 20)) /* may be put into sockets, or taken out, at any moment */
/* Sockets are read one after the other: on a busy machine one is read so much later than at the tick before. */
#define LATER_S 0.2
#define PACKETS_S 100e6
#define RTT_MAX_US 3600e6

struct line {
	const char *path;
	unsigned int number, wrong;
	double seconds; /* of the run */
};

static double number(const json_t *r, const char *key)
{
	const json_t *v = json_object_get(r, key);

	return json_is_number(v) ? json_number_value(v) : 0;
}

static void at_most(struct line *l, const json_t *r, const char *key, double most)
{
	double got = number(r, key);

	if (got >= 0 && got <= most)
		return;
	if (l->wrong++ < 5)
		CHECK(false, "%s line %u: %s: expected at most %.0f, got %.0f", l->path, l->number,
		      key, most, got);
}

static void check(struct line *l, const json_t *r)
{
	static const char *const bytes[] = { "tx_bytes",	 "rx_bytes",
					     "unowned_tx_bytes", "unowned_rx_bytes",
					     "lost_tx_bytes",	 "lost_rx_bytes" };
	static const char *const packets[] = { "tx_pkts", "rx_pkts", "retransmits" };
	static const char *const times[] = { "srtt_us", "min_rtt_us", "rttvar_us" };
	const char *type = json_string_value(json_object_get(r, "event_type"));
	double seconds = l->seconds;

	/* those of interfaces go on from before the run */
	if (type && !strncmp(type, "stats.", 6))
		return;
	if (type && !strcmp(type, "transport.bw"))
		seconds = number(r, "interval_s") + LATER_S;
	for (unsigned int i = 0; i < sizeof(bytes) / sizeof(bytes[0]); i++)
		at_most(l, r, bytes[i], seconds * BYTES_S + BUFFERS);
	for (unsigned int i = 0; i < sizeof(packets) / sizeof(packets[0]); i++)
		at_most(l, r, packets[i], seconds * PACKETS_S + 1e6);
	for (unsigned int i = 0; i < sizeof(times) / sizeof(times[0]); i++)
		at_most(l, r, times[i], RTT_MAX_US);
	at_most(l, r, "implausible", 0);
}

void figures_check(const char *path, double seconds)
{
	struct line l = { .path = path, .seconds = seconds };
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0, i;
	json_t *r, *one;

	while (f && getline(&text, &size, f) > 0) {
		l.number++;
		r = text[0] == '{' || text[0] == '[' ? json_loads(text, 0, NULL) : NULL;
		json_array_foreach (r, i, one)
			check(&l, one);
		if (json_is_object(r))
			check(&l, r);
		json_decref(r);
	}
	free(text);
	if (f)
		fclose(f);
}
