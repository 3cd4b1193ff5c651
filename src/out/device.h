/* SPDX-License-Identifier: BSD-2-Clause */
/* What guard's records have beside the common keys: stats.iface, stats.global and security.*. */
#ifndef NETPROBE_OUT_DEVICE_H
#define NETPROBE_OUT_DEVICE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "wire/guard.h"

/* The kernel's own counters of one direction of an interface. */
struct event_device_own {
	uint64_t packets, bytes, dropped, errors;
};

struct event_device {
	const char *mode;	 /* "monitor", "filter", "balance"; NULL: all interfaces together */
	const char *xdp, *tc;	 /* "none", "native", "generic"; "none", "tcx", "clsact" */
	uint32_t ifindex;	 /* 0 with mode NULL */
	unsigned int interfaces; /* with mode NULL: how many */
	bool gone;
	bool tx_errors_known; /* count->tx_errors is counted */
	const struct np_guard_dev *count;
	struct event_device_own rx, tx;
};

/* What happened to a backend or to an interface. */
struct event_news {
	const char *vip, *backend; /* EVENT_HEALTH */
	const char *iface;	   /* EVENT_AGAIN */
	const char *why;	   /* what failed; NULL nothing: it is up, guard is on it */
};

void news_put_json(struct buf *b, uint8_t kind, const struct event_news *n);
void news_put_text(struct buf *b, uint8_t kind, const struct event_news *n);

/* NULL: guard is not on the interface, and all of it null. */
void device_put_iface(struct buf *b, const struct event_device *e);
void device_put_global(struct buf *b, const struct event_device *e);
void device_put_text(struct buf *b, const struct event_device *e);

/* "syn_flood", "amplification", ...; index NP_ATTACK_*. */
const char *attack_rule_name(unsigned int attack);
/* Standard deviations that an anomaly is above the mean. */
double attack_sigmas(const struct np_ev_guard *ev);
/* "192.0.2.0/24", or "" where it is of no one source; of that many bytes. */
#define ATTACK_SOURCE 64
const char *attack_source(const struct np_ev_guard *ev, char ret[ATTACK_SOURCE]);
/* Whether detection found it, or somebody changed a list. */
bool attack_is_found(const struct np_ev_guard *ev);
/* Seconds of its ban; infinite without an end. */
double attack_ban_seconds(const struct np_ev_guard *ev);
/* kind: EVENT_*, of the event. */
void attack_put_json(struct buf *b, uint8_t kind, const struct np_ev_guard *ev);
void attack_put_text(struct buf *b, uint8_t kind, const struct np_ev_guard *ev);

#endif
