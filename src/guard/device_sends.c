/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Whether what XDP sends in the driver arrives. Some drivers take such frames always, some never, and a veth only
 * where its peer runs an XDP program in its driver: without, each one is dropped, and nobody is told.
 */
#include "base/netlink.h"
#include "guard/device.h"

#include <errno.h>
#include <linux/genetlink.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The netdev family of generic netlink, since 6.3; its header is not on older systems. */
#define NETDEV_NAME "netdev"
#define NETDEV_DEV_GET 1
#define NETDEV_IFINDEX 1
#define NETDEV_XDP_FEATURES 3
#define XDP_TAKES_SENT (1U << 2) /* NETDEV_XDP_ACT_NDO_XMIT */

#ifndef IFLA_TARGET_NETNSID
#define IFLA_TARGET_NETNSID IFLA_IF_NETNSID /* the same, since 4.20 */
#endif

#define ANSWER_BYTES 32768
#define BELOW_MAX 4 /* VLAN devices over each other */

struct request {
	struct nlmsghdr h;
	char body[128];
};

static void put(struct request *q, unsigned short type, const void *data, size_t len)
{
	struct rtattr *a = (void *)((char *)q + NLMSG_ALIGN(q->h.nlmsg_len));

	a->rta_type = type;
	a->rta_len = (unsigned short)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->h.nlmsg_len = NLMSG_ALIGN(q->h.nlmsg_len) + RTA_ALIGN(a->rta_len);
}

/* One question, one answer. The answer, or NULL. */
static const struct nlmsghdr *ask(int protocol, struct request *q, char *buf, size_t size)
{
	struct timeval limit = { .tv_sec = 5 };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, protocol);
	const struct nlmsghdr *h = (const void *)buf;
	ssize_t n = -1;

	if (fd < 0)
		return NULL;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	q->h.nlmsg_flags = NLM_F_REQUEST;
	if (send(fd, q, q->h.nlmsg_len, 0) == (ssize_t)q->h.nlmsg_len)
		n = netlink_recv(fd, buf, size, 0);
	(void)close(fd);
	if (n < (ssize_t)sizeof(*h) || !NLMSG_OK(h, n) || h->nlmsg_type == NLMSG_ERROR)
		return NULL;
	return h;
}

