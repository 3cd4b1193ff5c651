/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Records for the tests of the flow table, and a clock that only moves when told to. Include after
 * cmocka.h, in one file of a test program only.
 */
#ifndef NETPROBE_TESTS_FLOW_MAKE_H
#define NETPROBE_TESTS_FLOW_MAKE_H

#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "flow/view.h"

#define SECOND 1000000000ull
#define START (1000 * SECOND)

/* A table with its processes and groups, and the time. */
struct world {
	struct process_table *procs;
	struct flow_table *flows;
	struct viewer *viewer;
	uint64_t now;
};

static inline void world_open(struct world *w, const struct flow_table_opts *opts)
{
	w->procs = process_table_new("/nonexistent", NULL);
	assert_non_null(w->procs);
	w->flows = flow_table_new(opts, w->procs);
	assert_non_null(w->flows);
	w->viewer = viewer_new(w->flows);
	assert_non_null(w->viewer);
	w->now = START;
}

static inline void world_close(struct world *w)
{
	w->viewer = viewer_free(w->viewer);
	w->flows = flow_table_free(w->flows);
	w->procs = process_table_free(w->procs);
}

static inline int world_setup(void **state)
{
	static struct world w;

	world_open(&w, NULL);
	*state = &w;
	return 0;
}

static inline int world_teardown(void **state)
{
	world_close(*state);
	return 0;
}

/* A test whose state is a world of its own. */
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_setup, world_teardown)

static inline void world_tick(struct world *w, uint64_t ns)
{
	w->now += ns;
	flow_table_tick(w->flows, w->now);
	viewer_tick(w->viewer, w->now);
}

static inline struct np_owner owner(uint32_t tgid, const char *comm)
{
	struct np_owner o = { .tgid = tgid,
			      .tid = tgid,
			      .start_ns = tgid * 10000000ull,
			      .match = tgid ? NP_MATCH_EXACT : NP_MATCH_NONE };

	(void)snprintf(o.comm, sizeof(o.comm), "%s", comm);
	return o;
}

static inline void ipv4(uint8_t addr[16], uint8_t last)
{
	static const uint8_t net[16] = { [10] = 0xff, [11] = 0xff, [12] = 10 };

	memcpy(addr, net, 16);
	addr[15] = last;
}

/* An established TCP connection of process 100, opened during the run, to 10.0.0.2:443. */
static inline struct np_sock_rec tcp_rec(uint64_t sock_id)
{
	struct np_sock_rec rec = { .sock_id = sock_id,
				   .opened_ns = START,
				   .established_ns = START };

	ipv4(rec.tuple.laddr, 1);
	ipv4(rec.tuple.raddr, 2);
	rec.tuple.lport = (uint16_t)(40000 + sock_id);
	rec.tuple.rport = 443;
	rec.tuple.family = AF_INET;
	rec.tuple.proto = IPPROTO_TCP;
	rec.tuple.state = 1;
	rec.tuple.netns = 4026531840u;
	rec.tuple.ifindex = 2;
	(void)strcpy(rec.tuple.ifname, "eth0");
	rec.owner = owner(100, "curl");
	rec.last = rec.owner;
	return rec;
}

/* An unconnected UDP socket of process 200. */
static inline struct np_sock_rec udp_rec(uint64_t sock_id)
{
	struct np_sock_rec rec = tcp_rec(sock_id);

	rec.established_ns = 0;
	memset(rec.tuple.raddr, 0, 16);
	rec.tuple.rport = 0;
	rec.tuple.lport = 53;
	rec.tuple.proto = IPPROTO_UDP;
	rec.tuple.state = 0;
	rec.tuple.flags = NP_F_UNCONN;
	rec.owner = owner(200, "named");
	rec.last = rec.owner;
	return rec;
}

/* What process tgid exchanged with 10.0.0.<peer>:<port>; peer 0: a part that only tells owners
 * apart. */
static inline void make_part(struct np_part_key *key, struct np_part *part,
			     const struct np_sock_rec *sock, uint32_t tgid, uint8_t peer)
{
	*key = (struct np_part_key){ .sock_id = sock->sock_id, .tgid = tgid };
	*part = (struct np_part){ .tuple = sock->tuple, .owner = owner(tgid, "worker") };
	if (!peer)
		return;
	key->family = AF_INET;
	key->rport = 5000;
	ipv4(key->raddr, peer);
	memcpy(part->tuple.raddr, key->raddr, 16);
	part->tuple.rport = key->rport;
}

static inline void feed(struct world *w, const struct np_sock_rec *rec)
{
	assert_int_equal(flow_table_sock(w->flows, rec, w->now), 0);
}

static inline void feed_end(struct world *w, struct np_sock_rec *rec)
{
	rec->tuple.flags |= NP_F_DEAD;
	rec->closed_ns = w->now;
	feed(w, rec);
}

static inline void feed_part(struct world *w, const struct np_sock_rec *sock, uint32_t tgid,
			     uint8_t peer, uint64_t tx_bytes, uint64_t rx_bytes)
{
	struct np_part_key key;
	struct np_part part;

	make_part(&key, &part, sock, tgid, peer);
	part.counts.tx_bytes = tx_bytes;
	part.counts.rx_bytes = rx_bytes;
	part.counts.tx_calls = tx_bytes != 0;
	part.counts.rx_calls = rx_bytes != 0;
	assert_int_equal(flow_table_part(w->flows, &key, &part, w->now), 0);
}

/* The flows of a socket, the oldest first; how many there are. */
struct found_flows {
	uint64_t sock_id;
	struct flow *v[16];
	size_t n;
};

static inline int found_add(struct flow *f, void *arg)
{
	struct found_flows *found = arg;
	size_t i;

	if (f->sock_id != found->sock_id || found->n == 16)
		return 0;
	for (i = found->n++; i > 0 && found->v[i - 1]->serial > f->serial; i--)
		found->v[i] = found->v[i - 1];
	found->v[i] = f;
	return 0;
}

static inline struct found_flows flows_of(struct world *w, uint64_t sock_id)
{
	struct found_flows found = { .sock_id = sock_id };

	(void)flow_table_each(w->flows, found_add, &found);
	return found;
}

#endif
