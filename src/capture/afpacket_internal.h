/* SPDX-License-Identifier: BSD-2-Clause */
/* struct afpacket, shared by the files that make the rung up: threads, joining with sockets, life. */
#ifndef NETPROBE_CAPTURE_AFPACKET_INTERNAL_H
#define NETPROBE_CAPTURE_AFPACKET_INTERNAL_H

#include <pthread.h>

#include "capture/afpacket.h"
#include "capture/links.h"
#include "capture/nat.h"
#include "capture/ring.h"
#include "capture/socks.h"
#include "capture/wire.h"

#define FRESH_MAX 1024 /* new flows that wait to be looked at; more wait for the next listing */
#define PENDING_MAX 1024

struct afpacket;

/* One ring, its thread and its flows. */
struct reader {
	struct afpacket *a;
	struct ring *ring;
	pthread_t thread;
	bool running;
	pthread_mutex_t lock; /* over what follows; the thread holds it for a block at a time */
	struct wire wire;
	struct np_tuple fresh[FRESH_MAX]; /* from the sender's end */
	uint32_t n_fresh;
	uint64_t unparsed;
	uint64_t last_ns; /* the last packet that was read came then */
};

/* A socket whose process is looked for while it may still live. */
struct pending {
	struct np_tuple tuple;
	uint64_t next_ns;
	uint8_t tries;
	bool met;
	bool gets, asked; /* about connection tracking */
};

struct part_out {
	struct np_part_key key;
	struct np_part part;
};

struct afpacket {
	struct afpacket_opts opts;
	struct np_filter filter;
	struct socks *socks;
	struct links *links;
	struct nat *nat;
	struct reader readers[AFPACKET_RINGS_MAX];
	uint32_t n_readers;
	bool all_run; /* each of them has its thread */
	int herald, epoll, timer, wake, stop;
	pthread_mutex_t fn_lock;
	struct np_tuple fresh[FRESH_MAX]; /* taken from a reader, looked at without its lock */
	struct pending pending[PENDING_MAX];
	uint32_t n_pending;
	probe_sock_fn moved_fn;
	void *moved_arg;
	struct part_out *parts;
	uint32_t n_parts, cap_parts;
	bool final;	  /* nothing is waited for any more */
	uint64_t read_ns; /* packets up to then were read */
	uint64_t own_ids, now_ns, stall_ns, parts_lost, parts_lost_bytes;
	uint64_t
		nat_unasked; /* ends that connection tracking was not asked about: too many for now */
	char note[256];
};

uint64_t afpacket_clock(void);
/* A packet is read so long after it came, where its reader gets a processor. */
uint64_t afpacket_behind_ns(const struct afpacket *a);

/* reader.c */
int readers_start(struct afpacket *a);
void readers_stop(struct afpacket *a);
/*
 * Packets up to then were read. The kernel has handed over those of now - afpacket_behind_ns(); who reads them may wait for a
 * processor much longer.
 */
uint64_t readers_read_ns(struct afpacket *a);
bool readers_are_behind(struct afpacket *a); /* the kernel has handed over what was not read yet */

/*
 * join.c: give the figures of the wire to the sockets they belong to. What belongs to none is kept with its
 * flow, and with hand given to moved_fn.
 */
void join_all(struct afpacket *a, bool hand);
/* What is still known of one socket, at its end. */
void join_last(struct sock *k, void *arg);
bool join_is_group(const uint8_t addr[16]);
/* The end of a flow as a tuple of that end: its socket's, where addresses are known to be rewritten in between. */
void join_tuple(const struct afpacket *a, const struct wire_flow *f, unsigned int end,
		struct np_tuple *ret);
/* The end that has these on the wire: are they rewritten, as far as is known of its flow? True: they are its socket's now. */
bool join_nat(struct afpacket *a, struct np_tuple *t);

/* meet.c: owners of new flows, before they are gone. */
void meet_herald(struct afpacket *a);
void meet_fresh(struct afpacket *a);
void meet_pending(struct afpacket *a);

#endif
