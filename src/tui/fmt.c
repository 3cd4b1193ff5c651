/* SPDX-License-Identifier: BSD-2-Clause */
/* Short numbers, times and addresses for columns. Pure; knows nothing of the grid. */
#include "tui/fmt.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netprobe/netprobe.h>
#include <stdio.h>
#include <string.h>

/* v below 1000 with three significant digits; the limits are where rounding would add a digit. */
static void three_digits(double v, const char *unit, char *s, size_t size)
{
	int decimals = v < 9.995 ? 2 : v < 99.95 ? 1 : 0;

	(void)snprintf(s, size, "%.*f%s", decimals, v, unit);
}

void fmt_si(double v, char *s, size_t size)
{
	static const char *const unit[] = { "", "k", "M", "G", "T", "P", "E" };
	size_t i = 0;

	if (!(v >= 0)) {
		(void)snprintf(s, size, "?");
		return;
	}
	while (v >= 999.5 && i + 1 < sizeof(unit) / sizeof(*unit)) {
		v /= 1000;
		i++;
	}
	if (v >= 999.5)
		(void)snprintf(s, size, ">999E");
	else if (i > 0)
		three_digits(v, unit[i], s, size);
	else if (v > 0 && v < 1)
		(void)snprintf(s, size, "<1");
	else
		(void)snprintf(s, size, "%.0f", v);
}

void fmt_bytes(uint64_t bytes, char *s, size_t size)
{
	static const char *const unit[] = { "", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei" };
	double v = (double)bytes;
	size_t i = 0;

	while (v >= 1023.5 && i + 1 < sizeof(unit) / sizeof(*unit)) {
		v /= 1024;
		i++;
	}
	if (i > 0)
		three_digits(v, unit[i], s, size);
	else
		(void)snprintf(s, size, "%.0f", v);
}

void fmt_count(uint64_t v, char *s, size_t size)
{
	if (v < 100000)
		(void)snprintf(s, size, "%u", (unsigned int)v);
	else
		fmt_si((double)v, s, size);
}

void fmt_usec(uint32_t us, char *s, size_t size)
{
	double v = us;

	if (us == 0)
		(void)snprintf(s, size, "-");
	else if (us < 1000)
		(void)snprintf(s, size, "%uus", us);
	else if (v < 999.5e3)
		three_digits(v / 1e3, "ms", s, size);
	else if (v < 999.5e6)
		three_digits(v / 1e6, "s", s, size);
	else
		(void)snprintf(s, size, "%.0fm", v / 60e6);
}

void fmt_msec(uint64_t ms, char *s, size_t size)
{
	double v = (double)ms;

	if (ms < 1000)
		(void)snprintf(s, size, ms ? "%ums" : "%u", (unsigned int)ms);
	else if (v < 99.95e3)
		three_digits(v / 1e3, "s", s, size);
	else if (v < 99.95 * 60e3)
		three_digits(v / 60e3, "m", s, size);
	else if (v < 9999.5 * 3600e3)
		three_digits(v / 3600e3, "h", s, size);
	else
		(void)snprintf(s, size, ">9999h");
}

void fmt_trim(char *s)
{
	char *point = strchr(s, '.'), *unit;

	if (!point)
		return;
	unit = point + 1 + strspn(point + 1, "0");
	if (*unit < '0' || *unit > '9')
		memmove(point, unit, strlen(unit) + 1);
}

void fmt_uptime(double seconds, char *s, size_t size)
{
	uint64_t t = seconds >= 0 && seconds < 1e12 ? (uint64_t)seconds : 0;
	unsigned int h = (unsigned int)(t / 3600 % 24), m = (unsigned int)(t / 60 % 60);

	if (t >= 86400)
		(void)snprintf(s, size, "%ud %02u:%02u:%02u", (unsigned int)(t / 86400), h, m,
			       (unsigned int)(t % 60));
	else
		(void)snprintf(s, size, "%02u:%02u:%02u", h, m, (unsigned int)(t % 60));
}

static int is_unset(const uint8_t addr[16])
{
	static const uint8_t zero[16];

	return memcmp(addr, zero, 16) == 0;
}

void fmt_addr(const uint8_t addr[16], char *s, size_t size)
{
	struct in6_addr a;

	memcpy(&a, addr, sizeof(a));
	if (is_unset(addr))
		(void)snprintf(s, size, "*");
	else if (IN6_IS_ADDR_V4MAPPED(&a))
		(void)inet_ntop(AF_INET, addr + 12, s, (socklen_t)size);
	else
		(void)inet_ntop(AF_INET6, addr, s, (socklen_t)size);
}

void fmt_endpoint(const uint8_t addr[16], uint16_t port, char *s, size_t size)
{
	char host[INET6_ADDRSTRLEN], number[8] = "*";

	fmt_addr(addr, host, sizeof(host));
	if (port)
		(void)snprintf(number, sizeof(number), "%u", port);
	(void)snprintf(s, size, strchr(host, ':') ? "[%s]:%s" : "%s:%s", host, number);
}

const char *fmt_tcp_state(uint8_t state)
{
	/* In the order of the kernel's include/net/tcp_states.h. */
	static const char *const name[] = { "",		  "ESTAB",     "SYN-SENT",  "SYN-RECV",
					    "FIN-WAIT1",  "FIN-WAIT2", "TIME-WAIT", "CLOSED",
					    "CLOSE-WAIT", "LAST-ACK",  "LISTEN",    "CLOSING",
					    "SYN-RECV" };

	return state < sizeof(name) / sizeof(*name) ? name[state] : "?";
}

const char *fmt_proto(uint8_t proto)
{
	switch (proto) {
	case IPPROTO_TCP:
		return "tcp";
	case NETPROBE_IPPROTO_MPTCP:
		return "mptcp";
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_UDPLITE:
		return "udpl";
	case IPPROTO_ICMP:
		return "icmp";
	case IPPROTO_ICMPV6:
		return "icmp6";
	default:
		return "?";
	}
}
