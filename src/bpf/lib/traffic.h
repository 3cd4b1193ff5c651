/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a send or receive call does to the accounts, whatever hook saw it. The path most calls take
 * is traffic_fast(): a look-up, a few comparisons, one addition. All the rest is traffic_slow().
 */
#ifndef NETPROBE_BPF_LIB_TRAFFIC_H
#define NETPROBE_BPF_LIB_TRAFFIC_H

#include "answer.h"
#include "came.h"
#include "filter.h"
#include "mptcp.h"
#include "note.h"
#include "cgroup1.h"
#include "owner.h"
#include "part.h"
#include "sum.h"
#include "tuple.h"

/* One call as a hook saw it. */
struct np_call {
	__u64 key;  /* pid_tgid */
	__s64 ret;  /* return value */
	__u32 exec; /* exec_now() */
	__u32 prog; /* NP_PROG_* */
	__u8 tx;
	/* it may name another peer than the socket's: nobody saw whether it does */
	__u8 unnamed;
	__u8 again; /* by a second program, see second.h: no proof that the first one fires */
	__u8 pad[5];
};

#define OWN_ID (1ULL << 62)

/*
 * Where two processors see a socket first at once the number of one of them is that of both. was: what it had when it had
 * no number of its own.
 */
static __always_inline void sock_own_id(struct np_sock *st, __u64 was)
{
	__u64 id = OWN_ID + __sync_fetch_and_add(&st_next_id, 1);

	/* before: by a number without it the entry looks like that of another socket (sock_is_other) */
	st->flags |= NP_F_OWNID;
	(void)__sync_val_compare_and_swap(&st->sock_id, was, id);
	if (st->sock_id < OWN_ID) /* it has a cookie by now */
		st->flags &= ~NP_F_OWNID;
}

static __always_inline void sock_identify(struct np_sock *st, struct sock *sk)
{
	__u64 id = sock_cookie(sk);

	/* a cookie that was made meanwhile does not take the place of a number that others know it by */
	if (!id)
		sock_own_id(st, 0);
	else
		(void)__sync_val_compare_and_swap(&st->sock_id, 0, id);
}

/* What kind of socket it is, once its tuple is known. */
static __always_inline void sock_kind(struct np_sock *st, struct sock *sk)
{
	__u64 was = *(volatile __u64 *)&st->sock_id; /* before the flag */

	if (st->tuple.proto == IPPROTO_TCP && sock_is_subflow(sk))
		subflow_hide(st);
	if (st->tuple.proto == NP_IPPROTO_MPTCP && main_met(sk) && !(st->flags & NP_F_OWNID))
		sock_own_id(st, was);
	sock_made(st, sk);
	if (st_ignore_tgid && st_ignore_tgid == bpf_get_current_pid_tgid() >> 32)
		st->flags |= NP_F_IGNORE;
}

/* First sight of a socket: who and where it is. */
static __always_inline void sock_init(struct np_sock *st, struct sock *sk)
{
	sock_identify(st, sk);
	sock_tuple(st, sk);
	st->dgram = !is_conn(st);
	sock_kind(st, sk);
}

/*
 * An open TCP connection is met in the middle of its life: counting begins here. tx and rx are what
 * the call that met it has moved already, and what will be counted right after.
 */
static __always_inline void sock_seed(struct np_sock *st, struct sock *typed, __u32 tx, __u32 rx)
{
	struct sock *sk = sk_raw(typed);
	__u8 state = BPF_CORE_READ(sk, __sk_common.skc_state);
	struct tcp_sock *tp;

	st->flags |= NP_F_SEEDED;
	if (!is_conn(st) || st->phase == NP_PHASE_SUBFLOW)
		return;
	if (state == TCP_LISTEN) {
		sock_listens(st, sk);
		st->drops_base = st->tuple.proto == NP_IPPROTO_MPTCP
					 ? main_drops(sk)
					 : BPF_CORE_READ(sk, sk_drops.counter);
		return;
	}
	if (state == TCP_CLOSE)
		return;
	/* All that one has is of the connection that is being made. */
	st->phase = state == TCP_SYN_SENT ? NP_PHASE_SYN : NP_PHASE_OPEN;
	tp = tcp_of(sk);
	if (!tp)
		return;
	st->tx_base = BPF_CORE_READ(tp, write_seq) - tx;
	if (state == TCP_SYN_SENT)
		return;
	st->rx_base = tcp_rx_taken(tp, sk) - rx;
	st->segs_out_base = BPF_CORE_READ(tp, segs_out);
	st->segs_in_base = BPF_CORE_READ(tp, segs_in);
	(void)retrans_begin(st, typed);
}

