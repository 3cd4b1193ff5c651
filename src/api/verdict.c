/* SPDX-License-Identifier: BSD-2-Clause */
/* What limits connections, and words and sums of figures. No manager. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "api/internal.h"
#include "flow/verdict.h"

/* What a caller of the first version has. */
#define FLOW_LEAST (offsetof(struct netprobe_flow, limits) + sizeof(uint32_t))

static void sample_of(const struct netprobe_flow *x, struct verdict_sample *ret)
{
	struct flow_tcp t = {
		.bytes_sent = x->bytes_sent,
		.bytes_retrans = x->bytes_retrans,
		.busy_us = x->busy_us,
		.rwnd_limited_us = x->rwnd_limited_us,
		.sndbuf_limited_us = x->sndbuf_limited_us,
		.recovery_us = x->recovery_us,
		.srtt_us = x->srtt_us,
		.rttvar_us = x->rttvar_us,
		.min_rtt_us = x->min_rtt_us,
		.snd_cwnd = x->cwnd,
		.in_flight = x->in_flight,
		.mss = x->mss,
		.unsent_bytes = x->unsent_bytes,
		.limits = (uint8_t)x->limits,
		.delivery_rate = x->delivery_bytes_per_s,
	};

	verdict_sample_flow(ret, &t);
}

/* Microseconds between two looks: the kernel half's, where it says; a process may wait for a processor. */
static uint64_t between_us(const struct netprobe_flow *a, const struct netprobe_flow *b)
{
	uint64_t until = b->closed && b->closed_ns ? b->closed_ns : b->told_ns;

	if (a->taken_us && b->taken_us && (int32_t)(b->taken_us - a->taken_us) > 0)
		return b->taken_us - a->taken_us;
	return until > a->told_ns ? (until - a->told_ns) / 1000 : 0;
}

/* The time between two looks at one connection; another one has none. -EINVAL. */
static int add_looks(struct verdict_times *t, const struct netprobe_flow *was,
		     const struct netprobe_flow *now)
{
	struct verdict_sample before, after;
	struct netprobe_flow a, b;

	if (!was || !now || api_take(was, was->size, FLOW_LEAST, &a, sizeof(a), NULL) ||
	    api_take(now, now->size, FLOW_LEAST, &b, sizeof(b), NULL))
		return -EINVAL;
	if (a.proto != IPPROTO_TCP || a.sock != b.sock || a.opened_ns != b.opened_ns ||
	    !between_us(&a, &b))
		return 0;
	sample_of(&a, &before);
	sample_of(&b, &after);
	verdict_add(t, &before, &after, between_us(&a, &b));
	return 0;
}

API_PUBLIC int netprobe_verdict(const struct netprobe_flow *was, const struct netprobe_flow *now,
				double *ret_shares)
{
	struct verdict_times t = {};
	int r = add_looks(&t, was, now), first = verdict_first(&t);

	if (r)
		return r;
	for (unsigned int i = 0; ret_shares && i < NETPROBE_VERDICT_MAX; i++)
		ret_shares[i] = verdict_share(&t, i);
	return first < 0 ? NETPROBE_VERDICT_NONE : first;
}

API_PUBLIC int netprobe_verdict_add(struct netprobe_verdict_sum *sum,
				    const struct netprobe_flow *was,
				    const struct netprobe_flow *now)
{
	struct verdict_times t = {};
	int r, first;

	if (!sum || sum->size < sizeof(*sum) || sum->size > API_SIZE_MAX)
		return -EINVAL;
	memcpy(t.us, sum->us, sizeof(t.us));
	t.sent = sum->bytes_sent;
	t.resent = sum->bytes_retrans;
	t.held[HELD_NAGLE] = sum->nagle_us;
	t.held[HELD_CORK] = sum->cork_us;
	r = add_looks(&t, was, now);
	if (r)
		return r;
	memcpy(sum->us, t.us, sizeof(t.us));
	sum->bytes_sent = t.sent;
	sum->bytes_retrans = t.resent;
	sum->nagle_us = t.held[HELD_NAGLE];
	sum->cork_us = t.held[HELD_CORK];
	first = verdict_first(&t);
	return first < 0 ? NETPROBE_VERDICT_NONE : first;
}

API_PUBLIC const char *netprobe_verdict_detail(const struct netprobe_verdict_sum *sum)
{
	struct verdict_times t = {};

	if (!sum || sum->size < sizeof(*sum))
		return NULL;
	memcpy(t.us, sum->us, sizeof(t.us));
	t.held[HELD_NAGLE] = sum->nagle_us;
	t.held[HELD_CORK] = sum->cork_us;
	return verdict_held_name(verdict_held(&t));
}

API_PUBLIC const char *netprobe_verdict_name(uint32_t verdict)
{
	return verdict < NETPROBE_VERDICT_MAX ? verdict_name((int)verdict) : NULL;
}

API_PUBLIC const char *netprobe_verdict_advice(uint32_t verdict)
{
	return verdict < NETPROBE_VERDICT_MAX ? verdict_advice((int)verdict) : NULL;
}

API_PUBLIC const char *netprobe_verdict_advice_receiver(bool slow)
{
	return verdict_advice_receiver(slow);
}

API_PUBLIC const char *netprobe_latency_name(uint32_t latency)
{
	return latency_name(latency);
}

API_PUBLIC uint64_t netprobe_latency_quantile(const uint64_t slots[NETPROBE_LATENCY_SLOTS],
					      double share)
{
	struct histogram h;

	if (!slots)
		return 0;
	memcpy(h.n, slots, sizeof(h.n));
	return histogram_quantile(&h, share);
}
