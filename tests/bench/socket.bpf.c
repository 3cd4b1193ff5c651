// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The cheapest program that knows the socket of a call: its entry in socket-local storage, one addition that loses
 * nothing. No process, no addresses, no filters. With very many sockets none of their entries is in a cache, and a
 * program that counts by process alone is no measure for one that counts by socket.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct sock;

struct bytes {
	__u64 tx, rx;
};

/* Written here, read by nobody: it is the writing that is measured. */
struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct bytes);
} socket_bytes SEC(".maps");

SEC("tp_btf/sock_send_length")
int BPF_PROG(socket_send, struct sock *sk, int ret, int flags)
{
	struct bytes *b = bpf_sk_storage_get(&socket_bytes, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (b && ret > 0)
		__sync_fetch_and_add(&b->tx, ret);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(socket_recv, struct sock *sk, int ret, int flags)
{
	struct bytes *b = bpf_sk_storage_get(&socket_bytes, sk, 0, BPF_SK_STORAGE_GET_F_CREATE);

	if (b && ret > 0)
		__sync_fetch_and_add(&b->rx, ret);
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