/*
 * Is the call one of the process whose calls need no thought? Which of its threads made it is noted in the
 * lower half alone: whoever ends this meanwhile writes 0 to the upper one.
 */
static __always_inline bool hot_is(struct np_sock *st, __u64 key)
{
	__u64 hot = st->hot;

	if (likely(hot == key))
		return true;
	if ((hot ^ key) >> 32)
		return false;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	*(__u32 *)&st->hot = (__u32)key;
#else
	*((__u32 *)&st->hot + 1) = (__u32)key;
#endif
	return true;
}

static __always_inline void owner_publish(struct np_sock *st, const struct np_owner *me)
{
	if (__sync_val_compare_and_swap(&st->last_lock, 0, 1))
		return;
	if (st->last.tgid != me->tgid || st->last.start_ns != me->start_ns ||
	    st->last.match != me->match)
		__sync_fetch_and_add(&st->hands, 1);
	st->last = *me;
	barrier();
	st->last_lock = 0;
}

/* True where owner owns the socket's own counts; takes them when nobody does. */
__weak __noinline int acct_take(struct np_sock *st, const struct np_owner *owner)
{
	if (!st || !owner)
		return false;
	if (!st->acct_tgid && owner->tgid &&
	    !__sync_val_compare_and_swap(&st->acct_tgid, 0, owner->tgid)) {
		st->acct = *owner;
		return true;
	}
	if (!owner->tgid || st->acct_tgid != owner->tgid)
		return false;
	/* Its number may be another process's now. 0: it is just being written, by a thread of the same one. */
	if (st->acct.start_ns != owner->start_ns && st->acct.start_ns)
		return false;
	st->acct = *owner; /* what it is now: program, name, cgroup, user */
	return true;
}

/* The current task. me: filled before, with anything. Process context. A global function: see filter.h. */
__weak __noinline int owner_now(struct np_owner *me)
{
	if (!me)
		return 0;
	owner_of_current(me);
	owner_v1(me, (void *)bpf_get_current_task());
	owner_settle(me);
	return 0;
}

/* The current task is the socket's last user. Process context. A global function: see filter.h. */
__weak __noinline int owner_takes(struct np_sock *st)
{
	struct np_owner me = {};

	if (!st)
		return 0;
	(void)owner_now(&me);
	owner_publish(st, &me);
	return 0;
}

/*
 * The current task uses the socket: it becomes its last user. Process context only.
 * me: filled.
 */
static __always_inline void sock_use(struct np_sock *st, struct sock *sk, struct np_owner *me)
{
	__builtin_memset(me, 0, sizeof(*me));
	(void)owner_now(me);
	owner_publish(st, me);
	sock_where(st, sk);
	(void)filter_sock(st);
	filter_segs(st, sk_raw(sk));
}

static __always_inline void counts_move(struct np_counts *c, bool tx, __s64 bytes, bool dgram)
{
	if (tx) {
		__sync_fetch_and_add(&c->tx_bytes, bytes);
		if (dgram)
			__sync_fetch_and_add(&c->tx_calls, 1);
	} else {
		__sync_fetch_and_add(&c->rx_bytes, bytes);
		if (dgram)
			__sync_fetch_and_add(&c->rx_calls, 1);
	}
}

static __always_inline void counts_add(struct np_counts *c, const struct np_call *call, bool dgram)
{
	counts_move(c, call->tx, call->ret, dgram);
}

/* What a call moved is in no count of this socket, and no unseen traffic either. */
static __always_inline void call_pass(struct np_sock *st, const struct np_call *call)
{
	if (st->dgram || call->ret <= 0)
		return;
	if (call->tx)
		__sync_fetch_and_add(&st->tx_base, (__u32)call->ret);
	else
		__sync_fetch_and_add(&st->rx_base, call->ret);
}

