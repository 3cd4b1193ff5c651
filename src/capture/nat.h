/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Addresses that are rewritten between the socket and the wire (DNAT of a service's address, REDIRECT, masquerading), as
 * connection tracking knows them: the kernel is asked for one connection at a time (ctnetlink, CAP_NET_ADMIN), and only
 * where it tracks any in this network namespace.
 */
#ifndef NETPROBE_CAPTURE_NAT_H
#define NETPROBE_CAPTURE_NAT_H

#include <stdbool.h>
#include <stdint.h>

#include "wire/record.h"

#define NAT_TRACKED_FILE \
	"/proc/sys/net/netfilter/nf_conntrack_count" /* there where anything is tracked */

struct nat;

/* NULL: no memory. What cannot be had is looked for again, once a second at most. */
struct nat *nat_new(void);
struct nat *nat_free(struct nat *n);
/*
 * t: ends as packets of this end carry them. True: they are those of its socket now, which are others. False: they are the
 * same, or it is not known: not tracked, not allowed, or asked too often for now.
 */
bool nat_to_socket(struct nat *n, struct np_tuple *t, uint64_t now_ns);
/* And back. */
bool nat_to_wire(struct nat *n, struct np_tuple *t, uint64_t now_ns);

/* Of an answer's attributes: the tuple that is not from's, the other direction's. For tests. */
struct nat_ends {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
};
bool nat_parse(const void *attrs, size_t len, const struct nat_ends *from,
	       struct nat_ends *ret_other);

#endif
