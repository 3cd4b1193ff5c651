/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packets as cgroup programs meet them: at their socket, from the IP header on, in every network
 * namespace. Finds ports and payload; and who the socket belongs to.
 */
#ifndef NETPROBE_BPF_LIB_CGSKB_H
#define NETPROBE_BPF_LIB_CGSKB_H

#include "filter.h"
#include "owner.h"
#include "packet.h"
#include "wire/packets.h"

#define CGSKB_PASS 1 /* these programs judge nothing */

/* Where the transport header is and what it says; l4 0: nothing of ours. */
struct cgskb_l4 {
	__u32 l4;   /* offset of the transport header */
	__u8 proto; /* TCP or UDP */
	__u8 v6;
	__u16 source; /* host order */
	__u16 dest;
};

/* First look, on the path of every packet: two header checks, no helper. */
static __always_inline bool cgskb_ports(struct __sk_buff *ctx, struct cgskb_l4 *ret)
{
	void *data = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
	struct iphdr *ip = data;
	struct ipv6hdr *ip6 = data;
	__be16 *ports;

	if (data + sizeof(*ip) > end)
		return false;
	if (ip->version == 4) {
		/* one that a process wrote itself (IP_HDRINCL) may say that it is shorter than it is */
		if (ip->ihl < sizeof(*ip) / 4 || (ip->frag_off & bpf_htons(IP_OFFSET_MASK)))
			return false;
		ret->l4 = ip->ihl * 4;
		ret->proto = ip->protocol;
		ret->v6 = 0;
	} else {
		if (data + sizeof(*ip6) > end)
			return false;
		ret->l4 = sizeof(*ip6);
		ret->proto = ip6->nexthdr;
		ret->v6 = 1;
	}
	if (ret->proto != IPPROTO_UDP && ret->proto != IPPROTO_TCP)
		return false;
	ports = data + ret->l4;
	if ((void *)(ports + 2) > end)
		return false;
	ret->source = bpf_ntohs(ports[0]);
	ret->dest = bpf_ntohs(ports[1]);
	return true;
}

/* A typed pointer as a plain address, which may be calculated with (see sk_raw in sock.h). */
static __always_inline struct sock *cgskb_raw(struct bpf_sock *typed)
{
	__u64 sk = (__u64)typed, raw = 0;

	(void)bpf_probe_read_kernel(&raw, sizeof(raw), &sk);
	return (struct sock *)raw;
}

/*
 * Whose packet it is. A datagram leaves in the call of who sends it; anything else goes by the
 * socket's last user, since softirq runs in whatever process is there.
 */
static __always_inline void cgskb_owner(struct np_ev_packet *ev, struct bpf_sock *sk, bool tx,
					__u8 proto)
{
	struct np_sock *st;

	if (tx && proto == IPPROTO_UDP) {
		struct task_struct *task = (void *)bpf_get_current_task();

		if (!(BPF_CORE_READ(task, flags) & PF_KTHREAD)) {
			owner_of_task(&ev->owner, task);
			return;
		}
	}
	st = sock_find((struct sock *)sk);
	if (!st || (st->flags & NP_F_IGNORE))
		return;
	ev->owner = st->last;
}

static __always_inline void cgskb_ends(struct np_ev_packet *ev, struct __sk_buff *ctx,
				       const struct cgskb_l4 *l4, bool tx)
{
	struct np_tuple *t = &ev->tuple;

	if (l4->v6) {
		t->family = AF_INET6;
		(void)bpf_skb_load_bytes(ctx, tx ? 8 : 24, t->laddr, 16);
		(void)bpf_skb_load_bytes(ctx, tx ? 24 : 8, t->raddr, 16);
	} else {
		__be32 addr[2] = {};

		t->family = AF_INET;
		(void)bpf_skb_load_bytes(ctx, 12, addr, sizeof(addr));
		addr_from_v4(t->laddr, tx ? addr[0] : addr[1]);
		addr_from_v4(t->raddr, tx ? addr[1] : addr[0]);
	}
	t->lport = tx ? l4->source : l4->dest;
	t->rport = tx ? l4->dest : l4->source;
	t->proto = l4->proto;
	t->ifindex = ctx->ifindex;
}

/* As drops are filtered: an owner nobody knows matches no filter of owners. */
static __noinline int cgskb_wanted(struct np_ev_packet *ev)
{
	if (!ev || !np_filter.enabled)
		return 0;
	if (np_filter.n_iface && !ev->tuple.ifname[0])
		return 0;
	if (np_filter.n_cgroup && !ev->owner.cgroup_pass)
		return 0;
	return filter_owner(&ev->owner) && filter_tuple(&ev->tuple);
}

/* Who and where; false: no socket, or the probe's own. */
static __always_inline bool cgskb_fill(struct np_ev_packet *ev, struct __sk_buff *ctx,
				       const struct cgskb_l4 *l4, bool tx)
{
	struct bpf_sock *sk = ctx->sk;
	struct sock *raw;
	struct net *net;

	__builtin_memset(ev, 0, sizeof(*ev));
	ev->hdr.ts_ns = bpf_ktime_get_ns();
	ev->hdr.len = sizeof(*ev);
	ev->hdr.cpu = bpf_get_smp_processor_id();
	ev->dir = tx ? NP_DIR_TX : NP_DIR_RX;
	ev->sock_id = bpf_get_socket_cookie(ctx);
	cgskb_ends(ev, ctx, l4, tx);
	if (!sk)
		return true;
	sk = bpf_sk_fullsock(sk);
	if (!sk)
		return true;
	cgskb_owner(ev, sk, tx, l4->proto);
	raw = cgskb_raw(sk);
	net = BPF_CORE_READ(raw, __sk_common.skc_net.net);
	ev->tuple.netns = BPF_CORE_READ(net, ns.inum);
	(void)dev_name(&ev->tuple, (struct net___pkt *)net);
	return true;
}

#endif
