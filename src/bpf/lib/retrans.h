/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What TCP sent again: how many segments, for which cause, in recovery or not, and which of them in vain. */
#ifndef NETPROBE_BPF_LIB_RETRANS_H
#define NETPROBE_BPF_LIB_RETRANS_H

#include "sock.h"

/*
 * The retransmits that the kernel counted since last time. A hook and a sweep
 * may both be here: whoever moves retrans_seen on counts, the other leaves it to the next time.
 */
static __always_inline __u32 retrans_new(struct np_sock *st, struct tcp_sock *tp)
{
	__u32 total = BPF_CORE_READ(tp, total_retrans);
	__u32 seen = st->retrans_seen;

	if (total <= seen || __sync_val_compare_and_swap(&st->retrans_seen, seen, total) != seen)
		return 0;
	return total - seen;
}

/* n segments went out again for that cause. */
static __always_inline void rtx_cause_add(struct np_rare *rare, __u32 cause, __u32 n)
{
	if (rare)
		__sync_fetch_and_add(&rare->rtx_cause[cause & (NP_RTX_MAX - 1)], n);
}

/* The same for what a record finds, by the cause that was noted. */
static __noinline int rtx_found(struct np_sock *st, struct sock *sk, __u32 n)
{
	if (st)
		rtx_cause_add(sock_rare_make(st, sk, NP_PROG_RETRANSMIT), st->rtx_next, n);
	return 0;
}

/*
 * What was there at the last record and is not accounted yet: no hook was called for it, or it could not be sent, which
 * passes by the hook. What came since may be under way to its hook, which knows its cause. Returns how many, which have
 * no cause.
 */
static __noinline int retrans_overdue(struct np_sock *st, struct sock *sk)
{
	struct tcp_sock *tp = tcp_of(sk);
	__u32 total, seen, late;
	struct np_rare *rare;

	if (!st || !tp)
		return 0;
	total = BPF_CORE_READ(tp, total_retrans);
	seen = st->retrans_seen;
	if (total > seen)
		rare = sock_rare_make(st, sk, NP_PROG_RETRANSMIT);
	else
		rare = sock_rare(st, sk);
	if (!rare)
		return 0;
	late = rare->retrans_late;
	rare->retrans_late = total;
	if (late <= seen || __sync_val_compare_and_swap(&st->retrans_seen, seen, late) != seen)
		return 0;
	rtx_cause_add(rare, NP_RTX_UNKNOWN, late - seen);
	return (int)(late - seen);
}

/* Is there something that the next record has to account for? */
static __noinline __attribute__((unused)) int retrans_owed(struct np_sock *st, struct sock *sk)
{
	struct np_rare *rare = st ? sock_rare(st, sk) : NULL;

	return rare && rare->retrans_late > st->retrans_seen;
}

/* 4.18 does not count them. */
static __always_inline __u32 tcp_dups(struct tcp_sock *tp)
{
	return bpf_core_field_exists(tp->dsack_dups) ? BPF_CORE_READ(tp, dsack_dups) : 0;
}

/* Retransmits count from here on. */
static __noinline __attribute__((unused)) int retrans_begin(struct np_sock *st, struct sock *sk)
{
	struct tcp_sock *tp = tcp_of(sk);
	struct np_rare *rare;
	__u32 dups;

	if (!st || !tp)
		return 0;
	st->retrans_seen = BPF_CORE_READ(tp, total_retrans);
	dups = tcp_dups(tp);
	if (dups)
		rare = sock_rare_make(st, sk, NP_PROG_RETRANSMIT);
	else
		rare = sock_rare(st, sk);
	if (rare)
		rare->dups_base = dups;
	return 0;
}

/*
 * Recovery or loss begins, or the one becomes the other. The kernel sets its marker before (tcp_init_undo, 5.14 to 6.18), or
 * takes it away for good, as where the path takes smaller segments only (tcp_simple_retransmit): then none is in vain.
 */
static __always_inline void recovery_goes_on(struct np_sock *st, struct np_rare *rare,
					     struct tcp_sock *tp, bool begins, __u32 total)
{
	if (begins) {
		rare->recovery_start_ns = bpf_ktime_get_ns();
		rare->rtx_before = total;
		st->recovery = NP_RECOVERY_FINAL;
	}
	if (st->recovery)
		st->recovery = BPF_CORE_READ(tp, undo_marker) ? NP_RECOVERY : NP_RECOVERY_FINAL;
}

/*
 * Recovery or loss is over. Where the undo marker is gone the kernel took its slow-down back: what it retransmitted
 * was not lost. total: total_retrans. A global function: see filter.h.
 */
__weak __noinline int recovery_over(struct np_sock *st, struct np_rare *rare, __u32 marker,
				    __u32 total, __u64 least_ns)
{
	__u64 took;
	__u32 was;

	if (!st || !rare)
		return 0;
	took = bpf_ktime_get_ns() - rare->recovery_start_ns;
	was = st->recovery;
	if (!was || took < least_ns)
		return 0;
	st->recovery = 0;
	rare->recovery_ns += took;
	if (was == NP_RECOVERY && !marker && total > rare->rtx_before)
		rare->rtx_spurious += total - rare->rtx_before;
	return 0;
}

/* least_ns: if it went on for so long. */
static __always_inline void recovery_end(struct np_sock *st, struct np_rare *rare,
					 struct tcp_sock *tp, __u64 least_ns)
{
	if (st->recovery)
		(void)recovery_over(st, rare, BPF_CORE_READ(tp, undo_marker),
				    BPF_CORE_READ(tp, total_retrans), least_ns);
}

/*
 * A record finds the state of none: the hook on the end of recovery was left out, unless it only begins. That is told before
 * the kernel writes the state (tcp_set_ca_state), and another processor may look in between.
 */
#define RECOVERY_BEGINS_NS 10000000ULL

/*
 * Retransmits found not needed: those the kernel undid as it left recovery, or those whose segments the peer told to
 * have had twice (D-SACK), whichever are more; mostly they are the same. The second ones need no hook. They are all there is of loss
 * probes, of what is told after recovery ended (tcp_try_undo_dsack in Open or Disorder sets no state, 5.14 to 6.18),
 * and where no program was called for a state. A segment that the network doubled looks the same.
 * dups: tcp_dups. A global function: see filter.h.
 */
__weak __noinline int rtx_spurious(const struct np_rare *rare, __u32 dups)
{
	__u32 told = 0;

	if (!rare)
		return 0;
	dups = segs_since(dups, rare->dups_base);
	for (int i = 0; i < NP_RTX_MAX; i++)
		told += rare->rtx_cause[i];
	if (dups > told)
		dups = told;
	return (int)(dups > rare->rtx_spurious ? dups : rare->rtx_spurious);
}

#endif
