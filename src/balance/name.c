/* SPDX-License-Identifier: BSD-2-Clause */
/* See name.h. */
#include "balance/name.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/parse.h"

bool addr_is_v4(const uint8_t addr[16])
{
	return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr);
}

void addr_format(const uint8_t addr[16], char ret[ADDR_TEXT_SIZE])
{
	bool v4 = addr_is_v4(addr);

	ret[0] = '\0';
	(void)inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, ret, ADDR_TEXT_SIZE);
}

void vip_format(const struct lb_vip_key *key, char ret[VIP_TEXT_SIZE])
{
	bool v4 = addr_is_v4(key->addr);
	char addr[ADDR_TEXT_SIZE], port[8] = "*";

	addr_format(key->addr, addr);
	if (key->port_be)
		(void)snprintf(port, sizeof(port), "%u", ntohs(key->port_be));
	(void)snprintf(ret, VIP_TEXT_SIZE, v4 ? "%s:%s/%s" : "[%s]:%s/%s", addr, port,
		       key->proto == IPPROTO_UDP ? "udp" : "tcp");
}

/* What can stand for a service or a server elsewhere. */
static bool is_usable(const uint8_t addr[16])
{
	const struct in6_addr *a = (const struct in6_addr *)addr;

	if (addr_is_v4(addr))
		return addr[12] != 0 && addr[12] != 127 && addr[12] < 224;
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) &&
	       !IN6_IS_ADDR_MULTICAST(a) && !IN6_IS_ADDR_LINKLOCAL(a);
}

/* n characters at text, without brackets. */
static bool take_addr(const char *text, size_t n, uint8_t ret[16])
{
	struct np_cidr cidr = {};
	char copy[ADDR_TEXT_SIZE];

	if (n == 0 || n >= sizeof(copy))
		return false;
	memcpy(copy, text, n);
	copy[n] = '\0';
	if (strchr(copy, '/') || parse_cidr(copy, &cidr, NULL) || cidr.len != 128 ||
	    !is_usable(cidr.addr))
		return false;
	memcpy(ret, cidr.addr, 16);
	return true;
}

static int no_vip(const char *text, struct netprobe_error *err)
{
	return error_set(err, -EINVAL,
			 "'%.100s' is not a VIP; takes ADDR:PORT/PROTO, like 192.0.2.1:80/tcp, "
			 "[2001:db8::1]:443/udp, or * as PORT for all ports",
			 text);
}

int vip_parse(const char *text, struct lb_vip_key *ret, struct netprobe_error *err)
{
	const char *slash = strrchr(text, '/'), *colon, *addr = text;
	struct lb_vip_key key = {};
	uint32_t port = 0;
	char number[8];
	size_t n, width;

	if (!slash)
		return no_vip(text, err);
	if (!strcmp(slash, "/tcp"))
		key.proto = IPPROTO_TCP;
	else if (!strcmp(slash, "/udp"))
		key.proto = IPPROTO_UDP;
	else
		return no_vip(text, err);
	colon = memrchr(text, ':', (size_t)(slash - text));
	if (!colon)
		return no_vip(text, err);
	n = (size_t)(colon - text);
	if (*text == '[') {
		if (n < 2 || text[n - 1] != ']')
			return no_vip(text, err);
		addr++;
		n -= 2;
	} else if (memchr(text, ':', n)) {
		/* Which of an IPv6 address's colons is the port's, only brackets tell. */
		return no_vip(text, err);
	}
	width = (size_t)(slash - colon - 1);
	if (width == 0 || width >= sizeof(number) || !take_addr(addr, n, key.addr))
		return no_vip(text, err);
	memcpy(number, colon + 1, width);
	number[width] = '\0';
	if (strcmp(number, "*") != 0 && parse_u32(number, 1, 65535, &port, NULL))
		return no_vip(text, err);
	key.port_be = htons((uint16_t)port);
	*ret = key;
	return 0;
}

int backend_parse(const char *text, uint8_t ret_addr[16], struct netprobe_error *err)
{
	size_t n = strlen(text);
	bool brackets = n > 2 && text[0] == '[' && text[n - 1] == ']';

	if (take_addr(brackets ? text + 1 : text, brackets ? n - 2 : n, ret_addr))
		return 0;
	return error_set(err, -EINVAL,
			 "'%.100s' is not a backend; takes the address of another host, like "
			 "192.0.2.10 or 2001:db8::10",
			 text);
}
