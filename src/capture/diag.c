/* SPDX-License-Identifier: BSD-2-Clause */
/* NETLINK_SOCK_DIAG (see diag.h). */
#include "base/netlink.h"
#include "capture/diag.h"

#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define RECEIVE_BYTES 65536
#define WATCH_BYTES (4 << 20) /* room for a burst of some thousand ends */

/* TIME_WAIT and half-open connections have no process: TCP_* of the kernel. */
#define STATE_SYN_RECV 3
#define STATE_TIME_WAIT 6
#define STATE_NEW_SYN_RECV 12
#define STATES_WANTED \
	(0xfffU & ~(1U << STATE_SYN_RECV | 1U << STATE_TIME_WAIT | 1U << STATE_NEW_SYN_RECV))

static void set_addr(uint8_t to[16], uint8_t family, const __be32 from[4])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	memset(to, 0, 16);
	if (family == AF_INET6) {
		memcpy(to, from, 16);
	} else if (from[0]) {
		memcpy(to, mapped, 12);
		memcpy(to + 12, from, 4);
	}
}

static bool is_mapped(const uint8_t addr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, mapped, 12);
}

static void set_tuple(struct np_tuple *t, const struct inet_diag_msg *m, uint8_t proto)
{
	set_addr(t->laddr, m->idiag_family, m->id.idiag_src);
	set_addr(t->raddr, m->idiag_family, m->id.idiag_dst);
	t->lport = ntohs(m->id.idiag_sport);
	t->rport = ntohs(m->id.idiag_dport);
	t->family = m->idiag_family;
	if (is_mapped(t->raddr) || is_mapped(t->laddr))
		t->family = AF_INET;
	t->proto = proto;
	t->ifindex = m->id.idiag_if;
	if (proto == IPPROTO_TCP) {
		t->state = m->idiag_state;
		t->flags = m->idiag_state == 10 ? NP_F_LISTEN : 0;
	} else {
		t->flags = t->rport ? 0 : NP_F_UNCONN;
	}
}

static uint32_t mem_info(const struct rtattr *a, unsigned int what)
{
	uint32_t v;

	memcpy(&v, (const char *)RTA_DATA(a) + what * sizeof(v), sizeof(v));
	return v;
}

/* The next of attributes that are left, NULL none; *at and *left go on behind it. */
static const struct rtattr *next_attr(const char **at, size_t *left)
{
	const struct rtattr *a = (const void *)*at;
	size_t step;

	if (*left < sizeof(*a) || a->rta_len < RTA_LENGTH(0) || a->rta_len > *left)
		return NULL;
	step = RTA_ALIGN(a->rta_len);
	step = step < *left ? step : *left;
	*at += step;
	*left -= step;
	return a;
}

/* What an upper layer says of a TCP socket: MPTCP's subflows have their connection's token, one for each of its ends. */
static void set_upper(struct diag_sock *ret, const struct rtattr *upper)
{
	const char *at = RTA_DATA(upper), *sub;
	size_t left = upper->rta_len - RTA_LENGTH(0), size;
	const struct rtattr *a, *b;

	while ((a = next_attr(&at, &left))) {
		size = a->rta_len - RTA_LENGTH(0);
		sub = RTA_DATA(a);
		if ((a->rta_type & NLA_TYPE_MASK) == INET_ULP_INFO_NAME && size >= 5 &&
		    !memcmp(sub, "mptcp", 5))
			ret->subflow = true;
		if ((a->rta_type & NLA_TYPE_MASK) != INET_ULP_INFO_MPTCP)
			continue;
		ret->subflow = true;
		while ((b = next_attr(&sub, &size))) {
			unsigned int type = b->rta_type & NLA_TYPE_MASK;

			if (type == MPTCP_SUBFLOW_ATTR_TOKEN_LOC && b->rta_len >= RTA_LENGTH(4))
				memcpy(&ret->token, RTA_DATA(b), 4);
			/* numbers of its ends' addresses: 0 are those that the connection began with */
			if ((type == MPTCP_SUBFLOW_ATTR_ID_LOC ||
			     type == MPTCP_SUBFLOW_ATTR_ID_REM) &&
			    b->rta_len >= RTA_LENGTH(1))
				ret->joined |= *(const uint8_t *)RTA_DATA(b) != 0;
		}
	}
}

