/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Sockets as the kernel lists them to anybody (NETLINK_SOCK_DIAG): TCP and UDP, IPv4 and IPv6, of the
 * own network namespace, with TCP's own figures. Also the notices it sends when one has ended.
 */
#ifndef NETPROBE_CAPTURE_DIAG_H
#define NETPROBE_CAPTURE_DIAG_H

#include <linux/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "wire/record.h"

struct diag_sock {
	uint64_t cookie;
	uint32_t inode; /* of its file; 0: no process has it (not accepted yet, or closed) */
	uint32_t uid;
	uint32_t unread_bytes, unsent_bytes; /* queues as the kernel reports them */
	uint32_t sndbuf_bytes, wmem_bytes;   /* 0 unknown */
	uint32_t drops;			     /* sk_drops */
	bool has_drops;			     /* since 4.7 */
	uint32_t info_len;		     /* bytes of info that the kernel filled; 0: none */
	bool subflow;	/* of MPTCP, whose connection has that token (0 not told) */
	bool joined;	/* it was added to one that had another */
	uint32_t token; /* its own end's */
	struct np_tuple tuple;
	struct tcp_info info;
};

typedef void (*diag_fn)(const struct diag_sock *s, void *arg);

/* One message's payload (struct inet_diag_msg and what follows it). Pure. -EINVAL. */
int diag_parse(const void *data, size_t len, uint8_t proto, struct diag_sock *ret);

/* A socket to ask by; negative errno. */
int diag_open(void);
/* All sockets of TCP and UDP but those that belong to nobody any more. -EOPNOTSUPP: no such listing. */
int diag_dump(int fd, diag_fn fn, void *arg);
/* Only UDP's, for finding who is bound where. */
int diag_dump_udp(int fd, diag_fn fn, void *arg);
/* Only those of UDP that are bound to this port: more than one may be. */
int diag_dump_port(int fd, uint16_t port, diag_fn fn, void *arg);
/* The TCP connection, or UDP socket, between exactly these ends. -ENOENT. */
int diag_find(int fd, const struct np_tuple *t, struct diag_sock *ret);

/* A socket on which the kernel tells of every TCP and UDP socket that ended; negative errno. */
int diag_watch_open(void);
/* Take what waits there. *ret_lost: how often the kernel had to throw some away. */
int diag_watch_read(int fd, diag_fn fn, void *arg, uint64_t *ret_lost);

#endif
