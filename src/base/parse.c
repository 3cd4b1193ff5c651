/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Value parsers. strtoul and strtod take signs, blanks, hex, "inf" and the locale's comma, none of
 * which may pass here, hence the hand-written digits. Pure: nothing is looked up, nothing is read.
 */
#include "base/parse.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#define COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))
#define USEC_PER_MSEC 1000ull
#define USEC_PER_SEC 1000000ull
#define USEC_PER_YEAR (366 * 86400 * USEC_PER_SEC)

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Digits from *s on; *s is moved behind them. -EINVAL: none there, -ERANGE: above UINT64_MAX. */
static int take_digits(const char **s, uint64_t *ret)
{
	const char *p = *s;
	uint64_t v = 0;

	if (!is_digit(*p))
		return -EINVAL;
	for (; is_digit(*p); p++) {
		if (__builtin_mul_overflow(v, 10, &v) ||
		    __builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return -ERANGE;
	}
	*s = p;
	*ret = v;
	return 0;
}

int parse_u64(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct netprobe_error *err)
{
	const char *p = s, *why;
	uint64_t v = 0;
	int r = take_digits(&p, &v);

	if (r == -EINVAL || (r == 0 && *p)) {
		why = "not a number";
	} else if (r == -ERANGE || v > max) {
		why = "too large";
	} else if (v < min) {
		why = "too small";
	} else {
		*ret = v;
		return 0;
	}
	if (max == UINT64_MAX && r != -ERANGE)
		return error_set(err, -EINVAL,
				 "'%.100s' is %s; takes a whole number from %" PRIu64 " on", s, why,
				 min);
	return error_set(err, -EINVAL,
			 "'%.100s' is %s; takes a whole number from %" PRIu64 " to %" PRIu64, s,
			 why, min, max);
}

/* "", "K", "MiB": what a number before it is multiplied by. 0: no unit. */
static uint64_t size_of_unit(const char *s)
{
	static const char units[] = "KkMmGg";
	const char *unit = *s ? strchr(units, *s) : NULL;

	if (!*s)
		return 1;
	return unit && (!s[1] || !strcmp(s + 1, "iB")) ? 1024ull << (unit - units) / 2 * 10 : 0;
}

int parse_size(const char *s, uint64_t min, uint64_t max, uint64_t *ret, struct netprobe_error *err)
{
	const char *p = s, *why;
	uint64_t v = 0, unit;
	int r = take_digits(&p, &v);

	if (r == -ERANGE)
		p += strspn(p, "0123456789");
	unit = r == -EINVAL ? 0 : size_of_unit(p);
	if (!unit) {
		why = "not a size";
	} else if (r || __builtin_mul_overflow(v, unit, &v) || v > max) {
		why = "too large";
	} else if (v < min) {
		why = "too small";
	} else {
		*ret = v;
		return 0;
	}
	return error_set(err, -EINVAL,
			 "'%.100s' is %s; takes %" PRIu64 " to %" PRIu64
			 " bytes, or a unit, like 64K, 8M",
			 s, why, min, max);
}

int parse_u32(const char *s, uint32_t min, uint32_t max, uint32_t *ret, struct netprobe_error *err)
{
	uint64_t v = 0;
	int r = parse_u64(s, min, max, &v, err);

	if (r == 0)
		*ret = (uint32_t)v;
	return r;
}

/* Of one unit in microseconds; 0: no such unit. */
static uint64_t unit_usec(const char *unit, uint64_t bare)
{
	static const struct {
		const char *name;
		uint64_t usec;
	} units[] = {
		{ "ms", USEC_PER_MSEC },      { "s", USEC_PER_SEC },
		{ "m", 60 * USEC_PER_SEC },   { "min", 60 * USEC_PER_SEC },
		{ "h", 3600 * USEC_PER_SEC },
	};
	size_t i;

	if (!*unit)
		return bare;
	for (i = 0; i < COUNT_OF(units); i++) {
		if (strcmp(unit, units[i].name) == 0)
			return units[i].usec;
	}
	return 0;
}

/* "12.345unit" to microseconds; what is finer than one is dropped. */
static int take_duration(const char *s, uint64_t bare_usec, uint64_t *ret_usec)
{
	uint64_t whole = 0, frac = 0, scale = 1, usec, unit;
	const char *p = s;

	if (take_digits(&p, &whole) < 0)
		return -EINVAL;
	if (*p == '.') {
		if (!is_digit(*++p))
			return -EINVAL;
		for (; is_digit(*p); p++) {
			if (scale >= USEC_PER_SEC)
				continue;
			frac = frac * 10 + (uint64_t)(*p - '0');
			scale *= 10;
		}
	}
	unit = unit_usec(p, bare_usec);
	if (!unit || __builtin_mul_overflow(whole, unit, &usec) || usec > USEC_PER_YEAR)
		return -EINVAL;
	*ret_usec = usec + frac * unit / scale;
	return 0;
}

int parse_seconds(const char *s, double *ret, struct netprobe_error *err)
{
	uint64_t usec = 0;

	if (take_duration(s, USEC_PER_SEC, &usec) < 0)
		return error_set(
			err, -EINVAL,
			"'%.100s' is not a time; takes seconds or a unit, like 0.5, 10s, 500ms, "
			"2m, at most a year",
			s);
	*ret = (double)usec / (double)USEC_PER_SEC;
	return 0;
}

int parse_msec(const char *s, uint32_t *ret, struct netprobe_error *err)
{
	uint64_t usec = 0;

	if (take_duration(s, USEC_PER_MSEC, &usec) < 0 || usec % USEC_PER_MSEC ||
	    usec / USEC_PER_MSEC > UINT32_MAX)
		return error_set(
			err, -EINVAL,
			"'%.100s' is not a time; takes milliseconds or a unit, like 100, 100ms, "
			"1.5s, 2m, at most 49 days",
			s);
	*ret = (uint32_t)(usec / USEC_PER_MSEC);
	return 0;
}

/* text (no slash in it) to 16 bytes, IPv4 v4-mapped. */
static bool take_addr(const char *text, uint8_t addr[16], bool *ret_v4)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (inet_pton(AF_INET, text, addr + 12) == 1) {
		memcpy(addr, mapped, sizeof(mapped));
		*ret_v4 = true;
		return true;
	}
	*ret_v4 = false;
	return inet_pton(AF_INET6, text, addr) == 1;
}

