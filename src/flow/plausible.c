/* SPDX-License-Identifier: BSD-2-Clause */
/* See plausible.h. */
#include "flow/plausible.h"

#include <netinet/in.h>
#include <stddef.h>

#define DATAGRAM_MAX 65535ULL /* payload of one, whatever its protocol */
#define CALLS_AHEAD 64	      /* counted in two steps: so many processors may be between them */
#define SEGMENTS_AHEAD 1000   /* retransmits that were refused memory: counted, never sent */
#define RTT_MAX_US 3600000000U
#define WRAPS_FROM (1ULL << 42) /* bytes after which 32 bits of segments may have gone round */

static uint64_t most(uint64_t ns)
{
	uint64_t seconds = ns / 1000000000ULL + 1;

	return seconds < UINT64_MAX / PLAUSIBLE_BYTES_S ? seconds * PLAUSIBLE_BYTES_S : UINT64_MAX;
}

static bool is_datagram(uint8_t proto)
{
	return proto == IPPROTO_UDP || proto == IPPROTO_UDPLITE || proto == IPPROTO_ICMP ||
	       proto == IPPROTO_ICMPV6;
}

static bool fits(uint64_t bytes, uint64_t calls)
{
	return bytes / DATAGRAM_MAX <= calls + CALLS_AHEAD;
}

static const char *counts_fault(const struct np_counts *c, uint8_t proto, uint64_t for_ns)
{
	if (c->tx_bytes > most(for_ns) || c->rx_bytes > most(for_ns))
		return "more bytes than any host moves in that time";
	if (is_datagram(proto) &&
	    (!fits(c->tx_bytes, c->tx_calls) || !fits(c->rx_bytes, c->rx_calls)))
		return "more bytes than its datagrams hold";
	return NULL;
}

static bool is_long(uint32_t us)
{
	return us > RTT_MAX_US && us != UINT32_MAX;
}

static uint64_t unseen(int64_t n)
{
	return n > 0 ? (uint64_t)n : 0;
}

static const char *tcp_fault(const struct np_sock_rec *rec)
{
	const struct np_tcp *t = &rec->tcp;
	uint64_t put = t->bytes_sent > t->bytes_retrans ? t->bytes_sent - t->bytes_retrans : 0;
	uint64_t rx = rec->counts.rx_bytes;

	if (!(rec->tuple.flags & NP_F_ULP))
		rx += unseen(t->rx_unseen);
	if (rx > t->bytes_received + PLAUSIBLE_AHEAD)
		return "more bytes than the kernel received for it";
	if (rec->counts.tx_bytes > put + t->unsent_bytes + PLAUSIBLE_AHEAD)
		return "more bytes than the kernel sent and holds for it";
	if (t->bytes_sent < WRAPS_FROM &&
	    rec->counts.retrans > (uint64_t)t->segs_out + SEGMENTS_AHEAD)
		return "more retransmits than segments";
	return NULL;
}

const char *implausible_sock(const struct np_sock_rec *rec, bool figures, uint64_t for_ns,
			     uint64_t up_ns)
{
	const struct np_tcp *t = &rec->tcp;
	const char *fault = counts_fault(&rec->counts, rec->tuple.proto, for_ns);
	uint64_t kernels = most(up_ns);

	if (fault || rec->tuple.proto != IPPROTO_TCP)
		return fault;
	if (t->bytes_acked > kernels || t->bytes_received > kernels || t->bytes_sent > kernels ||
	    t->bytes_retrans > kernels || unseen(t->rx_unseen) > kernels)
		return "more bytes than any host moves since it was started";
	if (is_long(t->srtt_us) || is_long(t->rttvar_us) || is_long(t->min_rtt_us))
		return "a round trip of more than an hour";
	if (figures && (t->bytes_sent | t->bytes_received | t->segs_out | t->segs_in))
		fault = tcp_fault(rec);
	return fault;
}

const char *implausible_part(const struct np_part *part, uint64_t for_ns)
{
	return counts_fault(&part->counts, part->tuple.proto, for_ns);
}
