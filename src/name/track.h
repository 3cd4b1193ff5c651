/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * DNS transactions: which answer belongs to which query, how long it took, what was asked again and
 * what nobody answered. Fed with messages in the order of their time; knows no clock. What it holds
 * is bounded, and what it lets go for that is counted.
 */
#ifndef NETPROBE_NAME_TRACK_H
#define NETPROBE_NAME_TRACK_H

#include "name/dns.h"
#include "wire/record.h"

#define DNS_ANSWERS 24 /* records of an answer that are kept; n_answers tells all */
#define DNS_PORT_MDNS 5353
#define DNS_PORT_LLMNR 5355

/* One message, seen at the socket of who asks. */
struct dns_packet {
	uint64_t ts_ns;
	uint64_t sock_id; /* 0 unknown */
	const struct np_tuple *tuple;
	const struct np_owner *owner; /* NULL unknown */
	bool out;		      /* leaves that socket */
	bool wanted;		      /* of a query: its transaction is, see dns_result */
	const uint8_t *msg;
	size_t len, full; /* full: bytes it had on the wire */
};

struct dns_answer {
	uint16_t type;
	uint32_t ttl;
	bool has_addr;
	uint8_t addr[16];
	char text[DNS_NAME_TEXT];
};

/* A transaction that is over. Valid during the call. */
struct dns_result {
	struct np_tuple tuple; /* raddr: the server; of a multicast query, who answered */
	struct np_owner owner; /* tgid 0: unknown */
	uint64_t sock_id;
	bool wanted; /* as its first query said */
	const char *qname;
	uint16_t qtype, id;
	uint64_t asked_ns, end_ns; /* first query; answer, or the end of waiting */
	uint32_t retries;	   /* times the same was asked again meanwhile */
	bool timed_out;		   /* nothing below is known then */
	bool truncated, authoritative;
	bool malformed; /* the answer's records lie; those before the lie are there */
	uint16_t rcode;
	uint16_t n_answers; /* as the answer claims */
	unsigned int n;	    /* those in answers */
	const struct dns_answer *answers;
};

struct dns_track_stats {
	uint64_t messages;
	uint64_t malformed;  /* messages that are none */
	uint64_t cut;	     /* messages whose question the capture had cut off */
	uint64_t unmatched;  /* answers nobody was seen to ask for, late ones among them */
	uint64_t table_full; /* transactions let go before their end */
};

struct dns_track;
typedef void (*dns_result_fn)(const struct dns_result *res, void *arg);

/* max: transactions open at a time. NULL: no memory. */
struct dns_track *dns_track_new(uint32_t max, uint64_t timeout_ns, dns_result_fn fn, void *arg);
struct dns_track *dns_track_free(struct dns_track *t);
void dns_track_message(struct dns_track *t, const struct dns_packet *p);
/* End what has waited too long. */
void dns_track_tick(struct dns_track *t, uint64_t now_ns);
/*
 * Visit those of that question that still wait, by the time of their latest query, the oldest first; fn returns
 * true to stop. Only the first few, where there are very many.
 */
void dns_track_asked(const struct dns_track *t, const char *qname, uint16_t qtype,
		     bool (*fn)(const struct dns_result *res, void *arg), void *arg);
const struct dns_track_stats *dns_track_stats(const struct dns_track *t);

#endif