/* A call that is not to be recorded. What it moved is no unseen traffic, should the socket match later. */
static __noinline __attribute__((unused)) int
call_skip(struct np_sock *st, const struct np_call *call, __u32 sampled_out)
{
	if (!st || !call)
		return 0;
	if (sampled_out)
		count_one(call->prog, sampled_out);
	else
		count_one(call->prog, filtered);
	call_pass(st, call);
	return 0;
}

/* sa: of either family, or of none of ours */
static __always_inline void peer_of_address(struct np_peer *peer, const struct sockaddr_in6 *sa)
{
	if (sa->sin6_family == AF_INET) {
		addr_from_v4(peer->raddr, ((const struct sockaddr_in *)sa)->sin_addr.s_addr);
		peer->family = AF_INET;
	} else if (sa->sin6_family == AF_INET6) {
		__builtin_memcpy(peer->raddr, &sa->sin6_addr, 16);
		peer->family = addr_is_v4(peer->raddr) ? AF_INET : AF_INET6;
	} else {
		return;
	}
	peer->rport = bpf_ntohs(sa->sin6_port);
}

#define SIN6_LEN_LEAST \
	24 /* the kernel takes an IPv6 address without its scope (SIN6_LEN_RFC2133) */

/*
 * A struct sockaddr as the kernel keeps it for a call; family 0 where it is none of ours. len: of which the caller gave
 * or a protocol wrote so much; the rest is what was on the stack before.
 */
static __always_inline void peer_of_name(struct np_peer *peer, void *name, int len)
{
	struct sockaddr_in6 sa = {};

	if (!name || len < (int)sizeof(struct sockaddr_in) ||
	    bpf_probe_read_kernel(&sa, sizeof(sa), name))
		return;
	if (sa.sin6_family == AF_INET6 && len < SIN6_LEN_LEAST)
		return;
	peer_of_address(peer, &sa);
}

/* Is a connected datagram socket still with the peer its own counts are about? */
static __always_inline bool peer_is_own(const struct np_sock *st, const struct np_peer *peer)
{
	return part_is_own(&st->tuple, peer);
}

/* Peer of a connected datagram socket; false where it has none. */
static __always_inline bool peer_of_sock(struct sock *sk, struct np_peer *ret_peer)
{
	__u16 family = BPF_CORE_READ(sk, __sk_common.skc_family);
	__u16 rport = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));

	/* A connected datagram socket is in TCP_ESTABLISHED (ip4_datagram_connect). */
	if (BPF_CORE_READ(sk, __sk_common.skc_state) != TCP_ESTABLISHED)
		return false;
	if (family == AF_INET)
		addr_from_v4(ret_peer->raddr, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	else
		BPF_CORE_READ_INTO(&ret_peer->raddr, sk, __sk_common.skc_v6_daddr);
	ret_peer->rport = rport;
	ret_peer->family = family == AF_INET6 && !addr_is_v4(ret_peer->raddr) ? AF_INET6 : AF_INET;
	return true;
}

/*
 * There is no room for a part: the peer is lost, the bytes are not. Those of the owner of the socket's counts
 * join them, those of others go to a sum. Where even that is full they are lost, and still nobody else's:
 * what is counted nowhere must not look like bytes that no call took.
 */
static __noinline __attribute__((unused)) int
part_full(struct np_sock *st, const struct np_owner *owner, const struct np_call *call, __u32 own)
{
	struct np_part *sum;

	if (!st || !owner || !call)
		return 0;
	count_one(call->prog, map_full);
	if (own) {
		counts_add(&st->counts, call, st->dgram);
		return 0;
	}
	sum = sum_get(&st->tuple, owner);
	if (sum) {
		counts_add(&sum->counts, call, st->dgram);
		if (call->tx)
			__sync_fetch_and_add(&st->tx_parts, call->ret);
		else
			__sync_fetch_and_add(&st->rx_parts, call->ret);
		return 0;
	}
	call_pass(st, call);
	if (call->tx)
		count_add(call->prog, lost_tx_bytes, call->ret);
	else
		count_add(call->prog, lost_rx_bytes, call->ret);
	return 0;
}

