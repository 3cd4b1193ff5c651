/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection in full: its figures as the library tells them, and its last minute. What is
 * sampled and when; how the page looks is page.c's.
 */
#ifndef NETPROBE_TUI_DETAIL_H
#define NETPROBE_TUI_DETAIL_H

#include <netprobe/netprobe.h>

#include "tui/spark.h"

/* What went wrong in a row. */
struct tui_trouble {
	uint64_t timeout, fast, probe, synack, spurious; /* segments */
	uint64_t stall_ns;
};

/* The last SAMPLES_MAX intervals of the connection under the cursor. */
struct trace {
	uint64_t key;			/* of its row; 0: none */
	struct samples rtt, cwnd, rate; /* microseconds, segments, bytes/s */
};

struct detail {
	bool open;
	uint64_t key; /* of the row it is about */
	bool gone;    /* no longer in the table: these are the last figures */
	bool closed, tcp;
	char local[64], remote[64], iface[16];
	char owner[40], user[40]; /* "comm[pid]"; user: who used it last, if somebody else */
	char exe[256], place[96];
	const char *state, *proto;
	double age_s; /* 0: older than the probe */
	uint32_t netns, connect_us;
	float tx_rate, rx_rate;
	uint64_t tx_bytes, rx_bytes, tx_pkts, rx_pkts, retrans;
	struct tui_trouble trouble;
	uint64_t times[NETPROBE_VERDICT_MAX]; /* microseconds by what limited it */
	int verdict;
	struct netprobe_flow figures; /* but its strings; zeroes unless tcp */
	/* waits of its owner's sockets: half and 99 of 100 are shorter, microseconds; 0 not timed */
	uint64_t rx_wait[2], tx_wait[2];
	struct trace trace;
};

/* One more sample of row, or of another connection than before: then from the start. */
void trace_add(struct trace *t, const struct netprobe_row *row);
/* row NULL: it is gone, and what is there stays. now_ns CLOCK_MONOTONIC. */
void detail_take(struct detail *d, const struct netprobe_row *row, const struct trace *t,
		 uint64_t now_ns);

/* How much of the time that limited it, 0..1; what most, -1: nothing is known. */
double detail_share(const struct detail *d, unsigned int verdict);
int detail_first(const struct detail *d);

#endif
