/* SPDX-License-Identifier: BSD-2-Clause */
/* `netprobe guard` in a namespace, and traffic that knows its own count. */
#ifndef LIVE_GUARD_RUN_H
#define LIVE_GUARD_RUN_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "netns.h"

/* `netprobe guard ...` there: exit code. What it printed: guard_out(), what it said: guard_log(). */
__attribute__((format(printf, 2, 3))) int guard_run(const struct netns *ns, const char *fmt, ...);
/* The same, and the test ends unless it exits with 0. */
__attribute__((format(printf, 2, 3))) void guard_must(const struct netns *ns, const char *fmt, ...);
const char *guard_out(void);
const char *guard_log(void);
/* `guard stats`, the record of an interface; json_decref() it. */
json_t *guard_stats(const struct netns *ns, const char *iface);
/* The XDP program of the one interface that guard is on there; close() it. */
int guard_program(const struct netns *ns);
/* Whether guard of that namespace has a folder of pins. */
bool guard_has_pins(const struct netns *ns);
/* An integer inside: "rx.packets". */
uint64_t json_at(const json_t *record, const char *path);

/* A pair with the filter on at a's end, and detection if it says how; neighbours are known. */
struct netns_pair guard_pair(const char *detect);
/* json_at() of a's end. */
uint64_t guard_stat(struct netns_pair *p, const char *path);

/* UDP from one namespace to an address in the other: how many of n datagrams came in. */
unsigned int datagrams(const struct netns *from, const struct netns *to, const char *addr,
		       uint16_t port, unsigned int n);
/* Bytes by TCP; false: no connection within a second. */
bool stream(const struct netns *from, const struct netns *to, const char *addr, uint16_t port,
	    uint64_t bytes);

/* Connections one after the other, each used for a few bytes: how many of n came about. */
unsigned int connections(const struct netns *from, const struct netns *to, const char *addr,
			 uint16_t port, unsigned int n);
/*
 * Packets made by hand from 10.77.0.2 to 10.77.0.1, spread over ms: flags of TCP, or proto ICMP (echo
 * requests) or UDP from source port sport. ports: the destination port goes from 1 to that. hosts:
 * instead of 10.77.0.1 so many others, one after the other.
 */
struct forged {
	uint8_t proto, flags;
	uint16_t sport, ports, hosts;
};
void forge(const struct netns *from, const struct forged *what, unsigned int n, int ms);

/*
 * Those, and the second that detection counts them in is over: it looks at the next packet. That it is over is
 * waited for with nothing sent, so that neither a slow machine nor a process that stood still makes two of it, or
 * a finding that comes after the end of its own ban.
 */
void forge_second(const struct netns *from, const struct forged *what, unsigned int n);
/* From b to a, and a's end of the guarded pair has seen them all. */
void forge_seen(struct netns_pair *p, const struct forged *what, unsigned int n, int ms);

/* Datagrams as fast as they go, until the end; what came in meanwhile is counted. */
struct flood {
	pid_t pid;
	int fd;
	volatile uint64_t *sent;
};
struct flood flood_begin(const struct netns *from, const struct netns *to, const char *addr,
			 uint16_t port);
/* How many came in; *ret_sent: of so many. */
uint64_t flood_end(struct flood *f, uint64_t *ret_sent);

#endif