/* Count into a part. peer: NULL none. A global function: see filter.h. */
__weak __noinline int part_count(struct np_sock *st, const struct np_owner *owner,
				 const struct np_peer *peer, const struct np_call *call, __u32 own)
{
	__u32 filtered = 0;
	struct np_part *part;

	if (!st || !owner || !call)
		return 0;
	part = part_get(st, owner, peer, &filtered);
	if (part) {
		counts_add(&part->counts, call, st->dgram);
		if (call->tx)
			__sync_fetch_and_add(&st->tx_parts, call->ret);
		else
			__sync_fetch_and_add(&st->rx_parts, call->ret);
		return 0;
	}
	if (filtered)
		return call_skip(st, call, filtered == NP_PART_SAMPLED_OUT);
	return part_full(st, owner, call, own);
}

/* Counts of a connection begin anew. A global function: see filter.h. */
__weak __noinline int conn_clear(struct np_sock *st)
{
	if (!st)
		return 0;
	st->hot = 0;
	st->acct_tgid = 0;
	__builtin_memset(&st->acct, 0, sizeof(st->acct));
	__builtin_memset(&st->counts, 0, sizeof(st->counts));
	__builtin_memset(&st->tuple, 0, sizeof(st->tuple));
	st->tx_parts = st->rx_parts = 0;
	st->rx_base = 0;
	st->segs_out_base = st->segs_in_base = 0;
	st->live = st->subflows = st->resets = 0;
	st->ends = 0;
	st->rtx_next = st->recovery = 0;
	st->pass = 0;
	st->sweep_gen = 0;
	st->sweep_print = 0;
	__builtin_memset(&st->told, 0, sizeof(st->told));
	st->teller = 0;
	st->flags &= NP_F_OWNID | NP_F_IGNORE;
	st->dgram = 0;
	st->opened_ns = bpf_ktime_get_ns();
	st->established_ns = st->closed_ns = 0;
	st->err = 0;
	return 0;
}

/* Start of a connection on this socket. */
static __always_inline void conn_reset(struct np_sock *st, struct sock *sk)
{
	struct np_rare *rare = sock_rare(st, sk);
	struct tcp_sock *tp = tcp_of(sk);

	(void)conn_clear(st);
	if (rare)
		__builtin_memset(rare, 0, sizeof(*rare));
	else
		st->rare = 0; /* it was its listener's */
	st->tx_base = tp ? BPF_CORE_READ(tp, write_seq) : 0;
	st->retrans_seen = 0;
	(void)retrans_begin(st, sk);
	sock_tuple(st, sk);
}

/*
 * A connection was accepted by the stack: sk may carry a copy of its listener's entry, whose last
 * user is its owner until somebody uses it. Context: softirq.
 */
static __noinline __attribute__((unused)) int conn_child(struct np_sock *st, struct sock *sk,
							 __u32 cloned)
{
	struct np_owner *last;
	__u8 ignored = 0;

	if (!st)
		return 0;
	last = &st->last;
	cloned = unknown(cloned);
	if (!cloned)
		__builtin_memset(last, 0, sizeof(*last));
	else if (st->phase != NP_PHASE_SUBFLOW)
		ignored = st->flags & NP_F_IGNORE;
	if (last->match == NP_MATCH_EXACT)
		last->match = NP_MATCH_LISTENER;
	st->last_lock = 0;
	st->flags = ignored;
	st->phase = NP_PHASE_NEW;
	st->sock_id = 0; /* the listener's */
	sock_identify(st, sk);
	conn_reset(st, sk);
	sock_kind(st, sk);
	if (st->tuple.proto == NP_IPPROTO_MPTCP && !(st->flags & NP_F_OWNID))
		sock_own_id(st, st->sock_id);
	st->flags |= NP_F_PASSIVE;
	st->pass = 0;
	(void)filter_sock(st);
	return 0;
}

/*
 * An entry copied from the listener that nobody made the child's own: the kernel leaves a program out
 * that would interrupt itself, and then the hook on the child's first state does not run.
 */
static __always_inline void conn_missed(struct np_sock *st, struct sock *sk)
{
	(void)conn_child(st, sk, true);
	st->phase = NP_PHASE_OPEN;
	st->established_ns = st->opened_ns;
}

/* Is it such a one? */
static __always_inline bool sock_is_copy(struct np_sock *st, struct sock *sk)
{
	__u64 id;

	if (cfg_store_hash || !st->sock_id || (st->flags & NP_F_OWNID))
		return false;
	id = sock_cookie(sk);
	return id && id != st->sock_id;
}

static __always_inline void sock_check_copy(struct np_sock *st, struct sock *sk)
{
	if (sock_is_copy(st, sk))
		conn_missed(st, sk);
}

