/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a packet ring loses: small datagrams over a veth pair at a fixed rate, netprobe on one processor
 * at the receiving end. What it counted is compared with what was sent.
 *
 * --rate N --seconds S
 */
#include <inttypes.h>
#include <jansson.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "records.h"

#define PORT "9999"
#define WHAT "Datagrams of 64 bytes at the rate asked for, not counted by packets"

static uint64_t sum(const json_t *records, const char *type, const char *key)
{
	const json_t *r;
	uint64_t n = 0;
	size_t i;

	json_array_foreach (records, i, r)
		if (rec_is(r, "event_type", type))
			n += rec_u64(r, key);
	return n;
}

static uint64_t lost(const json_t *records)
{
	const json_t *r;
	uint64_t n = 0;
	size_t i;

	/* since the start: the last one has them all */
	json_array_foreach (records, i, r)
		if (rec_is(r, "event_type", "probe.loss") && rec_is(r, "entity_id", "afpacket"))
			n = rec_u64(r, "ring_full");
	return n;
}

int main(int argc, char **argv)
{
	const char *np[] = { "events", "--format", "json", "--capture-mode", "afpacket", NULL };
	const char *out = scratch_path("packets.json");
	struct child probe, blast;
	struct ns_pair pair;
	uint64_t sent, seen, used;
	json_t *records, *report;
	char *text, detail[200];
	double rate;
	int sink;

	tm_init(argc, argv);
	bench_init();
	pair = ns_pair_new();
	ns_enter(pair.b);
	{
		struct addr a = addr_parse("10.77.0.2", (uint16_t)atoi(PORT));

		sink = udp_bind(
			&a); /* takes nothing: what is full is dropped, and nobody is told */
		probe = netprobe_start_here(out, 1, np);
	}
	ns_enter(pair.a);
	{
		const char *const args[] = { bin_path("blast"),
					     "--addr",
					     "10.77.0.2",
					     "--port",
					     PORT,
					     "--rate",
					     tm_str("rate", "250000"),
					     "--seconds",
					     tm_str("seconds", "5"),
					     NULL };

		used = cpu_time_ns(probe.pid);
		pin_cpu(0);
		blast = child_start(CHILD_OUT, args);
		text = child_text(&blast);
	}
	if (child_wait(&blast))
		bench_die("blast failed");
	used = cpu_time_ns(probe.pid) - used;
	if (child_stop(&probe, SIGTERM))
		bench_die("netprobe failed");
	(void)sink;
	report = json_loads(text, 0, NULL);
	records = records_of_file(out);
	sent = rec_u64(report, "sent");
	seen = sum(records, "transport.bw", "rx_pkts");
	rate = (double)sent / json_number_value(json_object_get(report, "seconds"));
	snprintf(detail, sizeof(detail),
		 "%" PRIu64 " sent at %.0f a second, %" PRIu64 " counted, ring full for %" PRIu64
		 ", %.1f %% of a processor",
		 sent, rate, seen, lost(records), (double)used * rate / (double)sent / 1e7);
	/* a loss of what was never sent proves nothing */
	if (rate < 0.95 * atof(tm_str("rate", "250000")))
		figure_failed("k.lost", WHAT, detail);
	else
		figure("k.lost", WHAT,
		       100.0 * (double)(sent > seen ? sent - seen : 0) / (double)sent, "%", AT_MOST,
		       1, "%s", detail);
	json_decref(report);
	json_decref(records);
	free(text);
	return 0;
}
