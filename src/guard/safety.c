/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What must not be banned by accident: the machine's own addresses, its default gateways, and whoever
 * is logged in over SSH and runs this. Asked of the kernel (netlink) and of the processes above us.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/netlink.h"
#include "guard/internal.h"
#include "guard/sshd.h"

#define DUMP_TRIES 8 /* of a table that changes while it is read */

#define KIND_OWN 0
#define KIND_GATEWAY 1
#define KIND_SSH 2

static const char *const kind_words[] = { "an address of this machine", "the default gateway",
					  "the SSH peer this session comes from" };

struct precious {
	uint8_t addr[16]; /* IPv4 in the first four */
	bool v6;
	uint8_t kind;
};

struct guard_safety {
	struct precious *items;
	size_t n;
};

static int add(struct guard_safety *s, const void *addr, bool v6, uint8_t kind)
{
	struct precious *p = realloc(s->items, (s->n + 1) * sizeof(*p));

	if (!p)
		return -ENOMEM;
	s->items = p;
	p = &s->items[s->n++];
	*p = (struct precious){ .v6 = v6, .kind = kind };
	if (v6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr)) {
		p->v6 = false;
		memcpy(p->addr, (const uint8_t *)addr + 12, 4);
	} else {
		memcpy(p->addr, addr, v6 ? 16 : 4);
	}
	return 0;
}

static int add_own(struct guard_safety *s)
{
	struct ifaddrs *list;
	int r = 0;

	if (getifaddrs(&list))
		return -errno;
	for (struct ifaddrs *i = list; i && !r; i = i->ifa_next) {
		if (!i->ifa_addr)
			continue;
		if (i->ifa_addr->sa_family == AF_INET)
			r = add(s, &((struct sockaddr_in *)i->ifa_addr)->sin_addr, false, KIND_OWN);
		else if (i->ifa_addr->sa_family == AF_INET6)
			r = add(s, &((struct sockaddr_in6 *)i->ifa_addr)->sin6_addr, true,
				KIND_OWN);
	}
	freeifaddrs(list);
	return r;
}

static int add_hops(struct guard_safety *s, struct rtattr *multi, int family)
{
	struct rtnexthop *hop = RTA_DATA(multi);
	int left = (int)RTA_PAYLOAD(multi), r = 0;

	for (; !r && RTNH_OK(hop, left); left -= NLMSG_ALIGN(hop->rtnh_len), hop = RTNH_NEXT(hop)) {
		int n = (int)(hop->rtnh_len - sizeof(*hop));

		for (struct rtattr *a = RTNH_DATA(hop); !r && RTA_OK(a, n); a = RTA_NEXT(a, n))
			if (a->rta_type == RTA_GATEWAY)
				r = add(s, RTA_DATA(a), family == AF_INET6, KIND_GATEWAY);
	}
	return r;
}

static int add_route(struct guard_safety *s, struct nlmsghdr *h)
{
	struct rtmsg *m = NLMSG_DATA(h);
	int n = (int)RTM_PAYLOAD(h), r = 0;

	/* 0/1 and 128/1 are what VPNs set beside a default route that they leave alone. */
	if (m->rtm_dst_len > 1 || (m->rtm_family != AF_INET && m->rtm_family != AF_INET6))
		return 0;
	for (struct rtattr *a = RTM_RTA(m); !r && RTA_OK(a, n); a = RTA_NEXT(a, n)) {
		if (a->rta_type == RTA_GATEWAY)
			r = add(s, RTA_DATA(a), m->rtm_family == AF_INET6, KIND_GATEWAY);
		else if (a->rta_type == RTA_VIA && RTA_PAYLOAD(a) >= 6)
			r = add(s, (uint8_t *)RTA_DATA(a) + 2, RTA_PAYLOAD(a) >= 18, KIND_GATEWAY);
		else if (a->rta_type == RTA_MULTIPATH)
			r = add_hops(s, a, m->rtm_family);
	}
	return r;
}

/* A refused or broken dump is an error, never "there is no gateway". */
static int dump_error(const struct nlmsghdr *h)
{
	const struct nlmsgerr *e = NLMSG_DATA(h);

	return h->nlmsg_len >= NLMSG_LENGTH(sizeof(*e)) && e->error < 0 ? e->error : -EIO;
}

