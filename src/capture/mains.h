/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * MPTCP connections of the lower rungs. The kernel lists the TCP connections that carry one (subflows), each with the
 * connection's token: they are counted like any other, told never, and their sums are one record of the connection.
 */
#ifndef NETPROBE_CAPTURE_MAINS_H
#define NETPROBE_CAPTURE_MAINS_H

#include "capture/socks.h"

struct mains_one;

/*
 * A socket that is listed as a subflow is one of its connection's from now on. joined: it is not the first, whose ends
 * are the connection's. Without memory it stays TCP's.
 */
void mains_join(struct socks *s, struct sock *k, uint32_t token, bool joined);
/* Do the filters let the connection of that subflow, by the connection's ends? */
bool mains_pass(struct socks *s, const struct sock *k);
/* More of a subflow, as far as the filters let it. */
void mains_count(struct sock *k, uint64_t tx_bytes, uint64_t rx_bytes, uint64_t retrans);
/* A subflow has ended; with the last one the connection has. */
void mains_leave(struct socks *s, struct sock *k);
/* Hand over the connections that changed; full: all. */
void mains_hand(struct socks *s, bool full, probe_sock_fn fn, void *arg);
int mains_init(struct socks *s);
void mains_done(struct socks *s);

#endif
