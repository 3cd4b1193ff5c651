/* SPDX-License-Identifier: BSD-2-Clause */
/* See route.h. */
#include "base/netlink.h"
#include "balance/route.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "balance/name.h"

#define MANAGED (1u << 0) /* NTF_EXT_MANAGED; not in every header */
#define FLAGS_EXT 15	  /* NDA_FLAGS_EXT; the same */
#define REPLY_BYTES 4096
#define REPLY_MS 5000

struct request {
	struct nlmsghdr n;
	union {
		struct rtmsg route;
		struct ndmsg neigh;
		char room[256];
	};
};

static void put(struct request *q, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (struct rtattr *)((char *)q + NLMSG_ALIGN(q->n.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->n.nlmsg_len = NLMSG_ALIGN(q->n.nlmsg_len) + (uint32_t)RTA_ALIGN(a->rta_len);
}

static void put_addr(struct request *q, unsigned short type, const uint8_t addr[16])
{
	if (addr_is_v4(addr))
		put(q, type, addr + 12, 4);
	else
		put(q, type, addr, 16);
}

/* One request, one answer in reply: its bytes, or the kernel's -errno. */
static ssize_t ask(struct request *q, char reply[REPLY_BYTES])
{
	struct timeval wait = { .tv_sec = REPLY_MS / 1000 };
	struct nlmsghdr *h = (struct nlmsghdr *)reply;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t n;

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	n = send(fd, q, q->n.nlmsg_len, 0);
	if (n >= 0)
		n = netlink_recv(fd, reply, REPLY_BYTES, 0);
	if (n < 0)
		n = -errno;
	close(fd);
	if (n < 0)
		return n;
	if (!NLMSG_OK(h, n))
		return -EPROTO;
	if (h->nlmsg_type == NLMSG_ERROR)
		return ((struct nlmsgerr *)NLMSG_DATA(h))->error;
	return n;
}

static void take_addr(const struct rtattr *a, uint8_t ret[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (RTA_PAYLOAD(a) == 4) {
		memcpy(ret, mapped, sizeof(mapped));
		memcpy(ret + 12, RTA_DATA(a), 4);
	} else if (RTA_PAYLOAD(a) == 16) {
		memcpy(ret, RTA_DATA(a), 16);
	}
}

/* An IPv4 route may lead over an IPv6 gateway. */
static void take_via(const struct rtattr *a, uint8_t ret[16])
{
	const struct rtvia *via = RTA_DATA(a);

	if (RTA_PAYLOAD(a) >= sizeof(*via) + 16 && via->rtvia_family == AF_INET6)
		memcpy(ret, via->rtvia_addr, 16);
}

static int take_route(const char *reply, size_t bytes, struct route *ret)
{
	const struct nlmsghdr *h = (const struct nlmsghdr *)reply;
	const struct rtmsg *m = NLMSG_DATA(h);
	int left;

	if (h->nlmsg_type != RTM_NEWROUTE || bytes < NLMSG_LENGTH(sizeof(*m)) ||
	    h->nlmsg_len > bytes)
		return -EPROTO;
	if (m->rtm_type == RTN_LOCAL)
		return -EADDRINUSE;
	if (m->rtm_type != RTN_UNICAST)
		return -ENETUNREACH;
	left = (int)RTM_PAYLOAD(h);
	for (const struct rtattr *a = RTM_RTA(m); RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		if (a->rta_type == RTA_OIF && RTA_PAYLOAD(a) == 4)
			memcpy(&ret->ifindex, RTA_DATA(a), 4);
		else if (a->rta_type == RTA_GATEWAY)
			take_addr(a, ret->hop);
		else if (a->rta_type == RTA_VIA)
			take_via(a, ret->hop);
		else if (a->rta_type == RTA_PREFSRC)
			take_addr(a, ret->src);
	}
	return ret->ifindex ? 0 : -ENETUNREACH;
}

int route_find(const uint8_t addr[16], struct route *ret, struct netprobe_error *err)
{
	struct request q = { .n = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct rtmsg)),
				    .nlmsg_type = RTM_GETROUTE,
				    .nlmsg_flags = NLM_F_REQUEST } };
	bool v4 = addr_is_v4(addr);
	char reply[REPLY_BYTES] __attribute__((aligned(8)));
	char text[ADDR_TEXT_SIZE];
	struct route found = {};
	ssize_t n;
	int r;

	q.route.rtm_family = v4 ? AF_INET : AF_INET6;
	q.route.rtm_dst_len = v4 ? 32 : 128;
	put_addr(&q, RTA_DST, addr);
	memcpy(found.hop, addr, 16);
	n = ask(&q, reply);
	r = n < 0 ? (int)n : take_route(reply, (size_t)n, &found);
	addr_format(addr, text);
	if (r == -EADDRINUSE)
		return error_set(err, r, "backend %s is this host itself; takes another host's",
				 text);
	if (r == -ENETUNREACH || r == -EHOSTUNREACH) {
		error_set(err, -ENETUNREACH, "backend %s: this host has no route to it", text);
		error_hint(err, "ip route get %s shows the route", text);
		return -ENETUNREACH;
	}
	if (r)
		return error_set(err, r, "backend %s: no route: %s", text, strerror(-r));
	*ret = found;
	return 0;
}

