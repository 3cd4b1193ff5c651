/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A DNS message (RFC 1035, EDNS of RFC 6891, mDNS of RFC 6762), read from bytes that anybody on the
 * network may have made: every length is checked, compression only goes backwards, counts are
 * believed as far as there are bytes. No allocation, no state. Not here: which query an answer
 * belongs to (track.c), how TCP cuts messages (stream.c).
 */
#ifndef NETPROBE_NAME_DNS_H
#define NETPROBE_NAME_DNS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_WIRE 255  /* bytes of a name on the wire, at most */
#define DNS_NAME_TEXT 1016 /* its text: each byte may need four characters, and NUL */
#define DNS_HEADER 12

#define DNS_TYPE_A 1
#define DNS_TYPE_NS 2
#define DNS_TYPE_CNAME 5
#define DNS_TYPE_SOA 6
#define DNS_TYPE_PTR 12
#define DNS_TYPE_MX 15
#define DNS_TYPE_TXT 16
#define DNS_TYPE_AAAA 28
#define DNS_TYPE_SRV 33
#define DNS_TYPE_DNAME 39
#define DNS_TYPE_OPT 41
#define DNS_TYPE_SVCB 64
#define DNS_TYPE_HTTPS 65
#define DNS_TYPE_ANY 255

#define DNS_CLASS_IN 1

#define DNS_RCODE_NXDOMAIN 3

struct dns_header {
	uint16_t id;
	bool response, authoritative, truncated;
	uint8_t opcode, rcode;
	uint16_t count[4]; /* questions, answers, authorities, additionals, as the message claims */
};

/* The name is in lower case, without the last dot ("." is the root); odd bytes as \DDD. */
struct dns_question {
	char name[DNS_NAME_TEXT];
	uint16_t type, class; /* mDNS's top bit of class is taken off */
};

struct dns_record {
	char name[DNS_NAME_TEXT];
	uint16_t type, class; /* OPT: class is the sender's buffer size */
	uint32_t ttl;	      /* seconds; OPT: the upper bits of the rcode, version, flags */
	size_t data;	      /* where its data is in the message */
	uint16_t data_len;
	uint8_t section; /* 1 answer, 2 authority, 3 additional */
};

/* A message being read from its front to its end. */
struct dns_reader {
	const uint8_t *msg;
	size_t len;  /* bytes at hand */
	size_t full; /* bytes it had on the wire; more than len where the capture was cut */
	size_t at;
	uint8_t section;
	uint32_t left; /* of the section */
	struct dns_header header;
};

/* 0; -EBADMSG: no DNS message; -ENODATA: the capture ends within its header. */
int dns_open(struct dns_reader *r, const uint8_t *msg, size_t len, size_t full);
/*
 * Next question, next record after the questions: 1 and it, 0 there is no more, -EBADMSG the
 * message lies, -ENODATA the capture ends here. After a negative answer there is nothing more to read.
 */
int dns_question(struct dns_reader *r, struct dns_question *ret_question);
int dns_record(struct dns_reader *r, struct dns_record *ret_record);

/* A name anywhere in the message. *ret_end: behind it. Errors as above. */
int dns_name(const struct dns_reader *r, size_t at, char text[DNS_NAME_TEXT], size_t *ret_end);
/*
 * The data of a record as zone files write it: "192.0.2.1", "10 mail.example.org". Cut to size.
 * -EBADMSG where the data is not what its type says.
 */
int dns_data_text(const struct dns_reader *r, const struct dns_record *record, char *text,
		  size_t size);
/* Address of an A or AAAA record, IPv4 as ::ffff:a.b.c.d. False: it has none. */
bool dns_data_addr(const struct dns_reader *r, const struct dns_record *record,
		   uint8_t ret_addr[16]);
/* "4.3.2.1.in-addr.arpa" and the like of IPv6. False: no such name. */
bool dns_reverse_addr(const char *name, uint8_t ret_addr[16]);

/* "AAAA"; "TYPE1234" in buf where it has no name. */
const char *dns_type_name(uint16_t type, char buf[12]);
/* "NXDOMAIN"; "RCODE1234" in buf where it has no name. */
const char *dns_rcode_name(uint16_t rcode, char buf[12]);

#endif
