/* SPDX-License-Identifier: BSD-2-Clause */
/* What the records of a DNS message hold, as text and as addresses, and the names of their types. */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "name/dns.h"

#define TXT_SHOWN 200 /* bytes of text or of an unknown type's data that are written */

static uint16_t get16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

bool dns_data_addr(const struct dns_reader *r, const struct dns_record *record,
		   uint8_t ret_addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (record->class != DNS_CLASS_IN)
		return false;
	if (record->type == DNS_TYPE_A && record->data_len == 4) {
		memcpy(ret_addr, mapped, 12);
		memcpy(ret_addr + 12, r->msg + record->data, 4);
		return true;
	}
	if (record->type == DNS_TYPE_AAAA && record->data_len == 16) {
		memcpy(ret_addr, r->msg + record->data, 16);
		return true;
	}
	return false;
}

/* Numbers of 16 bits, then a name that ends with the data. */
static int numbers_and_name(const struct dns_reader *r, const struct dns_record *rec,
			    unsigned int numbers, bool more, char *text, size_t size)
{
	char name[DNS_NAME_TEXT];
	size_t end, at = 0;
	int e;

	if (rec->data_len < numbers * 2 + 1)
		return -EBADMSG;
	e = dns_name(r, rec->data + numbers * 2, name, &end);
	if (e)
		return e;
	if (end > rec->data + rec->data_len || (!more && end < rec->data + rec->data_len))
		return -EBADMSG;
	for (unsigned int i = 0; i < numbers && at < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%u ",
				       get16(r->msg + rec->data + i * 2));
	if (at < size)
		(void)snprintf(text + at, size - at, "%s", name);
	return 0;
}

static size_t put_quoted(char *text, size_t size, const uint8_t *p, size_t n)
{
	size_t at = 0;

	for (size_t i = 0; i < n && at + 5 < size; i++) {
		if (p[i] < ' ' || p[i] >= 0x7f)
			at += (size_t)snprintf(text + at, size - at, "\\%03u", p[i]);
		else if (p[i] == '"' || p[i] == '\\')
			at += (size_t)snprintf(text + at, size - at, "\\%c", p[i]);
		else
			text[at++] = (char)p[i];
	}
	text[at] = '\0';
	return at;
}

static int txt(const struct dns_reader *r, const struct dns_record *rec, char *text, size_t size)
{
	const uint8_t *p = r->msg + rec->data;
	size_t left = rec->data_len, at = 0, shown = 0;

	text[0] = '\0';
	while (left) {
		size_t n = p[0];

		if (n + 1 > left)
			return -EBADMSG;
		if (at + 8 < size && shown < TXT_SHOWN) {
			at += (size_t)snprintf(text + at, size - at, at ? " \"" : "\"");
			at += put_quoted(text + at, size - at - 1, p + 1,
					 n < TXT_SHOWN ? n : TXT_SHOWN);
			text[at++] = '"';
			text[at] = '\0';
			shown += n;
		}
		p += n + 1;
		left -= n + 1;
	}
	return 0;
}

/* As RFC 3597 writes what has no form of its own. */
static int unknown(const struct dns_reader *r, const struct dns_record *rec, char *text,
		   size_t size)
{
	int n = snprintf(text, size, "\\# %u%s", rec->data_len, rec->data_len ? " " : "");
	size_t at = n < 0 ? 0 : (size_t)n;

	for (size_t i = 0; i < rec->data_len && i < TXT_SHOWN && at + 3 < size; i++)
		at += (size_t)snprintf(text + at, size - at, "%02x", r->msg[rec->data + i]);
	return 0;
}

