/* SPDX-License-Identifier: BSD-2-Clause */
/* struct tcp_info -> struct np_tcp (see info.h). The struct grows with kernels: a field counts where it is there. */
#include "capture/info.h"

/* States in which the peer's FIN has come: TCP_* of the kernel. */
#define STATE_CLOSE_WAIT 8
#define STATE_LAST_ACK 9
#define STATE_LISTEN 10
#define STATE_CLOSING 11

#define HAS(s, field) ((s)->info_len >= offsetof(struct tcp_info, field) + sizeof((s)->info.field))

uint64_t info_tx_bytes(const struct diag_sock *s)
{
	const struct tcp_info *i = &s->info;

	/* since 4.19 */
	if (HAS(s, tcpi_bytes_retrans))
		return i->tcpi_bytes_sent > i->tcpi_bytes_retrans
			       ? i->tcpi_bytes_sent - i->tcpi_bytes_retrans
			       : 0;
	/* of which one is the SYN's, where this end connected */
	return HAS(s, tcpi_bytes_acked) && i->tcpi_bytes_acked ? i->tcpi_bytes_acked - 1 : 0;
}

uint64_t info_rx_bytes(const struct diag_sock *s)
{
	uint64_t n = HAS(s, tcpi_bytes_received) ? s->info.tcpi_bytes_received : 0;
	uint8_t state = s->tuple.state;

	if (n && (state == STATE_CLOSE_WAIT || state == STATE_LAST_ACK || state == STATE_CLOSING))
		n--;
	return n;
}

uint32_t info_retrans(const struct diag_sock *s)
{
	return HAS(s, tcpi_total_retrans) ? s->info.tcpi_total_retrans : 0;
}

static uint32_t in_flight(const struct tcp_info *i)
{
	uint32_t left = i->tcpi_sacked + i->tcpi_lost;
	uint32_t out = i->tcpi_unacked + i->tcpi_retrans;

	return out > left ? out - left : 0;
}

void info_tcp(const struct diag_sock *s, struct np_tcp *t)
{
	const struct tcp_info *i = &s->info;

	if (!s->info_len || s->tuple.state == STATE_LISTEN)
		return;
	t->srtt_us = i->tcpi_rtt;
	t->rttvar_us = i->tcpi_rttvar;
	t->snd_cwnd = i->tcpi_snd_cwnd;
	t->snd_ssthresh = i->tcpi_snd_ssthresh;
	t->mss = i->tcpi_snd_mss;
	t->in_flight = in_flight(i);
	t->ca_state = i->tcpi_ca_state;
	t->unread_bytes = s->unread_bytes;
	t->sndbuf_bytes = s->sndbuf_bytes;
	t->wmem_bytes = s->wmem_bytes;
	/* whether somebody waits for room is not told; that there is none is */
	t->limits = s->sndbuf_bytes && s->wmem_bytes >= s->sndbuf_bytes ? NP_TCP_NO_ROOM : 0;
	if (HAS(s, tcpi_bytes_received)) {
		t->bytes_acked = i->tcpi_bytes_acked;
		t->bytes_received = i->tcpi_bytes_received;
		t->pacing_rate = i->tcpi_pacing_rate;
		if (i->tcpi_max_pacing_rate != ~0ULL && t->pacing_rate >= i->tcpi_max_pacing_rate)
			t->limits |=
				NP_TCP_PACED; /* of Nagle and TCP_CORK tcp_info tells nothing */
	}
	if (HAS(s, tcpi_min_rtt)) {
		t->unsent_bytes = i->tcpi_notsent_bytes;
		t->min_rtt_us = i->tcpi_min_rtt;
	}
	if (HAS(s, tcpi_delivery_rate)) {
		t->delivery_rate = i->tcpi_delivery_rate;
		t->limits |= i->tcpi_delivery_rate_app_limited ? NP_TCP_APP_LIMITED : 0;
	}
	if (HAS(s, tcpi_sndbuf_limited)) {
		t->busy_us = i->tcpi_busy_time;
		t->rwnd_limited_us = i->tcpi_rwnd_limited;
		t->sndbuf_limited_us = i->tcpi_sndbuf_limited;
	}
	if (HAS(s, tcpi_bytes_retrans)) {
		t->bytes_sent = i->tcpi_bytes_sent;
		t->bytes_retrans = i->tcpi_bytes_retrans;
	}
	if (HAS(s, tcpi_snd_wnd))
		t->snd_wnd = i->tcpi_snd_wnd;
}
