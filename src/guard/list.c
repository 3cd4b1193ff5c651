/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, networks and lists of them as people write them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "guard/guard.h"

#define LINE_MAX_BYTES 512
#define V4_MAPPED_LEN 96
#define BLANKS " \t\r"
#define FIELDS "proto=, port=, for=, dry-run=1, who=, reason="

static bool is_icmp(uint8_t proto)
{
	return proto == IPPROTO_ICMP || proto == IPPROTO_ICMPV6;
}

static int set_addr(struct guard_item *ret, const struct np_cidr *c)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(ret->addr, 0, sizeof(ret->addr));
	ret->v6 = c->len < V4_MAPPED_LEN || memcmp(c->addr, mapped, sizeof(mapped)) != 0;
	if (ret->v6) {
		memcpy(ret->addr, c->addr, 16);
		ret->len = c->len;
	} else {
		memcpy(ret->addr, c->addr + 12, 4);
		ret->len = (uint8_t)(c->len - V4_MAPPED_LEN);
	}
	return 0;
}

/* Most lines of a list: four numbers, and nothing else. */
static bool quick_v4(const char *s, struct guard_item *ret)
{
	uint8_t addr[4];

	for (unsigned int i = 0; i < 4; i++) {
		unsigned int v = 0, digits = 0;

		while (*s >= '0' && *s <= '9' && digits < 4) {
			v = v * 10 + (unsigned int)(*s++ - '0');
			digits++;
		}
		if (!digits || v > 255 || (digits > 1 && s[-(int)digits] == '0'))
			return false;
		addr[i] = (uint8_t)v;
		if (i < 3 && *s++ != '.')
			return false;
	}
	if (*s)
		return false;
	memset(ret->addr, 0, sizeof(ret->addr));
	memcpy(ret->addr, addr, 4);
	ret->len = 32;
	ret->v6 = false;
	return true;
}

int guard_parse_cidr(const char *text, struct guard_item *ret, struct netprobe_error *err)
{
	struct np_cidr c;
	int r;

	if (quick_v4(text, ret))
		return 0;
	r = parse_cidr(text, &c, err);
	return r ? r : set_addr(ret, &c);
}

static int parse_field(const char *name, const char *value, struct guard_item *item,
		       struct netprobe_error *err)
{
	struct np_port_range ports;
	double seconds;
	int r;

	if (!strcmp(name, "proto")) {
		r = parse_ip_proto(value, &item->proto, err);
	} else if (!strcmp(name, "port")) {
		r = parse_port_range(value, &ports, err);
		if (!r) {
			item->port_from = ports.from;
			item->port_to = ports.to;
		}
	} else if (!strcmp(name, "for")) {
		r = parse_seconds(value, &seconds, err);
		if (!r && seconds < 1)
			r = error_set(err, -EINVAL, "'%.40s' is too short; takes 1s or more",
				      value);
		if (!r)
			item->ttl_s = (uint32_t)seconds;
	} else if (!strcmp(name, "dry-run")) {
		r = strcmp(value, "1")
			    ? error_set(err, -EINVAL, "'%.40s' is not a value; takes 1", value)
			    : 0;
		item->dry_run = true;
	} else {
		return error_set(err, -EINVAL, "unknown field '%.40s='; takes " FIELDS, name);
	}
	if (r)
		error_prefix(err, "%s=", name);
	return r;
}

/* A text in quotes at *at, which goes behind it; it becomes what it means, in place. */
static int unquote(char **at, char **ret, struct netprobe_error *err)
{
	char *from = *at + 1, *to = *at;
	unsigned int byte;
	int n;

	*ret = to;
	for (; *from && *from != '"'; from++) {
		if (*from != '\\') {
			*to++ = *from;
			continue;
		}
		from++;
		n = 0;
		if (*from == 'n') {
			*to++ = '\n';
		} else if (*from == '"' || *from == '\\') {
			*to++ = *from;
		} else if (*from == 'x' && sscanf(from, "x%2x%n", &byte, &n) == 1 && n == 3 &&
			   byte) {
			*to++ = (char)byte;
			from += 2;
		} else {
			return error_set(err, -EINVAL,
					 "'\\%.1s' in quotes means nothing; takes \\\\, \\\", \\n, "
					 "\\xHH",
					 from);
		}
	}
	if (*from != '"' || (from[1] && !strchr(BLANKS, from[1])))
		return error_set(err, -EINVAL,
				 "a text in quotes has no end, or more behind it; takes \"TEXT\"");
	*at = from + 1;
	*to = '\0';
	return 0;
}