int dns_data_text(const struct dns_reader *r, const struct dns_record *rec, char *text, size_t size)
{
	uint8_t addr[16];

	if (!size)
		return -EINVAL;
	text[0] = '\0';
	switch (rec->type) {
	case DNS_TYPE_A:
		return dns_data_addr(r, rec, addr) &&
				       inet_ntop(AF_INET, addr + 12, text, (socklen_t)size)
			       ? 0
			       : -EBADMSG;
	case DNS_TYPE_AAAA:
		return dns_data_addr(r, rec, addr) &&
				       inet_ntop(AF_INET6, addr, text, (socklen_t)size)
			       ? 0
			       : -EBADMSG;
	case DNS_TYPE_NS:
	case DNS_TYPE_CNAME:
	case DNS_TYPE_PTR:
	case DNS_TYPE_DNAME:
		return numbers_and_name(r, rec, 0, false, text, size);
	case DNS_TYPE_SOA:
		return numbers_and_name(r, rec, 0, true, text, size);
	case DNS_TYPE_MX:
		return numbers_and_name(r, rec, 1, false, text, size);
	case DNS_TYPE_SRV:
		return numbers_and_name(r, rec, 3, false, text, size);
	case DNS_TYPE_SVCB:
	case DNS_TYPE_HTTPS:
		return numbers_and_name(r, rec, 1, true, text, size);
	case DNS_TYPE_TXT:
		return txt(r, rec, text, size);
	default:
		return unknown(r, rec, text, size);
	}
}

static int hex(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool reverse_v6(const char *name, uint8_t addr[16])
{
	if (strlen(name) != 72 || strcmp(name + 64, "ip6.arpa"))
		return false;
	for (unsigned int i = 0; i < 32; i++) {
		int v = hex(name[i * 2]);

		if (v < 0 || name[i * 2 + 1] != '.')
			return false;
		addr[15 - i / 2] = (uint8_t)(i & 1 ? addr[15 - i / 2] | v << 4 : v);
	}
	return true;
}

bool dns_reverse_addr(const char *name, uint8_t ret_addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	unsigned int v[4];
	int n = -1;

	if (sscanf(name, "%3u.%3u.%3u.%3u.in-addr.arpa%n", &v[3], &v[2], &v[1], &v[0], &n) != 4 ||
	    n < 0 || name[n])
		return reverse_v6(name, ret_addr);
	memcpy(ret_addr, mapped, 12);
	for (unsigned int i = 0; i < 4; i++) {
		if (v[i] > 255)
			return false;
		ret_addr[12 + i] = (uint8_t)v[i];
	}
	return true;
}

const char *dns_type_name(uint16_t type, char buf[12])
{
	static const struct {
		uint16_t type;
		const char *name;
	} names[] = {
		{ 1, "A" },	 { 2, "NS" },	  { 5, "CNAME" },   { 6, "SOA" },
		{ 12, "PTR" },	 { 13, "HINFO" }, { 15, "MX" },	    { 16, "TXT" },
		{ 28, "AAAA" },	 { 29, "LOC" },	  { 33, "SRV" },    { 35, "NAPTR" },
		{ 39, "DNAME" }, { 41, "OPT" },	  { 43, "DS" },	    { 44, "SSHFP" },
		{ 46, "RRSIG" }, { 47, "NSEC" },  { 48, "DNSKEY" }, { 50, "NSEC3" },
		{ 52, "TLSA" },	 { 64, "SVCB" },  { 65, "HTTPS" },  { 99, "SPF" },
		{ 251, "IXFR" }, { 252, "AXFR" }, { 255, "ANY" },   { 256, "URI" },
		{ 257, "CAA" },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (names[i].type == type)
			return names[i].name;
	(void)snprintf(buf, 12, "TYPE%u", type);
	return buf;
}

const char *dns_rcode_name(uint16_t rcode, char buf[12])
{
	static const char *const names[] = { "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN",
					     "NOTIMP",	"REFUSED", "YXDOMAIN", "YXRRSET",
					     "NXRRSET", "NOTAUTH", "NOTZONE" };

	if (rcode < sizeof(names) / sizeof(names[0]))
		return names[rcode];
	if (rcode == 16)
		return "BADVERS";
	if (rcode == 23)
		return "BADCOOKIE";
	(void)snprintf(buf, 12, "RCODE%u", rcode);
	return buf;
}
