/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Route look-ups over rtnetlink, one socket per network namespace (see route.h). A socket keeps its
 * namespace alive, and with it the other end of each cable into it: none is kept for longer than a second.
 */
#include "base/netlink.h"
#include "engine/route.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "engine/netns.h"

#define NAMESPACES 64	       /* known at a time; the least recently used goes */
#define HOLD_NS 1000000000ULL  /* a socket is closed when it is as old */
#define ENTRIES 4096	       /* answers kept, direct mapped */
#define TTL_NS 10000000000ULL  /* routes change */
#define RETRY_NS 5000000000ULL /* before a namespace that could not be entered is tried again */

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* since 5.14 */
#endif

struct netns_sock {
	uint32_t netns, gen; /* gen: of this namespace alone, whatever number the next one gets */
	int fd;		     /* -1: closed */
	bool out;	     /* cannot be entered, since opened_ns */
	uint64_t opened_ns, used_ns;
	uint64_t cookie; /* 0 unknown */
	char path[300];	 /* led there last; empty none */
};

struct entry {
	uint32_t gen;
	uint8_t raddr[16];
	uint32_t ifindex;
	char name[IF_NAMESIZE]; /* empty: no route */
	uint64_t until_ns;	/* 0: free */
};

struct route_cache {
	struct netns_sock socks[NAMESPACES];
	unsigned int n_socks;
	struct entry *entries;
	int own_fd; /* our own namespace, to come back to */
	uint32_t own;
	uint32_t seq, gen;
	unsigned int n_open;
};

struct route_cache *route_cache_new(void)
{
	struct route_cache *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->entries = calloc(ENTRIES, sizeof(*c->entries));
	if (!c->entries) {
		free(c);
		return NULL;
	}
	c->own_fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	c->own = netns_inode("/proc/thread-self/ns/net");
	return c;
}

struct route_cache *route_cache_free(struct route_cache *c)
{
	if (!c)
		return NULL;
	for (unsigned int i = 0; i < c->n_socks; i++)
		if (c->socks[i].fd >= 0)
			(void)close(c->socks[i].fd);
	if (c->own_fd >= 0)
		(void)close(c->own_fd);
	free(c->entries);
	free(c);
	return NULL;
}

struct way {
	uint32_t netns;
	char path[300];
};

static int is_way(uint32_t inode, const char *path, void *arg)
{
	struct way *w = arg;

	if (inode != w->netns)
		return 0;
	(void)snprintf(w->path, sizeof(w->path), "%s", path);
	return 1;
}

/* The way that led there last first: the process is gone, or lives elsewhere by now, or others do. */
static int socket_in(struct route_cache *c, struct netns_sock *s, uint32_t tgid)
{
	struct way w = { .netns = s->netns };

	if (s->netns == c->own)
		return netns_rtnetlink(NULL, -1);
	if (!s->path[0] || netns_inode(s->path) != s->netns)
		(void)snprintf(s->path, sizeof(s->path), "/proc/%u/ns/net", tgid);
	if (netns_inode(s->path) != s->netns) {
		if (!netns_each(is_way, &w))
			return -ENOENT;
		memcpy(s->path, w.path, sizeof(s->path));
	}
	return netns_rtnetlink(s->path, c->own_fd);
}

static void sock_close(struct route_cache *c, struct netns_sock *s)
{
	if (s->fd < 0)
		return;
	(void)close(s->fd);
	s->fd = -1;
	c->n_open--;
}

static struct netns_sock *sock_slot(struct route_cache *c)
{
	struct netns_sock *oldest = &c->socks[0];

	if (c->n_socks < NAMESPACES)
		return &c->socks[c->n_socks++];
	for (unsigned int i = 1; i < NAMESPACES; i++)
		if (c->socks[i].used_ns < oldest->used_ns)
			oldest = &c->socks[i];
	sock_close(c, oldest);
	return oldest;
}

static struct netns_sock *sock_get(struct route_cache *c, uint32_t netns, uint64_t now_ns)
{
	struct netns_sock *s = NULL;

	for (unsigned int i = 0; i < c->n_socks && !s; i++)
		if (c->socks[i].netns == netns)
			s = &c->socks[i];
	if (!s) {
		s = sock_slot(c);
		*s = (struct netns_sock){ .netns = netns, .fd = -1, .gen = ++c->gen };
	}
	s->used_ns = now_ns;
	return s;
}

/* A number is given again as soon as a namespace ends: answers are of the one with that cookie. */
static void sock_identify(struct route_cache *c, struct netns_sock *s)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	if (s->netns == c->own)
		return; /* we live in it */
	if (getsockopt(s->fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len))
		cookie = 0;
	if (!cookie || cookie != s->cookie)
		s->gen = ++c->gen;
	s->cookie = cookie;
}

