/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The machine's sockets as sock_diag lists them, joined with their processes, and what was counted for
 * each: records in the shape the kernel half writes. Where bytes come from is the rung's: the kernel's
 * own figures of TCP (proc), or packets (afpacket).
 */
#ifndef NETPROBE_CAPTURE_SOCKS_H
#define NETPROBE_CAPTURE_SOCKS_H

#include "base/error.h"
#include "capture/diag.h"
#include "capture/procfs.h"
#include "capture/rung.h"
#include "owner/index.h"

struct sock {
	struct index_node by_cookie, by_tuple;
	uint32_t inode; /* 0: nobody has it (yet) */
	uint32_t gen;	/* listing that had it last */
	bool established, opened_told, told, dirty;
	uint64_t raw_tx, raw_rx; /* of the kernel, as far as they are counted */
	uint32_t raw_retrans, raw_segs_out, raw_segs_in;
	uint64_t look_ns; /* of the last listing */
	struct np_sock_rec rec;
	struct np_counts wire; /* counted by packets, not yet taken over */
	uint32_t wire_segs_out, wire_segs_in;
};

struct socks;

struct socks_opts {
	const struct np_filter *filter;
	bool by_packets; /* bytes, packets and retransmits are the caller's */
};

/* Takes the first listing: what it has is older than the rung. -EOPNOTSUPP: no sock_diag here. */
int socks_open(const struct socks_opts *opts, struct socks **ret, struct netprobe_error *err);
struct socks *socks_close(struct socks *s);

uint32_t socks_set_filter(struct socks *s, const struct np_filter *filter);
/* List them anew, find the owners of new ones, hand over what changed. */
int socks_sweep(struct socks *s, bool full, probe_sock_fn fn, void *arg);
/* Connections that opened, sockets that ended. */
int socks_events(struct socks *s, probe_event_fn fn, void *arg);
int socks_fd(const struct socks *s);
void socks_loss(const struct socks *s, struct np_loss *ret);
const char *socks_note(const struct socks *s);

/* For rungs that count packets: the socket of exactly these ends, else NULL. */
struct sock *socks_find(struct socks *s, const struct np_tuple *t);

#endif
