/* SPDX-License-Identifier: BSD-2-Clause */
/* Verdicts (see verdict.h). */
#include "flow/verdict.h"

#include <stddef.h>

#define QUEUE_US 4000 /* more than the least round trip; so does cubic's HyStart (6.18) */
/* Resent bytes of those sent: at one in so many losses keep the window below 40 segments. */
#define LOSSY_PART 1000
/* At least this part of the time with a full buffer is in the kernel's counter. */
#define NOTICED_PART 4
#define QUEUE_CWND 8 /* segments; below, round trips are those of timers and delayed ACKs */

/* The deviation is taken off: delayed ACKs make single round trips long, a queue all of them. */
static bool is_queued(uint32_t srtt_us, uint32_t var_us, uint32_t min_rtt_us, uint32_t cwnd)
{
	uint32_t more = min_rtt_us / 4 > QUEUE_US ? min_rtt_us / 4 : QUEUE_US;

	return min_rtt_us && cwnd >= QUEUE_CWND && srtt_us >= (uint64_t)min_rtt_us + var_us + more;
}

/*
 * Does the sender wait for room in its buffer, while the congestion window has room for more than the
 * buffer holds? The kernel's own counter of that time misses it where the send that filled the buffer
 * had sent all of it before it found it full (6.1 to 6.18, tcp_cwnd_validate).
 */
static bool is_full(uint32_t limits, uint32_t in_flight, uint32_t unsent, uint32_t mss,
		    uint32_t cwnd)
{
	uint64_t held = in_flight + (mss ? (unsent + (uint64_t)mss - 1) / mss : 0);

	return limits & NP_TCP_NO_ROOM && held < cwnd;
}

static bool window_full(uint32_t limits, uint32_t in_flight, uint32_t cwnd)
{
	return limits & NP_TCP_CWND_LIMITED || (cwnd && in_flight >= cwnd);
}

/* It has more to send and room for it, but asked for no higher rate. */
static bool is_paced(uint32_t limits, uint32_t in_flight, uint32_t unsent, uint32_t cwnd)
{
	return limits & NP_TCP_PACED && unsent && in_flight < cwnd;
}

/* With room in the window and less than a segment to send it is the sender's own stack that waits for more. */
static bool is_part(uint32_t limits, uint32_t in_flight, uint32_t unsent, uint32_t mss,
		    uint32_t cwnd)
{
	return unsent && unsent < mss && cwnd && !window_full(limits, in_flight, cwnd);
}

static uint8_t held_by(uint32_t limits, uint32_t in_flight, bool part)
{
	if (!part)
		return HELD_NO;
	if (limits & NP_TCP_CORK)
		return HELD_CORK;
	return limits & NP_TCP_NAGLE && in_flight ? HELD_NAGLE : HELD_NO;
}

static bool wants_more(uint32_t limits, uint32_t in_flight, uint32_t unsent, uint32_t mss,
		       uint32_t cwnd)
{
	if (is_paced(limits, in_flight, unsent, cwnd) ||
	    is_part(limits, in_flight, unsent, mss, cwnd))
		return false;
	return unsent || window_full(limits, in_flight, cwnd);
}

static bool ran_full(uint32_t limits, uint32_t in_flight, uint32_t unsent, uint64_t rate)
{
	return rate && !in_flight && !unsent && !(limits & NP_TCP_APP_LIMITED);
}