static bool sock_open(struct route_cache *c, struct netns_sock *s, uint32_t tgid, uint64_t now_ns)
{
	if (s->fd >= 0)
		return true;
	if (s->out && now_ns - s->opened_ns < RETRY_NS)
		return false;
	s->fd = socket_in(c, s, tgid);
	s->opened_ns = now_ns;
	s->out = s->fd < 0;
	if (s->out) {
		s->fd = -1;
		return false;
	}
	c->n_open++;
	sock_identify(c, s);
	return true;
}

void route_cache_tick(struct route_cache *c, uint64_t now_ns)
{
	for (unsigned int i = 0; c->n_open && i < c->n_socks; i++)
		if (c->socks[i].netns != c->own && now_ns - c->socks[i].opened_ns >= HOLD_NS)
			sock_close(c, &c->socks[i]);
}

/* Interface index of the answer, 0 where there is no route; the name is asked in the same namespace. */
static int parse_answer(const struct nlmsghdr *h, int len)
{
	const struct rtmsg *rt;
	const struct rtattr *a;
	int left;

	if (!NLMSG_OK(h, (unsigned int)len) || h->nlmsg_type != RTM_NEWROUTE)
		return 0;
	rt = NLMSG_DATA(h);
	left = (int)RTM_PAYLOAD(h);
	for (a = RTM_RTA(rt); RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_OIF)
			return *(const int *)RTA_DATA(a);
	return 0;
}

static bool is_v4(const uint8_t raddr[16])
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(raddr, mapped, sizeof(mapped));
}

static int ask_ifindex(struct route_cache *c, int fd, const uint8_t raddr[16])
{
	struct {
		struct nlmsghdr h;
		struct rtmsg rt;
		struct rtattr a;
		uint8_t addr[16];
	} q = {};
	char answer[4096] __attribute__((aligned(8)));
	unsigned int size = is_v4(raddr) ? 4 : 16;
	ssize_t n;

	q.h.nlmsg_len = (uint32_t)(NLMSG_LENGTH(sizeof(q.rt)) + RTA_LENGTH(size));
	q.h.nlmsg_type = RTM_GETROUTE;
	q.h.nlmsg_flags = NLM_F_REQUEST;
	q.h.nlmsg_seq = ++c->seq;
	q.rt.rtm_family = size == 4 ? AF_INET : AF_INET6;
	q.rt.rtm_dst_len = (unsigned char)(size * 8);
	q.a.rta_type = RTA_DST;
	q.a.rta_len = (unsigned short)RTA_LENGTH(size);
	memcpy(q.addr, raddr + 16 - size, size);
	if (send(fd, &q, q.h.nlmsg_len, 0) < 0)
		return 0;
	do {
		n = netlink_recv(fd, answer, sizeof(answer), 0);
	} while (n >= (ssize_t)sizeof(struct nlmsghdr) &&
		 ((struct nlmsghdr *)answer)->nlmsg_seq != c->seq);
	return n > 0 ? parse_answer((const struct nlmsghdr *)answer, (int)n) : 0;
}

static void ask(struct route_cache *c, int fd, const uint8_t raddr[16], struct entry *e)
{
	struct ifreq ifr = { .ifr_ifindex = ask_ifindex(c, fd, raddr) };

	e->ifindex = (uint32_t)ifr.ifr_ifindex;
	e->name[0] = '\0';
	/* SIOCGIFNAME on the netlink socket answers for that socket's namespace. */
	if (ifr.ifr_ifindex && !ioctl(fd, SIOCGIFNAME, &ifr))
		(void)snprintf(e->name, IF_NAMESIZE, "%s", ifr.ifr_name);
}

const char *route_iface(struct route_cache *c, uint32_t netns, uint32_t tgid,
			const uint8_t raddr[16], uint64_t now_ns, uint32_t *ret_ifindex)
{
	uint32_t h = netns * 2654435761U;
	struct netns_sock *s;
	struct entry *e;

	if (!netns)
		return NULL;
	s = sock_get(c, netns, now_ns);
	if (!sock_open(c, s, tgid, now_ns))
		return NULL;
	for (int i = 0; i < 16; i++)
		h = (h ^ raddr[i]) * 16777619U;
	e = &c->entries[h % ENTRIES];
	if (e->until_ns <= now_ns || e->gen != s->gen || memcmp(e->raddr, raddr, 16) != 0) {
		e->gen = s->gen;
		memcpy(e->raddr, raddr, 16);
		e->until_ns = now_ns + TTL_NS;
		ask(c, s->fd, raddr, e);
	}
	if (!e->name[0])
		return NULL;
	*ret_ifindex = e->ifindex;
	return e->name;
}