static int keep_text(const char *name, const char *value, char *ret, size_t size,
		     struct netprobe_error *err)
{
	if (strlen(value) >= size)
		return error_set(err, -EINVAL, "%s=: it has %zu bytes; takes up to %zu", name,
				 strlen(value), size - 1);
	memset(ret, 0, size);
	memcpy(ret, value, strlen(value));
	return 0;
}

/* reason=, who=: in quotes, or, of a reason, all that is left of the line. */
static int parse_text(const char *name, char **at, struct guard_item *item,
		      struct netprobe_error *err)
{
	bool is_reason = !strcmp(name, "reason");
	char *value = *at;
	int r = 0;

	if (*value == '"') {
		r = unquote(at, &value, err);
	} else {
		size_t n;

		value += is_reason ? strspn(value, BLANKS) : 0;
		*at = value;
		n = is_reason ? strlen(value) : strcspn(value, BLANKS);
		*at += n + (value[n] != '\0');
		value[n] = '\0';
		while (n && strchr(BLANKS, value[n - 1]))
			value[--n] = '\0';
	}
	if (r)
		error_prefix(err, "%s=", name);
	else if (is_reason)
		r = keep_text(name, value, item->reason, sizeof(item->reason), err);
	else
		r = keep_text(name, value, item->who, sizeof(item->who), err);
	return r;
}

/* The fields behind the address. */
static int parse_fields(char *at, struct guard_item *item, struct netprobe_error *err)
{
	int r = 0;

	for (at += strspn(at, BLANKS); *at && !r; at += strspn(at, BLANKS)) {
		size_t n = strcspn(at, BLANKS "=");
		char *name = at, *value = at + n + 1;

		if (at[n] != '=') {
			at[n] = '\0';
			return error_set(err, -EINVAL, "'%.40s' is not a field; takes " FIELDS,
					 name);
		}
		at[n] = '\0';
		at = value;
		if (!strcmp(name, "reason") || !strcmp(name, "who")) {
			r = parse_text(name, &at, item, err);
			continue;
		}
		n = strcspn(at, BLANKS);
		at += n + (at[n] != '\0');
		value[n] = '\0';
		r = parse_field(name, value, item, err);
	}
	if (!r && is_icmp(item->proto) && (item->port_from || item->port_to != 0xffff))
		r = error_set(err, -EINVAL, "icmp has no ports; takes proto=tcp or proto=udp");
	return r;
}

static int grow(struct guard_item **items, size_t n, size_t *room)
{
	size_t more = *room ? *room * 2 : 1024;
	struct guard_item *p;

	if (n < *room)
		return 0;
	p = realloc(*items, more * sizeof(*p));
	if (!p)
		return -ENOMEM;
	*items = p;
	*room = more;
	return 0;
}

struct items {
	struct guard_item *all;
	size_t n, room;
};

static int put(struct items *to, const struct guard_item *item, struct netprobe_error *err)
{
	int r = grow(&to->all, to->n, &to->room);

	if (r)
		return error_set(err, r, "out of memory");
	to->all[to->n++] = *item;
	return 0;
}

/* The address as bytes that count up; bits: how many. */
static void add_power(uint8_t *addr, unsigned int bits, unsigned int power)
{
	unsigned int at = (bits - 1 - power) / 8, carry = 1U << (power % 8);

	for (;; at--) {
		carry += addr[at];
		addr[at] = (uint8_t)carry;
		carry >>= 8;
		if (!carry || !at)
			return;
	}
}

static bool bit_is_set(const uint8_t *addr, unsigned int bits, unsigned int power)
{
	return addr[(bits - 1 - power) / 8] >> (power % 8) & 1;
}

/* All from first to last, as the fewest networks that have these and no others. */
static int put_range(struct items *to, struct guard_item first, const struct guard_item *last,
		     struct netprobe_error *err)
{
	unsigned int bits = first.v6 ? 128 : 32;
	size_t bytes = bits / 8;
	int r = 0;

	while (!r && memcmp(first.addr, last->addr, bytes) <= 0) {
		unsigned int host = 0;
		uint8_t end[16], next[16];

		memcpy(end, first.addr, sizeof(end));
		memcpy(next, first.addr, sizeof(next));
		/* One bit more, as long as the network begins here and ends before the last one does. */
		while (host < bits && !bit_is_set(first.addr, bits, host)) {
			end[(bits - 1 - host) / 8] |= (uint8_t)(1U << (host % 8));
			if (memcmp(end, last->addr, bytes) > 0)
				break;
			memcpy(next, end, sizeof(next));
			host++;
		}
		first.len = (uint8_t)(bits - host);
		r = put(to, &first, err);
		memcpy(first.addr, next, sizeof(next));
		add_power(first.addr, bits, 0);
		if (!memcmp(next, last->addr, bytes))
			break;
	}
	return r;
}

