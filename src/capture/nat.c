/* SPDX-License-Identifier: BSD-2-Clause */
/* Connection tracking, asked by netlink (see nat.h). */
#include <errno.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/log.h"
#include "base/netlink.h"
#include "capture/nat.h"

#define ASKS_A_SECOND 2000 /* of 10 us each: 2 % of a processor at most */
#define SECOND_NS 1000000000ULL
#define SHUT_NS (60 * SECOND_NS)
#define CT_TYPE(msg) (NFNL_SUBSYS_CTNETLINK << 8 | (msg))

struct nat {
	nat_ask_fn fn;
	void *arg;
	int fd; /* -1: not open */
	uint32_t seq, asked;
	uint64_t second_ns;	/* in which so many were asked */
	uint64_t shut_until_ns; /* asking failed; 0: it did not */
	bool said;		/* that it did */
};

struct nat *nat_free(struct nat *n)
{
	if (n && n->fd >= 0)
		(void)close(n->fd);
	free(n);
	return NULL;
}

static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

static bool is_v4(const uint8_t addr[16])
{
	return !memcmp(addr, mapped, sizeof(mapped));
}

/* The attribute of that type, NULL none; *ret_size of what it holds. */
static const void *attr_of(const void *attrs, size_t len, unsigned int type, size_t *ret_size)
{
	const char *at = attrs;

	while (len >= sizeof(struct nlattr)) {
		const struct nlattr *a = (const void *)at;
		size_t step;

		if (a->nla_len < NLA_HDRLEN || a->nla_len > len)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type) {
			*ret_size = a->nla_len - (size_t)NLA_HDRLEN;
			return at + NLA_HDRLEN;
		}
		step = NLA_ALIGN(a->nla_len);
		if (step > len)
			return NULL;
		at += step;
		len -= step;
	}
	return NULL;
}

static bool get_addr(const void *ip, size_t len, unsigned int v4, unsigned int v6, uint8_t ret[16])
{
	size_t size = 0;
	const void *addr = attr_of(ip, len, v4, &size);

	if (addr && size == 4) {
		memcpy(ret, mapped, sizeof(mapped));
		memcpy(ret + 12, addr, 4);
		return true;
	}
	addr = attr_of(ip, len, v6, &size);
	if (!addr || size != 16)
		return false;
	memcpy(ret, addr, 16);
	return true;
}

static bool get_port(const void *proto, size_t len, unsigned int type, uint16_t *ret)
{
	size_t size = 0;
	const void *port = attr_of(proto, len, type, &size);
	uint16_t v;

	if (!port || size != sizeof(v))
		return false;
	memcpy(&v, port, sizeof(v));
	*ret = ntohs(v);
	return true;
}

static bool get_ends(const void *attrs, size_t len, unsigned int type, struct nat_ends *ret)
{
	size_t size = 0, ip_size = 0, proto_size = 0;
	const void *tuple = attr_of(attrs, len, type, &size), *ip, *proto;

	if (!tuple)
		return false;
	ip = attr_of(tuple, size, CTA_TUPLE_IP, &ip_size);
	proto = attr_of(tuple, size, CTA_TUPLE_PROTO, &proto_size);
	memset(ret, 0, sizeof(*ret));
	return ip && proto && get_addr(ip, ip_size, CTA_IP_V4_SRC, CTA_IP_V6_SRC, ret->src) &&
	       get_addr(ip, ip_size, CTA_IP_V4_DST, CTA_IP_V6_DST, ret->dst) &&
	       get_port(proto, proto_size, CTA_PROTO_SRC_PORT, &ret->sport) &&
	       get_port(proto, proto_size, CTA_PROTO_DST_PORT, &ret->dport);
}

static bool same_ends(const struct nat_ends *a, const struct nat_ends *b)
{
	return a->sport == b->sport && a->dport == b->dport && !memcmp(a->src, b->src, 16) &&
	       !memcmp(a->dst, b->dst, 16);
}

bool nat_parse(const void *attrs, size_t len, const struct nat_ends *from,
	       struct nat_ends *ret_other)
{
	struct nat_ends orig, reply;