/* Clear what lies beyond len bits; says whether there was anything. */
static bool mask_host_bits(uint8_t addr[16], unsigned int len)
{
	bool any = false;
	unsigned int i;

	for (i = 0; i < 16; i++) {
		unsigned int keep = len >= 8 * (i + 1) ? 8 : len > 8 * i ? len - 8 * i : 0;
		uint8_t mask = (uint8_t)(0xff00u >> keep);

		any |= (addr[i] & (uint8_t)~mask) != 0;
		addr[i] &= mask;
	}
	return any;
}

static int no_cidr(const char *s, struct netprobe_error *err)
{
	return error_set(
		err, -EINVAL,
		"'%.100s' is not an address; takes an IPv4 or IPv6 address or network, like "
		"10.0.0.1, 10.0.0.0/8 or 2001:db8::/32",
		s);
}

static int host_bits_set(const char *s, const struct np_cidr *c, bool v4,
			 struct netprobe_error *err)
{
	char text[INET6_ADDRSTRLEN] = "";
	unsigned int len = v4 ? c->len - 96u : c->len;

	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? c->addr + 12 : c->addr, text, sizeof(text));
	return error_set(err, -EINVAL,
			 "'%.100s' has bits set beyond its /%u; takes a network like %s/%u or one "
			 "address without a prefix",
			 s, len, text, len);
}

