/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * struct np_sock: what the kernel half remembers of one socket. It lives in socket-local storage,
 * so it dies with the socket; where programs have no typed socket pointer (kprobe) it lives in a
 * hash keyed by the socket's address and is deleted by the destroy and release hooks, and by those
 * that see a socket made. Not by its cookie: kprobe programs cannot ask for one, and most sockets have none
 * until somebody does. Where it has one, that must be the entry's.
 */
#ifndef NETPROBE_BPF_LIB_SOCK_H
#define NETPROBE_BPF_LIB_SOCK_H

#include "np.h"

/* bits of sk_flags */
#define SOCK_DEAD 0 /* its process is done with it */
#define SOCK_DONE 1 /* a FIN came in */

#define NP_PHASE_NEW 0	   /* nothing happened yet */
#define NP_PHASE_CONNECT 1 /* connect() called; no SYN sent yet */
#define NP_PHASE_SYN 2	   /* SYN sent */
#define NP_PHASE_OPEN 3	   /* was established */
#define NP_PHASE_OVER 4	   /* closed after it was open, or failed */
#define NP_PHASE_FAILED 5
#define NP_PHASE_SUBFLOW 6 /* no connection by itself: carries an MPTCP one; NP_F_IGNORE is set */

#define NP_RECOVERY 1 /* it may be taken back, or was */
#define NP_RECOVERY_FINAL \
	2 /* never: a route got narrower (tcp_simple_retransmit), and no timeout came since */

#define NP_PASS_NOW 1  /* matches the filters */
#define NP_PASS_EVER 2 /* did so once: has counts to report */
#define NP_PASS_OLD 4  /* did so once, under earlier filters: counts to report, but no lines */
#define NP_PASS_SAMPLED_OUT 8 /* would match, but the sample leaves it out */
#define NP_PASS_HELD 16	      /* segs_*_base hold what was counted, until it matches again */
#define NP_PASS_ANY (NP_PASS_NOW | NP_PASS_EVER | NP_PASS_OLD)

/* bits of np_sock.ends; written where the kernel changes the state, which it does to one socket at a time */
#define END_FIN 1    /* we sent a FIN, which takes a sequence number */
#define END_PLAIN 2  /* it ended; tx_end is set */
#define END_FRAMED 4 /* the same with an upper layer protocol: more than processes sent */
#define END_ASKED 8  /* it was connect() that was answered at established_ns */

#define RARE_HAS 1     /* of np_sock.rare: there is a struct np_rare, or the listener had one */
#define RARE_REFUSED 2 /* there was no room for it */

#define NP_DGRAM_NAMES 2 /* its peer answers for names: what is read is looked at, see answer.h */

/*
 * A sweep tells counts from the beginning, a sum what was not told yet. Both may be at a socket that ends:
 * whoever comes second leaves it to the other.
 */
#define NP_TELL_SWEEP 1 /* a sweep writes its record */
#define NP_TELL_SUM 2	/* it ended: a sum has it, or the sweep that is under way tells all */

/*
 * Address of one datagram, kept between the hook that sees it and the hook that sees the result. With family 0 and an
 * ifindex it is no address: the interface that it came in by, and in raddr its name (see came.h).
 */
struct np_peer {
	__u64 key; /* pid_tgid of the task; 0 free */
	__u8 raddr[16];
	__u16 rport; /* host order */
	__u8 family;
	__u8 pad;
	__u32 ifindex;
};

/* One direction of a socket, watched for standing still. */
struct np_watch {
	__u64 since_ns; /* when it was first seen standing at mark */
	__u64 told_ns;	/* last event about it; 0 none */
	__u32 mark;	/* sequence number that must move on */
	__u32 cause;	/* NP_STALL_*; 0 nothing to wait for */
};

/* The interface of the datagram that is read next, and of which the socket's own counts are: see came.h. */
struct np_came {
	__u64 skb, next;    /* that datagram, and the one behind it; only compared. 0 none */
	__u32 ifindex;	    /* it came in by */
	__u32 lock, spoilt; /* 1: being written; somebody had something to write meanwhile */
	__u32 reader;	    /* the thread that reads; CAME_MANY: there were several */
	__u32 own, pad; /* of the socket's own counts; 0: not yet known, CAME_UNKNOWN: of none */
};