	if (!get_ends(attrs, len, CTA_TUPLE_ORIG, &orig) ||
	    !get_ends(attrs, len, CTA_TUPLE_REPLY, &reply))
		return false;
	if (same_ends(&orig, from))
		*ret_other = reply;
	else if (same_ends(&reply, from))
		*ret_other = orig;
	else
		return false;
	return true;
}

struct ask {
	struct nlmsghdr nlh;
	struct nfgenmsg gen;
	char attrs[128];
};

static struct nlattr *put(struct ask *q, unsigned int type, const void *data, size_t size)
{
	struct nlattr *a = (void *)((char *)q + q->nlh.nlmsg_len);

	a->nla_type = (uint16_t)type;
	a->nla_len = (uint16_t)(NLA_HDRLEN + size);
	if (size)
		memcpy((char *)a + NLA_HDRLEN, data, size);
	q->nlh.nlmsg_len += (uint32_t)NLA_ALIGN(a->nla_len);
	return a;
}

static void put_end(const struct ask *q, struct nlattr *nest)
{
	nest->nla_type |= NLA_F_NESTED;
	nest->nla_len = (uint16_t)((const char *)q + q->nlh.nlmsg_len - (const char *)nest);
}

static void ask_fill(struct ask *q, const struct nat_ends *from, uint8_t proto, uint32_t seq)
{
	bool v4 = is_v4(from->src) && is_v4(from->dst);
	uint16_t sport = htons(from->sport), dport = htons(from->dport);
	struct nlattr *tuple, *nest;

	*q = (struct ask){ .nlh = { .nlmsg_len = NLMSG_LENGTH(sizeof(q->gen)),
				    .nlmsg_type = CT_TYPE(IPCTNL_MSG_CT_GET),
				    .nlmsg_flags = NLM_F_REQUEST,
				    .nlmsg_seq = seq },
			   .gen = { .nfgen_family = v4 ? AF_INET : AF_INET6,
				    .version = NFNETLINK_V0 } };
	tuple = put(q, CTA_TUPLE_ORIG, NULL, 0);
	nest = put(q, CTA_TUPLE_IP, NULL, 0);
	(void)put(q, v4 ? CTA_IP_V4_SRC : CTA_IP_V6_SRC, from->src + (v4 ? 12 : 0), v4 ? 4 : 16);
	(void)put(q, v4 ? CTA_IP_V4_DST : CTA_IP_V6_DST, from->dst + (v4 ? 12 : 0), v4 ? 4 : 16);
	put_end(q, nest);
	nest = put(q, CTA_TUPLE_PROTO, NULL, 0);
	(void)put(q, CTA_PROTO_NUM, &proto, sizeof(proto));
	(void)put(q, CTA_PROTO_SRC_PORT, &sport, sizeof(sport));
	(void)put(q, CTA_PROTO_DST_PORT, &dport, sizeof(dport));
	put_end(q, nest);
	put_end(q, tuple);
}

/* The kernel answers before sendto() returns. 0, -ENOENT, or another negative errno: it cannot be asked. */
static int take(const struct nat *n, const struct nat_ends *from, struct nat_ends *ret)
{
	char buf[4096] __attribute__((aligned(8)));
	const size_t head = NLMSG_LENGTH(sizeof(struct nfgenmsg));

	for (;;) {
		ssize_t size = netlink_recv(n->fd, buf, sizeof(buf), MSG_DONTWAIT);
		const struct nlmsghdr *h = (const void *)buf;

		if (size < 0 && errno == EINTR)
			continue;
		if (size < (ssize_t)sizeof(*h))
			return size < 0 ? -errno : -EPROTO;
		if (h->nlmsg_seq != n->seq || h->nlmsg_len > (size_t)size)
			continue;
		if (h->nlmsg_type == NLMSG_ERROR && h->nlmsg_len >= NLMSG_LENGTH(4)) {
			int e = *(const int *)NLMSG_DATA(h);

			return e < 0 ? e : -EPROTO;
		}
		if (h->nlmsg_type != CT_TYPE(IPCTNL_MSG_CT_NEW) || h->nlmsg_len < head)
			return -EPROTO;
		return nat_parse(buf + NLMSG_ALIGN(head), h->nlmsg_len - head, from, ret) ? 0
											  : -ENOENT;
	}
}