static const struct rtattr *find(const void *from, size_t len, unsigned short type)
{
	int left = (int)len;

	for (const struct rtattr *a = from; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static uint32_t u32_of(const struct rtattr *a)
{
	uint32_t v = 0;

	if (a && RTA_PAYLOAD(a) >= sizeof(v))
		memcpy(&v, RTA_DATA(a), sizeof(v));
	return v;
}

struct link {
	char kind[16];
	uint32_t below;	     /* IFLA_LINK: of a veth its peer, of a VLAN device what it is on */
	const int32_t *peer; /* NULL: below is in this namespace; else that one's number here */
	int32_t netnsid;
	uint8_t xdp; /* XDP_ATTACHED_* */
};

/* netnsid NULL: in this namespace. */
static int get_link(uint32_t ifindex, const int32_t *netnsid, struct link *ret)
{
	struct request q = { .h = { .nlmsg_len = NLMSG_LENGTH(sizeof(struct ifinfomsg)),
				    .nlmsg_type = RTM_GETLINK } };
	char buf[ANSWER_BYTES] __attribute__((aligned(8)));
	struct ifinfomsg *m = NLMSG_DATA(&q.h);
	const struct nlmsghdr *h;
	const struct rtattr *a;
	size_t len;

	memset(ret, 0, sizeof(*ret));
	m->ifi_index = (int)ifindex;
	if (netnsid)
		put(&q, IFLA_TARGET_NETNSID, netnsid, sizeof(*netnsid));
	h = ask(NETLINK_ROUTE, &q, buf, sizeof(buf));
	if (!h || h->nlmsg_type != RTM_NEWLINK)
		return -ENODEV;
	len = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	m = NLMSG_DATA(h);
	ret->below = u32_of(find(IFLA_RTA(m), len, IFLA_LINK));
	a = find(IFLA_RTA(m), len, IFLA_LINK_NETNSID);
	if (a) {
		ret->netnsid = (int32_t)u32_of(a);
		ret->peer = &ret->netnsid;
	}
	a = find(IFLA_RTA(m), len, IFLA_LINKINFO);
	a = a ? find(RTA_DATA(a), RTA_PAYLOAD(a), IFLA_INFO_KIND) : NULL;
	if (a)
		(void)snprintf(ret->kind, sizeof(ret->kind), "%.*s", (int)RTA_PAYLOAD(a),
			       (const char *)RTA_DATA(a));
	a = find(IFLA_RTA(m), len, IFLA_XDP);
	a = a ? find(RTA_DATA(a), RTA_PAYLOAD(a), IFLA_XDP_ATTACHED) : NULL;
	ret->xdp = a && RTA_PAYLOAD(a) ? *(const uint8_t *)RTA_DATA(a) : XDP_ATTACHED_NONE;
	return 0;
}

static bool veth_sends(const struct link *l)
{
	struct link peer;

	/* What cannot be asked is taken for what loses frames: generic XDP works either way. */
	return l->below && !get_link(l->below, l->peer, &peer) &&
	       (peer.xdp == XDP_ATTACHED_DRV || peer.xdp == XDP_ATTACHED_MULTI);
}

bool device_sends(uint32_t ifindex)
{
	struct link l;

	return get_link(ifindex, NULL, &l) || strcmp(l.kind, "veth") != 0 || veth_sends(&l);
}

/* The features of its driver; -ENOENT: this kernel does not tell. */
static int xdp_features(uint32_t ifindex, uint64_t *ret)
{
	struct request q = { .h = { .nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN),
				    .nlmsg_type = GENL_ID_CTRL } };
	char buf[ANSWER_BYTES] __attribute__((aligned(8)));
	struct genlmsghdr *g = NLMSG_DATA(&q.h);
	const struct nlmsghdr *h;
	const struct rtattr *a;
	uint16_t family;

	*g = (struct genlmsghdr){ .cmd = CTRL_CMD_GETFAMILY, .version = 1 };
	put(&q, CTRL_ATTR_FAMILY_NAME, NETDEV_NAME, sizeof(NETDEV_NAME));
	h = ask(NETLINK_GENERIC, &q, buf, sizeof(buf));
	a = h ? find((const char *)NLMSG_DATA(h) + GENL_HDRLEN,
		     h->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), CTRL_ATTR_FAMILY_ID)
	      : NULL;
	if (!a || RTA_PAYLOAD(a) < sizeof(family))
		return -ENOENT;
	memcpy(&family, RTA_DATA(a), sizeof(family));
	q.h.nlmsg_len = NLMSG_LENGTH(GENL_HDRLEN);
	q.h.nlmsg_type = family;
	*g = (struct genlmsghdr){ .cmd = NETDEV_DEV_GET, .version = 1 };
	put(&q, NETDEV_IFINDEX, &ifindex, sizeof(ifindex));
	h = ask(NETLINK_GENERIC, &q, buf, sizeof(buf));
	a = h ? find((const char *)NLMSG_DATA(h) + GENL_HDRLEN,
		     h->nlmsg_len - NLMSG_LENGTH(GENL_HDRLEN), NETDEV_XDP_FEATURES)
	      : NULL;
	if (!a || RTA_PAYLOAD(a) < sizeof(*ret))
		return -ENOENT;
	memcpy(ret, RTA_DATA(a), sizeof(*ret));
	return 0;
}

bool device_takes_sent(uint32_t ifindex)
{
	uint64_t features = 0;
	struct link l;

	for (int i = 0; i < BELOW_MAX; i++) {
		if (get_link(ifindex, NULL, &l))
			return true;
		if (strcmp(l.kind, "vlan") != 0 || l.peer || !l.below)
			break;
		ifindex = l.below;
	}
	if (!strcmp(l.kind, "veth"))
		return veth_sends(&l);
	return xdp_features(ifindex, &features) || (features & XDP_TAKES_SENT);
}
