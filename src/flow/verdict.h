/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What limits a connection: shares of time by the kernel's own accounting (tcp_chrono and the time in
 * recovery), that add up to the time looked at. Pure arithmetic.
 */
#ifndef NETPROBE_FLOW_VERDICT_H
#define NETPROBE_FLOW_VERDICT_H

#include <netprobe/capture.h>
#include <stdbool.h>
#include <stdint.h>

#include "flow/table.h"
#include "wire/record.h"

/* Why bytes stay in a sender that could send them: the application's own time. */
#define HELD_NO 0
#define HELD_NAGLE \
	1 /* less than a segment, while others are in flight and the peer delays its ACK */
#define HELD_CORK 2 /* less than a segment, TCP_CORK */
#define HELD_MAX 3

/* The counters a verdict comes from, at one moment; microseconds since the kernel began to count. */
struct verdict_sample {
	uint64_t busy_us, rwnd_us, sndbuf_us, recovery_us;
	bool full; /* its process waits for room, and the buffer holds less than the window lets out */
	/* has data that the network or the peer does not let out yet, or fills its window */
	bool wants;
	bool paced;   /* has data, and keeps to the rate its process asked for */
	uint8_t held; /* HELD_* */
	bool idle;    /* nothing in flight, nothing unsent */
	/* its segments wait in a queue on the way: what got lost found that full */
	bool queued;
	/* sent all it had, but in the latest sample of its rate there was more than it could send */
	bool ran_full;
	uint64_t rate;	       /* that sample, bytes/s; 0 none */
	uint64_t sent, resent; /* bytes, since the connection began */
	uint64_t window;       /* bytes the congestion window lets out; 0 unknown */
};

/* Microseconds by what limited, index NETPROBE_VERDICT_*. */
struct verdict_times {
	uint64_t us[NETPROBE_VERDICT_MAX];
	uint64_t sent, resent; /* bytes in that time */
	uint64_t held
		[HELD_MAX]; /* of the application's microseconds, index HELD_*; not over a life */
};

void verdict_sample_flow(struct verdict_sample *ret, const struct flow_tcp *tcp);
void verdict_sample_record(struct verdict_sample *ret, const struct np_tcp *tcp);
/*
 * Add the time between two samples, elapsed_us apart. Time with data in flight that by the kernel's
 * counters neither waits for a window, a buffer nor a repair belongs to the send buffer if that is full
 * at either end, to the congestion window if the sender wants more, by halves if one end says this and
 * one that, else to the application, which gave it nothing more to send, or less than a segment that Nagle's
 * algorithm or TCP_CORK keeps back; of that an idle look tells nothing, and the one at the other end is believed. What keeps to a rate its process asked for is paced. Where all that was sent
 * between the two fits into the window, neither a queue nor the kernel's sample of the rate says that it was full. A window without a
 * queue on the way, of a connection that sends a thousandth or more of its bytes again, is small because
 * of the losses: that time is theirs. Repairs belong to the congestion
 * window as well where a queue on the way is full: a slow link drops what it cannot carry.
 */
void verdict_add(struct verdict_times *sum, const struct verdict_sample *was,
		 const struct verdict_sample *now, uint64_t elapsed_us);
/*
 * Over a whole connection; elapsed_us since it was established. By the kernel's counters, and what of the
 * busy time was whose by what was seen at each look: at its end most have nothing left to send. Between a
 * look and the next one, and for all of a connection that nobody looked at, the kernel's samples of the delivery rate
 * tell whether it ran full, and the counter of the send buffer, which notices a part, whether that was it.
 */
void verdict_life(struct verdict_times *ret, const struct flow_tcp *tcp, uint64_t elapsed_us);
/* The same with its last record. before: the last look; NULL: there was none. */
void verdict_life_ended(struct verdict_times *ret, const struct flow_tcp *before,
			const struct np_tcp *end, uint64_t elapsed_us);
/* The time between two looks at a connection. was: all zero before the first. */
void verdict_past_add(struct verdict_past *past, const struct flow_tcp *was,
		      const struct np_tcp *now);
/* NETPROBE_VERDICT_* with the largest share; -1 where no time was looked at. */
int verdict_first(const struct verdict_times *t);
/* HELD_*, where the first is the application and at least half of its time was that. */
int verdict_held(const struct verdict_times *t);
const char *verdict_held_name(int held); /* "nagle", "cork"; NULL for HELD_NO */
/* 0..1; 0 where no time was looked at. */
double verdict_share(const struct verdict_times *t, unsigned int verdict);
extern const char *const verdict_names[NETPROBE_VERDICT_MAX + 1]; /* NULL behind them */
const char *verdict_name(int verdict);	 /* "receive_window"; NULL for -1 */
const char *verdict_advice(int verdict); /* one sentence; NULL for -1 */
/*
 * The same for an end that mostly receives, whose own sending is no matter: reader_slow, its receive
 * queue was full; else the sender is the one to be asked.
 */
const char *verdict_advice_receiver(bool reader_slow);
/* Does more data wait for the reader than the peer may still send? */
bool verdict_queue_full(const struct flow_tcp *tcp);

#endif
