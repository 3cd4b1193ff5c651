/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a packet buffer says of itself, wherever in the stack it is: headers, ends, interface,
 * direction. Reads only what the linear part holds, and believes no length it has not checked.
 */
#ifndef NETPROBE_BPF_LIB_PACKET_H
#define NETPROBE_BPF_LIB_PACKET_H

#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/tcp.h>
#include <linux/udp.h>

#include "../kernel/skb.h"
#include "sock.h"
#include "wire/drops.h"

#define IP_OFFSET_MASK 0x1fff
#define HEADER_UNSET 0xffff /* transport_header, mac_header before anybody set them */
#define DST_FLAGS 3UL	    /* in skb->_skb_refdst */
#define EXT_HEADERS 8	    /* IPv6 extension headers looked through */
#define DEV_BUCKETS 256
#define DEV_CHAIN 16 /* devices of one bucket looked at */

/* Both headers of one packet, in the scratch of whoever parses. */
struct pkt_view {
	struct np_tuple *tuple;
	struct np_packet *packet;
};

static __always_inline bool is_kernel_ptr(const void *p)
{
	return (__s64)p < 0;
}

/*
 * Is it a device that its namespace lists? What a buffer has where it keeps its device belongs to others at times: in
 * TCP's out-of-order queue the same bytes are a link of the tree (6.18: rbnode), in UDP's receive queue lengths, in
 * TCP's send queue those of the route are list pointers. A device that is being taken off is not listed any more.
 */
static __noinline int dev_is_listed(__u64 addr)
{
	struct net_device___pkt *dev = (struct net_device___pkt *)addr;
	__u64 wanted = addr + bpf_core_field_offset(struct net_device___pkt, index_hlist);
	struct hlist_head *heads;
	struct hlist_node *node;
	struct net___pkt *net;
	int ifindex;

	if (!is_kernel_ptr(dev))
		return 0;
	ifindex = BPF_CORE_READ(dev, ifindex);
	net = (struct net___pkt *)BPF_CORE_READ(dev, nd_net.net);
	if (ifindex <= 0 || !is_kernel_ptr(net))
		return 0;
	heads = BPF_CORE_READ(net, dev_index_head);
	if (!is_kernel_ptr(heads))
		return 0;
	heads += ifindex & (DEV_BUCKETS - 1);
	node = BPF_CORE_READ(heads, first);
	for (int i = 0; i < DEV_CHAIN && node; i++) {
		if ((__u64)node == wanted)
			return 1;
		node = BPF_CORE_READ(node, next);
	}
	return 0;
}

/* The device it is on or going to; NULL where the buffer does not say. */
static __always_inline struct net_device___pkt *pkt_dev(struct sk_buff___pkt *skb)
{
	struct net_device___pkt *dev = BPF_CORE_READ(skb, dev);
	unsigned long dst;

	if (dev_is_listed((__u64)dev))
		return dev;
	/* Without a device it is on its way out and only its route knows, or in UDP's receive queue. */
	if (BPF_CORE_READ(skb, skb_iif))
		return NULL;
	dst = BPF_CORE_READ(skb, _skb_refdst) & ~DST_FLAGS;
	dev = dst ? BPF_CORE_READ((struct dst_entry___pkt *)dst, dev) : NULL;
	return dev_is_listed((__u64)dev) ? dev : NULL;
}

/* Name of an interface by its number: a walk over one bucket of the namespace's table. */
static __always_inline void dev_name_of(void *name, int wanted, struct net___pkt *net)
{
	struct hlist_node *node;

	node = BPF_CORE_READ(net, dev_index_head)
		       ? (void *)(BPF_CORE_READ(net, dev_index_head) + (wanted & (DEV_BUCKETS - 1)))
		       : NULL;
	if (!node || bpf_probe_read_kernel(&node, sizeof(node), node))
		return;
	for (int i = 0; i < DEV_CHAIN && node; i++) {
		struct net_device___pkt *dev =
			(void *)node - bpf_core_field_offset(struct net_device___pkt, index_hlist);

		if (BPF_CORE_READ(dev, ifindex) == wanted) {
			(void)bpf_probe_read_kernel_str(name, sizeof(dev->name), &dev->name);
			return;
		}
		node = BPF_CORE_READ(node, next);
	}
}

static __noinline int dev_name(struct np_tuple *t, struct net___pkt *net)
{
	if (t && t->ifindex)
		dev_name_of(t->ifname, (int)t->ifindex, net);
	return 0;
}

/* came: it reached sk, which then is surer than the buffer, and the interface is the one it came in by. */
static __always_inline void pkt_where(struct np_tuple *t, struct sk_buff___pkt *skb,
				      struct sock *sk, bool came)
{
	struct net_device___pkt *dev = sk && came ? NULL : pkt_dev(skb);
	struct net *net = NULL;

