/* SPDX-License-Identifier: BSD-2-Clause */
/* Part of the flows, part of the events: the same ones each time, and what is left out is told. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "ctl.h"
#include "loss.h"
#include "ownership.h"
#include "tap.h"

/* Sockets of the namespace that an instance recorded, by their ports. */
static json_t *sockets(const json_t *records, const struct netns *ns, bool *ret_cookies)
{
	json_t *set = json_object();
	const json_t *r;
	char key[32];
	size_t i;

	*ret_cookies = true;
	json_array_foreach (records, i, r) {
		if (record_u64(r, "netns") != ns->inode || record_u64(r, "lport") == 0 ||
		    !record_u64(r, "rport"))
			continue;
		if (!record_u64(r, "sock"))
			*ret_cookies = false;
		snprintf(key, sizeof(key), "%" PRIu64 "-%" PRIu64, record_u64(r, "lport"),
			 record_u64(r, "rport"));
		json_object_set_new(set, key, json_true());
	}
	return set;
}

#define SAMPLED 8

TEST(sample_takes_the_same_flows_each_time_and_scales_them)
{
	struct netns ns = netns_new();
	uint64_t sent = 0, shown = 0;
	json_t *a_socks, *b_socks;
	bool cookies;
	struct probe a, b;
	struct maker m;
	const json_t *r;
	size_t i, n;

	own_run_dir();
	a = probe_start(FLOWS, "--sample-rate", "8", NULL);
	b = probe_start(FLOWS, "--sample-rate", "8", NULL);
	m = maker_run(&ns, "herd --procs 800 --bytes 10000");
	probe_stop(&a);
	probe_stop(&b);
	a_socks = sockets(a.records, &ns, &cookies);
	b_socks = sockets(b.records, &ns, &cookies);
	n = json_object_size(a_socks);
	/* Without cookies each instance has numbers of its own. */
	CHECK(!cookies || json_equal(a_socks, b_socks),
	      "expected the same sockets of both, got %zu and %zu", n, json_object_size(b_socks));
	/* 1600 sockets: 200 expected, with a deviation of 13. */
	CHECK(n > 200 - 6 * 13 && n < 200 + 6 * 13,
	      "sockets of 1600 at 1 in 8: expected about 200, got %zu", n);
	json_array_foreach (m.reports, i, r)
		sent += report_u64(r, "tx");
	json_array_foreach (a.records, i, r) {
		if (record_u64(r, "netns") != ns.inode)
			continue;
		shown += record_u64(r, "tx_bytes");
		CHECK(!record_u64(r, "rport") || record_u64(r, "sample_rate") == SAMPLED,
		      "sample_rate: expected %d, got %" PRIu64, SAMPLED,
		      record_u64(r, "sample_rate"));
	}
	CHECK(shown > sent / 2 && shown < sent * 3 / 2,
	      "bytes sent, scaled: expected about %" PRIu64 ", got %" PRIu64, sent, shown);
}

TEST(not_sampled_is_counted_as_sampled_out)
{
	struct netns ns = netns_new();
	struct probe p;

	own_run_dir();
	p = probe_start(EVENTS, "--sample-rate", "1000000", NULL);
	maker_run(&ns, "stream --bytes 100000 --chunk 1000");
	probe_stop(&p);
	CHECK(loss_sum(p.records, "sampled_out") >= 100,
	      "sampled_out: expected 100 or more, got %" PRIu64,
	      loss_sum(p.records, "sampled_out"));
}

TEST(max_events_bounds_their_rate_and_loses_no_byte)
{
	struct netns ns = netns_new();
	uint64_t lines = 0, first = 0, last = 0, seconds;
	struct probe p;
	struct maker m;
	const json_t *r;
	size_t i;

	own_run_dir();
	p = probe_start(EVENTS, "--max-events", "20", NULL);
	m = maker_run(&ns, "herd --procs 400");
	netns_wait_quiet(&ns);
	probe_stop(&p);
	json_array_foreach (p.records, i, r) {
		if (strncmp(record_str(r, "event_type"), "conn.", 5) != 0)
			continue;
		lines++;
		first = first ? first : record_u64(r, "ktime_ns");
		last = record_u64(r, "ktime_ns");
	}
	seconds = (last - first) / 1000000000 + 2;
	CHECK(lines && lines <= 20 * seconds,
	      "conn.* at 20 a second in %" PRIu64 " s: expected up to %" PRIu64 ", got %" PRIu64,
	      seconds, 20 * seconds, lines);
	CHECK(loss_sum(p.records, "rate_limited") + lines >= 1600,
	      "rate_limited: expected %" PRIu64 " or more, got %" PRIu64, 1600 - lines,
	      loss_sum(p.records, "rate_limited"));
	check_owners(p.records, "transport.bw", m.reports, &ns);
}
