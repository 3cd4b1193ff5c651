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

static bool wants_more(uint32_t limits, uint32_t in_flight, uint32_t unsent, uint32_t cwnd)
{
	return unsent || limits & NP_TCP_CWND_LIMITED || (cwnd && in_flight >= cwnd);
}

/* The kernel's record and a flow's copy of it name these alike. */
#define SAMPLE_OF(tcp)                                                                            \
	{                                                                                         \
		.busy_us = (tcp)->busy_us, .rwnd_us = (tcp)->rwnd_limited_us,                     \
		.sndbuf_us = (tcp)->sndbuf_limited_us, .recovery_us = (tcp)->recovery_us,         \
		.full = is_full((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes, (tcp)->mss, \
				(tcp)->snd_cwnd),                                                 \
		.wants = wants_more((tcp)->limits, (tcp)->in_flight, (tcp)->unsent_bytes,         \
				    (tcp)->snd_cwnd),                                             \
		.queued = is_queued((tcp)->srtt_us, (tcp)->rttvar_us, (tcp)->min_rtt_us,          \
				    (tcp)->snd_cwnd),                                             \
		.sent = (tcp)->bytes_sent, .resent = (tcp)->bytes_retrans,                        \
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

/* Busy time that the kernel's counters give to nothing else, by what the two looks saw. */
static void add_rest(struct verdict_times *sum, const struct verdict_sample *was,
		     const struct verdict_sample *now, uint64_t rest)
{
	bool queued = was->queued || now->queued;
	bool lossy = sum->resent && sum->resent >= sum->sent / LOSSY_PART && !queued;
	unsigned int limit = lossy ? VERDICT_LOSS : VERDICT_CONGESTION_WINDOW;
	bool window = (was->wants && !was->full) || (now->wants && !now->full);

	if (was->full || now->full) {
		uint64_t half = window ? rest / 2 : 0;

		sum->us[VERDICT_SEND_BUFFER] += rest - half;
		sum->us[limit] += half;
	} else if (window || queued) {
		sum->us[limit] += rest;
	} else {
		sum->us[VERDICT_APPLICATION] += rest;
	}
}

void verdict_add(struct verdict_times *sum, const struct verdict_sample *was,
		 const struct verdict_sample *now, uint64_t elapsed_us)
{
	uint64_t left = elapsed_us;
	uint64_t busy = take(&left, grown(was->busy_us, now->busy_us));

	sum->sent += grown(was->sent, now->sent);
	sum->resent += grown(was->resent, now->resent);
	sum->us[VERDICT_APPLICATION] += left;
	sum->us[VERDICT_RECEIVE_WINDOW] += take(&busy, grown(was->rwnd_us, now->rwnd_us));
	sum->us[VERDICT_SEND_BUFFER] += take(&busy, grown(was->sndbuf_us, now->sndbuf_us));
	if (!was->queued && !now->queued)
		sum->us[VERDICT_LOSS] += take(&busy, grown(was->recovery_us, now->recovery_us));
	add_rest(sum, was, now, busy);
}

void verdict_life(struct verdict_times *ret, const struct verdict_sample *last, uint64_t elapsed_us)
{
	static const struct verdict_sample start;
	struct verdict_sample end = *last;

	/* At its end nothing waits any more; of a buffer that was too small the kernel noticed a part. */
	end.full = last->full || (!last->wants && last->sndbuf_us > last->busy_us / NOTICED_PART);
	*ret = (struct verdict_times){ 0 };
	verdict_add(ret, &start, &end, elapsed_us);
}

static uint64_t total(const struct verdict_times *t)
{
	uint64_t sum = 0;

	for (unsigned int i = 0; i < VERDICT_MAX; i++)
		sum += t->us[i];
	return sum;
}

int verdict_first(const struct verdict_times *t)
{
	int first = -1;

	for (int i = 0; i < VERDICT_MAX; i++)
		if (t->us[i] && (first < 0 || t->us[i] > t->us[first]))
			first = i;
	return first;
}

double verdict_share(const struct verdict_times *t, unsigned int verdict)
{
	uint64_t all = total(t);

	return all && verdict < VERDICT_MAX ? (double)t->us[verdict] / (double)all : 0;
}

const char *verdict_name(int verdict)
{
	static const char *const names[VERDICT_MAX] = { "application", "receive_window",
							"send_buffer", "congestion_window",
							"loss" };

	return verdict >= 0 && verdict < VERDICT_MAX ? names[verdict] : NULL;
}

const char *verdict_advice(int verdict)
{
	static const char *const advice[VERDICT_MAX] = {
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
	};

	return verdict >= 0 && verdict < VERDICT_MAX ? advice[verdict] : NULL;
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