static struct request neighbour(unsigned short type, const uint8_t hop[16], uint32_t ifindex)
{
	struct request q = { .n = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ndmsg)),
				    .nlmsg_type = type,
				    .nlmsg_flags = NLM_F_REQUEST } };

	q.neigh.ndm_family = addr_is_v4(hop) ? AF_INET : AF_INET6;
	q.neigh.ndm_ifindex = (int)ifindex;
	put_addr(&q, NDA_DST, hop);
	return q;
}

/* What the kernel knows of it so far: its state, and its hardware address added to q. */
static uint16_t known(const uint8_t hop[16], uint32_t ifindex, struct request *q, bool *ret_foreign)
{
	struct request get = neighbour(RTM_GETNEIGH, hop, ifindex);
	char reply[REPLY_BYTES] __attribute__((aligned(8)));
	const struct nlmsghdr *h = (const struct nlmsghdr *)reply;
	const struct ndmsg *m = NLMSG_DATA(h);
	ssize_t n = ask(&get, reply);
	int left;

	*ret_foreign = false;
	if (n <= 0 || h->nlmsg_type != RTM_NEWNEIGH || h->nlmsg_len > (size_t)n)
		return 0;
	*ret_foreign = (m->ndm_state & (NUD_PERMANENT | NUD_NOARP)) ||
		       (m->ndm_flags & NTF_EXT_LEARNED);
	if (!(m->ndm_state & (NUD_REACHABLE | NUD_STALE | NUD_DELAY | NUD_PROBE)))
		return 0;
	left = (int)(h->nlmsg_len - NLMSG_LENGTH(sizeof(*m)));
	for (const struct rtattr *a = (const struct rtattr *)(m + 1); RTA_OK(a, left);
	     a = RTA_NEXT(a, left))
		if (a->rta_type == NDA_LLADDR && RTA_PAYLOAD(a) <= 32)
			put(q, NDA_LLADDR, RTA_DATA(a), RTA_PAYLOAD(a));
	return NUD_STALE;
}

int route_keep(const uint8_t hop[16], uint32_t ifindex)
{
	struct request q = neighbour(RTM_NEWNEIGH, hop, ifindex), plain;
	char reply[REPLY_BYTES] __attribute__((aligned(8)));
	uint32_t flags = MANAGED;
	bool foreign;
	ssize_t r;

	/* What is valid stays so: without its address it would be asked for again, and packets lost. */
	q.neigh.ndm_state = known(hop, ifindex, &q, &foreign);
	if (foreign)
		return -EEXIST;
	q.n.nlmsg_flags |= NLM_F_ACK | NLM_F_CREATE | NLM_F_REPLACE;
	q.neigh.ndm_flags = NTF_USE;
	plain = q;
	put(&q, FLAGS_EXT, &flags, sizeof(flags));
	r = ask(&q, reply);
	if (r == -EINVAL || r == -EOPNOTSUPP)
		r = ask(&plain, reply);
	return (int)r;
}

void route_forget(const uint8_t hop[16], uint32_t ifindex)
{
	struct request q = neighbour(RTM_DELNEIGH, hop, ifindex);
	char reply[REPLY_BYTES] __attribute__((aligned(8)));

	q.n.nlmsg_flags |= NLM_F_ACK;
	(void)ask(&q, reply);
}

bool route_forwards(const char *ifname, bool v6)
{
	char path[128], c = '0';
	int fd;

	(void)snprintf(path, sizeof(path), "/proc/sys/net/%s/conf/%s/forwarding",
		       v6 ? "ipv6" : "ipv4", ifname);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	if (read(fd, &c, 1) != 1)
		c = '0';
	close(fd);
	return c == '1';
}