	if (dev) {
		t->ifindex = BPF_CORE_READ(dev, ifindex);
		(void)bpf_probe_read_kernel_str(t->ifname, sizeof(t->ifname), &dev->name);
		net = BPF_CORE_READ(dev, nd_net.net);
	} else if (sk) {
		net = BPF_CORE_READ(sk, __sk_common.skc_net.net);
		t->ifindex = BPF_CORE_READ(skb, skb_iif);
	}
	if (!net)
		return;
	t->netns = BPF_CORE_READ(net, ns.inum);
	if (!dev)
		(void)dev_name(t, (struct net___pkt *)net);
}

static __always_inline void pkt_ports(struct np_tuple *t, __be16 source, __be16 dest, bool tx)
{
	t->lport = bpf_ntohs(tx ? source : dest);
	t->rport = bpf_ntohs(tx ? dest : source);
}

/* l4: where the transport header begins; left: bytes of the linear part from there on; rest: of the packet. */
static __noinline int pkt_transport(struct pkt_view *v, const void *l4, __s32 left, __s32 rest)
{
	union {
		struct tcphdr tcp;
		struct udphdr udp;
		__u8 bytes[20];
	} h = {};
	struct np_packet *p = v->packet;
	bool tx = p->dir == NP_DIR_TX;

	if (v->tuple->proto == IPPROTO_TCP) {
		if (left < (__s32)sizeof(h.tcp) || bpf_probe_read_kernel(&h.tcp, sizeof(h.tcp), l4))
			return 0;
		pkt_ports(v->tuple, h.tcp.source, h.tcp.dest, tx);
		p->tcp_flags = h.bytes[13];
		p->seq = bpf_ntohl(h.tcp.seq);
		p->ack = bpf_ntohl(h.tcp.ack_seq);
		rest -= (h.bytes[12] >> 4) * 4;
		p->payload = rest > 0 ? rest : 0;
	} else if (v->tuple->proto == IPPROTO_UDP || v->tuple->proto == IPPROTO_UDPLITE) {
		if (left < (__s32)sizeof(h.udp) || bpf_probe_read_kernel(&h.udp, sizeof(h.udp), l4))
			return 0;
		pkt_ports(v->tuple, h.udp.source, h.udp.dest, tx);
		rest -= sizeof(h.udp);
		p->payload = rest > 0 ? rest : 0;
	} else if (v->tuple->proto == IPPROTO_ICMP || v->tuple->proto == IPPROTO_ICMPV6) {
		if (left < 4 || bpf_probe_read_kernel(&h.bytes, 4, l4))
			return 0;
		p->icmp_type = h.bytes[0];
		p->icmp_code = h.bytes[1];
	} else {
		return 0;
	}
	p->has_l4 = 1;
	return 0;
}

/* What its header says, unless that is more than there is: what is behind it may be the wire's filling. 0: it does not say. */
static __always_inline void pkt_len(struct np_packet *p, __u32 said)
{
	if (said && said < p->len)
		p->len = said;
}

static __noinline int pkt_ipv4(struct pkt_view *v, const void *l3, __s32 left)
{
	struct np_packet *p = v->packet;
	struct np_tuple *t = v->tuple;
	struct iphdr h = {};
	__s32 hlen;

	if (left < (__s32)sizeof(h) || bpf_probe_read_kernel(&h, sizeof(h), l3) || h.version != 4)
		return 0;
	hlen = h.ihl * 4;
	t->family = AF_INET;
	t->proto = h.protocol;
	addr_from_v4(t->laddr, p->dir == NP_DIR_TX ? h.saddr : h.daddr);
	addr_from_v4(t->raddr, p->dir == NP_DIR_TX ? h.daddr : h.saddr);
	p->ttl = h.ttl;
	p->ip_id = bpf_ntohs(h.id);
	pkt_len(p, bpf_ntohs(h.tot_len));
	if (bpf_ntohs(h.frag_off) & IP_OFFSET_MASK)
		p->fragment = 1;
	else if (hlen >= (__s32)sizeof(h))
		(void)pkt_transport(v, l3 + hlen, left - hlen, (__s32)p->len - hlen);
	return 0;
}

