/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The interface that a datagram came in by, for readers that do not ask who sent it: their sockets have no route, and the
 * packet is gone when the hook at their call runs. So it is noted while the packet is the next one to be read: by
 * that hook, for the next call, and where nothing waits then, by the one that sees packets come (arrive.bpf.c).
 *
 * A note is believed where the packet that it is of was read since, no other one, and all calls were one thread's. Of
 * several threads that read one socket nobody can tell which took which: the hooks at their calls run in any order.
 * Whatever is in doubt is unknown, and so is what two at once had to write.
 */
#ifndef NETPROBE_BPF_LIB_CAME_H
#define NETPROBE_BPF_LIB_CAME_H

#include "filter.h"
#include "packet.h"

#define CAME_UNKNOWN (~0U)

#define CAME_MANY (~0U)

/* The first in the list, or the one behind skb; 0 none. Addresses that are only read and compared. */
static __always_inline __u64 queue_behind(__u64 list, __u64 skb)
{
	__u64 next;

	next = (__u64)BPF_CORE_READ((struct sk_buff_head *)(skb ? skb : list), next);
	return next == list ? 0 : next;
}

/*
 * The two that are read next; 0 none. UDP's readers take all of the receive queue to a queue of their own, and from
 * there. Only where nobody reads meanwhile they surely are those: see came_take.
 */
static __always_inline void came_heads(__u64 at, __u64 *ret_first, __u64 *ret_second)
{
	struct sock *sk = (struct sock *)at;
	__u16 protocol = BPF_CORE_READ(sk, sk_protocol);
	__u64 list = at + bpf_core_field_offset(struct sock___queue, sk_receive_queue), first = 0,
	      second = 0;

	if ((protocol == IPPROTO_UDP || protocol == IPPROTO_UDPLITE) &&
	    BPF_CORE_READ(sk, sk_type) != SOCK_RAW) {
		__u64 own = at + bpf_core_field_offset(struct udp_sock___queue, reader_queue);

		first = queue_behind(own, 0);
		second = first ? queue_behind(own, first) : 0;
	}
	if (!first) {
		first = queue_behind(list, 0);
		second = first ? queue_behind(list, first) : 0;
	} else if (!second) {
		second = queue_behind(list, 0);
	}
	*ret_first = first;
	*ret_second = second;
}

/* False: another one writes, and finds out that this one wanted to. */
static __always_inline bool came_lock(struct np_came *c)
{
	if (!__sync_val_compare_and_swap(&c->lock, 0, 1))
		return true;
	c->spoilt = 1;
	return false;
}

static __always_inline void came_unlock(struct np_came *c)
{
	(void)__sync_lock_test_and_set(&c->lock, 0); /* all was written before */
}

static __always_inline void came_fill(struct np_came *c, __u64 first, __u64 second)
{
	struct sk_buff___pkt *skb = (struct sk_buff___pkt *)first;
	__u32 ifindex = first ? (__u32)BPF_CORE_READ(skb, skb_iif) : 0;

	c->skb = ifindex ? first : 0;
	c->next = second;
	c->ifindex = ifindex;
}

/*
 * A packet came. Where the one that was noted is still there, or was just taken, this one is behind it. at: the socket.
 * A global function: see filter.h.
 */
__weak __noinline int came_note(struct np_sock *st, __u64 at)
{
	__u64 first, second;
	struct np_came *c;

	if (!st)
		return 0;
	c = &st->came;
	if (c->reader == CAME_MANY || !came_lock(c))
		return 0;
	came_heads(at, &first, &second);
	if (!c->skb)
		came_fill(c, first, second);
	else if (!c->next)
		c->next = c->skb == first ? second : first;
	came_unlock(c);
	return 0;
}

/* A global function: see filter.h. */
__weak __noinline int came_drop(struct np_sock *st)
{
	if (st && came_lock(&st->came)) {
		st->came.skb = 0;
		came_unlock(&st->came);
	}
	return 0;
}

/*
 * A call that asked for the sender took the packet that the note was of. It may be under way only now, of this packet: then
 * who writes it finds that it is in doubt. lock before skb, as whoever writes leaves them.
 */
static __always_inline void came_forget(struct np_sock *st, __u32 tid)
{
	__u64 busy = *(volatile __u32 *)&st->came.lock;

	barrier();
	busy |= *(volatile __u64 *)&st->came.skb;
	if (busy)
		(void)came_drop(st);
	if (st->came.reader && st->came.reader != tid)
		st->came.reader = CAME_MANY;
}

/*
 * Of the datagram that this call took; CAME_UNKNOWN. Notes the next one's. at: the socket. A global function: see filter.h.
 */
__weak __noinline int came_take(struct np_sock *st, __u64 at, __u32 tid)
{
	__u64 first, second, skb;
	__u32 ifindex = CAME_UNKNOWN;
	struct np_came *c;

	if (!st)
		return 0;
	c = &st->came;
	if (!c->reader)
		(void)__sync_val_compare_and_swap(&c->reader, 0, tid);
	if (c->reader != tid) {
		if (c->reader != CAME_MANY)
			c->reader = CAME_MANY;
		return (int)CAME_UNKNOWN;
	}
	if (!came_lock(c))
		return (int)CAME_UNKNOWN;
	skb = __sync_lock_test_and_set(&c->spoilt, 0) ? 0 : c->skb;
	came_heads(at, &first, &second);
	if (skb && skb != first && c->next == first)
		ifindex = c->ifindex;
	came_fill(c, first, second);
	came_unlock(c);
	return (int)ifindex;
}

/* A global function: see filter.h. */
__weak __noinline int came_name(struct np_peer *peer, __u64 at, __u32 ifindex)
{
	struct sock *sk = (struct sock *)at;

	if (peer)
		dev_name_of(peer->raddr, (int)ifindex,
			    (struct net___pkt *)BPF_CORE_READ(sk, __sk_common.skc_net.net));
	return 0;
}

/* Which interface the socket's own counts are of, once: whoever is first says it. */
static __always_inline __u32 came_own(struct np_sock *st, __u32 ifindex)
{
	__u32 own = st->came.own;

	if (own)
		return own;
	if (st->counts.tx_calls | st->counts.rx_calls)
		ifindex = st->tuple.ifindex ? st->tuple.ifindex : CAME_UNKNOWN;
	own = __sync_val_compare_and_swap(&st->came.own, 0, ifindex);
	return own ? own : ifindex;
}

/*
 * A datagram without a peer was read. The socket's own counts are of one interface, that of the first: true, it belongs
 * there. False: it is a part, and peer says of which interface.
 */
static __always_inline bool came_is_own(struct np_sock *st, struct sock *sk, struct np_peer *peer,
					__u32 tid)
{
	__u64 at = sock_number(sk);
	__u32 ifindex = (__u32)came_take(st, at, tid);
	bool own = came_own(st, ifindex) == ifindex;

	peer->ifindex = own ? 0 : ifindex;
	if (ifindex == CAME_UNKNOWN || (own && st->tuple.ifindex == ifindex))
		return own;
	(void)came_name(peer, at, ifindex);
	if (!own)
		return false;
	__builtin_memcpy(st->tuple.ifname, peer->raddr, sizeof(st->tuple.ifname));
	st->tuple.ifindex = ifindex;
	if (np_filter.n_iface)
		(void)filter_sock(st);
	return true;
}

#endif
