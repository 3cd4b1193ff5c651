// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Iterators that user space runs: sweep hands over every socket that changed since the last one,
 * seed gives the sockets that are older than the probe their owner. Nothing here is on a data path.
 */
#define NP_SOCK_TYPED
#include "kernel/iter.h"
#include "lib/life.h"
#include "wire/sweep.h"

/* Read by user space through mmap: no copy, no system call per record. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_SWEEP_SLOTS);
	__uint(map_flags, BPF_F_MMAPABLE);
	__type(key, __u32);
	__type(value, struct np_sock_rec);
} np_sweep SEC(".maps");

/* Set by user space before a sweep. */
volatile __u32 st_sweep_gen = 0; /* raised for each sweep, not for its further passes */
volatile __u8 st_sweep_full = 0; /* 1: unchanged sockets as well */
/* 1: nothing is told, but of those that left something it is noted that they are there */
volatile __u8 st_sweep_mark = 0;
/* Result of a pass. */
volatile __u32 st_sweep_n = 0; /* records written; the n-th is in slot n modulo NP_SWEEP_SLOTS */
volatile __u32 st_sweep_taken = 0; /* of which user space took, also while a pass goes on */
volatile __u64 st_sweep_seen = 0;  /* sockets that have an entry */
volatile __u64 st_sweep_alive = 0; /* of TCP and MPTCP, whether they are told or not */

/* How many wait at a listener and how many may: accept() and another listen() move no segment. */
static __always_inline __u64 queue_print(__u32 waiting, __u32 most)
{
	return waiting * 0x9e3779b97f4a7c15ULL + most * 0xc2b2ae3d27d4eb4fULL;
}

/* The queue of an MPTCP listener is its first subflow's: read as zeros where there is none, see main_drops. */
static __always_inline __u64 main_print(struct sock *sk)
{
	struct sock *sub = main_first(sk);

	return (__u32)BPF_CORE_READ(sub, sk_drops.counter) +
	       queue_print(BPF_CORE_READ(sub, sk_ack_backlog),
			   BPF_CORE_READ(sub, sk_max_ack_backlog));
}

/* A number that differs whenever anything worth telling has changed. */
static __always_inline __u64 fingerprint(const struct np_sock *st, struct sock *sk)
{
	struct tcp_sock *tp = st->dgram ? NULL : tcp_of(sk);
	__u64 print = st->counts.tx_bytes + st->counts.rx_bytes + st->counts.tx_calls +
		      st->counts.rx_calls + st->counts.retrans + 1;

	print ^= (__u64)st->hands << 32;
	if (tp && SK_READ(sk, __sk_common.skc_state) == TCP_LISTEN)
		print += (__u32)SK_READ(sk, sk_drops.counter) - st->drops_told +
			 queue_print(SK_READ(sk, sk_ack_backlog), SK_READ(sk, sk_max_ack_backlog));
	if (tp)
		print += ((__u64)SK_READ(tp, segs_in) + SK_READ(tp, segs_out) +
			  SK_READ(tp, total_retrans)) +
			 ((__u64)SK_READ(sk, __sk_common.skc_state) << 56);
	else if (st->tuple.proto == NP_IPPROTO_MPTCP)
		print += ((__u64)SK_READ(sk, __sk_common.skc_state) << 56) +
			 ((__u64)main_subflows(sk) << 48) + main_pending(sk) +
			 (SK_READ(sk, __sk_common.skc_state) == TCP_LISTEN ? main_print(sk) : 0);
	return print ? print : 1;
}

static __always_inline void left_met(const struct np_sock *st)
{
	struct np_left *left = st->released ? left_slot(st) : NULL;

	if (left && left->sock_id == st->sock_id)
		left->gen = st_left_gen;
}

/* st: the iterator's view of the entry, which is there without a look-up. 0: nothing to tell of it. */
static __always_inline __u64 changed(const struct np_sock *st, struct sock *sk)
{
	__u64 print;

	if (st_sweep_mark) {
		left_met(st);
		return 0;
	}
	st_sweep_alive += !st->dgram;
	if (!st->sock_id || (st->flags & NP_F_IGNORE) || st->sweep_gen == st_sweep_gen)
		return 0;
	if (sock_is_other(st, sk))
		return 0;
	print = fingerprint(st, sk);
	/* its last record was made a moment ago */
	if (st_sweep_full || print != st->sweep_print)
		return st->gone ? 0 : print;
	st_sweep_seen++;
	return 0;
}

/*
 * The next call on this socket looks at its process anew, one socket of each process that moved something
 * since the last sweep. Where no hook tells that a process is not what it was, that finds it.
 */
static __always_inline void sweep_look(struct np_sock *st)
{
	struct np_user *user = &st_users[USER_SLOT(st->acct_tgid)];

	if (user->swept == st_sweep_gen)
		return;
	user->swept = st_sweep_gen;
	st->hot = 0;
}

static __noinline int sweep_tell(struct np_sock *st, struct sock *sk, struct np_sock_rec *rec)
{
	if (!st || !rec)
		return 0;
	(void)rec_fill(rec, st, sk);
	told_counts(&st->told, rec);
	(void)left_told(st);
	return 0;
}

/*
 * 1 where all slots are full: the read() ends with EAGAIN, and the next one begins at this socket again.
 * print: what changed() returned.
 */
