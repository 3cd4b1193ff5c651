/* SPDX-License-Identifier: BSD-2-Clause */
/* See figures.h. Called at the end of each netprobe that a test starts (probe.c). */
#include "figures.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "netns.h"
#include "tap.h"

/* One process, over loopback or a cable in memory; more than the machines of today copy. */
#define BYTES_S (8.0 * (1 << 30))
#define BUFFERS (64.0 * (1 << 20)) /* may be put into sockets, or taken out, at any moment */
/* Sockets are read one after the other: on a busy machine one is read so much later than at the tick before. */
#define LATER_S 0.2
#define PACKETS_S 100e6
#define RTT_MAX_US 3600e6

/*
 * Of a namespace of the test's own its interfaces counted what went through. What went nowhere waits in queues, was dropped
 * before an interface had it, or went through one that is gone: little.
 */
#define ASTRAY 100000

/* What a namespace's interfaces carried; read when its first record is met: what comes later makes it no smaller. */
struct carried {
	double netns, tx, rx;
	bool known;
};

bool figures_may_be_implausible;

struct line {
	const char *path;
	unsigned int number, wrong;
	double seconds; /* of the run */
	struct carried carried[8];
	unsigned int n_carried; /* ever; the oldest make room */
};

static const struct carried *carried_of(struct line *l, double netns)
{
	const unsigned int room = sizeof(l->carried) / sizeof(l->carried[0]);
	struct carried *c;

	for (unsigned int i = 0; i < room && i < l->n_carried; i++)
		if (l->carried[i].netns == netns)
			return &l->carried[i];
	c = &l->carried[l->n_carried++ % room];
	*c = (struct carried){ .netns = netns };
	c->known = netns_carried((uint64_t)netns, &c->tx, &c->rx);
	return c;
}

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

static void check_carried(struct line *l, const json_t *r)
{
	static const char *const tx[] = { "tx_bytes", "tx_unseen_bytes", "bytes_sent",
					  "bytes_acked", "bytes_retrans" };
	static const char *const rx[] = { "rx_bytes", "rx_unseen_bytes", "bytes_received" };
	static const char *const sent[] = { "tx_pkts", "retransmits" };
	double netns = number(r, "netns");
	const struct carried *c;

	/* of a sample what is told is an estimate */
	if (netns <= 0 || number(r, "sample_rate") > 1)
		return;
	c = carried_of(l, netns);
	if (!c->known)
		return;
	for (unsigned int i = 0; i < sizeof(tx) / sizeof(tx[0]); i++)
		at_most(l, r, tx[i], c->tx + BUFFERS);
	for (unsigned int i = 0; i < sizeof(rx) / sizeof(rx[0]); i++)
		at_most(l, r, rx[i], c->rx + BUFFERS);
	/* each has a byte and more */
	for (unsigned int i = 0; i < sizeof(sent) / sizeof(sent[0]); i++)
		at_most(l, r, sent[i], c->tx + ASTRAY);
	at_most(l, r, "rx_pkts", c->rx + ASTRAY);
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
	if (!figures_may_be_implausible)
		at_most(l, r, "implausible", 0);
	check_carried(l, r);
}

/* What is in a record, as the connections of why, has figures as well. */
static void check_all(struct line *l, const json_t *r)
{
	const char *key;
	json_t *one;
	size_t i;

	if (json_is_array(r))
		json_array_foreach (r, i, one)
			check_all(l, one);
	if (!json_is_object(r))
		return;
	check(l, r);
	json_object_foreach ((json_t *)r, key, one)
		if (json_is_object(one) || json_is_array(one))
			check_all(l, one);
}

void figures_check(const char *path, double seconds)
{
	struct line l = { .path = path, .seconds = seconds };
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;
	json_t *r;

	while (f && getline(&text, &size, f) > 0) {
		l.number++;
		r = text[0] == '{' || text[0] == '[' ? json_loads(text, 0, NULL) : NULL;
		check_all(&l, r);
		json_decref(r);
	}
	free(text);
	if (f)
		fclose(f);
}

void figures_check_log(const char *path)
{
	FILE *f = fopen(path, "re");
	char *text = NULL;
	size_t size = 0;

	while (f && getline(&text, &size, f) > 0)
		CHECK(figures_may_be_implausible || !strstr(text, "figures that cannot be"),
		      "%s: %s", path, text);
	free(text);
	if (f)
		fclose(f);
}