/*
 * Every socket has one, so it is kept small: what few need is in struct np_rare. With what the kernel adds, 72 bytes, it
 * takes 512; a byte more would take 1,024.
 */
struct np_sock {
	/* read at every call: keep in one cache line */
	/* pid_tgid: calls of that process need no thought, its thread made the last one; 0: take the slow path */
	__u64 hot;
	__u32 hot_exec; /* exec_now() that goes with it */
	__u32 gen;	/* np_filter.gen that pass was computed under */
	__u8 pass;	/* NP_PASS_* */
	__u8 dgram; /* not 0: count calls as packets; NP_DGRAM_*. For life: it tells what the union below is */
	__u8 flags;	 /* NP_F_* */
	__u8 phase;	 /* NP_PHASE_* */
	__u32 acct_tgid; /* owner of counts; 0 nobody yet. Set once, by compare-and-swap */
	struct np_counts counts;
	/* with the above all that a sweep reads of a socket that did not change: two cache lines */
	__u64 sock_id;
	__u64 sweep_print; /* fingerprint of what the sweep wrote last */
	__u32 hands; /* raised with what is worth telling and is not read of the kernel: last is another one, SYN-ACKs */
	__u32 sweep_gen; /* sweep that wrote it last */
	__u8 gone;	 /* 1: its last record was made */
	__u8 rare;	 /* RARE_* */
	/* cause of the retransmit under way, where the hook sees only its beginning */
	__u8 rtx_next;
	__u8 recovery; /* in fast recovery or loss since np_rare.recovery_start_ns: NP_RECOVERY* */
	__u8 ends;     /* END_* */
	__u8 change;   /* latest change of state that was dealt with, see state_of; 0 none */
	__u16 released; /* TCP, no process holds it any more: its slot in np_lefts and 1; 0: it has none */

	__u64 opened_ns, closed_ns;
	__u32 err;
	__u32 teller; /* whose it is to write told: NP_TELL_* */
	/* what user space knows of, see told_counts */
	struct np_counts told;
	struct np_tuple tuple;
	struct np_owner acct; /* owner of counts */
	struct np_owner last; /* last user; written under last_lock */
	/* 1 while last is written: whoever comes then leaves it, both are fair */
	__u32 last_lock;
	__u32 sample_rate; /* np_filter.sample_rate that its counts were made under */
	/* bytes of this socket counted in parts; of a datagram socket not exact, but 0 until there are any */
	__u64 tx_parts, rx_parts;
	union {
		struct { /* connections */
			__u64 established_ns;
			__u64 counted; /* TCP: its address, once it is in np_lives.made; in a copy the listener's */
			union {
				/* kernel's count of received bytes when counting began, plus what did not match */
				__u64 rx_base;
				/* listener: sk_drops when counting began, and what of it since kfree_skb told of as well */
				struct {
					__u32 drops_base, drops_told;
				};
			};
			__u32 tx_base; /* write_seq when counting began, plus what did not match */
			__u32 retrans_seen; /* total_retrans accounted so far */
			union {
				struct { /* TCP */
					__u32 segs_out_base, segs_in_base;
					/* what the kernel had been given when the connection ended (write_seq) */
					__u32 tx_end;
				};
				struct {		/* MPTCP, and its subflows */
					__u32 subflows; /* the number told last that was not 0 */
					__u32 resets; /* bits of resets told (1 sent, 2 received), MAIN_RELEASED */
					/* subflows that were met and live; of a subflow: 1, it is among them */
					__u32 live;
				};
			};
			__u32 closer; /* the process that let go of it last; 0 none did, or not seen */
		};
		struct { /* datagrams */
			struct np_came came;
			/* where it is now its own counts are not of: its address; 0: it is where tuple says */
			__u64 elsewhere;
		};
	};
};
_Static_assert(sizeof(struct np_sock) <= 440, "more than an object of 512 bytes of the kernel's");

