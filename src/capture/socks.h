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

struct mains_one;

struct sock {
	struct index_node by_cookie, by_tuple;
	uint32_t inode; /* 0: nobody has it (yet) */
	uint32_t gen;	/* listing that had it last */
	bool established, opened_told, told, dirty;
	bool untold;		 /* it ended, and the kernel's notice of that has not come */
	uint64_t raw_tx, raw_rx; /* of the kernel, as far as they are counted */
	uint32_t raw_retrans, raw_segs_out, raw_segs_in, raw_drops;
	uint64_t look_ns; /* of the last listing */
	uint64_t met_ns;  /* it was there then, or by_end: it had ended */
	/* the flow of its packets began then, as far as that is known, and that by wire; the caller's */
	uint64_t flow_ns, nat_ns;
	bool by_end; /* nothing but its end was told of */
	struct np_tuple *
		wire; /* its ends on the wire, where those are others (nat.h); NULL the same. Freed with it */
	struct mains_one *main; /* the MPTCP connection that it carries; NULL none */
	struct np_sock_rec rec;
	uint64_t ended_ns; /* its end was told of, its last packets may not have been counted yet */
	struct sock *ended_next;
};

struct socks;

struct socks_opts {
	const struct np_filter *filter;
	/*
	 * Bytes, packets and retransmits are the caller's (socks_count). A socket that ended stays until what came up to its
	 * end is counted (read_ns), then last is called and has to count what it still knows of it.
	 */
	bool by_packets;
	uint64_t (*read_ns)(void *arg);
	void (*last)(struct sock *k, void *arg);
	void *arg;
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

/* The two halves of socks_sweep: list and find owners; hand over. */
int socks_list(struct socks *s);
int socks_hand(struct socks *s, bool full, probe_sock_fn fn, void *arg);

/*
 * For rungs that count packets: the socket of these ends; for datagrams the unconnected one that is
 * bound there. NULL: none is known, or several that do not belong to the same process.
 */
struct sock *socks_find(struct socks *s, const struct np_tuple *t);
struct sock *socks_by_id(const struct socks *s, uint64_t sock_id);
/* TCP sockets between these ends, the newest first: the one after k, NULL the first. */
struct sock *socks_between(const struct socks *s, const struct np_tuple *t, const struct sock *k);
/* Ask the kernel for it now and look for its owner with the next socks_look. NULL: it has none. */
struct sock *socks_meet(struct socks *s, const struct np_tuple *t);
/* From now on sockets that end do not linger. */
void socks_finish(struct socks *s);
/* A cheap look for the owners of those met; the share of time it may take is bounded. false: not now. */
bool socks_look(struct socks *s);
void socks_set_owner(struct socks *s, struct sock *k);
/* Add to its counts, as far as the filters let it. True: they did. */
bool socks_count(struct socks *s, struct sock *k, const struct np_counts *more, uint32_t segs_out,
		 uint32_t segs_in);
/* An event about a record of the caller's own. */
void socks_tell(struct socks *s, const struct np_ev_sock *ev);
/* What the filters say of it. */
bool socks_pass(struct socks *s, const struct np_sock_rec *rec);
uint32_t socks_netns(const struct socks *s);
uint32_t socks_sample_rate(const struct socks *s);

#endif