/* Past the extension headers: the protocol above them. *off is moved there; -1 not to be told. */
static __always_inline int ipv6_skip(const void *l3, __s32 left, __u8 next, __s32 *off,
				     __u8 *fragment)
{
	for (int i = 0; i < EXT_HEADERS; i++) {
		__u8 ext[4] = {};

		if (next != IPPROTO_HOPOPTS && next != IPPROTO_ROUTING &&
		    next != IPPROTO_FRAGMENT && next != IPPROTO_DSTOPTS && next != IPPROTO_AH)
			return next;
		if (*off + 8 > left || bpf_probe_read_kernel(ext, sizeof(ext), l3 + *off))
			return -1;
		if (next == IPPROTO_FRAGMENT) {
			*fragment = ext[2] || (ext[3] & 0xf8);
			*off += 8;
		} else if (next == IPPROTO_AH) {
			*off += (ext[1] + 2) * 4;
		} else {
			*off += (ext[1] + 1) * 8;
		}
		next = ext[0];
		if (*fragment)
			return next;
	}
	return -1;
}

static __noinline int pkt_ipv6(struct pkt_view *v, const void *l3, __s32 left)
{
	__s32 off = sizeof(struct ipv6hdr);
	struct np_packet *p = v->packet;
	struct np_tuple *t = v->tuple;
	struct ipv6hdr h = {};
	__u8 fragment = 0;
	int proto;

	if (left < off || bpf_probe_read_kernel(&h, sizeof(h), l3) || h.version != 6)
		return 0;
	t->family = AF_INET6;
	__builtin_memcpy(t->laddr, p->dir == NP_DIR_TX ? &h.saddr : &h.daddr, 16);
	__builtin_memcpy(t->raddr, p->dir == NP_DIR_TX ? &h.daddr : &h.saddr, 16);
	p->ttl = h.hop_limit;
	if (h.payload_len)
		pkt_len(p, bpf_ntohs(h.payload_len) + (__u32)sizeof(h));
	proto = ipv6_skip(l3, left, h.nexthdr, &off, &fragment);
	if (proto < 0)
		return 0;
	t->proto = CUT(__u8, proto); /* a header's byte */
	p->fragment = fragment;
	if (!fragment)
		(void)pkt_transport(v, l3 + off, left - off, (__s32)p->len - off);
	return 0;
}

static __always_inline void pkt_vlan(struct np_packet *p, struct sk_buff___pkt *skb)
{
	struct sk_buff___6_1 *old = (void *)skb;

	if (bpf_core_field_exists(old->vlan_present))
		p->has_vlan =
			CUT(__u8, BPF_CORE_READ_BITFIELD_PROBED(old, vlan_present)); /* 1 bit */
	else
		p->has_vlan = BPF_CORE_READ(skb, vlan_proto) != 0;
	if (p->has_vlan)
		p->vlan_tci = BPF_CORE_READ(skb, vlan_tci);
}

/*
 * Fill tuple and packet (both zeroed, but for packet->dir: NP_DIR_UNKNOWN where it is not known) from a buffer. sk: the
 * socket it is for or from, an address that is only read; NULL none. The local end is ours: source of what goes out, else destination.
 */
static __always_inline void pkt_read(struct np_tuple *t, struct np_packet *p,
				     struct sk_buff___pkt *skb, struct sock *sk)
{
	struct pkt_view v = { .tuple = t, .packet = p };
	unsigned char *head = BPF_CORE_READ(skb, head);
	__u16 off = BPF_CORE_READ(skb, network_header);
	__u16 proto = bpf_ntohs(BPF_CORE_READ(skb, protocol));
	bool came = p->dir == NP_DIR_RX;
	__s32 left, begin;
	__u8 first = 0;

	if (p->dir == NP_DIR_UNKNOWN && BPF_CORE_READ(skb, skb_iif))
		p->dir = NP_DIR_RX;
	else if (p->dir == NP_DIR_UNKNOWN && BPF_CORE_READ(skb, sk))
		p->dir = NP_DIR_TX;
	begin = (__s32)(BPF_CORE_READ(skb, data) - head);
	p->len = BPF_CORE_READ(skb, len);
	p->eth_proto = proto;
	pkt_vlan(p, skb);
	pkt_where(t, skb, sk, came);
	if (!off || off == HEADER_UNSET) {
		/*
		 * What TCP put together anew in its queues, or a process into them (TCP_REPAIR), is payload alone, which
		 * must not be taken for headers.
		 */
		if (!proto)
			return;
		off = CUT(__u16, begin); /* before the stack met it: the data begins with it */
	}
	left = (__s32)BPF_CORE_READ(skb, tail) - off;
	if (proto && proto != ETH_P_IP && proto != ETH_P_IPV6)
		return;
	/* from the IP header on, wherever the stack is by now */
	if ((__s32)p->len + begin - off > 0)
		p->len += begin - off;
	if (left < 1 || bpf_probe_read_kernel(&first, 1, head + off))
		return;
	if (first >> 4 == 4)
		(void)pkt_ipv4(&v, head + off, left);
	else if (first >> 4 == 6)
		(void)pkt_ipv6(&v, head + off, left);
}

#endif
