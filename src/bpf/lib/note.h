/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The address of a datagram, from the hook that sees it to the one that sees the call's result.
 */
#ifndef NETPROBE_BPF_LIB_NOTE_H
#define NETPROBE_BPF_LIB_NOTE_H

#include "sock.h"

/*
 * Both hooks run in the thread that calls, which is in one such call at a time, so its place goes by the thread, and
 * the first one does not look for the socket. sk: what was noted of a call whose result no hook saw is nothing of the
 * next one, at another socket.
 */
#define NP_NOTES 1024

struct np_note {
	struct np_peer peer;
	__u64 sk;
	__u64 pad[3];
};

struct np_notes_map {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, NP_NOTES);
	__type(key, __u32);
	__type(value, struct np_note);
};
extern struct np_notes_map np_notes SEC(".maps");

/* Where another thread has that place meanwhile. By pid_tgid with the direction's bit. */
struct np_peers_map {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 8192);
	__type(key, __u64);
	__type(value, struct np_note);
};
extern struct np_peers_map np_peers SEC(".maps");

#define PEER_KEY(key, tx) \
	((key) ^ ((tx) ? 1ULL << 63 : 0)) /* tgid has 22 bits: the top bit is free */

static __always_inline struct np_note *note_of(__u64 key)
{
	__u32 slot = CUT(__u32, key) & (NP_NOTES - 1);

	return bpf_map_lookup_elem(&np_notes, &slot);
}

/* The peer that the address hook of this call noted, if there was one. */
static __noinline __attribute__((unused)) bool peer_take(struct sock *sk, __u64 pid_tgid, __u32 tx,
							 struct np_peer *ret_peer)
{
	__u64 key = PEER_KEY(pid_tgid, tx);
	struct np_note *note = note_of(key);
	bool own;

	if (!note || note->peer.key != key)
		note = bpf_map_lookup_elem(&np_peers, &key);
	if (!note || note->peer.key != key)
		return false;
	own = note->sk == (__u64)sk;
	if (own)
		*ret_peer = note->peer;
	barrier();
	note->peer.key = 0;
	return own;
}

/* A call that counts nothing (MSG_PEEK) is over: what was noted for it is nothing of the next one. */
static __noinline __attribute__((unused)) int peer_forget(__u64 pid_tgid, __u32 tx)
{
	__u64 key = PEER_KEY(pid_tgid, tx);
	struct np_note *note = note_of(key);

	if (!note || note->peer.key != key)
		note = bpf_map_lookup_elem(&np_peers, &key);
	if (note && note->peer.key == key)
		note->peer.key = 0;
	return 0;
}

/* An address hook saw the peer of a call under way in this task. */
static __always_inline void peer_note(struct sock *sk, const struct np_peer *peer, bool tx,
				      __u32 prog)
{
	__u64 key = PEER_KEY(bpf_get_current_pid_tgid(), tx);
	struct np_note *note = note_of(key), other = {};
	__u64 was;

	if (!note)
		return;
	was = __sync_val_compare_and_swap(&note->peer.key, 0, ~0ULL);
	/* not taken since its own last call: it is this thread's all the same */
	if (likely(!was || !((was ^ key) << 1))) {
		__builtin_memcpy(note->peer.raddr, peer->raddr, 16);
		note->peer.rport = peer->rport;
		note->peer.family = peer->family;
		note->sk = (__u64)sk;
		barrier();
		note->peer.key = key;
		return;
	}
	other.peer = *peer;
	other.peer.key = key;
	other.sk = (__u64)sk;
	if (bpf_map_update_elem(&np_peers, &key, &other, BPF_ANY))
		count_one(prog, map_full);
}

#endif
