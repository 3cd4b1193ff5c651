/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interface that a datagram came in by, for readers that do not ask who sent it: their sockets have no route, and the
 * packet is gone when the hook at their call runs. So it is noted while the packet is the next one to be read: by
 * that hook, for the next call, and where nothing waits then, by the one that sees packets come (arrive.bpf.c). A
 * note that may be of another packet than the one that was read is none.
 */
#ifndef NETPROBE_BPF_LIB_CAME_H
#define NETPROBE_BPF_LIB_CAME_H

#include "filter.h"
#include "packet.h"

#define CAME_UNKNOWN (~0U)

static __always_inline struct sk_buff___pkt *queue_head(void *list)
{
	struct sk_buff___pkt *skb = (void *)BPF_CORE_READ((struct sk_buff_head *)list, next);

	return (void *)skb == list ? NULL : skb;
}

/* Of the next one that will be read; 0: none waits. */
static __always_inline __u32 head_came_by(struct sock *sk)
{
	struct sk_buff___pkt *skb = NULL;
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol);

	if ((protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE) &&
	    BPF_CORE_READ(sk, sk_type) != SOCK_RAW)
		skb = queue_head((char *)sk +
				 bpf_core_field_offset(struct udp_sock___queue, reader_queue));
	if (!skb)
		skb = queue_head((char *)sk +
				 bpf_core_field_offset(struct sock___queue, sk_receive_queue));
	return skb ? (__u32)BPF_CORE_READ(skb, skb_iif) : 0;
}

/* A packet came. Where another note is still there, its reader may be on its way: whose each is nobody can tell. */
static __always_inline void came_note(struct np_sock *st, struct sock *sk)
{
	__u32 ifindex = head_came_by(sk), was = st->next_if;

	if (ifindex && was != ifindex)
		(void)__sync_val_compare_and_swap(&st->next_if, was, was ? CAME_UNKNOWN : ifindex);
}

/* A call that asked for the sender took the packet that the note was of. */
static __always_inline void came_forget(struct np_sock *st)
{
	if (st->next_if)
		st->next_if = 0;
}

/* Of the datagram that this call took; CAME_UNKNOWN. Notes the next one's. at: the socket. A global function: see filter.h. */
__weak __noinline int came_take(struct np_sock *st, __u64 at, __u32 tid)
{
	__u32 noted, next, by;

	if (!st)
		return 0;
	by = st->next_tid;
	noted = __sync_lock_test_and_set(&st->next_if, 0);
	next = head_came_by((struct sock *)at);
	if (next)
		(void)__sync_val_compare_and_swap(&st->next_if, 0, next);
	st->next_tid = next ? tid : 0;
	if (!noted)
		return (int)CAME_UNKNOWN;
	/* another thread's note may be of what that one takes in its next call, which is under way */
	return (int)(by && by != tid && noted != st->tuple.ifindex ? CAME_UNKNOWN : noted);
}

/* A global function: see filter.h. */
__weak __noinline int came_name(struct np_peer *peer, __u64 at)
{
	struct sock *sk = (struct sock *)at;

	if (peer)
		dev_name_of(peer->raddr, (int)peer->ifindex,
			    (struct net___pkt *)BPF_CORE_READ(sk, __sk_common.skc_net.net));
	return 0;
}

/*
 * A datagram without a peer was read. The socket's own counts are of one interface, the first that is known: true, it
 * belongs there. False: it is a part, and peer says of which interface.
 */
static __always_inline bool came_is_own(struct np_sock *st, struct sock *sk, struct np_peer *peer,
					__u32 tid)
{
	__u64 at = sock_number(st, sk);
	__u32 own = st->tuple.ifindex;

	peer->ifindex = (__u32)came_take(st, at, tid);
	if (peer->ifindex == (own ? own : CAME_UNKNOWN)) {
		peer->ifindex = 0;
		return true;
	}
	if (peer->ifindex != CAME_UNKNOWN)
		(void)came_name(peer, at);
	if (own || (st->counts.tx_calls | st->counts.rx_calls))
		return false;
	__builtin_memcpy(st->tuple.ifname, peer->raddr, sizeof(st->tuple.ifname));
	st->tuple.ifindex = peer->ifindex;
	peer->ifindex = 0;
	if (np_filter.n_iface)
		(void)filter_sock(st);
	return true;
}

#endif
