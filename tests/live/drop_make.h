/* SPDX-License-Identifier: BSD-2-Clause */
/* What tests of drops share: netprobe drops, datagrams from a process of its own, sums of records. */
#ifndef LIVE_DROP_MAKE_H
#define LIVE_DROP_MAKE_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "netns.h"
#include "probe.h"

/* Skips where a family is forced that does not see drops. */
void need_tracepoint(void);
/* netprobe drops with up to three more words. */
struct probe start_drops(const char *a, const char *b, const char *c);

/* Run fn in a process of its own inside ns; its pid. */
pid_t start_in(const struct netns *ns, void (*fn)(void *), void *arg);
/* ... and it ends with 0. */
void finish(pid_t pid);

/* For send_dgrams: to loopback of that family. */
struct dgrams {
	int family;
	unsigned int count, size;
	uint16_t port;
	bool may_fail;
};
void send_dgrams(void *arg);
socklen_t loopback(int family, uint16_t port, struct sockaddr_storage *ss);

bool is_drop(const json_t *r, const struct netns *ns, const char *reason);
struct drops {
	uint64_t packets, owned, events, suppressed;
	uint64_t rests; /* of the events: told by user space, of what no event had told */
	const json_t *first;
};
/* Drops of that reason in that namespace; owned: by pid. */
struct drops count_drops(const json_t *records, const struct netns *ns, const char *reason,
			 pid_t pid);

#define CLOSED 9999 /* a port where nobody listens */
#define OPEN 7000

/* A byte comes up when hold_socket is ready; one down ends it. Made by the test. */
extern int up[2], down[2];
/* A child's: holds a small socket at OPEN that it does not read from. arg: int, the family. */
void hold_socket(void *arg);
/* RcvbufErrors of UDP there. */
uint64_t rcvbuf_errors(const struct netns *ns, int family);
/* nft drops what matches on its way out, or the test is skipped. */
void drop_output(const struct netns *ns, const char *match);

#endif
