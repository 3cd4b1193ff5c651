/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One connection in full: its figures copied out of the flow table, and its last minute. What is
 * sampled and when; how the page looks is page.c's.
 */
#ifndef NETPROBE_TUI_DETAIL_H
#define NETPROBE_TUI_DETAIL_H

#include "flow/view.h"
#include "tui/spark.h"

/* The last FLOW_HISTORY intervals of the connection under the cursor. */
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
	struct trouble trouble;
	struct verdict_times times;
	int verdict;
	struct flow_tcp figures; /* zeroes unless tcp */
	/* waits of its owner's sockets: half and 99 of 100 are shorter, microseconds; 0 not timed */
	uint64_t rx_wait[2], tx_wait[2];
	struct trace trace;
};

/* One more sample of row, or of another connection than before: then from the start. */
void trace_add(struct trace *t, const struct view_row *row);
/* row NULL: it is gone, and what is there stays. now_ns CLOCK_MONOTONIC. */
void detail_take(struct detail *d, const struct view_row *row, const struct trace *t,
		 uint64_t now_ns);

#endif
