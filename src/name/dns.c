/* SPDX-License-Identifier: BSD-2-Clause */
/* The message: header, names, questions, records (see dns.h). What records hold is data.c's. */
#include "name/dns.h"

#include <errno.h>
#include <string.h>

#define LABEL_POINTER 0xc0
#define POINTERS 64 /* followed in one name; each must lead backwards anyway */
#define MDNS_CLASS_BIT 0x8000

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* Are there n bytes at that place? 0, or why not. */
static int has(const struct dns_reader *r, size_t at, size_t n)
{
	if (at <= r->len && n <= r->len - at)
		return 0;
	return at <= r->full && n <= r->full - at ? -ENODATA : -EBADMSG;
}

int dns_open(struct dns_reader *r, const uint8_t *msg, size_t len, size_t full)
{
	uint16_t flags;
	int e;

	*r = (struct dns_reader){ .msg = msg, .len = len, .full = full > len ? full : len };
	e = has(r, 0, DNS_HEADER);
	if (e)
		return e;
	flags = get16(msg + 2);
	r->header = (struct dns_header){
		.id = get16(msg),
		.response = flags & 0x8000,
		.opcode = (flags >> 11) & 15,
		.authoritative = flags & 0x0400,
		.truncated = flags & 0x0200,
		.rcode = flags & 15,
	};
	for (unsigned int i = 0; i < 4; i++)
		r->header.count[i] = get16(msg + 4 + 2 * i);
	r->at = DNS_HEADER;
	r->left = r->header.count[0];
	return 0;
}

static char *put_byte(char *to, uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		c = (uint8_t)(c + 'a' - 'A');
	if (c == '.' || c == '\\') {
		*to++ = '\\';
	} else if (c <= ' ' || c >= 0x7f) {
		*to++ = '\\';
		*to++ = (char)('0' + c / 100);
		*to++ = (char)('0' + c / 10 % 10);
		c = (uint8_t)('0' + c % 10);
	}
	*to++ = (char)c;
	return to;
}

/* One step over a compression pointer: only backwards, so that no chain of them has a loop. */
static int follow(const struct dns_reader *r, size_t *at, size_t *floor)
{
	int e = has(r, *at, 2);
	size_t to;

	if (e)
		return e;
	to = get16(r->msg + *at) & 0x3fff;
	if (to >= *floor || to < DNS_HEADER)
		return -EBADMSG;
	*floor = *at = to;
	return 0;
}

int dns_name(const struct dns_reader *r, size_t at, char text[DNS_NAME_TEXT], size_t *ret_end)
{
	size_t wire = 1, floor = at, end = 0;
	unsigned int pointers = 0;
	char *to = text;
	int e;

	for (;;) {
		uint8_t n;

		e = has(r, at, 1);
		if (e)
			return e;
		n = r->msg[at];
		if ((n & LABEL_POINTER) == LABEL_POINTER) {
			end = end ? end : at + 2;
			e = ++pointers > POINTERS ? -EBADMSG : follow(r, &at, &floor);
			if (e)
				return e;
			continue;
		}
		at++;
		if (!n)
			break;
		wire += (size_t)n + 1;
		e = n & LABEL_POINTER || wire > DNS_NAME_WIRE ? -EBADMSG : has(r, at, n);
		if (e)
			return e;
		if (to != text)
			*to++ = '.';
		for (; n; n--)
			to = put_byte(to, r->msg[at++]);
	}
	if (to == text)
		*to++ = '.';
	*to = '\0';
	*ret_end = end ? end : at;
	return 0;
}

int dns_question(struct dns_reader *r, struct dns_question *ret_question)
{
	size_t at;
	int e;

	if (r->section || !r->left)
		return 0;
	e = dns_name(r, r->at, ret_question->name, &at);
	if (!e)
		e = has(r, at, 4);
	if (e)
		return e;
	ret_question->type = get16(r->msg + at);
	ret_question->class = get16(r->msg + at + 2) & (uint16_t)~MDNS_CLASS_BIT;
	r->at = at + 4;
	r->left--;
	return 1;
}

/* Past the questions that nobody asked for, to the next section that has records. 1: there is one. */
static int to_records(struct dns_reader *r)
{
	struct dns_question q;
	int e = 1;

	while (!r->section && r->left && e > 0)
		e = dns_question(r, &q);
	if (e < 0)
		return e;
	while (!r->left && r->section < 3)
		r->left = r->header.count[++r->section];
	return r->left > 0;
}

int dns_record(struct dns_reader *r, struct dns_record *ret_record)
{
	const uint8_t *p;
	size_t at;
	int e = to_records(r);

	if (e <= 0)
		return e;
	e = dns_name(r, r->at, ret_record->name, &at);
	if (!e)
		e = has(r, at, 10);
	if (e)
		return e;
	p = r->msg + at;
	ret_record->type = get16(p);
	ret_record->class = get16(p + 2);
	if (ret_record->type != DNS_TYPE_OPT)
		ret_record->class &= (uint16_t)~MDNS_CLASS_BIT;
	ret_record->ttl = get32(p + 4);
	ret_record->data_len = get16(p + 8);
	ret_record->data = at + 10;
	ret_record->section = r->section;
	e = has(r, ret_record->data, ret_record->data_len);
	if (e)
		return e;
	r->at = ret_record->data + ret_record->data_len;
	r->left--;
	return 1;
}
