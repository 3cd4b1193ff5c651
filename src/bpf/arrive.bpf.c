// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The interface that datagrams came in by, for sockets that are not connected and whose readers do not ask for the sender: they
 * have no route of their own, and nobody to ask one to. The packet is gone when its reader's call returns, so this
 * looks when it is queued. It fires for each packet that wakes a reader, of TCP as well: attached
 * only while there are such readers (st_need_arrive, moved in traffic.h; probe/load.c).
 */
#include "lib/filter.h"
#include "lib/packet.h"

/* The newest in the queue; NULL: a reader has taken it already. */
static __always_inline struct sk_buff___pkt *queue_tail(struct sock *sk)
{
	struct sk_buff_head *list =
		(void *)((char *)sk + bpf_core_field_offset(struct sock___queue, sk_receive_queue));
	struct sk_buff_head *tail = (void *)BPF_CORE_READ(list, prev);

	return tail == list ? NULL : (struct sk_buff___pkt *)tail;
}

static __always_inline int arrives(struct sock *sk)
{
	struct sk_buff___pkt *skb;
	struct np_sock *st;
	__u32 ifindex;

	prog_hit(NP_PROG_ARRIVE);
	st = sock_find(sk);
	/* a connected one has its route */
	if (!st || !st->dgram || st->tuple.rport || sock_is_other(st, sk))
		return 0;
	skb = queue_tail(sk);
	ifindex = skb ? (__u32)BPF_CORE_READ(skb, skb_iif) : 0;
	if (!ifindex || st->tuple.ifindex == ifindex)
		return 0;
	st->tuple.ifindex = ifindex;
	/* all of it: names are compared as a whole, and a shorter one leaves the end of a longer one */
	__builtin_memset(st->tuple.ifname, 0, sizeof(st->tuple.ifname));
	(void)dev_name(&st->tuple, (struct net___pkt *)BPF_CORE_READ(sk, __sk_common.skc_net.net));
	if (np_filter.n_iface)
		st->gen = np_filter.gen - 1; /* it may match now, or no more */
	return 0;
}

/* Context: softirq, or process. Since 6.3. */
SEC("tp_btf/sk_data_ready")
int BPF_PROG(np_arrive_tp, struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM ? 0 : arrives(sk);
}

SEC("fentry/sock_def_readable")
int BPF_PROG(np_arrive_fe, struct sock *sk)
{
	return sk->sk_type == SOCK_STREAM ? 0 : arrives(sk);
}

SEC("kprobe/sock_def_readable")
int BPF_KPROBE(np_arrive_kp, struct sock *sk)
{
	return BPF_CORE_READ(sk, sk_type) == SOCK_STREAM ? 0 : arrives(sk);
}
