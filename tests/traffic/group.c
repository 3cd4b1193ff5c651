/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Questions to a group (mDNS, LLMNR) and who answers them. The answerer does as the first label
 * says: drop no answer, anything else is 192.0.2.9.
 *
 * group --ask N --drop N   so many questions, one after the other
 *     --addr G --port P    of the group (224.0.0.251, 5353)
 *     --dev IF --server-dev IF  where each end speaks; --server-ns: where who answers lives
 *     --full               as a whole mDNS host: from port P, answers go to the group, without a question
 *     --beside             another process of this host is bound to port P as well, and only listens
 *
 * Reports: tx_pkts questions, rx_pkts answers.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define MESSAGE 512
#define QUESTION 12 /* where it begins */
#define WAIT_MS 2000
#define DROP_WAIT_MS 50 /* for what nobody answers */

static bool is_full;

static struct addr group_addr(void)
{
	return addr_parse(tm_str("addr", "224.0.0.251"), (uint16_t)tm_num("port", 5353));
}

/* Bound to that port of all addresses (0: any), speaking by that device. */
static int group_socket(const struct addr *group, uint16_t port, const char *dev)
{
	bool v6 = group->ss.ss_family == AF_INET6;
	struct addr any = addr_parse(v6 ? "::" : "0.0.0.0", port);
	int fd = sock_new(group->ss.ss_family, SOCK_DGRAM);
	int index = (int)if_nametoindex(dev);
	struct ip_mreqn m = { .imr_ifindex = index };

	sock_int(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (bind(fd, (struct sockaddr *)&any.ss, any.len) < 0)
		die("bind");
	if (v6)
		sock_int(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, index);
	else if (setsockopt(fd, IPPROTO_IP, IP_MULTICAST_IF, &m, sizeof(m)) < 0)
		die("IP_MULTICAST_IF");
	return fd;
}

static void group_join(int fd, const struct addr *group, const char *dev)
{
	unsigned int index = if_nametoindex(dev);
	struct ip_mreqn m4 = { .imr_ifindex = (int)index };
	struct ipv6_mreq m6 = { .ipv6mr_interface = index };

	m4.imr_multiaddr = ((const struct sockaddr_in *)&group->ss)->sin_addr;
	m6.ipv6mr_multiaddr = ((const struct sockaddr_in6 *)&group->ss)->sin6_addr;
	if (group->ss.ss_family == AF_INET6
		    ? setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &m6, sizeof(m6)) < 0
		    : setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &m4, sizeof(m4)) < 0)
		die("join");
}

/* The answer to a query of n bytes; 0: none. */
static size_t answer(const uint8_t *q, size_t n, uint8_t *to)
{
	static const uint8_t rest[] = { 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 192, 0, 2, 9 };
	size_t name = n - QUESTION - 4;

	if (n < QUESTION + 6 || q[2] & 0x80 || !memcmp(q + QUESTION + 1, "drop", 4))
		return 0;
	memset(to, 0, QUESTION);
	if (!is_full) {
		memcpy(to, q, n);
		to[5] = 1;
	}
	to[2] = 0x84;
	to[7] = 1;
	if (is_full)
		n = QUESTION;
	memcpy(to + n, q + QUESTION, name);
	memcpy(to + n + name, rest, sizeof(rest));
	if (is_full)
		to[n + name + 2] |= 0x80; /* whoever keeps this name may forget what it had */
	return n + name + sizeof(rest);
}

static _Noreturn void serve(const struct addr *group, const struct gate *ready)
{
	const char *dev = tm_str("server-dev", "lo");
	int fd;

	tm_comm("answerer");
	tm_enter("server");
	fd = group_socket(group, addr_port(group), dev);
	group_join(fd, group, dev);
	gate_open(ready, 0);
	for (;;) {
		struct addr from = { .len = sizeof(from.ss) };
		uint8_t q[MESSAGE], a[2 * MESSAGE];
		ssize_t n = recvfrom(fd, q, sizeof(q), 0, (struct sockaddr *)&from.ss, &from.len);
		size_t len = n > 0 ? answer(q, (size_t)n, a) : 0;
		const struct addr *to = is_full ? group : &from;

		if (len && sendto(fd, a, len, 0, (const struct sockaddr *)&to->ss, to->len) < 0)
			die("sendto");
	}
}

static void ask(struct report *r, int fd, const struct addr *group, const char *label,
		unsigned int number)
{
	static uint8_t id;
	uint8_t m[MESSAGE] = { 0, is_full ? 0 : ++id, 0, 0, 0, 1 };
	char text[60];
	size_t n = (size_t)snprintf(text, sizeof(text), "%s%u", label, number);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	bool answered = false;

	m[QUESTION] = (uint8_t)n;
	memcpy(m + QUESTION + 1, text, n);
	memcpy(m + QUESTION + 1 + n, "\5local\0\0\1\0\1", 11);
	n += QUESTION + 1 + 11;
	if (sendto(fd, m, n, 0, (const struct sockaddr *)&group->ss, group->len) < 0)
		die("sendto");
	r->tx_pkts++;
	/* its own question comes back too, where it has joined */
	while (!answered && poll(&p, 1, *label == 'd' ? DROP_WAIT_MS : WAIT_MS) > 0)
		answered = recv(fd, m, sizeof(m), 0) > 2 && m[2] & 0x80;
	r->rx_pkts += answered;
}

static void listen_beside(const struct addr *group, const char *dev)
{
	struct gate ready = gate_new();
	uint8_t m[MESSAGE];
	int fd;

	if (tm_fork()) {
		(void)gate_wait(&ready);
		return;
	}
	tm_comm("beside");
	fd = group_socket(group, addr_port(group), dev);
	group_join(fd, group, dev);
	gate_open(&ready, 0);
	while (recv(fd, m, sizeof(m), 0) >= 0)
		;
	_exit(0);
}

int main(int argc, char **argv)
{
	struct report r = { .role = "client" };
	struct addr group;
	struct gate ready;
	const char *dev;
	int fd;

	tm_init(argc, argv);
	is_full = tm_flag("full");
	dev = tm_str("dev", "lo");
	group = group_addr();
	ready = gate_new();
	if (!tm_fork())
		serve(&group, &ready);
	(void)gate_wait(&ready);
	if (tm_flag("beside"))
		listen_beside(&group, dev);
	tm_comm("client");
	fd = group_socket(&group, is_full ? addr_port(&group) : 0, dev);
	if (is_full)
		group_join(fd, &group, dev);
	for (unsigned int i = 0; i < tm_num("ask", 0); i++)
		ask(&r, fd, &group, "host", i);
	for (unsigned int i = 0; i < tm_num("drop", 0); i++)
		ask(&r, fd, &group, "drop", i);
	report_socket(&r, fd);
	tm_hold("asked");
	report_print(&r);
	return 0;
}