int parse_cidr(const char *s, struct np_cidr *ret, struct netprobe_error *err)
{
	const char *slash = strchr(s, '/'), *p;
	size_t n = slash ? (size_t)(slash - s) : strlen(s);
	bool v4, brackets = n > 2 && s[0] == '[' && s[n - 1] == ']';
	char text[INET6_ADDRSTRLEN];
	struct np_cidr c = { .len = 128 };
	uint64_t len = 0;

	if (n - 2 * brackets >= sizeof(text))
		return no_cidr(s, err);
	memcpy(text, s + brackets, n - 2 * brackets);
	text[n - 2 * brackets] = '\0';
	/* Brackets are IPv6's, as in URLs. */
	if (!take_addr(text, c.addr, &v4) || (v4 && brackets))
		return no_cidr(s, err);
	if (slash) {
		p = slash + 1;
		if (take_digits(&p, &len) < 0 || *p || len > (v4 ? 32 : 128))
			return error_set(err, -EINVAL,
					 "'%.100s' has no such prefix length; takes /0 to /%d", s,
					 v4 ? 32 : 128);
		c.len = (uint8_t)(v4 ? len + 96 : len);
	}
	if (mask_host_bits(c.addr, c.len))
		return host_bits_set(s, &c, v4, err);
	*ret = c;
	return 0;
}

int parse_port_range(const char *s, struct np_port_range *ret, struct netprobe_error *err)
{
	uint64_t from = 0, to = 0;
	const char *p = s;
	int r;

	r = take_digits(&p, &from);
	to = from;
	if (r == 0 && *p == '-') {
		p++;
		r = take_digits(&p, &to);
	}
	if (r < 0 || *p || from < 1 || from > UINT16_MAX || to < 1 || to > UINT16_MAX)
		return error_set(err, -EINVAL,
				 "'%.100s' is not a port; takes 1-65535 or a range like 8000-8100",
				 s);
	if (to < from)
		return error_set(err, -EINVAL,
				 "'%.100s' is reversed; takes 1-65535 or a range like "
				 "%" PRIu64 "-%" PRIu64,
				 s, to, from);
	ret->from = (uint16_t)from;
	ret->to = (uint16_t)to;
	return 0;
}

int parse_proto(const char *s, uint8_t *ret, struct netprobe_error *err)
{
	static const struct {
		const char *name;
		uint8_t proto;
	} protos[] = {
		{ "tcp", NP_PROTO_TCP },
		{ "udp", NP_PROTO_UDP },
		{ "icmp", NP_PROTO_ICMP },
	};
	size_t i;

	for (i = 0; i < COUNT_OF(protos); i++) {
		if (strcasecmp(s, protos[i].name) == 0) {
			*ret = protos[i].proto;
			return 0;
		}
	}
	return error_set(
		err, -EINVAL,
		"'%.100s' is not a protocol that netprobe filters by; takes tcp, udp or icmp", s);
}

/* Those that packet filters meet; others go by their number, as in /etc/protocols. */
static const struct {
	const char *name;
	uint8_t proto;
} ip_protos[] = {
	{ "icmp", IPPROTO_ICMP },
	{ "igmp", IPPROTO_IGMP },
	{ "ipip", IPPROTO_IPIP },
	{ "tcp", IPPROTO_TCP },
	{ "udp", IPPROTO_UDP },
	{ "dccp", IPPROTO_DCCP },
	{ "ipv6", IPPROTO_IPV6 },
	{ "gre", IPPROTO_GRE },
	{ "esp", IPPROTO_ESP },
	{ "ah", IPPROTO_AH },
	{ "icmpv6", IPPROTO_ICMPV6 },
	{ "ospf", 89 },
	{ "pim", IPPROTO_PIM },
	{ "vrrp", 112 },
	{ "l2tp", 115 },
	{ "sctp", IPPROTO_SCTP },
	{ "udplite", IPPROTO_UDPLITE },
};

int parse_ip_proto(const char *s, uint8_t *ret, struct netprobe_error *err)
{
	uint32_t number;

	for (size_t i = 0; i < COUNT_OF(ip_protos); i++) {
		if (strcasecmp(s, ip_protos[i].name) == 0) {
			*ret = ip_protos[i].proto;
			return 0;
		}
	}
	if (parse_u32(s, 1, 255, &number, NULL))
		return error_set(err, -EINVAL,
				 "'%.100s' is not a protocol; takes tcp, udp, icmp, sctp, gre, esp "
				 "and the like, or a number from 1 to 255",
				 s);
	*ret = (uint8_t)number;
	return 0;
}

const char *ip_proto_name(uint8_t proto, char room[4])
{
	for (size_t i = 0; i < COUNT_OF(ip_protos); i++)
		if (ip_protos[i].proto == proto)
			return ip_protos[i].name;
	(void)snprintf(room, 4, "%u", proto);
	return room;
}