static __always_inline int sweep_one(struct np_sock *st, struct sock *sk, __u64 print)
{
	struct np_sock_rec *rec;
	__u32 slot, n;
	bool moved;

	/* the kernel made it a subflow after it was made */
	if (st->tuple.proto == IPPROTO_TCP && sock_is_subflow(sk)) {
		subflow_hide(st);
		return 0;
	}
	(void)main_settle(st, sk, false);
	if (!sock_wanted(st, sk)) {
		st_sweep_seen++;
		return 0;
	}
	n = st_sweep_n;
	if (n - st_sweep_taken >= NP_SWEEP_SLOTS)
		return 1;
	slot = n & (NP_SWEEP_SLOTS - 1);
	rec = bpf_map_lookup_elem(&np_sweep, &slot);
	if (!rec)
		return 0;
	st_sweep_seen++;
	if (__sync_val_compare_and_swap(&st->teller, 0, NP_TELL_SWEEP))
		return 0; /* it ended, and a sum has what it moved */
	if (!(st->flags & NP_F_UNCONN))
		sock_where(st, sk);
	moved = st->counts.tx_bytes != st->told.tx_bytes || st->counts.rx_bytes > st->told.rx_bytes;
	sweep_tell(st, sk, rec);
	if (moved)
		sweep_look(st);
	/* It ended meanwhile, and left it to this record. */
	if (__sync_val_compare_and_swap(&st->teller, NP_TELL_SWEEP, 0) != NP_TELL_SWEEP)
		sweep_tell(st, sk, rec);
	st->sweep_gen = st_sweep_gen;
	/* The next sweep looks again at retransmits that were not told. */
	st->sweep_print = retrans_owed(st, sk) ? 0 : print;
	/* A full barrier: who sees the number sees the record. */
	(void)__sync_lock_test_and_set(&st_sweep_n, n + 1);
	return 0;
}

/* All sockets with storage, of every network namespace. Context: process, user space's read(). Since 5.9. */
SEC("iter/bpf_sk_storage_map")
int np_sweep_sk(struct bpf_iter__bpf_sk_storage_map *ctx)
{
	struct np_sock *st = ctx->value;
	struct sock *sk = ctx->sk;
	__u64 print;

	if (!sk || !st)
		return 0; /* the call after the last element */
	print = changed(st, sk);
	if (!print)
		return 0;
	st = bpf_sk_storage_get(&np_socks, sk, NULL, 0);
	return st ? sweep_one(st, sk, print) : 0;
}

/* The same where entries live in the hash. Since 5.9. */
SEC("iter/bpf_map_elem")
int np_sweep_hash(struct bpf_iter__bpf_map_elem *ctx)
{
	struct np_sock *st = ctx->value;
	__u64 *key = ctx->key, addr, print;

	if (!key || !st)
		return 0;
	addr = *key;
	print = changed(st, (struct sock *)addr);
	if (!print)
		return 0;
	st = bpf_map_lookup_elem(&np_socks_h, &addr);
	return st ? sweep_one(st, (struct sock *)addr, print) : 0;
}

static long sweep_elem(struct bpf_map *map, __u64 *key, struct np_sock *st, __u32 *ret_full)
{
	__u64 addr = *key, print = changed(st, (struct sock *)addr);

	if (!print || !sweep_one(st, (struct sock *)addr, print))
		return 0;
	*ret_full = 1;
	return 1;
}

/*
 * The same where the kernel has no BTF of its own and so no iterators: attached to nothing, user space
 * runs it, again while it returns 1 for full slots. Context: process, bpf(2). Raw tracepoints are run so
 * since 5.10; bpf_for_each_map_elem since 5.13.
 */
SEC("raw_tp")
int np_sweep_run(void *ctx)
{
	__u32 full = 0;

	(void)bpf_for_each_map_elem(&np_socks_h, sweep_elem, &full, 0);
	return full;
}

/*
 * Every file of every task: a socket without owner gets the task that holds it, an accepted socket
 * that nobody used yet gets its real one. Context: process. Since 5.8; bpf_sock_from_file since 5.11.
 */
SEC("iter/task_file")
int np_seed(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct np_owner owner;
	struct socket *sock;
	struct np_sock *st;
	struct sock *sk;
	bool fresh = false;
	__u16 family;

	if (!task || !file)
		return 0;
	prog_hit(NP_PROG_SEED);
	sock = bpf_sock_from_file(file);
	if (!sock)
		return 0;
	sk = sock->sk;
	if (!sk)
		return 0;
	family = sk->__sk_common.skc_family;
	if (family != AF_INET && family != AF_INET6)
		return 0;
	st = sock_see(sk, NP_PROG_SEED, &fresh);
	if (!st || (st->flags & NP_F_IGNORE))
		return 0;
	if (fresh)
		sock_seed(st, sk, 0, 0);
	if (fresh && serves_datagrams(st))
		st_need_arrive = 1; /* before what it reads next */
	/* Its owner is known; whether that one is in the wanted cgroups may not be any more. */
	if (st->last.match == NP_MATCH_EXACT &&
	    (!np_filter.n_cgroup || st->last.tgid != (__u32)task->tgid ||
	     st->last.cgroup_gen == (__u16)np_filter.gen))
		return 0;
	owner_of_task(&owner, task);
	owner_v1(&owner, task);
	owner_publish(st, &owner);
	filter_sock(st);
	count_one(NP_PROG_SEED, submitted);
	return 0;
}
