/* SPDX-License-Identifier: BSD-2-Clause */
/* See links.h. By rtnetlink, which tells the namespace that the socket was made in. */
#include "base/netlink.h"
#include "balance/links.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "wire/lb.h"

#define ANSWER_BYTES 32768
#define ANSWER_S 5

struct vlan {
	uint32_t ifindex, below;
	struct lb_tag tag;
};

struct vlans {
	struct vlan *all;
	size_t n, room;
};

static int add(struct vlans *v, const struct vlan *one)
{
	if (v->n == v->room) {
		size_t room = v->room ? v->room * 2 : 16;
		struct vlan *all = reallocarray(v->all, room, sizeof(*all));

		if (!all)
			return -ENOMEM;
		v->all = all;
		v->room = room;
	}
	v->all[v->n++] = *one;
	return 0;
}

/* Attribute of that type in a run of them; NULL none. */
static const struct rtattr *find(const void *data, size_t len, unsigned short type)
{
	const struct rtattr *a = data;

	for (int left = (int)len; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if ((a->rta_type & NLA_TYPE_MASK) == type)
			return a;
	return NULL;
}

static const struct rtattr *within(const struct rtattr *a, unsigned short type, size_t least)
{
	const struct rtattr *in = a ? find(RTA_DATA(a), RTA_PAYLOAD(a), type) : NULL;

	return in && RTA_PAYLOAD(in) >= least ? in : NULL;
}

/* 0 also where it is no VLAN, or one over a device of another namespace. */
static int take(struct vlans *v, const struct nlmsghdr *h)
{
	const struct ifinfomsg *m = NLMSG_DATA(h);
	size_t len = h->nlmsg_len - NLMSG_LENGTH(sizeof(*m));
	const struct rtattr *info = find(IFLA_RTA(m), len, IFLA_LINKINFO), *kind, *data, *id;
	const struct rtattr *below = find(IFLA_RTA(m), len, IFLA_LINK), *proto;
	struct vlan one = { .ifindex = (uint32_t)m->ifi_index };

	kind = within(info, IFLA_INFO_KIND, 5);
	data = within(info, IFLA_INFO_DATA, 0);
	id = within(data, IFLA_VLAN_ID, 2);
	proto = within(data, IFLA_VLAN_PROTOCOL, 2);
	if (!kind || strncmp(RTA_DATA(kind), "vlan", 5) != 0 || !id || !below ||
	    RTA_PAYLOAD(below) < 4 || find(IFLA_RTA(m), len, IFLA_LINK_NETNSID))
		return 0;
	memcpy(&one.below, RTA_DATA(below), sizeof(one.below));
	memcpy(&one.tag.vid, RTA_DATA(id), sizeof(one.tag.vid));
	one.tag.proto_be = htons(ETH_P_8021Q);
	if (proto)
		memcpy(&one.tag.proto_be, RTA_DATA(proto), sizeof(one.tag.proto_be));
	return add(v, &one);
}

static int receive(struct vlans *v, int fd)
{
	char buf[ANSWER_BYTES] __attribute__((aligned(8)));
	int r = 0;

	for (;;) {
		ssize_t n = netlink_recv(fd, buf, sizeof(buf), 0);

		if (n <= 0)
			return n ? -errno : -EPROTO;
		for (const struct nlmsghdr *h = (const void *)buf; !r && NLMSG_OK(h, n);
		     h = NLMSG_NEXT(h, n)) {
			if (h->nlmsg_type == NLMSG_DONE)
				return 0;
			if (h->nlmsg_type == NLMSG_ERROR)
				return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
			if (h->nlmsg_type == RTM_NEWLINK)
				r = take(v, h);
		}
		if (r)
			return r;
	}
}

static int list(struct vlans *v)
{
	struct {
		struct nlmsghdr n;
		struct ifinfomsg m;
	} q = { .n = { .nlmsg_len = sizeof(q),
		       .nlmsg_type = RTM_GETLINK,
		       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP } };
	struct timeval wait = { .tv_sec = ANSWER_S };
	int r, fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);

	if (fd < 0)
		return -errno;
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
	r = send(fd, &q, sizeof(q), 0) < 0 ? -errno : receive(v, fd);
	close(fd);
	return r;
}

static const struct vlan *of(const struct vlans *v, uint32_t ifindex)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->all[i].ifindex == ifindex)
			return &v->all[i];
	return NULL;
}

/* The device below all tags; false: more than two of them, which frames here do not have. */
static bool resolve(const struct vlans *v, const struct vlan *one, struct lb_link *ret)
{
	const struct vlan *outer = of(v, one->below);

	*ret = (struct lb_link){ .ifindex = one->below, .tags = 1, .tag = { one->tag } };
	if (!outer)
		return true;
	*ret = (struct lb_link){ .ifindex = outer->below,
				 .tags = 2,
				 .tag = { outer->tag, one->tag } };
	return !of(v, outer->below);
}

static void drop_gone(const struct vlans *v, int map_fd)
{
	uint32_t key, next;
	void *at = NULL;

	for (unsigned int i = 0; i < LB_LINKS && !bpf_map_get_next_key(map_fd, at, &next); i++) {
		if (of(v, next)) {
			key = next;
			at = &key;
			continue;
		}
		/* The walk goes on from the one before: this one is nowhere then. */
		if (bpf_map_delete_elem(map_fd, &next))
			return;
	}
}

int links_refresh(int map_fd)
{
	struct vlans v = {};
	struct lb_link link;
	int r = list(&v);

	for (size_t i = 0; !r && i < v.n; i++)
		if (resolve(&v, &v.all[i], &link) &&
		    bpf_map_update_elem(map_fd, &v.all[i].ifindex, &link, BPF_ANY))
			r = -errno;
	if (!r)
		drop_gone(&v, map_fd);
	free(v.all);
	return r;
}