static int dump_routes(struct guard_safety *s)
{
	struct {
		struct nlmsghdr h;
		struct rtmsg m;
	} req = { .h = { .nlmsg_len = sizeof(req),
			 .nlmsg_type = RTM_GETROUTE,
			 .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	char buf[32768] __attribute__((aligned(8)));
	int r = 0, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	bool done = false;

	if (fd < 0)
		return -errno;
	if (send(fd, &req, sizeof(req), 0) != sizeof(req))
		r = -errno;
	while (!r && !done) {
		ssize_t n = netlink_recv(fd, buf, sizeof(buf), 0);

		if (n <= 0)
			r = n ? -errno : -EIO;
		for (struct nlmsghdr *h = (void *)buf; !r && NLMSG_OK(h, n); h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				done = true;
			else if (h->nlmsg_type == NLMSG_ERROR)
				r = dump_error(h);
			else if (h->nlmsg_flags & NLM_F_DUMP_INTR)
				r = -EINTR; /* routes changed meanwhile: some may be missing */
			else
				r = add_route(s, h);
		}
	}
	(void)close(fd);
	return r;
}

static int add_gateways(struct guard_safety *s)
{
	size_t before = s->n;
	int r = -EINTR;

	for (int tries = 0; tries < DUMP_TRIES && r == -EINTR; tries++) {
		s->n = before;
		r = dump_routes(s);
	}
	return r;
}

static int add_ssh(const void *addr, bool v6, void *arg)
{
	return add(arg, addr, v6, KIND_SSH);
}

int guard_safety_new(struct guard_safety **ret, struct netprobe_error *err)
{
	struct guard_safety *s = calloc(1, sizeof(*s));
	int r = s ? add_own(s) : -ENOMEM;

	if (!r)
		r = add_gateways(s);
	if (!r)
		r = sshd_peers(add_ssh, s);
	if (r) {
		guard_safety_free(s);
		error_set(err, r, "cannot tell which addresses are needed here: %s", strerror(-r));
		error_hint(err, "netprobe_ban.force goes on without the check");
		return r;
	}
	*ret = s;
	return 0;
}

struct guard_safety *guard_safety_free(struct guard_safety *s)
{
	if (s)
		free(s->items);
	free(s);
	return NULL;
}

/* Those that cut most off first: there is room for some hundred. */
int guard_spare(struct guard *g, struct netprobe_error *err)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct guard_safety *s;
	uint32_t n = 0;
	int r = guard_safety_new(&s, err);

	if (r)
		return r;
	/* None is compared with one that is half written. */
	g->conf->n_spared = 0;
	for (int kind = KIND_SSH; kind >= KIND_OWN; kind--) {
		for (size_t i = 0; i < s->n && n < NP_GUARD_SPARED; i++) {
			const struct precious *p = &s->items[i];
			uint8_t addr[16];
			uint64_t half[2];

			if (p->kind != kind)
				continue;
			memcpy(addr, p->v6 ? p->addr : mapped, p->v6 ? 16 : 12);
			if (!p->v6)
				memcpy(addr + 12, p->addr, 4);
			memcpy(half, addr, sizeof(half));
			g->conf->spared[n].hi = half[0];
			g->conf->spared[n++].lo = half[1];
		}
	}
	__sync_synchronize();
	g->conf->n_spared = n;
	guard_safety_free(s);
	return 0;
}

static bool contains(const struct guard_item *net, const struct precious *p)
{
	unsigned int bytes = net->len / 8, bits = net->len % 8;

	if (net->v6 != p->v6 || memcmp(net->addr, p->addr, bytes) != 0)
		return false;
	return !bits || !((net->addr[bytes] ^ p->addr[bytes]) >> (8 - bits));
}

int guard_safety_check(const struct guard_safety *s, const struct guard_item *item,
		       struct netprobe_error *err)
{
	char net[INET6_ADDRSTRLEN], addr[INET6_ADDRSTRLEN];
	const struct precious *worst = NULL;

	if (item->allow || item->dry_run)
		return 0;
	for (size_t i = 0; i < s->n; i++)
		if (contains(item, &s->items[i]) && (!worst || s->items[i].kind > worst->kind))
			worst = &s->items[i];
	if (item->len && !worst)
		return 0;
	inet_ntop(item->v6 ? AF_INET6 : AF_INET, item->addr, net, sizeof(net));
	if (!item->len) {
		error_set(err, GUARD_UNSAFE, "%s/0 would ban everybody", net);
	} else {
		inet_ntop(worst->v6 ? AF_INET6 : AF_INET, worst->addr, addr, sizeof(addr));
		error_set(err, GUARD_UNSAFE, "%s/%u would ban %s, %s", net, item->len, addr,
			  kind_words[worst->kind]);
	}
	error_hint(
		err,
		"netprobe_ban.force does it all the same; netprobe_change.confirm_s undoes it unless you come back");
	return GUARD_UNSAFE;
}

/* Whether a server of this machine is bound there; one that only was, is not. */
static bool is_served(const uint8_t addr[16], uint16_t port, uint8_t proto)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr), taken = false;
	struct sockaddr_in6 a6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in a4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	int yes = 1,
	    fd = socket(v4 ? AF_INET : AF_INET6,
			(proto == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM) | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	memcpy(&a6.sin6_addr, addr, 16);
	memcpy(&a4.sin_addr, addr + 12, 4);
	/* Of TCP this leaves those that listen in the way. */
	if (proto != IPPROTO_UDP)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
	if (bind(fd, v4 ? (void *)&a4 : (void *)&a6, v4 ? sizeof(a4) : sizeof(a6)))
		taken = errno == EADDRINUSE;
	(void)close(fd);
	return taken;
}

int guard_safety_service(const struct guard_safety *s, const uint8_t addr[16], uint16_t port,
			 uint8_t proto, struct netprobe_error *err)
{
	bool v4 = IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)addr), own = false;

	for (size_t i = 0; i < s->n && !own; i++) {
		const struct precious *p = &s->items[i];

		own = p->kind == KIND_OWN && p->v6 != v4 &&
		      !memcmp(p->addr, v4 ? addr + 12 : addr, v4 ? 4 : 16);
	}
	if (!own || (port && !is_served(addr, port, proto)))
		return 0;
	error_set(err, GUARD_UNSAFE,
		  port ? "a server of this machine listens there, and would be cut off"
		       : "all ports of an address of this machine would be taken from it, SSH too");
	error_hint(err, "NETPROBE_VIP_FORCE does it all the same");
	return GUARD_UNSAFE;
}