int diag_parse(const void *data, size_t len, uint8_t proto, struct diag_sock *ret)
{
	const struct inet_diag_msg *m = data;
	const char *at = (const char *)data + NLMSG_ALIGN(sizeof(*m));
	const struct rtattr *a;
	size_t left;

	if (len < sizeof(*m))
		return -EINVAL;
	if (m->idiag_family != AF_INET && m->idiag_family != AF_INET6)
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->cookie = (uint64_t)m->id.idiag_cookie[1] << 32 | m->id.idiag_cookie[0];
	ret->inode = m->idiag_inode;
	ret->uid = m->idiag_uid;
	ret->unread_bytes = m->idiag_rqueue;
	ret->unsent_bytes = m->idiag_wqueue;
	left = len > NLMSG_ALIGN(sizeof(*m)) ? len - NLMSG_ALIGN(sizeof(*m)) : 0;
	while ((a = next_attr(&at, &left))) {
		size_t body = a->rta_len - RTA_LENGTH(0);

		if (a->rta_type == INET_DIAG_INFO) {
			ret->info_len = body < sizeof(ret->info) ? (uint32_t)body
								 : (uint32_t)sizeof(ret->info);
			memcpy(&ret->info, RTA_DATA(a), ret->info_len);
		} else if (a->rta_type == INET_DIAG_PROTOCOL && body >= 1) {
			proto = *(const uint8_t *)RTA_DATA(a);
		} else if (a->rta_type == INET_DIAG_SKMEMINFO &&
			   body >= (SK_MEMINFO_SNDBUF + 1) * sizeof(uint32_t)) {
			ret->sndbuf_bytes = mem_info(a, SK_MEMINFO_SNDBUF);
			if (body >= (SK_MEMINFO_WMEM_QUEUED + 1) * sizeof(uint32_t))
				ret->wmem_bytes = mem_info(a, SK_MEMINFO_WMEM_QUEUED);
			ret->has_drops = body >= (SK_MEMINFO_DROPS + 1) * sizeof(uint32_t);
			if (ret->has_drops)
				ret->drops = mem_info(a, SK_MEMINFO_DROPS);
		} else if ((a->rta_type & NLA_TYPE_MASK) == INET_DIAG_ULP_INFO) {
			set_upper(ret, a);
		}
	}
	set_tuple(&ret->tuple, m, proto);
	return 0;
}

int diag_open(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);

	return fd < 0 ? -errno : fd;
}

struct ask {
	struct nlmsghdr nlh;
	struct inet_diag_req_v2 req;
};

/* Of each request its own: an answer that nobody waited for is not taken for the next one's. */
static uint32_t next_seq(void)
{
	static uint32_t seq;

	return __atomic_add_fetch(&seq, 1, __ATOMIC_RELAXED);
}

