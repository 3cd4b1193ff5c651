/* SPDX-License-Identifier: BSD-2-Clause */
/* Addresses, networks and lists of them as people write them. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "guard/guard.h"

#define LINE_MAX_BYTES 512
#define V4_MAPPED_LEN 96

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

static int parse_proto_name(const char *text, uint8_t *ret, struct netprobe_error *err)
{
	uint8_t bit;
	int r = parse_proto(text, &bit, err);

	if (!r)
		*ret = bit == NP_PROTO_TCP   ? IPPROTO_TCP
		       : bit == NP_PROTO_UDP ? IPPROTO_UDP
					     : IPPROTO_ICMP;
	return r;
}

static int parse_field(char *field, struct guard_item *item, struct netprobe_error *err)
{
	char *value = strchr(field, '=');
	struct np_port_range ports;
	double seconds;
	int r;

	if (!value)
		return error_set(
			err, -EINVAL,
			"'%.40s' is no field; takes proto=, port=, for=, reason=, dry-run=1",
			field);
	*value++ = '\0';
	if (!strcmp(field, "proto")) {
		r = parse_proto_name(value, &item->proto, err);
	} else if (!strcmp(field, "port")) {
		r = parse_port_range(value, &ports, err);
		if (!r) {
			item->port_from = ports.from;
			item->port_to = ports.to;
		}
	} else if (!strcmp(field, "for")) {
		r = parse_seconds(value, &seconds, err);
		if (!r)
			item->ttl_s = seconds < 1 ? 1 : (uint32_t)seconds;
	} else if (!strcmp(field, "dry-run")) {
		r = strcmp(value, "1")
			    ? error_set(err, -EINVAL, "'%.40s' is no value; takes 1", value)
			    : 0;
		item->dry_run = true;
	} else {
		return error_set(
			err, -EINVAL,
			"'%.40s=' is no field; takes proto=, port=, for=, reason=, dry-run=1",
			field);
	}
	if (r)
		error_prefix(err, "%s=", field);
	return r;
}

static int parse_line(char *line, const struct guard_item *defaults, struct guard_item *ret,
		      struct netprobe_error *err)
{
	char *save, *field = strtok_r(line, " \t\r", &save);
	int r;

	*ret = *defaults;
	r = guard_parse_cidr(field, ret, err);
	if (!save)
		save = field + strlen(field);
	while (!r && *save) {
		/* The last one, with blanks in it. */
		save += strspn(save, " \t");
		if (!strncmp(save, "reason=", 7)) {
			save[strcspn(save, "\r")] = '\0';
			memset(ret->reason, 0, sizeof(ret->reason));
			(void)strncpy(ret->reason, save + 7, sizeof(ret->reason) - 1);
			break;
		}
		field = strtok_r(NULL, " \t\r", &save);
		if (!field)
			break;
		r = parse_field(field, ret, err);
	}
	if (!r && ret->proto == IPPROTO_ICMP && (ret->port_from || ret->port_to != 0xffff))
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

int guard_parse_list(const char *text, size_t len, const struct guard_item *defaults,
		     struct guard_item **ret_items, size_t *ret_n, struct netprobe_error *err)
{
	const char *end = text + len;
	struct guard_item *items = NULL;
	size_t n = 0, room = 0, number = 0;
	int r = 0;

	while (text < end && !r) {
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t size = stop ? (size_t)(stop - text) : (size_t)(end - text);
		const char *hash = memchr(text, '#', size);
		char line[LINE_MAX_BYTES];
		size_t used = hash ? (size_t)(hash - text) : size;

		number++;
		if (used >= sizeof(line)) {
			r = error_set(err, -EINVAL, "it is too long; takes up to %d bytes",
				      LINE_MAX_BYTES - 1);
		} else {
			memcpy(line, text, used);
			line[used] = '\0';
			if (memchr(line, '\0', used))
				r = error_set(err, -EINVAL, "it has a NUL byte; takes text");
			else if (line[strspn(line, " \t\r")]) {
				r = grow(&items, n, &room);
				if (r)
					error_set(err, r, "out of memory");
				else
					r = parse_line(line, defaults, &items[n], err);
				n++;
			}
		}
		text += size + (stop != NULL);
	}
	if (r) {
		error_prefix(err, "line %zu", number);
		free(items);
		return r;
	}
	*ret_items = items;
	*ret_n = n;
	return 0;
}