/* The kernel's record and a flow's copy of it name these alike. */
#define SAMPLE_OF(tcp)                                                                            \
	{                                                                                         \
		.busy_us = (tcp)->busy_us, .rwnd_us = (tcp)->rwnd_limited_us,                     \
		.sndbuf_us = (tcp)->sndbuf_limited_us, .recovery_us = (tcp)->recovery_us,         \
		.full = is_full((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes, (tcp)->mss, \
				(tcp)->snd_cwnd) &&                                               \
			!is_paced((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes,           \
				  (tcp)->snd_cwnd),                                               \
		.wants = wants_more((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes,         \
				    (tcp)->mss, (tcp)->snd_cwnd),                                 \
		.paced = is_paced((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes,           \
				  (tcp)->snd_cwnd),                                               \
		.held = held_by((tcp)->limits, (tcp)->in_flight,                                  \
				is_part((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes,     \
					(tcp)->mss, (tcp)->snd_cwnd)),                            \
		.idle = !(tcp)->in_flight && !(tcp)->unsent_bytes,                                \
		.window = (uint64_t)(tcp)->mss * (tcp)->snd_cwnd,                                 \
		.queued = is_queued((tcp)->srtt_us, (tcp)->rttvar_us, (tcp)->min_rtt_us,          \
				    (tcp)->snd_cwnd),                                             \
		.ran_full = ran_full((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes,        \
				     (tcp)->delivery_rate),                                       \
		.rate = (tcp)->delivery_rate, .sent = (tcp)->bytes_sent,                          \
		.resent = (tcp)->bytes_retrans,                                                   \
	}

void verdict_sample_flow(struct verdict_sample *ret, const struct flow_tcp *tcp)
{
	*ret = (struct verdict_sample)SAMPLE_OF(tcp);
}

void verdict_sample_record(struct verdict_sample *ret, const struct np_tcp *tcp)
{
	*ret = (struct verdict_sample)SAMPLE_OF(tcp);
}

static uint64_t grown(uint64_t was, uint64_t now)
{
	return now > was ? now - was : 0;
}

/* Takes up to want out of *left. */
static uint64_t take(uint64_t *left, uint64_t want)
{
	uint64_t got = want < *left ? want : *left;

	*left -= got;
	return got;
}

struct rest {
	/* of the congestion window, of the send buffer, of the rate asked for; else the application's */
	uint64_t window, room, pacing;
	bool queued;
};

/* All that was sent fits into the window, and at neither end is anything that waits for it. */
static bool is_small(const struct verdict_sample *was, const struct verdict_sample *now)
{
	return now->window && grown(was->sent, now->sent) <= now->window && !was->wants &&
	       !now->wants;
}

/* Busy time that the kernel's counters give to nothing else, by what the two looks saw. */
static struct rest rest_split(const struct verdict_sample *was, const struct verdict_sample *now,
			      uint64_t rest)
{
	bool window = (was->wants && !was->full) || (now->wants && !now->full);
	bool full = was->full || now->full;
	struct rest r = { .queued = was->queued || now->queued };

	if (was->paced || now->paced) {
		r.pacing = full || window ? rest / 2 : rest;
		rest -= r.pacing;
	}
	if (full) {
		r.window = window ? rest / 2 : 0;
		r.room = rest - r.window;
	} else if (window || (!is_small(was, now) &&
			      (r.queued || (now->ran_full && now->rate != was->rate)))) {
		r.window = rest;
	}
	return r;
}

static bool is_lossy(uint64_t sent, uint64_t resent)
{
	return resent && resent >= sent / LOSSY_PART;
}

static void add_rest(struct verdict_times *sum, const struct rest *r, uint64_t rest)
{
	bool lossy = is_lossy(sum->sent, sum->resent) && !r->queued;

	sum->us[lossy ? NETPROBE_VERDICT_LOSS : NETPROBE_VERDICT_CONGESTION_WINDOW] += r->window;
	sum->us[NETPROBE_VERDICT_SEND_BUFFER] += r->room;
	sum->us[NETPROBE_VERDICT_PACING] += r->pacing;
	sum->us[NETPROBE_VERDICT_APPLICATION] += rest - r->window - r->room - r->pacing;
}

/* A look between two busy times says nothing of either. */
static void add_held(struct verdict_times *sum, const struct verdict_sample *was,
		     const struct verdict_sample *now, uint64_t busy)
{
	sum->held[was->idle ? now->held : was->held] += busy / 2;
	sum->held[now->idle ? was->held : now->held] += busy - busy / 2;
}

void verdict_add(struct verdict_times *sum, const struct verdict_sample *was,
		 const struct verdict_sample *now, uint64_t elapsed_us)
{
	uint64_t left = elapsed_us;
	uint64_t busy = take(&left, grown(was->busy_us, now->busy_us));
	struct rest r;

	sum->sent += grown(was->sent, now->sent);
	sum->resent += grown(was->resent, now->resent);
	sum->us[NETPROBE_VERDICT_APPLICATION] += left;
	sum->us[NETPROBE_VERDICT_RECEIVE_WINDOW] += take(&busy, grown(was->rwnd_us, now->rwnd_us));
	sum->us[NETPROBE_VERDICT_SEND_BUFFER] += take(&busy, grown(was->sndbuf_us, now->sndbuf_us));
	if (!was->queued && !now->queued)
		sum->us[NETPROBE_VERDICT_LOSS] +=
			take(&busy, grown(was->recovery_us, now->recovery_us));
	r = rest_split(was, now, busy);
	add_rest(sum, &r, busy);
	busy -= r.window + r.room + r.pacing;
	add_held(sum, was, now, busy);
}

/* *part of was_us, and more besides, as a part of now_us. */
static void part_add(uint16_t *part, uint64_t was_us, uint64_t now_us, uint64_t more)
{
	uint64_t sum = *part * was_us + more * UINT16_MAX;

	*part = (uint16_t)((sum + now_us / 2) / now_us);
}

static uint64_t part_of(uint16_t part, uint64_t us)
{
	return (part * us + UINT16_MAX / 2) / UINT16_MAX;
}

void verdict_past_add(struct verdict_past *past, const struct flow_tcp *was,
		      const struct np_tcp *now)
{
	uint64_t busy = grown(was->busy_us, now->busy_us), rest = busy, noticed;
	struct verdict_sample from, to;
	struct rest r;

	if (!busy)
		return;
	verdict_sample_flow(&from, was);
	verdict_sample_record(&to, now);
	(void)take(&rest, grown(from.rwnd_us, to.rwnd_us));
	noticed = take(&rest, grown(from.sndbuf_us, to.sndbuf_us));
	if (!from.queued && !to.queued)
		(void)take(&rest, grown(from.recovery_us, to.recovery_us));
	/* with all sent nothing waits any more; of a buffer that was too small the kernel noticed a part */
	to.full |= !to.wants && noticed > busy / NOTICED_PART;
	r = rest_split(&from, &to, rest);
	part_add(&past->window, was->busy_us, now->busy_us, r.window);
	part_add(&past->room, was->busy_us, now->busy_us, r.room);
	part_add(&past->pacing, was->busy_us, now->busy_us, r.pacing);
	part_add(&past->queued, was->busy_us, now->busy_us, r.queued ? busy : 0);
}

static void life(struct verdict_times *ret, const struct verdict_past *past,
		 const struct verdict_sample *last, uint64_t elapsed_us)
{
	struct rest r = { .queued = past->queued > UINT16_MAX / 2 };
	uint64_t left = elapsed_us, busy, rest;

	busy = rest = take(&left, last->busy_us);
	*ret = (struct verdict_times){ .sent = last->sent, .resent = last->resent };
	ret->us[NETPROBE_VERDICT_APPLICATION] = left;
	ret->us[NETPROBE_VERDICT_RECEIVE_WINDOW] = take(&rest, last->rwnd_us);
	ret->us[NETPROBE_VERDICT_SEND_BUFFER] = take(&rest, last->sndbuf_us);
	if (!r.queued)
		ret->us[NETPROBE_VERDICT_LOSS] = take(&rest, last->recovery_us);
	left = rest;
	r.window = take(&left, part_of(past->window, busy));
	r.room = take(&left, part_of(past->room, busy));
	r.pacing = take(&left, part_of(past->pacing, busy));
	add_rest(ret, &r, rest);
}

void verdict_life(struct verdict_times *ret, const struct flow_tcp *tcp, uint64_t elapsed_us)
{
	struct verdict_sample last;

	verdict_sample_flow(&last, tcp);
	life(ret, &tcp->past, &last, elapsed_us);
}

void verdict_life_ended(struct verdict_times *ret, const struct flow_tcp *before,
			const struct np_tcp *end, uint64_t elapsed_us)
{
	static const struct flow_tcp none;
	struct verdict_past past = before ? before->past : none.past;
	struct verdict_sample last;

	verdict_past_add(&past, before ? before : &none, end);
	verdict_sample_record(&last, end);
	life(ret, &past, &last, elapsed_us);
}

static uint64_t total(const struct verdict_times *t)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < NETPROBE_VERDICT_MAX; i++)
		sum += t->us[i];
	return sum;
}

int verdict_first(const struct verdict_times *t)
{
	int first = -1;

	for (int i = 0; i < NETPROBE_VERDICT_MAX; i++)
		if (t->us[i] && (first < 0 || t->us[i] > t->us[first]))
			first = i;
	return first;
}

int verdict_held(const struct verdict_times *t)
{
	int most = t->held[HELD_CORK] > t->held[HELD_NAGLE] ? HELD_CORK : HELD_NAGLE;

	return verdict_first(t) == NETPROBE_VERDICT_APPLICATION && t->held[most] &&
			       t->held[most] >= t->us[NETPROBE_VERDICT_APPLICATION] / 2
		       ? most
		       : HELD_NO;
}

const char *verdict_held_name(int held)
{
	return held == HELD_NAGLE ? "nagle" : held == HELD_CORK ? "cork" : NULL;
}

double verdict_share(const struct verdict_times *t, unsigned int verdict)
{
	uint64_t all = total(t);

	return all && verdict < NETPROBE_VERDICT_MAX ? (double)t->us[verdict] / (double)all : 0;
}

const char *const verdict_names[NETPROBE_VERDICT_MAX + 1] = { "application", "receive_window",
							      "send_buffer", "congestion_window",
							      "loss",	     "pacing" };

const char *verdict_name(int verdict)
{
	return verdict >= 0 && verdict < NETPROBE_VERDICT_MAX ? verdict_names[verdict] : NULL;
}

const char *verdict_advice(int verdict)
{
	static const char *const advice[NETPROBE_VERDICT_MAX] = {
		"The application gives the connection nothing to send: look at what it waits for, the "
		"network is idle.",
		"The peer's receive window is full: its process reads too slowly, or its receive buffer "
		"(tcp_rmem, SO_RCVBUF) is too small for this round trip.",
		"The whole send buffer is in flight: raise SO_SNDBUF or tcp_wmem, or let the kernel size it "
		"by not setting SO_SNDBUF.",
		"The network between the two carries no more: look at the slowest link, its queue and the "
		"round trip under load; a faster sender would not help.",
		"Segments get lost and are repaired: look for drops at the interfaces and queues on the way "
		"(netprobe drops on both ends).",
		"The connection keeps to the rate that its process asked for (SO_MAX_PACING_RATE): raise that to "
		"send faster.",
	};

	return verdict >= 0 && verdict < NETPROBE_VERDICT_MAX ? advice[verdict] : NULL;
}

const char *verdict_advice_receiver(bool reader_slow)
{
	return reader_slow
		       ? "This end receives, and its receive queue is full: the local process reads too "
			 "slowly. Look at what it does between two reads."
		       : "This end mostly receives and keeps up: what limits the sender is told at the "
			 "other end.";
}

bool verdict_queue_full(const struct flow_tcp *tcp)
{
	return tcp->unread_bytes && tcp->unread_bytes >= tcp->rcv_wnd;
}
