/* SPDX-License-Identifier: BSD-2-Clause */
/* What a line about a DNS transaction has beside the common keys. */
#ifndef NETPROBE_OUT_DNS_H
#define NETPROBE_OUT_DNS_H

#include "base/buf.h"
#include "owner/process.h"

struct event_dns {
	const char *qname, *qtype;
	const char *rcode; /* NULL: nobody answered */
	uint16_t id;
	bool timed_out;
	bool truncated, authoritative, malformed; /* of the answer */
	double latency_ms;			  /* negative: nobody answered */
	uint32_t retries;
	uint32_t n_answers; /* as the answer claims */
	unsigned int n;	    /* of which are here */
	const char *const *answers;
	const uint32_t *ttls;
	/* who asked the resolver that sent this; NULL: unknown, or the owner itself */
	const struct process *asked_by;
	double waited_ms; /* how long it waited for its answer; negative unknown */
};

void dns_put_json(struct buf *b, const struct event_dns *d);
void dns_put_text(struct buf *b, const struct event_dns *d);

#endif