/*
 * What a socket gets at first need: loss, stalls, errors, a listener's SYN-ACKs. In a store of its own, of the same kind; a
 * child does not get a copy of its listener's.
 */
struct np_rare {
	struct np_watch watch_tx, watch_rx;
	__u64 stall_ns;
	__u64 recovery_start_ns, recovery_ns;
	__u64 synack_retrans;
	__u32 rtx_cause[NP_RTX_MAX];
	__u32 rtx_spurious;
	__u32 rtx_before;   /* total_retrans when recovery began */
	__u32 retrans_late; /* total_retrans at the last record */
	__u32 dups_base;    /* tcp_dups when counting began */
	__u32 rtx_cpu_tgid;
	char rtx_cpu_comm[16];
	/* listener: where the SYN-ACK went that was retransmitted last; datagram socket: whose error came last */
	__u8 synack_raddr[16];
	__u16 error_rport; /* datagram socket: port at synack_raddr, which is 0 where it was connected to nobody */
	__u8 pad[2];
};
_Static_assert(sizeof(struct np_rare) <= 184, "more than an object of 256 bytes of the kernel's");

struct np_socks_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC | BPF_F_CLONE);
	__type(key, int);
	__type(value, struct np_sock);
};
extern struct np_socks_map np_socks SEC(".maps");

struct np_socks_h_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct np_sock);
};
extern struct np_socks_h_map np_socks_h SEC(".maps");

struct np_rares_map {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct np_rare);
};
extern struct np_rares_map np_rares SEC(".maps");

struct np_rares_h_map {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 262144);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, __u64);
	__type(value, struct np_rare);
};
extern struct np_rares_h_map np_rares_h SEC(".maps");

struct np_zero_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_sock);
};
extern struct np_zero_map np_zero SEC(".maps");

struct np_loss_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, NP_PROG_MAX);
	__type(key, __u32);
	__type(value, struct np_loss);
};
extern struct np_loss_map np_losses SEC(".maps");

struct np_lives_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct np_lives);
};
extern struct np_lives_map np_lives SEC(".maps");

/* Count one outcome of a program; member is a field of struct np_loss. */
#define count_add(prog, member, n)                                               \
	do {                                                                     \
		__u32 prog_ = (prog);                                            \
		struct np_loss *loss_ = bpf_map_lookup_elem(&np_losses, &prog_); \
		if (loss_)                                                       \
			__sync_fetch_and_add(&loss_->member, (n));               \
	} while (0)
#define count_one(prog, member) count_add(prog, member, 1)

/* The socket's entry or NULL. sk: typed pointer, or an address in kprobe programs (cfg_store_hash). */
static __always_inline struct np_sock *sock_find(struct sock *sk)
{
	if (cfg_store_hash) {
		__u64 key = (__u64)sk;

		return bpf_map_lookup_elem(&np_socks_h, &key);
	}
	return bpf_sk_storage_get(&np_socks, sk, NULL, 0);
}

