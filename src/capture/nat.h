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
struct nat_ends {
	uint8_t src[16], dst[16];
	uint16_t sport, dport;
};

enum nat_answer {
	NAT_NONE,  /* no such connection is tracked now, or nobody may ask */
	NAT_SAME,  /* it is tracked, and its ends are not rewritten: they will not be */
	NAT_OTHER, /* they are rewritten */
	NAT_LATER, /* not asked: too often for now */
};

/* The connection that has these ends in one direction: those of the other one. -ENOENT: there is none. */
typedef int (*nat_ask_fn)(void *arg, const struct nat_ends *from, uint8_t proto,
			  struct nat_ends *ret_other);

/*
 * fn NULL: the kernel is asked. NULL: no memory. What cannot be had is looked for again, once a second at most; where asking
 * fails, after a minute: each message may make the kernel look for a module.
 */
struct nat *nat_new(nat_ask_fn fn, void *arg);
struct nat *nat_free(struct nat *n);
/* t: ends as packets of this end carry them. NAT_OTHER: they are those of its socket now, else what they were. */
enum nat_answer nat_to_socket(struct nat *n, struct np_tuple *t, uint64_t now_ns);
/* And back. */
enum nat_answer nat_to_wire(struct nat *n, struct np_tuple *t, uint64_t now_ns);

/* Of an answer's attributes: the tuple that is not from's, the other direction's. */
bool nat_parse(const void *attrs, size_t len, const struct nat_ends *from,
	       struct nat_ends *ret_other);

#endif