static __always_inline struct np_sock *sock_meet(struct sock *sk, const struct np_call *call)
{
	struct np_sock *st = sock_make(sk, call->prog);

	if (!st)
		return NULL;
	if (!st->sock_id) {
		__u32 moved = call->ret > 0 ? (__u32)call->ret : 0; /* an error moved nothing */

		sock_init(st, sk);
		sock_seed(st, sk, call->tx ? moved : 0, call->tx ? 0 : moved);
	}
	return st;
}

#define PEER_KEPT 1  /* the socket's own counts are of that peer */
#define PORT_OTHER 2 /* the socket has not the port that its own counts are of */

/*
 * Where a datagram socket's call belongs, PEER_KEPT and PORT_OTHER. peer: family 0 none. named: the call tells whom; else it
 * is the one that the socket is connected to. A peer has one place, whatever call tells it and whoever the socket is
 * connected to meanwhile. at: the socket's. A global function: see filter.h.
 */
__weak __noinline int peer_place(const struct np_sock *st, const struct np_peer *peer, __u32 named,
				 __u64 at)
{
	__u16 lport = BPF_CORE_READ((struct sock *)at, __sk_common.skc_num);
	bool fresh, is_its;
	int place = 0;

	if (!st || !peer)
		return 0;
	if (st->tuple.lport && st->tuple.lport != lport) /* raw ones have none */
		place = PORT_OTHER;
	if (!peer->family)
		return place;
	fresh = !(st->counts.tx_calls | st->counts.rx_calls);
	is_its = has_remote(&st->tuple) && peer_is_own(st, peer);
	if (!(st->flags & NP_F_UNCONN))
		is_its = is_its || (fresh && !named);
	else
		is_its = is_its && !fresh && !place; /* others in between */
	return place | (is_its ? PEER_KEPT : 0);
}

/*
 * Datagram sockets: choose between own counts (one peer for life) and parts (many).
 * Returns true when the call belongs into the socket's own counts.
 */
static __always_inline bool dgram_peer(struct np_sock *st, struct sock *sk,
				       const struct np_call *call, struct np_peer *peer,
				       bool *ret_has_peer)
{
	bool named = peer->family || peer_take(sk, call->key, call->tx, peer);
	int place;

	*ret_has_peer = named || (!call->unnamed && peer_of_sock(sk, peer));
	place = peer_place(st, peer, named, sock_number(sk));
	if (place & PEER_KEPT && !cfg_no_ends)
		return true;
	st->flags |= NP_F_UNCONN;
	/* own counts that are of a peer are not of who is not known */
	if (*ret_has_peer || has_remote(&st->tuple)) {
		if (place & PORT_OTHER)
			st->elsewhere = sock_number(sk); /* it was disconnected, and has another */
		if (!call->tx)
			came_forget(st, (__u32)call->key);
		return false;
	}
	if (call->tx)
		return !cfg_no_ends;
	/* read before write: the line stays shared */
	if (!st_need_arrive && st->came.reader != CAME_MANY)
		st_need_arrive = 1;
	return came_is_own(st, sk, peer, (__u32)call->key) && !cfg_no_ends;
}

static __noinline int traffic_slow(struct sock *sk, struct np_sock *st, struct np_call *call,
				   struct np_peer *peer)
{
	struct np_owner me;
	const struct np_owner *owner = &me;
	bool has_peer = false, own_counts = true;
	__u32 own;