static int send_ask(int fd, struct ask *q, uint16_t flags)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	q->nlh.nlmsg_len = sizeof(*q);
	q->nlh.nlmsg_type = SOCK_DIAG_BY_FAMILY;
	q->nlh.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | flags);
	q->nlh.nlmsg_seq = next_seq();
	if (sendto(fd, q, sizeof(*q), 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return 0;
}

/* Messages of one datagram, of the request seq, NULL any. 1: the answer is over. */
static int take(const char *buf, size_t n, const uint32_t *seq, uint8_t proto, diag_fn fn,
		void *arg)
{
	const struct nlmsghdr *h = (const void *)buf;
	struct diag_sock s;

	for (; NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
		if (seq && h->nlmsg_seq != *seq)
			continue;
		if (h->nlmsg_type == NLMSG_DONE)
			return 1;
		if (h->nlmsg_type == NLMSG_ERROR) {
			const struct nlmsgerr *e = NLMSG_DATA(h);

			if (h->nlmsg_len < NLMSG_LENGTH(sizeof(*e)))
				return -EPROTO;
			return e->error ? e->error : 1;
		}
		if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY && h->nlmsg_type != TCPDIAG_GETSOCK)
			continue;
		if (!diag_parse(NLMSG_DATA(h), h->nlmsg_len - NLMSG_HDRLEN, proto, &s))
			fn(&s, arg);
		/* of a look for one socket there is no other message */
		if (seq && !(h->nlmsg_flags & NLM_F_MULTI))
			return 1;
	}
	return 0;
}

/* To the end of a listing. */
static int take_all(int fd, uint32_t seq, uint8_t proto, diag_fn fn, void *arg)
{
	static __thread char buf[RECEIVE_BYTES] __attribute__((aligned(8)));
	int r = 0;

	while (!r) {
		ssize_t n = netlink_recv(fd, buf, sizeof(buf), 0);

		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : take(buf, (size_t)n, &seq, proto, fn, arg);
	}
	return r > 0 ? 0 : r;
}

/* port: of UDP sockets only, which the kernel picks out; 0: all. */
static int dump_one(int fd, uint8_t family, uint8_t proto, uint16_t port, diag_fn fn, void *arg)
{
	struct ask q = { .req = { .sdiag_family = family,
				  .sdiag_protocol = proto,
				  .idiag_states = proto == IPPROTO_TCP ? STATES_WANTED : ~0U,
				  .id.idiag_sport = htons(port) } };
	int r;

	if (proto == IPPROTO_TCP)
		q.req.idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_SKMEMINFO - 1);
	r = send_ask(fd, &q, NLM_F_DUMP);
	return r ? r : take_all(fd, q.nlh.nlmsg_seq, proto, fn, arg);
}

int diag_dump_port(int fd, uint16_t port, diag_fn fn, void *arg)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int r = 0;

	for (unsigned int i = 0; i < 2 && !r; i++)
		r = dump_one(fd, families[i], IPPROTO_UDP, port, fn, arg);
	return r == -ENOENT ? 0 : r; /* udp_diag is a module of its own */
}

int diag_dump_udp(int fd, diag_fn fn, void *arg)
{
	return diag_dump_port(fd, 0, fn, arg);
}

/*
 * Both families of TCP in one walk over the kernel's tables, which costs more than what is in them: only
 * the request that was there before families could be asked for does that.
 */
static int dump_tcp(int fd, diag_fn fn, void *arg)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req req;
	} q = { .nlh = { .nlmsg_len = sizeof(q),
			 .nlmsg_type = TCPDIAG_GETSOCK,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
			 .nlmsg_seq = next_seq() },
		.req = { .idiag_family = AF_INET,
			 .idiag_ext = 1 << (INET_DIAG_INFO - 1) | 1 << (INET_DIAG_SKMEMINFO - 1),
			 .idiag_states = STATES_WANTED } };
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	if (sendto(fd, &q, sizeof(q), 0, (struct sockaddr *)&kernel, sizeof(kernel)) < 0)
		return -errno;
	return take_all(fd, q.nlh.nlmsg_seq, IPPROTO_TCP, fn, arg);
}

int diag_dump(int fd, diag_fn fn, void *arg)
{
	int r = dump_tcp(fd, fn, arg);

	if (!r)
		return diag_dump_udp(fd, fn, arg);
	/* a kernel that does not know it any more */
	r = dump_one(fd, AF_INET, IPPROTO_TCP, 0, fn, arg);
	if (!r)
		r = dump_one(fd, AF_INET6, IPPROTO_TCP, 0, fn, arg);
	if (r == -ENOENT)
		return -EOPNOTSUPP;
	return r ? r : diag_dump_udp(fd, fn, arg);
}