static __always_inline struct np_sock *sock_make(struct sock *sk, __u32 prog)
{
	struct np_sock *st;

	if (cfg_store_hash) {
		__u64 key = (__u64)sk;
		__u32 zero = 0;
		struct np_sock *init;

		st = bpf_map_lookup_elem(&np_socks_h, &key);
		if (st)
			return st;
		init = bpf_map_lookup_elem(&np_zero, &zero);
		if (!init)
			return NULL;
		/* A lost race leaves the winner's entry: look up again in both cases. */
		(void)bpf_map_update_elem(&np_socks_h, &key, init, BPF_NOEXIST);
		st = bpf_map_lookup_elem(&np_socks_h, &key);
	} else {
		st = bpf_sk_storage_get(&np_socks, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		/*
		 * Two processors that make the first storage of a socket, or the same entry: the one that is
		 * late gets an error (bpf_local_storage_alloc: EAGAIN, bpf_local_storage_update: EEXIST; 5.2
		 * to 6.18), and nothing is full. Here too the winner's is there.
		 */
		if (!st)
			st = bpf_sk_storage_get(&np_socks, sk, NULL, 0);
	}
	if (!st)
		count_one(prog, map_full);
	return st;
}

static __always_inline void sock_drop(struct sock *sk)
{
	if (cfg_store_hash && !cfg_keep_dead) {
		__u64 key = (__u64)sk;

		(void)bpf_map_delete_elem(&np_socks_h, &key);
		(void)bpf_map_delete_elem(&np_rares_h, &key);
	}
}

/*
 * The socket's address as a number, for programs whose verifier forbids arithmetic on the typed
 * pointer (cgroup programs on addresses: NP_SOCK_ADDR); elsewhere the pointer itself.
 */
static __always_inline struct sock *sk_raw(struct sock *sk)
{
#ifdef NP_SOCK_ADDR
	__u64 typed = (__u64)sk, raw = 0;

	(void)bpf_probe_read_kernel(&raw, sizeof(raw), &typed);
	return (struct sock *)raw;
#else
	return sk;
#endif
}

/* What the socket has of that; NULL: nothing. */
static __always_inline struct np_rare *sock_rare(const struct np_sock *st, struct sock *sk)
{
	__u64 key = (__u64)sk;

	if (st->rare != RARE_HAS)
		return NULL;
	if (cfg_store_hash)
		return bpf_map_lookup_elem(&np_rares_h, &key);
	return bpf_sk_storage_get(&np_rares, sk, NULL, 0);
}

static __always_inline struct np_rare *rare_in_hash(struct sock *sk)
{
	__u64 key = (__u64)sk;
	__u32 zero = 0;
	struct np_rare *rare = bpf_map_lookup_elem(&np_rares_h, &key);
	struct np_sock *init;

	if (rare) { /* of a socket that was at this address before */
		__builtin_memset(rare, 0, sizeof(*rare));
		return rare;
	}
	init = bpf_map_lookup_elem(&np_zero, &zero);
	if (!init)
		return NULL;
	/* a lost race leaves the winner's: look up again in both cases */
	(void)bpf_map_update_elem(&np_rares_h, &key, init, BPF_NOEXIST);
	return bpf_map_lookup_elem(&np_rares_h, &key);
}

/* The same, made if there is none. NULL: no room, which is counted as lost at prog. */
static __noinline __attribute__((unused)) struct np_rare *
sock_rare_make(struct np_sock *st, struct sock *sk, __u32 prog)
{
	struct np_rare *rare;

	if (!st)
		return NULL;
	rare = sock_rare(st, sk);
	if (rare)
		return rare;
	if (cfg_store_hash) {
		rare = rare_in_hash(sk);
	} else {
		rare = bpf_sk_storage_get(&np_rares, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);
		if (!rare) /* as in sock_make */
			rare = bpf_sk_storage_get(&np_rares, sk, NULL, 0);
	}
	if (!rare) {
		/* nobody holds it any more, which an iterator may meet: it gets none (bpf_sk_storage_get, 5.2 to 6.18) */
		if (!cfg_store_hash &&
		    !BPF_CORE_READ(sk_raw(sk), __sk_common.skc_refcnt.refs.counter))
			return NULL;
		st->rare = RARE_REFUSED;
		count_one(prog, map_full);
		return NULL;
	}
	/* why segments went out again that were counted meanwhile nobody knows */
	if (st->rare == RARE_REFUSED)
		rare->rtx_cause[NP_RTX_UNKNOWN] = CUT(__u32, st->counts.retrans); /* as it wraps */
	st->rare = RARE_HAS;
	return rare;
}

/* What a record tells of the socket itself: received bytes with those that no call took, packets for calls. */
static __always_inline void told_counts(struct np_counts *to, const struct np_sock_rec *rec)
{
	*to = rec->counts;
	if (rec->tuple.proto != IPPROTO_TCP)
		return;
	if (rec->tcp.rx_unseen > 0 && !(rec->tuple.flags & NP_F_ULP))
		to->rx_bytes += rec->tcp.rx_unseen;
	to->tx_calls = rec->tcp.segs_out;
	to->rx_calls = rec->tcp.segs_in;
}

static __always_inline __u64 told_rest(__u64 now, __u64 told)
{
	return (__s64)(now - told) > 0 ? now - told : 0;
}

/*
 * A socket has just been made at this address. An entry that is there was another one's, whose end no
 * hook saw: what user space was not told of it is lost, and none of it is the new one's.
 */
static __always_inline void sock_born(struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct np_sock *old;

	if (!cfg_store_hash)
		return;
	old = bpf_map_lookup_elem(&np_socks_h, &key);
	if (!old)
		return;
	if (!old->gone) {
		count_one(NP_PROG_DESTROY, helper_err);
		count_add(NP_PROG_DESTROY, lost_tx_bytes,
			  told_rest(old->counts.tx_bytes, old->told.tx_bytes));
		count_add(NP_PROG_DESTROY, lost_rx_bytes,
			  told_rest(old->counts.rx_bytes, old->told.rx_bytes));
	}
	(void)bpf_map_delete_elem(&np_socks_h, &key);
	(void)bpf_map_delete_elem(&np_rares_h, &key);
}

/* The socket's address for a global function, which takes no typed pointer before 6.9: what a helper reads is a number. */
static __always_inline __u64 sock_number(struct sock *sk)
{
	__u64 typed = (__u64)sk, number = 0;

	if (cfg_store_hash)
		return typed;
	(void)bpf_probe_read_kernel(&number, sizeof(number), &typed);
	return number;
}

/*
 * A field of a socket. Sources whose programs all get sockets typed (NP_SOCK_TYPED) load it, but for those
 * of the kprobe family, which get addresses; elsewhere, and there, a helper reads it, at ten times the cost.
 */
#ifdef NP_SOCK_TYPED
#define SK_READ(p, field) (cfg_store_hash ? BPF_CORE_READ(p, field) : (p)->field)
#define SK_READ_BITS(p, field)                                    \
	(cfg_store_hash ? BPF_CORE_READ_BITFIELD_PROBED(p, field) \
			: BPF_CORE_READ_BITFIELD(p, field))
#else
#define SK_READ(p, field) BPF_CORE_READ(p, field)
#define SK_READ_BITS(p, field) BPF_CORE_READ_BITFIELD_PROBED(p, field)
#endif

/*
 * A TCP socket as such; NULL where it is none. Nothing else makes a tcp_sock of a sock: an MPTCP socket is
 * shorter, and a raw socket may have TCP's protocol number. sk: a full socket.
 */
static __always_inline struct tcp_sock *tcp_of(struct sock *typed)
{
	struct sock *sk = sk_raw(typed);

#ifdef NP_SOCK_TYPED
	if (!cfg_store_hash)
		return (struct tcp_sock *)bpf_skc_to_tcp_sock(sk);
#endif
	if (BPF_CORE_READ(sk, sk_protocol) != IPPROTO_TCP ||
	    BPF_CORE_READ(sk, sk_type) != SOCK_STREAM)
		return NULL;
	return (struct tcp_sock *)sk;
}

/* What np_tuple.proto says of a socket: its whole protocol number is asked, and its type. */
static __always_inline __u8 sock_proto(__u16 protocol, __u16 type)
{
	if (protocol == NP_KERNEL_MPTCP)
		return NP_IPPROTO_MPTCP;
	if (protocol > 0xff || protocol == NP_IPPROTO_MPTCP ||
	    (protocol == IPPROTO_TCP && type != SOCK_STREAM))
		return 0;
	return CUT(__u8, protocol);
}

/* A connection, of TCP or MPTCP. */
static __always_inline bool is_conn(const struct np_sock *st)
{
	return st->tuple.proto == IPPROTO_TCP || st->tuple.proto == NP_IPPROTO_MPTCP;
}

/* A raw socket's peer has no port. */
static __always_inline bool has_remote(const struct np_tuple *t)
{
	const __u64 *a = (const __u64 *)t->raddr;
	__u64 any = a[0] | a[1] | t->rport;

	barrier_var(any); /* one branch, not three */
	return any;
}

/*
 * The kernel's cookie; 0 where it has not made one yet and this program type cannot. Sources whose
 * programs get the cookie from their context (NP_SOCK_ADDR) have it made before they come here.
 */
static __always_inline __u64 sock_cookie(struct sock *sk)
{
	__u64 cookie = BPF_CORE_READ(sk_raw(sk), __sk_common.skc_cookie.counter);

#ifndef NP_SOCK_ADDR
	if (!cookie && !cfg_store_hash)
		cookie = bpf_get_socket_cookie(sk);
#endif
	return cookie;
}

/* The entry is of a socket that was at this address before. */
static __always_inline bool sock_is_other(const struct np_sock *st, struct sock *sk)
{
	__u64 cookie;

	if (!cfg_store_hash)
		return false;
	if (st->gone)
		return true;
	if (!st->sock_id || (st->flags & NP_F_OWNID))
		return false;
	cookie = BPF_CORE_READ(sk, __sk_common.skc_cookie.counter);
	return cookie != st->sock_id;
}

static __always_inline void addr_from_v4(__u8 addr[16], __be32 v4)
{
	__builtin_memset(addr, 0, 16);
	if (!v4)
		return; /* wildcard: all zero in both families */
	addr[10] = 0xff;
	addr[11] = 0xff;
	__builtin_memcpy(addr + 12, &v4, 4);
}

static __always_inline bool addr_is_v4(const __u8 addr[16])
{
	const __u32 *w = (const __u32 *)addr;

	return !w[0] && !w[1] && w[2] == bpf_htonl(0xffff);
}

/*
 * How many TCP sockets were met, and ended: what is neither among these nor there any more ended unseen. 6.18 calls no
 * program at all for one in a thousand ends while others attach to that tracepoint, and no counter tells of it.
 */
static __always_inline void sock_made(struct np_sock *st, struct sock *sk)
{
	__u64 at = (__u64)sk_raw(sk), was = st->counted;
	struct np_lives *lives;
	__u32 zero = 0;

	if (cfg_store_hash || st->tuple.proto != IPPROTO_TCP || was == at)
		return;
	/* two processors may meet it at once */
	if (__sync_val_compare_and_swap(&st->counted, was, at) != was)
		return;
	lives = bpf_map_lookup_elem(&np_lives, &zero);
	if (lives)
		__sync_fetch_and_add(&lives->made, 1);
}

/* Segments, or D-SACKs, since base. The kernel counts from 0 again where a socket is disconnected, or fails to connect. */
static __always_inline __u32 segs_since(__u32 now, __u32 base)
{
	return (__s32)(now - base) < 0 ? now : now - base;
}

/*
 * It listens. Where it was a connection before, its drops begin to be a listener's: nothing of rx_base is told of it
 * any more.
 */
static __always_inline void sock_listens(struct np_sock *st, struct sock *sk)
{
	if (st->phase == NP_PHASE_OVER && !(st->flags & NP_F_LISTEN) &&
	    st->tuple.proto == IPPROTO_TCP) {
		st->drops_base = SK_READ(sk, sk_drops.counter);
		st->drops_told = 0;
	}
	st->flags |= NP_F_LISTEN;
}

/* Payload bytes the kernel took out of the receive queue for the reader, whoever that was. */
static __always_inline __u64 tcp_rx_taken(struct tcp_sock *tp, struct sock *sk)
{
	__u64 received = SK_READ(tp, bytes_received);
	__u32 queued = SK_READ(tp, rcv_nxt) - SK_READ(tp, copied_seq);

	/*
	 * A FIN takes a sequence number and is counted like a byte (tcp_data_queue, 6.18); only
	 * tcp_fin sets SOCK_DONE, so that bit tells it from a reset.
	 */
	if (!queued && received && (SK_READ(sk, __sk_common.skc_flags) & (1UL << SOCK_DONE)))
		received--;
	return received > queued ? received - queued : 0;
}

/* Bytes put into the send queue since base, modulo 2^32; our own FIN left out. tcp_disconnect moves write_seq. */
static __always_inline __u32 tcp_tx_queued(const struct np_sock *st, struct tcp_sock *tp)
{
	if (st->ends & (END_PLAIN | END_FRAMED))
		return st->tx_end - st->tx_base;
	return SK_READ(tp, write_seq) - st->tx_base - !!(st->ends & END_FIN);
}

#endif
