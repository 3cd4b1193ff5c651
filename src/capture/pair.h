/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Which flow is which socket's. Connections between the same ends may follow each other within a look, and neither the
 * kernel's notices nor the packets name the other: both are known to be there at a time. No system calls.
 */
#ifndef NETPROBE_CAPTURE_PAIR_H
#define NETPROBE_CAPTURE_PAIR_H

#include "capture/socks.h"
#include "capture/wire.h"

/* The flow of a TCP socket; NULL none (yet), or it is another socket's. *ret_end: the socket's end of it. */
struct wire_flow *pair_flow(const struct wire *w, const struct sock *k, unsigned int *ret_end);
/*
 * And the one between its ends on the wire, where those are others. Where both ends are on this host each direction may be
 * a flow of its own: then it has both.
 */
struct wire_flow *pair_nat(const struct wire *w, const struct sock *k, unsigned int *ret_end);
/*
 * The socket of an end of a flow of any transport, t as a tuple. Packets were read up to then: of a socket that was met
 * later the flow may not be there yet. *ret_wait: there is one, and which flow is its own is not known by now.
 */
struct sock *pair_sock(struct socks *s, const struct wire *w, const struct wire_flow *f,
		       unsigned int e, const struct np_tuple *t, uint64_t read_ns, bool *ret_wait);

#endif