	if (st && sock_is_other(st, sk)) {
		sock_born(sk);
		st = NULL;
	}
	if (!st)
		st = sock_meet(sk, call);
	else if (!st->sock_id)
		sock_identify(st, sk); /* data that came with the SYN */
	else if ((st->hot ^ call->key) >> 32)
		sock_check_copy(st, sk);
	if (!st || (st->flags & NP_F_IGNORE))
		return 0;
	/* nothing moved: forget the address noted for it, learn who holds the socket */
	if (call->ret < 0)
		(void)peer_take(sk, call->key, call->tx, peer);
	own = call->ret < 0 ? st->last.match == NP_MATCH_EXACT
			    : hot_is(st, call->key) && st->hot_exec == call->exec &&
				      st->gen == np_filter.gen;
	own = unknown(own);
	if (!own)
		sock_use(st, sk, &me);
	if (call->ret < 0)
		return 0;
	if (own)
		owner = &st->acct;
	else
		own = acct_take(st, &me);
	if (st->dgram) {
		own_counts = dgram_peer(st, sk, call, peer, &has_peer);
		if (answer_port(has_peer ? peer->rport : st->tuple.rport)) {
			st->dgram = NP_DGRAM_NAMES;
			(void)answer_take(st, has_peer ? peer : NULL, (__u32)call->ret, call->tx,
					  call->prog);
		}
	}
	if (own) {
		owner_uses(call->key >> 32, call->exec);
		st->hot_exec = call->exec;
		st->hot = call->key;
	}
	if (!own || !own_counts) {
		(void)part_count(st, owner, has_peer || peer->ifindex ? peer : NULL, call, own);
		return 0; /* known to be that: fexit programs must */
	}
	if (!(st->pass & NP_PASS_NOW))
		return call_skip(st, call, st->pass & NP_PASS_SAMPLED_OUT);
	counts_add(&st->counts, call, st->dgram);
	return 0;
}

/*
 * A send or receive call returned: the path that most calls take. False where thought is needed; then
 * nothing was done. It makes no record on the stack, notes no hit and reads no clock.
 * Context: process. What it costs is the product's promise: see tests/bench.
 */
static __always_inline bool traffic_fast(struct np_sock *st, __u64 key, __u32 exec, __s64 ret,
					 bool tx)
{
	if (!likely(st && hot_is(st, key) && st->hot_exec == exec && st->gen == np_filter.gen &&
		    !(st->flags & NP_F_UNCONN) && (st->pass & NP_PASS_NOW) &&
		    st->dgram != NP_DGRAM_NAMES))
		return false;
	if (ret > 0 || (!ret && st->dgram))
		counts_move(&st->counts, tx, ret, st->dgram);
	return true;
}

/*
 * The same for a datagram of an unconnected socket whose peer the address hook of this call noted and that
 * was counted before: a look-up more. False where thought is needed; then nothing was done.
 */
static __noinline __attribute__((unused)) bool traffic_peer(struct sock *sk, struct np_sock *st,
							    __u64 key, __s64 ret, __u32 tx)
{
	struct np_part_key part_key = {};
	struct np_note *note = note_of(key);
	struct np_part *part;
	struct np_peer *p;

	if (!st || !note || ret < 0)
		return false;
	p = &note->peer;
	if (p->key != PEER_KEY(key, tx) || note->sk != (__u64)sk || answer_port(p->rport))
		return false;
	part_key.sock_id = st->sock_id;
	part_key.start_ns = st->acct.start_ns;
	part_key.tgid = st->acct.tgid;
	part_key.rport = p->rport;
	part_key.family = p->family;
	__builtin_memcpy(part_key.raddr, p->raddr, 16);
	part = part_lookup(&part_key);
	if (!part)
		return false;
	p->key = 0;
	if (!tx)
		came_forget(st, (__u32)key);
	counts_move(&part->counts, tx, ret, true);
	/* of a datagram socket nobody adds these up: that they moved is all they tell */
	if (tx)
		st->tx_parts += ret;
	else
		st->rx_parts += ret;
	return true;
}

/* Is the call one of a socket that this task is known to own, and many peers use? */
static __always_inline bool traffic_has_peers(struct np_sock *st, __u64 key, __u32 exec)
{
	return st && hot_is(st, key) && st->hot_exec == exec && st->gen == np_filter.gen &&
	       (st->flags & NP_F_UNCONN) && st->dgram != NP_DGRAM_NAMES;
}

/* The same for all other calls. peer: filled by hooks that see the address, else family 0. */
static __always_inline int traffic(struct sock *sk, struct np_sock *st, struct np_call *call,
				   struct np_peer *peer)
{
	if (!call->again)
		prog_hit(call->prog);
	/* not of a call that may be with another peer than the socket's */
	if (!call->again && !peer->family && st && hot_is(st, call->key) &&
	    st->hot_exec == call->exec && st->gen == np_filter.gen && !(st->flags & NP_F_UNCONN) &&
	    st->dgram != NP_DGRAM_NAMES)
		return call_skip(st, call, st->pass & NP_PASS_SAMPLED_OUT);
	return traffic_slow(sk, st, call, peer);
}

#endif