static int ask_kernel(void *arg, const struct nat_ends *from, uint8_t proto, struct nat_ends *ret)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct nat *n = arg;
	struct ask q;

	ask_fill(&q, from, proto, ++n->seq);
	if (sendto(n->fd, &q, q.nlh.nlmsg_len, 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return take(n, from, ret);
}

struct nat *nat_new(nat_ask_fn fn, void *arg)
{
	struct nat *n = calloc(1, sizeof(*n));

	if (!n)
		return NULL;
	n->fd = -1;
	n->fn = fn ? fn : ask_kernel;
	n->arg = fn ? arg : n;
	return n;
}

/* May it be asked at all? What opens the socket loads the kernel's module for it: only where connections are tracked. */
static bool is_open(struct nat *n, uint64_t now_ns)
{
	if (n->shut_until_ns && now_ns < n->shut_until_ns)
		return false;
	n->shut_until_ns = 0;
	if (now_ns - n->second_ns >= SECOND_NS) {
		n->second_ns = now_ns;
		n->asked = 0;
		if (n->fn == ask_kernel && n->fd < 0 && !access(NAT_TRACKED_FILE, F_OK))
			n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_NETFILTER);
	}
	return n->fn != ask_kernel || n->fd >= 0;
}

static enum nat_answer ask(struct nat *n, const struct nat_ends *from, uint8_t proto,
			   uint64_t now_ns, struct nat_ends *ret)
{
	int r;

	if (!n || (proto != IPPROTO_TCP && proto != IPPROTO_UDP) || !is_open(n, now_ns))
		return NAT_NONE;
	if (n->asked >= ASKS_A_SECOND)
		return NAT_LATER;
	n->asked++;
	r = n->fn(n->arg, from, proto, ret);
	if (r && r != -ENOENT) {
		n->shut_until_ns = now_ns + SHUT_NS;
		if (!n->said)
			log_notice(
				"connection tracking cannot be asked (%s): connections whose addresses "
				"are translated have no owner",
				strerror(-r));
		n->said = true;
	}
	return r ? NAT_NONE : NAT_OTHER;
}

static void set_ends(struct np_tuple *t, const uint8_t laddr[16], uint16_t lport,
		     const uint8_t raddr[16], uint16_t rport)
{
	memcpy(t->laddr, laddr, 16);
	memcpy(t->raddr, raddr, 16);
	t->lport = lport;
	t->rport = rport;
}

static bool is_other(const struct np_tuple *t, const struct np_tuple *was)
{
	return t->lport != was->lport || t->rport != was->rport ||
	       memcmp(t->laddr, was->laddr, 16) != 0 || memcmp(t->raddr, was->raddr, 16) != 0;
}

/* What comes to this end by the wire is one direction, what the socket sends is the other one with its ends exchanged. */
enum nat_answer nat_to_socket(struct nat *n, struct np_tuple *t, uint64_t now_ns)
{
	struct nat_ends from = { .sport = t->rport, .dport = t->lport }, other;
	struct np_tuple was = *t;
	enum nat_answer r;

	memcpy(from.src, t->raddr, 16);
	memcpy(from.dst, t->laddr, 16);
	r = ask(n, &from, t->proto, now_ns, &other);
	if (r != NAT_OTHER)
		return r;
	set_ends(t, other.src, other.sport, other.dst, other.dport);
	return is_other(t, &was) ? NAT_OTHER : NAT_SAME;
}

enum nat_answer nat_to_wire(struct nat *n, struct np_tuple *t, uint64_t now_ns)
{
	struct nat_ends from = { .sport = t->lport, .dport = t->rport }, other;
	struct np_tuple was = *t;
	enum nat_answer r;

	memcpy(from.src, t->laddr, 16);
	memcpy(from.dst, t->raddr, 16);
	r = ask(n, &from, t->proto, now_ns, &other);
	if (r != NAT_OTHER)
		return r;
	set_ends(t, other.dst, other.dport, other.src, other.sport);
	return is_other(t, &was) ? NAT_OTHER : NAT_SAME;
}