static void put_addr(__be32 to[4], uint8_t family, const uint8_t addr[16])
{
	if (family == AF_INET)
		memcpy(to, addr + 12, 4);
	else
		memcpy(to, addr, 16);
}

static void keep(const struct diag_sock *s, void *arg)
{
	*(struct diag_sock *)arg = *s;
}

/* family: of the socket; a v4-mapped connection belongs to an IPv6 one. */
static int find_one(int fd, uint8_t family, const struct np_tuple *t, struct diag_sock *ret)
{
	char buf[4096] __attribute__((aligned(8)));
	struct ask q = {
		.req = { .sdiag_family = family,
			 .sdiag_protocol = t->proto,
			 .idiag_states = ~0U,
			 .id = { .idiag_sport = htons(t->lport),
				 .idiag_dport = htons(t->rport),
				 .idiag_cookie = { INET_DIAG_NOCOOKIE, INET_DIAG_NOCOOKIE } } }
	};
	bool udp = t->proto != IPPROTO_TCP;
	ssize_t n;
	int r;

	/* For datagrams the kernel takes the ends as those of a packet that arrives. */
	put_addr(udp ? q.req.id.idiag_dst : q.req.id.idiag_src, family, t->laddr);
	put_addr(udp ? q.req.id.idiag_src : q.req.id.idiag_dst, family, t->raddr);
	if (udp) {
		q.req.id.idiag_sport = htons(t->rport);
		q.req.id.idiag_dport = htons(t->lport);
	}
	r = send_ask(fd, &q, 0);
	if (r)
		return r;
	memset(ret, 0, sizeof(*ret));
	/* one message, a socket or an error; before it may lie what an interrupted call did not read */
	while (!r) {
		n = netlink_recv(fd, buf, sizeof(buf), 0);
		if (n < 0 && errno == EINTR)
			continue;
		r = n < 0 ? -errno : take(buf, (size_t)n, &q.nlh.nlmsg_seq, t->proto, keep, ret);
	}
	if (r < 0)
		return r;
	/* The kernel answers with a listener or an unconnected socket where nothing fits better. */
	if (!ret->cookie || ret->tuple.lport != t->lport)
		return -ENOENT;
	return ret->tuple.rport == t->rport || (udp && !ret->tuple.rport) ? 0 : -ENOENT;
}

int diag_find(int fd, const struct np_tuple *t, struct diag_sock *ret)
{
	return find_one(fd, is_mapped(t->raddr) ? AF_INET : AF_INET6, t, ret);
}

int diag_watch_open(void)
{
	static const int groups[] = { SKNLGRP_INET_TCP_DESTROY, SKNLGRP_INET_UDP_DESTROY,
				      SKNLGRP_INET6_TCP_DESTROY, SKNLGRP_INET6_UDP_DESTROY };
	struct sockaddr_nl self = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);
	int size = WATCH_BYTES, r = 0;

	if (fd < 0)
		return -errno;
	for (unsigned int i = 0; i < 4; i++)
		self.nl_groups |= 1U << (groups[i] - 1);
	if (bind(fd, (struct sockaddr *)&self, sizeof(self)) < 0)
		r = -errno;
	/* FORCE needs CAP_NET_ADMIN; without it the kernel's limit holds. */
	if (!r && setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (r)
		(void)close(fd);
	return r ? r : fd;
}

int diag_watch_read(int fd, diag_fn fn, void *arg, uint64_t *ret_lost)
{
	char buf[8192] __attribute__((aligned(8)));

	for (;;) {
		ssize_t n = netlink_recv(fd, buf, sizeof(buf), MSG_DONTWAIT);

		if (n < 0 && errno == ENOBUFS) {
			(*ret_lost)++;
			continue;
		}
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -errno;
		(void)take(buf, (size_t)n, NULL, 0, fn, arg);
	}
}
