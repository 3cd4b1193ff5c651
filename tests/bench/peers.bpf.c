// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * The baseline's pair, and the cheapest program of any use at each of the two hooks that see the peer of
 * an unconnected datagram: calls by remote address, one per-CPU hash entry each. Nothing joins the two:
 * which process sent how many bytes to whom is not known.
 */
#include <linux/bpf.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

struct sock;

struct count {
	__u64 tx, rx;
};

/* Written here, read by nobody: it is the writing that is measured. */
struct count_map {
	__uint(type, BPF_MAP_TYPE_PERCPU_HASH);
	__uint(max_entries, 10240);
	__type(key, __u32);
	__type(value, struct count);
};

struct count_map peers_bytes SEC(".maps"), peers_calls SEC(".maps");

static __always_inline void add(void *map, __u32 key, __u64 n, int tx)
{
	struct count *c = bpf_map_lookup_elem(map, &key), fresh = {};

	if (!c) {
		if (tx)
			fresh.tx = n;
		else
			fresh.rx = n;
		bpf_map_update_elem(map, &key, &fresh, BPF_NOEXIST);
	} else if (tx) {
		c->tx += n;
	} else {
		c->rx += n;
	}
}

SEC("tp_btf/sock_send_length")
int BPF_PROG(peers_send, struct sock *sk, int ret, int flags)
{
	if (ret > 0)
		add(&peers_bytes, bpf_get_current_pid_tgid() >> 32, ret, 1);
	return 0;
}

SEC("tp_btf/sock_recv_length")
int BPF_PROG(peers_recv, struct sock *sk, int ret, int flags)
{
	if (ret > 0)
		add(&peers_bytes, bpf_get_current_pid_tgid() >> 32, ret, 0);
	return 0;
}

SEC("cgroup/sendmsg4")
int peers_to(struct bpf_sock_addr *ctx)
{
	add(&peers_calls, ctx->user_ip4, 1, 1);
	return 1;
}

SEC("cgroup/recvmsg4")
int peers_from(struct bpf_sock_addr *ctx)
{
	add(&peers_calls, ctx->user_ip4, 1, 0);
	return 1;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