/* "a-b": both addresses, of one family. */
static int parse_range(char *text, char *dash, struct guard_item *item, struct items *to,
		       struct netprobe_error *err)
{
	struct guard_item last = {};
	unsigned int bits;
	int r;

	*dash = '\0';
	r = guard_parse_cidr(text, item, err);
	if (!r)
		r = guard_parse_cidr(dash + 1, &last, err);
	bits = item->v6 ? 128 : 32;
	if (!r && (item->v6 != last.v6 || item->len != bits || last.len != bits))
		r = error_set(err, -EINVAL,
			      "'%.50s-%.50s' is not a range; takes two addresses of one family",
			      text, dash + 1);
	if (!r && memcmp(item->addr, last.addr, bits / 8) > 0)
		r = error_set(err, -EINVAL,
			      "the range '%.50s-%.50s' is reversed; takes the lower address first",
			      text, dash + 1);
	return r ? r : put_range(to, *item, &last, err);
}

static int parse_line(char *line, const struct guard_item *defaults, uint32_t number,
		      struct items *to, struct netprobe_error *err)
{
	struct guard_item item = *defaults;
	char *addr = line + strspn(line, BLANKS), *behind, *dash;
	size_t n = strcspn(addr, BLANKS);
	int r;

	behind = addr + n + (addr[n] != '\0');
	addr[n] = '\0';
	item.line = number;
	r = parse_fields(behind, &item, err);
	if (r)
		return r;
	dash = strchr(addr, '-');
	if (dash)
		return parse_range(addr, dash, &item, to, err);
	r = guard_parse_cidr(addr, &item, err);
	return r ? r : put(to, &item, err);
}

/*
 * The bytes of a line before its comment: "#" anywhere, ";" behind the address or where a word would begin.
 * Neither ends a text in quotes, nor ";" a reason without them.
 */
static size_t before_comment(const char *line, size_t size)
{
	bool quoted = false, reason = false, addr = true;

	if (!memchr(line, '#', size) && !memchr(line, ';', size))
		return size;
	for (size_t i = 0; i < size; i++) {
		bool begins = !i || line[i - 1] == ' ' || line[i - 1] == '\t';

		if (quoted) {
			if (line[i] == '\\')
				i++;
			else
				quoted = line[i] != '"';
			continue;
		}
		addr = addr && !strchr(BLANKS, line[i]);
		quoted = line[i] == '"' && i && line[i - 1] == '=';
		reason |= begins && size - i > 7 && !memcmp(line + i, "reason=", 7) &&
			  line[i + 7] != '"';
		if (line[i] == '#' || (line[i] == ';' && (addr || (begins && !reason))))
			return i;
	}
	return size;
}

static int take_line(const char *text, size_t size, const struct guard_item *defaults,
		     uint32_t number, struct items *to, struct netprobe_error *err)
{
	char line[LINE_MAX_BYTES];
	size_t used = before_comment(text, size);

	if (used >= sizeof(line))
		return error_set(err, -EINVAL, "it is too long; takes up to %d bytes",
				 LINE_MAX_BYTES - 1);
	memcpy(line, text, used);
	line[used] = '\0';
	if (memchr(line, '\0', used))
		return error_set(err, -EINVAL, "it has a NUL byte; takes text");
	return line[strspn(line, BLANKS)] ? parse_line(line, defaults, number, to, err) : 0;
}

int guard_parse_list(const char *text, size_t len, const struct guard_item *defaults,
		     struct guard_item **ret_items, size_t *ret_n, struct netprobe_error *err)
{
	const char *end = text + len;
	struct items items = {};
	uint32_t number = 0;
	int r = 0;

	if (len >= 3 && !memcmp(text, "\xef\xbb\xbf", 3)) /* the byte order mark of some editors */
		text += 3;
	while (text < end && !r) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t size = stop ? (size_t)(stop - text) : (size_t)(end - text);

		r = take_line(text, size, defaults, ++number, &items, err);
		text += size + (stop != NULL);
	}
	if (r) {
		error_prefix(err, "line %u", number);
		free(items.all);
		return r;
	}
	*ret_items = items.all;
	*ret_n = items.n;
	return 0;
}
